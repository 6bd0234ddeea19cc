//! The quantiles of pruned samples in a record.
//!
//! ```text
//! rule u8 | n | a form for each digest without samples: none, steps, exact
//! masks: 2 planes, bit i for SHARES[i], then one for the mean | standard deviation / median: 4 planes, f32
//! steps: 3 planes (see `samples`) | exact: 8 planes
//! ```

use super::error::RecordError;
use super::limits::MAX_EVIDENCE;
use super::samples::{self, Step};
use super::wire::{Cursor, damaged, limited, put_floats, put_planes, put_varint};
use crate::model::{Digest, Evidence, Summary, ThinnedSamples};

/// The quantiles that are kept; the first and the last are minimum and maximum.
pub const SHARES: [f64; 11] = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

const RULE: u8 = 1;
const MEAN: u16 = 1 << SHARES.len();

/// The column under construction: one entry for each digest without samples.
#[derive(Debug, Default)]
pub(super) struct Writer {
    forms: Vec<u8>,
    masks: Vec<[u8; 2]>,
    deviations: Vec<[u8; 4]>,
    steps: Vec<Step>,
    exact: Vec<f64>,
}

impl Writer {
    /// Adds a digest without quantiles.
    pub(super) fn add_none(&mut self) {
        self.forms.push(0);
    }

    /// Adds the quantiles of one run.
    pub(super) fn add(&mut self, thinned: &ThinnedSamples) -> Result<(), &'static str> {
        let (median, kept) = (thinned.digest.median, &thinned.quantiles);
        let mut mask = 0;
        let mut values: Vec<f64> = Vec::new();
        for (bit, share) in SHARES.iter().enumerate() {
            if let Some((_, value)) = kept.quantiles.iter().find(|(one, _)| one == share) {
                mask |= 1 << bit;
                values.push(*value);
            }
        }
        if values.len() < kept.quantiles.len() {
            return Err("has a quantile of a share that is not kept");
        }
        if let Some(mean) = kept.mean {
            mask |= MEAN;
            values.push(mean);
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err("has a number that is not finite");
        }
        match values.iter().map(|value| samples::step(*value, median)).collect::<Option<Vec<Step>>>() {
            Some(steps) => {
                self.forms.push(1);
                self.steps.extend(steps);
            }
            None => {
                self.forms.push(2);
                self.exact.extend(values);
            }
        }
        self.masks.push(u16::to_le_bytes(mask));
        let deviation = kept.sd.map_or(f32::NAN, |sd| (sd / median) as f32);
        self.deviations.push(if deviation.is_finite() { deviation } else { f32::NAN }.to_le_bytes());
        Ok(())
    }

    /// The content of the column; `None` if there are no quantiles.
    pub(super) fn column(&self) -> Option<Vec<u8>> {
        if self.masks.is_empty() {
            return None;
        }
        let mut out = vec![RULE];
        put_varint(&mut out, self.forms.len() as u64);
        out.extend_from_slice(&self.forms);
        put_planes(&mut out, &self.masks);
        put_planes(&mut out, &self.deviations);
        put_planes(&mut out, &self.steps);
        put_floats(&mut out, &self.exact);
        Some(out)
    }
}

/// The decoded column.
#[derive(Debug, Default)]
pub(super) struct Quantiles(Vec<Option<Entry>>);

#[derive(Debug)]
struct Entry {
    mask: u16,
    deviation: f32,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Steps(Vec<Step>),
    Exact(Vec<f64>),
}

impl Quantiles {
    /// Decodes the column; empty for another rule.
    pub(super) fn read(mut column: Cursor<'_>) -> Result<Quantiles, RecordError> {
        if column.byte()? != RULE {
            return Ok(Quantiles::default());
        }
        let n = limited(column.count(1)?, MAX_EVIDENCE, "quantiles")?;
        let forms = column.take(n)?;
        let filled = forms.iter().filter(|form| **form != 0).count();
        let masks = column.planes::<2>(filled)?;
        let deviations = column.planes::<4>(filled)?;
        let mask = |i: usize| u16::from_le_bytes(masks.get(i));
        let (mut steps, mut exact) = (0, 0);
        for (i, form) in forms.iter().filter(|form| **form != 0).enumerate() {
            let count = mask(i).count_ones() as usize;
            match form {
                1 => steps += count,
                2 => exact += count,
                _ => return Err(damaged("an unknown form of quantiles")),
            }
            if mask(i) >= MEAN << 1 {
                return Err(damaged("a quantile of an unknown share"));
            }
        }
        let (steps, exact) = (column.planes::<3>(steps)?, column.planes::<8>(exact)?.floats()?);
        let (mut next, mut at_step, mut exact) = (0, 0, exact.into_iter());
        let entries = forms.iter().map(|form| {
            (*form != 0).then(|| {
                let (mask, deviation) = (mask(next), f32::from_le_bytes(deviations.get(next)));
                next += 1;
                let count = mask.count_ones() as usize;
                let values = if *form == 1 {
                    at_step += count;
                    Values::Steps((at_step - count..at_step).map(|i| steps.get(i)).collect())
                } else {
                    Values::Exact(exact.by_ref().take(count).collect())
                };
                Entry { mask, deviation, values }
            })
        });
        Ok(Quantiles(entries.collect()))
    }

    /// The evidence of a digest, with its quantiles where there are some.
    pub(super) fn evidence(&self, place: usize, digest: Digest) -> Result<Evidence, RecordError> {
        let Some(Some(entry)) = self.0.get(place) else { return Ok(Evidence::Digest(digest)) };
        let median = digest.median;
        let mut values = match &entry.values {
            Values::Steps(steps) => steps.iter().map(|step| samples::sample(*step, median)).collect(),
            Values::Exact(values) => values.clone(),
        };
        let sd = f64::from(entry.deviation) * median;
        if values.iter().any(|value| !value.is_finite()) || entry.deviation.is_infinite() || sd.is_infinite() {
            return Err(damaged("a quantile is not finite"));
        }
        if values.iter().any(|value| *value < 0.0) || sd < 0.0 {
            return Err(damaged("a quantile is negative"));
        }
        let mean = if entry.mask & MEAN == 0 { None } else { values.pop() };
        let shares = SHARES.iter().enumerate().filter(|(bit, _)| entry.mask & 1 << bit != 0).map(|(_, share)| *share);
        let quantiles = Summary {
            centre: median,
            mean,
            sd: (!sd.is_nan()).then_some(sd),
            samples: Some(u64::from(digest.samples)),
            quantiles: shares.zip(values).collect(),
        };
        Ok(Evidence::Thinned(Box::new(ThinnedSamples { digest, quantiles })))
    }
}
