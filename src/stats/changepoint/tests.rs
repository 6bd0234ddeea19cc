//! Single series, and properties of any series.

use super::*;
use proptest::prelude::*;

/// Deterministic noise around zero, between -1 and 1.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

/// 1% noise around a shape.
fn series(n: usize, shape: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..n).map(|i| 6.0 + shape(i) + 0.01 * noise(i)).collect()
}

fn steps(values: &[f64]) -> Vec<usize> {
    let changes = segmentation(values, 0.02).changes;
    assert!(changes.iter().all(|change| change.shape == Shape::Step), "{changes:?}");
    changes.into_iter().map(|change| change.at).collect()
}

#[test]
fn a_step_is_found_where_it_is_with_its_size() {
    let values = series(60, |i| if i >= 40 { 1.1_f64.ln() } else { 0.0 });
    let found = segmentation(&values, 0.02);
    let [change] = found.changes[..] else { panic!("{found:?}") };
    assert!(change.at.abs_diff(40) <= 1 && change.first <= 40 && 40 <= change.last);
    assert!(change.interval.0 < 1.1_f64.ln() && 1.1_f64.ln() < change.interval.1, "{change:?}");
    assert_eq!(found.segments.iter().map(|s| (s.start, s.end)).collect::<Vec<_>>(), [(0, change.at), (change.at, 60)]);
}

/// Noise of 0.1% on a level that moves by 1% after the step: such points are far from both levels, and nearer to the new one.
#[test]
fn a_step_to_a_level_that_moves_has_one_position() {
    let moving = |i: usize| if i < 25 { 0.01 * ((i / 4) % 2) as f64 } else { 0.012 };
    for size in [-4.0, -0.5, 0.5, 4.0] {
        let values: Vec<f64> =
            (0..120).map(|i| 6.0 + 0.001 * noise(i) + if i >= 6 { size + moving(i - 6) } else { 0.0 }).collect();
        let found = segmentation(&values, 0.02);
        let step = found.changes.iter().find(|change| change.size.abs() > 0.4).unwrap_or_else(|| panic!("{found:?}"));
        assert_eq!((step.first, step.at, step.last), (6, 6, 6), "{size}: {step:?}");
    }
}

#[test]
fn the_size_of_a_step_is_the_difference_of_the_levels_next_to_it() {
    // Two modes 12% apart at random, and a step of 20%: the step is vague.
    let values = |seed: usize| -> Vec<f64> {
        let mode = |i: usize| if noise(7000 * seed + i) > 0.4 { 0.12 } else { 0.0 };
        (0..80).map(|i| 6.0 + mode(i) + 0.01 * noise(100 * seed + i) + if i >= 40 { 0.2 } else { 0.0 }).collect()
    };
    let mut steps = 0;
    for seed in 0..20 {
        let found = segmentation(&values(seed), 0.02);
        for change in found.changes.iter().filter(|change| change.shape == Shape::Step) {
            let right = found.segments.iter().position(|segment| segment.start == change.at).expect("a segment");
            let [old, new] = [right - 1, right].map(|at| found.segments[at]);
            let level = |s: Segment| level(&values(seed)[s.start..s.end], found.reach);
            assert!((change.size - (level(new) - level(old))).abs() < 1e-12, "{change:?}");
            assert!(change.interval.0 <= change.size && change.size <= change.interval.1, "{change:?}");
            steps += 1;
        }
    }
    assert!(steps >= 20, "{steps}");
}

#[test]
fn a_single_outlier_is_never_a_change() {
    for at in [0, 1, 30, 58, 59] {
        for size in [0.3, -0.3, 2.0, 20.0] {
            assert_eq!(steps(&series(60, |i| if i == at { size } else { 0.0 })), [0usize; 0], "{size} at {at}");
        }
    }
}

#[test]
fn a_step_needs_two_points_at_the_end_of_a_series() {
    let after = |k: usize| series(60, move |i| if i >= 60 - k { 0.3 } else { 0.0 });
    assert_eq!(steps(&after(1)), [0usize; 0]);
    assert_eq!(steps(&after(2)), [58]);
    assert_eq!(steps(&after(3)), [57]);
}

#[test]
fn two_outliers_in_the_middle_are_no_change_and_an_episode_is_two() {
    let episode = |length: usize| series(60, move |i| if (30..30 + length).contains(&i) { 0.3 } else { 0.0 });
    assert_eq!(steps(&episode(2)), [0usize; 0]);
    assert_eq!(steps(&episode(6)), [30, 36]);
}

