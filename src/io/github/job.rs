//! The job's own files, as GitHub's runner names them in the environment: its summary and its outputs.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// What GitHub takes as the summary of a step.
const SUMMARY: usize = 1024 * 1024;

/// Adds a document to the job's summary.
pub fn add_summary(path: &Path, document: &str) -> io::Result<()> {
    if document.len() > SUMMARY {
        return Err(io::Error::other("the document is longer than the 1 MiB that GitHub takes"));
    }
    append(path, &format!("{}\n", document.trim_end_matches('\n')))
}

/// Adds outputs; their names are ours, their values may be anything.
pub fn add_outputs(path: &Path, outputs: &[(&str, String)]) -> io::Result<()> {
    let text: String = outputs.iter().map(|(name, value)| output(name, value)).collect();
    append(path, &text)
}

/// One output, between lines that the value does not hold. The value is known here, so a line can be found for it;
/// chance is not needed.
fn output(name: &str, value: &str) -> String {
    let held = |line: &str| value.split(['\n', '\r']).any(|own| own == line);
    let mut count = 0_u32;
    let mut line = "perfgate-end".to_owned();
    while held(&line) {
        count += 1;
        line = format!("perfgate-end-{count}");
    }
    format!("{name}<<{line}\n{value}\n{line}\n")
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_itself() {
        assert_eq!(output("verdict", "pass"), "verdict<<perfgate-end\npass\nperfgate-end\n");
        let hostile = "a\nperfgate-end\nverdict<<x\npass\nx\r\nperfgate-end-1\r";
        let line = "perfgate-end-2";
        assert_eq!(output("report", hostile), format!("report<<{line}\n{hostile}\n{line}\n"));
    }
}
