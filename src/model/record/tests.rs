use super::*;
use crate::model::Detail;
use crate::model::{
    BenchId, Commit, Digest, Direction, Environment, Evidence, Measurement, Metric, Summary, Unit, Work, WorkUnit,
};

pub(super) fn stored(run: &Run) -> Vec<u8> {
    encode(run).unwrap()
}

/// A run with every form of evidence.
pub(super) fn run() -> Run {
    let mut environment = Environment::default();
    environment.set(Environment::CPU, "Imaginary 9000");
    environment.set(Environment::OS, "linux");
    let exact = Metric::counted("instructions", Unit::Count, Direction::Lower);
    let rate = Metric::measured("throughput", Unit::Other("furlong".into()), Direction::Higher);
    let summary =
        Summary { centre: 5.5, mean: Some(5.6), sd: None, samples: Some(300), quantiles: vec![(0.0, 5.0), (1.0, 9.0)] };
    let mut measurements = vec![
        Measurement::new("criterion", "a/steps", Metric::time(), Evidence::Samples(vec![812.4, 810.0, 900.25])),
        Measurement::new("gungraun", "b/exact", exact, Evidence::Samples(vec![1e6 + 1.0, 1e6])),
        Measurement::new("k6", "c/zero", rate.clone(), Evidence::Samples(vec![0.0, 7.123456789])),
        Measurement::new("k6", "d/summary", rate, Evidence::summary(summary)),
        Measurement::new("criterion", "e/value", Metric::time(), Evidence::Value(0.1)),
        Measurement::new(
            "criterion",
            "f/digest",
            Metric::time(),
            Evidence::Digest(Digest {
                median: 2.0,
                samples: 3,
                fast_edge: 1.0,
                within_run_drift: Some(0.25),
                typical_mean: None,
                split: None,
            }),
        ),
        Measurement::of_runs(
            "hyperfine",
            "g/replicates\n`|\u{1b}",
            Metric::time(),
            vec![Evidence::Samples(vec![2.0; 5]), Evidence::Value(3.0), Evidence::Samples(vec![4.0])],
        )
        .unwrap(),
    ];
    measurements[0].work = Some(Work { amount: 4096.0, unit: WorkUnit::Bytes });
    measurements[4].work = Some(Work { amount: 3.0, unit: WorkUnit::Elements });
    let commit = Commit::parse(&"0123456789".repeat(4));
    Run { commit, time: -5, branch: Some("main".into()), environment, measurements, ..Run::default() }
}

/// Asserts that runs are equal, with samples within the stated error and exact samples without loss.
pub(super) fn assert_alike(given: &Run, back: &Run) {
    assert_eq!(
        (&given.commit, given.time, &given.branch, &given.environment, given.measurements.len()),
        (&back.commit, back.time, &back.branch, &back.environment, back.measurements.len())
    );
    for (a, b) in given.measurements.iter().zip(&back.measurements) {
        assert_eq!((&a.benchmark, &a.metric, &a.tool, a.work), (&b.benchmark, &b.metric, &b.tool, b.work));
        assert_eq!(a.evidence.len(), b.evidence.len());
        for pair in a.evidence.iter().zip(&b.evidence) {
            match pair {
                (Evidence::Samples(x), Evidence::Rounded(rounded)) => {
                    let y = &rounded.samples;
                    assert_eq!(x.len(), y.len());
                    let tolerance = if a.metric.exact { 0.0 } else { 1e-4 };
                    for (x, y) in x.iter().zip(y) {
                        assert!((x - y).abs() <= tolerance * x.abs(), "{x} decoded as {y}");
                    }
                    let of_samples = Digest::of(x, a.metric.direction);
                    assert_eq!(
                        (rounded.digest.median, rounded.digest.samples),
                        (of_samples.median, of_samples.samples)
                    );
                }
                (Evidence::Digest(x), Evidence::Digest(y)) => {
                    assert_eq!((x.median, x.samples, x.within_run_drift), (y.median, y.samples, y.within_run_drift));
                    // The fast edge is stored as an f32 of its ratio to the median; a median that has no logarithm keeps none.
                    assert!(
                        x.median <= 0.0
                            || !(x.fast_edge / x.median).is_normal()
                            || (x.fast_edge / y.fast_edge - 1.0).abs() < 1e-4
                    );
                }
                (x, y) => assert_eq!(x, y),
            }
        }
    }
}

