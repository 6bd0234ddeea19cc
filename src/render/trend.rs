//! The trend of a series: the medians of parts of its points, on a scale that shows its last change. One old peak would
//! otherwise flatten everything after it. A new part begins at each change, so that the last part has the newest level.

use crate::history::SegmentedSeries;
use crate::stats::centre;
use crate::stats::changepoint::Shape;
use std::collections::BTreeSet;

/// Least height of a scale as a share of its largest value: noise alone does not fill it.
const LEAST_HEIGHT: f64 = 0.05;
/// Older values stretch the scale at most to this multiple of the range around the last change, which is then two of eight bars.
const MAX_STRETCH: f64 = 4.0;

/// Width of a trend, in characters.
const WIDTH: usize = 24;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The bars for values beyond the scale.
pub const ABOVE: char = '↑';
pub const BELOW_SCALE: char = '↓';

/// What is drawn for a part of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Index of its first point.
    pub start: usize,
    /// From 0 to 1, the lower and the upper end of the scale.
    pub height: f64,
    /// True if its median is beyond that end.
    pub is_beyond: bool,
}

/// At most this many parts.
pub fn trend(segmented: &SegmentedSeries, most: usize) -> Vec<Part> {
    let points = &segmented.series.points;
    let ends = boundaries(segmented, most);
    let median = |(start, end): (usize, usize)| {
        let values: Vec<f64> = points[start..end].iter().map(|point| point.value).collect();
        ((start + end) / 2, centre::median(&values))
    };
    let parts: Vec<(usize, usize)> = ends.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let medians: Vec<(usize, f64)> = parts.iter().copied().map(median).collect();
    let [low, high] = scale(recent(segmented, &medians), &medians);
    let height = height(low, high);
    let part = |((start, _), (_, value)): (&(usize, usize), &(usize, f64))| {
        let at = (value - low) / height;
        Part { start: *start, height: at.clamp(0.0, 1.0), is_beyond: !(-1e-9..=1.0 + 1e-9).contains(&at) }
    };
    parts.iter().zip(&medians).map(part).collect()
}

/// The first points of the parts, and the number of points. The parts are equal, but the end nearest to each change is moved to
/// it, the newest change first. A part with points of both sides would hide a change near the end.
fn boundaries(segmented: &SegmentedSeries, most: usize) -> Vec<usize> {
    let points = segmented.series.points.len();
    let parts = points.min(most);
    let mut ends: Vec<usize> = (0..=parts).map(|part| part * points / parts.max(1)).collect();
    let mut next = parts;
    for (change, _) in segmented.stretches().into_iter().skip(1).rev() {
        let nearest = ((change * parts) as f64 / points as f64).round() as usize;
        // With more changes than parts, the oldest ones are not shown.
        let Some(free) = next.checked_sub(1).filter(|free| *free > 0) else { break };
        next = nearest.clamp(1, free);
        ends[next] = change;
    }
    // An end that was moved may meet its neighbour.
    ends.into_iter().collect::<BTreeSet<usize>>().into_iter().collect()
}

/// Index of the part where a change at this point is marked: the first one that has only points from there on.
pub fn part_of_change(parts: &[Part], point: usize) -> usize {
    let first = parts.iter().position(|part| part.start >= point);
    first.unwrap_or_else(|| parts.len().saturating_sub(1))
}

/// A bar for each part of a series; an arrow where its value is beyond the scale.
pub fn trend_bars(segmented: &SegmentedSeries) -> String {
    let bar = |part: Part| match (part.is_beyond, part.height > 0.5) {
        (true, true) => ABOVE,
        (true, false) => BELOW_SCALE,
        (false, _) => BARS[((part.height * 7.0).round() as usize).min(7)],
    };
    trend(segmented, WIDTH).into_iter().map(bar).collect()
}

/// The range of the values before and after the last change, without outliers. `medians` have the index of their middle point.
fn recent(segmented: &SegmentedSeries, medians: &[(usize, f64)]) -> [f64; 2] {
    let stretches = segmented.stretches();
    let (reach, changes) = (segmented.segmentation.reach, &segmented.segmentation.changes);
    let mut range = [f64::INFINITY, f64::NEG_INFINITY];
    for &(start, end) in stretches.iter().rev().take(2) {
        let is_drift = changes.iter().any(|change| change.shape == Shape::Drift && change.first == start);
        let level = segmented.level((start, end));
        let is_near = |value: f64| is_drift || level <= 0.0 || value > 0.0 && (value / level).ln().abs() <= reach;
        let own = medians.iter().filter(|(middle, value)| (start..end).contains(middle) && is_near(*value));
        // A short stretch may not contain the middle of a part.
        for value in own.map(|(_, value)| *value).chain((!is_drift).then_some(level)) {
            range = [range[0].min(value), range[1].max(value)];
        }
    }
    range
}

/// The ends of the scale: this range, stretched to the other values as far as possible.
fn scale([low, high]: [f64; 2], medians: &[(usize, f64)]) -> [f64; 2] {
    let room = (MAX_STRETCH - 1.0) * height(low, high);
    let values = || medians.iter().map(|(_, value)| *value);
    let below = values().map(|value| low - value).fold(0.0, f64::max);
    let above = values().map(|value| value - high).fold(0.0, f64::max);
    // A side has half of the room, and what the other one does not need.
    let taken = |own: f64, other: f64| own.min((room - other).max(room / 2.0));
    [low - taken(below, above), high + taken(above, below)]
}

