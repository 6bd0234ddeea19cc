//! fio's JSON output: each job's reads, writes and trims.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, items, number_at, text_at};
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde_json::Value;

/// fio's options that determine the load, and the names that reports use for them.
const LOAD: [(&str, &str); 4] =
    [("bs", "block-size"), ("iodepth", "queue-depth"), ("numjobs", "jobs"), ("rw", "access-pattern")];

/// The kinds of I/O.
const KINDS: [&str; 3] = ["read", "write", "trim"];
/// The fields of the latencies, with nanoseconds in their unit. The completion latency is preferred to the total one.
const LATENCIES: [(&str, f64); 4] = [("clat_ns", 1.0), ("lat_ns", 1.0), ("clat", 1e3), ("lat", 1e3)];
/// The errors of Linux that a storage device or a file system causes, and the one of a checksum that does not match.
const ERRORS: [(i64, &str); 9] = [
    (2, "No such file or directory"),
    (5, "Input/output error"),
    (12, "Cannot allocate memory"),
    (13, "Permission denied"),
    (22, "Invalid argument"),
    (27, "File too large"),
    (28, "No space left on device"),
    (30, "Read-only file system"),
    (84, "a checksum does not match"),
];

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
            let name = text_at(job, "jobname").unwrap_or("job");
            let of_all = file.get("global options");
            let option = |name: &str| option(job.get("job options"), name).or_else(|| option(of_all, name));
            match number_at(job, "error").filter(|error| *error != 0.0) {
                Some(error) => add_failure(&mut builder, name, job, error as i64, option),
                None => add_job(&mut builder, name, job, option),
            }
        }
        builder.finish()
    }
}

fn option<'v>(options: Option<&'v Value>, name: &str) -> Option<&'v str> {
    options?.get(name)?.as_str()
}

/// Whether a job did I/O of a kind.
fn has_io(job: &Value, kind: &str) -> bool {
    job.get(kind).and_then(|io| number_at(io, "iops")).is_some_and(|iops| iops > 0.0)
}

/// Reports the benchmarks of a job that ended in an error. Its values until then are not results of the whole job.
fn add_failure<'f>(
    builder: &mut ReadingBuilder<'_>,
    job_name: &str,
    job: &Value,
    error: i64,
    option: impl Fn(&str) -> Option<&'f str>,
) {
    let pattern = option("rw").or_else(|| option("readwrite")).unwrap_or("read");
    let pattern = pattern.split([':', ',']).next().unwrap_or_default();
    let is_planned = |kind: &str| pattern.contains(kind) || matches!(pattern, "rw" | "randrw") && kind != "trim";
    let why = match ERRORS.iter().find(|(number, _)| *number == error) {
        Some((_, text)) => format!("fio error {error} ({text})"),
        None => format!("fio error {error}"),
    };
    for kind in KINDS.into_iter().filter(|kind| is_planned(kind) || has_io(job, kind)) {
        let name = format!("{job_name}/{kind}");
        // The settings of failed jobs count too when the most frequent settings of the file are determined.
        add_settings(builder, &name, &option);
        builder.fail(&name, &why);
    }
}

fn add_settings<'f>(builder: &mut ReadingBuilder<'_>, name: &str, option: impl Fn(&str) -> Option<&'f str>) {
    for (option_name, setting) in LOAD {
        if let Some(value) = option(option_name) {
            let bytes = if option_name == "bs" { bytes_of(value) } else { None };
            builder.settings.add(name, setting, bytes.map_or(value.to_owned(), |bytes| bytes.to_string()));
        }
    }
}

fn add_job<'f>(
    builder: &mut ReadingBuilder<'_>,
    job_name: &str,
    job: &Value,
    option: impl Fn(&str) -> Option<&'f str>,
) {
    for kind in KINDS.into_iter().filter(|kind| has_io(job, kind)) {
        let Some(io) = job.get(kind) else { continue };
        let number = |path: &str| number_at(io, path);
        let name = format!("{job_name}/{kind}");
        add_settings(builder, &name, &option);
        let higher = |name, unit| Metric::measured(name, unit, Direction::Higher);
        if let Some(iops) = number("iops") {
            builder.add_run(&name, higher("iops", Unit::PerSecond), Evidence::Value(iops));
        }
        // Before version 3 only in KiB per second.
        if let Some(bytes) = number("bw_bytes").or_else(|| Some(number("bw")? * 1024.0)) {
            builder.add_run(&name, higher("throughput", Unit::BytePerSecond), Evidence::Value(bytes));
        }
        if let Some(latency) = LATENCIES.iter().find_map(|(field, factor)| latency(io, field, *factor)) {
            builder.add_run(&name, Metric::time(), Evidence::summary(latency));
        }
    }
}

