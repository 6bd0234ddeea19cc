//! Benchmarks of head that failed, or that are missing because their run ended in an error. Each gets one comparison
//! without a test, however many metrics it had.

use super::{Comparison, Effect, FailedInHead, Pair};
use crate::model::{EarlyEnd, FailedBenchmark, Metric, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Takes the failed benchmarks out of `pairs`.
pub(super) fn take_failed(pairs: &mut Vec<Pair<'_>>, base: &[Run], head: &[Run]) -> Vec<Comparison> {
    if head.iter().all(|run| run.failures.is_empty()) {
        return Vec::new();
    }
    let (reported, in_base) = (reported(head), reported(base));
    let early_ends: Vec<&EarlyEnd> = head.iter().flat_map(|run| &run.failures.early_ends).collect();
    let why = |pair: &Pair<'_>| -> Option<FailedInHead> {
        let (name, _, tool) = pair.key();
        if let Some(failed) = reported.get(&(name, tool)) {
            return Some(failed_in_head(failed, &in_base));
        }
        let is_part = |end: &&&EarlyEnd| end.tool == tool && end.scope.contains(name);
        let end = early_ends.iter().find(is_part).filter(|_| pair.is_base_only())?;
        Some(FailedInHead { why: format!("no result: {}", end.why), in_base: false })
    };

    let mut failed: BTreeMap<(String, String), Comparison> = BTreeMap::new();
    pairs.retain(|pair| {
        let Some(why) = why(pair) else { return true };
        let comparison = pair.comparison(Effect::Failed(why));
        let key = (comparison.benchmark.to_string(), comparison.tool.to_string());
        // Reported under its time, otherwise under its first metric.
        if comparison.metric.name == "time" || !failed.contains_key(&key) {
            failed.insert(key, comparison);
        }
        false
    });
    let known: BTreeSet<(String, String)> = failed.keys().cloned().collect();
    let unknown =
        reported.values().filter(|failed| !known.contains(&(failed.benchmark.to_string(), failed.tool.to_string())));
    let unknown = unknown.map(|failed| without_values(failed, failed_in_head(failed, &in_base)));
    failed.into_values().chain(unknown).collect()
}

/// Reported failures by benchmark and tool.
type Reported<'a> = BTreeMap<(&'a str, &'a str), &'a FailedBenchmark>;

fn reported(runs: &[Run]) -> Reported<'_> {
    let failed = runs.iter().flat_map(|run| &run.failures.benchmarks);
    failed.map(|failed| ((failed.benchmark.as_str(), &*failed.tool), failed)).collect()
}

/// The tool's message, with a remark if the benchmark also failed in base.
fn failed_in_head(failed: &FailedBenchmark, in_base: &Reported<'_>) -> FailedInHead {
    let in_base = in_base.contains_key(&(failed.benchmark.as_str(), &*failed.tool));
    let message = Some(failed.why.as_str()).filter(|why| !why.is_empty());
    let parts: Vec<&str> = message.into_iter().chain(in_base.then_some("it failed in base too")).collect();
    FailedInHead { why: parts.join("; "), in_base }
}

/// The comparison of a failed benchmark that has no value on either side.
fn without_values(failed: &FailedBenchmark, why: FailedInHead) -> Comparison {
    Comparison {
        benchmark: failed.benchmark.clone(),
        per_class: None,
        metric: Arc::new(Metric::time()),
        tool: failed.tool.clone(),
        work: None,
        work_ratio: None,
        other_settings: None,
        base: None,
        newest_base_run: None,
        base_unit: None,
        head: None,
        effect: Effect::Failed(why),
        mean: None,
        least_change_of_means: None,
        sample_groups: None,
        clock_mhz: None,
        iterations: None,
        statistics: None,
        re_measured: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare;
    use super::*;
    use crate::model::{BenchId, EndScope, Evidence, Measurement};
    use crate::stats::suite_test::TestRules;

    fn run(names: &[&str]) -> Run {
        let of = |name: &&str| {
            [Metric::time(), Metric::measured("memory", crate::model::Unit::Byte, crate::model::Direction::Lower)]
                .map(|metric| Measurement::new("t", *name, metric, Evidence::Value(1.0)))
        };
        Run { measurements: names.iter().flat_map(of).collect(), ..Run::default() }
    }

    fn failed(tool: &'static str, name: &str) -> FailedBenchmark {
        FailedBenchmark { tool: tool.into(), benchmark: BenchId::new(name), why: "panic".to_owned() }
    }

    /// The names of failed and of removed benchmarks, with their metrics.
    fn outcomes(base: &Run, head: &Run) -> [Vec<String>; 2] {
        let compared = compare(
            std::slice::from_ref(base),
            std::slice::from_ref(head),
            TestRules::at_different_times(0.05, 0.2),
            |_: &str| None,
        );
        let of = |is: fn(&Effect) -> bool| {
            let those = compared.comparisons.iter().filter(|one| is(&one.effect));
            those.map(|one| format!("{} {}", one.benchmark, one.metric.name)).collect()
        };
        [of(|effect| matches!(effect, Effect::Failed(_))), of(|effect| matches!(effect, Effect::BaseOnly))]
    }

    #[test]
    fn a_failed_benchmark_has_one_row_and_is_not_removed() {
        let mut head = run(&["a"]);
        head.failures.benchmarks = vec![failed("t", "b"), failed("t", "new"), failed("other", "a")];
        let [failed, removed] = outcomes(&run(&["a", "b", "c"]), &head);
        assert_eq!(failed, ["a time", "b time", "new time"], "of another tool, a has no value");
        assert_eq!(removed, ["c memory", "c time"]);
    }

    #[test]
    fn a_benchmark_with_a_result_that_failed_too_is_failed() {
        let mut head = run(&["a", "b"]);
        head.failures.benchmarks = vec![failed("t", "a")];
        assert_eq!(outcomes(&run(&["a", "b"]), &head)[0], ["a time"]);
    }

    #[test]
    fn what_is_missing_from_a_run_that_ended_in_an_error_is_failed() {
        let mut head = run(&["p/a"]);
        let end = |scope| EarlyEnd { tool: "t".into(), scope, why: "timed out".to_owned() };
        head.failures.early_ends =
            vec![end(EndScope::from_prefix("p/")), end(EndScope::Benchmark("q".to_owned())), end(EndScope::Nothing)];
        let [failed, removed] = outcomes(&run(&["p/a", "p/b", "q", "q/c"]), &head);
        assert_eq!(failed, ["p/b time", "q time"]);
        assert_eq!(removed, ["q/c memory", "q/c time"]);
    }
}
