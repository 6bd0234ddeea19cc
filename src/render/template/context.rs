//! The names available to templates. The list of fields in docs/templates.md is generated from this file.
//!
//! Texts are ready to print (numbers have units) and are escaped when a template prints them. A value that was not
//! measured is none, which prints as "not measured".

use serde::Serialize;
use std::collections::BTreeMap;

/// The top-level names.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Context {
    /// The verdict of the gate.
    pub verdict: VerdictText,
    /// Number of benchmarks per outcome.
    pub counts: CountsText,
    /// The base side.
    pub base: SideText,
    /// The head side.
    pub head: SideText,
    /// Threshold, error rate and number of tests, in a line.
    pub method: String,
    /// The threshold of the gate: `20%`.
    pub threshold: String,
    /// What would decide the undecided benchmarks, where it is the same for all.
    pub advice: Option<String>,
    /// The geometric mean of the changes of all times; none for fewer than 8 times.
    pub overall: Option<ChangeText>,
    /// The largest improvement.
    pub best: Option<Row>,
    /// The largest regression; one of code quality only if there is no other.
    pub worst: Option<Row>,
    /// Every benchmark, worst first; without unchanged ones if the document would get too long.
    pub rows: Vec<Row>,
    /// The rows that a reader needs: every regressed, failed, accepted and improved one, the ten largest undecided ones and
    /// changes within the threshold, the first ten added and removed ones.
    pub listed: Vec<Row>,
    /// The number of the others: `190 more benchmarks undecided`.
    pub not_listed: Vec<String>,
    /// What to do about the verdict, in a sentence; none if there is nothing to do.
    pub next_step: Option<String>,
    /// Number of unchanged benchmarks not in `rows`.
    pub unlisted: usize,
    /// The regressions, worst first.
    pub regressions: Vec<Row>,
    /// Number of regressions left out because the document would get too long.
    pub more_regressions: usize,
    /// The improvements, largest first; at most 20.
    pub improvements: Vec<Row>,
    /// `[[accept]]` entries for perfgate.toml for the first ten regressions; print as `{{ accept | fence("toml") }}`.
    pub accept: String,
    /// A command that repeats the measurement or comparison; none if unknown.
    pub reproduce: Option<String>,
    /// The worst finding over the stored runs of the base, as a chart; none without stored runs.
    pub chart: Option<Chart>,
    /// Response time, database queries, memory, CPU and throughput, in this order.
    pub headline: Vec<Headline>,
    /// All other metrics, a row per tool and metric.
    pub others: Vec<Headline>,
    /// Every budget on every benchmark, worst first.
    pub budgets: Vec<BudgetText>,
    /// Every expectation on every benchmark, in the order of the config.
    pub goals: Vec<GoalText>,
    /// The task: from `[template]`, the branch and the commits.
    pub task: Task,
    /// The keys of `[template]` in perfgate.toml.
    pub fields: BTreeMap<String, String>,
    /// The change according to git; none outside a repository.
    pub change: Option<ChangeFacts>,
    /// Database statements.
    pub queries: Queries,
    /// Repeated statements, then the largest functions of a profile, then regressions, each by size.
    pub bottlenecks: Vec<Bottleneck>,
    /// Regressions, missed budgets and suspects, most severe first.
    pub concerns: Vec<Concern>,
    /// Metrics of caches: hit rates, sizes.
    pub cache: Vec<Row>,
    /// Statistics of the samples of each time, a row per side.
    pub spread: Vec<SpreadRow>,
    /// Load tests, a row per endpoint.
    pub load: Vec<LoadRow>,
    /// Memory use, a row per function or process.
    pub memory: Vec<Row>,
    /// Times of a profiler, a row per function, largest first.
    pub profile: Vec<Row>,
    /// Complexity, maintainability and size of the code.
    pub quality: Vec<Headline>,
    /// Check boxes that the results decide.
    pub checks: Checks,
    /// Suggested alert thresholds, derived from head.
    pub alerts: Vec<Alert>,
    /// Facts about the machines.
    pub environment: Vec<EnvironmentRow>,
    /// Number of benchmarks and samples, a line per tool.
    pub evidence: Vec<String>,
    /// Tests of a test runner in head; none without a test report.
    pub tests: Option<TestsText>,
    /// Warnings and notes, a sentence each.
    pub diagnostics: Vec<String>,
    /// What the lists above leave out because of length: `12 more budgets`.
    pub left_out: Vec<String>,
    /// True if the lists of details were left out because of length.
    pub folded: bool,
    /// Whether to print rows without measurements: false with `[template] unmeasured = "drop"`.
    pub show_unmeasured: bool,
}

