//! A series as a Mermaid xychart, which GitHub renders. Names are untrusted text and Mermaid has directives, so a chart
//! contains no names, and a unit only if it is harmless.

use super::context::Chart;
use crate::render::quantity::scaled;
use crate::verdict::{SeriesPoint, SeriesReport};
use std::collections::BTreeSet;

/// A colour that is visible on light and dark backgrounds; Mermaid's default is almost white.
const LINE_COLOR: &str = "%%{init: {\"themeVariables\": {\"xyChart\": {\"plotColorPalette\": \"#d1242f\"}}}}%%\n";

/// Digits of a commit in a label. More would overlap with ten labels, because GitHub draws a chart 700 pixels wide.
const DIGITS: usize = 7;

/// Fewer points do not show a trend, and the table has the two that were compared.
const MIN_POINTS: usize = 8;

/// The chart of a series; `None` for too few points, or if most have no commit to label them with.
pub fn chart(series: &SeriesReport) -> Option<Chart> {
    let values: Vec<f64> = series.points.iter().map(|point| point.value).collect();
    let named = series.points.iter().filter(|point| point.commit.is_some()).count();
    if values.len() < MIN_POINTS || 2 * named < values.len() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let (numbers, unit) = scaled(&values, &series.unit);
    let harmless = unit.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '%' | ' '));
    let unit = if harmless { unit } else { String::new() };
    let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    // The axis starts at zero, unless differences would then be too small to see.
    let room = (high - low).max(high.abs() * 0.02);
    let low = if low >= 0.0 && low < high / 2.0 { 0.0 } else { low - room * 0.2 };
    let (low, high) = (number(rounded(low)), number(rounded(high + room * 0.1)));
    let line: Vec<String> = numbers.iter().map(|value| number(*value)).collect();
    let labels: Vec<String> = labels(&series.points).iter().map(|label| format!("\"{label}\"")).collect();
    let axis = if unit.is_empty() { String::new() } else { format!("\"{unit}\" ") };
    let mermaid = format!(
        "{LINE_COLOR}xychart-beta\n    x-axis [{}]\n    y-axis {axis}{low} --> {high}\n    line [{}]\n",
        labels.join(", "),
        line.join(", ")
    );
    Some(Chart { name: series.name.clone(), metric: series.metric.clone(), unit, commits: values.len(), mermaid })
}

/// Short commits as labels, `run N` for a missing or repeated commit, and `head` for the last point.
fn labels(points: &[SeriesPoint]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut labels: Vec<String> = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        labels.push(match point.commit.as_ref().map(|commit| commit.short().get(..DIGITS).unwrap_or(commit.short())) {
            _ if index + 1 == points.len() => "head".to_owned(),
            Some(short) if seen.insert(short) => short.to_owned(),
            _ => format!("run {}", index + 1),
        });
    }
    labels
}

/// Rounds to three significant digits, for the ends of an axis.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powi(value.abs().log10().floor() as i32 - 2);
    (value / unit).round() * unit
}

/// A number without an exponent, which Mermaid cannot read.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Commit;

    fn series(unit: &str, values: &[f64]) -> SeriesReport {
        let point = |(index, value): (usize, &f64)| SeriesPoint {
            commit: Commit::parse(&format!("c{index:06}{index:033x}")),
            runs: 1,
            value: *value,
        };
        let points = values.iter().enumerate().map(point).collect();
        SeriesReport { name: "\"] %%{init: {}}%%".to_owned(), metric: "time".to_owned(), unit: unit.to_owned(), points }
    }

    #[test]
    fn a_chart_has_a_label_for_each_point_but_no_names() {
        let chart = chart(&series("ns", &[1000.0, 1010.0, 1020.0, 1000.0, 1000.0, 1000.0, 1000.0, 2500.0])).unwrap();
        let expected = "xychart-beta\n    x-axis [\"c000000\", \"c000001\", \"c000002\", \"c000003\", \"c000004\", \"c000005\", \"c000006\", \"head\"]\n    y-axis \"µs\" 0 --> 2.65\n    line [1, 1.01, 1.02, 1, 1, 1, 1, 2.5]\n";
        assert_eq!(chart.mermaid.strip_prefix(LINE_COLOR), Some(expected));
        assert_eq!((chart.unit.as_str(), chart.commits), ("µs", 8));
    }

    #[test]
    fn small_changes_are_visible_and_hostile_units_are_dropped() {
        let chart = chart(&series("]\n%%{", &[100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 101.0, 110.0])).unwrap();
        assert!(chart.mermaid.contains("    y-axis 98 --> 111\n"), "{}", chart.mermaid);
        assert_eq!(chart.mermaid.matches("%%").count(), 2); // our own
    }

    #[test]
    fn too_few_or_non_finite_points_give_no_chart() {
        assert!(chart(&series("ns", &[1.0; 7])).is_none());
        assert!(chart(&series("ns", &[1.0, f64::NAN, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])).is_none());
        let mut unnamed = series("ns", &[1.0; 9]);
        unnamed.points.iter_mut().take(6).for_each(|point| point.commit = None);
        assert!(chart(&unnamed).is_none());
        let constant = chart(&series("count", &[5.0; 8])).unwrap();
        assert!(constant.mermaid.contains("y-axis 4.98 --> 5.01"), "{}", constant.mermaid);
    }
}
