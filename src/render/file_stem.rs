//! Names of chart files, made from untrusted text: safe on every file system, stable between runs, and unique.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Characters of the benchmark's name in a file name.
const MAX_NAME_CHARS: usize = 48;

/// The file name without extension: the readable characters of the first part, and a digest of all parts.
pub fn file_stem(kind: &str, parts: &[&str]) -> String {
    let mut readable = String::new();
    for c in parts.first().copied().unwrap_or_default().chars() {
        match c {
            c if c.is_ascii_alphanumeric() => readable.push(c),
            _ if readable.ends_with('-') || readable.is_empty() => {}
            _ => readable.push('-'),
        }
        if readable.len() >= MAX_NAME_CHARS {
            break;
        }
    }
    let readable = readable.trim_end_matches('-');
    let mut out = if readable.is_empty() { kind.to_owned() } else { format!("{kind}-{readable}") };
    out.push('-');
    // Lengths make the concatenation unambiguous.
    let whole: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Sha256::digest(whole).iter().take(6).for_each(|byte| {
        let _ = write!(out, "{byte:02x}");
    });
    out
}

/// Appends numbers where names are equal, ignoring case.
pub fn make_unique<'a>(stems: impl Iterator<Item = &'a mut String>) {
    let mut used = BTreeSet::new();
    for stem in stems {
        let plain = stem.clone();
        let mut number = 2;
        while !used.insert(stem.to_lowercase()) {
            *stem = format!("{plain}-{number}");
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_safe_ones() {
        for name in
            ["../../etc/passwd", "a\"; system \"touch x\"; #`id`", "", ".", "con", "-rf", "\u{202e}\0\n", "日本"]
        {
            let stem = file_stem("samples", &[name, "time"]);
            assert!(stem.starts_with("samples-") && stem.len() < 80, "{stem}");
            assert!(stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{stem}");
        }
        assert_eq!(file_stem("samples", &["group/bench 64", "time"]), "samples-group-bench-64-67a3c46305de");
    }

    #[test]
    fn names_are_stable_and_unique() {
        let one = file_stem("series", &["a/b", "time"]);
        assert_eq!(one, file_stem("series", &["a/b", "time"]));
        for other in [["a b", "time"], ["a/b", "throughput"], ["a/", "btime"]] {
            assert_ne!(one, file_stem("series", &other));
        }
        let mut stems = ["A".to_owned(), "a".to_owned(), "a".to_owned(), "a-2".to_owned()];
        make_unique(stems.iter_mut());
        assert_eq!(stems, ["A", "a-2", "a-3", "a-2-2"]);
    }
}
