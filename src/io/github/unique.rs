//! Random words. Neither another run of perfgate nor the text of a report contains the same one.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A new word of 32 hexadecimal digits. Its randomness is that of the hash maps of the standard library.
pub fn unique_word() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
