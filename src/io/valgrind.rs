//! Runs programs under valgrind to count their instructions.

use super::command::{Command, Limit};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The program.
pub const VALGRIND: &str = "valgrind";
/// How long it may take to print its version.
const START: Duration = Duration::from_secs(60);
/// The names of the files that valgrind writes begin with this.
const FILE: &str = "counts.";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The functions of each thread of one process.
    Functions,
    /// Whole processes, with those that they start. Without functions, a program of 1.6 billion instructions takes 4.2 s
    /// under cachegrind instead of 8.2 s under callgrind and 25 s under lackey (1.4 s under the empty tool).
    Processes,
}

/// True where valgrind can be started.
pub fn is_installed() -> bool {
    let version = Command {
        words: [VALGRIND, "--version"].map(str::to_owned).to_vec(),
        directory: ".".into(),
        variables: Vec::new(),
        limit: Limit::Total(START),
        processors: Vec::new(),
        scratch: None,
    };
    version.run().is_ok()
}

/// The words before a command whose functions and lines are profiled into the file `out`. Names stay mangled, so that hashes can
/// be removed from them.
pub fn profile_words(out: &Path, children: bool) -> Vec<String> {
    let mut words = [VALGRIND, "--tool=callgrind", "--dump-instr=yes", "--demangle=no"].map(str::to_owned).to_vec();
    if children {
        words.push("--trace-children=yes".to_owned());
    }
    words.push(format!("--callgrind-out-file={}", out.display()));
    words
}

/// The words before a command that is counted. A file for each thread or process is written to the directory `directory`.
pub fn words(tool: Tool, directory: &Path) -> Vec<String> {
    let out = directory.join(format!("{FILE}%p")).display().to_string();
    let options = match tool {
        // Names stay mangled, because valgrind does not know all of Rust's.
        Tool::Functions => vec![
            "--tool=callgrind".to_owned(),
            "--demangle=no".to_owned(),
            "--separate-threads=yes".to_owned(),
            format!("--callgrind-out-file={out}"),
        ],
        Tool::Processes => vec![
            "--tool=cachegrind".to_owned(),
            "--cache-sim=no".to_owned(),
            "--trace-children=yes".to_owned(),
            format!("--cachegrind-out-file={out}"),
        ],
    };
    // Only the program's own output is of use in messages.
    [VALGRIND.to_owned(), "-q".to_owned()].into_iter().chain(options).collect()
}

/// The texts of the files in `directory`, in the order of their names.
pub fn take_files(directory: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(FILE) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    paths.iter().map(|path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())).collect()
}
