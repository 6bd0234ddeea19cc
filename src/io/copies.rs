//! Results that a benchmark command leaves in several places: a tool often prints a table of the results in its file, and
//! scripts convert results from one format to another.

use super::assemble::is_less_exact_format;
use super::input::LoadedResults;
use crate::model::{Diagnostic, Measurement, Run};
use crate::stats::centre;
use std::collections::{BTreeMap, BTreeSet};

/// The same result of a tool in two places differs by less than this factor: a table is rounded.
const ROUNDING: f64 = 1.1;
/// If two tools have the same benchmarks, and the values typically differ by less than this factor, one is a copy of the
/// other. Its values may be means instead of medians.
const SAME_VALUES: f64 = 1.5;

/// Formats that often have a second copy of results: of other tools, or of criterion's own files. Of two of them, the later
/// one has more of the results.
const COPYING_FORMATS: [&str; 8] = [
    "junit-xml",
    "csv",
    "github-action-benchmark",
    "bencher-bmf",
    "critcmp",
    "bencher",
    "criterion-raw",
    "cargo-criterion",
];

/// The tools whose results are copies of other results. The first run with results decides it by their values; a changed value
/// in a later run must not change which results are compared.
#[derive(Debug, Default)]
pub struct Copies(Option<BTreeSet<&'static str>>);

impl Copies {
    /// Leaves out results that another tool has, too. A note for each tool that the first run shows to be a copy.
    pub(super) fn leave_out(&mut self, all: &mut [LoadedResults]) -> Vec<Diagnostic> {
        let mut notes = Vec::new();
        let copied = self.0.get_or_insert_with(|| {
            let originals = COPYING_FORMATS.map(|tool| Some((tool, original(tool, all)?)));
            notes = originals.iter().flatten().map(|(copy, original)| note(copy, original)).collect();
            originals.iter().flatten().map(|(copy, _)| *copy).collect()
        });
        for tool in copied.iter() {
            let better = better_results(tool, all);
            let names: BTreeSet<(String, String)> =
                better.keys().map(|(name, metric)| ((*name).to_owned(), (*metric).to_owned())).collect();
            let has_better =
                |one: &Measurement| names.contains(&(one.benchmark.to_string(), one.metric.name.to_string()));
            all.iter_mut().for_each(|one| leave_out(one, |one| one.tool == **tool && has_better(one)));
        }
        notes
    }
}

/// The tool whose results are copied in a format, if all results in this format are copies.
fn original(tool: &str, all: &[LoadedResults]) -> Option<String> {
    let better = better_results(tool, all);
    let own = all.iter().flat_map(|one| &one.run.measurements).filter(|one| one.tool == tool);
    let known = |one: &Measurement| better.get(&(one.benchmark.as_str(), &*one.metric.name)).copied();
    let pairs: Vec<_> = own.map(|one| Some((value(one), known(one)?))).collect::<Option<_>>()?;
    let distances = pairs.iter().map(|(own, (_, known))| distance(*own, *known)).collect();
    are_typically_the_same(distances).then(|| pairs[0].1.0.to_owned())
}

/// The results of tools that are not copies of this one: by benchmark and metric, the tool and its value.
fn better_results<'a>(tool: &str, all: &'a [LoadedResults]) -> BTreeMap<(&'a str, &'a str), (&'a str, f64)> {
    let rank = |tool: &str| COPYING_FORMATS.iter().position(|format| *format == tool).unwrap_or(COPYING_FORMATS.len());
    let mut better = BTreeMap::new();
    for one in all.iter().flat_map(|one| &one.run.measurements).filter(|one| rank(&one.tool) > rank(tool)) {
        better.entry((one.benchmark.as_str(), &*one.metric.name)).or_insert((&*one.tool, value(one)));
    }
    better
}

fn note(copy: &str, original: &str) -> Diagnostic {
    let message = format!(
        "the `{copy}` results of the first run have the names and about the values of `{original}` results: left out of all runs \
         as copies; if they are other benchmarks, give them other names"
    );
    Diagnostic::note("copied-results", "", message)
}

