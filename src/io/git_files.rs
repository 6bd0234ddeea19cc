//! Checks the files of a repository and of git's configuration before git and libgit2 read them: opening a named pipe in place
//! of one would block forever.

use super::regular;
use crate::model::Commit;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of a git directory.
const FILES: [&str; 16] = [
    "HEAD",
    "config",
    "config.worktree",
    "index",
    "packed-refs",
    "shallow",
    "commondir",
    "gitdir",
    "FETCH_HEAD",
    "info/exclude",
    "info/attributes",
    "info/grafts",
    "info/sparse-checkout",
    "logs/HEAD",
    "perfgate-measure",
    "perfgate-measure-holder",
];
/// Files at the top of a work tree.
const TOP_FILES: [&str; 3] = [".gitignore", ".gitattributes", ".gitmodules"];
/// Files in any directory of a work tree.
const DIRECTORY_FILES: [&str; 2] = [".gitignore", ".gitattributes"];
/// Directories with nothing but such files, at any depth. Other directories may have sockets of other programs.
const DIRECTORIES: [&str; 3] = ["refs", "objects/info", "objects/pack"];
/// How deep files of the configuration include others, as in git.
const MAX_INCLUDES: usize = 10;
/// Maximum number of object folders that are followed. git itself follows five in a row.
const MAX_BORROWED: usize = 10;

/// The git directory of the repository around a directory, and the directory that contains or names it. The search is the same
/// as libgit2's, which would open files before they are checked.
fn directories(around: &Path) -> Option<(PathBuf, PathBuf)> {
    let around = std::path::absolute(around).ok()?;
    around.ancestors().find_map(|directory| {
        let inside = directory.join(".git");
        let is_bare = || ["objects", "refs"].iter().all(|name| directory.join(name).is_dir());
        let git_dir = if inside.is_dir() {
            inside
        } else if inside.is_file() {
            directory.join(regular::read_to_string(&inside).ok()?.strip_prefix("gitdir:")?.trim())
        } else if is_bare() && directory.join("HEAD").exists() {
            directory.to_owned()
        } else {
            return None;
        };
        Some((git_dir, directory.to_owned()))
    })
}

/// The directory of the repository that a linked work tree belongs to.
pub(super) fn common_directory(git_dir: &Path) -> PathBuf {
    let common = regular::read_to_string(&git_dir.join("commondir"));
    common.map_or_else(|_| git_dir.to_owned(), |path| git_dir.join(path.trim_end()))
}

/// Finds a named pipe, socket or device in place of a file of the repository around a directory, or of git's configuration.
pub(super) fn find_special_file(around: &Path) -> Option<PathBuf> {
    let (git_dir, top) = directories(around)?;
    let common = common_directory(&git_dir);
    let own = FILES.iter().map(|name| git_dir.join(name)).chain(TOP_FILES.iter().map(|name| top.join(name)));
    let shared = FILES.iter().map(|name| common.join(name)).filter(|_| git_dir != common);
    let borrowed = objects_folders(&common.join("objects")).into_iter().skip(1);
    let borrowed = borrowed.flat_map(|objects| [objects.join("pack"), objects.join("info")]);
    let here = DIRECTORIES.iter().map(|name| common.join(name)).chain([git_dir.join("refs")]);
    own.chain(shared)
        .find(|path| is_special_file(path))
        .or_else(|| here.chain(borrowed).find_map(|directory| special_file_below(&directory)))
        .or_else(|| configurations(&git_dir, &common).into_iter().find_map(|path| special_included_file(&path, 0)))
}

