//! Machine classes: environment facts that must agree before two results are compared. Runs of different classes are
//! never pooled: each class is compared by itself, or one of them is left out, and the report lists what was done.

use super::baseline::BaseOf;
use super::builder::Gate;
use super::class_names::{ClassNames, SharedBenchmarks};
use super::error::Error;
use super::side::Side;
use crate::history::{common_facts, machine_class};
use crate::model::{Commit, Detail, Diagnostic, Environment, Measurement, Run, differences};
use crate::verdict::{BaselineGap, EnvironmentDifference, EnvironmentReport};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The machine classes of a side's runs; runs that do not record theirs have none.
fn classes(side: &Side, ignored: &[&str]) -> BTreeMap<String, Environment> {
    let known = side.runs.iter().map(|run| (machine_class(&run.environment, ignored), &run.environment));
    known.filter(|(name, _)| !name.is_empty()).map(|(name, environment)| (name, environment.clone())).collect()
}

/// True if the runs of a side come from more than one machine class.
pub(super) fn has_several_classes(side: &Side, ignored: &[&str]) -> bool {
    classes(side, ignored).len() > 1
}

/// True if the environments have no difference that makes times incomparable.
pub(super) fn is_comparable(run: &Run, environment: &Environment, ignored: &[&str]) -> bool {
    differences(&run.environment, environment, ignored).iter().all(|difference| !difference.decisive)
}

impl Gate {
    /// The base windows of all machine classes of a head.
    pub(super) fn read_bases(&self, of: BaseOf<'_>, head: &Side, detail: Detail) -> Result<Side, Error> {
        let ignored = self.config.policy.ignored_environment();
        let mut classes: Vec<Environment> = classes(head, ignored).into_values().collect();
        // The shards of a stored head were joined, so the base must not be narrowed to one of them.
        for class in &mut classes {
            class.0.remove(Environment::SHARD);
        }
        if classes.len() < 2 {
            let mut class = classes.pop().or_else(|| head.environment.clone()).unwrap_or_default();
            class.0.remove(Environment::SHARD);
            return Ok(self.read_merge_base(of, &class, detail)?.with_note());
        }
        let mut joined: Option<Side> = None;
        let mut missing = Vec::new();
        for class in classes {
            let mut side = match self.read_merge_base(of, &class, detail) {
                Err(error) if error.is_missing_baseline() => {
                    missing.push((class, error));
                    continue;
                }
                // Without the note on other machines: their runs are read for their own class.
                window => window?.side,
            };
            // For a class without stored runs, those of another class were read. They belong to that class.
            side.runs.retain(|run| is_comparable(run, &class, ignored));
            if side.runs.is_empty() {
                continue;
            }
            match &mut joined {
                None => joined = Some(side),
                Some(joined) => join_window(joined, side),
            }
        }
        let Some(mut joined) = joined else {
            let message = "the merge base has no stored run from any machine class of head";
            let first = missing.into_iter().next().map(|(_, error)| error);
            return Err(first.unwrap_or_else(|| Error::MissingBaseline(message.to_owned())));
        };
        for (class, error) in missing {
            let message = format!("{}: {error}", machine_class(&class, ignored));
            joined.diagnostics.push(Diagnostic::warning("missing-baseline", "", message));
        }
        Ok(joined)
    }
}

/// Adds the base window of another machine class. Label, commit and gap are those of the class that is further behind.
fn join_window(joined: &mut Side, mut side: Side) {
    joined.runs.extend(side.runs);
    joined.older.append(&mut side.older);
    joined.report.runs = joined.runs.len();
    let commits = |gap: &Option<BaselineGap>| gap.as_ref().map_or(0, |gap| gap.commits);
    if commits(&side.report.gap) > commits(&joined.report.gap) {
        joined.report.gap = side.report.gap;
        joined.report.label = side.report.label;
        joined.report.commit = side.report.commit;
    }
    side.report.commits.retain(|commit| !joined.report.commits.contains(commit));
    joined.report.commits.extend(side.report.commits);
    let time = |commit: &Commit| {
        let runs = joined.runs.iter().filter(|run| run.commit.as_ref() == Some(commit));
        runs.map(|run| run.time).max()
    };
    joined.report.commits.sort_by_key(|commit| Reverse(time(commit)));
    side.diagnostics.retain(|diagnostic| !joined.diagnostics.contains(diagnostic));
    joined.diagnostics.extend(side.diagnostics);
}

