//! The sentences below the row of a finding: what changed in its samples, the notes of the verdict, and what would decide it.
//! If the advice is the same for all undecided benchmarks, a report prints it once.

use super::quantity::{counted, pair, percent, thousands};
use crate::model::{OfSides, SampleGroup, SlowPart, number_text};
use crate::verdict::{Finding, Outcome, Report, Undecided};

/// The remarks of a report.
#[derive(Debug, Default)]
pub struct Remarks {
    /// Number of undecided benchmarks with advice.
    undecided: usize,
    by_measure: bool,
    /// Why all of them are undecided, if the reason is the same.
    why: Option<String>,
    /// What would decide all of them, if that is the same.
    remedy: Option<Fix>,
    /// True if further runs would decide one of them.
    decidable: bool,
    /// The note that all inconclusive benchmarks have because the machines differ, and their number.
    note: Option<(String, usize)>,
}

/// Why a benchmark is undecided, and what would decide it.
struct Advice {
    why: Option<String>,
    remedy: Fix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fix {
    /// More runs per side than are worth while.
    None,
    /// This number of further runs per side.
    Runs(usize),
    /// The same, as an option of `perfgate measure`: this number of rounds, or of pairs.
    Rounds(usize, usize),
    Pairs(usize, usize),
}

impl Remarks {
    /// What the undecided benchmarks of a report have in common.
    pub fn of(report: &Report) -> Remarks {
        let all: Vec<Advice> =
            report.benchmarks.iter().filter_map(|finding| advice(finding, report.by_measure)).collect();
        let note = shared_note(report);
        let Some(first) = all.first() else { return Remarks { note, ..Remarks::default() } };
        let several = all.len() > 1;
        let same_remedy = several && all.iter().all(|one| one.remedy == first.remedy);
        let same_why = same_remedy && all.iter().all(|one| one.why == first.why);
        Remarks {
            undecided: all.len(),
            by_measure: report.by_measure,
            why: first.why.clone().filter(|_| same_why),
            remedy: same_remedy.then_some(first.remedy),
            decidable: all.iter().any(|one| one.remedy != Fix::None),
            note,
        }
    }

    /// What would decide the undecided benchmarks, if that is the same for all.
    pub fn shared_advice(&self) -> Option<String> {
        if let Some((note, count)) = &self.note {
            return Some(format!("{} inconclusive benchmarks: {note}", thousands(*count)));
        }
        if self.undecided < 2 {
            return None;
        }
        let command = if self.by_measure || !self.decidable { "" } else { " (`perfgate measure`)" };
        match self.remedy {
            Some(remedy) => {
                let why = self.why.as_ref().map(|why| format!("{why}; ")).unwrap_or_default();
                Some(format!("{} inconclusive benchmarks: {why}{}{command}", thousands(self.undecided), remedy.text()))
            }
            None if command.is_empty() => None,
            None => {
                Some("to decide the inconclusive benchmarks, measure both sides in turn: `perfgate measure`".to_owned())
            }
        }
    }

    /// The remarks on a finding, without what [`Self::shared_advice`] has.
    pub fn on(&self, finding: &Finding) -> Vec<String> {
        let mut remarks = without_advice(finding);
        if let Some((note, _)) = self.note.as_ref().filter(|_| finding.outcome == Outcome::Inconclusive) {
            remarks.retain(|remark| remark != note);
        }
        if let Some(Advice { why, remedy }) = advice(finding, self.by_measure) {
            let why = why.filter(|_| self.why.is_none());
            let command = self.undecided == 1 && !self.by_measure && remedy != Fix::None;
            let remedy =
                self.remedy.is_none().then(|| remedy.text() + if command { " (`perfgate measure`)" } else { "" });
            let parts: Vec<String> = [why, remedy].into_iter().flatten().collect();
            if !parts.is_empty() {
                remarks.push(format!("undecided: {}", parts.join("; ")));
            }
        }
        remarks
    }

    /// All remarks on a finding, for a view that shows it alone.
    pub fn alone(report: &Report, finding: &Finding) -> Vec<String> {
        let one = Remarks { undecided: 1, by_measure: report.by_measure, ..Remarks::default() };
        one.on(finding)
    }
}

/// The note that all inconclusive benchmarks have because the machines differ, if there are several.
fn shared_note(report: &Report) -> Option<(String, usize)> {
    if report.environment.matches {
        return None;
    }
    let inconclusive = || report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Inconclusive);
    let count = inconclusive().count();
    let mut notes = inconclusive().next()?.notes.iter();
    let is_shared = |note: &&String| inconclusive().all(|finding| finding.notes.contains(note));
    notes.find(is_shared).filter(|_| count > 1).map(|note| (note.clone(), count))
}

/// What changed in the samples, and the notes of the verdict.
pub fn without_advice(finding: &Finding) -> Vec<String> {
    samples(finding).into_iter().chain(finding.notes.iter().cloned()).collect()
}

