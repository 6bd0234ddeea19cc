//! Repeats the comparisons of the stored history: each run with the baseline it had at the time, with several thresholds,
//! unchanged and with injected slowdowns. Shows the effect of a setting.

mod slowdown;
mod suggest;

pub use suggest::{ACCEPTED, ForMost, LARGEST, STANDARD_DEVIATIONS, STEP, Suggestion, suggest};

use crate::compare::{Comparison, MatchRules, compare};
use crate::history::{
    Baseline, HISTORY_RUNS, SegmentedSeries, SeriesRules, baseline_of, mark_measured, segment, series,
};
use crate::model::{Commit, Direction, Metric, Run, differences};
use crate::policy::Policy;
use crate::stats::suite_test::TestRules;
use crate::verdict::{Outcome, outcome};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Thresholds to try in addition to the configured one.
pub const THRESHOLDS: [f64; 4] = [0.10, 0.15, 0.20, 0.30];
/// Slowdowns to inject.
pub const SLOWDOWNS: [f64; 4] = [0.10, 0.20, 0.30, 0.50];
/// One of this many benchmarks is slowed at a time: more would look like a slow machine.
const ONE_OF: usize = 8;
/// Largest distance, in points, of an alarm from the change point that explains it.
const MAX_DISTANCE: usize = 2;

/// The results of a replay.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Number of runs with a baseline.
    pub judged: usize,
    /// Number of runs without a baseline.
    pub without_earlier_run: usize,
    /// The configured settings, then [`THRESHOLDS`].
    pub rows: Vec<Row>,
    /// All series, with their noise.
    pub all_series: Vec<SegmentedSeries>,
}

/// The results of one threshold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// `None` for the settings of perfgate.toml.
    pub threshold: Option<f64>,
    /// Benchmarks that regressed, but not in the previous run.
    pub alarms: usize,
    /// Alarms with a change point for the worse nearby in the whole history.
    pub persisted: usize,
    /// The detections of each of [`SLOWDOWNS`].
    pub detections: [Detection; SLOWDOWNS.len()],
    /// Alarms without such a change point, by benchmark.
    pub transient: BTreeMap<String, usize>,
}

/// Injected and detected slowdowns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detection {
    /// Number injected.
    pub injected: usize,
    /// Number detected as regressed.
    pub detected: usize,
}

type Name = (String, String);

/// The results of one run, for each row.
struct JudgedRun {
    /// Index of the first run of the same machine class.
    machine: usize,
    commit: Option<Commit>,
    alarms: Vec<BTreeSet<Name>>,
    detections: Vec<[Detection; SLOWDOWNS.len()]>,
}

/// Replays runs in time order, with the policy and with [`THRESHOLDS`].
pub fn replay(runs: &[Run], policy: &Policy, rules: &SeriesRules<'_>) -> Replay {
    let with_threshold = |threshold: f64| Policy::default().with_alpha(policy.alpha()).with_threshold(threshold);
    let policies: Vec<Policy> = std::iter::once(policy.clone()).chain(THRESHOLDS.map(with_threshold)).collect();
    let judged = judge(runs, &policies, rules);
    let mut all_series = series(runs, rules);
    mark_measured(&mut all_series);
    let all_series: Vec<SegmentedSeries> = all_series.into_par_iter().map(segment).collect();
    let without_earlier_run = judged.iter().filter(|one| one.is_none()).count();
    let judged: Vec<JudgedRun> = judged.into_iter().flatten().collect();
    let thresholds = std::iter::once(None).chain(THRESHOLDS.map(Some));
    let rows = thresholds.enumerate().map(|(row, threshold)| count(row, threshold, &judged, &all_series)).collect();
    Replay { judged: judged.len(), without_earlier_run, rows, all_series }
}

/// Compares each run with its baseline under each policy; `None` for a run without a baseline.
fn judge(runs: &[Run], policies: &[Policy], rules: &SeriesRules<'_>) -> Vec<Option<JudgedRun>> {
    let same_class =
        |a: &Run, b: &Run| differences(&a.environment, &b.environment, rules.ignored).iter().all(|d| !d.decisive);
    (0..runs.len())
        .into_par_iter()
        .map(|index| {
            let head = &runs[index];
            let before = runs[..index].iter().filter(|run| same_class(run, head));
            let before = before.filter(|run| run.commit.is_none() || run.commit != head.commit);
            let mut history: Vec<&Run> = before.rev().take(HISTORY_RUNS).collect();
            history.reverse();
            if history.is_empty() {
                return None;
            }
            let machine = runs.iter().position(|run| same_class(run, head)).unwrap_or(index);
            let Baseline { runs: base, .. } = baseline_of(&history, rules);
            Some(replay_run(&base, head, machine, policies, rules))
        })
        .collect()
}

