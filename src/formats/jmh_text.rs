//! The table that JMH prints at the end, and kotlinx-benchmark with it: the score of each benchmark.

use super::builder::ReadingBuilder;
use super::jmh_csv::{Row, add_row};
use super::{Format, Preview, Reading, Source, text};
use crate::model::Diagnostic;

/// The table that JMH prints.
#[derive(Debug)]
pub struct JmhText;

impl Format for JmhText {
    fn name(&self) -> &'static str {
        "jmh-text"
    }

    fn produced_by(&self) -> &'static str {
        "java -jar benchmarks.jar > FILE (JMH, kotlinx-benchmark)"
    }

    fn metrics(&self) -> &'static str {
        "time or throughput: the mean; memory (-prof gc)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parameters_of(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut parameters: Option<Vec<&str>> = None;
        for (number, line) in text::numbered_lines(&text) {
            builder.line = Some(number);
            if let Some(found) = parameters_of(line) {
                parameters = Some(found);
            } else if let Some(parameters) = &parameters
                && let Some(row) = row(line, parameters)
            {
                add_row(&mut builder, &row);
            }
        }
        builder.finish()
    }
}

/// The parameters in a header `Benchmark  (size)  Mode  Cnt  Score  Error  Units`.
fn parameters_of(line: &str) -> Option<Vec<&str>> {
    // Gradle and sbt print something before each line.
    let words: Vec<&str> = line[line.find("Benchmark ")?..].split_whitespace().collect();
    let mode = words.iter().position(|word| *word == "Mode")?;
    let columns = words[mode..].contains(&"Score") && words.last() == Some(&"Units");
    let parameters = words[1..mode].iter().map(|word| word.strip_prefix('(')?.strip_suffix(')'));
    columns.then(|| parameters.collect()).flatten()
}

/// A row `P.format  10  avgt  5  12.500 ± 0.200  us/op`; count and error may be missing.
fn row<'a>(line: &'a str, parameters: &[&'a str]) -> Option<Row<'a>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| matches!(*word, "thrpt" | "avgt" | "sample" | "ss"))?;
    let name = at.checked_sub(parameters.len() + 1)?;
    let [values @ .., unit] = &words[at + 1..] else { return None };
    // JMH prints a very small score as `≈ 10⁻⁶`.
    let score = match values.iter().position(|word| matches!(*word, "±" | "≈")) {
        Some(mark) if values[mark] == "±" => values.get(mark.checked_sub(1)?),
        Some(mark) => values.get(mark + 1),
        None => values.last(),
    };
    Some(Row {
        benchmark: words[name],
        mode: words[at],
        score: score?,
        unit,
        parameters: parameters.iter().copied().zip(words[name + 1..at].iter().copied()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_and_without_count_error_and_parameters_are_read() {
        let text = "\
            # Run complete. Total time: 00:01:00\n\n\
            Benchmark                    (size)    Mode  Cnt      Score     Error   Units\n\
            P.format                         10    avgt    5     12,500 ±   0,200   us/op\n\
            P.format:·gc.alloc.rate          10    avgt    5    512.000 ±   1.000  MB/sec\n\
            P.format:·gc.alloc.rate.norm     10    avgt    5     24.000 ±   0.001    B/op\n\
            P.parse                         N/A   thrpt       75430.967             ops/s\n\
            P.parse:parse·p0.50             N/A  sample         100.000             ns/op\n\
            P.tiny                          N/A    avgt    5     ≈ 10⁻⁶             us/op\n\
            P.parse:·gc.alloc.rate.norm     N/A    avgt    5     ≈ 10⁻⁴              B/op\n";
        assert!(JmhText.sniff(&Preview::of(text.as_bytes())));
        let reading = JmhText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let read: Vec<_> = reading
            .measurements
            .iter()
            .map(|m| (m.benchmark.as_str(), &*m.metric.name, m.evidence[0].centre()))
            .collect();
        let expected = [
            ("P.format/size=10", "time", 12.5e3),
            ("P.format/size=10", "memory", 24.0),
            ("P.parse", "throughput", 75430.967),
            ("P.parse", "memory", 0.0),
        ];
        assert_eq!(read, expected);
        assert_eq!(reading.diagnostics[0].message, "`P.tiny` has no exact score; skipped");
    }

    #[test]
    fn other_headers_are_not_those_of_jmh() {
        for text in ["Benchmark   Time   CPU   Iterations", "Benchmark Mode x", "| Benchmark | Mode | Score | Units |"]
        {
            assert!(!JmhText.sniff(&Preview::of(text.as_bytes())), "{text}");
        }
    }
}
