//! Change points of a series of values on the log scale: steps and slow drift.
//!
//! A step must reduce the cost of the partition by more than its penalty (`partition`), be at least `min_step` in size,
//! and exceed the noise around it. A single outlier is never a step, whatever its size; two values that agree at the
//! end of the series are a step.

use super::slope::PrefixSums;
use super::{centre, partition, quantile};
use std::ops::Range;

mod step;

/// A shorter series is not searched.
pub const MIN_POINTS: usize = 8;

/// Penalty of a step, in variances for each unit of ln(points). The criterion of Schwarz (1978) for one level and one
/// position would be 2; with 3, less than 1% of series without a step get one.
const PENALTY: f64 = 3.0;
/// The loss at which a point counts as an outlier, as a share of the penalty. Between 1/2 and 2/3: two points on a new
/// level outweigh the penalty of a step at the end of a series, and three points do not outweigh that of two steps.
const OUTLIER_LOSS: f64 = 0.62;
/// The median and the 75% quantile of the absolute value of a standard normal variable.
const NORMAL_MEDIAN: f64 = 0.6745;
const NORMAL_UPPER_QUARTILE: f64 = 1.1503;
/// The noise is taken from the 75% quantile of the differences if that gives more than this many times the noise that
/// their median shows.
const BIMODAL: f64 = 2.0;
/// Lower limit of the noise, as a share of the smallest step.
const MIN_NOISE: f64 = 0.05;
/// Smallest difference of neighbouring levels, in standard errors.
const MIN_STANDARD_ERRORS: f64 = 3.5;
/// How much better, in variances, a slope must fit than one step, which has fewer parameters, and than several steps,
/// which have more.
const SLOPE_GAIN: f64 = 9.0;
const SLOPE_GAIN_OVER_SEVERAL: f64 = 4.0;
/// What each further step gains from the choice of its position, in variances.
const POSITION_GAIN: f64 = 6.0;
/// Reduction of the correlation of neighbours for its estimation error, times the root of the number of points.
const CORRELATION_ERROR: f64 = 2.2;
/// Up to this many consecutive steps, every part of them is tried as one slope.
const MAX_SLOPE_STEPS: usize = 12;

/// Points `start..end` with a constant level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The first point.
    pub start: usize,
    /// One past the last point.
    pub end: usize,
    /// Mean of the points without outliers.
    pub level: f64,
}

/// The shape of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// From one point to the next, somewhere between the first and the last position.
    Step,
    /// Slowly, from the first position to the last.
    Drift,
}

/// One change of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Step or drift.
    pub shape: Shape,
    /// The most likely first point on the new level; of a drift, its last point.
    pub at: usize,
    /// The earliest possible first point on the new level; of a drift, its first point.
    pub first: usize,
    /// The latest possible first point on the new level; of a drift, its last point.
    pub last: usize,
    /// New level minus old level.
    pub size: f64,
    /// 95% confidence interval of the size.
    pub interval: (f64, f64),
}

/// A series cut into segments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segmentation {
    /// Standard deviation from point to point.
    pub noise: f64,
    /// A point farther than this from its level is an outlier.
    pub reach: f64,
    /// The segments; a drift is cut into several.
    pub segments: Vec<Segment>,
    /// The changes, in order.
    pub changes: Vec<ChangePoint>,
}

