//! Runs gnuplot: scripts in, pictures out, nothing on disk. It is the user's program and may be missing, old, broken or
//! slow, so whatever it prints is looked at before it counts as a picture, and all are there or none.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What is run, as it stands on PATH.
const PROGRAM: &str = "gnuplot";
/// The first version whose SVG has transparent areas in all terminals.
const LEAST: u32 = 5;
/// How long it may take for its version, and for all pictures.
const VERSION_TIME: Duration = Duration::from_secs(5);
const DRAWING_TIME: Duration = Duration::from_secs(120);
/// The end of each picture.
const END: &[u8] = b"</svg>";

/// Why gnuplot gave no pictures.
#[derive(Debug, thiserror::Error)]
pub enum GnuplotError {
    /// There is none.
    #[error("gnuplot is not installed")]
    Missing,
    /// Too old.
    #[error("gnuplot {0} is too old ({LEAST} is needed)")]
    Old(String),
    /// Ended with an error, or did not end.
    #[error("gnuplot failed ({0})")]
    Failed(String),
    /// Ended well, and some pictures are not there or are broken.
    #[error("gnuplot left {whole} of {wanted} pictures")]
    Incomplete {
        /// Pictures that are whole.
        whole: usize,
        /// Scripts that were given.
        wanted: usize,
    },
}

/// Draws the scripts' pictures, in their order.
pub fn draw(scripts: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, GnuplotError> {
    let version = run(&["--version"], Vec::new(), VERSION_TIME)?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let number = version.strip_prefix("gnuplot ").and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    match number.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= LEAST => {}
        Some(_) => return Err(GnuplotError::Old(number.to_owned())),
        None => return Err(GnuplotError::Failed("it does not say its version".to_owned())),
    }
    // One process for all of them: most of its time goes into its start. No settings of the user's own.
    let printed = run(&["-d"], scripts.concat(), DRAWING_TIME)?;
    let pictures = pictures(&printed);
    let whole = pictures.iter().filter(|picture| is_whole(picture)).count();
    if whole != scripts.len() || pictures.len() != scripts.len() {
        return Err(GnuplotError::Incomplete { whole, wanted: scripts.len() });
    }
    Ok(pictures)
}

/// Texts in pictures are escaped, so the end of one stands nowhere else.
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

/// True for one element `svg` with everything in it closed.
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

/// Standard output of gnuplot, given something on standard input.
fn run(arguments: &[&str], input: Vec<u8>, limit: Duration) -> Result<Vec<u8>, GnuplotError> {
    let failed = |error: io::Error| GnuplotError::Failed(error.to_string());
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => GnuplotError::Missing,
        _ => failed(error),
    })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // Each pipe has a thread, as a full one would hold up the others. One that stays open behind a process that was
    // killed is left to itself.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let stdout = thread::spawn(move || all(stdout));
    let stderr = thread::spawn(move || all(stderr));
    let succeeded = wait(&mut child, limit)?;
    let joined = |thread: thread::JoinHandle<io::Result<Vec<u8>>>| {
        thread.join().unwrap_or_else(|_| Err(io::Error::other("it could not be read"))).map_err(failed)
    };
    let printed = joined(stdout)?;
    if succeeded {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&joined(stderr)?).into_owned();
    let last = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
    Err(GnuplotError::Failed(last.to_owned()))
}

fn all(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.map(|mut stream| stream.read_to_end(&mut bytes)).transpose()?;
    Ok(bytes)
}

/// Waits for its end; one that takes too long is ended.
fn wait(child: &mut Child, limit: Duration) -> Result<bool, GnuplotError> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if started.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(GnuplotError::Failed(format!("it took more than {} s", limit.as_secs())));
            }
            Ok(None) => thread::sleep(Duration::from_millis(3)),
            Err(error) => return Err(GnuplotError::Failed(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_apart_and_only_whole_ones_count() {
        let printed = b"<?xml version=\"1.0\"?>\n<svg><g>a</g></svg>\n\n<svg><g></svg> <svg>";
        let parts = pictures(printed);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], b"<?xml version=\"1.0\"?>\n<svg><g>a</g></svg>\n");
        assert_eq!(parts.iter().map(|part| is_whole(part)).collect::<Vec<_>>(), [true, false]);
        assert!(!is_whole(b"<html></html>") && !is_whole(b"<svg>") && !is_whole(b"<svg/"));
    }
}
