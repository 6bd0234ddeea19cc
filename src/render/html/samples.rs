//! The samples of a finding for the chart of a page, in few bytes: steps between neighbours, of which 1,000 make the range.

use super::report::significant;
use crate::model::PlotSamples;
use crate::render::escape::terminal;
use crate::render::outliers::main_range;
use crate::render::quantity::scale;
use crate::verdict::Finding;
use serde_json::{Value, json};

/// Steps in the range: finer than a pixel of the chart.
const STEPS: f64 = 1000.0;

/// Bytes for the samples of the rows after `FULL_ROWS`, so that a page of 10,000 benchmarks is smaller than 4 MB.
const MAX_BYTES: usize = 2_100_000;
/// The first rows are the worst ones, which readers open. They always have all values.
const FULL_ROWS: usize = 500;
/// Numbers of values of a run to choose from. Odd numbers include the median.
const VALUES: [usize; 5] = [17, 9, 5, 3, 1];
/// Number of rows whose bytes are counted, to estimate those of all.
const COUNTED_ROWS: usize = 200;

/// Maximum number of values of a run, for each row of a page of these findings.
pub fn value_limits(findings: &[&Finding]) -> impl Fn(usize) -> usize + use<> {
    let others = findings.get(FULL_ROWS..).unwrap_or_default();
    let step = others.len().div_ceil(COUNTED_ROWS).max(1);
    let bytes = |limit: usize| {
        let counted = others.iter().step_by(step).filter_map(|finding| samples(finding, limit));
        step * counted.map(|samples| samples.to_string().len()).sum::<usize>()
    };
    let fitting = VALUES.into_iter().find(|limit| bytes(*limit) <= MAX_BYTES).unwrap_or(1);
    move |row| if row < FULL_ROWS { usize::MAX } else { fitting }
}

/// At most `limit` of the values, evenly spaced.
fn thinned(sorted: Vec<i64>, limit: usize) -> Vec<i64> {
    let last = sorted.len().saturating_sub(1);
    match limit {
        _ if sorted.len() <= limit => sorted,
        0 | 1 => vec![sorted[last / 2].midpoint(sorted[last.div_ceil(2)])],
        _ => (0..limit).map(|i| sorted[i * last / (limit - 1)]).collect(),
    }
}

/// The unit, the lowest value and the size of a step, then each run's number of samples and its values as steps from the
/// one before; `o` if outliers were moved to the edge. A run has at most `limit` values.
pub fn samples(finding: &Finding, limit: usize) -> Option<Value> {
    let sides = finding.plot_samples.as_ref()?;
    let values = || sides.iter().flatten().flat_map(|run| &run.values).copied().filter(|value| value.is_finite());
    let ranges: Vec<(f64, f64)> = sides.iter().flatten().filter_map(main_range).collect();
    let least = ranges.iter().map(|range| range.0).fold(f64::INFINITY, f64::min);
    let most = ranges.iter().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max);
    let clamped = || values().map(|value| value.clamp(least, most.max(least)));
    let (low, high) = clamped().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return None;
    }
    let (factor, unit) = scale(low.abs().max(high.abs()), &finding.unit);
    // The step must not be 0, even if all values are equal.
    let step = ((high - low) / STEPS).max(high.abs() * 1e-7).max(f64::MIN_POSITIVE);
    let run = |run: &PlotSamples| -> Value {
        let mut places: Vec<i64> = run
            .values
            .iter()
            .filter(|value| value.is_finite())
            .map(|value| ((value.clamp(low, high) - low) / step).round() as i64)
            .collect();
        places.sort_unstable();
        let places = thinned(places, limit);
        let steps = places.iter().scan(0, |last, place| Some(place - std::mem::replace(last, *place)));
        json!([run.samples].into_iter().map(|count| count as i64).chain(steps).collect::<Vec<i64>>())
    };
    let [base, head] = [0, 1].map(|side: usize| sides[side].iter().map(run).collect::<Vec<Value>>());
    let mut strip = json!({
        "u": terminal(unit), "l": significant(low / factor, 5), "s": significant(step / factor, 4), "b": base, "h": head,
    });
    if values().any(|value| value < low || value > high) {
        strip["o"] = 1.into();
    }
    Some(strip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_values_include_the_median_and_the_ends() {
        let thin = |count: i64, limit| thinned((0..count).collect(), limit);
        assert_eq!(thin(17, 17), (0..17).collect::<Vec<_>>());
        assert_eq!((thin(17, 5), thin(17, 3)), (vec![0, 4, 8, 12, 16], vec![0, 8, 16]));
        assert_eq!((thin(7, 1), thin(4, 3), thin(4, 1)), (vec![3], vec![0, 1, 3], vec![1]));
        assert_eq!((thin(0, 1), thin(2, 3)), (vec![], vec![0, 1]));
    }
}
