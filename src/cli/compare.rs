//! `perfgate compare`: the gate.

use super::gate_args::GateArgs;
use super::{Global, facts, output, plots, render as rendering};
use crate::gate::{DefaultSide, Gate, ReportDetail};
use crate::policy::Goal;
use crate::render::{self, TableOptions};
use crate::verdict::Report;
use anyhow::Context;
use clap::{Args, ValueEnum};
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
    plots: Option<plots::Directory>,
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
    let mut config = global.config()?;
    config.policy = args.gate.overrule(config.policy);
    config.policy = config.policy.with_goals(args.expect.iter().cloned());
    let template = args.template.as_deref().map(rendering::template).transpose()?;
    let gate = Gate::new(config, args.store.as_deref(), args.input_format.as_deref());
    let detail = ReportDetail {
        facts: args.save.is_some() || template.is_some(),
        samples: args.save.is_some() || args.html.is_some() || args.plots.is_some(),
    };
    let words = |flags: &[String], positional: &Option<String>| -> Vec<String> {
        flags.iter().chain(positional).cloned().collect()
    };
    let head = gate.resolve(&words(&args.head, &args.positional_head), DefaultSide::Head)?;
    let base = gate.resolve(&words(&args.base, &args.positional_base), DefaultSide::Base)?;

    let mut report = match gate.judge_sources(&base, &head, args.allow_missing_baseline, detail) {
        Err(error) if args.allow_missing_baseline && error.is_missing_baseline() => {
            output::note(&error.to_string());
            return Ok(0);
        }
        report => report?,
    };
    facts::complete_compared(&gate.config, &mut report);
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
        return Ok(report.exit_code());
    }
    show(&report, args.format, args.all)?;
    Ok(report.exit_code())
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

/// Writes a report to a file, as JSON.
pub(super) fn save(report: &Report, path: &Path) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        render::json(report, &mut out)?;
        out.flush()
    };
    write().with_context(|| format!("{}: cannot write the comparison", path.display()))
}
