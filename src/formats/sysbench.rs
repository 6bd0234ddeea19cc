//! sysbench's reports: throughput and latency. A file may contain several reports; reports of the same test are further runs.

use super::builder::ReadingBuilder;
use super::load_test::{Endpoint, Endpoints};
use super::text::{number, numbered_lines};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use std::collections::BTreeSet;

/// Nanoseconds in sysbench's unit of time.
const MILLISECOND: f64 = 1e6;
/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// sysbench's reports.
#[derive(Debug)]
pub struct Sysbench;

impl Format for Sysbench {
    fn name(&self) -> &'static str {
        "sysbench"
    }

    fn produced_by(&self) -> &'static str {
        "sysbench TEST run > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput (transactions, operations or events per second), queries, reads, writes, fsyncs, time:p95/max, time:mean, \
         error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let marks = ["General statistics:", "Test execution summary:", "\nFATAL: "];
        preview.lines().any(is_banner) && marks.iter().any(|mark| preview.text.contains(mark))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut reports: Vec<Report> = Vec::new();
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if is_banner(line) {
                reports.push(Report::default());
            } else if let Some(report) = reports.last_mut()
                && report.read_line(line)
            {
                builder.note_result();
            }
        }
        builder.line = None;
        let names: Vec<String> = reports.iter().map(|report| report.name(&reports)).collect();
        let mut endpoints = Endpoints::default();
        for (report, name) in reports.into_iter().zip(names) {
            endpoints.push(None, report.endpoint(name, &mut builder));
        }
        endpoints.add_to(&mut builder);
        builder.finish()
    }
}

/// The first line of a report, such as `sysbench 1.0.20 (using system LuaJIT 2.1.0-beta3)`.
fn is_banner(line: &str) -> bool {
    line.strip_prefix("sysbench ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The test of a report, which contains no name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Test {
    Cpu,
    Memory,
    FileIo,
    Sql,
    /// The reports of other tests, such as mutex and threads, do not differ.
    #[default]
    Other,
}

impl Test {
    /// The test whose report has this line.
    fn of(line: &str) -> Option<Test> {
        const MARKS: [(&str, Test); 8] = [
            ("Prime numbers limit:", Test::Cpu),
            ("CPU speed:", Test::Cpu),
            ("Running memory speed test", Test::Memory),
            ("Memory operations type:", Test::Memory),
            ("Extra file open flags:", Test::FileIo),
            ("File operations:", Test::FileIo),
            ("SQL statistics:", Test::Sql),
            ("OLTP test statistics:", Test::Sql),
        ];
        MARKS.iter().find(|(mark, _)| line.starts_with(mark)).map(|(_, test)| *test)
    }

    fn name(self) -> &'static str {
        match self {
            Test::Cpu => "cpu",
            Test::Memory => "memory",
            Test::FileIo => "fileio",
            Test::Sql => "sql",
            Test::Other => "other",
        }
    }
}

/// The values of a report. Times are in nanoseconds. With `--report-checkpoints`, a report has its values several times; the
/// last ones count.
#[derive(Default)]
struct Report {
    test: Test,
    threads: String,
    rate: Option<f64>,
    /// The seconds in which the events were processed.
    total_time: Option<f64>,
    events: Option<f64>,
    errors: Option<f64>,
    min: Option<f64>,
    mean: Option<f64>,
    /// The sum of all latencies, which has more digits than their mean.
    sum: Option<f64>,
    max: Option<f64>,
    percentile: Option<(f64, f64)>,
    /// Rates of single kinds of operations.
    operations: Vec<(&'static str, f64)>,
    /// The error that ended the run.
    fatal: Option<String>,
}

impl Report {
    /// Reads one line. True if it has a result.
    fn read_line(&mut self, line: &str) -> bool {
        let line = line.trim();
        self.test = Test::of(line).unwrap_or(self.test);
        let Some((key, value)) = line.split_once(':') else { return false };
        let value = value.trim();
        let per_second = || number(value.split_once('(')?.1.split(' ').next()?);
        // Versions before 1.0 print the unit: `2.10ms`.
        let time = || text::time(value).or_else(|| Some(number(value)? * MILLISECOND));
        // Version 1.1 prints `read:  IOPS=1997.58 31.21 MiB/s`; 1.0 prints `reads/s: 1997.58`.
        let iops = || number(value.strip_prefix("IOPS=")?.split(' ').next()?);
        match key {
            "Number of threads" => value.clone_into(&mut self.threads),
            // The memory test prints operations, versions before 1.0 under another name.
            "transactions" | "Total operations" | "Operations performed" => self.rate = per_second().or(self.rate),
            "events per second" | "events/s (eps)" => self.rate = number(value).or(self.rate),
            "queries" => self.set_operations("queries", per_second()),
            "reads/s" => self.set_operations("reads", number(value)),
            "writes/s" => self.set_operations("writes", number(value)),
            "fsyncs/s" => self.set_operations("fsyncs", number(value)),
            "read" => self.set_operations("reads", iops()),
            "write" => self.set_operations("writes", iops()),
            "fsync" => self.set_operations("fsyncs", iops()),
            "total time" => self.total_time = text::time(value).or_else(|| Some(number(value)? * SECOND)),
            "total number of events" => self.events = number(value),
            "ignored errors" => self.errors = value.split(' ').next().and_then(number),
            "min" => self.min = time(),
            "avg" => self.mean = time(),
            "max" => self.max = time(),
            "sum" => self.sum = time(),
            "FATAL" => {
                self.fatal.get_or_insert_with(|| value.to_owned());
            }
            _ => match percentile(key).zip(time()) {
                Some(quantile) => self.percentile = Some(quantile),
                None => return false,
            },
        }
        true
    }

