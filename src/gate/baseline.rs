//! The base window: which stored runs a head is compared with, found while reading as few of them as possible.

use super::base_search::{BaseSearch, StoredCommits};
use super::builder::Gate;
use super::error::Error;
use super::judge::adopt_names;
use super::renames::leave_out_replaced;
use super::shallow;
use super::side::Side;
use super::stated::{self, ResultsState};
use super::stored_history::with_series_rules;
use super::stored_side::{KeyedRun, side_of_stored};
use crate::history::{
    Baseline, HISTORY_RUNS, SeriesRules, WINDOW_RUNS, count_joined, into_baseline, join_shards, machine_class,
};
use crate::io::repository::{CANDIDATES, Repository, RepositoryError};
use crate::io::store::{self, Key, Store};
use crate::model::{BenchId, Commit, Detail, Diagnostic, Environment, Run, differences};
use crate::verdict::StartCommit;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// After this many opened runs, the search ends with the first full base window. Otherwise reading would get slower as a store
/// with many machines, shards or keys grows.
const MAX_RUNS_READ: usize = 4 * HISTORY_RUNS;

/// The runs of a base window.
pub(super) struct WindowSide {
    pub side: Side,
    /// True if stored runs of other machine classes were left out.
    pub left_out: bool,
}

impl WindowSide {
    /// The side, with a note where stored runs of other machines were left out.
    pub fn with_note(self) -> Side {
        let WindowSide { mut side, left_out } = self;
        if left_out {
            let message = "stored runs of other machines were left out";
            side.diagnostics.push(Diagnostic::note("other-machines", "", message));
        }
        side
    }
}

