//! pgbench: the printed report, and the logs of `-l` (a line per transaction) and `--aggregate-interval` (a line per
//! interval). Latencies, throughput and errors of each script are read; logs contain the script's number, not its name.

mod errors;

use super::builder::ReadingBuilder;
use super::load_test::{Endpoint, Endpoints, add_errors, error_rate, response_time, share};
use super::text::{decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, EndScope, Evidence, Metric, Summary};
use errors::Errors;
use std::collections::BTreeMap;

/// Nanoseconds in the units of the report and of the logs.
const MILLISECOND: f64 = 1e6;
const MICROSECOND: f64 = 1e3;
/// Name of the benchmark for several scripts together.
const TOTAL: &str = "total";

/// pgbench's report and logs.
pub struct Pgbench;

impl Format for Pgbench {
    fn name(&self) -> &'static str {
        "pgbench"
    }

    fn produced_by(&self) -> &'static str {
        "pgbench -T 10 [-P 1] [-f SCRIPT] > FILE, or the logs of pgbench -l [--aggregate-interval=1]"
    }

    fn metrics(&self) -> &'static str {
        "per script and in total: time:mean, throughput (with -P a sample per interval), error-rate, \
         with --max-tries also retried, with -R also time:lag, skipped, over-limit; -l: time, a sample per transaction; --aggregate-interval: \
         time:mean, throughput"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let begins = |start: &str| preview.lines().any(|line| line.starts_with(start));
        begins("transaction type: ") && begins("scaling factor: ")
            || preview.lines().next().and_then(detect_log).is_some()
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("pgbench", source);
        match text.lines().find_map(detect_log) {
            Some(LogType::Transactions) => read_transactions(&text, &mut builder),
            Some(LogType::Intervals) => read_intervals(&text, &mut builder),
            None => read_report(&text, &mut builder),
        }
        builder.finish()
    }
}

enum LogType {
    Transactions,
    Intervals,
}

/// Seconds since 1970; their size distinguishes them from counts and latencies.
fn epoch(word: &str) -> Option<u64> {
    word.parse().ok().filter(|seconds| (1_000_000_000..10_000_000_000).contains(seconds))
}

/// The log that a line belongs to: `client transaction latency script seconds microseconds [lag] [retries]`, or
/// `seconds transactions sum squares min max ...` with 6 or more columns.
fn detect_log(line: &str) -> Option<LogType> {
    let words: Vec<&str> = line.split(' ').collect();
    let whole = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if (6..=15).contains(&words.len()) && words.iter().all(whole) && epoch(words[0]).is_some() {
        return Some(LogType::Intervals);
    }
    let below_a_second = |word: &str| word.parse().is_ok_and(|micros: u64| micros < 1_000_000);
    let shape = (6..=8).contains(&words.len())
        && words.iter().enumerate().all(|(at, word)| at == 2 || whole(word))
        && (whole(&words[2]) || is_incomplete(words[2]))
        && epoch(words[4]).is_some()
        && below_a_second(words[5]);
    shape.then_some(LogType::Transactions)
}

/// The state of a transaction that was late and not sent.
const SKIPPED: &str = "skipped";

/// The share of such transactions. In a test of fixed duration, their number depends on the total number.
fn skipped_rate() -> Metric {
    Metric { name: SKIPPED.into(), ..error_rate() }
}

/// Whether the latency column contains the state of a transaction that did not complete.
fn is_incomplete(word: &str) -> bool {
    matches!(word, SKIPPED | "failed" | "serialization" | "deadlock" | "serialization_failure" | "deadlock_failure")
}

