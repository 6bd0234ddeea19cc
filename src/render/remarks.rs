//! The sentences below the row of a finding: what changed in its samples, the notes of the verdict, and what would decide it.
//! If the advice is the same for all undecided benchmarks, a report prints it once.

use super::quantity::{counted, pair, percent, thousands};
use super::{legend, summary};
use crate::model::{OfSides, SampleGroup, SlowPart, WorkUnit, number_text, sample_noun};
use crate::verdict::{ChangeOf, DIFFERENT_MACHINES, Finding, Outcome, Reason, Report, Undecided, Value, Verdict};
use std::collections::{BTreeMap, BTreeSet};

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
    /// How many of them further runs would decide.
    decidable: usize,
    /// The most frequent advice and the number of benchmarks that have it, unless it is the same for all.
    usual: Option<(Advice, usize)>,
    /// The note that inconclusive benchmarks share.
    note: Option<SharedNote>,
    /// True if the verdict names the reason of that note.
    is_in_verdict: bool,
}

/// A note that is printed once for several inconclusive benchmarks, such as that the machines differ.
#[derive(Debug)]
struct SharedNote {
    text: String,
    /// The number of benchmarks that have it, and of all inconclusive ones.
    count: usize,
    of: usize,
}

/// The advice for a benchmark that is so noisy that more runs would not decide it.
pub(super) const LESS_NOISE: &str = "reduce the noise (longer benchmarks, a quieter machine), or change the threshold";

/// How to add runs.
pub(super) const FURTHER_RUNS: &str = " (`perfgate measure`, or further `--base` and `--head`)";

/// Advice or a note that fewer benchmarks share is printed for each of them.
const MIN_USUAL: usize = 3;

/// Why a benchmark is undecided, and what would decide it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Advice {
    why: Option<String>,
    remedy: Fix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        let note = shared_note(report).filter(|note| note.count == note.of || note.count > all.len());
        let shares_only_note = note.as_ref().is_some_and(|note| note.count < note.of) || !report.environment.matches;
        // The headline has the reason if the machines differ, or if the direction of every changed metric is unknown.
        let is_without_verdict = report.verdict == Verdict::None && !report.first_run;
        let has_baseline = report.base.gap.is_none() && report.base.missing_classes.is_empty();
        let is_in_verdict = is_without_verdict && (!report.environment.matches || has_baseline)
            || report.reasons.contains(&Reason::DifferentMachines);
        let by_measure = report.by_measure;
        let Some(first) = all.first() else { return Remarks { note, is_in_verdict, ..Remarks::default() } };
        let several = all.len() > 1;
        let decidable = all.iter().filter(|one| one.remedy != Fix::None).count();
        let undecided = all.len();
        if shares_only_note && note.is_some() {
            return Remarks { undecided, by_measure, decidable, note, is_in_verdict, ..Remarks::default() };
        }
        let same_remedy = several && all.iter().all(|one| one.remedy == first.remedy);
        let same_why = same_remedy && all.iter().all(|one| one.why == first.why);
        Remarks {
            undecided,
            by_measure,
            why: first.why.clone().filter(|_| same_why),
            remedy: same_remedy.then_some(first.remedy),
            decidable,
            usual: usual(&all).filter(|_| !same_why && !same_remedy),
            note,
            is_in_verdict,
        }
    }

    /// What the rows leave out because several inconclusive benchmarks share it: their note, and what would decide them.
    pub fn shared_advice(&self) -> Option<String> {
        let Some(note) = &self.note else {
            let subject = format!("{} inconclusive benchmarks: ", thousands(self.undecided));
            return self.advice_of_several(&subject);
        };
        if self.is_in_verdict {
            return None;
        }
        let (count, all) = (thousands(note.count), thousands(note.of));
        if note.count < note.of {
            let text = &note.text;
            return Some(format!("inconclusive benchmarks without a note below their row ({count} of {all}): {text}"));
        }
        let advice = self.advice_of_several("").map(|advice| format!(". {}", summary::capitalized(&advice)));
        Some(format!("{count} inconclusive benchmarks: {}{}", note.text, advice.unwrap_or_default()))
    }

    /// What would decide the undecided benchmarks, if that is the same for several. `subject` comes before advice for all of them.
    fn advice_of_several(&self, subject: &str) -> Option<String> {
        if self.undecided < 2 {
            return None;
        }
        let command = if self.by_measure || self.decidable == 0 { "" } else { FURTHER_RUNS };
        if let Some((advice, count)) = &self.usual {
            let others = match self.undecided - self.decidable {
                0 => String::new(),
                _ if advice.remedy == Fix::None => format!("; {LESS_NOISE}"),
                _ => format!(". Where more runs would not decide: {LESS_NOISE}"),
            };
            let why = advice.why.as_ref().map(|why| format!("{why}; ")).unwrap_or_default();
            let command = if advice.remedy == Fix::None { "" } else { command };
            return Some(format!(
                "inconclusive benchmarks without a note below their row ({} of {}): {why}{}{command}{others}",
                thousands(*count),
                thousands(self.undecided),
                advice.remedy.text()
            ));
        }
        match (self.remedy, self.undecided - self.decidable) {
            (Some(remedy), _) => {
                let why = self.why.as_ref().map(|why| format!("{why}; ")).unwrap_or_default();
                let advice = if remedy == Fix::None { format!("; {LESS_NOISE}") } else { command.to_owned() };
                Some(format!("{subject}{why}{}{advice}", remedy.text()))
            }
            (None, 0) if command.is_empty() => None,
            (None, 0) => {
                Some("to decide the inconclusive benchmarks, measure both sides in turn: `perfgate measure`".to_owned())
            }
            (None, too_noisy) => Some(format!(
                "more runs would decide {} of the {} inconclusive benchmarks{command}; for the other {}, {LESS_NOISE}",
                thousands(self.decidable),
                thousands(self.undecided),
                if too_noisy == 1 { "one".to_owned() } else { thousands(too_noisy) },
            )),
        }
    }

    /// The remarks on a finding, without what [`Self::shared_advice`] has.
    pub fn on(&self, report: &Report, finding: &Finding) -> Vec<String> {
        let mut remarks = without_advice(report, finding);
        if let Some(note) = self.note.as_ref().filter(|_| finding.outcome == Outcome::Inconclusive) {
            remarks.retain(|remark| *remark != note.text);
        }
        let is_usual = |advice: &Advice| self.usual.as_ref().is_some_and(|(usual, _)| usual == advice);
        let own = advice(finding, self.by_measure).filter(|advice| !is_usual(advice));
        if let Some(Advice { why, remedy }) = own {
            let why = why.filter(|_| self.why.is_none());
            let is_only = self.undecided == 1;
            let advice = match remedy {
                Fix::None if is_only => format!("; {LESS_NOISE}"),
                Fix::None => String::new(),
                _ if is_only && !self.by_measure => FURTHER_RUNS.to_owned(),
                _ => String::new(),
            };
            let remedy = self.remedy.is_none().then(|| remedy.text() + &advice);
            let parts: Vec<String> = [why, remedy].into_iter().flatten().collect();
            if !parts.is_empty() {
                remarks.push(parts.join("; "));
            }
        }
        remarks
    }

    /// All remarks on a finding, for a view that shows it alone and has no legend.
    pub fn alone(report: &Report, finding: &Finding) -> Vec<String> {
        let one = Remarks { undecided: 1, by_measure: report.by_measure, ..Remarks::default() };
        let mut remarks = one.on(report, finding);
        let of_values = medians(report, finding, change_of_values(finding));
        remarks.extend(of_values.filter(|note| !remarks.contains(note)));
        remarks
    }
}

