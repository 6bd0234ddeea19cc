//! Standard output and standard error. A closed pipe (`perfgate … | head`) is not an error.

use crate::gate;
use crate::io::replace;
use crate::model::{Diagnostic, Severity};
use crate::policy::Problems;
use crate::render::{escape, fit};
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Prints text with colours; they are removed if the stream does not support them.
pub fn print_styled(text: &str) -> anyhow::Result<()> {
    ignore_closed_pipe(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// The columns of the terminal that standard output goes to; `None` if it is not a terminal.
pub fn width() -> Option<usize> {
    columns(terminal_size::terminal_size_of(io::stdout()))
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    // Some terminals of CI systems have no width.
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}

/// Prints bytes as they are.
pub fn print(bytes: &[u8]) -> anyhow::Result<()> {
    stream(|out| out.write_all(bytes))
}

/// Writes to standard output through a buffer.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    ignore_closed_pipe(write(&mut out).and_then(|()| out.flush()))
}

/// Writes a file, whole or not at all.
pub fn file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace::write(path, bytes).with_context(|| format!("{}: cannot write the file", path.display()))
}

fn ignore_closed_pipe(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Prints an error on standard error.
pub fn error(error: &anyhow::Error) {
    match error.downcast_ref() {
        Some(gate::Error::Config { problems, .. }) => return frame(problems), // ends with the number of problems
        Some(gate::Error::UnmatchedLimits { frames, unframed, .. }) => {
            frames.iter().for_each(|problems| frame(problems));
            return unframed.iter().for_each(|message| print_error(message));
        }
        _ => {}
    }
    print_error(&causes(error));
}

fn print_error(message: &str) {
    print_message("error", AnsiColor::Red.on_default().bold(), message);
}

/// An error and its causes on one line. Many errors already contain the text of their cause.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        // The full text of libgit2's errors ends in numbers that mean nothing to a user.
        let part = match cause.downcast_ref::<git2::Error>() {
            Some(error) => error.message().to_owned(),
            None => cause.to_string(),
        };
        if text.is_empty() {
            text = part;
        } else if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
    }
    text
}

/// Prints problems of a file framed under their lines, on standard error.
pub fn frame(problems: &Problems) {
    let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    anstream::eprintln!("{}", problems.render(coloured));
}

/// Prints a warning on standard error.
pub fn warn(message: &str) {
    print_message("warning", AnsiColor::Yellow.on_default().bold(), message);
}

/// Prints a note on standard error.
pub fn note(message: &str) {
    print_message("note", Style::new().dimmed(), message);
}

/// Prints diagnostics on standard error.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Note => note(&diagnostic.to_string()),
            Severity::Warning | Severity::Error => warn(&diagnostic.to_string()),
        }
    }
}

fn print_message(label: &str, style: Style, message: &str) {
    let width = columns(terminal_size::terminal_size_of(io::stderr()));
    let lines: Vec<String> = message.lines().map(escape::message).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let first = if index == 0 { format!("{style}{label}{style:#}: {line}") } else { format!("  {line}") };
        text.push_str(&fit::paragraph(&first, 2, width));
    }
    let _ = write!(anstream::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_printed_once() {
        let denied = io::Error::other("Permission denied");
        let error = anyhow::Error::new(denied).context("cannot write x: Permission denied").context("record");
        assert_eq!(causes(&error), "record: cannot write x: Permission denied");
        let git = anyhow::Error::new(git2::Error::from_str("locked")).context("cannot move the ref");
        assert_eq!(causes(&git), "cannot move the ref: locked");
    }
}
