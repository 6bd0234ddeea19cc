//! radon's JSON: cyclomatic complexity, maintainability index and line counts; complexity also as text. The values
//! depend only on the source code, so they are exact. Inner functions are skipped, and also classes with methods:
//! the complexity of a class is derived from its methods.

use super::builder::ReadingBuilder;
use super::text::{self, UniqueNames, decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// radon.
pub struct Radon;

impl Format for Radon {
    fn name(&self) -> &'static str {
        "radon"
    }

    fn produced_by(&self) -> &'static str {
        "radon cc -j PATH > FILE (or cc -s as text), or radon mi -j, or radon raw -j"
    }

    fn metrics(&self) -> &'static str {
        "exact: complexity per function and method (cc), maintainability per file (mi, higher is better), lines \
         and lines:logical per file (raw)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let first = |end: &str| preview.json_keys.iter().find_map(|key| key.strip_suffix(end));
        let all =
            |file: &str, ends: &[&str]| ends.iter().all(|end| preview.json_keys.contains(&format!("{file}{end}")));
        first("[].complexity")
            .is_some_and(|file| !file.is_empty() && all(file, &["[].rank", "[].lineno", "[].col_offset"]))
            || first(".mi").is_some_and(|file| all(file, &[".rank"]))
            || first(".sloc").is_some_and(|file| all(file, &[".loc", ".lloc", ".single_comments"]))
            || !preview.is_json() && preview.lines().any(|line| text_block(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new("radon", source);
        if text::first_byte(source)? != Some(b'{') {
            read_text(&decode(source)?, &mut builder);
            return builder.finish();
        }
        let files: BTreeMap<String, &RawValue> = json::parse(source)?;
        for (file, raw) in &files {
            if let Ok(blocks) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
                let mut parsed = Vec::with_capacity(blocks.len());
                for block in blocks {
                    match serde_json::from_str(block.get()) {
                        Ok(block) => parsed.push(block),
                        Err(error) => {
                            let message = format!("an entry of `{file}` skipped: {error}");
                            builder.warn("unreadable-entry", message);
                        }
                    }
                }
                add_blocks(file, parsed, &mut builder);
                continue;
            }
            match serde_json::from_str(raw.get()) {
                Ok(Entry::Failed { error }) => {
                    builder.warn("unreadable-entry", format!("radon could not analyze `{file}`: {error}"));
                }
                Ok(Entry::Maintainability { mi }) => {
                    let metric = Metric::counted("maintainability", Unit::Ratio, Direction::Higher);
                    builder.add(file, metric, [Evidence::Value(mi)]);
                }
                Ok(Entry::Raw { sloc, lloc }) => {
                    let lines = |name: &'static str| Metric::counted(name, Unit::Count, Direction::Lower);
                    builder.add(file, lines("lines"), [Evidence::Value(sloc)]);
                    builder.add(file, lines("lines:logical"), [Evidence::Value(lloc)]);
                }
                Err(_) => builder.warn("unreadable-entry", format!("`{file}` skipped: unexpected JSON structure")),
            }
        }
        builder.finish()
    }
}

/// The entry of a file, unless it is a list of blocks.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry<'a> {
    Maintainability {
        mi: f64,
    },
    Raw {
        sloc: f64,
        lloc: f64,
    },
    Failed {
        #[serde(borrow)]
        error: Cow<'a, str>,
    },
}

/// A function, method or class.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    classname: Option<Cow<'a, str>>,
    complexity: f64,
    #[serde(default)]
    lineno: u64,
    #[serde(default)]
    methods: Vec<serde::de::IgnoredAny>,
}

/// Adds blocks in source order, so that equal names (a property's getter and setter) keep their numbers.
fn add_blocks(file: &str, mut blocks: Vec<Block<'_>>, builder: &mut ReadingBuilder<'_>) {
    blocks.sort_by_key(|block| block.lineno);
    let mut names = UniqueNames::default();
    for block in blocks.iter().filter(|block| block.methods.is_empty()) {
        let name = match &block.classname {
            Some(class) => format!("{file}::{class}.{}", block.name),
            None => format!("{file}::{}", block.name),
        };
        let metric = Metric::counted("complexity", Unit::Count, Direction::Lower);
        builder.add(&names.make_unique(name), metric, [Evidence::Value(block.complexity)]);
    }
}

/// Reads the report of `radon cc -s`: the name of a file, then its blocks, indented.
fn read_text(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut file = "";
    let mut blocks: Vec<(bool, Block<'_>)> = Vec::new();
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        if let Some(block) = text_block(line) {
            blocks.push(block);
        } else if line.starts_with("    ") {
            builder.warn("unreadable-line", format!("`{}` is not a row of radon cc -s", line.trim()));
        } else {
            add_blocks(file, without_classes(std::mem::take(&mut blocks)), builder);
            file = line;
        }
    }
    add_blocks(file, without_classes(blocks), builder);
}

/// Parses `    F 12:0 encode - C (13)`: type, position, name, rank and complexity. True for a class.
fn text_block(line: &str) -> Option<(bool, Block<'_>)> {
    let words: Vec<&str> = line.strip_prefix("    ")?.split_whitespace().collect();
    let [block_type @ ("F" | "M" | "C"), position, name, "-", "A" | "B" | "C" | "D" | "E" | "F", complexity] =
        words[..]
    else {
        return None;
    };
    let complexity = number(complexity.strip_prefix('(')?.strip_suffix(')')?)?;
    let lineno = position.split_once(':')?.0.parse().ok()?;
    let block = Block { name: Cow::Borrowed(name), classname: None, complexity, lineno, methods: Vec::new() };
    Some((block_type == "C", block))
}

/// Removes classes whose methods are also among the blocks.
fn without_classes(blocks: Vec<(bool, Block<'_>)>) -> Vec<Block<'_>> {
    let classes: BTreeSet<String> =
        blocks.iter().filter_map(|(_, block)| Some(block.name.split_once('.')?.0.to_owned())).collect();
    let own = blocks.into_iter().filter(|(class, block)| !class || !classes.contains(&*block.name));
    own.map(|(_, block)| block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_block_among_invalid_ones_is_read() {
        let text = br#"{"a.py": [{"name": "x", "classname": "C", "complexity": 3, "lineno": 9, "rank": "A"},
            {"name": "x", "classname": "C", "complexity": 2, "lineno": 4}, {"name": "y"}], "b.py": {"error": "bad"},
            "c.py": 3}"#;
        let reading = Radon.parse(Source { name: "x", bytes: text }).unwrap();
        let found: Vec<_> =
            reading.measurements.iter().map(|m| (m.benchmark.as_str(), m.evidence[0].clone())).collect();
        assert_eq!(found, [("a.py::C.x", Evidence::Value(2.0)), ("a.py::C.x#2", Evidence::Value(3.0))]);
        assert_eq!(reading.diagnostics.len(), 3);
    }
}
