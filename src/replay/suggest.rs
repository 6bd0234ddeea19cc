//! Thresholds that fit the noise of a history, for a team to take over or not.

use super::Replay;

/// Alarms of a hundred runs that may pass away again before a threshold is too tight.
const BORNE: f64 = 1.0;
/// A threshold of so many standard deviations from run to run is hardly ever crossed by chance.
const CLEAR: f64 = 4.0;
/// Thresholds are suggested in these steps.
const STEP: f64 = 0.05;

/// What perfgate.toml could say.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// For `[gate]`.
    pub threshold: f64,
    /// Alarms of a hundred runs that did not persist, with that threshold for all.
    pub passing: f64,
    /// The threshold that most benchmarks are quiet enough for, where it is at most half of the one above.
    pub mostly: Option<f64>,
    /// Benchmarks that need another one: name, threshold, noise from run to run.
    pub benchmarks: Vec<(String, f64, f64)>,
}

/// The tightest threshold that history bears, and the benchmarks whose noise is another. `None` where too little was
/// judged to say.
pub fn suggest(replay: &Replay) -> Option<Suggestion> {
    const LEAST_RUNS: usize = 8;
    if replay.judged < LEAST_RUNS {
        return None;
    }
    let passing = |row: &super::Row| 100.0 * (row.alarms - row.persisted) as f64 / replay.judged as f64;
    let tried: Vec<(f64, f64)> = replay.rows.iter().filter_map(|row| Some((row.threshold?, passing(row)))).collect();
    // What no threshold avoids is no reason for a wide one.
    let unavoidable = tried.iter().map(|(_, passing)| *passing).fold(f64::INFINITY, f64::min);
    let (threshold, passing) = tried.iter().copied().find(|(_, passing)| *passing <= unavoidable.max(BORNE))?;
    let mut benchmarks: Vec<(String, f64, f64)> = Vec::new();
    for segmented in replay
        .all_series
        .iter()
        .filter(|segmented| !segmented.series.metric.exact && segmented.series.points.len() >= LEAST_RUNS)
    {
        let noise = segmented.segmentation.noise;
        let needed = (((CLEAR * noise).exp_m1() / STEP).ceil() * STEP).clamp(STEP, 10.0);
        let name = segmented.series.benchmark.to_string();
        match benchmarks.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) if known.1 < needed => *known = (name, needed, noise),
            Some(_) => {}
            None => benchmarks.push((name, needed, noise)),
        }
    }
    let count = benchmarks.len();
    benchmarks.retain(|(_, needed, _)| *needed > threshold + 1e-9 || *needed <= threshold / 2.0 + 1e-9);
    // Where most are that quiet, a line for each helps nobody: that is told in one.
    let quiet = |needed: f64| needed <= threshold / 2.0 + 1e-9;
    let few = 2 * benchmarks.iter().filter(|(_, needed, _)| quiet(*needed)).count() <= count;
    let mostly =
        (!few).then(|| benchmarks.iter().map(|(_, needed, _)| *needed).filter(|n| quiet(*n)).fold(0.0, f64::max));
    benchmarks.retain(|(_, needed, _)| few || !quiet(*needed));
    benchmarks.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(Suggestion { threshold, passing, mostly, benchmarks })
}
