//! A forest plot: the changes of a report in one chart, each with its interval and its threshold.

use super::chart::{Axis, Chart, ColorRole, Layer, Marks, name as named, text};
use super::samples::is_time;
use crate::model::Direction;
use crate::render::quantity::change;
use crate::render::summary::of_unknown_direction;
use crate::verdict::{Finding, Outcome, Report};

/// Maximum number of rows.
const MAX_ROWS: usize = 40;
/// Maximum number of characters of a name.
const MAX_NAME_CHARS: usize = 48;
/// The largest factor on the axis.
const MAX_FACTOR: f64 = 8.0;
/// Changes that may have a tick, on each side of zero.
const TICKS_ABOVE: [f64; 11] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0, 7.0];
const TICKS_BELOW: [f64; 10] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85];

/// The chart; `None` if nothing was compared.
pub(super) fn chart(report: &Report) -> Option<Chart> {
    let all: Vec<(&Finding, f64)> = report
        .benchmarks
        .iter()
        .filter_map(|finding| Some((finding, finding.change.filter(|c| c.is_finite())?)))
        .collect();
    let rows = &all[..all.len().min(MAX_ROWS)];
    if rows.is_empty() {
        return None;
    }
    let reach = reach(rows, report.threshold);
    let x = |fraction: f64| fraction.max(-0.999).ln_1p().clamp(-reach, reach);
    let mut layers = vec![thin_line(vec![(0.0, 0.7), (0.0, 0.3 - rows.len() as f64)], ColorRole::Dim, None)];
    layers.extend(limits(rows, x));
    for outcome in Outcome::ALL {
        let of_it = rows.iter().enumerate().filter(|(_, (finding, _))| finding.outcome == outcome);
        let spans: Vec<_> = of_it
            .map(|(row, (finding, by))| {
                let [low, high] = finding.interval.unwrap_or([*by, *by]);
                (x(low), x(*by), x(high), -(row as f64))
            })
            .collect();
        if !spans.is_empty() {
            let unknown = if outcome == Outcome::Inconclusive { of_unknown_direction(report) } else { 0 };
            let mut legend = format!("{} {}", report.counts.get(outcome) - unknown, outcome.word());
            if unknown > 0 {
                legend.push_str(&format!(", {unknown} not judged"));
            }
            let legend = Some(legend);
            layers.push(Layer { marks: Marks::Spans(spans), role: role(outcome), legend });
        }
    }
    let names = rows.iter().enumerate().map(|(row, (finding, by))| (-(row as f64), label(finding, *by))).collect();
    let title = match all.len() - rows.len() {
        0 => "Changes by outcome, worst first".to_owned(),
        left_out => format!("The {} worst of {} changes ({left_out} not shown)", rows.len(), all.len()),
    };
    Some(Chart {
        file_stem: "forest".to_owned(),
        title,
        size: (960, 110 + 20 * rows.len() as u32),
        x: Axis { label: axis(rows), range: (-reach, reach), ticks: ticks(reach), grid: true },
        y: Axis { label: String::new(), range: (0.3 - rows.len() as f64, 0.7), ticks: names, grid: false },
        layers,
    })
}

/// Half the width of the axis, on the log scale.
fn reach(rows: &[(&Finding, f64)], threshold: f64) -> f64 {
    let ends = rows.iter().flat_map(|(finding, by)| finding.interval.unwrap_or([*by, *by]).into_iter().chain([*by]));
    let widest = ends.filter(|end| end.is_finite()).map(|end| end.max(-0.999).ln_1p().abs()).fold(0.0, f64::max);
    1.05 * widest.clamp((1.5 * threshold.max(0.0).ln_1p()).clamp(0.01, MAX_FACTOR.ln()), MAX_FACTOR.ln())
}

/// The threshold of each row, on its worse side; consecutive rows with the same threshold share a line.
fn limits(rows: &[(&Finding, f64)], x: impl Fn(f64) -> f64) -> Vec<Layer> {
    let limit = |finding: &Finding| finding.direction.worse(finding.threshold);
    let mut layers: Vec<Layer> = Vec::new();
    let mut from = 0;
    for row in 1..=rows.len() {
        let here = limit(rows[from].0);
        if rows.get(row).is_none_or(|(finding, _)| limit(finding) != here) {
            let legend = layers.is_empty().then(|| "threshold".to_owned());
            let line = vec![(x(here), 0.5 - from as f64), (x(here), 0.5 - row as f64)];
            layers.push(thin_line(line, ColorRole::Bad, legend));
            from = row;
        }
    }
    layers
}

fn thin_line(points: Vec<(f64, f64)>, role: ColorRole, legend: Option<String>) -> Layer {
    Layer { marks: Marks::ThinLine(points), role, legend }
}

fn role(outcome: Outcome) -> ColorRole {
    match outcome {
        Outcome::Regressed | Outcome::Failed => ColorRole::Bad,
        Outcome::Improved => ColorRole::Good,
        Outcome::Inconclusive => ColorRole::Open,
        Outcome::Accepted => ColorRole::Accepted,
        Outcome::Unchanged | Outcome::Added | Outcome::Removed => ColorRole::Head,
    }
}

fn label(finding: &Finding, by: f64) -> String {
    let name = match &*finding.metric {
        "time" => named(&finding.name, MAX_NAME_CHARS),
        metric => format!("{} ({})", named(&finding.name, MAX_NAME_CHARS), text(metric, 16)),
    };
    format!("{name}  {}", change(by))
}

/// The label of the axis. It names the two sides if the better side is the same for all rows.
fn axis(rows: &[(&Finding, f64)]) -> String {
    const CHANGE: &str = "change from base to head, with 95% CI";
    let all = |wanted: &dyn Fn(&Finding) -> bool| rows.iter().all(|(finding, _)| wanted(finding));
    let is_time = |finding: &Finding| is_time(&finding.metric);
    match () {
        () if all(&is_time) => format!("faster ←   {CHANGE}   → slower"),
        () if all(&|finding| finding.direction == Direction::Lower) => format!("better ←   {CHANGE}   → worse"),
        () if all(&|finding| finding.direction == Direction::Higher) => format!("worse ←   {CHANGE}   → better"),
        () if rows.iter().any(|(finding, _)| is_time(finding)) => {
            format!("{CHANGE} (times: faster ← → slower)")
        }
        () => CHANGE.to_owned(),
    }
}

/// Ticks at zero and at round changes, with enough room between them.
fn ticks(reach: f64) -> Vec<(f64, String)> {
    let mut ticks = vec![(0.0, "0".to_owned())];
    for (sign, changes) in [(1.0, &TICKS_ABOVE[..]), (-1.0, &TICKS_BELOW[..])] {
        let mut last = 0.0_f64;
        for by in changes {
            let at = (sign * by).ln_1p().abs();
            if at <= reach && at - last >= reach / 6.0 {
                ticks.push((sign * at, format!("{:+.0}%", 100.0 * sign * by).replace('-', "−")));
                last = at;
            }
        }
    }
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    ticks
}
