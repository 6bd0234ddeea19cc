//! Which machine class a row is about, where several classes measured the same benchmark.

use serde::{Deserialize, Serialize};

/// A benchmark that several machine classes measured, in one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassBenchmark {
    /// The benchmark's own name, which the config is matched with: untrusted text.
    pub benchmark: Box<str>,
    /// The machine class: untrusted text.
    pub machine_class: Box<str>,
}
