//! Apache JMeter's sample log, as CSV (with or without a header, any usual delimiter) and as XML: the time and success of
//! every request, grouped by label. Samples nested in others are skipped in XML: their time is part of their parent's, and
//! CSV logs do not contain them.

use super::builder::ReadingBuilder;
use super::load_test::{add_errors, response_time};
use super::text::{self, number};
use super::xml::{self, Elements, Step};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};
use csv::ByteRecord;
use quick_xml::events::BytesStart;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Nanoseconds in JMeter's unit of time.
const MILLISECOND: f64 = 1e6;
/// Name of the benchmark for all labels together.
const TOTAL: &str = "Total";
/// Field delimiters to try.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// JMeter's sample log.
pub struct Jmeter;

impl Format for Jmeter {
    fn name(&self) -> &'static str {
        "jmeter"
    }

    fn produced_by(&self) -> &'static str {
        "jmeter -n -t PLAN.jmx -l FILE.jtl (CSV or XML)"
    }

    fn metrics(&self) -> &'static str {
        "per label: time (a sample per request), error-rate; in total: throughput, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.xml_root == Some("testResults") || layout(preview.text.as_bytes()).is_some()
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new("jmeter", source);
        let mut log = Log::default();
        let bytes = text::utf8(source)?;
        if text::first_byte(source)? == Some(b'<') {
            read_xml(source, &mut log, &mut builder)?;
        } else if let Some(layout) = layout(bytes) {
            read_csv(bytes, &layout, &mut log, &mut builder);
        }
        builder.line = None;
        log.add_to(&mut builder);
        builder.finish()
    }
}

/// One request. Times are in milliseconds, the start since 1970.
struct Sample<'a> {
    label: Cow<'a, str>,
    start: Option<f64>,
    elapsed: f64,
    success: Option<bool>,
}

/// The samples of a log, by label.
#[derive(Default)]
struct Log {
    labels: BTreeMap<String, Label>,
    from: Option<f64>,
    to: Option<f64>,
}

#[derive(Default)]
struct Label {
    times: Vec<f64>,
    errors: u64,
    /// Requests whose success is known.
    with_success: u64,
}

impl Log {
    fn add(&mut self, sample: &Sample<'_>) {
        if let Some(start) = sample.start {
            self.from = Some(self.from.map_or(start, |from| from.min(start)));
            let end = start + sample.elapsed;
            self.to = Some(self.to.map_or(end, |to| to.max(end)));
        }
        if !self.labels.contains_key(&*sample.label) {
            self.labels.insert(sample.label.to_string(), Label::default());
        }
        if let Some(label) = self.labels.get_mut(&*sample.label) {
            label.times.push(sample.elapsed * MILLISECOND);
            label.with_success += u64::from(sample.success.is_some());
            label.errors += u64::from(sample.success == Some(false));
        }
    }

    fn add_to(self, builder: &mut ReadingBuilder<'_>) {
        let (mut all, mut with_success, mut errors) = (0, 0, 0);
        for (name, label) in self.labels {
            (all, with_success, errors) =
                (all + label.times.len(), with_success + label.with_success, errors + label.errors);
            builder.add(&name, response_time("time"), [Evidence::Samples(label.times)]);
            let count = |count: u64| (label.with_success > 0).then_some(count as f64);
            add_errors(builder, &name, count(label.errors), count(label.with_success));
        }
        if all == 0 || builder.has(TOTAL, "time") {
            return;
        }
        let seconds = self.from.zip(self.to).map(|(from, to)| (to - from) / 1000.0);
        if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
            builder.add(TOTAL, Metric::throughput(), [Evidence::Value(all as f64 / seconds)]);
        }
        let count = |count: u64| (with_success > 0).then_some(count as f64);
        add_errors(builder, TOTAL, count(errors), count(with_success));
    }
}

