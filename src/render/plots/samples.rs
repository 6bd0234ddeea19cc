//! The samples of one benchmark, each run on a row of its own: dots at equal shares of the samples, a hill where they are
//! dense, and the centres of the runs and of both sides.

use super::chart::{Axis, Chart, Ink, Layer, Marks, around, text, ticks};
use super::stem::stem;
use crate::model::PlotSamples;
use crate::render::quantity::{change, scale};
use crate::stats::centre;
use crate::verdict::Finding;

/// Values of a run that make a hill; fewer are dots only.
const DENSE: usize = 9;
/// Points of a hill's outline.
const OUTLINE: usize = 150;
/// Height of a hill, in rows.
const HILL: f64 = 0.75;

/// Outliers farther from a run's quartiles than so many of their distances are drawn at the edge: they would leave no
/// room for the others.
const FAR: f64 = 4.0;
const BEYOND: &str = "; dots at the edge lie beyond it";

/// Whether there is anything to draw.
pub(super) fn has_any(finding: &Finding) -> bool {
    let strips = finding.strips.iter().flatten().flatten();
    strips.flat_map(|strip| &strip.values).any(|value| value.is_finite())
}

/// The picture of a finding's samples.
pub(super) fn chart(finding: &Finding) -> Option<Chart> {
    let strips = finding.strips.as_ref()?;
    let values = || strips.iter().flatten().flat_map(|strip| &strip.values).copied().filter(|value| value.is_finite());
    let (factor, unit) = scale(values().fold(0.0, |a: f64, b| a.max(b.abs())), &finding.unit);
    let (low, high) = bulk(strips);
    let inside = |value: f64| value.clamp(low, high) / factor;
    let beyond = values().any(|value| value < low || value > high);
    let range = around(values().map(inside), 0.06);
    let rows = strips.iter().map(Vec::len).sum::<usize>();
    let mut layers = Vec::new();
    let mut names = Vec::new();
    let mut row = 0;
    for (strips, (ink, word)) in strips.iter().zip([(Ink::Base, "base"), (Ink::Head, "head")]) {
        let top = row;
        let mut centres = Vec::new();
        for (number, strip) in strips.iter().enumerate() {
            let y = -(row as f64);
            let values: Vec<f64> = strip.values.iter().copied().filter(|value| value.is_finite()).map(inside).collect();
            centres.extend(strip.centre().filter(|centre| centre.is_finite()).map(inside));
            let legend = (number == 0).then(|| word.to_owned());
            layers.extend(hill(&values, range, y).map(|marks| Layer { marks, ink, legend: None }));
            let dots = values.iter().map(|value| (*value, y)).collect();
            layers.push(Layer { marks: Marks::Dots(dots), ink, legend });
            if let Some(centre) = centres.last() {
                layers.push(Layer {
                    marks: Marks::Line(vec![(*centre, y - 0.2), (*centre, y + 0.2)]),
                    ink,
                    legend: None,
                });
            }
            let said = if strips.len() == 1 { word.to_owned() } else { format!("{word} {}", number + 1) };
            names.push((y, format!("{said} ({})", strip.samples)));
            row += 1;
        }
        // The side's centre through all of its runs.
        if strips.len() > 1 && !centres.is_empty() {
            let middle = centre::median(&centres);
            let line = vec![(middle, 0.85 - top as f64), (middle, 0.6 - row as f64)];
            layers.push(Layer { marks: Marks::Hair(line), ink, legend: None });
        }
    }
    let by = finding.change.filter(|by| by.is_finite()).map(|by| format!(": {}", change(by))).unwrap_or_default();
    Some(Chart {
        stem: stem("samples", &[&finding.name, &finding.metric, &finding.tool]),
        title: format!("{}{by}, {}", text(&finding.name, 72), finding.outcome.word()),
        size: (760, 130 + 44 * rows as u32),
        x: Axis {
            label: axis(&finding.metric, unit) + if beyond { BEYOND } else { "" },
            range,
            ticks: ticks(range, 6),
            grid: true,
        },
        y: Axis { label: String::new(), range: (0.5 - rows as f64, 0.95), ticks: names, grid: false },
        layers,
    })
}

/// From where to where all but far outliers lie.
fn bulk(strips: &[Vec<PlotSamples>; 2]) -> (f64, f64) {
    let of_run = |strip: &PlotSamples| {
        let mut values: Vec<f64> = strip.values.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let (q1, q3) = (values[last / 4], values[last - last / 4]);
        let reach = if values.len() < 5 { f64::INFINITY } else { FAR * (q3 - q1).max(1e-3 * q3.abs()) };
        Some((q1 - reach, q3 + reach))
    };
    let ranges = strips.iter().flatten().filter_map(of_run);
    ranges.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (low, high)| (a.min(low), b.max(high)))
}

/// `time, µs`
pub(super) fn axis(metric: &str, unit: &str) -> String {
    let metric = text(metric, 40);
    if unit.is_empty() { metric } else { format!("{metric}, {}", text(unit, 24)) }
}

/// How dense the values are along the range, above a row. Values at equal shares stand for all samples alike.
fn hill(values: &[f64], (low, high): (f64, f64), y: f64) -> Option<Marks> {
    if values.len() < DENSE {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let quartiles = PlotSamples { samples: 0, values: values.to_vec() };
    let middle = quartiles.centre().unwrap_or(mean);
    let spread = 1.4826 * centre::median(&values.iter().map(|x| (x - middle).abs()).collect::<Vec<_>>());
    // Silverman's width, from the lesser of two spreads, so that one outlier does not flatten the hill; but never less
    // than can be seen.
    let narrow = if spread > 0.0 { sd.min(spread) } else { sd };
    let width = (0.9 * narrow * n.powf(-0.2)).max((high - low) / 150.0);
    let density = |x: f64| values.iter().map(|value| (-0.5 * ((x - value) / width).powi(2)).exp()).sum::<f64>();
    let places = (0..=OUTLINE).map(|i| low + (high - low) * i as f64 / OUTLINE as f64);
    let heights: Vec<(f64, f64)> = places.map(|x| (x, density(x))).collect();
    let top = heights.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    (top > 0.0).then(|| Marks::Area(heights.into_iter().map(|(x, height)| (x, y, y + HILL * height / top)).collect()))
}
