//! Python's cProfile: the printed table, in any sort order, and the file that `-o` writes (a marshalled dictionary). Each
//! function is a benchmark with its times and calls. Names contain file and function but no line number, which changes with
//! every edit; functions of the same name in a file are numbered in source order.

use super::builder::ReadingBuilder;
use super::marshal::{Id, Marshalled, Value};
use super::text::{UniqueNames, decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// Nanoseconds in cProfile's unit of time.
const SECOND: f64 = 1e9;
/// Name of the benchmark for the whole profile.
const TOTAL: &str = "total";

/// cProfile's tables and files.
pub struct Cprofile;

impl Format for Cprofile {
    fn name(&self) -> &'static str {
        "cprofile"
    }

    fn produced_by(&self) -> &'static str {
        "python -m cProfile -o FILE SCRIPT.py, or the table that it prints without -o"
    }

    fn metrics(&self) -> &'static str {
        "per function and in total: time (including callees), time:self, calls (exact)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        is_marshalled(preview.bytes) || preview.lines().any(is_header)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new("cprofile", source);
        if is_marshalled(source.bytes) {
            let read = Marshalled::read(source.bytes);
            let read = read.map_err(|fault| Diagnostic::error("unreadable", source.name, fault))?;
            read_dictionary(&read, &mut builder);
        } else {
            read_tables(&decode(source)?, &mut builder);
        }
        builder.finish()
    }
}

/// Whether the bytes begin with a dictionary whose first key is a tuple of three, as profiles of every Python version do.
pub fn is_marshalled(bytes: &[u8]) -> bool {
    let type_code = |at: usize| bytes.get(at).map(|byte| byte & 0x7f);
    type_code(0) == Some(b'{')
        && (type_code(1) == Some(b')') && bytes.get(2) == Some(&3)
            || type_code(1) == Some(b'(') && bytes.get(2..6) == Some(&[3, 0, 0, 0]))
}

fn is_header(line: &str) -> bool {
    let columns = ["ncalls", "tottime", "percall", "cumtime", "percall", "filename:lineno(function)"];
    line.split_whitespace().eq(columns)
}

/// A function of the profile. Times are in seconds.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// Its file; empty for one that is written in C.
    pub file: String,
    /// The line where it begins.
    pub line: u64,
    /// Its name.
    pub name: String,
    calls: f64,
    /// Time of its own code.
    pub own: f64,
    /// Time with everything that it called.
    pub inclusive: f64,
}

/// Adds the functions in source order, so that the numbers of equal names do not depend on the table's sort order.
fn add_functions(mut functions: Vec<Function>, builder: &mut ReadingBuilder<'_>) {
    functions.sort_by(|a, b| (&a.file, a.line, &a.name).cmp(&(&b.file, b.line, &b.name)));
    let mut names = UniqueNames::default();
    for function in functions {
        let name = match function.file.as_str() {
            "" => function.name,
            // Without the directory, as with pstats' strip_dirs: it differs between checkouts.
            file => format!("{}::{}", file.rsplit(['/', '\\']).next().unwrap_or(file), function.name),
        };
        let name = names.make_unique(name);
        add_function(&name, Some(function.inclusive), Some(function.own), function.calls, builder);
    }
}

fn add_function(name: &str, inclusive: Option<f64>, own: Option<f64>, calls: f64, builder: &mut ReadingBuilder<'_>) {
    let time = |metric: &'static str| Metric::measured(metric, Unit::Nanosecond, Direction::Lower);
    for (metric, value) in [("time", inclusive), ("time:self", own)] {
        if let Some(value) = value.filter(|value| *value != 0.0) {
            builder.add(name, time(metric), [Evidence::Value(value * SECOND)]);
        }
    }
    builder.add(name, Metric::counted("calls", Unit::Count, Direction::Lower), [Evidence::Value(calls)]);
}

fn read_dictionary(read: &Marshalled<'_>, builder: &mut ReadingBuilder<'_>) {
    let Value::Dictionary(entries) = read.root() else { return };
    let mut functions = Vec::new();
    for (number, (key, value)) in (1..).zip(entries) {
        match function(read, *key, *value) {
            Some(function) => functions.push(function),
            None => builder.warn("unreadable-entry", format!("entry {number} is not a function of a profile; skipped")),
        }
    }
    if !functions.is_empty() {
        let own = functions.iter().map(|function| function.own).sum();
        let calls = functions.iter().map(|function| function.calls).sum();
        add_function(TOTAL, Some(own), None, calls, builder);
    }
    add_functions(functions, builder);
}

/// `(file, line, name): (primitive calls, calls, own time, inclusive time, callers)`.
pub fn function(read: &Marshalled<'_>, key: Id, value: Id) -> Option<Function> {
    let (Value::Sequence(key), Value::Sequence(value)) = (read.get(key), read.get(value)) else { return None };
    let (&[file, line, name], &[_, calls, own, inclusive, ..]) = (key.as_slice(), value.as_slice()) else {
        return None;
    };
    let number = |id: Id| match read.get(id) {
        Value::Number(number) => Some(*number),
        _ => None,
    };
    let (Value::Text(file), Value::Text(name)) = (read.get(file), read.get(name)) else { return None };
    let (file, name) = if file == "~" {
        // Functions written in C have no file. Their names are in braces, as pstats prints them.
        let inner = name.strip_prefix('<').and_then(|name| name.strip_suffix('>'));
        (String::new(), inner.map_or_else(|| name.to_string(), |inner| format!("{{{inner}}}")))
    } else {
        (file.to_string(), name.to_string())
    };
    let line = number(line)? as u64;
    Some(Function { file, line, name, calls: number(calls)?, own: number(own)?, inclusive: number(inclusive)? })
}