/// What the default base is searched for.
#[derive(Clone, Copy)]
pub(super) enum BaseOf<'a> {
    /// Results on disk, which count for the checked-out commit, perhaps with uncommitted changes.
    Results(&'a Side),
    /// A commit.
    Commit(&'a Commit),
}

/// Stored runs, newest first.
#[derive(Default)]
struct Candidates {
    /// Those that can be compared with the head.
    comparable: Vec<KeyedRun>,
    /// Those of other machine classes.
    elsewhere: Vec<KeyedRun>,
}

impl Gate {
    /// Reads the base window of head.
    pub(super) fn read_merge_base(
        &self,
        of: BaseOf<'_>,
        environment: &Environment,
        detail: Detail,
    ) -> Result<WindowSide, Error> {
        let repository = self.repository().map_err(|error| match error {
            RepositoryError::None { directory } => Error::NoDefaultBase { directory },
            error => error.into(),
        })?;
        let head = match of {
            BaseOf::Commit(commit) => commit.clone(),
            BaseOf::Results(_) => repository.head()?.commit,
        };
        let mut candidates = repository.base_candidates(&head)?;
        let state = match of {
            BaseOf::Commit(_) => ResultsState::of_commit(),
            BaseOf::Results(side) => ResultsState::of(&repository, side, &head, candidates.first())?,
        };
        let is_dirty = state.is_dirty;
        // A commit of the default branch is its own merge base, and is compared with its parent.
        let on_default_branch = repository.merge_base(&head)? == head;
        // Uncommitted changes are compared with the commit they start from.
        if is_dirty {
            candidates.insert(0, head.clone());
        }
        let starts: &[StartCommit] = match (is_dirty, on_default_branch) {
            (true, true) => &[StartCommit::Head],
            (true, false) => &[StartCommit::Head, StartCommit::MergeBase],
            (false, true) => &[StartCommit::Parent],
            (false, false) => &[StartCommit::MergeBase],
        };
        // A second run of a commit is compared with the first one, where nothing is stored before it.
        let own = (!is_dirty).then_some(&head);
        let uncommitted = match of {
            BaseOf::Results(side) if is_dirty => side.runs.as_slice(),
            _ => &[],
        };
        let search = BaseSearch { candidates: &candidates, starts, own, uncommitted };
        let mut window = self.read_window(&repository, search, environment, detail)?;
        window.side.report.branch = repository.default_branch().ok().filter(|_| !is_dirty);
        window.side.diagnostics.extend(self.note_on_default_branch(&repository));
        window.side.diagnostics.extend(state.diagnostics);
        if is_dirty && !on_default_branch && window.side.report.commit.as_ref() == Some(&head) {
            window.side.diagnostics.push(stated::note_on_uncommitted_changes());
        }
        if let Some(gap) = &mut window.side.report.gap {
            gap.branch.clone_from(&window.side.report.branch);
        }
        Ok(window)
    }

    /// Reads the base window of a known base commit.
    pub(crate) fn read_commit_and_before(
        &self,
        base: &Commit,
        environment: &Environment,
        detail: Detail,
    ) -> Result<Side, Error> {
        let repository = self.repository()?;
        let candidates: Vec<Commit> = repository.ancestors(base, CANDIDATES)?.collect();
        let starts = &[StartCommit::MergeBase];
        let search = BaseSearch { candidates: &candidates, starts, own: None, uncommitted: &[] };
        Ok(self.read_window(&repository, search, environment, detail)?.with_note())
    }

    /// Reads the newest comparable runs of the candidates, or of `own` if no candidate has a run. A job that runs one shard of
    /// the suite gets runs of that shard.
    fn read_window(
        &self,
        repository: &Repository,
        search: BaseSearch<'_>,
        environment: &Environment,
        detail: Detail,
    ) -> Result<WindowSide, Error> {
        let BaseSearch { candidates, own, .. } = search;
        let store = self.open_store()?;
        let keys =
            KeysByCommit { store: &*store, repository, waiting: candidates, step: HISTORY_RUNS, own, any: false };
        let ignored = self.config.policy.ignored_environment();
        let comparable = |run: &Run| differences(&run.environment, environment, ignored).iter().all(|d| !d.decisive);
        let shard = environment.get(Environment::SHARD);
        let same_shard = |run: &Run| {
            let other = run.environment.get(Environment::SHARD);
            shard.zip(other).is_none_or(|(shard, other)| shard == other)
        };
        // Runs with a key are compared with runs stored under that key; runs without a key, with those without one.
        let key = environment.get(Environment::KEY);
        let other_keys = RefCell::new(BTreeSet::new());
        let same_key = |run: &Run| {
            let other = run.environment.get(Environment::KEY);
            if key != other {
                other_keys.borrow_mut().insert(other.map(str::to_owned));
            }
            key == other
        };
        let wanted = |run: &Run| same_shard(run) && same_key(run);
        let Candidates { comparable: mut chosen, elsewhere } =
            self.newest(&*store, keys, wanted, comparable, environment, detail)?;
        let is_of_head = |(_, run): &KeyedRun| search.is_of_head(run);
        let is_recorded = chosen.iter().any(is_of_head) && !chosen.iter().all(is_of_head);
        chosen.retain(|one| !is_recorded || !is_of_head(one));
        let other_machines = !elsewhere.is_empty();
        let commits_of = |runs: &[KeyedRun]| runs.iter().filter_map(|(key, _)| key.commit().cloned()).collect();
        let stored_commits =
            StoredCommits { here: commits_of(&chosen), elsewhere: commits_of(&elsewhere), is_recorded };
        if chosen.is_empty() {
            // Runs of one other machine class, never of several together.
            let newest = elsewhere.first().map(|(_, run)| machine_class(&run.environment, ignored));
            chosen = elsewhere;
            chosen.retain(|(_, run)| Some(machine_class(&run.environment, ignored)) == newest);
            chosen.truncate(WINDOW_RUNS);
        }
        let unused = match chosen.len() < WINDOW_RUNS {
            true => shallow::unused_runs(&*store, repository, candidates)?,
            false => None,
        };
        if chosen.is_empty() {
            let base = candidates.first().map(Commit::short).unwrap_or("the merge base");
            let branch = repository.default_branch().unwrap_or_else(|_| "the default branch".to_owned());
            let is_of_asv = key.is_some() && key == environment.get(Environment::ASV_ENVIRONMENT);
            let keys = keys_note(key, &other_keys.into_inner(), is_of_asv);
            let advice = unused.unwrap_or_else(|| {
                format!("run `perfgate record` on {branch}, or `perfgate runs pull` to fetch the runs of others")
            });
            return Err(Error::MissingBaseline(format!("no baseline for {base}{keys} in {}; {advice}", store.url())));
        }
        let unused = unused.map(|message| Diagnostic::warning("shallow-clone", "", message));
        let mut diagnostics: Vec<Diagnostic> = unused.into_iter().collect();
        let chosen = self.current_segment(chosen, &mut diagnostics)?;
        let newest = chosen.first().and_then(|(key, _)| key.commit());
        let found = search.describe(newest, &stored_commits);
        let mut side = side_of_stored(chosen, found.label);
        side.report.gap = found.gap;
        side.older = search.older(&side.report.commits);
        side.diagnostics.extend(diagnostics);
        side.diagnostics.extend(found.note.map(|message| Diagnostic::note("earlier-baseline", "", message)));
        let left_out = other_machines && side.runs.iter().all(comparable);
        Ok(WindowSide { side, left_out })
    }

    /// Keeps the runs of the current epoch, and of each benchmark those since its last change. `runs` are newest first.
    fn current_segment(&self, runs: Vec<KeyedRun>, diagnostics: &mut Vec<Diagnostic>) -> Result<Vec<KeyedRun>, Error> {
        let policy = &self.config.policy;
        let epochs = self.epochs(diagnostics);
        let (keys, mut runs): (Vec<Key>, Vec<Run>) = runs.into_iter().unzip();
        runs.reverse();
        if let Some((newest, older)) = runs.split_last_mut() {
            diagnostics.extend(adopt_names(policy, older, std::slice::from_ref(newest)));
        }
        diagnostics.extend(leave_out_replaced(policy, &mut runs));
        let (Baseline { runs, before_epoch, .. }, cut) = with_series_rules(policy, &epochs, |rules| {
            let window = into_baseline(runs, rules);
            let note = cut_note(&window, rules);
            (window, note)
        });
        diagnostics.extend(cut);
        diagnostics.extend(epoch_note(&before_epoch, "all stored runs are"));
        let keyed = keys.into_iter().zip(runs.into_iter().rev());
        let kept: Vec<KeyedRun> = keyed.filter(|(_, run)| !run.measurements.is_empty()).collect();
        if kept.is_empty() {
            let message = "all stored runs are older than the current epochs in perfgate.toml; record newer runs";
            return Err(Error::MissingBaseline(message.to_owned()));
        }
        Ok(kept)
    }

    /// Reads stored runs, newest first, until enough of them are comparable.
    fn newest(
        &self,
        store: &dyn Store,
        mut keys: KeysByCommit<'_>,
        wanted: impl Fn(&Run) -> bool,
        comparable: impl Fn(&Run) -> bool,
        machine: &Environment,
        detail: Detail,
    ) -> Result<Candidates, Error> {
        let ignored = self.config.policy.ignored_environment();
        let mut found = Candidates::default();
        let mut opened = 0;
        'read: loop {
            let keys = keys.next()?;
            if keys.is_empty() {
                break;
            }
            for some in keys.chunks(WINDOW_RUNS) {
                for (key, run) in some.iter().zip(store::read_runs(store, some, detail)) {
                    let adapted = run.map(|mut run| {
                        self.continue_series(&mut run);
                        self.assume_machine(&mut run, machine);
                        run
                    });
                    match adapted {
                        Ok(run) if !wanted(&run) => {}
                        Ok(run) if comparable(&run) => found.comparable.push((key.clone(), run)),
                        Ok(run) => found.elsewhere.push((key.clone(), run)),
                        Err(error) if found.comparable.len() < WINDOW_RUNS => return Err(error.into()),
                        Err(_) => {} // too old for the window: only the search for change points misses it
                    }
                }
                opened += some.len();
                let joined = count_joined(&found.comparable, ignored);
                // A rare shard or key is searched in all candidates.
                let wanted = found.comparable.len() + found.elsewhere.len();
                let enough = wanted >= MAX_RUNS_READ || opened >= MAX_RUNS_READ && joined >= WINDOW_RUNS;
                if joined >= HISTORY_RUNS
                    || enough
                    || found.comparable.is_empty() && found.elsewhere.len() >= 5 * WINDOW_RUNS
                {
                    break 'read;
                }
            }
        }
        found.comparable = join_shards(found.comparable, ignored);
        found.comparable.truncate(HISTORY_RUNS);
        found.elsewhere = join_shards(found.elsewhere, ignored);
        Ok(found)
    }
}

