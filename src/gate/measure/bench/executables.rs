//! The bench targets that `cargo bench` runs, and how to run one benchmark of them without cargo.

use super::build::build_of;
use super::{Bench, SideCheckout, failed};
use crate::gate::measure::error::MeasureError;
use crate::io::command::Command;
use crate::io::valgrind;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A bench target that was built.
pub(crate) struct Executable {
    path: PathBuf,
    /// Where cargo runs it: the package.
    directory: PathBuf,
}

impl Executable {
    /// The names of criterion's `iter` functions in it.
    pub fn loops(&self) -> Result<Vec<String>, MeasureError> {
        valgrind::loop_names(&self.path).map_err(failed("read", &self.path))
    }
}

/// A message of `cargo --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Bench<'_> {
    /// Builds all bench targets of the command. `variables` are set for cargo unless the user has set them.
    pub fn executables(
        &self,
        side: &SideCheckout,
        variables: &[(&str, &str)],
    ) -> Result<Vec<Executable>, MeasureError> {
        let mut words = build_of(&self.spec.words).unwrap_or_default();
        words.push("--message-format=json-render-diagnostics".to_owned());
        let mut command = self.command(side, words);
        let unset = variables.iter().filter(|(name, _)| std::env::var_os(name).is_none());
        command.variables.extend(unset.map(|(name, value)| ((*name).to_owned(), Some(value.into()))));
        let finished = self.run_build(side, command)?;
        let output = finished.stdout.whole.unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let messages = output.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
        let executable = |message: Message| {
            let is_bench = message.target.is_some_and(|target| target.kind.iter().any(|kind| kind == "bench"));
            let path = message.executable.filter(|_| message.reason == "compiler-artifact" && is_bench)?;
            let directory = message.manifest_path.as_deref().and_then(Path::parent).unwrap_or(side.root()).to_owned();
            Some(Executable { path, directory })
        };
        Ok(messages.filter_map(executable).collect())
    }

    /// The benchmarks that a bench target lists, of those that `arguments` select; none if it is not criterion's.
    pub fn list(&self, side: &SideCheckout, executable: &Executable, arguments: &[String]) -> Vec<String> {
        let options = ["--bench", "--list"].map(str::to_owned);
        let command = self.bench_command(side, executable, options.iter().chain(arguments).cloned().collect());
        let Ok(listed) = command.run().map(|finished| finished.stdout.whole.unwrap_or_default()) else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&listed);
        let name = |line: &str| line.strip_suffix(": benchmark").or(line.strip_suffix(": bench")).map(str::to_owned);
        text.lines().filter_map(name).collect()
    }

    /// A command with a bench target, as cargo would run it.
    pub fn bench_command(&self, side: &SideCheckout, executable: &Executable, arguments: Vec<String>) -> Command {
        let path = executable.path.display().to_string();
        let mut command = self.command(side, std::iter::once(path).chain(arguments).collect());
        command.directory.clone_from(&executable.directory);
        let manifest = executable.directory.clone().into();
        command.variables.push(("CARGO_MANIFEST_DIR".to_owned(), Some(manifest)));
        command
    }
}
