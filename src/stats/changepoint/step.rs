//! The position and the size of a step.

use super::{ChangePoint, Search, Segment, Shape};
use crate::stats::student;

/// Positions of a step whose cost exceeds the best one by at most this, in variances, are possible.
const MAX_EXTRA_COST: f64 = 5.0;
/// Positions this close to each other are treated as one.
const NEARBY: usize = 4;

impl Search<'_> {
    /// The step that starts a segment.
    pub(super) fn step(&self, segments: &[Segment], right: usize) -> ChangePoint {
        let (left, right) = (&segments[right - 1], &segments[right]);
        let (size, interval) = self.size(left, right);
        // The cost of each position relative to the found one: the loss of the points in between on the other level.
        let variance = self.noise * self.noise * self.inflation;
        // A point is assigned to the nearer level, even if it is far from both: noise can be larger on a new level than
        // on the old one. Its loss never exceeds that of a point halfway between the levels.
        let cap = (self.reach * self.reach).max(size * size / 4.0);
        let loss = |y: f64, level: f64| ((y - level) * (y - level)).min(cap);
        let mut positions = vec![(right.start, 0.0)];
        let mut cost = 0.0;
        for position in (left.start + 1..right.start).rev() {
            let y = self.values[position];
            cost += (loss(y, right.level) - loss(y, left.level)) / variance;
            positions.push((position, cost));
        }
        cost = 0.0;
        for position in right.start + 1..right.end {
            let y = self.values[position - 1];
            cost += (loss(y, left.level) - loss(y, right.level)) / variance;
            positions.push((position, cost));
        }
        let best = positions.iter().map(|(_, cost)| *cost).fold(0.0, f64::min);
        positions.retain(|(_, cost)| *cost <= best + MAX_EXTRA_COST);
        positions.sort_by_key(|(position, _)| *position);
        let (first, last) = (positions[0].0, positions[positions.len() - 1].0);
        let at = most_likely(&positions).unwrap_or(right.start);
        ChangePoint { shape: Shape::Step, at, first, last, size, interval }
    }

    /// The size of the step between two neighbours, and its 95% confidence interval.
    fn size(&self, left: &Segment, right: &Segment) -> (f64, (f64, f64)) {
        let size = right.level - left.level;
        let half = self.error(left, right) * student::quantile(0.975, (right.end - left.start) as f64 - 2.0);
        (size, (size - half, size + half))
    }

    /// Moves the start of each segment to the most likely position of its step. The levels and the sizes of the steps are then
    /// those of the moved segments.
    pub(super) fn move_to_steps(&self, segments: &mut [Segment], changes: &mut [(usize, ChangePoint)]) {
        let is_step = |(_, change): &&mut (usize, ChangePoint)| change.shape == Shape::Step;
        for (right, step) in changes.iter_mut().filter(is_step) {
            // Two steps next to each other may both move towards the segment between them, which keeps one point.
            step.at = step.at.max(segments[*right - 1].start + 1);
            step.last = step.last.max(step.at);
            (segments[*right - 1].end, segments[*right].start) = (step.at, step.at);
        }
        for segment in segments.iter_mut() {
            *segment = self.segment(segment.start, segment.end);
        }
        for (right, step) in changes.iter_mut().filter(is_step) {
            (step.size, step.interval) = self.size(&segments[*right - 1], &segments[*right]);
        }
    }
}

/// The position around which most of the likelihood lies: the middle of a vague step, the best position of a clear one.
fn most_likely(positions: &[(usize, f64)]) -> Option<usize> {
    let least = positions.iter().map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = positions.iter().map(|(_, cost)| ((least - cost) / 2.0).exp()).collect();
    let around = |i: usize| {
        let near = i.saturating_sub(NEARBY)..(i + NEARBY + 1).min(positions.len());
        let mass: f64 = near.filter(|j| positions[*j].0.abs_diff(positions[i].0) <= NEARBY).map(|j| weights[j]).sum();
        mass + weights[i] / 100.0 // ties go to the position with the higher likelihood
    };
    (0..positions.len()).max_by(|i, j| around(*i).total_cmp(&around(*j)).then(j.cmp(i))).map(|i| positions[i].0)
}
