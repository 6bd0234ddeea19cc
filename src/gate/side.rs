//! One side of a comparison, read: its runs, with a label and the environment they were measured in.

use super::baseline::{BaseOf, WindowSide};
use super::builder::Gate;
use super::config;
use super::error::Error;
use super::machine_class::has_several_classes;
use super::record::oldest_result;
use super::sources::{Results, SideSource, advice_on_results, real_location};
use super::stated::{OTHER_COMMIT, complete, other_commit, refuse_results_of_base, states_base};
use crate::io::input::{self, InputError, LoadedResults, Location};
use crate::io::probe;
use crate::io::repository::{Head, Repository, RepositoryError};
use crate::model::{Commit, Detail, Diagnostic, Environment, Evidence, Measurement, Run};
use crate::verdict::{BaselineGap, SideReport};
use std::collections::BTreeMap;
use std::path::Path;

/// A side, read.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    /// Its runs, in time order.
    pub runs: Vec<Run>,
    /// Its part of the report.
    pub report: SideReport,
    /// Where it was measured; `None` if the files do not record it.
    pub environment: Option<Environment>,
    /// Warnings and notes of its files.
    pub diagnostics: Vec<Diagnostic>,
    /// The real paths of its results; empty for stored runs.
    pub locations: Vec<Location>,
    /// Of a default base: its commits that are older than the one that head started from, with their gaps. Otherwise
    /// empty.
    pub older: BTreeMap<Commit, BaselineGap>,
}

/// The checked-out commit, for which results count.
struct CheckedOutCommit {
    head: Head,
    /// True if the user names it: results may be older then.
    is_given: bool,
}

impl Side {
    /// True if both sides are the same results: the same files, however their paths are written.
    pub fn is_same_as(&self, other: &Side) -> bool {
        match (self.locations.as_slice(), other.locations.as_slice()) {
            ([], []) => self.report.label == other.report.label,
            (own, others) => own == others,
        }
    }

    /// When it was measured: the time of the newest stored run. Results on disk are new.
    pub fn measured_until(&self) -> i64 {
        let newest = self.runs.iter().map(|run| run.time).max().filter(|_| self.locations.is_empty());
        newest.unwrap_or(i64::MAX)
    }

    /// Counts as results of a commit, with a warning if the results state another one.
    fn count_for(&mut self, commit: &Commit) {
        self.diagnostics.retain(|diagnostic| diagnostic.code != OTHER_COMMIT);
        self.diagnostics.extend(self.runs.iter().find_map(|run| other_commit(run, commit)));
        self.report.commit = Some(commit.clone());
    }

    /// Adds to each run the facts that choose its base, where the results do not state them.
    fn complete_runs(&mut self, here: &Environment) {
        for run in &mut self.runs {
            let mut environment = run.environment.clone();
            complete(&mut environment, here);
            for key in Environment::CLASS.into_iter().chain([Environment::KEY]) {
                if let Some(fact) = environment.get(key) {
                    run.environment.set(key, fact);
                }
            }
        }
    }

    /// Adds facts of the machine that reads the results, if the results state none.
    fn complete(&mut self, here: &Environment) {
        let note = complete(self.environment.get_or_insert_default(), here);
        self.diagnostics.extend(note);
    }
}

impl Gate {
    /// Reads both sides. Results on disk that are compared with stored runs count as results of this machine, as far as
    /// they do not state another one. If the base cannot be read, the head is still returned, because it cannot always be
    /// read again.
    pub(super) fn read_sides(
        &self,
        base: &SideSource,
        head: &SideSource,
        detail: Detail,
    ) -> Result<(Result<Side, Error>, Side), Error> {
        let (base, head) = self.read_each(base, head, detail)?;
        // A run of head in which everything failed is judged; one of base is nothing to compare with.
        let is_empty = |run: &Run| run.measurements.is_empty();
        if let Ok(base) = &base {
            let errors = input::errors(&base.diagnostics);
            if !base.locations.is_empty() && base.runs.iter().any(is_empty) && !errors.is_empty() {
                return Err(InputError::Unreadable(errors).into());
            }
        }
        Ok((base, head))
    }

