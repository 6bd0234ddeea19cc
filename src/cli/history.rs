//! `perfgate history`: stored series with their change points.

use super::{Global, output, plots};
use crate::gate::{Gate, OlderRuns, StoredHistory, unused_directions, with_series_rules};
use crate::history::{SegmentedSeries, mark_measured, segment, series, set_positions};
use crate::model::Diagnostic;
use crate::model::number_text::thousands;
use crate::policy::suggest::nearest_name;
use crate::render::{self, HistorySite, HistoryView};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  perfgate history                      the series that changed
  perfgate history parse/large          one benchmark: levels and commits
  perfgate history -- -x                the same, if its name starts with a dash
  perfgate history --last 500 --format json
  perfgate history --html history.html  a page with charts, works offline
  perfgate history --plots pictures     an SVG file of each series";

/// Show stored series with their change points
///
/// A series has one value per commit, pooled over its runs. A single outlier is not a change; a step is reported from
/// its second run on, and distinguished from slow drift. Runs of different machine classes are different series.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// Name of a benchmark, or part of it
    #[arg(value_name = "BENCHMARK")]
    benchmark: Option<String>,
    /// The same, for a name that starts with a dash: --benchmark=-x
    #[arg(long = "benchmark", value_name = "NAME", allow_hyphen_values = true, conflicts_with = "benchmark")]
    named: Option<String>,
    /// Number of newest stored runs to read
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// Output format
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Also write the series to a file, as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the page and its data to a directory, ready for GitHub Pages
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Also write a chart of each series to a directory, as SVG
    #[arg(long, value_name = "DIR")]
    plots: Option<plots::Directory>,
    /// Store of the runs [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Table for the terminal
    Table,
    /// JSON: points, stretches and changes
    Json,
    /// CSV, one line per point
    Csv,
}

/// Maximum number of runs on a page that a workflow publishes.
const RUNS_OF_SITE: u32 = 1_000;

impl HistoryArgs {
    /// The page and its data in a directory.
    pub fn site(directory: PathBuf, store: Option<String>) -> HistoryArgs {
        HistoryArgs {
            benchmark: None,
            named: None,
            last: RUNS_OF_SITE,
            format: View::Table,
            html: None,
            site: Some(directory),
            plots: None,
            store,
        }
    }
}

/// Reads the series, finds their change points and prints them.
pub fn run(args: HistoryArgs, global: &Global) -> anyhow::Result<u8> {
    let gate = Gate::new(global.config()?, args.store.as_deref(), None);
    let StoredHistory { runs, store, positions, older, mut diagnostics } = gate.stored_history(args.last as usize)?;
    let epochs = gate.epochs(&mut diagnostics);
    let mut all = with_series_rules(gate.policy(), &epochs, |rules| series(&runs, rules));
    diagnostics.extend(unused_directions(gate.policy(), &all));
    mark_measured(&mut all);
    set_positions(&mut all, &positions);
    let wanted = args.benchmark.as_ref().or(args.named.as_ref());
    if let Some(wanted) = wanted {
        let exact = all.iter().any(|series| series.benchmark.as_str() == wanted);
        let names: Vec<String> = all.iter().map(|series| series.benchmark.to_string()).collect();
        all.retain(|series| match exact {
            true => series.benchmark.as_str() == wanted,
            false => series.benchmark.as_str().contains(wanted.as_str()),
        });
        if all.is_empty() {
            if let Some(near) = nearest_name(wanted, names.iter().map(String::as_str)) {
                bail!("no stored benchmark has {wanted:?} in its name; did you mean {near:?}?");
            }
            bail!("no stored benchmark has {wanted:?} in its name; the stored ones are {}", quoted_list(names));
        }
    }
    if all.is_empty() {
        bail!("all stored runs are older than the current epochs in perfgate.toml");
    }
    if args.format == View::Table {
        diagnostics.extend(older_runs(&older, runs.len()));
    }
    let all_series: Vec<SegmentedSeries> = all.into_par_iter().map(segment).collect();
    // Asking for the facts of this machine starts a process, so only if the next step depends on them.
    let machine = (args.format == View::Table && all_series.iter().any(is_regressed_on_a_machine))
        .then(|| gate.machine_class_of_this_machine());
    let view = HistoryView {
        series: &all_series,
        runs: runs.len(),
        store: &store,
        waivers: gate.policy().waivers(),
        machine: machine.as_deref(),
    };
    if args.html.is_some() || args.site.is_some() {
        let facts = gate.history_facts(&all_series);
        if let Some(path) = &args.html {
            output::file(path, render::history_page(&view, &facts).as_bytes())?;
        }
        if let Some(directory) = &args.site {
            write_site(directory, &render::history_site(&view, &facts))?;
            let numbers = render::history_json(&view, &diagnostics).to_string();
            output::file(&directory.join("history.json"), numbers.as_bytes())?;
            let page = directory.join("index.html");
            output::note(&format!("wrote the page and its data to {}; open {}", directory.display(), page.display()));
        }
    }
    if let Some(directory) = &args.plots {
        plots::write_history(directory, &view)?;
    }
    match args.format {
        View::Table if wanted.is_some() => output::print_styled(&render::detail(&view, output::width()))?,
        View::Table => output::print_styled(&render::overview(&view, output::width()))?,
        View::Json => output::stream(|out| {
            serde_json::to_writer(&mut *out, &render::history_json(&view, &diagnostics))?;
            out.write_all(b"\n")
        })?,
        View::Csv => output::stream(|out| render::history_csv(&view, out))?,
    }
    if args.format != View::Json {
        output::diagnostics(&diagnostics);
    }
    Ok(0)
}

/// True if the last change of a series with a machine class is a regression.
fn is_regressed_on_a_machine(segmented: &SegmentedSeries) -> bool {
    !segmented.series.machine.is_empty() && segmented.changes().last().is_some_and(|last| last.worse == Some(true))
}

/// Writes the page and the files of its series. Files of series that no longer exist are kept: an older page may still be
/// open.
fn write_site(directory: &Path, site: &HistorySite) -> anyhow::Result<()> {
    let data = directory.join("data");
    std::fs::create_dir_all(&data).with_context(|| format!("{}: cannot create the directory", data.display()))?;
    for (name, content) in &site.files {
        output::file(&data.join(name), content.as_bytes())?;
    }
    output::file(&directory.join("index.html"), site.page.as_bytes())?;
    output::file(&directory.join(".nojekyll"), b"")
}

fn quoted_list(mut names: Vec<String>) -> String {
    const SHOWN: usize = 5;
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let list = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

/// A note about stored runs that were not read because of `--last`. `read` is the number of those that were.
pub(super) fn older_runs(older: &OlderRuns, read: usize) -> Option<Diagnostic> {
    let message = match older {
        OlderRuns::Zero => return None,
        OlderRuns::Counted(1) => format!("1 older run is not included (--last {} includes it)", read + 1),
        OlderRuns::Counted(older) => {
            format!("{} older runs are not included (--last {} includes them)", thousands(*older), read + older)
        }
        OlderRuns::Uncounted => format!("older runs are not included (--last {} includes more)", 2 * read),
    };
    Some(Diagnostic::note("older-runs", "", message))
}
