//! Screening and confirmation: a benchmark that looks changed in the first runs of both sides is a suspect, and only
//! re-measured runs decide on suspects.

use super::config::Config;
use super::error::Error;
use super::judge::{PolicyRules, SideFacts, judge, refuse_unmatched};
use super::measure::{MeasureError, PROCESS};
use crate::compare::schedule::FEW_PAIRS;
use crate::compare::{self, BenchmarkMetric, Comparison, Effect, SameResults, SuiteComparison};
use crate::model::{Diagnostic, FailedBenchmark, Measurement, PlotSamples, Run};
use crate::policy::Policy;
use crate::profile::Explanation;
use crate::stats::suite_test::TestRules;
use crate::verdict::{Finding, Outcome, Report, SideReport};
use std::collections::{BTreeMap, BTreeSet};

/// All runs that a measurement made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MeasuredRuns {
    /// Whole rounds of the base.
    pub base: Vec<Run>,
    /// Whole rounds of the head.
    pub head: Vec<Run>,
    /// Re-measured suspects, base and head; empty if there were none.
    pub re_measured: [Vec<Run>; 2],
    /// True for counts of instructions: exact, and re-measured by other rules than times.
    pub are_counts: bool,
    /// The explanations of the largest confirmed regressions.
    pub explanations: Vec<Explanation>,
    /// Diagnostics that were already reported as progress.
    pub already_reported: Vec<Diagnostic>,
    /// Why re-measuring stopped before all pairs were measured.
    pub stopped: Option<Diagnostic>,
}

impl MeasuredRuns {
    /// The samples for charts; of the suspects, those of the runs that decided.
    pub fn plot_samples(&self, policy: &Policy) -> BTreeMap<BenchmarkMetric, [Vec<PlotSamples>; 2]> {
        let [base, head] = &self.re_measured;
        let mut all = compare::plot_samples(&self.base, &self.head, PolicyRules(policy));
        all.extend(compare::plot_samples(base, head, PolicyRules(policy)));
        all
    }
}

/// Judges runs that another job measured, as if they had been measured here.
pub(crate) fn judge_measured(
    config: &Config,
    measured: &MeasuredRuns,
    base: SideReport,
    head: SideReport,
) -> Result<Report, Error> {
    let policy = &config.policy;
    let facts = |report: SideReport, runs: &[Run]| SideFacts {
        report,
        environment: runs.last().map(|run| run.environment.clone()),
    };
    let (base, head) = (facts(base, &measured.base), facts(head, &measured.head));
    let mut compared = screen(config, &measured.base, &measured.head, TestRules::in_turn(policy.alpha()))?;
    let screened = judge(compared.clone(), policy, base.clone(), head.clone());
    // With this config, more benchmarks may be suspects than the other job re-measured. These keep their first runs. A suspect
    // that was re-measured may have results on one side only.
    let fresh = &measured.re_measured;
    let re_measured: BTreeSet<String> = fresh.iter().flatten().flat_map(|run| benchmarks(policy, run)).collect();
    let mut suspects = if measured.are_counts { changed(&screened) } else { suspects(&screened) };
    suspects.retain(|suspect| re_measured.contains(&suspect.benchmark));
    match measured.are_counts {
        _ if suspects.is_empty() => {}
        true => replace(policy, &mut compared, &suspects, fresh, 1),
        false => confirm(policy, &mut compared, &suspects, fresh),
    }
    compared.diagnostics.extend(missing_results(&compared, None));
    compared.diagnostics.extend(measured.are_counts.then(note_on_counts));
    let process_timed = is_process_timed(&measured.head);
    compared.diagnostics.extend(process_timed.then(note_on_process));
    let mut report = Report { by_measure: true, process_timed, ..judge(compared, policy, base, head) };
    let is_regression = |explanation: &&Explanation| {
        let is_it = |finding: &Finding| Some(&finding.name) == explanation.benchmark.as_ref();
        report.benchmarks.iter().any(|finding| finding.outcome == Outcome::Regressed && is_it(finding))
    };
    report.explanations = measured.explanations.iter().filter(is_regression).cloned().collect();
    Ok(report)
}

