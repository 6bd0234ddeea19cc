//! `deno bench`, as JSON and as console text: mean and quantiles of each benchmark, and the processor.

use super::builder::ReadingBuilder;
use super::fields::{items, number_at, text_at};
use super::{Format, Preview, Reading, Source, json, machine, text};
use crate::model::{Diagnostic, Environment, Evidence, Metric, Summary};
use serde_json::Value;

/// `deno bench`.
#[derive(Debug)]
pub struct DenoBench;

impl Format for DenoBench {
    fn name(&self) -> &'static str {
        "deno-bench"
    }

    fn produced_by(&self) -> &'static str {
        "deno bench --json > FILE, or the console text"
    }

    fn metrics(&self) -> &'static str {
        "time: mean, minimum, maximum and quantiles; machine"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["benches[].origin", "benches[].results"])
            || !preview.is_json() && preview.lines().any(is_header)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        if text::first_byte(source)? != Some(b'{') {
            read_console(&mut builder, &text::decode(source)?);
            return builder.finish();
        }
        let file: Value = json::parse(source)?;
        builder.environment().set(Environment::CPU, text_at(&file, "cpu").unwrap_or_default());
        let runtime = text_at(&file, "runtime").unwrap_or_default();
        let (version, target) = runtime.split_once(' ').unwrap_or((runtime, ""));
        set_runtime(builder.environment(), version, target);
        for bench in items(&file, "benches") {
            let own = text_at(bench, "name").unwrap_or_default();
            let name = text_at(bench, "group").map_or_else(|| own.to_owned(), |group| format!("{group}/{own}"));
            for result in items(bench, "results") {
                let Some(ok) = result.get("ok") else {
                    builder.fail(&name, failure_message(result));
                    continue;
                };
                let Some(mean) = number_at(ok, "avg") else { continue };
                let shares =
                    [(0.0, "min"), (0.75, "p75"), (0.99, "p99"), (0.995, "p995"), (0.999, "p999"), (1.0, "max")];
                let quantiles =
                    shares.into_iter().filter_map(|(share, key)| Some((share, number_at(ok, key)?))).collect();
                let samples = number_at(ok, "n").map(|count| count as u64);
                let summary = Summary { centre: mean, mean: Some(mean), sd: None, samples, quantiles };
                builder.add_run(&name, Metric::time(), Evidence::summary(summary));
            }
        }
        builder.finish()
    }
}

/// Sets runtime, architecture and operating system from a version and a target such as `x86_64-unknown-linux-gnu`.
fn set_runtime(environment: &mut Environment, version: &str, target: &str) {
    environment.set("runtime", version);
    if let [arch, _, os, ..] = target.split('-').collect::<Vec<_>>().as_slice() {
        machine::set_arch(environment, arch);
        machine::set_os(environment, os);
    }
}

/// Reads `CPU | AMD EPYC` or `Runtime | Deno 2.9.8 (x86_64-unknown-linux-gnu)` above the tables, before Deno 2 `cpu: …` and
/// `runtime: …`.
fn read_machine(environment: &mut Environment, line: &str) {
    let Some((key, value)) = line.split_once(" | ").or(line.split_once(": ")) else { return };
    match key.trim() {
        "CPU" | "cpu" => environment.set(Environment::CPU, value.trim()),
        "Runtime" | "runtime" => {
            let Some((runtime, target)) = value.split_once(" (") else { return };
            let version = runtime.rsplit(' ').next().unwrap_or_default();
            set_runtime(environment, &format!("Deno/{version}"), target.trim_end().trim_end_matches(')'));
        }
        _ => {}
    }
}

/// Why a benchmark has no result: a text, or an object with the message.
fn failure_message(result: &Value) -> &str {
    let Some(failed) = result.get("failed") else { return "no result" };
    let message = ["exceptionMessage", "message"].into_iter().find_map(|key| text_at(failed, key));
    failed.as_str().or(message).unwrap_or_default()
}

/// Whether a line is the header of the console text, with bars since Deno 2.
fn is_header(line: &str) -> bool {
    ["benchmark", "iter/s", "(min … max)", "p75"].iter().all(|column| line.contains(column))
}

