//! Runs gnuplot: scripts in, SVG pictures out, without files. The user's gnuplot may be missing, old, broken or slow, so its
//! output is checked, and a failure of one picture fails all.

use super::limited_output::output_of_input;
use std::io;
use std::process::Command;
use std::time::Duration;

/// The program, found through PATH.
const PROGRAM: &str = "gnuplot";
/// The first version whose SVG terminal supports transparent areas.
const MIN_VERSION: u32 = 5;
/// Time limits for `--version` and for all pictures.
const VERSION_TIME: Duration = Duration::from_secs(5);
const DRAWING_TIME: Duration = Duration::from_secs(120);
/// The end of each picture.
const END: &[u8] = b"</svg>";

/// Why gnuplot drew no pictures.
#[derive(Debug, thiserror::Error)]
pub enum GnuplotError {
    /// Not on PATH.
    #[error("gnuplot is not installed")]
    Missing,
    /// Too old.
    #[error("gnuplot {0} is too old; version {MIN_VERSION} or later is needed")]
    Old(String),
    /// It exited with an error, or did not exit.
    #[error("gnuplot failed ({0})")]
    Failed(String),
    /// It succeeded, but pictures are missing or broken.
    #[error("gnuplot drew only {whole} of {wanted} pictures")]
    Incomplete {
        /// Complete pictures.
        whole: usize,
        /// Expected pictures.
        wanted: usize,
    },
}

/// Draws a picture for each script, in order.
pub fn draw(scripts: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, GnuplotError> {
    let version = run(&["--version"], Vec::new(), VERSION_TIME)?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let number = version.strip_prefix("gnuplot ").and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    match number.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= MIN_VERSION => {}
        Some(_) => return Err(GnuplotError::Old(number.to_owned())),
        None => return Err(GnuplotError::Failed("`gnuplot --version` printed no version".to_owned())),
    }
    // One process for all pictures, since most of its time is startup. `-d`: without the user's own settings.
    let printed = run(&["-d"], scripts.concat(), DRAWING_TIME)?;
    let pictures = pictures(&printed);
    let whole = pictures.iter().filter(|picture| is_whole(picture)).count();
    if whole != scripts.len() || pictures.len() != scripts.len() {
        return Err(GnuplotError::Incomplete { whole, wanted: scripts.len() });
    }
    Ok(pictures)
}

/// Splits the output after each `</svg>`, which text in pictures cannot contain: it is escaped.
fn pictures(printed: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = printed;
    let mut pictures = Vec::new();
    while let Some(at) = rest.windows(END.len()).position(|bytes| bytes == END) {
        let mut picture = rest[..at + END.len()].trim_ascii_start().to_vec();
        picture.push(b'\n');
        pictures.push(picture);
        rest = &rest[at + END.len()..];
    }
    pictures
}

/// True for exactly one `svg` element that is closed, with all elements in it.
fn is_whole(picture: &[u8]) -> bool {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(picture);
    let (mut depth, mut roots) = (0_usize, 0);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                roots += usize::from(depth == 0 && tag.name().as_ref() == "svg");
                depth += 1;
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return depth == 0 && roots == 1,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Runs gnuplot with standard input; returns its standard output.
fn run(arguments: &[&str], input: Vec<u8>, limit: Duration) -> Result<Vec<u8>, GnuplotError> {
    let mut command = Command::new(PROGRAM);
    let output = output_of_input(command.args(arguments), input, limit).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => GnuplotError::Missing,
        io::ErrorKind::TimedOut => GnuplotError::Failed(format!("it took more than {} s", limit.as_secs())),
        _ => GnuplotError::Failed(error.to_string()),
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it printed no reason");
    Err(GnuplotError::Failed(last.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_split_and_only_complete_ones_count() {
        let printed = b"<?xml version=\"1.0\"?>\n<svg><g>a</g></svg>\n\n<svg><g></svg> <svg>";
        let parts = pictures(printed);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], b"<?xml version=\"1.0\"?>\n<svg><g>a</g></svg>\n");
        assert_eq!(parts.iter().map(|part| is_whole(part)).collect::<Vec<_>>(), [true, false]);
        assert!(!is_whole(b"<html></html>") && !is_whole(b"<svg>") && !is_whole(b"<svg/"));
    }
}
