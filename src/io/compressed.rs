//! Reads files that are compressed with gzip or zstd, which some tools write by default, and files in UTF-16, which PowerShell 5
//! writes.

use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// Maximum number of bytes that a compressed file may expand to: a small file must not fill the memory.
const MAX_EXPANDED_BYTES: u64 = 1 << 30;
/// Maximum number of bytes of a file that is not compressed: a stream may never end.
const PLAIN_LIMIT: u64 = 4 << 30;

/// The content of a stream: decompressed if it begins like a gzip or zstd file, and as UTF-8 if it begins with the byte order
/// mark of UTF-16.
pub fn decoded<'r>(stream: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut stream = decompressed(stream)?;
    let mut start = Vec::with_capacity(4);
    stream.by_ref().take(4).read_to_end(&mut start)?;
    let to_unit = match start.as_slice() {
        [0xff, 0xfe, 0, 0] => None, // UTF-32, which is an error later
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
        _ => None,
    };
    let Some(to_unit) = to_unit else { return Ok(Box::new(io::Cursor::new(start).chain(stream))) };
    let inner = io::Cursor::new(start.split_off(2)).chain(stream);
    Ok(Box::new(Utf16 { inner, to_unit, units: Vec::new(), odd: None, text: io::Cursor::default() }))
}

/// The content of a stream, decompressed if it begins like a gzip or zstd file.
pub fn decompressed<'r>(mut stream: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut start = Vec::with_capacity(4);
    stream.by_ref().take(4).read_to_end(&mut start)?;
    let whole = io::Cursor::new(start.clone()).chain(stream);
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => {
            Box::new(LimitedReader { inner: MultiGzDecoder::new(whole), left: MAX_EXPANDED_BYTES, why: EXPANDED })
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(LimitedReader { inner: zstd::Decoder::new(whole)?, left: MAX_EXPANDED_BYTES, why: EXPANDED })
        }
        _ => Box::new(LimitedReader { inner: whole, left: PLAIN_LIMIT, why: "it is larger than 4 GiB" }),
    })
}

const EXPANDED: &str = "the decompressed file is larger than 1 GiB";

/// A stream that fails after a number of bytes.
struct LimitedReader<R> {
    inner: R,
    left: u64,
    why: &'static str,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.why)),
        }
        Ok(read)
    }
}

/// A stream of UTF-16 as UTF-8. Invalid units become replacement characters.
struct Utf16<R> {
    inner: R,
    to_unit: fn([u8; 2]) -> u16,
    /// Units to decode. Between reads: a high surrogate whose low surrogate has not been read, or nothing.
    units: Vec<u16>,
    /// The first byte of a unit, whose second byte has not been read.
    odd: Option<u8>,
    text: io::Cursor<String>,
}

impl<R: Read> Utf16<R> {
    /// Decodes a further part of the stream. False at its end.
    fn advance(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 8192];
        let read = self.inner.read(&mut buffer)?;
        for byte in &buffer[..read] {
            match self.odd.take() {
                Some(first) => self.units.push((self.to_unit)([first, *byte])),
                None => self.odd = Some(*byte),
            }
        }
        let is_high_surrogate = |unit: &u16| (0xd800..0xdc00).contains(unit);
        let waiting = if read > 0 { self.units.pop_if(|unit| is_high_surrogate(unit)) } else { None };
        self.text = io::Cursor::new(String::from_utf16_lossy(&self.units));
        self.units = waiting.into_iter().collect();
        Ok(read > 0)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.advance()? && self.text.get_ref().is_empty() {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that returns at most three bytes per read.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = self.0.len().min(3);
            (&mut self.0).take(some as u64).read(buffer)
        }
    }

    #[test]
    fn text_with_the_byte_order_mark_of_utf16_is_decoded() {
        let text = "µs 😀 a\r\nb";
        for (mark, to_bytes) in
            [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let units: Vec<u8> = text.encode_utf16().flat_map(to_bytes).collect();
            let bytes = [&mark[..], &units].concat();
            let read = |bytes: &[u8]| {
                let mut out = String::new();
                decoded(Slow(bytes)).unwrap().read_to_string(&mut out).unwrap();
                out
            };
            assert_eq!(read(&bytes), text);
            assert_eq!(
                read(&[&bytes[..], &to_bytes(0xd83d)].concat()),
                format!("{text}\u{fffd}"),
                "a high surrogate at the end"
            );
        }
        let mut out = Vec::new();
        decoded(Slow(b"\xff")).unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, b"\xff");
        let utf32 = b"\xff\xfe\0\0a\0\0\0";
        out.clear();
        decoded(Slow(utf32)).unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, utf32, "UTF-32 is not decoded");
    }
}
