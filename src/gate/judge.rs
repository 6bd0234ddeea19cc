//! The last steps before a verdict: both sides are read, compared and judged.

use super::side::{self, Origin, Scene, Side};
use super::{budgets, machine_class, pinned, series, tools};
use crate::compare;
use crate::model::{Detail, Facts};
use crate::verdict::{Circumstances, Report, judge, unmatched};
use anyhow::bail;
use std::collections::BTreeSet;
use std::path::Path;

/// What is wanted beside the verdict.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    /// What a document tells.
    pub facts: bool,
    /// Samples for pictures.
    pub strips: bool,
}

impl Wants {
    /// All of it.
    pub const ALL: Wants = Wants { facts: true, strips: true };
}

/// Reads both sides and judges them.
pub fn report(
    scene: &Scene<'_>,
    base: &Origin,
    head: &Origin,
    allow_missing: bool,
    wants: Wants,
) -> anyhow::Result<Report> {
    let policy = &scene.config.policy;
    let samples = wants.facts || wants.strips || policy.asks_for_samples();
    let detail = if samples { Detail::Samples } else { Detail::Digests };
    let on_disk = |origin: &Origin| matches!(origin, Origin::Paths(_) | Origin::WorkTree(_));
    if let (Origin::Paths(base), Origin::Paths(head)) = (base, head) {
        let (base, head) = scene.read_both(base, head, detail)?;
        return judge_sides(scene, base, head, allow_missing, wants);
    }
    // Results on disk are compared with stored runs as results of this machine. The compiler is asked for its version
    // while they are read.
    let from_disk = |origin: &Origin| match origin {
        Origin::Paths(results) => Some(scene.read_paths(results, detail)),
        Origin::WorkTree(results) => Some(scene.read_work_tree(results, detail)),
        _ => None,
    };
    let here_counts = on_disk(base) != on_disk(head) || matches!(base, Origin::Before(_));
    let (here, (base_on_disk, head_on_disk)) =
        rayon::join(|| here_counts.then(|| side::here(Path::new("."))), || (from_disk(base), from_disk(head)));
    let read = |origin: &Origin, on_disk: Option<anyhow::Result<Side>>| -> anyhow::Result<Side> {
        if let Some(side) = on_disk {
            let mut side = side?;
            if let Some(here) = &here {
                let environment = side.environment.get_or_insert_default();
                here.0.iter().for_each(|(key, value)| environment.set(key, value.clone()));
            }
            return Ok(side);
        }
        let here = || here.clone().unwrap_or_default();
        match origin {
            Origin::Revision { word, commit } => scene.read_revision(word, commit, detail),
            Origin::Before(commit) => scene.read_before(commit, &here(), detail),
            // What lies on disk was read above.
            Origin::MergeBase | Origin::Paths(_) | Origin::WorkTree(_) => scene.read_merge_base(&here(), detail),
        }
    };
    let (base, head) = match (base, head) {
        (Origin::MergeBase, Origin::Revision { .. }) => {
            let head = read(head, None)?;
            (machine_class::bases(scene, &head, detail)?, head)
        }
        (Origin::Revision { .. }, Origin::Revision { .. }) => {
            let (base, head) = rayon::join(|| read(base, None), || read(head, None));
            (base?, head?)
        }
        _ => {
            let head = read(head, head_on_disk)?;
            (read(base, base_on_disk)?, head)
        }
    };
    judge_sides(scene, base, head, allow_missing, wants)
}

/// Judges two sides that were read.
pub fn judge_sides(
    scene: &Scene<'_>,
    mut base: Side,
    mut head: Side,
    allow_missing: bool,
    wants: Wants,
) -> anyhow::Result<Report> {
    let policy = &scene.config.policy;
    let rename = |old: &str| policy.rename(old).map(str::to_owned);
    machine_class::part(&mut base, &mut head, policy.ignored_environment(), rename);
    refuse_different_tools(&base, &head)?;

    let mut compared = compare::compare(&base.runs, &head.runs, policy.alpha(), rename);
    if compared.shared == 0 && !allow_missing {
        bail!(
            "nothing to judge: {} and {} have no benchmark in common; are these results of the same suite?",
            base.report.label,
            head.report.label
        );
    }
    let today = jiff::Zoned::now().date();
    let (environment, diagnostic) = side::machines(&base, &head, policy.ignored_environment());
    compared.diagnostics.extend(diagnostic);
    budgets::refuse_unmatched(scene.config, &unmatched(policy, &compared.comparisons))?;
    let strips = wants.strips.then(|| compare::strips(&base.runs, &head.runs, rename));
    let said = wants.facts.then(|| (tools::said(&base), tools::said(&head)));
    let pinned = pinned::against(scene, &head, today, &mut compared.diagnostics);
    compared.diagnostics.extend(base.diagnostics.into_iter().chain(head.diagnostics));
    let mut head_report = head.report;
    head_report.environment = head.environment.unwrap_or_default().0;
    let circumstances = Circumstances { base: base.report, head: head_report, environment, today };
    // Of a large suite they and the findings would take much memory together.
    let done = said.is_none().then(|| [std::mem::take(&mut base.runs), std::mem::take(&mut head.runs)]);
    let (mut report, ()) = rayon::join(|| judge(compared, policy, circumstances), || drop(done));
    report.pinned = pinned;
    strips.into_iter().for_each(|strips| report.keep(strips));
    if let Some((base_said, head_said)) = said {
        report.series = series::series(scene.config, &base.runs, &report);
        report.facts = Some(Facts { base: base_said, head: head_said, ..Facts::default() });
    }
    Ok(report)
}

/// Two files of different tools have nothing to compare; better said by name than as "all added, all removed".
fn refuse_different_tools(base: &Side, head: &Side) -> anyhow::Result<()> {
    fn tools(side: &Side) -> BTreeSet<&str> {
        let mut tools = BTreeSet::new();
        let mut last = None;
        for tool in side.runs.iter().flat_map(|run| &run.measurements).map(|measurement| &*measurement.tool) {
            if last.replace(tool) != Some(tool) {
                tools.insert(tool);
            }
        }
        tools
    }
    let (base_tools, head_tools) = rayon::join(|| tools(base), || tools(head));
    if !base_tools.is_disjoint(&head_tools) || base_tools.is_empty() || head_tools.is_empty() {
        return Ok(());
    }
    let list = |tools: BTreeSet<&str>| tools.into_iter().collect::<Vec<_>>().join(" and ");
    bail!(
        "{} holds {} results and {} holds {} results; compare results of one tool",
        base.report.label,
        list(base_tools),
        head.report.label,
        list(head_tools)
    );
}
