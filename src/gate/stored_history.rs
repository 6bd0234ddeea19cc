//! The stored runs of the branch as a history: which runs belong to it, and in which order.

use super::baseline::epoch_note;
use super::builder::Gate;
use super::error::Error;
use super::judge::adopt_names;
use super::renames::{leave_out_joined, leave_out_replaced};
use super::shallow;
use super::side::Side;
use super::stored_side::dirty_baseline;
use crate::history::{Epoch, Series, SeriesRules, join_shards};
use crate::io::repository::Repository;
use crate::io::store::{self, Key};
use crate::model::{BenchId, Commit, Detail, Diagnostic, Metric, Run};
use crate::policy::unused::MeasuredMetric;
use crate::policy::{Pattern, Policy, Start};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Maximum number of commits of the branch whose order is looked up.
const MAX_COMMITS: usize = 20_000;

/// The code of the warning about an epoch whose revision is unknown.
const UNKNOWN_EPOCH: &str = "unknown-epoch";

/// The newest stored runs of the branch.
pub(crate) struct StoredHistory {
    /// In the order of their commits, oldest first.
    pub runs: Vec<Run>,
    /// The store's name.
    pub store: String,
    /// The positions of commits on the branch, oldest first, where they are known. After a fork, only the commits of the default
    /// branch have one.
    pub positions: HashMap<Commit, usize>,
    /// Runs older than those.
    pub older: OlderRuns,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// How many runs were left out because they are older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OlderRuns {
    /// No older run.
    Zero,
    /// The number of older runs.
    Counted(usize),
    /// There are older runs. To count them, perfgate would have to list the whole store.
    Uncounted,
}

impl Gate {
    /// Reads the `last` newest runs of the branch, without their samples.
    pub(crate) fn stored_history(&self, last: usize) -> Result<StoredHistory, Error> {
        let store = self.open_store()?;
        let name = store.url();
        let repository = self.repository().ok();
        let order = repository.as_ref().and_then(commits_in_order);
        let (mut keys, mut left_out, mut more) = (Vec::new(), 0, true);
        // Some of the newest runs may belong to other branches, so the listing grows until enough are of this one.
        let mut count = last;
        while more {
            let newest = store.newest(count)?;
            if newest.keys.is_empty() {
                return Err(Error::EmptyStore { store: name });
            }
            more = newest.more;
            (keys, left_out) = on_the_branch(newest.keys, order.as_ref());
            if keys.len() >= last {
                break;
            }
            count = count.saturating_mul(4);
        }
        let mut diagnostics = Vec::new();
        diagnostics.extend(other_commits(left_out));
        let older = match (keys.len().saturating_sub(last), more) {
            (0, false) => OlderRuns::Zero,
            (older, false) => OlderRuns::Counted(older),
            (_, true) => OlderRuns::Uncounted,
        };
        keys.drain(..keys.len().saturating_sub(last));
        diagnostics.extend(repository.and_then(|repository| shallow::unknown_commits(&repository, &keys)));
        let mut runs = Vec::with_capacity(keys.len());
        for run in store::read_runs(&*store, &keys, Detail::Digests) {
            match run {
                Ok(run) => runs.push(run),
                Err(error) => diagnostics.push(Diagnostic::warning("unreadable-run", "", format!("{error}; left out"))),
            }
        }
        if runs.is_empty() {
            let problems = diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            return Err(Error::UnreadableRuns { store: name, problems });
        }
        let known = runs.iter().rev().find(|run| !run.environment.is_unknown()).map(|run| run.environment.clone());
        for run in &mut runs {
            self.continue_series(run);
            if let Some(machine) = &known {
                self.assume_machine(run, machine);
            }
        }
        let newest_first = runs.into_iter().rev().map(|run| ((), run)).collect();
        let joined = join_shards(newest_first, self.config.policy.ignored_environment());
        let mut runs: Vec<Run> = joined.into_iter().rev().map(|((), run)| run).collect();
        if let Some((newest, older)) = runs.split_last_mut() {
            diagnostics.extend(adopt_names(&self.config.policy, older, std::slice::from_ref(newest)));
        }
        diagnostics.extend(leave_out_replaced(&self.config.policy, &mut runs));
        diagnostics.extend(leave_out_joined(&self.config.policy, &mut runs));
        diagnostics.extend(dirty_baseline(runs.iter()));
        Ok(StoredHistory {
            runs,
            store: name,
            positions: order.map_or_else(HashMap::new, BranchOrder::positions),
            older,
            diagnostics,
        })
    }
}

