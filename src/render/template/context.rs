//! What a template may name: every field, its type, and what it says. docs/templates.md is made from this file.
//!
//! Texts are ready to be shown (numbers have their units) and are escaped when a template prints them. What was not
//! measured is none, and prints as "not measured".

use serde::Serialize;
use std::collections::BTreeMap;

/// The top: what stands in a template without a dot before it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Context {
    /// The verdict of the gate.
    pub verdict: VerdictText,
    /// How many benchmarks have which outcome.
    pub counts: CountsText,
    /// The base side.
    pub base: SideText,
    /// The head side.
    pub head: SideText,
    /// How the verdict was reached, in a line.
    pub method: String,
    /// The threshold of the gate: `20 %`.
    pub threshold: String,
    /// The change of all times together; none for fewer than 8 of them.
    pub overall: Option<ChangeText>,
    /// The largest improvement that was shown.
    pub best: Option<Row>,
    /// The largest regression that was shown; one of code quality only where there is no other.
    pub worst: Option<Row>,
    /// Every benchmark, worst first; without the unchanged ones where the document would get too long.
    pub rows: Vec<Row>,
    /// How many unchanged benchmarks `rows` leaves out.
    pub unlisted: usize,
    /// The regressions; never left out.
    pub regressions: Vec<Row>,
    /// How many regressions more there are than the document can hold.
    pub more_regressions: usize,
    /// The improvements, the largest first; at most 20.
    pub improvements: Vec<Row>,
    /// `[[accept]]` of perfgate.toml for the first ten regressions, as TOML; print it as `{{ accept | fence("toml") }}`.
    pub accept: String,
    /// One command line that measures or compares the same again; none where it is not known.
    pub reproduce: Option<String>,
    /// The worst finding over the stored runs of the base, as a chart; none without stored runs.
    pub chart: Option<Chart>,
    /// Response time, database queries, memory, CPU and throughput, in this order, each with what was measured of it.
    pub headline: Vec<Headline>,
    /// What else was measured: a row for each metric of each tool.
    pub others: Vec<Headline>,
    /// Every budget on every benchmark, worst first.
    pub budgets: Vec<BudgetText>,
    /// Every expectation, in the order in which they were written.
    pub goals: Vec<GoalText>,
    /// Who did what and why: from `[template]`, the branch and the commits.
    pub task: Task,
    /// `[template]` of perfgate.toml, key by key.
    pub fields: BTreeMap<String, String>,
    /// What git knows of the change; none outside a repository.
    pub change: Option<ChangeFacts>,
    /// Database statements.
    pub queries: Queries,
    /// What takes most and what got worse, by size: statements that repeat, functions of a profile, regressions.
    pub bottlenecks: Vec<Bottleneck>,
    /// Regressions and budgets that are not kept, the gravest first.
    pub concerns: Vec<Concern>,
    /// Statistics of caches: hit rates, sizes.
    pub cache: Vec<Row>,
    /// How the samples of each time spread, a row for each side.
    pub spread: Vec<SpreadRow>,
    /// Load tests, endpoint by endpoint.
    pub load: Vec<LoadRow>,
    /// Memory, function by function.
    pub memory: Vec<Row>,
    /// Times of a profiler, function by function, the largest first.
    pub profile: Vec<Row>,
    /// Complexity, maintainability and size of the code.
    pub quality: Vec<Headline>,
    /// Check boxes that evidence decides.
    pub checks: Checks,
    /// Thresholds of alerts, proposed from what was measured in head.
    pub alerts: Vec<Alert>,
    /// Facts on the machines.
    pub environment: Vec<EnvironmentRow>,
    /// What the measurements stand on: a line for each tool.
    pub evidence: Vec<String>,
    /// Tests of a test runner in head; none where no report was read.
    pub tests: Option<TestsText>,
    /// What was odd, in a sentence each.
    pub diagnostics: Vec<String>,
    /// What the lists above leave out for length, a few words each: `12 more budgets`.
    pub left_out: Vec<String>,
    /// True where the document would get too long with its details: say them in a line.
    pub folded: bool,
    /// What became of rows that nothing was measured for: false where `[template] unmeasured = "drop"`.
    pub show_unmeasured: bool,
}

/// The verdict of the gate.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerdictText {
    /// `PASS` or `FAIL`.
    pub word: String,
    /// True for a pass.
    pub passed: bool,
    /// The verdict in a sentence.
    pub sentence: String,
    /// What failed the gate, a few words each.
    pub reasons: Vec<String>,
}

