//! libtest's benchmark lines (`cargo bench` on nightly, criterion's `--output-format bencher`):
//! `test NAME ... bench:   1,234 ns/iter (+/- 56)`. The deviation is left out: libtest prints the range there and
//! criterion another spread, so it stands for nothing in particular.

use super::builder::ReadingBuilder;
use super::metric_by_unit::metric_by_unit;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence};

/// libtest's text.
pub struct Bencher;

impl Format for Bencher {
    fn name(&self) -> &'static str {
        "bencher"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- --output-format bencher > out.txt (criterion), or cargo +nightly bench > out.txt (libtest)"
    }

    fn metrics(&self) -> &'static str {
        "time (or cycles, or a rate): one number, the median"
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
        for (at, line) in text::numbered_lines(&text) {
            builder.line = Some(at);
            let Some((name, rest)) = split(line) else { continue };
            let Some((number, label)) = value_and_unit(rest) else {
                let message =
                    format!("`{name}`: expected `1,234 ns/iter (+/- 56)` after `bench:`; was the line cut off?");
                builder.warn("unreadable-line", message);
                continue;
            };
            let scale = builder.unit(label);
            builder.add(name, metric_by_unit(scale.unit, label), [Evidence::Value(number * scale.factor)]);
        }
        builder.finish()
    }
}

/// The benchmark's name and what follows `bench:`. The name itself may hold anything, so the last mark counts.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim_start().strip_prefix("test ")?.rsplit_once("... bench:")?;
    Some((name.trim(), rest))
}

/// `1,234` and `ns/iter` of `1,234 ns/iter (+/- 56) = 7 MB/s`.
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
    fn one_good_line_among_bad_ones_is_read() {
        let reading = read(
            "running 2 tests\ntest b ... bench:          -5 ns/iter (+/- 0)\n\
             test c ... bench:        1.50 ns/iter (+/- 0.02)\ntest d ... bench:   4,093,57\ntest e ... ok\n",
        )
        .unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].replicates, [Evidence::Value(1.5)]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| (d.code.as_str(), d.place.as_str())).collect();
        assert_eq!(codes, [("invalid-value", "x.txt:2"), ("unreadable-line", "x.txt:4")]);
    }

    #[test]
    fn a_name_may_hold_the_mark_itself() {
        let reading = read("test a ... bench: b ... bench: 7 ns/iter (+/- 1)\n").unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a ... bench: b");
    }

    #[test]
    fn rates_and_cycles_keep_their_unit_and_direction() {
        let reading =
            read("test a ... bench: 2835 cycles/iter (+/- 14)\ntest b ... bench: 1911 MS/s (+/- 420)\n").unwrap();
        let (cycles, rate) = (&reading.measurements[0].metric, &reading.measurements[1].metric);
        assert_eq!((&*cycles.name, &cycles.unit, cycles.direction), ("cycles", &Unit::Count, Direction::Lower));
        assert_eq!((&*rate.name, rate.direction), ("throughput", Direction::Higher));
        assert_eq!(rate.unit, Unit::Other("MS/s".into()));
        assert_eq!(reading.diagnostics[0].code, "unknown-unit");
    }

    #[test]
    fn coloured_lines_are_found_and_read() {
        let text = "\x1b[32mtest\x1b[0m a ... bench:         100 ns/iter (+/- 5)\n";
        assert!(Bencher.sniff(&Preview::of(text.as_bytes())));
        assert_eq!(read(text).unwrap().measurements[0].benchmark.as_str(), "a");
    }
}