/// Makes sure that no run is compared with one of another machine class. Where one side has a single class, the other
/// classes of the other side are left out. Where both have several, a benchmark that more than one class measured has a row for each
/// class: the returned names state what they stand for.
pub(super) fn partition(
    base: &mut Side,
    head: &mut Side,
    ignored: &[&str],
    rename: impl Fn(&str) -> Option<String>,
) -> ClassNames {
    leave_out_without_baseline(base, head, ignored);
    let (of_base, of_head) = (classes(base, ignored), classes(head, ignored));
    if of_base.len() < 2 || of_head.len() < 2 {
        if of_head.len() > 1 {
            keep_one_class(head, base.environment.as_ref(), ignored, Diagnostic::warning);
        } else if of_base.len() > 1 {
            keep_one_class(base, head.environment.as_ref(), ignored, Diagnostic::note);
        }
        return ClassNames::default();
    }
    let current = |name: &str| rename(name).unwrap_or_else(|| name.to_owned());
    let mut measured_by: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for run in base.runs.iter().chain(&head.runs) {
        let class = machine_class(&run.environment, ignored);
        for measurement in &run.measurements {
            let name = (current(measurement.benchmark.as_str()), measurement.tool.clone().into_owned());
            measured_by.entry(name).or_default().insert(class.clone());
        }
    }
    measured_by.retain(|_, classes| classes.len() > 1);
    let mut shared = SharedBenchmarks::new();
    for (name, tool) in measured_by.keys() {
        shared.entry(name.clone()).or_default().insert(tool.clone());
    }
    let mut names = ClassNames::of(shared);
    for side in [&mut *base, &mut *head] {
        set_common_environment(side);
        for run in &mut side.runs {
            let class = machine_class(&run.environment, ignored);
            names.add_class(run, &class, current);
        }
    }
    let classes: BTreeSet<&String> = of_base.keys().chain(of_head.keys()).collect();
    let message = format!(
        "the runs come from {} machine classes; {} measured by more than one of them {} compared per class",
        classes.len(),
        match measured_by.len() {
            1 => "1 benchmark".to_owned(),
            count => format!("{count} benchmarks"),
        },
        if measured_by.len() == 1 { "is" } else { "are" }
    );
    head.diagnostics.push(Diagnostic::note("several-machines", "", message));
    names
}

/// Leaves out the results of a side that the same machine class did not measure in head, which has several classes. Benchmarks that
/// several classes measured get the names that they have in head.
pub(super) fn keep_classes_of_head(
    side: &mut Side,
    head: &Side,
    names: &ClassNames,
    ignored: &[&str],
    rename: impl Fn(&str) -> Option<String>,
) {
    let current = |name: &str| rename(name).unwrap_or_else(|| name.to_owned());
    // A name with a class is not renamed again.
    let key = |one: &Measurement| {
        let name = one.benchmark.as_str();
        let name = if names.has_class(name) { name.to_owned() } else { current(name) };
        (name, one.tool.to_string())
    };
    let mut of_head: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for run in &head.runs {
        let class = machine_class(&run.environment, ignored);
        of_head.entry(class).or_default().extend(run.measurements.iter().map(key));
    }
    let mut with_class = names.clone();
    for run in &mut side.runs {
        let class = machine_class(&run.environment, ignored);
        with_class.add_class(run, &class, current);
        let measured = of_head.get(&class);
        run.measurements.retain(|one| measured.is_some_and(|measured| measured.contains(&key(one))));
    }
    side.runs.retain(|run| !run.measurements.is_empty());
    set_common_environment(side);
}

