//! `[[accept]]`: a known regression that is accepted until a given day, of a benchmark or of the whole suite.

use super::problem::{Invalid, Lines, Sink};
use super::raw::Accept;
use super::up_to::{self, UpTo};
use super::validate::{duplicate, not_empty};
use super::value;
use jiff::civil::Date;
use std::collections::BTreeMap;
use toml::Spanned;

/// The waiver for a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// Exact name of the benchmark.
    pub benchmark: String,
    /// Exact name of the metric; `None` covers all metrics.
    pub metric: Option<String>,
    /// The worst that is accepted.
    pub up_to: UpTo,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which it applies.
    pub until: Date,
    /// Line in the config.
    pub line: usize,
}

/// The waiver for the change of the whole suite, which `perfgate measure` judges. It accepts no regression of a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct SuiteWaiver {
    /// The largest change for the worse that is accepted, as a fraction.
    pub up_to: f64,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which it applies.
    pub until: Date,
    /// Line in the config.
    pub line: usize,
}

impl Waiver {
    /// True if the waiver applies to this metric of this benchmark.
    pub fn covers(&self, benchmark: &str, metric: &str) -> bool {
        self.benchmark == benchmark && self.metric.as_deref().is_none_or(|own| own == metric)
    }

    /// True if the waiver accepts a change for the worse of this size (a fraction). A waiver that limits the value
    /// (`up-to = "<=4"`) never does.
    pub fn covers_change(&self, worse: f64) -> bool {
        matches!(self.up_to, UpTo::Change(most) if worse <= most)
    }

    /// True if the waiver no longer applies today.
    pub fn is_expired(&self, today: Date) -> bool {
        today > self.until
    }
}

impl SuiteWaiver {
    /// True if the waiver no longer applies today.
    pub fn is_expired(&self, today: Date) -> bool {
        today > self.until
    }
}

/// The waivers of benchmarks in file order, and that of the suite.
pub(super) fn validate(entries: Vec<Accept>, lines: &Lines, sink: &mut Sink) -> (Vec<Waiver>, Option<SuiteWaiver>) {
    let mut seen = BTreeMap::new();
    let (mut waivers, mut of_suite) = (Vec::new(), None);
    let mut line_of_suite = None;
    for accept in entries {
        let spot = accept.up_to.as_ref().map(Spanned::span);
        let metric = accept.metric.and_then(|metric| not_empty(metric, "a metric", sink));
        let up_to = accept.up_to.and_then(|up_to| sink.value_or_report(up_to.span(), up_to::up_to(up_to.get_ref())));
        let reason = accept.reason.and_then(|reason| not_empty(reason, "a reason", sink)).map(Spanned::into_inner);
        let until = accept.until.and_then(|until| sink.value_or_report(until.span(), value::date(until.get_ref())));
        if let Some(span) = accept.suite {
            let line = lines.line(span.start);
            if let Some(first) = line_of_suite {
                sink.add(span, duplicate("suite", "true", first));
            }
            line_of_suite = Some(line);
            for text in accept.benchmark.iter().chain(&metric) {
                sink.add(text.span(), of_one_benchmark());
            }
            let up_to = up_to.and_then(|up_to| match up_to {
                UpTo::Change(most) => Some(most),
                UpTo::Value(_) => sink.value_or_report(spot.unwrap_or_default(), Err(value_of_suite())),
            });
            if let (Some(up_to), Some(reason), Some(until)) = (up_to, reason, until) {
                of_suite = Some(SuiteWaiver { up_to, reason, until, line });
            }
            continue;
        }
        let metric = metric.map(Spanned::into_inner);
        let Some(name) = accept.benchmark.and_then(|name| not_empty(name, "a benchmark's name", sink)) else {
            continue;
        };
        let line = lines.line(name.span().start);
        if let Some(first) = seen.insert((name.get_ref().clone(), metric.clone()), line) {
            sink.add(name.span(), duplicate("benchmark", name.get_ref(), first));
        }
        let (Some(up_to), Some(reason), Some(until)) = (up_to, reason, until) else { continue };
        waivers.push(Waiver { benchmark: name.into_inner(), metric, up_to, reason, until, line });
    }
    (waivers, of_suite)
}

fn of_one_benchmark() -> Invalid {
    let message = "an [[accept]] is for a benchmark or, with `suite = true`, for the whole suite";
    Invalid::new("bad-waiver", message, "write two [[accept]] tables, one for each")
}

fn value_of_suite() -> Invalid {
    let message = "the whole suite has no value to limit";
    Invalid::new("bad-waiver", message, "write the accepted change without a sign: \"35%\"")
}
