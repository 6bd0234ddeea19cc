//! `perfgate runs import`, and copying runs from one store to another.
//!
//! Runs that the target has already, whole or thinned, are skipped, so an interrupted transfer can be repeated. A run that
//! cannot be read is reported and skipped.

use super::output;
use crate::io::store::{self, GitStore, Key, RunIdentity, Store, StoreError};
use crate::model::{Detail, Run, record};
use crate::render::escape;
use anyhow::bail;
use clap::Args;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Most runs, and about the most bytes, that are held in memory and written at a time.
const BATCH: usize = 256;
const BYTES: usize = 16 << 20;

const IMPORT: &str = "\
Examples:
  perfgate runs import dir:/mnt/old-runs
  perfgate runs import ../other-clone          the runs of another clone
  perfgate runs import git:refs/perfgate/old --store dir:runs";

#[derive(Debug, Args)]
#[command(after_help = IMPORT)]
pub struct ImportArgs {
    /// A store (git:REF, dir:PATH, s3://BUCKET/PREFIX), a directory of runs, or a clone of a repository
    #[arg(value_name = "SOURCE")]
    source: String,
}

/// Copies the runs of another store into this one.
pub fn import(args: &ImportArgs, store: &dyn Store) -> anyhow::Result<u8> {
    let source = open(&args.source, true)?;
    copy(&*source, store, "imported")
}

/// Opens a store by its URL or path. A store to read from must exist.
pub(super) fn open(word: &str, must_be: bool) -> anyhow::Result<Box<dyn Store>> {
    let here = Path::new(".");
    let address = ["git:", "dir:", "s3://", "gs://", "az://"].iter().any(|scheme| word.starts_with(scheme));
    let path = word.strip_prefix("dir:").unwrap_or(word);
    if (!address || path != word) && must_be && !Path::new(path).is_dir() {
        bail!("{word}: no such directory");
    }
    if address {
        return Ok(store::open(word, here)?);
    }
    // The top of a clone; a directory inside of one is a directory of runs.
    let is_clone = Path::new(word).join(".git").exists() || Path::new(word).join("HEAD").is_file();
    let default = store::DEFAULT_URL.trim_start_matches("git:");
    Ok(if is_clone {
        Box::new(GitStore::open(Path::new(word), default)?)
    } else {
        store::open(&format!("dir:{word}"), here)?
    })
}

/// Copies the runs that the target does not have.
pub(super) fn copy(from: &dyn Store, to: &dyn Store, done: &str) -> anyhow::Result<u8> {
    let keys = from.list()?.keys;
    if keys.is_empty() {
        bail!("{} has no runs", from.describe());
    }
    let there = to.list()?.keys;
    let there: BTreeSet<RunIdentity<'_>> = there.iter().map(Key::identity).collect();
    let missing: Vec<Key> = keys.iter().filter(|key| !there.contains(&key.identity())).cloned().collect();
    let skipped = keys.len() - missing.len();
    let mut wanted: BTreeSet<RunIdentity<'_>> = keys.iter().map(Key::identity).collect();
    let mut broken: Vec<String> = Vec::new();
    for some in missing.chunks(BATCH) {
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
            if batch.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > BYTES {
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
        bail!("{lost} of the runs that were written are not in {}; run the command again", to.describe());
    }
    let read = found.chunks(BATCH).flat_map(|some| verified(to, some));
    let damaged: Vec<String> = read.filter_map(Result::err).collect();
    let verified = found.len() - damaged.len();
    broken.extend(damaged);
    broken.iter().for_each(|why| output::warn(why));
    let (source, target) = (from.describe(), to.describe());
    let line = format!(
        "{done} {brought} of {} from {source} to {target}, {skipped} already there; {verified} verified by their hash\n",
        output::count(keys.len(), "run")
    );
    output::print(escape::lines(&line).as_bytes())?;
    Ok(exit_code(&broken))
}

/// The exit code: 2 where some runs could not be read.
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
    let run = record::decode(bytes, detail).map_err(|error| format!("{}: {key}: {error}", store.describe()))?;
    // The name of a whole run is computed again; of a thinned run only time and commit can be.
    let own = Key::new(&run, bytes);
    if (own.time(), own.commit()) != (key.time(), key.commit()) || !key.is_thinned() && own != *key {
        return Err(format!("{}: {key}: the run has another commit or time than its name", store.describe()));
    }
    Ok(run)
}
