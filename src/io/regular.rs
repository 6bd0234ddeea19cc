//! Opens files that a user or a repository names: a named pipe without a writer would never answer, and a device never end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes that are read.
const LARGEST: u64 = 1 << 30;
/// Where the shell has the other end of a pipe, as in `<(command)`.
const STREAMS: [&str; 4] = ["/dev/fd", "/dev/stdin", "/dev/null", "/proc"];

/// Opens a file. Named pipes, sockets and devices are an error.
pub fn open(path: &Path) -> io::Result<File> {
    let metadata = path.metadata()?;
    let is_stream = STREAMS.iter().any(|stream| path.starts_with(stream));
    if !metadata.is_file() && !metadata.is_dir() && !is_stream {
        return Err(io::Error::other("it is a named pipe, socket or device; use a file, or `-` for standard input"));
    }
    File::open(path)
}

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(io::Error::other("it is larger than 1 GiB")) } else { Ok(bytes) }
}

/// The text of a file.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