/// The most frequent advice, and how often it occurs, if that is at least a third of all.
fn usual(all: &[Advice]) -> Option<(Advice, usize)> {
    let mut counts: BTreeMap<&Advice, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let (most, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= MIN_USUAL && 3 * count >= all.len()).then(|| (most.clone(), count))
}

/// The most frequent note of the inconclusive benchmarks, such as that the machines differ, if at least a third of them have it.
fn shared_note(report: &Report) -> Option<SharedNote> {
    let inconclusive = || report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Inconclusive);
    let of = inconclusive().count();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for note in inconclusive().flat_map(|finding| finding.notes.iter().collect::<BTreeSet<_>>()) {
        *counts.entry(note).or_default() += 1;
    }
    // Between different machines the headline has this reason, which no row then needs to repeat.
    let is_in_headline = |text: &str| !report.environment.matches && text == DIFFERENT_MACHINES;
    let (text, count) = counts.into_iter().max_by_key(|(text, count)| (is_in_headline(text), *count))?;
    let least = if report.environment.matches { MIN_USUAL } else { 2 };
    (count >= least && 3 * count >= of).then(|| SharedNote { text: text.to_owned(), count, of })
}

/// What changed in the samples, and the notes of the verdict.
pub fn without_advice(report: &Report, finding: &Finding) -> Vec<String> {
    let of_values = change_of_values(finding).filter(|of_values| is_notable(finding, *of_values));
    let of_values = medians(report, finding, of_values);
    samples(finding).into_iter().chain(finding.notes.iter().cloned()).chain(of_values).collect()
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

/// What changed in the samples, if known: their slow part, two modes, and the work of one iteration.
pub fn samples(finding: &Finding) -> Vec<String> {
    let noun = sample_noun(&finding.tool, &finding.name, &finding.metric);
    let slow_part = finding.slow_part.as_deref().map(|part| slow_part(part, &finding.metric, noun));
    let modes = finding.modes.as_deref().map(|modes| two_modes(modes, &finding.unit));
    slow_part.into_iter().chain(modes).chain(work(finding)).collect()
}

/// A remark gives the change of the values in a listed row if it differs from the tested change by at least this factor.
const NOTABLE_FACTOR: f64 = 1.05;
/// Base and head are printed with four digits, so a change that is computed from them may be off by this factor.
const ROUNDING: f64 = 1.0015;

/// The change of the values in the row, if it differs from the tested change by more than rounding.
pub(super) fn change_of_values(finding: &Finding) -> Option<f64> {
    let (tested, base, head) = (finding.adjusted?, finding.base?, finding.head?);
    let of_values = head.value / (base.value * finding.work_ratio.unwrap_or(1.0)) - 1.0;
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    (of_values.is_finite() && factor > ROUNDING.ln()).then_some(of_values)
}

/// True if the difference needs a remark: it is large, or one of the changes is printed as a rise and the other one as a fall.
fn is_notable(finding: &Finding, of_values: f64) -> bool {
    let tested = finding.adjusted.unwrap_or_default();
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    let sign = |by: f64| number_text::change(by).chars().next().filter(|c| !c.is_ascii_digit());
    let is_opposite = sign(tested).is_some() && sign(of_values).is_some() && tested * of_values < 0.0;
    is_opposite || factor >= NOTABLE_FACTOR.ln() && finding.is_listed()
}

/// The change of the values in the row, and what the tested change is that of.
fn medians(report: &Report, finding: &Finding, of_values: Option<f64>) -> Option<String> {
    let is_sampled = |side: Value| side.samples > side.runs as u64;
    let has_samples = [finding.base, finding.head].into_iter().flatten().any(is_sampled);
    let what = if has_samples { "medians" } else { "values" };
    let without_shift = legend::is_without_shift(report, finding);
    let tested = match (finding.change_of, without_shift) {
        (Some(ChangeOf::FastestSamples), false) => "; the change is that of the fastest samples",
        (Some(ChangeOf::FastestSamples), true) => {
            "; the change is that of the fastest samples, without the suite-wide shift"
        }
        (None, true) => "; the change is without the suite-wide shift",
        // A note of the verdict names the mean.
        (Some(_), _) => "",
        (None, false) => "; the change is estimated from all runs",
    };
    of_values.map(|by| format!("the {what} changed by {}{tested}", number_text::change(by)))
}

/// `work per iteration changed from 1,000 to 2,000 elements; the change is that of the time per element: 1.000 ns → 1.010 ns`.
fn work(finding: &Finding) -> Option<String> {
    let (work, ratio) = (finding.work.as_ref()?, finding.work_ratio?);
    let (before, after) = (work.amount / ratio, work.amount);
    let (unit, units) = match work.unit {
        WorkUnit::Bytes | WorkUnit::BytesDecimal => ("byte", "bytes"),
        WorkUnit::Bits => ("bit", "bits"),
        WorkUnit::Elements => ("element", "elements"),
    };
    let each = [finding.base.map(|side| side.value / before), finding.head.map(|side| side.value / after)];
    let [base, head] = pair(each, &finding.unit);
    let (before, after) = (amount_of_work(before), amount_of_work(after));
    Some(format!(
        "work per iteration changed from {before} to {after} {units}; the change is that of the time per {unit}: {base} → {head}"
    ))
}

/// A number of bytes, bits or elements. Computed from a rounded rate it has no more than four digits.
fn amount_of_work(amount: f64) -> String {
    let whole = amount.round();
    let is_whole = (amount - whole).abs() < 1e-6 * whole;
    if (is_whole || amount >= 1000.0) && whole < 1e15 {
        return thousands(whole as usize);
    }
    let [amount] = pair([Some(amount)], "");
    amount
}

/// `2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×`.
fn slow_part(part: &OfSides<SlowPart>, metric: &str, noun: &str) -> String {
    let samples = format!(" {noun}");
    let verb = if metric.starts_with("time") { "take" } else { "reach" };
    let of = |side: SlowPart, noun: &str| format!("{}{noun} {verb} {:.1}×", share(side.share), side.factor);
    match (part.head, part.base) {
        (Some(head), Some(base)) => format!("{}, in base {}", of(head, &samples), of(base, "")),
        (Some(head), None) => of(head, &samples),
        (None, Some(base)) => format!("in base {}, in head none", of(base, &samples)),
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
    fn an_amount_of_work_has_no_more_digits_than_its_rate() {
        let texts = [4095.87, 1000.0, 16.0, 15.999, 15.875].map(amount_of_work);
        assert_eq!(texts, ["4,096", "1,000", "16", "16.00", "15.88"]);
    }

    #[test]
    fn a_slow_part_has_its_share_and_factor() {
        let part = |share, factor| Some(SlowPart { share, factor });
        let text = |base, head| slow_part(&OfSides { base, head }, "time", "samples");
        assert_eq!(text(None, part(0.4, 3.0)), "2 in 5 samples take 3.0×");
        assert_eq!(text(part(0.1, 2.9), part(0.4, 3.0)), "2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×");
        assert_eq!(text(part(0.4, 3.0), None), "in base 2 in 5 samples take 3.0×, in head none");
    }
}
