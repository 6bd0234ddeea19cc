//! What the job is told beside a report: its summary, its outputs, and lines that GitHub shows as annotations. Text that
//! was not written by perfgate is never taken for a command of the log.

use crate::cli::output;
use crate::cli::publish::{Job, in_workflow};
use crate::io::github::{add_outputs, add_summary};
use crate::model::Diagnostic;
use crate::render::{self, escape};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;

/// Where a job is told things.
#[derive(Debug)]
pub struct Told {
    /// The files.
    pub job: Job,
    /// Whether GitHub reads the log.
    in_workflow: bool,
}

impl Told {
    /// The places that the environment names.
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Told {
        let job = Job {
            summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            output: variable("GITHUB_OUTPUT").map(PathBuf::from),
        };
        Told { job, in_workflow: in_workflow() }
    }

    /// Says why there is no verdict, in the summary and as an annotation; standard error has it from `main`.
    pub fn failure(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        self.summary(&format!("### perfgate has no verdict\n\n{}\n", escape::markdown_fence(&text, "text")));
        if self.in_workflow {
            let _ = output::print(format!("::error title=perfgate::{}\n", escape::workflow_message(&text)).as_bytes());
        }
    }

    /// Says what could not be published; none of it changes the verdict.
    pub fn problems(&self, problems: &[Diagnostic]) {
        output::diagnostics(problems);
        if self.in_workflow {
            let _ = output::print(render::workflow_notes(problems).as_bytes());
        }
    }

    /// Adds to the job's summary.
    pub fn summary(&self, markdown: &str) {
        let added = self.job.summary.as_ref().map(|path| add_summary(path, markdown));
        told("the job's summary", added);
    }

    /// Sets outputs of the step.
    pub fn outputs(&self, outputs: &[(&str, String)]) {
        let added = self.job.output.as_ref().map(|path| add_outputs(path, outputs));
        told("the step's outputs", added);
    }

    /// From here on nothing in the log is a command, until the result is dropped.
    pub fn hush(&self) -> Option<Hush> {
        self.in_workflow.then(|| {
            let word = format!("perfgate-{:016x}{:016x}", random(), random());
            let _ = output::print(format!("::stop-commands::{word}\n").as_bytes());
            Hush(word)
        })
    }
}

/// While it lives, GitHub takes no line of the log for a command.
#[derive(Debug)]
pub struct Hush(String);

impl Drop for Hush {
    fn drop(&mut self) {
        let _ = output::print(format!("::{}::\n", self.0).as_bytes());
    }
}

/// A number that text in a benchmark's name cannot foresee.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn told(what: &str, added: Option<std::io::Result<()>>) {
    if let Some(Err(error)) = added {
        output::warn(&format!("cannot write {what}: {error}"));
    }
}
