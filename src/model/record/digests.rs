//! The digests of a record: medians and counts, which every version has, and measures, which depend on the rule that
//! computes them. A new rule needs a new number in [`RULE`] and changes to `measures` and `get`.

use super::error::RecordError;
use super::wire::{Cursor, damaged, not_negative, put_floats, put_planes, put_varint, read_all};
use crate::model::{Digest, Direction, Evidence, RoundedSamples};
use crate::stats::samples::TypicalMean;
use crate::stats::split::Split;

/// The current rule for measures.
const RULE: u8 = 1;

/// Measures of a digest: `ln(fast edge / median)` and the within-run drift, NaN if there is none.
const MEASURES: usize = 2;

/// The current rule for typical means. Those of another rule count as missing.
const TYPICAL_MEANS_RULE: u8 = 1;

/// The current rule for splits. Those of another rule count as missing.
const SPLITS_RULE: u8 = 1;

/// Relative rounding error of a stored fast edge, with a margin.
const EDGE_ROUNDING: f64 = 1e-5;

/// The digests, in the order of the evidence.
#[derive(Debug, Default)]
pub(super) struct Digests {
    pub(super) medians: Vec<f64>,
    pub(super) counts: Vec<u32>,
    /// `None` if another rule computed them.
    measures: Option<Vec<[f32; MEASURES]>>,
    /// Empty if the record has none.
    typical_means: Vec<[f32; MEASURES]>,
    /// Empty if the record has none.
    splits: Vec<Option<Split>>,
}

impl Digests {
    /// Digest `i`. If another rule computed the measures, the median replaces the fast edge.
    pub(super) fn get(&self, i: usize) -> Option<Digest> {
        let [ln_ratio, drift] = match &self.measures {
            Some(all) => *all.get(i)?,
            None => [0.0, f32::NAN],
        };
        let median = *self.medians.get(i)?;
        Some(Digest {
            median,
            fast_edge: fast_edge(median, f64::from(ln_ratio)),
            samples: *self.counts.get(i)?,
            within_run_drift: (!drift.is_nan()).then_some(drift),
            typical_mean: self.typical_mean(i),
            split: self.splits.get(i).copied().flatten(),
        })
    }

    fn typical_mean(&self, i: usize) -> Option<TypicalMean> {
        let [ln_ratio, error] = *self.typical_means.get(i)?;
        (ln_ratio.is_finite() && error >= 0.0).then_some(TypicalMean::new(ln_ratio, error))
    }

    /// Samples with their digest, if the current rule computed it.
    pub(super) fn evidence(&self, digest: Digest, samples: Vec<f64>) -> Evidence {
        if self.are_current() {
            Evidence::Rounded(Box::new(RoundedSamples { digest, samples }))
        } else {
            Evidence::Samples(samples)
        }
    }

    /// Computes from the samples what the digests of older runs do not have.
    pub(super) fn complete(&self, rounded: &mut RoundedSamples, direction: Direction) {
        if self.typical_means.is_empty() || self.splits.is_empty() {
            let of_samples = Digest::of(&rounded.samples, direction);
            let digest = &mut rounded.digest;
            digest.typical_mean = digest.typical_mean.or(of_samples.typical_mean);
            digest.split = digest.split.or(of_samples.split);
        }
    }

    /// True if the current rule computed them.
    pub(super) fn are_current(&self) -> bool {
        self.medians.is_empty() || self.measures.is_some()
    }

    /// Reads the column of medians and counts.
    pub(super) fn read_centres(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        let n = column.count(9)?;
        self.medians = column.planes::<8>(n)?.floats()?;
        for median in &self.medians {
            not_negative(*median)?;
        }
        self.counts = read_all(n, || match u32::try_from(column.varint()?) {
            Ok(0) => Err(damaged("a set of samples is empty")),
            count => count.map_err(|_| damaged("a count is too large")),
        })?;
        Ok(())
    }

    /// Reads the column of measures, after that of the medians.
    pub(super) fn read_measures(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        if column.byte()? != RULE {
            self.measures = None;
            return Ok(());
        }
        let measures = read_pairs(&mut column)?;
        let valid = |([ln_ratio, drift], median): (&[f32; MEASURES], &f64)| {
            (ln_ratio.is_finite() || ln_ratio.is_nan() && *median == 0.0)
                && (drift.is_nan() || drift.is_finite() && *drift >= 0.0)
        };
        if !measures.iter().zip(&self.medians).all(valid) {
            return Err(damaged("a statistic of its samples is impossible"));
        }
        self.measures = Some(measures);
        Ok(())
    }

