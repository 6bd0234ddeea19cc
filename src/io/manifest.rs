//! Dependencies in Cargo.toml, pyproject.toml, requirements, package.json and go.mod. A manifest that cannot be parsed has
//! none.

use crate::model::Dependency;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestKind {
    /// Cargo.toml
    Cargo,
    /// pyproject.toml
    Pyproject,
    /// requirements*.txt
    Requirements,
    /// package.json
    Package,
    /// go.mod
    Go,
}

impl ManifestKind {
    /// The kind of a file, by its name.
    pub fn of(path: &str) -> Option<ManifestKind> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "Cargo.toml" => Some(ManifestKind::Cargo),
            "pyproject.toml" => Some(ManifestKind::Pyproject),
            "package.json" => Some(ManifestKind::Package),
            "go.mod" => Some(ManifestKind::Go),
            _ if name.starts_with("requirements") && name.ends_with(".txt") => Some(ManifestKind::Requirements),
            _ => None,
        }
    }
}

/// The dependencies that were added, removed or changed between two versions of a manifest, by name.
pub fn differences(kind: ManifestKind, manifest: &str, old: &str, new: &str) -> Vec<Dependency> {
    let (old, new) = (dependencies(kind, old), dependencies(kind, new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let changed = changed.map(|name| Dependency {
        manifest: manifest.to_owned(),
        name: name.clone(),
        before: old.get(name).cloned(),
        after: new.get(name).cloned(),
    });
    changed.collect()
}

fn dependencies(kind: ManifestKind, text: &str) -> BTreeMap<String, String> {
    match kind {
        ManifestKind::Cargo => cargo(text),
        ManifestKind::Pyproject => pyproject(text),
        ManifestKind::Requirements => text.lines().filter_map(requirement).collect(),
        ManifestKind::Package => package(text),
        ManifestKind::Go => go(text),
    }
}

fn cargo(text: &str) -> BTreeMap<String, String> {
    let Ok(root) = text.parse::<toml::Table>() else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    let workspace = root.get("workspace").and_then(toml::Value::as_table);
    let targets = root.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values()).filter_map(toml::Value::as_table);
    for table in std::iter::once(&root).chain(workspace).chain(targets) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                found.insert(name.clone(), version(value));
            }
        }
    }
    found
}

fn version(value: &toml::Value) -> String {
    let of = |key: &str| value.get(key).and_then(toml::Value::as_str);
    let bare = value.as_str().or_else(|| of("version"));
    bare.or_else(|| of("git")).or_else(|| of("path")).unwrap_or("any version").to_owned()
}

fn pyproject(text: &str) -> BTreeMap<String, String> {
    let Ok(root) = text.parse::<toml::Table>() else { return BTreeMap::new() };
    let project = root.get("project");
    let lists = project.and_then(|project| project.get("dependencies")).into_iter();
    let optional = project.and_then(|project| project.get("optional-dependencies")).and_then(toml::Value::as_table);
    let groups = root.get("dependency-groups").and_then(toml::Value::as_table);
    let lists =
        lists.chain(optional.into_iter().flat_map(|t| t.values())).chain(groups.into_iter().flat_map(|t| t.values()));
    let texts = lists.filter_map(toml::Value::as_array).flatten().filter_map(toml::Value::as_str);
    let mut found: BTreeMap<String, String> = texts.filter_map(requirement).collect();
    let poetry = root.get("tool").and_then(|tool| tool.get("poetry"));
    for section in ["dependencies", "dev-dependencies"] {
        let table = poetry.and_then(|poetry| poetry.get(section)).and_then(toml::Value::as_table);
        found.extend(table.into_iter().flatten().map(|(name, value)| (name.clone(), version(value))));
    }
    found
}

/// `redis[hiredis]>=4.5 ; python_version > "3"` is redis, `>=4.5`.
fn requirement(line: &str) -> Option<(String, String)> {
    let line = line.split('#').next().unwrap_or_default();
    let line = line.split(';').next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('-') {
        return None;
    }
    let end = line.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest) } else { rest };
    let rest = rest.trim();
    (!name.is_empty())
        .then(|| (name.to_owned(), if rest.is_empty() { "any version".to_owned() } else { rest.to_owned() }))
}

fn package(text: &str) -> BTreeMap<String, String> {
    let Ok(root) = serde_json::from_str::<serde_json::Value>(text) else { return BTreeMap::new() };
    let sections = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    let tables = sections.iter().filter_map(|section| root.get(section)?.as_object());
    tables.flatten().map(|(name, v)| (name.clone(), v.as_str().unwrap_or("any version").to_owned())).collect()
}

fn go(text: &str) -> BTreeMap<String, String> {
    let mut inside = false;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        match line {
            "require (" => inside = true,
            ")" => inside = false,
            _ => {
                let entry = if inside { Some(line) } else { line.strip_prefix("require ") };
                if let Some((name, version)) = entry.and_then(|entry| entry.trim().split_once(' ')) {
                    found.insert(name.to_owned(), version.trim().to_owned());
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(kind: ManifestKind, old: &str, new: &str) -> Vec<(String, Option<String>, Option<String>)> {
        differences(kind, "m", old, new).into_iter().map(|d| (d.name, d.before, d.after)).collect()
    }

    #[test]
    fn added_removed_and_changed_dependencies_are_found_in_each_language() {
        let some = |text: &str| Some(text.to_owned());
        let cargo = changed(
            ManifestKind::Cargo,
            "[dependencies]\na = \"1\"\nb = \"1\"\n",
            "[dependencies]\na = { version = \"2\" }\n",
        );
        assert_eq!(cargo, [("a".into(), some("1"), some("2")), ("b".into(), some("1"), None)]);
        let python = changed(
            ManifestKind::Requirements,
            "# none\n",
            "redis[hiredis]==4.5.0 ; python_version > '3'\n-r x.txt\nflask\n",
        );
        assert_eq!(python, [("flask".into(), None, some("any version")), ("redis".into(), None, some("==4.5.0"))]);
        let project = changed(ManifestKind::Pyproject, "", "[project]\ndependencies = ['orjson>=3']\n");
        assert_eq!(project, [("orjson".into(), None, some(">=3"))]);
        let node = changed(ManifestKind::Package, "{}", r#"{"devDependencies": {"vite": "^5"}}"#);
        assert_eq!(node, [("vite".into(), None, some("^5"))]);
        let go = changed(ManifestKind::Go, "require a.b/c v1.0.0\n", "require (\n\ta.b/c v1.1.0 // indirect\n)\n");
        assert_eq!(go, [("a.b/c".into(), some("v1.0.0"), some("v1.1.0"))]);
    }

    #[test]
    fn a_broken_manifest_has_no_dependencies() {
        assert_eq!(changed(ManifestKind::Cargo, "[[[", "{"), []);
        assert_eq!(changed(ManifestKind::Package, "{", "]"), []);
    }
}
