//! A reading of result files as a run: each metric of each benchmark once, sorted.

use super::input::LoadedResults;
use super::same_suite::join_repetitions;
use crate::formats::Reading;
use crate::model::{Diagnostic, Measurement, Run};

/// The warning about results that were all measured before their commit.
pub(super) fn older_than_commit(place: &str) -> Diagnostic {
    let message = "all results are older than the commit; run the benchmarks again if they are of another commit";
    Diagnostic::warning("older-than-commit", place, message)
}

/// Seconds by which the clocks of two machines may differ: that of the commit and that of the benchmarks.
const CLOCK_DIFFERENCE: i64 = 5 * 60;

/// A reading as a run. Marked as left over if its files state a time before that of the measured commit.
pub(super) fn assemble_of_commit(reading: Reading, place: &str, committed: Option<i64>) -> LoadedResults {
    let is_older_than_commit =
        committed.zip(reading.latest).is_some_and(|(committed, latest)| latest + CLOCK_DIFFERENCE < committed);
    let mut loaded = assemble(reading);
    loaded.is_older_than_commit = is_older_than_commit;
    loaded.diagnostics.extend(is_older_than_commit.then(|| older_than_commit(place)));
    loaded
}

/// Joins repetitions, leaves out less exact formats of the same tool, sorts the measurements, and keeps only the first
/// one for each benchmark, metric and tool.
pub(super) fn assemble(reading: Reading) -> LoadedResults {
    let Reading { measurements, mut diagnostics, environment, commit, commit_prefix, .. } = reading;
    let Reading {
        failures, versions, tests, repeated, measured, unreadable, is_incomplete, measurements_per_file, ..
    } = reading;
    let (mut measurements, repeated_files) = join_repetitions(measurements, &measurements_per_file);
    diagnostics.extend(repeated_files);
    diagnostics.extend(leave_out_less_exact(&mut measurements));
    measurements.sort_by(|a, b| identity(a).cmp(&identity(b))); // stable: keeps the order of duplicates
    measurements.dedup_by(|later, first| {
        let twice = identity(later) == identity(first);
        // A tool may write the same value to several files.
        if twice && later.evidence != first.evidence {
            let message = "has two results of this name; only the first is used: give each benchmark its own name";
            diagnostics.push(Diagnostic::warning("duplicate-name", first.benchmark.as_str(), message));
        }
        twice
    });
    let stated = Run { commit, commit_prefix, measured, environment, versions, ..Run::default() };
    let run = Run { measurements, failures, unreadable, is_incomplete, tests, repeated, ..stated };
    LoadedResults { run, diagnostics, is_older_than_commit: false }
}

/// Formats of one tool that may lie next to each other, the less exact one first: BenchmarkDotNet writes tables next to its
/// JSON, and `--export-csv` and `--export-json` are used together.
const LESS_EXACT_FORMATS: [(&str, &str); 20] = [
    ("hyperfine-csv", "hyperfine"),
    ("hyperfine-markdown", "hyperfine"),
    ("hyperfine-markdown", "hyperfine-csv"),
    ("hyperfine-text", "hyperfine"),
    ("hyperfine-text", "hyperfine-csv"),
    ("hyperfine-text", "hyperfine-markdown"),
    ("benchmarkdotnet-table", "benchmarkdotnet"),
    ("google-benchmark-table", "google-benchmark"),
    ("jmh-csv", "jmh"),
    ("jmh-text", "jmh"),
    ("jmh-text", "jmh-csv"),
    ("nanobench-table", "nanobench"),
    ("pytest-benchmark-table", "pytest-benchmark"),
    ("asv-text", "asv"),
    ("jmeter-statistics", "jmeter"),
    ("callgrind-text", "gungraun"),
    ("callgrind-text", "iai-callgrind"),
    ("criterion-text", "criterion"),
    ("criterion-text", "cargo-criterion"),
    ("criterion-text", "criterion-raw"),
];

/// Whether results of one format are those of the other, less exact.
pub(super) fn is_less_exact_format(format: &str, other: &str) -> bool {
    LESS_EXACT_FORMATS.contains(&(format, other))
}

/// Leaves out results of a format if there are results of a better format of the same tool: they are the same measurements.
fn leave_out_less_exact(measurements: &mut Vec<Measurement>) -> Option<Diagnostic> {
    let has = |tool: &str| measurements.iter().any(|measurement| measurement.tool == tool);
    // Most results are of one tool, or of tools that are not in the list.
    let pairs: Vec<_> =
        LESS_EXACT_FORMATS.iter().filter(|(less_exact, better)| has(less_exact) && has(better)).collect();
    let (first, better) = pairs.first()?;
    let message = format!("`{first}` results are left out: the `{better}` results of the same tool are more exact");
    measurements.retain(|measurement| pairs.iter().all(|(less_exact, _)| measurement.tool != *less_exact));
    Some(Diagnostic::note("poorer-format", "", message))
}

fn identity(measurement: &Measurement) -> (&str, &str, &str) {
    (measurement.benchmark.as_str(), &measurement.metric.name, &measurement.tool)
}
