//! A benchmark command on one side: checks the side out, builds it, runs the command and reads its results as a run.

mod build;
mod counted;
mod executables;
mod timed_process;

use super::error::MeasureError;
use super::plan::BenchCommand;
use super::targets::without_plots;
use crate::compare::filter::{Dialect, FILTER};
use crate::gate::builder::Gate;
use crate::gate::side::here;
use crate::io::collect::{self, ResultSources};
use crate::io::command::{Command, CommandError, Finished, Limit};
use crate::io::git_command::GIT_VARIABLES;
use crate::io::noise::NoiseMonitor;
use crate::io::probe;
use crate::io::repository::Repository;
use crate::io::secrets;
use crate::io::worktree::{Checkout, Scratch};
use crate::model::{Commit, Diagnostic, Environment, Run};
pub(crate) use build::build_of;
pub(crate) use executables::Executable;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use timed_process::process_run;

/// Replaced in a command by the path of a fresh file.
const OUT: &str = "{out}";

/// A benchmark command that can be run on both sides.
pub(crate) struct Bench<'a> {
    gate: &'a Gate,
    spec: &'a BenchCommand,
    /// The user's repository.
    pub repository: Repository,
    /// The working directory, relative to the top of the work tree.
    prefix: PathBuf,
    scratch: Scratch,
    dialect: Dialect,
    runs: usize,
    measured: Option<Measured>,
    /// Warnings and notes of the runs so far.
    pub diagnostics: Vec<Diagnostic>,
    disturbed: Vec<String>,
}

/// What is measured; the first run decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    /// The results that the command writes.
    Results,
    /// The process itself.
    Process,
}

/// One side, checked out.
pub(crate) struct SideCheckout {
    name: &'static str,
    checkout: Checkout,
    /// Its cargo target directory; `None` for the user's own work tree, which keeps its own.
    target: Option<PathBuf>,
    /// The commit that is checked out.
    pub commit: Commit,
    /// This machine, and the toolchain of this side.
    pub environment: Environment,
    /// True if the command runs only benchmarks of criterion.
    is_criterion: bool,
}

impl SideCheckout {
    /// `base` or `head`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The top of its work tree.
    pub fn root(&self) -> &Path {
        &self.checkout.root
    }
}

/// A run and how long it took.
pub(crate) struct TimedRun {
    /// Its results.
    pub run: Run,
    /// From start to end.
    pub wall: Duration,
}

