//! `perfgate runs prune`: keeps the newest runs whole, thins older ones to quantiles, removes the oldest. `gate::prune`
//! decides which.

use super::output;
use super::sync::{push_removals, unless_shared};
use crate::gate::{Gate, PrunePlan, SpecialCommits};
use crate::history::Retention;
use crate::io::store::Store;
use crate::render::escape;
use anyhow::bail;
use clap::Args;
use std::fmt::Write;

const EXAMPLES: &str = "\
Examples:
  perfgate runs prune --dry-run                  only print what would be done
  perfgate runs prune --keep 200 --thin 1000     keep 200 whole, thin 1,000 more
  perfgate runs prune --keep 50 --thin 0 --push  also for the runs of origin

Runs are counted per machine class, key, shard, toolset and branch: the default
branch, each branch of [baseline] branches, and all others together. These
always stay whole: runs of tagged commits, of [baseline] pin and of the commits
where an [[epoch]] begins; on the default branch and those of [baseline]
branches, also the last ten runs of each benchmark that the newest runs have.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PruneArgs {
    /// Number of newest runs to keep whole
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// Number of runs before those to thin (digests and quantiles stay, samples are removed); those of a baseline stay whole
    #[arg(long, value_name = "N", default_value_t = 1000)]
    thin: u32,
    /// Print what would be removed or thinned; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Pull the runs of a remote first, and push the result
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "origin")]
    push: Option<String>,
}

/// Prunes and prints a summary; the exit code is 2 if some runs cannot be read.
pub fn run(args: &PruneArgs, gate: &Gate, store: &dyn Store) -> anyhow::Result<u8> {
    let special = SpecialCommits::find(gate)?;
    if let (Some(remote), false) = (&args.push, args.dry_run) {
        unless_shared(store.pull(remote))?;
    }
    let listing = store.list()?;
    if listing.keys.is_empty() {
        bail!("{} has no runs, so there is nothing to prune", store.url());
    }
    let keep = Retention { whole: args.keep as usize, thinned: args.thin as usize };
    let mut plan = PrunePlan::make(gate, store, &listing, &special, keep)?;
    if args.dry_run {
        plan.estimate(store);
    } else {
        plan.execute(store, &listing)?;
    }
    plan.unreadable.iter().for_each(|why| output::warn(&format!("{why}; kept unchanged")));
    output::print(escape::lines(&describe(&plan, &store.url(), keep.thinned, args.dry_run)).as_bytes())?;
    if let (Some(remote), false) = (&args.push, args.dry_run) {
        push_removals(store, remote)?;
    }
    Ok(if plan.unreadable.is_empty() { 0 } else { 2 })
}

fn describe(plan: &PrunePlan, store: &str, thin: usize, dry_run: bool) -> String {
    let mut out = String::new();
    let whole = plan.newest + plan.named + plan.base + plan.without_samples;
    let reasons = [
        (plan.newest, "newest"),
        (plan.named, "for tags, pins or epochs"),
        (plan.base, "older, in a baseline"),
        (plan.without_samples, "with nothing to thin"),
    ];
    let reasons: Vec<String> =
        reasons.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    let _ = writeln!(out, "{store}{}", if dry_run { " (dry run: nothing is changed)" } else { "" });
    let (thinned, removed) = if dry_run { ("would be thinned", "would be removed") } else { ("thinned", "removed") };
    let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let _ = writeln!(out, "  {whole:>6} whole{why}");
    let already = (plan.thin_already > 0).then(|| format!("{} already were", plan.thin_already));
    let fewer = plan.base > 0 && plan.to_thin.len() + plan.thin_already < thin;
    let fewer = fewer.then(|| format!("--thin {thin} also counts the {} in a baseline, which stay whole", plan.base));
    let remarks: Vec<String> = already.into_iter().chain(fewer).collect();
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) };
    let _ = writeln!(out, "  {:>6} {thinned}{remarks}", plan.to_thin.len());
    let _ = writeln!(out, "  {:>6} {removed}", plan.to_remove.len());
    if !plan.unreadable.is_empty() {
        let _ = writeln!(out, "  {:>6} could not be read", plan.unreadable.len());
    }
    let won = plan.bytes_before.saturating_sub(plan.bytes_after);
    let share = 100.0 * won as f64 / plan.bytes_before.max(1) as f64;
    let (before, after) = (size(plan.bytes_before), size(plan.bytes_after));
    let _ = writeln!(out, "  {before} before, {after} after ({share:.0}% smaller)");
    if dry_run {
        for (key, what) in
            plan.to_thin.iter().map(|key| (key, "thin")).chain(plan.to_remove.iter().map(|k| (k, "remove")))
        {
            let _ = writeln!(out, "  {what:<6} {key}");
        }
    }
    out
}

fn size(bytes: usize) -> String {
    match bytes as f64 {
        bytes if bytes < 1e3 => format!("{bytes} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}