fn read_transactions(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut scripts: BTreeMap<u64, (Vec<f64>, f64, f64)> = BTreeMap::new();
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        let words: Vec<&str> = line.split(' ').collect();
        let (Some(LogType::Transactions), Some(script)) = (detect_log(line), words.get(3).and_then(|w| w.parse().ok()))
        else {
            builder.warn("unreadable-line", format!("`{line}` is not a line of a pgbench -l log"));
            continue;
        };
        let (times, errors, skipped) = scripts.entry(script).or_default();
        match (number(words[2]), words[2]) {
            (Some(latency), _) => times.push(latency * MICROSECOND),
            // With `--rate` and `--latency-limit`, one that was late and not sent.
            (None, SKIPPED) => *skipped += 1.0,
            (None, _) => *errors += 1.0,
        }
    }
    for (script, (times, errors, skipped)) in scripts {
        let name = format!("script {script}");
        let all = times.len() as f64 + errors;
        if skipped > 0.0 {
            builder.add(&name, skipped_rate(), [share(skipped, all + skipped)]);
        }
        if !times.is_empty() {
            builder.add(&name, response_time("time"), [Evidence::Samples(times)]);
        }
        add_errors(builder, &name, Some(errors), Some(all));
    }
}

/// Sums all intervals. Rates exclude the first and last interval, which are incomplete.
fn read_intervals(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut intervals: Vec<(f64, f64)> = Vec::new();
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let (mut least, mut most) = (f64::INFINITY, 0.0f64);
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        let values: Option<Vec<f64>> = line.split(' ').map(number).collect();
        let (Some(LogType::Intervals), Some([start, n, s, q, min, max, ..])) = (detect_log(line), values.as_deref())
        else {
            builder.warn("unreadable-line", format!("`{line}` is not a line of a pgbench --aggregate-interval log"));
            continue;
        };
        intervals.push((*start, *n));
        if *n > 0.0 {
            (count, sum, squares) = (count + n, sum + s, squares + q);
            (least, most) = (least.min(*min), most.max(*max));
        }
    }
    if count > 0.0 {
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0);
        let summary = Summary {
            centre: mean * MICROSECOND,
            mean: Some(mean * MICROSECOND),
            sd: Some(variance.sqrt() * MICROSECOND),
            samples: Some(count as u64),
            quantiles: vec![(0.0, least * MICROSECOND), (1.0, most * MICROSECOND)],
        };
        builder.add(TOTAL, response_time("time:mean"), [Evidence::summary(summary)]);
        builder.add(TOTAL, response_time("time:max"), [Evidence::Value(most * MICROSECOND)]);
    }
    let whole = intervals.windows(2).skip(1).filter(|pair| pair[1].0 > pair[0].0);
    let rates: Vec<f64> = whole.map(|pair| pair[0].1 / (pair[1].0 - pair[0].0)).collect();
    if !rates.is_empty() {
        builder.add(TOTAL, Metric::throughput(), [Evidence::Samples(rates)]);
    }
}

/// Reads reports: all scripts together, then, if there are several, each one after `SQL script N: NAME`.
fn read_report(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut endpoints = Endpoints::default();
    let mut run = Endpoint::default();
    let mut progress: Vec<f64> = Vec::new();
    let errors = Errors::of(text);
    let mut reports = 0..;
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        // The lines of a script begin with a dash.
        let line = line.trim_start().trim_start_matches("- ");
        if let Some(kind) = line.strip_prefix("transaction type: ") {
            // Progress lines precede their report, so they are kept here; another report may follow.
            let name = if kind == "multiple scripts" { TOTAL } else { kind }.to_owned();
            let aborted = reports.next().and_then(|report| errors.aborted.get(&report));
            let failure = aborted.map(|&why| why.to_owned());
            endpoints
                .push(builder.line, std::mem::replace(&mut run, Endpoint { name, failure, ..Endpoint::default() }));
        } else if let Some((_, name)) = line.strip_prefix("SQL script ").and_then(|rest| rest.split_once(": ")) {
            let (settings, failure) = (run.settings.clone(), run.failure.clone());
            let script = Endpoint { name: name.to_owned(), settings, failure, ..Endpoint::default() };
            endpoints.push(builder.line, std::mem::replace(&mut run, script));
        } else if line.starts_with("progress: ") {
            match between(line, " s, ", " tps") {
                Some(rate) => progress.push(rate),
                None => builder.warn("unreadable-line", format!("`{line}` has no transaction rate")),
            }
        } else if !run.name.is_empty() && read_report_line(&mut run, line, &mut progress).is_none() {
            builder.warn("unreadable-line", format!("`{line}` has no valid number where pgbench prints one"));
        }
    }
    endpoints.push(builder.line, run);
    endpoints.add_to(builder);
    if let Some((line, why)) = errors.last {
        builder.line = Some(line);
        builder.end_early(EndScope::Suite, why);
    }
}

