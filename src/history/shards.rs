//! Joins shards: the parts of a suite that several runners measured at one commit. Shards of one machine class become one
//! run. A repeated shard, or one with a benchmark that another shard has too, stays a run of its own.

use super::series::machine_class;
use crate::model::{Environment, Measurement, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Joins the shards among runs that are given newest first; a joined run takes the position of its newest shard.
pub fn join_shards<K>(runs: Vec<(K, Run)>, ignored: &[&str]) -> Vec<(K, Run)> {
    let mut out: Vec<(K, Run, BTreeSet<String>)> = Vec::new();
    let mut positions: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (key, run) in runs {
        let (Some(commit), Some(shard)) = (&run.commit, run.environment.get(Environment::SHARD)) else {
            out.push((key, run, BTreeSet::new()));
            continue;
        };
        let shard = shard.to_owned();
        let positions = positions.entry((commit.to_string(), machine_class(&run.environment, ignored))).or_default();
        let position = positions.iter().copied().find(|position| {
            let (_, whole, shards) = &out[*position];
            !shards.contains(&shard) && !overlap(whole, &run)
        });
        match position {
            Some(position) => {
                let (_, whole, shards) = &mut out[position];
                join(whole, run);
                shards.insert(shard);
            }
            None => {
                positions.push(out.len());
                out.push((key, run, BTreeSet::from([shard])));
            }
        }
    }
    out.into_iter().map(|(key, run, _)| (key, run)).collect()
}

/// Number of runs after joining, without checking for benchmarks in two shards.
pub fn count_joined<K>(runs: &[(K, Run)], ignored: &[&str]) -> usize {
    let mut shards: BTreeMap<(&str, String), BTreeMap<&str, usize>> = BTreeMap::new();
    let mut single = 0;
    for (_, run) in runs {
        match (&run.commit, run.environment.get(Environment::SHARD)) {
            (Some(commit), Some(shard)) => {
                let kind = (commit.as_str(), machine_class(&run.environment, ignored));
                *shards.entry(kind).or_default().entry(shard).or_default() += 1;
            }
            _ => single += 1,
        }
    }
    single + shards.values().filter_map(|counts| counts.values().max()).sum::<usize>()
}

/// The facts on which all environments agree, including those that only some of them have. Of different values of
/// [`Environment::DIRTY`], the first is kept.
pub fn common_facts<'a>(environments: impl IntoIterator<Item = &'a Environment>) -> Environment {
    let mut common: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (key, value) in environments.into_iter().flat_map(|environment| &environment.0) {
        let known = common.entry(key).or_insert(Some(value));
        if *known != Some(value) && key != Environment::DIRTY {
            *known = None;
        }
    }
    let facts = common.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
    Environment(facts.collect())
}

fn key(measurement: &Measurement) -> (&str, &str, &str) {
    (measurement.benchmark.as_str(), &measurement.metric.name, &measurement.tool)
}

fn overlap(one: &Run, other: &Run) -> bool {
    let there: BTreeSet<_> = one.measurements.iter().map(key).collect();
    other.measurements.iter().any(|measurement| there.contains(&key(measurement)))
}

fn join(whole: &mut Run, part: Run) {
    let names =
        [&whole.environment, &part.environment].map(|e| e.get(Environment::SHARD).unwrap_or_default().to_owned());
    whole.environment = common_facts([&whole.environment, &part.environment]);
    whole.environment.set(Environment::SHARD, names.join(", "));
    whole.failures.extend(part.failures);
    whole.unreadable.extend(part.unreadable);
    whole.versions.extend(part.versions);
    whole.measurements.extend(part.measurements);
    whole.measurements.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Commit, Evidence, Metric};

    fn run(commit: u32, cpu: &str, shard: &str, benchmarks: &[&str]) -> (u32, Run) {
        let mut environment = Environment::default();
        environment.set(Environment::CPU, cpu);
        environment.set(Environment::SHARD, shard);
        environment.set(Environment::RUNNER, format!("runner of {shard}"));
        let measured = |name: &&str| Measurement::new("criterion", *name, Metric::time(), Evidence::Value(1.0));
        let measurements = benchmarks.iter().map(measured).collect();
        (commit, Run { commit: Commit::parse(&format!("{commit:040x}")), environment, measurements, ..Run::default() })
    }

    fn names(run: &Run) -> Vec<&str> {
        run.measurements.iter().map(|measurement| measurement.benchmark.as_str()).collect()
    }

    #[test]
    fn shards_of_a_commit_become_one_run() {
        let runs = vec![run(2, "x", "b", &["d", "a"]), run(2, "x", "a", &["c"]), run(1, "x", "a", &["c"])];
        assert_eq!(count_joined(&runs, &[]), 2);
        let joined = join_shards(runs, &[]);
        assert_eq!(joined.len(), 2);
        assert_eq!(names(&joined[0].1), ["a", "c", "d"]);
        assert_eq!(joined[0].1.environment.get("shard"), Some("b, a"));
        assert_eq!(joined[0].1.environment.get("runner"), None, "the shards disagree");
        assert_eq!(joined[0].1.environment.get("cpu"), Some("x"));
    }

    #[test]
    fn repeated_and_unrelated_shards_stay_separate() {
        // A repeated shard, a benchmark in two shards, another machine, no shard, another commit.
        for other in [
            run(1, "x", "a", &["d"]),
            run(1, "x", "b", &["c", "d"]),
            run(1, "y", "b", &["d"]),
            run(1, "x", "", &["d"]),
            run(2, "x", "b", &["d"]),
        ] {
            let joined = join_shards(vec![run(1, "x", "a", &["c"]), other], &[]);
            assert_eq!(joined.len(), 2, "{joined:?}");
        }
    }

    #[test]
    fn a_matrix_run_twice_is_two_runs() {
        let runs: Vec<_> = ["a", "b", "a", "b"].iter().map(|shard| run(1, "x", shard, &[*shard])).collect();
        assert_eq!(count_joined(&runs, &[]), 2);
        let joined = join_shards(runs, &[]);
        assert_eq!(joined.iter().map(|(_, run)| names(run)).collect::<Vec<_>>(), [["a", "b"], ["a", "b"]]);
    }
}
