//! One benchmark of `go test` under Go's own profiler. Go chooses the number of iterations by the clock, so a slower benchmark
//! runs fewer iterations in the same time. Base therefore runs once without the profiler, to find one number for the profiles of
//! both sides.

use super::profiler::{name_side, read_profiles};
use super::{ExplainError, Extent, SideProfile};
use crate::compare::filter::{Dialect, program_name};
use crate::formats::joined_lines_of_go;
use crate::gate::measure::{Bench, MeasureError, SideCheckout};
use crate::io::capture::CapturedOutput;
use crate::io::command::Command;
use crate::model::number_text::{counted, thousands};
use std::io::{Read, Seek};
use std::path::Path;

/// Multiple of the iterations that Go runs in its one second per benchmark: the profiler takes only 100 samples in a second.
const ITERATIONS_FACTOR: u64 = 3;

/// How a benchmark runs on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IterationPlan {
    iterations: u64,
    /// How often these iterations run in one profile: once for each number of processors in `-cpu 1,2`, and for each
    /// sub-benchmark.
    results: u64,
    /// The package that has it: Go profiles only one at a time.
    package: Option<String>,
}

/// True for a command that `go test` runs.
pub(super) fn is_go_test(words: &[String]) -> bool {
    words.first().is_some_and(|word| program_name(word) == "go") && words.get(1).is_some_and(|word| word == "test")
}

/// Profiles the benchmark. The time is that of one iteration.
pub(super) fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    benchmark: &str,
    profile_dir: &Path,
    plan: Option<IterationPlan>,
) -> Result<SideProfile, ExplainError> {
    let words = bench.words(benchmark);
    let plan = match plan {
        Some(plan) => plan,
        None => {
            let command = bench.command(side, command_of(&words, benchmark, None, &[]));
            let output = output_of(name_side(side, command.run())?.stdout, &command)?;
            let found = IterationPlan::of(&String::from_utf8_lossy(&output), benchmark);
            found.ok_or_else(|| ExplainError::NoGoBenchmark {
                side: side.name(),
                benchmark: benchmark.to_owned(),
                command: command.line(),
            })?
        }
    };
    let out = profile_dir.join("out.profile").display().to_string();
    let options = [format!("-benchtime={}x", plan.iterations), format!("-cpuprofile={out}")];
    let command = bench.command(side, command_of(&words, benchmark, plan.package.as_deref(), &options));
    name_side(side, command.run())?;
    let mut profile = read_profiles(profile_dir)?.ok_or_else(|| ExplainError::NoProfile { command: command.line() })?;
    profile.divide(plan.iterations as f64 * plan.results as f64);
    let [count, results] = [plan.iterations, plan.results].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let runs = if results == 1 { "one run".to_owned() } else { counted(results, "run") };
    let count = thousands(count);
    let note =
        format!("times of one iteration, from {runs} of {count} iterations per side; small differences can be noise");
    Ok(SideProfile { profile, note, extent: Extent::Iterations(plan) })
}

/// Everything that a command printed; long output is read from its file.
fn output_of(stdout: CapturedOutput, command: &Command) -> Result<Vec<u8>, MeasureError> {
    let too_long = || MeasureError::OutputTooLong { command: command.line() };
    if stdout.is_cut() {
        return Err(too_long());
    }
    let Some(mut file) = stdout.file else { return Ok(stdout.whole.unwrap_or_default()) };
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|_| too_long())?;
    Ok(bytes)
}

impl IterationPlan {
    /// From the output of `go test -bench`.
    fn of(output: &str, benchmark: &str) -> Option<IterationPlan> {
        let mut plan: Option<IterationPlan> = None;
        let mut package = None;
        for (_, line) in &joined_lines_of_go(output) {
            if let Some(name) = line.strip_prefix("pkg: ") {
                package = Some(name.trim());
            }
            let mut words = line.split_whitespace();
            let is_benchmark = words.next().is_some_and(|word| word.starts_with("Benchmark"));
            let Some(iterations) = words.next().and_then(|number| number.parse::<u64>().ok()) else { continue };
            let is_its_package = match (benchmark.split_once("/Benchmark"), package) {
                (Some((of_benchmark, _)), Some(package)) => of_benchmark == package,
                _ => true,
            };
            if is_benchmark && is_its_package && iterations > 0 {
                match &mut plan {
                    Some(plan) if plan.package.as_deref() == package => plan.results += 1,
                    Some(_) => {}
                    None => {
                        let (iterations, package) =
                            (iterations.saturating_mul(ITERATIONS_FACTOR), package.map(str::to_owned));
                        plan = Some(IterationPlan { iterations, results: 1, package });
                    }
                }
            }
        }
        plan
    }
}

