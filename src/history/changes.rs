//! A series with its changes, each with its possible commits.

use super::{Point, Series};
use crate::model::{Commit, Direction, Floor};
use crate::stats::changepoint::{self, ChangePoint, Segment, Segmentation, Shape};

/// Smallest step of a measured metric and of a counted one, on the log scale.
const MIN_STEP: f64 = 0.02;
const MIN_STEP_COUNTED: f64 = 0.002;

/// A series cut into segments.
#[derive(Debug, Clone)]
pub struct SegmentedSeries {
    /// The series.
    pub series: Series,
    /// Segments and changes, on the log scale.
    pub segmentation: Segmentation,
    /// The logarithms that were searched.
    logs: Vec<f64>,
}

/// One change of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesChange {
    /// Step or drift.
    pub shape: Shape,
    /// The new level divided by the old one, minus 1; infinite for a step from zero. Where all points have a fast edge, it is
    /// the change of the fast edges.
    pub change: f64,
    /// Its 95% confidence interval.
    pub interval: [f64; 2],
    /// Whether the new level is worse; `None` if the better direction is unknown.
    pub worse: Option<bool>,
    /// True if the new level is the one before the previous change: a temporary change ends.
    pub undoes_previous: bool,
    /// The possible commits.
    pub commits: CommitRange,
    /// Points since the change, including its most likely commit.
    pub points_since: usize,
    /// Commits from the most likely one to the newest point: those without a run count too, where their number is
    /// known. Commits after that of the newest point do not count.
    pub commits_since: usize,
}

/// The possible commits of a change: after `after`, up to and including `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRange {
    /// The last measured commit before the change.
    pub after: Option<Commit>,
    /// The most likely commit.
    pub at: Option<Commit>,
    /// The last possible commit; of a drift, its end.
    pub to: Option<Commit>,
    /// Number of possible points.
    pub points: usize,
    /// Number of possible commits: those without a run count too, where their number is known.
    pub possible: usize,
    /// Index of the most likely point.
    pub index: usize,
    /// Indices of the first and the last possible point.
    pub range: (usize, usize),
    /// Time of the most likely point.
    pub time: i64,
}

/// Finds the changes of a series.
pub fn segment(series: Series) -> SegmentedSeries {
    let min_step = if series.metric.exact { MIN_STEP_COUNTED } else { MIN_STEP };
    let logs = logs(&series.points);
    let mut segmentation = changepoint::segmentation(&logs, min_step);
    let default = || Floor::default_of(&series.metric, &series.tool, None, None);
    let floor = series.floor.map_or_else(default, Floor::Value);
    segmentation.retain_steps(|old, new| !floor.covers(old.exp(), new.exp()));
    SegmentedSeries { series, segmentation, logs }
}

/// The logarithms that are searched: of the fast edges where every point has one, otherwise of the values. Zero has no
/// logarithm and is replaced by half of the smallest positive value.
fn logs(points: &[Point]) -> Vec<f64> {
    let fast_edges: Option<Vec<f64>> = points.iter().map(|point| point.fast_edge).collect();
    let values = fast_edges.unwrap_or_else(|| points.iter().map(|point| point.value).collect());
    let for_zero = values.iter().copied().filter(|value| *value > 0.0).min_by(f64::total_cmp).unwrap_or(1.0) / 2.0;
    values.into_iter().map(|value| if value > 0.0 { value.ln() } else { for_zero.ln() }).collect()
}

/// True if a step leads back to the level before the previous step: both sizes cancel out within their confidence intervals.
/// The difference may always be a tenth of the smaller step, since exact counts have no interval, and never more than half of it.
fn undoes(previous: &ChangePoint, change: &ChangePoint) -> bool {
    let both_steps = [previous, change].iter().all(|one| one.shape == Shape::Step);
    let half_width = |one: &ChangePoint| (one.interval.1 - one.interval.0) / 2.0;
    let smaller = previous.size.abs().min(change.size.abs());
    let tolerance = half_width(previous).hypot(half_width(change)).min(0.5 * smaller).max(0.1 * smaller);
    let is_opposite = previous.size * change.size < 0.0;
    both_steps && is_opposite && (previous.size + change.size).abs() <= tolerance
}

fn most_are_zero(points: &[Point]) -> bool {
    2 * points.iter().filter(|point| point.value <= 0.0).count() > points.len()
}

