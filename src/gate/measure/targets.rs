//! What a `cargo bench` command names: bench targets and packages, which a side may lack, and the profile.

use crate::io::regular;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Table;

/// The part of `cargo metadata --format-version 1` that is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// The bench targets and packages that a command names and a workspace does not have; `None` if its metadata cannot be read.
pub(super) fn missing_targets(command: &[String], metadata: &[u8]) -> Option<BTreeSet<String>> {
    let metadata: Metadata = serde_json::from_slice(metadata).ok()?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let benches: BTreeSet<&str> = targets
        .filter(|target| target.kind.iter().any(|kind| kind == "bench"))
        .map(|target| target.name.as_str())
        .collect();
    let packages: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    // Patterns, and packages named with a version or an address, are not checked.
    let is_plain = |name: &&String| !name.contains(['*', '?', '[', '@', '#', '/', ':']);
    let benches = values(command, &["--bench"]).into_iter().filter(|name| !benches.contains(name.as_str()));
    let packages = values(command, &["--package", "-p"]).into_iter().filter(|name| !packages.contains(name.as_str()));
    Some(benches.chain(packages).filter(|name| is_plain(&name)).collect())
}

/// True if all bench targets, or all packages, that a command names are missing.
pub(super) fn is_nothing_left_to_run(command: &[String], missing: &BTreeSet<String>) -> bool {
    let all_missing = |spellings: &[&str]| {
        let named = values(command, spellings);
        !named.is_empty() && named.iter().all(|name| missing.contains(name))
    };
    all_missing(&["--bench"]) || all_missing(&["--package", "-p"])
}

/// True if a command names its bench targets and all of them use criterion, so that they accept criterion's options. Without a name,
/// `cargo bench` also runs unit tests, whose harness refuses these options.
pub(super) fn are_criterion(command: &[String], metadata: &[u8]) -> bool {
    let Ok(metadata) = serde_json::from_slice::<Metadata>(metadata) else { return false };
    let named = values(command, &["--bench"]);
    let is_criterion = |name: &String| {
        let targets =
            metadata.packages.iter().flat_map(|package| package.targets.iter().map(move |one| (package, one)));
        let mut benches = targets
            .filter(|(_, target)| target.name == *name && target.kind.iter().any(|kind| kind == "bench"))
            .peekable();
        benches.peek().is_some()
            && benches.all(|(package, target)| {
                let source = regular::read_to_string(target.src_path.as_ref()).unwrap_or_default();
                source.contains("criterion_main!") && is_without_harness(&package.manifest_path, name)
            })
    };
    !named.is_empty() && named.iter().all(is_criterion)
}

/// True for a bench target with `harness = false`.
fn is_without_harness(manifest: &Path, bench: &str) -> bool {
    let manifest = regular::read_to_string(manifest).ok().and_then(|text| text.parse::<Table>().ok());
    let benches = manifest.as_ref().and_then(|manifest| manifest.get("bench")?.as_array());
    benches.into_iter().flatten().any(|one| {
        let value = |key: &str| one.get(key);
        value("name").and_then(|name| name.as_str()) == Some(bench)
            && value("harness").and_then(|harness| harness.as_bool()) == Some(false)
    })
}

/// A command of criterion that draws no plots: if gnuplot is installed, criterion would start it for each benchmark of each
/// run.
pub(super) fn without_plots(mut words: Vec<String>) -> Vec<String> {
    if words.iter().any(|word| word == "--noplot" || word.starts_with("--plotting-backend")) {
        return words;
    }
    if !words.iter().any(|word| word == "--") {
        words.push("--".to_owned());
    }
    words.push("--noplot".to_owned());
    words
}

/// The directories of cargo's target directory that a command builds in.
pub(super) fn profiles(command: &[String]) -> Vec<String> {
    let directory = match values(command, &["--profile"]).pop().as_deref() {
        Some("dev" | "test") => "debug".to_owned(),
        Some("bench") | None => "release".to_owned(),
        Some(name) => name.to_owned(),
    };
    vec![directory]
}

