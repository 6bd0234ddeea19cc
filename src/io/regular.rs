//! Opens files that a user or a repository names, but not named pipes and devices: reading them could block or never end.

use crate::model::wide_encoding;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Maximum number of bytes that are read.
const MAX_BYTES: u64 = 1 << 30;
/// Paths that may be read although they are not regular files: standard input, pipes of the shell as in `<(command)`,
/// and `/dev/null`.
const STREAMS: [&str; 4] = ["/dev/fd", "/dev/stdin", "/dev/null", "/proc"];

/// Opens a file. Named pipes, sockets and devices are an error.
pub fn open(path: &Path) -> io::Result<File> {
    check(path)?;
    File::open(path)
}

/// Opens a file of results. If its length changes while it is read, its writer has not finished: an error.
pub fn open_unchanging(path: &Path) -> io::Result<UnchangingFile> {
    let file = open(path)?;
    let metadata = file.metadata()?;
    let is_stream = !metadata.is_file() || is_stream(path);
    Ok(UnchangingFile { file, length: (!is_stream).then_some(metadata.len()), read: 0 })
}

/// A file of results that is being read.
#[derive(Debug)]
pub struct UnchangingFile {
    file: File,
    /// At the beginning; `None` for a stream.
    length: Option<u64>,
    read: u64,
}

impl Read for UnchangingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        let is_end = count == 0 && !buffer.is_empty();
        match self.length {
            Some(length) if self.read > length || is_end && self.read < length => {
                Err(io::Error::other("it changed while it was read; wait until the benchmarks have ended"))
            }
            _ => Ok(count),
        }
    }
}

fn is_stream(path: &Path) -> bool {
    STREAMS.iter().any(|stream| path.starts_with(stream))
}

/// The error of [`open`] for a named pipe, socket or device.
pub fn check(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    if !metadata.is_file() && !metadata.is_dir() && !is_stream(path) {
        return Err(io::Error::other("it is a named pipe, socket or device; use a file, or `-` for standard input"));
    }
    Ok(())
}

/// Opens a file without the system call of [`check`], for very many files. A named pipe without a writer reads as empty.
pub fn open_at_once(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::libc::O_NONBLOCK);
    options.open(path)
}

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES { Err(io::Error::other("it is larger than 1 GiB")) } else { Ok(bytes) }
}

/// The text of a file.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| not_utf8(wide_encoding(error.as_bytes())))
}

/// The text of a file that an editor may have saved, without a byte order mark.
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read(path)?;
    let text = without_mark(&bytes)?;
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| not_utf8(None))
}

/// The bytes of a text without a byte order mark. UTF-16 and UTF-32 are an error.
pub fn without_mark(bytes: &[u8]) -> io::Result<&[u8]> {
    match wide_encoding(bytes) {
        Some(encoding) => Err(not_utf8(Some(encoding))),
        None => Ok(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)),
    }
}

fn not_utf8(encoding: Option<&str>) -> io::Error {
    let what = encoding.unwrap_or("not UTF-8 text");
    io::Error::new(io::ErrorKind::InvalidData, format!("it is {what}; save it as UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_text_is_read_with_the_byte_order_mark_of_utf8_and_without() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_text(&path).map_err(|error| error.to_string())
        };
        assert_eq!(read(b"\xEF\xBB\xBFa\n"), Ok("a\n".to_owned()));
        assert_eq!(read(b"a\n"), Ok("a\n".to_owned()));
        assert_eq!(read(b"\xFF\xFEa\0"), Err("it is UTF-16; save it as UTF-8".to_owned()));
        assert_eq!(read(b"a\0\0\0b\0\0\0"), Err("it is UTF-32; save it as UTF-8".to_owned()));
        assert_eq!(read(b"a\xFF"), Err("it is not UTF-8 text; save it as UTF-8".to_owned()));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[b'x'; 1000]).unwrap();
        let mut bytes = Vec::new();
        open_unchanging(file.path()).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 1000);
        for length in [1001, 2_000_000, 999, 0] {
            file.as_file().set_len(1000).unwrap();
            let mut unchanging = open_unchanging(file.path()).unwrap();
            unchanging.read_exact(&mut [0; 10]).unwrap();
            file.as_file().set_len(length).unwrap();
            let error = unchanging.read_to_end(&mut bytes).unwrap_err();
            assert!(error.to_string().contains("changed while it was read"), "{length}: {error}");
        }
    }
}