impl SegmentedSeries {
    /// The changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = SeriesChange> + '_ {
        let all = &self.segmentation.changes;
        let previous = move |index: usize| index.checked_sub(1).and_then(|index| all.get(index));
        all.iter().enumerate().map(move |(index, change)| self.describe_change(change, previous(index)))
    }

    /// The current segment.
    pub fn current(&self) -> Option<&Segment> {
        self.segmentation.segments.last()
    }

    /// The ranges of points between two changes. A drift is one range, though it is cut into several segments.
    pub fn stretches(&self) -> Vec<(usize, usize)> {
        let n = self.series.points.len();
        let mut starts = vec![0];
        for change in &self.segmentation.changes {
            match change.shape {
                Shape::Step => starts.push(change.at),
                Shape::Drift => starts.extend([change.first, (change.last + 1).min(n)]),
            }
        }
        starts.push(n);
        starts.windows(2).filter(|two| two[0] < two[1]).map(|two| (two[0], two[1])).collect()
    }

    /// The level of a stretch: the geometric mean of its values without outliers, or zero if most of them are zero. Where the
    /// fast edges are searched, the points whose fast edges are outliers are left out.
    pub fn level(&self, (start, end): (usize, usize)) -> f64 {
        let points = &self.series.points[start..end];
        let first = points.first().map_or(0.0, |point| point.value);
        if points.iter().all(|point| point.value == first) {
            return first; // without the rounding of a logarithm
        }
        if most_are_zero(points) {
            return 0.0;
        }
        let logs = &self.logs[start..end];
        let reach = self.segmentation.reach;
        let level = changepoint::level(logs, reach);
        if points.iter().any(|point| point.fast_edge.is_none()) {
            return level.exp();
        }
        let near = logs.iter().zip(points).filter(|(log, point)| (*log - level).abs() <= reach && point.value > 0.0);
        let (sum, count) = near.fold((0.0, 0.0), |(sum, count), (_, point)| (sum + point.value.ln(), count + 1.0));
        if count > 0.0 { f64::exp(sum / count) } else { level.exp() }
    }

    /// True if most values of the stretch that contains a point are zero.
    fn is_zero_around(&self, index: usize) -> bool {
        let stretch = self.stretches().into_iter().find(|(start, end)| (*start..*end).contains(&index));
        most_are_zero(stretch.and_then(|(start, end)| self.series.points.get(start..end)).unwrap_or_default())
    }

    fn describe_change(&self, change: &ChangePoint, previous: Option<&ChangePoint>) -> SeriesChange {
        let points = &self.series.points;
        let commit = |index: usize| points.get(index).and_then(|point| point.commit.clone());
        let worse = match self.series.metric.direction {
            Direction::Lower => Some(change.size > 0.0),
            Direction::Higher => Some(change.size < 0.0),
            Direction::Unknown => None,
        };
        let before = change.first.checked_sub(1);
        let position = |index: usize| points.get(index).and_then(|point| point.position);
        let distance = |from: Option<usize>, to: usize| position(to)?.checked_sub(position(from?)?);
        let (since, newest) = (points.len().saturating_sub(change.at), points.len().saturating_sub(1));
        let in_range = change.last + 1 - change.first;
        let is_step = change.shape == Shape::Step;
        // The size on the log scale depends on what replaces a zero, so it is not a ratio of the two levels.
        let (ratio, interval) = if is_step && change.at.checked_sub(1).is_some_and(|old| self.is_zero_around(old)) {
            (f64::INFINITY, [f64::INFINITY; 2])
        } else if is_step && self.is_zero_around(change.at) {
            (-1.0, [-1.0; 2])
        } else {
            (change.size.exp_m1(), [change.interval.0.exp_m1(), change.interval.1.exp_m1()])
        };
        SeriesChange {
            shape: change.shape,
            change: ratio,
            interval,
            worse,
            undoes_previous: previous.is_some_and(|previous| undoes(previous, change)),
            commits: CommitRange {
                after: before.and_then(commit),
                at: commit(change.at),
                to: commit(change.last),
                points: in_range,
                possible: distance(before, change.last).map_or(in_range, |commits| commits.max(in_range)),
                index: change.at,
                range: (change.first, change.last),
                time: points.get(change.at).map_or(0, |point| point.time),
            },
            points_since: since,
            commits_since: distance(Some(change.at), newest).unwrap_or_default().max(since.saturating_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(size: f64, half_width: f64) -> ChangePoint {
        let interval = (size - half_width, size + half_width);
        ChangePoint { shape: Shape::Step, at: 8, first: 8, last: 8, size, interval }
    }

    #[test]
    fn a_step_back_to_the_earlier_level_undoes_the_step_before_it() {
        assert!(undoes(&step(0.34, 0.01), &step(-0.33, 0.01)));
        assert!(undoes(&step(-0.34, 0.0), &step(0.34, 0.0)));
        // Further in the same direction, or to a third level.
        assert!(!undoes(&step(0.34, 0.01), &step(0.34, 0.01)));
        assert!(!undoes(&step(0.34, 0.01), &step(-0.20, 0.01)));
        assert!(!undoes(&step(0.10, 0.2), &step(-0.30, 0.2)));
        let drift = ChangePoint { shape: Shape::Drift, ..step(0.34, 0.01) };
        assert!(!undoes(&drift, &step(-0.34, 0.01)));
    }
}
