//! `perfgate runs export`: to another store, or to Parquet files.

use super::parquet;
use super::transfer::{copy, open};
use crate::io::store::Store;
use anyhow::bail;
use clap::Args;

const EXPORT: &str = "\
Examples:
  perfgate runs export s3://perf-runs/my-repo
  perfgate runs export dir:/mnt/runs
  perfgate runs export git:refs/perfgate/copy --store dir:runs
  perfgate runs export --parquet /mnt/lake
  perfgate runs export --parquet s3://perf-lake/runs --repository acme/parser";

#[derive(Debug, Args)]
#[command(after_help = EXPORT)]
pub struct ExportArgs {
    /// A store (git:REF, dir:PATH, s3://BUCKET/PREFIX), a directory, or a clone of a repository
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Write Parquet files instead, one per run, to a directory or bucket (docs/export.md lists the columns)
    #[arg(long, value_name = "DIR|URL", conflicts_with = "target")]
    parquet: Option<parquet::Target>,
    /// Name of the repository in the Parquet files [default: the end of its remote's URL]
    #[arg(long, value_name = "NAME", requires = "parquet")]
    repository: Option<String>,
}

/// Copies the runs of this store to another one, or to Parquet files.
pub fn run(args: &ExportArgs, store: &dyn Store) -> anyhow::Result<u8> {
    match (&args.parquet, &args.target) {
        (Some(target), _) => parquet::export(store, target, args.repository.as_deref()),
        (None, Some(target)) => copy(store, &*open(target, false)?, "exported", None),
        (None, None) => bail!("give a store or directory to export to, or --parquet DIR"),
    }
}
