//! Fills the context of templates from a Report: numbers become text with units. Decides nothing.

use super::DetailLevel;
use super::accept::suggested_waivers;
use super::chart::chart;
use super::checks::checks;
use super::context::*;
use super::headline::{self, is_cache};
use super::row::{advised_row, budget, largest, ratio, row};
use super::sections::{alerts, bottlenecks, concerns, load, queries, spread};
use super::selection::{Limits, Selection};
use crate::model::{CodeChange, Commit, Diagnostic, sample_noun};
use crate::render::explanation::{MAX_FUNCTIONS_IN_REPORT, explanation_text, notes};
use crate::render::legend;
use crate::render::method::method;
use crate::render::next::{next_jobs, next_step};
use crate::render::notices::accept_command;
use crate::render::quantity::{change, counted, interval, interval_ends, pair, percent, size, thousands};
use crate::render::remarks::Remarks;
use crate::render::summary;
use crate::render::verdict_text::{self, HeadlineStatus};
use crate::verdict::{Finding, MeanChange, Outcome, Report, SideReport, Value, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// The context of a report, reduced to a level of detail. `names` are those that the template uses.
pub fn context(report: &Report, level: DetailLevel, names: &BTreeSet<String>) -> Context {
    let (limits, selection) = (Limits::of(level), Selection::of(report, level));
    let remarks = Remarks::of(report);
    let advised = |finding| advised_row(report, &remarks, finding);
    let plain = |finding| without_notes_of_budgets(report, row(report, finding));
    let by_size = |belongs: &dyn Fn(&Finding) -> bool| -> Vec<Row> {
        largest_first(report, belongs).into_iter().take(limits.details).map(advised).collect()
    };
    let regressions = regressions(report);
    let facts = report.facts.as_ref();
    let fields = facts.map(|facts| facts.fields.clone()).unwrap_or_default();
    let change = facts.and_then(|facts| facts.change.as_ref());
    let acceptable = report.acceptable.as_ref().filter(|_| report.fails_on_regressions());
    let mut context = Context {
        verdict: verdict(report),
        counts: counts(report),
        base: side(&report.base, report, false),
        head: side(&report.head, report, true),
        method: method(report),
        legend: legend::of_document(report, &selection.listed),
        threshold: percent(report.threshold),
        advice: remarks.shared_advice(""),
        overall: overall(report),
        best: improvements(report).first().copied().map(plain),
        worst: regressions.first().copied().map(plain),
        listed: selection
            .listed
            .into_iter()
            .map(|finding| without_notes_of_budgets(report, advised(finding)))
            .collect(),
        not_listed: selection.not_listed,
        next_step: next_step(report),
        next_steps: next_jobs(report)
            .into_iter()
            .map(|job| NextStep { text: job.text, accepts: job.accepts })
            .collect(),
        rows: selection.rows.into_iter().map(advised).collect(),
        unlisted: selection.unlisted,
        regressions: regressions.into_iter().take(limits.regressions).map(plain).collect(),
        more_regressions: selection.more_regressions,
        more_failing: selection.more_failing,
        explanations: explanations(report, limits.explanations),
        improvements: improvements(report).into_iter().take(limits.improvements).map(plain).collect(),
        accept: suggested_waivers(report),
        accept_command: acceptable.map(|acceptable| accept_command(&acceptable.commit)),
        reproduce: facts.and_then(|facts| facts.reproduce.clone()),
        chart: report.series.first().and_then(chart),
        headline: headline::headline(report),
        others: headline::others(report),
        budgets: report.budgets.iter().take(limits.budgets).map(budget).collect(),
        goals: report.goals.iter().take(limits.goals).map(goal).collect(),
        task: task(change, &fields),
        show_unmeasured: fields.get("unmeasured").is_none_or(|word| word != "drop"),
        fields,
        change: change.map(|change| change_facts(change, limits.files)),
        change_unknown: change.is_none().then(|| change_unknown(report)),
        queries: queries(report, limits.details),
        bottlenecks: bottlenecks(report, limits.bottlenecks),
        concerns: concerns(report, limits.concerns),
        cache: by_size(&is_cache),
        spread: spreads(report).take(2 * limits.details).collect(),
        load: load(report, limits.details),
        memory: by_size(&is_memory),
        profile: by_size(&|finding| finding.tool == "cprofile" && finding.metric == "time:self"),
        quality: headline::quality(report),
        checks: checks(report),
        alerts: alerts(report),
        environment: environment(report),
        evidence: evidence(report),
        tests: facts.and_then(|facts| facts.head.tests).map(|t| TestsText { passed: t.passed, failed: t.failed }),
        diagnostics: report.diagnostics.iter().take(limits.diagnostics).map(ToString::to_string).collect(),
        left_out: Vec::new(),
        folded: level >= DetailLevel::Folded,
    };
    context.left_out = left_out(report, &context, names);
    context
}

fn verdict(report: &Report) -> VerdictText {
    let word = match report.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::None => "NO VERDICT",
    };
    VerdictText {
        word: word.to_owned(),
        passed: report.verdict == Verdict::Pass,
        sentence: verdict_text::verdict(report),
        mark: HeadlineStatus::of(report).mark().to_owned(),
        reasons: summary::reasons(report),
    }
}

