//! The page of a Report: verdict, every finding with its interval drawn and its samples on demand, warnings, machines.

use super::{filter_bar, header_cell, page as whole_page, sort_key};
use crate::model::{PlotSamples, Severity};
use crate::render::escape::{terminal, xml};
use crate::render::quantity::{change, pair, scale};
use crate::render::remarks::Remarks;
use crate::render::{summary, table};
use crate::verdict::{Finding, Outcome, Report, Verdict, Within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Size of the drawing of an interval, in pixels.
const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 18.0;

/// The kinds of rows whose change is shown, but below the threshold.
const WITHIN: [&str; 2] = ["worse, within threshold", "better, within threshold"];

/// The page of a Report.
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    let class = match report.verdict {
        Verdict::Fail => "bad",
        Verdict::Pass => "good",
        Verdict::None => "open",
    };
    let verdict = summary::verdict(report);
    let _ = writeln!(out, "<header><h1 class=\"{class}\">{}</h1>", xml(&verdict));
    let _ = writeln!(out, "<p>{}</p>", xml(&summary::counts(report)));
    for (word, side) in [("Base", &report.base), ("Head", &report.head)] {
        let _ = writeln!(out, "<p>{word}: {}</p>", xml(&summary::side(side)));
    }
    let remarks = Remarks::of(report);
    let plain = |text: &str| text.to_owned();
    for line in [
        Some(summary::method(report)),
        summary::overall(report),
        summary::pinned(report, plain),
        remarks.shared_advice(),
    ] {
        let _ = line.map(|line| writeln!(out, "<p class=\"dim\">{}</p>", xml(&line)));
    }
    out.push_str("</header>\n<main>\n");
    let present: BTreeSet<&str> = report.benchmarks.iter().map(kind).collect();
    let known = Outcome::ALL.map(Outcome::word).into_iter().chain(WITHIN);
    let kinds: Vec<&str> = known.filter(|kind| present.contains(kind)).collect();
    out.push_str(&filter_bar(&kinds, report.benchmarks.len()));
    out.push_str("<div class=\"wide\"><table class=\"sortable\"><caption class=\"dim\">Findings, worst first; select a name for its samples</caption><thead><tr>");
    for (text, class) in [
        ("outcome", ""),
        ("benchmark", ""),
        ("metric", ""),
        ("base", "number"),
        ("head", "number"),
        ("change", "number"),
        ("95% CI", ""),
        ("q", "number"),
    ] {
        out.push_str(&header_cell(text, class));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    let reach = reach(report);
    let mut data = Vec::new();
    for (rank, finding) in report.benchmarks.iter().enumerate() {
        let chart = sample_data(finding).map(|samples| {
            data.push(samples);
            data.len() - 1
        });
        row(&mut out, finding, &remarks, Place { rank, reach, chart });
    }
    out.push_str("</tbody></table></div>\n");
    facts(&mut out, report);
    out.push_str("</main>\n");
    whole_page(&format!("perfgate: {verdict}"), &out, &Value::Array(data).to_string())
}

/// The data of a chart of samples: the unit, and each run's number of samples and values per side.
fn sample_data(finding: &Finding) -> Option<Value> {
    let samples = finding.plot_samples.as_ref()?;
    let values = || samples.iter().flatten().flat_map(|run| &run.values).copied();
    if !values().any(f64::is_finite) {
        return None;
    }
    let (factor, unit) =
        scale(values().filter(|value| value.is_finite()).fold(0.0, |a: f64, b| a.max(b.abs())), &finding.unit);
    let short = |value: &f64| -> f64 { format!("{:.4e}", value / factor).parse().unwrap_or(*value) };
    let run_data = |run: &PlotSamples| -> Value {
        let finite = run.values.iter().filter(|value| value.is_finite());
        json!([run.samples, finite.map(short).collect::<Vec<f64>>()])
    };
    let sides: Vec<Vec<Value>> = samples.iter().map(|side| side.iter().map(run_data).collect()).collect();
    Some(json!({"u": terminal(unit), "b": sides[0], "h": sides[1]}))
}

/// Half the width of the drawings, on the log scale.
fn reach(report: &Report) -> f64 {
    let ends = report.benchmarks.iter().filter_map(|finding| finding.interval).flatten();
    let widest = ends.map(|end| end.max(-0.99).ln_1p().abs()).fold(0.0, f64::max);
    // Not `clamp`, which panics where the bounds cross: a threshold of 172% is beyond 1.5. A saved comparison may even
    // have a negative one, whose logarithm is not a number.
    let least = 1.5 * report.threshold.max(0.0).ln_1p();
    widest.min(least.max(1.5)).max(least)
}

/// Where a row is, and what is drawn in it.
struct Place {
    rank: usize,
    /// Half the width of the drawing, on the log scale.
    reach: f64,
    /// The number of the chart of its samples.
    chart: Option<usize>,
}

/// The word that rows are filtered by.
fn kind(finding: &Finding) -> &'static str {
    match finding.within {
        Some(Within::Slower) => WITHIN[0],
        Some(Within::Faster) => WITHIN[1],
        None => finding.outcome.word(),
    }
}

