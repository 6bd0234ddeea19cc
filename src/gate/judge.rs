//! The last steps before a verdict, the same for every command that compares.

use super::builder::Gate;
use super::config::Config;
use super::error::Error;
use super::machine_class::{compare_environments, partition};
use super::renames::{leave_out_replaced, refuse_shared_names};
use super::side::Side;
use super::sources::{SideSource, path_words};
use super::tools;
use crate::compare::{self, BenchmarkMetric, Comparison, MatchRules, SAME_SAMPLES, SameResults, SuiteComparison};
use crate::history::{LongNames, adopt_long_names, leave_out_removed, match_jobs, match_packages, match_processors};
use crate::io::input::{self, InputError};
use crate::model::{Detail, Diagnostic, Direction, Environment, Evidence, Facts, Metric, Run};
use crate::policy::{FailOn, LineProblem, Policy};
use crate::stats::suite_test::TestRules;
use crate::verdict::{self, BaselineGap, JudgeContext, Report, SideReport, UnmatchedLimit, unmatched};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a report includes besides findings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportDetail {
    /// What a document is filled with: the tools' own reports, and the worst findings over time.
    pub facts: bool,
    /// Samples for charts.
    pub samples: bool,
}

impl ReportDetail {
    /// Everything.
    pub const ALL: ReportDetail = ReportDetail { facts: true, samples: true };
}

/// Cases that give a report without a verdict instead of an error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoVerdictOptions {
    /// No benchmark in common.
    pub nothing_in_common: bool,
    /// A missing baseline. The text ends the warning.
    pub missing_baseline: Option<&'static str>,
}

/// How a policy matches benchmarks.
#[derive(Debug, Clone, Copy)]
pub(super) struct PolicyRules<'a>(pub &'a Policy);

impl MatchRules for PolicyRules<'_> {
    fn current_name(&self, old: &str) -> Option<String> {
        self.0.rename(old)
    }

    fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        self.0.direction(benchmark, metric)
    }
}

/// Gives benchmarks of older runs the names that `current` runs use, with a note if jobs or short names were renamed.
pub(super) fn adopt_names(policy: &Policy, older: &mut [Run], current: &[Run]) -> Option<Diagnostic> {
    match_processors(older, current);
    match_packages(older, current);
    let is_renamed = |name: &str| policy.rename(name).is_some();
    let of_jobs = match_jobs(older, current, is_renamed);
    let others = adopt_long_names(older, current, is_renamed);
    let count = of_jobs.iter().chain(&others).map(|names| names.count).sum::<usize>();
    let LongNames { example: (short, long), .. } = of_jobs.or(others)?;
    let others = if count == 1 { String::new() } else { format!(", and so on for {count} benchmarks") };
    let message = format!(
        "names differ from those of earlier runs: `{short}` is now `{long}`{others}. Use the new names in perfgate.toml"
    );
    Some(Diagnostic::note("long-names", "", message))
}

/// The rules for runs that were not measured in turn.
pub(super) fn at_different_times(policy: &Policy) -> TestRules {
    TestRules::at_different_times(policy.alpha(), policy.gate_threshold())
}

/// What a report needs of a side, besides its results.
#[derive(Debug, Clone)]
pub(super) struct SideFacts {
    /// Its part of the report.
    pub report: SideReport,
    /// Where it was measured, where that is known.
    pub environment: Option<Environment>,
}

/// Compares the environments and judges the comparisons. Every report is made here.
pub(super) fn judge(mut compared: SuiteComparison, policy: &Policy, base: SideFacts, head: SideFacts) -> Report {
    let (environment, diagnostic) =
        compare_environments(base.environment.as_ref(), head.environment.as_ref(), policy.ignored_environment());
    // Exact counts do not depend on the machine.
    let is_exact = !compared.comparisons.is_empty() && compared.comparisons.iter().all(|one| one.metric.exact);
    compared.diagnostics.extend(diagnostic.filter(|_| !(environment.assumed && is_exact)));
    Diagnostic::join_unknown_units(&mut compared.diagnostics);
    let today = jiff::Zoned::now().date();
    let context = JudgeContext { base: base.report, head: head.report, environment, today };
    verdict::judge(compared, policy, context)
}

