//! The names available to templates. The list of fields in docs/templates.md is generated from this file and
//! change_context.rs.
//!
//! Texts are ready to print (numbers have units) and are escaped when a template prints them. A value that was not
//! measured is none, which prints as "not measured".

pub use super::change_context::*;
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
    /// What base, head and change are: `base, head: medians; change: compares the fastest samples (noise only makes samples slower), so it can differ from that of the medians`,
    /// and which rows were re-measured. None if every change is head / base − 1 and no row was re-measured.
    pub legend: Option<String>,
    /// The threshold of the gate: `20%`.
    pub threshold: String,
    /// What would decide the inconclusive benchmarks, if that is the same for all.
    pub advice: Option<String>,
    /// The geometric mean of head / base of all times (medians, as measured); none for fewer than 8 times. With `perfgate measure` and
    /// at least two rounds, it is computed from the runs.
    pub overall: Option<ChangeText>,
    /// The largest improvement.
    pub best: Option<Row>,
    /// The largest regression, the first of `regressions`.
    pub worst: Option<Row>,
    /// Every benchmark, worst first; without unchanged ones if the document would get too long.
    pub rows: Vec<Row>,
    /// The rows that a reader needs. Those that fail the gate come first. Then come all regressed, failed, accepted and improved
    /// rows, the ten largest inconclusive rows and changes within the threshold, and the first ten added and removed rows.
    pub listed: Vec<Row>,
    /// The number of the others: `190 more benchmarks inconclusive`.
    pub not_listed: Vec<String>,
    /// What to do about the verdict, in a sentence; none if there is nothing to do.
    pub next_step: Option<String>,
    /// The same, one thing to do each. If there are several, each starts with what it is about: `regressed ("parse"): make it faster …`.
    pub next_steps: Vec<NextStep>,
    /// Number of unchanged benchmarks not in `rows`.
    pub unlisted: usize,
    /// The regressions, worst first, those of code quality last.
    pub regressions: Vec<Row>,
    /// Number of regressions left out because the document would get too long.
    pub more_regressions: usize,
    /// Number of other rows that fail the gate and are left out of `listed` because the document would get too long.
    pub more_failing: usize,
    /// Which functions caused the largest regressions, with `perfgate measure --explain`; print as
    /// `{{ explained(explanations) }}`, a macro of `pieces`.
    pub explanations: Vec<ExplanationText>,
    /// The improvements, largest first; at most 20.
    pub improvements: Vec<Row>,
    /// `[[accept]]` entries for perfgate.toml for the first ten regressions, and the number of the others; print as
    /// `{{ accept | fence("toml") }}`.
    pub accept: String,
    /// The comment by which someone with write access accepts all regressions of a pull request's newest commit; none if
    /// there is nothing to accept, and outside `perfgate ci`.
    pub accept_command: Option<String>,
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
    /// Every goal on every benchmark, in the order of the config.
    pub goals: Vec<GoalText>,
    /// The task: from `[template]`, the branch and the commits.
    pub task: Task,
    /// The keys of `[template]` in perfgate.toml.
    pub fields: BTreeMap<String, String>,
    /// The change according to git; none if it is unknown.
    pub change: Option<ChangeFacts>,
    /// Why `change` is none: `the comparison was not made in a git repository`, or why git cannot describe the change.
    pub change_unknown: Option<String>,
    /// Database statements.
    pub queries: Queries,
    /// Repeated statements, then the functions that explain regressions, then the largest functions of a profile, then
    /// regressions, each by size.
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
    /// An emoji for the verdict; no tick if suspects or most of the suite are inconclusive, if budgets have no data or are undecided, or
    /// if most benchmarks are slower for an unknown cause.
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
    /// Not decided, including those of `not_judged`.
    pub inconclusive: usize,
    /// Inconclusive, and a suspected regression.
    pub suspected: usize,
    /// Not judged, because neither the results nor the config state which values are better.
    pub not_judged: usize,
    /// Only in head.
    pub added: usize,
    /// Only in base, including those that were not run.
    pub removed: usize,
    /// Only in base, and apparently not run.
    pub not_run: usize,
    /// The benchmarks that only one side has and that do not fail the gate, with their metrics if they have several: `Removed: 2 (6 metrics), added: 1`.
    pub one_sided: String,
    /// Regressed, but accepted by a waiver or on the pull request.
    pub accepted: usize,
}

/// A side of the comparison.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideText {
    /// Its label.
    pub label: String,
    /// Number of runs.
    pub runs: usize,
    /// The first ten digits of its commit, or of the newest if it has several.
    pub commit: Option<String>,
    /// The branch that base was taken from.
    pub branch: Option<String>,
    /// How far base is behind the commit that head started from, if that has no stored run: `2 commits behind the merge base`.
    pub behind: Option<String>,
    /// The tools with results on this side.
    pub tools: Vec<String>,
}

/// Something to do about the verdict.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NextStep {
    /// What to do.
    pub text: String,
    /// True if regressions can be accepted instead: `accept` and `accept_command` state how.
    pub accepts: bool,
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
    /// What the interval is over: `benchmarks` (it shows how much they differ, and does not decide) or `runs`.
    pub over: String,
    /// True if the change is significant: the interval does not contain zero.
    pub shown: bool,
    /// True if the change is not significant and contradicts the suite-wide shift in `method`, or repeats a shift that is not subtracted;
    /// the comment then leaves it out.
    pub contradicts_shift: bool,
    /// The change as a factor: `1.43× as fast` or `1.10× as long`.
    pub factor: String,
    /// The change in words: `30% faster`, `5.8% slower`, `12.5× slower`.
    pub words: String,
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
    /// `regressed`, `accepted`, `failed`, `inconclusive`, `removed`, `added`, `improved` or `unchanged`.
    pub outcome: String,
    /// The outcome; `not run` for a removed benchmark that seems not to have been run, and `not judged` for an inconclusive one whose
    /// better direction is unknown.
    pub word: String,
    /// True if it fails the gate, which `fail-on` decides.
    pub fails: bool,
    /// An emoji for the outcome.
    pub mark: String,
    /// True for a suspected regression: inconclusive, and worth re-measuring.
    pub suspect: bool,
    /// True if its values are those of re-measured runs: print `*`, which `legend` explains.
    pub re_measured: bool,
    /// If unchanged, a significant change within the threshold: `slower, within 20%`.
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
    /// What changed in the samples: the slow part, two modes, the work per iteration.
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
    /// How the values combine those of several benchmarks: `geometric mean of 12 benchmarks`; none for a single benchmark.
    pub combined: Option<String>,
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
    /// The target in the unit of the values, if it is relative to base or written in another unit: `4` for `-60%` of 10.
    pub bound: Option<String>,
    /// The acceptable limit, as written.
    pub acceptable: Option<String>,
    /// `PASS`, `ACCEPTABLE`, `UNDECIDED` (misses every limit, but within noise), `FAIL` or `NO DATA`.
    pub status: String,
    /// True if the interval contains the limit.
    pub near: bool,
    /// Distance to the limit that decides the status, the acceptable one if that is missed: `12% above`, `2,000× the limit`.
    pub off_by: Option<String>,
    /// The same in a sentence: `12% above target`, `5% above acceptable limit`.
    pub distance: Option<String>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A goal checked on a benchmark.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GoalText {
    /// The benchmark's full name.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The goal, as written.
    pub promised: String,
    /// The measured value and change.
    pub achieved: Option<String>,
    /// `met`, `not met` or `undecided`.
    pub status: String,
}
