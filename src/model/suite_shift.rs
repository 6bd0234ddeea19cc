//! The shift of the changes that most benchmarks of a suite share.

use super::metric::Direction;
use super::number_text::change;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The suite-wide shift of one metric between base and head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SuiteShift {
    /// The metric: untrusted text.
    pub metric: Cow<'static, str>,
    /// Which way is better.
    pub direction: Direction,
    /// The shift as a fraction; positive is worse.
    pub shift: f64,
    /// What the comparison did with it.
    pub treatment: ShiftTreatment,
}

/// What a comparison did with a suite-wide shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShiftTreatment {
    /// Subtracted from each change: small enough to come from the machine.
    Subtracted,
    /// Too large to be subtracted, and its cause is unknown: a side has a single run, or a single run explains it. The changes
    /// are tested with the shift and without it.
    Unexplained,
    /// Too large to be subtracted. Each side has several runs, and no single run explains it.
    InEveryRun,
    /// Kept: base and head ran in turn, so it comes from the code.
    InTurn,
    /// A treatment of a newer version.
    #[serde(other)]
    Unknown,
}

impl SuiteShift {
    /// The shift of one metric.
    pub fn new(metric: Cow<'static, str>, direction: Direction, shift: f64, treatment: ShiftTreatment) -> SuiteShift {
        SuiteShift { metric, direction, shift, treatment }
    }

    /// The shift as a change of the metric's values: that of a rate that fell is negative.
    pub fn change(&self) -> f64 {
        self.direction.worse(self.shift)
    }

    /// The metric in a sentence. One that could be more than a name in Markdown, such as a link, is left out.
    pub fn metric_text(&self) -> &str {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
        let metric = &*self.metric;
        let is_name = metric.chars().all(is_plain) && !metric.to_ascii_lowercase().starts_with("www.");
        if is_name && metric.len() <= 40 { metric } else { "one metric" }
    }

    /// `most benchmarks are about 11.3% faster`.
    pub fn sentence(&self) -> String {
        let is_speed = ["time", "throughput"].iter().any(|metric| self.metric.starts_with(metric));
        let word = match (self.shift > 0.0, is_speed) {
            (true, true) => "slower",
            (false, true) => "faster",
            (true, false) => "worse",
            (false, false) => "better",
        };
        let of = if self.metric == "time" { String::new() } else { format!(" in {}", self.metric_text()) };
        let size = change(self.shift.abs());
        format!("most benchmarks are about {} {word}{of}", size.trim_start_matches('+'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_one_sentence() {
        let of = |metric: &'static str, shift: f64| {
            SuiteShift::new(metric.into(), Direction::Lower, shift, ShiftTreatment::Unexplained).sentence()
        };
        assert_eq!(of("time", -0.113), "most benchmarks are about 11.3% faster");
        assert_eq!(of("time", 0.088), "most benchmarks are about 8.8% slower");
        assert_eq!(of("time", 2.842), "most benchmarks are about 284.2% slower");
        assert_eq!(of("time", 11.5), "most benchmarks are about 12.5× slower");
        assert_eq!(of("memory:peak", 0.3), "most benchmarks are about 30.0% worse in memory:peak");
        assert_eq!(of("\u{1b}[31m", 0.3), "most benchmarks are about 30.0% worse in one metric");
        assert_eq!(of("https://e.org", 0.3), "most benchmarks are about 30.0% worse in one metric");
        let rate = SuiteShift::new("throughput".into(), Direction::Higher, 0.25, ShiftTreatment::Subtracted);
        assert!((rate.change() + 0.2).abs() < 1e-9);
        assert_eq!(rate.sentence(), "most benchmarks are about 25.0% slower in throughput");
    }
}