#[test]
fn a_time_of_measuring_is_stored_only_if_it_is_known() {
    let (known, unknown) = (Run { measured: Some(1_795_252_318), ..run() }, run());
    assert_eq!(decode(&stored(&known), Detail::Samples).unwrap().measured, known.measured);
    assert_eq!(decode(&stored(&unknown), Detail::Digests).unwrap().measured, None);
    assert!(stored(&unknown).len() < stored(&known).len());
}

#[test]
fn samples_round_trip() {
    assert_alike(&run(), &decode(&stored(&run()), Detail::Samples).unwrap());
}

#[test]
fn digests_are_those_of_the_original_samples() {
    let back = decode(&stored(&run()), Detail::Digests).unwrap();
    let Evidence::Digest(digest) = &back.measurements[0].evidence[0] else { panic!("no digest") };
    assert_eq!((digest.median, digest.samples, digest.within_run_drift), (812.4, 3, None));
    assert!((digest.fast_edge / 810.0 - 1.0).abs() < 1e-8, "{}", digest.fast_edge);
    assert_eq!(back.measurements[4].evidence, [Evidence::Value(0.1)]);
    let Evidence::Digest(digest) = &back.measurements[5].evidence[0] else { panic!("no digest") };
    assert_eq!((digest.median, digest.samples, digest.within_run_drift), (2.0, 3, Some(0.25)));
    assert_eq!(back.measurements[6].evidence.len(), 3);
}

#[test]
fn decoding_digests_does_not_read_the_samples() {
    let mut bytes = stored(&run());
    let end = bytes.len();
    bytes[end - 20..].fill(0);
    assert!(decode(&bytes, Detail::Digests).is_ok());
    assert!(matches!(decode(&bytes, Detail::Samples), Err(RecordError::Damaged(_))));
}

#[test]
fn the_order_of_measurements_does_not_change_the_bytes() {
    let mut shuffled = run();
    shuffled.measurements.reverse();
    assert_eq!(stored(&run()), stored(&shuffled));
}

#[test]
fn a_refused_run_names_the_measurement() {
    let with = |change: fn(&mut Run)| {
        let mut run = run();
        change(&mut run);
        encode(&run).unwrap_err().to_string()
    };
    assert_eq!(
        with(|r| r.measurements.push(r.measurements[0].clone())),
        "the run cannot be stored: time of `a/steps` occurs twice"
    );
    let not_finite = "the run cannot be stored: time of `e/value` has a number that is not finite";
    assert_eq!(with(|r| r.measurements[4].evidence = vec![Evidence::Value(f64::NAN)]), not_finite);
    let negative = "the run cannot be stored: time of `e/value` has a negative number";
    assert_eq!(with(|r| r.measurements[4].evidence = vec![Evidence::Value(-1.0)]), negative);
    let facts = "the run cannot be stored: it has 1,001 facts of the machine; at most 1,000 can be stored";
    assert_eq!(with(|r| r.environment.0 = (0..1001).map(|i| (i.to_string(), String::new())).collect()), facts);
    let none = "the run cannot be stored: time of `e/value` has no samples";
    assert_eq!(with(|r| r.measurements[4].evidence = vec![Evidence::Samples(vec![])]), none);
}

#[test]
fn a_newer_record_requires_a_newer_program() {
    let mut bytes = stored(&run());
    bytes[6] = 9;
    assert_alike(&run(), &decode(&bytes, Detail::Samples).unwrap());
    assert_eq!(version(&bytes).unwrap(), 9);
    bytes[8] = 7;
    bytes.truncate(12);
    let error = decode(&bytes, Detail::Digests).unwrap_err();
    assert!(matches!(error, RecordError::Newer { version: 9, needs: 7 }));
    assert!(error.to_string().contains("install a newer perfgate"), "{error}");
    assert!(matches!(decode(b"{}", Detail::Digests), Err(RecordError::NotARecord)));
}

#[test]
fn only_known_names_are_shared() {
    let bytes = encode(&run()).unwrap();
    let whole = decode(&bytes, Detail::Samples).unwrap();
    let names: Vec<BenchId> = whole.measurements.iter().map(|m| m.benchmark.clone()).collect();
    // Some names are missing, and some others are in between.
    let mut known: Vec<BenchId> = names.iter().step_by(2).cloned().collect();
    known.extend(["", "a0", "zzz"].map(BenchId::new));
    known.sort();
    let decoded = decode_sharing_names(&bytes, Detail::Samples, &known).unwrap();
    assert_eq!(decoded, whole);
    let shared = |name: &BenchId| known.iter().any(|known| std::ptr::eq(known.as_str(), name.as_str()));
    assert!(decoded.measurements.iter().any(|m| shared(&m.benchmark)));
    assert!(!whole.measurements.iter().skip(1).all(|m| shared(&m.benchmark)));
}

