//! Captures a command's output in bounded memory: all of it up to a size, more than that in a file, and the last lines
//! for messages. An output that is too long for the file is read to its end, so that the command never blocks, but only
//! its last lines are kept.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How long to read the pipes after a command has ended: a process that it started may keep them open.
pub const PIPE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of bytes of output that are kept in memory.
pub const MAX_MEMORY_BYTES: usize = 32 << 20;
/// Maximum number of bytes of output that are kept in a file.
pub const MAX_BYTES: u64 = 256 << 20;
/// The bytes at the end that are kept for messages.
const TAIL_BYTES: usize = 8 << 10;
/// A process that outlives the command may keep a stream open. After this time without a byte the output is complete: all
/// that the command itself wrote was in the pipe when it ended.
const SILENCE_LIMIT: Duration = Duration::from_millis(250);
const TICK: Duration = Duration::from_millis(5);

/// The output of one stream.
#[derive(Debug, Default)]
pub struct CapturedOutput {
    /// All of it; `None` if it was too long for memory.
    pub whole: Option<Vec<u8>>,
    /// All of an output that was too long for memory.
    pub file: Option<File>,
    /// Its end.
    pub tail: Vec<u8>,
    /// The number of bytes.
    pub length: u64,
    /// Where to create the file.
    long: Option<PathBuf>,
}

/// A stream that is being read.
pub struct Capture {
    reader: JoinHandle<()>,
    captured: Arc<Mutex<CapturedOutput>>,
}

impl Capture {
    /// Reads a stream to its end on a new thread. `long`: the file that a long output is written to.
    pub fn start(mut stream: impl Read + Send + 'static, long: Option<PathBuf>) -> io::Result<Capture> {
        let captured = CapturedOutput { whole: Some(Vec::new()), long, ..CapturedOutput::default() };
        let captured = Arc::new(Mutex::new(captured));
        let filled = Arc::clone(&captured);
        let reader = Builder::new().spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => filled.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        })?;
        Ok(Capture { reader, captured })
    }

    /// The output. Waits for the end of the stream until `deadline`, or until nothing has arrived for
    /// [`SILENCE_LIMIT`].
    pub fn finish(self, deadline: Instant) -> CapturedOutput {
        let (mut length, mut since) = (self.length(), Instant::now());
        while !self.reader.is_finished() && Instant::now() < deadline && since.elapsed() < SILENCE_LIMIT {
            std::thread::sleep(TICK);
            let now = self.length();
            if now != length {
                (length, since) = (now, Instant::now());
            }
        }
        std::mem::take(&mut *self.captured.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of bytes so far.
    pub fn length(&self) -> u64 {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner).length
    }
}

impl CapturedOutput {
    /// True if more was printed than is kept.
    pub fn is_cut(&self) -> bool {
        self.whole.is_none() && self.file.is_none() && self.length > 0
    }

    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match &mut self.whole {
            Some(kept) if kept.len() + bytes.len() <= MAX_MEMORY_BYTES => kept.extend_from_slice(bytes),
            _ => self.add_to_file(bytes),
        }
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        if self.tail.len() > 2 * TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
    }

    fn add_to_file(&mut self, bytes: &[u8]) {
        if let (Some(whole), Some(path)) = (self.whole.take(), self.long.take()) {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(true);
            self.file = options.open(path).and_then(|mut file| file.write_all(&whole).map(|()| file)).ok();
        }
        let written = self.file.as_mut().map(|file| file.write_all(bytes));
        if self.length > MAX_BYTES || written.is_some_and(|written| written.is_err()) {
            self.file = None;
        }
    }

    /// The last lines for a message, at most `count`. Tabs are spaces, because messages show control characters as escapes.
    pub fn last_lines(&self, count: usize) -> String {
        let text = String::from_utf8_lossy(&self.tail).replace('\t', "    ");
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_huge_stream_only_the_last_lines_are_kept() {
        let noise = std::io::repeat(b'x').take(200 << 20).chain(&b"\nlast but one\nlast\n"[..]);
        let captured = Capture::start(noise, None).unwrap().finish(Instant::now() + Duration::from_secs(60));
        assert_eq!(captured.whole, None);
        assert_eq!(captured.length, (200 << 20) + 19);
        assert!(captured.tail.len() <= 2 * TAIL_BYTES);
        assert_eq!(captured.last_lines(2), "last but one\nlast");
    }

    #[test]
    fn a_short_stream_is_kept_whole() {
        let captured =
            Capture::start(&b"a\n\nok\tb\n"[..], None).unwrap().finish(Instant::now() + Duration::from_secs(60));
        assert_eq!(captured.whole.as_deref(), Some(&b"a\n\nok\tb\n"[..]));
        assert_eq!(captured.last_lines(5), "a\nok    b");
    }

    #[test]
    fn what_is_too_long_for_memory_is_in_a_file() {
        use std::io::Seek;
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let noise = std::io::repeat(b'x').take(MAX_MEMORY_BYTES as u64).chain(&b"last\n"[..]);
        let captured = Capture::start(noise, Some(path.to_path_buf())).unwrap();
        let captured = captured.finish(Instant::now() + Duration::from_secs(60));
        assert!(captured.whole.is_none() && !captured.is_cut());
        let mut file = captured.file.unwrap();
        file.rewind().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes.len() == MAX_MEMORY_BYTES + 5 && bytes.ends_with(b"xlast\n"), "{}", bytes.len());
    }
}
