//! Explains a change: base and head are built and run once each under a profiler, and the functions that grew are listed.
//! Nothing here decides a verdict.

mod cargo_bench;
mod error;
mod go_test;
mod profiler;
mod regressions;

pub use error::ExplainError;
pub(in crate::gate) use regressions::explain_regressions;

use super::builder::Gate;
use super::measure::{Bench, BenchCommand, Executable, MeasureError, Progress, SideCheckout, close, failed};
use crate::io::changes::ChangedCode;
use crate::model::Environment;
use crate::profile::{Explanation, Function, Growth, Profile, compare_profiles, names_in_source, short_path};
use std::fs;
use std::path::Path;

/// What is explained.
pub(crate) struct ExplainPlan {
    /// The benchmark.
    pub benchmark: String,
    /// The base, a git revision; `None` for the merge base.
    pub base: Option<String>,
}

/// A profile of one side, with notes for the reader.
struct SideProfile {
    profile: Profile,
    note: String,
    extent: Extent,
}

/// What a profile covers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Extent {
    /// One iteration of a criterion benchmark.
    Iteration,
    /// Some iterations of a benchmark of Go.
    Iterations(go_test::IterationPlan),
    /// One call of a function that pytest-benchmark measures.
    Call,
    /// A run of the program.
    Run,
    /// A run of the whole command, which may do more than run the benchmark.
    Command,
}

impl Extent {
    /// For messages.
    fn name(&self) -> &'static str {
        match self {
            Extent::Iteration => "one iteration",
            Extent::Iterations(_) => "a number of iterations",
            Extent::Call => "one call of the benchmarked function",
            Extent::Run => "a whole run",
            Extent::Command => "the whole command",
        }
    }
}

/// A side that is ready to run under the profiler.
enum BuiltSide {
    /// The bench targets of `cargo bench`, with debug information.
    Targets(Vec<Executable>),
    /// The command runs as it is.
    Command,
}

