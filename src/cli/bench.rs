//! A benchmark command on one side: checked out, built, run, and what it left as a Run. Shared by `measure` and
//! `bisect`; the order of the runs and what they say is theirs.

use crate::compare::filter::{Dialect, FILTER};
use crate::gate::{Config, side};
use crate::io::collect::{self, ResultSources};
use crate::io::command::{Command, CommandError, Finished};
use crate::io::noise::NoiseMonitor;
use crate::io::probe;
use crate::io::repository::Repository;
use crate::io::worktree::{Checkout, GIT_VARIABLES, Scratch};
use crate::model::{Commit, Diagnostic, Direction, Environment, Evidence, Measurement, Metric, Run, Unit};
use anyhow::{Context, bail};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The mark in a command that a fresh file's path takes the place of.
const OUT: &str = "{out}";
/// The tool's name where a process itself is the benchmark.
const PROCESS: &str = "process";
/// A benchmark that is a command has its line for a name, up to so many characters.
const LONGEST_NAME: usize = 120;

/// What a command that measures has no use for, and code under test must not read.
const SECRETS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];

/// How the command is run; the same for both commands.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The longest that one run may take (90s, 10m); builds are not limited
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    timeout: Option<Duration>,
    /// Processors to run on (2 or 2,3 or 2-5); Linux only
    #[arg(long, value_name = "CPUS", value_parser = parse_processors)]
    pin: Option<Processors>,
    /// A file or directory that git does not know and the benchmarks need: copied to each side
    #[arg(long, value_name = "PATH")]
    copy: Vec<String>,
    /// Fetch the submodules of each side
    #[arg(long)]
    submodules: bool,
    /// A shell command that builds a side before anything is measured [default for cargo bench: the same with --no-run]
    #[arg(long, value_name = "COMMAND")]
    setup: Option<String>,
    /// Read results as this format instead of sniffing (`perfgate formats` lists them)
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
    /// Where each side is checked out and built [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// The benchmark command. `{filter}` becomes the tool's filter when some benchmarks are run again, `{out}` the path
    /// of a fresh file for the results
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl BenchArgs {
    /// `--input-format`.
    pub fn format(&self) -> Option<&str> {
        self.input_format.as_deref()
    }
}

/// Numbers of processors.
#[derive(Debug, Clone)]
pub struct Processors(Vec<usize>);

/// `15m`, `90s`, `1h`, `500ms`, or seconds.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write 90s, 15m or 1h");
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * factor;
    if seconds <= 0.0 { Err(wrong()) } else { Duration::try_from_secs_f64(seconds).map_err(|_| wrong()) }
}

fn parse_processors(text: &str) -> Result<Processors, String> {
    let wrong = || format!("{text:?} names no processors; write 2 or 2,3 or 2-5");
    let mut processors = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let parse = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        let (first, last) = (parse(first)?, parse(last)?);
        if first > last || last >= 1024 {
            return Err(wrong());
        }
        processors.extend(first..=last);
    }
    Ok(Processors(processors))
}

/// A benchmark command, ready to be run on sides.
pub struct Bench<'a> {
    args: &'a BenchArgs,
    config: &'a Config,
    /// The user's repository.
    pub repository: Repository,
    /// The working directory, seen from the top of the work tree.
    prefix: PathBuf,
    scratch: Scratch,
    dialect: Dialect,
    runs: usize,
    kind: Option<Kind>,
    /// What was odd about the runs so far.
    pub diagnostics: Vec<Diagnostic>,
    disturbed: Vec<String>,
}

/// What is measured: decided by the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The results that the command leaves.
    Results,
    /// The command itself.
    Process,
}

/// One side, checked out.
pub struct Site {
    name: &'static str,
    checkout: Checkout,
    /// Where it builds; `None` for the user's own work tree, which builds where it always does.
    target: Option<PathBuf>,
    /// What is checked out.
    pub commit: Commit,
    /// This machine, and the toolchain of this side.
    pub environment: Environment,
}

