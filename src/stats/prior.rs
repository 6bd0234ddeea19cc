//! The run-to-run variance of a benchmark, estimated from its suite: empirical Bayes over a fixed grid, as in the
//! moderated t test (Smyth 2004).
//!
//! The prior of each benchmark's variance is scaled-inverse-chi-squared with d0 degrees of freedom around
//! `exp(A + b u)`, where `u` is the log variance predicted from the benchmark's within-run drift. The parameters of the
//! suite are A, the slope b and d0. Their posterior weights follow from how well they explain the changes of all benchmarks
//! and the differences between runs. A share of the changes may be real. All grid points are used with their weights: the best
//! point alone doubles the false-positive rate. The prior of A keeps a suite from explaining a regression of most of its
//! benchmarks as noise. docs/statistics.md has the figures.

use rayon::prelude::*;
use statrs::function::gamma::ln_gamma;
use std::f64::consts::PI;
use std::ops::Range;

/// Intercept and slope of the prediction of the run-to-run variance from the squared drift: `u = -0.60 + 0.79 ln(drift^2)`.
/// It only sets the scale: A and b are estimated for each suite.
const PREDICTION: (f64, f64) = (-0.60, 0.79);
/// The `u` of a typical benchmark, to which A refers; also of a benchmark without a drift.
const TYPICAL: f64 = -8.5;

/// Means of the prior of A, the logarithm of a variance: a standard deviation of 1.7% for suites; 3% for a suite too
/// small to estimate its own; 5% without samples; 0.1% for counts that vary. And the standard deviation of that prior.
const LN_VARIANCE: f64 = -8.2;
const LN_VARIANCE_SMALL: f64 = -7.0;
const LN_VARIANCE_WITHOUT_SAMPLES: f64 = -6.0;
const LN_VARIANCE_COUNTS: f64 = -13.815_510_557_964_274; // ln(0.001^2)
const LN_VARIANCE_SD: f64 = 1.2;
/// The standard deviation for suites with samples: on some machines the samples of a run agree although the runs differ by 10%.
const LN_VARIANCE_SD_WITH_SAMPLES: f64 = 1.5;
/// Mean and standard deviation of the prior of the slope b.
const SLOPE: f64 = 1.0;
const SLOPE_SD: f64 = 0.2;
/// The grid: A in half standard deviations from -2.5 to 3.5, b in whole ones from -2 to 2, three values of d0. If the highest
/// A have more weight than `BORDER_WEIGHT`, the noise may be above them: the grid is extended to 6.5.
const LN_VARIANCE_STEPS: i32 = 13;
const MAX_LN_VARIANCE_STEPS: i32 = 19;
const BORDER_WEIGHT: f64 = 0.01;
const SLOPE_STEPS: i32 = 5;
const PRIOR_DF: [f64; 3] = [2.0, 3.0, 5.0];
/// Heavy tails, because without samples nothing distinguishes a noisy benchmark from a quiet one.
const PRIOR_DF_WITHOUT_SAMPLES: [f64; 1] = [1.0];
/// For one run per side. With 1.0, a benchmark ten times slower passed next to 29 quiet ones; a prior over 1, 2 and 4 has more than
/// twice as many alarms that vanish.
pub const ONE_RUN_PER_SIDE_DF: f64 = 1.4;
/// Possible shares of benchmarks that really changed, with their prior weights.
const CHANGED: [(f64, f64); 4] = [(0.03, 0.40), (0.10, 0.35), (0.25, 0.20), (0.50, 0.05)];
/// The weights for suites with samples. With those of [`CHANGED`], up to 16% instead of 8% of unchanged suites whose runs differ by 10%
/// have an alarm (`cargo run --release --example steady_samples`).
const CHANGED_WITH_SAMPLES: [(f64, f64); 4] = [(0.03, 0.40), (0.10, 0.35), (0.25, 0.06), (0.50, 0.015)];
/// Scale of the Laplace distribution of real changes, on the log scale.
const CHANGE_SCALE: f64 = 0.4;
/// Lower limits of the standard deviation from run to run: of times, of counts.
pub(super) const MIN_SD: f64 = 0.003;
const MIN_SD_COUNTS: f64 = 1e-4;
/// A larger suite is fitted on this many of its benchmarks, evenly chosen: more do not change the weights.
const MAX_FITTED: usize = 1500;
/// In a suite of at least twice this many, the grid points are compared on this many benchmarks first. Points whose log
/// posterior is lower there by more than [`MAX_LOG_POSTERIOR_GAP`] are dropped: on the whole suite they would weigh less than
/// [`NEGLIGIBLE`]. This saves 54 of 453 million instructions of `perfgate compare` of 1,000 benchmarks.
const SCREENED: usize = 200;
const MAX_LOG_POSTERIOR_GAP: f64 = 40.0;
/// Number of factors of the likelihood that are multiplied before the logarithm is taken. Each factor is at least 0.03
/// (the smallest share), so the product does not underflow.
const FACTORS_PER_LOG: usize = 128;
/// Grid points that together weigh less than this are dropped.
const NEGLIGIBLE: f64 = 1e-7;

