//! `perfgate explain`: arguments, and how the explanation is printed. Profiles are compared in `profile`; both sides are run
//! in `gate::explain`.

use super::bench_args::parse_time;
use super::progress::Terminal;
use super::{Global, bench_args, output};
use crate::gate::{self, BenchCommand, ExplainPlan, Gate};
use crate::io::interrupt;
use crate::io::profile::{InlinedCode, read_file};
use crate::profile::{Explanation, compare_profiles};
use crate::render;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  perfgate explain parse/large --base main -- cargo bench --bench parser
  perfgate explain load --base HEAD~1 -- python3 load.py
  perfgate explain base.callgrind head.callgrind    two existing profiles
  perfgate explain old.pstats new.pstats --format json
  perfgate explain base.callgrind head.callgrind --html page.html";

/// Find the functions that made a benchmark slower, from profiles of base and head
///
/// With a command, checks out and builds both sides, and runs the benchmark once on each side under a profiler. The profiler
/// is valgrind's callgrind for `cargo bench` with criterion and for native programs. For Python, Node.js and `go test` it is
/// the language's own. With two files, compares profiles of callgrind, cProfile, pprof, speedscope, `node --cpu-prof`, or
/// collapsed stacks. Functions are matched by name, without hashes and type arguments; standard library code is charged
/// to the function that uses it. The result never affects a verdict.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Full name of the benchmark, or the profile of base and the profile of head
    #[arg(value_name = "BENCHMARK|PROFILE", num_args = 1..=2, required_unless_present = "named")]
    what: Vec<String>,
    /// Full name of the benchmark, for a name that starts with a dash: --benchmark=-x
    #[arg(
        long = "benchmark",
        value_name = "NAME",
        allow_hyphen_values = true,
        conflicts_with = "what",
        requires = "command"
    )]
    named: Option<String>,
    /// Revision to compare with [default: the merge base with the default branch]
    #[arg(long, value_name = "REV", requires = "command")]
    base: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ExplainView::Table)]
    format: ExplainView,
    /// Also write all functions and a differential flame graph to a file, as an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// List all functions that changed
    #[arg(long)]
    all: bool,
    /// Time limit of one run under the profiler (90s, 10m). Builds, and runs without a limit, are stopped after two hours
    /// without output
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "command")]
    timeout: Option<Duration>,
    /// Untracked file or directory that the benchmarks need, to be copied to each side; repeat for several
    #[arg(long, value_name = "PATH", requires = "command")]
    copy: Vec<String>,
    /// Fetch the submodules of each side
    #[arg(long, requires = "command")]
    submodules: bool,
    /// Shell command that builds a side before it runs [default for cargo bench: the same with --no-run]
    #[arg(long, value_name = "COMMAND", requires = "command")]
    setup: Option<String>,
    /// Where each side is checked out and built [default: the temporary directory]
    #[arg(long, value_name = "DIR", requires = "command")]
    scratch: Option<PathBuf>,
    /// The benchmark command
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExplainView {
    /// Table for the terminal
    Table,
    /// Markdown for a pull request
    Markdown,
    /// JSON
    Json,
}

/// Compares and prints. The exit code is 0 also if functions grew: verdicts come from `compare` and `measure`.
pub fn run(args: ExplainArgs, global: &Global) -> anyhow::Result<u8> {
    let what = args.named.as_ref().map_or(args.what.as_slice(), std::slice::from_ref);
    let explanation = match (what, args.command.is_empty()) {
        ([base, head], true) => compare_files(Path::new(base), Path::new(head))?,
        ([benchmark], false) => run_both(benchmark, &args, global)?,
        ([file], true) if Path::new(file).is_file() => {
            bail!("a second profile is missing; write `perfgate explain {file} HEAD_PROFILE`")
        }
        (_, true) => bail!(
            "the command that runs the benchmark is missing; write it after `--`, as in `perfgate explain BENCHMARK -- cargo \
             bench`, or name two profiles"
        ),
        (_, false) => bail!("one benchmark can be explained at a time; name one before `--`"),
    };
    if let Some(path) = &args.html {
        output::file(path, render::explanation_page(&explanation).as_bytes())?;
    }
    show(&explanation, &args)?;
    Ok(0)
}

/// Runs base and head under a profiler, with progress on the terminal.
fn run_both(benchmark: &str, args: &ExplainArgs, global: &Global) -> anyhow::Result<Explanation> {
    bench_args::hide_secrets();
    let gate = Gate::new(global.config()?, None, None);
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    let command = BenchCommand {
        words: args.command.clone(),
        timeout: args.timeout,
        copy: args.copy.clone(),
        submodules: args.submodules,
        setup: args.setup.clone(),
        scratch: args.scratch.clone(),
        ..BenchCommand::default()
    };
    let plan = ExplainPlan { benchmark: benchmark.to_owned(), base: args.base.clone() };
    Ok(gate::explain(&gate, &command, &plan, &Terminal::new(0))?)
}

fn compare_files(base: &Path, head: &Path) -> anyhow::Result<Explanation> {
    let mut inlined = InlinedCode::default();
    let [base_profile, head_profile] = [read_file(base, &mut inlined)?, read_file(head, &mut inlined)?];
    if base_profile.measure != head_profile.measure {
        let [one, other] = [base_profile.measure.metric(), head_profile.measure.metric()];
        bail!("{} has {one} and {} has {other}; compare profiles of one kind", base.display(), head.display());
    }
    if base_profile.format != head_profile.format {
        let [one, other] = [base_profile.format, head_profile.format];
        bail!(
            "{} is a {one} profile and {} is a {other} profile; compare profiles of one format",
            base.display(),
            head.display()
        );
    }
    let here = std::env::current_dir().map(|here| here.display().to_string()).unwrap_or_default();
    let growth = compare_profiles(&base_profile, &head_profile, &[here]);
    let [base, head] = [base, head].map(|path| path.display().to_string());
    let (changed, notes) = (Vec::new(), Vec::new());
    Ok(Explanation { benchmark: None, base, head, growth, changed, time_change: None, of_command: false, notes })
}

fn show(explanation: &Explanation, args: &ExplainArgs) -> anyhow::Result<()> {
    match args.format {
        ExplainView::Table => output::print_styled(&render::explanation_table(explanation, args.all, output::width())),
        ExplainView::Markdown => output::print(render::explanation_markdown(explanation).as_bytes()),
        ExplainView::Json => {
            let json = serde_json::to_string_pretty(explanation)?;
            output::print((json + "\n").as_bytes())
        }
    }
}
