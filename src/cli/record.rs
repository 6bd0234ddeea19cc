//! `perfgate record`: results on disk become one stored Run of a commit.

use super::{Global, config, output, runs};
use crate::gate::{Results, Scene, side as sides};
use crate::io::input::{self, Location};
use crate::io::repository::Repository;
use crate::io::store::{Key, Store};
use crate::model::{Detail, Environment, Run, record};
use crate::render::escape;
use anyhow::{Context, bail};
use clap::Args;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  cargo bench && perfgate record                  keep the results of HEAD
  perfgate record --push origin                   and share them with everybody's checks
  perfgate record --store s3://perf-runs/my-repo  keep them in a bucket; nothing to push
  perfgate record --shard parser --push           one job of a matrix: the commit's shards are one run together
  perfgate record target/criterion --commit v1.2  results of an older commit";

/// Store results as one run of a commit
///
/// Recording the same results again changes nothing. Several paths are one run together.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RecordArgs {
    /// Results [default: target/criterion, or [[input]] of perfgate.toml]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// The commit that was measured
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    commit: String,
    /// Read every path as this format instead of sniffing
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
    /// Where to store [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The part of the suite that was run here, where a matrix runs it in parts: a commit's shards are judged as one run
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    shard: Option<String>,
    /// Send the stored runs to a remote afterwards
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
    push: Option<String>,
}

/// Reads, stores, and says what was stored.
pub fn run(args: RecordArgs, global: &Global) -> anyhow::Result<u8> {
    let config = config::load(global)?;
    let scene = Scene { config: &config, store: args.store.as_deref(), format: args.input_format.as_deref() };
    let mut run = read_run(&scene, &args.paths, &args.commit)?;
    if let Some(shard) = &args.shard {
        run.environment.set(Environment::SHARD, shard);
    }
    let store = scene.open_store()?;
    let short = run.commit.as_ref().map_or("no commit", |commit| commit.short()).to_owned();
    output::print(keep(&*store, &run, &short)?.as_bytes())?;
    if let Some(remote) = &args.push {
        send(&*store, remote)?;
    }
    Ok(0)
}

/// Sends the stored runs to a remote and says so.
pub(super) fn send(store: &dyn Store, remote: &str) -> anyhow::Result<()> {
    let Some(exchange) = runs::exchanged(store.push(remote))? else { return Ok(()) };
    let line = format!("pushed to {remote}: {} runs sent, {} received\n", exchange.sent, exchange.received);
    output::print(escape::lines(&line).as_bytes())
}

/// The results on disk as one run of a commit, made on this machine.
pub(super) fn read_run(scene: &Scene<'_>, paths: &[String], revision: &str) -> anyhow::Result<Run> {
    let repository =
        Repository::discover(Path::new(".")).context("a run is stored for a commit, and this is no git repository")?;
    let commit = repository.resolve(revision)?;
    let head = repository.head()?;
    let results = results(scene, paths)?;

    let mut run = read(&results, (head.commit == commit).then_some(head.time))?;
    run.time = repository.time(&commit)?;
    run.branch = head.branch.filter(|_| head.commit == commit);
    let here = sides::here(Path::new("."));
    here.0.into_iter().for_each(|(key, value)| run.environment.set(&key, value));
    if run.environment.get(Environment::DIRTY).is_some() {
        output::warn("tracked files differ from the commit: the run is marked, and every report that uses it says so");
    }
    run.commit = Some(commit);
    Ok(run)
}

/// Writes a run to a store and says so in a line.
pub(super) fn keep(store: &dyn Store, run: &Run, commit: &str) -> anyhow::Result<String> {
    let count = run.measurements.len();
    let bytes = record::encode(run).context("cannot store these results")?;
    let size = bytes.len();
    let key = Key::new(run, &bytes);
    let written = store.write(&[(key, bytes)])?;
    let what = if written.added == 1 { "recorded" } else { "already recorded" };
    let noun = if count == 1 { "result" } else { "results" };
    Ok(format!("{what} {count} {noun} of {commit} in {} ({size} bytes)\n", store.describe()))
}

/// What the words name; without any, what the config or criterion's place has.
pub(super) fn results(scene: &Scene<'_>, paths: &[String]) -> anyhow::Result<Vec<Results>> {
    if paths.is_empty() {
        return scene.results_on_disk();
    }
    let named = |word: &String| {
        let location = Location::parse(word).with_context(|| format!("{word}: no such file or directory"))?;
        Ok(Results { word: word.clone(), location, format: scene.format.map(str::to_owned) })
    };
    paths.iter().map(named).collect()
}

/// All results as one Run. `committed` is when the measured commit was made, where it is the one checked out.
fn read(results: &[Results], committed: Option<i64>) -> anyhow::Result<Run> {
    let mut loaded = Vec::with_capacity(results.len());
    for result in results {
        loaded.push(input::load(&result.location, result.request(Detail::Samples, committed))?);
    }
    let loaded = input::merge(loaded);
    for diagnostic in &loaded.diagnostics {
        output::warn(&diagnostic.to_string());
    }
    if loaded.run.measurements.is_empty() {
        bail!("nothing was measured, so nothing was stored");
    }
    Ok(loaded.run)
}