/// The values of an option of cargo, which are before `--`.
fn values(command: &[String], spellings: &[&str]) -> Vec<String> {
    let mut words = command.iter().take_while(|word| *word != "--").peekable();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        for spelling in spellings {
            if word == spelling {
                found.extend(words.peek().filter(|value| !value.starts_with('-')).map(|value| (*value).clone()));
            } else if let Some(value) = word.strip_prefix(spelling).and_then(|rest| rest.strip_prefix('=')) {
                found.push(value.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_profile_of_a_command_is_found() {
        assert_eq!(profiles(&words("cargo bench --bench x -- --profile dev")), ["release"]);
        assert_eq!(profiles(&words("cargo bench --profile dev")), ["debug"]);
        assert_eq!(profiles(&words("cargo bench --profile=fast")), ["fast"]);
    }

    #[test]
    fn what_a_workspace_lacks_is_named() {
        // Shortened output of cargo 1.90.
        let metadata = r#"{"packages":[{"name":"sim","version":"0.1.0","manifest_path":"/sim/Cargo.toml","targets":[{"kind":["lib"],
            "crate_types":["lib"],"name":"parser","src_path":"/sim/src/lib.rs"},{"kind":["bench"],"crate_types":["bin"],
            "name":"lexer","src_path":"/sim/benches/lexer.rs"}]}],"version":1}"#;
        let missing_targets =
            |line: &str| missing_targets(&words(line), metadata.as_bytes()).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(missing_targets("cargo bench"), <Vec<String>>::new());
        assert_eq!(missing_targets("cargo bench -p sim --bench=lexer -- --bench other"), <Vec<String>>::new());
        assert_eq!(missing_targets("cargo bench --package core --bench parser --bench l*"), ["core", "parser"]);
    }

    #[test]
    fn a_command_whose_targets_are_missing_in_part_still_runs_the_others() {
        let missing = BTreeSet::from(["new".to_owned()]);
        let is_nothing_left_to_run = |line: &str| is_nothing_left_to_run(&words(line), &missing);
        assert!(is_nothing_left_to_run("cargo bench --bench new"));
        assert!(is_nothing_left_to_run("cargo bench -p new --bench old"));
        assert!(!is_nothing_left_to_run("cargo bench --bench old --bench new"));
        assert!(!is_nothing_left_to_run("cargo bench"));
    }

    #[test]
    fn only_bench_targets_of_criterion_get_its_options() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name).display().to_string();
        let bench = |name: &str, harness: bool| format!("[[bench]]\nname = \"{name}\"\nharness = {harness}\n");
        fs::write(at("Cargo.toml"), bench("ours", false) + &bench("other", false) + &bench("tested", true)).unwrap();
        fs::write(at("criterion.rs"), "criterion_main!(benches);").unwrap();
        fs::write(at("divan.rs"), "fn main() { divan::main(); }").unwrap();
        let target =
            |name: &str, source: &str| serde_json::json!({"name": name, "kind": ["bench"], "src_path": at(source)});
        let targets = [target("ours", "criterion.rs"), target("other", "divan.rs"), target("tested", "criterion.rs")];
        let package = serde_json::json!({"name": "sim", "manifest_path": at("Cargo.toml"), "targets": targets});
        let metadata = serde_json::json!({"packages": [package]}).to_string();
        let are = |line: &str| are_criterion(&words(line), metadata.as_bytes());
        assert!(are("cargo bench --bench ours"));
        for line in [
            "cargo bench",
            "cargo bench --bench other",
            "cargo bench --bench ours --bench tested",
            "cargo bench --bench x",
        ] {
            assert!(!are(line), "{line}");
        }
        assert_eq!(without_plots(words("cargo bench --bench ours")), words("cargo bench --bench ours -- --noplot"));
        for own in ["cargo bench -- --noplot", "cargo bench -- --plotting-backend gnuplot"] {
            assert_eq!(without_plots(words(own)), words(own));
        }
    }
}
