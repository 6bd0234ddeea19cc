//! Replays the verdicts of `perfgate compare` over a benchmark history: each run in turn is head, the runs before it are the
//! base. Counts alarms that vanish, and injected slowdowns that are found.

#[path = "judged.rs"]
mod judged;

use judged::judged;
use perfgate::model::{Direction, Evidence, Measurement, Metric, Run, Unit};
use perfgate::policy::Policy;
use perfgate::stats::centre;
use perfgate::verdict::Outcome;
use std::collections::BTreeSet;

/// What is replayed: the number of base runs, and of head runs.
pub const WINDOWS: [(usize, usize); 4] = [(1, 1), (3, 1), (10, 1), (10, 2)];
/// The injected slowdowns.
pub const FACTORS: [f64; 4] = [1.25, 1.5, 2.0, 10.0];
/// Number of runs after a head that decide whether an alarm lasts.
const LATER: usize = 5;

/// A benchmark's place in a history.
pub struct Series {
    pub name: String,
    pub unit: Unit,
    pub direction: Direction,
}

/// A history, oldest run first. Each run has one entry for each series: its samples, one number, or nothing.
pub struct History {
    pub series: Vec<Series>,
    pub runs: Vec<Vec<Option<Evidence>>>,
}

/// Counts for one number of base and head runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score {
    pub heads: usize,
    /// Heads with a new alarm (the previous head did not have it) that is not confirmed by the median of the next five
    /// runs.
    pub vanished: usize,
    /// Heads with an alarm that the head before had too: main has that slowdown already.
    pub repeated: usize,
    /// Injected slowdowns for each of [`FACTORS`], and those found.
    pub injected: [usize; 4],
    pub found: [usize; 4],
}

impl Score {
    pub fn add(&mut self, other: Score) {
        self.heads += other.heads;
        self.vanished += other.vanished;
        self.repeated += other.repeated;
        for at in 0..FACTORS.len() {
            self.injected[at] += other.injected[at];
            self.found[at] += other.found[at];
        }
    }

    /// Percentage of heads with an alarm that vanished.
    pub fn vanished_percent(&self) -> f64 {
        100.0 * self.vanished as f64 / self.heads.max(1) as f64
    }

    /// Heads of a hundred with an alarm that the head before had too.
    pub fn repeated_percent(&self) -> f64 {
        100.0 * self.repeated as f64 / self.heads.max(1) as f64
    }

    /// Percentage of slowdowns that were found, for each factor.
    pub fn recall(&self) -> [f64; 4] {
        std::array::from_fn(|at| 100.0 * self.found[at] as f64 / self.injected[at].max(1) as f64)
    }
}

/// Replays the last `heads` runs of a history that five others follow.
pub fn replay(history: &History, (bases, together): (usize, usize), heads: usize) -> Score {
    let count = history.runs.len();
    let mut score = Score::default();
    let mut before = BTreeSet::new();
    for head in 10.max(count.saturating_sub(LATER + 1 + heads))..count.saturating_sub(LATER + 1) {
        let base: Vec<Run> = (head - bases..head).map(|at| history.run(at, &[], 1.0)).collect();
        let of_head = |slow: &[usize], factor: f64| -> Vec<Run> {
            (head..head + together).map(|at| history.run(at, slow, factor)).collect()
        };
        let alarms = regressed(&base, &of_head(&[], 1.0));
        let vanishes = |name: &&String| history.lasts(name, head, head + together) == Some(false);
        score.heads += 1;
        score.vanished += usize::from(alarms.difference(&before).any(|name| vanishes(&name)));
        score.repeated += usize::from(alarms.intersection(&before).next().is_some());
        if head % 3 == 0 {
            let slow = history.every_eighth(head);
            for (at, factor) in FACTORS.into_iter().enumerate() {
                let found = regressed(&base, &of_head(&slow, factor));
                for name in slow.iter().map(|place| &history.series[*place].name).filter(|name| !alarms.contains(*name))
                {
                    score.injected[at] += 1;
                    score.found[at] += usize::from(found.contains(name));
                }
            }
        }
        before = alarms;
    }
    score
}

impl History {
    /// Run `at`, with the benchmarks `slow` slower by a factor.
    fn run(&self, at: usize, slow: &[usize], factor: f64) -> Run {
        let measurement = |(place, evidence): (usize, &Option<Evidence>)| {
            let series = &self.series[place];
            let worse = match series.direction {
                _ if !slow.contains(&place) => 1.0,
                Direction::Lower | Direction::Unknown => factor,
                Direction::Higher => 1.0 / factor,
            };
            let metric = match (&series.unit, series.direction) {
                (Unit::Nanosecond, Direction::Lower) => Metric::time(),
                (unit, direction) => Metric::measured(unit.label().to_owned(), unit.clone(), direction),
            };
            let evidence = evidence.clone()?.scaled(worse);
            Some(Measurement::new("history", series.name.as_str(), metric, evidence))
        };
        Run { measurements: self.runs[at].iter().enumerate().filter_map(measurement).collect(), ..Run::default() }
    }

    /// Whether a benchmark is slower in the five runs after head than in the ten runs before it. `None` if there are
    /// too few runs.
    fn lasts(&self, name: &str, head: usize, after: usize) -> Option<bool> {
        let place = self.series.iter().position(|series| series.name == name)?;
        let sign = if self.series[place].direction == Direction::Lower { 1.0 } else { -1.0 };
        let level = |runs: &[Vec<Option<Evidence>>], least: usize| {
            let values = runs.iter().filter_map(|run| run[place].as_ref()).map(Evidence::centre);
            let logs: Vec<f64> = values.filter(|value| *value > 0.0).map(|value| sign * value.ln()).collect();
            (logs.len() >= least).then(|| centre::median(&logs))
        };
        let later = level(&self.runs[after..(after + LATER).min(self.runs.len())], 3)?;
        Some(
            later - level(&self.runs[head.saturating_sub(10)..head], 1)?
                > Policy::default().gate_threshold().ln_1p() / 2.0,
        )
    }

    /// The benchmarks that are made slower in a head: every eighth one, or a single one if there are fewer than eight.
    fn every_eighth(&self, head: usize) -> Vec<usize> {
        let present: Vec<usize> = (0..self.series.len()).filter(|place| self.runs[head][*place].is_some()).collect();
        match present.len() {
            0 => Vec::new(),
            few @ 1..8 => vec![present[head % few]],
            _ => present.into_iter().filter(|place| (place + head).is_multiple_of(8)).collect(),
        }
    }
}

/// The benchmarks that are called `regressed` with the default policy.
fn regressed(base: &[Run], head: &[Run]) -> BTreeSet<String> {
    let regressed = judged(base, head).benchmarks.into_iter().filter(|finding| finding.outcome == Outcome::Regressed);
    regressed.map(|finding| finding.name).collect()
}
