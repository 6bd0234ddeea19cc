//! A series with its changes, each with the commits that can hold it.

use super::{Point, Series};
use crate::model::{Commit, Direction};
use crate::stats::changepoint::{self, Segment, Segmentation, Shape};

/// Smaller steps of a measured metric are not worth the name; of a counted one, nearly all are.
const LEAST: f64 = 0.02;
const LEAST_COUNTED: f64 = 0.002;

/// A series and what became of it.
#[derive(Debug, Clone)]
pub struct SegmentedSeries {
    /// The series.
    pub series: Series,
    /// Its stretches and changes on the log scale.
    pub segmentation: Segmentation,
}

/// One change of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesChange {
    /// Step or drift.
    pub shape: Shape,
    /// The new level over the old one, less 1.
    pub change: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// True where the new level is worse.
    pub worse: bool,
    /// Where it happened.
    pub commits: CommitRange,
    /// Points since then, the likeliest first one included.
    pub since: usize,
}

/// The commits that can hold a change: those after the first, up to and with the last.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRange {
    /// The last measured commit that is surely before it.
    pub after: Option<Commit>,
    /// The likeliest one.
    pub at: Option<Commit>,
    /// The last one that can hold it; for a drift its end.
    pub to: Option<Commit>,
    /// How many points that is.
    pub points: usize,
    /// The likeliest point's place in the series.
    pub index: usize,
    /// The places of the first and last points that can hold it.
    pub range: (usize, usize),
    /// The likeliest point's time.
    pub time: i64,
}

/// Looks for the changes of a series.
pub fn segment(series: Series) -> SegmentedSeries {
    let least = if series.metric.exact { LEAST_COUNTED } else { LEAST };
    let segmentation = changepoint::segmentation(&logs(&series.points), least);
    SegmentedSeries { series, segmentation }
}

/// What is searched: the edges where every point has one, else the values; counts that may be zero, of one more.
fn logs(points: &[Point]) -> Vec<f64> {
    let edges: Option<Vec<f64>> = points.iter().map(|point| point.edge).collect();
    let values = edges.unwrap_or_else(|| points.iter().map(|point| point.value).collect());
    let zero = values.iter().any(|value| *value <= 0.0);
    values.into_iter().map(|value| if zero { value.max(0.0).ln_1p() } else { value.ln() }).collect()
}

impl SegmentedSeries {
    /// The changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = SeriesChange> + '_ {
        self.segmentation.changes.iter().map(|change| self.told(change))
    }

    /// The stretch that holds today.
    pub fn current(&self) -> Option<&Segment> {
        self.segmentation.segments.last()
    }

    /// The stretches that lie between two changes. A drift's steps are no ends of a stretch.
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

    fn told(&self, change: &changepoint::ChangePoint) -> SeriesChange {
        let points = &self.series.points;
        let commit = |index: usize| points.get(index).and_then(|point| point.commit.clone());
        let worse = match self.series.metric.direction {
            Direction::Lower => change.size > 0.0,
            Direction::Higher => change.size < 0.0,
        };
        let before = change.first.checked_sub(1);
        SeriesChange {
            shape: change.shape,
            change: change.size.exp_m1(),
            interval: [change.interval.0.exp_m1(), change.interval.1.exp_m1()],
            worse,
            commits: CommitRange {
                after: before.and_then(commit),
                at: commit(change.at),
                to: commit(change.last),
                points: change.last + 1 - change.first,
                index: change.at,
                range: (change.first, change.last),
                time: points.get(change.at).map_or(0, |point| point.time),
            },
            since: points.len().saturating_sub(change.at),
        }
    }
}