/// Index of the fields of a CSV log.
struct Layout {
    delimiter: u8,
    header: bool,
    start: Option<usize>,
    elapsed: usize,
    label: usize,
    success: SuccessField,
}

/// The field that contains the success of a request.
#[derive(Clone, Copy)]
enum SuccessField {
    At(usize),
    /// The first field with `true` or `false`: the order of columns in logs without a header differs between versions.
    FirstBool,
    Missing,
}

/// The layout of a CSV log, by its header or, without one, by its first row.
fn layout(bytes: &[u8]) -> Option<Layout> {
    let line = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    DELIMITERS.into_iter().find_map(|delimiter| {
        let mut record = ByteRecord::new();
        reader(line, delimiter).read_byte_record(&mut record).ok()?;
        let at = |name: &str| record.iter().position(|field| field == name.as_bytes());
        if let (Some(elapsed), Some(label)) = (at("elapsed"), at("label")) {
            let success = at("success").map_or(SuccessField::Missing, SuccessField::At);
            let start = at("timeStamp");
            let known = start.is_some() || at("success").is_some();
            return known.then_some(Layout { delimiter, header: true, start, elapsed, label, success });
        }
        let digits =
            |at: usize| record.get(at).filter(|field| field.iter().all(u8::is_ascii_digit)).map_or(0, <[u8]>::len);
        let is_sample = digits(0) >= 12 && digits(1) >= 1 && record.len() > 4 && first_bool(&record).is_some();
        is_sample.then_some(Layout {
            delimiter,
            header: false,
            start: Some(0),
            elapsed: 1,
            label: 2,
            success: SuccessField::FirstBool,
        })
    })
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

fn first_bool(record: &ByteRecord) -> Option<bool> {
    record.iter().skip(3).find_map(boolean)
}

fn boolean(field: &[u8]) -> Option<bool> {
    if field.eq_ignore_ascii_case(b"true") { Some(true) } else { field.eq_ignore_ascii_case(b"false").then_some(false) }
}

fn read_csv(bytes: &[u8], layout: &Layout, log: &mut Log, builder: &mut ReadingBuilder<'_>) {
    let mut reader = reader(bytes, layout.delimiter);
    let mut record = ByteRecord::new();
    let mut header = layout.header;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return builder.warn("unreadable-line", format!("not valid CSV: {error}")),
        }
        if std::mem::take(&mut header) {
            continue;
        }
        builder.line = text::csv_line(bytes, record.position());
        match csv_sample(&record, layout) {
            Ok(sample) => {
                log.add(&sample);
                builder.note_result();
            }
            Err(message) => builder.warn("unreadable-line", message),
        }
    }
}

fn csv_sample<'r>(record: &'r ByteRecord, layout: &Layout) -> Result<Sample<'r>, &'static str> {
    let field = |at: usize| record.get(at).map(String::from_utf8_lossy);
    let success = match layout.success {
        SuccessField::At(at) => {
            Some(record.get(at).and_then(boolean).ok_or("the success is neither `true` nor `false`; line skipped")?)
        }
        SuccessField::FirstBool => Some(first_bool(record).ok_or("no field is `true` or `false`; line skipped")?),
        SuccessField::Missing => None,
    };
    Ok(Sample {
        label: field(layout.label).ok_or("no label; skipped")?,
        start: layout.start.and_then(field).as_deref().and_then(number),
        elapsed: elapsed(field(layout.elapsed).as_deref())?,
        success,
    })
}

fn elapsed(field: Option<&str>) -> Result<f64, &'static str> {
    let message = "the elapsed time is not a number of milliseconds; skipped";
    field.and_then(number).filter(|elapsed| *elapsed >= 0.0).ok_or(message)
}

