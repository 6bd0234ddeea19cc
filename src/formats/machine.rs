//! Normalizes operating system and architecture names, so that files of different tools from one machine agree: `AMD64`
//! and `X64` are `x86_64`, `Darwin` is `macos`.

use crate::model::Environment;

/// Sets the operating system from a text that contains its name.
pub(super) fn set_os(environment: &mut Environment, text: &str) {
    let lower = text.to_ascii_lowercase();
    let linux = ["linux", "ubuntu", "debian", "fedora", "alpine", "centos", "red hat"];
    let family = if ["darwin", "macos", "mac os", "os x"].iter().any(|word| lower.contains(word)) {
        "macos"
    } else if lower.contains("windows") || lower.starts_with("win") {
        "windows"
    } else if linux.iter().any(|word| lower.contains(word)) {
        "linux"
    } else {
        lower.split([' ', '-']).next().unwrap_or_default()
    };
    environment.set(Environment::OS, family);
}

/// Sets the architecture from a tool's spelling of it.
pub(super) fn set_arch(environment: &mut Environment, text: &str) {
    let lower = text.trim().to_ascii_lowercase();
    let name = match lower.as_str() {
        "x64" | "amd64" | "x86-64" | "x86_64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        "x86" | "386" | "i386" | "i586" | "i686" | "ia32" => "x86",
        other => other,
    };
    environment.set(Environment::ARCH, name);
}

/// Sets a fact from up to two words, such as `CPython` and `3.11.7`.
pub(super) fn set_joined(environment: &mut Environment, key: &str, words: [Option<&str>; 2]) {
    let text: Vec<&str> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    environment.set(key, text.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(os: &str, arch: &str) -> [String; 2] {
        let mut environment = Environment::default();
        set_os(&mut environment, os);
        set_arch(&mut environment, arch);
        [Environment::OS, Environment::ARCH].map(|key| environment.get(key).unwrap_or("").to_owned())
    }

    #[test]
    fn spellings_of_one_system_give_the_same_name() {
        assert_eq!(facts("Linux-6.1-x86_64-with-glibc2.36", "X64"), ["linux", "x86_64"]);
        assert_eq!(facts("macOS Catalina 10.15.4 [Darwin 19.4.0]", "arm64"), ["macos", "aarch64"]);
        assert_eq!(facts("win32", "AMD64"), ["windows", "x86_64"]);
        assert_eq!(facts("", ""), ["", ""]);
    }
}
