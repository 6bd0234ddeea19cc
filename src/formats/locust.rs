//! Locust's statistics, as CSV (`--csv`) and as JSON (`--json`, `--json-file`): throughput, response times and errors of
//! each endpoint. Locust's other CSV files (failures, exceptions, history) are detected but not read: they only detail
//! these statistics.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::text::number;
use super::{Format, Preview, Reading, Source, json, text};
use crate::model::{Diagnostic, Evidence};
use csv::ByteRecord;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Nanoseconds in Locust's unit of time.
const MILLISECOND: f64 = 1e6;
/// Name of the row for all endpoints together.
const TOTAL: &str = "Aggregated";

/// Locust's statistics.
pub struct Locust;

/// Locust's CSV files.
#[derive(Debug, Clone, Copy, PartialEq)]
enum CsvFile {
    Statistics,
    Failures,
    Exceptions,
    History,
}

impl Format for Locust {
    fn name(&self) -> &'static str {
        "locust"
    }

    fn produced_by(&self) -> &'static str {
        "locust --headless --csv PREFIX (PREFIX_stats.csv), or --json > FILE, or --json-file NAME"
    }

    fn metrics(&self) -> &'static str {
        "per endpoint and in total: throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["[].num_requests", "[].response_times", "[].num_none_requests"])
            || detect_csv(&first_record(preview.first_line().as_bytes())).is_some()
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        if text::first_byte(source)? == Some(b'[') {
            parse_json(source)
        } else {
            parse_csv(source, text::utf8(source)?)
        }
    }
}

fn first_record(line: &[u8]) -> ByteRecord {
    let mut record = ByteRecord::new();
    // A line that is not CSV leaves the record empty, which matches no file.
    let _ = reader(line).read_byte_record(&mut record);
    record
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}

fn detect_csv(header: &ByteRecord) -> Option<CsvFile> {
    let has = |names: &[&str]| names.iter().all(|name| header.iter().any(|field| field == name.as_bytes()));
    if has(&["Timestamp", "User Count", "Type", "Name"]) {
        Some(CsvFile::History)
    } else if has(&["Type", "Name", "Request Count", "Failure Count", "Requests/s"]) {
        Some(CsvFile::Statistics)
    } else if has(&["Method", "Name", "Error", "Occurrences"]) {
        Some(CsvFile::Failures)
    } else if has(&["Count", "Message", "Traceback", "Nodes"]) {
        Some(CsvFile::Exceptions)
    } else {
        None
    }
}

fn parse_csv(source: Source<'_>, bytes: &[u8]) -> Result<Reading, Diagnostic> {
    let mut reader = reader(bytes);
    let mut header = ByteRecord::new();
    // An invalid header stays empty and is reported below.
    let _ = reader.read_byte_record(&mut header);
    let content = match detect_csv(&header) {
        Some(CsvFile::Statistics) => return parse_statistics(source, bytes, reader, &header),
        Some(CsvFile::Failures) => "failures; their number is in PREFIX_stats.csv",
        Some(CsvFile::Exceptions) => "exceptions in the test script, not measurements",
        Some(CsvFile::History) => "history over time; the final statistics are in PREFIX_stats.csv",
        None => {
            let message =
                "not a CSV file of locust; use PREFIX_stats.csv, whose header begins with Type,Name,Request Count";
            return Err(Diagnostic::error("unreadable", source.name, message));
        }
    };
    let note = Diagnostic::note("not-read", source.name, format!("not read: the file contains locust's {content}"));
    Ok(Reading { diagnostics: vec![note], ..Reading::default() })
}

fn parse_statistics(
    source: Source<'_>,
    bytes: &[u8],
    mut reader: csv::Reader<&[u8]>,
    header: &ByteRecord,
) -> Result<Reading, Diagnostic> {
    let mut builder = ReadingBuilder::new("locust", source);
    let columns = Columns::of(header);
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                builder.warn("unreadable-line", format!("not valid CSV: {error}"));
                break;
            }
        }
        builder.line = text::csv_line(bytes, record.position());
        if record.len() < header.len() && reader.position().byte() as usize >= bytes.len() && !bytes.ends_with(b"\n") {
            builder.cut_off(builder.line.unwrap_or_default());
            break;
        }
        let field = |at: usize| record.get(at).map(String::from_utf8_lossy);
        let named = |name: &str| columns.by_name.get(name).copied().and_then(field);
        let value = |name: &str| named(name).as_deref().and_then(number);
        let (Some(method), Some(name)) = (named("Type"), named("Name")) else {
            builder.warn("unreadable-line", "the row has no name; skipped");
            continue;
        };
        let (Some(requests), Some(failures)) = (value("Request Count"), value("Failure Count")) else {
            builder.warn("unreadable-line", format!("`{name}` has no number of requests and failures; skipped"));
            continue;
        };
        if requests == 0.0 {
            builder.warn("no-samples", format!("`{name}` has no requests; skipped"));
            continue;
        }
        let full_name = full_name(&method, &name);
        if builder.has(&full_name, "error-rate") {
            builder.warn("duplicate-name", format!("`{full_name}` occurs more than once; only the first is used"));
            continue;
        }
        let time = |name: &str| value(name).map(|value| value * MILLISECOND);
        let quantile = |(share, at): &(f64, usize)| Some((*share, number(&field(*at)?)? * MILLISECOND));
        let mut quantiles: Vec<_> = columns.quantiles.iter().filter_map(quantile).collect();
        quantiles.extend(time("Min Response Time").map(|value| (0.0, value)));
        quantiles.extend(time("Max Response Time").map(|value| (1.0, value)));
        let endpoint = Endpoint {
            name: full_name,
            requests: Some(requests),
            errors: Some(failures),
            rate: value("Requests/s").map(Evidence::Value),
            mean: time("Average Response Time"),
            samples: Some(requests as u64),
            quantiles,
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
    }
    builder.finish()
}

