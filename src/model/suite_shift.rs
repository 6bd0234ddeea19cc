//! The shift of the changes that most benchmarks of a suite share.

use super::metric::Direction;
use super::number_text::{change, counted, is_factor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Maximum number of tools that are named next to a metric.
const MAX_NAMED_TOOLS: usize = 3;

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
    /// The tools whose benchmarks have it, if another shift has the same metric: untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}

/// What a comparison did with a suite-wide shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShiftTreatment {
    /// Subtracted from each change: small enough to come from the machine.
    Subtracted,
    /// Too large to be subtracted, and its cause is unknown: a side has a single run, or a single run or the
    /// differences between the runs explain it. The changes are tested with the shift and without it.
    Unexplained,
    /// Too large to be subtracted. Each side has several runs, and neither a single run nor the
    /// differences between the runs explain it.
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
        SuiteShift { metric, direction, shift, treatment, tools: Vec::new() }
    }

    /// True for a metric of a tool that has this shift.
    pub fn covers(&self, metric: &str, tool: &str) -> bool {
        self.metric == metric && (self.tools.is_empty() || self.tools.iter().any(|one| one == tool))
    }

    /// The same shift, of the benchmarks of these tools.
    pub fn of_tools<'a>(mut self, tools: impl Iterator<Item = &'a str>) -> SuiteShift {
        let tools: BTreeSet<&str> = tools.collect();
        self.tools = tools.into_iter().map(str::to_owned).collect();
        self
    }

    /// Keeps the tools only where several shifts have the same metric.
    pub fn keep_tools_of_same_metric(shifts: &mut [SuiteShift]) {
        let metrics: Vec<Cow<'static, str>> = shifts.iter().map(|shift| shift.metric.clone()).collect();
        for shift in shifts {
            if metrics.iter().filter(|metric| **metric == shift.metric).count() == 1 {
                shift.tools.clear();
            }
        }
    }

    /// The shift as a change of the metric's values: that of a rate that fell is negative.
    pub fn change(&self) -> f64 {
        self.direction.worse(self.shift)
    }

    /// The metric in a sentence. One that could be more than a name in Markdown, such as a link, is left out.
    pub fn metric_text(&self) -> &str {
        if is_name(&self.metric) { &self.metric } else { "one metric" }
    }

    /// The metric in a sentence, with its tools if another shift has the same metric: `time (criterion, hyperfine)`.
    pub fn metric_with_tools(&self) -> String {
        let metric = self.metric_text();
        match self.tools.as_slice() {
            [] => metric.to_owned(),
            tools if tools.len() <= MAX_NAMED_TOOLS && tools.iter().all(|tool| is_name(tool)) => {
                format!("{metric} ({})", tools.join(", "))
            }
            tools => format!("{metric} ({})", counted(tools.len(), "tool")),
        }
    }

    /// `most benchmarks are about 11.3% faster`, or, from a factor of two on, `most benchmarks are slower by a factor of about 2.0`.
    pub fn sentence(&self) -> String {
        let is_speed = ["time", "throughput"].iter().any(|metric| self.metric.starts_with(metric));
        let word = match (self.shift > 0.0, is_speed) {
            (true, true) => "slower",
            (false, true) => "faster",
            (true, false) => "worse",
            (false, false) => "better",
        };
        let of = if self.metric == "time" { String::new() } else { format!(" in {}", self.metric_text()) };
        if (1.0..1e12).contains(&self.shift) {
            let factor = if is_factor(self.shift) { change(self.shift) } else { format!("{:.1}", 1.0 + self.shift) };
            return format!("most benchmarks are {word} by a factor of about {}{of}", factor.trim_end_matches('×'));
        }
        let size = change(self.shift.abs());
        format!("most benchmarks are about {} {word}{of}", size.trim_start_matches('+'))
    }
}

/// True for text that is only a name in Markdown, and short.
fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
    text.chars().all(is_plain) && !text.to_ascii_lowercase().starts_with("www.") && text.len() <= 40
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
        assert_eq!(of("time", 2.842), "most benchmarks are slower by a factor of about 3.8");
        assert_eq!(of("time", 11.5), "most benchmarks are slower by a factor of about 12.5");
        assert_eq!(of("memory:peak", 0.3), "most benchmarks are about 30.0% worse in memory:peak");
        assert_eq!(of("\u{1b}[31m", 0.3), "most benchmarks are about 30.0% worse in one metric");
        assert_eq!(of("https://e.org", 0.3), "most benchmarks are about 30.0% worse in one metric");
        let rate = SuiteShift::new("throughput".into(), Direction::Higher, 0.25, ShiftTreatment::Subtracted);
        assert!((rate.change() + 0.2).abs() < 1e-9);
        assert_eq!(rate.sentence(), "most benchmarks are about 25.0% slower in throughput");
    }

    #[test]
    fn shifts_of_the_same_metric_have_the_names_of_their_tools() {
        let of = |metric: &'static str, tools: &[&str]| {
            let shift = SuiteShift::new(metric.into(), Direction::Lower, 0.02, ShiftTreatment::Subtracted);
            shift.of_tools(tools.iter().copied())
        };
        let mut shifts = [of("time", &["go", "criterion", "go"]), of("time", &["a](b)"]), of("memory:peak", &["go"])];
        SuiteShift::keep_tools_of_same_metric(&mut shifts);
        let texts = shifts.each_ref().map(SuiteShift::metric_with_tools);
        assert_eq!(texts, ["time (criterion, go)", "time (1 tool)", "memory:peak"]);
    }
}