/// The latencies of a kind of I/O under a field, in nanoseconds. A kind of latency that fio was configured not to
/// measure (`disable_clat`, `gtod_reduce`) is zero.
fn latency(io: &Value, field: &str, factor: f64) -> Option<Summary> {
    let times = io.get(field)?;
    let mean = number_at(times, "mean").filter(|mean| *mean > 0.0)? * factor;
    let quantile = |(percent, time): (&String, &Value)| {
        let share = percent.parse::<f64>().ok()? / 100.0;
        Some((share, as_number(time)? * factor))
    };
    // Before version 3, percentiles that were not requested are at `0.00`.
    let quantiles = entries(times, "percentile").filter_map(quantile).filter(|(share, _)| *share > 0.0);
    Some(Summary {
        centre: mean,
        mean: Some(mean),
        sd: number_at(times, "stddev").map(|sd| sd * factor),
        samples: number_at(io, "total_ios").map(|count| count as u64),
        quantiles: quantiles.collect(),
    })
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

    fn read(jobs: &str) -> Reading {
        let text = format!(r#"{{"fio version": "fio-3.33", "global options": {{"rw": "randrw"}}, "jobs": [{jobs}]}}"#);
        Fio.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap()
    }

    #[test]
    fn a_job_with_an_error_failed_in_all_kinds_that_it_did_or_was_to_do() {
        let failed = |jobs: &str| -> Vec<(String, String)> {
            let reading = read(jobs);
            assert!(reading.measurements.iter().all(|one| one.benchmark.as_str().starts_with("ok/")));
            let failed = reading.failures.benchmarks.into_iter();
            failed.map(|one| (one.benchmark.to_string(), one.why)).collect()
        };
        let ok = r#"{"jobname": "ok", "error": 0, "read": {"iops": 5.0, "bw_bytes": 5}}"#;
        let one = |options: &str, error: u32, io: &str| {
            failed(&format!(r#"{ok}, {{"jobname": "a", "error": {error}, "job options": {{{options}}}{io}}}"#))
        };
        let of = |kinds: &[&str], why: &str| -> Vec<(String, String)> {
            kinds.iter().map(|kind| (format!("a/{kind}"), why.to_owned())).collect()
        };
        let full = "fio error 28 (No space left on device)";
        assert_eq!(one(r#""rw": "write""#, 28, r#", "write": {"iops": 9.0}"#), of(&["write"], full));
        assert_eq!(one("", 5, r#", "read": {"iops": 0}"#), of(&["read", "write"], "fio error 5 (Input/output error)"));
        assert_eq!(one(r#""rw": "randtrim:8""#, 999, ""), of(&["trim"], "fio error 999"));
        assert!(one(r#""rw": "randread""#, 0, "").is_empty());
    }

    #[test]
    fn latencies_are_those_that_were_measured() {
        let time = |io: &str| {
            let reading = read(&format!(r#"{{"jobname": "a", "read": {{"iops": 5.0, "total_ios": 7, {io}}}}}"#));
            let time = reading.measurements.iter().find(|one| one.metric.name == "time");
            time.map(|one| one.evidence[0].clone())
        };
        let summary = |centre: f64, sd: f64, quantiles: &[(f64, f64)]| {
            let (quantiles, samples) = (quantiles.to_vec(), Some(7));
            Some(Evidence::summary(Summary { centre, mean: Some(centre), sd: Some(sd), samples, quantiles }))
        };
        let zero = r#""clat_ns": {"mean": 0.0, "stddev": 0.0}, "lat_ns": {"mean": 0.0}"#;
        assert_eq!(time(zero), None, "gtod_reduce");
        let total = zero.replace(
            r#""lat_ns": {"mean": 0.0}"#,
            r#""lat_ns": {"mean": 9.0, "stddev": 2.0, "percentile": {"50.000000": 8}}"#,
        );
        assert_eq!(time(&total), summary(9.0, 2.0, &[(0.5, 8.0)]), "disable_clat");
        let old = r#""clat": {"mean": 88.8, "stddev": 44.0, "percentile": {"50.000000": 85, "0.00": 0}}, "lat": {"mean": 89.0}"#;
        assert_eq!(time(old), summary(88.8e3, 44e3, &[(0.5, 85e3)]), "version 2");
    }
}