/// The stored runs of commits, newest first. Commits are looked up a few at a time: the first ones are usually enough.
struct KeysByCommit<'a> {
    store: &'a dyn Store,
    repository: &'a Repository,
    waiting: &'a [Commit],
    step: usize,
    /// Looked up last, where no other commit has a run.
    own: Option<&'a Commit>,
    any: bool,
}

impl KeysByCommit<'_> {
    /// The next keys; none at the end.
    fn next(&mut self) -> Result<Vec<Key>, Error> {
        while !self.waiting.is_empty() {
            let (now, later) = self.waiting.split_at(self.step.min(self.waiting.len()));
            (self.waiting, self.step) = (later, 4 * self.step);
            let keys = self.of(now)?;
            if !keys.is_empty() {
                self.any = true;
                return Ok(keys);
            }
        }
        match self.own.take() {
            Some(own) if !self.any => self.of(std::slice::from_ref(own)),
            _ => Ok(Vec::new()),
        }
    }

    fn of(&self, commits: &[Commit]) -> Result<Vec<Key>, Error> {
        let timed = commits.iter().map(|commit| Ok((commit.clone(), self.repository.time(commit)?)));
        let timed = timed.collect::<Result<Vec<(Commit, i64)>, Error>>()?;
        let mut runs = store::of_commits(self.store, &timed)?;
        let keys = commits.iter().filter_map(|commit| runs.remove(commit));
        Ok(keys.flat_map(|keys| keys.into_iter().rev()).collect())
    }
}