/// A run and how long it took.
pub struct Measured {
    /// What it left.
    pub run: Run,
    /// From start to end.
    pub wall: Duration,
}

impl<'a> Bench<'a> {
    /// Takes the repository's lock. Nothing is checked out yet.
    pub fn open(args: &'a BenchArgs, config: &'a Config) -> anyhow::Result<Bench<'a>> {
        let repository = Repository::discover(Path::new(".")).context("both sides come from a git repository")?;
        let root = repository.root().context("this repository has no work tree; run perfgate in a clone of it")?;
        let here = fs::canonicalize(".").context("cannot read the working directory")?;
        let top = fs::canonicalize(root).context("cannot read the top of the work tree")?;
        let prefix = here.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();
        let parent = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
        if fs::canonicalize(&parent).is_ok_and(|parent| parent.starts_with(&top)) {
            bail!("the scratch directory {} is inside the work tree; name one outside it", parent.display());
        }
        let scratch = Scratch::open(&repository, &parent)?;
        let dialect = Dialect::of(&args.command);
        let (diagnostics, disturbed) = (Vec::new(), Vec::new());
        Ok(Bench { args, config, repository, prefix, scratch, dialect, runs: 0, kind: None, diagnostics, disturbed })
    }

    /// Checks a side out. With `changes`, uncommitted work comes along.
    pub fn check_out(&self, name: &'static str, commit: &Commit, changes: bool) -> anyhow::Result<Site> {
        let checkout = self.scratch.check_out(name, commit)?;
        let target = Some(self.scratch.path().join(format!("target-{name}")));
        let mut site = Site { name, checkout, target, commit: commit.clone(), environment: Environment::default() };
        self.furnish(&mut site, changes)?;
        Ok(site)
    }

    /// The user's own work tree as a side.
    pub fn in_place(&self, commit: &Commit) -> anyhow::Result<Site> {
        let root = self.repository.root().context("this repository has no work tree")?.to_owned();
        let environment = side::here(&root);
        Ok(Site { name: "head", checkout: Checkout { root }, target: None, commit: commit.clone(), environment })
    }

    /// Puts another commit into a side; what was built stays where it can be used again.
    pub fn switch(&self, site: &mut Site, commit: &Commit) -> anyhow::Result<()> {
        self.scratch.switch(&site.checkout, commit)?;
        site.commit = commit.clone();
        self.furnish(site, false)
    }

    fn furnish(&self, site: &mut Site, changes: bool) -> anyhow::Result<()> {
        if self.args.submodules {
            self.scratch.add_submodules(&site.checkout)?;
        }
        if changes && self.scratch.copy_changes(&self.repository, &site.checkout)? > 0 {
            site.environment.set(Environment::DIRTY, "yes");
        }
        for path in &self.args.copy {
            self.scratch.copy_into(&site.checkout, &self.prefix, path)?;
        }
        let facts = probe::probe(&site.checkout.root, &|name| std::env::var(name).ok());
        facts.0.into_iter().for_each(|(key, value)| site.environment.set(&key, value));
        Ok(())
    }

    /// Builds a side, where there is something to build.
    pub fn build(&self, site: &Site) -> anyhow::Result<Option<Duration>> {
        let words = match &self.args.setup {
            Some(line) if cfg!(windows) => vec!["cmd".to_owned(), "/C".to_owned(), line.clone()],
            Some(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
            None => match build_of(&self.args.command) {
                Some(words) => words,
                None => return Ok(None),
            },
        };
        let mut command = self.command(site, words);
        command.timeout = None;
        command.processors.clear();
        match command.run() {
            Ok(finished) => Ok(Some(finished.wall)),
            Err(error @ CommandError::Interrupted) => Err(error.into()),
            Err(error) => Err(anyhow::Error::new(error).context(format!(
                "{} ({}) does not build",
                site.name,
                site.commit.short()
            ))),
        }
    }

    fn command(&self, site: &Site, words: Vec<String>) -> Command {
        let mut variables: Vec<(String, Option<OsString>)> =
            GIT_VARIABLES.iter().map(|name| ((*name).to_owned(), None)).collect();
        variables.extend(SECRETS.map(|name| (name.to_owned(), None)));
        if let Some(target) = &site.target {
            variables.push(("CARGO_TARGET_DIR".to_owned(), Some(target.clone().into())));
        }
        let processors = self.args.pin.clone().map(|processors| processors.0).unwrap_or_default();
        let directory = site.checkout.root.join(&self.prefix);
        let scratch = Some(self.scratch.path().to_owned());
        Command { words, directory, variables, timeout: self.args.timeout, processors, scratch }
    }

    /// Runs the command once: all benchmarks, or `only` some.
    pub fn run(&mut self, site: &Site, only: Option<&[String]>) -> anyhow::Result<Measured> {
        self.runs += 1;
        let room = self.scratch.path().join(format!("run-{:04}", self.runs));
        let result = self.run_in(site, only, &room);
        let _ = fs::remove_dir_all(&room);
        result.with_context(|| format!("nothing is judged: a run of {} ({}) failed", site.name, site.commit.short()))
    }

    fn run_in(&mut self, site: &Site, only: Option<&[String]>, room: &Path) -> anyhow::Result<Measured> {
        fs::create_dir(room).with_context(|| format!("{}: cannot make a directory", room.display()))?;
        let since = clock(&room.join("start")).with_context(|| format!("{}: cannot write", room.display()))?;
        let out = room.join("results");
        let criterion_home = room.join("criterion");
        let given = self.args.command.iter().any(|word| word.contains(OUT));
        let words = self.dialect.words(&self.args.command, only);
        let out_text = out.display().to_string();
        let mut command = self.command(site, words.iter().map(|word| word.replace(OUT, &out_text)).collect());
        command.variables.push(("CRITERION_HOME".to_owned(), Some(criterion_home.clone().into())));
        let mut criterion = vec![criterion_home];
        let trees = [&command.directory, &site.checkout.root].map(|directory| directory.join("target/criterion"));
        for tree in trees {
            if site.target.is_some() {
                let _ = fs::remove_dir_all(&tree); // what an earlier run left in a tree of ours
            }
            if !criterion.contains(&tree) {
                criterion.push(tree);
            }
        }
        let watch = NoiseMonitor::start();
        let finished = command.run()?;
        if let Some(told) = watch.end(finished.usage).describe() {
            self.disturbed.push(format!("run {} ({}): {told}", self.runs, site.name));
        }
        let root = &site.checkout.root;
        let inputs: Vec<(PathBuf, Option<String>)> = self
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
            stdout: finished.stdout.whole.as_deref(),
            format: self.args.input_format.as_deref(),
        };
        let left = collect::collect(&sources)?;
        let mut run = match (left, self.kind) {
            (Some(_), Some(Kind::Process)) => bail!("`{}` left results now and none before", command.line()),
            (Some(loaded), _) => {
                self.kind = Some(Kind::Results);
                let hide = |text: String| text.replace(&*room.display().to_string(), "");
                self.diagnostics.extend(loaded.diagnostics.into_iter().map(|diagnostic| Diagnostic {
                    place: hide(diagnostic.place),
                    message: hide(diagnostic.message),
                    ..diagnostic
                }));
                loaded.run
            }
            (None, None | Some(Kind::Process)) if !self.is_tool() => {
                self.kind = Some(Kind::Process);
                process_run(&self.args.command, &finished)
            }
            (None, _) => bail!("{}", self.nothing(&command, &finished)),
        };
        run.environment.0.extend(site.environment.0.clone());
        run.commit = Some(site.commit.clone());
        Ok(Measured { run, wall: finished.wall })
    }

    fn nothing(&self, command: &Command, finished: &Finished) -> String {
        let lines = match finished.last_lines.as_str() {
            "" => "it printed nothing".to_owned(),
            lines => format!("its last lines:\n{lines}"),
        };
        let line = command.line();
        format!(
            "`{line}` left no results: nothing that a format knows in {{out}}, below the work tree, or on standard output; {lines}"
        )
    }

    /// A path of the config, seen in a side's work tree.
    fn input(&self, root: &Path, path: &str) -> PathBuf {
        let config = fs::canonicalize(&self.config.directory).unwrap_or_default();
        let top = self.repository.root().and_then(|root| fs::canonicalize(root).ok()).unwrap_or_default();
        root.join(config.strip_prefix(&top).unwrap_or(Path::new(""))).join(path)
    }

    /// True for a command of which results are expected: without them it is no benchmark but a failure.
    fn is_tool(&self) -> bool {
        let command = &self.args.command;
        let marked = command.iter().any(|word| word.contains(OUT) || word.contains(FILTER));
        marked
            || self.args.input_format.is_some()
            || !self.config.policy.inputs().is_empty()
            || self.dialect != Dialect::Criterion
            || build_of(command).is_some()
    }

    /// True once it is known that the process itself is the benchmark.
    pub fn is_process(&self) -> bool {
        self.kind == Some(Kind::Process)
    }

    /// Whether some benchmarks can be run without the others.
    pub fn can_filter(&self) -> bool {
        self.is_process() || Dialect::can_filter(&self.args.command)
    }

    /// What was odd about all runs together.
    pub fn oddities(&mut self) -> Vec<Diagnostic> {
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

/// `cargo bench --no-run` for a command that is run by `cargo bench`.
fn build_of(command: &[String]) -> Option<Vec<String>> {
    let cargo = command.first().is_some_and(|word| Path::new(word).file_stem().is_some_and(|stem| stem == "cargo"));
    let bench = command.iter().skip(1).find(|word| !word.starts_with(['-', '+'])).is_some_and(|word| word == "bench");
    let before = command.iter().take_while(|word| *word != "--").filter(|word| !word.contains(FILTER));
    (cargo && bench).then(|| before.cloned().chain(["--no-run".to_owned()]).collect())
}

/// The process itself as a run.
fn process_run(command: &[String], finished: &Finished) -> Run {
    let name: String = command.join(" ").chars().take(LONGEST_NAME).collect();
    let one = |metric: Metric, value: f64| Measurement::new(PROCESS, name.as_str(), metric, Evidence::Value(value));
    let time = |name: &'static str, duration: Duration| {
        one(Metric::measured(name, Unit::Nanosecond, Direction::Lower), duration.as_nanos() as f64)
    };
    let mut measurements = Vec::new();
    let count = |name: &'static str, count: Option<u64>| {
        count.map(|count| one(Metric::measured(name, Unit::Count, Direction::Lower), count as f64))
    };
    measurements.extend(count("cycles", finished.counts.cycles));
    measurements.extend(count("instructions", finished.counts.instructions));
    if let Some(usage) = finished.usage {
        let peak = Metric::measured("memory:peak", Unit::Byte, Direction::Lower);
        measurements.push(one(peak, usage.peak as f64));
    }
    measurements.push(time("time", finished.wall));
    if let Some(usage) = finished.usage {
        measurements.push(time("time:system", usage.system));
        measurements.push(time("time:user", usage.user));
    }
    Run { measurements, ..Run::default() }
}

/// The file system's clock: what files that are written from now on will carry.
fn clock(file: &Path) -> std::io::Result<SystemTime> {
    fs::write(file, "")?;
    fs::metadata(file)?.modified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_processors_are_read() {
        assert_eq!(parse_time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_time("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_time("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "m", "-5s", "0", "5 days", "1e99h"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_processors("1,3-5").unwrap().0, [1, 3, 4, 5]);
        for wrong in ["", "a", "5-3", "99999"] {
            assert!(parse_processors(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cargo_bench_is_built_before_it_is_run() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            build_of(&words("cargo bench --bench x -- {filter}")),
            Some(words("cargo bench --bench x --no-run"))
        );
        assert_eq!(build_of(&words("cargo test")), None);
        assert_eq!(build_of(&words("./bench cargo")), None);
    }
}