fn read_tables(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut functions = Vec::new();
    let mut in_table = false;
    let mut too_short = 0u64;
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        if is_header(line) {
            in_table = true;
        } else if line.trim().is_empty() {
            in_table = false;
        } else if in_table {
            match row(line) {
                Some(function) => {
                    too_short += u64::from(function.inclusive == 0.0 || function.own == 0.0);
                    functions.push(function);
                }
                None => builder.warn("unreadable-line", format!("`{line}` is not a row of a cProfile table")),
            }
        } else if let Some((calls, seconds)) = summary_line(line) {
            add_functions(std::mem::take(&mut functions), builder);
            add_function(TOTAL, Some(seconds), None, calls, builder);
        } else if line.trim_start().starts_with("List reduced from ") {
            let message = format!(
                "{}: functions that are not listed will be reported as removed; print the table without restrictions",
                line.trim()
            );
            builder.note("partial-list", message);
        }
    }
    add_functions(functions, builder);
    if too_short > 0 {
        let message = format!(
            "skipped rows with times of 0.000 s, below the table's resolution: {too_short}. Use -o FILE to keep them"
        );
        builder.note("too-coarse", message);
    }
}

/// Calls and seconds in `60 function calls (11 primitive calls) in 0.308 seconds`.
fn summary_line(line: &str) -> Option<(f64, f64)> {
    let (calls, rest) = line.split_once(" function calls")?;
    let (_, rest) = rest.rsplit_once(" in ")?;
    Some((number(calls)?, number(rest.strip_suffix(" seconds")?)?))
}

/// Parses `50/1    0.000    0.000    0.000    0.000 cp.py:8(fact)`. All calls are before the slash, primitive calls after it.
fn row(line: &str) -> Option<Function> {
    let mut rest = line.trim();
    let calls = number(next_word(&mut rest)?.split('/').next()?)?;
    let own = number(next_word(&mut rest)?)?;
    number(next_word(&mut rest)?)?;
    let inclusive = number(next_word(&mut rest)?)?;
    number(next_word(&mut rest)?)?;
    let (file, line, name) = if rest.starts_with('{') {
        ("", 0, rest)
    } else {
        let (file, place) = rest.strip_suffix(')')?.rsplit_once(':')?;
        let (line, name) = place.split_once('(')?;
        (file, line.parse().ok()?, name)
    };
    Some(Function { file: file.to_owned(), line, name: name.to_owned(), calls, own, inclusive })
}

/// Removes the first word of a text.
fn next_word<'a>(text: &mut &'a str) -> Option<&'a str> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    *text = rest.trim_start();
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_may_contain_spaces_and_parentheses() {
        let found =
            row("  50/1    0.500    0.010    1.250    1.250 C:\\Program Files (x86)\\a.py:8(<lambda>)").unwrap();
        let file = "C:\\Program Files (x86)\\a.py".to_owned();
        let name = "<lambda>".to_owned();
        assert_eq!(found, Function { file, line: 8, name, calls: 50.0, own: 0.5, inclusive: 1.25 });
        assert_eq!(row("1 0.1 0.1 0.1 0.1 {method 'a' of 'b' objects}").unwrap().name, "{method 'a' of 'b' objects}");
        assert!(row("1 0.1 0.1 a.py:8(f)").is_none());
    }

    #[test]
    fn functions_of_one_name_are_numbered_by_line_not_by_table_order() {
        let text = "  3 function calls in 0.300 seconds\n\n ncalls  tottime  percall  cumtime  percall \
            filename:lineno(function)\n 1 0.2 0.2 0.2 0.2 a.py:9(f)\nbroken\n 2 0.1 0.1 0.1 0.1 a.py:4(f)\n";
        assert!(Cprofile.sniff(&Preview::of(text.as_bytes())));
        let reading = Cprofile.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let calls: Vec<_> = reading
            .measurements
            .iter()
            .filter(|m| m.metric.name == "calls")
            .map(|m| (m.benchmark.as_str(), m.evidence[0].clone()))
            .collect();
        let value = Evidence::Value;
        assert_eq!(calls, [("total", value(3.0)), ("a.py::f", value(2.0)), ("a.py::f#2", value(1.0))]);
        assert_eq!(reading.diagnostics[0].place, "x:5");
    }

    #[test]
    fn an_invalid_entry_of_a_profile_is_reported_and_the_others_are_read() {
        // {("a.py", 4, "f"): (1, 2, 0.5, 1.0, {}), ("a", 1, 2): None}, with reference flags as newer Pythons set them.
        let mut bytes = b"\xfb)\x03\xfa\x04a.pyi\x04\0\0\0\xfa\x01f)\x05i\x01\0\0\0i\x02\0\0\0".to_vec();
        for value in [0.5f64, 1.0] {
            bytes.push(b'g');
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(b"{0)\x03\xfa\x01ai\x01\0\0\0i\x02\0\0\0N0");
        assert!(Cprofile.sniff(&Preview::of(&bytes)));
        let reading = Cprofile.parse(Source { name: "x", bytes: &bytes }).unwrap();
        let time = reading.measurements.iter().find(|m| m.benchmark.as_str() == "a.py::f").unwrap();
        assert_eq!(time.evidence, [Evidence::Value(1e9)]);
        assert_eq!(reading.diagnostics.len(), 1);
    }
}
