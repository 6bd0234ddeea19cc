//! Finds pairs that cannot be compared because base and head were measured with different settings: those of the sampling, and
//! those stated in the results.

use super::comparable::{self, Sampling};
use super::pairs::Pair;
use crate::model::{Environment, Run, is_other_condition, is_speed_of_machine};
use std::collections::BTreeMap;

/// Finds the pairs whose sides were measured with different settings.
pub(super) fn check(pairs: &mut [Pair<'_>], base: &[Run], head: &[Run]) {
    check_sampling(pairs);
    if [base, head].into_iter().all(|side| side.iter().any(|run| run.environment.has_conditions())) {
        pairs.iter_mut().for_each(|pair| check_stated(pair, base, head));
    }
}

/// Compares the sampling of times. The other measured metrics of a benchmark come from the same samples, so they are not
/// comparable either.
fn check_sampling(pairs: &mut [Pair<'_>]) {
    let mut suites: BTreeMap<&str, Vec<[Sampling; 2]>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.iterations.iter().all(Option::is_some)) {
        if let Some(sampling) = pair.sampling() {
            suites.entry(&pair.measurement.tool).or_default().push(sampling);
        }
    }
    let limits: BTreeMap<String, f64> =
        suites.into_iter().map(|(tool, suite)| (tool.to_owned(), comparable::iterations_limit(&suite))).collect();
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    for pair in pairs.iter() {
        let tool = &*pair.measurement.tool;
        let limit = limits.get(tool).copied().unwrap_or(f64::INFINITY);
        if let Some(why) = pair.sampling().and_then(|sampling| comparable::other_settings(tool, sampling, limit)) {
            found.insert((pair.benchmark.to_string(), tool.to_owned()), why);
        }
    }
    if found.is_empty() {
        return;
    }
    for pair in pairs.iter_mut().filter(|pair| pair.is_shared() && !pair.metric.exact) {
        let key = (pair.benchmark.to_string(), pair.measurement.tool.to_string());
        pair.other_settings = found.get(&key).cloned();
    }
}

/// Compares the settings stated in the results. Base runs with other settings than head are left out, unless all of them have
/// other settings.
fn check_stated(pair: &mut Pair<'_>, base: &[Run], head: &[Run]) {
    if pair.metric.exact || !pair.is_shared() {
        return;
    }
    let Some(head) = pair.head().last().and_then(|newest| head.get(newest.run)) else { return };
    let mut other: Vec<(usize, String)> = Vec::new();
    let mut runs: Vec<usize> = pair.base().iter().map(|one| one.run).collect();
    runs.dedup();
    for run in &runs {
        let differs = base.get(*run).and_then(|base| difference(pair, &base.environment, &head.environment));
        other.extend(differs.map(|why| (*run, why)));
    }
    if other.len() < runs.len() {
        pair.leave_out(&other.into_iter().map(|(run, _)| run).collect::<Vec<_>>());
    } else if let Some((_, why)) = other.pop() {
        pair.other_settings.get_or_insert(why);
    }
}

/// The settings of a benchmark that make two runs incomparable.
fn difference(pair: &Pair<'_>, base: &Environment, head: &Environment) -> Option<String> {
    let tool = &*pair.measurement.tool;
    let of_one = |setting: &str| {
        let names = [&*pair.benchmark].into_iter().chain(pair.old_names.iter().copied());
        let (base, head) =
            (base.condition_of_any(tool, setting, names.clone())?, head.condition_of_any(tool, setting, names)?);
        is_other_condition(setting, base, head)
            .then(|| format!("{} {base} in base, {head} in head", setting.replace('-', " ")))
    };
    let differing = |of_machine: bool| {
        let settings = head.conditions_of(tool).map(|(setting, _)| setting);
        let all: Vec<String> =
            settings.filter(|setting| is_speed_of_machine(setting) == of_machine).filter_map(of_one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let settings = differing(false)
        .map(|all| format!("measured with different settings: {all}; re-measure both with the same settings"));
    let machines =
        differing(true).map(|all| format!("the machines differ in speed: {all}; re-measure both on one machine"));
    let all: Vec<String> = [settings, machines].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}