/// The regressions, those of the code's quality last.
fn regressions(report: &Report) -> Vec<&Finding> {
    let mut found: Vec<&Finding> = report.benchmarks.iter().filter(|f| f.outcome == Outcome::Regressed).collect();
    found.sort_by_key(|finding| headline::is_quality(finding));
    found
}

/// The improvements, the largest first.
fn improvements(report: &Report) -> Vec<&Finding> {
    let mut found: Vec<&Finding> = report.benchmarks.iter().filter(|f| f.outcome == Outcome::Improved).collect();
    found.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    found
}

/// Some findings, those with the largest values first.
fn largest_first<'r>(report: &'r Report, belongs: &dyn Fn(&Finding) -> bool) -> Vec<&'r Finding> {
    let mut found: Vec<&Finding> = report.benchmarks.iter().filter(|finding| belongs(finding)).collect();
    found.sort_by(|a, b| largest(b).total_cmp(&largest(a)));
    found
}

fn is_memory(finding: &Finding) -> bool {
    finding.metric.starts_with("memory")
}

/// The sample statistics of all times.
fn spreads(report: &Report) -> impl Iterator<Item = SpreadRow> {
    report.benchmarks.iter().filter(|finding| finding.metric == "time").flat_map(spread)
}

/// A row without the notes of its budgets, which the list of budgets has too.
fn without_notes_of_budgets(report: &Report, mut row: Row) -> Row {
    let lines = report.budgets.iter().filter(|line| line.benchmark == row.name);
    let noted: Vec<&String> = lines.flat_map(|line| &line.notes).collect();
    row.notes.retain(|note| !noted.contains(&note));
    row
}

/// What the lists of the context leave out of the report, per list that the template uses.
fn left_out(report: &Report, context: &Context, names: &BTreeSet<String>) -> Vec<String> {
    let memory = report.benchmarks.iter().filter(|finding| is_memory(finding)).count();
    let shown = context.diagnostics.len();
    let hidden = report.diagnostics.iter().skip(shown).map(Diagnostic::count).sum::<usize>();
    let lists = [
        ("explanations", "explanation", report.explanations.len(), context.explanations.len()),
        ("budgets", "budget", report.budgets.len(), context.budgets.len()),
        ("goals", "goal", report.goals.len(), context.goals.len()),
        ("spread", "row of sample statistics", spreads(report).count(), context.spread.len()),
        ("load", "endpoint", load(report, usize::MAX).len(), context.load.len()),
        ("memory", "row of memory use", memory, context.memory.len()),
        ("diagnostics", "warning", shown + hidden, shown),
    ];
    let used = lists.into_iter().filter(|(name, ..)| names.contains(*name));
    let more = used.map(|(_, what, all, shown)| (what, all.saturating_sub(shown)));
    more.filter(|(_, more)| *more > 0).map(|(what, more)| counted_more(more, what)).collect()
}

/// `12 more budgets`; the first word of `what` takes the plural.
fn counted_more(count: usize, what: &str) -> String {
    let (noun, rest) = what.split_once(' ').map_or((what, String::new()), |(noun, rest)| (noun, format!(" {rest}")));
    format!("{}{rest}", counted(count, &format!("more {noun}")))
}

fn explanations(report: &Report, most: usize) -> Vec<ExplanationText> {
    report
        .explanations
        .iter()
        .take(most)
        .map(|explanation| explanation_text(explanation, MAX_FUNCTIONS_IN_REPORT))
        .collect()
}

