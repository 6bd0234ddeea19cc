//! What the job is told beside a report: its summary, its outputs, and lines that GitHub shows as annotations. Text that
//! was not written by perfgate is never taken for a command of the log.

use crate::cli::output;
use crate::cli::publish::Job;
use crate::model::Diagnostic;
use crate::render::escape;
use std::collections::hash_map::RandomState;
use std::fs::OpenOptions;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
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
        Told { job, in_workflow: variable("GITHUB_ACTIONS").is_some_and(|value| value == "true") }
    }

    /// Says why there is no verdict, in the summary and as an annotation; standard error has it from `main`.
    pub fn failure(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        self.summary(&format!("### perfgate has no verdict\n\n{}\n", escape::markdown_fence(&text, "text")));
        self.annotate("error", &text);
    }

    /// Says what could not be published; none of it changes the verdict.
    pub fn problems(&self, problems: &[Diagnostic]) {
        for problem in problems {
            output::warn(&problem.message);
            self.annotate("warning", &problem.message);
        }
    }

    /// Adds to the job's summary.
    pub fn summary(&self, markdown: &str) {
        append(self.job.summary.as_ref(), "the job's summary", markdown);
    }

    /// Sets outputs of the step.
    pub fn outputs(&self, outputs: &[(&str, String)]) {
        let lines = outputs.iter().map(|(name, value)| format!("{name}={}\n", value.replace(['\r', '\n'], " ")));
        append(self.job.output.as_ref(), "the step's outputs", &lines.collect::<String>());
    }

    /// From here on nothing in the log is a command, until the result is dropped.
    pub fn hush(&self) -> Option<Hush> {
        self.in_workflow.then(|| {
            let word = format!("perfgate-{:016x}{:016x}", random(), random());
            let _ = output::print(format!("::stop-commands::{word}\n").as_bytes());
            Hush(word)
        })
    }

    fn annotate(&self, kind: &str, text: &str) {
        if self.in_workflow {
            let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
            let _ = output::print(format!("::{kind} title=perfgate::{text}\n").as_bytes());
        }
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

fn append(path: Option<&PathBuf>, what: &str, text: &str) {
    let Some(path) = path else { return };
    let written =
        OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        output::warn(&format!("{}: cannot write {what}: {error}", path.display()));
    }
}
