//! `perfgate measure`: arguments, and what is printed and saved. The measurement is `gate::measure`.

use super::bench_args::{BenchArgs, parse_time};
use super::compare::{View, save, show};
use super::gate_args::GateArgs;
use super::progress::Terminal;
use super::{Global, bench_args, facts, output, plots};
use crate::compare::schedule::MAX_PAIRS;
use crate::gate::{self, BenchCommand, Gate, MeasurePlan, MeasuredRuns};
use crate::io::interrupt;
use crate::policy::Policy;
use crate::render;
use crate::verdict::Report;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  perfgate measure -- cargo bench                       with the merge base
  perfgate measure --no-base --rounds 5 -- cargo bench  store five runs of HEAD
  perfgate measure --setup make -- ./build/tool in.txt  time the whole command
  perfgate measure --base v1.2 --budget 15m -- cargo bench --bench parser
  perfgate measure --explain -- cargo bench             also list functions
  perfgate measure --count instructions -- cargo bench
  perfgate measure -- pytest benches --benchmark-json={out} {filter}";

/// Run a benchmark command on base and head in turn, and decide pass or fail
///
/// Checks both sides out and builds them in directories of their own. The work tree is only read; its uncommitted changes
/// are part of head. Base and head run in turn. Benchmarks that look slower or faster run again on both sides, in
/// 3 to 5 pairs (see --confirm), and only these runs decide. Results are read from the file that {out} names, criterion's directory,
/// files that the run wrote below the work tree, or standard output. If the command is not a benchmark tool and writes no
/// results, the process itself is timed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MeasureArgs {
    /// Revision to compare with [default: the merge base with the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Measure only head, in the work tree, and store the runs
    #[arg(long, conflicts_with_all = ["base", "stored", "confirm", "budget", "save", "html", "plots", "fail_on", "threshold", "alpha"])]
    no_base: bool,
    /// Screen against stored runs of the base: run only head first, and both sides only for the suspects
    #[arg(long, conflicts_with = "rounds")]
    stored: bool,
    /// Number of rounds before suspects are re-measured; a round is one run of each side [default: 1, or 5 if the whole command is timed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Number of pairs of runs that re-measure the suspects [default: 5 if the suspects can run alone ({filter}, or `cargo bench`) and are at most 30% of the suite. Otherwise 3; those that look slower or faster after these get 2 more, unless they are over 30% of the suite]
    #[arg(long, value_name = "PAIRS", value_parser = clap::value_parser!(u16).range(3..=i64::from(MAX_PAIRS)))]
    confirm: Option<u16>,
    /// Time for the whole measurement, including builds (15m, 1h): as many rounds as fit, at least one, with time left for the suspects. A `[[budget]]` in perfgate.toml is something else: a limit on measured values
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "rounds")]
    budget: Option<Duration>,
    /// Number of warm-up runs of each side, which do not count [default: 0, or 1 if the whole command is timed]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    warmup: Option<u16>,
    /// Count instructions under valgrind, once per side, instead of measuring time. The threshold is then 1% by default; that of `[gate]` does not apply
    #[arg(
        long,
        value_name = "METRIC",
        conflicts_with_all = ["stored", "rounds", "confirm", "budget", "warmup", "pin", "input_format"]
    )]
    count: Option<CountedEvent>,
    /// Store each finished run of the whole suite; re-measured suspects are not stored
    #[arg(long)]
    record: bool,
    /// Store of the runs [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Also write the comparison to a file, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Also write the report to a file, as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write charts to a directory, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<plots::Directory>,
    /// List all benchmarks, including unchanged ones
    #[arg(long)]
    all: bool,
    /// Also show which functions caused the largest confirmed regressions, at most 5; the verdict stays the same
    #[arg(long, conflicts_with = "no_base")]
    explain: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    bench: BenchArgs,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CountedEvent {
    /// Instructions in user mode
    Instructions,
}

