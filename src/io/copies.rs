//! Results that a benchmark command leaves in several places: a tool often prints a table of the results in its file, and
//! scripts convert results from one format to another.

use super::assemble::is_poorer_format;
use super::input::Loaded;
use crate::model::Measurement;
use crate::stats::centre;
use std::collections::{BTreeMap, BTreeSet};

/// The same result of a tool in two places differs by less than this factor: a table is rounded.
const ROUNDING: f64 = 1.1;
/// If two tools have the same benchmarks, and the values typically differ by less than this factor, one is a copy of the
/// other. Its values may be means instead of medians.
const SAME_VALUES: f64 = 1.5;

/// Leaves out of `found` what `others` have, too, and out of `others` what is more exact in `found`, unless `others` are
/// complete by themselves.
pub(super) fn leave_out_copies(others: &mut [&mut Loaded], found: &mut Loaded, others_are_complete: bool) {
    let mut copies: BTreeSet<String> = BTreeSet::new();
    for tool in tools(&found.run.measurements) {
        let of_others: BTreeSet<String> = others.iter().flat_map(|one| tools(&one.run.measurements)).collect();
        if of_others.iter().any(|other| is_poorer_format(&tool, other)) {
            copies.insert(tool);
        } else if let Some(poorer) = of_others.iter().find(|other| is_poorer_format(other, &tool)) {
            if others_are_complete {
                copies.insert(tool);
            } else {
                others.iter_mut().for_each(|one| leave_out(one, |measurement| measurement.tool == **poorer));
            }
        } else if is_copy(&tool, others, found) {
            copies.insert(tool);
        }
    }
    let values: BTreeMap<(&str, &str, &str), f64> =
        others.iter().flat_map(|one| &one.run.measurements).map(|one| (key(one), value(one))).collect();
    let is_known = |measurement: &Measurement| {
        let known = values.get(&key(measurement));
        known.is_some_and(|known| distance(*known, value(measurement)) <= ROUNDING.ln())
    };
    leave_out(found, |measurement| copies.contains(&*measurement.tool) || is_known(measurement));
}

/// Whether all results of a tool are those of another tool in another format.
fn is_copy(tool: &str, others: &[&mut Loaded], found: &Loaded) -> bool {
    let mut values: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for one in others.iter().flat_map(|one| &one.run.measurements).filter(|one| one.tool != tool) {
        values.entry((one.benchmark.as_str(), &one.metric.name)).or_insert(value(one));
    }
    let own = found.run.measurements.iter().filter(|measurement| measurement.tool == tool);
    let distances: Option<Vec<f64>> = own
        .map(|one| values.get(&(one.benchmark.as_str(), &*one.metric.name)).map(|known| distance(*known, value(one))))
        .collect();
    distances.is_some_and(|mut distances| {
        distances.sort_unstable_by(f64::total_cmp);
        !distances.is_empty() && centre::median(&distances) < SAME_VALUES.ln()
    })
}

/// Leaves out measurements, and the failures of tools without any that remain.
fn leave_out(loaded: &mut Loaded, is_left_out: impl Fn(&Measurement) -> bool) {
    let before = tools(&loaded.run.measurements);
    loaded.run.measurements.retain(|measurement| !is_left_out(measurement));
    let remaining = tools(&loaded.run.measurements);
    let is_gone = |tool: &str| before.contains(tool) && !remaining.contains(tool);
    let failures = &mut loaded.run.failures;
    failures.benchmarks.retain(|one| !is_gone(&one.tool));
    failures.early_ends.retain(|one| !is_gone(&one.tool));
    failures.skipped.retain(|one| !is_gone(&one.tool));
}

fn tools(measurements: &[Measurement]) -> BTreeSet<String> {
    measurements.iter().map(|measurement| measurement.tool.to_string()).collect()
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
    use crate::model::{Evidence, Metric, Run};

    fn loaded(results: &[(&'static str, &str, f64)]) -> Loaded {
        let of = |(tool, name, value): &(&'static str, &str, f64)| {
            Measurement::new(*tool, *name, Metric::time(), Evidence::Value(*value))
        };
        let run = Run { measurements: results.iter().map(of).collect(), ..Run::default() };
        Loaded { run, diagnostics: Vec::new(), left_over: false }
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

    #[test]
    fn results_in_another_format_are_copies_and_other_benchmarks_are_not() {
        let criterion = [("criterion", "a", 100.0), ("criterion", "b", 5.0), ("criterion", "c", 7.0)];
        assert_eq!(remaining(&criterion, &[("bencher", "a", 110.0), ("bencher", "b", 5.2)])[1], [""; 0]);
        assert_eq!(remaining(&criterion, &[("bencher", "a", 400.0)])[1], ["bencher a"]);
        let other = [("divan", "a", 100.0), ("divan", "d", 1.0)];
        assert_eq!(remaining(&criterion, &other)[1], ["divan a", "divan d"]);
    }
}
