//! Suggests thresholds that fit the noise of a history.

use super::{Replay, Row, count, judge};
use crate::history::SeriesRules;
use crate::model::Run;
use crate::policy::Policy;

/// Accepted number of transient alarms per 100 runs.
pub const ACCEPTED: usize = 1;
/// The smallest threshold of a benchmark, in standard deviations from run to run: noise rarely exceeds it.
pub const STANDARD_DEVIATIONS: f64 = 4.0;
/// Suggested thresholds are multiples of this, and not smaller.
pub const STEP: f64 = 0.05;
/// The largest suggested threshold.
pub const LARGEST: f64 = 10.0;

/// Suggested settings for perfgate.toml.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The threshold of `[gate]`.
    pub threshold: f64,
    /// A threshold that suits the noise of most benchmarks, if it is at most half of `threshold`.
    pub for_most: Option<ForMost>,
    /// Benchmarks that need another threshold: name, threshold, noise from run to run.
    pub benchmarks: Vec<(String, f64, f64)>,
    /// The results of a replay with these settings.
    pub row: Row,
}

/// A lower threshold that suits the noise of most benchmarks, but not their outliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForMost {
    /// The threshold.
    pub threshold: f64,
    /// Number of alarms that did not persist, with this threshold for all benchmarks.
    pub transient: usize,
}

/// The smallest threshold with few transient alarms, and the benchmarks that need another one. `None` for too few runs.
pub fn suggest(replay: &Replay, runs: &[Run], policy: &Policy, rules: &SeriesRules<'_>) -> Option<Suggestion> {
    const MIN_RUNS: usize = 8;
    if replay.judged < MIN_RUNS {
        return None;
    }
    let transient = |row: &Row| 100.0 * (row.alarms - row.persisted) as f64 / replay.judged as f64;
    let tried: Vec<(f64, f64)> = replay.rows.iter().filter_map(|row| Some((row.threshold?, transient(row)))).collect();
    // Alarms that remain at every threshold do not justify a higher one.
    let unavoidable = tried.iter().map(|(_, transient)| *transient).fold(f64::INFINITY, f64::min);
    let (threshold, _) = tried.iter().copied().find(|(_, transient)| *transient <= unavoidable.max(ACCEPTED as f64))?;
    let mut benchmarks: Vec<(String, f64, f64)> = Vec::new();
    for segmented in replay
        .all_series
        .iter()
        .filter(|segmented| segmented.series.is_measured)
        .filter(|segmented| !segmented.series.metric.exact && segmented.series.points.len() >= MIN_RUNS)
    {
        let noise = segmented.segmentation.noise;
        let needed = (((STANDARD_DEVIATIONS * noise).exp_m1() / STEP).ceil() * STEP).clamp(STEP, LARGEST);
        let name = segmented.series.benchmark.to_string();
        match benchmarks.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) if known.1 < needed => *known = (name, needed, noise),
            Some(_) => {}
            None => benchmarks.push((name, needed, noise)),
        }
    }
    let total = benchmarks.len();
    benchmarks.retain(|(_, needed, _)| *needed > threshold + 1e-9 || *needed <= threshold / 2.0 + 1e-9);
    // If most benchmarks are that quiet, one threshold for all of them replaces a line per benchmark.
    let quiet = |needed: f64| needed <= threshold / 2.0 + 1e-9;
    let few = 2 * benchmarks.iter().filter(|(_, needed, _)| quiet(*needed)).count() <= total;
    let noise_of_most =
        (!few).then(|| benchmarks.iter().map(|(_, needed, _)| *needed).filter(|n| quiet(*n)).fold(0.0, f64::max));
    benchmarks.retain(|(_, needed, _)| few || !quiet(*needed));
    benchmarks.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let for_most = noise_of_most.map(|threshold| {
        let is_same = |row: &&Row| row.threshold.is_some_and(|tried| (tried - threshold).abs() < 1e-9);
        let row = replay.rows.iter().find(is_same).cloned().unwrap_or_else(|| {
            let policy = Policy::default().with_alpha(policy.alpha()).with_threshold(threshold);
            let judged: Vec<_> = judge(runs, &[policy], rules).into_iter().flatten().collect();
            count(0, Some(threshold), &judged, &replay.all_series)
        });
        ForMost { threshold, transient: row.alarms - row.persisted }
    });
    let with_these = |benchmarks: &[(String, f64, f64)]| {
        let thresholds = benchmarks.iter().map(|(name, threshold, _)| (name.clone(), *threshold));
        let policy = policy.clone().with_threshold(threshold).with_thresholds(thresholds);
        let judged: Vec<_> = judge(runs, &[policy], rules).into_iter().flatten().collect();
        count(0, Some(threshold), &judged, &replay.all_series)
    };
    let mut row = with_these(&benchmarks);
    // A lower threshold that itself causes alarms is not suggested.
    let before = benchmarks.len();
    benchmarks.retain(|(name, needed, _)| *needed > threshold || !row.transient.contains_key(name));
    if benchmarks.len() < before {
        row = with_these(&benchmarks);
    }
    Some(Suggestion { threshold, for_most, benchmarks, row })
}
