//! Stored runs as a history: which of them belong to it, in which order, and how the config wants them read.

use super::side::Scene;
use crate::history::{Reading, joined};
use crate::io::repository::Repository;
use crate::io::store::{self, Key};
use crate::model::{Commit, Detail, Diagnostic, Environment, Run};
use crate::policy::{Pattern, Policy, Start};
use anyhow::bail;
use std::collections::HashMap;
use std::path::Path;

/// How far back commits of the branch are known.
const COMMITS: usize = 20_000;

/// The newest stored runs of the branch.
pub struct Stored {
    /// In the order of their commits, oldest first.
    pub runs: Vec<Run>,
    /// Which store it was.
    pub store: String,
    /// Runs older than those.
    pub older: Older,
    /// What was odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// Runs that were left out for being older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// There are none.
    None,
    /// So many.
    Some(usize),
    /// There are some; counting them would be dear.
    Uncounted,
}

/// Reads the newest runs of the branch, at most so many; only their digests are unpacked.
pub fn load(scene: &Scene<'_>, last: usize) -> anyhow::Result<Stored> {
    let store = scene.open_store()?;
    let name = store.describe();
    let order = commits_in_order();
    let (mut keys, mut left, mut more) = (Vec::new(), 0, true);
    // Runs of other branches are among the newest: it is asked for more until there are enough, or no more.
    let mut count = last;
    while more {
        let newest = store.newest(count)?;
        if newest.keys.is_empty() {
            bail!("{name} holds no run; `perfgate record` stores one, `perfgate runs pull` fetches those of others");
        }
        more = newest.more;
        (keys, left) = on_the_branch(newest.keys, order.as_ref());
        if keys.len() >= last {
            break;
        }
        count = count.saturating_mul(4);
    }
    let mut diagnostics = Vec::new();
    diagnostics.extend(other_commits(left));
    let older = match (keys.len().saturating_sub(last), more) {
        (0, false) => Older::None,
        (older, false) => Older::Some(older),
        (_, true) => Older::Uncounted,
    };
    keys.drain(..keys.len().saturating_sub(last));
    let read = store::read_runs(&*store, &keys, Detail::Digests);
    let mut runs = Vec::with_capacity(read.len());
    for run in read {
        match run {
            Ok(run) => runs.push(run),
            Err(error) => diagnostics.push(Diagnostic::warning("unreadable-run", "", format!("{error}; left out"))),
        }
    }
    if runs.is_empty() {
        bail!("none of the runs in {name} can be read:\n{}", lines(&diagnostics));
    }
    // The shards of a commit are one run.
    let newest_first = runs.into_iter().rev().map(|run| ((), run)).collect();
    let joined = joined(newest_first, scene.config.policy.ignored_environment());
    let runs: Vec<Run> = joined.into_iter().rev().map(|((), run)| run).collect();
    let dirty = runs.iter().filter(|run| run.environment.get(Environment::DIRTY).is_some()).count();
    if dirty > 0 {
        let message = format!("{dirty} of the {} runs were made with uncommitted changes", runs.len());
        diagnostics.push(Diagnostic::warning("dirty-baseline", "", message));
    }
    Ok(Stored { runs, store: name, older, diagnostics })
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The runs of commits that the checked-out or the default branch has, in the order of the commits, and how many others
/// there are. Where none of them is, or there is no repository, the store stands for itself.
fn on_the_branch(keys: Vec<Key>, order: Option<&HashMap<Commit, usize>>) -> (Vec<Key>, usize) {
    let Some(order) = order else { return (keys, 0) };
    let place = |key: &Key| key.commit().and_then(|commit| order.get(commit)).copied();
    let (mut kept, left): (Vec<Key>, Vec<Key>) =
        keys.iter().cloned().partition(|key| key.commit().is_none() || place(key).is_some());
    if !kept.iter().any(|key| place(key).is_some()) {
        return (keys, 0);
    }
    // Runs without a commit stay where their time puts them.
    if kept.iter().all(|key| place(key).is_some()) {
        kept.sort_by_key(|key| (place(key), key.clone()));
    }
    (kept, left.len())
}

fn other_commits(left: usize) -> Option<Diagnostic> {
    let runs = if left == 1 { "run is" } else { "runs are" };
    let message = format!(
        "{left} stored {runs} of commits that the branch does not have (other branches, or history that was rewritten); left \
         out"
    );
    (left > 0).then(|| Diagnostic::note("other-commits", "", message))
}

/// Every commit of the branch with its place, oldest lowest; `None` outside of a repository and in a shallow clone, which
/// does not know its older commits.
fn commits_in_order() -> Option<HashMap<Commit, usize>> {
    let repository = Repository::discover(Path::new(".")).ok().filter(|repository| !repository.is_shallow())?;
    let head = repository.head().ok()?.commit;
    let default = repository.default_branch().ok().and_then(|branch| repository.resolve(&branch).ok());
    let mut order = HashMap::new();
    // The default branch first: where the two part, its commits come before those of the work at hand.
    for tip in default.into_iter().chain([head]) {
        let chain: Vec<Commit> = repository.ancestors(&tip, COMMITS).ok()?.collect();
        for commit in chain.into_iter().rev() {
            let next = order.len();
            order.entry(commit).or_insert(next);
        }
    }
    Some(order)
}

/// When the epochs of the config begin.
pub struct Epochs(Vec<(Pattern, i64)>);

impl Epochs {
    /// Resolves them; one whose revision is unknown is told and holds nothing off.
    pub fn of(policy: &Policy, diagnostics: &mut Vec<Diagnostic>) -> Epochs {
        let mut starts = Vec::new();
        for epoch in policy.epochs() {
            let time = match &epoch.start {
                Start::Day(day) => {
                    day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp().as_second())
                }
                Start::Revision(revision) => Repository::discover(Path::new("."))
                    .and_then(|repository| repository.time(&repository.resolve(revision)?))
                    .map_err(|error| {
                        let message = format!("the epoch holds nothing off: {error}");
                        diagnostics.push(Diagnostic::warning("unknown-epoch", policy.place(epoch.line), message));
                    })
                    .ok(),
            };
            starts.extend(time.map(|time| (epoch.pattern.clone(), time)));
        }
        Epochs(starts)
    }

    /// When the present epoch of a benchmark began.
    pub fn of_benchmark(&self, name: &str) -> Option<i64> {
        self.0.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, time)| *time).max()
    }
}

/// Lets a piece of work read runs as the config wants them read.
pub fn reading<T>(policy: &Policy, epochs: &Epochs, work: impl FnOnce(&Reading<'_>) -> T) -> T {
    let rename = |old: &str| policy.rename(old).map(str::to_owned);
    let epoch = |name: &str| epochs.of_benchmark(name);
    work(&Reading { rename: &rename, epoch: &epoch, ignored: policy.ignored_environment() })
}
