//! memory_profiler's table of lines for each decorated function. A function is a benchmark, its peak and the increments of
//! its lines are metrics. Lines are numbered from the function's first line, so moving the function changes no metric.

use super::builder::ReadingBuilder;
use super::text::{UniqueNames, decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// memory_profiler's report.
pub struct MemoryProfiler;

impl Format for MemoryProfiler {
    fn name(&self) -> &'static str {
        "memory-profiler"
    }

    fn produced_by(&self) -> &'static str {
        "python -m memory_profiler SCRIPT.py > FILE"
    }

    fn metrics(&self) -> &'static str {
        "per decorated function: memory:peak, memory:line+N (increment of the Nth line after the first)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(is_header)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("memory-profiler", source);
        let mut names = UniqueNames::default();
        let mut file = "";
        let mut function: Option<Function> = None;
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(name) = line.strip_prefix("Filename: ") {
                add_function(function.take(), file, &mut names, &mut builder);
                file = name.trim();
            } else if is_header(line) {
                add_function(function.take(), file, &mut names, &mut builder);
                function = Some(Function::default());
            } else if line.trim().is_empty() {
                add_function(function.take(), file, &mut names, &mut builder);
            } else if let Some(function) = &mut function
                && !line.starts_with("====")
                && function.read_line(line).is_none()
            {
                let message = format!("`{line}` is not a row of a memory_profiler table");
                builder.warn("unreadable-line", message);
            }
        }
        add_function(function, file, &mut names, &mut builder);
        builder.finish()
    }
}

fn is_header(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.starts_with(&["Line", "#", "Mem", "usage", "Increment"])
}

/// A function's values, in bytes.
#[derive(Default)]
struct Function {
    name: Option<String>,
    first: Option<u64>,
    peak: Option<f64>,
    increments: Vec<(u64, f64)>,
}

impl Function {
    /// Reads `     7     51.7 MiB     28.6 MiB           1       a = ...`. A line that never ran has only number and source.
    fn read_line(&mut self, line: &str) -> Option<()> {
        let trimmed = line.trim_start();
        let (line_number, rest) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        let line_number: u64 = line_number.parse().ok()?;
        let first = *self.first.get_or_insert(line_number);
        if self.name.is_none() {
            self.name = function_name(rest);
        }
        let words: Vec<&str> = rest.split_whitespace().take(4).collect();
        if let [usage, unit, increment, increment_unit] = words[..]
            && let (Some(usage), Some(increment)) = (bytes(usage, unit), bytes(increment, increment_unit))
        {
            self.peak = Some(self.peak.map_or(usage, |peak| peak.max(usage)));
            // The increment of the first line is the memory in use when the function was called.
            if increment > 0.0 && line_number > first {
                self.increments.push((line_number - first, increment));
            }
        }
        Some(())
    }
}

/// The function name in a `def` line.
fn function_name(text: &str) -> Option<String> {
    let (before, rest) = text.split_once("def ")?;
    let before = before.trim();
    let starts = before.is_empty() || before.ends_with("async") || before.ends_with(|c: char| c.is_ascii_digit());
    let name = rest.split('(').next()?.trim();
    (starts && !name.is_empty()).then(|| name.to_owned())
}

fn bytes(value: &str, unit: &str) -> Option<f64> {
    let scale = Unit::parse(unit).filter(|scale| scale.unit == Unit::Byte)?;
    number(value).map(|value| value * scale.factor)
}

fn add_function(function: Option<Function>, file: &str, names: &mut UniqueNames, builder: &mut ReadingBuilder<'_>) {
    let Some(function) = function else { return };
    let name = function.name.as_deref().unwrap_or("<unnamed>");
    let name = names.make_unique(if file.is_empty() { name.to_owned() } else { format!("{file}::{name}") });
    let memory = |metric: String| Metric::measured(metric, Unit::Byte, Direction::Lower);
    match function.peak {
        Some(peak) => builder.add(&name, memory("memory:peak".to_owned()), [Evidence::Value(peak)]),
        None => builder.warn("no-samples", format!("`{name}` has no line with a memory usage; skipped")),
    }
    for (offset, increment) in function.increments {
        builder.add(&name, memory(format!("memory:line+{offset}")), [Evidence::Value(increment)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_lines_are_reported_and_equal_names_are_numbered() {
        let table = "Filename: a.py\n\nLine #    Mem usage    Increment  Occurrences   Line Contents\n=====\n\
                     5   10.0 MiB   10.0 MiB   1   @profile\n6                    async def f(x):\nbroken\n\
                     7   12.0 KiB    2.0 KiB   1       y = x\n8   1.0 MiB   -9.0 MiB   1   def inner(): pass\n\n";
        let text = format!("{table}{table}");
        assert!(MemoryProfiler.sniff(&Preview::of(text.as_bytes())));
        let reading = MemoryProfiler.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let found: Vec<_> = reading
            .measurements
            .iter()
            .map(|m| (m.benchmark.as_str(), &*m.metric.name, m.evidence[0].clone()))
            .collect();
        assert_eq!(found[0], ("a.py::f", "memory:peak", Evidence::Value(10.0 * 1048576.0)));
        assert_eq!(found[1], ("a.py::f", "memory:line+2", Evidence::Value(2048.0)));
        assert_eq!(found[2].0, "a.py::f#2");
        assert_eq!(found.len(), 4);
        assert_eq!(reading.diagnostics[0].place, "x:7");
    }
}
