//! Sides whose runs come from several kinds of machine, as a matrix leaves them. What two machines measured is never
//! pooled: it is judged for each by itself, or that of the other machines is left out, and both are said.

use super::side::{MissingBaseline, Scene, Side};
use crate::history::{common, machine};
use crate::model::{BenchId, Detail, Diagnostic, Environment, Run, differences};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of machine that a side's runs say they come from.
fn kinds(side: &Side, ignored: &[&str]) -> BTreeMap<String, Environment> {
    let known = side.runs.iter().map(|run| (machine(&run.environment, ignored), &run.environment));
    known.filter(|(name, _)| !name.is_empty()).map(|(name, environment)| (name, environment.clone())).collect()
}

fn comparable(run: &Run, with: &Environment, ignored: &[&str]) -> bool {
    differences(&run.environment, with, ignored).iter().all(|difference| !difference.decisive)
}

/// The stored runs of the merge base for every kind of machine that a stored head has.
pub fn bases(scene: &Scene<'_>, head: &Side, detail: Detail) -> anyhow::Result<Side> {
    let ignored = scene.config.policy.ignored_environment();
    let mut kinds: Vec<Environment> = kinds(head, ignored).into_values().collect();
    kinds.iter_mut().for_each(|kind| drop(kind.0.remove(Environment::SHARD))); // a stored head is whole
    if kinds.len() < 2 {
        let mut one = kinds.pop().or_else(|| head.environment.clone()).unwrap_or_default();
        one.0.remove(Environment::SHARD);
        return scene.read_merge_base(&one, detail);
    }
    let mut whole: Option<Side> = None;
    let mut missing = None;
    for kind in kinds {
        let mut side = match scene.read_merge_base(&kind, detail) {
            Err(error) if error.is::<MissingBaseline>() => {
                missing = Some(error);
                continue;
            }
            side => side?,
        };
        // Where this kind has no runs, those of the others stand in, which come by themselves.
        side.runs.retain(|run| comparable(run, &kind, ignored));
        if side.runs.is_empty() {
            continue;
        }
        side.diagnostics.retain(|diagnostic| diagnostic.code != "other-machines");
        match &mut whole {
            None => whole = Some(side),
            Some(whole) => {
                whole.runs.extend(side.runs);
                side.diagnostics.retain(|diagnostic| !whole.diagnostics.contains(diagnostic));
                whole.diagnostics.extend(side.diagnostics);
            }
        }
    }
    let mut whole = match (whole, missing) {
        (Some(whole), _) => whole,
        (None, Some(missing)) => return Err(missing),
        (None, None) => {
            let message = "no stored run of the merge base was made on one of the head's machines";
            return Err(MissingBaseline(message.to_owned()).into());
        }
    };
    whole.report.runs = whole.runs.len();
    Ok(whole)
}

/// Sees to it that nothing is compared that two kinds of machine measured. Where one side knows but one kind, the other
/// kinds of the other side are left out; where both know several, benchmarks that more than one of them measured get the
/// machine into their name.
pub fn part(base: &mut Side, head: &mut Side, ignored: &[&str], rename: impl Fn(&str) -> Option<String>) {
    let (of_base, of_head) = (kinds(base, ignored), kinds(head, ignored));
    if of_base.len() < 2 && of_head.len() < 2 {
        return;
    }
    if of_base.len() < 2 {
        return keep(head, base.environment.as_ref(), ignored);
    }
    if of_head.len() < 2 {
        return keep(base, head.environment.as_ref(), ignored);
    }
    let today = |name: &str| rename(name).unwrap_or_else(|| name.to_owned());
    let mut measured: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for run in base.runs.iter().chain(&head.runs) {
        let machine = machine(&run.environment, ignored);
        for measurement in &run.measurements {
            let name = (today(measurement.benchmark.as_str()), measurement.tool.clone().into_owned());
            measured.entry(name).or_default().insert(machine.clone());
        }
    }
    measured.retain(|_, machines| machines.len() > 1);
    for side in [&mut *base, &mut *head] {
        for run in &mut side.runs {
            let machine = machine(&run.environment, ignored);
            for measurement in &mut run.measurements {
                let name = today(measurement.benchmark.as_str());
                let name = (name, measurement.tool.clone().into_owned());
                if measured.contains_key(&name) {
                    measurement.benchmark = BenchId::new(format!("{} [{machine}]", name.0));
                }
            }
        }
        let facts = common(side.runs.iter().map(|run| &run.environment));
        side.report.environment = facts.0.clone();
        side.environment = Some(facts);
    }
    let names: BTreeSet<&String> = of_base.keys().chain(of_head.keys()).collect();
    let message = format!(
        "the runs are of {} kinds of machine; {} that more than one of them measured are judged for each by itself",
        names.len(),
        match measured.len() {
            1 => "1 benchmark".to_owned(),
            count => format!("{count} benchmarks"),
        }
    );
    head.diagnostics.push(Diagnostic::note("several-machines", "", message));
}

/// Leaves those runs of a side that are of one machine: of the other side's, else of the newest run's.
fn keep(side: &mut Side, other: Option<&Environment>, ignored: &[&str]) {
    let fits = |with: &Environment| side.runs.iter().any(|run| comparable(run, with, ignored));
    let newest = side.runs.last().map(|run| run.environment.clone()).unwrap_or_default();
    let wanted = other.filter(|with| !machine(with, ignored).is_empty() && fits(with)).cloned().unwrap_or(newest);
    let before = side.runs.len();
    side.runs.retain(|run| comparable(run, &wanted, ignored));
    if side.runs.len() < before {
        let facts = common(side.runs.iter().map(|run| &run.environment));
        side.report.environment = facts.0.clone();
        side.environment = Some(facts);
        side.report.runs = side.runs.len();
        let message = format!(
            "{} of {}'s runs were made on other machines and are left out",
            before - side.runs.len(),
            side.report.label
        );
        side.diagnostics.push(Diagnostic::note("other-machines", "", message));
    }
}