impl Segmentation {
    /// Removes the steps between levels for which `keep` is false and joins their segments. The steps next to a joined segment
    /// get the size from its level.
    pub fn retain_steps(&mut self, keep: impl Fn(f64, f64) -> bool) {
        let mut removed = Vec::new();
        for change in self.changes.iter().filter(|change| change.shape == Shape::Step) {
            let Some(right) = self.segments.iter().position(|segment| segment.start == change.at) else { continue };
            let (Some(old), Some(new)) =
                (right.checked_sub(1).map(|left| self.segments[left]), self.segments.get(right))
            else {
                continue;
            };
            if keep(old.level, new.level) {
                continue;
            }
            let weight = |segment: &Segment| (segment.end - segment.start) as f64;
            let level = (old.level * weight(&old) + new.level * weight(new)) / (weight(&old) + weight(new)).max(1.0);
            let joined = Segment { start: old.start, end: new.end, level };
            self.segments.splice(right - 1..=right, [joined]);
            removed.push(change.at);
        }
        self.changes.retain(|change| change.shape != Shape::Step || !removed.contains(&change.at));
        if removed.is_empty() {
            return;
        }
        for change in self.changes.iter_mut().filter(|change| change.shape == Shape::Step) {
            let levels = self.segments.windows(2).find(|two| two[1].start == change.at);
            let Some(size) = levels.map(|two| two[1].level - two[0].level) else { continue };
            // The width of the interval stays; more points on a side would only narrow it a little.
            let moved = size - change.size;
            (change.size, change.interval) = (size, (change.interval.0 + moved, change.interval.1 + moved));
        }
    }
}

/// Finds the change points of a series of finite values; steps smaller than `min_step` are ignored.
pub fn segmentation(values: &[f64], min_step: f64) -> Segmentation {
    let n = values.len();
    // The slope of a drift counts as noise for the search: otherwise every point of a steep drift would be an outlier of
    // the levels around it.
    let mut differences: Vec<f64> = values.windows(2).map(|two| two[1] - two[0]).collect();
    let noise = noise(&differences).max(MIN_NOISE * min_step);
    if n < MIN_POINTS {
        let whole = Segment { start: 0, end: n, level: centre::median(values) };
        let segments = if n == 0 { Vec::new() } else { vec![whole] };
        return Segmentation { noise, reach: f64::INFINITY, segments, changes: Vec::new() };
    }
    let mut search = Search::new(values, min_step, noise, 1.0);
    let mut segments = search.segments();
    let mut changes = search.changes(&segments);
    // Autocorrelated noise stays away from a level for longer. The slope of a drift looks like autocorrelation, so it is
    // removed first.
    remove_drifts(&mut differences, changes.iter().map(|(_, change)| change));
    let inflation = inflation(&differences, search.reach);
    if inflation > 1.0 && segments.len() > 1 {
        search = Search::new(values, min_step, noise, inflation);
        segments = search.segments();
        changes = search.changes(&segments);
    }
    // Reported without the slopes of drifts.
    let noise = self::noise(&differences).max(MIN_NOISE * min_step);
    search.move_to_steps(&mut segments, &mut changes);
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    Segmentation { noise, reach: search.reach, segments, changes }
}

/// The mean of the points that are not farther than `reach` from it.
pub fn level(points: &[f64], reach: f64) -> f64 {
    let mut level = centre::median(points);
    for _ in 0..3 {
        let (mut sum, mut count) = (0.0, 0.0);
        for y in points.iter().filter(|y| (*y - level).abs() <= reach) {
            sum += y;
            count += 1.0;
        }
        if count > 0.0 {
            level = sum / count;
        }
    }
    level
}

/// Removes the slopes of drifts from the differences of neighbours.
fn remove_drifts<'a>(differences: &mut [f64], changes: impl Iterator<Item = &'a ChangePoint>) {
    for drift in changes.filter(|change| change.shape == Shape::Drift) {
        let slope = drift.size / (drift.last - drift.first + 2) as f64;
        let inside = drift.first.saturating_sub(1)..(drift.last + 1).min(differences.len());
        differences[inside].iter_mut().for_each(|difference| *difference -= slope);
    }
}

