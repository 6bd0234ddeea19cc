//! mitata, as JSON (`format: "json"`: every sample, sorted, in nanoseconds) and as console text (mean, minimum, maximum,
//! p75, p99). Names are `group/name`, with arguments that the name does not show added as `/size=8`. The heap column is
//! not read: it is the difference of two heap sizes and mostly noise.

use super::builder::ReadingBuilder;
use super::json;
use super::json::{Number, Numbers, Pairs, Present, parse_lenient};
use super::{Format, Preview, Reading, Source, machine, text};
use crate::model::{Diagnostic, Environment, Evidence, Metric, Summary};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// mitata.
#[derive(Debug)]
pub struct Mitata;

impl Format for Mitata {
    fn name(&self) -> &'static str {
        "mitata"
    }

    fn produced_by(&self) -> &'static str {
        "run({ format: 'json' }) > out.json, or the console text (mitata)"
    }

    fn metrics(&self) -> &'static str {
        "time: every sample, sorted by the tool (text: mean, minimum, maximum, p75, p99); machine"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["layout[].types", "benchmarks[].runs"])
            || !preview.is_json() && preview.lines().any(|line| has_columns(line) && !line.contains("iter/s"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        if text::first_byte(source)? != Some(b'{') {
            read_console(&mut builder, &text::decode(source)?);
            return builder.finish();
        }
        let mut scratch = Vec::new();
        let file: File<'_> = parse_lenient(source, &mut scratch)?;
        if let Some(context) = &file.context {
            set_environment(builder.environment(), context);
        }
        let groups: Vec<Option<Cow<'_, str>>> =
            file.layout.iter().map(|group| group.name.and_then(|raw| serde_json::from_str(raw.get()).ok())).collect();
        for (at, raw) in file.benchmarks.into_iter().enumerate() {
            let Some(benchmark) = builder.parse_entry::<Benchmark<'_>>("benchmark", at, raw) else { continue };
            let group = benchmark.group.and_then(|group| groups.get(group)?.as_deref()).unwrap_or_default();
            for run in benchmark.runs {
                let name = name(group, &benchmark.alias, &run);
                match run.stats {
                    Some(stats) if !run.error.0 => {
                        let evidence = stats.evidence();
                        builder.add(&name, Metric::time(), [evidence]);
                    }
                    _ => builder.fail(&name, "threw an error"),
                }
            }
        }
        builder.finish()
    }
}

/// `group/name`, with the arguments that the name does not contain.
fn name(group: &str, alias: &str, run: &Run<'_>) -> String {
    let mut name = if group.is_empty() { run.name.clone().into_owned() } else { format!("{group}/{}", run.name) };
    for (key, value) in &run.args.0 {
        if !alias.contains(&format!("${key}")) {
            name.push_str(&format!("/{key}={}", value.get().trim_matches('"')));
        }
    }
    name
}

fn set_environment(environment: &mut Environment, context: &Context<'_>) {
    if let Some(cpu) = context.cpu.as_ref().and_then(|cpu| cpu.name.as_deref()) {
        environment.set(Environment::CPU, cpu);
    }
    set_platform(environment, context.arch.as_deref().unwrap_or_default());
    machine::set_joined(environment, "runtime", [context.runtime.as_deref(), context.version.as_deref()]);
}

/// Sets architecture and operating system from a text such as `x64-linux`.
fn set_platform(environment: &mut Environment, text: &str) {
    let (arch, os) = text.split_once('-').unwrap_or((text, ""));
    machine::set_arch(environment, arch);
    machine::set_os(environment, os);
}

