//! Results of head that are identical to those of base: left over from an earlier run, or the same file given twice.

use super::pairs::{RunEvidence, runs_of};
use crate::model::{Digest, Direction};

/// Whether a head run has exactly the results of a base run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// No head run has the values of a base run.
    Different,
    /// A value is the same, which a constant or a rounded value may be.
    SameValue,
    /// The samples are the same, which never happens for two measurements.
    SameSamples,
}

/// What distinguishes the results of one run from those of another.
pub(super) struct RunResults {
    /// Median, number of samples and within-run drift of each entry.
    entries: Vec<(u64, u32, u32)>,
    has_drift: bool,
}

impl RunResults {
    /// True if the results are exactly those of another run.
    pub(super) fn is_same(&self, other: &RunResults) -> bool {
        self.entries == other.entries
    }

    /// True for samples, which two measurements never share. Repetitions are few and may be rounded.
    pub(super) fn is_distinctive(&self) -> bool {
        self.has_drift
    }
}

/// The results of each run of a side.
pub(super) fn results_of(side: &[RunEvidence<'_>], direction: Direction) -> Vec<RunResults> {
    let of_run = |run: &[RunEvidence<'_>]| {
        let digests: Vec<Option<Digest>> = run.iter().map(|one| one.evidence.digest(direction)).collect();
        let drift = |digest: &Option<Digest>| digest.and_then(|one| one.within_run_drift).unwrap_or(0.0);
        let entry = |(one, digest): (&RunEvidence<'_>, &Option<Digest>)| match digest {
            Some(known) => (known.median.to_bits(), known.samples, drift(digest).to_bits()),
            None => (one.evidence.centre().to_bits(), 1, 0),
        };
        RunResults {
            entries: run.iter().zip(&digests).map(entry).collect(),
            has_drift: digests.iter().any(|digest| drift(digest) > 0.0),
        }
    };
    runs_of(side).map(of_run).collect()
}
