//! Measurement settings stated in result files: the number of threads or connections, the time of an iteration. They are stored
//! as facts of the environment: `wrk:connections` for all benchmarks of a tool, and `wrk:connections of /search` for a benchmark
//! with another value.

use super::{BenchId, Environment};
use std::collections::BTreeMap;

/// The job of BenchmarkDotNet, which names a set of settings. Many are generated ids, so they are not compared.
pub const JOB: &str = "job";

/// Separates the setting from the benchmark in the key of a fact.
const OF: &str = " of ";

/// At most this many benchmarks of a setting have a fact of their own. A run stores at most 1,000 facts.
const MAX_EXCEPTIONS: usize = 100;

/// Maximum number of facts of single benchmarks in a run that several files were merged into.
const MAX_MERGED_EXCEPTIONS: usize = 500;

/// The settings of the benchmarks of a tool: by setting, then by benchmark.
#[derive(Debug, Default)]
pub struct Settings(BTreeMap<&'static str, BTreeMap<String, String>>);

impl Settings {
    /// Adds a setting of a benchmark, such as the number of threads. Several values of one benchmark are joined.
    pub fn add(&mut self, benchmark: &str, setting: &'static str, value: impl ToString) {
        let value = value.to_string();
        let known = self.0.entry(setting).or_default().entry(benchmark.to_owned()).or_default();
        if known.is_empty() {
            *known = value;
        } else if known.split(", ").all(|one| one != value) {
            *known = format!("{known}, {value}");
        }
    }
}

impl Environment {
    /// Sets the facts for the settings of a tool's benchmarks: the most frequent value for all, and the exceptions. Nothing is
    /// set if there are too many exceptions.
    pub fn set_conditions(&mut self, tool: &str, settings: Settings) {
        for (setting, by_benchmark) in settings.0 {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            by_benchmark.values().for_each(|value| *counts.entry(value).or_default() += 1);
            let Some(common) = counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value.to_owned())
            else {
                continue;
            };
            let exceptions: Vec<_> = by_benchmark.into_iter().filter(|(_, value)| *value != common).collect();
            if exceptions.len() > MAX_EXCEPTIONS {
                continue;
            }
            let key = format!("{tool}:{setting}");
            for (benchmark, value) in exceptions {
                self.set(&format!("{key}{OF}{benchmark}"), value);
            }
            self.set(&key, common);
        }
    }

    /// The settings that apply to all benchmarks of a tool, with their values.
    pub fn conditions_of<'a>(&'a self, tool: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let start = format!("{tool}:");
        let facts = self.0.range(start.clone()..);
        let facts = facts.map_while(move |(key, value)| Some((key.strip_prefix(&start)?, value.as_str())));
        facts.filter(|(setting, _)| !setting.contains(OF))
    }

    /// The value of a setting for one benchmark of a tool.
    pub fn condition(&self, tool: &str, setting: &str, benchmark: &str) -> Option<&str> {
        self.condition_of_any(tool, setting, [benchmark].into_iter())
    }

    /// The same for a benchmark that may have one of several names here.
    pub fn condition_of_any<'n>(
        &self,
        tool: &str,
        setting: &str,
        mut names: impl Iterator<Item = &'n str>,
    ) -> Option<&str> {
        let of_one = names.find_map(|name| self.get(&format!("{tool}:{setting}{OF}{name}")));
        of_one.or_else(|| self.get(&format!("{tool}:{setting}")))
    }

    /// Gives the settings of single benchmarks the new names of their benchmarks. `renamed`: by tool and old name.
    pub fn rename_conditions(&mut self, renamed: &BTreeMap<(String, String), BenchId>) {
        let new_key = |key: &str| {
            let (tool, setting) = key.split_once(':')?;
            let (setting, benchmark) = setting.split_once(OF)?;
            let new = renamed.get(&(tool.to_owned(), benchmark.to_owned()))?;
            Some(format!("{tool}:{setting}{OF}{new}"))
        };
        let keys = self.0.keys().filter(|_| !renamed.is_empty());
        let keys: Vec<(String, String)> = keys.filter_map(|old| Some((old.clone(), new_key(old)?))).collect();
        // All old keys first: one may be the new key of another.
        let moved: Vec<(String, String)> =
            keys.into_iter().filter_map(|(old, new)| Some((new, self.0.remove(&old)?))).collect();
        self.0.extend(moved);
    }

    /// True if a fact is a setting of a single benchmark.
    pub fn is_condition_of_benchmark(key: &str) -> bool {
        key.split_once(':').is_some_and(|(_, setting)| setting.contains(OF))
    }

    /// True if any fact is a setting of a measurement.
    pub fn has_conditions(&self) -> bool {
        self.0.keys().any(|key| key.contains(':'))
    }

    /// Adds the settings of other results of the same run. If a setting of all benchmarks has another value here, it
    /// becomes a setting of each of those benchmarks. Beyond [`MAX_MERGED_EXCEPTIONS`], a benchmark keeps the value
    /// that applies to all.
    pub fn merge_conditions<'a>(&mut self, other: &Environment, benchmarks: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut exceptions = self.0.keys().filter(|key| Self::is_condition_of_benchmark(key)).count();
        for (tool, benchmark) in benchmarks {
            for (setting, value) in other.conditions_of(tool) {
                let value = other.condition(tool, setting, benchmark).unwrap_or(value);
                if exceptions >= MAX_MERGED_EXCEPTIONS {
                    return;
                }
                if self.get(&format!("{tool}:{setting}")).is_some_and(|common| common != value) {
                    self.set(&format!("{tool}:{setting}{OF}{benchmark}"), value);
                    exceptions += 1;
                }
            }
        }
    }
}

