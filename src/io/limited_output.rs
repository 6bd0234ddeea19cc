//! Runs a short command to its end, with limits of its time and output.

use super::capture::{Capture, MAX_MEMORY_BYTES, PIPE_TIMEOUT};
use std::io::{self, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs a command to its end, and stops it after a time: then the error is of the kind `TimedOut`.
pub(super) fn output_within(command: &mut Command, limit: Duration) -> io::Result<Output> {
    run(command, None, limit)
}

/// The same for a command that reads standard input.
#[cfg(feature = "plots")]
pub(super) fn output_of_input(command: &mut Command, input: Vec<u8>, limit: Duration) -> io::Result<Output> {
    run(command.stdin(Stdio::piped()), Some(input), limit)
}

fn run(command: &mut Command, input: Option<Vec<u8>>, limit: Duration) -> io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = output_of(&mut child, input, limit);
    if output.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    output
}

fn output_of(child: &mut Child, input: Option<Vec<u8>>, limit: Duration) -> io::Result<Output> {
    let started = Instant::now();
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // On a thread of its own, because a full pipe would block the others. A command need not read all of it.
        std::thread::Builder::new().spawn(move || stdin.write_all(&input))?;
    }
    let stdout = child.stdout.take().map(|stream| Capture::start(stream, None)).transpose()?;
    let stderr = child.stderr.take().map(|stream| Capture::start(stream, None)).transpose()?;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let deadline = Instant::now() + PIPE_TIMEOUT;
    let captured = |capture: Option<Capture>| capture.map(|capture| capture.finish(deadline)).unwrap_or_default();
    let (stdout, stderr) = (captured(stdout), captured(stderr));
    if stdout.is_cut() {
        return Err(io::Error::other(format!("it printed more than {} MiB", MAX_MEMORY_BYTES >> 20)));
    }
    let stderr = stderr.whole.unwrap_or(stderr.tail);
    Ok(Output { status, stdout: stdout.whole.unwrap_or_default(), stderr })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        let shell = |line: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            command
        };
        let started = Instant::now();
        let error = output_within(&mut shell("exec sleep 60"), Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(10));
        let output = output_within(&mut shell("echo out; echo err >&2; exit 3"), Duration::from_secs(60)).unwrap();
        assert_eq!((output.status.code(), &*output.stdout, &*output.stderr), (Some(3), &b"out\n"[..], &b"err\n"[..]));
    }
}