/// Reads the console text: `name  2.54 ms/iter   2.10 ms …`, then a line `(2.06 ms … 7.68 ms)   5.92 ms …`.
fn read_console(builder: &mut ReadingBuilder<'_>, text: &str) {
    let mut group = String::new();
    let mut highest = 0.999;
    let mut open: Option<(String, Summary)> = None; // its second line comes next
    let mut after_heading = false;
    for (at, line) in text::numbered_lines(text) {
        builder.line = Some(at);
        // A rule follows the heading of a group. A rule without a heading ends the group.
        let is_rule = line.len() > 1 && line.chars().all(|c| matches!(c, '-' | ' '));
        if is_rule && !after_heading {
            group.clear();
        }
        after_heading = line.starts_with("• ");
        if has_columns(line) && line.contains("p995") {
            highest = 0.995;
        }
        if let Some(cpu) = line.strip_prefix("cpu: ") {
            builder.environment().set(Environment::CPU, cpu);
        } else if let Some((runtime, rest)) = line.strip_prefix("runtime: ").and_then(|line| line.split_once('(')) {
            builder.environment().set("runtime", runtime.trim());
            set_platform(builder.environment(), rest.trim_end_matches(')'));
        } else if let Some(name) = line.strip_prefix("• ") {
            group = format!("{}/", name.trim());
        } else if let Some((before, after)) = line.split_once("/iter") {
            add_summary(builder, open.take());
            let Some((name, mean)) = last_time(before) else { continue };
            builder.note_result();
            let mut summary = Summary { centre: mean, mean: Some(mean), ..Summary::default() };
            let (range, shares) = match after.split_once(')') {
                Some((range, shares)) => (times(range), times(shares)), // version 0: all on one line
                None => (Vec::new(), times(after)),
            };
            add_quantiles(&mut summary, &range, &[0.75, 0.99, highest], &shares);
            open = Some((format!("{group}{name}"), summary));
        } else if let (Some((_, summary)), Some((range, shares))) = (&mut open, line.split_once(')')) {
            let known = |share| summary.quantiles.iter().any(|(seen, _)| *seen == share);
            if range.trim_start().starts_with('(') && !known(0.0) && times(range).len() == 2 {
                add_quantiles(summary, &times(range), &[0.99], &times(shares));
            }
        } else if let Some((name, error)) = line.split_once(" error: ") {
            builder.fail(&format!("{group}{}", name.trim()), error.trim());
        }
    }
    add_summary(builder, open);
}

fn add_summary(builder: &mut ReadingBuilder<'_>, open: Option<(String, Summary)>) {
    let Some((name, summary)) = open else { return };
    builder.line = None;
    builder.add(&name, Metric::time(), [Evidence::summary(summary)]);
}

/// Adds minimum and maximum, and the quantiles of these shares.
fn add_quantiles(summary: &mut Summary, range: &[f64], shares: &[f64], values: &[f64]) {
    if let [min, max] = range {
        summary.quantiles.extend([(0.0, *min), (1.0, *max)]);
    }
    summary.quantiles.extend(shares.iter().copied().zip(values.iter().copied()));
}

/// Whether a line is the header of the console text.
fn has_columns(line: &str) -> bool {
    line.contains("benchmark") && line.contains("(min … max)")
}

/// The times in a text, in nanoseconds, up to the first word that is neither a time nor punctuation.
fn times(text: &str) -> Vec<f64> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(['(', ')'])).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match (quantity(word), words.get(at + 1).and_then(|unit| text::nanoseconds(unit))) {
            (Some(number), Some(factor)) => {
                found.push(number * factor);
                at += 2;
            }
            _ if matches!(*word, "" | "…") => at += 1,
            _ => break,
        }
    }
    found
}

/// A number such as `8'252.5`: version 0 separates thousands.
fn quantity(word: &str) -> Option<f64> {
    word.replace('\'', "").parse().ok()
}

/// Name and time in `parse line      2.54 ms`.
fn last_time(text: &str) -> Option<(&str, f64)> {
    let (rest, unit) = text.trim_end().rsplit_once(' ')?;
    let (name, number) = rest.trim_end().rsplit_once(' ')?;
    Some((name.trim(), quantity(number)? * text::nanoseconds(unit)?))
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    layout: Vec<Layout<'a>>,
    #[serde(borrow)]
    benchmarks: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    context: Option<Context<'a>>,
}

#[derive(Deserialize)]
struct Layout<'a> {
    /// Text or null; 0 in the second `run()` of a script.
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    arch: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    runtime: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    cpu: Option<Cpu<'a>>,
}

#[derive(Deserialize)]
struct Cpu<'a> {
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Benchmark<'a> {
    #[serde(borrow, default)]
    alias: Cow<'a, str>,
    group: Option<usize>,
    #[serde(borrow)]
    runs: Vec<Run<'a>>,
}

#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    args: Pairs<Cow<'a, str>, &'a RawValue>,
    stats: Option<Stats>,
    #[serde(default)]
    error: Present,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stats {
    samples: Numbers,
    min: Number,
    p25: Number,
    p50: Number,
    p75: Number,
    p99: Number,
    p999: Number,
    max: Number,
    avg: Number,
}