/// Leaves out of `found` what `others` have, too, and out of `others` what is more exact in `found`, unless `others` are
/// complete by themselves.
pub(super) fn leave_out_copies(
    others: &mut [&mut LoadedResults],
    found: &mut LoadedResults,
    others_are_complete: bool,
) {
    let mut copies: BTreeSet<String> = BTreeSet::new();
    for tool in tools(found) {
        let of_others: BTreeSet<String> = others.iter().flat_map(|one| tools(one)).collect();
        if of_others.iter().any(|other| is_less_exact_format(&tool, other)) {
            copies.insert(tool);
        } else if let Some(less_exact) = of_others.iter().find(|other| is_less_exact_format(other, &tool)) {
            if others_are_complete {
                copies.insert(tool);
            } else {
                others.iter_mut().for_each(|one| leave_out_tools(one, |tool| tool == less_exact));
            }
        } else if others_are_complete && is_copy(&tool, others, found) {
            copies.insert(tool); // not read in any case; only the warning about it is left out
        }
    }
    leave_out_tools(found, |tool| copies.contains(tool));
    // A second result of the same name is not used either, but has a warning.
    let values: BTreeMap<(&str, &str, &str), f64> =
        others.iter().flat_map(|one| &one.run.measurements).map(|one| (key(one), value(one))).collect();
    leave_out(found, |measurement| {
        let known = values.get(&key(measurement));
        known.is_some_and(|known| distance(*known, value(measurement)) <= ROUNDING.ln())
    });
}

/// Whether all results of a tool are those of another tool in another format.
fn is_copy(tool: &str, others: &[&mut LoadedResults], found: &LoadedResults) -> bool {
    let mut values: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for one in others.iter().flat_map(|one| &one.run.measurements).filter(|one| one.tool != tool) {
        values.entry((one.benchmark.as_str(), &one.metric.name)).or_insert(value(one));
    }
    let own = found.run.measurements.iter().filter(|measurement| measurement.tool == tool);
    let distances: Option<Vec<f64>> = own
        .map(|one| values.get(&(one.benchmark.as_str(), &*one.metric.name)).map(|known| distance(*known, value(one))))
        .collect();
    distances.is_some_and(are_typically_the_same)
}

/// Whether the median of the distances of values is small; false without values.
fn are_typically_the_same(mut distances: Vec<f64>) -> bool {
    distances.sort_unstable_by(f64::total_cmp);
    !distances.is_empty() && centre::median(&distances) < SAME_VALUES.ln()
}

/// Leaves out measurements, and the failures of tools that lose all of theirs.
fn leave_out(loaded: &mut LoadedResults, is_left_out: impl Fn(&Measurement) -> bool) {
    let measured =
        |run: &Run| -> BTreeSet<String> { run.measurements.iter().map(|one| one.tool.to_string()).collect() };
    let mut gone = measured(&loaded.run);
    loaded.run.measurements.retain(|measurement| !is_left_out(measurement));
    for tool in measured(&loaded.run) {
        gone.remove(&tool);
    }
    leave_out_tools(loaded, |tool| gone.contains(tool));
}

/// Leaves out all results of tools.
fn leave_out_tools(loaded: &mut LoadedResults, is_left_out: impl Fn(&str) -> bool) {
    loaded.run.measurements.retain(|one| !is_left_out(&one.tool));
    let failures = &mut loaded.run.failures;
    failures.benchmarks.retain(|one| !is_left_out(&one.tool));
    failures.early_ends.retain(|one| !is_left_out(&one.tool));
    failures.skipped.retain(|one| !is_left_out(&one.tool));
}

/// The tools with measurements or failures.
fn tools(loaded: &LoadedResults) -> BTreeSet<String> {
    let Run { measurements, failures, .. } = &loaded.run;
    let measured = measurements.iter().map(|one| one.tool.to_string());
    let failed = failures.benchmarks.iter().map(|one| one.tool.to_string());
    measured.chain(failed).chain(failures.early_ends.iter().map(|one| one.tool.to_string())).collect()
}

fn key(measurement: &Measurement) -> (&str, &str, &str) {
    (&*measurement.tool, measurement.benchmark.as_str(), &measurement.metric.name)
}

/// The median of the centres of all evidence.
fn value(measurement: &Measurement) -> f64 {
    let mut centres: Vec<f64> = measurement.evidence.iter().map(|evidence| evidence.centre()).collect();
    centres.sort_unstable_by(f64::total_cmp);
    if centres.is_empty() { f64::NAN } else { centre::median(&centres) }
}

