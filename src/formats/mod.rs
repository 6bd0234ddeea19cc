//! Input formats: named bytes in, measurements out. One file a format, one table ([`FORMATS`]).
//! Nothing here opens a file; a format that is a directory tree (criterion) is handed its parts by `io`.

mod ab;
mod asv;
mod autocannon;
mod bencher;
mod bencher_bmf;
mod benchmark_ips;
mod benchmarkdotnet;
mod benchmarkjs;
mod builder;
pub mod callgrind;
mod cargo_criterion;
mod catch2;
mod cprofile;
pub mod criterion;
mod csv;
mod divan;
mod github_action_benchmark;
mod go_bench;
mod google_benchmark;
mod gungraun;
mod h2load;
mod hyperfine;
mod iai_callgrind;
mod jmeter;
mod jmh;
pub mod json;
mod junit_xml;
mod k6;
mod load_test;
mod locust;
mod machine;
mod marshal;
mod memory_profiler;
mod metric_by_unit;
mod mitata;
mod mprof;
mod perf_stat;
mod perfgate_run;
mod pgbench;
mod preview;
mod pyperf;
mod pytest_benchmark;
mod radon;
mod siege;
mod sqlalchemy_echo;
mod text;
mod time_v;
mod timeit;
mod tinybench;
mod vitest_bench;
mod wrk;
mod xml;

pub use preview::Preview;
pub use text::utf8;

use crate::model::{Commit, Diagnostic, Environment, Measurement, Statement, Tests};

/// A file's text and what to call it in messages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file as the user knows it.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What a format made of a source.
#[derive(Debug, Default)]
pub struct Reading {
    /// What was measured. Empty only for a file that stands beside another one with the numbers in it, as some tools
    /// leave them; anything else without a measurement is an error of `parse`.
    pub measurements: Vec<Measurement>,
    /// What could not be read beside it.
    pub diagnostics: Vec<Diagnostic>,
    /// Facts on the machine that the file states.
    pub environment: Environment,
    /// The commit that was measured, where the file states it.
    pub commit: Option<Commit>,
    /// How many tests passed and failed; `None` where it is not a test runner's report.
    pub tests: Option<Tests>,
    /// Database statements that ran often; `None` where it is not a log of statements.
    pub repeated: Option<Vec<Statement>>,
}

impl Reading {
    /// Both as one; what both state is as the first states it.
    pub fn and(mut self, other: Reading) -> Reading {
        self.measurements.extend(other.measurements);
        self.diagnostics.extend(other.diagnostics);
        other.environment.0.into_iter().for_each(|(key, value)| {
            self.environment.0.entry(key).or_insert(value);
        });
        self.commit = self.commit.or(other.commit);
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
    /// Its name for `--input-format`: the tool's, in kebab-case.
    fn name(&self) -> &'static str;

    /// One line for `perfgate formats`: the command that leaves such a file.
    fn produced_by(&self) -> &'static str;

    /// The metrics that it carries, and on what evidence, for `perfgate formats`.
    fn metrics(&self) -> &'static str;

    /// True when the content is of this format. Decides by content, never by the file's name, and looks at no more
    /// than it needs; at most one format of the table claims a file.
    fn sniff(&self, preview: &Preview<'_>) -> bool;

    /// Reads everything there is. A line or entry that cannot be read is a diagnostic beside the good ones; a source
    /// without a good one is the error.
    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic>;
}

/// Every input format. The order does not matter: at most one claims a file.
pub static FORMATS: &[&dyn Format] = &[
    &ab::Ab,
    &asv::Asv,
    &autocannon::Autocannon,
    &bencher::Bencher,
    &bencher_bmf::BencherBmf,
    &benchmark_ips::BenchmarkIps,
    &benchmarkdotnet::BenchmarkDotNet,
    &benchmarkjs::BenchmarkJs,
    &cargo_criterion::CargoCriterion,
    &catch2::Catch2,
    &cprofile::Cprofile,
    &csv::Csv,
    &divan::Divan,
    &github_action_benchmark::GithubActionBenchmark,
    &go_bench::GoBench,
    &google_benchmark::GoogleBenchmark,
    &gungraun::Gungraun,
    &h2load::H2load,
    &hyperfine::Hyperfine,
    &iai_callgrind::IaiCallgrind,
    &jmeter::Jmeter,
    &jmh::Jmh,
    &junit_xml::JunitXml,
    &k6::K6,
    &locust::Locust,
    &memory_profiler::MemoryProfiler,
    &mitata::Mitata,
    &mprof::Mprof,
    &perf_stat::PerfStat,
    &perfgate_run::PerfgateRun,
    &pgbench::Pgbench,
    &pyperf::Pyperf,
    &pytest_benchmark::PytestBenchmark,
    &radon::Radon,
    &siege::Siege,
    &sqlalchemy_echo::SqlalchemyEcho,
    &time_v::TimeV,
    &timeit::Timeit,
    &tinybench::Tinybench,
    &vitest_bench::VitestBench,
    &wrk::Wrk,
];

/// The formats that claim a content, of which its first [`Preview::LENGTH`] bytes are enough.
pub fn detect(bytes: &[u8]) -> Vec<&'static dyn Format> {
    let preview = Preview::of(bytes);
    FORMATS.iter().copied().filter(|format| format.sniff(&preview)).collect()
}
