//! What is reported to the job in addition to the report: summary, outputs and annotations. While text of others is
//! printed, GitHub does not interpret commands in the log.

use crate::cli::output;
use crate::cli::publish::{Job, in_workflow};
use crate::io::github::{add_outputs, add_summary, unique_word};
use crate::model::Diagnostic;
use crate::render::{self, escape};
use std::path::PathBuf;

/// Writes to the files and the log of a job.
#[derive(Debug)]
pub struct JobReporter {
    /// The files.
    pub job: Job,
    /// True if GitHub interprets the log.
    in_workflow: bool,
}

impl JobReporter {
    /// Finds the files in environment variables.
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> JobReporter {
        let job = Job {
            summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            output: variable("GITHUB_OUTPUT").map(PathBuf::from),
        };
        JobReporter { job, in_workflow: in_workflow() }
    }

    /// Reports why there is no verdict, in the summary and as an annotation; `main` prints it on standard error.
    pub fn failure(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        self.summary(&format!("### ❔ perfgate: NO VERDICT\n\n{}\n", escape::markdown_fence(&text, "text")));
        if self.in_workflow {
            let _ = output::print(format!("::error title=perfgate::{}\n", escape::workflow_message(&text)).as_bytes());
        }
    }

    /// Reports what could not be published, which does not change the verdict.
    pub fn problems(&self, problems: &[Diagnostic]) {
        output::diagnostics(problems);
        if self.in_workflow {
            let _ = output::print(render::workflow_notes(problems).as_bytes());
        }
    }

    /// Adds to the job summary.
    pub fn summary(&self, markdown: &str) {
        let added = self.job.summary.as_ref().map(|path| add_summary(path, markdown));
        warn_on_error("the job summary", added);
    }

    /// Sets step outputs.
    pub fn outputs(&self, outputs: &[(&str, String)]) {
        let added = self.job.output.as_ref().map(|path| add_outputs(path, outputs));
        warn_on_error("the step outputs", added);
    }

    /// Stops GitHub from interpreting commands in the log until the result is dropped.
    pub fn stop_commands(&self) -> Option<StoppedCommands> {
        self.in_workflow.then(|| {
            let word = format!("perfgate-{}", unique_word());
            let _ = output::print(format!("::stop-commands::{word}\n").as_bytes());
            StoppedCommands(word)
        })
    }
}

/// While this exists, GitHub interprets no line of the log as a command.
#[derive(Debug)]
pub struct StoppedCommands(String);

impl Drop for StoppedCommands {
    fn drop(&mut self) {
        let _ = output::print(format!("::{}::\n", self.0).as_bytes());
    }
}

fn warn_on_error(what: &str, added: Option<std::io::Result<()>>) {
    if let Some(Err(error)) = added {
        output::warn(&format!("cannot write {what}: {error}"));
    }
}
