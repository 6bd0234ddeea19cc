//! Input formats: each one turns the bytes of a result file into measurements. [`FORMATS`] lists them all, except
//! criterion, whose results are a directory tree that `io` reads with the functions in [`criterion`].

mod ab;
mod artillery;
mod asv;
mod asv_text;
mod autocannon;
mod bencher;
mod bencher_bmf;
mod benchmark_driver;
mod benchmark_ips;
mod benchmarkdotnet;
mod benchmarkdotnet_header;
mod benchmarkdotnet_table;
mod benchmarkjs;
mod benchmarktools;
mod bombardier;
mod builder;
pub mod callgrind;
mod callgrind_text;
mod cargo_criterion;
mod catch2;
mod celero;
pub mod cprofile;
mod critcmp;
pub mod criterion;
mod criterion_raw;
pub mod criterion_store;
mod criterion_text;
mod csv;
mod dart_benchmark;
mod deno_bench;
mod direction_words;
mod divan;
mod fields;
mod fio;
mod gatling;
mod ghz;
mod github_action_benchmark;
mod go_bench;
mod google_benchmark;
mod gungraun;
mod h2load;
mod hyperfine;
mod hyperfine_csv;
mod hyperfine_markdown;
mod hyperfine_text;
mod iai_callgrind;
mod jmeter;
mod jmeter_statistics;
mod jmh;
mod jmh_csv;
mod jmh_text;
pub mod json;
mod junit_xml;
mod k6;
mod lighthouse;
mod load_test;
mod localized;
mod locust;
mod machine;
pub mod marshal;
mod memory_profiler;
mod metric_by_unit;
mod mitata;
mod mprof;
mod nanobench;
mod nanobench_table;
mod oha;
mod perf_stat;
mod perfgate_run;
mod pgbench;
mod preview;
mod pyperf;
mod pytest_benchmark;
mod pytest_benchmark_table;
mod radon;
mod redis_benchmark;
mod resemblance;
mod result_lines;
mod ruby_benchmark;
mod run_error;
mod siege;
mod sqlalchemy_echo;
pub mod stated_time;
mod surroundings;
mod sysbench;
mod table_text;
mod tango;
mod text;
mod time_v;
mod timeit;
mod tinybench;
mod vegeta;
mod vitest_bench;
mod wrk;
mod xml;

pub use github_action_benchmark::{HistoryRun, history_runs};
pub(crate) use go_bench::joined_lines as joined_lines_of_go;
pub use preview::Preview;
pub use resemblance::{Resemblance, resemblance};
pub use surroundings::{Surroundings, without_timestamps};
pub use text::utf8;

use crate::model::{
    BenchId, Commit, CommitPrefix, Diagnostic, EarlyEnd, EndScope, Environment, Failures, Measurement, Statement, Tests,
};
use run_error::{ProgressLines, run_error};
use std::collections::BTreeMap;

/// The content of a file, with its name for messages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name of the file as the user gave it.
    pub name: &'a str,
    /// Content of the file.
    pub bytes: &'a [u8],
}

/// Code of the warning about files of one run that state different machines.
const SEVERAL_MACHINES: &str = "stated-machines";

/// What was read from a file.
#[derive(Debug, Default)]
pub struct Reading {
    /// The measurements. Empty only for additional files that a tool writes next to its results, and where everything failed;
    /// any other file without a measurement is an error of [`Format::parse`].
    pub measurements: Vec<Measurement>,
    /// The number of measurements of each file, in their order, where several were merged.
    pub measurements_per_file: Vec<usize>,
    /// Problems in the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The machine and runtime, as far as the file describes them.
    pub environment: Environment,
    /// The measured commit, if the file states it.
    pub commit: Option<Commit>,
    /// The first digits of the commit's id, if the file states no more of it.
    pub commit_prefix: Option<CommitPrefix>,
    /// When it was measured, if the file states it, in seconds since 1970.
    pub measured: Option<i64>,
    /// The latest time at which all of it can have been measured, if every file states when.
    pub latest: Option<i64>,
    /// What the tool reports as failed.
    pub failures: Failures,
    /// Versions of benchmarks, where the tool states them.
    pub versions: BTreeMap<BenchId, Box<str>>,
    /// Benchmarks with a value that is not a valid result.
    pub unreadable: Vec<BenchId>,
    /// True if a part of the results could not be read: a missing benchmark may be in it.
    pub is_incomplete: bool,
    /// Numbers of passed and failed tests; `None` unless the file is a test report.
    pub tests: Option<Tests>,
    /// Database statements that ran many times; `None` unless the file is a log of statements.
    pub repeated: Option<Vec<Statement>>,
}

