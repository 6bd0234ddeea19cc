//! The sentences below the row of a finding: what changed in its samples, the notes of the verdict, and what would decide it.
//! If the advice is the same for all undecided benchmarks, a report prints it once.

mod advice;
mod samples;

pub(super) use advice::{
    LESS_NOISE, OTHER_THRESHOLD, has_advice, is_beyond_more_runs, is_close_to_threshold, more_runs,
    runs_that_may_decide,
};
pub use samples::samples;
pub(super) use samples::slow_samples_of_head;

use super::listing::MAX_LISTED;
use super::measure_command::MeasureCommand;
use super::next::named;
use super::printed_change::{is_in_note, is_notable, printed_change, printed_change_remark, tested_change_remark};
use super::quantity::{counted, thousands};
use super::summary;
use super::verdict_text::noun_of;
use crate::verdict::{Finding, Reason, Report, UnsubtractedShift, UntestedReason, Verdict};
use advice::{Advice, AdviceContext, Fix, MIN_USUAL, Why, advice, usual};
use std::collections::{BTreeMap, BTreeSet};

/// The remarks of a report.
#[derive(Debug, Default)]
pub struct Remarks {
    /// Number of inconclusive benchmarks, and the noun for them. Those whose better direction is unknown are counted apart.
    inconclusive: usize,
    noun: &'static str,
    /// True if views list all of them without `--all`.
    are_listed: bool,
    /// Number of those with advice.
    undecided: usize,
    context: AdviceContext,
    /// How to add runs.
    further_runs: String,
    /// How to measure base and head in turn.
    in_turn: String,
    /// Why all of them are undecided, if the reason is the same.
    why: Option<Why>,
    /// What would decide all of them, if that is the same except for numbers.
    remedy: Option<Fix>,
    /// Those that further runs would decide, those that are too noisy for that, and those with a change close to the threshold.
    decidable: Advised,
    too_noisy: Advised,
    at_threshold: Advised,
    /// The most frequent advice, except for its numbers, and the number of benchmarks that have it, unless it is the same for all.
    usual: Option<(Advice, usize)>,
    /// The note that inconclusive benchmarks share.
    note: Option<SharedNote>,
    /// True if the verdict names the reason of that note.
    is_in_verdict: bool,
    /// True if many benchmarks have an unknown direction. Then a warning states it once, instead of a note in each row.
    has_many_unknown: bool,
}

/// Benchmarks with the same kind of advice.
#[derive(Debug, Default)]
struct Advised {
    count: usize,
    /// The names of one or two.
    names: Option<String>,
    /// True if the numbers of further runs are not only possible, but probable.
    are_probable: bool,
}

impl Advised {
    fn of(all: &[(&Finding, Advice)], has_kind: impl Fn(Fix) -> bool) -> Advised {
        let (findings, advice): (Vec<&Finding>, Vec<Advice>) =
            all.iter().copied().filter(|(_, advice)| has_kind(advice.remedy)).unzip();
        let are_probable = advice.iter().all(|advice| advice.remedy.is_probable());
        Advised { count: findings.len(), names: named(&findings), are_probable }
    }

    /// The names, or else the words for their number.
    fn named_or(&self, words: impl FnOnce() -> String) -> String {
        self.names.clone().unwrap_or_else(words)
    }
}

/// A note that is printed once for several inconclusive benchmarks, such as that the machines differ.
#[derive(Debug)]
struct SharedNote {
    text: String,
    /// The number of benchmarks that have it.
    count: usize,
}

