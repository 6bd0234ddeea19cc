//! Finds loose git objects whose file ends too early, for example after a power cut, on a full disk or in an incomplete
//! copy. libgit2 never stops reading such a file, because its loop ends only with the zlib stream. So the files are
//! checked before libgit2 reads them, and by the watchdog while it reads.

use super::git_files::{self, objects_folders};
use super::regular;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// True for an object that is loose in this folder of objects, and whose file ends too early.
pub fn is_truncated(objects: &Path, id: &str) -> bool {
    let Some((folder, file)) = id.split_at_checked(2) else { return false };
    objects_folders(objects).iter().any(|objects| ends_too_early(&objects.join(folder).join(file)))
}

/// The first truncated object in a folder of objects or in the folders that it borrows from: its id and its folder.
/// `should_continue` is called before each object.
pub fn find_truncated(objects: &Path, should_continue: impl Fn() -> bool) -> Option<(String, PathBuf)> {
    objects_folders(objects)
        .into_iter()
        .find_map(|objects| Some((first_truncated(&objects, &should_continue)?, objects)))
}

fn first_truncated(objects: &Path, should_continue: &impl Fn() -> bool) -> Option<String> {
    let is_hex = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
    for folder in fs::read_dir(objects).ok()?.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if name.len() != 2 || !is_hex(&name) {
            continue;
        }
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let rest = file.file_name().to_string_lossy().into_owned();
            if !should_continue() {
                return None;
            }
            if is_hex(&rest) && ends_too_early(&file.path()) {
                return Some(name + &rest);
            }
        }
    }
    None
}

/// True if the zlib stream of a file continues past the end of the file. Other damage is found by libgit2 itself.
fn ends_too_early(path: &Path) -> bool {
    // libgit2 would wait for the writer of a named pipe, too.
    let Ok(mut file) = regular::open(path) else {
        return git_files::is_special_file(path);
    };
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let (mut input, mut output) = (vec![0; 16 << 10], vec![0; 64 << 10]);
    loop {
        let count = match file.read(&mut input) {
            Ok(0) => return true,
            Ok(count) => count,
            Err(_) => return false,
        };
        let mut rest = &input[..count];
        loop {
            let step = inflate(&mut state, rest, &mut output, MZFlush::None);
            rest = &rest[step.bytes_consumed..];
            match step.status {
                Ok(MZStatus::StreamEnd) => return false,
                // Full output may mean that more is waiting inside.
                Ok(_) if !rest.is_empty() || step.bytes_written == output.len() => {}
                Ok(_) | Err(MZError::Buf) => break,
                Err(_) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_end_too_early_are_truncated() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(directory.path()).unwrap();
        let objects = directory.path().join(".git/objects");
        // Small, empty, compressible, and not compressible.
        let mut state = 1_u64;
        let noise: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        for content in [b"one line\n".to_vec(), vec![], vec![7; 3_000_000], noise] {
            let id = repository.blob(&content).unwrap().to_string();
            let path = objects.join(&id[..2]).join(&id[2..]);
            let whole = fs::read(&path).unwrap();
            assert!(!is_truncated(&objects, &id));
            assert_eq!(find_truncated(&objects, || true), None);
            fs::remove_file(&path).unwrap();
            for length in [0, 1, 2, whole.len() / 2, whole.len() - 7, whole.len() - 1] {
                fs::write(&path, &whole[..length]).unwrap();
                assert!(is_truncated(&objects, &id), "{length} of {}", whole.len());
            }
            assert_eq!(find_truncated(&objects, || true), Some((id.clone(), objects.clone())));
            let borrower = directory.path().join("objects");
            fs::create_dir_all(borrower.join("info")).unwrap();
            fs::write(borrower.join("info/alternates"), "# borrowed\n../.git/objects\n").unwrap();
            assert!(is_truncated(&borrower, &id));
            assert_eq!(find_truncated(&borrower, || true).unwrap().0, id);
            assert_eq!(find_truncated(&objects, || false), None);
            fs::write(&path, &whole).unwrap();
        }
        assert!(!is_truncated(&objects, "0123456789012345678901234567890123456789"));
    }
}
