//! Matches names that JMH prints without the package that all results share. The log states the package, so results of classes with
//! the same name in two packages are distinguished.

use crate::model::{BenchId, Environment, Run};
use std::collections::{BTreeMap, BTreeSet};

/// The tool whose names have no package.
pub const TOOL: &str = "jmh-text";

/// Gives the benchmarks of older runs the names that the same methods have in `current` runs. A benchmark of another package
/// gets its whole name if a current one has the same short name. Only runs that state their packages are matched.
pub fn match_packages(older: &mut [Run], current: &[Run]) {
    let all = current.iter().flat_map(|run| whole_names(run).into_iter().flatten());
    let now: BTreeMap<String, BenchId> = all.map(|(short, whole)| (whole, short)).collect();
    if now.is_empty() {
        return;
    }
    let short_names: BTreeSet<&BenchId> = now.values().collect();
    for run in older {
        let Some(names) = whole_names(run) else { continue };
        run.rename_measurements(|_, measurement| {
            let name = Some(&measurement.benchmark).filter(|_| measurement.tool == TOOL)?;
            let whole = names.get(name)?;
            let is_other = short_names.contains(name);
            now.get(whole).cloned().or_else(|| is_other.then(|| BenchId::new(whole.as_str())))
        });
    }
}

/// True if all of these results of JMH state their packages.
pub fn states_packages(runs: &[Run]) -> bool {
    runs.iter().all(|run| whole_names(run).is_some())
}

/// The names of a run with their packages; `None` if it does not state one of them.
fn whole_names(run: &Run) -> Option<BTreeMap<BenchId, String>> {
    let benchmarks = run.measurements.iter().filter(|one| one.tool == TOOL).map(|one| &one.benchmark);
    let whole = |name: &BenchId| {
        let package = run.environment.condition(TOOL, Environment::PACKAGE, name.as_str())?;
        let whole = if package == "(none)" { name.to_string() } else { format!("{package}.{name}") };
        Some((name.clone(), whole))
    };
    benchmarks.map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Measurement, Metric};

    fn run(package: &str, names: &[&str]) -> Run {
        let measurement = |name: &&str| Measurement::new(TOOL, *name, Metric::time(), Evidence::Value(1.0));
        let mut run = Run { measurements: names.iter().map(measurement).collect(), ..Run::default() };
        run.environment.set("jmh-text:package", package);
        run
    }

    fn matched(older: Run, current: Run) -> Vec<String> {
        let mut older = [older];
        match_packages(&mut older, &[current]);
        older[0].measurements.iter().map(|one| one.benchmark.to_string()).collect()
    }

    #[test]
    fn names_are_matched_by_package_class_and_method() {
        assert_eq!(matched(run("x.codec", &["P.f"]), run("x", &["codec.P.f", "io.P.f"])), ["codec.P.f"]);
        assert_eq!(matched(run("x", &["codec.P.f", "io.P.f"]), run("x.io", &["P.f"])), ["codec.P.f", "P.f"]);
        assert_eq!(matched(run("x.codec", &["P.f"]), run("x.io", &["P.f"])), ["x.codec.P.f"], "another package");
        assert_eq!(matched(run("x.codec", &["P.f", "P.g"]), run("x.codec", &["P.f"])), ["P.f", "P.g"]);
        assert_eq!(matched(run("", &["P.f"]), run("x.io", &["P.f"])), ["P.f"], "its package is unknown");
    }
}
