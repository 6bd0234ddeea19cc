//! How much a benchmark varies from run to run, told by its suite: empirical Bayes over a fixed grid.
//!
//! Each benchmark's variance is scaled-inverse-chi-squared around `exp(A + b u)`, where `u` is what its own samples
//! foretell. The level A, the slope b and the spread d0 of a suite are weighed by how well they explain the changes of
//! all its benchmarks and the differences between its runs, most of which are taken to be noise and a share of which
//! may be real. No single best point is used but all of them by their weight: a best point alone doubles the alarms.
//! A wide prior keeps a suite from explaining a mass regression as noise. docs/statistics.md has the figures.

use rayon::prelude::*;
use statrs::function::gamma::ln_gamma;
use std::f64::consts::PI;
use std::ops::Range;

/// What the wander of a run (its square, on the log scale) foretells of the variance between runs: `u = -0.60 + 0.79 ln`.
/// Sets the scale only: level and slope are the suite's.
const FORETOLD: (f64, f64) = (-0.60, 0.79);
/// The `u` of a typical benchmark, which levels are given for, and of one that nothing is known of.
const TYPICAL: f64 = -8.5;

/// Priors of the level, as `ln` of a variance: 1.7 % for suites; 3 % where the suite is too small to tell its own;
/// 5 % without samples; 0.1 % for counts that vary. And its standard deviation.
const LEVEL: f64 = -8.2;
const LEVEL_SMALL: f64 = -7.0;
const LEVEL_WITHOUT_SAMPLES: f64 = -6.0;
const LEVEL_COUNTS: f64 = -13.815_510_557_964_274; // ln(0.001^2)
const LEVEL_SD: f64 = 1.2;
/// Prior of the slope.
const SLOPE: f64 = 1.0;
const SLOPE_SD: f64 = 0.2;
/// The grid: level in half standard deviations from -2.5 to 3.5, slope in whole ones, three spreads. Where the highest
/// levels hold more weight than `AT_THE_EDGE`, the noise may lie beyond them: it goes on to 6.5.
const LEVEL_STEPS: i32 = 13;
const MOST_LEVEL_STEPS: i32 = 19;
const AT_THE_EDGE: f64 = 0.01;
const SLOPE_STEPS: i32 = 5;
const SPREADS: [f64; 3] = [2.0, 3.0, 5.0];
/// Without samples nothing tells a wild benchmark from a quiet one: heavy tails.
const SPREADS_WITHOUT_SAMPLES: [f64; 1] = [1.0];
/// The share of benchmarks that really changed, and its weight.
const CHANGED: [(f64, f64); 4] = [(0.03, 0.40), (0.10, 0.35), (0.25, 0.20), (0.50, 0.05)];
/// Real changes: Laplace with this scale, on the log scale.
const CHANGE_SCALE: f64 = 0.4;
/// No run is steadier than this from one to the next (standard deviation): times, counts.
const FLOOR: f64 = 0.003;
const FLOOR_COUNTS: f64 = 1e-4;
/// A larger suite is fitted on this many of its benchmarks, evenly chosen: more do not move the weights.
const FITTED: usize = 1500;
/// Of so many factors of the likelihood one logarithm is taken: each is 0.03 at least, the least share, so that their
/// product is far from the least number there is.
const ONE_LOG: usize = 128;
/// Points of less weight than this together are dropped.
const NEGLIGIBLE: f64 = 1e-7;

/// What one benchmark adds to the fit, and what its own variance is made of.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// `ln(wander^2)` averaged over its runs, where they have samples.
    pub wander: Option<f64>,
    /// Its change less the bulk's.
    pub change: f64,
    /// Sum of squares of its runs around their side's mean.
    pub squares: f64,
    /// Degrees of freedom of that.
    pub df: f64,
    /// Variance of the change for runs of variance one.
    pub factor: f64,
}

/// A benchmark of the fit, with what does not hang on the point of the grid.
struct Fitted {
    observation: Observation,
    /// What its samples foretell, less what is typical.
    u: f64,
    /// What that does to its variance, for each slope of the grid.
    foretold: [f64; SLOPE_STEPS as usize],
    /// The change's square for runs of variance one.
    squared: f64,
    half_log: f64,
}