impl Reading {
    /// Merges two readings. If both state the environment or the commit, that of the first is used; of two times, the
    /// later one.
    pub fn merge(mut self, other: Reading) -> Reading {
        self.latest = match [&self, &other].map(|one| one.measurements.is_empty() && one.failures.is_empty()) {
            [true, _] => other.latest,
            [_, true] => self.latest,
            _ => self.latest.zip(other.latest).map(|(own, other)| own.max(other)),
        };
        let benchmarks = other.measurements.iter().map(|one| (&*one.tool, one.benchmark.as_str()));
        self.environment.merge_conditions(&other.environment, benchmarks);
        if self.measurements_per_file.is_empty() {
            self.measurements_per_file.push(self.measurements.len());
        }
        self.measurements_per_file.extend(if other.measurements_per_file.is_empty() {
            vec![other.measurements.len()]
        } else {
            other.measurements_per_file
        });
        self.measurements.extend(other.measurements);
        self.diagnostics.extend(other.diagnostics);
        self.failures.extend(other.failures);
        self.unreadable.extend(other.unreadable);
        self.is_incomplete |= other.is_incomplete;
        self.versions.extend(other.versions);
        for (key, value) in other.environment.0 {
            let decisive = Environment::CLASS.contains(&key.as_str());
            let first = self.environment.0.entry(key).or_insert_with(|| value.clone());
            if decisive && *first != value && self.diagnostics.iter().all(|known| known.code != SEVERAL_MACHINES) {
                let message = format!(
                    "the files of one run state different machines ({first:?} and {value:?}); the first one is used"
                );
                self.diagnostics.push(Diagnostic::warning(SEVERAL_MACHINES, "", message));
            }
        }
        self.commit = self.commit.or(other.commit);
        self.commit_prefix = self.commit_prefix.or(other.commit_prefix);
        self.measured = self.measured.max(other.measured);
        if let Some(Tests { passed, failed }) = other.tests {
            let tests = self.tests.get_or_insert_default();
            tests.passed += passed;
            tests.failed += failed;
        }
        if let Some(repeated) = other.repeated {
            self.repeated.get_or_insert_default().extend(repeated);
        }
        self
    }
}

/// An input format.
pub trait Format: Sync {
    /// Name for `--input-format`: the tool's name in kebab-case.
    fn name(&self) -> &'static str;

    /// The command that writes such a file, for `perfgate formats`.
    fn produced_by(&self) -> &'static str;

    /// The metrics that are read and their evidence, for `perfgate formats`.
    fn metrics(&self) -> &'static str;

    /// Whether the tool puts a server under load, so that its benchmarks are endpoints.
    fn is_load_test(&self) -> bool {
        false
    }