/// How many benchmarks have which outcome.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CountsText {
    /// The counts that are not zero, in a line.
    pub sentence: String,
    /// Shown to be worse.
    pub regressed: usize,
    /// Shown to be better.
    pub improved: usize,
    /// Shown to be the same.
    pub unchanged: usize,
    /// Not shown either way.
    pub inconclusive: usize,
    /// In head only.
    pub added: usize,
    /// In base only.
    pub removed: usize,
    /// Worse, and accepted.
    pub accepted: usize,
}

/// A side of the comparison.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideText {
    /// What the user called it.
    pub label: String,
    /// How many runs it has.
    pub runs: usize,
    /// The first ten digits of its commit.
    pub commit: Option<String>,
    /// The tools whose results it has.
    pub tools: Vec<String>,
}

/// A change with its interval.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeText {
    /// `−30.0 %`
    pub change: String,
    /// Lower end of the 95 % interval.
    pub low: String,
    /// Upper end of the 95 % interval.
    pub high: String,
    /// True where the interval leaves out zero: the change is shown.
    pub shown: bool,
    /// `1.43 times as fast`, or `1.10 times as slow`.
    pub factor: String,
}

/// One metric of one benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// The benchmark's full name; print it as `{{ row.name | code }}`.
    pub name: String,
    /// `time`, `memory:peak` …
    pub metric: String,
    /// The tool that measured it.
    pub tool: String,
    /// `regressed`, `accepted`, `inconclusive`, `removed`, `added`, `improved` or `unchanged`.
    pub outcome: String,
    /// A sign for the outcome.
    pub mark: String,
    /// The base's value with its unit.
    pub base: Option<String>,
    /// The head's value with its unit.
    pub head: Option<String>,
    /// The change: `+24.9 %`.
    pub change: Option<String>,
    /// The 95 % interval of the change.
    pub interval: Option<String>,
    /// The status of its budget, empty where there is none.
    pub budget: String,
    /// What to know beside it.
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
    /// How many commits it shows, head's among them.
    pub commits: usize,
    /// The chart; print it as `{{ chart.mermaid | fence("mermaid") }}`. No name stands in it.
    pub mermaid: String,
}

/// A row of the table of metrics: one number for what several benchmarks say of one thing.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Headline {
    /// `Response Time`
    pub label: String,
    /// The base's value.
    pub before: Option<String>,
    /// The head's value.
    pub after: Option<String>,
    /// The change.
    pub change: Option<String>,
    /// The target of its budgets.
    pub target: Option<String>,
    /// The worst status of its budgets: `PASS`, `ACCEPTABLE`, `FAIL` or `NO DATA`.
    pub status: Option<String>,
    /// The tool, and how the number was made.
    pub method: Option<String>,
}

/// A budget held against a benchmark.
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
    /// The head's 95 % interval.
    pub interval: Option<String>,
    /// The target as written.
    pub target: String,
    /// What is acceptable as written.
    pub acceptable: Option<String>,
    /// `PASS`, `ACCEPTABLE`, `FAIL` or `NO DATA`.
    pub status: String,
    /// True where the interval holds the limit.
    pub near: bool,
    /// How far the value lies from the target: `12.0 % above target`.
    pub distance: Option<String>,
    /// What to know beside it.
    pub notes: Vec<String>,
}

/// An expectation held against a benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GoalText {
    /// The benchmark's full name.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// What was promised, as written.
    pub promised: String,
    /// What was achieved.
    pub achieved: Option<String>,
    /// `met`, `not met` or `not shown by this evidence`.
    pub status: String,
}

/// Who did what and why.
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

/// What git knows of the change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeFacts {
    /// The first ten digits of the merge base.
    pub base: String,
    /// The first ten digits of head.
    pub head: String,
    /// The branch.
    pub branch: Option<String>,
    /// True where uncommitted changes are part of it.
    pub dirty: bool,
    /// Lines added in all files.
    pub added: usize,
    /// Lines removed in all files.
    pub removed: usize,
    /// Changed files, the most changed first.
    pub files: Vec<FileText>,
    /// How many files there are beside those.
    pub more_files: usize,
    /// Statements that make an index.
    pub indexes: Vec<String>,
    /// Files that look like database migrations.
    pub migrations: Vec<String>,
    /// Dependencies that came, went or changed.
    pub dependencies: Vec<DependencyText>,
}