fn row(out: &mut String, finding: &Finding, remarks: &Remarks, Place { rank, reach, chart }: Place) {
    let kind = kind(finding);
    let word = summary::within(finding).unwrap_or_else(|| finding.outcome.word().to_owned());
    let class = match finding.outcome {
        Outcome::Regressed | Outcome::Failed => "bad",
        Outcome::Improved => "good",
        Outcome::Inconclusive | Outcome::Accepted => "open",
        Outcome::Unchanged if finding.within.is_some() => "open",
        Outcome::Removed | Outcome::Added | Outcome::Unchanged => "dim",
    };
    let name = xml(&finding.name);
    let folded = xml(&finding.name.to_lowercase());
    let _ =
        write!(out, "<tr data-kind=\"{kind}\" data-name=\"{folded}\"><td class=\"{class}\" data-v=\"-{rank}\">{word}");
    if finding.suspect && finding.outcome == Outcome::Inconclusive {
        out.push_str(" (suspect)");
    }
    let name = match chart {
        Some(chart) => {
            format!(
                "<button type=\"button\" class=\"chart\" data-chart=\"{chart}\" aria-expanded=\"false\">{name}</button>"
            )
        }
        None => name,
    };
    let _ = write!(out, "</td><td class=\"name\" data-v=\"{folded}\">{name}");
    let notes = remarks.on(finding);
    if !notes.is_empty() {
        let _ = write!(out, "<div class=\"notes\">{}</div>", xml(&notes.join("; ")));
    }
    let metric = xml(&finding.metric);
    let _ = write!(out, "</td><td data-v=\"{metric}\">{metric}</td>");
    let values = [finding.base, finding.head].map(|side| side.map(|value| value.value));
    for (value, text) in values.into_iter().zip(pair(values, &finding.unit)) {
        let _ = write!(out, "<td class=\"number\" data-v=\"{}\">{}</td>", sort_key(value), xml(&text));
    }
    let by = finding.change.map(change).unwrap_or_else(|| "–".to_owned());
    let _ = write!(out, "<td class=\"number\" data-v=\"{}\">{by}</td>", sort_key(finding.change));
    let width = finding.interval.map(|[low, high]| high - low);
    let _ = write!(out, "<td data-v=\"{}\">{}</td>", sort_key(width), drawing(finding, reach));
    let q = finding.q.map(table::q_value).unwrap_or_default();
    let _ = writeln!(out, "<td class=\"number\" data-v=\"{}\">{}</td></tr>", sort_key(finding.q.map(|q| -q)), xml(&q));
}

/// The interval as a line, with marks at the estimate, at no change and at the threshold.
fn drawing(finding: &Finding, reach: f64) -> String {
    let (Some([low, high]), Some(by)) = (finding.interval, finding.change) else { return String::new() };
    let x =
        |fraction: f64| (fraction.max(-0.99).ln_1p() / reach).clamp(-1.0, 1.0).mul_add(WIDTH / 2.0 - 4.0, WIDTH / 2.0);
    let limit = finding.direction.worse(finding.threshold);
    let label = format!("{} … {}", change(low), change(high));
    let (zero, limit, low, high, dot, middle) = (x(0.0), x(limit), x(low), x(high), x(by), HEIGHT / 2.0);
    format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{label}\"><title>{label}</title>\
         <line class=\"zero\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>\
         <line class=\"limit\" x1=\"{limit:.1}\" x2=\"{limit:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>\
         <line class=\"range\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <circle class=\"dot\" cx=\"{dot:.1}\" cy=\"{middle}\" r=\"3.5\"/></svg>"
    )
}

/// The warnings and the machines.
fn facts(out: &mut String, report: &Report) {
    if !report.diagnostics.is_empty() {
        out.push_str("<h2>Warnings</h2>\n<ul>\n");
        for diagnostic in &report.diagnostics {
            let class = match diagnostic.severity {
                Severity::Error => "bad",
                Severity::Warning => "open",
                Severity::Note => "dim",
            };
            let _ = writeln!(out, "<li class=\"{class}\">{}</li>", xml(&diagnostic.to_string()));
        }
        out.push_str("</ul>\n");
    }
    let (base, head) = (&report.base.environment, &report.head.environment);
    let keys: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    if !keys.is_empty() {
        out.push_str("<h2>Machines</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">fact</th><th scope=\"col\">base</th><th scope=\"col\">head</th></tr></thead><tbody>\n");
        for fact in keys {
            let of = |side: &std::collections::BTreeMap<String, String>| {
                side.get(fact).map(|value| xml(value)).unwrap_or_default()
            };
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
                xml(fact),
                of(base),
                of(head)
            );
        }
        out.push_str("</tbody></table></div>\n");
    }
}
