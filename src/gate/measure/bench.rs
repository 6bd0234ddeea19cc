//! A benchmark command on one side: checks the side out, builds it, runs the command and reads its results as a run.

mod build;
mod counted;
mod executables;
mod timed_process;
mod timed_run;
mod unread_time;

use super::error::MeasureError;
use super::plan::BenchCommand;
use crate::compare::filter::Dialect;
use crate::gate::builder::Gate;
use crate::gate::side::here;
use crate::io::command::{self, Command, CommandError, Limit};
use crate::io::copies::Copies;
use crate::io::git_command::GIT_VARIABLES;
use crate::io::input;
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
use std::time::{Duration, Instant};
pub(crate) use timed_process::PROCESS;

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
    result_source: Option<ResultSource>,
    copies: Copies,
    /// Warnings and notes of the runs so far.
    pub diagnostics: Vec<Diagnostic>,
    disturbed: Vec<String>,
}

/// What is measured; the first run decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResultSource {
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
        gate.input_format.as_deref().map(input::check_format).transpose()?;
        let repository = gate.repository().map_err(|source| MeasureError::NoRepository { source })?;
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
        if let Some(available) = command::processors()
            && let Some(processor) = spec.processors.iter().copied().find(|one| !available.contains(one))
        {
            return Err(MeasureError::NoProcessor { processor, available });
        }
        if spec.counts_instructions {
            counted::check(&spec.words)?;
        }
        let scratch = Scratch::open(&repository, &parent)?;
        let dialect = Dialect::of(&spec.words);
        Ok(Bench {
            gate,
            spec,
            repository,
            prefix,
            scratch,
            dialect,
            runs: 0,
            result_source: None,
            copies: Copies::default(),
            diagnostics: Vec::new(),
            disturbed: Vec::new(),
        })
    }

    /// Checks a side out; `with_changes` adds the uncommitted changes.
    pub fn check_out(
        &mut self,
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
        let environment = here(&root)?;
        let (checkout, commit) = (Checkout { root }, commit.clone());
        let mut side = SideCheckout { name: "head", checkout, target: None, commit, environment, is_criterion: false };
        side.is_criterion = self.is_criterion(&side);
        Ok(side)
    }

    /// Checks out another commit in place of the one of a side, and keeps what was built.
    pub fn switch(&mut self, side: &mut SideCheckout, commit: &Commit) -> Result<(), MeasureError> {
        self.scratch.switch(&side.checkout, commit)?;
        side.commit = commit.clone();
        self.complete(side, false)
    }

    /// Adds to a checkout what a git checkout lacks: submodules, uncommitted changes, `--copy`.
    fn complete(&mut self, side: &mut SideCheckout, with_changes: bool) -> Result<(), MeasureError> {
        if self.spec.submodules {
            if with_changes {
                self.scratch.refuse_changed_submodules(&self.repository)?;
            }
            self.scratch.add_submodules(&side.checkout)?;
        }
        let mut left_out = Vec::new();
        if with_changes {
            let (count, special) = self.scratch.copy_changes(&self.repository, &side.checkout)?;
            left_out = special;
            if count > 0 {
                side.environment.set(Environment::DIRTY, "yes");
            }
        }
        self.scratch.copy_ignored_lock_file(&side.checkout, &self.prefix).map_err(MeasureError::from)?;
        for path in &self.spec.copy {
            left_out.extend(self.scratch.copy_into(&side.checkout, &self.prefix, path)?);
        }
        let warning = not_copied(&left_out).filter(|warning| !self.diagnostics.contains(warning));
        self.diagnostics.extend(warning);
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
            self.run_timed(side, only, &run_dir)
        };
        let _ = fs::remove_dir_all(&run_dir);
        result.map_err(|error| MeasureError::Run {
            side: side.name,
            commit: side.commit.short().to_owned(),
            hint: self.hint(side),
            source: Box::new(error),
        })
    }

    /// True once the first run has shown that the process itself is timed.
    pub fn is_process_timed(&self) -> bool {
        self.result_source == Some(ResultSource::Process)
    }

    /// Whether some benchmarks can be run without the others.
    pub fn can_filter(&self) -> bool {
        self.is_process_timed() || Dialect::can_filter(&self.spec.words)
    }

    /// Removes the checkouts. Returns a warning if something cannot be removed.
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
                count => format!("; {} more of the {} runs were disturbed", count - 1, self.runs),
            };
            let message = format!(
                "{first}{more}. Disturbed runs count like all others; if benchmarks are inconclusive, measure again on an idle machine"
            );
            all.push(Diagnostic::warning("disturbed-run", "", message));
        }
        all
    }
}

/// A warning about named pipes, sockets and devices in a directory that was copied.
fn not_copied(left_out: &[PathBuf]) -> Option<Diagnostic> {
    let first = left_out.first()?;
    let more = if left_out.len() == 1 { String::new() } else { format!(" and {} more", left_out.len() - 1) };
    let message = format!("{}{more}: not copied (named pipes, sockets and devices are left out)", first.display());
    Some(Diagnostic::warning("not-copied", "", message))
}

/// Turns an error of the file system into one that names the file.
pub(crate) fn failed<'a>(what: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> MeasureError + 'a {
    move |source| MeasureError::File { what, path: path.to_owned(), source }
}