impl Fitted {
    fn new(observation: Observation, u: f64) -> Self {
        let squared = observation.change.powi(2) / observation.factor;
        let foretold = std::array::from_fn(|step| (slope(step as i32) * u).exp());
        Fitted { observation, u, foretold, squared, half_log: 0.5 * (PI * observation.factor).ln() }
    }
}

/// The least variance of one run.
#[derive(Debug, Clone, Copy)]
struct Floor {
    variance: f64,
    ln: f64,
}

impl Floor {
    /// From the standard deviation.
    fn new(sd: f64) -> Self {
        let variance = sd * sd;
        Floor { variance, ln: variance.ln() }
    }
}

/// What is being judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Times and other measured values.
    Measured,
    /// Counts that should repeat and do not quite.
    Counted,
}

/// A point of the grid with its weight.
#[derive(Debug, Clone, Copy)]
struct Point {
    level: f64,
    slope: f64,
    slope_step: i32,
    spread: f64,
    weight: f64,
}

/// What a suite says of its benchmarks' variances: grid points with their weights, those of one spread side by side.
#[derive(Debug, Clone)]
pub struct Prior {
    points: Vec<Point>,
    floor: Floor,
    /// The `u` of a benchmark without samples.
    unknown: f64,
}

impl Prior {
    /// Fits a suite.
    pub fn fit(observations: &[Observation], nature: ValueKind, small: bool) -> Prior {
        let known: Vec<f64> = observations.iter().filter_map(|observation| observation.wander).map(foretold).collect();
        let unknown = if known.is_empty() { TYPICAL } else { super::centre::median(&known) };
        let (level, floor) = match nature {
            ValueKind::Counted => (LEVEL_COUNTS, FLOOR_COUNTS),
            ValueKind::Measured if known.is_empty() => (LEVEL_WITHOUT_SAMPLES, FLOOR),
            ValueKind::Measured if small => (LEVEL_SMALL, FLOOR),
            ValueKind::Measured => (LEVEL, FLOOR),
        };
        let spreads: &[f64] =
            if known.is_empty() && nature == ValueKind::Measured { &SPREADS_WITHOUT_SAMPLES } else { &SPREADS };
        let mut prior = Prior { points: grid(0..LEVEL_STEPS, level, spreads), floor: Floor::new(floor), unknown };
        let step = observations.len().div_ceil(FITTED).max(1);
        let fitted: Vec<Fitted> = observations
            .iter()
            .step_by(step)
            .map(|observation| Fitted::new(*observation, prior.untypical(observation)))
            .collect();
        let explained = |points: &[Point]| -> Vec<f64> {
            points.par_iter().map(|point| prior.log_posterior(point, level, &fitted, step as f64)).collect()
        };
        let mut logs = explained(&prior.points);
        if last_share(&logs, SLOPE_STEPS as usize * spreads.len()) > AT_THE_EDGE {
            let further = grid(LEVEL_STEPS..MOST_LEVEL_STEPS, level, spreads);
            logs.extend(explained(&further));
            prior.points.extend(further);
        }
        prior.weighed(&logs)
    }

    /// The variance of one run and its degrees of freedom at each point, with the point's weight.
    pub fn variances(&self, observation: &Observation) -> impl Iterator<Item = Variance> {
        self.points.iter().map(|point| {
            let df = point.spread + observation.df;
            let total =
                point.spread * self.scale(self.ln_scale(point, self.untypical(observation))) + observation.squares;
            Variance { weight: point.weight, df, variance: (total / df).max(self.floor.variance) }
        })
    }

    /// What a benchmark's samples foretell, less what is typical.
    fn untypical(&self, observation: &Observation) -> f64 {
        observation.wander.map_or(self.unknown, foretold) - TYPICAL
    }

    /// The prior variance of a benchmark at a point, on the log scale.
    fn ln_scale(&self, point: &Point, untypical: f64) -> f64 {
        (point.level + point.slope * untypical).max(self.floor.ln)
    }