/// The change of a count that fails the gate, unless the command line or the action sets another. It also replaces the
/// threshold of `[gate]`: counts vary by a hundredth of this.
const THRESHOLD_OF_COUNTS: f64 = 0.01;

impl MeasureArgs {
    fn plan(&self) -> MeasurePlan {
        MeasurePlan {
            base: self.base.clone(),
            stored: self.stored,
            rounds: self.rounds.map(usize::from),
            pairs: self.confirm.map(usize::from),
            budget: self.budget,
            warmup: self.warmup.map(usize::from),
            record: self.record,
            explain: self.explain,
        }
    }
}

/// Measures, prints and saves; the exit code is the report's.
pub fn run(args: MeasureArgs, global: &Global) -> anyhow::Result<u8> {
    bench_args::hide_secrets();
    let mut config = global.config()?;
    if args.count.is_some() {
        config.policy = policy_of_counts(config.policy);
    }
    config.policy = args.gate.apply(config.policy);
    let gate = Gate::new(config, args.store.as_deref(), args.bench.input_format.as_deref());
    let gate = gate.with_given(args.gate.given().into_iter().chain(global.given()));
    let command = BenchCommand { counts_instructions: args.count.is_some(), ..args.bench.command() };
    let plan = args.plan();
    if args.no_base {
        measure_and_store(&gate, &command, &plan)?;
        return Ok(0);
    }
    let (mut report, runs) = measure(&gate, &command, &plan)?;
    if args.save.is_some() || args.html.is_some() || args.plots.is_some() {
        report.attach_samples(runs.plot_samples(gate.policy()));
    }
    // A report that is rendered later needs them, such as the day for the waivers that it suggests.
    if args.save.is_some() || args.format == View::Json {
        report.facts = Some(facts::of_measured(&gate, &report, Some((&command, &plan))));
    }
    if let Some(path) = &args.save {
        save(&report, path)?;
    }
    if let Some(path) = &args.html {
        output::file(path, render::report_page(&report).as_bytes())?;
    }
    if let Some(directory) = &args.plots {
        plots::write_report(directory, &report)?;
    }
    if args.format == View::Table {
        report.diagnostics.retain(|diagnostic| !runs.already_reported.contains(diagnostic));
    }
    show(&report, args.format, args.all)?;
    Ok(report.exit_code())
}

/// The policy for counts: the threshold of the config is for times.
pub(super) fn policy_of_counts(policy: Policy) -> Policy {
    policy.with_threshold(THRESHOLD_OF_COUNTS)
}

/// Measures both sides, with progress on the terminal.
fn measure(gate: &Gate, command: &BenchCommand, plan: &MeasurePlan) -> anyhow::Result<(Report, MeasuredRuns)> {
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    Ok(gate::measure(gate, command, plan, &Terminal::new(0))?)
}

/// Measures both sides for the action. If re-measuring stopped, prints the report and returns an error: a neutral check would allow
/// the merge.
pub(super) fn measure_completely(
    gate: &Gate,
    command: &BenchCommand,
    plan: &MeasurePlan,
) -> anyhow::Result<(Report, MeasuredRuns)> {
    let (report, runs) = measure(gate, command, plan)?;
    if let Some(stopped) = &runs.stopped {
        show(&report, View::Table, false)?;
        bail!("no verdict: {}", stopped.message);
    }
    Ok((report, runs))
}

/// Measures head and stores its runs, with progress on the terminal.
pub(super) fn measure_and_store(gate: &Gate, command: &BenchCommand, plan: &MeasurePlan) -> anyhow::Result<()> {
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    Ok(gate::measure_and_store(gate, command, plan, &Terminal::new(0))?)
}

/// Measures head, with progress on the terminal.
pub(super) fn measure_head(gate: &Gate, command: &BenchCommand) -> anyhow::Result<MeasuredRuns> {
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    Ok(gate::measure_head(gate, command, &MeasurePlan::default(), &Terminal::new(0))?)
}
