//! `perfgate runs prune`: keeps the newest runs whole, thins older ones to quantiles, removes the oldest.
//!
//! A run is removed only after its thinned form is stored, and a concurrent reader sees each run once. A prune that is
//! interrupted can be repeated.

use super::output;
use super::runs::{push, unless_shared};
use crate::gate::{Gate, with_reading};
use crate::history::{BranchKind, PruneAction, PruneCandidate, Pruner, Retention, thin};
use crate::io::repository::Repository;
use crate::io::store::{Key, Listing, Store, StoreError};
use crate::model::{Commit, Detail, Evidence, Run, record};
use crate::policy::{Policy, Start};
use crate::render::escape;
use anyhow::{Context, bail};
use clap::Args;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  perfgate runs prune --dry-run                    print what would be done
  perfgate runs prune --keep 200 --thin 1000
  perfgate runs prune --keep 50 --thin 0 --push    also for the runs of origin

Runs are counted per machine class, shard, toolset and branch (the default branch, or any
other). These always stay whole: runs of tagged commits, of [baseline] pin, of the commits
where an [[epoch]] begins, and on the default branch the last ten runs of each benchmark
that the newest runs have.";

/// Number of runs that are read at a time.
const BATCH: usize = 64;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PruneArgs {
    /// Number of newest runs that stay whole
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// Number of runs before those that are thinned: digests and quantiles stay, samples are removed
    #[arg(long, value_name = "N", default_value_t = 1000)]
    thin: u32,
    /// Print what would be removed or thinned; change nothing
    #[arg(long)]
    dry_run: bool,
    /// First pull the runs of a remote, and finally push the result
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
    push: Option<String>,
}

/// Prunes and prints a summary; the exit code is 2 where some runs cannot be read.
pub fn run(args: &PruneArgs, gate: &Gate, store: &dyn Store) -> anyhow::Result<u8> {
    let landmarks = Landmarks::find(gate.policy())?;
    if let (Some(remote), false) = (&args.push, args.dry_run) {
        unless_shared(store.pull(remote))?;
    }
    let listing = store.list()?;
    if listing.keys.is_empty() {
        bail!("{} has no runs, so there is nothing to prune", store.describe());
    }
    let mut diagnostics = Vec::new();
    let epochs = gate.epochs(&mut diagnostics);
    if let Some(unknown) = diagnostics.first() {
        bail!("{unknown}; fix perfgate.toml first, or the runs where the epoch begins would not be kept");
    }
    let keep = Retention { whole: args.keep as usize, thinned: args.thin as usize };
    let mut plan = with_reading(gate.policy(), &epochs, |reading| {
        Plan::make(store, &listing, &landmarks, Pruner::new(keep, reading))
    });
    if args.dry_run {
        plan.estimate(store);
    } else {
        plan.execute(store, &listing)?;
    }
    plan.unreadable.iter().for_each(|why| output::warn(&format!("{why}; left as it is")));
    output::print(escape::lines(&plan.describe(&store.describe(), args.dry_run)).as_bytes())?;
    if let (Some(remote), false) = (&args.push, args.dry_run) {
        push(store, remote)?;
    }
    Ok(if plan.unreadable.is_empty() { 0 } else { 2 })
}

/// Commits whose runs are treated specially.
struct Landmarks {
    branch: String,
    trunk: BTreeSet<Commit>,
    named: BTreeSet<Commit>,
}

impl Landmarks {
    /// Reads them from git and the config; an error stops the prune, so that nothing is removed by mistake.
    fn find(policy: &Policy) -> anyhow::Result<Landmarks> {
        let repository = Repository::discover(Path::new("."))
            .context("prune needs the default branch and the tags; run it inside a clone of the repository")?;
        if repository.is_shallow() {
            bail!(
                "this clone is shallow, and prune needs the whole default branch and all tags; fetch them first \
                 (actions/checkout with fetch-depth: 0, or git fetch --unshallow --tags)"
            );
        }
        let (branch, trunk) = repository.default_branch_commits()?;
        let mut named = repository.tagged_commits()?;
        if let Some(pin) = policy.pin() {
            let place = || format!("{}: the runs of [baseline] pin would not be kept", policy.place(pin.line));
            named.insert(repository.resolve(&pin.revision).with_context(place)?);
        }
        for epoch in policy.epochs() {
            if let Start::Revision(revision) = &epoch.start {
                let place =
                    || format!("{}: the runs where the epoch begins would not be kept", policy.place(epoch.line));
                named.insert(repository.resolve(revision).with_context(place)?);
            }
        }
        Ok(Landmarks { branch, trunk, named })
    }

