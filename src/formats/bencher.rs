//! Benchmark lines of libtest (`cargo +nightly bench`) and of criterion's `--output-format bencher`:
//! `test NAME ... bench:   1,234 ns/iter (+/- 56)`. Only the value is read: `+/-` is a range in libtest and another spread
//! in criterion.

use super::builder::ReadingBuilder;
use super::metric_by_unit::metric_by_unit;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, EndScope, Evidence};

/// libtest's benchmark lines.
pub struct Bencher;

impl Format for Bencher {
    fn name(&self) -> &'static str {
        "bencher"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- --output-format bencher > out.txt (criterion), or cargo +nightly bench > out.txt (libtest)"
    }

    fn metrics(&self) -> &'static str {
        "time, cycles or a rate: one value, the median"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| {
            let line = text::without_colors(line);
            split(&line)
                .is_some_and(|(_, rest)| rest.trim_start().starts_with(|c: char| c == '-' || c.is_ascii_digit()))
        })
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut names = text::TargetNames::of(&text, |names| {
            read_lines(&mut ReadingBuilder::new(self.name(), source), &text, names);
        });
        read_lines(&mut builder, &text, &mut names);
        builder.finish()
    }
}

fn read_lines(builder: &mut ReadingBuilder<'_>, text: &str, names: &mut text::TargetNames) {
    let mut unfinished: Option<(u64, &str)> = None;
    // The line number of libtest's `running N tests`, and the number of its results that are still missing.
    let mut target: Option<(u64, u64)> = None;
    for (at, line) in text::numbered_lines(text) {
        builder.line = Some(at);
        names.read(line);
        // What libtest itself prints; criterion does not.
        if is_begin(line) {
            builder.note_start();
            end_incomplete(builder, target);
            builder.line = Some(at);
            target = count_of(line).map(|count| (at, count));
        } else if line.starts_with("test result: ") {
            builder.note_completion();
            target = None;
        } else if line.starts_with("test ") {
            target = target.map(|(at, missing)| (at, missing.saturating_sub(1)));
        }
        if let Some(name) = failed(line) {
            unfinished = None;
            builder.fail(&names.unique(name), "");
        }
        // libtest prints the result after the name; the benchmark may print lines in between.
        let late = unfinished.and_then(|(_, name)| Some((name, line.rsplit_once("bench:")?.1)));
        let Some((name, rest)) = split(line).or(late.filter(|(_, rest)| value_and_unit(rest).is_some())) else {
            unfinished = match started(line) {
                Some(name) => Some((at, name)),
                None if line.starts_with("test ") => None,
                None => unfinished,
            };
            continue;
        };
        unfinished = None;
        let name = &names.unique(name);
        let Some((number, label)) = value_and_unit(rest) else {
            let message = format!("`{name}`: expected `1,234 ns/iter (+/- 56)` after `bench:`; line skipped");
            builder.warn("unreadable-line", message);
            continue;
        };
        let scale = builder.unit(label);
        let metric = metric_by_unit(scale.unit, label);
        builder.add(name, metric, [Evidence::Value(number * scale.factor)]);
    }
    if let Some((line, name)) = unfinished {
        builder.line = Some(line);
        builder.fail(&names.unique(name), "the output ends before its result");
        builder.end_early(EndScope::Suite, "the output is incomplete");
    } else {
        end_incomplete(builder, target);
    }
}

/// Reports a target that has neither a result for each of its benchmarks nor libtest's last line.
fn end_incomplete(builder: &mut ReadingBuilder<'_>, target: Option<(u64, u64)>) {
    if let Some((line, missing)) = target.filter(|(_, missing)| *missing > 0) {
        builder.line = Some(line);
        builder.end_early(EndScope::Suite, &format!("the output ends before its last results: {missing} missing"));
    }
}

/// The benchmark's name and the text after `bench:`. A name may contain `... bench:` itself, so the last one separates.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim_start().strip_prefix("test ")?.rsplit_once("... bench:")?;
    Some((name.trim(), rest))
}

/// The name in a line without a result: `test NAME ... `, which output of the benchmark may follow.
fn started(line: &str) -> Option<&str> {
    let (name, rest) =
        line.strip_prefix("test ")?.split_once(" ... ").or(line.strip_prefix("test ")?.split_once(" ..."))?;
    let is_done = ["ok", "ignored", "FAILED"].iter().any(|result| rest.trim_end().ends_with(result));
    (!is_done && !rest.starts_with("ignored")).then_some(name.trim())
}

/// Whether libtest begins a target: `running 3 tests`, below cargo's `Running benches/b.rs (…)`.
fn is_begin(line: &str) -> bool {
    text::cargo_target(line).is_some() || count_of(line).is_some()
}

