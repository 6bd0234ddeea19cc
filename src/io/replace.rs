//! Writes a file as a whole or not at all: a full disk neither leaves half a file nor destroys the one that was there.

use std::fs::{self, File, Metadata};
use std::io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a temporary file next to the target and renames it. A symbolic link stays one, and a character device or a stream of the
/// shell is written directly. A named pipe elsewhere is an error: opening it would wait for a reader.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |out| out.write_all(bytes))
}

/// [`write`] of what a function writes.
pub fn write_with(path: &Path, content: impl Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let fill = |file: File| -> io::Result<()> {
        let mut out = BufWriter::new(file);
        content(&mut out)?;
        out.flush()
    };
    let directly = |path: &Path| fill(File::create(path)?);
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&target).ok();
    // `/dev/stdout` may lead to a file that the shell has opened, and a link may lead to a file that does not exist yet.
    let is_stream = ["/dev", "/proc"].iter().any(|place| path.starts_with(place));
    if !is_stream && known.as_ref().is_some_and(is_special) {
        return Err(io::Error::other("it is a named pipe, socket or block device; use a file, or /dev/stdout"));
    }
    if is_stream || known.as_ref().map_or(path.is_symlink(), |metadata| !metadata.is_file()) {
        return directly(path);
    }
    let temporary = temporary(&target);
    let write = || -> io::Result<()> {
        // One may be left from a killed process. In a directory of several users it may also be a link of somebody else, which must
        // not be followed.
        let _ = fs::remove_file(&temporary);
        let file = File::create_new(&temporary)?;
        if let Some(known) = &known {
            file.set_permissions(known.permissions())?;
        }
        fill(file)?;
        fs::rename(&temporary, &target)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    match written.as_ref().map_err(io::Error::kind) {
        // The file may be writable in a directory that is not, or be mounted by itself.
        Err(PermissionDenied | ReadOnlyFilesystem | ResourceBusy | CrossesDevices) if known.is_some() => directly(path),
        _ => written,
    }
}

/// True for a named pipe, a socket or a block device.
#[cfg(unix)]
fn is_special(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_socket() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_special(_: &Metadata) -> bool {
    false
}

fn temporary(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".perfgate-{}", std::process::id()));
    target.with_file_name(name)
}
