//! A run that counts instructions with valgrind instead of measuring time. Counts do not depend on the load of the machine, so
//! benchmarks run next to each other.

use super::build::build_of;
use super::timed_process::LONGEST_NAME;
use super::{Bench, OUT, SideCheckout, failed};
use crate::compare::filter::{Dialect, FILTER, exactly, program_name};
use crate::gate::measure::error::MeasureError;
use crate::io::command::Command;
use crate::io::in_parallel::in_parallel;
use crate::io::valgrind;
use crate::model::{Diagnostic, Direction, Evidence, Measurement, Metric, Run, Unit, VALGRIND};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Programs that do not execute the same instructions each time: interpreters with compilers or random hash seeds.
const NOT_COUNTED: [&str; 14] = [
    "python",
    "pytest",
    "py.test",
    "tox",
    "node",
    "nodejs",
    "npm",
    "npx",
    "deno",
    "bun",
    "java",
    "ruby",
    "go",
    "hyperfine",
];

/// A benchmark to count.
struct Job {
    name: String,
    command: Command,
    /// Where valgrind writes.
    directory: PathBuf,
}

/// Refuses a command that cannot be counted, before a build that takes minutes.
pub(super) fn check(words: &[String]) -> Result<(), MeasureError> {
    let program = words.first().map(|word| program_name(word)).unwrap_or_default();
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if NOT_COUNTED.contains(&program) || Dialect::of(words) != Dialect::Criterion {
        return Err(MeasureError::NotCountable { command: words.join(" ") });
    }
    if valgrind::is_installed() { Ok(()) } else { Err(MeasureError::NoValgrind) }
}

impl Bench<'_> {
    /// True if instructions are counted.
    pub fn counts_instructions(&self) -> bool {
        self.spec.counts_instructions
    }

    /// Counts all benchmarks of a side once, or `only` some.
    pub(super) fn count(
        &mut self,
        side: &SideCheckout,
        only: Option<&[String]>,
        directory: &Path,
    ) -> Result<Run, MeasureError> {
        fs::create_dir(directory).map_err(failed("create the directory", directory))?;
        let counts = match build_of(&self.spec.words) {
            Some(_) => self.count_benchmarks(side, only, directory)?,
            None => vec![self.count_command(side, directory)?],
        };
        let measurement = |(name, count): (String, u64)| {
            let metric = Metric::counted("instructions", Unit::Count, Direction::Lower);
            Measurement::new(VALGRIND, name.as_str(), metric, Evidence::Value(count as f64))
        };
        let measurements = counts.into_iter().map(measurement).collect();
        let (commit, environment) = (Some(side.commit.clone()), side.environment.clone());
        Ok(Run { measurements, commit, environment, ..Run::default() })
    }

    /// Counts one iteration of each criterion benchmark. Each runs in a process of its own, so that no count depends on what
    /// ran before.
    fn count_benchmarks(
        &mut self,
        side: &SideCheckout,
        only: Option<&[String]>,
        directory: &Path,
    ) -> Result<Vec<(String, u64)>, MeasureError> {
        let words = &self.spec.words;
        let arguments: Vec<String> =
            words.iter().skip_while(|word| *word != "--").skip(1).filter(|word| *word != FILTER).cloned().collect();
        let mut jobs = Vec::new();
        let mut seen = BTreeSet::new();
        for executable in self.executables(side, &[])? {
            let loops = executable.loops()?;
            let mut names = self.list(side, &executable, &arguments);
            names.retain(|name| only.is_none_or(|only| only.contains(name)) && seen.insert(name.clone()));
            for name in names {
                // Paths have the same length on both sides: they are on the program's stack, and its alignment changes
                // the instructions for copying memory.
                let directory = directory.join(format!("{:06}", jobs.len()));
                let options = ["--bench".to_owned(), "--test".to_owned(), exactly(&name)].to_vec();
                let mut command = self.bench_command(side, &executable, options);
                let valgrind = valgrind::iteration_words(&loops, false, &directory);
                command.words = valgrind.into_iter().chain(command.words).collect();
                // Results of criterion would go to the target directory of the user.
                command.variables.push(("CRITERION_HOME".to_owned(), Some(directory.join("criterion").into())));
                jobs.push(Job { name, command, directory });
            }
        }
        if jobs.is_empty() {
            return Err(MeasureError::NothingToCount { command: words.join(" ") });
        }
        let counts = in_parallel(&jobs, Job::iteration);
        let mut counted = Vec::with_capacity(jobs.len());
        for (job, count) in jobs.iter().zip(counts) {
            // Two processes may not be able to run the same set-up code at once, such as writing a file.
            let count = match count {
                Err(error) if !error.is_interrupted() => job.iteration()?,
                count => count?,
            };
            match count {
                Some(count) => counted.push((job.name.clone(), count)),
                None => {
                    let why = "not counted: criterion ran no iteration of it, or the program has no symbols";
                    self.diagnostics.push(Diagnostic::warning("not-counted", job.name.as_str(), why));
                }
            }
        }
        if counted.is_empty() {
            return Err(MeasureError::NoSymbols { command: words.join(" ") });
        }
        Ok(counted)
    }

    /// Counts the whole command with the processes that it starts.
    fn count_command(&self, side: &SideCheckout, directory: &Path) -> Result<(String, u64), MeasureError> {
        let name: String = self.spec.words.join(" ").chars().take(LONGEST_NAME).collect();
        let out = directory.join("results").display().to_string();
        let words = self.dialect.words(&self.spec.words, None).into_iter().map(|word| word.replace(OUT, &out));
        let directory = directory.join("counts");
        let mut command = self.command(side, words.collect());
        command.words = valgrind::process_words(&directory).into_iter().chain(command.words).collect();
        let job = Job { name: name.clone(), command, directory };
        let total = job.run(|directory| valgrind::read_total(directory).map_err(failed("read", directory)))?;
        if total == 0 {
            return Err(MeasureError::NoCounts { command: job.command.line() });
        }
        Ok((name, total))
    }
}

