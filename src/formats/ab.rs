//! ApacheBench (`ab`): the printed report, the percentiles of `-e` and the requests of `-g`. Throughput, response times
//! and errors are read. Only the report contains the URL; the other two files are one benchmark named `ab`.

use super::builder::ReadingBuilder;
use super::load_test::{Endpoint, Endpoints, response_time};
use super::text::{decode, number, numbered_lines};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, EndScope, Evidence};

/// Nanoseconds in ab's unit of time.
const MILLISECOND: f64 = 1e6;
/// First line of the file that `-e` writes.
const PERCENTILES: &str = "Percentage served,Time in ms";
/// First line of the file that `-g` writes.
const REQUESTS: &str = "starttime\tseconds\tctime\tdtime\tttime\twait";

/// ApacheBench: the report, `-e` and `-g`.
pub struct Ab;

impl Format for Ab {
    fn name(&self) -> &'static str {
        "ab"
    }

    fn produced_by(&self) -> &'static str {
        "ab -n 1000 -c 10 URL > FILE, or the files of ab -g FILE.tsv and -e FILE.csv"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate; -g: time, a sample per request; \
         -e: time:p50/p90/p95/p99/max"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let first = preview.first_line();
        first == PERCENTILES
            || first == REQUESTS
            || preview.lines().any(|line| line.starts_with("This is ApacheBench, "))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("ab", source);
        match text.lines().find(|line| !line.trim().is_empty()) {
            Some(PERCENTILES) => read_percentiles(&text, &mut builder),
            Some(REQUESTS) => read_requests(&text, &mut builder),
            _ => read_reports(&text, &mut builder),
        }
        builder.finish()
    }
}

/// The lines after the header.
fn rows(text: &str) -> impl Iterator<Item = (u64, &str)> {
    numbered_lines(text).skip_while(|(_, line)| line.trim().is_empty()).skip(1)
}

/// Lines such as `98,50.737`. The lowest percentage is the shortest request, the highest the longest one.
fn read_percentiles(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut endpoint = Endpoint { name: "ab".to_owned(), ..Endpoint::default() };
    for (at, line) in rows(text) {
        builder.line = Some(at);
        let pair = line.split_once(',').and_then(|(share, value)| Some((number(share)?, number(value)?)));
        match pair {
            Some((share, value)) => endpoint.quantiles.push((share / 100.0, value * MILLISECOND)),
            None => builder.warn(
                "unreadable-line",
                format!("`{line}` is not a percentage and a time in milliseconds, such as `98,50.737`"),
            ),
        }
    }
    endpoint.add_to(builder);
}

/// One request per line. ab sorts them by duration; they are sorted back by the second in which they started, since the
/// order of samples matters for drift within a run.
fn read_requests(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut requests: Vec<(u64, f64)> = Vec::new();
    for (at, line) in rows(text) {
        builder.line = Some(at);
        let mut fields = line.split('\t').skip(1);
        let second = fields.next().and_then(|field| field.parse().ok());
        let total = fields.nth(2).and_then(number).filter(|total| *total >= 0.0);
        match second.zip(total) {
            Some((second, total)) => requests.push((second, total * MILLISECOND)),
            None => builder.warn("unreadable-line", format!("`{line}` is not a request line of ab -g")),
        }
    }
    requests.sort_by_key(|(second, _)| *second);
    let samples: Vec<f64> = requests.into_iter().map(|(_, total)| total).collect();
    if !samples.is_empty() {
        builder.add("ab", response_time("time"), [Evidence::Samples(samples)]);
    }
}

/// Each report begins with a banner. Further reports of the same path and settings are further runs.
fn read_reports(text: &str, builder: &mut ReadingBuilder<'_>) {
    let mut endpoints = Endpoints::default();
    let mut run: Option<Report> = None;
    for (at, line) in numbered_lines(text) {
        builder.line = Some(at);
        if line.starts_with("This is ApacheBench, ") {
            if let Some(done) = run.replace(Report::default()) {
                done.add_to(&mut endpoints, builder);
            }
        } else if let Some(run) = &mut run
            && run.read_line(line).is_none()
        {
            builder.warn("unreadable-line", format!("`{line}` has no valid number where ab prints one"));
        }
    }
    if let Some(done) = run {
        done.add_to(&mut endpoints, builder);
    }
    endpoints.add_to(builder);
}

/// The values of a report.
#[derive(Default)]
struct Report {
    endpoint: Endpoint,
    failed: f64,
    non_2xx: f64,
    /// The last error. ab prints results only if the run completes.
    error: Option<String>,
}