/// The ratio of two values as a logarithm without its sign.
fn distance(one: f64, other: f64) -> f64 {
    if one == other { 0.0 } else { (one / other).ln().abs() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BenchId, Evidence, FailedBenchmark, Metric};

    fn loaded(results: &[(&'static str, &str, f64)]) -> LoadedResults {
        let of = |(tool, name, value): &(&'static str, &str, f64)| {
            Measurement::new(*tool, *name, Metric::time(), Evidence::Value(*value))
        };
        let run = Run { measurements: results.iter().map(of).collect(), ..Run::default() };
        LoadedResults { run, diagnostics: Vec::new(), is_older_than_commit: false }
    }

    /// The results that remain of two places.
    fn remaining(first: &[(&'static str, &str, f64)], second: &[(&'static str, &str, f64)]) -> [Vec<String>; 2] {
        let (mut first, mut second) = (loaded(first), loaded(second));
        leave_out_copies(&mut [&mut first], &mut second, false);
        [first, second].map(|one| {
            one.run.measurements.iter().map(|one| format!("{} {}", one.tool, one.benchmark.as_str())).collect()
        })
    }

    #[test]
    fn a_table_of_the_same_tool_adds_nothing_whichever_comes_first() {
        let json = [("hyperfine", "a", 100.0), ("hyperfine", "b", 9.0)];
        let text = [("hyperfine-text", "a", 104.0)];
        assert_eq!(remaining(&json, &text), [vec!["hyperfine a".to_owned(), "hyperfine b".to_owned()], vec![]]);
        assert_eq!(remaining(&text, &json)[0], [""; 0]);
    }

    #[test]
    fn only_results_that_differ_are_added_from_the_same_tool() {
        let [_, added] = remaining(&[("k6", "a", 100.0), ("k6", "b", 5.0)], &[("k6", "a", 104.0), ("k6", "c", 1.0)]);
        assert_eq!(added, ["k6 c"]);
        // The later of two different results of one name has a warning.
        assert_eq!(remaining(&[("k6", "a", 100.0)], &[("k6", "a", 150.0)])[1], ["k6 a"]);
    }

    /// The notes and the remaining tools of a run, whose results are all in one place.
    fn run(copies: &mut Copies, results: &[(&'static str, &str, f64)]) -> (usize, Vec<String>) {
        let mut all = [loaded(results)];
        let notes = copies.leave_out(&mut all);
        let measurements = all[0].run.measurements.iter();
        (notes.len(), measurements.map(|one| format!("{} {}", one.tool, one.benchmark.as_str())).collect())
    }

    #[test]
    fn the_first_run_decides_which_results_are_copies() {
        let mut copies = Copies::default();
        let criterion = [("criterion", "a", 100.0), ("criterion", "b", 5.0), ("criterion", "c", 7.0)];
        let of_criterion: Vec<String> = criterion.iter().map(|(tool, name, _)| format!("{tool} {name}")).collect();
        let first = [[("bencher", "a", 110.0), ("bencher", "b", 5.2)].as_slice(), &criterion].concat();
        assert_eq!(run(&mut copies, &first), (1, of_criterion.clone()));
        // Other values in a later run change nothing. A benchmark that the other tool lacks is kept.
        let later = [criterion.as_slice(), &[("bencher", "a", 400.0), ("bencher", "d", 1.0)]].concat();
        assert_eq!(run(&mut copies, &later), (0, [of_criterion.as_slice(), &["bencher d".to_owned()]].concat()));
        // If the first run has other values, they are other benchmarks, also in later runs.
        let mut copies = Copies::default();
        for value in [400.0, 100.0] {
            let both = [criterion.as_slice(), &[("bencher", "a", value)]].concat();
            assert_eq!(run(&mut copies, &both).1.len(), 4);
        }
    }

    #[test]
    fn two_benchmark_libraries_are_never_copies_of_each_other() {
        let both = [("criterion", "a", 100.0), ("divan", "a", 100.0)];
        assert_eq!(run(&mut Copies::default(), &both), (0, vec!["criterion a".to_owned(), "divan a".to_owned()]));
        assert_eq!(remaining(&both[..1], &both[1..])[1], ["divan a"]);
        // Of two copies, the better one remains.
        let copies = [("github-action-benchmark", "a", 100.0), ("bencher", "a", 101.0)];
        assert_eq!(run(&mut Copies::default(), &copies), (1, vec!["bencher a".to_owned()]));
    }

    #[test]
    fn every_copying_format_exists() {
        let is_known = |name: &str| crate::formats::FORMATS.iter().any(|format| format.name() == name);
        assert!(COPYING_FORMATS.into_iter().all(is_known));
    }

    #[test]
    fn a_table_does_not_replace_results_that_all_failed() {
        let mut failed = loaded(&[]);
        let why = "exit code 1".into();
        failed.run.failures.benchmarks.push(FailedBenchmark {
            tool: "hyperfine".into(),
            benchmark: BenchId::new("a"),
            why,
        });
        let mut text = loaded(&[("hyperfine-text", "a", 1.0)]);
        leave_out_copies(&mut [&mut failed], &mut text, false);
        assert!(failed.has_results() && !text.has_results());
    }
}
