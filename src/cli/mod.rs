//! The command line: parses arguments, runs a command, and turns its result into an exit code.

mod bench_args;
mod bisect;
mod ci;
mod compare;
mod explain;
mod export;
mod facts;
mod formats;
mod gate_args;
mod history;
mod init;
mod measure;
mod output;
#[cfg_attr(not(feature = "parquet"), path = "without/parquet.rs")]
mod parquet;
#[cfg_attr(not(feature = "plots"), path = "without/plots.rs")]
mod plots;
mod progress;
mod prune;
mod publish;
mod record;
mod render;
mod replay;
mod reproduce;
mod run_list;
mod runs;
mod sync;
mod transfer;
mod usage;

use crate::gate::Config;
use crate::io::watchdog;
use anstream::ColorChoice;
use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes:
  0  the gate passes
  1  the gate fails: an outcome that fail-on lists (by default: regressed,
     budget, failed), or a slowdown of the whole suite in `perfgate measure`
  2  no verdict: wrong usage, unreadable input, no results, results that are
     older than the commit or equal to those of base, no baseline from this
     machine class, a store or command that failed, or a regression that
     commits without stored runs may have caused";

const EXAMPLES: &str = "\
Examples:
  cargo bench && perfgate record                on main: store the results
  cargo bench && perfgate compare               on a branch: compare with main
  perfgate compare old/criterion new/criterion  two directories, without git
  perfgate compare target/criterion@main        a baseline that criterion saved
  perfgate measure --base main -- cargo bench   measure both sides here";

/// A performance-regression gate: reads benchmark results, compares them with a baseline, and decides pass or fail.
#[derive(Debug, Parser)]
// The usage lines do not depend on the name of the file.
#[command(bin_name = "perfgate")]
#[command(name = "perfgate", version, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[command(arg_required_else_help = true, subcommand_required = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    /// Print a man page or shell completions
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<GenerateTarget>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// When to use colours; auto checks for a terminal and for NO_COLOR
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", global = true, help_heading = "Global options")]
    color: Color,
    /// Config file [default: the nearest perfgate.toml, up to the top of the repository]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Global options")]
    config: Option<std::path::PathBuf>,
}

impl Global {
    /// The config that is given, for a command that repeats this one.
    fn given(&self) -> Option<(&'static str, String)> {
        self.config.as_ref().map(|path| ("--config", path.display().to_string()))
    }

