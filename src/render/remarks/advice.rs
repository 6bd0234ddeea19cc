//! What would decide an inconclusive benchmark.

use crate::compare::schedule::MAX_PAIRS;
use crate::model::{SuiteShift, number_text};
use crate::render::open_shift::{is_open_by_shift, suspected_without_shift};
use crate::render::quantity::{counted, percent};
use crate::verdict::{Finding, Outcome, Report, UndecidedReason};

/// The advice for a benchmark that is so noisy that it may need many more runs.
pub(in crate::render) const LESS_NOISE: &str =
    "reduce the noise (longer benchmarks, a quieter machine), or change the threshold";
/// The advice for a benchmark whose change is about as large as the threshold.
pub(in crate::render) const OTHER_THRESHOLD: &str = "set a threshold clearly above or below it";

/// Advice or a note that fewer benchmarks share is printed for each of them.
pub(super) const MIN_USUAL: usize = 3;

/// Where the change may be noise, more runs than this are too uncertain a number to print.
const MAX_RUNS_OF_NOISE: usize = 6;

/// What the advice on the benchmarks of a report depends on.
#[derive(Debug, Clone, Default)]
pub(super) struct AdviceContext {
    pub by_measure: bool,
    shifts: Vec<SuiteShift>,
}

impl AdviceContext {
    pub fn of(report: &Report) -> AdviceContext {
        AdviceContext { by_measure: report.by_measure, shifts: report.shifts.clone() }
    }

    /// Why a change within the threshold is suspected, if a suite-wide shift is the reason.
    pub fn suspected_without_shift(&self, finding: &Finding) -> Option<String> {
        suspected_without_shift(&self.shifts, finding)
    }
}

/// Why a benchmark is undecided, and what would decide it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Advice {
    pub why: Option<Why>,
    pub remedy: Fix,
}

/// Why a benchmark is undecided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Why {
    /// Smaller changes cannot be told from noise.
    NoiseLimit(f64),
    MayBeNoise,
    /// The change is within this threshold, and its interval contains worse or better changes beyond it.
    BeyondThreshold {
        threshold: f64,
        worse: bool,
        better: bool,
        /// True if that differs between benchmarks.
        mixed: bool,
    },
    NotSignificant,
    NotWithinAtAlpha,
    /// The interval covers the change with and without a suite-wide shift of unknown cause.
    SuiteShift,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fix {
    /// More than 20 further runs per side, or more pairs than `measure` allows, or an uncertain number of them.
    LessNoise,
    /// The same, but because the change is close to the threshold, and not because of noise.
    OtherThreshold,
    /// Base and head measured in turn: further runs would not show where a suite-wide shift comes from.
    InTurn,
    Runs(MoreRuns),
}

/// Further runs of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MoreRuns {
    /// The smallest and the largest number, of several benchmarks.
    least: usize,
    most: usize,
    /// True if they would probably decide, false if they only may.
    are_probable: bool,
    /// The option of `perfgate measure` for them.
    option: Option<MeasureOption>,
}

/// An option of `perfgate measure`, with the number of rounds or pairs including those of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MeasureOption {
    Rounds(usize),
    Pairs(usize),
}

/// True if there is advice for a finding. The other reasons for being undecided are notes.
pub(in crate::render) fn has_advice(finding: &Finding) -> bool {
    finding.outcome == Outcome::Inconclusive && (finding.detectable.is_some() || finding.undecided.is_some())
}

/// The advice for a finding.
pub(super) fn advice(finding: &Finding, context: &AdviceContext) -> Option<Advice> {
    if !has_advice(finding) {
        return None;
    }
    if is_open_by_shift(&context.shifts, finding) {
        return Some(Advice { why: Some(Why::SuiteShift), remedy: Fix::InTurn });
    }
    let done = finding.base.map_or(0, |side| side.runs);
    let fix = |runs: usize, option: Option<MeasureOption>| {
        Fix::Runs(MoreRuns { least: runs, most: runs, are_probable: are_runs_probable(finding), option })
    };
    let remedy = match runs_that_may_decide(finding) {
        None if is_close_to_threshold(finding) => Fix::OtherThreshold,
        None => Fix::LessNoise,
        Some(runs) if !context.by_measure => fix(runs, None),
        Some(runs) if finding.re_measured && done + runs > usize::from(MAX_PAIRS) => Fix::LessNoise,
        Some(runs) if finding.re_measured => fix(runs, Some(MeasureOption::Pairs(done + runs))),
        Some(runs) => fix(runs, Some(MeasureOption::Rounds(done + runs))),
    };
    // As it is printed: with one decimal of a percentage.
    let limit = finding.noise_limit().map(|least| Why::NoiseLimit((1000.0 * least).round() / 1000.0));
    Some(Advice { why: limit.or_else(|| Some(why(finding.undecided?, finding))), remedy })
}

