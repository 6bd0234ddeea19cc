//! `perfgate runs`: lists and shows stored runs, and exchanges them with other clones.

use super::export::{self, ExportArgs};
use super::prune::{self, PruneArgs};
use super::run_list::{self, ListArgs, date, when};
use super::sync::{pull, push, push_removals};
use super::transfer::{self, ImportArgs};
use super::{Global, output};
use crate::gate::Gate;
use crate::io::repository::Repository;
use crate::io::store::{self, Key, RecordedTime, Store};
use crate::model::{Commit, Detail, Evidence, Run};
use crate::render::{self, escape};
use crate::stats::centre;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::fmt::Write;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  perfgate runs list
  perfgate runs show HEAD~3
  perfgate runs remove 1f2e3d4c
  perfgate runs push
      to origin, merged with runs that others pushed
  perfgate runs pull upstream
  perfgate runs prune --keep 200 --thin 1000
      keep the newest 200 whole and the 1,000 before them without samples
  perfgate runs import dir:/mnt/old-runs
  perfgate runs export --parquet /mnt/lake";

/// List, show, exchange and prune stored runs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunsArgs {
    /// Store of the runs [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL", global = true)]
    store: Option<String>,
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List the stored runs, newest first
    List(ListArgs),
    /// Show the stored runs of a commit, or one run
    #[command(after_help = "Examples:\n  perfgate runs show HEAD\n  perfgate runs show 1f2e3d4c")]
    Show {
        /// Git revision, or the id of a run, as `perfgate runs list` prints it
        #[arg(value_name = "COMMIT|ID")]
        commit: String,
    },
    /// Remove individual runs, for example from a machine that was under load
    #[command(after_help = "Example:\n  perfgate runs remove 1f2e3d4c --push")]
    Remove {
        /// Ids of runs, as `perfgate runs list` prints them; four or more digits are enough
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        /// Also push, which removes them at the remote
        #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
        push: Option<String>,
    },
    /// Push stored runs to a remote, after merging the runs it has
    #[command(after_help = "Example:\n  perfgate runs push origin")]
    Push {
        /// Git remote or URL
        #[arg(default_value = "origin")]
        remote: String,
    },
    /// Fetch the stored runs of a remote
    #[command(after_help = "Example:\n  perfgate runs pull origin")]
    Pull {
        /// Git remote or URL
        #[arg(default_value = "origin")]
        remote: String,
    },
    /// Copy the runs of another store into this one
    Import(ImportArgs),
    /// Copy the runs to another store, or to Parquet files for a query engine
    Export(ExportArgs),
    /// Reduce the size of the store: thin old runs to quantiles, remove the oldest
    Prune(PruneArgs),
}

/// Runs the command.
pub fn run(args: RunsArgs, global: &Global) -> anyhow::Result<u8> {
    let gate = Gate::new(global.config()?, args.store.as_deref(), None);
    let store = gate.open_store()?;
    match args.command {
        RunsCommand::List(args) => return run_list::run(&args, &*store),
        RunsCommand::Show { commit } => output::print(show(&*store, &commit)?.as_bytes())?,
        RunsCommand::Remove { ids, push: remote } => {
            output::print(remove(&*store, &ids)?.as_bytes())?;
            remote.map_or(Ok(()), |remote| push_removals(&*store, &remote))?;
        }
        RunsCommand::Push { remote } => push(&*store, &remote)?,
        RunsCommand::Import(args) => return transfer::import(&args, &gate, &*store),
        RunsCommand::Export(args) => return export::run(&args, &*store),
        RunsCommand::Prune(args) => return prune::run(&args, &gate, &*store),
        RunsCommand::Pull { remote } => pull(&*store, &remote)?,
    }
    Ok(0)
}

