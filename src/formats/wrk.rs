//! The report of wrk and wrk2, with or without `--latency`: throughput, response times and errors. A file may contain
//! several reports; reports of the same path and settings are further runs.

use super::builder::ReadingBuilder;
use super::load_test::{Endpoint, Endpoints};
use super::text::{decode, number, numbered_lines, time, url_path};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, EndScope, Evidence};

/// wrk's report.
pub struct Wrk;

impl Format for Wrk {
    fn name(&self) -> &'static str {
        "wrk"
    }

    fn produced_by(&self) -> &'static str {
        "wrk --latency URL > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:mean, time:max, with --latency also time:p50/p90/p99, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| url_of(line).is_some()) && preview.text.contains("Thread Stats")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("wrk", source);
        let mut endpoints = Endpoints::default();
        let mut run: Option<Endpoint> = None;
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(url) = url_of(line) {
                if let Some(done) = run.replace(Endpoint { name: url_path(url).to_owned(), ..Endpoint::default() }) {
                    endpoints.push(builder.line, done);
                }
            } else if line.starts_with("unable to ") {
                // Such as `unable to connect to 127.0.0.1:8801 Connection refused`.
                builder.end_early(EndScope::Suite, line);
            } else if let Some(run) = &mut run
                && read_line(run, line).is_none()
            {
                builder.warn("unreadable-line", format!("`{line}` has no valid number where wrk prints one"));
            }
        }
        if let Some(done) = run {
            endpoints.push(builder.line, done);
        }
        endpoints.add_to(&mut builder);
        builder.finish()
    }
}

/// The URL in `Running 3s test @ URL`.
fn url_of(line: &str) -> Option<&str> {
    let (duration, url) = line.trim().strip_prefix("Running ")?.split_once(" test @ ")?;
    time(duration).map(|_| url.trim())
}

/// Reads one line of a report; `None` if a relevant line has an invalid number.
fn read_line(run: &mut Endpoint, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        // The last column, the share of values within one standard deviation, is not read.
        ["Latency", mean, sd, max, _] if *mean != "Distribution" => {
            run.mean = Some(time(mean)?);
            run.sd = Some(time(sd)?);
            run.quantiles.push((1.0, time(max)?));
        }
        [share, value] if share.ends_with('%') => {
            run.quantiles.push((number(share.trim_end_matches('%'))? / 100.0, time(value)?));
        }
        [requests, "requests", "in", ..] => {
            run.requests = Some(number(requests)?);
            run.samples = run.requests.map(|n| n as u64);
            run.errors.get_or_insert(0.0);
        }
        ["Socket", "errors:", kinds @ ..] => {
            let counts = kinds.iter().filter_map(|word| number(word.trim_end_matches(',')));
            *run.errors.get_or_insert(0.0) += counts.sum::<f64>();
        }
        ["Non-2xx", "or", "3xx", "responses:", count] => *run.errors.get_or_insert(0.0) += number(count)?,
        [_, "threads", "and", connections, "connections"] => {
            run.settings.push(("connections", (*connections).to_owned()));
        }
        ["Requests/sec:", rate] => run.rate = Some(Evidence::Value(number(rate)?)),
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share;

    const REPORT: &str = "Running 1s test @ http://h:1/a\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
        Latency     2.00ms    1.00ms  20.00ms   84.46%\n  100 requests in 1.00s, 0.92MB read\n  \
        Socket errors: connect 0, read 1, write 0, timeout 2\n  Non-2xx or 3xx responses: 7\nRequests/sec:    100.00\n";

    #[test]
    fn reports_of_one_path_are_runs_and_all_kinds_of_errors_are_summed() {
        let text = format!("{REPORT}{REPORT}");
        let reading = Wrk.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let errors = reading.measurements.iter().find(|m| m.metric.name == "error-rate").unwrap();
        assert_eq!(errors.evidence, [share(10.0, 100.0), share(10.0, 100.0)]);
        assert_eq!(errors.benchmark.as_str(), "/a");
    }

    #[test]
    fn an_invalid_line_is_reported_and_the_others_are_read() {
        let text = REPORT.replace("2.00ms    1.00ms", "2.00parsecs 1.00ms");
        let reading = Wrk.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.diagnostics[0].place, "x:3");
        assert!(reading.measurements.iter().any(|m| m.metric.name == "throughput"));
        assert!(reading.measurements.iter().all(|m| m.metric.name != "time:mean"));
    }

    #[test]
    fn a_server_that_is_not_reached_ends_the_run() {
        let error = "unable to connect to 127.0.0.1:8801 Connection refused";
        let text = format!("{REPORT}{error}\n");
        let reading = Wrk.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.failures.early_ends[0].why, error);
        assert!(reading.measurements.iter().any(|m| m.metric.name == "throughput"));
    }
}
