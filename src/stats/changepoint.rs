//! Where a series of values on the log scale changed: steps, and slow drift told apart from them. Numbers only: what a
//! point stands for is for `history`.
//!
//! A step must pay for itself against chance (`levels`), be worth the name (`least`), and stand out from the noise of
//! its own neighbourhood. One odd value is none, whatever its size; two that agree, at the end of the series, are one.

use super::slope::Sums;
use super::{centre, partition, student};
use std::ops::Range;

/// No fewer points are cut.
pub const LEAST_POINTS: usize = 8;

/// What a step costs, in variances, for each unit of ln(points). 2 would be the criterion of Schwarz for one level and
/// one place; on series without a step 3 finds one in less than one of a hundred.
const PENALTY: f64 = 3.0;
/// The loss at which a point counts as an outlier, as a share of the penalty: between one half and two
/// thirds, so that two points on a new level pay for a step at the end of a series, and three do not for two steps.
const CAP: f64 = 0.62;
/// Noise is taken for at least this share of the least step.
const QUIET: f64 = 0.05;
/// How far the neighbouring levels must stand apart, in standard errors.
const CLEAR: f64 = 3.5;
/// Places of a step whose cost is within this of the best, in variances, can hold it.
const PLACES: f64 = 5.0;
/// Places so near to each other are as good as one.
const AROUND: usize = 4;
/// By how much, in variances, a slope must fit better than one step, which takes less to tell than a slope; and than
/// several, which take more, and of which each further one gains by its place being chosen.
const SLOPE_BETTER: f64 = 9.0;
const SLOPE_BETTER_THAN_SEVERAL: f64 = 4.0;
const PLACE_CHOSEN: f64 = 6.0;
/// What is taken off the correlation of neighbours for its being estimated, over the root of the number of points.
const DOUBT: f64 = 2.2;
/// All parts of a row of steps are tried as one slope up to this many.
const SLOPE_STEPS: usize = 12;

/// A stretch on one level: the points `start..end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Its first point.
    pub start: usize,
    /// One behind its last point.
    pub end: usize,
    /// The level, with outliers left aside.
    pub level: f64,
}

/// How a series changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// From one point to the next, at a place between the two given.
    Step,
    /// Slowly, from the first place given to the last.
    Drift,
}

/// One change of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// Step or drift.
    pub shape: Shape,
    /// The likeliest first point on the new level; for a drift where it ends.
    pub at: usize,
    /// The earliest place that can be it; for a drift the last point before it.
    pub first: usize,
    /// The latest place that can be it; for a drift its last point.
    pub last: usize,
    /// New level less old level.
    pub size: f64,
    /// 95 % interval of the size.
    pub interval: (f64, f64),
}

/// What became of a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segmentation {
    /// Standard deviation from point to point.
    pub noise: f64,
    /// Its stretches; a drift is cut into several of them.
    pub segments: Vec<Segment>,
    /// Its changes, in order.
    pub changes: Vec<ChangePoint>,
}

/// Finds the changes of a series of finite values. Steps smaller than `least` are not worth the name.
pub fn segmentation(values: &[f64], least: f64) -> Segmentation {
    let n = values.len();
    let noise = spread(values).max(QUIET * least);
    if n < LEAST_POINTS {
        let whole = Segment { start: 0, end: n, level: centre::median(values) };
        let segments = if n == 0 { Vec::new() } else { vec![whole] };
        return Segmentation { noise, segments, changes: Vec::new() };
    }
    let mut search = Search::new(values, least, noise, 1.0);
    let mut segments = search.segments();
    // Runs that hang together wander: then chance alone makes longer excursions.
    let inflation = inflation(values, search.reach);
    if inflation > 1.0 && segments.len() > 1 {
        search = Search::new(values, least, noise, inflation);
        segments = search.segments();
    }
    let changes = search.changes(&segments);
    // A step's place is the one that is told.
    let mut steps = changes.iter().filter(|change| change.shape == Shape::Step).peekable();
    for right in 1..segments.len() {
        let place =
            steps.next_if(|change| change.first <= segments[right].start && segments[right].start <= change.last);
        if let Some(step) = place {
            (segments[right - 1].end, segments[right].start) = (step.at, step.at);
        }
    }
    Segmentation { noise, segments, changes }
}

/// Standard deviation from the differences of neighbours, which steps hardly touch.
fn spread(values: &[f64]) -> f64 {
    let steps: Vec<f64> = values.windows(2).map(|two| (two[1] - two[0]).abs()).collect();
    let n = steps.len() as f64;
    // Of few differences the median is often too small by chance.
    let few = 1.0 + 3.0 / n.max(1.0);
    few * 1.4826 * centre::median(&steps) / std::f64::consts::SQRT_2
}

