//! The rules on exact counts, few events and shares.

use super::{Criteria, Ruling};
use crate::compare::Comparison;
use crate::model::number_text::{counted, percent};
use crate::stats::counts::CountChange;
use crate::verdict::doubt::{Doubt, IN_NEWEST_BASE_RUN, MAX_NEWEST_BASE_SHARE};
use crate::verdict::outcome::Outcome;

pub(super) const SHARE_WITHOUT_COUNTS: &str = "differs by less than 1 percentage point, and the results do not state the number of events, so chance cannot be ruled out";

impl Criteria {
    pub(super) fn rule_exact(&self, worse: f64, below_floor: bool) -> Ruling {
        if below_floor || worse.abs() <= self.log_threshold() {
            Ruling::of(Outcome::Unchanged)
        } else if worse > 0.0 {
            Ruling::of(Outcome::Regressed)
        } else {
            Ruling::of(Outcome::Improved)
        }
    }

    /// The change of the number of events towards worse, on the log scale.
    fn worse(counts: &CountChange, comparison: &Comparison) -> f64 {
        comparison.metric.direction.sign() * counts.ln_ratio
    }

    /// Compares few events by their exact interval.
    pub(super) fn rule_counts(&self, counts: &CountChange, comparison: &Comparison) -> Ruling {
        let log_threshold = self.log_threshold();
        let (low, high) = counts.interval;
        let events = |side: usize| counts.events[side];
        if self.is_below_floor(comparison) || -log_threshold < low && high < log_threshold {
            return Ruling::of(Outcome::Unchanged);
        }
        let worse = Self::worse(counts, comparison);
        let is_shown = low > 0.0 || high < 0.0;
        let over = worse > log_threshold;
        let ruling = match is_shown {
            true if worse.abs() > log_threshold && counts.newest_base_share >= MAX_NEWEST_BASE_SHARE => {
                let doubt = Some(Doubt::InNewestBaseRun);
                Ruling { doubt, ..Ruling::of(Outcome::Inconclusive) }.suspect(over).note(IN_NEWEST_BASE_RUN)
            }
            true if over => Ruling::of(Outcome::Regressed).suspect(true),
            true if worse < -log_threshold => Ruling::of(Outcome::Improved),
            _ if counts.dispersion > 1.0 => Ruling::of(Outcome::Inconclusive)
                .suspect(over)
                .note("the base runs differ more than independent events would by chance, so the change may be noise"),
            _ if counts.ln_ratio.abs() < 1e-9 => Ruling::of(Outcome::Inconclusive).note(format!(
                "no change, but with so few events a change of {} would not show",
                percent(self.threshold)
            )),
            _ => Ruling::of(Outcome::Inconclusive)
                .suspect(over)
                .note("too few events to distinguish the change from chance"),
        };
        // The events of a share have a note of their own.
        let Some(runs) = counts.runs else { return ruling };
        let [base, head] = runs.map(|runs| counted(runs, "run"));
        ruling.note(format!("total: {} in {base} of base, {} in {head} of head", events(0), events(1)))
    }
}

/// Whether a change of a share, such as an error rate, may be chance: it is small, the results do not state the number
/// of events, and the base runs do not show the noise: they are few, or their typical share is zero. Five runs of each side, of which
/// those of base are zero and those of head are not, are no chance: that has a probability of 1 in 252.
pub(super) fn is_small_share_without_counts(comparison: &Comparison) -> bool {
    const PERCENTAGE_POINT: f64 = 0.01;
    const RUNS_THAT_SHOW_NOISE: usize = 3;
    const RUNS_THAT_SHOW_A_RISE: usize = 5;
    let (Some(base), Some(head)) = (comparison.base, comparison.head) else { return false };
    let Some(whole) = comparison.metric.whole().filter(|whole| base.value.max(head.value) <= *whole) else {
        return false;
    };
    base.events.or(head.events).is_none()
        && (base.runs < RUNS_THAT_SHOW_NOISE || base.value == 0.0 && base.runs.min(head.runs) < RUNS_THAT_SHOW_A_RISE)
        && (head.value - base.value).abs() < PERCENTAGE_POINT * whole
}