impl Report {
    /// Reads one line; `None` if a relevant line has an invalid number.
    fn read_line(&mut self, line: &str) -> Option<()> {
        let run = &mut self.endpoint;
        let line = line.trim();
        if let Some((share, value)) = line.split_once('%') {
            // `98%     51`, `100%     51 (longest request)`
            if let Some(share) = number(share) {
                let value = number(value.split_whitespace().next()?)?;
                run.quantiles.push((share / 100.0, value * MILLISECOND));
                return Some(());
            }
        }
        if line.starts_with("apr_") || line.starts_with("Test aborted after ") || line.starts_with("ab: ") {
            self.error = Some(line.to_owned());
            return Some(());
        }
        let Some((key, value)) = line.split_once(':') else { return Some(()) };
        let first = value.split_whitespace().next().unwrap_or_default();
        match key {
            "Document Path" => run.name = first.to_owned(),
            "Concurrency Level" => run.settings.push(("concurrency", first.to_owned())),
            "Complete requests" => {
                run.requests = Some(number(first)?);
                run.samples = run.requests.map(|n| n as u64);
            }
            "Failed requests" => self.failed = number(first)?,
            "Non-2xx responses" => self.non_2xx = number(first)?,
            "Requests per second" => run.rate = Some(Evidence::Value(number(first)?)),
            // A second `Time per request` line divides the first by the number of concurrent clients.
            "Time per request" if !value.contains("across all") => run.mean = Some(number(first)? * MILLISECOND),
            // `41   43   2.3     43      51`: min, mean, standard deviation, median, max in whole milliseconds.
            "Total" => {
                let columns: Option<Vec<f64>> = value.split_whitespace().map(number).collect();
                if let [min, _, sd, _, _] = columns?[..] {
                    run.sd = Some(sd * MILLISECOND);
                    run.quantiles.push((0.0, min * MILLISECOND));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// ab also counts a non-2xx response as failed if its length differs, so the larger of the two counts is used.
    fn add_to(mut self, endpoints: &mut Endpoints, builder: &mut ReadingBuilder<'_>) {
        if self.endpoint.requests.is_none() && self.endpoint.rate.is_none() {
            builder.line = None;
            let why = self.error.as_deref().unwrap_or("ab printed no results after its first line");
            return builder.end_early(EndScope::Suite, why);
        }
        if self.endpoint.requests.is_some() {
            self.endpoint.errors = Some(self.failed.max(self.non_2xx));
        }
        if self.endpoint.name.is_empty() {
            self.endpoint.name = "ab".to_owned();
        }
        endpoints.push(builder.line, self.endpoint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Ab.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    #[test]
    fn requests_are_sorted_by_their_start() {
        let line = |second: u64, total: u64| format!("Sat Nov 21 08:56:21 2026\t{second}\t0\t1\t{total}\t1\n");
        let text = format!("{REQUESTS}\n{}{}broken\n{}", line(12, 41), line(11, 42), line(11, 43));
        let reading = parse(&text).unwrap();
        assert_eq!(reading.measurements[0].evidence, [Evidence::Samples(vec![42e6, 43e6, 41e6])]);
        assert_eq!(reading.diagnostics[0].place, "x:4");
    }

    #[test]
    fn a_non_2xx_response_that_also_failed_is_one_error() {
        let text = "This is ApacheBench, Version 2.3\nDocument Path:          /a\nComplete requests:      50\n\
                    Failed requests:        3\nNon-2xx responses:      5\nRequests per second:    9.5 [#/sec] (mean)\n";
        let reading = parse(text).unwrap();
        let value = |name| reading.measurements.iter().find(|m| m.metric.name == name).map(|m| &m.evidence[0]);
        assert_eq!(value("error-rate"), Some(&share(5.0, 50.0)));
        assert_eq!(reading.measurements[0].benchmark.as_str(), "/a");
    }

    #[test]
    fn a_report_without_results_is_the_end_of_the_run() {
        let banner = "This is ApacheBench, Version 2.3\n\nBenchmarking h (be patient)\n";
        let done = "Document Path:          /a\nComplete requests:      50\nFailed requests:        0\n";
        let aborted = "Completed 150 requests\napr_socket_recv: Connection reset by peer (104)\nTotal of 213 requests completed\n";
        let reading = parse(&format!("{banner}{done}{banner}{aborted}")).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "/a");
        let why: Vec<&str> = reading.failures.early_ends.iter().map(|end| &*end.why).collect();
        assert_eq!(why, ["apr_socket_recv: Connection reset by peer (104)"]);
        assert!(parse(&format!("{banner}{done}")).unwrap().failures.is_empty());
    }
}
