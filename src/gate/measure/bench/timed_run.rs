//! A timed run of the benchmark command: its files, the noise of the machine during the run, and its results.

use super::timed_process::process_run;
use super::unread_time::unread_time;
use super::{Bench, OUT, ResultSource, SideCheckout, TimedRun, build_of, failed};
use crate::compare::filter::{Dialect, FILTER};
use crate::gate::confirm::note_on_process;
use crate::gate::measure::error::MeasureError;
use crate::gate::measure::targets::without_plots;
use crate::io::collect::{self, ResultSources};
use crate::io::command::{Command, FinishedCommand};
use crate::io::input::LoadedResults;
use crate::io::noise::NoiseMonitor;
use crate::model::{Diagnostic, Run};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

impl Bench<'_> {
    /// Runs the command once, on all benchmarks or `only` on some, with its files in a new directory.
    pub(super) fn run_timed(
        &mut self,
        side: &SideCheckout,
        only: Option<&[String]>,
        run_dir: &Path,
    ) -> Result<TimedRun, MeasureError> {
        fs::create_dir(run_dir).map_err(failed("create the directory", run_dir))?;
        let since = clock(&run_dir.join("start")).map_err(failed("write", run_dir))?;
        let criterion_home = run_dir.join("criterion");
        let mut command = self.command(side, self.words_of_run(side, only, run_dir));
        command.variables.push(("CRITERION_HOME".to_owned(), Some(criterion_home.clone().into())));
        let criterion = criterion_directories(side, &command, criterion_home);
        let finished = self.run_monitored(side, &command)?;
        let out = run_dir.join("results");
        let sources = ResultSources {
            out: self.has_out().then_some(&*out),
            criterion: &criterion,
            inputs: &self.inputs_of_config(side),
            tree: &side.checkout.root,
            since,
            stdout: &finished.stdout,
            stderr: &finished.stderr,
            format: self.gate.input_format.as_deref(),
        };
        let found = collect::collect(&sources, &mut self.copies)?;
        let mut run = self.measured_run(found, &command, &finished, run_dir)?;
        run.environment.0.extend(side.environment.0.clone());
        run.commit = Some(side.commit.clone());
        Ok(TimedRun { run, wall: finished.wall })
    }

    /// The words of the command, with its filter and the file for its results.
    fn words_of_run(&self, side: &SideCheckout, only: Option<&[String]>, run_dir: &Path) -> Vec<String> {
        let mut words = self.dialect.words(&self.spec.words, only);
        if side.is_criterion {
            words = without_plots(words);
        }
        // Words are UTF-8. If the path is not, one relative to the working directory is used.
        let out = match run_dir.join("results").to_str() {
            Some(out) => out.to_owned(),
            None => {
                let up = "../".repeat(1 + self.prefix.components().count());
                format!("{up}{}/results", run_dir.file_name().unwrap_or_default().to_string_lossy())
            }
        };
        words.iter().map(|word| word.replace(OUT, &out)).collect()
    }

    /// True if the command contains `{out}`, the path of its result file.
    fn has_out(&self) -> bool {
        self.spec.words.iter().any(|word| word.contains(OUT))
    }

    /// Runs the command and records disturbances by other programs.
    fn run_monitored(&mut self, side: &SideCheckout, command: &Command) -> Result<FinishedCommand, MeasureError> {
        let monitor = NoiseMonitor::start();
        let finished = command.run()?;
        if let Some(disturbance) = monitor.end(finished.usage).describe() {
            self.disturbed.push(format!("run {} ({}): {disturbance}", self.runs, side.name));
        }
        Ok(finished)
    }

    /// The paths of `[[input]]` in a side's work tree, with their formats.
    fn inputs_of_config(&self, side: &SideCheckout) -> Vec<(PathBuf, Option<String>)> {
        let config = dunce::canonicalize(&self.gate.config.directory).unwrap_or_default();
        let top = self.repository.root().and_then(|root| dunce::canonicalize(root).ok()).unwrap_or_default();
        let directory = side.checkout.root.join(config.strip_prefix(&top).unwrap_or(Path::new("")));
        let inputs = self.gate.config.policy.inputs().iter();
        inputs.map(|rule| (directory.join(&rule.path), rule.format.clone())).collect()
    }

    /// The results of a run: those that were found, or the time of the process. The first run decides which of them is measured.
    fn measured_run(
        &mut self,
        found: Option<LoadedResults>,
        command: &Command,
        finished: &FinishedCommand,
        run_dir: &Path,
    ) -> Result<Run, MeasureError> {
        match (found, self.result_source) {
            (Some(_), Some(ResultSource::Process)) => Err(MeasureError::LateResults { command: command.line() }),
            (Some(loaded), _) => {
                self.result_source = Some(ResultSource::Results);
                let hide = |text: String| text.replace(&*run_dir.display().to_string(), "");
                for diagnostic in loaded.diagnostics {
                    let (place, message) = (hide(diagnostic.place), hide(diagnostic.message));
                    self.add_diagnostic(Diagnostic { place, message, ..diagnostic });
                }
                Ok(loaded.run)
            }
            // Lost results must not be replaced by the time of the process.
            (None, _) if !self.has_out() && (finished.stdout.is_cut() || finished.stderr.is_cut()) => {
                Err(MeasureError::OutputTooLong { command: command.line() })
            }
            (None, None | Some(ResultSource::Process)) if !self.is_tool() => {
                if self.result_source.is_none() {
                    self.diagnostics.push(note_on_process());
                    self.diagnostics.extend(unread_time(finished));
                }
                self.result_source = Some(ResultSource::Process);
                Ok(process_run(&self.spec.words, finished))
            }
            (None, _) => Err(no_results(command, finished)),
        }
    }

    /// Adds a warning or note, unless an earlier run had the same one.
    fn add_diagnostic(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// True for a command that must write results: if it writes none, the run failed.
    fn is_tool(&self) -> bool {
        let command = &self.spec.words;
        let marked = command.iter().any(|word| word.contains(OUT) || word.contains(FILTER));
        marked
            || self.gate.input_format.is_some()
            || !self.gate.config.policy.inputs().is_empty()
            || self.dialect != Dialect::Criterion
            || build_of(command).is_some()
    }
}

/// The directories that criterion may write to: the given one, and its defaults. Results of an earlier run are removed from
/// perfgate's own checkouts.
fn criterion_directories(side: &SideCheckout, command: &Command, given: PathBuf) -> Vec<PathBuf> {
    let mut directories = vec![given];
    for directory in [&command.directory, &side.checkout.root] {
        let tree = directory.join("target/criterion");
        if side.target.is_some() {
            let _ = fs::remove_dir_all(&tree);
        }
        if !directories.contains(&tree) {
            directories.push(tree);
        }
    }
    directories
}

fn no_results(command: &Command, finished: &FinishedCommand) -> MeasureError {
    let output = match finished.last_lines.as_str() {
        "" => "it printed nothing".to_owned(),
        lines => format!("its last lines:\n{lines}"),
    };
    MeasureError::NoResults { command: command.line(), output }
}

/// The current time of the file system's clock: modification times of files are compared with it.
fn clock(file: &Path) -> std::io::Result<SystemTime> {
    fs::write(file, "")?;
    fs::metadata(file)?.modified()
}