    fn read_each(
        &self,
        base: &SideSource,
        head: &SideSource,
        detail: Detail,
    ) -> Result<(Result<Side, Error>, Side), Error> {
        match (base, head) {
            (SideSource::Paths(base), SideSource::Paths(head)) => {
                let (base, head) = self.read_both(base, head, detail)?;
                return Ok((Ok(base), head));
            }
            (SideSource::MergeBase { .. }, SideSource::Revision { word, commit }) => {
                let head = self.read_stored_head(word, commit, detail)?;
                return Ok((self.read_bases(BaseOf::Commit(commit), &head, detail), head));
            }
            (SideSource::Revision { word, commit }, SideSource::Revision { word: head, commit: measured }) => {
                let head = self.read_stored_head(head, measured, detail)?;
                return Ok((self.read_base_revision(word, commit, head.measured_until(), detail), head));
            }
            _ => {}
        }
        let given = match base {
            SideSource::MergeBase { of } => of.as_ref(),
            _ => None,
        };
        let from_disk = |source: &SideSource| match source {
            SideSource::Paths(results) => self.read_paths(results, detail, None).map(Some),
            SideSource::WorkTree(results) => self.read_work_tree(results, given, detail).map(Some),
            _ => Ok(None),
        };
        let measured_here = base.is_on_disk() != head.is_on_disk() || matches!(base, SideSource::CommitAndBefore(_));
        // rustc takes 20 ms to print its version, and a tree of 100 benchmarks is read in 5 ms.
        let read_disk = || -> Result<_, Error> {
            let head = match (base, head) {
                // The base is that of the checked-out commit, so these count as its results.
                (SideSource::MergeBase { .. }, SideSource::Paths(results)) => {
                    Some(self.read_paths(results, detail, self.checked_out_as(given).as_ref())?)
                }
                _ => from_disk(head)?,
            };
            Ok((head, from_disk(base)?))
        };
        let (here, on_disk) = rayon::join(|| measured_here.then(|| self.here()), read_disk);
        let (mut head_on_disk, mut base_on_disk) = on_disk?;
        let here = here.transpose()?;
        if let (Some(commit), Some(side)) = (given, &mut head_on_disk) {
            side.count_for(commit);
        }
        if let Some(here) = &here {
            [&mut head_on_disk, &mut base_on_disk].into_iter().flatten().for_each(|side| side.complete(here));
        }
        // The stored runs of the machine that the results state, if they state one.
        let of_head = head_on_disk.as_ref().and_then(|side| side.environment.clone()).or(here.clone());
        let is_work_tree = matches!(head, SideSource::WorkTree(_));
        let head = match (head_on_disk, head) {
            (Some(mut side), _) => {
                if let Some(here) =
                    here.filter(|_| has_several_classes(&side, self.config.policy.ignored_environment()))
                {
                    side.complete_runs(&here);
                }
                side
            }
            (None, SideSource::Revision { word, commit }) => self.read_stored_head(word, commit, detail)?,
            // Head is on disk, or the stored runs of a revision.
            (None, _) => {
                return Err(Error::NoResults {
                    is_head: true,
                    looked: "the working directory".to_owned(),
                    advice: advice_on_results(&self.directory),
                });
            }
        };
        if let Some(side) = base_on_disk {
            return Ok((Ok(side), head));
        }
        let base = self.read_stored_base(base, is_work_tree, &head, &of_head.unwrap_or_default(), detail);
        Ok((base, head))
    }

    /// Reads the stored runs that results are compared with. With a named base, only results that the user names may be of any
    /// commit.
    fn read_stored_base(
        &self,
        base: &SideSource,
        is_work_tree: bool,
        head: &Side,
        machine: &Environment,
        detail: Detail,
    ) -> Result<Side, Error> {
        match base {
            SideSource::Revision { word, commit } => {
                if is_work_tree {
                    refuse_results_of_base(&Repository::discover(&self.directory)?, head, commit)?;
                }
                self.read_named_base(word, commit, head, detail)
            }
            SideSource::CommitAndBefore(commit) => {
                refuse_results_of_base(&Repository::discover(&self.directory)?, head, commit)?;
                self.read_commit_and_before(commit, machine, detail)
            }
            SideSource::MergeBase { of: Some(commit) } => {
                self.read_default_base(BaseOf::Commit(commit), head, machine, detail)
            }
            // Paths and the work tree were read before.
            SideSource::MergeBase { of: None } | SideSource::Paths(_) | SideSource::WorkTree(_) => {
                self.read_default_base(BaseOf::Results(head), head, machine, detail)
            }
        }
    }