impl Stats {
    /// The samples, or the statistics if samples are missing: they are sorted, so the missing ones are the slowest.
    fn evidence(self) -> Evidence {
        let highest = self.samples.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let cut = self.max.finite().is_some_and(|max| highest < max * (1.0 - 1e-9));
        if !self.samples.0.is_empty() && !cut {
            return Evidence::Samples(self.samples.0);
        }
        let shares = [0.0, 0.25, 0.5, 0.75, 0.99, 0.999, 1.0];
        let values = [self.min, self.p25, self.p50, self.p75, self.p99, self.p999, self.max];
        let summary = Summary {
            centre: self.p50.finite().unwrap_or(self.avg.0),
            mean: self.avg.finite(),
            quantiles: shares.into_iter().zip(values.map(|value| value.0)).collect(),
            ..Summary::default()
        };
        Evidence::summary(summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Mitata.parse(Source { name: "m", bytes: text.as_bytes() })
    }

    #[test]
    fn names_include_the_group_and_arguments_that_they_do_not_show() {
        let text = r#"{"layout": [{"name": 0, "types": []}, {"name": "g", "types": []}], "benchmarks": [
            {"alias": "plain", "group": 0, "runs": [{"name": "plain", "args": {}, "stats": {"samples": [1, 2]}}]},
            {"alias": "x $n", "group": 1, "runs": [
                {"name": "x 8", "args": {"n": 8, "m": "b"}, "stats": {"samples": [3], "max": 3}},
                {"name": "x 9", "args": {"n": 9, "m": "b"}, "error": {"message": "boom"}}]}]}"#;
        let run = parse(text).unwrap();
        let names: Vec<&str> = run.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["plain", "g/x 8/m=b"]);
        assert_eq!(run.measurements[0].evidence, [Evidence::Samples(vec![1.0, 2.0])]);
        assert_eq!(run.diagnostics[0].code, "failed-benchmark");
    }

    #[test]
    fn two_console_lines_make_one_summary() {
        let text = "benchmark  avg (min … max) p75 / p99\n\
            • g\n\
            \u{1b}[1mparse line\u{1b}[0m    2.50 ms/iter   2.00 ms █\n\
            \x20     (1.00 µs … 7.00 ms)   5.00 ms █\n\
            \x20   (744.00  b … 960.00  b) 895.71  b █\n\
            throws   error: boom\n";
        let run = parse(text).unwrap();
        assert_eq!(run.measurements[0].benchmark.as_str(), "g/parse line");
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!(summary.mean, Some(2.5e6));
        assert_eq!(summary.quantiles, [(0.0, 1e3), (0.75, 2e6), (0.99, 5e6), (1.0, 7e6)]);
        assert_eq!(run.diagnostics[0].message, "`g/throws` failed: boom");
    }

    #[test]
    fn lines_of_version_0_have_thousands_separators_and_groups_end_at_a_rule() {
        let text = "benchmark   time (avg)   (min … max)   p75   p99   p999\n\
            ----------- -----\n\
            • g\n\
            ----------- -----\n\
            a b     1'510 µs/iter   (325 µs … 6'555 µs)   1'330 µs   4'422 µs   4'768 µs\n\
            ----------- -----\n\
            c       2 µs/iter   (1 µs … 3 µs)   2 µs   2 µs   3 µs\n";
        let run = parse(text).unwrap();
        let names: Vec<&str> = run.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["g/a b", "c"]);
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!(summary.centre, 1_510e3);
        let quantiles = [(0.0, 325e3), (0.75, 1_330e3), (0.99, 4_422e3), (0.999, 4_768e3), (1.0, 6_555e3)];
        assert_eq!(summary.quantiles, quantiles);
    }

    #[test]
    fn the_summary_is_used_if_slow_samples_are_missing() {
        let text = r#"{"benchmarks": [{"runs": [{"name": "a", "stats":
            {"samples": [1, 2], "p50": 3, "max": 9}}]}]}"#;
        let [Evidence::Summary(summary)] = &parse(text).unwrap().measurements[0].evidence[..] else { panic!("no") };
        assert_eq!(summary.centre, 3.0);
    }
}
