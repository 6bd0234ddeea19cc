//! One benchmark of `cargo bench` under callgrind: the bench target that has it is built with line tables, and runs it once.

use super::profiler::{name_side, read_profiles};
use super::{ExplainError, Extent, SideProfile};
use crate::compare::filter::exactly;
use crate::gate::measure::{Bench, Executable, SideCheckout, build_of, failed};
use crate::io::valgrind::{iteration_words, read_iterations};
use crate::policy::suggest::nearest_name;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Debug information that has the full names of inlined functions; `line-tables-only` has them without the module.
const DEBUG: [(&str, &str); 2] = [("CARGO_PROFILE_BENCH_DEBUG", "limited"), ("CARGO_PROFILE_BENCH_STRIP", "none")];
/// A filter that no benchmark matches: such a run measures the harness alone.
const NOTHING: &str = "^perfgate: no benchmark$";

/// True for a command that cargo runs.
pub(super) fn is_cargo_bench(words: &[String]) -> bool {
    build_of(words).is_some()
}

/// Counts one iteration of the benchmark, as `measure --count instructions` does. If the program has no `iter` function
/// of criterion, counts one run of it and subtracts a run of the harness alone.
pub(super) fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executables: &[Executable],
    benchmark: &str,
    profile_dir: &Path,
) -> Result<SideProfile, ExplainError> {
    let executable = find(bench, side, executables, benchmark)?;
    let counts = profile_dir.join("benchmark");
    let command = run(bench, side, executable, &exactly(benchmark), &counts)?;
    if let Some(profile) = read_iterations(&counts)? {
        let note = "instructions of one iteration of the benchmark, counted by callgrind";
        return Ok(SideProfile { profile, note: note.to_owned(), extent: Extent::Iteration });
    }
    let mut profile = read_profiles(&counts)?.ok_or(ExplainError::NoProfile { command })?;
    let counts = profile_dir.join("harness");
    run(bench, side, executable, NOTHING, &counts)?;
    if let Some(harness) = read_profiles(&counts)? {
        profile.subtract(&harness);
    }
    let note = "instructions of one run of the benchmark and its set-up, counted by callgrind: the bench target has no symbols, or no \
                `iter` of criterion";
    Ok(SideProfile { profile, note: note.to_owned(), extent: Extent::Run })
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

/// Counts the benchmarks that match a filter, each run once, into a new directory. Returns the command's line.
fn run(
    bench: &Bench<'_>,
    side: &SideCheckout,
    executable: &Executable,
    filter: &str,
    counts: &Path,
) -> Result<String, ExplainError> {
    fs::create_dir_all(counts).map_err(failed("create the directory", counts))?;
    let arguments = ["--bench", "--test", filter].map(str::to_owned).to_vec();
    let mut command = bench.bench_command(side, executable, arguments);
    let valgrind = iteration_words(&executable.loops()?, true, counts);
    command.words = valgrind.into_iter().chain(command.words).collect();
    // Results of criterion would go to the target directory of the user.
    let home = counts.with_extension("criterion").into_os_string();
    command.variables.push(("CRITERION_HOME".to_owned(), Some(home)));
    name_side(side, command.run())?;
    Ok(command.line())
}