/// Reads the console text: `| name | 183.9 µs | 5,438 | (157.9 µs … 4.3 ms) | 178.5 µs | 233.5 µs | 250.7 µs |`, before Deno 2
/// `name   183.9 µs/iter   5,438.2 (157.9 µs … 4.3 ms) 178.5 µs 233.5 µs 250.7 µs`.
fn read_console(builder: &mut ReadingBuilder<'_>, text: &str) {
    let mut group = String::new();
    let mut in_table = false;
    let mut before_tables = true;
    for (number, line) in text::numbered_lines(text) {
        builder.line = Some(number);
        before_tables &= !is_header(line);
        if before_tables {
            read_machine(builder.environment(), line);
        }
        if let Some(name) = line.strip_prefix("group ") {
            group = format!("{}/", name.trim());
            in_table = true;
        } else if line.trim().is_empty() {
            in_table = false; // what the benchmarks print may look like the row of a failed one
        } else if line.starts_with("file://") {
            group.clear();
        } else if is_header(line) {
            in_table = true;
        } else if let Some((own, why)) = failure(line).filter(|_| in_table) {
            builder.fail(&format!("{group}{own}"), why);
        } else if let Some((own, times)) = row(line) {
            let [mean, range @ .., p75, p99, p995] = times.as_slice() else { continue };
            let [min, max] = range else { continue };
            let quantiles = [(0.0, min), (0.75, p75), (0.99, p99), (0.995, p995), (1.0, max)];
            let quantiles = quantiles.into_iter().map(|(share, value)| (share, *value)).collect();
            let summary = Summary { centre: *mean, mean: Some(*mean), sd: None, samples: None, quantiles };
            builder.add_run(&format!("{group}{own}"), Metric::time(), Evidence::summary(summary));
        }
    }
}

/// The name and the message of a benchmark that failed: `| name | error: Error: boom |`, before Deno 2
/// `name   error: Error: boom`.
fn failure(line: &str) -> Option<(&str, &str)> {
    let (name, why) = match line.strip_prefix("| ") {
        Some(rest) => rest.split_once(" | error: ")?,
        None => line.split_once(" error: ")?,
    };
    let name = name.trim();
    (!name.is_empty() && !line.starts_with(' ')).then(|| (name, why.trim_end_matches(['|', ' '])))
}

/// The name and the times of a row, in nanoseconds.
fn row(line: &str) -> Option<(&str, Vec<f64>)> {
    let (name, values) = match line.strip_prefix("| ") {
        Some(rest) => rest.split_once(" | ")?,
        None => {
            let unit = line[..line.find("/iter ")?].rfind(' ')?;
            line.split_at(line[..unit].trim_end().rfind(' ')?)
        }
    };
    let words: Vec<&str> = values
        .split([' ', '|', '(', ')'])
        .map(|word| word.trim_end_matches("/iter"))
        .filter(|w| !w.is_empty())
        .collect();
    let time = |pair: &[&str]| Some(text::number(pair[0])? * text::nanoseconds(pair[1])?);
    Some((name.trim(), words.windows(2).filter_map(time).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_console_texts_are_read() {
        for text in [
            "| benchmark | time/iter (avg) | iter/s | (min … max) | p75 | p99 | p995 |\n\
             | --------- | --------------- | ------ | ----------- | --- | --- | ---- |\n\
             group codec\n\
             | a b c     |        183.9 µs |  5,438 | (157.9 µs …   4.3 ms) | 178.5 µs | 233.5 µs | 250.7 µs |\n",
            "benchmark   time (avg)   iter/s   (min … max)   p75   p99   p995\n\
             --------------------------------------------------------------\n\
             group codec\n\
             a b c      183.9 µs/iter   5,438.2   (157.9 µs … 4.3 ms) 178.5 µs 233.5 µs 250.7 µs\n",
        ] {
            let machine = "    CPU | AMD EPYC\nRuntime | Deno 2.9.8 (x86_64-unknown-linux-gnu)\n";
            let old = "cpu: AMD EPYC\nruntime: deno 2.9.8 (x86_64-unknown-linux-gnu)\n";
            let text = &format!("{}{text}", if text.starts_with('|') { machine } else { old });
            let source = Source { name: "x", bytes: text.as_bytes() };
            assert!(DenoBench.sniff(&Preview::of(text.as_bytes())));
            let reading = DenoBench.parse(source).unwrap();
            assert_eq!(reading.measurements[0].benchmark.as_str(), "codec/a b c");
            let [Evidence::Summary(summary)] = &reading.measurements[0].evidence[..] else { panic!("a summary") };
            assert_eq!((summary.centre, summary.quantiles.len()), (183.9e3, 5));
            assert_eq!(summary.quantiles[4], (1.0, 4.3e6));
            let facts = [Environment::CPU, "runtime", Environment::ARCH, Environment::OS];
            let facts = facts.map(|key| reading.environment.get(key).unwrap_or_default());
            assert_eq!(facts, ["AMD EPYC", "Deno/2.9.8", "x86_64", "linux"]);
        }
    }
}
