//! h2load's report: throughput, response times and errors. It contains no URL, so the benchmark is named `h2load`. Several
//! reports in a file are several runs.

use super::builder::ReadingBuilder;
use super::load_test::{Endpoint, Endpoints};
use super::text::{decode, number, numbered_lines, time};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence};

/// h2load's report.
pub struct H2load;

impl Format for H2load {
    fn name(&self) -> &'static str {
        "h2load"
    }

    fn produced_by(&self) -> &'static str {
        "h2load -n 10000 -c 10 URL > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:mean, time:max (newer versions also time:p50/p95/p99), error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| throughput_of(line).is_some())
            && preview.lines().any(|line| line.starts_with("status codes:"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("h2load", source);
        let mut endpoints = Endpoints::default();
        let mut run: Option<Endpoint> = None;
        let mut columns: Vec<&str> = Vec::new();
        let mut clients = 0.0;
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(rate) = throughput_of(line) {
                let rate = Some(Evidence::Value(rate));
                let settings = (clients > 0.0).then(|| ("clients", std::mem::take(&mut clients).to_string()));
                let settings = settings.into_iter().collect();
                let started = Endpoint { name: "h2load".to_owned(), rate, settings, ..Endpoint::default() };
                if let Some(done) = run.replace(started) {
                    endpoints.push(builder.line, done);
                }
                continue;
            }
            clients += clients_of(line).unwrap_or_default();
            let Some(run) = &mut run else { continue };
            let parsed = match line.split_once(':') {
                Some(("requests", counts)) => read_requests(run, counts),
                Some((row, values)) if matches!(row.trim_end(), "time for request" | "request") => {
                    read_times(run, &columns, values)
                }
                None if line.trim_start().starts_with("min ") => {
                    columns = line.split_whitespace().collect();
                    Some(())
                }
                _ => Some(()),
            };
            if parsed.is_none() {
                builder.warn("unreadable-line", format!("`{line}` has no valid number where h2load prints one"));
            }
        }
        if let Some(done) = run {
            endpoints.push(builder.line, done);
        }
        endpoints.add_to(&mut builder);
        builder.finish()
    }
}

/// Requests per second in `finished in 1.88s, 79.71 req/s, 46.86KB/s`.
fn throughput_of(line: &str) -> Option<f64> {
    let (_, rest) = line.strip_prefix("finished in ")?.split_once(", ")?;
    number(rest.split_once(" req/s")?.0)
}

/// The clients of one thread in `spawning thread #0: 5 total client(s). 150 total requests`.
fn clients_of(line: &str) -> Option<f64> {
    let (_, rest) = line.strip_prefix("spawning thread #")?.split_once(": ")?;
    number(rest.split_once(" total client(s)")?.0)
}

/// Reads `150 total, 150 started, 150 done, 150 succeeded, 0 failed, 0 errored, 0 timeout`. The failed requests include
/// the errored and timed-out ones.
fn read_requests(run: &mut Endpoint, counts: &str) -> Option<()> {
    run.requests = Some(count_of(counts, " done")?);
    run.samples = count_of(counts, " succeeded").map(|n| n as u64);
    run.errors = Some(count_of(counts, " failed")?);
    Some(())
}

fn count_of(counts: &str, state: &str) -> Option<f64> {
    counts.split(',').find_map(|part| part.trim().strip_suffix(state)).and_then(number)
}

/// Reads a row of times. The header's last column is the two words `+/- sd`, a percentage that is not read.
fn read_times(run: &mut Endpoint, columns: &[&str], values: &str) -> Option<()> {
    let columns = columns.iter().take_while(|column| **column != "+/-");
    for (column, value) in columns.zip(values.split_whitespace()) {
        let value = time(value)?;
        match *column {
            "min" => run.quantiles.push((0.0, value)),
            "median" => run.quantiles.push((0.5, value)),
            "p95" => run.quantiles.push((0.95, value)),
            "p99" => run.quantiles.push((0.99, value)),
            "max" => run.quantiles.push((1.0, value)),
            "mean" => run.mean = Some(value),
            "sd" => run.sd = Some(value),
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(reading: &Reading, metric: &str) -> Option<f64> {
        let measurement = reading.measurements.iter().find(|m| m.metric.name == metric)?;
        Some(measurement.evidence[0].centre())
    }

    #[test]
    fn columns_are_assigned_by_their_header() {
        let text = "finished in 1.00s, 10.00 req/s, 1KB/s\nrequests: 12 total, 12 started, 10 done, 8 succeeded, \
            2 failed, 1 errored, 1 timeout\nstatus codes: 8 2xx\n     min  max  median  p95  p99  mean  sd  +/- sd\n\
            request     :  7us  461us  10us  15us  20us  11us  3us  93.62%\nconnect     :  1s 1s 1s 1s 1s 1s 1s 1%\n";
        assert!(H2load.sniff(&Preview::of(text.as_bytes())));
        let reading = H2load.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let value = |metric: &str| value(&reading, metric);
        assert_eq!((value("time:p50"), value("time:p95"), value("time:max")), (Some(10e3), Some(15e3), Some(461e3)));
        assert_eq!((value("errors"), value("error-rate")), (None, Some(20.0)));
        assert!(reading.diagnostics.is_empty());
    }
}
