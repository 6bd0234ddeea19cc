//! Where criterion's results are, found as cargo finds its target directory (the Cargo Book, "Configuration" and
//! "Workspaces"): from variables, from cargo's configuration, or below the workspace of the directory.

use super::regular;
use std::path::{Path, PathBuf};
use toml::Table;

/// The directories that `cargo bench` may write criterion's results to, the most likely first. Each is relative to
/// `directory` where it can be.
pub fn candidates(directory: &Path) -> Vec<PathBuf> {
    let here = real(directory);
    let mut all: Vec<PathBuf> = set("CRITERION_HOME").map(|home| here.join(home)).into_iter().collect();
    all.extend([target_of(&here), here.join("target")].map(|at| at.join("criterion")));
    all.dedup();
    all.iter().map(|path| directory.join(relative(path, &here))).collect()
}

/// Criterion's results in the nearest directory above that has some, up to the top of the repository; relative to `directory`.
pub fn results_above(directory: &Path) -> Option<PathBuf> {
    let here = real(directory);
    let top = here.ancestors().position(|directory| directory.join(".git").exists())?;
    let above = here.ancestors().take(top + 1).skip(1);
    let results = above.map(|directory| directory.join("target").join("criterion")).find(|path| path.is_dir())?;
    Some(relative(&results, &here))
}

/// Cargo's target directory for a directory.
pub fn target_directory(directory: &Path) -> PathBuf {
    target_of(&real(directory))
}

fn real(directory: &Path) -> PathBuf {
    let here = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    dunce::canonicalize(&here).unwrap_or(here)
}

fn target_of(here: &Path) -> PathBuf {
    let target = set("CARGO_TARGET_DIR").or_else(|| set("CARGO_BUILD_TARGET_DIR")).map(|target| here.join(target));
    let target = target.or_else(|| configured(here));
    let target = target.or_else(|| workspace(here).map(|root| root.join("target")));
    target.unwrap_or_else(|| here.join("target"))
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `build.target-dir` of the nearest configuration that sets it.
fn configured(here: &Path) -> Option<PathBuf> {
    let cargo_home =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let above = here.ancestors().map(|directory| directory.join(".cargo"));
    above.chain(cargo_home).find_map(|folder| {
        let config = ["config", "config.toml"].iter().find_map(|name| table(&folder.join(name)))?;
        let target = config.get("build")?.get("target-dir")?.as_str()?.to_owned();
        // Relative to the directory that has the folder `.cargo`.
        Some(folder.parent()?.join(target))
    })
}

/// The root of the workspace of the nearest package.
fn workspace(here: &Path) -> Option<PathBuf> {
    let mut manifests =
        here.ancestors().filter_map(|directory| Some((directory, table(&directory.join("Cargo.toml"))?)));
    let (package, manifest) = manifests.next()?;
    if manifest.contains_key("workspace") {
        return Some(package.to_owned());
    }
    if let Some(root) = manifest.get("package").and_then(|package| package.get("workspace")?.as_str()) {
        return Some(package.join(root));
    }
    let holds = |(root, manifest): &(&Path, Table)| {
        let excluded = manifest.get("workspace")?.get("exclude").and_then(|exclude| exclude.as_array());
        let is_out = excluded.is_some_and(|all| {
            all.iter().filter_map(|one| one.as_str()).any(|one| package.starts_with(root.join(one)))
        });
        (!is_out).then(|| root.to_path_buf())
    };
    Some(manifests.find_map(|above| holds(&above)).unwrap_or_else(|| package.to_owned()))
}

fn table(path: &Path) -> Option<Table> {
    regular::read_to_string(path).ok()?.parse().ok()
}

/// A path relative to a directory, with `..` if it is above; absolute if the two have little in common.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let common = from.ancestors().find(|above| path.starts_with(above));
    let Some(common) = common.filter(|common| common.parent().is_some()) else { return path.to_owned() };
    let up = from.components().count() - common.components().count();
    let up: PathBuf = std::iter::repeat_n("..", up).collect();
    up.join(path.strip_prefix(common).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_target_directory_is_that_of_the_workspace_or_of_the_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let top = dunce::canonicalize(directory.path()).unwrap();
        write(&top.join("Cargo.toml"), "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"alone\"]");
        write(&top.join("crates/sim/Cargo.toml"), "[package]\nname = \"sim\"");
        write(&top.join("alone/Cargo.toml"), "[package]\nname = \"alone\"");
        write(&top.join("alone/src/lib.rs"), "");
        let first = |at: &str| {
            let at = top.join(at);
            dunce::simplified(&candidates(&at)[0]).strip_prefix(&at).unwrap().to_owned()
        };
        assert_eq!(first(""), Path::new("target/criterion"));
        assert_eq!(first("crates/sim"), Path::new("../../target/criterion"));
        assert_eq!(first("alone/src"), Path::new("../target/criterion"));
        write(&top.join(".cargo/config.toml"), "[build]\ntarget-dir = \"elsewhere\"");
        assert_eq!(first("crates/sim"), Path::new("../../elsewhere/criterion"));
        write(&top.join("crates/.cargo/config.toml"), "[build]\njobs = 2");
        assert_eq!(first("crates/sim"), Path::new("../../elsewhere/criterion"), "the nearest that sets it");
    }
}
