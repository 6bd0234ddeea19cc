//! The newest base run. If main got slower in its last commits, that run shows it, and the centre of the base runs does not. Then head
//! looks slower than its base and is not the cause.

/// How far the newest base run lies from the base's centre, on the log scale; larger is worse. Zero for a single base run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NewestBaseRun {
    /// Without the shift that all benchmarks of this run share relative to the other base runs.
    pub without_run_shift: f64,
    /// With this shift.
    pub as_measured: f64,
    /// True if it lies more than twice as far from the centre as any other base run: it is an outlier, or main changed.
    pub stands_out: bool,
}

/// What is done with the suite-wide shift between base and head.
#[derive(Debug, Clone, Copy)]
pub(super) enum ShiftHandling {
    /// It is subtracted from the change, and the newest base run counts without its own shift.
    Subtracted,
    /// It is subtracted from both. The shift of the newest base run may come from a change of main in a part of the suite.
    SubtractedFromBoth(f64),
    /// It is part of the change, and comes from the code.
    Kept,
    /// It is part of the change, and its cause is unknown.
    Unexplained(f64),
}

/// How many times as far from the centre as any other base run a newest base run that stands out is.
const STANDS_OUT: f64 = 2.0;

impl NewestBaseRun {
    /// The newest of base runs without their shifts; `shift` is its own.
    pub(super) fn of(base: &[f64], centre: f64, shift: f64) -> NewestBaseRun {
        let Some((newest, others)) = base.split_last() else { return NewestBaseRun::default() };
        let without_run_shift = newest - centre;
        let furthest = others.iter().map(|y| (y - centre).abs()).fold(0.0, f64::max);
        NewestBaseRun {
            without_run_shift,
            as_measured: without_run_shift + shift,
            stands_out: without_run_shift.abs() > STANDS_OUT * furthest,
        }
    }

    /// The share of a change that the newest base run shows. At one half, this run is as close to head as to the centre of its base.
    pub(super) fn share_of(self, change: f64, shift: ShiftHandling) -> f64 {
        let share = |part: f64, change: f64| if change == 0.0 { 0.0 } else { part / change };
        match shift {
            ShiftHandling::Subtracted => share(self.without_run_shift, change),
            ShiftHandling::SubtractedFromBoth(by) => {
                share(self.without_run_shift, change).max(share(self.as_measured - by, change))
            }
            ShiftHandling::Kept => share(self.as_measured, change),
            // The rest of the change counts only if it is in the same direction.
            ShiftHandling::Unexplained(by) if (change - by) * change > 0.0 => {
                share(self.as_measured, change).max(share(self.without_run_shift, change - by))
            }
            ShiftHandling::Unexplained(_) => share(self.as_measured, change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_compared_with_the_newest_base_run_as_its_own_shift_is_treated() {
        // On a machine that was slower by 0.3, a benchmark deviates by 0.1 from the others.
        let newest = NewestBaseRun { without_run_shift: 0.1, as_measured: 0.4, stands_out: false };
        let is_close = |share: f64, expected: f64| (share - expected).abs() < 1e-12;
        assert!(is_close(newest.share_of(0.2, ShiftHandling::Subtracted), 0.5));
        assert!(is_close(newest.share_of(0.5, ShiftHandling::SubtractedFromBoth(0.0)), 0.8));
        assert!(is_close(newest.share_of(-0.2, ShiftHandling::Subtracted), -0.5), "the other direction");
        assert!(is_close(newest.share_of(0.5, ShiftHandling::Kept), 0.8));
        assert!(is_close(newest.share_of(0.5, ShiftHandling::Unexplained(0.375)), 0.8));
        assert!(is_close(newest.share_of(0.5, ShiftHandling::Unexplained(0.4)), 1.0));
        assert!(is_close(newest.share_of(0.5, ShiftHandling::Unexplained(0.6)), 0.8));
        assert!(is_close(NewestBaseRun::default().share_of(0.0, ShiftHandling::Kept), 0.0));
    }

    #[test]
    fn a_run_stands_out_that_deviates_more_than_twice_as_far_as_all_others() {
        let stands_out = |base: &[f64]| NewestBaseRun::of(base, 0.0, 0.0).stands_out;
        assert_eq!([0.31, 0.29, -0.31].map(|newest| stands_out(&[0.1, -0.15, 0.05, newest])), [true, false, true]);
        assert!(!stands_out(&[]) && !stands_out(&[0.0]));
    }
}
