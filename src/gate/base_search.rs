//! The commits whose stored runs can be the base, and where among them the newest run was found.

use crate::model::{Commit, Environment, Measurement, Run};
use crate::verdict::{BaselineGap, StartCommit};
use std::collections::{BTreeMap, BTreeSet};

/// The commits that are searched for stored runs.
pub(super) struct BaseSearch<'a> {
    /// In order of preference.
    pub candidates: &'a [Commit],
    /// The kinds of the first candidates, in the same order. Head started from the last of them.
    pub starts: &'a [StartCommit],
    /// Head's own commit, whose runs are used if no candidate has one.
    pub own: Option<&'a Commit>,
    /// Head's results, if they include uncommitted changes of the first candidate. Their own stored run is not the base.
    pub uncommitted: &'a [Run],
}

/// The commits that have stored runs.
pub(super) struct StoredCommits {
    /// Runs that can be compared with head.
    pub here: BTreeSet<Commit>,
    /// Runs of other machine classes.
    pub elsewhere: BTreeSet<Commit>,
    /// True if the stored run of head's results was left out.
    pub is_recorded: bool,
}

/// The base that was found, for messages.
pub(super) struct FoundBase {
    /// The label of the base.
    pub label: String,
    /// A remark, if a run of another commit was expected.
    pub note: Option<String>,
    /// The commits between it and the commit that head started from, if there are any.
    pub gap: Option<BaselineGap>,
}

impl BaseSearch<'_> {
    /// True for the stored run of head's results, which have uncommitted changes.
    pub fn is_of_head(&self, run: &Run) -> bool {
        run.commit.as_ref() == self.candidates.first()
            && run.environment.get(Environment::DIRTY).is_some()
            && self.uncommitted.iter().any(|head| has_values_of(head, run))
    }

    /// Which of these commits are older than the one that head started from, each with its gap.
    pub fn older(&self, commits: &[Commit]) -> BTreeMap<Commit, BaselineGap> {
        let behind = self.starts.last().copied().unwrap_or_default();
        let older = self.candidates.iter().skip(self.starts.len()).zip(1..);
        let gap = |commits: usize| BaselineGap { commits, behind, branch: None, elsewhere: false };
        let used = older.filter(|(commit, _)| commits.contains(commit));
        used.map(|(commit, count)| (commit.clone(), gap(count))).collect()
    }

    /// Describes the newest run by its commit.
    pub fn describe(&self, newest: Option<&Commit>, stored: &StoredCommits) -> FoundBase {
        let labelled = |label: &str| FoundBase { label: format!("stored runs of {label}"), note: None, gap: None };
        if let Some(own) = self.own.filter(|own| newest == Some(own)) {
            let short = own.short();
            let note = format!(
                "no run of a commit before {short} is stored; comparing with the stored runs of {short} itself"
            );
            return FoundBase { note: Some(note), ..labelled("the same commit") };
        }
        let found = self.candidates.iter().position(|commit| Some(commit) == newest).unwrap_or_default();
        let base = match self.starts.get(found) {
            Some(start) => labelled(start.name()),
            None => self.behind(found + 1 - self.starts.len(), found, stored),
        };
        FoundBase { note: self.note(found, stored), ..base }
    }

    /// Describes a run that is this many commits before the one that head started from.
    fn behind(&self, commits: usize, found: usize, stored: &StoredCommits) -> FoundBase {
        let behind = self.starts.last().copied().unwrap_or_default();
        let start = self.candidates.get(found - commits);
        // Runs of another machine class do not show what the commits in between changed on this one.
        let elsewhere = start.is_some_and(|commit| stored.elsewhere.contains(commit));
        let is_known = start.is_some_and(|commit| stored.here.contains(commit));
        let gap = (!is_known).then_some(BaselineGap { commits, behind, branch: None, elsewhere });
        FoundBase { label: format!("stored runs from before {}", behind.name()), note: None, gap }
    }

    /// Names the first candidate, if the run that was found is of another one.
    fn note(&self, found: usize, stored: &StoredCommits) -> Option<String> {
        let commit = self.candidates.first().filter(|first| found > 0 && !stored.here.contains(*first))?;
        let class = match (stored.is_recorded, stored.elsewhere.contains(commit)) {
            (true, _) => " other than that of these results",
            (false, true) => " of this machine class",
            (false, false) => "",
        };
        let with = self.starts.get(found).map_or("the nearest earlier commit that has one", |start| start.name());
        let first = self.starts.first()?.name();
        Some(format!("{first} ({}) has no stored run{class}; comparing with {with}", commit.short()))
    }
}

/// True if two runs have the same benchmarks with the same values.
fn has_values_of(one: &Run, other: &Run) -> bool {
    let values =
        |one: &Measurement| one.evidence.iter().map(|evidence| evidence.centre().to_bits()).collect::<Vec<_>>();
    let pairs = || one.measurements.iter().zip(&other.measurements);
    !one.measurements.is_empty()
        && one.measurements.len() == other.measurements.len()
        && pairs().all(|(a, b)| a.benchmark == b.benchmark && a.metric.name == b.metric.name && a.tool == b.tool)
        && pairs().all(|(a, b)| values(a) == values(b))
}
