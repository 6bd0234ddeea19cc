//! Runs programs under valgrind to count their instructions.

use super::command::{Command, Limit};
use super::profile::{InlinedCode, ProfileFileError};
use crate::profile::{self, Profile};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The program.
pub const VALGRIND: &str = "valgrind";
/// How long it may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(60);
/// The names of the files that valgrind writes begin with this.
const FILE: &str = "counts.";

/// True if valgrind can be started.
pub fn is_installed() -> bool {
    let version = Command {
        words: [VALGRIND, "--version"].map(str::to_owned).to_vec(),
        directory: ".".into(),
        variables: Vec::new(),
        limit: Limit::Total(VERSION_TIMEOUT),
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

/// The names of criterion's `iter` functions in a program; none if it has no symbols.
pub fn loop_names(program: &Path) -> io::Result<Vec<String>> {
    Ok(profile::loop_names(&fs::read(program)?).into_iter().collect())
}

/// The words before a benchmark of criterion whose iterations are counted, for [`read_iterations`]. `loops` are the names in its
/// program; callgrind ignores the second of two options for one pattern. `lines` adds the addresses of instructions, from which
/// inlined code and lines are found.
pub fn iteration_words(loops: &[String], lines: bool, directory: &Path) -> Vec<String> {
    let mut words = quiet("callgrind");
    // Names stay mangled, because valgrind cannot demangle all names of Rust.
    words.extend(["--demangle=no", "--separate-threads=yes"].map(str::to_owned));
    if lines {
        words.push("--dump-instr=yes".to_owned());
    }
    words.extend(loops.iter().flat_map(|name| [format!("--zero-before={name}"), format!("--dump-after={name}")]));
    words.push(format!("--callgrind-out-file={}", files(directory)));
    words
}

/// The cost of the iterations that were counted in `directory`; `None` if criterion ran none.
pub fn read_iterations(directory: &Path) -> Result<Option<Profile>, ProfileFileError> {
    let texts = texts(directory).map_err(|error| ProfileFileError::File { path: directory.to_owned(), error })?;
    Ok(profile::read_iterations(&texts, &mut InlinedCode::default())?)
}

/// The words before a command that is counted with the processes that it starts, for [`read_total`]. Without functions,
/// a program of 1.6 billion instructions takes 4.2 s under cachegrind instead of 8.2 s under callgrind and 25 s under
/// lackey (1.4 s with `--tool=none`).
pub fn process_words(directory: &Path) -> Vec<String> {
    let mut words = quiet("cachegrind");
    words.extend(["--cache-sim=no", "--trace-children=yes"].map(str::to_owned));
    words.push(format!("--cachegrind-out-file={}", files(directory)));
    words
}

/// The instructions of the command that wrote its counts to `directory`.
pub fn read_total(directory: &Path) -> io::Result<u64> {
    let texts = texts(directory)?;
    let lines = texts.iter().flat_map(|(_, text)| text.lines());
    Ok(lines.filter_map(|line| line.strip_prefix("summary:")?.trim().parse::<u64>().ok()).sum())
}

/// With `-q`, so that messages contain only the program's own output.
fn quiet(tool: &str) -> Vec<String> {
    vec![VALGRIND.to_owned(), "-q".to_owned(), format!("--tool={tool}")]
}

/// A file for each thread or process.
fn files(directory: &Path) -> String {
    directory.join(format!("{FILE}%p")).display().to_string()
}

/// The names and texts of the files in `directory`.
fn texts(directory: &Path) -> io::Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(FILE) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(read).collect()
}
