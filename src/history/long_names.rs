//! Earlier versions stored short benchmark names, without the test case, target, job or parameters, unless another benchmark
//! of the file had the same short name. The series of these runs continue under the long names of current runs.

use super::packages;
use crate::model::{BenchId, Direction, Measurement, Metric, Run, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// How many names were replaced, with the first as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongNames {
    /// Number of benchmarks.
    pub count: usize,
    /// A short name and its long form.
    pub example: (BenchId, BenchId),
}

/// Formats whose names were shorter.
const TOOLS: [&str; 7] =
    ["benchmarkdotnet", "benchmarkdotnet-table", "catch2", "divan", "github-action-benchmark", "go-bench", "jmh-text"];

/// Tools that print a class or package in front of names only if the results have several.
const TOOLS_WITH_OPTIONAL_CLASS: [&str; 2] = ["benchmarkdotnet-table", "jmh-text"];

/// Units of Go's values. Earlier versions read each value in a history of github-action-benchmark as a separate benchmark.
const UNITS_OF_GO: [&str; 3] = ["ns/op", "B/op", "allocs/op"];

/// Names of a format.
type Names = BTreeSet<(String, BenchId)>;

/// The forms of a name that an earlier version may have stored, the likeliest first.
fn earlier_forms(tool: &str, name: &str, before: &Names) -> Vec<String> {
    match tool {
        // Test cases, sections and benchmarks may contain slashes.
        "catch2" | "divan" => name.match_indices('/').map(|(at, _)| name[at + 1..].to_owned()).collect(),
        "benchmarkdotnet" => vec![format!("{name}/job=DefaultJob")],
        // Parameters that were the same in every row were not in a name.
        "benchmarkdotnet-table" => without_classes(name).into_iter().chain(without_parameters(name)).collect(),
        "jmh-text" => without_classes(name),
        // The number of processors was kept where another package of the file had another one.
        "go-bench" => {
            let stem = format!("{name}-");
            let from = (tool.to_owned(), BenchId::new(stem.as_str()));
            let named = before.range(from..).map(|(_, id)| id.as_str()).take_while(|id| id.starts_with(&stem));
            let all: Vec<String> = named
                .filter(|id| id[stem.len()..].bytes().all(|byte| byte.is_ascii_digit()))
                .map(str::to_owned)
                .collect();
            if all.len() == 1 { all } else { Vec::new() }
        }
        "github-action-benchmark" => UNITS_OF_GO.iter().map(|unit| format!("{name} - {unit}")).collect(),
        _ => Vec::new(),
    }
}

/// A name such as `codec.Parser.parse/n=1.5` without some of the packages and classes in front, the longest form first.
fn without_classes(name: &str) -> Vec<String> {
    let end = name.find('/').unwrap_or(name.len());
    name[..end].match_indices('.').map(|(at, _)| name[at + 1..].to_owned()).collect()
}

/// Older names with a class that current results do not have: each with the only current name that it can be.
fn names_without_class<'n>(before: &Names, now: &'n Names) -> Vec<((String, BenchId), &'n BenchId)> {
    let mut found: BTreeMap<&'n BenchId, Vec<(String, BenchId)>> = BTreeMap::new();
    let optional = before.iter().filter(|(tool, _)| TOOLS_WITH_OPTIONAL_CLASS.contains(&tool.as_str()));
    for key in optional.filter(|key| !now.contains(*key)) {
        let forms = without_classes(key.1.as_str()).into_iter().map(|form| (key.0.clone(), BenchId::new(form)));
        let short = forms.filter(|form| !before.contains(form)).find_map(|form| now.get(&form));
        if let Some((_, short)) = short {
            found.entry(short).or_default().push(key.clone());
        }
    }
    found
        .into_iter()
        .filter(|(_, longer)| longer.len() == 1)
        .flat_map(|(short, longer)| longer.into_iter().map(move |one| (one, short)))
        .collect()
}

/// A name such as `Parse/N=100/Kind=a` without some of its parameters, those with the fewest missing first.
fn without_parameters(name: &str) -> Vec<String> {
    /// With more parameters, only the name without any of them is tried.
    const MAX_PARAMETERS: usize = 6;
    let mut parts = name.split('/');
    let method = parts.next().unwrap_or_default();
    let parameters: Vec<&str> = parts.collect();
    if parameters.len() > MAX_PARAMETERS {
        return vec![method.to_owned()];
    }
    let mut kept: Vec<u32> = (0..(1_u32 << parameters.len()) - 1).collect();
    kept.sort_by_key(|kept| std::cmp::Reverse(kept.count_ones()));
    let form = |kept: u32| {
        let parameters = parameters.iter().enumerate().filter(|(at, _)| kept & (1 << at) != 0);
        parameters.fold(method.to_owned(), |name, (_, parameter)| format!("{name}/{parameter}"))
    };
    kept.into_iter().map(form).collect()
}