#[test]
fn unknown_columns_are_skipped() {
    let (mut index, samples) = write::write(&run()).unwrap();
    wire::put_varint(&mut index, 4711);
    wire::put_text(&mut index, "what a later version adds");
    assert_alike(&run(), &Index::read(&index, &[]).unwrap().run(Some(&samples)).unwrap());
}

#[test]
fn digests_of_another_rule_are_replaced_by_the_samples() {
    let (index, samples) = write::write(&run()).unwrap();
    // The column of measures: tag 7, its length, then the rule. Six digests of 8 bytes.
    let n = 6;
    let column = [7, 2 + 8 * n, 1, n];
    let at = index.windows(4).position(|w| w == column).unwrap();
    let mut other = index.clone();
    other[at + 2] = 200;
    let index = Index::read(&other, &[]).unwrap();
    assert!(!index.digests_are_current());
    let back = index.run(Some(&samples)).unwrap();
    assert!(matches!(&back.measurements[0].evidence[0], Evidence::Samples(s) if s.len() == 3));
    assert!(matches!(&back.measurements[5].evidence[0], Evidence::Digest(d) if d.within_run_drift.is_none()));
}

#[test]
fn an_oversized_frame_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0_u8; INDEX_LIMIT + 1], 1).unwrap();
    for raw in [INDEX_LIMIT + 1, INDEX_LIMIT, 10] {
        let none = Frame { packed: 0, raw: 0 };
        let index = Frame { packed: bomb.len(), raw };
        let mut bytes = Header { version: 1, oldest_reader: 1, index, samples: none }.bytes();
        bytes.extend(&bomb);
        assert!(matches!(decode(&bytes, Detail::Digests), Err(RecordError::Damaged(_))), "{raw}");
    }
}

/// One benchmark with one digest of 60 samples, whose columns the tests replace.
fn digest_record(direction: Direction, columns: &[(u64, Vec<u8>)]) -> Result<Run, RecordError> {
    let digest = Digest {
        median: 1000.0,
        samples: 60,
        fast_edge: 1000.0,
        within_run_drift: None,
        typical_mean: None,
        split: None,
    };
    let metric = Metric { direction, ..Metric::time() };
    let measurement = Measurement::new("t", "a", metric, Evidence::Digest(digest));
    let (index, _) = write::write(&Run { measurements: vec![measurement], ..Run::default() }).unwrap();
    let mut changed = Vec::new();
    let mut rest = wire::Cursor(&index);
    while !rest.is_empty() {
        let tag = rest.varint().unwrap();
        let size = rest.count(1).unwrap();
        let content = rest.take(size).unwrap();
        let content = columns.iter().find(|(one, _)| *one == tag).map_or(content, |(_, new)| new);
        wire::put_varint(&mut changed, tag);
        wire::put_varint(&mut changed, content.len() as u64);
        changed.extend_from_slice(content);
    }
    Index::read(&changed, &[])?.run(None)
}

fn centres(median: f64, count: u64) -> (u64, Vec<u8>) {
    let mut column = vec![1];
    wire::put_floats(&mut column, &[median]);
    wire::put_varint(&mut column, count);
    (columns::tag::CENTRES, column)
}

fn measures(ln_ratio: f32, drift: f32) -> (u64, Vec<u8>) {
    (columns::tag::MEASURES, [&[1, 1], &ln_ratio.to_le_bytes()[..], &drift.to_le_bytes()].concat())
}

#[test]
fn impossible_digests_are_damage() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let lower = |centre, measure| digest_record(Direction::Lower, &[centre, measure]);
    let good = || centres(1000.0, 60);
    for (case, result) in [
        ("infinite ratio", lower(good(), measures(inf, 0.003))),
        ("ratio of minus infinity", lower(good(), measures(-inf, 0.003))),
        ("no ratio", lower(good(), measures(nan, 0.003))),
        ("fast edge above the median", lower(good(), measures(700.0, 0.003))),
        ("fast edge of a rate below the median", digest_record(Direction::Higher, &[good(), measures(-0.1, 0.003)])),
        ("infinite drift", lower(good(), measures(-0.005, inf))),
        ("negative drift", lower(good(), measures(-0.005, -5.0))),
        ("negative median", lower(centres(-1000.0, 60), measures(-0.005, 0.003))),
        ("no samples", lower(centres(1000.0, 0), measures(-0.005, 0.003))),
    ] {
        assert!(matches!(result, Err(RecordError::Damaged(_))), "{case}: {result:?}");
    }
    assert!(lower(good(), measures(-0.005, nan)).is_ok());
    assert!(digest_record(Direction::Higher, &[good(), measures(0.1, 0.003)]).is_ok());
    let zero = lower(centres(0.0, 60), measures(nan, nan)).unwrap();
    assert_eq!(zero.measurements[0].evidence[0].fast_edge(Direction::Lower), Some(0.0));
}