/// Names the key that has no runs, and those that have: ` with the key "a" (there are runs with the key "b")`. `is_of_asv`: the key
/// is asv's environment, which earlier versions did not use as the key.
fn keys_note(key: Option<&str>, others: &BTreeSet<Option<String>>, is_of_asv: bool) -> String {
    let named =
        |key: Option<&str>| key.map_or_else(|| "without a key".to_owned(), |key| format!("with the key {key:?}"));
    if others.is_empty() {
        return String::new();
    }
    let advice = match (others.contains(&None), others.len()) {
        (false, _) => "set PERFGATE_KEY to select them",
        (true, _) if is_of_asv => {
            "asv's environment is the key of its runs; import runs that have no key again: `perfgate runs import .asv/results`"
        }
        (true, 1) => "unset PERFGATE_KEY to select them",
        (true, _) => "set PERFGATE_KEY to one of these keys, or unset it for the runs without a key",
    };
    let others: Vec<String> = others.iter().map(|other| named(other.as_deref())).collect();
    format!(" {} (there are runs {}; {advice})", named(key), others.join(", "))
}

/// Names benchmarks without a baseline because of their epoch; `runs_are` names the runs: `all stored runs are`.
pub(super) fn epoch_note(before_epoch: &BTreeSet<BenchId>, runs_are: &str) -> Option<Diagnostic> {
    let first = before_epoch.first()?;
    let (others, have) = match before_epoch.len() {
        1 => (String::new(), "has"),
        count => (format!(" and {} more", count - 1), "have"),
    };
    let message = format!(
        "{:?}{others} {have} no baseline: {runs_are} from before the [[epoch]] in perfgate.toml",
        first.as_str()
    );
    Some(Diagnostic::note("epoch-baseline", "", message))
}

/// Names benchmarks of which only part of the base's runs count, and these runs.
fn cut_note(window: &Baseline, rules: &SeriesRules<'_>) -> Option<Diagnostic> {
    const NAMED: usize = 3;
    let named = window.changed.iter().take(NAMED).map(|benchmark| match segment_of(benchmark, window, rules) {
        (0, _) | (_, None) => format!("{:?}", benchmark.as_str()),
        (1, Some(commit)) => format!("{:?} (1 run, of {})", benchmark.as_str(), commit.short()),
        (runs, Some(commit)) => format!("{:?} ({runs} runs since {})", benchmark.as_str(), commit.short()),
    });
    let mut named: Vec<String> = named.collect();
    match window.changed.len().saturating_sub(NAMED) {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    let last = named.pop()?;
    let (names, which) = match named.as_slice() {
        [] => (last, "its"),
        first => (format!("{} and {last}", first.join(", ")), "their"),
    };
    let message = format!(
        "{names} changed within the last {WINDOW_RUNS} runs; only {which} runs since then count as the base (`perfgate history` \
         shows the change)"
    );
    Some(Diagnostic::note("baseline-segment", "", message))
}

/// The number of runs that are the base of a benchmark, and the commit of the first: of several metrics, the one with the fewest.
fn segment_of<'w>(benchmark: &BenchId, window: &'w Baseline, rules: &SeriesRules<'_>) -> (usize, Option<&'w Commit>) {
    let mut by_metric: BTreeMap<&str, (usize, Option<&Commit>)> = BTreeMap::new();
    for run in &window.runs {
        let own = run.measurements.iter().filter(|one| rules.name(one.benchmark.as_str()) == benchmark.as_str());
        let metrics: BTreeSet<&str> = own.map(|one| &*one.metric.name).collect();
        for metric in metrics {
            by_metric.entry(metric).or_insert((0, run.commit.as_ref())).0 += 1;
        }
    }
    by_metric.into_values().min_by_key(|(runs, _)| *runs).unwrap_or_default()
}