    /// Reads the default base of results.
    fn read_default_base(
        &self,
        of: BaseOf<'_>,
        head: &Side,
        machine: &Environment,
        detail: Detail,
    ) -> Result<Side, Error> {
        match has_several_classes(head, self.config.policy.ignored_environment()) {
            true => self.read_bases(of, head, detail),
            false => self.read_merge_base(of, machine, detail).map(WindowSide::with_note),
        }
    }

    /// Reads the stored runs of a revision as the base of results.
    fn read_named_base(&self, word: &str, commit: &Commit, head: &Side, detail: Detail) -> Result<Side, Error> {
        let mut base = self.read_base_revision(word, commit, head.measured_until(), detail)?;
        let checked_out = Repository::discover(&self.directory).and_then(|repository| repository.head()).ok();
        if checked_out.is_some_and(|checked_out| checked_out.commit != *commit) {
            base.diagnostics.extend(states_base(head, commit));
        }
        Ok(base)
    }

    /// The checked-out commit; `None` outside of a repository, and if results count for another one that is given.
    fn checked_out_as(&self, given: Option<&Commit>) -> Option<CheckedOutCommit> {
        let head = Repository::discover(&self.directory).and_then(|repository| repository.head()).ok()?;
        let is_head = given.is_none_or(|given| *given == head.commit);
        is_head.then_some(CheckedOutCommit { head, is_given: given.is_some() })
    }

    /// Reads results on disk, one run per path. If they count as results of the checked-out commit, they must not all be older
    /// than it.
    fn read_paths(&self, results: &[Results], detail: Detail, of: Option<&CheckedOutCommit>) -> Result<Side, Error> {
        let (results, twice) = distinct(results);
        let committed = of.and_then(|of| oldest_result(&of.head));
        let read = |result: &Results| input::load(&result.location, result.request(detail, committed));
        let loaded: Vec<LoadedResults> = results.iter().map(read).collect::<Result<_, _>>()?;
        if let Some(of) = of.filter(|of| !of.is_given && loaded.iter().all(|one| one.is_older_than_commit)) {
            return Err(Error::OlderThanCommit { results: label(&results), commit: of.head.commit.short().to_owned() });
        }
        let mut side = disk_side(&results, loaded);
        side.diagnostics.extend(twice);
        Ok(side)
    }

    fn read_both(&self, base: &[Results], head: &[Results], detail: Detail) -> Result<(Side, Side), Error> {
        if let ([one], [two]) = (base, head) {
            let (first, second) =
                input::load_two((&one.location, one.request(detail, None)), (&two.location, two.request(detail, None)));
            return Ok((disk_side(base, vec![first?]), disk_side(head, vec![second?])));
        }
        Ok((self.read_paths(base, detail, None)?, self.read_paths(head, detail, None)?))
    }

    /// Reads the results of the work tree as one run: of the checked-out commit, or of the given one.
    fn read_work_tree(&self, results: &[Results], given: Option<&Commit>, detail: Detail) -> Result<Side, Error> {
        let of = self.checked_out_as(given);
        let committed = of.as_ref().and_then(|of| oldest_result(&of.head));
        let read = |result: &Results| input::load(&result.location, result.request(detail, committed));
        let loaded = input::merge(results.iter().map(read).collect::<Result<_, _>>()?);
        if let Some(of) = of.as_ref().filter(|of| !of.is_given && loaded.is_older_than_commit) {
            return Err(Error::OnlyOlderResults { commit: of.head.commit.short().to_owned() });
        }
        let mut side = disk_side(results, vec![loaded]);
        if let Some(CheckedOutCommit { head: Head { commit, .. }, .. }) = of {
            side.diagnostics.extend(side.runs.first().and_then(|run| other_commit(run, &commit)));
            side.report.commit.get_or_insert(commit);
        }
        Ok(side)
    }

