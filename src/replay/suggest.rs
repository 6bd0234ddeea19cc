//! Suggests thresholds that fit the noise of a history.

use super::{Detection, Replay, Row, SLOWDOWNS, replay_with};
use crate::history::SeriesRules;
use crate::model::Run;
use crate::policy::Policy;

/// Accepted number of transient alarms per 100 runs.
const ACCEPTED: f64 = 1.0;
/// Smallest threshold of a benchmark, in standard deviations from run to run: noise rarely exceeds it.
const STANDARD_DEVIATIONS: f64 = 4.0;
/// Suggested thresholds are multiples of this.
const STEP: f64 = 0.05;

/// Suggested settings for perfgate.toml.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The threshold of `[gate]`.
    pub threshold: f64,
    /// Transient alarms per 100 runs, with this threshold for all benchmarks; after [`verify`], with the suggested settings.
    pub transient: f64,
    /// The injected slowdowns that were detected with the suggested settings, after [`verify`].
    pub detections: [Detection; SLOWDOWNS.len()],
    /// The threshold for which most benchmarks are quiet enough, where that is at most half of `threshold`.
    pub for_most: Option<f64>,
    /// Benchmarks that need another threshold: name, threshold, noise from run to run.
    pub benchmarks: Vec<(String, f64, f64)>,
}

/// The smallest threshold with few transient alarms, and the benchmarks that need another one. `None` for too few runs.
pub fn suggest(replay: &Replay) -> Option<Suggestion> {
    const MIN_RUNS: usize = 8;
    if replay.judged < MIN_RUNS {
        return None;
    }
    let transient = |row: &super::Row| 100.0 * (row.alarms - row.persisted) as f64 / replay.judged as f64;
    let tried: Vec<(f64, f64)> = replay.rows.iter().filter_map(|row| Some((row.threshold?, transient(row)))).collect();
    // Alarms that no threshold avoids are no reason for a large one.
    let unavoidable = tried.iter().map(|(_, transient)| *transient).fold(f64::INFINITY, f64::min);
    let (threshold, transient) =
        tried.iter().copied().find(|(_, transient)| *transient <= unavoidable.max(ACCEPTED))?;
    let mut benchmarks: Vec<(String, f64, f64)> = Vec::new();
    for segmented in replay
        .all_series
        .iter()
        .filter(|segmented| !segmented.series.metric.exact && segmented.series.points.len() >= MIN_RUNS)
        .filter(|segmented| segmented.series.is_measured)
    {
        let noise = segmented.segmentation.noise;
        let needed = (((STANDARD_DEVIATIONS * noise).exp_m1() / STEP).ceil() * STEP).clamp(STEP, 10.0);
        let name = segmented.series.benchmark.to_string();
        match benchmarks.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) if known.1 < needed => *known = (name, needed, noise),
            Some(_) => {}
            None => benchmarks.push((name, needed, noise)),
        }
    }
    let count = benchmarks.len();
    benchmarks.retain(|(_, needed, _)| *needed > threshold + 1e-9 || *needed <= threshold / 2.0 + 1e-9);
    // Where most benchmarks are that quiet, one value replaces a line for each.
    let quiet = |needed: f64| needed <= threshold / 2.0 + 1e-9;
    let few = 2 * benchmarks.iter().filter(|(_, needed, _)| quiet(*needed)).count() <= count;
    let for_most =
        (!few).then(|| benchmarks.iter().map(|(_, needed, _)| *needed).filter(|n| quiet(*n)).fold(0.0, f64::max));
    benchmarks.retain(|(_, needed, _)| few || !quiet(*needed));
    benchmarks.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(Suggestion { threshold, transient, detections: Default::default(), for_most, benchmarks })
}

/// Replays the runs with the suggested settings. A lower threshold that raises alarms which do not persist is taken back.
pub fn verify(mut suggestion: Suggestion, runs: &[Run], policy: &Policy, rules: &SeriesRules<'_>) -> Suggestion {
    let gate = policy.clone().with_threshold(suggestion.threshold);
    let with = |benchmarks: &[(String, f64, f64)]| {
        let thresholds = benchmarks.iter().map(|(name, threshold, _)| (name.as_str(), *threshold));
        (None, gate.clone().with_benchmark_thresholds(thresholds))
    };
    let mut replay = replay_with(runs, vec![with(&suggestion.benchmarks), (None, gate.clone())], rules);
    if let [all, without] = replay.rows.as_slice() {
        let transient = |row: &Row, name: &str| row.transient.get(name).copied().unwrap_or_default();
        let count = suggestion.benchmarks.len();
        suggestion.benchmarks.retain(|(name, threshold, _)| {
            *threshold > suggestion.threshold || transient(all, name) <= transient(without, name)
        });
        if suggestion.benchmarks.len() < count {
            replay = replay_with(runs, vec![with(&suggestion.benchmarks)], rules);
        }
    }
    if let Some(row) = replay.rows.first() {
        suggestion.transient = 100.0 * (row.alarms - row.persisted) as f64 / replay.judged.max(1) as f64;
        suggestion.detections = row.detections;
    }
    suggestion
}
