//! hyperfine's `--export-json`: every run is a process of its own, so every time is a replicate.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// More runs than this are kept as [`BLOCKS`] blocks of consecutive runs: the blocks still vary as the runs of one
/// benchmark do, every time is kept, and a file of a million runs takes a million numbers.
const SINGLE_RUNS: usize = 100;
/// How many blocks many runs are kept in.
const BLOCKS: usize = 6;
/// hyperfine states every time in seconds.
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
    exit_codes: Option<Failures>,
    memory_usage_byte: Option<Vec<f64>>,
    parameters: Option<BTreeMap<String, String>>,
}

/// How many exit codes of a list are not 0; a run ended by a signal has none.
struct Failures(u32);

impl<'de> Deserialize<'de> for Failures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Codes;
        impl<'de> Visitor<'de> for Codes {
            type Value = Failures;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of exit codes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut codes: A) -> Result<Failures, A::Error> {
                let mut failed = 0;
                while let Some(code) = codes.next_element::<Option<i64>>()? {
                    failed += u32::from(code != Some(0));
                }
                Ok(Failures(failed))
            }
        }
        deserializer.deserialize_seq(Codes)
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
        "time: every run (or mean, sd, minimum and maximum without them); memory:peak: every run; errors: runs that failed"
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
            Ok(entry) => read_entry(&mut builder, entry),
            Err(message) => builder.warn("unreadable-entry", message),
        })?;
        builder.finish()
    }
}

fn read_entry(builder: &mut ReadingBuilder<'_>, entry: Entry<'_>) {
    let mut name = entry.command.into_owned();
    for (parameter, value) in entry.parameters.iter().flatten() {
        name.push_str(&format!("/{parameter}={value}"));
    }
    let times = entry.times.unwrap_or_default();
    let evidence = if times.is_empty() {
        let Some(centre) = entry.median.or(entry.mean) else {
            return builder.warn("no-value", format!("`{name}` has neither times nor a mean; it is left out"));
        };
        let ends = [(0.0, entry.min), (1.0, entry.max)];
        let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
        vec![Evidence::summary(Summary { centre, mean: entry.mean, sd: entry.stddev, samples: None, quantiles })]
    } else {
        replicates(times)
    };
    builder.add(&name, Metric::time(), evidence.into_iter().map(|one| one.scaled(SECOND)));
    let memory = entry.memory_usage_byte.unwrap_or_default();
    builder.add(&name, Metric::measured("memory:peak", Unit::Byte, Direction::Lower), replicates(memory));
    if let Some(Failures(failed)) = entry.exit_codes {
        if failed > 0 {
            let message = format!("`{name}`: {failed} runs ended with an error; their times may mean nothing");
            builder.warn("failed-command", message);
        }
        let errors = Metric::counted("errors", Unit::Count, Direction::Lower);
        builder.add(&name, errors, [Evidence::Value(f64::from(failed))]);
    }
}

/// One entry a run, or a block of runs where there are many.
fn replicates(runs: Vec<f64>) -> Vec<Evidence> {
    if runs.len() <= SINGLE_RUNS {
        return runs.into_iter().map(Evidence::Value).collect();
    }
    let size = runs.len().div_ceil(BLOCKS);
    runs.chunks(size).map(|block| Evidence::Samples(block.to_vec())).collect()
}