/// Standard deviation, from the differences of neighbours, on which steps have little influence.
fn noise(differences: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let n = sizes.len() as f64;
    sizes.sort_by(f64::total_cmp);
    let by_median = centre::median(&sizes) / NORMAL_MEDIAN;
    let by_upper_quartile = quantile::of_sorted(&sizes, 0.75).unwrap_or_default() / NORMAL_UPPER_QUARTILE;
    // In a bimodal series most differences can lie within a mode, so the median misses those between the modes.
    let spread = if by_upper_quartile > BIMODAL * by_median { by_upper_quartile } else { by_median };
    // The median of few differences is often too small.
    let correction = 1.0 + 3.0 / n.max(1.0);
    correction * spread / std::f64::consts::SQRT_2
}

/// How much autocorrelation increases the variance of a mean over that of independent points with the same differences of
/// neighbours. Estimated from these differences, so that a step does not count as autocorrelation: their correlation is
/// -1/2 for independent points, and larger for autocorrelated ones.
fn inflation(differences: &[f64], reach: f64) -> f64 {
    let n = differences.len() as f64 + 1.0;
    let steps: Vec<Option<f64>> =
        differences.iter().map(|step| Some(*step).filter(|step| step.abs() <= reach)).collect();
    let squares: f64 = steps.iter().flatten().map(|x| x * x).sum();
    let products: f64 = steps.windows(2).filter_map(|two| Some(two[0]? * two[1]?)).sum();
    let estimated = if squares > 0.0 { 1.0 + 2.0 * products / squares } else { 0.0 };
    let correlation = (estimated - CORRELATION_ERROR / n.sqrt()).clamp(0.0, 0.8);
    (1.0 + correlation) / (1.0 - correlation).powi(2)
}

struct Search<'a> {
    values: &'a [f64],
    min_step: f64,
    noise: f64,
    /// Factor on the variance of means, for autocorrelation.
    inflation: f64,
    /// Penalty of a step.
    penalty: f64,
    /// A point farther than this from its level is an outlier.
    reach: f64,
}

impl<'a> Search<'a> {
    fn new(values: &'a [f64], min_step: f64, noise: f64, inflation: f64) -> Self {
        let penalty = PENALTY * (values.len() as f64).ln() * noise * noise * inflation;
        Search { values, min_step, noise, inflation, penalty, reach: (OUTLIER_LOSS * penalty).sqrt() }
    }