    fn of<'r>(&self, run: &'r Run) -> PruneCandidate<'r> {
        let has = |commits: &BTreeSet<Commit>| run.commit.as_ref().is_some_and(|commit| commits.contains(commit));
        let on_trunk = has(&self.trunk) || run.branch.as_deref() == Some(&self.branch);
        PruneCandidate {
            run,
            branch: if on_trunk { BranchKind::Default } else { BranchKind::Other },
            named: has(&self.named),
        }
    }
}

/// What happens to every run.
#[derive(Debug, Default)]
struct Plan {
    newest: usize,
    named: usize,
    base: usize,
    thin_already: usize,
    /// Old, but without samples, so thinning would not make them smaller.
    bare: usize,
    to_thin: Vec<Key>,
    gone: Vec<Key>,
    unreadable: Vec<String>,
    bytes_before: usize,
    bytes_after: usize,
}

impl Plan {
    /// Reads every run, newest first. Runs that cannot be read are left as they are.
    fn make(store: &dyn Store, listing: &Listing, landmarks: &Landmarks, mut pruner: Pruner<'_>) -> Plan {
        let mut plan = Plan::default();
        let newest_first: Vec<Key> = listing.keys.iter().rev().cloned().collect();
        for batch in newest_first.chunks(BATCH) {
            let bytes = store.read_all(batch);
            let read: Vec<Result<(usize, Run), StoreError>> =
                batch.par_iter().zip(bytes).map(|(key, bytes)| read(store, key, &bytes?)).collect();
            for (key, read) in batch.iter().zip(read) {
                match read {
                    Ok((size, run)) => plan.add(key, size, &run, pruner.decide(&landmarks.of(&run))),
                    Err(error) => plan.unreadable.push(error.to_string()),
                }
            }
        }
        plan
    }

    fn add(&mut self, key: &Key, size: usize, run: &Run, action: PruneAction) {
        let has_samples = |evidence: &Evidence| matches!(evidence, Evidence::Digest(_) | Evidence::Samples(_));
        self.bytes_before += size;
        match action {
            PruneAction::Remove => return self.gone.push(key.clone()),
            PruneAction::Thin if key.is_thinned() => self.thin_already += 1,
            PruneAction::Thin if run.measurements.iter().any(|m| m.evidence.iter().any(has_samples)) => {
                return self.to_thin.push(key.clone());
            }
            PruneAction::Thin => self.bare += 1,
            PruneAction::KeepNewest => self.newest += 1,
            PruneAction::KeepNamed => self.named += 1,
            PruneAction::KeepBase => self.base += 1,
        }
        self.bytes_after += size;
    }

    /// The thinned forms of some runs, without runs that cannot be read or have nothing to thin.
    fn thin(&mut self, store: &dyn Store, keys: &[Key]) -> Vec<(Key, (Key, Vec<u8>))> {
        let thin = |(key, bytes): (&Key, Result<Vec<u8>, StoreError>)| -> Result<(usize, Option<Vec<u8>>), String> {
            let bytes = bytes.map_err(|error| error.to_string())?;
            let thin = thin(&bytes).map_err(|error| format!("{key}: {error}"))?;
            Ok((bytes.len(), thin.filter(|thin| thin.len() < bytes.len())))
        };
        let thin: Vec<_> = keys.par_iter().zip(store.read_all(keys)).map(thin).collect();
        let mut done = Vec::with_capacity(keys.len());
        for (key, thin) in keys.iter().zip(thin) {
            match thin {
                Ok((_, Some(thin))) => {
                    self.bytes_after += thin.len();
                    done.push((key.clone(), (key.thinned(&thin), thin)));
                }
                Ok((size, None)) => {
                    self.bytes_after += size;
                    self.bare += 1;
                }
                Err(why) => self.unreadable.push(why),
            }
        }
        done
    }