/// Removes the runs with these ids, or none of them if an id does not match exactly one run.
fn remove(store: &dyn Store, ids: &[String]) -> anyhow::Result<String> {
    let listing = store.list()?;
    let mut found: Vec<&Key> = Vec::new();
    for id in ids {
        if !is_run_id(id) {
            bail!("`{id}` is not a run id; use four or more digits of an id that `perfgate runs list` prints");
        }
        match find_run(&listing.keys, id)? {
            Some(key) => found.push(key),
            None => {
                bail!("{} has no run `{}`; `perfgate runs list` prints the ids", store.url(), id.to_ascii_lowercase())
            }
        }
    }
    // A prune that was interrupted leaves a run in two forms.
    let is_found = |key: &&Key| found.iter().any(|found| found.identity() == key.identity());
    let keys: Vec<Key> = listing.keys.iter().chain(&listing.duplicates).filter(is_found).cloned().collect();
    store.remove(&keys)?;
    let mut out = String::new();
    for key in found {
        let commit = key.commit().map_or("no commit", Commit::short);
        let _ = writeln!(out, "removed run {} of {commit} from {}", key.id(), store.url());
    }
    Ok(out)
}

/// True for text that can be the id of a run, or the beginning of one.
fn is_run_id(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The run with an id that begins like this; an error if there are several.
fn find_run<'k>(keys: &'k [Key], id: &str) -> anyhow::Result<Option<&'k Key>> {
    let id = id.to_ascii_lowercase();
    let with_id: Vec<&Key> = keys.iter().filter(|key| key.id().starts_with(&id)).collect();
    match with_id.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let ids: Vec<&str> = several.iter().map(|key| key.id()).collect();
            bail!("`{id}` is the beginning of several ids: {}; give more digits", ids.join(", "));
        }
    }
}

fn show(store: &dyn Store, word: &str) -> anyhow::Result<String> {
    let of_commit = runs_of_commit(store, word);
    let run = match &of_commit {
        Err(_) if is_run_id(word) => match find_run(&store.list()?.keys, word)? {
            Some(key) => Some(key.clone()),
            None => bail!(
                "`{word}` is neither a commit with stored runs nor the id of a run; `perfgate runs list` prints both"
            ),
        },
        _ => None,
    };
    let keys = run.map_or(of_commit, |key| Ok(vec![key]))?;
    let mut out = String::new();
    let runs = store::read_runs(store, &keys, Detail::Digests);
    for ((key, run), added) in keys.iter().zip(runs).zip(store.added_at(&keys)) {
        describe(&mut out, key, &run?, added);
    }
    Ok(out)
}

/// The stored runs of a commit; an error if there are none.
fn runs_of_commit(store: &dyn Store, revision: &str) -> anyhow::Result<Vec<Key>> {
    let (commit, keys) = match Repository::discover(Path::new(".")) {
        Ok(repository) => {
            let commit = repository.resolve(revision)?;
            let time = repository.time(&commit)?;
            let keys = store::of_commits(store, &[(commit.clone(), time)])?.remove(&commit).unwrap_or_default();
            (commit, keys)
        }
        Err(_) => {
            let commit = Commit::parse(revision)
                .with_context(|| format!("{revision}: outside of a git repository, use the full id of a commit"))?;
            let mut keys = store.list()?.keys;
            keys.retain(|key| key.commit() == Some(&commit));
            (commit, keys)
        }
    };
    if keys.is_empty() {
        bail!("{} has no run of {revision} ({}); see `perfgate runs list`", store.url(), commit.short());
    }
    Ok(keys)
}

fn describe(out: &mut String, key: &Key, run: &Run, added: Option<RecordedTime>) {
    let _ = writeln!(out, "run {} of {}", key.id(), key.commit().map_or("no commit", Commit::as_str));
    let _ = writeln!(out, "  date      {}", date(key.time()));
    let _ = writeln!(out, "  time      {}", when(run, added));
    if let Some(branch) = &run.branch {
        let _ = writeln!(out, "  branch    {}", escape::terminal(branch));
    }
    for (fact, value) in &run.environment.0 {
        let _ = writeln!(out, "  {:<9} {}", escape::terminal(fact), escape::terminal(value));
    }
    let _ = writeln!(out, "  {:>14}  benchmark (and metric, if not time)", "median");
    for measurement in &run.measurements {
        let values: Vec<f64> = measurement.evidence.iter().map(Evidence::centre).collect();
        let [value] = render::quantities([Some(centre::median(&values))], measurement.metric.unit.label());
        let metric = match &*measurement.metric.name {
            "time" => String::new(),
            other => format!("  {}", escape::terminal(other)),
        };
        let _ = writeln!(out, "  {value:>14}  {}{metric}", escape::terminal(measurement.benchmark.as_str()));
    }
}
