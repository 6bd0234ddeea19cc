//! Names of picture files, made from names that are hostile text: safe on every file system, stable from run to run, and
//! no two alike.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Characters of a name that are kept to be recognised.
const READABLE: usize = 48;

/// The file name without its ending: what is readable of the name, and a digest of everything that tells it from others.
pub fn stem(kind: &str, parts: &[&str]) -> String {
    let mut readable = String::new();
    for c in parts.first().copied().unwrap_or_default().chars() {
        match c {
            c if c.is_ascii_alphanumeric() => readable.push(c),
            _ if readable.ends_with('-') || readable.is_empty() => {}
            _ => readable.push('-'),
        }
        if readable.len() >= READABLE {
            break;
        }
    }
    let readable = readable.trim_end_matches('-');
    let mut out = if readable.is_empty() { kind.to_owned() } else { format!("{kind}-{readable}") };
    out.push('-');
    // No part can hold the separator's place: each is preceded by its length.
    let whole: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Sha256::digest(whole).iter().take(6).for_each(|byte| {
        let _ = write!(out, "{byte:02x}");
    });
    out
}

/// Makes stems that are alike all the same, also where case does not count, differ by a number.
pub fn keep_apart<'a>(stems: impl Iterator<Item = &'a mut String>) {
    let mut taken = BTreeSet::new();
    for stem in stems {
        let plain = stem.clone();
        let mut number = 2;
        while !taken.insert(stem.to_lowercase()) {
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
            let stem = stem("samples", &[name, "time"]);
            assert!(stem.starts_with("samples-") && stem.len() < 80, "{stem}");
            assert!(stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{stem}");
        }
        assert_eq!(stem("samples", &["group/bench 64", "time"]), "samples-group-bench-64-67a3c46305de");
    }

    #[test]
    fn other_benchmarks_have_other_names_and_the_same_one_the_same() {
        let one = stem("series", &["a/b", "time"]);
        assert_eq!(one, stem("series", &["a/b", "time"]));
        for other in [["a b", "time"], ["a/b", "throughput"], ["a/", "btime"]] {
            assert_ne!(one, stem("series", &other));
        }
        let mut stems = ["A".to_owned(), "a".to_owned(), "a".to_owned(), "a-2".to_owned()];
        keep_apart(stems.iter_mut());
        assert_eq!(stems, ["A", "a-2", "a-3", "a-2-2"]);
    }
}