/// Reads one line of a report; `None` if a relevant line has an invalid number.
fn read_report_line(run: &mut Endpoint, line: &str, progress: &mut Vec<f64>) -> Option<()> {
    let value = |text: &str| text.split_whitespace().next().and_then(number);
    let time = |text: &str| value(text).map(|time| time * MILLISECOND);
    if let Some(rest) = after_label(line, "latency average") {
        run.mean = Some(time(rest)?);
    } else if let Some(rest) = after_label(line, "latency stddev") {
        run.sd = Some(time(rest)?);
    } else if let Some((setting, value)) = load(line) {
        run.settings.push((setting, value.to_owned()));
    } else if let Some(rest) = after_label(line, "tps") {
        // Old versions print two rates; the first one includes the time to connect.
        if !rest.contains("including connections") {
            let samples = std::mem::take(progress);
            let whole = Evidence::Value(value(rest)?);
            run.rate = Some(if samples.len() > 1 { Evidence::Samples(samples) } else { whole });
        }
    } else if let Some(rest) = line.strip_prefix("number of transactions actually processed: ") {
        set_count(run, rest.split(['/', ' ']).next().and_then(number)?);
        if rest.contains("(tps = ") {
            run.rate = Some(Evidence::Value(between(rest, "(tps = ", ")")?)); // of a script, from version 18 on
        }
    } else if let Some(rest) = line.strip_prefix("number of failed transactions: ") {
        run.errors = Some(value(rest)?);
        // The processed transactions do not include the failed ones.
        run.requests = run.requests.map(|processed| processed + run.errors.unwrap_or(0.0));
    } else if let Some((count, rest)) = line.split_once(" transactions (") {
        set_count(run, number(count)?);
        if rest.contains("tps = ") {
            run.rate = Some(Evidence::Value(between(rest, "tps = ", ")")?));
        }
    } else if line.starts_with("number of transactions skipped: ") {
        run.others.push((skipped_rate(), Evidence::Value(between(line, "(", "%)")?)));
    } else if line.starts_with("number of transactions retried: ") {
        let metric = Metric { name: "retried".into(), ..error_rate() };
        run.others.push((metric, Evidence::Value(between(line, "(", "%)")?)));
    } else if line.starts_with("number of transactions above the ") {
        let metric = Metric { name: "over-limit".into(), ..error_rate() };
        run.others.push((metric, Evidence::Value(between(line, "(", "%)")?)));
    } else if let Some(rest) = line.strip_prefix("rate limit schedule lag: avg ") {
        run.others.push((response_time("time:lag"), Evidence::Value(time(rest)?)));
    }
    Some(())
}

/// A setting of the load, and its value.
fn load(line: &str) -> Option<(&'static str, &str)> {
    const LOAD: [(&str, &str); 3] =
        [("scaling factor", "scale"), ("query mode", "query-mode"), ("number of clients", "clients")];
    let (key, value) = line.split_once(": ")?;
    LOAD.iter().find(|(label, _)| *label == key).map(|(_, setting)| (*setting, value.trim()))
}

fn set_count(run: &mut Endpoint, count: f64) {
    run.requests = Some(count);
    run.samples = Some(count as u64);
}

/// The text after `label = ` or `label: `; the separator differs between versions.
fn after_label<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(label)?;
    rest.strip_prefix(" = ").or(rest.strip_prefix(": "))
}

