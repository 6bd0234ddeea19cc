//! Which profiler a command runs under: callgrind for native programs, and the profiler of the language for Python and Node.js.

use super::go_test::is_go_test;
use super::{ExplainError, Extent, SideProfile};
use crate::compare::filter::program_name;
use crate::gate::measure::{Bench, MeasureError, SideCheckout, failed};
use crate::io::command::{CommandError, FinishedCommand};
use crate::io::profile::{InlinedCode, read_file};
use crate::io::valgrind::{self, VALGRIND, profile_words};
use crate::profile::Profile;
use std::fs;
use std::path::{Path, PathBuf};

/// The option of pytest-benchmark that writes a profile for each benchmark.
const PYTEST_DUMP: &str = "--benchmark-cprofile-dump";

/// The profiler of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profiler {
    Callgrind,
    Cprofile,
    Pytest,
    /// pytest with pytest-benchmark 5 or later, which profiles one call of each benchmarked function.
    PytestBenchmark,
    Node,
}

impl Profiler {
    fn of(words: &[String]) -> Profiler {
        let program = words.first().map(|word| program_name(word)).unwrap_or_default();
        match program {
            "pytest" | "py.test" => Profiler::Pytest,
            "node" | "nodejs" => Profiler::Node,
            _ if program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == "python" => Profiler::Cprofile,
            _ => Profiler::Callgrind,
        }
    }

    /// The command under the profiler, which writes its profiles to `profile_dir`.
    fn words(self, words: &[String], profile_dir: &Path) -> Vec<String> {
        let (program, rest) = words.split_first().map(|(first, rest)| (first.clone(), rest)).unwrap_or_default();
        let out = profile_dir.join("out.profile").display().to_string();
        let before = match self {
            Profiler::Callgrind => {
                return profile_words(&profile_dir.join("%p.profile"), true)
                    .into_iter()
                    .chain(words.iter().cloned())
                    .collect();
            }
            Profiler::Cprofile => vec![program, "-m".to_owned(), "cProfile".to_owned(), "-o".to_owned(), out],
            Profiler::Pytest => {
                let words = ["python3", "-m", "cProfile", "-o", &out, "-m", "pytest"];
                words.map(str::to_owned).to_vec()
            }
            Profiler::PytestBenchmark => {
                let dump = profile_dir.join("out").display().to_string();
                let options = ["--benchmark-cprofile=tottime".to_owned(), format!("{PYTEST_DUMP}={dump}")];
                return words.iter().cloned().chain(options).collect();
            }
            Profiler::Node => {
                vec![program, "--cpu-prof".to_owned(), "--cpu-prof-dir".to_owned(), profile_dir.display().to_string()]
            }
        };
        before.into_iter().chain(rest.iter().cloned()).collect()
    }

    /// What its profile covers.
    fn extent(self) -> Extent {
        match self {
            Profiler::PytestBenchmark => Extent::Call,
            Profiler::Callgrind | Profiler::Cprofile | Profiler::Pytest | Profiler::Node => Extent::Command,
        }
    }
}

/// Refuses a command whose profiler is missing.
pub(super) fn check(words: &[String]) -> Result<(), ExplainError> {
    if Profiler::of(words) != Profiler::Callgrind || is_go_test(words) {
        return Ok(()); // part of the language's own tools
    }
    if valgrind::is_installed() { Ok(()) } else { Err(ExplainError::NoProfiler { program: VALGRIND }) }
}

/// Turns the error of a command under a profiler into one that names the side.
pub(super) fn name_side(
    side: &SideCheckout,
    end: Result<FinishedCommand, CommandError>,
) -> Result<FinishedCommand, ExplainError> {
    end.map_err(|source| match source {
        CommandError::Interrupted => MeasureError::Command(source).into(),
        source => ExplainError::Run { side: side.name(), source },
    })
}

