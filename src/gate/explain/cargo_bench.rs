//! One benchmark of `cargo bench` under callgrind: the bench target that has it is built with line tables, and runs it once.

use super::profiler::ended;
use super::{ExplainError, SideProfile};
use crate::compare::filter::exactly;
use crate::gate::measure::{Bench, Executable, SideCheckout, build_of};
use crate::io::profile::{InlinedCode, read_file};
use crate::io::valgrind::profile_words;
use crate::policy::suggest::nearest_name;
use crate::profile::Profile;
use std::collections::BTreeSet;
use std::path::Path;

/// Debug information that has the full names of inlined functions; `line-tables-only` has them without the module.
const DEBUG: [(&str, &str); 2] = [("CARGO_PROFILE_BENCH_DEBUG", "limited"), ("CARGO_PROFILE_BENCH_STRIP", "none")];
/// A filter that no benchmark matches: such a run costs what the harness costs.
const NOTHING: &str = "^perfgate: no benchmark$";

/// True for a command that cargo runs.
pub(super) fn is_cargo_bench(words: &[String]) -> bool {
    build_of(words).is_some()
}

/// Counts one run of the benchmark, without what the harness costs.
pub(super) fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executables: &[Executable],
    benchmark: &str,
    profile_dir: &Path,
) -> Result<SideProfile, ExplainError> {
    let executable = find(bench, side, executables, benchmark)?;
    let mut counted = run(bench, side, executable, &exactly(benchmark), &profile_dir.join("benchmark.callgrind"))?;
    let harness = run(bench, side, executable, NOTHING, &profile_dir.join("harness.callgrind"))?;
    counted.subtract(&harness);
    let note = "instructions of one iteration of the benchmark and its set-up, counted by callgrind";
    Ok(SideProfile { profile: counted, note: Some(note.to_owned()) })
}

/// Builds all bench targets of the command, with debug information.
pub(super) fn build(bench: &Bench<'_>, side: &SideCheckout) -> Result<Vec<Executable>, ExplainError> {
    Ok(bench.executables(side, &DEBUG)?)
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
        let found = bench.list(side, executable, &[]);
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

/// Counts the benchmarks that match a filter, each run once.
fn run(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executable: &Executable,
    filter: &str,
    out: &Path,
) -> Result<Profile, ExplainError> {
    let arguments = ["--bench", "--test", filter].map(str::to_owned).to_vec();
    let mut command = bench.bench_command(side, executable, arguments);
    command.words = profile_words(out, false).into_iter().chain(command.words).collect();
    // Results of criterion would go to the target directory of the user.
    let home = out.with_extension("criterion").into_os_string();
    command.variables.push(("CRITERION_HOME".to_owned(), Some(home)));
    ended(side, command.run())?;
    if !out.is_file() {
        return Err(ExplainError::NoProfile { command: command.line() });
    }
    Ok(read_file(out, &mut InlinedCode::default())?)
}