impl Gate {
    /// The epochs of the config, resolved.
    pub(crate) fn epochs(&self, diagnostics: &mut Vec<Diagnostic>) -> Epochs {
        Epochs::of(&self.config.policy, &self.directory, diagnostics)
    }

    /// Reports mistakes in the epochs of the config before they matter, where no stored runs are selected. Only a whole
    /// repository has every revision that an epoch may name.
    pub(super) fn report_mistakes_in_epochs(&self, diagnostics: &mut Vec<Diagnostic>) {
        let mut found = Vec::new();
        self.epochs(&mut found);
        let is_whole = Repository::discover(&self.directory).is_ok_and(|repository| !repository.is_shallow());
        found.retain(|one| one.code != UNKNOWN_EPOCH || is_whole);
        diagnostics.extend(found);
    }

    /// Leaves out the benchmarks of a stored base for which an epoch starts between base and head. `head_time` is when head
    /// was measured, in seconds since 1970.
    pub(super) fn leave_out_other_epochs(&self, base: &mut Side, head_time: i64) -> Result<(), Error> {
        let policy = &self.config.policy;
        let epochs = self.epochs(&mut base.diagnostics);
        let mut left_out = BTreeSet::new();
        for run in &mut base.runs {
            let time = run.time;
            run.measurements.retain(|measurement| {
                let old = measurement.benchmark.as_str();
                let name = policy.rename(old).unwrap_or_else(|| old.to_owned());
                let is_other = epochs.starts_between(&name, time, head_time);
                if is_other {
                    left_out.insert(BenchId::new(name));
                }
                !is_other
            });
        }
        if left_out.is_empty() {
            return Ok(());
        }
        base.runs.retain(|run| !run.measurements.is_empty());
        base.report.runs = base.runs.len();
        let label = &base.report.label;
        if base.runs.is_empty() {
            let message = format!("the [[epoch]] entries in perfgate.toml leave out all stored runs of {label}");
            return Err(Error::MissingBaseline(message));
        }
        base.diagnostics.extend(epoch_note(&left_out, &format!("the runs of {label} are")));
        Ok(())
    }
}

/// The runs of commits on the checked-out or the default branch, in the order of the commits, and the number of others.
/// Where none is on a branch, or there is no repository, all runs stay in the order of the store.
fn on_the_branch(keys: Vec<Key>, order: Option<&BranchOrder>) -> (Vec<Key>, usize) {
    let Some(BranchOrder { order, .. }) = order else { return (keys, 0) };
    let position = |key: &Key| key.commit().and_then(|commit| order.get(commit)).copied();
    let (mut kept, others): (Vec<Key>, Vec<Key>) =
        keys.iter().cloned().partition(|key| key.commit().is_none() || position(key).is_some());
    if !kept.iter().any(|key| position(key).is_some()) {
        return (keys, 0);
    }
    // If a run has no commit, all runs keep the order of their times.
    if kept.iter().all(|key| position(key).is_some()) {
        kept.sort_by_key(|key| (position(key), key.clone()));
    }
    (kept, others.len())
}

fn other_commits(count: usize) -> Option<Diagnostic> {
    let runs = if count == 1 { "run belongs to a commit" } else { "runs belong to commits" };
    let message =
        format!("{count} stored {runs} that the branch does not have (other branches, or rewritten history); left out");
    (count > 0).then(|| Diagnostic::note("other-commits", "", message))
}

/// The order of the commits of the default branch and of the checked-out one.
struct BranchOrder {
    /// Every commit, oldest first. After a fork, all commits of the default branch come before those of the checked-out one.
    order: HashMap<Commit, usize>,
    /// Number of commits, from the first one, that form a single line: without the commits after a fork.
    in_line: usize,
}

impl BranchOrder {
    /// The positions on the single line, where a difference of positions is a number of commits.
    fn positions(mut self) -> HashMap<Commit, usize> {
        self.order.retain(|_, position| *position < self.in_line);
        self.order
    }
}