/// The user's command with one benchmark of one package. If an option is given twice, Go uses the last one.
fn command_of(words: &[String], benchmark: &str, package: Option<&str>, options: &[String]) -> Vec<String> {
    let end = words.iter().position(|word| matches!(word.as_str(), "-args" | "--args")).unwrap_or(words.len());
    let (words, arguments) = words.split_at(end);
    let is_package = |word: &str| word.starts_with("./") || word.ends_with("...");
    let packages: Vec<&String> = words.iter().filter(|word| is_package(word)).collect();
    let mut command: Vec<String> = match package {
        Some(_) if !packages.is_empty() => words.iter().filter(|word| !is_package(word)).cloned().collect(),
        _ => words.to_vec(),
    };
    let filter = format!("-bench={}", Dialect::Go.filter(&[benchmark.to_owned()]));
    command.extend(["-run=^$".to_owned(), filter, "-count=1".to_owned(), "-json=false".to_owned()]);
    command.extend(options.iter().cloned());
    command.extend(package.filter(|_| !packages.is_empty()).map(str::to_owned));
    command.extend(arguments.iter().cloned());
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::command::Limit;
    use std::io::Write;

    #[test]
    fn one_benchmark_of_one_package_runs_with_a_fixed_number_of_iterations() {
        let words: Vec<String> =
            "go test -bench . -benchtime 5s ./... -args -v".split(' ').map(str::to_owned).collect();
        assert!(is_go_test(&words) && !is_go_test(&words[1..]));
        let options = ["-benchtime=30x".to_owned()];
        let line = command_of(&words, "example.org/x/BenchmarkA/n=1", Some("example.org/x"), &options).join(" ");
        assert_eq!(
            line,
            "go test -bench . -benchtime 5s -run=^$ -bench=^(BenchmarkA)$/^(n=1)$ -count=1 -json=false -benchtime=30x \
             example.org/x -args -v"
        );
        let here: Vec<String> = "go test -bench .".split(' ').map(str::to_owned).collect();
        let line = command_of(&here, "BenchmarkA", Some("example.org/x"), &[]).join(" ");
        assert_eq!(line, "go test -bench . -run=^$ -bench=^(BenchmarkA)$ -count=1 -json=false");
    }

    #[test]
    fn the_number_of_iterations_and_the_package_are_in_the_output() {
        let output = "goos: linux\npkg: e.org/x\nBenchmarkA-2   \t 100\t  5 ns/op\nPASS\nok  \te.org/x\t1s\n\
            pkg: e.org/y\nBenchmarkA-2   \t 7\t  5 ns/op\nPASS\n";
        let plan = |package: &str, iterations| {
            Some(IterationPlan { iterations, results: 1, package: Some(package.to_owned()) })
        };
        assert_eq!(IterationPlan::of(output, "BenchmarkA"), plan("e.org/x", 300));
        assert_eq!(IterationPlan::of(output, "e.org/y/BenchmarkA"), plan("e.org/y", 21));
        assert_eq!(IterationPlan::of(output, "e.org/z/BenchmarkA"), None);
        let printing = "pkg: e.org/x\nBenchmarkA-2 \tthe code prints this\n     100\t  5 ns/op\nPASS\n";
        assert_eq!(IterationPlan::of(printing, "BenchmarkA"), plan("e.org/x", 300));
        assert_eq!(IterationPlan::of("testing: warning: no tests to run\nPASS\n", "BenchmarkA"), None);
    }

    #[test]
    fn each_number_of_processors_runs_the_iterations() {
        let output = "pkg: e.org/x\nBenchmarkA     \t 100\t  5 ns/op\nBenchmarkA-2   \t 90\t  6 ns/op\nPASS\n\
            pkg: e.org/y\nBenchmarkA   \t 7\t  5 ns/op\nPASS\n";
        let package = Some("e.org/x".to_owned());
        assert_eq!(
            IterationPlan::of(output, "BenchmarkA"),
            Some(IterationPlan { iterations: 300, results: 2, package })
        );
    }

    #[test]
    fn an_output_that_was_not_kept_is_an_error() {
        let command = Command {
            words: ["go".to_owned(), "test".to_owned()].to_vec(),
            directory: ".".into(),
            variables: Vec::new(),
            limit: Limit::default(),
            processors: Vec::new(),
            scratch: None,
        };
        let captured = |file, length| {
            let mut captured = CapturedOutput::default();
            (captured.file, captured.length) = (file, length);
            captured
        };
        let error = output_of(captured(None, 300 << 20), &command).unwrap_err();
        assert!(matches!(error, MeasureError::OutputTooLong { .. }), "{error}");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PASS\n").unwrap();
        assert_eq!(output_of(captured(Some(file), 5), &command).unwrap(), b"PASS\n");
    }
}
