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

/// The unit, the lowest value and the size of a step, then each run's number of samples and its values as steps from the
/// one before; `o` if outliers were moved to the edge.
pub fn samples(finding: &Finding) -> Option<Value> {
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
