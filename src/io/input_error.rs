//! Why results could not be read.

use crate::formats::Resemblance;
use crate::model::Diagnostic;
use std::io;
use thiserror::Error;

/// Why no results could be read.
#[derive(Debug, Error)]
pub enum InputError {
    /// The path is neither a file nor a directory.
    #[error("{0}: no such file or directory")]
    Missing(String),
    /// The file system returned an error.
    #[error("{place}: {error}")]
    Refused {
        /// The file.
        place: String,
        /// The error.
        error: io::Error,
    },
    /// No file could be parsed.
    #[error("{}", list(.0))]
    Unreadable(Vec<Diagnostic>),
    /// There are no results.
    #[error("{place}: no results found: {hint}")]
    Nothing {
        /// The path.
        place: String,
        /// How to get results.
        hint: String,
    },
    /// No format recognizes the file, but it may resemble one.
    #[error("{0}: not a known format; {advice}", advice = advice(.1))]
    UnknownContent(String, Option<Resemblance>),
    /// The file has results of another format than the chosen one.
    #[error("{place}: not {chosen} results, but {other} results; use --input-format {other}, or leave the format out")]
    OtherFormat {
        /// The file.
        place: String,
        /// The name of the chosen format.
        chosen: &'static str,
        /// The name of the format of the content.
        other: &'static str,
    },
    /// Several formats recognize the file.
    #[error("{place}: could be {formats}; choose one with --input-format NAME")]
    Ambiguous {
        /// The file.
        place: String,
        /// The names of the formats.
        formats: String,
    },
    /// A directory has results of several commits.
    #[error(
        "{place}: has results of {} commits ({}); use the file of one of them, or store all of them with `perfgate runs import`",
        commits.len(),
        first_of(commits)
    )]
    SeveralCommits {
        /// The directory.
        place: String,
        /// The commits.
        commits: Vec<String>,
    },
    /// `--input-format` is not a known format.
    #[error("`{name}` is not a known input format; run `perfgate formats` for a list{near}")]
    UnknownFormat {
        /// The unknown name.
        name: String,
        /// A suggestion, or nothing.
        near: String,
    },
}

/// How to get results of a known format.
fn advice(resembles: &Option<Resemblance>) -> String {
    match resembles {
        Some((name, command)) => format!("it looks like output of {name}, so write its results with: {command}"),
        None => "run `perfgate formats` for a list, or use --input-format NAME".to_owned(),
    }
}

/// The first of many commits.
fn first_of(commits: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = commits.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if commits.len() > SHOWN { format!("{shown}, …") } else { shown }
}

fn list(diagnostics: &[Diagnostic]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = diagnostics.iter().take(SHOWN).map(ToString::to_string).collect();
    if diagnostics.len() > SHOWN {
        lines.push(format!("… and {} more", diagnostics.len() - SHOWN));
    }
    lines.join("\n")
}