/// The verdict of the gate.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerdictText {
    /// `PASS`, `FAIL` or `NO VERDICT`.
    pub word: String,
    /// True if the gate passes.
    pub passed: bool,
    /// The verdict in a sentence.
    pub sentence: String,
    /// An emoji for the verdict; no tick where suspects or most of the suite are undecided.
    pub mark: String,
    /// Why the gate fails, a few words each.
    pub reasons: Vec<String>,
}

/// Number of benchmarks per outcome.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CountsText {
    /// The counts without zeros, in a line.
    pub sentence: String,
    /// Significantly worse.
    pub regressed: usize,
    /// Significantly better.
    pub improved: usize,
    /// Significantly within the threshold.
    pub unchanged: usize,
    /// Not decided.
    pub inconclusive: usize,
    /// Only in head.
    pub added: usize,
    /// Only in base.
    pub removed: usize,
    /// Regressed, with a waiver.
    pub accepted: usize,
}

/// A side of the comparison.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideText {
    /// Its label.
    pub label: String,
    /// Number of runs.
    pub runs: usize,
    /// The first ten digits of its commit.
    pub commit: Option<String>,
    /// The tools with results on this side.
    pub tools: Vec<String>,
}

/// A change with its confidence interval.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeText {
    /// The change: `−30.0%`.
    pub change: String,
    /// Lower end of the 95% confidence interval.
    pub low: String,
    /// Upper end of the 95% confidence interval.
    pub high: String,
    /// True if the change is significant: the interval does not contain zero.
    pub shown: bool,
    /// The change as a factor: `1.43× as fast` or `1.10× as slow`.
    pub factor: String,
}

/// A metric of a benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// The benchmark's full name; print as `{{ row.name | code }}`.
    pub name: String,
    /// The metric: `time`, `memory:peak` …
    pub metric: String,
    /// The tool that measured it.
    pub tool: String,
    /// `regressed`, `accepted`, `inconclusive`, `removed`, `added`, `improved` or `unchanged`.
    pub outcome: String,
    /// The outcome, or `not run` for a removed benchmark that seems not to have been run.
    pub word: String,
    /// An emoji for the outcome.
    pub mark: String,
    /// If unchanged, a change that is shown but below the threshold: `slower, within 20%`.
    pub within: Option<String>,
    /// The base's value with its unit.
    pub base: Option<String>,
    /// The head's value with its unit.
    pub head: Option<String>,
    /// The change: `+24.9%`.
    pub change: Option<String>,
    /// The 95% confidence interval of the change.
    pub interval: Option<String>,
    /// The status of its budget; empty without a budget.
    pub budget: String,
    /// What changed in the samples: their slow part, two modes.
    pub samples: Vec<String>,
    /// Remarks; `samples` included.
    pub notes: Vec<String>,
}

/// A metric of a benchmark over commits, as a chart that GitHub draws.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Chart {
    /// The benchmark's full name.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The unit of the chart's numbers.
    pub unit: String,
    /// Number of commits, including head.
    pub commits: usize,
    /// The chart, without any names; print as `{{ chart.mermaid | fence("mermaid") }}`.
    pub mermaid: String,
}

/// A row of the table of metrics, which sums up several benchmarks in one number.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Headline {
    /// The label: `Response Time`.
    pub label: String,
    /// The base's value.
    pub before: Option<String>,
    /// The head's value.
    pub after: Option<String>,
    /// The change.
    pub change: Option<String>,
    /// The change in words: `5.9% slower`.
    pub improvement: Option<String>,
    /// The target of its budgets.
    pub target: Option<String>,
    /// The worst status of its budgets: `PASS`, `ACCEPTABLE`, `UNDECIDED`, `FAIL` or `NO DATA`.
    pub status: Option<String>,
    /// The tool, and how the values were combined.
    pub method: Option<String>,
}