impl Gate {
    /// Compares results with other results. Each side is one or more paths, one for each run, in time order. A path is a file
    /// or directory that an input format reads, or `DIR@NAME` for a baseline that criterion saved.
    ///
    /// # Errors
    ///
    /// Returns an error if a path does not exist or cannot be read, if the sides have no benchmark in common, or if a budget
    /// or goal of the config matches no benchmark. A regression is not an error: see [`Report::verdict`].
    pub fn compare<B: AsRef<Path>, H: AsRef<Path>>(&self, base: &[B], head: &[H]) -> Result<Report, Error> {
        let base = SideSource::Paths(self.results(&path_words(base))?);
        let head = SideSource::Paths(self.results(&path_words(head))?);
        self.judge_sources(&base, &head, NoVerdictOptions::default(), ReportDetail::default())
    }

    /// Compares results of the checked-out commit with stored runs: those of its merge base with the default branch and of
    /// the commits before that. Several paths form one run; without paths, the results are those of `[[input]]` in the
    /// config, or `target/criterion`.
    ///
    /// # Errors
    ///
    /// As [`Gate::compare`]. Also returns an error if the results state another commit, if the store cannot be read, outside a git repository, or if no stored run
    /// can be the base ([`Error::is_missing_baseline`]).
    pub fn compare_with_store<H: AsRef<Path>>(&self, head: &[H]) -> Result<Report, Error> {
        let head = SideSource::WorkTree(self.results(&path_words(head))?);
        let base = SideSource::MergeBase { of: None };
        self.judge_sources(&base, &head, NoVerdictOptions::default(), ReportDetail::default())
    }

    /// Reads both sides and judges head.
    pub(crate) fn judge_sources(
        &self,
        base: &SideSource,
        head: &SideSource,
        allowed: NoVerdictOptions,
        detail: ReportDetail,
    ) -> Result<Report, Error> {
        // Standard input cannot be read again.
        let reads_input = base.reads_standard_input() || head.reads_standard_input();
        let samples = detail.facts || detail.samples || reads_input || self.config.policy.needs_samples();
        let mut sides = self.read_sides(base, head, if samples { Detail::Samples } else { Detail::Digests })?;
        let has_zeros = |side: &Side| {
            let all = side.runs.iter().flat_map(|run| &run.measurements).flat_map(|one| &one.evidence);
            all.into_iter().any(Evidence::is_digest_of_zeros)
        };
        if sides.0.as_ref().is_ok_and(|base| has_zeros(base) || has_zeros(&sides.1)) {
            sides = self.read_sides(base, head, Detail::Samples)?;
        }
        if base.is_on_disk() {
            self.report_mistakes_in_epochs(&mut sides.1.diagnostics);
        }
        let (base, head) = sides;
        let base = match (base, allowed.missing_baseline) {
            (Err(missing), Some(hint)) if missing.is_missing_baseline() => {
                return self.judge_first_run(head, &missing, hint, detail);
            }
            (base, _) => base?,
        };
        let report = self.judge_sides(base, head, allowed.nothing_in_common, detail)?;
        Ok(report.withhold_verdict_for_gap(false))
    }