/// The number of further runs per side that may decide a finding.
pub(in crate::render) fn runs_that_may_decide(finding: &Finding) -> Option<usize> {
    let runs = finding.runs_needed? as usize;
    (are_runs_probable(finding) || runs <= MAX_RUNS_OF_NOISE).then_some(runs)
}

/// True if the number of further runs is the result of a change that is not noise: it is within the threshold, or its interval does
/// not contain 0.
fn are_runs_probable(finding: &Finding) -> bool {
    match finding.undecided {
        Some(UndecidedReason::BeyondThreshold | UndecidedReason::NotWithinAtAlpha) => true,
        Some(UndecidedReason::MayBeNoise | UndecidedReason::NotSignificant) => false,
        None => finding.interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0),
    }
}

/// True if a finding may need many more runs.
pub(in crate::render) fn is_beyond_more_runs(finding: &Finding) -> bool {
    finding.outcome == Outcome::Inconclusive && finding.detectable.is_some() && runs_that_may_decide(finding).is_none()
}

/// True if noise is not the reason that a change may need many more runs: the results would show that no change at all is within
/// the threshold.
pub(in crate::render) fn is_close_to_threshold(finding: &Finding) -> bool {
    let half_width = finding.interval.map(|[low, high]| (high.ln_1p() - low.ln_1p()) / 2.0);
    finding.is_too_noisy()
        && finding.undecided == Some(UndecidedReason::BeyondThreshold)
        && half_width.is_some_and(|half| half < finding.threshold.ln_1p())
}

fn why(undecided: UndecidedReason, finding: &Finding) -> Why {
    match undecided {
        UndecidedReason::MayBeNoise => Why::MayBeNoise,
        UndecidedReason::BeyondThreshold => {
            let threshold = finding.threshold;
            let is_beyond = |end: f64| end.ln_1p().abs() > threshold.ln_1p();
            let ends = finding.interval.into_iter().flatten().filter(|end| is_beyond(*end));
            let worse: Vec<f64> = ends.map(|end| finding.direction.worse(end)).collect();
            Why::BeyondThreshold {
                threshold,
                worse: worse.iter().any(|worse| *worse > 0.0),
                better: worse.iter().any(|worse| *worse < 0.0),
                mixed: false,
            }
        }
        UndecidedReason::NotSignificant => Why::NotSignificant,
        UndecidedReason::NotWithinAtAlpha => Why::NotWithinAtAlpha,
    }
}

impl Advice {
    /// One advice for two benchmarks, if it differs only in numbers.
    pub fn joined(self, other: Advice) -> Option<Advice> {
        let why = match (self.why, other.why) {
            (Some(why), Some(other)) => Some(why.joined(other)?),
            (None, None) => None,
            _ => return None,
        };
        Some(Advice { why, remedy: self.remedy.joined(other.remedy)? })
    }
}

impl Why {
    fn joined(self, other: Why) -> Option<Why> {
        match (self, other) {
            (
                Why::BeyondThreshold { threshold, worse, better, mixed },
                Why::BeyondThreshold {
                    threshold: other_threshold,
                    worse: or_worse,
                    better: or_better,
                    mixed: or_mixed,
                },
            ) => (threshold == other_threshold).then_some(Why::BeyondThreshold {
                threshold,
                worse: worse || or_worse,
                better: better || or_better,
                mixed: mixed || or_mixed || (worse, better) != (or_worse, or_better),
            }),
            (one, other) => (one == other).then_some(one),
        }
    }

    pub fn text(self) -> String {
        match self {
            Why::NoiseLimit(least) => format!("changes below {} cannot be told from noise here", percent(least)),
            Why::MayBeNoise => "the interval contains 0, so the change may be noise".to_owned(),
            Why::BeyondThreshold { threshold, worse, better, mixed } => {
                let which = if mixed { " (each interval shows which)" } else { "" };
                let (lower, upper) = (number_text::change(1.0 / (1.0 + threshold) - 1.0), percent(threshold));
                let possible = match (worse, better) {
                    (true, false) => "a regression",
                    (false, true) => "an improvement",
                    _ => "a regression or an improvement",
                };
                format!(
                    "the change is within the threshold ({lower} to +{upper}), but its interval reaches beyond it, so {possible} is \
                     possible{which}"
                )
            }
            Why::NotSignificant => "not significant after correction for the number of tests".to_owned(),
            Why::NotWithinAtAlpha => "not shown to be within the threshold at this `alpha`".to_owned(),
            Why::SuiteShift => {
                "the interval covers the change with and without the suite-wide shift, whose cause is unknown"
                    .to_owned()
            }
        }
    }
}

impl Fix {
    /// One fix for two benchmarks, if it differs only in numbers.
    pub fn joined(self, other: Fix) -> Option<Fix> {
        match (self, other) {
            (Fix::Runs(one), Fix::Runs(other)) => one.joined(other).map(Fix::Runs),
            (one, other) => (one == other).then_some(one),
        }
    }

