//! Standard output and standard error. A reader that went away (`perfgate … | head`) is no error.

use crate::gate;
use crate::model::{Diagnostic, Severity};
use crate::policy::Problems;
use crate::render::escape;
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Prints text that may hold colours; they are dropped where the stream does not want them.
pub fn print_styled(text: &str) -> anyhow::Result<()> {
    forgiving(anstream::stdout().lock().write_all(text.as_bytes()))
}

/// Prints bytes as they are.
pub fn print(bytes: &[u8]) -> anyhow::Result<()> {
    stream(|out| out.write_all(bytes))
}

/// Writes to standard output through a buffer.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    forgiving(write(&mut out).and_then(|()| out.flush()))
}

/// Writes a file that the user named.
pub fn file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{}: cannot write it", path.display()))
}

fn forgiving(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Says what stopped the command, on standard error.
pub fn complain(error: &anyhow::Error) {
    match error.downcast_ref() {
        Some(gate::Error::Config { problems, .. }) => frame(problems),
        Some(gate::Error::UnmatchedLimits { frames, .. }) => frames.iter().for_each(frame),
        _ => {}
    }
    let style = AnsiColor::Red.on_default().bold();
    say("error", style, &format!("{error:#}"));
}

/// Prints problems of a file framed under their lines, on standard error.
pub fn frame(problems: &Problems) {
    let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    anstream::eprintln!("{}", problems.render(coloured));
}

/// Says what is worth knowing, on standard error.
pub fn warn(message: &str) {
    say("warning", AnsiColor::Yellow.on_default().bold(), message);
}

/// Says what was done, on standard error.
pub fn note(message: &str) {
    say("note", Style::new().dimmed(), message);
}

/// Says everything that was odd, on standard error.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Note => note(&diagnostic.to_string()),
            Severity::Warning | Severity::Error => warn(&diagnostic.to_string()),
        }
    }
}

fn say(label: &str, style: Style, message: &str) {
    let lines: Vec<String> = message.lines().map(escape::message).collect();
    let _ = writeln!(anstream::stderr(), "{style}{label}{style:#}: {}", lines.join("\n  "));
}
