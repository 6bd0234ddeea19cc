//! `perfgate replay`: how thresholds would have performed on the stored history.

use super::history::older_runs;
use super::{Global, output};
use crate::gate::{Gate, StoredHistory, unused_directions, with_series_rules};
use crate::{render, replay};
use anyhow::bail;
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  perfgate replay                      a table to choose a threshold from
  perfgate replay --last 50 --suggest  and suggested lines for perfgate.toml
  perfgate replay --format json";

/// Repeat the comparisons of the stored history with other thresholds
///
/// Compares each stored run with the base it had at the time, with the settings of perfgate.toml and with four
/// thresholds. Counts the alarms, and how many of them persisted. Repeats this with artificial slowdowns, and counts how many
/// of them are found.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// Number of newest stored runs to read
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..))]
    last: u32,
    /// Suggest lines for perfgate.toml that fit the noise of this history
    #[arg(long)]
    suggest: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Store of the runs [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Table for the terminal
    Table,
    /// JSON
    Json,
}

/// Replays the history and prints the counts.
pub fn run(args: ReplayArgs, global: &Global) -> anyhow::Result<u8> {
    let gate = Gate::new(global.config()?, args.store.as_deref(), None);
    let StoredHistory { runs, store, older, mut diagnostics, .. } = gate.stored_history(args.last as usize)?;
    if args.format == View::Table {
        diagnostics.extend(older_runs(&older, runs.len()));
    }
    let epochs = gate.epochs(&mut diagnostics);
    let (replay, suggestion) = with_series_rules(gate.policy(), &epochs, |rules| {
        let replay = replay::replay(&runs, gate.policy(), rules);
        let suggestion = if args.suggest { replay::suggest(&replay, &runs, gate.policy(), rules) } else { None };
        (replay, suggestion)
    });
    diagnostics.extend(unused_directions(gate.policy(), replay.all_series.iter().map(|one| &one.series)));
    output::diagnostics(&diagnostics);
    if replay.judged == 0 {
        bail!("{store} does not have two runs of the same machine class; record more runs of main first");
    }
    let configured = gate.policy().gate_threshold();
    let config = gate.config.source().map(|(_, text)| text);
    match args.format {
        View::Table => {
            output::print_styled(&render::replay_table(&replay, suggestion.as_ref(), configured, output::width()))?
        }
        View::Json => output::stream(|out| {
            serde_json::to_writer(&mut *out, &render::replay_json(&replay, configured, suggestion.as_ref(), config))?;
            out.write_all(b"\n")
        })?,
    }
    match (&suggestion, args.suggest, args.format) {
        (Some(suggestion), _, View::Table) => {
            let lines = render::suggestion(suggestion, replay.judged, configured, config);
            output::print(format!("\n{lines}").as_bytes())?;
        }
        (None, true, _) => output::note("too few runs to suggest thresholds: at least 8 must have a baseline"),
        _ => {}
    }
    Ok(0)
}