/// What one benchmark contributes to the fit, and the data of its own variance.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// Mean of `ln(drift^2)` over the runs, where they have samples.
    pub ln_drift_squared: Option<f64>,
    /// The change, with the suite-wide shift subtracted.
    pub change: f64,
    /// Sum of squared deviations of the runs from the mean of their side.
    pub sum_of_squares: f64,
    /// Degrees of freedom of the sum of squares.
    pub df: f64,
    /// Variance of the change for runs of variance one.
    pub variance_factor: f64,
}

/// An observation with the terms of its likelihood that do not depend on the grid point.
#[derive(Clone, Copy)]
struct FittedObservation {
    observation: Observation,
    /// Predicted log variance relative to the typical benchmark.
    u: f64,
    /// `exp(b u)` for each slope of the grid.
    variance_ratios: [f64; SLOPE_STEPS as usize],
    /// The squared change, scaled to runs of variance one.
    squared_change: f64,
    /// `ln(pi factor) / 2`, a term of the t density.
    half_log: f64,
}

impl FittedObservation {
    fn new(observation: Observation, u: f64) -> Self {
        let squared_change = observation.change.powi(2) / observation.variance_factor;
        let variance_ratios = std::array::from_fn(|step| (slope(step as i32) * u).exp());
        let half_log = 0.5 * (PI * observation.variance_factor).ln();
        FittedObservation { observation, u, variance_ratios, squared_change, half_log }
    }
}

/// Lower limit of the variance of one run.
#[derive(Debug, Clone, Copy)]
struct Floor {
    variance: f64,
    ln: f64,
}

impl Floor {
    /// From a standard deviation.
    fn new(sd: f64) -> Self {
        let variance = sd * sd;
        Floor { variance, ln: variance.ln() }
    }
}

/// Whether values are measured or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Times and other measured values.
    Measured,
    /// Counts that nearly repeat from run to run.
    Counted,
}

/// What is assumed of a suite before its results are known.
struct Hyperprior {
    /// Mean of A.
    mean: f64,
    /// Standard deviation of A.
    sd: f64,
    /// Shares of benchmarks that really changed, with their weights.
    changed: [(f64, f64); 4],
}

impl Hyperprior {
    fn of(kind: ValueKind, has_samples: bool, small: bool) -> Self {
        let usual = |mean: f64| Hyperprior { mean, sd: LN_VARIANCE_SD, changed: CHANGED };
        match kind {
            ValueKind::Counted => usual(LN_VARIANCE_COUNTS),
            ValueKind::Measured if !has_samples => usual(LN_VARIANCE_WITHOUT_SAMPLES),
            ValueKind::Measured if small => Hyperprior { sd: LN_VARIANCE_SD_WITH_SAMPLES, ..usual(LN_VARIANCE_SMALL) },
            ValueKind::Measured => {
                Hyperprior { mean: LN_VARIANCE, sd: LN_VARIANCE_SD_WITH_SAMPLES, changed: CHANGED_WITH_SAMPLES }
            }
        }
    }
}

/// A grid point with its posterior weight.
#[derive(Debug, Clone, Copy)]
struct GridPoint {
    /// A in the module's description.
    ln_variance: f64,
    /// b.
    slope: f64,
    slope_step: i32,
    /// d0.
    df: f64,
    weight: f64,
}

/// The prior of the variances of a suite: grid points with their weights, sorted by d0.
#[derive(Debug, Clone)]
pub struct Prior {
    points: Vec<GridPoint>,
    floor: Floor,
    /// The predicted log variance of a benchmark without a drift.
    unknown: f64,
}

