//! The digests of a record: medians and counts, which every version has, and what the verdict's rule wants beside them,
//! which may change. A new rule is a new number in [`RULE`] and other [`MEASURES`] in `measures` and `get`: nothing else.

use super::RecordError;
use super::wire::{Cursor, all, damaged, put_floats, put_planes, put_varint};
use crate::model::Digest;

/// The rule by which today's measures are made.
const RULE: u8 = 1;

/// Measures of a digest: `ln(low / median)` and the within_run_drift, which is no number where there is none.
const MEASURES: usize = 2;

/// What is stored of every set of samples, in the order of the evidence.
#[derive(Debug, Default)]
pub(super) struct Digests {
    pub(super) medians: Vec<f64>,
    pub(super) counts: Vec<u32>,
    /// `None` where it was made by another rule than today's.
    measures: Option<Vec<[f32; MEASURES]>>,
}

impl Digests {
    /// Digest `i` as it was written; where the measures are of another rule, the median stands for the low edge.
    pub(super) fn get(&self, i: usize) -> Option<Digest> {
        let [low, within_run_drift] = match &self.measures {
            Some(all) => *all.get(i)?,
            None => [0.0, f32::NAN],
        };
        let median = *self.medians.get(i)?;
        Some(Digest {
            median,
            fast_edge: median * f64::from(low).exp(),
            samples: *self.counts.get(i)?,
            within_run_drift: (!within_run_drift.is_nan()).then_some(within_run_drift),
        })
    }

    /// True where the verdict may use them.
    pub(super) fn are_current(&self) -> bool {
        self.medians.is_empty() || self.measures.is_some()
    }

    /// The column of medians and counts.
    pub(super) fn read_centres(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        let n = column.count(9)?;
        self.medians = column.planes::<8>(n)?.floats()?;
        self.counts = all(n, || u32::try_from(column.varint()?).map_err(|_| damaged("a count is too large")))?;
        Ok(())
    }

    /// The column of measures.
    pub(super) fn read_measures(&mut self, mut column: Cursor<'_>) -> Result<(), RecordError> {
        if column.byte()? != RULE {
            self.measures = None;
            return Ok(());
        }
        let n = column.count(4 * MEASURES)?;
        let items = column.planes::<{ 4 * MEASURES }>(n)?.words();
        let both = |item: u64| [item as u32, (item >> 32) as u32].map(f32::from_bits);
        self.measures = Some(items.into_iter().map(both).collect());
        Ok(())
    }
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
        let measures: [f32; MEASURES] = [(d.fast_edge / d.median).ln() as f32, d.within_run_drift.unwrap_or(f32::NAN)];
        std::array::from_fn(|b| measures[b / 4].to_le_bytes()[b % 4])
    };
    put_planes(&mut out, &digests.iter().map(item).collect::<Vec<_>>());
    out
}
