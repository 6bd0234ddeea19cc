//! Matches names of Go benchmarks across files. The suffix `-4` (the number of processors) is dropped if all names of a file have
//! it, and kept if a file has several. Results of the same number of processors get the same name.

use crate::model::{BenchId, Run};
use std::collections::BTreeSet;

/// The tool whose names have the suffix.
const TOOL: &str = "go-bench";
/// The number of processors of all results of a run.
const PROCESSORS: &str = "gomaxprocs";

/// Gives Go's benchmarks of older runs the names that benchmarks with the same number of processors have in `current` runs.
pub fn match_processors(older: &mut [Run], current: &[Run]) {
    let now = names(current);
    let mut numbers: BTreeSet<Option<&str>> = current.iter().map(|run| run.environment.get(PROCESSORS)).collect();
    let (Some(now_has), true) = (numbers.pop_first(), numbers.is_empty()) else { return };
    if now.is_empty() {
        return;
    }
    for run in older {
        let before = names(std::slice::from_ref(run));
        let of_run = run.environment.get(PROCESSORS).map(str::to_owned);
        run.rename_measurements(|_, measurement| {
            let name = measurement.benchmark.as_str();
            let renamed = match (of_run.as_deref(), now_has) {
                _ if measurement.tool != TOOL => None,
                (Some(number), None) => Some(format!("{name}-{number}")).filter(|long| now.contains(long.as_str())),
                (None, Some(number)) => short_name(name, number, &now, &before),
                _ => None,
            };
            renamed.map(BenchId::new)
        });
    }
}

/// The current name of a benchmark from a run with several numbers of processors, if all current results have `number` processors.
fn short_name(name: &str, number: &str, now: &BTreeSet<String>, before: &BTreeSet<String>) -> Option<String> {
    if let Some(short) = name.strip_suffix(number).and_then(|stem| stem.strip_suffix('-'))
        && now.contains(short)
    {
        return Some(short.to_owned());
    }
    // Go does not print the suffix for one processor.
    let is_other = now.contains(name) && before.contains(&format!("{name}-{number}"));
    is_other.then(|| format!("{name}-1"))
}

fn names(runs: &[Run]) -> BTreeSet<String> {
    let all = runs.iter().flat_map(|run| &run.measurements).filter(|one| one.tool == TOOL);
    all.map(|one| one.benchmark.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Measurement, Metric};

    fn run(processors: &str, names: &[&str]) -> Run {
        let measurement = |name: &&str| Measurement::new(TOOL, *name, Metric::time(), Evidence::Value(1.0));
        let mut run = Run { measurements: names.iter().map(measurement).collect(), ..Run::default() };
        run.environment.set(PROCESSORS, processors);
        run
    }

    fn matched(older: Run, current: Run) -> Vec<String> {
        let mut older = [older];
        match_processors(&mut older, &[current]);
        older[0].measurements.iter().map(|one| one.benchmark.to_string()).collect()
    }

    #[test]
    fn results_of_the_same_number_of_processors_have_one_name() {
        assert_eq!(matched(run("4", &["A", "B"]), run("", &["A", "A-2", "A-4"])), ["A-4", "B"]);
        assert_eq!(matched(run("", &["A", "A-2", "A-4", "B"]), run("4", &["A", "B"])), ["A-1", "A-2", "A", "B"]);
        assert_eq!(matched(run("", &["size-8", "size-16"]), run("8", &["size"])), ["size", "size-16"]);
        assert_eq!(matched(run("8", &["size"]), run("", &["size-8", "size-16"])), ["size-8"]);
        assert_eq!(matched(run("4", &["A"]), run("8", &["A"])), ["A"]);
        assert_eq!(matched(run("1", &["A"]), run("", &["A", "A-2"])), ["A"]);
        assert_eq!(matched(run("", &["A", "A-2"]), run("1", &["A"])), ["A", "A-2"]);
    }
}