/// The change of the whole suite where it was judged, as the verdict states it; otherwise the mean change.
fn overall(report: &Report) -> Option<ChangeText> {
    let MeanChange { change: by, interval: [low, high] } = summary::overall_change(report)?;
    let shown = low > 0.0 || high < 0.0;
    let contradicts_shift = report.suite.is_none() && summary::mean_to_show(report).is_none();
    let (factor, words) = (factor(by), format!("{} {}", size(by), if by > 0.0 { "slower" } else { "faster" }));
    let (change, [low, high]) = (change(by), interval_ends(Some(by), [low, high]));
    let over = if report.suite.is_some() { "runs" } else { "benchmarks" };
    Some(ChangeText { change, low, high, over: over.to_owned(), shown, contradicts_shift, factor, words })
}

fn factor(change: f64) -> String {
    let times = 1.0 + change;
    if times < 1.0 { format!("{:.2}× as fast", 1.0 / times) } else { format!("{times:.2}× as long") }
}

fn counts(report: &Report) -> CountsText {
    let c = report.counts;
    CountsText {
        sentence: summary::counts(report),
        regressed: c.regressed,
        improved: c.improved,
        unchanged: c.unchanged,
        inconclusive: c.inconclusive,
        suspected: report.benchmarks.iter().filter(|finding| finding.is_suspected_regression()).count(),
        not_judged: summary::of_unknown_direction(report),
        added: c.added,
        removed: c.removed,
        not_run: summary::not_run(report),
        one_sided: summary::one_sided(report),
        accepted: c.accepted,
    }
}

fn side(side: &SideReport, report: &Report, head: bool) -> SideText {
    let facts = report.facts.as_ref().map(|facts| if head { &facts.head } else { &facts.base });
    SideText {
        label: side.label.clone(),
        runs: side.runs,
        commit: side.commit.as_ref().map(|commit| commit.short().to_owned()),
        branch: side.branch.clone(),
        behind: side.gap.as_ref().map(|gap| format!("{} behind {}", counted(gap.commits, "commit"), gap.behind.name())),
        tools: facts.map(|facts| facts.tools.clone()).unwrap_or_default(),
    }
}

pub(in crate::render) fn goal(line: &crate::verdict::GoalLine) -> GoalText {
    let [value] = pair([line.value], &line.unit);
    let achieved = match (line.value, line.change) {
        (None, _) => None,
        (Some(_), None) => Some(value),
        (Some(_), Some(by)) => Some(match line.interval {
            Some(ends) => format!("{value}, {} (95% CI {})", change(by), interval(Some(by), ends)),
            None => format!("{value}, {}", change(by)),
        }),
    };
    GoalText {
        name: line.benchmark.clone(),
        metric: line.metric.clone(),
        promised: line.expect.clone(),
        achieved,
        status: line.status.word().to_owned(),
    }
}

fn task(change: Option<&CodeChange>, fields: &BTreeMap<String, String>) -> Task {
    let trailers = |key: &str| -> Vec<String> {
        let found = change.into_iter().flat_map(|change| &change.trailers);
        found.filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.clone()).collect()
    };
    let field = |key: &str| fields.get(key).cloned().filter(|text| !text.trim().is_empty());
    let one = |key: &str| field(key).or_else(|| trailers(key).into_iter().next());
    let several = |key: &str| match field(key) {
        Some(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        None => trailers(key),
    };
    let branch = change.and_then(|change| change.branch.as_deref()).and_then(task_id);
    Task {
        id: one("task").or(branch),
        priority: one("priority"),
        phase: one("phase"),
        review: one("review"),
        depends_on: several("depends-on"),
        blocks: several("blocks"),
        estimated: one("estimated-effort"),
        actual: one("actual-effort"),
    }
}

/// The task in the name of a branch, capital letters followed by groups of digits: `TASK-20250929-006` in
/// `perf/TASK-20250929-006-eager-loading`.
fn task_id(branch: &str) -> Option<String> {
    branch.split(['/', '_']).find_map(|part| {
        let mut words = part.split('-');
        let key = words.next().filter(|key| key.len() >= 2 && key.chars().all(|c| c.is_ascii_uppercase()))?;
        let digits: Vec<&str> =
            words.take_while(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())).collect();
        (!digits.is_empty()).then(|| format!("{key}-{}", digits.join("-")))
    })
}

fn change_unknown(report: &Report) -> String {
    const NO_REPOSITORY: &str = "the comparison was not made in a git repository";
    let reason = report.facts.as_ref().and_then(|facts| facts.change_unknown.clone());
    reason.unwrap_or_else(|| NO_REPOSITORY.to_owned())
}