impl Remarks {
    /// What the undecided benchmarks of a report have in common.
    pub fn of(report: &Report) -> Remarks {
        let inconclusive: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_undecided()).collect();
        let unknown = summary::of_unknown_direction(report);
        let context = AdviceContext::of(report);
        let advised: Vec<(&Finding, Advice)> =
            inconclusive.iter().filter_map(|finding| Some((*finding, advice(finding, &context)?))).collect();
        let all: Vec<Advice> = advised.iter().map(|(_, advice)| *advice).collect();
        let note = shared_note(report, &inconclusive);
        let note = note.filter(|note| note.count == inconclusive.len() || note.count > all.len());
        // The headline has the reason if the machines differ, or if the direction of every changed metric is unknown.
        let is_without_verdict = report.verdict == Verdict::None && !report.first_run && !report.re_measuring_stopped();
        let has_baseline = report.base.gap.is_none() && report.base.missing_classes.is_empty();
        let common = Remarks {
            inconclusive: inconclusive.len(),
            noun: noun_of(&inconclusive),
            are_listed: inconclusive.len() <= MAX_LISTED,
            undecided: all.len(),
            context,
            further_runs: further_runs(report),
            in_turn: in_turn(report),
            decidable: Advised::of(&advised, |fix| !matches!(fix, Fix::LessNoise | Fix::OtherThreshold)),
            too_noisy: Advised::of(&advised, |fix| fix == Fix::LessNoise),
            at_threshold: Advised::of(&advised, |fix| fix == Fix::OtherThreshold),
            is_in_verdict: is_without_verdict && (!report.environment.matches || has_baseline)
                || report.reasons.contains(&Reason::DifferentMachines),
            has_many_unknown: unknown >= MIN_USUAL,
            ..Remarks::default()
        };
        let Some(first) = all.first() else { return Remarks { note, ..common } };
        let shares_only_note =
            !report.environment.matches || note.as_ref().is_some_and(|note| note.count < inconclusive.len());
        if shares_only_note && note.is_some() {
            return Remarks { note, ..common };
        }
        let others = || all.iter().skip(1);
        let remedy = others().try_fold(first.remedy, |remedy, one| remedy.joined(one.remedy));
        let same = others().try_fold(*first, |same, one| same.joined(*one));
        let is_most = |count: usize| remedy.is_none() || 2 * count > all.len();
        let usual = usual(&all).filter(|(_, count)| same.is_none() && is_most(*count));
        Remarks {
            why: same.filter(|_| all.len() > 1).and_then(|same| same.why),
            remedy: remedy.filter(|_| all.len() > 1 && usual.is_none()),
            usual,
            note,
            ..common
        }
    }

    /// What the rows leave out because several inconclusive benchmarks share it: their note, and what would decide them. If a view
    /// lists only the largest ones, `others` is where the reasons of the others are.
    pub fn shared_advice(&self, others: &str) -> Option<String> {
        let Some(note) = &self.note else { return self.advice_of_several(Some(others)) };
        if self.is_in_verdict {
            return None;
        }
        let text = format!("{}: {}", self.subject(note.count, others), note.text);
        let advice = self.advice_of_several(None).filter(|_| note.count == self.inconclusive);
        let advice = advice.map(|advice| format!(". {}", summary::capitalized(&advice)));
        Some(text + &advice.unwrap_or_default())
    }

    /// `12 inconclusive benchmarks`, `the 7 inconclusive benchmarks without a reason below their row`, or, if not all of them are
    /// listed, `7 of the 11 inconclusive benchmarks (the others: see their rows; --all lists all)`.
    fn subject(&self, count: usize, others: &str) -> String {
        let inconclusive = format!("inconclusive {}", self.noun);
        let all = counted(self.inconclusive, &inconclusive);
        if count == self.inconclusive {
            all
        } else if self.are_listed {
            format!("the {} without a reason below their row", counted(count, &inconclusive))
        } else {
            format!("{} of the {all}{others}", thousands(count))
        }
    }

    /// The words for inconclusive benchmarks without the shared advice. Their rows may not be listed.
    fn other_reason(&self, count: usize) -> &'static str {
        match (count, self.are_listed) {
            (1, true) => "has another reason, in its row",
            (1, false) => "has another reason",
            (_, true) => "have another reason, in their rows",
            (_, false) => "have another reason",
        }
    }

    /// What would decide the undecided benchmarks, if that is the same for several, after their number (with where the others are).
    fn advice_of_several(&self, others: Option<&str>) -> Option<String> {
        if self.undecided < 2 {
            return None;
        }
        let subject =
            |count: usize| others.map(|others| format!("{}: ", self.subject(count, others))).unwrap_or_default();
        let command = if self.decidable.count == 0 { "" } else { &*self.further_runs };
        if let Some((Advice { why, remedy }, count)) = &self.usual {
            let why = why.map(|why| format!("{}; ", why.text())).unwrap_or_default();
            let others = match self.too_noisy.count {
                0 => String::new(),
                _ if *remedy == Fix::LessNoise => String::new(),
                _ => format!(". Where the noise is too large for that: {LESS_NOISE}"),
            };
            return Some(format!("{}{why}{}{others}", subject(*count), self.with_advice(*remedy)));
        }
        if let Some(remedy) = self.remedy {
            let why = self.why.map(|why| format!("{}; ", why.text())).unwrap_or_default();
            return Some(format!("{}{why}{}", subject(self.undecided), self.with_advice(remedy)));
        }
        if self.decidable.count == self.undecided {
            let text = "to decide the inconclusive benchmarks, measure both sides in turn";
            return (!command.is_empty()).then(|| format!("{text}{}", self.in_turn));
        }
        let parts = [
            self.advice_of_more_runs(command),
            self.advice_of_less_noise(),
            self.advice_of_other_threshold(),
            others.and_then(|_| self.other_reasons()),
        ];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    fn advice_of_more_runs(&self, command: &str) -> Option<String> {
        let Advised { count, are_probable, .. } = self.decidable;
        let all = || counted(self.inconclusive, &format!("inconclusive {}", self.noun));
        let which = self.decidable.named_or(|| format!("{} of the {}", thousands(count), all()));
        let verb = if are_probable { "would probably decide" } else { "may decide" };
        (count > 0).then(|| format!("more runs {verb} {which}{command}"))
    }

    fn advice_of_less_noise(&self) -> Option<String> {
        let count = self.too_noisy.count;
        let is_rest = self.decidable.count + count == self.inconclusive;
        let which = self.too_noisy.named_or(|| match is_rest {
            true => format!("the other {}", thousands(count)),
            false => format!("{} others", thousands(count)),
        });
        (count > 0).then(|| format!("for {which}, {LESS_NOISE}"))
    }

    fn advice_of_other_threshold(&self) -> Option<String> {
        let count = self.at_threshold.count;
        let which = self.at_threshold.named_or(|| format!("{} others", thousands(count)));
        let have = if count == 1 { "has a change" } else { "have changes" };
        (count > 0).then(|| format!("{which} {have} close to the threshold: {OTHER_THRESHOLD}"))
    }

    /// That the rows of the benchmarks without advice have other reasons.
    fn other_reasons(&self) -> Option<String> {
        match self.inconclusive.saturating_sub(self.undecided) {
            0 => None,
            1 => Some(format!("another one {}", self.other_reason(1))),
            count => Some(format!("{} others {}", thousands(count), self.other_reason(count))),
        }
    }

    /// What would decide a benchmark, and how to do that.
    fn with_advice(&self, remedy: Fix) -> String {
        match (remedy, remedy.advice()) {
            (_, Some(advice)) => format!("{}; {advice}", remedy.text()),
            (Fix::InTurn, None) if !self.context.by_measure => remedy.text() + &self.in_turn,
            _ => remedy.text() + &self.further_runs,
        }
    }

    /// The remarks on a finding, without what [`Self::shared_advice`] has.
    pub fn on(&self, finding: &Finding) -> Vec<String> {
        let mut remarks = without_advice(finding);
        remarks.extend(self.context.suspected_without_shift(finding));
        if let Some(note) = self.note.as_ref().filter(|_| finding.is_undecided()) {
            remarks.retain(|remark| *remark != note.text);
        }
        if finding.not_tested == Some(UntestedReason::UnknownDirection) && self.has_many_unknown {
            remarks.retain(|remark| remark != UntestedReason::UnknownDirection.note());
        }
        let is_usual = |advice: &Advice| self.usual.as_ref().is_some_and(|(usual, _)| usual.joined(*advice).is_some());
        let own = advice(finding, &self.context).filter(|advice| !is_usual(advice));
        if let Some(Advice { why, remedy }) = own {
            let why = why.filter(|_| self.why.is_none()).map(Why::text);
            let is_only = self.undecided == 1;
            let remedy = self.remedy.is_none().then(|| if is_only { self.with_advice(remedy) } else { remedy.text() });
            let parts: Vec<String> = [why, remedy].into_iter().flatten().collect();
            if !parts.is_empty() {
                remarks.push(parts.join("; "));
            }
        }
        remarks
    }

    /// All remarks on a finding, for a view that shows it alone and has no legend.
    pub fn alone(report: &Report, finding: &Finding) -> Vec<String> {
        let one = Remarks {
            undecided: 1,
            context: AdviceContext::of(report),
            further_runs: further_runs(report),
            in_turn: in_turn(report),
            ..Remarks::default()
        };
        let mut remarks = one.on(finding);
        if let Some(of_values) = printed_change(finding).filter(|_| !is_in_note(finding)) {
            let remark = printed_change_remark(finding, of_values);
            remarks.retain(|one| *one != remark);
            remarks.push(remark + tested_change_remark(report, finding));
        }
        remarks
    }
}

