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