    fn segments(&self) -> Vec<Segment> {
        // Centred at the median, so that a large common level costs no precision.
        let middle = centre::median(self.values);
        let centred: Vec<f64> = self.values.iter().map(|y| y - middle).collect();
        let mut bounds = partition::segment_starts(&centred, self.penalty, self.reach * self.reach);
        bounds.insert(0, 0);
        bounds.push(self.values.len());
        let mut segments: Vec<Segment> = bounds.windows(2).map(|two| self.segment(two[0], two[1])).collect();
        // The weakest step is removed first, which may strengthen its neighbours.
        let strength = |s: &[Segment], left: usize| self.strength(&s[left], &s[left + 1]);
        let mut strengths: Vec<f64> = (1..segments.len()).map(|right| strength(&segments, right - 1)).collect();
        while let Some((left, weakest)) = strengths.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)) {
            if *weakest >= 1.0 {
                break;
            }
            segments[left] = self.segment(segments[left].start, segments[left + 1].end);
            segments.remove(left + 1);
            strengths.remove(left);
            for step in [left.wrapping_sub(1), left] {
                if let Some(known) = strengths.get_mut(step) {
                    *known = strength(&segments, step);
                }
            }
        }
        segments
    }

    fn segment(&self, start: usize, end: usize) -> Segment {
        let level = level(&self.values[start..end], self.reach);
        Segment { start, end, level }
    }

    /// The size of the step between two neighbours, relative to the smallest size that counts as a step.
    fn strength(&self, left: &Segment, right: &Segment) -> f64 {
        let size = (right.level - left.level).abs();
        (size / self.min_step).min(size / (MIN_STANDARD_ERRORS * self.error(left, right)))
    }

    /// Standard error of the step between two neighbours.
    fn error(&self, left: &Segment, right: &Segment) -> f64 {
        let residuals: Vec<f64> = [left, right]
            .into_iter()
            .flat_map(|s| self.values[s.start..s.end].iter().map(|y| (y - s.level).abs()))
            .collect();
        let own = if residuals.len() >= MIN_POINTS { 1.4826 * centre::median(&residuals) } else { 0.0 };
        let counts = [left, right].map(|s| (s.end - s.start) as f64);
        self.noise.max(own) * (self.inflation * (1.0 / counts[0] + 1.0 / counts[1])).sqrt()
    }

    /// The changes, each with the index of the first segment that it starts.
    fn changes(&self, segments: &[Segment]) -> Vec<(usize, ChangePoint)> {
        let sums = PrefixSums::new(self.values, segments.iter().map(|s| (s.start..s.end, s.level)), self.reach);
        let mut changes = Vec::new();
        let mut next = 1;
        while next < segments.len() {
            let rises = |right: usize| segments[right].level > segments[right - 1].level;
            let mut end = next + 1;
            while end < segments.len() && rises(end) == rises(next) {
                end += 1;
            }
            self.same_direction(segments, &sums, next..end, &mut changes);
            next = end;
        }
        changes
    }

    /// The changes of consecutive steps in the same direction: the slope that fits better than its steps, then the steps
    /// before and after it. `row` are the segments that the steps start.
    fn same_direction(
        &self,
        segments: &[Segment],
        sums: &PrefixSums,
        row: Range<usize>,
        out: &mut Vec<(usize, ChangePoint)>,
    ) {
        if row.is_empty() {
            return;
        }
        // A long row has too many parts to try them all: the whole is tried, otherwise its halves.
        let parts: Vec<Range<usize>> = if row.len() > MAX_SLOPE_STEPS {
            vec![row.clone()]
        } else {
            row.clone().flat_map(|from| (from + 1..=row.end).map(move |to| from..to)).collect()
        };
        let fits = parts.into_iter().filter_map(|part| Some((self.slope(segments, sums, part.clone())?, part)));
        let best = fits.max_by(|((a, _), _), ((b, _), _)| a.total_cmp(b));
        match best {
            Some(((_, change), part)) => {
                self.same_direction(segments, sums, row.start..part.start, out);
                out.push((part.start, change));
                self.same_direction(segments, sums, part.end..row.end, out);
            }
            None if row.len() > MAX_SLOPE_STEPS => {
                let middle = row.start + row.len() / 2;
                self.same_direction(segments, sums, row.start..middle, out);
                self.same_direction(segments, sums, middle..row.end, out);
            }
            None => out.extend(row.map(|right| (right, self.step(segments, right)))),
        }
    }

    /// The slope that replaces the steps of a row, with its gain, if it fits better.
    fn slope(&self, segments: &[Segment], sums: &PrefixSums, row: Range<usize>) -> Option<(f64, ChangePoint)> {
        let variance = self.noise * self.noise * self.inflation;
        let (left, right) = (segments[row.start - 1], segments[row.end - 1]);
        let cost_of_steps: f64 = segments[row.start - 1..row.end].iter().map(|s| sums.flat_cost(s.start, s.end)).sum();
        let slope = sums.best_slope(left.start..left.end, right.start..right.end)?;
        let gain = (cost_of_steps - slope.cost) / variance + POSITION_GAIN * (row.len() - 1) as f64;
        let half = 1.96 * (variance * slope.variance).sqrt();
        let change = ChangePoint {
            shape: Shape::Drift,
            at: slope.end.saturating_sub(1),
            first: slope.begin,
            last: slope.end.saturating_sub(1),
            size: slope.size,
            interval: (slope.size - half, slope.size + half),
        };
        let min_gain = if row.len() == 1 { SLOPE_GAIN } else { SLOPE_GAIN_OVER_SEVERAL };
        (gain > min_gain).then_some((gain, change))
    }
}

#[cfg(test)]
mod tests;
