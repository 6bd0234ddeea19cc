//! mprof's recording of a process's memory over time. The peak is read, of each recorded child process too.

use super::builder::ReadingBuilder;
use super::text::{decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use std::collections::BTreeMap;

/// Bytes in mprof's unit of memory.
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// mprof's recording.
pub struct Mprof;

impl Format for Mprof {
    fn name(&self) -> &'static str {
        "mprof"
    }

    fn produced_by(&self) -> &'static str {
        "mprof run -o FILE.dat COMMAND"
    }

    fn metrics(&self) -> &'static str {
        "memory:peak of the command and of each recorded child process"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let mut lines = preview.lines();
        let first = lines.next().unwrap_or_default();
        let is_record = |line: &str| memory_record(line).is_some() || line.starts_with("FUNC ");
        first.starts_with("CMDLINE ") && lines.next().is_none_or(is_record) || memory_record(first).is_some()
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("mprof", source);
        let mut command = String::from("process");
        let mut peak: Option<f64> = None;
        let mut children: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(line) = line.strip_prefix("CMDLINE ") {
                command = benchmark_name(line);
                continue;
            }
            match memory_record(line) {
                Some((None, value)) => peak = Some(peak.map_or(value, |peak| peak.max(value))),
                Some((Some(child), value)) => {
                    let number = children.len() + 1;
                    let (_, peak) = children.entry(child).or_insert((number, value));
                    *peak = peak.max(value);
                }
                None if line.trim().is_empty() || line.starts_with("FUNC ") => {}
                None => builder.warn("unreadable-line", format!("`{line}` is not a line of an mprof recording")),
            }
        }
        let metric = || Metric::measured("memory:peak", Unit::Byte, Direction::Lower);
        if let Some(peak) = peak {
            builder.add(&command, metric(), [Evidence::Value(peak * MEBIBYTE)]);
        }
        // Process ids differ between runs, so children are numbered by their first record.
        for (number, peak) in children.into_values() {
            builder.add(&format!("{command}/child={number}"), metric(), [Evidence::Value(peak * MEBIBYTE)]);
        }
        builder.finish()
    }
}

/// Parses `MEM mebibytes seconds` or `CHLD id mebibytes seconds`; returns the child's id and the memory.
fn memory_record(line: &str) -> Option<(Option<&str>, f64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (child, value, seconds) = match words[..] {
        ["MEM", value, seconds] => (None, value, seconds),
        ["CHLD", child, value, seconds] => (Some(child), value, seconds),
        _ => return None,
    };
    number(seconds)?;
    number(value).filter(|value| *value >= 0.0).map(|value| (child, value))
}

/// The command without the program's directory, which differs between checkouts and machines.
fn benchmark_name(command: &str) -> String {
    let command = command.trim();
    let (program, arguments) = command.split_once(' ').unwrap_or((command, ""));
    let program = program.rsplit(['/', '\\']).next().unwrap_or(program);
    if arguments.is_empty() { program.to_owned() } else { format!("{program} {arguments}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_maximum_of_all_valid_lines() {
        let text = "CMDLINE /opt/venv/bin/python a.py --n 3\nMEM 1.5 1795252207.9\nMEM nan 1795252208.0\n\
                    FUNC a.f 1.0 1.0 2.0 2.0\nMEM 4.0 1795252209\nCHLD 4711 2.0 1795252209\nMEM 3.0 1795252210\n";
        assert!(Mprof.sniff(&Preview::of(text.as_bytes())));
        let reading = Mprof.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "python a.py --n 3");
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(4.0 * 1048576.0)]);
        assert_eq!(reading.measurements[1].benchmark.as_str(), "python a.py --n 3/child=1");
        assert_eq!(reading.diagnostics[0].place, "x:3");
    }
}