/// A changed file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileText {
    /// Its path; print it as `{{ file.path | code }}`.
    pub path: String,
    /// `added`, `removed`, `renamed` or `changed`.
    pub kind: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Functions that the changes stand in.
    pub functions: Vec<String>,
}

/// A dependency that came, went or changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DependencyText {
    /// Its name.
    pub name: String,
    /// What was asked for before.
    pub before: Option<String>,
    /// What is asked for now.
    pub after: Option<String>,
    /// The manifest that it stands in.
    pub manifest: String,
}

/// Database statements.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Queries {
    /// All statements together.
    pub total: Option<Row>,
    /// By kind of statement and table, or by endpoint.
    pub parts: Vec<Row>,
    /// Statements that base repeats so often that they look like one for each row of another.
    pub repeated_before: Vec<StatementText>,
    /// The same of head.
    pub repeated_after: Vec<StatementText>,
}

/// A database statement.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StatementText {
    /// Its shape; print it as `{{ statement.text | code }}`.
    pub text: String,
    /// How often it ran.
    pub times: u64,
}

/// How the samples of one time spread on one side.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SpreadRow {
    /// The benchmark's full name.
    pub name: String,
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
    /// The distance of the quartiles.
    pub iqr: Option<String>,
    /// The 95th percentile; none for fewer than 20 samples.
    pub p95: Option<String>,
    /// The 99th percentile; none for fewer than 100 samples.
    pub p99: Option<String>,
    /// How many samples lie far out.
    pub outliers: Option<u64>,
    /// How many samples there are.
    pub rounds: u64,
}

/// An endpoint of a load test. Each value is `before → after`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadRow {
    /// The endpoint.
    pub name: String,
    /// The tool.
    pub tool: String,
    /// Requests.
    pub requests: Option<String>,
    /// Requests that failed.
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
    /// Requests a second.
    pub rate: Option<String>,
}

/// What takes most, or got worse.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bottleneck {
    /// A benchmark, a function or a statement.
    pub location: String,
    /// Its size: a share of the whole, or a change.
    pub impact: String,
    /// What it was measured by.
    pub by: String,
}

/// A regression, or a budget that is not kept.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Concern {
    /// `HIGH` (over budget, or worse by more than twice the threshold), `MEDIUM` (a regression, a target missed within
    /// what is acceptable) or `LOW` (suspect, not decided).
    pub severity: String,
    /// The benchmark.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// What is wrong: `12.0 % above target <50ms`, `+47.7 % [+43.6 %, +53.3 %]`.
    pub what: String,
}

/// Check boxes that evidence decides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checks {
    /// Something got better by more than the threshold, or every goal is met; and nothing got worse.
    pub improved: Check,
    /// No benchmark regressed, and all are shown.
    pub no_regression: Check,
    /// No endpoint of a load test got worse.
    pub load: Check,
    /// Every budget on memory is kept.
    pub memory: Check,
    /// No count of database statements rose.
    pub queries_stable: Check,
    /// The count of database statements fell.
    pub queries_fewer: Check,
    /// Every budget on memory and on CPU is kept, and there are some of both.
    pub resources: Check,
    /// A test runner's report has no failure.
    pub tests: Check,
    /// Every budget is kept.
    pub budgets: Check,
    /// The change has no migration, index or SQL file.
    pub no_database_change: Check,
    /// The change makes an index.
    pub index_added: Check,
    /// The change has a migration.
    pub migration: Check,
    /// The code did not get more complex.
    pub complexity: Check,
}

/// A check box.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Check {
    /// True where evidence ticks it.
    pub ticked: bool,
    /// By what it is ticked, or why it is not.
    pub by: String,
}

/// The threshold of an alert, proposed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Alert {
    /// `Response time p95`
    pub what: String,
    /// `> 59.2 ms`
    pub bound: Option<String>,
    /// `Alert`, `Warning` or `Critical Alert`.
    pub level: String,
    /// What it was made from.
    pub from: Option<String>,
}

/// A fact on the machines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EnvironmentRow {
    /// `cpu`
    pub fact: String,
    /// In base.
    pub base: Option<String>,
    /// In head.
    pub head: Option<String>,
}

/// Tests of a test runner.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestsText {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
}
