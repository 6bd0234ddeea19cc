//! Exact counts that changed in base. An exact count repeats, so the newest base run is enough for a head that has its value.

use super::pairs::Pair;

impl Pair<'_> {
    /// Leaves out the base runs of an exact count from before its last change, if head has the value since that change.
    pub(super) fn leave_out_old_counts(&mut self) {
        if !self.measurement.metric.exact || !self.is_shared() || self.work_ratio().is_some() {
            return;
        }
        let Some(newest) = self.base().last().copied() else { return };
        let value = newest.evidence.centre();
        let Some(other) = self.base().iter().rfind(|one| one.evidence.centre() != value).map(|one| one.run) else {
            return;
        };
        if other < newest.run && self.head().iter().all(|one| one.evidence.centre() == value) {
            let older: Vec<usize> = self.base().iter().map(|one| one.run).filter(|run| *run <= other).collect();
            self.leave_out(&older);
        }
    }
}
