//! `perfgate measure`: runs a benchmark command on base and head, interleaved on this machine, judges, and measures the
//! suspects again. How it goes is for `session` and `rounds`; what one run is, for `bench`; in which order, for
//! `compare::schedule`.

mod rounds;
mod session;

use super::bench::{Bench, BenchArgs, parse_time};
use super::compare::{View, save, show};
use super::gate_args::GateArgs;
use super::{Global, config, facts, plots};
use crate::gate::Config;
use crate::gate::confirm::Taken;
use crate::io::interrupt;
use crate::verdict::Report;
use anyhow::Context;
use clap::Args;
use session::Session;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  perfgate measure -- cargo bench                                        this work tree against the merge base
  perfgate measure --base v1.2 --budget 15m -- cargo bench --bench parser
  perfgate measure --base main -- pytest benches --benchmark-json={out} {filter}
  perfgate measure --base main --setup 'make' -- ./build/tool input.txt    no benchmark tool: the process is timed
  perfgate measure --no-base --rounds 5 -- cargo bench                   store five runs of HEAD";

/// Run a benchmark command on base and head, side by side, and judge
///
/// Both sides are checked out and built in directories of their own, outside the work tree, which is only read:
/// uncommitted changes come along to head. Base and head run in turn; then what looks slower runs again on both sides, a
/// fixed number of times, and is judged by these fresh runs alone. Results are found in the file that {out} names, in
/// criterion's directory, in files that the run wrote below the work tree, or on standard output; a command that is no
/// benchmark tool and leaves none is timed itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MeasureArgs {
    /// What to compare with [default: the merge base with the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Measure this side only, in place, and store the runs
    #[arg(long, conflicts_with_all = ["base", "stored", "confirm", "budget", "save", "plots", "fail_on", "threshold", "alpha"])]
    no_base: bool,
    /// Screen against stored runs of the base: head alone runs first, and both sides only for the suspects
    #[arg(long, conflicts_with = "rounds")]
    stored: bool,
    /// Rounds before the suspects; a round is one run of each side [default: 1, or 5 of a process]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Pairs of runs of the suspects [default: 5 where those are at most three in ten of the suite, else 3]
    #[arg(long, value_name = "PAIRS", value_parser = ["3", "5"])]
    confirm: Option<String>,
    /// Plan the rounds so that all of it takes about so long (15m, 1h)
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "rounds")]
    budget: Option<Duration>,
    /// Runs of each side that are not counted, before the others [default: 0, or 1 of a process]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    warmup: Option<u16>,
    /// Store each run that is finished
    #[arg(long)]
    record: bool,
    /// Where stored runs are [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Write the comparison to a file too, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write pictures to a directory too, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// List unchanged benchmarks too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    bench: BenchArgs,
}

/// Measures, judges, prints and saves; the exit code is the report's.
pub fn run(args: MeasureArgs, global: &Global) -> anyhow::Result<u8> {
    let mut config = config::load(global)?;
    config.policy = args.gate.overrule(config.policy);
    let Some((mut report, taken)) = measure(&args, &config)? else { return Ok(0) };
    if args.save.is_some() || args.plots.is_some() {
        report.keep(taken.strips(&config.policy));
    }
    if args.save.is_some() {
        report.facts = Some(facts::of_measured(&config, &report, &args.bench.command));
    }
    if let Some(path) = &args.save {
        save(&report, path)?;
    }
    if let Some(directory) = &args.plots {
        plots::write(directory, &crate::render::plots::of_report(&report))?;
    }
    show(&report, args.format, args.all)?;
    Ok(report.exit_code())
}

/// The arguments for a command that is judged against a revision, or, without one, whose run is only stored.
pub(super) fn args(words: &[String], base: Option<&str>, store: Option<&str>) -> anyhow::Result<MeasureArgs> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: MeasureArgs,
    }
    let side = base.map_or("--no-base".to_owned(), |base| format!("--base={base}"));
    let store = store.map(|store| format!("--store={store}"));
    let line = ["measure".to_owned(), side].into_iter().chain(store).chain(["--".to_owned()]);
    let line: Line = clap::Parser::try_parse_from(line.chain(words.iter().cloned()))?;
    Ok(line.args)
}

/// Measures and judges; with `--no-base` the runs are stored and there is no report.
pub(super) fn measure(args: &MeasureArgs, config: &Config) -> anyhow::Result<Option<(Report, Taken)>> {
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    let mut bench = Bench::open(&args.bench, config)?;
    let head = bench.repository.head()?;
    let mut session =
        Session { args, config, head, kept: 0, base: Vec::new(), tip: Vec::new(), again: Default::default() };
    let outcome = match args.no_base {
        true => session.record_only(&mut bench).map(|()| None),
        false => session.measure(&mut bench).map(Some),
    };
    drop(bench); // the work trees go before anything is said
    let taken = Taken { base: session.base, head: session.tip, again: session.again };
    match outcome.map(|report| report.map(|report| (report, taken))) {
        Err(error) if session.kept > 0 => {
            Err(error.context(format!("{} finished runs are stored, the rest is not measured", session.kept)))
        }
        outcome => outcome,
    }
}