/// The note on what instruction counts do not show.
pub(super) fn note_on_counts() -> Diagnostic {
    let message = "instructions were counted by valgrind: changes of cache misses, branch mispredictions, waiting and \
                   parallelism are not visible";
    Diagnostic::note("instruction-counts", "", message)
}

/// Whether the process itself was timed in these runs.
pub(super) fn is_process_timed(runs: &[Run]) -> bool {
    runs.iter().flat_map(|run| &run.measurements).any(|measurement| measurement.tool == PROCESS)
}

/// The note that the process itself was timed.
pub(super) fn note_on_process() -> Diagnostic {
    let message = "the command was timed as a whole, because neither its files nor its output had benchmark results of a known \
                   format";
    Diagnostic::note("process-timed", "", message)
}

/// The rules for runs that were measured in turn.
pub(super) fn in_turn(policy: &Policy) -> TestRules {
    TestRules::in_turn(policy.alpha())
}

/// Compares runs that were measured in turn.
pub(super) fn compare_runs(policy: &Policy, base: &[Run], head: &[Run]) -> SuiteComparison {
    compare::compare(base, head, in_turn(policy), PolicyRules(policy))
}

/// Compares measured runs. No benchmark in common is an error. A budget or goal that matches nothing is an error too.
pub(super) fn screen(config: &Config, base: &[Run], head: &[Run], rules: TestRules) -> Result<SuiteComparison, Error> {
    let compared = compare::compare(base, head, rules, PolicyRules(&config.policy));
    if !compared.has_common() {
        let hint = "check that the command runs the same suite on both sides".to_owned();
        return Err(Error::NothingInCommon { base: "base".to_owned(), head: "head".to_owned(), hint });
    }
    if compared.same_results != SameResults::No {
        return Err(MeasureError::SameResults.into());
    }
    refuse_unmatched(config, &compared)?;
    Ok(compared)
}

/// The suspects of a first report.
pub(super) fn suspects(screened: &Report) -> BTreeSet<BenchmarkMetric> {
    select(screened, Finding::should_re_measure)
}

/// The benchmarks that became slower or faster.
pub(super) fn findings(report: &Report) -> BTreeSet<BenchmarkMetric> {
    select(report, |finding| matches!(finding.outcome, Outcome::Regressed | Outcome::Improved | Outcome::Accepted))
}

/// The exact counts of a first report that changed.
pub(super) fn changed(counted: &Report) -> BTreeSet<BenchmarkMetric> {
    let has_changed = |finding: &Finding| finding.change.is_some_and(|change| change != 0.0);
    select(counted, |finding| {
        has_changed(finding) && !matches!(finding.outcome, Outcome::Unchanged | Outcome::Added | Outcome::Removed)
    })
}

fn select(report: &Report, is_selected: impl Fn(&Finding) -> bool) -> BTreeSet<BenchmarkMetric> {
    let suspect = |finding: &Finding| BenchmarkMetric {
        benchmark: finding.name.clone(),
        metric: finding.metric.to_string(),
        tool: finding.tool.to_string(),
    };
    report.benchmarks.iter().filter(|finding| is_selected(finding)).map(suspect).collect()
}

/// The current names of the benchmarks of a run, also of those that failed.
fn benchmarks(policy: &Policy, run: &Run) -> impl Iterator<Item = String> {
    let measured = run.measurements.iter().map(|one| &one.benchmark);
    let failed = run.failures.benchmarks.iter().map(|one| &one.benchmark);
    measured.chain(failed).map(|benchmark| current_name(policy, benchmark.as_str()))
}

fn current_name(policy: &Policy, name: &str) -> String {
    policy.rename(name).unwrap_or_else(|| name.to_owned())
}

/// True if a run has a result or a failure of each suspect.
pub(super) fn has_all(policy: &Policy, run: &Run, suspects: &BTreeSet<BenchmarkMetric>) -> bool {
    let result = |one: &Measurement| BenchmarkMetric {
        benchmark: current_name(policy, one.benchmark.as_str()),
        metric: one.metric.name.to_string(),
        tool: one.tool.to_string(),
    };
    let results: BTreeSet<BenchmarkMetric> = run.measurements.iter().map(result).collect();
    let has_failed =
        |suspect: &BenchmarkMetric| run.failures.benchmarks.iter().any(|failed| is_about(policy, failed, suspect));
    suspects.iter().all(|suspect| results.contains(suspect) || has_failed(suspect))
}

