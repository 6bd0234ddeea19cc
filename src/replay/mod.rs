//! The stored history judged again: each run against what it would have had as its base then, by several thresholds, as
//! it was and with slow-downs put into it. Says what settings would have done; decides nothing.

mod slowdown;
mod suggest;

pub use suggest::{Suggestion, suggest};

use crate::compare::{Comparison, compare};
use crate::history::{BaseWindow, HISTORY_RUNS, SegmentedSeries, SeriesRules, base_window, segment, series};
use crate::model::{Commit, Run, differences};
use crate::policy::Policy;
use crate::verdict::{Outcome, outcome};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Thresholds that are tried beside the configured one.
pub const THRESHOLDS: [f64; 4] = [0.10, 0.15, 0.20, 0.30];
/// Slow-downs that are put into stored heads.
pub const SLOWDOWNS: [f64; 4] = [0.10, 0.20, 0.30, 0.50];
/// One benchmark of so many is slowed at a time: more together would look like a slow machine.
const ONE_OF: usize = 8;
/// A change that was found up to so many points from an alarm is the one that raised it.
const NEAR: usize = 2;

/// What the settings would have done.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Runs that had something before them.
    pub judged: usize,
    /// Runs that had nothing before them.
    pub first: usize,
    /// The configured settings first, then [`THRESHOLDS`].
    pub rows: Vec<Row>,
    /// Every series with its noise.
    pub all_series: Vec<SegmentedSeries>,
}

/// One threshold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// `None` for what perfgate.toml says.
    pub threshold: Option<f64>,
    /// Benchmarks that were called regressed and were not in the run before.
    pub alarms: usize,
    /// Those of them that the whole history shows as a lasting change for the worse.
    pub persisted: usize,
    /// For each of [`SLOWDOWNS`]: how many were put in, and how many called.
    pub caught: [Detection; SLOWDOWNS.len()],
    /// Alarms that did not persist, by benchmark.
    pub passing: BTreeMap<String, usize>,
}

/// Slow-downs put in and called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detection {
    /// Put in.
    pub injected: usize,
    /// Called regressed.
    pub detected: usize,
}

type Name = (String, String);

/// What one run's judging gave, for each row.
struct Judged {
    /// Of the machine and the commit that alarms are looked up by.
    machine: usize,
    commit: Option<Commit>,
    alarms: Vec<BTreeSet<Name>>,
    caught: Vec<[Detection; SLOWDOWNS.len()]>,
}

/// Goes through runs in time order.
pub fn replay(runs: &[Run], policy: &Policy, reading: &SeriesRules<'_>) -> Replay {
    let plain = |threshold: f64| Policy::default().with_alpha(policy.alpha()).with_threshold(threshold);
    let policies: Vec<Policy> = std::iter::once(policy.clone()).chain(THRESHOLDS.map(plain)).collect();
    let alike =
        |a: &Run, b: &Run| differences(&a.environment, &b.environment, reading.ignored).iter().all(|d| !d.decisive);
    let judged: Vec<Option<Judged>> = (0..runs.len())
        .into_par_iter()
        .map(|index| {
            let head = &runs[index];
            let before = runs[..index].iter().filter(|run| alike(run, head));
            let before = before.filter(|run| run.commit.is_none() || run.commit != head.commit);
            let mut past: Vec<&Run> = before.rev().take(HISTORY_RUNS).collect();
            past.reverse();
            if past.is_empty() {
                return None;
            }
            let machine = runs.iter().position(|run| alike(run, head)).unwrap_or(index);
            let BaseWindow { runs: base, .. } = base_window(&past, reading);
            Some(judge_again(&base, head, machine, &policies, reading))
        })
        .collect();
    let all_series: Vec<SegmentedSeries> = series(runs, reading).into_par_iter().map(segment).collect();
    let first = judged.iter().filter(|one| one.is_none()).count();
    let judged: Vec<Judged> = judged.into_iter().flatten().collect();
    let thresholds = std::iter::once(None).chain(THRESHOLDS.map(Some));
    let rows = thresholds.enumerate().map(|(row, threshold)| count(row, threshold, &judged, &all_series)).collect();
    Replay { judged: judged.len(), first, rows, all_series }
}

fn judge_again(base: &[Run], head: &Run, machine: usize, policies: &[Policy], reading: &SeriesRules<'_>) -> Judged {
    let alpha = policies.first().map_or(0.05, Policy::alpha);
    let against =
        |head: &Run| compare(base, std::slice::from_ref(head), alpha, |old| (reading.rename)(old)).comparisons;
    let time = jiff::Timestamp::from_second(head.time).unwrap_or_default();
    let day = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    let called = |comparison: &Comparison, policy: &Policy| outcome(comparison, policy, day) == Outcome::Regressed;
    let name = |comparison: &Comparison| (comparison.benchmark.to_string(), comparison.metric.name.to_string());

    let compared = against(head);
    let regressed = |policy: &Policy| compared.iter().filter(|one| called(one, policy)).map(name).collect();
    let alarms = policies.iter().map(regressed).collect();
    let mut caught = vec![[Detection::default(); SLOWDOWNS.len()]; policies.len()];
    for (column, factor) in SLOWDOWNS.iter().enumerate() {
        let (slowed, names) = slowdown::slowed(head, *factor, ONE_OF);
        let names: BTreeSet<Name> =
            names.into_iter().map(|(name, metric)| (reading.name(&name).into_owned(), metric)).collect();
        // The others are compared too, as the suite's own noise is told by all of them, and not judged.
        let compared = against(&slowed);
        for comparison in compared.iter().filter(|one| one.base.is_some() && names.contains(&name(one))) {
            for (row, policy) in policies.iter().enumerate() {
                caught[row][column].injected += 1;
                caught[row][column].detected += usize::from(called(comparison, policy));
            }
        }
    }
    Judged { machine, commit: head.commit.clone(), alarms, caught }
}

fn count(row: usize, threshold: Option<f64>, judged: &[Judged], all_series: &[SegmentedSeries]) -> Row {
    let mut out = Row { threshold, ..Row::default() };
    let mut before: BTreeMap<usize, &BTreeSet<Name>> = BTreeMap::new();
    for run in judged {
        let alarms = &run.alarms[row];
        let known = before.insert(run.machine, alarms);
        for name in alarms.iter().filter(|name| !known.is_some_and(|known| known.contains(*name))) {
            out.alarms += 1;
            if lasted(name, run.commit.as_ref(), all_series) {
                out.persisted += 1;
            } else {
                *out.passing.entry(name.0.clone()).or_default() += 1;
            }
        }
        for (sum, one) in out.caught.iter_mut().zip(&run.caught[row]) {
            sum.injected += one.injected;
            sum.detected += one.detected;
        }
    }
    out
}

/// True where the whole history shows a lasting change for the worse at about this commit.
fn lasted((name, metric): &Name, commit: Option<&Commit>, all_series: &[SegmentedSeries]) -> bool {
    let of_it = |segmented: &&SegmentedSeries| {
        let series = &segmented.series;
        series.benchmark.as_str() == name && series.metric.name == *metric
    };
    all_series.iter().filter(of_it).any(|segmented| {
        let at = segmented.series.points.iter().position(|point| commit.is_some() && point.commit.as_ref() == commit);
        let near = |(first, last): (usize, usize)| at.is_some_and(|at| first <= at + NEAR && at <= last + NEAR);
        segmented.changes().any(|change| change.worse && near(change.commits.range))
    })
}
