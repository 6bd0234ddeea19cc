//! Captures a command's output in bounded memory: all of it up to a size, and the last lines for messages. The rest is read
//! and dropped, so that the command never blocks.

use std::io::Read;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The most bytes of output that are kept as possible results.
const KEPT: usize = 32 << 20;
/// The bytes at the end that are kept for messages.
const TAIL: usize = 8 << 10;

/// The output of one stream.
#[derive(Debug, Default)]
pub struct Captured {
    /// All of it; `None` if it was too long.
    pub whole: Option<Vec<u8>>,
    /// Its end.
    pub tail: Vec<u8>,
    /// The number of bytes.
    #[cfg(test)]
    pub length: u64,
}

/// A stream that is being read.
pub struct Capture {
    receive: Receiver<Captured>,
}

impl Capture {
    /// Reads a stream to its end on a new thread. `keep`: whether to keep all of it.
    pub fn start(mut stream: impl Read + Send + 'static, keep: bool) -> Capture {
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            let mut whole = keep.then(Vec::new);
            let mut tail: Vec<u8> = Vec::new();
            #[cfg(test)]
            let mut length = 0u64;
            let mut buffer = vec![0; 64 << 10];
            loop {
                let count = match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(_) => break,
                };
                let bytes = &buffer[..count];
                #[cfg(test)]
                {
                    length += count as u64;
                }
                match &mut whole {
                    Some(kept) if kept.len() + count <= KEPT => kept.extend_from_slice(bytes),
                    _ => whole = None,
                }
                tail.extend_from_slice(&bytes[count.saturating_sub(TAIL)..]);
                if tail.len() > 2 * TAIL {
                    tail.drain(..tail.len() - TAIL);
                }
            }
            let _ = send.send(Captured {
                whole,
                tail,
                #[cfg(test)]
                length,
            });
        });
        Capture { receive }
    }

    /// The output. Waits at most `patience` for the end, since a leftover process may keep the stream open.
    pub fn finish(self, patience: Duration) -> Captured {
        self.receive.recv_timeout(patience).unwrap_or_default()
    }
}

impl Captured {
    /// The last lines, at most `count`.
    pub fn last_lines(&self, count: usize) -> String {
        let text = String::from_utf8_lossy(&self.tail);
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
        let captured = Capture::start(noise, true).finish(Duration::from_secs(60));
        assert_eq!(captured.whole, None);
        assert_eq!(captured.length, (200 << 20) + 19);
        assert!(captured.tail.len() <= 2 * TAIL);
        assert_eq!(captured.last_lines(2), "last but one\nlast");
    }

    #[test]
    fn a_short_stream_is_kept_whole() {
        let captured = Capture::start(&b"a\n\nb\n"[..], true).finish(Duration::from_secs(60));
        assert_eq!(captured.whole.as_deref(), Some(&b"a\n\nb\n"[..]));
        assert_eq!(captured.last_lines(5), "a\nb");
    }
}