/// A budget checked on a benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BudgetText {
    /// The benchmark's full name.
    pub name: String,
    /// The metric, `time:p95`.
    pub metric: String,
    /// The base's value.
    pub before: Option<String>,
    /// The head's value.
    pub value: Option<String>,
    /// The 95% confidence interval of the head's value.
    pub interval: Option<String>,
    /// The target, as written.
    pub target: String,
    /// The acceptable limit, as written.
    pub acceptable: Option<String>,
    /// `PASS`, `ACCEPTABLE`, `UNDECIDED` (misses every limit, but within noise), `FAIL` or `NO DATA`.
    pub status: String,
    /// True if the interval contains the limit.
    pub near: bool,
    /// Distance to the target: `12% above`.
    pub off_by: Option<String>,
    /// The same in a sentence: `12% above target`.
    pub distance: Option<String>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// An expectation checked on a benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GoalText {
    /// The benchmark's full name.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The expectation, as written.
    pub promised: String,
    /// The measured value and change.
    pub achieved: Option<String>,
    /// `met`, `not met` or `undecided`.
    pub status: String,
}

/// The task behind a change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Task {
    /// From `[template] task`, a trailer `Task`, or the branch's name.
    pub id: Option<String>,
    /// From `[template] priority` or a trailer `Priority`.
    pub priority: Option<String>,
    /// From `[template] phase` or a trailer `Phase`.
    pub phase: Option<String>,
    /// From `[template] review` or a trailer `Review`.
    pub review: Option<String>,
    /// From `[template] depends-on` or trailers `Depends-on`.
    pub depends_on: Vec<String>,
    /// From `[template] blocks` or trailers `Blocks`.
    pub blocks: Vec<String>,
    /// From `[template] estimated-effort` or a trailer `Estimated-effort`.
    pub estimated: Option<String>,
    /// From `[template] actual-effort` or a trailer `Actual-effort`.
    pub actual: Option<String>,
}

/// The change according to git.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeFacts {
    /// The first ten digits of the merge base.
    pub base: String,
    /// The first ten digits of head.
    pub head: String,
    /// The branch.
    pub branch: Option<String>,
    /// True if it includes uncommitted changes.
    pub dirty: bool,
    /// Lines added in all files.
    pub added: usize,
    /// Lines removed in all files.
    pub removed: usize,
    /// Changed files, most changed first.
    pub files: Vec<FileText>,
    /// Number of changed files not in `files`.
    pub more_files: usize,
    /// SQL statements that create an index.
    pub indexes: Vec<String>,
    /// Files that look like database migrations.
    pub migrations: Vec<String>,
    /// Added, removed and changed dependencies.
    pub dependencies: Vec<DependencyText>,
}

/// A changed file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileText {
    /// Its path; print as `{{ file.path | code }}`.
    pub path: String,
    /// `added`, `removed`, `renamed` or `changed`.
    pub kind: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Functions that contain the changes.
    pub functions: Vec<String>,
}

/// An added, removed or changed dependency.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DependencyText {
    /// Its name.
    pub name: String,
    /// The version required in base.
    pub before: Option<String>,
    /// The version required in head.
    pub after: Option<String>,
    /// The manifest that declares it.
    pub manifest: String,
}

/// Database statements.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Queries {
    /// All statements.
    pub total: Option<Row>,
    /// By kind of statement and table, or by endpoint.
    pub parts: Vec<Row>,
    /// Statements that base repeats in an N+1 pattern.
    pub repeated_before: Vec<StatementText>,
    /// Statements that head repeats in an N+1 pattern.
    pub repeated_after: Vec<StatementText>,
}

/// A database statement.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StatementText {
    /// The statement without its values; print as `{{ statement.text | code }}`.
    pub text: String,
    /// Number of executions.
    pub times: u64,
}

