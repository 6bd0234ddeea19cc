//! `perfgate record`: stores results on disk as one run of a commit.

use super::{Global, output, sync};
use crate::gate::{Error, Gate, ResultsOf, is_dirty};
use crate::io::input::LoadedResults;
use crate::model::{Environment, Run};
use crate::render::escape;
use anyhow::bail;
use clap::Args;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  cargo bench && perfgate record                  store the results of HEAD
  perfgate record --push origin                   and share them
  perfgate record --store s3://perf-runs/my-repo  store them in a bucket
  perfgate record --shard parser --push           one job of a matrix
  perfgate record target/criterion --commit v1.2  results of an older commit";

/// Store results as one run of a commit
///
/// Recording the same results again changes nothing. Several paths form one run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RecordArgs {
    /// Paths of the results [default: target/criterion, or [[input]] of perfgate.toml]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Commit to store the results for. Without this option, results that are older than HEAD or state another commit are an
    /// error [default: HEAD]
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// Store results that are older than the commit, or exactly those of an earlier commit
    #[arg(long)]
    force: bool,
    /// Read every path as this format instead of detecting it
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
    /// Store to write to [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Name of the part of the suite that ran here; the shards of a commit are compared as one run
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    shard: Option<String>,
    /// Also push the stored runs to a remote
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
    push: Option<String>,
}

/// Reads and stores results, and prints what was stored.
pub fn run(args: RecordArgs, global: &Global) -> anyhow::Result<u8> {
    if let Some(file) = args.push.as_deref().filter(|remote| args.paths.is_empty() && Path::new(remote).is_file()) {
        let word = escape::shell(file);
        bail!(
            "{file}: a file after --push is taken as the name of the remote; put the results first, as in `perfgate record \
             {word} --push`, or name the remote with --push=REMOTE"
        );
    }
    let gate = Gate::new(global.config()?, args.store.as_deref(), args.input_format.as_deref());
    let of = args.commit.as_deref().map_or(ResultsOf::CheckedOut, ResultsOf::Named);
    let mut run = with_warnings(match gate.read_run(&args.paths, of, args.force) {
        Err(error @ Error::OnlyOlderResults { .. }) => bail!("{error}, or use --commit HEAD if these are its results"),
        loaded => loaded?,
    });
    if let Some(shard) = &args.shard {
        run.environment.set(Environment::SHARD, shard);
    }
    let store = gate.open_store()?;
    let recorded = match gate.store(&*store, &run, args.force) {
        Err(error @ Error::StoredForEarlierCommit { .. }) => bail!("{error}, or use --force to store them anyway"),
        recorded => recorded?,
    };
    output::print(format!("{recorded}\n").as_bytes())?;
    if let Some(remote) = &args.push {
        sync::push(&*store, remote)?;
    }
    Ok(0)
}

/// Reads results as one run of the checked-out commit, and prints warnings.
pub(super) fn read_run(gate: &Gate, paths: &[String]) -> anyhow::Result<Run> {
    Ok(with_warnings(gate.read_run(paths, ResultsOf::CheckedOut, false)?))
}

/// [`read_run`] for a comparison elsewhere: the run may have only failures.
pub(super) fn read_run_or_failures(gate: &Gate, paths: &[String]) -> anyhow::Result<Run> {
    Ok(with_warnings(gate.read_run_or_failures(paths, ResultsOf::CheckedOutOrMerged, false)?))
}

/// Prints the warnings on a run.
fn with_warnings(loaded: LoadedResults) -> Run {
    let LoadedResults { run, diagnostics, .. } = loaded;
    output::diagnostics(&diagnostics);
    if run.environment.get(Environment::DIRTY) == Some("unknown") {
        output::warn(
            "cannot check whether tracked files differ from the commit (`git status` may report why); the run is marked, and \
             reports that use it have a warning",
        );
    } else if is_dirty(&run) {
        output::warn("tracked files differ from the commit; the run is marked, and reports that use it have a warning");
    }
    run
}