impl Job {
    /// The instructions of one iteration; `None` if criterion ran none.
    fn iteration(&self) -> Result<Option<u64>, MeasureError> {
        let counted = self.run(|directory| Ok(valgrind::read_iterations(directory)?))?;
        Ok(counted.map(|profile| profile.total as u64))
    }

    /// Runs the command, and reads the files that valgrind wrote.
    fn run<T>(&self, read: impl Fn(&Path) -> Result<T, MeasureError>) -> Result<T, MeasureError> {
        // The files of an earlier try that failed would be added to those of this one.
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("remove the directory", &self.directory)(error));
            }
            _ => {}
        }
        fs::create_dir_all(&self.directory).map_err(failed("create the directory", &self.directory))?;
        self.command.run()?;
        let counts = read(&self.directory);
        let _ = fs::remove_dir_all(&self.directory); // hundreds of benchmarks would fill the disk
        counts
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::io::command::Limit;

    #[test]
    fn the_counts_of_a_failed_try_are_not_added_to_those_of_the_next() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("counts");
        // Fails the first time, after it wrote its counts.
        let script = "echo 'summary: 5' > counts/counts.$$; mv ran again 2>/dev/null || { touch ran; exit 1; }";
        let command = Command {
            words: ["sh", "-c", script].map(str::to_owned).to_vec(),
            directory: scratch.path().to_owned(),
            variables: Vec::new(),
            limit: Limit::default(),
            processors: Vec::new(),
            scratch: None,
        };
        let job = Job { name: "a".to_owned(), command, directory };
        let total = || job.run(|directory| valgrind::read_total(directory).map_err(failed("read", directory)));
        assert!(total().is_err());
        assert_eq!(total().unwrap(), 5);
    }
}
