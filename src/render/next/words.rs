//! How the next step names benchmarks.

use crate::render::escape;
use crate::render::quantity::counted;
use crate::render::verdict_text::{names, noun_of};
use crate::verdict::Finding;

/// Of more benchmarks, only the number is given.
const MAX_NAMED: usize = 2;

/// How a job names its benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In its own words: `Make the regressed benchmark faster`.
    Sentence,
    /// In front of it, as an item of a list: `regressed ("parse/large"): make it faster`.
    Item,
}

/// What an item of a list is about: `regressed ("parse/large" and "lookup" time:p95)`, or `regressed (12 benchmarks)`.
pub(super) fn subject(word: &str, findings: &[&Finding]) -> String {
    let which = named(findings).unwrap_or_else(|| counted(findings.len(), noun_of(findings)));
    if findings.is_empty() { word.to_owned() } else { format!("{word} ({which})") }
}

/// The benchmarks of a job as its object: `the regressed benchmarks`, or `them` after a subject that names them.
pub(super) fn object(word: &str, findings: &[&Finding], form: Form) -> String {
    match form {
        Form::Sentence => format!("the {word} {}", plural_noun_of(findings)),
        Form::Item => pronoun(findings.len()).to_owned(),
    }
}

pub(super) fn pronoun(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// `benchmark` for one finding, otherwise `benchmarks`, or `metrics` if a benchmark has several.
pub(super) fn plural_noun_of(findings: &[&Finding]) -> &'static str {
    match (findings.len(), names(findings).len()) {
        (1, _) => "benchmark",
        (all, benchmarks) if benchmarks < all => "metrics",
        _ => "benchmarks",
    }
}

/// The names of one or two benchmarks: `"parse/large" and "lookup" time:p95`; `None` for more.
pub(in crate::render) fn named(findings: &[&Finding]) -> Option<String> {
    named_series(findings.iter().map(|finding| (&*finding.name, &*finding.metric)))
}

/// The same for names and metrics.
pub(super) fn named_series<'a>(series: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let name = |(name, metric): (&str, &str)| {
        // Views print text between backticks as code.
        let name = escape::terminal(name).replace('`', "'");
        match metric {
            "time" => format!("\"{name}\""),
            metric => format!("\"{name}\" {}", escape::terminal(metric)),
        }
    };
    let names: Vec<String> = series.map(name).collect();
    (names.len() <= MAX_NAMED).then(|| names.join(" and "))
}