/// The number of benchmarks and tests in `running 3 tests`.
fn count_of(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("running ")?;
    rest.strip_suffix(" tests").or(rest.strip_suffix(" test"))?.parse().ok()
}

/// The name of a benchmark that failed: `test NAME ... FAILED`.
fn failed(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("test ")?.strip_suffix("... FAILED")?.trim())
}

/// Value and unit: `1,234` and `ns/iter` in `1,234 ns/iter (+/- 56) = 7 MB/s`.
fn value_and_unit(rest: &str) -> Option<(f64, &str)> {
    let (value, deviation) = rest.split_once("(+/-")?;
    let (number, label) = value.trim().split_once(' ')?;
    deviation.contains(')').then_some((text::number(number)?, label.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Unit};

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        Bencher.parse(Source { name: "x.txt", bytes: text.as_bytes() })
    }

    #[test]
    fn a_valid_line_among_invalid_ones_is_read() {
        let reading = read(
            "running 2 tests\ntest b ... bench:          -5 ns/iter (+/- 0)\n\
             test c ... bench:        1.50 ns/iter (+/- 0.02)\ntest d ... bench:   4,093,57\ntest e ... ok\n",
        )
        .unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(1.5)]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| (d.code.as_str(), d.place.as_str())).collect();
        assert_eq!(codes, [("invalid-value", "x.txt:2"), ("unreadable-line", "x.txt:4")]);
    }

    #[test]
    fn the_same_name_in_two_targets_gives_two_benchmarks() {
        let target = |name: &str, ns: u32| {
            format!(
                "     Running benches/{name}.rs (target/release/deps/{name}-12)\n\ntest small ... bench: {ns} ns/iter (+/- 9)\n"
            )
        };
        let reading = read(&(target("a", 3) + &target("b", 900))).unwrap();
        let read: Vec<_> =
            reading.measurements.iter().map(|m| (m.benchmark.as_str(), m.evidence[0].centre())).collect();
        assert_eq!(read, [("a/small", 3.0), ("b/small", 900.0)]);
        assert!(reading.diagnostics.is_empty());
    }

    #[test]
    fn a_failed_benchmark_is_read_as_failed() {
        let reading = read("test a ... bench:   5 ns/iter (+/- 0)\ntest m::b ... FAILED\ntest c ... ok\n").unwrap();
        let failed: Vec<&str> = reading.failures.benchmarks.iter().map(|one| one.benchmark.as_str()).collect();
        assert_eq!(failed, ["m::b"]);
    }

    #[test]
    fn a_result_after_printed_lines_belongs_to_the_name_above() {
        let reading = read(
            "test a ... loading\ncache\nbench:   9 ns/iter (+/- 1)\ntest b ... \nx bench:   7 ns/iter (+/- 1)\n\
             test c ... bench:   5 ns/iter (+/- 1)\nbench:   4 ns/iter (+/- 1)\ntest d ... ok\n",
        )
        .unwrap();
        let found: Vec<_> =
            reading.measurements.iter().map(|m| (m.benchmark.as_str(), m.evidence[0].centre())).collect();
        assert_eq!(found, [("a", 9.0), ("b", 7.0), ("c", 5.0)]);
        assert!(reading.failures.is_empty());
    }

    #[test]
    fn a_benchmark_without_a_result_at_the_end_is_failed() {
        let reading = read("test a ... bench:   9 ns/iter (+/- 1)\ntest b ... Segmentation fault\n").unwrap();
        assert_eq!(reading.failures.benchmarks[0].benchmark.as_str(), "b");
        assert_eq!(reading.failures.early_ends.len(), 1);
    }

    #[test]
    fn a_name_may_contain_the_separator() {
        let reading = read("test a ... bench: b ... bench: 7 ns/iter (+/- 1)\n").unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a ... bench: b");
    }

    #[test]
    fn rates_and_cycles_have_their_own_unit_and_direction() {
        let reading =
            read("test a ... bench: 2835 cycles/iter (+/- 14)\ntest b ... bench: 1911 MS/s (+/- 420)\n").unwrap();
        let (cycles, rate) = (&reading.measurements[0].metric, &reading.measurements[1].metric);
        assert_eq!((&*cycles.name, &cycles.unit, cycles.direction), ("cycles", &Unit::Count, Direction::Lower));
        assert_eq!((&*rate.name, rate.direction), ("throughput", Direction::Higher));
        assert_eq!(rate.unit, Unit::Other("MS/s".into()));
        assert_eq!(reading.diagnostics[0].code, "unknown-unit");
    }

    #[test]
    fn colored_lines_are_detected_and_read() {
        let text = "\x1b[32mtest\x1b[0m a ... bench:         100 ns/iter (+/- 5)\n";
        assert!(Bencher.sniff(&Preview::of(text.as_bytes())));
        assert_eq!(read(text).unwrap().measurements[0].benchmark.as_str(), "a");
    }
}