/// Both sides, checked out, and what is known about the change between them.
struct Explainer<'s, 'g> {
    bench: &'s Bench<'g>,
    sides: [&'s SideCheckout; 2],
    /// What base is called.
    base_label: &'s str,
    changed: ChangedCode,
    progress: &'s dyn Progress,
    /// True if the command can run on both sides: `measure` has built them.
    is_built: bool,
}

/// Profiles base and head and compares them.
pub(crate) fn explain(
    gate: &Gate,
    command: &BenchCommand,
    plan: &ExplainPlan,
    progress: &dyn Progress,
) -> Result<Explanation, ExplainError> {
    profiler::check(&command.words)?; // before minutes of building
    let mut bench = Bench::open(gate, command)?;
    let explanation = explain_sides(&mut bench, plan, progress);
    close(bench, progress);
    explanation
}

fn explain_sides(
    bench: &mut Bench<'_>,
    plan: &ExplainPlan,
    progress: &dyn Progress,
) -> Result<Explanation, ExplainError> {
    let repository = &bench.repository;
    let head = repository.head().map_err(MeasureError::from)?;
    let base = match &plan.base {
        Some(word) => repository.resolve(word),
        None => repository.merge_base(&head.commit),
    };
    let base = base.map_err(MeasureError::from)?;
    let is_dirty = repository.is_dirty().map_err(MeasureError::from)?;
    if plan.base.is_none() && base == head.commit && !is_dirty {
        return Err(MeasureError::SameSides.into());
    }
    let (base, head) = (bench.check_out("base", &base, false)?, bench.check_out("head", &head.commit, true)?);
    bench.take_diagnostics().iter().for_each(|diagnostic| progress.message(&diagnostic.message));
    let label = plan.base.as_deref().unwrap_or("the merge base");
    let explainer = Explainer::new(bench, [&base, &head], label, progress, false)?;
    let base_profile = explainer.profile(&base, &explainer.build(&base)?, &plan.benchmark, None)?;
    let head_profile = explainer.profile(&head, &explainer.build(&head)?, &plan.benchmark, Some(&base_profile))?;
    explainer.compare(&plan.benchmark, base_profile, head_profile)
}

/// True if perfgate runs one benchmark alone, without a filter in the command.
fn runs_one_benchmark(command: &BenchCommand) -> bool {
    runs_targets(command) || go_test::is_go_test(&command.words)
}

/// True if perfgate builds the bench targets itself, with debug information.
fn runs_targets(command: &BenchCommand) -> bool {
    cargo_bench::is_cargo_bench(&command.words) && command.setup.is_none()
}

impl<'s, 'g> Explainer<'s, 'g> {
    fn new(
        bench: &'s Bench<'g>,
        sides: [&'s SideCheckout; 2],
        base_label: &'s str,
        progress: &'s dyn Progress,
        is_built: bool,
    ) -> Result<Explainer<'s, 'g>, MeasureError> {
        let changed = bench.repository.changed_code(&sides[0].commit, &sides[1].commit)?;
        Ok(Explainer { bench, sides, base_label, changed, progress, is_built })
    }

    /// Builds a side for the profiler.
    fn build(&self, side: &SideCheckout) -> Result<BuiltSide, ExplainError> {
        let spec = self.bench.spec();
        self.bench.reuse_dependencies(side, Some(self.sides[0]).filter(|base| base.name() != side.name()));
        let what = format!("building {} ({})", side.name(), side.commit.short());
        if runs_targets(spec) {
            self.progress.stage(&format!("{what} with debug information"));
            return Ok(BuiltSide::Targets(cargo_bench::build(self.bench, side)?));
        }
        if !self.is_built && self.bench.has_build() {
            self.progress.stage(&what);
        }
        if !self.is_built
            && let Some(wall) = self.bench.build(side)?
        {
            self.progress.message(&format!("built {}: {:.1} s", side.commit.short(), wall.as_secs_f64()));
        }
        Ok(BuiltSide::Command)
    }

    /// Runs a benchmark of a side under the profiler, with the number of iterations of the other side if it has one.
    fn profile(
        &self,
        side: &SideCheckout,
        built: &BuiltSide,
        benchmark: &str,
        other: Option<&SideProfile>,
    ) -> Result<SideProfile, ExplainError> {
        let profile_dir = self.bench.scratch().join(format!("profile-{}", side.name()));
        fs::create_dir_all(&profile_dir).map_err(failed("create the directory", &profile_dir))?;
        let profiled = match built {
            BuiltSide::Targets(targets) => {
                self.progress.begin(&format!("counting instructions of {}", side.name()));
                cargo_bench::profile(self.bench, side, targets, benchmark, &profile_dir)
            }
            BuiltSide::Command if go_test::is_go_test(&self.bench.spec().words) => {
                self.progress.begin(&format!("profiling {}", side.name()));
                let plan = other.and_then(|other| match &other.extent {
                    Extent::Iterations(plan) => Some(plan.clone()),
                    Extent::Iteration | Extent::Call | Extent::Run | Extent::Command => None,
                });
                go_test::profile(self.bench, side, benchmark, &profile_dir, plan)
            }
            BuiltSide::Command => {
                self.progress.begin(&format!("profiling {}", side.name()));
                profiler::profile(self.bench, side, &self.bench.words(benchmark), &profile_dir)
            }
        };
        let _ = fs::remove_dir_all(&profile_dir);
        let profiled = profiled?;
        self.progress.message(&format!("profiled {} ({})", side.name(), side.commit.short()));
        Ok(profiled)
    }

    /// What grew between the profiles of both sides.
    fn compare(&self, benchmark: &str, base: SideProfile, head: SideProfile) -> Result<Explanation, ExplainError> {
        check_extents(benchmark, &base.extent, &head.extent)?;
        let roots = self.sides.map(|side| side.root().display().to_string());
        let mut growth = compare_profiles(&base.profile, &head.profile, &roots);
        mark_changed(&mut growth, &self.changed);
        let changed = changed_functions(&head.profile, &self.changed, &roots);
        let [base_side, head_side] = self.sides;
        let dirty = if head_side.environment.get(Environment::DIRTY).is_some() { ", changed" } else { "" };
        Ok(Explanation {
            benchmark: Some(benchmark.to_owned()),
            base: format!("{} ({})", self.base_label, base_side.commit.short()),
            head: format!("HEAD ({}{dirty})", head_side.commit.short()),
            growth,
            changed,
            time_change: None,
            of_command: head.extent == Extent::Command,
            notes: vec![head.note],
        })
    }
}

/// Refuses profiles that cover different parts of a benchmark.
fn check_extents(benchmark: &str, base: &Extent, head: &Extent) -> Result<(), ExplainError> {
    if base == head {
        return Ok(());
    }
    let benchmark = benchmark.to_owned();
    Err(ExplainError::DifferentExtents { benchmark, base: base.name(), head: head.name() })
}

/// Marks the functions that the diff between the commits changes.
fn mark_changed(growth: &mut Growth, changed: &ChangedCode) {
    for function in &mut growth.functions {
        let is_changed = is_changed(changed, &function.name, function.file.as_deref(), function.line);
        function.in_diff = Some(is_changed);
    }
}

/// The functions that a side executes and the diff changes, the most expensive first.
fn changed_functions(side: &Profile, changed: &ChangedCode, roots: &[String]) -> Vec<String> {
    let is_executed_and_changed = |function: &&Function| {
        let file = function.file.as_ref().map(|file| short_path(file, roots));
        function.charged > 0.0 && is_changed(changed, &function.name, file.as_deref(), function.lines.keys().copied())
    };
    let mut functions: Vec<&Function> = side.functions.values().filter(is_executed_and_changed).collect();
    functions.sort_by(|a, b| b.charged.total_cmp(&a.charged).then_with(|| a.name.cmp(&b.name)));
    functions.into_iter().map(|function| function.name.clone()).collect()
}

fn is_changed(changed: &ChangedCode, name: &str, file: Option<&str>, lines: impl IntoIterator<Item = u32>) -> bool {
    let Some(file) = file.and_then(|file| changed.0.get(Path::new(file))) else { return false };
    names_in_source(name).iter().any(|name| file.functions.contains(*name))
        || lines.into_iter().any(|line| file.lines.contains(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_is_not_compared_with_a_whole_run() {
        assert!(check_extents("a", &Extent::Call, &Extent::Call).is_ok());
        let error = check_extents("test_a", &Extent::Call, &Extent::Run).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the profiles of \"test_a\" cannot be compared: that of base covers one call of the benchmarked function, \
             and that of head covers a whole run"
        );
        assert!(error.concerns_one_benchmark());
    }
}
