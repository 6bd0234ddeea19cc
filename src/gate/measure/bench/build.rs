//! What is built before a run: the benchmarks of `cargo bench`, or a command of the user. Dependencies that cargo has already
//! built are reused.

use super::{Bench, SideCheckout};
use crate::compare::filter::{FILTER, program_name};
use crate::gate::measure::error::MeasureError;
use crate::gate::measure::targets::{self, profiles};
use crate::io::cargo_dependencies;
use crate::io::cargo_target;
use crate::io::command::{Command, CommandError, FinishedCommand, Limit};
use crate::io::store::fingerprint;
use crate::model::Diagnostic;
use std::collections::BTreeSet;
use std::time::Duration;

impl Bench<'_> {
    /// False if there is nothing to build.
    pub fn has_build(&self) -> bool {
        self.has_setup() || build_of(&self.spec.words).is_some()
    }

    /// True if the user gave the command that builds a side.
    pub fn has_setup(&self) -> bool {
        self.spec.setup.is_some()
    }

    /// Reuses the dependencies that cargo has built: for head those of base, and for base those in the user's own target
    /// directory.
    pub fn reuse_dependencies(&self, side: &SideCheckout, other: Option<&SideCheckout>) {
        let Some(target) = &side.target else { return };
        if !self.has_build() {
            return;
        }
        let from = match other.and_then(|other| other.target.clone()) {
            Some(of_other) => vec![of_other],
            None => {
                let cached = self.spec.cache.as_ref().map(|cache| cache.join(self.name_in_cache()));
                std::iter::once(cargo_target::target_directory(&self.gate.directory)).chain(cached).collect()
            }
        };
        let own = self.own_packages([Some(side), other].into_iter().flatten());
        for from in from {
            cargo_dependencies::copy_dependencies(&from, target, &profiles(&self.spec.words), &own);
        }
    }

    /// Caches the built dependencies for the next measurement. Failure is a warning.
    pub fn cache_dependencies(&mut self, side: &SideCheckout) {
        let (Some(cache), Some(target)) = (&self.spec.cache, &side.target) else { return };
        let own = self.own_packages([side].into_iter());
        if let Err(error) =
            cargo_dependencies::store_in_cache(target, cache, &self.name_in_cache(), &profiles(&self.spec.words), &own)
        {
            let message = format!("cannot cache the built dependencies: {error}");
            self.diagnostics.push(Diagnostic::warning("cache", cache.display().to_string(), message));
        }
    }

    /// The packages of the repository, on these sides and in the user's work tree.
    fn own_packages<'s>(&self, sides: impl Iterator<Item = &'s SideCheckout>) -> BTreeSet<String> {
        let roots = sides.map(|side| side.checkout.root.as_path()).chain(self.repository.root());
        roots.flat_map(cargo_dependencies::packages).collect()
    }

    /// The name of this repository's entry in the cache.
    fn name_in_cache(&self) -> String {
        let place = self.repository.common_directory();
        let place = dunce::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        fingerprint(place.as_os_str().as_encoded_bytes())
    }

    /// A bench target or package that the command names and that only head has, if base has nothing to run. If base has
    /// something to run, that must be compared, and a failed build is an error.
    pub fn only_in_head(&self, base: &SideCheckout, head: &SideCheckout) -> Option<String> {
        build_of(&self.spec.words)?;
        let missing_targets = |side: &SideCheckout| targets::missing_targets(&self.spec.words, &self.metadata(side)?);
        let (base, head) = (missing_targets(base)?, missing_targets(head)?);
        let missing = &base - &head;
        missing.first().filter(|_| targets::is_nothing_left_to_run(&self.spec.words, &missing)).cloned()
    }

    /// The output of `cargo metadata` for a side.
    fn metadata(&self, side: &SideCheckout) -> Option<Vec<u8>> {
        let cargo = self.spec.words.iter().take_while(|word| *word != "bench").cloned();
        let options = ["metadata", "--no-deps", "--format-version", "1", "--offline"].map(str::to_owned);
        self.command(side, cargo.chain(options).collect()).run().ok()?.stdout.whole
    }

    /// Whether the command runs only benchmarks of criterion on a side.
    pub(super) fn is_criterion(&self, side: &SideCheckout) -> bool {
        let names_targets =
            build_of(&self.spec.words).is_some() && self.spec.words.iter().any(|word| word.starts_with("--bench"));
        names_targets && self.metadata(side).is_some_and(|metadata| targets::are_criterion(&self.spec.words, &metadata))
    }

    /// What may be missing if a side does not build or run.
    pub fn hint(&self, side: &SideCheckout) -> &'static str {
        let has_submodules = side.checkout.root.join(".gitmodules").is_file();
        if has_submodules && !self.spec.submodules {
            "; its submodules are empty: --submodules fetches them"
        } else {
            ""
        }
    }

    /// Builds a side; `None` if there is nothing to build.
    pub fn build(&self, side: &SideCheckout) -> Result<Option<Duration>, MeasureError> {
        let words = match &self.spec.setup {
            Some(line) if cfg!(windows) => vec!["cmd".to_owned(), "/C".to_owned(), line.clone()],
            Some(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
            None => match build_of(&self.spec.words) {
                Some(words) => words,
                None => return Ok(None),
            },
        };
        let finished = self.run_build(side, self.command(side, words))?;
        Ok(Some(finished.wall))
    }

    /// Runs a command that builds a side: without a time limit, and on all processors.
    pub(super) fn run_build(&self, side: &SideCheckout, mut command: Command) -> Result<FinishedCommand, MeasureError> {
        command.limit = Limit::default();
        command.processors.clear();
        command.run().map_err(|source| match source {
            CommandError::Interrupted => source.into(),
            source => {
                let (commit, hint) = (side.commit.short().to_owned(), self.hint(side));
                MeasureError::Build { side: side.name, commit, hint, source: Box::new(source) }
            }
        })
    }
}

/// `cargo bench --no-run` for a command that is run by `cargo bench`.
pub(crate) fn build_of(command: &[String]) -> Option<Vec<String>> {
    let cargo = command.first().is_some_and(|word| program_name(word) == "cargo");
    let bench = command.iter().skip(1).find(|word| !word.starts_with(['-', '+'])).is_some_and(|word| word == "bench");
    let before = command.iter().take_while(|word| *word != "--").filter(|word| !word.contains(FILTER));
    (cargo && bench).then(|| before.cloned().chain(["--no-run".to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_bench_is_built_before_it_is_run() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            build_of(&words("cargo bench --bench x -- {filter}")),
            Some(words("cargo bench --bench x --no-run"))
        );
        assert_eq!(build_of(&words("cargo test")), None);
        assert_eq!(build_of(&words("./bench cargo")), None);
    }
}
