//! The groups that the samples of a side fall into: those of its most typical run.

use crate::model::{Evidence, SampleGroup, SampleGroups};
use crate::stats::split::Split;

/// The groups of all evidence of a side; `None` if most of its runs have none.
pub(super) fn of(evidence: &[&Evidence]) -> Option<SampleGroups> {
    let splits: Vec<Option<Split>> = evidence.iter().map(|one| one.split()).collect();
    let typical = Split::typical(&splits)?;
    let split = splits[typical]?;
    let [lower, upper] = split.values(evidence[typical].centre());
    let upper_share = split.upper_share();
    Some(SampleGroups {
        lower: SampleGroup { value: lower, share: 1.0 - upper_share },
        upper: SampleGroup { value: upper, share: upper_share },
        are_modes: split.is_bimodal(),
    })
}
