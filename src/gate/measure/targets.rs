//! What a `cargo bench` command names: bench targets and packages, which a side may lack, and the profile.

use serde::Deserialize;
use std::collections::BTreeSet;

/// The part of `cargo metadata --format-version 1` that is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The bench targets and packages that a command names and a workspace does not have; `None` where its metadata cannot be read.
pub(super) fn lacking(command: &[String], metadata: &[u8]) -> Option<BTreeSet<String>> {
    let metadata: Metadata = serde_json::from_slice(metadata).ok()?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let benches: BTreeSet<&str> = targets
        .filter(|target| target.kind.iter().any(|kind| kind == "bench"))
        .map(|target| target.name.as_str())
        .collect();
    let packages: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    // A pattern names what fits, and a package may be named by its version or address.
    let is_plain = |name: &&String| !name.contains(['*', '?', '[', '@', '#', '/', ':']);
    let benches = values(command, &["--bench"]).into_iter().filter(|name| !benches.contains(name.as_str()));
    let packages = values(command, &["--package", "-p"]).into_iter().filter(|name| !packages.contains(name.as_str()));
    Some(benches.chain(packages).filter(|name| is_plain(&name)).collect())
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
        let metadata = r#"{"packages":[{"name":"sim","version":"0.1.0","targets":[{"kind":["lib"],"crate_types":["lib"],
            "name":"parser"},{"kind":["bench"],"crate_types":["bin"],"name":"lexer"}]}],"version":1}"#;
        let lacking = |line: &str| lacking(&words(line), metadata.as_bytes()).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(lacking("cargo bench"), <Vec<String>>::new());
        assert_eq!(lacking("cargo bench -p sim --bench=lexer -- --bench other"), <Vec<String>>::new());
        assert_eq!(lacking("cargo bench --package core --bench parser --bench l*"), ["core", "parser"]);
    }
}