    /// Reads the column of typical means.
    pub(super) fn read_typical_means(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        if column.byte()? == TYPICAL_MEANS_RULE {
            self.typical_means = read_pairs(&mut column)?;
        }
        Ok(())
    }

    /// Reads the column of splits.
    pub(super) fn read_splits(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        if column.byte()? == SPLITS_RULE {
            let n = column.count(4)?;
            let planes = column.planes::<4>(n)?;
            self.splits = (0..n).map(|i| Split::from_bits(u32::from_le_bytes(planes.get(i)))).collect();
        }
        Ok(())
    }
}

fn read_pairs(column: &mut Cursor<'_>) -> Result<Vec<[f32; 2]>, RecordError> {
    let n = column.count(8)?;
    let both = |item: u64| [item as u32, (item >> 32) as u32].map(f32::from_bits);
    Ok(column.planes::<8>(n)?.words().into_iter().map(both).collect())
}

fn put_pairs(out: &mut Vec<u8>, pairs: impl ExactSizeIterator<Item = [f32; 2]>) {
    put_varint(out, pairs.len() as u64);
    let item = |pair: [f32; 2]| -> [u8; 8] { std::array::from_fn(|b| pair[b / 4].to_le_bytes()[b % 4]) };
    put_planes(out, &pairs.map(item).collect::<Vec<_>>());
}

/// The fast edge from the median and the logarithm of their ratio; the median itself where it is zero.
fn fast_edge(median: f64, ln_ratio: f64) -> f64 {
    if median == 0.0 {
        return median;
    }
    let edge = median * ln_ratio.exp();
    // The ratio of a huge number to a tiny one is not finite, their product is.
    if edge.is_finite() { edge } else { (median.ln() + ln_ratio).exp().min(f64::MAX) }
}

/// Checks that the fast edge lies on the fast side of the median, apart from rounding.
pub(super) fn check_edge(digest: &Digest, direction: Direction) -> Result<(), RecordError> {
    let beyond = match direction {
        Direction::Lower => digest.fast_edge > digest.median * (1.0 + EDGE_ROUNDING),
        Direction::Higher => digest.fast_edge < digest.median * (1.0 - EDGE_ROUNDING),
        Direction::Unknown => false,
    };
    if beyond { Err(damaged("the fastest samples are slower than the median")) } else { Ok(()) }
}

/// The content of the column of typical means: `ln(typical mean / median)` and its error, NaN if there is none.
pub(super) fn write_typical_means(digests: &[Digest]) -> Vec<u8> {
    let item = |digest: &Digest| digest.typical_mean.map_or([f32::NAN; 2], |mean| [mean.ln_ratio(), mean.error()]);
    let mut out = vec![TYPICAL_MEANS_RULE];
    put_pairs(&mut out, digests.iter().map(item));
    out
}

/// The content of the column of splits.
pub(super) fn write_splits(digests: &[Digest]) -> Vec<u8> {
    let mut out = vec![SPLITS_RULE];
    put_varint(&mut out, digests.len() as u64);
    put_planes(&mut out, &digests.iter().map(|digest| Split::to_bits(digest.split).to_le_bytes()).collect::<Vec<_>>());
    out
}

/// The content of the column of medians and counts.
pub(super) fn write_centres(digests: &[Digest]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, digests.len() as u64);
    put_floats(&mut out, &digests.iter().map(|d| d.median).collect::<Vec<_>>());
    for digest in digests {
        put_varint(&mut out, u64::from(digest.samples));
    }
    out
}

/// The content of the column of measures.
pub(super) fn write_measures(digests: &[Digest]) -> Vec<u8> {
    let mut out = vec![RULE];
    let item = |d: &Digest| -> [f32; MEASURES] {
        // The ratio may overflow where the logarithms do not. NaN for a median of zero.
        let ratio = (d.fast_edge / d.median).ln();
        let ratio = if ratio.is_infinite() { d.fast_edge.ln() - d.median.ln() } else { ratio };
        let ratio = if ratio.is_infinite() { 0.0 } else { ratio };
        [ratio as f32, d.within_run_drift.unwrap_or(f32::NAN)]
    };
    put_pairs(&mut out, digests.iter().map(item));
    out
}
