//! JUnit XML: how long each test took, in seconds, once. A skipped test measured nothing and a failed one stopped early,
//! so both are left out with a word; a case is called `classname::name`.

use super::builder::ReadingBuilder;
use super::xml::{self, Elements, Step};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};
use quick_xml::events::BytesStart;

/// Nanoseconds in the reports' unit of time.
const SECOND: f64 = 1e9;

/// JUnit XML.
pub struct JunitXml;

/// A test case that is being read.
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
        "time: one number for each test that passed"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        matches!(preview.xml_root, Some("testsuites" | "testsuite"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut ledger = ReadingBuilder::new(self.name(), source);
        let mut elements = Elements::of(source)?;
        let mut suites: Vec<Option<String>> = Vec::new(); // of each open element the suite's name, if it is a suite
        let mut case: Option<(usize, Case)> = None; // with the depth that it stands at
        let mut skipped = 0;
        while let Some(step) = elements.next(&mut ledger) {
            match step {
                Step::Open(element, empty) => {
                    match (element.name().as_ref(), &mut case) {
                        ("testcase", _) => {
                            let found = Case::of(&element, suites.iter().rev().flatten().next());
                            if empty {
                                found.add(&mut ledger, &mut skipped)
                            } else {
                                case = Some((suites.len(), found))
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
                        done.add(&mut ledger, &mut skipped);
                    }
                }
            }
        }
        if skipped > 0 {
            ledger.note("skipped-tests", format!("{skipped} skipped tests are left out"));
        }
        ledger.tests(); // a report of skipped tests is a report too
        ledger.finish()
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

    fn add(self, ledger: &mut ReadingBuilder<'_>, skipped: &mut usize) {
        let name = &self.name;
        match self.outcome {
            Outcome::Passed => ledger.tests().passed += 1,
            Outcome::Failed => ledger.tests().failed += 1,
            Outcome::Skipped => {}
        }
        match (self.outcome, self.seconds) {
            (Outcome::Skipped, _) => *skipped += 1,
            (Outcome::Failed, _) => ledger.warn("failed-test", format!("`{name}` failed; its time is left out")),
            (Outcome::Passed, None) => ledger.warn("no-value", format!("`{name}` has no time; it is left out")),
            (Outcome::Passed, Some(seconds)) => ledger.add(name, Metric::time(), [Evidence::Value(seconds * SECOND)]),
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
    fn one_good_test_among_bad_ones_is_read() {
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
        assert_eq!(codes, ["invalid-value", "no-value", "failed-test", "no-value", "skipped-tests"]);
    }

    #[test]
    fn what_stands_before_a_break_is_read() {
        let reading = read(r#"<testsuites><testsuite><testcase name="a" time="1"/><testcase name="#).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a");
        assert_eq!(reading.diagnostics[0].code, "unreadable");
    }
}