    /// The report of a first run: its base is empty, because the baseline is missing. `hint` ends the warning.
    pub(crate) fn judge_first_run(
        &self,
        head: Side,
        missing: &Error,
        hint: &str,
        detail: ReportDetail,
    ) -> Result<Report, Error> {
        let message = format!("{missing}. Nothing was compared{hint}");
        let base = Side {
            runs: Vec::new(),
            report: SideReport { label: "no baseline yet".to_owned(), ..SideReport::default() },
            environment: head.environment.clone(),
            diagnostics: vec![Diagnostic::warning("missing-baseline", "", message)],
            locations: Vec::new(),
            older: BTreeMap::new(),
        };
        // Every benchmark is added here, which must not fail the gate.
        let policy = self.policy();
        let reasons = FailOn::ALL.into_iter().filter(|reason| policy.fails_on(*reason) && *reason != FailOn::Added);
        let mut gate = self.clone();
        gate.config.policy = policy.clone().with_fail_on(reasons);
        let report = gate.judge_sides(base, head, true, detail)?;
        Ok(Report { first_run: true, ..report })
    }

    /// Judges two sides that were read.
    pub(crate) fn judge_sides(
        &self,
        mut base: Side,
        mut head: Side,
        allow_nothing_in_common: bool,
        detail: ReportDetail,
    ) -> Result<Report, Error> {
        let policy = &self.config.policy;
        base.diagnostics.extend(adopt_names(policy, &mut base.runs, &head.runs));
        if base.locations.is_empty() {
            base.diagnostics.extend(leave_out_replaced(policy, &mut base.runs));
        }
        refuse_shared_names(&self.config, &base, &head)?;
        if base.locations.is_empty() {
            leave_out_removed(&mut base.runs, &head.runs, policy.ignored_environment(), |old| policy.rename(old));
        }
        let names = partition(&mut base, &mut head, policy.ignored_environment(), |old| policy.rename(old));
        refuse_different_tools(&base, &head)?;
        let rules = names.rules(PolicyRules(policy));
        let mut compared = compare::compare(&base.runs, &head.runs, at_different_times(policy), rules);
        names.set_per_class(&mut compared.comparisons);
        if !compared.has_common() && !allow_nothing_in_common {
            let errors = input::errors(&head.diagnostics);
            if head.runs.iter().all(|run| run.measurements.is_empty()) && !errors.is_empty() {
                return Err(InputError::Unreadable(errors).into());
            }
            let hint = match verdict::likely_renames(&compared.comparisons).first() {
                Some(one) => format!(
                    "if `{}` is now `{}`, add to `[rename]` in perfgate.toml: {:?} = {:?} (`*` stands for any text)",
                    one.old, one.new, one.old, one.new
                ),
                None => "check that both are results of the same suite".to_owned(),
            };
            return Err(Error::NothingInCommon { base: base.report.label, head: head.report.label, hint });
        }
        let same_place = base.is_same_as(&head);
        let is_same = match compared.same_results {
            SameResults::No => false,
            SameResults::Samples => true,
            // A file is compared with itself to check how it is read, which gives no verdict.
            SameResults::Numbers => !same_place,
        };
        if is_same {
            let SideReport { label, runs, .. } = base.report;
            return Err(Error::SameResults { base: label, base_runs: runs, head: head.report.label, same_place });
        }
        // Stored runs of the same revision, too, if chance does not make results equal.
        let is_itself = same_place && (!head.locations.is_empty() || compared.same_results == SameResults::Numbers);
        if is_itself {
            compared.diagnostics.retain(|one| one.code != SAME_SAMPLES);
            compared.diagnostics.push(Diagnostic::note("same-results", "", SAME_RESULTS));
        }
        refuse_unmatched(&self.config, &compared)?;
        let runs = base.runs.iter().chain(&head.runs);
        if runs.clone().all(|run| run.environment.get(Environment::SHARD).is_none()) {
            let all = runs.flat_map(|run| &run.measurements).map(|one| names.benchmark(one.benchmark.as_str()));
            compared.diagnostics.extend(policy.unused_renames(all));
        }
        let base_gaps = base_gaps(&compared.comparisons, &base);
        let plot_samples = detail.samples.then(|| compare::plot_samples(&base.runs, &head.runs, rules));
        let facts = detail.facts.then(|| Facts {
            base: tools::reported(&base),
            head: tools::reported(&head),
            ..Facts::default()
        });
        let pinned = self.compare_with_pinned(&head, &names, &mut compared.diagnostics);
        for side in [&mut base, &mut head].into_iter().filter(|side| !side.runs.is_empty()) {
            side.report.environment = side.environment.clone().unwrap_or_default().0;
        }
        compared.diagnostics.extend(base.diagnostics.into_iter().chain(head.diagnostics));
        // The runs of a large suite and its findings together would double the memory.
        drop(head.runs);
        let base_runs: Vec<Run> = if detail.facts { base.runs } else { Vec::new() };
        let base = SideFacts { report: base.report, environment: base.environment };
        let head = SideFacts { report: head.report, environment: head.environment };
        let mut report = judge(compared, policy, base, head);
        report.pinned = pinned;
        report.attach_base_gaps(base_gaps);
        if let Some(plot_samples) = plot_samples {
            report.attach_samples(plot_samples);
        }
        if facts.is_some() {
            report.series = self.series_of_worst(&base_runs, &report);
        }
        report.facts = facts;
        Ok(if is_itself { report.of_same_results() } else { report })
    }
}

