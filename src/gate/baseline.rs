//! Which stored runs stand for the base of a comparison, and reading no more of them than it takes. How a side is named
//! and read from elsewhere is for `sides`.

use super::side::{MissingBaseline, Scene, Side, Stored, assemble};
use super::stored::{self, Epochs};
use crate::history::{HISTORY_RUNS, WINDOW_RUNS, Window, joined, joined_count, machine, window_of};
use crate::io::repository::{CANDIDATES, Repository};
use crate::io::store::{self, Key, Store};
use crate::model::{BenchId, Commit, Detail, Diagnostic, Environment, Run, differences};
use anyhow::Context;
use std::collections::BTreeSet;
use std::path::Path;

/// No more stored runs than this are opened for a base, so that a store of many machines costs no more as it grows.
const MOST_READ: usize = 4 * HISTORY_RUNS;

impl Scene<'_> {
    /// Reads stored runs, newest first, until enough of them are comparable: those, and some that are not. `more` gives
    /// names, some at a time, and none at the end.
    fn newest(
        &self,
        store: &dyn Store,
        mut more: impl FnMut() -> anyhow::Result<Vec<Key>>,
        wanted: impl Fn(&Run) -> bool,
        comparable: impl Fn(&Run) -> bool,
        detail: Detail,
    ) -> anyhow::Result<(Vec<Stored>, Vec<Stored>)> {
        let (mut chosen, mut elsewhere) = (Vec::new(), Vec::new());
        let ignored = self.config.policy.ignored_environment();
        let whole = |runs: Vec<Stored>| -> Vec<Stored> {
            let mut runs = joined(runs, ignored);
            runs.truncate(HISTORY_RUNS);
            runs
        };
        loop {
            let keys = more()?;
            if keys.is_empty() {
                break;
            }
            for some in keys.chunks(WINDOW_RUNS) {
                for (key, run) in some.iter().zip(store::read_runs(store, some, detail)) {
                    match run {
                        Ok(run) if !wanted(&run) => {}
                        Ok(run) if comparable(&run) => chosen.push((key.clone(), run)),
                        Ok(run) => elsewhere.push((key.clone(), run)),
                        Err(error) if chosen.len() < WINDOW_RUNS => return Err(error.into()),
                        Err(_) => {} // too old for the base: it is only missing from the look for changes
                    }
                }
                let read = chosen.len() + elsewhere.len();
                let enough = joined_count(&chosen, ignored) >= HISTORY_RUNS || read >= MOST_READ;
                if enough || chosen.is_empty() && elsewhere.len() >= 5 * WINDOW_RUNS {
                    return Ok((whole(chosen), joined(elsewhere, ignored)));
                }
            }
        }
        Ok((whole(chosen), joined(elsewhere, ignored)))
    }

    /// Reads the stored runs that stand for the base of the work at hand.
    pub fn read_merge_base(&self, environment: &Environment, detail: Detail) -> anyhow::Result<Side> {
        let repository = Repository::discover(Path::new(".")).context(
            "the base was left out, and this is no git repository; name two results, as in `perfgate compare OLD NEW`",
        )?;
        let head = repository.head()?;
        let mut candidates = repository.base_candidates(&head.commit)?;
        // Uncommitted work is compared with the commit that it starts from; so is a second run of a commit that has
        // nothing stored before it.
        let dirty = repository.is_dirty()?;
        if dirty {
            candidates.insert(0, head.commit.clone());
        }
        let own = (!dirty).then_some(&head.commit);
        self.read_candidates(&repository, &candidates, own, environment, detail)
    }

    /// Reads the stored runs of a commit and of those before it.
    pub fn read_before(&self, base: &Commit, environment: &Environment, detail: Detail) -> anyhow::Result<Side> {
        let repository = Repository::discover(Path::new("."))?;
        let candidates: Vec<Commit> = repository.ancestors(base, CANDIDATES)?.collect();
        self.read_candidates(&repository, &candidates, None, environment, detail)
    }

    /// Reads the newest comparable runs of some commits, best first; where they have none at all, those of `own`. Of a job
    /// that runs one shard of the suite, that shard's.
    fn read_candidates(
        &self,
        repository: &Repository,
        candidates: &[Commit],
        own: Option<&Commit>,
        environment: &Environment,
        detail: Detail,
    ) -> anyhow::Result<Side> {
        let store = self.open_store()?;
        let timed = |commits: &[Commit]| -> anyhow::Result<Vec<(Commit, i64)>> {
            commits.iter().map(|commit| Ok((commit.clone(), repository.time(commit)?))).collect()
        };
        // Newest first, over some commits at a time: a look at all of them is seldom needed.
        let mut waiting = candidates;
        let mut step = HISTORY_RUNS;
        let (mut found, mut last_resort) = (false, own);
        let more = || -> anyhow::Result<Vec<Key>> {
            while !waiting.is_empty() {
                let (now, later) = waiting.split_at(step.min(waiting.len()));
                (waiting, step) = (later, 4 * step);
                let mut runs = store::of_commits(&*store, &timed(now)?)?;
                let keys: Vec<Key> = now
                    .iter()
                    .filter_map(|commit| runs.remove(commit))
                    .flat_map(|keys| keys.into_iter().rev())
                    .collect();
                if !keys.is_empty() {
                    found = true;
                    return Ok(keys);
                }
            }
            match last_resort.take().filter(|_| !found) {
                None => Ok(Vec::new()),
                Some(own) => {
                    let runs = store::of_commits(&*store, &timed(std::slice::from_ref(own))?)?.remove(own);
                    Ok(runs.unwrap_or_default().into_iter().rev().collect())
                }
            }
        };
        let ignored = self.config.policy.ignored_environment();
        let comparable = |run: &Run| differences(&run.environment, environment, ignored).iter().all(|d| !d.decisive);
        let ours = environment.get(Environment::SHARD);
        let wanted = |run: &Run| {
            let theirs = run.environment.get(Environment::SHARD);
            ours.zip(theirs).is_none_or(|(ours, theirs)| ours == theirs)
        };
        let (mut chosen, elsewhere) = self.newest(&*store, more, wanted, comparable, detail)?;
        let other_machines = !elsewhere.is_empty();
        if chosen.is_empty() {
            // Of one machine, and never of several together.
            let newest = elsewhere.first().map(|(_, run)| machine(&run.environment, ignored));
            chosen = elsewhere;
            chosen.retain(|(_, run)| Some(machine(&run.environment, ignored)) == newest);
            chosen.truncate(WINDOW_RUNS);
        }
        if chosen.is_empty() {
            let base = candidates.first().map(Commit::short).unwrap_or("the merge base");
            let branch = repository.default_branch().unwrap_or_else(|_| "the default branch".to_owned());
            let message = format!(
                "no baseline for {base} in {}; run `perfgate record` on {branch}, or `perfgate runs pull` to fetch the \
                 runs of others",
                store.describe()
            );
            return Err(MissingBaseline(message).into());
        }
        let mut diagnostics = Vec::new();
        let epochs = Epochs::of(&self.config.policy, &mut diagnostics);
        let (past_keys, mut past): (Vec<Key>, Vec<Run>) = chosen.into_iter().unzip();
        past.reverse(); // time order
        let Window { runs, cut } = stored::reading(&self.config.policy, &epochs, |reading| window_of(past, reading));
        diagnostics.extend(cut_note(&cut));
        let paired = past_keys.into_iter().zip(runs.into_iter().rev());
        let chosen: Vec<(Key, Run)> = paired.filter(|(_, run)| !run.measurements.is_empty()).collect();
        if chosen.is_empty() {
            let message = "all stored runs lie before the epochs of perfgate.toml; record runs of the present one";
            return Err(MissingBaseline(message.to_owned()).into());
        }
        let mut side = assemble(chosen, "stored runs of the merge base".to_owned());
        side.diagnostics.extend(diagnostics);
        let base = candidates.first();
        if side.report.commits.first().map(String::as_str) != base.map(Commit::as_str) {
            let message = format!(
                "the merge base {} has no stored run; the nearest earlier one is used",
                base.map(Commit::short).unwrap_or_default()
            );
            side.diagnostics.push(Diagnostic::note("earlier-baseline", "", message));
        }
        if other_machines && side.runs.iter().all(comparable) {
            let message = "stored runs of other machines were left out";
            side.diagnostics.push(Diagnostic::note("other-machines", "", message));
        }
        Ok(side)
    }
}

/// Benchmarks of which only part of the base's runs count.
fn cut_note(cut: &BTreeSet<BenchId>) -> Option<Diagnostic> {
    let first = cut.first()?;
    let others = match cut.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let message = format!(
        "{:?}{others} changed within the last {WINDOW_RUNS} runs: only the runs since then stand for the base \
         (`perfgate history` shows the change)",
        first.as_str()
    );
    Some(Diagnostic::note("baseline-segment", "", message))
}
