//! `perfgate compare`: the gate.

use super::gate::GateArgs;
use super::sides::{self, Default, MissingBaseline, Origin, Scene, Side};
use super::{Global, budgets, config, facts, machines, output, past, pinned, plots, render as rendering};
use crate::compare;
use crate::model::Detail;
use crate::policy::Goal;
use crate::render::{self, TableOptions};
use crate::verdict::{Circumstances, Report, judge, unmatched};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  perfgate compare                                           this branch's results against stored runs of main
  perfgate compare old/criterion new/criterion               two result trees
  perfgate compare target/criterion@main target/criterion    against a baseline that criterion saved
  perfgate compare old new --expect 'api/*:time -50%'        say whether a promised improvement is there
  perfgate compare old new --template pr                     the pull request's text; see also perfgate render
  perfgate compare old new --plots pictures                  SVG files: all changes, the samples of each benchmark
  perfgate compare v1.2                                      results on disk against stored runs of a tag
  perfgate compare --base r1 --base r2 --base r3 --head r4 --format json --save comparison.json";

/// Judge two sets of results: the gate. Reads only
///
/// A side is a file, a directory that a format recognises (target/criterion), DIR@NAME for a saved criterion baseline,
/// `-` for standard input, or a git revision whose stored runs are looked up. Left out, HEAD is target/criterion (or what
/// `[[input]]` of perfgate.toml names), and BASE is the stored runs of the merge base with the default branch and of the
/// commits before it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// What to compare with
    #[arg(value_name = "BASE", conflicts_with = "base")]
    positional_base: Option<String>,
    /// What to judge
    #[arg(value_name = "HEAD", conflicts_with = "head")]
    positional_head: Option<String>,
    /// A run of the base; repeat it for several, oldest first
    #[arg(long, value_name = "PATH|REV")]
    base: Vec<String>,
    /// A run of the head; repeat it for several, oldest first
    #[arg(long, value_name = "PATH|REV")]
    head: Vec<String>,
    /// Read every path as this format instead of sniffing (`perfgate formats` lists them)
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Write the comparison to a file too, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print the report by a template instead: pr, issue, report, comment, summary, or a file of your own
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["format", "all"])]
    template: Option<String>,
    /// A promised improvement, held against the evidence; repeat it for several
    #[arg(long, value_name = "PATTERN:METRIC LIMIT", value_parser = Goal::parse)]
    expect: Vec<Goal>,
    /// Write the report to a file as one HTML page too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write pictures to a directory too, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// List unchanged benchmarks too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    gate: GateArgs,
    /// Where stored runs are [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Exit 0 when there is no baseline to compare with
    #[arg(long)]
    allow_missing_baseline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// For the terminal, worst first
    Table,
    /// For a pull request
    Markdown,
    /// The comparison file
    Json,
    /// For GitLab, Jenkins and other CI systems: a test case for each benchmark
    Junit,
    /// A line for each benchmark
    Csv,
}

/// Compares, judges, prints and saves; the exit code is the report's.
pub fn run(args: CompareArgs, global: &Global) -> anyhow::Result<u8> {
    let mut config = config::load(global)?;
    config.policy = args.gate.overrule(config.policy);
    config.policy = config.policy.with_goals(args.expect.iter().cloned());
    let template = args.template.as_deref().map(rendering::template).transpose()?;
    let wants = Wants {
        facts: args.save.is_some() || template.is_some(),
        strips: args.save.is_some() || args.html.is_some() || args.plots.is_some(),
    };
    let scene = Scene { config: &config, store: args.store.as_deref(), format: args.input_format.as_deref() };
    let words = |flags: &[String], positional: &Option<String>| -> Vec<String> {
        flags.iter().chain(positional).cloned().collect()
    };
    let head = scene.resolve(&words(&args.head, &args.positional_head), Default::Head)?;
    let base = scene.resolve(&words(&args.base, &args.positional_base), Default::Base)?;

    let report = match report(&scene, &base, &head, args.allow_missing_baseline, wants) {
        Ok(report) => report,
        Err(error) if args.allow_missing_baseline && error.is::<MissingBaseline>() => {
            output::note(&format!("{error:#}"));
            return Ok(0);
        }
        Err(error) => return Err(error),
    };
    if let Some(path) = &args.save {
        save(&report, path)?;
    }
    if let Some(path) = &args.html {
        output::file(path, render::report_page(&report).as_bytes())?;
    }
    if let Some(directory) = &args.plots {
        plots::write(directory, &render::plots::of_report(&report))?;
    }
    if let Some(template) = template {
        output::print(rendering::fill(&template, &report)?.as_bytes())?;
        return Ok(report.exit_code());
    }
    show(&report, args.format, args.all)?;
    let code = report.exit_code();
    std::mem::forget(report); // the process ends: taking a large one apart would be for nothing
    Ok(code)
}

/// Prints a report.
pub(super) fn show(report: &Report, view: View, all: bool) -> anyhow::Result<()> {
    match view {
        View::Table => output::print_styled(&render::table(report, TableOptions { all })),
        View::Markdown => output::print(render::markdown(report, all).as_bytes()),
        View::Json => output::stream(|out| render::json(report, out)),
        View::Junit => output::print(render::junit(report).as_bytes()),
        View::Csv => output::stream(|out| render::csv(report, out)),
    }
}

/// What is wanted beside the verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
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
pub(super) fn report(
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
        rayon::join(|| here_counts.then(|| sides::here(Path::new("."))), || (from_disk(base), from_disk(head)));
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
            (machines::bases(scene, &head, detail)?, head)
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
pub(super) fn judge_sides(
    scene: &Scene<'_>,
    mut base: Side,
    mut head: Side,
    allow_missing: bool,
    wants: Wants,
) -> anyhow::Result<Report> {
    let policy = &scene.config.policy;
    let rename = |old: &str| policy.rename(old).map(str::to_owned);
    machines::part(&mut base, &mut head, policy.ignored_environment(), rename);
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
    let (environment, diagnostic) = sides::machines(&base, &head, policy.ignored_environment());
    compared.diagnostics.extend(diagnostic);
    budgets::refuse_unmatched(scene.config, &unmatched(policy, &compared.comparisons))?;
    let strips = wants.strips.then(|| compare::strips(&base.runs, &head.runs, rename));
    let said = wants.facts.then(|| (facts::said(&base), facts::said(&head)));
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
        report.series = past::series(scene.config, &base.runs, &report);
        report.facts = Some(facts::of_compared(scene.config, base_said, head_said, &report));
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

/// Writes a report to a file, as JSON.
pub(super) fn save(report: &Report, path: &Path) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        render::json(report, &mut out)?;
        out.flush()
    };
    write().with_context(|| format!("{}: cannot write the comparison", path.display()))
}
