//! The job's summary and outputs: files named by the runner's environment.

use crate::io::regular;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Largest summary of a step, in bytes.
const MAX_SUMMARY_BYTES: usize = 1024 * 1024;

/// Appends a document to the job's summary.
pub fn add_summary(path: &Path, document: &str) -> io::Result<()> {
    if document.len() > MAX_SUMMARY_BYTES {
        return Err(io::Error::other("the document is longer than 1 MiB, the limit of GitHub"));
    }
    append(path, &format!("{}\n", document.trim_end_matches('\n')))
}

/// Appends outputs. Values may contain anything.
pub fn add_outputs(path: &Path, outputs: &[(&str, String)]) -> io::Result<()> {
    let text: String = outputs.iter().map(|(name, value)| output(name, value)).collect();
    append(path, &text)
}

/// One output, enclosed in a delimiter line that does not occur in the value. No random delimiter is needed, because the
/// value is known.
fn output(name: &str, value: &str) -> String {
    let occurs = |line: &str| value.split(['\n', '\r']).any(|own| own == line);
    let mut count = 0_u32;
    let mut line = "perfgate-end".to_owned();
    while occurs(&line) {
        count += 1;
        line = format!("perfgate-end-{count}");
    }
    format!("{name}<<{line}\n{value}\n{line}\n")
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    // Opening a named pipe would block until something reads it. Files below /dev are allowed: they are streams of this process.
    if path.exists() && !path.starts_with("/dev") {
        regular::check(path)?;
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_contain_its_delimiter() {
        assert_eq!(output("verdict", "pass"), "verdict<<perfgate-end\npass\nperfgate-end\n");
        let hostile = "a\nperfgate-end\nverdict<<x\npass\nx\r\nperfgate-end-1\r";
        let line = "perfgate-end-2";
        assert_eq!(output("report", hostile), format!("report<<{line}\n{hostile}\n{line}\n"));
    }
}
