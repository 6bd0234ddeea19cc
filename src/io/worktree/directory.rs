//! Directories of a work tree: made private, made writable, copied and removed.

use crate::io::interrupt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Builds directories that only this user may read. On Windows a directory inherits its permissions.
pub(super) fn private_directory() -> fs::DirBuilder {
    #[cfg(unix)]
    {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
    }
    #[cfg(not(unix))]
    fs::DirBuilder::new()
}

/// Lets the owner change all directories below: the files of a read-only directory cannot be removed.
#[cfg(unix)]
pub(super) fn make_writable(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = directory.symlink_metadata() else { return };
    if !metadata.is_dir() {
        return;
    }
    let mode = metadata.permissions().mode();
    if mode & 0o700 != 0o700 {
        let _ = fs::set_permissions(directory, fs::Permissions::from_mode(mode | 0o700));
    }
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        make_writable(&entry.path());
    }
}

/// On Windows the attribute of a directory does not protect its files.
#[cfg(not(unix))]
pub(super) fn make_writable(_directory: &Path) {}

/// Removes a file or a directory, if there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

/// True for a named pipe, a socket or a device: a copy would block forever, or has no content.
pub(super) fn is_special(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink()
}

/// Copies a file or a directory, without named pipes, sockets and devices in it, which are added to `left_out`.
pub(super) fn copy(from: &Path, to: &Path, left_out: &mut Vec<PathBuf>) -> io::Result<()> {
    if interrupt::requested() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let metadata = from.symlink_metadata()?;
    if is_special(&metadata) {
        left_out.push(from.to_owned());
        return Ok(());
    }
    if metadata.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()), left_out)?;
        }
        return Ok(());
    }
    #[cfg(unix)]
    if metadata.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    fs::copy(from, to).map(drop)
}
