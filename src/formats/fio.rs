//! fio's JSON output: each job's reads, writes and trims.

use super::builder::ReadingBuilder;
use super::fields::{as_number, items, number_at, text_at};
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde_json::Value;

/// fio's options that determine the load, and the names that reports use for them.
const LOAD: [(&str, &str); 4] =
    [("bs", "block-size"), ("iodepth", "queue-depth"), ("numjobs", "jobs"), ("rw", "access-pattern")];

/// fio's JSON output.
#[derive(Debug)]
pub struct Fio;

impl Format for Fio {
    fn name(&self) -> &'static str {
        "fio"
    }

    fn produced_by(&self) -> &'static str {
        "fio --output-format=json --output=FILE JOBFILE"
    }

    fn metrics(&self) -> &'static str {
        "iops, throughput (bytes per second) and time (completion latency: mean, sd, quantiles) of each kind of I/O"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["fio version", "jobs"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        builder.set_measured(number_at(&file, "timestamp").and_then(stated_time::seconds));
        for job in items(&file, "jobs") {
            let job_name = text_at(job, "jobname").unwrap_or("job");
            for kind in ["read", "write", "trim"] {
                let Some(io) = job.get(kind) else { continue };
                let number = |path: &str| number_at(io, path);
                let Some(iops) = number("iops").filter(|iops| *iops > 0.0) else { continue };
                let name = format!("{job_name}/{kind}");
                for (option, setting) in LOAD {
                    let stated = job.get("job options").and_then(|options| options.get(option));
                    let global = || file.get("global options")?.get(option);
                    if let Some(value) = stated.or_else(global).and_then(Value::as_str) {
                        let bytes = if option == "bs" { bytes_of(value) } else { None };
                        builder.settings.add(&name, setting, bytes.map_or(value.to_owned(), |bytes| bytes.to_string()));
                    }
                }
                builder.add_run(
                    &name,
                    Metric::measured("iops", Unit::PerSecond, Direction::Higher),
                    Evidence::Value(iops),
                );
                let bytes = number("bw_bytes").or_else(|| Some(number("bw")? * 1024.0));
                if let Some(bytes) = bytes {
                    let metric = Metric::measured("throughput", Unit::BytePerSecond, Direction::Higher);
                    builder.add_run(&name, metric, Evidence::Value(bytes));
                }
                let latency = ["clat_ns", "lat_ns"].into_iter().find(|kind| number(&format!("{kind}.mean")).is_some());
                let Some(latency) = latency else { continue };
                let of = |field: &str| number(&format!("{latency}.{field}"));
                // The keys of percentiles contain dots.
                let percentiles =
                    io.get("clat_ns").and_then(|times| times.get("percentile")).and_then(Value::as_object);
                let quantile =
                    |(share, time): (&String, &Value)| Some((share.parse::<f64>().ok()? / 100.0, as_number(time)?));
                let quantiles: Vec<(f64, f64)> = percentiles.into_iter().flatten().filter_map(quantile).collect();
                let Some(mean) = of("mean") else { continue };
                let summary = Summary {
                    centre: mean,
                    mean: Some(mean),
                    sd: of("stddev"),
                    samples: number("total_ios").map(|count| count as u64),
                    quantiles,
                };
                builder.add_run(&name, Metric::time(), Evidence::summary(summary));
            }
        }
        builder.finish()
    }
}

/// A size as an option has it: `4k`, `4KiB` and `4096` are the same.
fn bytes_of(size: &str) -> Option<u64> {
    let size = size.trim().to_ascii_lowercase();
    let digits = size.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &size[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_compared_in_bytes() {
        for size in ["4k", "4K", "4KiB", "4096", "4096B"] {
            assert_eq!(bytes_of(size), Some(4096), "{size}");
        }
        assert_eq!((bytes_of("4k-16k"), bytes_of("")), (None, None));
    }

    #[test]
    fn settings_are_recorded_only_for_kinds_with_results() {
        // With all kinds counted, 40 jobs had 120 settings: more than a file may state.
        let job = |number: u32| {
            format!(
                r#"{{"jobname": "j{number}", "job options": {{"bs": "{number}k"}}, "read": {{"iops": 5.0}},
                "write": {{"iops": 0}}, "trim": {{"iops": 0}}}}"#
            )
        };
        let jobs: Vec<String> = (1..=40).map(job).collect();
        let text = format!(r#"{{"fio version": "fio-3.36", "jobs": [{}]}}"#, jobs.join(","));
        let reading = Fio.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.environment.condition("fio", "block-size", "j7/read"), Some("7168"));
    }
}
