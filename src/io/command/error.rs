//! Why a command did not succeed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program does not exist.
    #[error("cannot find the command {program:?}; check that it is on PATH, or, if it is a path, that it exists in {}{}", directory.display(), quotes_hint(program))]
    NotFound {
        /// The program.
        program: String,
        /// The working directory.
        directory: PathBuf,
    },
    /// The system could not start it.
    #[error("cannot start {program:?} in {}: {error}", directory.display())]
    Refused {
        /// The program.
        program: String,
        /// The working directory.
        directory: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// It failed.
    #[error("`{command}` {how}{}", quoted(.last_lines))]
    Failed {
        /// The command.
        command: String,
        /// How it ended: `exited with code 3`.
        how: String,
        /// The last lines of its output.
        last_lines: String,
    },
    /// It exceeded the time limit.
    #[error("`{command}` was stopped after {} s, the time limit (--timeout){}", after.as_secs(), quoted(.last_lines))]
    TimedOut {
        /// The command.
        command: String,
        /// The limit.
        after: Duration,
        /// The last lines of its output.
        last_lines: String,
    },
    /// It printed nothing for too long.
    #[error(
        "`{command}` was stopped because it printed nothing for {} minutes; if it needs longer, make it print its progress \
         (for benchmark runs, --timeout sets another limit){}", after.as_secs() / 60, quoted(.last_lines)
    )]
    Silent {
        /// The command.
        command: String,
        /// The time without output.
        after: Duration,
        /// The last lines of its output.
        last_lines: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Advice where a whole command line was quoted into one word.
fn quotes_hint(program: &str) -> String {
    match program.trim().split_once(char::is_whitespace) {
        Some(_) => format!("; the quotes make all of it one word: write `-- {}` without them", program.trim()),
        None => String::new(),
    }
}

fn quoted(lines: &str) -> String {
    if lines.is_empty() { "; it printed nothing".to_owned() } else { format!("; its last lines:\n{lines}") }
}