    /// Whether the content of a file is in this format. At most one format of [`FORMATS`] accepts a file.
    fn sniff(&self, preview: &Preview<'_>) -> bool;

    /// Reads a file. Lines and entries that do not parse become diagnostics; a file without a valid one is an error.
    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic>;
}

/// All input formats except criterion. The order does not matter, since at most one accepts a file.
pub static FORMATS: &[&dyn Format] = &[
    &ab::Ab,
    &artillery::Artillery,
    &asv::Asv,
    &asv_text::AsvText,
    &autocannon::Autocannon,
    &bencher::Bencher,
    &bencher_bmf::BencherBmf,
    &benchmark_driver::BenchmarkDriver,
    &benchmark_ips::BenchmarkIps,
    &benchmarkdotnet::BenchmarkDotNet,
    &benchmarkdotnet_table::BenchmarkDotNetTable,
    &benchmarkjs::BenchmarkJs,
    &benchmarktools::BenchmarkTools,
    &bombardier::Bombardier,
    &callgrind_text::CallgrindText,
    &cargo_criterion::CargoCriterion,
    &catch2::Catch2,
    &celero::Celero,
    &cprofile::Cprofile,
    &critcmp::Critcmp,
    &criterion_raw::CriterionRaw,
    &criterion_text::CriterionText,
    &csv::Csv,
    &dart_benchmark::DartBenchmark,
    &deno_bench::DenoBench,
    &divan::Divan,
    &fio::Fio,
    &gatling::Gatling,
    &ghz::Ghz,
    &github_action_benchmark::GithubActionBenchmark,
    &go_bench::GoBench,
    &google_benchmark::GoogleBenchmark,
    &google_benchmark::GoogleBenchmarkTable,
    &gungraun::Gungraun,
    &h2load::H2load,
    &hyperfine::Hyperfine,
    &hyperfine_csv::HyperfineCsv,
    &hyperfine_markdown::HyperfineMarkdown,
    &hyperfine_text::HyperfineText,
    &iai_callgrind::IaiCallgrind,
    &jmeter::Jmeter,
    &jmeter_statistics::JmeterStatistics,
    &jmh::Jmh,
    &jmh_csv::JmhCsv,
    &jmh_text::JmhText,
    &junit_xml::JunitXml,
    &k6::K6,
    &lighthouse::Lighthouse,
    &locust::Locust,
    &memory_profiler::MemoryProfiler,
    &mitata::Mitata,
    &mprof::Mprof,
    &nanobench::Nanobench,
    &nanobench_table::NanobenchTable,
    &oha::Oha,
    &perf_stat::PerfStat,
    &perfgate_run::PerfgateRun,
    &pgbench::Pgbench,
    &pyperf::Pyperf,
    &pytest_benchmark::PytestBenchmark,
    &pytest_benchmark_table::PytestBenchmarkTable,
    &radon::Radon,
    &redis_benchmark::RedisBenchmark,
    &ruby_benchmark::RubyBenchmark,
    &siege::Siege,
    &sqlalchemy_echo::SqlalchemyEcho,
    &sysbench::Sysbench,
    &tango::Tango,
    &time_v::TimeV,
    &timeit::Timeit,
    &tinybench::Tinybench,
    &vegeta::Vegeta,
    &vitest_bench::VitestBench,
    &wrk::Wrk,
];

/// Whether the format of this name is that of a load test.
pub fn is_load_test(name: &str) -> bool {
    FORMATS.iter().any(|format| format.name() == name && format.is_load_test())
}

/// Adds an error that ended the run, if a program printed it before or after JSON. `json` has an empty line for each other line of `whole`.
pub(crate) fn read_error_around(reading: &mut Reading, tool: &'static str, whole: Source<'_>, json: &[u8]) {
    let (text, json) = (String::from_utf8_lossy(whole.bytes), String::from_utf8_lossy(json));
    let mut json = json.lines();
    let outside = |line| if json.next().is_none_or(str::is_empty) { line } else { "" };
    let outside: Vec<&str> = text.lines().map(outside).collect();
    let Some(error) = run_error(&outside.join("\n"), &ProgressLines::default(), true) else { return };
    let (place, message) =
        (format!("{}:{}", whole.name, error.line), format!("the run ended in an error: {}", error.why));
    reading.diagnostics.push(Diagnostic::warning("ended-early", place, message));
    let end = EarlyEnd { tool: tool.into(), scope: EndScope::Suite, why: error.why };
    reading.failures.early_ends.push(end);
}

/// The formats that accept a file: one, or none. The first [`Preview::LENGTH`] bytes are sufficient.
pub fn detect(bytes: &[u8]) -> Vec<&'static dyn Format> {
    let preview = Preview::of(bytes);
    FORMATS.iter().copied().filter(|format| format.sniff(&preview)).collect()
}