    /// Reads the results of the work tree as one run. Facts that they do not state are those of this machine.
    pub(crate) fn read_head(&self, results: &[Results]) -> Result<Side, Error> {
        let (here, side) = rayon::join(|| self.here(), || self.read_work_tree(results, None, Detail::Samples));
        let mut side = side?;
        side.complete(&here?);
        Ok(side)
    }

    /// This machine and its toolchain, and the state of the work tree.
    pub(super) fn here(&self) -> Result<Environment, RepositoryError> {
        here(&self.directory)
    }
}

/// This machine and its toolchain, and the state of the work tree at a directory.
pub(super) fn here(directory: &Path) -> Result<Environment, RepositoryError> {
    let is_dirty = || Repository::discover(directory).map(|repository| repository.differs_except_for(config::NAME));
    let (mut environment, is_dirty) =
        rayon::join(|| probe::probe(directory, &|name| std::env::var(name).ok()), is_dirty);
    match is_dirty {
        Err(_) | Ok(Ok(false)) => {}
        Ok(Ok(true)) => environment.set(Environment::DIRTY, "yes"),
        Ok(Err(error @ RepositoryError::NotAFile { .. })) => return Err(error),
        // For example, the index is damaged. Without a check, the run must not count as one of the commit.
        Ok(Err(_)) => environment.set(Environment::DIRTY, "unknown"),
    }
    Ok(environment)
}

/// The results without those that are given again, and a warning for each of these: they would count as additional runs.
fn distinct(results: &[Results]) -> (Vec<Results>, Vec<Diagnostic>) {
    let mut seen = Vec::new();
    let (mut kept, mut twice) = (Vec::new(), Vec::new());
    for result in results {
        let location = real_location(&result.location);
        if seen.contains(&location) {
            let message = "given more than once; counted as one run";
            twice.push(Diagnostic::warning("given-twice", result.word.clone(), message));
        } else {
            seen.push(location);
            kept.push(result.clone());
        }
    }
    (kept, twice)
}

/// True for samples that two measurements cannot have in common: they vary.
fn has_varying_samples(run: &Run) -> bool {
    let varies = |measurement: &Measurement, evidence: &Evidence| {
        let digest = evidence.digest(measurement.metric.direction);
        digest.is_some_and(|digest| digest.within_run_drift.is_some() && digest.fast_edge != digest.median)
    };
    run.measurements.iter().any(|one| one.evidence.iter().any(|evidence| varies(one, evidence)))
}

fn disk_side(results: &[Results], loaded: Vec<LoadedResults>) -> Side {
    let mut environment: Option<Environment> = None;
    let mut diagnostics = Vec::new();
    let mut runs: Vec<Run> = Vec::with_capacity(loaded.len());
    let mut words: Vec<&str> = Vec::with_capacity(loaded.len());
    for (result, LoadedResults { run, diagnostics: of_run, .. }) in results.iter().zip(loaded) {
        // As a run of its own, a copy would make a single run look like several that agree.
        let is_same =
            |(other, _): &(&Run, _)| other.measurements == run.measurements && other.environment == run.environment;
        let original = runs.iter().zip(&words).find(is_same).filter(|_| has_varying_samples(&run));
        if let Some((_, original)) = original {
            let message =
                format!("has exactly the samples of {original}, which is on the same side; counted as one run");
            diagnostics.push(Diagnostic::warning("copied-run", result.word.clone(), message));
            continue;
        }
        if !run.environment.is_empty() {
            environment.get_or_insert_default().0.extend(run.environment.0.clone());
        }
        diagnostics.extend(of_run);
        runs.push(run);
        words.push(&result.word);
    }
    let commit = runs.iter().find_map(|run| run.commit.clone());
    let report = SideReport { label: label(results), runs: runs.len(), commit, ..SideReport::default() };
    let locations = results.iter().map(|result| real_location(&result.location)).collect();
    Side { runs, report, environment, diagnostics, locations, older: BTreeMap::new() }
}

fn label(results: &[Results]) -> String {
    let words: Vec<&str> = results.iter().map(|result| result.word.as_str()).collect();
    match words.as_slice() {
        [first, .., last] if words.len() > 3 => format!("{first} … {last}"),
        words => words.join(", "),
    }
}