impl<'a> Bench<'a> {
    /// Locks the repository for measuring. Nothing is checked out yet.
    pub fn open(gate: &'a Gate, spec: &'a BenchCommand) -> Result<Bench<'a>, MeasureError> {
        let repository =
            Repository::discover(&gate.directory).map_err(|source| MeasureError::NoRepository { source })?;
        let root = repository.root().ok_or(MeasureError::NoWorkTree)?;
        let canonical = |path: &Path| dunce::canonicalize(path).map_err(failed("read the directory", path));
        let (here, top) = (canonical(&gate.directory)?, canonical(root)?);
        let prefix = here.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();
        if let [word] = spec.words.as_slice()
            && word.trim().contains(char::is_whitespace)
            && !here.join(word).exists()
        {
            let (program, directory) = (word.clone(), gate.directory.clone());
            return Err(CommandError::NotFound { program, directory }.into());
        }
        let parent = spec.scratch.clone().unwrap_or_else(std::env::temp_dir);
        if dunce::canonicalize(&parent).is_ok_and(|parent| parent.starts_with(&top)) {
            return Err(MeasureError::ScratchInside { path: parent });
        }
        if spec.counts_instructions {
            counted::check(&spec.words)?;
        }
        let scratch = Scratch::open(&repository, &parent)?;
        let dialect = Dialect::of(&spec.words);
        let (diagnostics, disturbed) = (Vec::new(), Vec::new());
        Ok(Bench { gate, spec, repository, prefix, scratch, dialect, runs: 0, measured: None, diagnostics, disturbed })
    }

    /// Checks a side out; `with_changes` adds the uncommitted changes.
    pub fn check_out(
        &self,
        name: &'static str,
        commit: &Commit,
        with_changes: bool,
    ) -> Result<SideCheckout, MeasureError> {
        let checkout = self.scratch.check_out(name, commit)?;
        let target = Some(self.scratch.path().join(format!("target-{name}")));
        let commit = commit.clone();
        let environment = Environment::default();
        let mut side = SideCheckout { name, checkout, target, commit, environment, is_criterion: false };
        self.complete(&mut side, with_changes)?;
        Ok(side)
    }

    /// The user's own work tree as a side.
    pub fn in_place(&self, commit: &Commit) -> Result<SideCheckout, MeasureError> {
        let root = self.repository.root().ok_or(MeasureError::NoWorkTree)?.to_owned();
        let environment = here(&root);
        let (checkout, commit) = (Checkout { root }, commit.clone());
        let mut side = SideCheckout { name: "head", checkout, target: None, commit, environment, is_criterion: false };
        side.is_criterion = self.is_criterion(&side);
        Ok(side)
    }

    /// Checks out another commit in place of the one of a side, and keeps what was built.
    pub fn switch(&self, side: &mut SideCheckout, commit: &Commit) -> Result<(), MeasureError> {
        self.scratch.switch(&side.checkout, commit)?;
        side.commit = commit.clone();
        self.complete(side, false)
    }

    /// Adds to a checkout what a git checkout lacks: submodules, uncommitted changes, `--copy`.
    fn complete(&self, side: &mut SideCheckout, with_changes: bool) -> Result<(), MeasureError> {
        if self.spec.submodules {
            if with_changes {
                self.scratch.refuse_changed_submodules(&self.repository)?;
            }
            self.scratch.add_submodules(&side.checkout)?;
        }
        if with_changes && self.scratch.copy_changes(&self.repository, &side.checkout)? > 0 {
            side.environment.set(Environment::DIRTY, "yes");
        }
        self.scratch.copy_ignored_lock_file(&side.checkout, &self.prefix).map_err(MeasureError::from)?;
        for path in &self.spec.copy {
            self.scratch.copy_into(&side.checkout, &self.prefix, path)?;
        }
        let environment = probe::probe(&side.checkout.root, &|name| std::env::var(name).ok());
        for (key, value) in environment.0 {
            side.environment.set(&key, value);
        }
        side.is_criterion = self.is_criterion(side);
        Ok(())
    }

    /// The directory of the checkouts.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The command, and how it is run.
    pub fn spec(&self) -> &BenchCommand {
        self.spec
    }

    /// The words of the command that runs one benchmark. Its results are not read.
    pub fn words(&self, benchmark: &str) -> Vec<String> {
        let out = self.scratch.path().join("unread-results").display().to_string();
        let words = self.dialect.words(&self.spec.words, Some(&[benchmark.to_owned()]));
        words.into_iter().map(|word| word.replace(OUT, &out)).collect()
    }

    /// A command that runs in a side.
    pub fn command(&self, side: &SideCheckout, words: Vec<String>) -> Command {
        let mut variables: Vec<(String, Option<OsString>)> =
            GIT_VARIABLES.iter().map(|name| ((*name).to_owned(), None)).collect();
        variables.extend(secrets::in_environment().into_iter().map(|name| (name, None)));
        if let Some(target) = &side.target {
            variables.push(("CARGO_TARGET_DIR".to_owned(), Some(target.clone().into())));
        }
        let directory = side.checkout.root.join(&self.prefix);
        let scratch = Some(self.scratch.path().to_owned());
        let processors = self.spec.processors.clone();
        let limit = self.spec.timeout.map_or_else(Limit::default, Limit::Total);
        Command { words, directory, variables, limit, processors, scratch }
    }

    /// Runs the command once, on all benchmarks or `only` on some.
    pub fn run(&mut self, side: &SideCheckout, only: Option<&[String]>) -> Result<TimedRun, MeasureError> {
        self.runs += 1;
        let run_dir = self.scratch.path().join(format!("run-{:04}", self.runs));
        let result = if self.spec.counts_instructions {
            let started = Instant::now();
            self.count(side, only, &run_dir).map(|run| TimedRun { run, wall: started.elapsed() })
        } else {
            self.run_in(side, only, &run_dir)
        };
        let _ = fs::remove_dir_all(&run_dir);
        result.map_err(|error| MeasureError::Run {
            side: side.name,
            commit: side.commit.short().to_owned(),
            hint: self.hint(side),
            source: Box::new(error),
        })
    }

    fn run_in(
        &mut self,
        side: &SideCheckout,
        only: Option<&[String]>,
        run_dir: &Path,
    ) -> Result<TimedRun, MeasureError> {
        fs::create_dir(run_dir).map_err(failed("create the directory", run_dir))?;
        let since = clock(&run_dir.join("start")).map_err(failed("write", run_dir))?;
        let out = run_dir.join("results");
        let criterion_home = run_dir.join("criterion");
        let given = self.spec.words.iter().any(|word| word.contains(OUT));
        let mut words = self.dialect.words(&self.spec.words, only);
        if side.is_criterion {
            words = without_plots(words);
        }
        // Words are text. A path that is not is replaced by one from the working directory.
        let out_text = match out.to_str() {
            Some(out) => out.to_owned(),
            None => {
                let up = "../".repeat(1 + self.prefix.components().count());
                format!("{up}{}/results", run_dir.file_name().unwrap_or_default().to_string_lossy())
            }
        };
        let mut command = self.command(side, words.iter().map(|word| word.replace(OUT, &out_text)).collect());
        command.variables.push(("CRITERION_HOME".to_owned(), Some(criterion_home.clone().into())));
        let mut criterion = vec![criterion_home];
        let trees = [&command.directory, &side.checkout.root].map(|directory| directory.join("target/criterion"));
        for tree in trees {
            if side.target.is_some() {
                let _ = fs::remove_dir_all(&tree); // results of an earlier run in a checkout of ours
            }
            if !criterion.contains(&tree) {
                criterion.push(tree);
            }
        }
        let monitor = NoiseMonitor::start();
        let finished = command.run()?;
        if let Some(disturbance) = monitor.end(finished.usage).describe() {
            self.disturbed.push(format!("run {} ({}): {disturbance}", self.runs, side.name));
        }
        let root = &side.checkout.root;
        let inputs: Vec<(PathBuf, Option<String>)> = self
            .gate
            .config
            .policy
            .inputs()
            .iter()
            .map(|rule| (self.input(root, &rule.path), rule.format.clone()))
            .collect();
        let sources = ResultSources {
            out: given.then_some(&*out),
            criterion: &criterion,
            inputs: &inputs,
            tree: root,
            since,
            stdout: &finished.stdout,
            format: self.gate.input_format.as_deref(),
        };
        let found = collect::collect(&sources)?;
        let mut run = match (found, self.measured) {
            (Some(_), Some(Measured::Process)) => return Err(MeasureError::LateResults { command: command.line() }),
            (Some(loaded), _) => {
                self.measured = Some(Measured::Results);
                let hide = |text: String| text.replace(&*run_dir.display().to_string(), "");
                self.diagnostics.extend(loaded.diagnostics.into_iter().map(|diagnostic| Diagnostic {
                    place: hide(diagnostic.place),
                    message: hide(diagnostic.message),
                    ..diagnostic
                }));
                loaded.run
            }
            // Lost results must not be replaced by the time of the process.
            (None, _) if !given && finished.stdout.is_cut() => {
                return Err(MeasureError::OutputTooLong { command: command.line() });
            }
            (None, None | Some(Measured::Process)) if !self.is_tool() => {
                self.measured = Some(Measured::Process);
                process_run(&self.spec.words, &finished)
            }
            (None, _) => return Err(no_results(&command, &finished)),
        };
        run.environment.0.extend(side.environment.0.clone());
        run.commit = Some(side.commit.clone());
        Ok(TimedRun { run, wall: finished.wall })
    }

    /// A path of the config, in a side's work tree.
    fn input(&self, root: &Path, path: &str) -> PathBuf {
        let config = dunce::canonicalize(&self.gate.config.directory).unwrap_or_default();
        let top = self.repository.root().and_then(|root| dunce::canonicalize(root).ok()).unwrap_or_default();
        root.join(config.strip_prefix(&top).unwrap_or(Path::new(""))).join(path)
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

    /// True once the first run has shown that the process itself is timed.
    pub fn is_process(&self) -> bool {
        self.measured == Some(Measured::Process)
    }

    /// Whether some benchmarks can be run without the others.
    pub fn can_filter(&self) -> bool {
        self.is_process() || Dialect::can_filter(&self.spec.words)
    }

    /// Removes the checkouts. A warning if something is left.
    pub fn close(mut self) -> Option<Diagnostic> {
        let left = self.scratch.remove();
        let first = left.first()?;
        let message = match left.len() {
            1 => "cannot be removed; remove it yourself".to_owned(),
            count => format!("cannot be removed (and {} more); remove these directories yourself", count - 1),
        };
        Some(Diagnostic::warning("left-behind", first.display().to_string(), message))
    }

    /// Takes the warnings and notes of all runs.
    pub fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        let mut all = std::mem::take(&mut self.diagnostics);
        let disturbed = std::mem::take(&mut self.disturbed);
        if let Some(first) = disturbed.first() {
            let more = match disturbed.len() {
                1 => String::new(),
                count => format!(" (and {} more of {} runs)", count - 1, self.runs),
            };
            all.push(Diagnostic::warning("disturbed-run", "", format!("{first}{more}")));
        }
        all
    }
}

/// Turns an error of the file system into one that names the file.
pub(crate) fn failed<'a>(what: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> MeasureError + 'a {
    move |source| MeasureError::File { what, path: path.to_owned(), source }
}

fn no_results(command: &Command, finished: &Finished) -> MeasureError {
    let output = match finished.last_lines.as_str() {
        "" => "it printed nothing".to_owned(),
        lines => format!("its last lines:\n{lines}"),
    };
    MeasureError::NoResults { command: command.line(), output }
}

/// The current time by the clock of the file system, which the times of files are compared with.
fn clock(file: &Path) -> std::io::Result<SystemTime> {
    fs::write(file, "")?;
    fs::metadata(file)?.modified()
}
