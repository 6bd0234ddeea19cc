//! The trend of a series: the medians of equal parts of its points, on a scale that shows its last change. One old peak would
//! otherwise flatten everything after it.

use crate::history::SegmentedSeries;
use crate::stats::centre;
use crate::stats::changepoint::Shape;

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
    /// From 0 to 1, the lower and the upper end of the scale.
    pub height: f64,
    /// True if its median is beyond that end.
    pub is_beyond: bool,
}

/// At most this many parts.
pub fn trend(segmented: &SegmentedSeries, most: usize) -> Vec<Part> {
    let points = &segmented.series.points;
    let parts = points.len().min(most);
    let median = |part: usize| {
        let (start, end) = (part * points.len() / parts, (part + 1) * points.len() / parts);
        let values: Vec<f64> = points[start..end].iter().map(|point| point.value).collect();
        ((start + end) / 2, centre::median(&values))
    };
    let medians: Vec<(usize, f64)> = (0..parts).map(median).collect();
    let [low, high] = scale(recent(segmented, &medians), &medians);
    let height = height(low, high);
    let part = |(_, value): &(usize, f64)| {
        let at = (value - low) / height;
        Part { height: at.clamp(0.0, 1.0), is_beyond: !(-1e-9..=1.0 + 1e-9).contains(&at) }
    };
    medians.iter().map(part).collect()
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

    /// The trend of these values, a character for each of at most 24 parts; `+` and `-` are beyond the scale.
    fn drawn(values: &[f64]) -> String {
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
        let segmented = segment(series(&runs, &rules).remove(0));
        let character = |part: Part| match (part.is_beyond, part.height > 0.5) {
            (true, true) => '+',
            (true, false) => '-',
            (false, _) => char::from_digit((part.height * 7.0).round() as u32, 10).unwrap_or('?'),
        };
        trend(&segmented, 24).into_iter().map(character).collect()
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
    fn noise_alone_is_flat_and_values_may_be_zero() {
        let height = |c: char| c.to_digit(10).unwrap_or(9);
        let trend = drawn(&steps(&[(100.0, 24)]));
        let heights: Vec<u32> = trend.chars().map(height).collect();
        assert!(heights.iter().max().zip(heights.iter().min()).is_some_and(|(high, low)| high - low <= 1), "{trend}");
        assert_eq!(drawn(&[0.0; 5]), "00000");
        assert_eq!(drawn(&[3.0]).len(), 1);
    }
}
