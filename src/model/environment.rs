//! The machine and toolchain that produced a run: what must agree before two runs may be compared.

use std::collections::BTreeMap;

/// Facts about where a run was made, by key. Keys are lower case; see the constants for those perfgate itself knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// CPU model, as the system names it.
    pub const CPU: &'static str = "cpu";
    /// Logical cores.
    pub const CORES: &'static str = "cores";
    /// Instruction set (`x86_64`, `aarch64`).
    pub const ARCH: &'static str = "arch";
    /// Operating system family (`linux`, `macos`, `windows`).
    pub const OS: &'static str = "os";
    /// Kernel release.
    pub const KERNEL: &'static str = "kernel";
    /// Frequency governor.
    pub const GOVERNOR: &'static str = "governor";
    /// Rust compiler.
    pub const RUSTC: &'static str = "rustc";
    /// CI runner, where there is one (`github-hosted ubuntu24 20260101.1`).
    pub const RUNNER: &'static str = "runner";
    /// The part of a suite that a run is, where the suite is run in parts. No fact on the machine.
    pub const SHARD: &'static str = "shard";
    /// `yes` when tracked files differed from the commit.
    pub const DIRTY: &'static str = "dirty";

    /// The facts that make two machines different machines: their runs are never judged as if they were of one.
    pub const CLASS: [&'static str; 4] = [Self::CPU, Self::CORES, Self::ARCH, Self::OS];

    /// The fact of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Sets a fact, unless the value is empty.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }

    /// True where nothing is known of the machine.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A fact that is known on both sides and is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which fact.
    pub key: String,
    /// What it is on the base's side.
    pub base: String,
    /// What it is on the head's side.
    pub head: String,
    /// True where the two sides are different machines because of it.
    pub decisive: bool,
}

/// What differs between two environments, the decisive facts first, then by key. What only one side knows is no
/// difference; a fact that the policy ignores is shown and does not decide.
pub fn differences(base: &Environment, head: &Environment, ignored: &[&str]) -> Vec<Difference> {
    let both = base.0.iter().filter_map(|(key, ours)| Some((key, ours, head.get(key)?)));
    let mut differences: Vec<Difference> = both
        .filter(|(key, ours, theirs)| ours != theirs && *key != Environment::SHARD)
        .map(|(key, ours, theirs)| Difference {
            key: key.clone(),
            base: ours.clone(),
            head: theirs.to_owned(),
            decisive: Environment::CLASS.contains(&key.as_str()) && !ignored.contains(&key.as_str()),
        })
        .collect();
    differences.sort_by_key(|difference| !difference.decisive);
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(facts: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::default();
        facts.iter().for_each(|(key, fact)| environment.set(key, *fact));
        environment
    }

    fn told(base: &Environment, head: &Environment, ignored: &[&str]) -> Vec<(String, bool)> {
        differences(base, head, ignored).into_iter().map(|d| (d.key, d.decisive)).collect()
    }

    #[test]
    fn another_machine_is_decisive_and_another_compiler_is_not() {
        let base = machine(&[("cpu", "A"), ("cores", "4"), ("rustc", "1.89.0"), ("kernel", "6.1")]);
        let head = machine(&[("cpu", "B"), ("cores", "4"), ("rustc", "1.90.0"), ("kernel", "6.1")]);
        assert_eq!(told(&base, &head, &[]), [("cpu".to_owned(), true), ("rustc".to_owned(), false)]);
        assert_eq!(told(&base, &head, &["cpu"]), [("cpu".to_owned(), false), ("rustc".to_owned(), false)]);
    }

    #[test]
    fn what_one_side_does_not_know_is_no_difference() {
        let base = machine(&[("cpu", "A"), ("os", "linux")]);
        assert_eq!(told(&base, &machine(&[("os", "linux")]), &[]), []);
        assert_eq!(told(&base, &Environment::default(), &[]), []);
    }
}