impl Prior {
    /// Fits the prior to a suite; `small` for a suite too small to estimate its own noise.
    pub fn fit(observations: &[Observation], kind: ValueKind, small: bool) -> Prior {
        let predicted: Vec<f64> = observations.iter().filter_map(|one| one.ln_drift_squared).map(predict).collect();
        let unknown = if predicted.is_empty() { TYPICAL } else { super::centre::median(&predicted) };
        let has_samples = !predicted.is_empty();
        let one_run_a_side = observations.iter().all(|one| one.df == 0.0);
        let min_sd = if kind == ValueKind::Counted { MIN_SD_COUNTS } else { MIN_SD };
        let dfs: &[f64] = match kind {
            ValueKind::Measured if !has_samples && one_run_a_side => &[ONE_RUN_PER_SIDE_DF],
            ValueKind::Measured if !has_samples => &PRIOR_DF_WITHOUT_SAMPLES,
            _ => &PRIOR_DF,
        };
        let assumed = Hyperprior::of(kind, has_samples, small);
        let points = grid(0..LN_VARIANCE_STEPS, &assumed, dfs);
        let mut prior = Prior { points, floor: Floor::new(min_sd), unknown };
        let step = observations.len().div_ceil(MAX_FITTED).max(1);
        let chosen = observations.iter().step_by(step);
        let fitted: Vec<FittedObservation> =
            chosen.map(|one| FittedObservation::new(*one, prior.relative_prediction(one))).collect();
        let few: Vec<FittedObservation> =
            fitted.iter().step_by(fitted.len().div_ceil(SCREENED).max(1)).copied().collect();
        let log_posteriors = |points: &[GridPoint]| -> Vec<f64> {
            let of_few = |point: &GridPoint| prior.log_posterior(point, &assumed, &few, 1.0);
            let of_all = |point: &GridPoint| prior.log_posterior(point, &assumed, &fitted, step as f64);
            if fitted.len() < 2 * few.len() {
                return points.par_iter().map(of_all).collect();
            }
            let screened: Vec<f64> = points.par_iter().map(of_few).collect();
            let hopeless = screened.iter().copied().fold(f64::NEG_INFINITY, f64::max) - MAX_LOG_POSTERIOR_GAP;
            let of_possible = |(point, of_few)| if of_few < hopeless { f64::NEG_INFINITY } else { of_all(point) };
            points.par_iter().zip(screened).map(of_possible).collect()
        };
        let mut logs = log_posteriors(&prior.points);
        if share_of_last(&logs, SLOPE_STEPS as usize * dfs.len()) > BORDER_WEIGHT {
            let extension = grid(LN_VARIANCE_STEPS..MAX_LN_VARIANCE_STEPS, &assumed, dfs);
            logs.extend(log_posteriors(&extension));
            prior.points.extend(extension);
        }
        prior.with_weights(&logs)
    }

    /// The posterior variance of one run of a benchmark at each grid point.
    pub fn variances(&self, observation: &Observation) -> impl Iterator<Item = Variance> {
        let relative_prediction = self.relative_prediction(observation);
        self.points.iter().map(move |point| {
            let df = point.df + observation.df;
            let prior = self.variance(self.ln_variance(point, relative_prediction));
            let total = point.df * prior + observation.sum_of_squares;
            Variance { weight: point.weight, df, variance: (total / df).max(self.floor.variance) }
        })
    }

    /// The log variance predicted from a benchmark's drift, relative to the typical benchmark.
    fn relative_prediction(&self, observation: &Observation) -> f64 {
        observation.ln_drift_squared.map_or(self.unknown, predict) - TYPICAL
    }

    /// The log of the prior variance of a benchmark at a grid point.
    fn ln_variance(&self, point: &GridPoint, relative_prediction: f64) -> f64 {
        (point.ln_variance + point.slope * relative_prediction).max(self.floor.ln)
    }

    /// `exp`, without computing it for the floor, which is a frequent value.
    fn variance(&self, ln_variance: f64) -> f64 {
        if ln_variance > self.floor.ln { ln_variance.exp() } else { self.floor.variance }
    }