/// What would decide an inconclusive benchmark.
fn advice(finding: &Finding, by_measure: bool) -> Option<Advice> {
    if finding.outcome != Outcome::Inconclusive {
        return None;
    }
    // The other reasons are notes.
    if finding.detectable.is_none() && finding.undecided.is_none() {
        return None;
    }
    let done = finding.base.map_or(0, |side| side.runs);
    let remedy = match finding.runs_needed.map(|runs| runs as usize) {
        None => Fix::None,
        Some(runs) if !by_measure => Fix::Runs(runs),
        Some(runs) if finding.confirmed => Fix::Pairs(runs, done + runs),
        Some(runs) => Fix::Rounds(runs, done + runs),
    };
    let limit = finding.noise_limit();
    let of_limit = limit.map(|least| format!("changes below {} cannot be told from noise here", percent(least)));
    let why = of_limit.or_else(|| finding.undecided.map(|why| undecided(why, finding.threshold)));
    Some(Advice { why, remedy })
}

fn undecided(why: Undecided, threshold: f64) -> String {
    match why {
        Undecided::MayBeNoise => "the interval contains 0, so the change may be noise".to_owned(),
        Undecided::BeyondThreshold => {
            let lower = number_text::change(1.0 / (1.0 + threshold) - 1.0);
            format!("the interval extends beyond the threshold ({lower} to +{})", percent(threshold))
        }
        Undecided::NotSignificant => "not significant after correction for the number of tests".to_owned(),
        Undecided::NotWithinAtAlpha => "not shown to be within the threshold at this `alpha`".to_owned(),
    }
}

impl Fix {
    fn text(self) -> String {
        let runs = |count| format!("{} per side would decide", counted(count, "more run"));
        match self {
            Fix::None => "even 20 more runs per side would not decide".to_owned(),
            Fix::Runs(count) => runs(count),
            Fix::Rounds(count, all) => format!("{} (`--rounds {all}`)", runs(count)),
            Fix::Pairs(count, all) => format!("{} (`--confirm {all}`)", runs(count)),
        }
    }
}

/// What changed in the samples, if known: their slow part, and two modes.
pub fn samples(finding: &Finding) -> Vec<String> {
    let slow_part = finding.slow_part.as_deref().map(|part| slow_part(part, &finding.metric));
    let modes = finding.modes.as_deref().map(|modes| two_modes(modes, &finding.unit));
    slow_part.into_iter().chain(modes).collect()
}

/// `2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×`.
fn slow_part(part: &OfSides<SlowPart>, metric: &str) -> String {
    let verb = if metric.starts_with("time") { "take" } else { "reach" };
    let of = |side: SlowPart, noun: &str| format!("{}{noun} {verb} {:.1}×", share(side.share), side.factor);
    match (part.head, part.base) {
        (Some(head), Some(base)) => format!("{}, in base {}", of(head, " samples"), of(base, "")),
        (Some(head), None) => of(head, " samples"),
        (None, Some(base)) => format!("in base {}, in head none", of(base, " samples")),
        (None, None) => String::new(),
    }
}

/// `two modes in base: 100.4 ms (60%) and 301.2 ms (40%), in head: 100.2 ms (58%) and 300.8 ms (42%)`.
fn two_modes(modes: &OfSides<[SampleGroup; 2]>, unit: &str) -> String {
    let of = |side: Option<[SampleGroup; 2]>, name: &str| {
        side.map(|[lower, upper]| {
            let [low, high] = pair([Some(lower.value), Some(upper.value)], unit);
            let share = |group: SampleGroup| format!("{:.0}%", 100.0 * group.share);
            format!("in {name}: {low} ({}) and {high} ({})", share(lower), share(upper))
        })
    };
    let sides: Vec<String> = [of(modes.base, "base"), of(modes.head, "head")].into_iter().flatten().collect();
    format!("two modes {}", sides.join(", "))
}

/// A share in words: `2 in 5`. Within 5 points, because few samples give no better.
fn share(share: f64) -> String {
    if share < 0.08 {
        return format!("1 in {:.0}", 1.0 / share.max(1e-3));
    }
    let distance = |&(part, all): &(u32, u32)| (f64::from(part) / f64::from(all) - share).abs();
    // The simplest fraction that is near enough, otherwise the nearest.
    let fractions = || [2, 3, 4, 5, 10].into_iter().flat_map(|all| (1..all).map(move |part| (part, all)));
    let near = fractions().find(|fraction| distance(fraction) <= 0.02);
    let (part, all) = near.or_else(|| fractions().min_by(|a, b| distance(a).total_cmp(&distance(b)))).unwrap_or((1, 2));
    format!("{part} in {all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_simple_fraction() {
        let words = [0.4, 0.449, 0.51, 0.33, 0.2, 0.9, 0.1, 0.05, 0.02, 0.97].map(share);
        let expected =
            ["2 in 5", "2 in 5", "1 in 2", "1 in 3", "1 in 5", "9 in 10", "1 in 10", "1 in 20", "1 in 50", "9 in 10"];
        assert_eq!(words, expected);
    }

    #[test]
    fn a_slow_part_has_its_share_and_factor() {
        let part = |share, factor| Some(SlowPart { share, factor });
        let text = |base, head| slow_part(&OfSides { base, head }, "time");
        assert_eq!(text(None, part(0.4, 3.0)), "2 in 5 samples take 3.0×");
        assert_eq!(text(part(0.1, 2.9), part(0.4, 3.0)), "2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×");
        assert_eq!(text(part(0.4, 3.0), None), "in base 2 in 5 samples take 3.0×, in head none");
    }
}