    /// Computes the size after thinning, and writes nothing.
    fn estimate(&mut self, store: &dyn Store) {
        let keys = std::mem::take(&mut self.to_thin);
        for batch in keys.chunks(BATCH) {
            let thin = self.thin(store, batch);
            self.to_thin.extend(thin.into_iter().map(|(key, _)| key));
        }
    }

    /// Stores all thinned forms, and then removes the whole runs and the oldest ones.
    fn execute(&mut self, store: &dyn Store, listing: &Listing) -> anyhow::Result<()> {
        let keys = std::mem::take(&mut self.to_thin);
        let mut forms = BTreeSet::new();
        for batch in keys.chunks(BATCH) {
            let (whole, thin): (Vec<Key>, Vec<(Key, Vec<u8>)>) = self.thin(store, batch).into_iter().unzip();
            store.write(&thin)?;
            self.to_thin.extend(whole);
            forms.extend(thin.into_iter().map(|(key, _)| key));
        }
        let gone = self.to_thin.iter().chain(&self.gone);
        // Thinned forms that an interrupted prune left next to the whole run.
        let left = listing.duplicates.iter().filter(|key| !forms.contains(*key));
        let gone: Vec<Key> = gone.chain(left).cloned().collect();
        if !gone.is_empty() {
            store.prune(&gone)?;
        }
        Ok(())
    }

    fn describe(&self, store: &str, dry_run: bool) -> String {
        let mut out = String::new();
        let whole = self.newest + self.named + self.base + self.bare;
        let reasons = [
            (self.newest, "newest"),
            (self.named, "of tags, pins or epochs"),
            (self.base, "of a base window"),
            (self.bare, "with nothing to thin"),
        ];
        let reasons: Vec<String> =
            reasons.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
        let _ = writeln!(out, "{store}{}", if dry_run { " (dry run: nothing is changed)" } else { "" });
        let (thinned, removed) =
            if dry_run { ("would be thinned", "would be removed") } else { ("thinned", "removed") };
        let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let _ = writeln!(out, "  {whole:>6} whole{why}");
        let already = match self.thin_already {
            0 => String::new(),
            count => format!(" ({count} already were)"),
        };
        let _ = writeln!(out, "  {:>6} {thinned}{already}", self.to_thin.len());
        let _ = writeln!(out, "  {:>6} {removed}", self.gone.len());
        if !self.unreadable.is_empty() {
            let _ = writeln!(out, "  {:>6} could not be read", self.unreadable.len());
        }
        let won = self.bytes_before.saturating_sub(self.bytes_after);
        let share = 100.0 * won as f64 / self.bytes_before.max(1) as f64;
        let (before, after) = (size(self.bytes_before), size(self.bytes_after));
        let _ = writeln!(out, "  {before} before, {after} after ({share:.0}% smaller)");
        if dry_run {
            for (key, what) in
                self.to_thin.iter().map(|key| (key, "thin")).chain(self.gone.iter().map(|k| (k, "remove")))
            {
                let _ = writeln!(out, "  {what:<6} {key}");
            }
        }
        out
    }
}

fn read(store: &dyn Store, key: &Key, bytes: &[u8]) -> Result<(usize, Run), StoreError> {
    let damaged = |error: record::RecordError| StoreError::Damaged {
        store: store.describe(),
        place: key.to_string(),
        why: error.to_string(),
    };
    Ok((bytes.len(), record::decode(bytes, Detail::Digests).map_err(damaged)?))
}

fn size(bytes: usize) -> String {
    match bytes as f64 {
        bytes if bytes < 1e3 => format!("{bytes} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}