    /// Reads the config that is given, or the nearest one.
    fn config(&self) -> anyhow::Result<Config> {
        Ok(match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::nearest()?,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

// The texts of `--help` are those of the arguments: a doc comment on a variant would replace them.
#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::CompareArgs),
    Measure(measure::MeasureArgs),
    Bisect(bisect::BisectArgs),
    Explain(explain::ExplainArgs),
    Record(record::RecordArgs),
    Render(render::RenderArgs),
    Ci(ci::CiArgs),
    Publish(publish::PublishArgs),
    History(history::HistoryArgs),
    Replay(replay::ReplayArgs),
    Runs(runs::RunsArgs),
    Formats(formats::FormatsArgs),
    Init(init::InitArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GenerateTarget {
    /// Man page (roff)
    Man,
    /// Completions for bash
    CompleteBash,
    /// Completions for zsh
    CompleteZsh,
    /// Completions for fish
    CompleteFish,
    /// Completions for PowerShell
    CompletePowershell,
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse()
        .unwrap_or_else(|error| usage::with_suggestions(error, &Cli::command(), std::env::args_os()).exit());
    let choice = match cli.global.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
    watchdog::install(|stuck| {
        output::error(&anyhow::anyhow!("{stuck}"));
        std::process::exit(2);
    });
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::from(2)
        }
    }
}

/// More threads than this take longer to start than they save.
const MOST_THREADS: usize = 512;

/// Starts rayon's threads here, because rayon panics if it cannot start them itself, for example because of a process
/// limit in a container. This thread is one of them, so that a loop over a few benchmarks does not wait for another
/// thread to wake up. `perfgate compare` of two trees of 100 benchmarks then has 12 instead of 57 context switches.
fn start_threads() -> anyhow::Result<()> {
    let probe = std::thread::Builder::new().spawn(|| {}).map(std::thread::JoinHandle::join);
    let mut threads = rayon::ThreadPoolBuilder::new().use_current_thread();
    let wanted = std::env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse::<usize>().ok());
    if wanted.is_some_and(|wanted| wanted > MOST_THREADS) {
        threads = threads.num_threads(MOST_THREADS);
    }
    if probe.is_err() {
        threads = threads.num_threads(1);
    }
    let advice = "cannot start threads; raise the limit of processes (`ulimit -u`, the container's pids limit), or set RAYON_NUM_THREADS=1";
    threads.build_global().context(advice)
}

fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    if let Some(kind) = cli.generate {
        return generate(kind).map(|()| 0);
    }
    if cli.command.is_some() {
        start_threads()?;
    }
    match cli.command {
        Some(Command::Compare(args)) => compare::run(args, &cli.global),
        Some(Command::Measure(args)) => measure::run(args, &cli.global),
        Some(Command::Bisect(args)) => bisect::run(args, &cli.global),
        Some(Command::Explain(args)) => explain::run(args, &cli.global),
        Some(Command::Record(args)) => record::run(args, &cli.global),
        Some(Command::Ci(args)) => ci::run(args, &cli.global),
        Some(Command::History(args)) => history::run(args, &cli.global),
        Some(Command::Replay(args)) => replay::run(args, &cli.global),
        Some(Command::Runs(args)) => runs::run(args, &cli.global),
        Some(Command::Formats(args)) => formats::run(args),
        Some(Command::Render(args)) => render::run(args),
        Some(Command::Publish(args)) => publish::run(args),
        Some(Command::Init(args)) => init::run(args),
        None => Cli::command().print_help().map(|()| 2).map_err(Into::into),
    }
}

fn generate(kind: GenerateTarget) -> anyhow::Result<()> {
    use clap_complete::{Shell, generate};
    let mut command = Cli::command();
    let mut out = Vec::new();
    match kind {
        GenerateTarget::Man => {
            clap_mangen::Man::new(command.clone()).render(&mut out)?;
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
                let name = format!("perfgate {}", sub.get_name());
                let page = clap_mangen::Man::new(sub.clone().bin_name(name));
                page.render_name_section(&mut out)?;
                page.render_synopsis_section(&mut out)?;
                page.render_description_section(&mut out)?;
                page.render_options_section(&mut out)?;
            }
        }
        GenerateTarget::CompleteBash => generate(Shell::Bash, &mut command, "perfgate", &mut out),
        GenerateTarget::CompleteZsh => generate(Shell::Zsh, &mut command, "perfgate", &mut out),
        GenerateTarget::CompleteFish => generate(Shell::Fish, &mut command, "perfgate", &mut out),
        GenerateTarget::CompletePowershell => generate(Shell::PowerShell, &mut command, "perfgate", &mut out),
    }
    output::print(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string);
            assert!(help.is_some_and(|help| help.contains("perfgate ")), "{} has no example", command.get_name());
        }
    }

    #[test]
    fn the_long_help_of_a_command_has_more_than_its_line_in_the_list() {
        for command in
            Cli::command().get_subcommands().filter(|command| !["runs", "formats"].contains(&command.get_name()))
        {
            let about = command.get_about().map(ToString::to_string);
            let long = command.get_long_about().map(ToString::to_string);
            assert!(long.is_some_and(|long| long.len() > about.unwrap_or_default().len()), "{}", command.get_name());
        }
    }

    #[test]
    fn examples_fit_80_columns() {
        fn check(command: &clap::Command) {
            let helps = [command.get_after_help(), command.get_after_long_help()];
            for line in helps
                .into_iter()
                .flatten()
                .flat_map(|help| help.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
            {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
