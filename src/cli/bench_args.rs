//! How a benchmark command is run: the arguments that `measure` and `bisect` share.

use super::output;
use crate::gate::BenchCommand;
use crate::io::secrets;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Hides tokens and credentials from the benchmarks that this process starts. The program is started again in place, so this
/// comes before anything else.
pub fn hide_secrets() {
    if let Err(error) = secrets::hide() {
        output::warn(&format!("cannot hide tokens and credentials, so benchmark commands can read them: {error}"));
    }
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Time limit of one run (90s, 10m). Builds, and runs without a limit, are stopped after two hours without output
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    timeout: Option<Duration>,
    /// Processors to run on (2 or 2,3 or 2-5); Linux only
    #[arg(long, value_name = "CPUS", value_parser = parse_processors)]
    pin: Option<Processors>,
    /// Untracked file or directory that the benchmarks need, to be copied to each side; repeat for several
    #[arg(long, value_name = "PATH")]
    copy: Vec<String>,
    /// Fetch the submodules of each side
    #[arg(long)]
    submodules: bool,
    /// Shell command that builds a side before it is measured [default for cargo bench: the same with --no-run]
    #[arg(long, value_name = "COMMAND")]
    setup: Option<String>,
    /// Read results as this format instead of detecting it (`perfgate formats` lists them)
    #[arg(long, value_name = "NAME")]
    pub input_format: Option<String>,
    /// Where each side is checked out and built [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Cache the dependencies that cargo builds in this directory (at most 5 GB) and reuse them
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// The benchmark command. `{filter}` is replaced by the tool's filter when only some benchmarks run, `{out}` by the
    /// path of a new file for the results
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl BenchArgs {
    /// The command with its settings.
    pub fn command(&self) -> BenchCommand {
        BenchCommand {
            words: self.command.clone(),
            timeout: self.timeout,
            processors: self.pin.as_ref().map(|processors| processors.0.clone()).unwrap_or_default(),
            copy: self.copy.clone(),
            submodules: self.submodules,
            setup: self.setup.clone(),
            scratch: self.scratch.clone(),
            counts_instructions: false,
            cache: self.cache.clone(),
        }
    }
}

/// Numbers of processors.
#[derive(Debug, Clone)]
struct Processors(Vec<usize>);

/// `15m`, `90s`, `1h`, `500ms`, or seconds.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let invalid = || format!("{text:?} is not a valid time; write 90s, 15m or 1h");
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(invalid()),
    };
    let seconds = number.parse::<f64>().map_err(|_| invalid())? * factor;
    if seconds <= 0.0 { Err(invalid()) } else { Duration::try_from_secs_f64(seconds).map_err(|_| invalid()) }
}

/// Larger numbers are typing errors. A smaller one that the machine does not have is an error when the command starts.
const MAX_PROCESSOR: usize = 65_535;

fn parse_processors(text: &str) -> Result<Processors, String> {
    let invalid = || format!("{text:?} is not a valid list of processors; write 2 or 2,3 or 2-5");
    let mut processors = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let parse = |text: &str| text.trim().parse::<usize>().map_err(|_| invalid());
        let (first, last) = (parse(first)?, parse(last)?);
        if first > last || last > MAX_PROCESSOR {
            return Err(invalid());
        }
        processors.extend(first..=last);
    }
    Ok(Processors(processors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_processors_are_read() {
        assert_eq!(parse_time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_time("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_time("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "m", "-5s", "0", "5 days", "1e99h"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_processors("1,3-5").unwrap().0, [1, 3, 4, 5]);
        for wrong in ["", "a", "5-3", "99999"] {
            assert!(parse_processors(wrong).is_err(), "{wrong}");
        }
    }
}