    /// Log of the prior times the likelihood of all changes and run differences; the variances are integrated out, which
    /// gives t densities. Each observation represents `represented` benchmarks.
    fn log_posterior(
        &self,
        point: &GridPoint,
        assumed: &Hyperprior,
        fitted: &[FittedObservation],
        represented: f64,
    ) -> f64 {
        let d0 = point.df;
        let (ln_d0, ln_gamma_d0) = (d0.ln(), ln_gamma(d0 / 2.0));
        // A suite has few different degrees of freedom. Computing their gamma functions each time takes 8% more of the
        // processor time of `perfgate compare` of 1,000 benchmarks (82 ms instead of 76 ms).
        let mut gammas: Vec<(f64, [f64; 2])> = Vec::new();
        let ln_change_norm = (2.0 * CHANGE_SCALE).ln();
        let (typical_variance, step) = (point.ln_variance.exp(), point.slope_step as usize);
        let mut by_share = [0.0; CHANGED.len()];
        for fitted in fitted.chunks(FACTORS_PER_LOG) {
            let (mut logs, mut products) = (0.0, [1.0; CHANGED.len()]);
            for FittedObservation { observation, u, variance_ratios, squared_change, half_log } in fitted {
                let Observation { sum_of_squares, df, change, .. } = *observation;
                let ln_variance = self.ln_variance(point, *u);
                let total = d0 * (typical_variance * variance_ratios[step]).max(self.floor.variance) + sum_of_squares;
                let ln_scaled = ln_d0 + ln_variance;
                let ln_total = if sum_of_squares == 0.0 { ln_scaled } else { total.ln() };
                let common = d0 / 2.0 * ln_scaled - ln_gamma_d0;
                let noise_df = (d0 + df + 1.0) / 2.0;
                let real_df = (d0 + df) / 2.0;
                let [gamma_of_noise, gamma_of_real] = match gammas.iter().find(|(known, _)| *known == df) {
                    Some((_, known)) => *known,
                    None => {
                        let new = [ln_gamma(noise_df), ln_gamma(real_df)];
                        gammas.push((df, new));
                        new
                    }
                };
                let noise = common + gamma_of_noise - noise_df * (total + squared_change).ln() - half_log;
                let real = common + gamma_of_real - real_df * ln_total - ln_change_norm - change.abs() / CHANGE_SCALE;
                // ln((1 - share) e^noise + share e^real), relative to the larger of the two.
                let (larger, ratio) = (noise.max(real), (-(noise - real).abs()).exp());
                let (of_noise, of_real) = if noise >= real { (1.0, ratio) } else { (ratio, 1.0) };
                logs += larger;
                for (product, (share, _)) in products.iter_mut().zip(assumed.changed) {
                    *product *= (1.0 - share) * of_noise + share * of_real;
                }
            }
            for (sum, product) in by_share.iter_mut().zip(products) {
                *sum += logs + product.ln();
            }
        }
        let largest = by_share.iter().copied().fold(f64::NEG_INFINITY, f64::max) * represented;
        let weighted = by_share.iter().zip(assumed.changed);
        let mixed: f64 = weighted.map(|(log, (_, weight))| weight * (log * represented - largest).exp()).sum();
        let prior =
            ((point.ln_variance - assumed.mean) / assumed.sd).powi(2) + ((point.slope - SLOPE) / SLOPE_SD).powi(2);
        largest + mixed.ln() - prior / 2.0
    }

    /// Sets the weights from log posteriors and drops points of negligible weight.
    fn with_weights(mut self, logs: &[f64]) -> Prior {
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (point, log) in self.points.iter_mut().zip(logs) {
            point.weight = (log - largest).exp();
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
        self.points.sort_by(|a, b| a.df.total_cmp(&b.df));
        self
    }
}

/// A benchmark's posterior variance at a grid point.
#[derive(Debug, Clone, Copy)]
pub struct Variance {
    /// Weight of the point; all weights add up to one.
    pub weight: f64,
    /// Variance of one run.
    pub variance: f64,
    /// Degrees of freedom.
    pub df: f64,
}

/// The log variance from run to run that a within-run drift predicts.
fn predict(ln_drift_squared: f64) -> f64 {
    PREDICTION.0 + PREDICTION.1 * ln_drift_squared
}

/// The share of the total weight of the last `count` points, from their log weights.
fn share_of_last(logs: &[f64], count: usize) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weight = |logs: &[f64]| logs.iter().map(|log| (log - largest).exp()).sum::<f64>();
    weight(&logs[logs.len().saturating_sub(count)..]) / weight(logs)
}

/// The slope at a step of the grid.
fn slope(step: i32) -> f64 {
    SLOPE + SLOPE_SD * (f64::from(step) - 2.0)
}

/// The grid points for some steps of A.
fn grid(steps: Range<i32>, assumed: &Hyperprior, dfs: &[f64]) -> Vec<GridPoint> {
    let mut points = Vec::new();
    for a in steps {
        for b in 0..SLOPE_STEPS {
            for df in dfs {
                points.push(GridPoint {
                    ln_variance: assumed.mean + assumed.sd * (f64::from(a) * 0.5 - 2.5),
                    slope: slope(b),
                    slope_step: b,
                    df: *df,
                    weight: 0.0,
                });
            }
        }
    }
    points
}

#[cfg(test)]
mod tests;
