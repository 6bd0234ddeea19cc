//! hyperfine's `--export-json`: time, peak memory and exit code of every run. Its runs follow each other on one machine, so
//! they are the samples of one run of the suite.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Nanoseconds in hyperfine's unit of time.
const SECOND: f64 = 1e9;

/// hyperfine.
pub struct Hyperfine;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    command: Cow<'a, str>,
    mean: Option<f64>,
    median: Option<f64>,
    stddev: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    times: Option<Vec<f64>>,
    exit_codes: Option<ExitCodes>,
    memory_usage_byte: Option<Vec<f64>>,
    parameters: Option<BTreeMap<String, String>>,
}

/// The exit codes of all runs.
#[derive(Default)]
struct ExitCodes {
    runs: u32,
    /// Those that are not 0. A run that was killed by a signal has `null`.
    failed: u32,
}

impl<'de> Deserialize<'de> for ExitCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ExitCodesVisitor;
        impl<'de> Visitor<'de> for ExitCodesVisitor {
            type Value = ExitCodes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of exit codes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut codes: A) -> Result<ExitCodes, A::Error> {
                let mut all = ExitCodes::default();
                while let Some(code) = codes.next_element::<Option<i64>>()? {
                    all.runs += 1;
                    all.failed += u32::from(code != Some(0));
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(ExitCodesVisitor)
    }
}

impl Format for Hyperfine {
    fn name(&self) -> &'static str {
        "hyperfine"
    }

    fn produced_by(&self) -> &'static str {
        "hyperfine --export-json out.json 'COMMAND'"
    }

    fn metrics(&self) -> &'static str {
        "time and memory:peak: every run (without runs: mean, sd, minimum, maximum); errors: number of failed \
         runs"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let empty = preview.json_keys.len() == 1 && preview.text.trim_end().ends_with("[]}");
        preview.has_keys(&["results"])
            && (empty
                || preview.has_keys(&["results[].command"])
                    && ["results[].mean", "results[].times"].iter().any(|key| preview.json_keys.contains(*key)))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        json::for_each_entry(source, "results", |entry| match entry {
            Ok(entry) => add_entry(&mut builder, entry),
            Err(message) => builder.warn("unreadable-entry", message),
        })?;
        builder.finish()
    }
}

fn add_entry(builder: &mut ReadingBuilder<'_>, entry: Entry<'_>) {
    let mut name = entry.command.into_owned();
    for (parameter, value) in entry.parameters.iter().flatten() {
        name.push_str(&format!("/{parameter}={value}"));
    }
    let ExitCodes { runs, failed } = entry.exit_codes.unwrap_or_default();
    if failed > 0 && failed == runs {
        let all = if runs == 1 { "the only run".to_owned() } else { format!("all {runs} runs") };
        let why = format!(
            "{all} ended with an error; if this is expected, measure a command that succeeds, as in `COMMAND || true`"
        );
        return builder.fail(&name, &why);
    }
    let times = entry.times.unwrap_or_default();
    let evidence = if times.is_empty() {
        let Some(centre) = entry.median.or(entry.mean) else {
            return builder.warn("no-value", format!("`{name}` has neither times nor a mean; skipped"));
        };
        let ends = [(0.0, entry.min), (1.0, entry.max)];
        let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
        Evidence::summary(Summary { centre, mean: entry.mean, sd: entry.stddev, samples: None, quantiles })
    } else {
        Evidence::Samples(times)
    };
    builder.add(&name, Metric::time(), [evidence.scaled(SECOND)]);
    if let Some(memory) = entry.memory_usage_byte.filter(|memory| !memory.is_empty()) {
        let metric = Metric::measured("memory:peak", Unit::Byte, Direction::Lower);
        builder.add(&name, metric, [Evidence::Samples(memory)]);
    }
    if runs > 0 {
        if failed > 0 {
            let message = format!("`{name}`: {failed} of the runs failed; their times may be meaningless");
            builder.warn("failed-command", message);
        }
        let errors = Metric::counted("errors", Unit::Count, Direction::Lower);
        builder.add(&name, errors, [Evidence::Value(f64::from(failed))]);
    }
}