fn height(low: f64, high: f64) -> f64 {
    (high - low).max(LEAST_HEIGHT * high.abs()).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{SeriesRules, segment, series};
    use crate::model::{Evidence, Measurement, Metric, Run};

    fn segmented(values: &[f64]) -> SegmentedSeries {
        let run = |(time, value): (i64, &f64)| Run {
            time,
            measurements: vec![Measurement::new("t", "a", Metric::time(), Evidence::Value(*value))],
            ..Run::default()
        };
        let runs: Vec<Run> = (0..).zip(values).map(run).collect();
        let rules = SeriesRules {
            rename: &|_| None,
            epoch: &|_| None,
            direction: &|_, _| None,
            floor: &|_, _| None,
            ignored: &[],
        };
        segment(series(&runs, &rules).remove(0))
    }

    /// The trend of these values, a character for each of at most 24 parts; `+` and `-` are beyond the scale.
    fn drawn(values: &[f64]) -> String {
        let character = |part: Part| match (part.is_beyond, part.height > 0.5) {
            (true, true) => '+',
            (true, false) => '-',
            (false, _) => char::from_digit((part.height * 7.0).round() as u32, 10).unwrap_or('?'),
        };
        trend(&segmented(values), 24).into_iter().map(character).collect()
    }

    /// Levels with a little noise.
    fn steps(levels: &[(f64, usize)]) -> Vec<f64> {
        let all = levels.iter().flat_map(|(level, count)| std::iter::repeat_n(*level, *count));
        all.enumerate().map(|(at, level)| level * (1.0 + 0.001 * ((at * 7 % 5) as f64 - 2.0))).collect()
    }

    #[test]
    fn one_old_peak_does_not_hide_a_recent_step() {
        let mut values = steps(&[(100.0, 16), (110.0, 8)]);
        values[3] = 900.0;
        let trend = drawn(&values);
        let (before, after) = trend.split_at(16);
        let height = |c: char| c.to_digit(10).unwrap_or_default();
        assert_eq!(before.find('+'), Some(3), "{trend}");
        assert_eq!(trend.matches(['+', '-']).count(), 1, "{trend}");
        let highest = before.chars().map(height).max();
        assert!(after.chars().map(height).min() > highest.map(|height| height + 1), "{trend}");
    }

    #[test]
    fn an_older_step_is_shown_next_to_the_last_one_where_both_fit() {
        let trend = drawn(&steps(&[(100.0, 8), (150.0, 8), (180.0, 8)]));
        assert!(!trend.contains(['+', '-']), "{trend}");
        assert!(trend.starts_with("00") && trend.ends_with("77"), "{trend}");
        // Ten times the last step does not fit.
        let trend = drawn(&steps(&[(100.0, 8), (1000.0, 8), (1100.0, 8)]));
        assert!(trend.starts_with("----"), "{trend}");
    }

    #[test]
    fn the_last_bar_has_the_newest_level() {
        for points in [30, 100, 400, 1000] {
            for newest in [3, 5, 30] {
                let values = steps(&[(100.0, points), (150.0, newest)]);
                let segmented = segmented(&values);
                assert_eq!(segmented.stretches().len(), 2, "{points} {newest}");
                let trend = trend_bars(&segmented);
                assert!(trend.starts_with('▁') && trend.ends_with('█'), "{points} {newest}: {trend}");
                // No bar is a mixture of both levels.
                assert!(trend.chars().all(|bar| "▁▂▇█".contains(bar)), "{points} {newest}: {trend}");
                for most in [24, 60] {
                    let parts = super::trend(&segmented, most);
                    assert!(parts.len() <= most);
                    let mark = part_of_change(&parts, points);
                    assert_eq!(parts[mark].start, points);
                    assert!(parts[mark].height > 0.8, "{points} {newest}: {parts:?}");
                }
            }
        }
    }

    #[test]
    fn two_changes_within_one_part_are_both_shown() {
        let trend = drawn(&steps(&[(100.0, 400), (150.0, 6), (180.0, 6)]));
        assert!(trend.starts_with("00") && trend.ends_with('7'), "{trend}");
        let before = trend.chars().nth_back(1).and_then(|bar| bar.to_digit(10));
        assert!(before.is_some_and(|height| (3..6).contains(&height)), "{trend}");
    }

    #[test]
    fn noise_alone_is_flat_and_values_may_be_zero() {
        let height = |c: char| c.to_digit(10).unwrap_or(9);
        let trend = drawn(&steps(&[(100.0, 24)]));
        let heights: Vec<u32> = trend.chars().map(height).collect();
        assert!(heights.iter().max().zip(heights.iter().min()).is_some_and(|(high, low)| high - low <= 1), "{trend}");
        assert_eq!(drawn(&[0.0; 5]), "00000");
        assert_eq!(drawn(&[3.0]).len(), 1);
    }
}