/// Gives the benchmarks of older runs the names of `current` runs, where a short name has exactly one long form there and is not
/// a current name itself. `is_renamed` is true for names that the config maps.
pub fn adopt_long_names(older: &mut [Run], current: &[Run], is_renamed: impl Fn(&str) -> bool) -> Option<LongNames> {
    // They are matched already.
    let states_packages = packages::states_packages(older) && packages::states_packages(current);
    let names = |runs: &[Run]| -> Names {
        let all = runs.iter().flat_map(|run| &run.measurements);
        let relevant =
            all.filter(|one| TOOLS.contains(&&*one.tool) && !(states_packages && one.tool == packages::TOOL));
        relevant.map(|one| (one.tool.to_string(), one.benchmark.clone())).collect()
    };
    let now = names(current);
    if now.is_empty() {
        return None;
    }
    let before = names(older);
    let is_short = |tool: &str, name: &str| {
        let key = (tool.to_owned(), BenchId::new(name));
        before.contains(&key) && !now.contains(&key) && !is_renamed(name)
    };
    let mut long_forms: BTreeMap<(String, BenchId), Vec<&BenchId>> = BTreeMap::new();
    let has_several_forms = |tool: &str| tool == "github-action-benchmark";
    for (tool, name) in now.iter().filter(|key| has_several_forms(&key.0) || !before.contains(*key)) {
        let forms = earlier_forms(tool, name.as_str(), &before).into_iter().filter(|short| is_short(tool, short));
        for short in forms.take(if has_several_forms(tool) { UNITS_OF_GO.len() } else { 1 }) {
            long_forms.entry((tool.clone(), BenchId::new(short))).or_default().push(name);
        }
    }
    for (key, short) in names_without_class(&before, &now).into_iter().filter(|((_, id), _)| !is_renamed(id.as_str())) {
        long_forms.entry(key).or_default().push(short);
    }
    long_forms.retain(|_, forms| forms.len() == 1);
    let ((_, short), long) = long_forms.first_key_value()?;
    let example = (short.clone(), (*long.first()?).clone());
    let long_form = |measurement: &Measurement| {
        let key = (measurement.tool.to_string(), measurement.benchmark.clone());
        let [long] = long_forms.get(&key)?.as_slice() else { return None };
        Some((*long).clone())
    };
    for run in older.iter_mut() {
        for measurement in run.measurements.iter_mut().filter(|one| has_several_forms(&one.tool)) {
            if measurement.metric.unit == Unit::Count && long_form(measurement).is_some() {
                measurement.metric = Metric::counted("allocations", Unit::Count, Direction::Lower).into();
            }
        }
        run.rename_measurements(|_, measurement| long_form(measurement));
    }
    Some(LongNames { count: long_forms.len(), example })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn run(tool: &'static str, names: &[&str]) -> Run {
        let measurement = |name: &&str| Measurement::new(tool, *name, Metric::time(), Evidence::Value(1.0));
        Run { measurements: names.iter().map(measurement).collect(), ..Run::default() }
    }

    fn adopted(tool: &'static str, older: &[&str], current: &[&str]) -> Vec<String> {
        let mut older = [run(tool, older)];
        adopt_long_names(&mut older, &[run(tool, current)], |name| name == "renamed");
        older[0].measurements.iter().map(|one| one.benchmark.to_string()).collect()
    }

    #[test]
    fn a_short_name_continues_as_its_only_long_form() {
        assert_eq!(adopted("catch2", &["small", "a/b"], &["Parser/small", "Case/a/b"]), ["Parser/small", "Case/a/b"]);
        assert_eq!(adopted("divan", &["a"], &["t/a", "u/a"]), ["a"], "two long forms");
        assert_eq!(adopted("divan", &["a", "t/a"], &["t/a"]), ["a", "t/a"], "the long name existed before");
        assert_eq!(adopted("divan", &["a"], &["t/a", "a"]), ["a"], "the short name exists now");
        assert_eq!(adopted("divan", &["renamed"], &["t/renamed"]), ["renamed"]);
        assert_eq!(adopted("criterion", &["a"], &["t/a"]), ["a"]);
        assert_eq!(adopted("go-bench", &["p/B-8", "p/C/n-8"], &["p/B", "p/C"]), ["p/B", "p/C/n-8"]);
        assert_eq!(adopted("go-bench", &["p/B-2", "p/B-4"], &["p/B"]), ["p/B-2", "p/B-4"]);
        assert_eq!(adopted("benchmarkdotnet", &["M/job=DefaultJob"], &["M"]), ["M"]);
        let action = |older: &[&str], current: &[&str]| adopted("github-action-benchmark", older, current);
        assert_eq!(
            action(&["S/A - ns/op", "S/A - B/op", "S/A", "S/x - y"], &["S/A", "S/x"]),
            ["S/A", "S/A", "S/A", "S/x - y"]
        );
        let jmh = |older: &[&str], current: &[&str]| adopted("jmh-text", older, current);
        assert_eq!(jmh(&["P.f/n=1.5"], &["codec.P.f/n=1.5", "io.R.f/n=1.5"]), ["codec.P.f/n=1.5"]);
        assert_eq!(jmh(&["codec.P.f", "io.R.g"], &["P.f"]), ["P.f", "io.R.g"]);
        assert_eq!(jmh(&["codec.P.f", "io.P.f"], &["P.f"]), ["codec.P.f", "io.P.f"], "two longer names");
        assert_eq!(adopted("benchmarkdotnet-table", &["A/N=1"], &["Codec.A/N=1", "Io.C/N=1"]), ["Codec.A/N=1"]);
        let table = |older: &[&str], current: &[&str]| adopted("benchmarkdotnet-table", older, current);
        assert_eq!(table(&["M/N=1", "M/N=2"], &["M/N=1/K=a", "M/N=2/K=a"]), ["M/N=1/K=a", "M/N=2/K=a"]);
        assert_eq!(table(&["M", "O"], &["M/N=1/K=a", "O/N=1", "O/N=2"]), ["M/N=1/K=a", "O"], "O has two long forms");
    }
}
