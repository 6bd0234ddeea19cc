//! The samples of one benchmark, a row per run: dots at quantiles of the samples, their density, and the medians of runs
//! and sides.

use super::chart::{Axis, Chart, ColorRole, Layer, Marks, around, name, text, ticks};
use crate::model::{Direction, PlotSamples};
use crate::render::file_stem::file_stem;
use crate::render::outliers::main_range;
use crate::render::quantity::{change, scale};
use crate::stats::centre;
use crate::verdict::Finding;

/// A density is drawn for runs of at least this many values.
const MIN_FOR_DENSITY: usize = 9;
/// Points of the outline of a density.
const OUTLINE: usize = 150;
/// Height of a density, in rows.
const DENSITY_HEIGHT: f64 = 0.75;

/// Maximum number of characters of the label of an axis that names the better side: more do not fit with `BEYOND`.
const MAX_AXIS_CHARS: usize = 70;
const BEYOND: &str = "; dots at the edges lie outside";

/// Whether there is anything to draw.
pub(super) fn has_any(finding: &Finding) -> bool {
    let runs = finding.plot_samples.iter().flatten().flatten();
    runs.flat_map(|run| &run.values).any(|value| value.is_finite())
}

/// The chart of a finding's samples.
pub(super) fn chart(finding: &Finding) -> Option<Chart> {
    let sides = finding.plot_samples.as_ref()?;
    let values = || sides.iter().flatten().flat_map(|run| &run.values).copied().filter(|value| value.is_finite());
    let (factor, unit) = scale(values().fold(0.0, |a: f64, b| a.max(b.abs())), &finding.unit);
    let (low, high) = range_of_sides(sides);
    let inside = |value: f64| value.max(low).min(high) / factor;
    let beyond = values().any(|value| value < low || value > high);
    let range = around(values().map(inside), 0.06);
    let rows = sides.iter().map(Vec::len).sum::<usize>();
    let mut layers = Vec::new();
    let mut names = Vec::new();
    let mut row = 0;
    for (runs, (role, word)) in sides.iter().zip([(ColorRole::Base, "base"), (ColorRole::Head, "head")]) {
        let top = row;
        let mut centres = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            let y = -(row as f64);
            let values: Vec<f64> = run.values.iter().copied().filter(|value| value.is_finite()).map(inside).collect();
            centres.extend(run.centre().filter(|centre| centre.is_finite()).map(inside));
            let legend = (number == 0).then(|| word.to_owned());
            layers.extend(density(&values, range, y).map(|marks| Layer { marks, role, legend: None }));
            let dots = values.iter().map(|value| (*value, y)).collect();
            layers.push(Layer { marks: Marks::Dots(dots), role, legend });
            if let Some(centre) = centres.last() {
                layers.push(Layer {
                    marks: Marks::Line(vec![(*centre, y - 0.2), (*centre, y + 0.2)]),
                    role,
                    legend: None,
                });
            }
            let name = if runs.len() == 1 { word.to_owned() } else { format!("{word} {}", number + 1) };
            names.push((y, format!("{name} ({})", run.samples)));
            row += 1;
        }
        // The median of the side, across all its runs.
        if runs.len() > 1 && !centres.is_empty() {
            let middle = centre::median(&centres);
            let line = vec![(middle, 0.85 - top as f64), (middle, 0.6 - row as f64)];
            layers.push(Layer { marks: Marks::ThinLine(line), role, legend: None });
        }
    }
    let by = finding.change.filter(|by| by.is_finite()).map(|by| format!(": {}", change(by))).unwrap_or_default();
    Some(Chart {
        file_stem: file_stem("samples", &[&finding.name, &finding.metric, &finding.tool]),
        title: format!("{}{by}, {}", name(&finding.name, 72), finding.outcome.word()),
        size: (760, 130 + 44 * rows as u32),
        x: Axis {
            label: axis(&finding.metric, unit, finding.direction, MAX_AXIS_CHARS) + if beyond { BEYOND } else { "" },
            range,
            ticks: ticks(range, 6),
            grid: true,
        },
        y: Axis { label: String::new(), range: (0.5 - rows as f64, 0.95), ticks: names, grid: false },
        layers,
    })
}

/// The range of the values without far outliers.
fn range_of_sides(sides: &[Vec<PlotSamples>; 2]) -> (f64, f64) {
    let ranges = sides.iter().flatten().filter_map(main_range);
    ranges.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (low, high)| (a.min(low), b.max(high)))
}

/// The label of the axis of values: `faster ←   time, µs   → slower`. A label that would be longer than `longest` does not name the
/// two sides.
pub(super) fn axis(metric: &str, unit: &str, direction: Direction, longest: usize) -> String {
    let name = text(metric, 40);
    let label = if unit.is_empty() { name } else { format!("{name}, {}", text(unit, 24)) };
    let sides = match direction {
        Direction::Lower if is_time(metric) => Some(["faster", "slower"]),
        Direction::Lower => Some(["better", "worse"]),
        Direction::Higher => Some(["worse", "better"]),
        Direction::Unknown => None,
    };
    let with_sides = sides.map(|[low, high]| format!("{low} ←   {label}   → {high}"));
    with_sides.filter(|text| text.chars().count() <= longest).unwrap_or(label)
}

/// True for a time or one of its statistics, such as `time:p99`.
pub(super) fn is_time(metric: &str) -> bool {
    metric == "time" || metric.starts_with("time:")
}

/// The density of the values along the range, drawn above a row.
fn density(values: &[f64], (low, high): (f64, f64), y: f64) -> Option<Marks> {
    if values.len() < MIN_FOR_DENSITY {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let quartiles = PlotSamples { samples: 0, values: values.to_vec() };
    let middle = quartiles.centre().unwrap_or(mean);
    let spread = 1.4826 * centre::median(&values.iter().map(|x| (x - middle).abs()).collect::<Vec<_>>());
    // Silverman's bandwidth from the smaller of two estimates of spread, so that an outlier does not flatten the
    // density. The bandwidth is at least wide enough to be visible.
    let narrow = if spread > 0.0 { sd.min(spread) } else { sd };
    let width = (0.9 * narrow * n.powf(-0.2)).max((high - low) / 150.0);
    let kernel_sum = |x: f64| values.iter().map(|value| (-0.5 * ((x - value) / width).powi(2)).exp()).sum::<f64>();
    let positions = (0..=OUTLINE).map(|i| low + (high - low) * i as f64 / OUTLINE as f64);
    let heights: Vec<(f64, f64)> = positions.map(|x| (x, kernel_sum(x))).collect();
    let top = heights.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    (top > 0.0).then(|| {
        Marks::Area(heights.into_iter().map(|(x, height)| (x, y, y + DENSITY_HEIGHT * height / top)).collect())
    })
}
