//! perfgate.toml, found and read.

use super::error::Error;
use crate::formats::{FORMATS, criterion};
use crate::io::regular;
use crate::policy::{LineProblem, Policy, Problems};
use std::path::{Path, PathBuf};

/// The file's name.
pub(super) const NAME: &str = "perfgate.toml";

/// The policy, and the directory that its paths are relative to.
#[derive(Debug, Clone)]
pub struct Config {
    /// The policy of the file, or the default one.
    pub(crate) policy: Policy,
    /// The file's directory; the working directory where there is no file.
    pub(crate) directory: PathBuf,
    /// The file's name and text, to show a line of it in a message.
    text: Option<(String, String)>,
}

impl Config {
    /// The defaults, with paths relative to `directory`.
    pub(crate) fn at(directory: &Path) -> Config {
        Config { policy: Policy::default(), directory: directory.to_owned(), text: None }
    }

    /// Reads a config file.
    pub(crate) fn read(path: &Path) -> Result<Config, Error> {
        let name = path.display().to_string();
        let bytes = regular::read(path).map_err(|source| Error::ConfigFile { path: name.clone(), source })?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Config::parse(&bytes, &name, directory)
    }

    /// Reads the text of a config file, whose paths are relative to `directory`.
    pub(crate) fn parse(bytes: &[u8], name: &str, directory: &Path) -> Result<Config, Error> {
        let mut formats: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
        formats.push(criterion::NAME);
        let policy = Policy::read(bytes, name, &formats)
            .map_err(|problems| Error::Config { name: name.to_owned(), problems: Box::new(problems) })?;
        let text = Some((name.to_owned(), String::from_utf8_lossy(bytes).into_owned()));
        Ok(Config { policy, directory: directory.to_owned(), text })
    }

    /// Reads the nearest perfgate.toml: in the working directory, or above it up to the top of the repository.
    pub(crate) fn nearest() -> Result<Config, Error> {
        nearest(Path::new(".")).map_or_else(|| Ok(Config::at(Path::new("."))), |path| Config::read(&path))
    }

    /// The file's name and text; `None` without a file.
    pub(crate) fn source(&self) -> Option<(&str, &str)> {
        self.text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// A line of the file for a message, with the message below it; `None` without a file.
    pub(crate) fn frame(&self, line: usize, code: &'static str, message: &str, help: &str) -> Option<Problems> {
        self.frames(&[LineProblem { line, code, message, help }])
    }

    /// Problems of lines, each framed under its line; `None` without a file or without problems.
    pub(crate) fn frames(&self, problems: &[LineProblem<'_>]) -> Option<Problems> {
        let (name, text) = self.text.as_ref()?;
        Problems::on_lines(name, text, problems)
    }
}

fn nearest(start: &Path) -> Option<PathBuf> {
    let mut directory = dunce::canonicalize(start).ok()?;
    // A dangling symbolic link counts too: ignoring it would silently drop the rules of the config.
    let exists = |path: &Path| path.symlink_metadata().is_ok();
    if exists(&start.join(NAME)) {
        return Some(PathBuf::from(NAME));
    }
    while !directory.join(".git").exists() {
        directory = directory.parent()?.to_owned();
        let path = directory.join(NAME);
        if exists(&path) {
            return Some(path);
        }
    }
    None
}
