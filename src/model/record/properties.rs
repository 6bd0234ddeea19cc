//! Properties of stored records: any run survives, and any bytes are read without a panic.

use super::tests::{assert_alike, run, stored};
use super::*;
use crate::model::{BenchId, Detail, Digest, Evidence, Measurement, Metric, Summary};
use proptest::prelude::*;

fn evidence() -> impl Strategy<Value = Evidence> {
    let number =
        prop_oneof![1e-3..1e9_f64, Just(0.0), 0.0..10.0_f64, Just(5e-324), Just(f64::MIN_POSITIVE), Just(f64::MAX)];
    let summary = (number.clone(), proptest::option::of(number.clone()), proptest::option::of(any::<u64>()));
    prop_oneof![
        proptest::collection::vec(number.clone(), 1..30).prop_map(Evidence::Samples),
        number.clone().prop_map(Evidence::Value),
        (number, 1..u32::MAX).prop_map(|(median, samples)| Evidence::Digest(Digest {
            median,
            samples,
            fast_edge: median,
            within_run_drift: Some(1.0),
            typical_mean: None,
            split: None
        })),
        summary.prop_map(|(centre, sd, samples)| Evidence::summary(Summary {
            centre,
            mean: sd,
            sd,
            samples,
            quantiles: sd.map(|q| (0.5, q)).into_iter().collect(),
        })),
    ]
}

fn runs() -> impl Strategy<Value = Run> {
    let measurement = (".{0,12}", proptest::collection::vec(evidence(), 1..4), any::<bool>());
    (proptest::collection::vec(measurement, 0..12), any::<i64>(), proptest::option::of(".{0,5}")).prop_map(
        |(parts, time, branch)| {
            let mut measurements: Vec<Measurement> = parts
                .into_iter()
                .filter_map(|(name, replicates, exact)| {
                    let metric = Metric { exact, ..Metric::time() };
                    Measurement::of_runs("criterion", name, metric, replicates)
                })
                .collect();
            let key = |m: &Measurement| (m.benchmark.clone(), m.metric.clone());
            measurements.sort_by_key(key);
            measurements.dedup_by_key(|m| (BenchId::new(m.benchmark.as_str()), m.metric.clone()));
            Run { time, branch, measurements, ..Run::default() }
        },
    )
}

proptest! {
    #[test]
    fn any_run_round_trips(run in runs()) {
        let bytes = stored(&run);
        assert_alike(&run, &decode(&bytes, Detail::Samples).unwrap());
        prop_assert_eq!(decode(&bytes, Detail::Digests).unwrap().measurements.len(), run.measurements.len());
    }

    #[test]
    fn any_bytes_decode_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let marked = [MAGIC.as_slice(), &[1, 0, 1, 0], &bytes].concat();
        let _ = (decode(&bytes, Detail::Samples), decode(&marked, Detail::Digests));
        let _ = Index::read(&bytes, &[]).and_then(|index| index.run(Some(&bytes)));
    }

    #[test]
    fn an_altered_record_is_an_error_or_unchanged(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = stored(&run());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(back) = decode(&bytes, Detail::Samples) {
            assert_alike(&run(), &back);
        }
    }

    #[test]
    fn an_altered_index_decodes_without_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut index, samples) = write::write(&run()).unwrap();
        for (at, byte) in changes {
            let at = at.index(index.len());
            index[at] = byte;
        }
        let _ = Index::read(&index, &[]).and_then(|i| i.run(Some(&samples)));
        let _ = Index::read(&index, &[]).and_then(|i| i.run(None));
        let _ = Index::read(&index[..cut.index(index.len())], &[]).and_then(|i| i.run(None));
    }
}