/// The benchmarks whose newest value in base is older than the commit that head started from.
fn base_gaps(comparisons: &[Comparison], base: &Side) -> BTreeMap<BenchmarkMetric, BaselineGap> {
    let gap = |one: &Comparison| {
        let run = base.runs.get(one.newest_base_run?)?;
        base.older.get(run.commit.as_ref()?).cloned()
    };
    let behind = comparisons.iter().filter(|_| !base.older.is_empty());
    behind.filter_map(|one| Some((BenchmarkMetric::of(one), gap(one)?))).collect()
}

const SAME_RESULTS: &str = "base and head are the same results; this comparison only checks how they are read";

/// Refuses results of different tools: all of them would be reported as added or removed.
fn refuse_different_tools(base: &Side, head: &Side) -> Result<(), Error> {
    let (base_tools, head_tools) = (tools::of(&base.runs), tools::of(&head.runs));
    if !base_tools.is_disjoint(&head_tools) || base_tools.is_empty() || head_tools.is_empty() {
        return Ok(());
    }
    let list = |tools: BTreeSet<&str>| tools.into_iter().collect::<Vec<_>>().join(" and ");
    Err(Error::DifferentTools {
        base: base.report.label.clone(),
        base_tools: list(base_tools),
        head: head.report.label.clone(),
        head_tools: list(head_tools),
    })
}

/// Refuses budgets and goals that match nothing: an error in the config, or in `--expect`, must not pass as met.
pub(super) fn refuse_unmatched(config: &Config, compared: &SuiteComparison) -> Result<(), Error> {
    let unmatched = unmatched(&config.policy, &compared.comparisons);
    let place = |one: &UnmatchedLimit| config.policy.place(one.line.unwrap_or(1));
    // A goal from the command line has no line to frame, so its message includes the help.
    let message = match (unmatched.iter().find(|one| one.line.is_none()), unmatched.as_slice()) {
        (Some(one), _) => format!("{}; {}", one.message, one.help),
        (None, []) => return Ok(()),
        (None, [one]) => format!("{}: {}", place(one), one.message),
        (None, [first, rest @ ..]) => format!("{}: {}; and {} more", place(first), first.message, rest.len()),
    };
    let (framed, others): (Vec<&UnmatchedLimit>, Vec<&UnmatchedLimit>) =
        unmatched.iter().partition(|one| one.line.is_some());
    let problems: Vec<LineProblem<'_>> = framed.iter().copied().filter_map(line_problem).collect();
    let unframed = others.iter().map(|one| format!("{}; {}", one.message, one.help)).collect();
    Err(Error::UnmatchedLimits { message, frames: config.frames(&problems).map(Box::new), unframed })
}

fn line_problem(one: &UnmatchedLimit) -> Option<LineProblem<'_>> {
    Some(LineProblem { line: one.line?, code: one.code, message: &one.message, help: &one.help })
}
