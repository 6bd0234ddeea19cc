//! A run: the results of one execution of a suite.

use super::{BenchId, Commit, CommitPrefix, Environment, Measurement, Statement, Tests};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The results of one execution of a suite on one machine at one commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The commit that was measured, where known.
    pub commit: Option<Commit>,
    /// The first digits of the commit id, where the results do not contain the whole id; not stored.
    pub commit_prefix: Option<CommitPrefix>,
    /// Time of the commit, otherwise of the measurement, in seconds since 1970.
    pub time: i64,
    /// When it was measured, where the results state it, in seconds since 1970.
    pub measured: Option<i64>,
    /// The branch, where known.
    pub branch: Option<String>,
    /// The machine and toolchain.
    pub environment: Environment,
    /// Sorted by benchmark, metric and tool; unique in these three.
    pub measurements: Vec<Measurement>,
    /// Versions of benchmarks, where the tool states them: results of different versions measure different code and are not
    /// compared.
    pub versions: BTreeMap<BenchId, Box<str>>,
    /// What its tools report as failed.
    pub failures: Failures,
    /// Benchmarks whose results could not be read; not stored.
    pub unreadable: Vec<BenchId>,
    /// True if other results could not be read: a missing benchmark may be among them; not stored.
    pub is_incomplete: bool,
    /// How many tests passed and failed, where a test runner's report was read; not stored.
    pub tests: Option<Tests>,
    /// Database statements that ran often, where a log of statements was read; not stored.
    pub repeated: Option<Vec<Statement>>,
}

impl Run {
    /// Gives measurements new names, with the settings that the run states for them.
    pub fn rename_measurements(&mut self, mut new_name: impl FnMut(&Environment, &Measurement) -> Option<BenchId>) {
        let names: Vec<_> = self.measurements.iter().map(|one| new_name(&self.environment, one)).collect();
        let mut renamed = BTreeMap::new();
        for (measurement, new) in self.measurements.iter_mut().zip(names) {
            if let Some(new) = new {
                let old = std::mem::replace(&mut measurement.benchmark, new.clone());
                renamed.insert((measurement.tool.to_string(), old.to_string()), new);
            }
        }
        self.environment.rename_conditions(&renamed);
    }
}

/// What the tools of a run report as failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// Benchmarks that failed.
    pub benchmarks: Vec<FailedBenchmark>,
    /// Errors that ended a run before all of its benchmarks had run.
    pub early_ends: Vec<EarlyEnd>,
    /// Benchmarks that the tool reports as skipped: not run on purpose, so not a failure.
    pub skipped: Vec<SkippedBenchmark>,
}

/// A benchmark that its tool reports as skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedBenchmark {
    /// The format that read it.
    pub tool: Cow<'static, str>,
    /// The benchmark.
    pub benchmark: BenchId,
}

/// A benchmark that its tool reports as failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedBenchmark {
    /// The format that read it.
    pub tool: Cow<'static, str>,
    /// The benchmark.
    pub benchmark: BenchId,
    /// The tool's message; may be empty.
    pub why: String,
}

/// An error that ended a run. A benchmark in its scope that has no result either caused the error or was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyEnd {
    /// The format that read it.
    pub tool: Cow<'static, str>,
    /// The benchmarks that the error concerns.
    pub scope: EndScope,
    /// The tool's message.
    pub why: String,
}

/// The benchmarks whose missing results an error can explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndScope {
    /// All of the suite.
    Suite,
    /// Those whose names begin with this: a package or a test case.
    Prefix(String),
    /// Those whose names begin with this, below a benchmark that failed: the run itself went on.
    Below(String),
    /// The one with exactly this name, if base has it.
    Benchmark(String),
    /// None: the tool itself completed its run.
    Nothing,
}

impl EndScope {
    /// The benchmarks whose names begin with a text. An empty text means the whole suite.
    pub fn from_prefix(prefix: &str) -> EndScope {
        if prefix.is_empty() { EndScope::Suite } else { EndScope::Prefix(prefix.to_owned()) }
    }

    /// Whether it contains a benchmark.
    pub fn contains(&self, benchmark: &str) -> bool {
        match self {
            EndScope::Suite => true,
            EndScope::Prefix(prefix) | EndScope::Below(prefix) => benchmark.starts_with(prefix.as_str()),
            EndScope::Benchmark(name) => benchmark == name,
            EndScope::Nothing => false,
        }
    }
}

impl EarlyEnd {
    /// Whether the whole run ended, or the run of a package or test case, and not a single benchmark or test.
    pub fn is_of_run(&self) -> bool {
        !matches!(self.scope, EndScope::Benchmark(_) | EndScope::Below(_))
    }
}

impl Failures {
    /// True if nothing failed or was skipped.
    pub fn is_empty(&self) -> bool {
        self.benchmarks.is_empty() && self.early_ends.is_empty() && self.skipped.is_empty()
    }

    /// True if a benchmark failed, or an error ended the run.
    pub fn has_failed(&self) -> bool {
        !self.benchmarks.is_empty() || !self.early_ends.is_empty()
    }

    /// Adds those of another part of the run.
    pub fn extend(&mut self, other: Failures) {
        self.benchmarks.extend(other.benchmarks);
        self.early_ends.extend(other.early_ends);
        self.skipped.extend(other.skipped);
    }
}
