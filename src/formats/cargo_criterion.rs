//! cargo-criterion's JSON messages, one per line. Each `benchmark-complete` contains every sample as a measured value and
//! an iteration count. Other messages, and lines that benchmarks print, are skipped.

use super::builder::ReadingBuilder;
use super::metric_by_unit::metric_by_unit;
use super::{Format, Preview, Reading, Source, json, text};
use crate::model::{Diagnostic, Evidence, Summary, Work, WorkUnit};
use crate::stats::centre;
use serde::Deserialize;
use std::borrow::Cow;

/// cargo-criterion.
pub struct CargoCriterion;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    reason: Cow<'a, str>,
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    iteration_count: Vec<f64>,
    #[serde(default)]
    measured_values: Vec<f64>,
    unit: Option<Cow<'a, str>>,
    #[serde(default)]
    throughput: Vec<Throughput>,
    mean: Option<Estimate>,
    median: Option<Estimate>,
    typical: Option<Estimate>,
}

#[derive(Deserialize)]
struct Throughput {
    per_iteration: f64,
    unit: String,
}

#[derive(Deserialize)]
struct Estimate {
    estimate: f64,
}

impl Format for CargoCriterion {
    fn name(&self) -> &'static str {
        "cargo-criterion"
    }

    fn produced_by(&self) -> &'static str {
        "cargo criterion --message-format=json > out.json, or the directory target/criterion"
    }

    fn metrics(&self) -> &'static str {
        "time: every sample (without samples: the median); work per iteration"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.starts_with("{\"reason\":\"benchmark-complete\""))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        for (at, line) in (1..).zip(text::utf8(source)?.split(|byte| *byte == b'\n')) {
            builder.line = Some(at);
            if !line.trim_ascii_start().starts_with(b"{") {
                continue;
            }
            match serde_json::from_slice::<Message<'_>>(line) {
                Ok(message) if message.reason == "benchmark-complete" => read_message(&mut builder, message),
                Ok(_) => {}
                Err(error) => builder.warn("unreadable-line", json::line_message(&error)),
            }
        }
        builder.finish()
    }
}

fn read_message(builder: &mut ReadingBuilder<'_>, message: Message<'_>) {
    let Some(name) = message.id else {
        return builder.warn("unreadable-line", "a benchmark has no id; skipped");
    };
    let label = message.unit.as_deref().unwrap_or("");
    let scale = builder.unit(label);
    let samples: Vec<f64> = message.measured_values.iter().zip(&message.iteration_count).map(|(v, n)| v / n).collect();
    if message.measured_values.len() != message.iteration_count.len() {
        builder.warn(
            "uneven-samples",
            format!("`{name}` has different numbers of values and iteration counts; the surplus is ignored"),
        );
    }
    let evidence = if samples.is_empty() {
        let mean = message.mean.as_ref().map(|mean| mean.estimate);
        let Some(centre) = message.median.or(message.typical).map(|centre| centre.estimate).or(mean) else {
            return builder.warn("no-value", format!("`{name}` has neither samples nor estimates; skipped"));
        };
        Evidence::summary(Summary { centre, mean, ..Summary::default() })
    } else {
        Evidence::Samples(samples)
    };
    let work = message.throughput.first().and_then(|work| {
        let unit = match work.unit.as_str() {
            "bytes" => WorkUnit::Bytes,
            "elements" => WorkUnit::Elements,
            _ => return None,
        };
        (work.per_iteration > 0.0).then_some(Work { amount: work.per_iteration, unit })
    });
    let metric = metric_by_unit(scale.unit, label);
    let metric_name = metric.name.clone();
    builder.add(&name, metric, [evidence.scaled(scale.factor)]);
    if !message.iteration_count.is_empty() {
        builder.set_iterations(&name, &metric_name, centre::median(&message.iteration_count));
    }
    if let Some(work) = work {
        builder.set_work(&name, &metric_name, work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Unit};

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        CargoCriterion.parse(Source { name: "x.json", bytes: text.as_bytes() })
    }

    #[test]
    fn a_sample_is_value_over_iterations_and_invalid_lines_are_reported() {
        let reading = read(concat!(
            "hello from a benchmark\n",
            r#"{"reason":"benchmark-complete","id":"a","iteration_count":[2,4],"measured_values":[3.0,10.0],"unit":"us","#,
            r#""throughput":[{"per_iteration":64,"unit":"bytes"}]}"#,
            "\n{\"reason\":\"benchmark-complete\",\"id\":7}\n{\"reason\":\"group-complete\"}\n",
        ))
        .unwrap();
        let a = &reading.measurements[0];
        assert_eq!(a.evidence, [Evidence::Samples(vec![1500.0, 2500.0])]);
        assert_eq!((&a.metric.unit, a.metric.direction), (&Unit::Nanosecond, Direction::Lower));
        assert_eq!(a.work, Some(Work { amount: 64.0, unit: WorkUnit::Bytes }));
        assert_eq!(reading.diagnostics[0].place, "x.json:3");
    }

    #[test]
    fn samples_with_zero_iterations_are_skipped() {
        let line = r#"{"reason":"benchmark-complete","id":"a","iteration_count":[0,1],"measured_values":[3.0,5.0],"unit":"ns"}"#;
        let reading = read(line).unwrap();
        assert_eq!(reading.measurements[0].evidence, [Evidence::Samples(vec![5.0])]);
        assert_eq!(reading.diagnostics[0].code, "invalid-value");
    }
}