fn is_about(policy: &Policy, failed: &FailedBenchmark, suspect: &BenchmarkMetric) -> bool {
    *failed.tool == *suspect.tool && current_name(policy, failed.benchmark.as_str()) == suspect.benchmark
}

/// The runs with only the results and failures of the suspects.
pub(super) fn keep_suspects(policy: &Policy, runs: &[Run], suspects: &BTreeSet<BenchmarkMetric>) -> Vec<Run> {
    let mut kept = compare::keep_suspects(runs, suspects, PolicyRules(policy));
    for (kept, run) in kept.iter_mut().zip(runs) {
        let is_of_suspect =
            |failed: &&FailedBenchmark| suspects.iter().any(|suspect| is_about(policy, failed, suspect));
        kept.failures.benchmarks = run.failures.benchmarks.iter().filter(is_of_suspect).cloned().collect();
    }
    kept
}

/// Maximum number of suspects that a diagnostic names.
const NAMED: usize = 5;

/// The benchmarks of some comparisons: `"a", "b"`, of many the first ones and the number of the others. Also their number.
fn named<'a>(comparisons: impl Iterator<Item = &'a Comparison>) -> (String, usize) {
    let mut names: Vec<String> = comparisons.map(|one| format!("{:?}", one.benchmark.as_str())).collect();
    names.dedup();
    let count = names.len();
    names.truncate(NAMED);
    let more = count.saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (names.join(", ") + &more, count)
}

/// Replaces the comparisons of the suspects by those of their re-measured runs.
pub(super) fn confirm(
    policy: &Policy,
    compared: &mut SuiteComparison,
    suspects: &BTreeSet<BenchmarkMetric>,
    re_measured: &[Vec<Run>; 2],
) {
    replace(policy, compared, suspects, re_measured, FEW_PAIRS);
    let decided = || compared.comparisons.iter().filter(|one| one.re_measured);
    let pairs = || decided().filter_map(|one| Some(one.base?.runs.min(one.head?.runs)));
    let (Some(least), Some(most)) = (pairs().min(), pairs().max()) else { return };
    let pairs = if least < most { format!("{least} to {most}") } else { most.to_string() };
    let (names, _) = named(decided());
    let message = format!(
        "re-measured in {pairs} pairs because they looked slower or faster, and decided by these runs alone: {names}"
    );
    compared.diagnostics.push(Diagnostic::note("measured-again", "", message));
}

/// A warning that names the suspects that are missing from re-measured runs, and the command of these runs.
pub(super) fn missing_results(compared: &SuiteComparison, command: Option<&str>) -> Option<Diagnostic> {
    let is_missing = |one: &&Comparison| matches!(one.effect, Effect::NotConfirmed { .. });
    let (names, count) = named(compared.comparisons.iter().filter(is_missing));
    let (stay, they_are, them) = match count {
        0 => return None,
        1 => ("stays", "it is", "it"),
        _ => ("stay", "they are", "them"),
    };
    let (of, command) = match command {
        Some(command) => (format!(" of `{command}`"), "this command"),
        None => (String::new(), "the benchmark command"),
    };
    let message = format!(
        "{names} {stay} inconclusive: {they_are} missing from re-measured runs{of}. Check that {command} runs {them} each time"
    );
    Some(Diagnostic::warning("missing-results", "", message))
}

/// Replaces comparisons by those of other runs, if each side has at least `least_runs` of them.
pub(super) fn replace(
    policy: &Policy,
    compared: &mut SuiteComparison,
    suspects: &BTreeSet<BenchmarkMetric>,
    re_measured: &[Vec<Run>; 2],
    least_runs: usize,
) {
    let [base, head] = re_measured.each_ref().map(|runs| keep_suspects(policy, runs, suspects));
    let fresh = compare::compare_re_measured(&base, &head, policy.alpha(), PolicyRules(policy), compared);
    compared.confirm(suspects, fresh, &compare::base_ranges(&base, PolicyRules(policy)), least_runs);
}
