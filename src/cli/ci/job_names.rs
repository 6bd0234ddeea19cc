//! Names that distinguish the jobs of a workflow: a matrix has several, and each has a comment or a part of one.

use super::inputs::Inputs;
use crate::model::{Environment, Run};
use anyhow::bail;

/// Longest name, in characters.
pub(super) const LONGEST_NAME: usize = 100;

/// The names of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobNames {
    /// Distinguishes jobs that have separate comments.
    pub key: Option<String>,
    /// Distinguishes jobs that share a comment.
    pub shard: Option<String>,
}

impl JobNames {
    /// This job's.
    pub fn of_inputs(inputs: &Inputs) -> JobNames {
        JobNames { key: inputs.key.clone(), shard: inputs.shard.clone() }
    }

    /// Those of the job that measured a run: untrusted text.
    pub fn of_run(run: &Run) -> anyhow::Result<JobNames> {
        let name = |fact: &str| run.environment.get(fact).map(str::to_owned);
        let names = JobNames { key: name(Environment::KEY), shard: name(Environment::SHARD) };
        if names.key.iter().chain(&names.shard).any(|name| name.chars().count() > LONGEST_NAME) {
            bail!("the key or shard of the results is longer than {LONGEST_NAME} characters");
        }
        Ok(names)
    }

    /// These, or others where they are missing.
    pub fn or(self, other: JobNames) -> JobNames {
        JobNames { key: self.key.or(other.key), shard: self.shard.or(other.shard) }
    }
}
