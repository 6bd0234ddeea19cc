//! `perfgate runs export --parquet`: a Parquet file for each run, in a directory or a bucket.

use super::output;
use super::transfer::{exit_code, run_of};
use crate::io::export::ExportTarget;
use crate::io::repository::Repository;
use crate::io::store::{Key, Store, StoreError};
use crate::model::Detail;
use crate::model::number_text::counted;
use crate::render::{self, Origin, escape};
use anyhow::{Context, bail};
use rayon::prelude::*;
use std::path::Path;

/// Maximum number of files that are kept in memory and written at a time.
const FILES_PER_BATCH: usize = 16;

/// The value of `--parquet`: a directory or the URL of a bucket.
pub type Target = String;

/// Writes a Parquet file for each stored run that has none yet.
pub fn export(store: &dyn Store, directory: &str, name: Option<&str>) -> anyhow::Result<u8> {
    let named = || Repository::discover(Path::new(".")).ok().and_then(|repository| repository.name());
    let repository = name
        .map(str::to_owned)
        .or_else(named)
        .context("outside of a git repository, give the name of the runs' repository with --repository")?;
    let keys = store.list()?.keys;
    if keys.is_empty() {
        bail!("{} has no runs", store.url());
    }
    let target = ExportTarget::open(directory, &repository)?;
    let missing = target.missing(&keys)?;
    let file = |(key, bytes): (&Key, Result<Vec<u8>, StoreError>)| -> Result<(Key, Vec<u8>), String> {
        let bytes = bytes.map_err(|error| error.to_string())?;
        let run = run_of(store, key, &bytes, Detail::Samples)?;
        let origin = Origin { repository: &repository, id: key.id(), thinned: key.is_thinned() };
        let mut file = Vec::new();
        render::parquet(&run, origin, &mut file).map_err(|error| format!("{key}: {error}"))?;
        Ok((key.clone(), file))
    };
    let mut broken = Vec::new();
    for some in missing.chunks(FILES_PER_BATCH) {
        let files: Vec<_> = some.par_iter().zip(store.read_all(some)).map(file).collect();
        let (files, unread): (Vec<_>, Vec<_>) = files.into_iter().partition(Result::is_ok);
        broken.extend(unread.into_iter().filter_map(Result::err).map(|why| format!("{why}; left out")));
        let files: Vec<(Key, Vec<u8>)> = files.into_iter().flatten().collect();
        target.add(&files)?;
    }
    broken.iter().for_each(|why| output::warn(why));
    let line = format!(
        "exported {} of {} of {repository} to {directory}, {} already there\n",
        missing.len() - broken.len(),
        counted(keys.len(), "run"),
        keys.len() - missing.len()
    );
    output::print(escape::lines(&line).as_bytes())?;
    Ok(exit_code(&broken))
}
