//! `perfgate compare`: arguments, and what is printed and saved. The comparison is `gate`.

use super::gate_args::GateArgs;
use super::{Global, facts, output, plots, render as rendering};
use crate::gate::{DefaultSide, Gate, NoVerdictOptions, ReportDetail, SideSource};
use crate::io::replace;
use crate::policy::Goal;
use crate::render::{self, TableOptions};
use crate::verdict::{Report, Verdict};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  perfgate compare                              against the stored runs of main
  perfgate compare new.json                     against the stored runs
  perfgate compare v1.2                         against the stored runs of a tag
  perfgate compare old/criterion new/criterion  two directories of results
  perfgate compare target/criterion@main        a baseline that criterion saved
  perfgate compare old new --template pr        text for the pull request
  perfgate compare old new --plots pictures     SVG charts
  perfgate compare old new --expect 'api/*:time -50%'
                                                check a promised improvement
  perfgate compare --base r1 --base r2 --base r3 --head r4 --save saved.json";

/// Compare two sets of results and decide pass or fail (read-only)
///
/// A side is a file, a directory of results (target/criterion), DIR@NAME for a baseline that criterion saved, `-` for
/// standard input, or a git revision, which means its stored runs.
///
/// The default for HEAD is target/criterion, or `[[input]]` of perfgate.toml. The default for BASE is up to ten stored runs
/// of this machine class: the newest ones of the merge base with the default branch and of the commits before it.
///
/// A single path is head if the store has runs, otherwise base. A single revision or DIR@NAME is base. With `--base`, a single
/// argument is head.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// Results to compare with: a path or a git revision [default: stored runs of the merge base and of the commits before
    /// it]
    #[arg(value_name = "BASE")]
    positional_base: Option<String>,
    /// Results to check: a path or a git revision [default: target/criterion, or [[input]] of perfgate.toml]
    #[arg(value_name = "HEAD", conflicts_with = "head")]
    positional_head: Option<String>,
    /// A run of the base; repeat for several runs, oldest first
    #[arg(long, value_name = "PATH|REV")]
    base: Vec<String>,
    /// A run of the head; repeat for several runs, oldest first
    #[arg(long, value_name = "PATH|REV")]
    head: Vec<String>,
    /// The commit at which head was measured [default: HEAD]. Its merge base is the default base. If you give neither this option
    /// nor a base, results that are older than HEAD or name another commit are an error
    #[arg(long, value_name = "REV", conflicts_with = "base")]
    commit: Option<String>,
    /// Read every path as this format instead of detecting it (`perfgate formats` lists them)
    #[arg(long, value_name = "NAME")]
    input_format: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Also write the comparison to a file, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print the report with a template: pr, library, issue, report, comment, summary, or your own file
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["format", "all"])]
    template: Option<String>,
    /// Check a promised improvement against the results; repeat for several
    #[arg(long, value_name = "PATTERN:METRIC LIMIT", value_parser = Goal::parse, allow_hyphen_values = true)]
    expect: Vec<Goal>,
    /// Also write the report to a file, as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write charts to a directory, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<plots::Directory>,
    /// List all benchmarks, including unchanged ones
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    gate: GateArgs,
    /// Store of the runs [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Exit with 0 instead of 2 if the baseline is missing: no stored runs, or only those of other machines. If only runs from
    /// before the merge base are stored, a regression still exits with 2
    #[arg(long)]
    allow_missing_baseline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// Table for the terminal, worst first
    Table,
    /// Markdown for a pull request
    Markdown,
    /// JSON, the format of --save
    Json,
    /// JUnit XML for GitLab, Jenkins and other CI systems: one test case per benchmark
    Junit,
    /// CSV, one line per benchmark
    Csv,
}

