//! Input formats: named bytes in, measurements out. One file a format, one table ([`FORMATS`]).
//! Nothing here opens a file; a format that is a directory tree (criterion) is handed its parts by `io`.

pub mod criterion;
mod asv;
mod bencher_bmf;
mod benchmark_ips;
mod benchmarkdotnet;
mod benchmarkjs;
mod csv;
mod entries;
mod exchange;
mod github_action_benchmark;
mod jmh;
mod ab;
mod autocannon;
mod cprofile;
mod h2load;
mod jmeter;
pub mod json;
mod k6;
mod ledger;
mod load;
mod locust;
mod look;
mod machine;
mod mitata;
mod perfgate_run;
mod pyperf;
mod pytest_benchmark;
mod timeit;
mod tinybench;
mod tolerant;
mod vitest_bench;
mod marshal;
mod memory_profiler;
mod mprof;
mod pgbench;
mod radon;
mod siege;
mod sqlalchemy_echo;
mod text;
mod wrk;

pub use look::Look;

use crate::model::{Commit, Diagnostic, Environment, Measurement};

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
    /// What was measured. At least one, or `parse` is an error.
    pub measurements: Vec<Measurement>,
    /// What could not be read beside it.
    pub diagnostics: Vec<Diagnostic>,
    /// Facts on the machine that the file states.
    pub environment: Environment,
    /// The commit that was measured, where the file states it.
    pub commit: Option<Commit>,
}

/// An input format.
pub trait Format: Sync {
    /// Its name for `--input-format`: the tool's, in kebab-case.
    fn name(&self) -> &'static str;

    /// One line for `perfgate formats`: the command that leaves such a file.
    fn produced_by(&self) -> &'static str;

    /// The metrics that it carries, and on what evidence, for `perfgate formats`.
    fn carries(&self) -> &'static str;

    /// True when the content is of this format. Decides by content, never by the file's name, and looks at no more
    /// than it needs; at most one format of the table claims a file.
    fn sniff(&self, look: &Look<'_>) -> bool;

    /// Reads everything there is. A line or entry that cannot be read is a diagnostic beside the good ones; a source
    /// without a good one is the error.
    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic>;
}

/// Every input format. The order does not matter: at most one claims a file.
pub static FORMATS: &[&dyn Format] = &[
    &asv::Asv,
    &bencher_bmf::BencherBmf,
    &benchmark_ips::BenchmarkIps,
    &benchmarkdotnet::BenchmarkDotNet,
    &benchmarkjs::BenchmarkJs,
    &csv::Csv,
    &github_action_benchmark::GithubActionBenchmark,
    &jmh::Jmh,
    &mitata::Mitata,
    &perfgate_run::PerfgateRun,
    &pyperf::Pyperf,
    &pytest_benchmark::PytestBenchmark,
    &timeit::Timeit,
    &tinybench::Tinybench,
    &vitest_bench::VitestBench,
    &ab::Ab,
    &autocannon::Autocannon,
    &cprofile::Cprofile,
    &h2load::H2load,
    &jmeter::Jmeter,
    &k6::K6,
    &locust::Locust,
    &memory_profiler::MemoryProfiler,
    &mprof::Mprof,
    &pgbench::Pgbench,
    &radon::Radon,
    &siege::Siege,
    &sqlalchemy_echo::SqlalchemyEcho,
    &wrk::Wrk,
];
