//! The machine and toolchain that produced a run.

use super::is_notable_condition;
use std::collections::BTreeMap;

/// Facts about the machine and toolchain of a run, by lower-case key. The constants are the keys that perfgate uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// CPU model, as reported by the system.
    pub const CPU: &'static str = "cpu";
    /// Logical cores.
    pub const CORES: &'static str = "cores";
    /// Instruction set (`x86_64`, `aarch64`).
    pub const ARCH: &'static str = "arch";
    /// Operating system family (`linux`, `macos`, `windows`).
    pub const OS: &'static str = "os";
    /// Kernel release.
    pub const KERNEL: &'static str = "kernel";
    /// Clock of the processor in MHz, as a tool states it.
    pub const MHZ: &'static str = "mhz";
    /// Frequency governor.
    pub const GOVERNOR: &'static str = "governor";
    /// Rust compiler.
    pub const RUSTC: &'static str = "rustc";
    /// CI runner, where there is one (`github-hosted ubuntu24 20260101.1`).
    pub const RUNNER: &'static str = "runner";
    /// The shard of a suite that runs in parts. Not a property of the machine.
    pub const SHARD: &'static str = "shard";
    /// The package that the names of a tool's benchmarks leave out, in `jmh-text:package`. Not a property of the machine.
    pub const PACKAGE: &'static str = "package";
    /// The key of the job, where several jobs measure the same names on one machine: features, toolchains, language
    /// versions. Runs of different keys are never compared.
    pub const KEY: &'static str = "key";
    /// The environment of asv: versions of Python and of packages. Stored runs have it as their key.
    pub const ASV_ENVIRONMENT: &'static str = "asv-environment";
    /// `yes` if tracked files differed from the commit, `unknown` if that could not be checked; otherwise not set.
    pub const DIRTY: &'static str = "dirty";

    /// The value of [`Self::CPU`] in runs of an unknown machine. Such runs are not comparable with any other machine,
    /// unless `[environment] ignore` lists this word.
    pub const UNKNOWN: &'static str = "unknown";

    /// The facts that define the machine class: times of different classes are not compared.
    pub const CLASS: [&'static str; 4] = [Self::CPU, Self::CORES, Self::ARCH, Self::OS];

    /// True for a fact that two environments must share to be comparable.
    pub fn is_decisive(key: &str) -> bool {
        key == Self::KEY || Self::CLASS.contains(&key)
    }

    /// The value of a fact.
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

    /// True for a run of an unknown machine.
    pub fn is_unknown(&self) -> bool {
        self.get(Self::CPU) == Some(Self::UNKNOWN)
    }

    /// True if no fact is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The words of a processor's name that identify its model, in lower case. Tools spell one model differently: with
/// trademark signs, the clock rate, the number of cores or the generation.
pub fn cpu_words(name: &str) -> Vec<String> {
    const NOISE: [&str; 4] = ["cpu", "processor", "with", "radeon"];
    let lower = name.to_ascii_lowercase().replace("(r)", " ").replace("(tm)", " ");
    let before_note = lower.split('(').next().unwrap_or_default();
    let words = before_note
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '@'))
        .filter(|word| !word.is_empty() && !NOISE.contains(word) && !word.ends_with("ghz") && !word.ends_with("-core"));
    words.map(str::to_owned).collect()
}

/// A fact that differs between base and head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key of the fact.
    pub key: String,
    /// The value of the base.
    pub base: String,
    /// The value of the head.
    pub head: String,
    /// True if it makes the machine classes different.
    pub decisive: bool,
}

/// The differences of two environments, decisive ones first, then by key. A fact that only one side has is not a
/// difference; a fact in `ignored` is never decisive.
pub fn differences(base: &Environment, head: &Environment, ignored: &[&str]) -> Vec<Difference> {
    let both = base.0.iter().filter_map(|(key, ours)| Some((key, ours, head.get(key)?)));
    let mut differences: Vec<Difference> = both
        .filter(|(key, ours, theirs)| ours != theirs && *key != Environment::SHARD && is_notable_condition(key))
        .map(|(key, ours, theirs)| Difference {
            key: key.clone(),
            base: ours.clone(),
            head: theirs.to_owned(),
            decisive: Environment::is_decisive(key)
                && !ignored.contains(&key.as_str())
                && !(ignored.contains(&Environment::UNKNOWN)
                    && (*ours == Environment::UNKNOWN || theirs == Environment::UNKNOWN)),
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

    fn keys(base: &Environment, head: &Environment, ignored: &[&str]) -> Vec<(String, bool)> {
        differences(base, head, ignored).into_iter().map(|d| (d.key, d.decisive)).collect()
    }

    #[test]
    fn the_machine_is_decisive_and_the_compiler_is_not() {
        let base = machine(&[("cpu", "A"), ("cores", "4"), ("rustc", "1.89.0"), ("kernel", "6.1")]);
        let head = machine(&[("cpu", "B"), ("cores", "4"), ("rustc", "1.90.0"), ("kernel", "6.1")]);
        assert_eq!(keys(&base, &head, &[]), [("cpu".to_owned(), true), ("rustc".to_owned(), false)]);
        assert_eq!(keys(&base, &head, &["cpu"]), [("cpu".to_owned(), false), ("rustc".to_owned(), false)]);
    }

    #[test]
    fn a_model_has_the_same_words_in_every_spelling() {
        let same = ["Intel(R) Core(TM) i5-6200U CPU @ 2.30GHz", "Intel Core i5-6200U CPU 2.30GHz (Skylake)"];
        assert_eq!(cpu_words(same[0]), cpu_words(same[1]));
        assert_eq!(cpu_words("AMD Ryzen 9 9950X 4.30GHz"), cpu_words("AMD Ryzen 9 9950X 16-Core Processor"));
        assert_ne!(cpu_words("Apple M1"), cpu_words("Apple M1 Pro"));
        assert_ne!(cpu_words("AMD EPYC"), cpu_words("AMD EPYC 7763 64-Core Processor"));
    }

    #[test]
    fn an_unknown_fact_is_not_a_difference() {
        let base = machine(&[("cpu", "A"), ("os", "linux")]);
        assert_eq!(keys(&base, &machine(&[("os", "linux")]), &[]), []);
        assert_eq!(keys(&base, &Environment::default(), &[]), []);
    }
}