/// Compares, prints and saves; the exit code is the report's.
pub fn run(args: CompareArgs, global: &Global) -> anyhow::Result<u8> {
    let mut config = global.config()?;
    config.policy = args.gate.apply(config.policy);
    config.policy = config.policy.with_goals(args.expect.iter().cloned());
    let template = args.template.as_deref().map(rendering::template).transpose()?;
    let gate = Gate::new(config, args.store.as_deref(), args.input_format.as_deref());
    let expected = args.expect.iter().map(|goal| ("--expect", format!("{} {}", goal.written, goal.limit)));
    let commit = args.commit.iter().map(|revision| ("--commit", revision.clone()));
    let gate = gate.with_given(args.gate.given().into_iter().chain(commit).chain(expected).chain(global.given()));
    let detail = ReportDetail {
        facts: args.save.is_some() || template.is_some(),
        samples: args.save.is_some() || args.html.is_some() || args.plots.is_some(),
    };
    let words = |flags: &[String], positional: &Option<String>| -> Vec<String> {
        flags.iter().chain(positional).cloned().collect()
    };
    let (first, second) = match (&args.positional_base, &args.positional_head) {
        // Base is given, so a single word is head.
        (Some(_), None) if !args.base.is_empty() && args.head.is_empty() => (&None, &args.positional_base),
        (Some(word), _) if !args.base.is_empty() => {
            bail!("`{word}` and `--base` both name the base; use `--base` and `--head`, or BASE and HEAD")
        }
        both => both,
    };
    let (head, base) = (words(&args.head, second), words(&args.base, first));
    let (base, head, which) = match first {
        Some(word) if head.is_empty() => gate.resolve_one(word)?,
        _ => {
            let head = gate.resolve(&head, DefaultSide::Head)?;
            (gate.resolve(&base, DefaultSide::Base)?, head, None)
        }
    };
    let base = match (&args.commit, base) {
        (None, base) => base,
        (Some(revision), SideSource::MergeBase { .. }) if head.is_on_disk() => gate.merge_base_of(revision)?,
        (Some(_), _) => bail!(
            "--commit applies only to results on disk that are compared with the default base; remove --commit, or name results on disk as head and no base"
        ),
    };

    let allowed =
        NoVerdictOptions { missing_baseline: args.allow_missing_baseline.then_some(""), nothing_in_common: false };
    let mut report = match gate.judge_sources(&base, &head, allowed, detail) {
        Err(error) if error.is_missing_baseline() => bail!("{error}; to exit with 0, pass --allow-missing-baseline"),
        report => report?,
    };
    report.diagnostics.extend(which);
    report.allow_missing_baseline = args.allow_missing_baseline;
    facts::complete_sides(&gate, &mut report, [words_of(&base), words_of(&head)]);
    if let Some(path) = &args.save {
        save(&report, path)?;
    }
    if let Some(path) = &args.html {
        output::file(path, render::report_page(&report).as_bytes())?;
    }
    if let Some(directory) = &args.plots {
        plots::write_report(directory, &report)?;
    }
    if let Some(template) = template {
        output::print(rendering::fill(&template, &report)?.as_bytes())?;
    } else {
        show(&report, args.format, args.all)?;
    }
    let code = report.exit_code();
    if report.verdict == Verdict::None && code == 0 && report.allow_missing_baseline && !report.same_results {
        output::note("the exit code is 0 because of --allow-missing-baseline");
    }
    // The other views print the reason and the next step themselves.
    let is_data = args.template.is_none() && matches!(args.format, View::Json | View::Junit | View::Csv);
    if report.verdict == Verdict::None && code == 2 && is_data {
        let next = render::next_step(&report).map(|next| format!(". {next}")).unwrap_or_default();
        bail!("no verdict: {}{next}", render::not_judged(&report))
    }
    Ok(code)
}

/// The paths of a side, for a command that repeats the comparison: empty for stored runs, and for several files that are one run.
fn words_of(side: &SideSource) -> Vec<String> {
    match side {
        SideSource::Paths(results) => results.iter().map(|one| one.word.clone()).collect(),
        SideSource::WorkTree(results) if results.len() == 1 => results.iter().map(|one| one.word.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Prints a report.
pub(super) fn show(report: &Report, view: View, all: bool) -> anyhow::Result<()> {
    match view {
        View::Table => {
            let options = TableOptions { all, width: output::width() };
            output::print_styled(&render::table(report, options))
        }
        View::Markdown => output::print(render::markdown(report, all).as_bytes()),
        View::Json => output::stream(|out| render::json(report, out)),
        View::Junit => output::print(render::junit(report).as_bytes()),
        View::Csv => output::stream(|out| render::csv(report, out)),
    }
}

/// Writes a report to a file, as JSON.
pub(super) fn save(report: &Report, path: &Path) -> anyhow::Result<()> {
    replace::write_with(path, |out| render::json(report, out))
        .with_context(|| format!("{}: cannot write the comparison", path.display()))
}
