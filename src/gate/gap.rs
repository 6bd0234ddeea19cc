//! What runs of other machine classes show about the commits between a base and the commit that head started from: a benchmark
//! that got slower there may look like head's regression.

use super::side::KeyedRun;
use crate::history::machine_class;
use crate::model::{Commit, Metric, Run};
use crate::policy::Policy;
use crate::stats::centre;
use std::collections::{BTreeMap, BTreeSet};

/// A change of at least this share of the threshold may, together with noise, look like a regression.
const SHARE_OF_THRESHOLD: f64 = 0.5;
/// Number of newest runs on each side of the gap.
const RUNS: usize = 5;

/// The values of each metric, by tool, current name of the benchmark, and name of the metric.
type Values<'r> = BTreeMap<(&'r str, String, &'r str), (&'r Metric, Vec<f64>)>;

/// The benchmarks and metrics that another machine class measured on both sides of the gap, and that none shows to be worse after
/// it. `is_older`: of the base or before it; `is_newer`: of the commit that head started from, or later.
pub(super) fn not_worse_elsewhere(
    elsewhere: &[KeyedRun],
    is_older: impl Fn(&Commit) -> bool,
    is_newer: impl Fn(&Commit) -> bool,
    policy: &Policy,
) -> BTreeSet<(String, String)> {
    let mut classes: BTreeMap<String, [Vec<&Run>; 2]> = BTreeMap::new();
    for (key, run) in elsewhere {
        let Some(commit) = key.commit() else { continue };
        let [older, newer] = classes.entry(machine_class(&run.environment, policy.ignored_environment())).or_default();
        if is_older(commit) {
            older.push(run);
        } else if is_newer(commit) {
            newer.push(run);
        }
    }
    let (mut calm, mut worse) = (BTreeSet::new(), BTreeSet::new());
    for [older, newer] in classes.into_values() {
        let older = values(&older, policy);
        for (key, (metric, new)) in values(&newer, policy) {
            let Some((_, old)) = older.get(&key) else { continue };
            let (_, name, of_metric) = key;
            let threshold = policy.bounds(&name, metric).threshold.unwrap_or(policy.gate_threshold());
            let direction = policy.direction(&name, metric).unwrap_or(metric.direction);
            let by = direction.worse(centre::median(&new) / centre::median(old) - 1.0);
            let list = if by <= SHARE_OF_THRESHOLD * threshold { &mut calm } else { &mut worse };
            list.insert((name, of_metric.to_owned()));
        }
    }
    calm.retain(|one| !worse.contains(one));
    calm
}

fn values<'r>(newest_first: &[&'r Run], policy: &Policy) -> Values<'r> {
    let mut all = Values::new();
    for run in newest_first.iter().take(RUNS) {
        for one in &run.measurements {
            let old = one.benchmark.as_str();
            let key = (&*one.tool, policy.rename(old).unwrap_or_else(|| old.to_owned()), &*one.metric.name);
            let values = one.evidence.iter().map(|evidence| evidence.centre()).filter(|value| value.is_finite());
            all.entry(key).or_insert_with(|| (&*one.metric, Vec::new())).1.extend(values);
        }
    }
    all.retain(|_, (_, values)| !values.is_empty());
    all
}