/// Where the columns of the statistics are.
struct Columns<'h> {
    /// The first column of each name.
    by_name: BTreeMap<&'h str, usize>,
    /// The share of each column of a quantile.
    quantiles: Vec<(f64, usize)>,
}

impl<'h> Columns<'h> {
    fn of(header: &'h ByteRecord) -> Self {
        let mut by_name = BTreeMap::new();
        for (at, name) in header.iter().enumerate() {
            by_name.entry(std::str::from_utf8(name).unwrap_or_default()).or_insert(at);
        }
        let quantile = |(name, at): (&&str, &usize)| Some((number(name.strip_suffix('%')?)? / 100.0, *at));
        // The 100% column is rounded; the minimum and maximum columns are not.
        let quantiles = by_name.iter().filter_map(quantile).filter(|(share, _)| *share < 1.0).collect();
        Columns { by_name, quantiles }
    }
}

/// `GET /search`. The row for all endpoints has no method.
fn full_name(method: &str, name: &str) -> String {
    if method.is_empty() { name.to_owned() } else { format!("{method} {name}") }
}

/// An endpoint in the JSON statistics. `response_times` maps rounded milliseconds to counts.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    start_time: f64,
    last_request_timestamp: Option<f64>,
    num_requests: u64,
    num_failures: u64,
    total_response_time: f64,
    min_response_time: Option<f64>,
    max_response_time: Option<f64>,
    response_times: BTreeMap<&'a str, u64>,
}

/// Totals of one endpoint or of all. Locust prints the totals of all endpoints, but its JSON does not contain them.
struct Totals {
    requests: u64,
    failures: u64,
    total_time: f64,
    from: f64,
    to: f64,
    min: Option<f64>,
    max: Option<f64>,
    counts: Vec<(f64, u64)>,
}

fn parse_json(source: Source<'_>) -> Result<Reading, Diagnostic> {
    let bytes = text::utf8(source)?;
    let text = json::without_nan(bytes);
    let entries: Vec<&RawValue> = json::parse(Source { name: source.name, bytes: &text })?;
    let mut builder = ReadingBuilder::new("locust", source);
    let mut total: Option<Totals> = None;
    for (number, raw) in entries.iter().enumerate() {
        let entry: Entry<'_> = match serde_json::from_str(raw.get()) {
            Ok(entry) => entry,
            Err(error) => {
                builder.warn("unreadable-entry", format!("entry {} skipped: {error}", number + 1));
                continue;
            }
        };
        let name = full_name(entry.method.as_deref().unwrap_or_default(), &entry.name);
        if entry.num_requests == 0 {
            builder.warn("no-samples", format!("`{name}` has no requests; skipped"));
            continue;
        }
        if builder.has(&name, "error-rate") {
            builder.warn("duplicate-name", format!("`{name}` occurs more than once; only the first is used"));
            continue;
        }
        let totals = totals(&entry);
        total = Some(match total {
            None => totals.add_endpoint(name, &mut builder),
            Some(sum) => sum.plus(totals.add_endpoint(name, &mut builder)),
        });
    }
    if let Some(total) = total.filter(|_| !builder.has(TOTAL, "error-rate")) {
        total.add_endpoint(TOTAL.to_owned(), &mut builder);
    }
    builder.finish()
}

fn totals(entry: &Entry<'_>) -> Totals {
    let counts = entry.response_times.iter().filter_map(|(value, count)| Some((number(value)?, *count)));
    Totals {
        requests: entry.num_requests,
        failures: entry.num_failures,
        total_time: entry.total_response_time,
        from: entry.start_time,
        to: entry.last_request_timestamp.unwrap_or(entry.start_time),
        min: entry.min_response_time,
        max: entry.max_response_time,
        counts: counts.collect(),
    }
}

