//! Names of benchmarks that several machine classes measured. Each class has its own row, under a name with the class, and the config
//! is matched with the name of the benchmark.

use crate::compare::{Comparison, MatchRules};
use crate::model::{BenchId, ClassBenchmark, Direction, EndScope, Metric, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The benchmarks that several classes measured: by current name, the tools that measured them.
pub(super) type SharedBenchmarks = BTreeMap<String, BTreeSet<String>>;

/// The names that benchmarks get if several machine classes measured them.
#[derive(Debug, Clone, Default)]
pub(super) struct ClassNames {
    shared: SharedBenchmarks,
    /// The benchmark and the machine class of each name that contains a class.
    rows: HashMap<BenchId, ClassBenchmark>,
}

impl ClassNames {
    /// Names for benchmarks that several classes measured.
    pub fn of(shared: SharedBenchmarks) -> ClassNames {
        ClassNames { shared, rows: HashMap::new() }
    }

    /// Adds the class to the name of each shared benchmark of a run.
    pub fn add_class(&mut self, run: &mut Run, class: &str, current: impl Fn(&str) -> String) {
        let ClassNames { shared, rows } = self;
        let mut rename = |name: &mut BenchId, tool: Option<&str>| {
            let benchmark = current(name.as_str());
            if shared.get(&benchmark).is_some_and(|tools| tool.is_none_or(|tool| tools.contains(tool))) {
                *name = BenchId::new(format!("{benchmark} [{class}]"));
                let per_class = ClassBenchmark { benchmark: benchmark.into(), machine_class: class.into() };
                rows.entry(name.clone()).or_insert(per_class);
            }
        };
        run.rename_measurements(|_, one| {
            let mut name = one.benchmark.clone();
            rename(&mut name, Some(&one.tool));
            (name != one.benchmark).then_some(name)
        });
        run.failures.benchmarks.iter_mut().for_each(|one| rename(&mut one.benchmark, Some(&one.tool)));
        run.failures.skipped.iter_mut().for_each(|one| rename(&mut one.benchmark, Some(&one.tool)));
        for end in &mut run.failures.early_ends {
            if let EndScope::Benchmark(name) = &mut end.scope {
                let mut id = BenchId::new(name.as_str());
                rename(&mut id, Some(&end.tool));
                *name = id.to_string();
            }
        }
        run.unreadable.iter_mut().for_each(|name| rename(name, None));
        for (mut name, version) in std::mem::take(&mut run.versions) {
            rename(&mut name, None);
            run.versions.insert(name, version);
        }
    }

    /// True for a name with a class.
    pub fn has_class(&self, name: &str) -> bool {
        self.rows.contains_key(name)
    }

    /// The benchmark's own name.
    pub fn benchmark<'n>(&'n self, name: &'n str) -> &'n str {
        self.rows.get(name).map_or(name, |one| &one.benchmark)
    }

    /// Sets `per_class` of each comparison of a shared benchmark.
    pub fn set_per_class(&self, comparisons: &mut [Comparison]) {
        for comparison in comparisons.iter_mut().filter(|_| !self.rows.is_empty()) {
            comparison.per_class = self.rows.get(&comparison.benchmark).cloned().map(Box::new);
        }
    }

    /// Rules that apply to the benchmark's own name.
    pub fn rules<R: MatchRules>(&self, rules: R) -> ClassRules<'_, R> {
        ClassRules { rules, names: self }
    }
}

/// Rules that apply to the benchmark's own name.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassRules<'a, R> {
    rules: R,
    names: &'a ClassNames,
}

impl<R: MatchRules> MatchRules for ClassRules<'_, R> {
    fn current_name(&self, old: &str) -> Option<String> {
        // A name with a class is a current one.
        if self.names.has_class(old) { None } else { self.rules.current_name(old) }
    }

    fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        self.rules.direction(self.names.benchmark(benchmark), metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EarlyEnd, FailedBenchmark, SkippedBenchmark};

    #[test]
    fn all_that_a_run_reports_of_a_shared_benchmark_gets_the_class() {
        let id = BenchId::new("a");
        let mut run = Run { unreadable: vec![id.clone(), BenchId::new("b")], ..Run::default() };
        run.versions.insert(id.clone(), "2".into());
        let tool = || "t".into();
        run.failures.benchmarks.push(FailedBenchmark { tool: tool(), benchmark: id.clone(), why: String::new() });
        run.failures.skipped.push(SkippedBenchmark { tool: "other".into(), benchmark: id });
        let scope = EndScope::Benchmark("old".to_owned());
        run.failures.early_ends.push(EarlyEnd { tool: tool(), scope, why: String::new() });
        let shared = SharedBenchmarks::from([("a".to_owned(), BTreeSet::from(["t".to_owned()]))]);
        let current = |name: &str| if name == "old" { "a".to_owned() } else { name.to_owned() };
        let mut names = ClassNames::of(shared);
        names.add_class(&mut run, "ARM", current);
        let with_class = BenchId::new("a [ARM]");
        assert_eq!(run.unreadable, [with_class.clone(), BenchId::new("b")]);
        assert_eq!(run.versions.keys().collect::<Vec<_>>(), [&with_class]);
        assert_eq!(run.failures.benchmarks[0].benchmark, with_class);
        assert_eq!(run.failures.skipped[0].benchmark.as_str(), "a", "of another tool");
        assert_eq!(run.failures.early_ends[0].scope, EndScope::Benchmark("a [ARM]".to_owned()));
        assert_eq!((names.benchmark("a [ARM]"), names.benchmark("b")), ("a", "b"));
        let rules = names.rules(|name: &str| Some(format!("new {name}")));
        assert_eq!((rules.current_name("a [ARM]"), rules.current_name("b")), (None, Some("new b".to_owned())));
    }
}
