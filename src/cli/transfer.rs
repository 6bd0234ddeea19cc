//! `perfgate runs import`, and copying runs from one store to another.
//!
//! Runs that the target already has, whole or thinned, are skipped, so an interrupted transfer can be repeated. A run that
//! cannot be read is reported and skipped.

use super::output;
use crate::gate::{CommitSource, Gate};
use crate::io::store::{self, GitStore, Key, RunIdentity, Store, StoreError};
use crate::model::number_text::counted;
use crate::model::{Detail, Environment, Run, record};
use crate::render::escape;
use anyhow::bail;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Maximum number of runs, and approximately of bytes, that are kept in memory and written at a time.
const BATCH_RUNS: usize = 256;
const BATCH_BYTES: usize = 16 << 20;

const IMPORT: &str = "\
Examples:
  perfgate runs import dir:/mnt/old-runs
  perfgate runs import ../other-clone              the runs of another clone
  perfgate runs import git:refs/perfgate/old --store dir:runs
  perfgate runs import gh-pages:dev/bench/data.js  of github-action-benchmark
  perfgate runs import .asv/results                of asv
  perfgate runs import .benchmarks                 of pytest-benchmark
  perfgate runs import old-results --commit-from name";

#[derive(Debug, Args)]
#[command(after_help = IMPORT)]
pub struct ImportArgs {
    /// A store (git:REF, dir:PATH, s3://BUCKET/PREFIX), a directory of runs, a clone of a repository, or the history of
    /// another tool: a file, REVISION:PATH in this repository, or a directory of result files
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Where the commit of a result file comes from: the file states it, its name contains it, or it is the newest commit
    /// that changed the file
    #[arg(long, value_enum, ignore_case = true, value_name = "FILE|NAME|GIT", default_value = "file")]
    commit_from: CommitFrom,
    /// Read every result file as this format instead of detecting it
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CommitFrom {
    File,
    Name,
    Git,
}

const SCHEMES: [&str; 5] = ["git:", "dir:", "s3://", "gs://", "az://"];

/// Copies the runs of another store, or of another tool's history, into this one.
pub fn import(args: &ImportArgs, gate: &Gate, store: &dyn Store) -> anyhow::Result<u8> {
    if !is_store(&args.source) {
        return import_history(args, gate, store);
    }
    let source = open(&args.source, true)?;
    copy(&*source, store, "imported", Some(&args.source))
}

/// Whether a source is a store: by its scheme, or a directory that is a clone or has stored runs. A path that does not
/// exist counts as a store, so that the error is about the path.
fn is_store(word: &str) -> bool {
    let has_runs =
        || open(word, true).and_then(|store| Ok(store.newest(1)?)).is_ok_and(|newest| !newest.keys.is_empty());
    SCHEMES.iter().any(|scheme| word.starts_with(scheme))
        || Path::new(word).is_dir() && (is_clone(word) || has_runs())
        || !Path::new(word).exists() && !word.contains(':')
}

/// True for the top directory of a clone, also of a bare one. A directory inside a clone is a directory of runs.
fn is_clone(word: &str) -> bool {
    Path::new(word).join(".git").exists() || Path::new(word).join("HEAD").is_file()
}

fn import_history(args: &ImportArgs, gate: &Gate, store: &dyn Store) -> anyhow::Result<u8> {
    let from = match args.commit_from {
        CommitFrom::File => CommitSource::File,
        CommitFrom::Name => CommitSource::Name,
        CommitFrom::Git => CommitSource::Git,
    };
    let imported = gate.read_history(&args.source, from, args.input_format.as_deref())?;
    output::diagnostics(&imported.diagnostics);
    let encode = |run: &Run| record::encode(run).map(|bytes| (Key::new(run, &bytes), bytes));
    let encoded: Vec<(Key, Vec<u8>)> = imported.runs.par_iter().map(encode).collect::<Result<_, _>>()?;
    let mut added = 0;
    for batch in encoded.chunks(BATCH_RUNS) {
        added += store.write(batch)?.added;
    }
    let line = format!(
        "imported {added} of {} from {} to {}, {} already there\n",
        counted(encoded.len(), "run"),
        args.source,
        store.url(),
        encoded.len() - added
    );
    output::print(escape::lines(&line).as_bytes())?;
    if !imported.former.is_empty() {
        let former = imported.former.par_iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let former: BTreeSet<Key> = former.into_iter().map(|(key, _)| key).collect();
        remove_former(store, &former)?;
    }
    if imported.unknown_commits > 0 {
        let runs = counted(imported.unknown_commits, "run");
        output::note(&format!(
            "{runs} of commits that this repository does not have; kept with the date of measurement"
        ));
    }
    if imported.without_commit > 0 {
        let runs = counted(imported.without_commit, "run");
        let others = match args.commit_from {
            CommitFrom::File => "--commit-from name or --commit-from git",
            CommitFrom::Name => "--commit-from git",
            CommitFrom::Git => "--commit-from name",
        };
        output::note(&format!(
            "{runs} without a commit: only `perfgate history` uses such runs, by their date; they are never a baseline. To find \
             the commits in another way, use {others}, which replaces these runs; `perfgate runs list` has the ids for `perfgate \
             runs remove ID`"
        ));
    }
    if imported.unknown_machines > 0 && !gate.policy().ignored_environment().contains(&Environment::UNKNOWN) {
        let runs = counted(imported.unknown_machines, "run");
        output::note(&format!(
            "{runs} of an unknown machine: not compared with other machines, unless perfgate.toml has \
             `[environment] ignore = [\"unknown\"]`"
        ));
    }
    if imported.unreadable_files > 0 {
        output::note(&format!(
            "{} left out: all benchmarks failed, or the results cannot be read",
            counted(imported.unreadable_files, "file")
        ));
    }
    if imported.other_files > 0 {
        output::note(&format!("{} without results left out", counted(imported.other_files, "file")));
    }
    Ok(0)
}

/// Removes the runs that an earlier import stored without a commit: with one, they would count twice.
fn remove_former(store: &dyn Store, former: &BTreeSet<Key>) -> anyhow::Result<()> {
    let stored: Vec<Key> = store.list()?.keys.into_iter().filter(|key| former.contains(key)).collect();
    if !stored.is_empty() {
        let runs = counted(store.remove(&stored)?, "run");
        output::note(&format!("removed {runs} that an earlier import stored without a commit"));
    }
    Ok(())
}

/// Opens a store by its URL or path. A store to read from must exist.
pub(super) fn open(word: &str, must_exist: bool) -> anyhow::Result<Box<dyn Store>> {
    let here = Path::new(".");
    let address = SCHEMES.iter().any(|scheme| word.starts_with(scheme));
    let path = word.strip_prefix("dir:").unwrap_or(word);
    if (!address || path != word) && must_exist && !Path::new(path).is_dir() {
        bail!("{word}: no such directory");
    }
    if address {
        return Ok(store::open(word, here)?);
    }
    let default = store::DEFAULT_URL.trim_start_matches("git:");
    Ok(if is_clone(word) {
        Box::new(GitStore::open(Path::new(word), default)?)
    } else {
        store::open(&format!("dir:{word}"), here)?
    })
}

/// Copies the runs that the target does not have.
///
/// `word` is the source as the user wrote it: the refs of two clones have the same name.
pub(super) fn copy(from: &dyn Store, to: &dyn Store, done: &str, word: Option<&str>) -> anyhow::Result<u8> {
    let keys = from.list()?.keys;
    if keys.is_empty() {
        bail!("{} has no runs", from.url());
    }
    let there = to.list()?.keys;
    let there: BTreeSet<RunIdentity<'_>> = there.iter().map(Key::identity).collect();
    let missing: Vec<Key> = keys.iter().filter(|key| !there.contains(&key.identity())).cloned().collect();
    let skipped = keys.len() - missing.len();
    let mut wanted: BTreeSet<RunIdentity<'_>> = keys.iter().map(Key::identity).collect();
    let mut broken: Vec<String> = Vec::new();
    for some in missing.chunks(BATCH_RUNS) {
        let read = verified(from, some);
        let mut batch: Vec<(Key, Vec<u8>)> = Vec::new();
        for (key, bytes) in some.iter().zip(read) {
            match bytes {
                Ok(bytes) => batch.push((key.clone(), bytes)),
                Err(why) => {
                    wanted.remove(&key.identity());
                    broken.push(format!("{why}; left out"));
                }
            }
            if batch.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > BATCH_BYTES {
                to.write(&std::mem::take(&mut batch))?;
            }
        }
        if !batch.is_empty() {
            to.write(&batch)?;
        }
    }
    let brought = missing.len() - broken.len();
    // All runs are read back and checked against the hash in their names.
    let listed = to.list()?.keys;
    let found: Vec<Key> = listed.into_iter().filter(|key| wanted.contains(&key.identity())).collect();
    if found.len() < wanted.len() {
        let lost = wanted.len() - found.len();
        bail!("{lost} of the runs that were written are not in {}; run the command again", to.url());
    }
    let read = found.chunks(BATCH_RUNS).flat_map(|some| verified(to, some));
    let damaged: Vec<String> = read.filter_map(Result::err).collect();
    let verified = found.len() - damaged.len();
    broken.extend(damaged);
    broken.iter().for_each(|why| output::warn(why));
    let (source, target) = (word.map_or_else(|| from.url(), str::to_owned), to.url());
    let line = format!(
        "{done} {brought} of {} from {source} to {target}, {skipped} already there; {verified} verified by their hash\n",
        counted(keys.len(), "run")
    );
    output::print(escape::lines(&line).as_bytes())?;
    Ok(exit_code(&broken))
}

/// The exit code: 2 if some runs could not be read.
pub(super) fn exit_code(broken: &[String]) -> u8 {
    if broken.is_empty() { 0 } else { 2 }
}

/// The bytes of runs, each checked against its name.
fn verified(store: &dyn Store, keys: &[Key]) -> Vec<Result<Vec<u8>, String>> {
    let check = |(key, bytes): (&Key, Result<Vec<u8>, StoreError>)| {
        let bytes = bytes.map_err(|error| error.to_string())?;
        run_of(store, key, &bytes, Detail::Digests).map(|_| bytes)
    };
    keys.par_iter().zip(store.read_all(keys)).map(check).collect()
}

pub(super) fn run_of(store: &dyn Store, key: &Key, bytes: &[u8], detail: Detail) -> Result<Run, String> {
    let run = record::decode(bytes, detail).map_err(|error| format!("{}: {key}: {error}", store.url()))?;
    // The name of a whole run is computed again; of a thinned run only time and commit can be.
    let own = Key::new(&run, bytes);
    if (own.time(), own.commit()) != (key.time(), key.commit()) || !key.is_thinned() && own != *key {
        return Err(format!("{}: {key}: the run has another commit or time than its name", store.url()));
    }
    Ok(run)
}
