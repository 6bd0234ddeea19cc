//! Far outliers of samples, which charts draw at the edge, so that the other samples stay distinguishable.

use crate::model::PlotSamples;

/// Outliers are farther from a run's quartiles than this many interquartile ranges.
const MAX_DISTANCE: f64 = 4.0;

/// The range of a run without far outliers.
pub fn main_range(run: &PlotSamples) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = run.values.iter().copied().filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let (q1, q3) = (values[last / 4], values[last - last / 4]);
    let reach = if values.len() < 5 { f64::INFINITY } else { MAX_DISTANCE * (q3 - q1).max(1e-3 * q3.abs()) };
    Some((q1 - reach, q3 + reach))
}