#[test]
fn a_slow_drift_is_distinguished_from_steps() {
    // +9% over 40 points.
    let drift = series(100, |i| 1.09_f64.ln() * ((i as f64 - 30.0) / 40.0).clamp(0.0, 1.0));
    let found = segmentation(&drift, 0.02).changes;
    let [change] = found[..] else { panic!("{found:?}") };
    assert_eq!(change.shape, Shape::Drift);
    assert!((change.size - 1.09_f64.ln()).abs() < 0.01, "{change:?}");
    assert!(change.first.abs_diff(30) <= 6 && change.last.abs_diff(70) <= 6, "{change:?}");
}

#[test]
fn a_step_below_the_smallest_is_ignored() {
    let values = |size: f64| series(200, move |i| if i >= 100 { size } else { 0.0 });
    assert_eq!(steps(&values(0.015)), [0usize; 0]);
    assert_eq!(steps(&values(0.03)).len(), 1);
}

#[test]
fn a_step_next_to_a_removed_one_has_the_size_from_the_joined_level() {
    let values: Vec<f64> = (0..60).map(|i| [0.10_f64, 0.35, 0.60][i / 20].ln()).collect();
    let mut found = segmentation(&values, 0.02);
    assert_eq!(found.changes.len(), 2, "{found:?}");
    found.retain_steps(|old, new| (new.exp() - old.exp()).abs() >= 0.3);
    let ([change], [left, right]) = (&found.changes[..], &found.segments[..]) else { panic!("{found:?}") };
    assert_eq!((left.start, left.end, right.start, right.end), (0, 40, 40, 60));
    assert!((change.size - (right.level - left.level)).abs() < 1e-9, "{found:?}");
    assert!(change.interval.0 < change.size && change.size < change.interval.1, "{found:?}");
}

#[test]
fn counts_without_noise_change_where_they_differ() {
    let count = |i: usize| if i >= 20 { 103.0_f64 } else { 100.0 };
    assert_eq!(steps(&(0..40).map(|i| count(i).ln()).collect::<Vec<_>>()), [20]);
}

#[test]
fn a_short_series_is_one_segment() {
    assert_eq!(segmentation(&[], 0.02).segments, []);
    let few = segmentation(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], 0.02);
    assert_eq!((few.changes, few.segments.len()), (vec![], 1));
    assert_eq!(segmentation(&[3.0; 50], 0.02).changes, []);
}

#[test]
fn a_long_slope_is_searched_quickly() {
    let values: Vec<f64> = (0..4000).map(|i| 0.01 * i as f64 + 1e-4 * noise(i)).collect();
    assert!(segmentation(&values, 0.02).changes.len() < 300);
}

fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let step = (0usize..120, -0.5..0.5f64);
    (8usize..120, proptest::collection::vec(step, 0..4), 0.001..0.05f64, any::<u16>()).prop_map(
        |(n, steps, sd, salt)| {
            let level = |i: usize| steps.iter().filter(|(at, _)| *at <= i).map(|(_, size)| size).sum::<f64>();
            (0..n).map(|i| level(i) + sd * noise(i + 1000 * usize::from(salt))).collect()
        },
    )
}

proptest! {
    #[test]
    fn the_unit_does_not_matter(values in any_series()) {
        // Shifting by a power of two nearly preserves the last digits of the values.
        let shifted: Vec<f64> = values.iter().map(|y| y + 4.0).collect();
        let (here, there) = (segmentation(&values, 0.02), segmentation(&shifted, 0.02));
        let changes = |c: &Segmentation| c.changes.iter().map(|x| (x.shape, x.at)).collect::<Vec<_>>();
        prop_assert_eq!(changes(&here), changes(&there));
    }

    #[test]
    fn a_mirrored_series_has_mirrored_changes(values in any_series()) {
        let mirrored: Vec<f64> = values.iter().map(|y| -y).collect();
        let (here, there) = (segmentation(&values, 0.02), segmentation(&mirrored, 0.02));
        prop_assert_eq!(here.changes.len(), there.changes.len());
        for (a, b) in here.changes.iter().zip(&there.changes) {
            prop_assert!(a.at == b.at && (a.size + b.size).abs() < 1e-9);
        }
    }

    #[test]
    fn segments_cover_the_series_and_changes_are_in_order(values in proptest::collection::vec(-20.0..20.0f64, 0..80)) {
        let Segmentation { segments, changes, .. } = segmentation(&values, 0.02);
        let mut next = 0;
        for segment in &segments {
            prop_assert!(segment.start == next && segment.end > segment.start);
            next = segment.end;
        }
        prop_assert_eq!(next, values.len());
        for change in &changes {
            prop_assert!(change.first <= change.at && change.at <= change.last && change.last < values.len());
        }
    }
}
