//! Ruby's benchmark-ips, as JSON (`x.json!`) and as console text: iterations per second with their standard deviation.
//! Warm-up and comparison lines are skipped.

use super::builder::ReadingBuilder;
use super::json::{Number, parse_lenient};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// benchmark-ips.
#[derive(Debug)]
pub struct BenchmarkIps;

impl Format for BenchmarkIps {
    fn name(&self) -> &'static str {
        "benchmark-ips"
    }

    fn produced_by(&self) -> &'static str {
        "Benchmark.ips { |x| x.json! 'out.json' }, or the console text"
    }

    fn metrics(&self) -> &'static str {
        "throughput: iterations per second with standard deviation"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["[].name", "[].ips"])
            || !preview.is_json() && preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        if text::first_byte(source)? == Some(b'[') {
            let mut scratch = Vec::new();
            let list: Vec<&RawValue> = parse_lenient(source, &mut scratch)?;
            for (at, raw) in list.into_iter().enumerate() {
                let Some(entry) = builder.parse_entry::<Entry<'_>>("entry", at, raw) else { continue };
                let samples = Number(entry.iterations.0 / entry.cycles.0).count().filter(|count| *count > 0);
                add(&mut builder, &entry.name, entry.ips.0, entry.stddev.finite(), samples);
            }
        } else {
            for (at, line) in text::numbered_lines(&text::decode(source)?) {
                let Some(Line { name, ips, percent }) = parse_line(line) else { continue };
                builder.line = Some(at);
                add(&mut builder, name, ips, Some(ips * percent / 100.0), None);
            }
        }
        builder.finish()
    }
}

fn add(builder: &mut ReadingBuilder<'_>, name: &str, ips: f64, sd: Option<f64>, samples: Option<u64>) {
    let summary = Summary { centre: ips, mean: Some(ips), sd, samples, quantiles: Vec::new() };
    builder.add(name, Metric::throughput(), [Evidence::summary(summary)]);
}

/// A parsed result line.
struct Line<'a> {
    name: &'a str,
    ips: f64,
    percent: f64,
}

/// Parses `   parse    438.294  (± 8.2%) i/s -  152.000  in 0.349221s`. Large numbers end in k, M, B, T or Q.
fn parse_line(line: &str) -> Option<Line<'_>> {
    let (before, after) = line.split_once("(±")?;
    let (percent, after) = after.split_once("%)")?;
    if !after.trim_start().starts_with("i/s") || !after.contains(" in ") {
        return None;
    }
    let (name, ips) = before.trim().rsplit_once(char::is_whitespace)?;
    let (digits, factor) = match ips.char_indices().next_back()? {
        (at, 'k') => (&ips[..at], 1e3),
        (at, 'M') => (&ips[..at], 1e6),
        (at, 'B') => (&ips[..at], 1e9),
        (at, 'T') => (&ips[..at], 1e12),
        (at, 'Q') => (&ips[..at], 1e15),
        _ => (ips, 1.0),
    };
    let (ips, percent) = (digits.parse::<f64>().ok()? * factor, percent.trim().parse().ok()?);
    Some(Line { name: name.trim(), ips, percent })
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    ips: Number,
    #[serde(default)]
    stddev: Number,
    #[serde(default)]
    iterations: Number,
    #[serde(default)]
    cycles: Number,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn summary(text: &str) -> Summary {
        let run = BenchmarkIps.parse(Source { name: "i", bytes: text.as_bytes() }).unwrap();
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        (**summary).clone()
    }

    #[test]
    fn text_and_json_give_the_same_values() {
        let line = "Calculating ---\n  a b    12.5k (±10.0%) i/s   (80.00 μs/i) -    1.500k in   0.120s\nComparison:\n a b:  12500.0 i/s";
        let entry = r#"[{"name": "a b", "ips": 12500.0, "stddev": 1250, "iterations": 1500, "cycles": 500}]"#;
        let (line, entry) = (summary(line), summary(entry));
        assert_eq!((line.centre, line.sd, line.samples), (12500.0, Some(1250.0), None));
        assert_eq!((entry.centre, entry.sd, entry.samples), (12500.0, Some(1250.0), Some(3)));
    }
}
