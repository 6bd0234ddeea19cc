//! The names available to templates, continued: the change, its tests, and what was measured around them.

use super::context::Row;
use serde::Serialize;

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

/// Which functions made a benchmark slower.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExplanationText {
    /// The benchmark's full name; none for two profiles.
    pub name: Option<String>,
    /// What changed, in a sentence with the name.
    pub sentence: String,
    /// The functions that changed most; at most five.
    pub functions: Vec<FunctionText>,
    /// The number of other functions: `12 more functions`.
    pub more: Option<String>,
    /// Remarks on the measurement.
    pub notes: Vec<String>,
}

/// A function whose cost changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FunctionText {
    /// Its name; print as `{{ function.name | code }}`.
    pub name: String,
    /// The line that changed most: `src/lib.rs:21`.
    pub place: Option<String>,
    /// What base spent in it.
    pub base: String,
    /// What head spent in it.
    pub head: String,
    /// The change: `+41.0%`.
    pub change: String,
    /// Its share of all changes in the direction of the total; none for a change in the other direction.
    pub share: Option<String>,
    /// Those of `new`, `gone`, `no longer inlined`, `now inlined` and `in the diff` that apply, or empty.
    pub status: String,
}

/// A regression, a missed budget or a suspect.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Concern {
    /// `HIGH` (budget not met, or worse by more than twice the threshold), `MEDIUM` (other regressions; target not met,
    /// but acceptable or undecided) or `LOW` (inconclusive, but suspect).
    pub severity: String,
    /// The benchmark.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The problem: `56.0 ms, 12% above target <50ms`, `10.1 ms, 35% above target < +10% (7.46 ms)`, `+47.7% vs base (95% CI +43.6% … +53.3%)`.
    pub what: String,
}

/// Check boxes that the results decide.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checks {
    /// At least one improvement (or every goal met), no regression and no failure.
    pub improved: Check,
    /// Every compared benchmark is unchanged or improved, none failed, and the suite as a whole did not regress and has no slowdown of unknown cause.
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
    /// The threshold: `above 59.20 ms`.
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
