//! Two benchmarks of one run that would get the same name.

use super::config::Config;
use super::error::Error;
use super::side::Side;
use crate::model::{Diagnostic, Run};
use crate::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};

/// Refuses a rename onto a name that another benchmark of the same run has: their values would be pooled.
pub(super) fn refuse_shared_names(config: &Config, base: &Side, head: &Side) -> Result<(), Error> {
    if !config.policy.has_renames() {
        return Ok(());
    }
    // Head first: there the line of the config is most likely to be wrong.
    for (side, label) in [(head, "head"), (base, "base")] {
        for run in &side.runs {
            let Some(Shared { renamed, other, name }) = shared_name(config, run) else { continue };
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

/// Leaves benchmarks out of stored runs whose names were given to other ones by a rename, with a warning: these were removed
/// before. Head does not have them any more, or it is refused.
pub(super) fn leave_out_replaced(policy: &Policy, runs: &mut [Run]) -> Option<Diagnostic> {
    let mut replaced = BTreeSet::new();
    for run in runs.iter_mut().filter(|_| policy.has_renames()) {
        let renamed: BTreeSet<(String, String)> = run
            .measurements
            .iter()
            .filter_map(|one| Some((one.tool.to_string(), policy.rename(one.benchmark.as_str())?)))
            .collect();
        run.measurements.retain(|one| {
            let name = one.benchmark.as_str();
            let is_replaced =
                renamed.contains(&(one.tool.to_string(), name.to_owned())) && policy.rename(name).is_none();
            if is_replaced {
                replaced.insert(name.to_owned());
            }
            !is_replaced
        });
    }
    let first = replaced.first()?;
    let message = format!(
        "stored runs have an earlier benchmark {first:?}{}, whose name a rename gives to another one; the earlier one is left out",
        if replaced.len() == 1 { String::new() } else { format!(" and {} more", replaced.len() - 1) }
    );
    Some(Diagnostic::warning("rename-replaces", "", message))
}

/// Two benchmarks of a run with the same current name.
struct Shared {
    renamed: String,
    other: String,
    name: String,
}

fn shared_name(config: &Config, run: &Run) -> Option<Shared> {
    let mut old_names: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for measurement in &run.measurements {
        let old = measurement.benchmark.as_str();
        let name = config.policy.rename(old).unwrap_or_else(|| old.to_owned());
        let first = *old_names.entry((&*measurement.tool, name.clone())).or_insert(old);
        if first != old {
            let (renamed, other) = if old == name { (first, old) } else { (old, first) };
            return Some(Shared { renamed: renamed.to_owned(), other: other.to_owned(), name });
        }
    }
    None
}
