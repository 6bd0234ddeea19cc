//! The output of `python -m timeit` and of IPython's `%timeit`: every repeat (`-v`), the best repeat, or mean and standard
//! deviation. It contains no names, so benchmarks are numbered: `line 1`.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// timeit.
#[derive(Debug)]
pub struct Timeit;

impl Format for Timeit {
    fn name(&self) -> &'static str {
        "timeit"
    }

    fn produced_by(&self) -> &'static str {
        "python -m timeit -v STATEMENT >> out.txt"
    }

    fn metrics(&self) -> &'static str {
        "time: the best of the repeats (every repeat with -v; mean and sd from %timeit)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        !preview.is_json()
            && preview.lines().any(|line| matches!(parse_line(line), Some(Line::Best { .. } | Line::Mean { .. })))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = text::decode(source)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut raw: Vec<f64> = Vec::new();
        let mut count = 0;
        for (at, line) in text::numbered_lines(&text) {
            builder.line = Some(at);
            let evidence = match parse_line(line) {
                None => continue,
                Some(Line::Raw(times)) => {
                    raw = times;
                    continue;
                }
                Some(Line::Best { loops, best }) => {
                    count += 1;
                    let times: Vec<f64> = raw.drain(..).map(|time| time / loops).collect();
                    if times.is_empty() { Evidence::Value(best) } else { Evidence::Samples(times) }
                }
                Some(Line::Mean { mean, sd, runs }) => {
                    count += 1;
                    let summary = Summary {
                        centre: mean,
                        mean: Some(mean),
                        sd: Some(sd),
                        samples: Some(runs),
                        quantiles: vec![],
                    };
                    Evidence::summary(summary)
                }
            };
            builder.add(&format!("line {count}"), Metric::time(), [evidence]);
        }
        builder.finish()
    }
}

/// A relevant line. Times are in nanoseconds.
enum Line {
    /// `raw times: 20.5 msec, 20.4 msec`, each the total of all loops.
    Raw(Vec<f64>),
    /// `100 loops, best of 5: 2.07 msec per loop`.
    Best { loops: f64, best: f64 },
    /// `1.2 µs ± 10 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)`.
    Mean { mean: f64, sd: f64, runs: u64 },
}

fn parse_line(line: &str) -> Option<Line> {
    let line = line.trim();
    if let Some(times) = line.strip_prefix("raw times:") {
        return times.split(',').map(text::time).collect::<Option<_>>().map(Line::Raw);
    }
    let (result, rest) = line.split_once(" per loop")?;
    if let Some((loops, best)) = result.split_once(", best of ") {
        let loops = loops.strip_suffix(" loops").or(loops.strip_suffix(" loop"))?.parse().ok()?;
        let (_, best) = best.split_once(':')?;
        return (loops > 0.0).then_some(Line::Best { loops, best: text::time(best)? });
    }
    let (mean, sd) = result.split_once('±')?;
    let runs = rest.trim().strip_prefix("(mean ± std. dev. of ")?.split(' ').next()?.parse().ok()?;
    Some(Line::Mean { mean: text::time(mean)?, sd: text::time(sd)?, runs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn evidence(text: &str) -> Vec<Evidence> {
        let reading = Timeit.parse(Source { name: "t.txt", bytes: text.as_bytes() }).unwrap();
        reading.measurements.into_iter().flat_map(|m| m.evidence).collect()
    }

    #[test]
    fn an_exception_ends_the_run_unless_a_result_follows() {
        let ends = |text: String| {
            let reading = Timeit.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
            reading.failures.early_ends.len()
        };
        let result = "100 loops, best of 5: 2.07 msec per loop\n";
        let traceback = "Traceback (most recent call last):\n  File \"b.py\", line 3\nKeyError: 'a'\n";
        assert_eq!(ends(format!("{traceback}{result}")), 0);
        assert_eq!(ends(format!("{result}{traceback}")), 1);
    }

    #[test]
    fn benchmarks_are_numbered_in_the_order_of_result_lines() {
        let text = "100 loops, best of 5: 2.5 usec per loop\nnoise\n1 loop, best of 3: 2 sec per loop\n";
        assert_eq!(evidence(text), [Evidence::Value(2500.0), Evidence::Value(2e9)]);
    }

    #[test]
    fn raw_times_divided_by_the_loops_are_samples() {
        let text = "raw times: 20 usec, 30 usec\n\n10 loops, best of 2: 2 usec per loop";
        assert_eq!(evidence(text), [Evidence::Samples(vec![2000.0, 3000.0])]);
    }

    #[test]
    fn ipython_prints_mean_and_standard_deviation() {
        let text = "1.5 µs ± 10 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)";
        let [Evidence::Summary(summary)] = &evidence(text)[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.sd, summary.samples), (1500.0, Some(10.0), Some(7)));
    }

    #[test]
    fn prose_about_loops_is_not_detected() {
        assert!(!Timeit.sniff(&Preview::of(b"best of 5: 3 loops per loop\n1 loops, best of x per loop")));
    }
}