fn change_facts(change: &CodeChange, most_files: usize) -> ChangeFacts {
    let short = |commit: &Option<Commit>| commit.as_ref().map(|commit| commit.short().to_owned()).unwrap_or_default();
    let files = change.files.iter().take(most_files);
    let files: Vec<FileText> = files
        .map(|file| FileText {
            path: file.path.clone(),
            kind: file.kind.word().to_owned(),
            added: file.added,
            removed: file.removed,
            functions: file.functions.clone(),
        })
        .collect();
    ChangeFacts {
        base: short(&change.base),
        head: short(&change.head),
        branch: change.branch.clone(),
        dirty: change.dirty,
        added: change.files.iter().map(|file| file.added).sum(),
        removed: change.files.iter().map(|file| file.removed).sum(),
        more_files: change.more_files + change.files.len() - files.len(),
        files,
        indexes: change.indexes.clone(),
        migrations: change.migrations.clone(),
        dependencies: change
            .dependencies
            .iter()
            .map(|d| DependencyText {
                name: d.name.clone(),
                before: d.before.clone(),
                after: d.after.clone(),
                manifest: d.manifest.clone(),
            })
            .collect(),
    }
}

fn environment(report: &Report) -> Vec<EnvironmentRow> {
    let facts = report.facts.as_ref();
    let base = facts.map(|f| &f.base.environment).unwrap_or(&report.base.environment);
    let head = facts.map(|f| &f.head.environment).unwrap_or(&report.head.environment);
    let keys: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    let row =
        |key: &String| EnvironmentRow { fact: key.clone(), base: base.get(key).cloned(), head: head.get(key).cloned() };
    keys.into_iter().map(row).collect()
}

/// The smallest and the largest number of samples of a side; none if no benchmark has a value.
fn range_of_samples(findings: &[&Finding], side: impl Fn(&Finding) -> Option<Value>) -> Option<(usize, usize)> {
    let counts: Vec<usize> = findings.iter().filter_map(|finding| Some(side(finding)?.samples as usize)).collect();
    counts.iter().min().copied().zip(counts.iter().max().copied())
}

fn range_text(range: (usize, usize), nouns: &str) -> String {
    match range {
        (_, 0 | 1) => "one value".to_owned(),
        (least, most) if least == most => format!("{} {nouns}", thousands(most)),
        (least, most) => format!("{} to {} {nouns}", thousands(least), thousands(most)),
    }
}

/// A line per tool: `pytest-benchmark: 7 benchmarks, 5 to 300 samples each`, or `36 samples in base, 12 in head`.
fn evidence(report: &Report) -> Vec<String> {
    let mut tools: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.benchmarks {
        tools.entry(&finding.tool).or_default().push(finding);
    }
    let line = |(tool, findings): (&str, Vec<&Finding>)| {
        let names: BTreeSet<&str> = findings.iter().map(|finding| &*finding.name).collect();
        let sampled =
            |finding: &&&Finding| [finding.base, finding.head].into_iter().flatten().any(|side| side.samples > 1);
        let noun = |finding: &&Finding| sample_noun(&finding.tool, &finding.name, &finding.metric);
        let nouns: BTreeSet<&str> = findings.iter().filter(sampled).map(noun).collect();
        let nouns = nouns.into_iter().collect::<Vec<_>>().join(" or ");
        let base = range_of_samples(&findings, |finding| finding.base);
        let head = range_of_samples(&findings, |finding| finding.head);
        let samples = match (base, head) {
            (Some(base), Some(head)) if base != head => {
                format!("{} in base, {} in head", range_text(base, &nouns), range_text(head, &nouns))
            }
            (Some(range), _) | (None, Some(range)) => format!("{} each", range_text(range, &nouns)),
            (None, None) => "no values".to_owned(),
        };
        format!("{tool}: {}, {samples}", counted(names.len(), "benchmark"))
    };
    let profiles = notes(&report.explanations).into_iter().map(|note| format!("explanations: {note}"));
    tools.into_iter().map(line).chain(profiles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_is_read_from_the_branch() {
        assert_eq!(task_id("perf/TASK-20250929-006-eager-loading").as_deref(), Some("TASK-20250929-006"));
        assert_eq!(task_id("JIRA-12").as_deref(), Some("JIRA-12"));
        assert_eq!(task_id("feature/faster-x"), None);
    }
}