/// True if two values of a setting are so different that results are not comparable.
pub fn is_other_condition(setting: &str, base: &str, head: &str) -> bool {
    if base == head {
        return false;
    }
    let limit = match setting {
        // The amount of measuring. The limit is the same as for the number and the length of samples.
        "forks" | "iterations" | "iteration-time" | "warmup-iterations" | "warmup-time" => 9.99,
        // Benchmarks are matched by them.
        Environment::PACKAGE | JOB => return false,
        // It differs from run to run.
        _ if is_speed_of_machine(setting) => 2.0,
        _ => return true,
    };
    match (amount(base), amount(head)) {
        (Some(base), Some(head)) => base.max(head) >= limit * base.min(head),
        _ => true,
    }
}

/// True for a speed of the machine that the tool measured, which is not a setting.
pub fn is_speed_of_machine(fact: &str) -> bool {
    fact == "benchmark-index"
}

/// True if a difference of this setting is worth a warning.
pub fn is_notable_condition(key: &str) -> bool {
    let fact = key.split_once(':').map_or("", |(_, fact)| fact);
    let is_setting = !is_speed_of_machine(fact) && fact != Environment::PACKAGE && fact != JOB;
    is_setting && !Environment::is_condition_of_benchmark(key)
}

/// A number, with or without a unit of time.
fn amount(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let factor = if unit.is_empty() { 1.0 } else { super::Unit::parse(unit)?.factor };
    number.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(settings: &[(&str, &str)]) -> Environment {
        let (mut environment, mut all) = (Environment::default(), Settings::default());
        settings.iter().for_each(|(benchmark, value)| all.add(benchmark, "threads", value));
        environment.set_conditions("jmh", all);
        environment
    }

    #[test]
    fn the_most_frequent_value_is_stored_once_and_others_per_benchmark() {
        let made = environment(&[("a", "1"), ("b", "8"), ("c", "1")]);
        let keys: Vec<&str> = made.0.keys().map(String::as_str).collect();
        assert_eq!(keys, ["jmh:threads", "jmh:threads of b"]);
        let value = |benchmark| made.condition("jmh", "threads", benchmark);
        assert_eq!((value("a"), value("b")), (Some("1"), Some("8")));
        assert_eq!(made.conditions_of("jmh").collect::<Vec<_>>(), [("threads", "1")]);
        assert_eq!(made.conditions_of("jm").count(), 0);
        assert!(Environment::is_condition_of_benchmark("jmh:threads of b"));
        assert!(!Environment::is_condition_of_benchmark("jmh:threads"));
    }

    #[test]
    fn settings_follow_their_benchmarks_to_new_names() {
        let mut made = environment(&[("a", "1"), ("b", "8"), ("c", "4"), ("d", "1")]);
        let renamed = |tool: &str, old: &str, new: &str| ((tool.to_owned(), old.to_owned()), BenchId::new(new));
        made.rename_conditions(&BTreeMap::from([renamed("jmh", "b", "c"), renamed("jmh", "c", "b of c")]));
        let value = |names: &[&'static str]| made.condition_of_any("jmh", "threads", names.iter().copied());
        assert_eq!((value(&["c"]), value(&["b of c"]), value(&["b"])), (Some("8"), Some("4"), Some("1")));
        assert_eq!((value(&["x", "c"]), value(&["x"]), value(&[])), (Some("8"), Some("1"), Some("1")));
        made.rename_conditions(&BTreeMap::from([renamed("other", "c", "x")]));
        assert_eq!(made.0.len(), 3, "{made:?}");
    }

    #[test]
    fn files_of_one_run_keep_their_own_settings() {
        let mut one = environment(&[("a", "1")]);
        one.merge_conditions(&environment(&[("b", "8")]), [("jmh", "b")].into_iter());
        let value = |benchmark| one.condition("jmh", "threads", benchmark);
        assert_eq!((value("a"), value("b")), (Some("1"), Some("8")));
    }

    #[test]
    fn merged_files_add_a_limited_number_of_facts() {
        let mut one = environment(&[("a", "1")]);
        let other = environment(&[("b", "8")]);
        let names: Vec<String> = (0..600).map(|index| format!("b{index}")).collect();
        one.merge_conditions(&other, names.iter().map(|name| ("jmh", name.as_str())));
        assert_eq!(one.0.len(), 1 + MAX_MERGED_EXCEPTIONS);
    }

    #[test]
    fn load_must_be_equal_and_the_amount_measured_similar() {
        assert!(is_other_condition("connections", "5", "50") && is_other_condition("connections", "5", "6"));
        assert!(!is_other_condition("forks", "2", "1") && is_other_condition("forks", "1", "0"));
        assert!(is_other_condition("iteration-time", "1 s", "10 ms"));
        assert!(!is_other_condition("iteration-time", "1 s", "2 s"));
        assert!(
            !is_other_condition("warmup-iterations", "0", "0") && is_other_condition("warmup-iterations", "5", "0")
        );
        assert!(!is_other_condition("job", "Job-ABCDEF", "Job-FEDCBA") && !is_notable_condition("benchmarkdotnet:job"));
        assert!(is_other_condition("benchmark-index", "1893", "400"));
        assert!(!is_other_condition("benchmark-index", "1893", "1600"));
    }
}