    pub fn text(self) -> String {
        match self {
            Fix::LessNoise => "many more runs may be needed".to_owned(),
            Fix::OtherThreshold => "the change is close to the threshold, so many more runs may be needed".to_owned(),
            Fix::InTurn => "measuring base and head in turn would probably decide".to_owned(),
            Fix::Runs(runs) => runs.text(),
        }
    }

    /// True if this would probably decide, and does not only have a chance to.
    pub fn is_probable(self) -> bool {
        matches!(self, Fix::InTurn | Fix::Runs(MoreRuns { are_probable: true, .. }))
    }

    /// What to do if many more runs may be needed.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Fix::LessNoise => Some(LESS_NOISE),
            Fix::OtherThreshold => Some(OTHER_THRESHOLD),
            Fix::InTurn | Fix::Runs(_) => None,
        }
    }
}

impl MoreRuns {
    fn joined(self, other: MoreRuns) -> Option<MoreRuns> {
        let option = match (self.option, other.option) {
            (None, None) => None,
            (Some(MeasureOption::Rounds(one)), Some(MeasureOption::Rounds(other))) => {
                Some(MeasureOption::Rounds(one.max(other)))
            }
            (Some(MeasureOption::Pairs(one)), Some(MeasureOption::Pairs(other))) => {
                Some(MeasureOption::Pairs(one.max(other)))
            }
            _ => return None,
        };
        (self.are_probable == other.are_probable).then_some(MoreRuns {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
            option,
            ..self
        })
    }

    /// Only an estimate: with one run per side, its error is large.
    fn text(self) -> String {
        let verb = if self.are_probable { "would probably decide" } else { "may decide" };
        let option = match self.option {
            None => String::new(),
            Some(MeasureOption::Rounds(all)) => format!(" (`perfgate measure` with `--rounds {all}`)"),
            Some(MeasureOption::Pairs(all)) => format!(" (`perfgate measure` with `--confirm {all}`)"),
        };
        format!("about {} per side {verb}{option}", more_runs(self.least, self.most))
    }
}

/// `4 more runs`, or `2 to 8 more runs`.
pub(in crate::render) fn more_runs(least: usize, most: usize) -> String {
    if least < most { format!("{least} to {most} more runs") } else { counted(most, "more run") }
}

/// The most frequent advice, and how often it occurs, if that is at least a third of all.
pub(super) fn usual(all: &[Advice]) -> Option<(Advice, usize)> {
    let mut groups: Vec<(Advice, usize)> = Vec::new();
    for one in all {
        let group = groups.iter_mut().find_map(|group| Some((group.0.joined(*one)?, group)));
        match group {
            Some((joined, group)) => *group = (joined, group.1 + 1),
            None => groups.push((*one, 1)),
        }
    }
    // Of equally frequent ones, the first.
    let (most, count) = groups.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (count >= MIN_USUAL && 3 * count >= all.len()).then_some((most, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(threshold: f64, worse: bool, better: bool) -> Why {
        Why::BeyondThreshold { threshold, worse, better, mixed: false }
    }

    #[test]
    fn a_change_within_the_threshold_names_what_its_interval_leaves_possible() {
        let expected = "the change is within the threshold (−16.7% to +20%), but its interval reaches beyond it, so a regression is possible";
        assert_eq!(beyond(0.2, true, false).text(), expected);
        assert!(beyond(0.075, false, true).text().contains("(−7.0% to +7.5%)"));
        assert!(beyond(0.2, false, true).text().ends_with("so an improvement is possible"));
        let both = beyond(0.2, true, false).joined(beyond(0.2, false, true));
        assert_eq!(
            both.map(|why| why
                .text()
                .ends_with("so a regression or an improvement is possible (each interval shows which)")),
            Some(true)
        );
        assert_eq!(beyond(0.2, true, false).joined(beyond(0.1, true, false)), None);
    }

    #[test]
    fn advice_that_differs_only_in_the_number_of_runs_is_one() {
        let runs = |count: usize, option| Advice {
            why: Some(Why::MayBeNoise),
            remedy: Fix::Runs(MoreRuns { least: count, most: count, are_probable: false, option }),
        };
        let text = |all: &[Advice]| usual(all).map(|(advice, count)| (advice.remedy.text(), count));
        let several = [runs(4, None), runs(2, None), runs(6, None)];
        assert_eq!(text(&several), Some(("about 2 to 6 more runs per side may decide".to_owned(), 3)));
        let in_pairs = [5, 5, 7].map(|all| runs(3, Some(MeasureOption::Pairs(all))));
        let expected = "about 3 more runs per side may decide (`perfgate measure` with `--confirm 7`)";
        assert_eq!(text(&in_pairs), Some((expected.to_owned(), 3)));
        assert_eq!(runs(3, None).joined(in_pairs[0]), None);
        assert_eq!(text(&several[1..]), None);
    }
}