/// How much the variance of a mean exceeds what the differences of neighbours let expect of independent points. Read
/// off those differences too, so that a step is not taken for wandering: they are anticorrelated by one half where points
/// are independent, and less the more neighbours hang together.
fn inflation(values: &[f64], reach: f64) -> f64 {
    let n = values.len() as f64;
    let steps: Vec<Option<f64>> =
        values.windows(2).map(|two| Some(two[1] - two[0]).filter(|step| step.abs() <= reach)).collect();
    let squares: f64 = steps.iter().flatten().map(|x| x * x).sum();
    let products: f64 = steps.windows(2).filter_map(|two| Some(two[0]? * two[1]?)).sum();
    let seen = if squares > 0.0 { 1.0 + 2.0 * products / squares } else { 0.0 };
    let correlation = (seen - DOUBT / n.sqrt()).clamp(0.0, 0.8);
    (1.0 + correlation) / (1.0 - correlation).powi(2)
}

struct Search<'a> {
    values: &'a [f64],
    least: f64,
    noise: f64,
    /// Factor on the variance of means.
    inflation: f64,
    /// What a step costs.
    penalty: f64,
    /// Beyond this distance from its level a point is an outlier.
    reach: f64,
}

impl<'a> Search<'a> {
    fn new(values: &'a [f64], least: f64, noise: f64, inflation: f64) -> Self {
        let penalty = PENALTY * (values.len() as f64).ln() * noise * noise * inflation;
        Search { values, least, noise, inflation, penalty, reach: (CAP * penalty).sqrt() }
    }

    fn segments(&self) -> Vec<Segment> {
        // Around the median, so that no digits are lost to a large common level.
        let middle = centre::median(self.values);
        let centred: Vec<f64> = self.values.iter().map(|y| y - middle).collect();
        let mut bounds = partition::segment_starts(&centred, self.penalty, self.reach * self.reach);
        bounds.insert(0, 0);
        bounds.push(self.values.len());
        let mut segments: Vec<Segment> = bounds.windows(2).map(|two| self.segment(two[0], two[1])).collect();
        // The weakest step goes first; its going may strengthen its neighbours.
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
        let points = &self.values[start..end];
        let mut level = centre::median(points);
        for _ in 0..3 {
            let (mut sum, mut count) = (0.0, 0.0);
            for y in points.iter().filter(|y| (*y - level).abs() <= self.reach) {
                sum += y;
                count += 1.0;
            }
            if count > 0.0 {
                level = sum / count;
            }
        }
        Segment { start, end, level }
    }

    /// The step between two neighbours over the least that is called one; below 1 it is none.
    fn strength(&self, left: &Segment, right: &Segment) -> f64 {
        let size = (right.level - left.level).abs();
        (size / self.least).min(size / (CLEAR * self.error(left, right)))
    }

    /// Standard error of the step between two neighbours.
    fn error(&self, left: &Segment, right: &Segment) -> f64 {
        let rest: Vec<f64> = [left, right]
            .into_iter()
            .flat_map(|s| self.values[s.start..s.end].iter().map(|y| (y - s.level).abs()))
            .collect();
        let own = if rest.len() >= LEAST_POINTS { 1.4826 * centre::median(&rest) } else { 0.0 };
        let counts = [left, right].map(|s| (s.end - s.start) as f64);
        self.noise.max(own) * (self.inflation * (1.0 / counts[0] + 1.0 / counts[1])).sqrt()
    }

    fn changes(&self, segments: &[Segment]) -> Vec<ChangePoint> {
        let sums = Sums::new(self.values, segments.iter().map(|s| (s.start..s.end, s.level)), self.reach);
        let mut changes = Vec::new();
        let mut next = 1;
        while next < segments.len() {
            let rises = |right: usize| segments[right].level > segments[right - 1].level;
            let mut behind = next + 1;
            while behind < segments.len() && rises(behind) == rises(next) {
                behind += 1;
            }
            self.one_way(segments, &sums, next..behind, &mut changes);
            next = behind;
        }
        changes
    }