/// True for pytest with a pytest-benchmark that can profile its benchmarks. The plugin pauses other profilers while it measures, so
/// cProfile around all of pytest would mainly show its start-up.
fn profiles_benchmarks(bench: &Bench<'_>, side: &SideCheckout, words: &[String]) -> bool {
    let is_module = words.get(1..3).is_some_and(|words| words == ["-m", "pytest"]);
    if Profiler::of(words) != Profiler::Pytest && !is_module {
        return false;
    }
    // The options of the command can disable the plugin.
    let help = bench.command(side, words.iter().cloned().chain(["--help".to_owned()]).collect());
    let text = help.run().ok().and_then(|finished| finished.stdout.whole);
    text.is_some_and(|text| String::from_utf8_lossy(&text).contains(PYTEST_DUMP))
}

/// Runs a command once under its profiler.
pub(super) fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    words: &[String],
    profile_dir: &Path,
) -> Result<SideProfile, ExplainError> {
    let mut profiler = match Profiler::of(words) {
        Profiler::Pytest | Profiler::Cprofile if profiles_benchmarks(bench, side, words) => Profiler::PytestBenchmark,
        other => other,
    };
    let run = |profiler: Profiler| -> Result<(Option<Profile>, String), ExplainError> {
        let command = bench.command(side, profiler.words(words, profile_dir));
        name_side(side, command.run())?;
        Ok((read_profiles(profile_dir)?, command.line()))
    };
    let (mut profile, mut line) = run(profiler)?;
    if profile.is_none() && profiler == Profiler::PytestBenchmark {
        profiler = Profiler::of(words); // tests without the plugin's fixture
        (profile, line) = run(profiler)?;
    }
    let profile = profile.ok_or(ExplainError::NoProfile { command: line })?;
    let note = match profiler {
        Profiler::Callgrind => "instructions of the whole command, counted by callgrind",
        Profiler::PytestBenchmark => {
            "times of one call of the benchmarked function per side; small differences can be noise"
        }
        Profiler::Cprofile | Profiler::Pytest | Profiler::Node => {
            "times of one run of the whole command per side; small differences can be noise"
        }
    };
    Ok(SideProfile { profile, note: note.to_owned(), extent: profiler.extent() })
}

/// The sum of the profiles in a directory; `None` if there are none.
pub(super) fn read_profiles(directory: &Path) -> Result<Option<Profile>, ExplainError> {
    let entries = fs::read_dir(directory).map_err(failed("read the directory", directory))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut sum: Option<Profile> = None;
    for file in files {
        match (read_file(&file, &mut InlinedCode::default()), &mut sum) {
            (Ok(profile), None) => sum = Some(profile),
            (Ok(profile), Some(sum)) => sum.add(profile),
            // Empty for a child process that only started another program.
            (Err(error), _) if error.is_empty_profile() => {}
            (Err(error), _) => return Err(error.into()),
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_runs(line: &str, profiled: &str) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let words = Profiler::of(&words).words(&words, Path::new("R"));
        assert_eq!(words.join(" ").replace('\\', "/"), profiled);
    }

    #[test]
    fn each_language_has_its_profiler() {
        assert_runs("python3.11 app.py x", "python3.11 -m cProfile -o R/out.profile app.py x");
        assert_runs("/v/bin/python -m pytest b", "/v/bin/python -m cProfile -o R/out.profile -m pytest b");
        assert_runs("pytest -k x", "python3 -m cProfile -o R/out.profile -m pytest -k x");
        assert_runs("node a.js", "node --cpu-prof --cpu-prof-dir R a.js");
        let pytest = ["pytest".to_owned(), "b".to_owned()];
        let words = Profiler::PytestBenchmark.words(&pytest, Path::new("R")).join(" ").replace('\\', "/");
        assert_eq!(words, "pytest b --benchmark-cprofile=tottime --benchmark-cprofile-dump=R/out");
        assert_eq!(
            [Profiler::PytestBenchmark, Profiler::Pytest].map(Profiler::extent),
            [Extent::Call, Extent::Command]
        );
        let valgrind = "valgrind --tool=callgrind --dump-instr=yes --demangle=no --trace-children=yes";
        assert_runs("./tool in.txt", &format!("{valgrind} --callgrind-out-file=R/%p.profile ./tool in.txt"));
    }
}
