//! What an unknown file resembles: other output of a known tool, or its results cut short.

use super::{FORMATS, Preview, criterion};

/// A format, and words that occur together only in files of its tool.
type Mark = (&'static str, &'static [&'static str]);

/// The first match counts, so rarer words come first.
const MARKS: &[Mark] = &[
    ("criterion", &["\"iters\"", "\"times\""]),
    ("criterion", &["\"confidence_interval\"", "\"point_estimate\"", "\"median_abs_dev\""]),
    ("criterion", &["\"group_id\"", "\"full_id\""]),
    ("k6", &["http_req_duration", "avg="]),
    ("k6", &["\"type\":\"Metric\"", "\"metric\":\"http_req"]),
    ("k6", &["\"type\":\"Point\"", "\"metric\":\"http_req"]),
    ("k6", &["metric_name,timestamp,metric_value"]),
    ("autocannon", &["Running ", "test @ ", "connections", "\u{2502} Stat"]),
    ("wrk", &["Running ", "test @ ", " threads and "]),
    ("vegeta", &["Requests ", "[total, rate"]),
    ("bombardier", &["Bombarding "]),
    ("ghz", &["Requests/sec:", "Status code distribution:", "[OK]"]),
    ("oha", &["Success rate:", "Slowest:", "Requests/sec:"]),
    ("artillery", &["http.response_time:"]),
    ("artillery", &["http.codes.", "vusers.created"]),
    ("gatling", &["---- Global Information ---"]),
    ("gatling", &["Gatling Stats"]),
    ("locust", &["Aggregated", "# reqs", "# fails"]),
    ("siege", &["Transactions:", "Availability:", "Elapsed time:"]),
    ("h2load", &["starting benchmark...", "Application protocol:"]),
    ("ab", &["This is ApacheBench"]),
    ("jmeter", &["<jmeterTestPlan"]),
    ("jmeter", &["Generate Summary Results"]),
    ("fio", &["fio-", "IOPS="]),
    ("fio", &[";fio-"]),
    ("redis-benchmark", &["requests completed in", "parallel clients"]),
    ("redis-benchmark", &["requests per second", "p50="]),
    ("sysbench", &["sysbench 1."]),
    ("sysbench", &["sysbench 0."]),
    ("pgbench", &["pgbench (PostgreSQL)"]),
    ("pgbench", &["starting vacuum", "transaction type:"]),
    ("lighthouse", &["__LIGHTHOUSE_JSON__"]),
    ("lighthouse", &["\"isRepresentativeRun\"", "\"jsonPath\""]),
    ("vitest-bench", &["hz", "min", "max", "mean", "p75", "p99", "rme", "samples"]),
    ("tinybench", &["(index)", "Task name"]),
    ("tinybench", &["(index)", "Task Name"]),
    ("mitata", &["runtime: ", "cpu: ", "clk: "]),
    ("google-benchmark", &["Run on (", " X ", "MHz CPU s"]),
    ("google-benchmark", &["UserCounters..."]),
    ("hyperfine", &["Benchmark 1: "]),
    ("hyperfine", &["Benchmark #1: "]),
    ("celero", &["Prob. Space", "us/Iteration"]),
    ("celero", &["Celero", "Writing results to"]),
    ("benchmarkdotnet", &["// BenchmarkDotNet"]),
    ("benchmarkdotnet", &["// ***** BenchmarkRunner"]),
    ("benchmarkdotnet", &["WorkloadResult", "WorkloadActual"]),
    ("jmh", &["# JMH version:"]),
    ("jmh", &["# Warmup Iteration "]),
    ("benchmarktools", &["BenchmarkTools.Trial"]),
    ("benchmark-ips", &["Warming up ---", "Calculating ---"]),
    ("pyperf", &["Mean +- std dev:"]),
    ("asv", &["asv compare"]),
    ("asv", &["Change", "Before", "After", "Ratio", "Benchmark (Parameter)"]),
    ("time-v", &["real\t", "user\t", "sys\t"]),
    ("perf-stat", &["PERFILE2"]),
    ("perf-stat", &["Performance counter stats for"]),
    ("gungraun", &["# callgrind format"]),
    ("divan", &["fastest", "slowest", "median", "mean", "samples"]),
    ("catch2", &["benchmark name", "iterations"]),
    ("go-bench", &["goos: ", "goarch: "]),
    ("junit-xml", &["test session starts"]),
    ("bencher", &["running ", " tests", "test result: "]),
    ("cargo-criterion", &["\"reason\":\"benchmark-start\""]),
];

/// A known format, and the command that writes it.
pub type Resemblance = (&'static str, &'static str);

/// The known format that a file resembles, and the command that writes it.
pub fn resemblance(bytes: &[u8]) -> Option<Resemblance> {
    let text = Preview::of(bytes).text;
    let (name, _) = MARKS.iter().find(|(_, words)| words.iter().all(|word| text.contains(word)))?;
    if *name == criterion::NAME {
        return Some((criterion::NAME, criterion::ABOUT[1]));
    }
    let format = FORMATS.iter().find(|format| format.name() == *name)?;
    Some((format.name(), format.produced_by()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_names_a_format() {
        for (name, words) in MARKS {
            assert!(*name == criterion::NAME || FORMATS.iter().any(|format| format.name() == *name), "{name}");
            assert_eq!(resemblance(words.join(" ").as_bytes()).map(|(name, _)| name), Some(*name), "{words:?}");
        }
        assert_eq!(resemblance(b"The benchmark took 3 ms"), None);
    }
}