    /// The changes at a row of steps that all go one way: the slope that fits better than any steps of them, and what
    /// is left on its two sides.
    fn one_way(&self, segments: &[Segment], sums: &Sums, row: Range<usize>, out: &mut Vec<ChangePoint>) {
        if row.is_empty() {
            return;
        }
        // Of a long row the whole is tried, or else its halves: there are too many parts to try them all.
        let parts: Vec<Range<usize>> = if row.len() > SLOPE_STEPS {
            vec![row.clone()]
        } else {
            row.clone().flat_map(|from| (from + 1..=row.end).map(move |to| from..to)).collect()
        };
        let fits = parts.into_iter().filter_map(|part| Some((self.slope(segments, sums, part.clone())?, part)));
        let best = fits.max_by(|((a, _), _), ((b, _), _)| a.total_cmp(b));
        match best {
            Some(((_, change), taken)) => {
                self.one_way(segments, sums, row.start..taken.start, out);
                out.push(change);
                self.one_way(segments, sums, taken.end..row.end, out);
            }
            None if row.len() > SLOPE_STEPS => {
                let middle = row.start + row.len() / 2;
                self.one_way(segments, sums, row.start..middle, out);
                self.one_way(segments, sums, middle..row.end, out);
            }
            None => out.extend(row.map(|right| self.step(segments, right))),
        }
    }

    /// The slope in the place of the steps that begin the segments of a row, where it fits better, and by how much.
    fn slope(&self, segments: &[Segment], sums: &Sums, row: Range<usize>) -> Option<(f64, ChangePoint)> {
        let variance = self.noise * self.noise * self.inflation;
        let (left, right) = (segments[row.start - 1], segments[row.end - 1]);
        let stairs: f64 = segments[row.start - 1..row.end].iter().map(|s| sums.flat(s.start, s.end)).sum();
        let slope = sums.best_slope(left.start..left.end, right.start..right.end)?;
        let gain = (stairs - slope.cost) / variance + PLACE_CHOSEN * (row.len() - 1) as f64;
        let half = 1.96 * (variance * slope.variance).sqrt();
        let change = ChangePoint {
            shape: Shape::Drift,
            at: slope.end.saturating_sub(1),
            first: slope.begin,
            last: slope.end.saturating_sub(1),
            size: slope.size,
            interval: (slope.size - half, slope.size + half),
        };
        let enough = if row.len() == 1 { SLOPE_BETTER } else { SLOPE_BETTER_THAN_SEVERAL };
        (gain > enough).then_some((gain, change))
    }

    /// The step that begins a segment.
    fn step(&self, segments: &[Segment], right: usize) -> ChangePoint {
        let (left, right) = (&segments[right - 1], &segments[right]);
        let size = right.level - left.level;
        let half = self.error(left, right) * student::quantile(0.975, (right.end - left.start) as f64 - 2.0);
        // Each place's cost less that of the place found: what the points in between lose on the other level.
        let cap = self.reach * self.reach;
        let loss = |y: f64, level: f64| ((y - level) * (y - level)).min(cap);
        let variance = self.noise * self.noise * self.inflation;
        let mut places = vec![(right.start, 0.0)];
        let mut cost = 0.0;
        for place in (left.start + 1..right.start).rev() {
            let y = self.values[place];
            cost += (loss(y, right.level) - loss(y, left.level)) / variance;
            places.push((place, cost));
        }
        cost = 0.0;
        for place in right.start + 1..right.end {
            let y = self.values[place - 1];
            cost += (loss(y, left.level) - loss(y, right.level)) / variance;
            places.push((place, cost));
        }
        places.retain(|(_, cost)| *cost <= PLACES);
        places.sort_by_key(|(place, _)| *place);
        let (first, last) = (places[0].0, places[places.len() - 1].0);
        let at = likeliest(&places).unwrap_or(right.start);
        let interval = (size - half, size + half);
        ChangePoint { shape: Shape::Step, at, first, last, size, interval }
    }
}

/// The place around which most of the likelihood lies: of a vague step the middle, of a clear one the best.
fn likeliest(places: &[(usize, f64)]) -> Option<usize> {
    let weights: Vec<f64> = places.iter().map(|(_, cost)| (-cost / 2.0).exp()).collect();
    let around = |i: usize| {
        let near = i.saturating_sub(AROUND)..(i + AROUND + 1).min(places.len());
        let mass: f64 = near.filter(|j| places[*j].0.abs_diff(places[i].0) <= AROUND).map(|j| weights[j]).sum();
        mass + weights[i] / 100.0 // of equals the likelier place itself
    };
    (0..places.len()).max_by(|i, j| around(*i).total_cmp(&around(*j)).then(j.cmp(i))).map(|i| places[i].0)
}

#[cfg(test)]
mod tests;
