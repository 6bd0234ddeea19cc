//! Catch2's XML report: `BenchmarkResults` elements in test cases and sections, with times in nanoseconds.

use super::super::Source;
use super::super::builder::ReadingBuilder;
use super::super::xml::{self, Elements, Step};
use super::{Row, full_name, summary};
use crate::model::{Diagnostic, EndScope};
use quick_xml::events::BytesStart;

/// The benchmark whose element is open.
#[derive(Default)]
struct Benchmark {
    name: String,
    samples: Option<u64>,
    mean: Option<f64>,
    sd: Option<f64>,
    failure: Option<String>,
}

/// Reads the benchmarks of a report. Those before an XML error are kept.
pub(super) fn read(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<Vec<Row>, Diagnostic> {
    let mut elements = Elements::of(source)?;
    let mut names: Vec<Option<String>> = Vec::new(); // one per open element: the name of a test case or section
    let mut open: Option<(usize, Benchmark)> = None; // with its depth
    let mut rows = Vec::new();
    while let Some(step) = elements.next(builder) {
        match step {
            Step::Open(element, empty) => {
                let name = || xml::attribute(&element, "name").unwrap_or_default();
                let mut part = None;
                match (element.name().as_ref(), &mut open) {
                    ("BenchmarkResults", _) => {
                        let samples = xml::number(&element, "samples").filter(|n| *n >= 1.0).map(|n| n as u64);
                        open = Some((names.len(), Benchmark { name: name(), samples, ..Benchmark::default() }));
                    }
                    ("mean", Some((_, open))) => open.mean = xml::number(&element, "value"),
                    // With analysis turned off, Catch2 writes a standard deviation of 0 at a confidence of 0.
                    ("standardDeviation", Some((_, open))) => {
                        let known = xml::number(&element, "ci") != Some(0.0);
                        open.sd = xml::number(&element, "value").filter(|_| known);
                    }
                    ("failed", Some((_, open))) => open.failure = xml::attribute(&element, "message"),
                    ("TestCase" | "Section", _) => part = Some(name()),
                    ("Exception" | "FatalErrorCondition" | "Expression", _) if is_failure(&element) => {
                        let of_all = element.name().as_ref() == "FatalErrorCondition";
                        let prefix = if of_all { String::new() } else { full_name(&section(&names), "") };
                        builder.end_early(EndScope::from_prefix(&prefix), &failure(&element));
                    }
                    _ => {}
                }
                if !empty {
                    names.push(part);
                }
            }
            Step::Close => {
                names.pop();
                if let Some((_, done)) = open.take_if(|(depth, _)| *depth == names.len()) {
                    let section = section(&names);
                    let Some(mean) = done.mean.filter(|_| done.failure.is_none()) else {
                        let why = done.failure.as_deref().unwrap_or("it has no mean");
                        builder.fail(&full_name(&section, &done.name), why);
                        continue;
                    };
                    rows.push(Row { section, name: done.name, summary: summary(mean, done.sd, done.samples) });
                }
            }
        }
    }
    Ok(rows)
}

/// The open test case and sections.
fn section(names: &[Option<String>]) -> String {
    names.iter().flatten().cloned().collect::<Vec<_>>().join("/")
}

/// Whether an element is an exception or a false assertion, which may end its test case.
fn is_failure(element: &BytesStart<'_>) -> bool {
    element.name().as_ref() != "Expression" || xml::attribute(element, "success").is_some_and(|text| text == "false")
}

/// What failed and where: `Exception in c2.cpp:12`.
fn failure(element: &BytesStart<'_>) -> String {
    let attribute = |name| xml::attribute(element, name).unwrap_or_default();
    let name = element.name();
    let kind = if name.as_ref() == "Expression" { attribute("type") } else { name.as_ref().to_owned() };
    format!("{kind} in {}:{}", attribute("filename"), attribute("line"))
}

#[cfg(test)]
mod tests {
    use super::super::super::Format;
    use super::super::{Catch2, Source};
    use crate::model::{Evidence, Summary};

    #[test]
    fn a_valid_benchmark_among_invalid_ones_is_read() {
        let text = concat!(
            r#"<Catch2TestRun name="x"><TestCase name="t">"#,
            r#"<BenchmarkResults name="none" samples="5"><failed message="boom"/></BenchmarkResults>"#,
            r#"<BenchmarkResults name="nan" samples="5"><mean value="nan"/></BenchmarkResults>"#,
            r#"<BenchmarkResults name="a &lt;b&gt;" samples="5"><mean value="2.5e+06"/>"#,
            r#"<standardDeviation value="7" ci="0.95"/></BenchmarkResults>"#,
        );
        let reading = Catch2.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].benchmark.as_str(), "t/a <b>");
        let summary =
            Summary { centre: 2.5e6, mean: Some(2.5e6), sd: Some(7.0), samples: Some(5), quantiles: Vec::new() };
        assert_eq!(reading.measurements[0].evidence, [Evidence::summary(summary)]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["failed-benchmark", "failed-benchmark", "unreadable"]);
        let failed: Vec<_> = reading.failures.benchmarks.iter().map(|f| (f.benchmark.as_str(), &*f.why)).collect();
        assert_eq!(failed, [("t/none", "boom"), ("t/nan", "it has no mean")]);
        assert!(reading.failures.early_ends[0].why.contains("ends too early"));
    }

    #[test]
    fn names_begin_with_test_case_and_sections() {
        let benchmark_in = |section| {
            format!(
                r#"<Section name="{section}"><BenchmarkResults name="a"><mean value="1"/></BenchmarkResults></Section>"#
            )
        };
        let text =
            format!(r#"<Catch><TestCase name="t">{}{}</TestCase></Catch>"#, benchmark_in("s"), benchmark_in("u"));
        let reading = Catch2.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["t/s/a", "t/u/a"]);
    }
}
