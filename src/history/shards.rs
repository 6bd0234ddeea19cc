//! A suite that is run in parts, on several runners at once, leaves several runs of one commit. For judging they are one:
//! shards of one class of machine are joined, as long as no benchmark is in two of them. A shard that comes twice, or a
//! benchmark that is in two, was repeated: that stays a run of its own.

use super::series::machine_class;
use crate::model::{Environment, Measurement, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Joins the shards among runs that are given newest first; each joined run stands where its newest part stood.
pub fn join_shards<K>(runs: Vec<(K, Run)>, ignored: &[&str]) -> Vec<(K, Run)> {
    let mut out: Vec<(K, Run, BTreeSet<String>)> = Vec::new();
    let mut places: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (key, run) in runs {
        let (Some(commit), Some(shard)) = (&run.commit, run.environment.get(Environment::SHARD)) else {
            out.push((key, run, BTreeSet::new()));
            continue;
        };
        let shard = shard.to_owned();
        let places = places.entry((commit.to_string(), machine_class(&run.environment, ignored))).or_default();
        let place = places.iter().copied().find(|place| {
            let (_, whole, shards) = &out[*place];
            !shards.contains(&shard) && !overlap(whole, &run)
        });
        match place {
            Some(place) => {
                let (_, whole, shards) = &mut out[place];
                join(whole, run);
                shards.insert(shard);
            }
            None => {
                places.push(out.len());
                out.push((key, run, BTreeSet::from([shard])));
            }
        }
    }
    out.into_iter().map(|(key, run, _)| (key, run)).collect()
}

/// How many runs they are once they are joined, benchmarks that are in two shards left out of account.
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

/// The facts that all environments agree on. What only some of them say is taken along: it is no disagreement.
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

fn place(measurement: &Measurement) -> (&str, &str, &str) {
    (measurement.benchmark.as_str(), &measurement.metric.name, &measurement.tool)
}

fn overlap(one: &Run, other: &Run) -> bool {
    let there: BTreeSet<_> = one.measurements.iter().map(place).collect();
    other.measurements.iter().any(|measurement| there.contains(&place(measurement)))
}

fn join(whole: &mut Run, part: Run) {
    let names =
        [&whole.environment, &part.environment].map(|e| e.get(Environment::SHARD).unwrap_or_default().to_owned());
    whole.environment = common_facts([&whole.environment, &part.environment]);
    whole.environment.set(Environment::SHARD, names.join(", "));
    whole.unreadable.extend(part.unreadable);
    whole.measurements.extend(part.measurements);
    whole.measurements.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
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
    fn the_shards_of_a_commit_are_one_run() {
        let runs = vec![run(2, "x", "b", &["d", "a"]), run(2, "x", "a", &["c"]), run(1, "x", "a", &["c"])];
        assert_eq!(count_joined(&runs, &[]), 2);
        let joined = join_shards(runs, &[]);
        assert_eq!(joined.len(), 2);
        assert_eq!(names(&joined[0].1), ["a", "c", "d"]);
        assert_eq!(joined[0].1.environment.get("shard"), Some("b, a"));
        assert_eq!(joined[0].1.environment.get("runner"), None, "the two do not agree on it");
        assert_eq!(joined[0].1.environment.get("cpu"), Some("x"));
    }

    #[test]
    fn what_is_measured_twice_or_elsewhere_stays_apart() {
        // A shard again, a benchmark in two shards, another machine, and no shard at all.
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
    fn a_matrix_that_ran_twice_is_two_runs() {
        let runs: Vec<_> = ["a", "b", "a", "b"].iter().map(|shard| run(1, "x", shard, &[*shard])).collect();
        assert_eq!(count_joined(&runs, &[]), 2);
        let joined = join_shards(runs, &[]);
        assert_eq!(joined.iter().map(|(_, run)| names(run)).collect::<Vec<_>>(), [["a", "b"], ["a", "b"]]);
    }
}
