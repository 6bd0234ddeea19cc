//! Finds and reads perfgate.toml, and lets flags overrule its gate.

use super::Global;
use crate::formats::{FORMATS, criterion};
use crate::gate::Config;
use crate::policy::Policy;
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The file's name.
const NAME: &str = "perfgate.toml";

/// Reads the config that is named, or the nearest one up to the repository's root.
pub fn load(global: &Global) -> anyhow::Result<Config> {
    let path = match &global.config {
        Some(path) => Some(path.clone()),
        None => nearest(Path::new(".")),
    };
    let Some(path) = path else {
        return Ok(Config { policy: Policy::default(), directory: PathBuf::from("."), text: None });
    };
    let bytes = fs::read(&path).with_context(|| format!("{}: cannot read the config", path.display()))?;
    let mut formats: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
    formats.push(criterion::NAME);
    let policy = match Policy::read(&bytes, &path.display().to_string(), &formats) {
        Ok(policy) => policy,
        Err(problems) => {
            let coloured = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
            anstream::eprintln!("{}", problems.render(coloured));
            let count = problems.iter().len();
            bail!("{} has {count} {}", path.display(), if count == 1 { "problem" } else { "problems" });
        }
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = Some((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Config { policy, directory: directory.to_owned(), text })
}

fn nearest(start: &Path) -> Option<PathBuf> {
    let mut directory = fs::canonicalize(start).ok()?;
    if start.join(NAME).is_file() {
        return Some(PathBuf::from(NAME));
    }
    while !directory.join(".git").exists() {
        directory = directory.parent()?.to_owned();
        let path = directory.join(NAME);
        if path.is_file() {
            return Some(path);
        }
    }
    None
}