/// The order of the commits of the branch. `None` in a shallow clone, which lacks the older commits.
fn commits_in_order(repository: &Repository) -> Option<BranchOrder> {
    if repository.is_shallow() {
        return None;
    }
    let head = repository.head().ok()?.commit;
    let default = repository.default_branch().ok().and_then(|branch| repository.resolve(&branch).ok());
    let mut order = HashMap::new();
    let mut in_line = 0;
    for newest in default.iter().chain([&head]) {
        let chain: Vec<Commit> = repository.ancestors(newest, MAX_COMMITS).ok()?.collect();
        let is_fork = default.as_ref().is_some_and(|default| !chain.contains(default));
        for commit in chain.into_iter().rev() {
            let next = order.len();
            order.entry(commit).or_insert(next);
        }
        if !is_fork {
            in_line = order.len();
        }
    }
    Some(BranchOrder { order, in_line })
}

/// The epochs of the config with their resolved starts.
pub(crate) struct Epochs(Vec<(Pattern, Arc<Epoch>)>);

impl Epochs {
    /// Resolves the epochs. One whose revision is unknown has no effect, and gives a warning.
    fn of(policy: &Policy, directory: &Path, diagnostics: &mut Vec<Diagnostic>) -> Epochs {
        let mut starts = Vec::new();
        for epoch in policy.epochs() {
            let time = match &epoch.start {
                Start::Day(day) => {
                    day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp().as_second())
                }
                Start::Revision(revision) => Repository::discover(directory)
                    .and_then(|repository| repository.time(&repository.resolve(revision)?))
                    .map_err(|error| {
                        // A tag may have a name such as `2027/3/1`, so this is only a hint.
                        let is_like_a_day = revision.split('/').count() == 3
                            && revision.bytes().all(|byte| byte == b'/' || byte.is_ascii_digit());
                        let hint = if is_like_a_day { " (a date has hyphens: \"2027-03-01\")" } else { "" };
                        let message = format!("the epoch has no effect: {error}{hint}");
                        diagnostics.push(Diagnostic::warning(UNKNOWN_EPOCH, policy.place(epoch.line), message));
                    })
                    .ok(),
            };
            if time.is_some_and(|start| start > jiff::Timestamp::now().as_second()) {
                let message = format!(
                    "the epoch starts in the future: until then, no stored run of `{}` is used",
                    epoch.pattern.as_str()
                );
                diagnostics.push(Diagnostic::warning("future-epoch", policy.place(epoch.line), message));
            }
            let resolved =
                time.map(|start| Arc::new(Epoch { start, reason: epoch.reason.clone(), is_configured: true }));
            starts.extend(resolved.map(|resolved| (epoch.pattern.clone(), resolved)));
        }
        Epochs(starts)
    }

    /// True if an epoch of a benchmark starts after one of two times, and not after the other one.
    fn starts_between(&self, name: &str, one: i64, other: i64) -> bool {
        let (first, last) = (one.min(other), one.max(other));
        let is_between = |epoch: &Epoch| first < epoch.start && epoch.start <= last;
        self.0.iter().any(|(pattern, epoch)| is_between(epoch) && pattern.matches(name))
    }

    /// The current epoch of a benchmark: the one that starts last.
    pub(super) fn of_benchmark(&self, name: &str) -> Option<Arc<Epoch>> {
        let epochs = self.0.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, epoch)| epoch);
        epochs.max_by_key(|epoch| epoch.start).cloned()
    }
}

/// Calls `work` with the config's renames, epochs, directions, floors and ignored environment keys.
pub(crate) fn with_series_rules<T>(policy: &Policy, epochs: &Epochs, work: impl FnOnce(&SeriesRules<'_>) -> T) -> T {
    let rename = |old: &str| policy.rename(old);
    let epoch = |name: &str| epochs.of_benchmark(name);
    let direction = |name: &str, metric: &Metric| policy.direction(name, metric);
    let floor = |name: &str, metric: &Metric| policy.benchmark_settings(name, metric).floor;
    let ignored = policy.ignored_environment();
    work(&SeriesRules { rename: &rename, epoch: &epoch, direction: &direction, floor: &floor, ignored })
}

/// Warnings about directions of the config that the results contradict.
pub(crate) fn unused_directions<'s>(policy: &Policy, all: impl IntoIterator<Item = &'s Series>) -> Vec<Diagnostic> {
    let measured = |series: &'s Series| MeasuredMetric {
        benchmark: series.benchmark.as_str(),
        metric: &series.metric.name,
        unit: series.metric.unit.clone(),
        direction: series.metric.direction,
    };
    policy.unused_directions(&all.into_iter().map(measured).collect::<Vec<_>>())
}
