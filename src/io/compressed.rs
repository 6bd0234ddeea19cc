//! Reads files that are compressed with gzip or zstd, which some tools write by default.

use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// Maximum number of bytes that a compressed file may expand to: a small file must not fill the memory.
const LIMIT: u64 = 1 << 30;
/// Maximum number of bytes of a file that is not compressed: a stream may never end.
const PLAIN_LIMIT: u64 = 4 << 30;

/// The content of a stream, decompressed if it begins like a gzip or zstd file.
pub fn decompressed<'r>(mut stream: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut start = Vec::with_capacity(4);
    stream.by_ref().take(4).read_to_end(&mut start)?;
    let whole = io::Cursor::new(start.clone()).chain(stream);
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(Limited { inner: MultiGzDecoder::new(whole), left: LIMIT, why: EXPANDED }),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(Limited { inner: zstd::Decoder::new(whole)?, left: LIMIT, why: EXPANDED }),
        _ => Box::new(Limited { inner: whole, left: PLAIN_LIMIT, why: "it is larger than 4 GiB" }),
    })
}

const EXPANDED: &str = "the decompressed file is larger than 1 GiB";

/// A stream that fails after a number of bytes.
struct Limited<R> {
    inner: R,
    left: u64,
    why: &'static str,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.why)),
        }
        Ok(read)
    }
}
