//! The digests of a record: medians and counts, which every version has, and measures, which depend on the rule that
//! computes them. A new rule needs a new number in [`RULE`] and changes to `measures` and `get`.

use super::error::RecordError;
use super::wire::{Cursor, damaged, not_negative, put_floats, put_planes, put_varint, read_all};
use crate::model::{Digest, Direction};

/// The current rule for measures.
const RULE: u8 = 1;

/// Measures of a digest: `ln(fast edge / median)` and the within-run drift, NaN where there is none.
const MEASURES: usize = 2;

/// Relative rounding error of a stored fast edge, with a margin.
const EDGE_ROUNDING: f64 = 1e-5;

/// The digests, in the order of the evidence.
#[derive(Debug, Default)]
pub(super) struct Digests {
    pub(super) medians: Vec<f64>,
    pub(super) counts: Vec<u32>,
    /// `None` where another rule computed them.
    measures: Option<Vec<[f32; MEASURES]>>,
}

impl Digests {
    /// Digest `i`. Where the measures are of another rule, the median replaces the fast edge.
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
        })
    }

    /// True where the current rule computed them.
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
        let n = column.count(4 * MEASURES)?;
        let items = column.planes::<{ 4 * MEASURES }>(n)?.words();
        let both = |item: u64| [item as u32, (item >> 32) as u32].map(f32::from_bits);
        let measures: Vec<[f32; MEASURES]> = items.into_iter().map(both).collect();
        let valid = |([ln_ratio, drift], median): (&[f32; MEASURES], &f64)| {
            (ln_ratio.is_finite() || ln_ratio.is_nan() && *median == 0.0)
                && (drift.is_nan() || drift.is_finite() && *drift >= 0.0)
        };
        if !measures.iter().zip(&self.medians).all(valid) {
            return Err(damaged("a measure of its samples is not possible"));
        }
        self.measures = Some(measures);
        Ok(())
    }
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
    };
    if beyond { Err(damaged("the fastest samples are slower than the median")) } else { Ok(()) }
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
    put_varint(&mut out, digests.len() as u64);
    let item = |d: &Digest| -> [u8; 4 * MEASURES] {
        // The ratio may overflow where the logarithms do not. NaN for a median of zero.
        let ratio = (d.fast_edge / d.median).ln();
        let ratio = if ratio.is_infinite() { d.fast_edge.ln() - d.median.ln() } else { ratio };
        let ratio = if ratio.is_infinite() { 0.0 } else { ratio };
        let measures: [f32; MEASURES] = [ratio as f32, d.within_run_drift.unwrap_or(f32::NAN)];
        std::array::from_fn(|b| measures[b / 4].to_le_bytes()[b % 4])
    };
    put_planes(&mut out, &digests.iter().map(item).collect::<Vec<_>>());
    out
}
