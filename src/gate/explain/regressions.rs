//! `measure --explain`: the largest confirmed regressions of a report, explained on the sides that were measured.

use super::{ExplainError, Explainer, profiler, runs_one_benchmark};
use crate::gate::measure::{Bench, Progress, SideCheckout};
use crate::model::number_text::counted;
use crate::model::{Diagnostic, Direction};
use crate::profile::Explanation;
use crate::verdict::{Finding, Outcome, Report};
use std::error::Error;

/// Maximum number of regressions that are explained; each takes two to four runs under a profiler.
const MAX_EXPLAINED: usize = 5;
/// The code of the diagnostics about regressions without an explanation.
const CODE: &str = "not-explained";

/// A regression to explain.
struct Regression {
    benchmark: String,
    /// The change of its time, where that is what regressed.
    time_change: Option<f64>,
}

/// The explanations, and a warning for each benchmark that was left out.
#[derive(Default)]
struct ExplainResults {
    explanations: Vec<Explanation>,
    warnings: Vec<Diagnostic>,
}

/// Adds the explanations to a report. What cannot be explained is a warning, also after an interruption: the verdict stays the same.
pub(in crate::gate) fn explain_regressions(
    report: &mut Report,
    bench: &Bench<'_>,
    sides: [&SideCheckout; 2],
    base_label: &str,
    progress: &dyn Progress,
) {
    let mut regressions = regressions(report);
    let all = regressions.len();
    // A command that cannot run one benchmark alone has the same profile for each of them.
    let is_whole = !runs_one_benchmark(bench.spec())
        && regressions.windows(2).all(|pair| bench.words(&pair[0].benchmark) == bench.words(&pair[1].benchmark));
    regressions.truncate(if is_whole { 1 } else { MAX_EXPLAINED });
    if regressions.is_empty() {
        return;
    }
    progress.stage("explaining the regressions");
    let mut explained = ExplainResults::default();
    let end = explain_all(&regressions, bench, sides, base_label, progress, &mut explained);
    let missing = regressions.len() - explained.explanations.len() - explained.warnings.len();
    report.explanations = explained.explanations;
    report.diagnostics.extend(explained.warnings);
    match end {
        Err(error) => {
            let message = format!("{} not explained: {}", counted(missing, "regression"), in_a_line(&error));
            report.diagnostics.push(Diagnostic::warning(CODE, "", message));
        }
        Ok(()) if all > regressions.len() && !is_whole => {
            let message = format!(
                "only the {MAX_EXPLAINED} largest of {all} regressions are explained; use `perfgate explain` for others"
            );
            report.diagnostics.push(Diagnostic::note(CODE, "", message));
        }
        Ok(()) if all > 1 && is_whole => {
            let note = "the command cannot run one benchmark alone, so its regressions are explained together";
            report.explanations.iter_mut().for_each(|explanation| explanation.notes.push(note.to_owned()));
        }
        Ok(()) => {}
    }
}

/// The confirmed regressions of time, and those of exact counts of instructions; the largest first, each benchmark once.
fn regressions(report: &Report) -> Vec<Regression> {
    let mut found: Vec<Regression> = Vec::new();
    for finding in report.benchmarks.iter().filter(|finding| is_explainable(finding)) {
        if found.iter().all(|known| known.benchmark != finding.name) {
            found.push(Regression { benchmark: finding.name.clone(), time_change: time_change(report, &finding.name) });
        }
    }
    found
}

/// The change of a benchmark's time, where that regressed: of the time itself, or of a part such as `time:user`.
fn time_change(report: &Report, benchmark: &str) -> Option<f64> {
    let is_its_time =
        |finding: &&Finding| finding.name == benchmark && finding.unit == "ns" && finding.direction == Direction::Lower;
    let times = report.benchmarks.iter().filter(|finding| is_explainable(finding)).filter(is_its_time);
    times.min_by_key(|finding| finding.metric != "time")?.change
}

fn is_explainable(finding: &Finding) -> bool {
    let is_time = finding.unit == "ns" || finding.unit.ends_with("/s");
    let is_exact = finding.metric == "instructions";
    finding.outcome == Outcome::Regressed && (is_time && finding.re_measured || is_exact)
}

/// Explains the regressions in their order, up to the first error that may concern the others too.
fn explain_all(
    regressions: &[Regression],
    bench: &Bench<'_>,
    sides: [&SideCheckout; 2],
    base_label: &str,
    progress: &dyn Progress,
    explained: &mut ExplainResults,
) -> Result<(), ExplainError> {
    profiler::check(&bench.spec().words)?;
    let explainer = Explainer::new(bench, sides, base_label, progress, true)?;
    let [base, head] = sides;
    let built = [explainer.build(base)?, explainer.build(head)?];
    for Regression { benchmark, time_change } in regressions {
        let explain = || {
            let base_profile = explainer.profile(base, &built[0], benchmark, None)?;
            let head_profile = explainer.profile(head, &built[1], benchmark, Some(&base_profile))?;
            explainer.compare(benchmark, base_profile, head_profile)
        };
        explained.add(benchmark, *time_change, explain())?;
    }
    Ok(())
}

impl ExplainResults {
    /// Adds the explanation of a benchmark, or a warning if the error concerns only this benchmark.
    fn add(
        &mut self,
        benchmark: &str,
        time_change: Option<f64>,
        explanation: Result<Explanation, ExplainError>,
    ) -> Result<(), ExplainError> {
        match explanation {
            Ok(explanation) => self.explanations.push(Explanation { time_change, ..explanation }),
            Err(error) if error.concerns_one_benchmark() => {
                let message = format!("not explained: {}", in_a_line(&error));
                self.warnings.push(Diagnostic::warning(CODE, benchmark, message));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// An error and its causes in one line, without the output of commands.
fn in_a_line(error: &ExplainError) -> String {
    let first: &dyn Error = error;
    let causes = std::iter::successors(Some(first), |error| (*error).source());
    let lines = causes.map(|error| error.to_string().lines().next().unwrap_or_default().to_owned());
    lines.collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_one_benchmark_is_a_warning_and_another_one_ends_the_explanations() {
        let mut explained = ExplainResults::default();
        let (benchmark, command) = ("BenchmarkA".to_owned(), "go test".to_owned());
        let error = ExplainError::NoGoBenchmark { side: "head", benchmark, command };
        assert!(explained.add("BenchmarkA", None, Err(error)).is_ok());
        let [warning] = &explained.warnings[..] else { panic!("{:?}", explained.warnings) };
        assert_eq!((&*warning.code, &*warning.place), (CODE, "BenchmarkA"));
        assert!(warning.message.starts_with("not explained: `go test` of head ran no benchmark"), "{warning:?}");
        assert!(explained.add("b", None, Err(ExplainError::NoProfiler { program: "valgrind" })).is_err());
    }
}
