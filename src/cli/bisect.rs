//! `perfgate bisect`: arguments, and the commit that was found as text. The search is `gate::bisect`.

use super::bench_args::BenchArgs;
use super::progress::Terminal;
use super::{Global, bench_args, output};
use crate::gate::{BisectPlan, BisectResult, Gate, bisect, bisect_word};
use crate::io::interrupt;
use crate::model::number_text::{change, counted, interval};
use crate::policy::{parse_alpha, parse_threshold};
use crate::render::escape;
use crate::stats::centre;
use anyhow::Context;
use clap::Args;
use std::fmt::Write;

const EXAMPLES: &str = "\
Examples:
  perfgate bisect parse/large --good v1.2 -- cargo bench -- {filter}
  perfgate bisect 'sh load.sh' --good HEAD~16 --metric memory:peak -- sh load.sh";

/// Find the commit that made a benchmark slower
///
/// Measures the bad commit against the good one, then a commit in the middle, and so on, along first parents. Each step
/// runs a commit and the good one in turn until its change is clearly above or below half the slowdown. Commits that do
/// not build are skipped. `[rename]` of perfgate.toml applies. The result is one commit, or a range if commits in between cannot
/// be decided.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BisectArgs {
    /// Full name of the benchmark, or the command line if the whole command is timed
    #[arg(value_name = "BENCHMARK", required_unless_present = "named")]
    benchmark: Option<String>,
    /// The same, for a name that starts with a dash: --benchmark=-x
    #[arg(long = "benchmark", value_name = "NAME", allow_hyphen_values = true, conflicts_with = "benchmark")]
    named: Option<String>,
    /// A commit at which the benchmark is fast
    #[arg(long, value_name = "REV")]
    good: String,
    /// A commit at which the benchmark is slow
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    bad: String,
    /// Metric of the benchmark
    #[arg(long, value_name = "NAME", default_value = "time")]
    metric: String,
    /// Smallest slowdown to search for
    #[arg(long, value_name = "PERCENT", value_parser = parse_threshold, allow_hyphen_values = true, default_value = "5%")]
    threshold: f64,
    /// Accepted chance that the answer is wrong
    #[arg(long, value_name = "SHARE", value_parser = parse_alpha, allow_hyphen_values = true, default_value = "0.05")]
    error: f64,
    #[command(flatten)]
    bench: BenchArgs,
}

/// Searches and prints the answer.
pub fn run(args: BisectArgs, global: &Global) -> anyhow::Result<u8> {
    bench_args::hide_secrets();
    let gate = Gate::new(global.config()?, None, args.bench.input_format.as_deref());
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    let command = args.bench.command();
    let BisectArgs { benchmark, named, good, bad, metric, threshold, error, .. } = args;
    let benchmark = benchmark.or(named).unwrap_or_default();
    let plan = BisectPlan { benchmark, metric, good, bad, threshold, error };
    let terminal = Terminal::new(0);
    let result = bisect(&gate, &command, &plan, &terminal);
    drop(terminal);
    output::print(escape::lines(&describe(&result?, &plan)).as_bytes())?;
    Ok(0)
}

fn describe(result: &BisectResult, plan: &BisectPlan) -> String {
    let mut out = String::new();
    let metric = if plan.metric == "time" { String::new() } else { format!(" ({})", plan.metric) };
    let is_speed = plan.metric.starts_with("time") || plan.metric.starts_with("throughput");
    let word = if is_speed { "slower" } else { "worse" };
    match result.suspects.len() {
        1 => drop(writeln!(out, "{}{metric} got {word} with", plan.benchmark)),
        count => drop(writeln!(out, "{}{metric} got {word} with one of {count} commits", plan.benchmark)),
    }
    for (commit, subject) in &result.suspects {
        let _ = writeln!(out, "  {} {subject}", commit.short());
    }
    let _ = writeln!(out, "\nEvidence, each against {} in turn (median and range of the pairs):", plan.good);
    for step in &result.steps {
        let commit = step.commit.short();
        if step.changes.is_empty() {
            let why = step.why.as_deref().and_then(|why| why.lines().next()).unwrap_or_default();
            let _ = writeln!(out, "  {commit}  skipped: {why}");
            continue;
        }
        let median = centre::median(&step.changes).exp_m1();
        let low = step.changes.iter().copied().fold(f64::INFINITY, f64::min);
        let high = step.changes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _ = writeln!(
            out,
            "  {commit}  {:<13} {} ({} in {})",
            bisect_word(step.status),
            change(median),
            interval(Some(median), [low.exp_m1(), high.exp_m1()]),
            counted(step.changes.len(), "pair")
        );
    }
    if let Some(commit) = &result.slower_before {
        let (commit, good) = (commit.short(), &plan.good);
        let _ = writeln!(
            out,
            "\n{commit} is already slower than {good}, by less than half of the slowdown. To find out why, run this again with \
             --good {good} --bad {commit}."
        );
    }
    out
}