/// Statistics of the samples of one time on one side.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SpreadRow {
    /// The benchmark's full name.
    pub name: String,
    /// The tool that measured it.
    pub tool: String,
    /// `before` or `after`.
    pub side: String,
    /// The smallest sample.
    pub min: Option<String>,
    /// The largest sample.
    pub max: Option<String>,
    /// The mean.
    pub mean: Option<String>,
    /// The standard deviation.
    pub sd: Option<String>,
    /// The median.
    pub median: Option<String>,
    /// The interquartile range.
    pub iqr: Option<String>,
    /// The 95th percentile; none for fewer than 20 samples.
    pub p95: Option<String>,
    /// The 99th percentile; none for fewer than 100 samples.
    pub p99: Option<String>,
    /// Number of outliers.
    pub outliers: Option<u64>,
    /// Number of samples.
    pub rounds: u64,
    /// Work per second, where the tool states the work of one operation.
    pub rate: Option<String>,
}

/// An endpoint of a load test. Each value is `before → after`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadRow {
    /// The endpoint.
    pub name: String,
    /// The tool.
    pub tool: String,
    /// Number of requests.
    pub requests: Option<String>,
    /// Failed requests.
    pub failures: Option<String>,
    /// Median response time.
    pub median: Option<String>,
    /// Mean response time.
    pub mean: Option<String>,
    /// 95th percentile of the response time.
    pub p95: Option<String>,
    /// 99th percentile of the response time.
    pub p99: Option<String>,
    /// Longest response time.
    pub max: Option<String>,
    /// Requests per second.
    pub rate: Option<String>,
}

/// A bottleneck.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bottleneck {
    /// A benchmark, a function or a statement.
    pub location: String,
    /// Its size: a share of the whole, or a change.
    pub impact: String,
    /// The tool.
    pub by: String,
}

/// A regression, a missed budget or a suspect.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Concern {
    /// `HIGH` (budget not met, or worse by more than twice the threshold), `MEDIUM` (other regressions; target not met,
    /// but acceptable) or `LOW` (inconclusive, but suspect).
    pub severity: String,
    /// The benchmark.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The problem: `56.0 ms, 12% above target <50ms`, `+47.7% vs base [+43.6% … +53.3%]`.
    pub what: String,
}

/// Check boxes that the results decide.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checks {
    /// At least one improvement (or every expectation met), and no regression.
    pub improved: Check,
    /// Every benchmark is unchanged or improved.
    pub no_regression: Check,
    /// Every endpoint of a load test is unchanged or improved.
    pub load: Check,
    /// Every budget on memory is met.
    pub memory: Check,
    /// Every count of database statements is unchanged or improved.
    pub queries_stable: Check,
    /// Head executes fewer database statements than base.
    pub queries_fewer: Check,
    /// There are budgets on memory and on CPU, and all are met.
    pub resources: Check,
    /// The test report has no failures.
    pub tests: Check,
    /// Every budget is met.
    pub budgets: Check,
    /// The change contains no migration, index or SQL file.
    pub no_database_change: Check,
    /// The change creates an index.
    pub index_added: Check,
    /// The change contains a migration.
    pub migration: Check,
    /// No function became more complex.
    pub complexity: Check,
}

/// A check box.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Check {
    /// Whether it is ticked.
    pub ticked: bool,
    /// The evidence, or why it is not ticked.
    pub by: String,
}

/// A suggested alert threshold.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Alert {
    /// The metric: `Response time p95`.
    pub what: String,
    /// The threshold: `> 59.20 ms`.
    pub bound: Option<String>,
    /// `Alert`, `Warning` or `Critical Alert`.
    pub level: String,
    /// The measurement that it is derived from.
    pub from: Option<String>,
}

/// A fact about the machines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EnvironmentRow {
    /// The fact: `cpu`.
    pub fact: String,
    /// Its value in base.
    pub base: Option<String>,
    /// Its value in head.
    pub head: Option<String>,
}

/// Tests of a test runner.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestsText {
    /// Number of passed tests.
    pub passed: usize,
    /// Number of failed tests.
    pub failed: usize,
}
