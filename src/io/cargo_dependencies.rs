//! Reuses dependencies that cargo built in another target directory, so that a side is not built from scratch.
//! Cargo finds an artifact by a hash of everything it was built from (compiler, profile, features, flags), so an artifact
//! that does not match is not used. Packages of the repository itself are never reused: cargo distinguishes their versions by
//! file times, so one side could get the code of the other.

use super::regular;
use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use toml::Table;

/// Copying stops at this many bytes: a target directory that grew for years is not worth copying as a whole.
const MAX_COPIED_BYTES: u64 = 4 << 30;
/// The parts of a profile's directory that belong to dependencies.
const PARTS: [&str; 3] = [".fingerprint", "build", "deps"];

/// Copies the dependencies that were built in one target directory to another that does not exist yet; returns the number of
/// bytes. `profiles` are names of directories (`release`), and `own` the packages that are not copied. What cannot be copied
/// is left out, and cargo builds it.
pub fn copy_dependencies(from: &Path, to: &Path, profiles: &[String], own: &BTreeSet<String>) -> u64 {
    let mut copied = 0;
    for profile in directories(from, profiles) {
        for part in PARTS {
            for entry in fs::read_dir(from.join(&profile).join(part)).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let is_foreign = name.to_str().and_then(package_of).is_some_and(|package| !own.contains(&package));
                // Programs are tests and benchmarks of the repository itself.
                let is_program = part == "deps" && Path::new(&name).extension().is_none_or(|ending| ending == "exe");
                if is_foreign && !is_program && copied < MAX_COPIED_BYTES {
                    copied += copy(&entry.path(), &to.join(&profile).join(part).join(&name)).unwrap_or(0);
                }
            }
        }
    }
    copied
}

/// Stores the dependencies of a target directory in a cache under a name, and replaces the entry of that name. Then removes
/// the oldest entries until the cache is small enough.
pub fn store_in_cache(
    target: &Path,
    cache: &Path,
    name: &str,
    profiles: &[String],
    own: &BTreeSet<String>,
) -> io::Result<()> {
    let (entry, new) = (cache.join(name), cache.join(format!("{name}-{}", std::process::id())));
    fs::create_dir_all(&new)?;
    fs::write(new.join(MARK), "")?;
    copy_dependencies(target, &new, profiles, own);
    match fs::remove_dir_all(&entry) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::rename(&new, &entry)?,
    }
    shrink(cache, MAX_CACHE_BYTES)
}

/// Maximum size of a cache in bytes.
const MAX_CACHE_BYTES: u64 = 5 << 30;
/// The file that marks an entry of a cache: nothing else is ever removed.
const MARK: &str = "kept-by-perfgate";

fn shrink(cache: &Path, most: u64) -> io::Result<()> {
    let entries = fs::read_dir(cache)?.flatten().map(|entry| entry.path());
    let kept_at = |entry: PathBuf| Some((fs::metadata(entry.join(MARK)).ok()?.modified().ok()?, entry));
    let mut entries: Vec<_> = entries.filter_map(kept_at).collect();
    entries.sort();
    let mut sum = 0;
    for (_, entry) in entries.iter().rev() {
        sum += size(entry);
        if sum > most {
            fs::remove_dir_all(entry)?;
        }
    }
    Ok(())
}

fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The directories of the profiles, also those of a target platform (`x86_64-unknown-linux-musl/release`).
fn directories(target: &Path, profiles: &[String]) -> Vec<PathBuf> {
    let below = fs::read_dir(target).into_iter().flatten().flatten().map(|entry| PathBuf::from(entry.file_name()));
    let parents = std::iter::once(PathBuf::new()).chain(below);
    let all = parents.flat_map(|parent| profiles.iter().map(move |profile| parent.join(profile)).collect::<Vec<_>>());
    all.filter(|path| target.join(path).join(".fingerprint").is_dir()).collect()
}

/// The package of `serde_json-0f3d4a…` or `libserde_json-0f3d4a….rlib`, spelled as [`packages`] spells it; `None` for files
/// without a hash, such as finished programs. A leading `lib` is removed from names of packages too, so `foo` is not copied
/// if the repository has a package `libfoo`.
fn package_of(name: &str) -> Option<String> {
    let stem = name.split('.').next()?;
    let (package, hash) = stem.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| normalized(package))
}

fn normalized(package: &str) -> String {
    package.replace('-', "_").trim_start_matches("lib").to_owned()
}

/// The packages and targets that the manifests below a directory define.
pub fn packages(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // cargo marks its target directories. A directory of that name may also have packages.
                if name != ".git" && !path.join("CACHEDIR.TAG").is_file() {
                    open.push(path);
                }
            } else if name == "Cargo.toml"
                && let Some(manifest) = regular::read_to_string(&path).ok().and_then(|text| text.parse::<Table>().ok())
            {
                found.extend(names(&manifest));
            }
        }
    }
    found
}