/// How to add runs. `perfgate measure` has options for it. Runs at other times would not show where a suite-wide shift comes from.
fn further_runs(report: &Report) -> String {
    match UnsubtractedShift::of(report) {
        _ if report.by_measure => String::new(),
        Some(open) if open.needs_re_measuring => in_turn(report),
        _ => format!(" ({}, or further `--base` and `--head`)", MeasureCommand::of(report).command),
    }
}

/// How to measure base and head in turn.
fn in_turn(report: &Report) -> String {
    format!(" ({})", MeasureCommand::of(report).command)
}

/// The most frequent note of the inconclusive benchmarks, if at least a third of them have it. Between different machines it is
/// that reason, which the headline has, so that no row needs to repeat it.
fn shared_note(report: &Report, inconclusive: &[&Finding]) -> Option<SharedNote> {
    let is_between_machines = |one: &&&Finding| one.not_tested == Some(UntestedReason::DifferentMachines);
    let between_machines = inconclusive.iter().filter(is_between_machines).count();
    let least = if report.environment.matches { MIN_USUAL } else { 2 };
    let is_shared = |count: usize| count >= least && 3 * count >= inconclusive.len();
    if !report.environment.matches && is_shared(between_machines) {
        return Some(SharedNote { text: UntestedReason::DifferentMachines.note().to_owned(), count: between_machines });
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for note in inconclusive.iter().flat_map(|finding| finding.notes.iter().collect::<BTreeSet<_>>()) {
        *counts.entry(note).or_default() += 1;
    }
    let (text, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    is_shared(count).then(|| SharedNote { text: text.to_owned(), count })
}

/// What changed in the samples, and the notes of the verdict.
pub fn without_advice(finding: &Finding) -> Vec<String> {
    let of_values = printed_change(finding).filter(|of_values| !is_in_note(finding) && is_notable(finding, *of_values));
    let of_values = of_values.map(|by| printed_change_remark(finding, by));
    samples(finding).into_iter().chain(finding.notes.iter().cloned()).chain(of_values).collect()
}
