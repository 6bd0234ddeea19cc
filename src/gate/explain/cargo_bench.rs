//! One benchmark of `cargo bench` under callgrind: the bench target that has it is built with line tables, and runs it once.

use super::profiler::{callgrind, ended};
use super::{ExplainError, SideProfile};
use crate::compare::filter::exactly;
use crate::gate::measure::{Bench, MeasureError, SideCheckout, build_of};
use crate::io::command::{Command, CommandError, Limit};
use crate::io::profile::{InlinedCode, read_file};
use crate::policy::suggest::nearest_name;
use crate::profile::Profile;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Debug information that has the full names of inlined functions; `line-tables-only` has them without the module.
const DEBUG: [(&str, &str); 2] = [("CARGO_PROFILE_BENCH_DEBUG", "limited"), ("CARGO_PROFILE_BENCH_STRIP", "none")];
/// A filter that no benchmark matches: such a run costs what the harness costs.
const NOTHING: &str = "^perfgate: no benchmark$";

/// True for a command that cargo runs.
pub(super) fn is_cargo_bench(words: &[String]) -> bool {
    build_of(words).is_some()
}

/// A message of `cargo --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// A bench target.
pub(super) struct Executable {
    path: PathBuf,
    /// Where cargo runs it: the package.
    directory: PathBuf,
}

/// Counts one run of the benchmark, without what the harness costs.
pub(super) fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executables: &[Executable],
    benchmark: &str,
    room: &Path,
) -> Result<SideProfile, ExplainError> {
    let executable = find(bench, side, executables, benchmark)?;
    let mut counted = run(bench, side, executable, &exactly(benchmark), &room.join("benchmark.callgrind"))?;
    let harness = run(bench, side, executable, NOTHING, &room.join("harness.callgrind"))?;
    counted.subtract(&harness);
    let note = "instructions of one iteration of the benchmark and its set-up, counted by callgrind";
    Ok(SideProfile { profile: counted, note: Some(note.to_owned()) })
}

/// Builds all bench targets of the command.
pub(super) fn build(bench: &Bench<'_>, side: &SideCheckout, words: &[String]) -> Result<Vec<Executable>, ExplainError> {
    let mut words = build_of(words).unwrap_or_default();
    words.push("--message-format=json-render-diagnostics".to_owned());
    let mut command = bench.command(side, words);
    command.limit = Limit::default();
    let unset = DEBUG.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    command.variables.extend(unset.map(|(name, value)| (name.to_owned(), Some(value.into()))));
    let finished = command.run().map_err(|source| match source {
        CommandError::Interrupted => MeasureError::Command(source),
        source => {
            let (commit, hint) = (side.commit.short().to_owned(), bench.hint(side));
            MeasureError::Build { side: side.name(), commit, hint, source: Box::new(source) }
        }
    })?;
    let output = String::from_utf8_lossy(finished.stdout.whole.as_deref().unwrap_or_default()).into_owned();
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let executable = |message: Message| {
        let is_bench = message.target.is_some_and(|target| target.kind.iter().any(|kind| kind == "bench"));
        let path = message.executable.filter(|_| message.reason == "compiler-artifact" && is_bench)?;
        let directory = message.manifest_path.as_deref().and_then(Path::parent).unwrap_or(side.root()).to_owned();
        Some(Executable { path, directory })
    };
    Ok(messages.filter_map(executable).collect())
}

/// The bench target that lists the benchmark.
fn find<'e>(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executables: &'e [Executable],
    benchmark: &str,
) -> Result<&'e Executable, ExplainError> {
    let mut names = BTreeSet::new();
    for executable in executables {
        let listed = command(bench, side, executable, vec!["--bench".to_owned(), "--list".to_owned()]).run();
        let Ok(listed) = listed.map(|finished| finished.stdout.whole.unwrap_or_default()) else { continue };
        let text = String::from_utf8_lossy(&listed).into_owned();
        let found = text.lines().filter_map(|line| line.strip_suffix(": benchmark").or(line.strip_suffix(": bench")));
        let found: Vec<String> = found.map(str::to_owned).collect();
        if found.iter().any(|name| name == benchmark) {
            return Ok(executable);
        }
        names.extend(found);
    }
    let found = match nearest_name(benchmark, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None if names.is_empty() => {
            "none of them lists criterion benchmarks; choose the target with `-- cargo bench --bench NAME`".to_owned()
        }
        None => format!("there are {}", names.into_iter().take(5).collect::<Vec<_>>().join(", ")),
    };
    Err(ExplainError::NoBenchmark { side: side.name(), benchmark: benchmark.to_owned(), found })
}

/// A command with a bench target, as cargo would run it.
fn command(bench: &Bench<'_>, side: &SideCheckout, executable: &Executable, arguments: Vec<String>) -> Command {
    let path = executable.path.display().to_string();
    let words = std::iter::once(path).chain(arguments).collect();
    let mut command = bench.command(side, words);
    command.directory.clone_from(&executable.directory);
    let manifest = executable.directory.clone().into();
    command.variables.push(("CARGO_MANIFEST_DIR".to_owned(), Some(manifest)));
    command
}

/// Counts the benchmarks that match a filter, each run once.
fn run(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executable: &Executable,
    filter: &str,
    out: &Path,
) -> Result<Profile, ExplainError> {
    let arguments = ["--bench", "--test", filter].map(str::to_owned).to_vec();
    let mut command = command(bench, side, executable, arguments);
    command.words = callgrind(out, false).into_iter().chain(command.words).collect();
    // Results of criterion would go to the target directory of the user.
    let home = out.with_extension("criterion").into_os_string();
    command.variables.push(("CRITERION_HOME".to_owned(), Some(home)));
    ended(side, command.run())?;
    if !out.is_file() {
        return Err(ExplainError::NoProfile { command: command.line() });
    }
    Ok(read_file(out, &mut InlinedCode::default())?)
}
