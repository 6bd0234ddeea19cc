//! Explains a change: base and head are built and run once each under a profiler, and the functions that grew are listed.
//! Nothing here decides a verdict.

mod cargo_bench;
mod error;
mod profiler;
mod regressions;

pub use error::ExplainError;
pub(in crate::gate) use regressions::explain_regressions;

use super::builder::Gate;
use super::measure::{Bench, BenchCommand, Executable, MeasureError, Progress, SideCheckout, close};
use crate::io::changes::ChangedCode;
use crate::model::Environment;
use crate::profile::{Explanation, Growth, Profile, explain as compare_profiles, last_segment};
use std::fs;
use std::path::Path;

/// What is explained.
pub(crate) struct ExplainPlan {
    /// The benchmark.
    pub benchmark: String,
    /// The base, a git revision; `None` for the merge base.
    pub base: Option<String>,
}

/// A profile of one side, and what the reader should know about it.
struct SideProfile {
    profile: Profile,
    note: Option<String>,
}

/// A side that is ready to run under the profiler.
enum Built {
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
    /// True where the command can run on both sides: `measure` has built them.
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
    let bench = Bench::open(gate, command)?;
    let explanation = explain_sides(&bench, plan, progress);
    close(bench, progress);
    explanation
}

fn explain_sides(bench: &Bench<'_>, plan: &ExplainPlan, progress: &dyn Progress) -> Result<Explanation, ExplainError> {
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
    let label = plan.base.as_deref().unwrap_or("the merge base");
    let explainer = Explainer::new(bench, [&base, &head], label, progress, false)?;
    let ours = explainer.profile(&base, &explainer.build(&base)?, &plan.benchmark)?;
    let theirs = explainer.profile(&head, &explainer.build(&head)?, &plan.benchmark)?;
    Ok(explainer.compare(&plan.benchmark, ours, theirs))
}

/// True where perfgate builds the bench targets itself, with debug information, and runs one benchmark alone.
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
    fn build(&self, side: &SideCheckout) -> Result<Built, ExplainError> {
        let spec = self.bench.spec();
        self.bench.take_over_dependencies(side, Some(self.sides[0]).filter(|base| base.name() != side.name()));
        let what = format!("building {} ({})", side.name(), side.commit.short());
        if runs_targets(spec) {
            self.progress.stage(&format!("{what} with debug information"));
            return Ok(Built::Targets(cargo_bench::build(self.bench, side)?));
        }
        if !self.is_built && self.bench.has_build() {
            self.progress.stage(&what);
        }
        if !self.is_built
            && let Some(wall) = self.bench.build(side)?
        {
            self.progress.message(&format!("built {}: {:.1} s", side.commit.short(), wall.as_secs_f64()));
        }
        Ok(Built::Command)
    }

    /// Runs a benchmark of a side under the profiler.
    fn profile(&self, side: &SideCheckout, built: &Built, benchmark: &str) -> Result<SideProfile, ExplainError> {
        let profile_dir = self.bench.scratch().join(format!("profile-{}", side.name()));
        fs::create_dir_all(&profile_dir).map_err(|source| MeasureError::File {
            what: "create the directory",
            path: profile_dir.clone(),
            source,
        })?;
        let profiled = match built {
            Built::Targets(targets) => {
                self.progress.begin(&format!("counting instructions of {}", side.name()));
                cargo_bench::profile(self.bench, side, targets, benchmark, &profile_dir)
            }
            Built::Command => {
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
    fn compare(&self, benchmark: &str, base: SideProfile, head: SideProfile) -> Explanation {
        let roots = self.sides.map(|side| side.root().display().to_string());
        let mut growth = compare_profiles(&base.profile, &head.profile, &roots);
        mark_changed(&mut growth, &self.changed);
        let [ours, theirs] = self.sides;
        let dirty = if theirs.environment.get(Environment::DIRTY).is_some() { ", changed" } else { "" };
        Explanation {
            benchmark: Some(benchmark.to_owned()),
            base: format!("{} ({})", self.base_label, ours.commit.short()),
            head: format!("HEAD ({}{dirty})", theirs.commit.short()),
            growth,
            time_change: None,
            notes: head.note.into_iter().collect(),
        }
    }
}

/// Marks the functions that the diff between the commits changes.
fn mark_changed(growth: &mut Growth, changed: &ChangedCode) {
    for function in &mut growth.functions {
        let file = function.file.as_ref().and_then(|file| changed.0.get(Path::new(file)));
        let touches = |lines: &crate::io::changes::ChangedFile| {
            lines.functions.contains(last_segment(&function.name))
                || function.line.is_some_and(|line| lines.lines.contains(&line))
        };
        function.in_diff = Some(file.is_some_and(touches));
    }
}
