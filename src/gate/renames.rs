//! Two benchmarks of one run that would get the same name.

use super::config::Config;
use super::error::Error;
use super::side::Side;
use crate::history::machine_class;
use crate::model::{Diagnostic, Measurement, Run};
use crate::policy::Policy;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Refuses a rename onto a name that another benchmark of the same run has: their values would be pooled.
pub(super) fn refuse_shared_names(config: &Config, base: &Side, head: &Side) -> Result<(), Error> {
    if !config.policy.has_renames() {
        return Ok(());
    }
    // Head first: there the line of the config is most likely to be wrong.
    for (side, label) in [(head, "head"), (base, "base")] {
        for run in &side.runs {
            let Some(NameCollision { renamed, other, name }) = shared_name(config, run) else { continue };
            let what = if other == name {
                format!("`{renamed}` is renamed to `{name}`, but {label} has both")
            } else {
                format!("`{renamed}` and `{other}` of {label} are both renamed to `{name}`")
            };
            let line = config.policy.rename_line(&renamed).unwrap_or(1);
            let help = "two benchmarks cannot share one name: remove the line, or correct it";
            if let Some(problems) = config.frame(line, "rename-collision", &what, help) {
                return Err(Error::Config { name: problems.name().to_owned(), problems: Box::new(problems) });
            }
        }
    }
    Ok(())
}

/// A rename may give a benchmark the name of one that was removed earlier. Leaves the removed one out of stored runs,
/// with a warning. (If head still has it, `refuse_shared_names` fails.) The runs of each machine class are in time
/// order. In runs before the first one with the old name, the new name means the removed benchmark. Classes may switch
/// names at different times.
pub(super) fn leave_out_replaced(policy: &Policy, runs: &mut [Run]) -> Option<Diagnostic> {
    if !policy.has_renames() {
        return None;
    }
    let renamed_of = |run: &Run| -> BTreeSet<(String, String)> {
        let renamed = |one: &Measurement| Some((one.tool.to_string(), policy.rename(one.benchmark.as_str())?));
        run.measurements.iter().filter_map(renamed).collect()
    };
    let renamed: Vec<BTreeSet<(String, String)>> = runs.iter().map(renamed_of).collect();
    let class_of = |run: &Run| machine_class(&run.environment, policy.ignored_environment());
    let classes: Vec<String> = runs.iter().map(class_of).collect();
    let mut first_runs: HashMap<&str, BTreeMap<&(String, String), usize>> = HashMap::new();
    for (index, (class, names)) in classes.iter().zip(&renamed).enumerate() {
        let of_class = first_runs.entry(class).or_default();
        for name in names {
            of_class.entry(name).or_insert(index);
        }
    }
    let mut replaced = BTreeSet::new();
    for (index, run) in runs.iter_mut().enumerate() {
        let first_runs = first_runs.get(classes[index].as_str());
        run.measurements.retain(|one| {
            let name = (one.tool.to_string(), one.benchmark.to_string());
            let is_before = first_runs.and_then(|first| first.get(&name)).is_some_and(|first| index < *first);
            let is_replaced = (is_before || renamed[index].contains(&name)) && policy.rename(&name.1).is_none();
            if is_replaced {
                replaced.insert(name.1);
            }
            !is_replaced
        });
    }
    let first = replaced.first()?;
    let message = format!(
        "stored runs have an earlier benchmark {first:?}{}, whose name a rename gives to another one; the earlier one is left out",
        and_more(&replaced)
    );
    Some(Diagnostic::warning("rename-replaces", "", message))
}

/// Leaves benchmarks out of stored runs that renames would join into one, with a warning. A comparison refuses them.
pub(super) fn leave_out_joined(policy: &Policy, runs: &mut [Run]) -> Option<Diagnostic> {
    let mut joined = BTreeSet::new();
    for run in runs.iter_mut().filter(|_| policy.has_renames()) {
        let current = |one: &Measurement| {
            let name = one.benchmark.as_str();
            (one.tool.to_string(), policy.rename(name).unwrap_or_else(|| name.to_owned()))
        };
        let mut old_names: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for one in &run.measurements {
            old_names.entry(current(one)).or_default().insert(one.benchmark.as_str());
        }
        let shared: BTreeSet<(String, String)> =
            old_names.into_iter().filter(|(_, old)| old.len() > 1).map(|(name, _)| name).collect();
        run.measurements.retain(|one| !shared.contains(&current(one)));
        joined.extend(shared.into_iter().map(|(_, name)| name));
    }
    let first = joined.first()?;
    let message = format!(
        "renames give the name {first:?}{} to several benchmarks of a stored run; these are left out",
        and_more(&joined)
    );
    Some(Diagnostic::warning("rename-joins", "", message))
}

fn and_more(names: &BTreeSet<String>) -> String {
    if names.len() == 1 { String::new() } else { format!(" and {} more", names.len() - 1) }
}

/// Two benchmarks of a run with the same current name.
struct NameCollision {
    renamed: String,
    other: String,
    name: String,
}

fn shared_name(config: &Config, run: &Run) -> Option<NameCollision> {
    let mut old_names: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for measurement in &run.measurements {
        let old = measurement.benchmark.as_str();
        let name = config.policy.rename(old).unwrap_or_else(|| old.to_owned());
        let first = *old_names.entry((&*measurement.tool, name.clone())).or_insert(old);
        if first != old {
            let (renamed, other) = if old == name { (first, old) } else { (old, first) };
            return Some(NameCollision { renamed: renamed.to_owned(), other: other.to_owned(), name });
        }
    }
    None
}
