//! `perfgate runs list`: the stored runs, newest first.

use super::output;
use crate::io::repository::Repository;
use crate::io::store::{self, Key, RecordedTime, Store};
use crate::model::number_text::thousands;
use crate::model::{Commit, Detail, Environment, Run};
use crate::render::escape;
use crate::render::fit::paragraph;
use crate::render::rows::{Column, Narrow, Row, rows};
use anstyle::Style;
use anyhow::bail;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  perfgate runs list --last 5
  perfgate runs list --format json

The time is `measured` if the results state it, otherwise `recorded`.
`recorded by` means: at that time or earlier.";

/// Imported results without a machine have this one.
const UNKNOWN_MACHINE: &str = "unknown: imported results that state no machine; not compared with those of other machines unless \
                               perfgate.toml has `ignore = [\"unknown\"]` under `[environment]`";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// Number of runs to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Output format
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Table for the terminal
    Table,
    /// JSON
    Json,
}

/// A stored run.
struct ListedRun {
    key: Key,
    run: Run,
    added: Option<RecordedTime>,
}

/// Prints the newest runs.
pub fn run(args: &ListArgs, store: &dyn Store) -> anyhow::Result<u8> {
    let listing = store.newest(args.last)?;
    if listing.keys.is_empty() {
        bail!(
            "{} has no runs; store one with `perfgate record`, or fetch shared ones with `perfgate runs pull`",
            store.url()
        );
    }
    let shown = newest_first(&listing.keys, args.last);
    let (runs, added) = (store::read_runs(store, &shown, Detail::Digests), store.added_at(&shown));
    let mut listed = Vec::new();
    for ((key, run), added) in shown.into_iter().zip(runs).zip(added) {
        match run {
            Ok(run) => listed.push(ListedRun { key, run, added }),
            Err(error) => output::warn(&error.to_string()),
        }
    }
    let more = listing.more || listing.keys.len() > args.last;
    match args.format {
        View::Json => output::print(format!("{}\n", to_json(&listed, store, more)).as_bytes())?,
        View::Table => {
            let mut out = table(&listed, output::width());
            if listing.more {
                let _ = writeln!(out, "… and older ones (--last {} shows more)", 2 * args.last.max(1));
            } else if more {
                let (older, all) = (listing.keys.len() - args.last, listing.keys.len());
                let (ones, them) = if older == 1 { ("one", "it") } else { ("ones", "them") };
                let _ = writeln!(out, "… and {older} older {ones} (--last {all} shows {them})");
            }
            if listed.iter().any(|one| one.run.environment.is_unknown()) {
                out.push_str(&paragraph(UNKNOWN_MACHINE, 2, output::width()));
            }
            output::print_styled(&out)?;
        }
    }
    if !listing.foreign.is_empty() {
        let files = match listing.foreign.len() {
            1 => "1 file that is not a run".to_owned(),
            count => format!("{} files that are not runs", thousands(count)),
        };
        output::note(&format!("{} has {files}; ignored", store.url()));
    }
    Ok(0)
}

/// The newest `most` keys, newest first; `keys` are in time order. Times are whole seconds, so commits of the same
/// second are ordered by the git history.
fn newest_first(keys: &[Key], most: usize) -> Vec<Key> {
    /// Larger groups keep their order, because sorting compares every pair of commits.
    const LARGEST: usize = 100;
    let repository = Repository::discover(Path::new(".")).ok();
    let mut newest: Vec<Key> = Vec::new();
    for same_time in keys.chunk_by(|a, b| a.time() == b.time()).rev() {
        let mut group: Vec<&Key> = same_time.iter().rev().collect();
        if let (2..=LARGEST, Some(repository)) = (group.len(), &repository) {
            let includes = |key: &Key, other: &Key| {
                let (commit, other) = key.commit().zip(other.commit())?;
                repository.includes(commit, other)
            };
            let before = |key: &&Key| group.iter().filter(|other| includes(key, other) == Some(true)).count();
            let mut ranked: Vec<(usize, &Key)> = group.iter().map(|key| (before(key), *key)).collect();
            ranked.sort_by_key(|(before, _)| std::cmp::Reverse(*before));
            group = ranked.into_iter().map(|(_, key)| key).collect();
        }
        newest.extend(group.into_iter().cloned());
        if newest.len() >= most {
            break;
        }
    }
    newest.truncate(most);
    newest
}

/// The indentation of texts that are too long for the row of a run.
const BELOW: usize = 14;

fn table(listed: &[ListedRun], width: Option<usize>) -> String {
    let columns = [
        Column::left("id", Narrow::Keep),
        Column::left("commit date", Narrow::Keep),
        Column::left("commit", Narrow::Keep),
        Column::left("measured or recorded", Narrow::Below),
        Column::right("results", Narrow::Keep),
        Column::left("machine", Narrow::Below),
    ];
    let row = |ListedRun { key, run, added }: &ListedRun| {
        let machine = escape::terminal(run.environment.get(Environment::CPU).unwrap_or("not stated"));
        let dirty = run.environment.get(Environment::DIRTY).map(|_| ", uncommitted changes").unwrap_or_default();
        let part = |fact: &str| {
            let value = run.environment.get(fact).map(|value| format!(", {fact} {}", escape::terminal(value)));
            value.unwrap_or_default()
        };
        let machine = format!("{machine}{}{}{dirty}", part(Environment::SHARD), part(Environment::KEY));
        let cells = vec![
            key.id().to_owned(),
            date(key.time()),
            key.commit().map_or("none", Commit::short).to_owned(),
            when(run, *added),
            run.measurements.len().to_string(),
            machine,
        ];
        Row::new(Style::new(), cells)
    };
    let mut out = String::new();
    rows(&mut out, &columns, &listed.iter().map(row).collect::<Vec<_>>(), BELOW, width);
    out
}

fn to_json(listed: &[ListedRun], store: &dyn Store, more: bool) -> Value {
    let runs = listed.iter().map(|ListedRun { key, run, added }| {
        let recorded = added.map(|added| match added {
            RecordedTime::At(time) | RecordedTime::NoLaterThan(time) => time,
        });
        json!({
            "id": key.id(), "commit": key.commit().map(Commit::as_str), "time": key.time(), "branch": run.branch,
            "measured": run.measured, "recorded": recorded, "recorded_exactly": matches!(added, Some(RecordedTime::At(_))),
            "results": run.measurements.len(), "environment": run.environment.0,
        })
    });
    let runs: Vec<Value> = runs.collect();
    json!({"format": "perfgate-runs", "version": 1, "store": store.url(), "runs": runs, "more": more})
}

/// When a run was measured; otherwise when it was recorded, or the latest time at which it can have been recorded.
pub(super) fn when(run: &Run, added: Option<RecordedTime>) -> String {
    match (run.measured, added) {
        (Some(time), _) => format!("measured {}", date(time)),
        (None, Some(RecordedTime::At(time))) => format!("recorded {}", date(time)),
        (None, Some(RecordedTime::NoLaterThan(time))) => format!("recorded by {}", date(time)),
        (None, None) => "unknown".to_owned(),
    }
}

pub(super) fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