/// Finds a named pipe, socket or device in place of a `.gitignore` or `.gitattributes` below the top of a work tree. Searches the
/// directories with tracked files. If `is_ignored` is given (git then searches for new files), also all others that are not
/// ignored. `tracked` and the paths of `is_ignored` are relative to the top.
pub(super) fn find_special_file_in_work_tree(
    top: &Path,
    tracked: &BTreeSet<PathBuf>,
    is_ignored: Option<&dyn Fn(&Path) -> bool>,
) -> Option<PathBuf> {
    let special_file_in = |directory: &Path| {
        DIRECTORY_FILES.map(|name| top.join(directory).join(name)).into_iter().find(|path| is_special_file(path))
    };
    let Some(is_ignored) = is_ignored else { return tracked.iter().find_map(|directory| special_file_in(directory)) };
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        // Whether a directory is ignored depends on the `.gitignore` files above it, which were checked before.
        if let Some(path) = special_file_in(&directory) {
            return Some(path);
        }
        for entry in fs::read_dir(top.join(&directory)).into_iter().flatten().flatten() {
            let path = directory.join(entry.file_name());
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git";
            if is_directory && (tracked.contains(&path) || !is_ignored(&path)) {
                open.push(path);
            }
        }
    }
    None
}

/// True for a named pipe, a socket or a device.
pub(super) fn is_special_file(path: &Path) -> bool {
    path.exists() && regular::check(path).is_err()
}

/// What is wrong with the file of a ref, as after a power cut; `None` for a ref without damage or without a file.
pub(super) fn damage_of_ref(common: &Path, name: &str) -> Option<String> {
    let path = common.join(name);
    let content = regular::read(&path).ok()?;
    let content = content.trim_ascii();
    let is_id = || Commit::parse(&String::from_utf8_lossy(content)).is_some();
    match content {
        [] => Some(format!("{} is empty", path.display())),
        content if content.starts_with(b"ref:") || is_id() => None,
        _ => Some(format!("{} has no commit id", path.display())),
    }
}

fn special_file_below(directory: &Path) -> Option<PathBuf> {
    fs::read_dir(directory).ok()?.flatten().find_map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => special_file_below(&entry.path()),
        Ok(kind) if kind.is_file() => None,
        _ => Some(entry.path()).filter(|path| is_special_file(path)),
    })
}

/// The folder of objects of a repository, and those that it borrows from.
pub(super) fn objects_folders(objects: &Path) -> Vec<PathBuf> {
    let mut folders = vec![objects.to_owned()];
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        next += 1;
        let alternates = regular::read(&folder.join("info/alternates")).unwrap_or_default();
        for line in alternates.split(|byte| *byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#'))) {
            let other = folder.join(String::from_utf8_lossy(line).as_ref());
            if next <= MAX_BORROWED && !folders.contains(&other) {
                folders.push(other);
            }
        }
    }
    folders
}

/// Files of git's configuration: those of the user and the system are read for any repository.
fn configurations(git_dir: &Path, common: &Path) -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let xdg = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let mut paths: Vec<PathBuf> = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"].into_iter().filter_map(variable).collect();
    paths.extend(home.map(|home| home.join(".gitconfig")));
    paths.extend(xdg.iter().flat_map(|xdg| ["config", "ignore", "attributes"].map(|name| xdg.join("git").join(name))));
    paths.push(PathBuf::from("/etc/gitconfig"));
    paths.extend([common.join("config"), git_dir.join("config.worktree")]);
    paths
}

/// Finds a named pipe, socket or device in place of a configuration file or of a file that it names: an included one, or the
/// user's own list of ignored files or attributes.
fn special_included_file(path: &Path, depth: usize) -> Option<PathBuf> {
    if is_special_file(path) {
        return Some(path.to_owned());
    }
    let text = (depth <= MAX_INCLUDES).then(|| regular::read(path).ok()).flatten()?;
    String::from_utf8_lossy(&text).lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim().to_ascii_lowercase();
        // `[include] path = FILE` may be one line.
        let key = key.rsplit([']', ' ', '\t']).next().unwrap_or_default();
        let file = named_file(path, value.trim().trim_matches('"'))?;
        match key {
            "path" => special_included_file(&file, depth + 1),
            "excludesfile" | "attributesfile" => Some(file).filter(|file| is_special_file(file)),
            _ => None,
        }
    })
}

/// The file that a configuration names: relative to it, or to the home directory.
fn named_file(configuration: &Path, name: &str) -> Option<PathBuf> {
    match name.strip_prefix("~/") {
        Some(rest) => Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)),
        None => Some(configuration.parent()?.join(name)),
    }
}
