//! oha's JSON summary of one run. It contains no URL, so the benchmark is named `oha`.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, number_at, sum};
use super::load_test::Endpoint;
use super::text::number;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// Nanoseconds in oha's unit of time.
const SECOND: f64 = 1e9;

/// oha's JSON summary of one run.
#[derive(Debug)]
pub struct Oha;

impl Format for Oha {
    fn name(&self) -> &'static str {
        "oha"
    }

    fn produced_by(&self) -> &'static str {
        "oha --output-format json URL > FILE (older versions: -j)"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["summary.requestsPerSec", "latencyPercentiles"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        let time = |path: &str| number_at(&file, path).map(|seconds| seconds * SECOND);
        let percentiles = entries(&file, "latencyPercentiles");
        let share = |key: &str| number(key.strip_prefix('p')?).map(|percent| percent / 100.0);
        let quantiles = percentiles.filter_map(|(key, value)| Some((share(key)?, as_number(value)? * SECOND)));
        let ends = [(0.0, time("summary.fastest")), (1.0, time("summary.slowest"))];
        let ends = ends.into_iter().filter_map(|(share, value)| Some((share, value?)));
        // Requests that were cut off at the end of the test are listed as errors but did not fail.
        let cut = entries(&file, "errorDistribution").filter(|(error, _)| error.contains("deadline"));
        let cut: f64 = cut.filter_map(|(_, count)| as_number(count)).sum();
        let lost = sum(&file, "errorDistribution") - cut;
        let answered = sum(&file, "statusCodeDistribution");
        let bad = entries(&file, "statusCodeDistribution").filter(|(status, _)| status.starts_with(['4', '5']));
        let bad: f64 = bad.filter_map(|(_, count)| as_number(count)).sum();
        let endpoint = Endpoint {
            name: "oha".to_owned(),
            requests: Some(answered + lost),
            errors: Some(bad + lost),
            rate: number_at(&file, "summary.requestsPerSec").map(Evidence::Value),
            mean: time("summary.average"),
            samples: (answered > 0.0).then_some(answered as u64),
            quantiles: quantiles.chain(ends).collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}
