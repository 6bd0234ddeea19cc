//! wrk (and wrk2): the text it prints at the end of a run, with `--latency` and without.
//! Several runs in one file are told apart by their first line; a URL that comes again is a replicate.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::text::{decode, number, numbered_lines, time, url_path};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence};

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
        "for the path of the URL: throughput, time:mean and time:max, with --latency time:p50/p90/p99, errors, error-rate"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| run_of(line).is_some()) && preview.text.contains("Thread Stats")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("wrk", source);
        let mut run: Option<Endpoint> = None;
        for (at, line) in numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(url) = run_of(line) {
                if let Some(done) = run.replace(Endpoint { name: url_path(url).to_owned(), ..Endpoint::default() }) {
                    done.add_to(&mut builder);
                }
            } else if let Some(run) = &mut run
                && take(run, line).is_none()
            {
                builder.warn("unreadable-line", format!("is no line of wrk's: `{line}`"));
            }
        }
        if let Some(done) = run {
            done.add_to(&mut builder);
        }
        builder.finish()
    }
}

/// The URL of `Running 3s test @ URL`.
fn run_of(line: &str) -> Option<&str> {
    let (duration, url) = line.trim().strip_prefix("Running ")?.split_once(" test @ ")?;
    time(duration).map(|_| url.trim())
}

/// Takes in one line of a run; `None` where a line that matters is broken.
fn take(run: &mut Endpoint, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        // The spread that follows is the share within one deviation.
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
        ["Requests/sec:", rate] => run.rate = Some(Evidence::Value(number(rate)?)),
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 1s test @ http://h:1/a\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
        Latency     2.00ms    1.00ms  20.00ms   84.46%\n  100 requests in 1.00s, 0.92MB read\n  \
        Socket errors: connect 0, read 1, write 0, timeout 2\n  Non-2xx or 3xx responses: 7\nRequests/sec:    100.00\n";

    #[test]
    fn two_runs_of_a_url_are_replicates_and_all_errors_count() {
        let text = format!("{REPORT}{REPORT}");
        let reading = Wrk.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let errors = reading.measurements.iter().find(|m| m.metric.name == "errors").unwrap();
        assert_eq!(errors.replicates, [Evidence::Value(10.0), Evidence::Value(10.0)]);
        assert_eq!(errors.benchmark.as_str(), "/a");
    }

    #[test]
    fn a_broken_line_is_reported_beside_the_good_ones() {
        let text = REPORT.replace("2.00ms    1.00ms", "2.00parsecs 1.00ms");
        let reading = Wrk.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.diagnostics[0].place, "x:3");
        assert!(reading.measurements.iter().any(|m| m.metric.name == "throughput"));
        assert!(reading.measurements.iter().all(|m| m.metric.name != "time:mean"));
    }
}
