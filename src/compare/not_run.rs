//! Distinguishes benchmarks that were not run this time from those that were removed from the suite. Results do not show
//! which, unless the tool reports a benchmark as skipped. So a run that looks filtered also gets a warning.

use super::{Comparison, Effect, Pair};
use crate::model::{Diagnostic, Run};
use std::collections::{BTreeMap, BTreeSet};

/// Benchmarks of base that were not run for head.
pub(super) struct UnrunBenchmarks {
    /// Reported as skipped: benchmark and tool.
    skipped: BTreeSet<(String, String)>,
    /// Tools of which head has a part of the suite: the number of missing benchmarks and of all in base.
    filtered: BTreeMap<String, [usize; 2]>,
}

impl UnrunBenchmarks {
    pub fn of(pairs: &[Pair<'_>], head: &[Run]) -> UnrunBenchmarks {
        let skipped = head.iter().flat_map(|run| &run.failures.skipped);
        let skipped: BTreeSet<(String, String)> =
            skipped.map(|one| (one.benchmark.to_string(), one.tool.to_string())).collect();
        // By tool: the benchmarks of base, those of them in head, and new ones. A benchmark has several pairs, one for each metric.
        let mut tools: BTreeMap<&str, [BTreeSet<&str>; 3]> = BTreeMap::new();
        for pair in pairs {
            let (name, _, tool) = pair.key();
            let [base, shared, added] = tools.entry(tool).or_default();
            if pair.is_shared() || pair.is_base_only() {
                base.insert(name);
            } else {
                added.insert(name);
            }
            if pair.is_shared() {
                shared.insert(name);
            }
        }
        let is_filtered = |[base, shared, added]: &[BTreeSet<&str>; 3]| {
            // A benchmark with a new metric is not new.
            let is_new = added.iter().any(|name| !base.contains(name));
            !is_new && !shared.is_empty() && 2 * shared.len() < base.len()
        };
        let filtered = tools.into_iter().filter(|(_, benchmarks)| is_filtered(benchmarks));
        let filtered =
            filtered.map(|(tool, [base, shared, _])| (tool.to_owned(), [base.len() - shared.len(), base.len()]));
        UnrunBenchmarks { skipped, filtered: filtered.collect() }
    }

    /// Marks those that were not run among comparisons without a test.
    pub fn mark(&self, comparisons: &mut [Comparison]) {
        for comparison in comparisons.iter_mut().filter(|one| matches!(one.effect, Effect::BaseOnly)) {
            let key = (comparison.benchmark.to_string(), comparison.tool.to_string());
            if self.filtered.contains_key(&key.1) || self.skipped.contains(&key) {
                comparison.effect = Effect::NotRun;
            }
        }
    }

    /// A warning for each tool of which only a part seems to have run.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        self.filtered.iter().map(|(tool, [missing, all])| {
            let message = format!(
                "{missing} of the {all} {tool} benchmarks of base have no result in head, and head has no others: it \
                seems to be a filtered run, so they count as not run. \
                If most of the suite was removed, record a new baseline"
            );
            Diagnostic::warning("not-run", "", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare;
    use super::*;
    use crate::model::{BenchId, Evidence, Measurement, Metric, SkippedBenchmark};
    use crate::stats::suite_test::TestRules;

    fn run(names: &[&str]) -> Run {
        let named = |name: &&str| Measurement::new("t", *name, Metric::time(), Evidence::Value(1.0));
        Run { measurements: names.iter().map(named).collect(), ..Run::default() }
    }

    /// The benchmarks that were not run and those that were removed, and whether there is a warning.
    fn missing(base: &[&str], head: Run) -> (Vec<String>, Vec<String>, bool) {
        let compared = compare(&[run(base)], &[head], TestRules::at_different_times(0.05, 0.2), |_: &str| None);
        let of = |is: fn(&Effect) -> bool| {
            let those = compared.comparisons.iter().filter(|one| is(&one.effect));
            those.map(|one| one.benchmark.to_string()).collect::<Vec<_>>()
        };
        let warned = compared.diagnostics.iter().any(|one| one.code == "not-run");
        (of(|effect| matches!(effect, Effect::NotRun)), of(|effect| matches!(effect, Effect::BaseOnly)), warned)
    }

    #[test]
    fn most_of_the_suite_is_missing_where_a_filter_ran() {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let base = ["a", "b", "c", "d", "e"];
        assert_eq!(missing(&base, run(&["a", "b"])), (strings(&["c", "d", "e"]), vec![], true));
        // Half of the suite or more is there.
        assert_eq!(missing(&base, run(&["a", "b", "c"])), (vec![], strings(&["d", "e"]), false));
        // The suite was renamed.
        assert_eq!(missing(&base, run(&["a", "x"])), (vec![], strings(&["b", "c", "d", "e"]), false));
    }

    #[test]
    fn what_the_tool_skipped_was_not_run() {
        let mut head = run(&["a", "b", "c"]);
        head.failures.skipped = vec![SkippedBenchmark { tool: "t".into(), benchmark: BenchId::new("d") }];
        assert_eq!(missing(&["a", "b", "c", "d", "e"], head), (vec!["d".to_owned()], vec!["e".to_owned()], false));
    }
}
