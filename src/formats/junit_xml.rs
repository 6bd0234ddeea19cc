//! JUnit XML: the time of each passed test case, named `classname::name`. Failed tests are not measured, since they may
//! have stopped early. Skipped tests are not measured either. Both are counted.

use super::builder::ReadingBuilder;
use super::xml::{self, Elements, Step};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};
use quick_xml::events::BytesStart;

/// Nanoseconds in the reports' unit of time.
const SECOND: f64 = 1e9;

/// JUnit XML.
pub struct JunitXml;

/// The values of a test case.
struct Case {
    name: String,
    seconds: Option<f64>,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Skipped,
    Failed,
}

impl Format for JunitXml {
    fn name(&self) -> &'static str {
        "junit-xml"
    }

    fn produced_by(&self) -> &'static str {
        "pytest --junitxml=out.xml, cargo nextest, gotestsum --junitfile, surefire and most other test runners"
    }

    fn metrics(&self) -> &'static str {
        "time: one value per passed test; a failed test is `failed`"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        matches!(preview.xml_root, Some("testsuites" | "testsuite"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut elements = Elements::of(source)?;
        let mut suites: Vec<Option<String>> = Vec::new(); // one per open element: the suite's name, if it is a suite
        let mut case: Option<(usize, Case)> = None; // with its depth
        let mut skipped = 0;
        while let Some(step) = elements.next(&mut builder) {
            match step {
                Step::Open(element, empty) => {
                    match (element.name().as_ref(), &mut case) {
                        ("testcase", _) => {
                            let found = Case::of(&element, suites.iter().rev().flatten().next());
                            if empty {
                                found.add(&mut builder, &mut skipped)
                            } else {
                                case = Some((suites.len(), found))
                            }
                        }
                        ("testsuite" | "testsuites", _) => {
                            if let Some(time) = xml::attribute(&element, "timestamp") {
                                builder.set_measured_locally(&time);
                            }
                        }
                        ("skipped", Some((_, case))) => case.outcome = Outcome::Skipped,
                        ("failure" | "error", Some((_, case))) => case.outcome = Outcome::Failed,
                        _ => {}
                    }
                    if !empty {
                        let suite = element.name().as_ref() == "testsuite";
                        suites.push(if suite { xml::attribute(&element, "name") } else { None });
                    }
                }
                Step::Close => {
                    suites.pop();
                    if let Some((_, done)) = case.take_if(|(depth, _)| *depth == suites.len()) {
                        done.add(&mut builder, &mut skipped);
                    }
                }
            }
        }
        if skipped > 0 {
            builder.note("skipped-tests", format!("skipped tests: {skipped}"));
        }
        builder.tests(); // also for a report with only skipped tests
        builder.finish()
    }
}

impl Case {
    fn of(element: &BytesStart<'_>, suite: Option<&String>) -> Self {
        let name = xml::attribute(element, "name").unwrap_or_default();
        let class = xml::attribute(element, "classname").filter(|class| !class.is_empty()).or_else(|| suite.cloned());
        let name = class.map_or(name.clone(), |class| format!("{class}::{name}"));
        let outcome = match xml::attribute(element, "status").as_deref() {
            Some("disabled" | "skipped" | "notrun") => Outcome::Skipped,
            _ => Outcome::Passed,
        };
        Case { name, seconds: xml::number(element, "time"), outcome }
    }

    fn add(self, builder: &mut ReadingBuilder<'_>, skipped: &mut usize) {
        let name = &self.name;
        match self.outcome {
            Outcome::Passed => builder.tests().passed += 1,
            Outcome::Failed => builder.tests().failed += 1,
            Outcome::Skipped => {}
        }
        match (self.outcome, self.seconds) {
            (Outcome::Skipped, _) => *skipped += 1,
            (Outcome::Failed, _) => builder.fail(name, ""),
            (Outcome::Passed, None) => builder.warn("no-value", format!("`{name}` has no time; skipped")),
            (Outcome::Passed, Some(seconds)) => builder.add(name, Metric::time(), [Evidence::Value(seconds * SECOND)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tests;

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        JunitXml.parse(Source { name: "x.xml", bytes: text.as_bytes() })
    }

    #[test]
    fn a_valid_test_among_invalid_ones_is_read() {
        let reading = read(concat!(
            r#"<testsuite name="s"><testcase name="a &lt;b&gt;" time="1,000.5"/><testcase name="c" time="-1"/>"#,
            r#"<testcase name="d"/><testcase name="e" time="1"><skipped/></testcase>"#,
            r#"<testcase classname="k" name="f" time="1"><system-out>x</system-out><failure>y</failure></testcase>"#,
            r#"<testcase name="g" time="x"/></testsuite>"#
        ))
        .unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].benchmark.as_str(), "s::a <b>");
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(1000.5e9)]);
        assert_eq!(reading.tests, Some(Tests { passed: 4, failed: 1 }));
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["invalid-value", "no-value", "failed-benchmark", "no-value", "skipped-tests"]);
    }

    #[test]
    fn tests_before_an_xml_error_are_read() {
        let reading = read(r#"<testsuites><testsuite><testcase name="a" time="1"/><testcase name="#).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a");
        assert_eq!(reading.diagnostics[0].code, "unreadable");
    }
}