/// The number between two texts.
fn between(text: &str, before: &str, after: &str) -> Option<f64> {
    let (_, rest) = text.split_once(before)?;
    number(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Pgbench.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    fn evidence<'r>(reading: &'r Reading, benchmark: &str, metric: &str) -> Option<&'r Evidence> {
        let found = |m: &&crate::model::Measurement| m.benchmark.as_str() == benchmark && m.metric.name == metric;
        reading.measurements.iter().find(found).map(|m| &m.evidence[0])
    }

    #[test]
    fn the_rate_of_an_old_report_excludes_connecting() {
        let text = "transaction type: <builtin: TPC-B (sort of)>\nscaling factor: 1\n\
            number of transactions actually processed: 90/100\nnumber of failed transactions: 10 (10.000%)\n\
            latency average: 2.500 ms\ntps = 10.0 (including connections establishing)\n\
            tps = 12.0 (excluding connections establishing)\n";
        let reading = parse(text).unwrap();
        let name = "<builtin: TPC-B (sort of)>";
        assert_eq!(evidence(&reading, name, "throughput"), Some(&Evidence::Value(12.0)));
        assert_eq!(evidence(&reading, name, "error-rate"), Some(&share(10.0, 100.0)));
        assert!(matches!(evidence(&reading, name, "time:mean"), Some(Evidence::Summary(s)) if s.centre == 2.5e6));
    }

    #[test]
    fn a_script_of_version_18_has_its_rate_on_the_line_of_processed_transactions() {
        let text = "transaction type: multiple scripts\nscaling factor: 1\nSQL script 1: a.sql\n\
            \x20- 72000 transactions (49.8% of total)\n\
            \x20- number of transactions actually processed: 71000 (tps = 1183.333333)\n\
            \x20- number of failed transactions: 1000 (1.389%)\n - number of transactions retried: 500 (0.694%)\n\
            \x20- total number of retries: 600\n - latency average = 6.500 ms\n";
        let reading = parse(text).unwrap();
        assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
        assert_eq!(evidence(&reading, "a.sql", "throughput"), Some(&Evidence::Value(1183.333333)));
        assert_eq!(evidence(&reading, "a.sql", "error-rate"), Some(&share(1000.0, 72000.0)));
        assert_eq!(evidence(&reading, "a.sql", "retried"), Some(&Evidence::Value(0.694)));
    }

    #[test]
    fn a_failed_transaction_is_an_error_of_its_script_and_a_skipped_one_is_not() {
        let text = "0 1 4695 3 1795252261 112844\n0 2 failed 3 1795252261 112845\nbroken\n\
            0 3 skipped 3 1795252261 112846\n0 4 skipped 3 1795252261 112847\n";
        let reading = parse(text).unwrap();
        assert_eq!(evidence(&reading, "script 3", "time"), Some(&Evidence::Samples(vec![4695e3])));
        assert_eq!(evidence(&reading, "script 3", "error-rate"), Some(&share(1.0, 2.0)));
        assert_eq!(evidence(&reading, "script 3", "skipped"), Some(&share(2.0, 4.0)));
        assert_eq!(reading.diagnostics[0].place, "x:3");
    }

    #[test]
    fn intervals_are_summed_and_incomplete_ones_give_no_rate() {
        let text = "1795252264 2 20 202 9 11\n1795252266 4 40 400 10 10\n1795252268 1 10 100 10 10\n";
        let reading = parse(text).unwrap();
        // Seven transactions, all of 10 but one of 9 and one of 11: mean 10, variance 2 / 7.
        let Some(Evidence::Summary(summary)) = evidence(&reading, "total", "time:mean") else { panic!() };
        assert_eq!((summary.centre, summary.samples), (10e3, Some(7)));
        assert!((summary.sd.unwrap() - (2.0f64 / 7.0).sqrt() * 1e3).abs() < 1e-6);
        assert_eq!(evidence(&reading, "total", "throughput"), Some(&Evidence::Samples(vec![2.0])));
    }
}
