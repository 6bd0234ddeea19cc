//! Stored runs that come from another tool or from an unknown machine: how `[[continue]]` and `[environment] ignore` of
//! the config apply to them.

use super::builder::Gate;
use crate::model::{BenchId, Environment, Run};
use std::borrow::Cow;

impl Gate {
    /// Gives the benchmarks of a stored run the tool and the name under which they continue.
    pub(super) fn continue_series(&self, run: &mut Run) {
        let policy = &self.config.policy;
        if !policy.has_continued() {
            return;
        }
        for measurement in &mut run.measurements {
            if let Some((tool, name)) = policy.continues_as(&measurement.tool, measurement.benchmark.as_str()) {
                measurement.tool = Cow::Owned(tool.to_owned());
                measurement.benchmark = BenchId::new(name);
            }
        }
        let key = |one: &crate::model::Measurement| (one.benchmark.clone(), one.metric.name.clone(), one.tool.clone());
        run.measurements.sort_by_key(key);
        run.measurements.dedup_by_key(|one| key(one));
    }

    /// Counts a run of an unknown machine as one of a known machine, if the config permits it.
    pub(super) fn assume_machine(&self, run: &mut Run, machine: &Environment) {
        if !run.environment.is_unknown() || !self.config.policy.ignored_environment().contains(&Environment::UNKNOWN) {
            return;
        }
        run.environment.0.remove(Environment::CPU);
        for key in Environment::CLASS {
            if let Some(fact) = machine.get(key).filter(|_| run.environment.get(key).is_none()) {
                run.environment.set(key, fact);
            }
        }
    }
}