/// Leaves out the runs of head whose machine class has no stored run in base, if other classes of head have one. The report then has
/// no verdict, as for a head of such a class alone.
fn leave_out_without_baseline(base: &mut Side, head: &mut Side, ignored: &[&str]) {
    if !base.locations.is_empty() {
        return;
    }
    let mut of_head = classes(head, ignored);
    let all = of_head.len();
    of_head.retain(|_, class| !base.runs.iter().any(|run| is_comparable(run, class, ignored)));
    if of_head.is_empty() || of_head.len() == all {
        return;
    }
    let before = head.runs.len();
    head.runs.retain(|run| !of_head.contains_key(&machine_class(&run.environment, ignored)));
    set_common_environment(head);
    head.report.runs = head.runs.len();
    base.report.missing_classes = of_head.into_keys().collect();
    let message = format!(
        "left out {} of the {before} runs of {}: no stored runs to compare with of {}",
        before - head.runs.len(),
        head.report.label,
        base.report.missing_classes.join("; ")
    );
    head.diagnostics.push(Diagnostic::warning("missing-baseline", "", message));
}

/// Keeps the runs of one machine class: of the other side's class, or else of the newest run's.
fn keep_one_class(
    side: &mut Side,
    other: Option<&Environment>,
    ignored: &[&str],
    diagnostic: fn(&'static str, &'static str, String) -> Diagnostic,
) {
    let has = |class: &Environment| side.runs.iter().any(|run| is_comparable(run, class, ignored));
    let newest = side.runs.last().map(|run| run.environment.clone()).unwrap_or_default();
    let wanted =
        other.filter(|class| !machine_class(class, ignored).is_empty() && has(class)).cloned().unwrap_or(newest);
    let before = side.runs.len();
    side.runs.retain(|run| is_comparable(run, &wanted, ignored));
    if side.runs.len() < before {
        set_common_environment(side);
        side.report.runs = side.runs.len();
        let message = format!(
            "left out {} of the {before} runs of {}: measured on other machines",
            before - side.runs.len(),
            side.report.label
        );
        side.diagnostics.push(diagnostic("other-machines", "", message));
    }
}

fn set_common_environment(side: &mut Side) {
    let environment = common_facts(side.runs.iter().map(|run| &run.environment));
    side.report.environment = environment.0.clone();
    side.environment = Some(environment);
}

/// Compares the environments of two sides. A missing environment is assumed to be equal to the other one.
pub(super) fn compare_environments(
    base: Option<&Environment>,
    head: Option<&Environment>,
    ignored: &[&str],
) -> (EnvironmentReport, Option<Diagnostic>) {
    let (Some(base), Some(head)) = (base, head) else {
        let files = match (base, head) {
            (None, None) => "the files",
            (None, Some(_)) => "the files of base",
            (Some(_), _) => "the files of head",
        };
        let message = format!(
            "{files} do not name a machine; assuming both sides ran on the same one (`perfgate record` stores the machine with each run)"
        );
        let report = EnvironmentReport { matches: true, assumed: true, differences: Vec::new() };
        return (report, Some(Diagnostic::note("assumed-same-machine", "", message)));
    };
    let differences: Vec<EnvironmentDifference> = differences(base, head, ignored)
        .into_iter()
        .filter(|difference| difference.key != Environment::DIRTY)
        .map(|d| EnvironmentDifference { key: d.key, base: d.base, head: d.head, decisive: d.decisive })
        .collect();
    let decisive: Vec<String> = differences
        .iter()
        .filter(|difference| difference.decisive)
        .map(|difference| {
            format!("{} is {:?} in base and {:?} in head", difference.key, difference.base, difference.head)
        })
        .collect();
    let diagnostic = if decisive.is_empty() {
        let other: Vec<String> = differences.iter().map(|d| format!("{} ({} → {})", d.key, d.base, d.head)).collect();
        (!other.is_empty()).then(|| {
            let message = format!("base and head differ in {}; this may be the cause of a change", other.join(", "));
            Diagnostic::warning("environment-differs", "", message)
        })
    } else {
        let unknown = if base.is_unknown() || head.is_unknown() {
            ". To compare runs of an unknown machine with others, set `ignore = [\"unknown\"]` under `[environment]` in perfgate.toml"
        } else {
            ""
        };
        let message =
            format!("measured values are not compared, because the machines differ: {}{unknown}", decisive.join("; "));
        Some(Diagnostic::warning("different-machines", "", message))
    };
    (EnvironmentReport { matches: decisive.is_empty(), assumed: false, differences }, diagnostic)
}
