//! `perfgate replay`: what these settings would have done on our own history.

use super::{Global, output};
use crate::gate::{Gate, StoredHistory, with_reading};
use crate::{render, replay};
use anyhow::bail;
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  perfgate replay                      a table to pick a threshold from
  perfgate replay --last 50 --suggest  and lines for perfgate.toml
  perfgate replay --format json";

/// Judge the stored history again: alarms raised, injected slow-downs caught
///
/// Goes through the stored runs in order and judges each against what it would have had as its base then, with the
/// settings of perfgate.toml and with four thresholds; then once more with slow-downs put into some of its benchmarks.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// Go through so many of the newest stored runs
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..))]
    last: u32,
    /// Write the lines that fit this history's noise, for perfgate.toml
    #[arg(long)]
    suggest: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Where stored runs are [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// For the terminal
    Table,
    /// The numbers
    Json,
}

/// Reads, judges again, and prints what came of it.
pub fn run(args: ReplayArgs, global: &Global) -> anyhow::Result<u8> {
    let gate = Gate::new(global.config()?, args.store.as_deref(), None);
    let StoredHistory { runs, store, mut diagnostics, .. } = gate.stored_history(args.last as usize)?;
    let epochs = gate.epochs(&mut diagnostics);
    let replay = with_reading(gate.policy(), &epochs, |reading| replay::replay(&runs, gate.policy(), reading));
    output::diagnostics(&diagnostics);
    if replay.judged == 0 {
        bail!("{store} has no run that has one of its machine before it; record some more runs of main first");
    }
    let suggestion = if args.suggest { replay::suggest(&replay) } else { None };
    let configured = gate.policy().gate_threshold();
    match args.format {
        View::Table => output::print_styled(&render::replay_table(&replay, configured))?,
        View::Json => output::stream(|out| {
            serde_json::to_writer(&mut *out, &render::replay_json(&replay, configured, suggestion.as_ref()))?;
            out.write_all(b"\n")
        })?,
    }
    match (&suggestion, args.suggest, args.format) {
        (Some(suggestion), _, View::Table) => {
            output::print(format!("\n{}", render::suggestion(suggestion, replay.judged)).as_bytes())?;
        }
        (None, true, _) => output::note("too few runs to suggest thresholds from: at least 8 have to be judged"),
        _ => {}
    }
    Ok(0)
}
