//! Shared by gungraun and its predecessor iai-callgrind: the valgrind events that become metrics, the names of benchmarks,
//! and finding summaries that are left over from an earlier build.

use super::Source;
use super::builder::ReadingBuilder;
use crate::model::{Direction, Evidence, Metric, Unit};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The metric of a valgrind event; `None` for events that repeat others. Cache hits and misses are part of the estimated
/// cycles, and totals at the program's end and rates follow from other events.
pub(super) fn metric(event: &str) -> Option<Metric> {
    let (name, unit) = match event {
        "Ir" => ("instructions", Unit::Count),
        "EstimatedCycles" => ("cycles", Unit::Count),
        "TotalBytes" => ("memory", Unit::Byte),
        "TotalBlocks" => ("allocations", Unit::Count),
        "AtTGmaxBytes" => ("memory:peak", Unit::Byte),
        "Errors" => ("errors", Unit::Count),
        _ => return None,
    };
    Some(Metric::counted(name, unit, Direction::Lower))
}

/// The name as both tools print it: the module path and, for one of several cases, the id of the case.
pub(super) fn name(module_path: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{module_path} {id}"),
        None => module_path.to_owned(),
    }
}

/// Adds the events of a benchmark. If two valgrind tools count the same event, the first one is used.
pub(super) fn add<'e>(
    builder: &mut ReadingBuilder<'_>,
    name: &str,
    events: impl Iterator<Item = (Cow<'e, str>, Option<f64>)>,
) {
    let mut seen = BTreeSet::new();
    for (event, count) in events {
        let Some(metric) = metric(&event) else { continue };
        let Some(count) = count else {
            builder.warn("no-value", format!("`{name}`: {event} has only the value of an earlier run; skipped"));
            continue;
        };
        if seen.insert(metric.name.clone()) {
            builder.add(name, metric, [Evidence::Value(count)]);
        }
    }
    if seen.is_empty() {
        builder.warn("no-value", format!("`{name}` has no count of instructions, allocations or errors"));
    }
}

/// Indices of the `summary.json` files of a directory that are left over from an earlier build. Neither tool removes the
/// summary of a removed benchmark.
///
/// A summary names the executable that ran and, if the tool compared it with an earlier run, that run's executable. The
/// current executable of a benchmark file is the one that started last. iai-callgrind stores no time; there it is the one
/// that succeeded another and has no successor. If neither determines it, no file counts as left over.
pub fn leftovers(files: &[Option<&Origin>]) -> Vec<usize> {
    let mut suites: BTreeMap<&(String, String), Vec<(usize, &Origin)>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        if let Some(origin) = file {
            suites.entry(&origin.suite).or_default().push((at, origin));
        }
    }
    let mut leftovers = Vec::new();
    for suite in suites.into_values() {
        let latest = suite.iter().filter(|(_, o)| o.started.is_some()).max_by_key(|(_, o)| &o.started);
        let succeeded: BTreeSet<&str> = suite.iter().filter_map(|(_, o)| o.before.as_deref()).collect();
        let mut current: BTreeSet<&str> = match latest {
            Some((_, latest)) => [latest.program.as_str()].into(),
            None => suite.iter().filter(|(_, o)| o.before.is_some()).map(|(_, o)| o.program.as_str()).collect(),
        };
        if latest.is_none() {
            current.retain(|program| !succeeded.contains(program));
        }
        if !current.is_empty() {
            let old = suite.iter().filter(|(_, o)| !current.contains(o.program.as_str()));
            leftovers.extend(old.map(|(at, _)| *at));
        }
    }
    leftovers.sort_unstable();
    leftovers
}

/// The origin of a summary; `None` for files of other formats.
pub fn origin(format: &str, source: Source<'_>) -> Option<Origin> {
    if ["gungraun", "iai-callgrind"].contains(&format) { Origin::of(source) } else { None }
}

/// The executable that a summary belongs to.
#[derive(Debug)]
pub struct Origin {
    /// Package and benchmark file.
    suite: (String, String),
    /// File name of the executable; cargo puts a hash of the build into it.
    program: String,
    /// Executable of the previous run, if it was another one.
    before: Option<String>,
    /// Start time, in a format that sorts as text.
    started: Option<String>,
}

#[derive(Deserialize)]
struct Heading {
    package_dir: String,
    benchmark_file: String,
    benchmark_exe: String,
    started_at: Option<String>,
    #[serde(default)]
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    data: Option<Parts>,      // gungraun
    summaries: Option<Parts>, // iai-callgrind
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    tool_run: Option<NewOld>,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct NewOld {
    old: Option<Command>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(rename = "Both")]
    both: Option<(Command, Command)>,
}

#[derive(Deserialize)]
struct Command {
    command: String,
}

impl Origin {
    fn of(source: Source<'_>) -> Option<Origin> {
        let mut documents = serde_json::Deserializer::from_slice(source.bytes).into_iter::<Heading>();
        let heading = documents.next()?.ok()?;
        let program = file_name(&heading.benchmark_exe).to_owned();
        let mut parts = heading.profiles.iter().flat_map(|p| [&p.data, &p.summaries]).flatten().flat_map(|p| &p.parts);
        let before = parts.find_map(|part| {
            let old = part.tool_run.as_ref().and_then(|run| run.old.as_ref());
            let old = old.or_else(|| part.details.as_ref().and_then(|d| d.both.as_ref()).map(|(_, old)| old))?;
            let old = file_name(old.command.split(' ').next()?);
            (old != program).then(|| old.to_owned())
        });
        Some(Origin {
            suite: (heading.package_dir, heading.benchmark_file),
            program,
            before,
            started: heading.started_at,
        })
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(files: &[&str]) -> Vec<usize> {
        let origin = |text: &&str| Origin::of(Source { name: "x", bytes: text.as_bytes() });
        let origins: Vec<_> = files.iter().map(origin).collect();
        leftovers(&origins.iter().map(Option::as_ref).collect::<Vec<_>>())
    }

    fn gungraun(program: &str, started: &str) -> String {
        format!(
            r#"{{"package_dir":"","benchmark_file":"b.rs","benchmark_exe":"deps/{program}","started_at":"{started}","profiles":[]}}"#
        )
    }

    fn iai(program: &str, before: Option<&str>) -> String {
        let old = before
            .map_or("null".into(), |b| format!(r#"{{"Both":[{{"command":"/d/x 1"}},{{"command":"/d/{b} 1"}}]}}"#));
        format!(
            r#"{{"package_dir":"","benchmark_file":"b.rs","benchmark_exe":"/d/{program}","profiles":[{{"summaries":{{"parts":[{{"details":{old}}}]}}}}]}}"#
        )
    }

    #[test]
    fn a_summary_of_an_earlier_build_is_left_over() {
        assert_eq!(left(&[&gungraun("s-1", "2026-01-01"), &gungraun("s-2", "2026-01-02")]), [0]);
        assert_eq!(left(&[&iai("s-2", Some("s-1")), &iai("s-1", None), &iai("s-2", None)]), [1]);
    }

    #[test]
    fn no_summary_is_left_over_if_the_order_of_builds_is_unknown() {
        assert!(left(&[&iai("s-1", None), &iai("s-2", None), "{", "[]"]).is_empty());
        assert!(left(&[&gungraun("s-1", "2026-01-01"), &gungraun("s-1", "2026-01-02")]).is_empty());
    }
}