fn read_xml(source: Source<'_>, log: &mut Log, builder: &mut ReadingBuilder<'_>) -> Result<(), Diagnostic> {
    let mut elements = Elements::of(source)?;
    let (mut depth, mut nested, mut number) = (0usize, 0u64, 0u64);
    while let Some(step) = elements.next(builder) {
        let Step::Open(element, empty) = step else {
            depth = depth.saturating_sub(1);
            continue;
        };
        if matches!(element.name().as_ref(), "httpSample" | "sample") {
            if depth == 1 {
                number += 1;
                match xml_sample(&element) {
                    Ok(sample) => log.add(&sample),
                    Err(message) => builder.warn("unreadable-entry", format!("sample {number}: {message}")),
                }
            }
            nested += u64::from(depth > 1);
        }
        depth += usize::from(!empty);
    }
    if nested > 0 {
        let message = format!("nested samples skipped: {nested}; their times are part of their parents' times");
        builder.note("not-read", message);
    }
    Ok(())
}

/// Reads the attributes of a sample: `t` elapsed milliseconds, `ts` start, `s` success, `lb` label.
fn xml_sample(element: &BytesStart<'_>) -> Result<Sample<'static>, &'static str> {
    let text = |name| xml::attribute(element, name);
    Ok(Sample {
        label: Cow::Owned(text("lb").ok_or("no label; skipped")?),
        start: xml::number(element, "ts"),
        elapsed: elapsed(text("t").as_deref())?,
        success: text("s").and_then(|text| boolean(text.as_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        assert!(Jmeter.sniff(&Preview::of(text.as_bytes())));
        Jmeter.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    fn evidence<'r>(reading: &'r Reading, benchmark: &str, metric: &str) -> Option<&'r Evidence> {
        let found = |m: &&crate::model::Measurement| m.benchmark.as_str() == benchmark && m.metric.name == metric;
        reading.measurements.iter().find(found).map(|m| &m.evidence[0])
    }

    #[test]
    fn a_log_with_bars_and_without_a_header_is_read_in_order() {
        // Synthetic, like the log of an old version: the columns after the label differ from current ones.
        let text = "1436484379000|30|get csv|200|Group 1-1|true|10|1|1|5|1|0|null\n\
                    1436484379100|20|get csv|304|Group 1-2|false|10|1|1|5|1|0|null\n\
                    1436484379900|100|get csv|200|Group 1-1|true|10|1|1|5|1|0|null\n";
        let reading = parse(text).unwrap();
        assert_eq!(evidence(&reading, "get csv", "time"), Some(&Evidence::Samples(vec![30e6, 20e6, 100e6])));
        assert_eq!(evidence(&reading, "get csv", "error-rate"), Some(&share(1.0, 3.0)));
        assert_eq!(evidence(&reading, "Total", "throughput"), Some(&Evidence::Value(3.0)));
    }

    #[test]
    fn a_valid_row_among_invalid_ones_is_read() {
        let text = "timeStamp,elapsed,label,responseCode,success\n1,abc,x,200,true\n1,-5,x,200,true\n1,10\n\
                    1,7,\"x, y\",200,true\n1,10,\"unclosed,200,true\n";
        let reading = parse(text).unwrap();
        assert_eq!(evidence(&reading, "x, y", "time"), Some(&Evidence::Samples(vec![7e6])));
        let places: Vec<_> = reading.diagnostics.iter().map(|d| d.place.as_str()).collect();
        assert_eq!(places, ["x:2", "x:3", "x:4", "x:6"]);
    }

    #[test]
    fn nested_samples_are_skipped_and_entities_are_not_expanded() {
        let text = r#"<?xml version="1.0"?><!DOCTYPE testResults [<!ENTITY e "boom">]><testResults version="1.2">
            <httpSample t="5" lb="a &quot;b&quot;" s="true" ts="1000"><httpSample t="3" lb="inner"/></httpSample>
            <sample t="6" lb="&e;" s="true"/><sample t="7" lb="c" s="false" ts="1500"/>"#;
        let reading = parse(text).unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert!(names.contains(&"a \"b\"") && names.contains(&"c") && !names.contains(&"inner"));
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unreadable", "not-read"]);
    }
}