impl Totals {
    /// Adds these totals as an endpoint, and returns them for the sum.
    fn add_endpoint(mut self, name: String, builder: &mut ReadingBuilder<'_>) -> Self {
        self.counts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let shares = [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999];
        let mut quantiles: Vec<_> =
            shares.into_iter().filter_map(|share| Some((share, self.quantile(share)? * MILLISECOND))).collect();
        quantiles.extend(self.min.map(|value| (0.0, value * MILLISECOND)));
        quantiles.extend(self.max.map(|value| (1.0, value * MILLISECOND)));
        let requests = self.requests as f64;
        let seconds = self.to - self.from;
        let endpoint = Endpoint {
            name,
            requests: Some(requests),
            errors: Some(self.failures as f64),
            rate: (seconds > 0.0).then(|| Evidence::Value(requests / seconds)),
            mean: Some(self.total_time / requests * MILLISECOND),
            samples: Some(self.requests),
            quantiles,
            ..Endpoint::default()
        };
        endpoint.add_to(builder);
        self
    }

    /// A quantile, computed like in Locust's own tables.
    fn quantile(&self, share: f64) -> Option<f64> {
        let all = self.counts.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
        let rank = ((all as f64 * share).floor() as u64).min(all.checked_sub(1)?);
        let mut passed = 0u64;
        self.counts.iter().find_map(|(value, count)| {
            passed = passed.saturating_add(*count);
            (passed > rank).then_some(*value)
        })
    }

    fn plus(mut self, other: Totals) -> Totals {
        self.counts.extend(other.counts);
        Totals {
            requests: self.requests.saturating_add(other.requests),
            failures: self.failures.saturating_add(other.failures),
            total_time: self.total_time + other.total_time,
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            min: self.min.into_iter().chain(other.min).min_by(f64::total_cmp),
            max: self.max.into_iter().chain(other.max).max_by(f64::total_cmp),
            counts: self.counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Locust.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    fn value(reading: &Reading, benchmark: &str, metric: &str) -> Option<Evidence> {
        let found = |m: &&crate::model::Measurement| m.benchmark.as_str() == benchmark && m.metric.name == metric;
        reading.measurements.iter().find(found).map(|m| m.evidence[0].clone())
    }

    fn entry(name: &str, times: &str, start: f64, end: f64, total: f64) -> String {
        format!(
            r#"{{"name": "{name}", "method": "GET", "start_time": {start}, "last_request_timestamp": {end},
            "num_requests": 4, "num_none_requests": 0, "num_failures": 1, "total_response_time": {total},
            "min_response_time": 1.5, "max_response_time": 9.5, "response_times": {times}}}"#
        )
    }

    #[test]
    fn json_statistics_add_up_to_the_totals_that_locust_prints() {
        let a = entry("/a", r#"{"2": 3, "10": 1}"#, 100.0, 102.0, 16.0);
        let b = entry("/b", r#"{"4": 4}"#, 101.0, 104.0, 16.0);
        let reading = parse(&format!("[{a}, {b}, {{\"name\": 3}}, {a}]")).unwrap();
        // Sorted: 2 2 2 | 4 4 4 4 | 10. Half of eight is rank 4 (from 0): 4 ms.
        assert!(matches!(value(&reading, "Aggregated", "time:p50"), Some(Evidence::Summary(s)) if s.centre == 4e6));
        assert_eq!(value(&reading, "Aggregated", "throughput"), Some(Evidence::Value(2.0)));
        assert_eq!(value(&reading, "Aggregated", "error-rate"), Some(share(2.0, 8.0)));
        assert!(matches!(value(&reading, "GET /a", "time:mean"), Some(Evidence::Summary(s)) if s.centre == 4e6));
        assert_eq!(value(&reading, "GET /a", "time:max"), Some(Evidence::Value(9.5e6)));
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unreadable-entry", "duplicate-name"]);
    }

    #[test]
    fn a_valid_row_among_invalid_ones_is_read() {
        let text = "Type,Name,Request Count,Failure Count,Requests/s,50%\nGET,/a,2,0,1.5,N/A\nGET,/b,x,0,1,1\nGET\n\
                    GET,/c,0,0,0,0\n";
        let reading = parse(text).unwrap();
        assert_eq!(value(&reading, "GET /a", "throughput"), Some(Evidence::Value(1.5)));
        assert_eq!(value(&reading, "GET /a", "time:p50"), None);
        let places: Vec<_> = reading.diagnostics.iter().map(|d| d.place.as_str()).collect();
        assert_eq!(places, ["x:3", "x:4", "x:5"]);
    }

    #[test]
    fn other_files_of_locust_are_detected_and_not_read() {
        for header in
            ["Method,Name,Error,Occurrences", "Count,Message,Traceback,Nodes", "Timestamp,User Count,Type,Name"]
        {
            assert!(Locust.sniff(&Preview::of(header.as_bytes())));
            let reading = parse(header).unwrap();
            assert!(reading.measurements.is_empty());
            assert_eq!(reading.diagnostics[0].code, "not-read");
        }
        assert!(parse("a,b\n1,2\n").is_err());
    }
}