    /// The variance of such a logarithm, which is that of the floor very often.
    fn scale(&self, ln_scale: f64) -> f64 {
        if ln_scale > self.floor.ln { ln_scale.exp() } else { self.floor.variance }
    }

    /// Log of the prior times the likelihood of all changes and run differences, the variances integrated out.
    /// `each` benchmark stands for so many.
    fn log_posterior(&self, point: &Point, level: f64, observations: &[Fitted], each: f64) -> f64 {
        let d0 = point.spread;
        let (ln_spread, of_spread) = (d0.ln(), ln_gamma(d0 / 2.0));
        // Few degrees of freedom differ in a suite, and their gamma functions would be half of the work.
        let mut gammas: Vec<(f64, [f64; 2])> = Vec::new();
        let of_change = (2.0 * CHANGE_SCALE).ln();
        let (of_level, step) = (point.level.exp(), point.slope_step as usize);
        let mut by_share = [0.0; CHANGED.len()];
        for observations in observations.chunks(ONE_LOG) {
            let (mut logs, mut products) = (0.0, [1.0; CHANGED.len()]);
            for Fitted { observation, u, foretold, squared, half_log } in observations {
                let ln_scale = self.ln_scale(point, *u);
                let total = d0 * (of_level * foretold[step]).max(self.floor.variance) + observation.squares;
                let ln_scaled = ln_spread + ln_scale;
                let ln_total = if observation.squares == 0.0 { ln_scaled } else { total.ln() };
                let head = d0 / 2.0 * ln_scaled - of_spread;
                let noise_df = (d0 + observation.df + 1.0) / 2.0;
                let real_df = (d0 + observation.df) / 2.0;
                let [of_noise, of_real] = match gammas.iter().find(|(df, _)| *df == observation.df) {
                    Some((_, known)) => *known,
                    None => {
                        let new = [ln_gamma(noise_df), ln_gamma(real_df)];
                        gammas.push((observation.df, new));
                        new
                    }
                };
                let noise = head + of_noise - noise_df * (total + squared).ln() - half_log;
                let real = head + of_real - real_df * ln_total - of_change - observation.change.abs() / CHANGE_SCALE;
                // ln((1 - share) e^noise + share e^real), from the larger of the two.
                let (larger, ratio) = (noise.max(real), (-(noise - real).abs()).exp());
                let (of_noise, of_real) = if noise >= real { (1.0, ratio) } else { (ratio, 1.0) };
                logs += larger;
                for (product, (share, _)) in products.iter_mut().zip(CHANGED) {
                    *product *= (1.0 - share) * of_noise + share * of_real;
                }
            }
            for (sum, product) in by_share.iter_mut().zip(products) {
                *sum += logs + product.ln();
            }
        }
        let most = by_share.iter().copied().fold(f64::NEG_INFINITY, f64::max) * each;
        let mixed: f64 =
            by_share.iter().zip(CHANGED).map(|(log, (_, weight))| weight * (log * each - most).exp()).sum();
        let prior = ((point.level - level) / LEVEL_SD).powi(2) + ((point.slope - SLOPE) / SLOPE_SD).powi(2);
        most + mixed.ln() - prior / 2.0
    }

    /// Weights from log posteriors; what does not matter is dropped.
    fn weighed(mut self, logs: &[f64]) -> Prior {
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (point, log) in self.points.iter_mut().zip(logs) {
            point.weight = (log - most).exp();
        }
        let whole: f64 = self.points.iter().map(|point| point.weight).sum();
        self.points.sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut kept = 0.0;
        let enough = self.points.iter().position(|point| {
            kept += point.weight;
            kept >= whole * (1.0 - NEGLIGIBLE)
        });
        self.points.truncate(enough.map_or(self.points.len(), |last| last + 1));
        self.points.iter_mut().for_each(|point| point.weight /= kept);
        self.points.sort_by(|a, b| a.spread.total_cmp(&b.spread));
        self
    }
}

