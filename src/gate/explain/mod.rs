//! Explains a change: base and head are built and run once each under a profiler, and the functions that grew are listed.
//! Nothing here decides a verdict.

mod cargo_bench;
mod error;
mod profiler;

pub use error::ExplainError;

use super::builder::Gate;
use super::measure::{Bench, BenchCommand, MeasureError, Progress, SideCheckout, close};
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

/// Profiles base and head and compares them.
pub(crate) fn explain(
    gate: &Gate,
    command: &BenchCommand,
    plan: &ExplainPlan,
    progress: &dyn Progress,
) -> Result<Explanation, ExplainError> {
    profiler::check(&command.words)?; // before minutes of building
    let bench = Bench::open(gate, command)?;
    let explanation = explain_sides(&bench, command, plan, progress);
    close(bench, progress);
    explanation
}

fn explain_sides(
    bench: &Bench<'_>,
    command: &BenchCommand,
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
    let changed = repository.changed_code(&base, &head.commit).map_err(MeasureError::from)?;
    let sides = [bench.check_out("base", &base, false)?, bench.check_out("head", &head.commit, true)?];
    let mut profiles = Vec::with_capacity(2);
    for side in &sides {
        bench.take_over_dependencies(side, sides.first().filter(|base| base.name() != side.name()));
        profiles.push(profile(bench, side, command, plan, progress)?);
    }
    let notes = profiles.iter_mut().filter_map(|side| side.note.take()).take(1).collect();
    let roots: Vec<String> = sides.iter().map(|side| side.root().display().to_string()).collect();
    let mut growth = compare_profiles(&profiles[0].profile, &profiles[1].profile, &roots);
    mark_changed(&mut growth, &changed);
    let dirty = sides[1].environment.get(Environment::DIRTY).is_some();
    let label = |name: &str, commit: &str, dirty| format!("{name} ({commit}{})", if dirty { ", changed" } else { "" });
    Ok(Explanation {
        benchmark: Some(plan.benchmark.clone()),
        base: label(plan.base.as_deref().unwrap_or("the merge base"), base.short(), false),
        head: label("HEAD", head.commit.short(), dirty),
        growth,
        notes,
    })
}

/// Builds a side and runs it under the profiler.
fn profile(
    bench: &Bench<'_>,
    side: &SideCheckout,
    command: &BenchCommand,
    plan: &ExplainPlan,
    progress: &dyn Progress,
) -> Result<SideProfile, ExplainError> {
    let room = bench.scratch().join(format!("profile-{}", side.name()));
    fs::create_dir_all(&room).map_err(|source| MeasureError::File {
        what: "create the directory",
        path: room.clone(),
        source,
    })?;
    progress.begin(&format!("building {}", side.name()));
    let profiled = if cargo_bench::is_cargo_bench(&command.words) && command.setup.is_none() {
        cargo_bench::profile(bench, side, &command.words, &plan.benchmark, &room, progress)
    } else {
        if let Some(wall) = bench.build(side)? {
            progress.message(&format!("built {}: {:.1} s", side.commit.short(), wall.as_secs_f64()));
        }
        progress.begin(&format!("profiling {}", side.name()));
        profiler::profile(bench, side, &bench.words(&plan.benchmark), &room)
    };
    let profiled = profiled?;
    progress.message(&format!("profiled {} ({})", side.name(), side.commit.short()));
    let _ = fs::remove_dir_all(&room);
    Ok(profiled)
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