/// The names that cargo gives to what it builds of a package.
fn names(manifest: &Table) -> Vec<String> {
    let name = |table: Option<&toml::Value>| table.and_then(|table| Some(table.get("name")?.as_str()?.to_owned()));
    let mut all: Vec<String> =
        [name(manifest.get("package")), name(manifest.get("lib"))].into_iter().flatten().collect();
    for kind in ["bin", "bench", "test", "example"] {
        let targets = manifest.get(kind).and_then(|targets| targets.as_array());
        all.extend(targets.into_iter().flatten().filter_map(|target| name(Some(target))));
    }
    all.iter().map(|name| normalized(name)).collect()
}

/// Copies a file or directory with its times, which cargo compares. Libraries are linked, because the compiler replaces and never
/// changes them.
fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let metadata = from.symlink_metadata()?;
    if metadata.is_dir() {
        fs::create_dir_all(to)?;
        let mut copied = 0;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copied += copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(copied);
    }
    #[cfg(unix)]
    if metadata.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
        return Ok(0);
    }
    if !metadata.is_file() || to.exists() {
        return Ok(0);
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let is_library = from.extension().is_some_and(|extension| extension == "rlib" || extension == "rmeta");
    if is_library && fs::hard_link(from, to).is_ok() {
        return Ok(metadata.len());
    }
    fs::copy(from, to)?;
    let times = FileTimes::new().set_modified(metadata.modified()?);
    // The owner may set the times of a file that is read-only.
    File::options().write(true).open(to).or_else(|_| File::open(to))?.set_times(times)?;
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_taken_over_with_their_times_and_own_packages_are_not() {
        let room = tempfile::tempdir().unwrap();
        let (from, to) = (room.path().join("from"), room.path().join("to"));
        let write = |path: &str, text: &str| {
            let path = room.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let long_ago = FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
            File::options().write(true).open(&path).unwrap().set_times(long_ago).unwrap();
        };
        let hash = "0123456789abcdef";
        for name in [
            format!("release/.fingerprint/serde-{hash}/lib-serde"),
            format!("release/deps/libserde-{hash}.rlib"),
            format!("release/deps/own_crate-{hash}.d"),
            format!("release/deps/libown_crate-{hash}.rlib"),
            format!("release/deps/first_bench-{hash}"),
            format!("release/deps/found_without_a_manifest-{hash}"),
            format!("release/build/own-crate-{hash}/output"),
            format!("x86_64-unknown-linux-musl/release/deps/libserde-{hash}.rmeta"),
            format!("x86_64-unknown-linux-musl/release/.fingerprint/serde-{hash}/lib-serde"),
            format!("debug/deps/libserde-{hash}.rlib"),
            "release/program".to_owned(),
        ] {
            write(&format!("from/{name}"), "built");
        }
        write("src/target/Cargo.toml", "[package]\nname = \"own-crate\"\n[[bench]]\nname = \"first-bench\"");
        write("src/built/CACHEDIR.TAG", "");
        write("src/built/package/Cargo.toml", "[package]\nname = \"serde\"");
        let own = packages(&room.path().join("src"));
        assert_eq!(own, BTreeSet::from(["own_crate".to_owned(), "first_bench".to_owned()]));
        let copied = copy_dependencies(&from, &to, &["release".to_owned()], &own);
        assert_eq!(copied, 4 * 5);
        let there = |path: String| to.join(path).exists();
        let file = to.join(format!("release/.fingerprint/serde-{hash}/lib-serde"));
        assert_eq!(fs::metadata(file).unwrap().modified().unwrap(), std::time::SystemTime::UNIX_EPOCH);
        assert!(there(format!("release/deps/libserde-{hash}.rlib")));
        assert!(there(format!("x86_64-unknown-linux-musl/release/deps/libserde-{hash}.rmeta")));
        assert!(
            !there("debug".to_owned()) && !there("release/program".to_owned()) && !there("release/build".to_owned())
        );
        assert!(!there(format!("release/deps/libown_crate-{hash}.rlib")));
        assert!(!there(format!("release/deps/found_without_a_manifest-{hash}")));
    }

    #[test]
    fn a_cache_is_bounded_and_keeps_the_newest() {
        let room = tempfile::tempdir().unwrap();
        let target = room.path().join("target/release");
        for part in [".fingerprint/serde-0123456789abcdef/lib", "deps/libserde-0123456789abcdef.rlib"] {
            fs::create_dir_all(target.join(part).parent().unwrap()).unwrap();
            fs::write(target.join(part), [0; 100]).unwrap();
        }
        let cache = room.path().join("cache");
        fs::create_dir_all(cache.join("of-somebody-else")).unwrap();
        for name in ["first", "second", "first"] {
            store_in_cache(&room.path().join("target"), &cache, name, &["release".to_owned()], &BTreeSet::new())
                .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let names = || {
            let entries = fs::read_dir(&cache).unwrap().flatten();
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names(), BTreeSet::from(["first", "of-somebody-else", "second"].map(str::to_owned)));
        shrink(&cache, 300).unwrap();
        assert_eq!(names(), BTreeSet::from(["first", "of-somebody-else"].map(str::to_owned)));
    }
}