/// A benchmark's variance at a point of the grid.
#[derive(Debug, Clone, Copy)]
pub struct Variance {
    /// The point's weight; all together are one.
    pub weight: f64,
    /// Variance of one run.
    pub variance: f64,
    /// Degrees of freedom.
    pub df: f64,
}

/// What a run's wander foretells.
fn foretold(ln_wander_squared: f64) -> f64 {
    FORETOLD.0 + FORETOLD.1 * ln_wander_squared
}

/// The share of the whole weight that the last points have, from their log weights.
fn last_share(logs: &[f64], count: usize) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weight = |logs: &[f64]| logs.iter().map(|log| (log - most).exp()).sum::<f64>();
    weight(&logs[logs.len().saturating_sub(count)..]) / weight(logs)
}

/// The slope at a step of the grid.
fn slope(step: i32) -> f64 {
    SLOPE + SLOPE_SD * (f64::from(step) - 2.0)
}

fn grid(levels: Range<i32>, level: f64, spreads: &[f64]) -> Vec<Point> {
    let mut points = Vec::new();
    for a in levels {
        for b in 0..SLOPE_STEPS {
            for spread in spreads {
                points.push(Point {
                    level: level + LEVEL_SD * (f64::from(a) * 0.5 - 2.5),
                    slope: slope(b),
                    slope_step: b,
                    spread: *spread,
                    weight: 0.0,
                });
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(changes: &[f64]) -> Vec<Observation> {
        let observation =
            |change: &f64| Observation { wander: Some(-9.0), change: *change, squares: 0.0, df: 0.0, factor: 2.0 };
        changes.iter().map(observation).collect()
    }

    fn mean_variance(prior: &Prior, observation: &Observation) -> f64 {
        prior.variances(observation).map(|v| v.weight * v.variance.ln()).sum::<f64>().exp()
    }

    #[test]
    fn weights_are_one_together() {
        let observations = suite(&[0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02, -0.03]);
        let prior = Prior::fit(&observations, ValueKind::Measured, false);
        let sum: f64 = prior.variances(&observations[0]).map(|v| v.weight).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn a_noisy_suite_is_given_more_variance_than_a_quiet_one() {
        let quiet = suite(&(0..30).map(|i| 0.002 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
        let noisy = suite(&(0..30).map(|i| 0.05 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
        let [quiet, noisy] = [quiet, noisy].map(|observations| {
            mean_variance(&Prior::fit(&observations, ValueKind::Measured, false), &observations[0])
        });
        assert!(noisy > 20.0 * quiet, "{noisy} {quiet}");
    }

    #[test]
    fn noise_beyond_the_usual_is_seen_as_it_is() {
        // Runs that move by 40 %, as beside a busy neighbour.
        let wild = suite(&(0..30).map(|i| 0.28 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
        let sd = mean_variance(&Prior::fit(&wild, ValueKind::Measured, false), &wild[0]).sqrt();
        assert!((0.2..0.6).contains(&sd), "{sd}");
    }

    #[test]
    fn a_mass_regression_is_not_explained_as_noise() {
        // Half the suite 30 % slower, the rest quiet.
        let changes: Vec<f64> =
            (0..30).map(|i| 0.002 * f64::from(i % 7 - 3) + if i % 2 == 0 { 0.262 } else { 0.0 }).collect();
        let observations = suite(&changes);
        let prior = Prior::fit(&observations, ValueKind::Measured, false);
        assert!(mean_variance(&prior, &observations[0]).sqrt() < 0.03);
    }

    #[test]
    fn a_benchmarks_own_runs_outrank_the_suite() {
        let mut observations = suite(&(0..30).map(|i| 0.002 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
        observations
            .iter_mut()
            .for_each(|observation| (observation.squares, observation.df) = (9.0 * 0.003_f64.powi(2), 9.0));
        observations[3].squares = 9.0 * 0.2_f64.powi(2);
        let prior = Prior::fit(&observations, ValueKind::Measured, false);
        assert!(mean_variance(&prior, &observations[3]).sqrt() > 0.1);
        assert!(mean_variance(&prior, &observations[4]).sqrt() < 0.02);
    }
}