    fn set_operations(&mut self, name: &'static str, rate: Option<f64>) {
        self.operations.retain(|(known, _)| *known != name);
        // A test of reads prints `writes/s: 0.00`.
        self.operations.extend(rate.filter(|rate| *rate > 0.0).map(|rate| (name, rate)));
    }

    /// The name of the benchmark. It includes the test if the file has reports of several tests.
    fn name(&self, all: &[Report]) -> String {
        // A run that ended in an error may not have printed what its test is.
        let completed = all.iter().filter(|report| report.fatal.is_none());
        let tests: BTreeSet<Test> = completed.map(|report| report.test).collect();
        if tests.len() > 1 { format!("sysbench/{}", self.test.name()) } else { "sysbench".to_owned() }
    }

    fn endpoint(self, name: String, builder: &mut ReadingBuilder<'_>) -> Endpoint {
        let events = self.events.filter(|events| *events > 0.0);
        // Some tests do not print a rate.
        let seconds = self.total_time.filter(|time| *time > 0.0).map(|time| time / SECOND);
        let rate = self.rate.or_else(|| Some(events? / seconds?));
        let exact_mean = self.sum.zip(events).map(|(sum, events)| sum / events);
        let (percentile, maximum) = (self.percentile, self.max.map(|max| (1.0, max)));
        let mut is_too_coarse = |what: &str, time: f64| {
            if time == 0.0 {
                let message = format!("the {what} of `{name}` is 0.00 ms, below sysbench's resolution; skipped");
                builder.note("too-coarse", message);
            }
            time == 0.0
        };
        let mean = exact_mean.or(self.mean).filter(|mean| !is_too_coarse("mean latency", *mean));
        let percentile = percentile.filter(|(_, time)| !is_too_coarse("latency percentile", *time));
        let maximum = maximum.filter(|(_, time)| !is_too_coarse("highest latency", *time));
        let minimum = self.min.filter(|min| *min > 0.0).map(|min| (0.0, min));
        let operation =
            |(name, rate)| (Metric::measured(name, Unit::PerSecond, Direction::Higher), Evidence::Value(rate));
        let threads = Some(self.threads).filter(|count| !count.is_empty());
        Endpoint {
            name,
            requests: self.events,
            errors: self.errors,
            rate: rate.map(Evidence::Value),
            mean,
            quantiles: [minimum, percentile, maximum].into_iter().flatten().collect(),
            settings: threads.map(|count| ("threads", count)).into_iter().collect(),
            others: self.operations.into_iter().map(operation).collect(),
            failure: self.fatal,
            ..Endpoint::default()
        }
    }
}

/// The share of `95th percentile` or, before version 1.0, `approx.  95 percentile`.
fn percentile(key: &str) -> Option<f64> {
    let percent = key.strip_suffix("percentile")?.split_whitespace().last()?;
    number(percent.trim_end_matches("th")).map(|percent| percent / 100.0).filter(|share| (0.0..1.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading {
        let source = Source { name: "x", bytes: text.as_bytes() };
        assert!(Sysbench.sniff(&Preview::of(source.bytes)));
        Sysbench.parse(source).unwrap()
    }

    fn values(reading: &Reading, name: &str, metric: &str) -> Vec<f64> {
        let is_it = |one: &&crate::model::Measurement| one.benchmark.as_str() == name && one.metric.name == metric;
        let found = reading.measurements.iter().find(is_it);
        found.into_iter().flat_map(|one| &one.evidence).map(|evidence| evidence.centre().round()).collect()
    }

    #[test]
    fn times_of_versions_before_1_0_are_read() {
        let text = "sysbench 0.5:  multi-threaded system evaluation benchmark\n    transactions:    100 (16.32 per sec.)\n\
            General statistics:\n    total number of events:   100\n    response time:\n         min:     2.10ms\n\
         avg:     9.60ms\n         max:     123.45ms\n         approx.  95 percentile:     15.43ms\n";
        let reading = read(text);
        assert_eq!(values(&reading, "sysbench", "throughput"), [16.0]);
        assert_eq!(values(&reading, "sysbench", "time:p95"), [15_430_000.0]);
        assert_eq!(values(&reading, "sysbench", "time:mean"), [9_600_000.0]);
        assert_eq!(values(&reading, "sysbench", "time:max"), [123_450_000.0]);
    }

    fn report(threads: u32, middle: &str, events: u32, mean: &str) -> String {
        format!(
            "sysbench 1.0.20 (using LuaJIT)\n\nNumber of threads: {threads}\n{middle}\nGeneral statistics:\n    total time:  \
             2.0000s\n    total number of events:   {events}\n\nLatency (ms):\n         min:    0.00\n         avg:    {mean}\n\
             \x20        max:   8.01\n         95th percentile:    0.00\n         sum:  {:.2}\n",
            f64::from(events) * mean.parse::<f64>().unwrap()
        )
    }

    #[test]
    fn each_report_of_a_test_is_a_run() {
        let cpu = |rate: u32, mean| report(1, &format!("CPU speed:\n    events per second: {rate}.00"), 100, mean);
        let reading = read(&(cpu(13_000, "2") + &cpu(7_000, "4")));
        assert_eq!(values(&reading, "sysbench", "throughput"), [13_000.0, 7_000.0]);
        assert_eq!(values(&reading, "sysbench", "time:mean"), [2e6, 4e6]);
        assert_eq!(values(&reading, "sysbench", "time:max"), [8_010_000.0; 2]);
    }

    #[test]
    fn reports_of_several_tests_and_threads_are_several_benchmarks() {
        let memory = |threads| report(threads, "Total operations: 4194304 (5700068.68 per second)", 4_194_304, "0.0");
        let text = "Running memory speed test with the following options:\n";
        let memory = |threads| memory(threads).replace("Total", &format!("{text}\nTotal"));
        let reading = read(&(report(1, "CPU speed:\n    events per second: 5.00", 100, "2") + &memory(1)));
        assert_eq!(values(&reading, "sysbench/cpu", "throughput"), [5.0]);
        assert_eq!(values(&reading, "sysbench/memory", "throughput"), [5_700_069.0]);
        let reading = read(&(memory(1) + &memory(16)));
        assert_eq!(values(&reading, "sysbench/threads=16", "throughput"), [5_700_069.0]);
    }

    #[test]
    fn a_test_without_a_rate_has_that_of_its_events() {
        let reading = read(&report(2, "", 1159, "3.45"));
        assert_eq!(values(&reading, "sysbench", "throughput"), [580.0]);
    }

    #[test]
    fn the_rates_of_file_operations_are_read_from_versions_1_0_and_1_1() {
        for text in [
            "File operations:\n    reads/s:    1997.58\n    writes/s:   0.00\n    fsyncs/s:   267.34\n",
            "Throughput:\n         read:  IOPS=1997.58 31.21 MiB/s (32.73 MB/s)\n         write: IOPS=0.00 0.00 MiB/s\n\
             \x20        fsync: IOPS=267.34\n",
        ] {
            let reading = read(&report(1, text, 100, "0.28"));
            let value = |metric| values(&reading, "sysbench", metric);
            assert_eq!((value("reads"), value("writes"), value("fsyncs")), (vec![1998.0], vec![], vec![267.0]));
        }
    }

    #[test]
    fn a_latency_below_the_resolution_is_not_a_measurement() {
        let reading = read(&report(1, "Total operations: 100 (50.00 per second)", 100, "0.0"));
        let metrics: Vec<&str> = reading.measurements.iter().map(|one| &*one.metric.name).collect();
        assert_eq!(metrics, ["throughput", "time:max"]);
        assert!(reading.diagnostics.iter().all(|one| one.code == "too-coarse") && reading.diagnostics.len() == 2);
        // The sum of the latencies has more digits than their mean.
        let text = report(1, "", 4_194_304, "0.0").replace("sum:  0.00", "sum:  226.98");
        let mean = values(&read(&text), "sysbench", "time:mean");
        assert_eq!(mean, [54.0]);
    }

    #[test]
    fn a_run_that_ended_in_an_error_failed() {
        let fatal = "sysbench 1.0.20 (using LuaJIT)\n\nNumber of threads: 1\n\n\
            FATAL: mysql_drv_query() returned error 1205 (Lock wait timeout exceeded)\nFATAL: `thread_run' function failed\n";
        let reading = read(&(report(1, "SQL statistics:\n    transactions:  100 (16.32 per sec.)", 100, "2") + fatal));
        let failed = &reading.failures.benchmarks[0];
        assert_eq!(failed.why, "mysql_drv_query() returned error 1205 (Lock wait timeout exceeded)");
    }
}