/// Applies the rules of the series as match rules of a comparison.
struct Matching<'a>(&'a SeriesRules<'a>);

impl MatchRules for Matching<'_> {
    fn current_name(&self, old: &str) -> Option<String> {
        (self.0.rename)(old)
    }

    fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        (self.0.direction)(benchmark, metric)
    }
}

fn replay_run(base: &[Run], head: &Run, machine: usize, policies: &[Policy], rules: &SeriesRules<'_>) -> JudgedRun {
    // All policies share the comparisons, and so the limit on the suite-wide shift that belongs to the first one's threshold.
    let default = Policy::default();
    let policy = policies.first().unwrap_or(&default);
    let tests = TestRules::at_different_times(policy.alpha(), policy.gate_threshold());
    let against = |head: &Run| compare(base, std::slice::from_ref(head), tests, Matching(rules)).comparisons;
    let time = jiff::Timestamp::from_second(head.time).unwrap_or_default();
    let day = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    let regressed = |comparison: &Comparison, policy: &Policy| outcome(comparison, policy, day) == Outcome::Regressed;
    let name = |comparison: &Comparison| (comparison.benchmark.to_string(), comparison.metric.name.to_string());

    let compared = against(head);
    let alarms_of = |policy: &Policy| compared.iter().filter(|one| regressed(one, policy)).map(name).collect();
    let alarms: Vec<BTreeSet<Name>> = policies.iter().map(alarms_of).collect();
    let mut detections = vec![[Detection::default(); SLOWDOWNS.len()]; policies.len()];
    for (column, factor) in SLOWDOWNS.iter().enumerate() {
        let (slowed, names) = slowdown::slowed(head, *factor, ONE_OF, rules);
        let names: BTreeSet<Name> =
            names.into_iter().map(|(name, metric)| (rules.name(&name).into_owned(), metric)).collect();
        // All benchmarks are compared, since the prior is fitted to all; only the slowed ones are judged.
        let compared = against(&slowed);
        for comparison in compared.iter().filter(|one| one.base.is_some() && names.contains(&name(one))) {
            for (row, policy) in policies.iter().enumerate() {
                if alarms[row].contains(&name(comparison)) {
                    continue; // it regressed without the slowdown
                }
                detections[row][column].injected += 1;
                detections[row][column].detected += usize::from(regressed(comparison, policy));
            }
        }
    }
    JudgedRun { machine, commit: head.commit.clone(), alarms, detections }
}

fn count(row: usize, threshold: Option<f64>, judged: &[JudgedRun], all_series: &[SegmentedSeries]) -> Row {
    let mut out = Row { threshold, ..Row::default() };
    let mut before: BTreeMap<usize, &BTreeSet<Name>> = BTreeMap::new();
    for run in judged {
        let alarms = &run.alarms[row];
        let known = before.insert(run.machine, alarms);
        for name in alarms.iter().filter(|name| !known.is_some_and(|known| known.contains(*name))) {
            out.alarms += 1;
            if persisted(name, run.commit.as_ref(), all_series) {
                out.persisted += 1;
            } else {
                *out.transient.entry(name.0.clone()).or_default() += 1;
            }
        }
        for (sum, one) in out.detections.iter_mut().zip(&run.detections[row]) {
            sum.injected += one.injected;
            sum.detected += one.detected;
        }
    }
    out
}

/// True if the whole history has a change point for the worse near this commit.
fn persisted((name, metric): &Name, commit: Option<&Commit>, all_series: &[SegmentedSeries]) -> bool {
    let same_series = |segmented: &&SegmentedSeries| {
        let series = &segmented.series;
        series.benchmark.as_str() == name && series.metric.name == *metric
    };
    all_series.iter().filter(same_series).any(|segmented| {
        let at = segmented.series.points.iter().position(|point| commit.is_some() && point.commit.as_ref() == commit);
        let near = |(first, last): (usize, usize)| {
            at.is_some_and(|at| first <= at + MAX_DISTANCE && at <= last + MAX_DISTANCE)
        };
        segmented.changes().any(|change| change.worse == Some(true) && near(change.commits.range))
    })
}