#[test]
fn digests_of_any_valid_samples_can_be_read() {
    for direction in [Direction::Lower, Direction::Higher] {
        for samples in [[5e-324, f64::MAX, 1.0], [0.0; 3], [5e-324; 3], [f64::MAX; 3], [0.0, 1.0, 2.0], [0.1, 0.1, 0.1]]
        {
            let metric = Metric { direction, ..Metric::time() };
            let measurement = Measurement::new("t", "a", metric, Evidence::Samples(samples.to_vec()));
            let bytes = stored(&Run { measurements: vec![measurement], ..Run::default() });
            let run = decode(&bytes, Detail::Digests).unwrap_or_else(|error| panic!("{samples:?}: {error}"));
            let Evidence::Digest(digest) = &run.measurements[0].evidence[0] else { panic!("no digest") };
            assert!(digest.fast_edge.is_finite() && digest.fast_edge >= 0.0, "{samples:?}: {digest:?}");
        }
    }
}

#[test]
fn negative_values_are_damage() {
    let mut index = write::write(&run()).unwrap().0;
    // The values 0.1 and 3.0, in planes: the signs are in the last two bytes.
    let mut planes = Vec::new();
    wire::put_floats(&mut planes, &[0.1, 3.0]);
    let at = index.windows(16).position(|w| w == planes).unwrap();
    index[at + 14] |= 0x80;
    let error = Index::read(&index, &[]).unwrap().run(None).unwrap_err();
    assert_eq!(error.to_string(), "the stored run is damaged: a number is negative");
}

/// A column of `count` entries, each of these bytes.
fn repeated(count: u64, entry: &[u8]) -> Vec<u8> {
    let mut column = Vec::new();
    wire::put_varint(&mut column, count);
    column.extend(entry.repeat(count as usize));
    column
}

#[test]
fn counts_are_limited_before_they_take_memory() {
    use columns::tag;
    let many = |tag, column| digest_record(Direction::Lower, &[(tag, column)]).unwrap_err().to_string();
    let no_more = "a benchmark has more measurements than there are metrics";
    assert!(many(tag::NAMES, repeated(1000, &[0])).ends_with(no_more));
    assert!(many(tag::NAMES, repeated(2 << 20, &[0])).contains("2,097,152 measurements; at most 1,048,576"));
    assert!(many(tag::NAMES, [&[2, 1, b'b', 1], &b"a"[..]].concat()).ends_with("its measurements are not in order"));
    assert!(many(tag::KINDS, repeated(1 << 20, &[0; 4])).contains("1,048,576 metrics; at most 65,536"));
    let mut evidence = Vec::new();
    wire::put_varint(&mut evidence, 3 << 20);
    evidence.extend(vec![4; 3 << 20]);
    assert!(many(tag::EVIDENCE, evidence).contains("3,145,728 results; at most 2,097,152"));
    let facts = [&[0, 0, 0, 0], &repeated(1 << 20, &[0, 0])[..]].concat();
    assert!(many(tag::RUN, facts).contains("1,048,576 facts of the machine; at most 1,000"));
    let columns: Vec<u8> = (100..10_000_u64).flat_map(|tag| [0x80 | (tag & 0x7f) as u8, (tag >> 7) as u8, 0]).collect();
    assert!(Index::read(&columns, &[]).unwrap_err().to_string().contains("257 columns; at most 256"));
}

/// 100 benchmarks of 100 samples, about as noisy as criterion's (3%), from a fixed sequence. Measured on whole
/// criterion trees: 148 bytes with 100 benchmarks, 141 with 1,000; 19 to 21 of them are the index.
#[test]
fn a_benchmark_of_a_hundred_samples_takes_at_most_200_bytes() {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut measurements = Vec::new();
    for i in 0..100 {
        let level = 10_f64.powf(1.0 + 6.0 * uniform());
        let mut sample = || level * (1.0 + 0.03 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0));
        let samples = (0..100).map(|_| sample()).collect();
        let name = format!("group_{:04}/bench_fn_{:02}/{}", i / 20, i % 20, 1 << (i % 8));
        measurements.push(Measurement::new("criterion", name, Metric::time(), Evidence::Samples(samples)));
    }
    let size = stored(&Run { measurements, ..run() }).len();
    assert!(size <= 20_000, "{} bytes a benchmark", size / 100);
}
