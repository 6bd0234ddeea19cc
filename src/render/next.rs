//! What to do about a verdict, in a sentence or a few.

mod failed;

use super::escape;
use super::measure_command::MeasureCommand;
use super::open_shift::is_open_by_shift;
use super::quantity::{counted, thousands};
use super::remarks::{
    LESS_NOISE, OTHER_THRESHOLD, has_advice, is_beyond_more_runs, is_close_to_threshold, more_runs,
    runs_that_may_decide,
};
use super::summary::capitalized;
use super::verdict_text::{OF_THIS_CLASS, OpenQuestion, names, not_in_fail_on, noun_of};
use crate::model::Environment;
use crate::verdict::{
    AcceptableOnPull, BaselineGap, BudgetLine, BudgetStatus, EnvironmentDifference, Finding, Outcome, Reason, Report,
    UnsubtractedShift, Verdict, WithoutQ,
};
use failed::{different_facts, failed, is_about_machines};

/// Of more benchmarks, only the number is given.
const MAX_NAMED: usize = 2;

/// The sentence; `None` if there is nothing to do. It names at most [`MAX_NAMED`] benchmarks, because the rows already do.
pub fn next_step(report: &Report) -> Option<String> {
    next_step_with(report, "")
}

/// The sentence; `about_entries` follows the advice to accept regressions.
fn next_step_with(report: &Report, about_entries: &str) -> Option<String> {
    let mut steps: Vec<String> = match report.verdict {
        Verdict::Pass => passed(report).into_iter().collect(),
        Verdict::None if report.first_run && report.by_measure => Vec::new(),
        Verdict::None if report.first_run => vec!["The first stored run becomes the baseline.".to_owned()],
        Verdict::None if report.same_results => vec!["Compare two different results.".to_owned()],
        Verdict::None if report.re_measuring_stopped() => {
            vec!["Check why the run failed (a warning names its command), then measure again.".to_owned()]
        }
        Verdict::None if !report.environment.matches => vec![same_machine(report)],
        Verdict::None if !report.base.missing_classes.is_empty() && !report.has_regressed_behind_gap() => {
            let step = "Record a baseline for each machine class of head; a warning names the classes without one.";
            vec![step.to_owned()]
        }
        Verdict::None if report.base.gap.is_some() => {
            report.base.gap.iter().map(|gap| without_gap(gap, report)).collect()
        }
        Verdict::None if report.has_only_zero_times() => {
            vec!["Measure longer, or repeat the operation within each sample.".to_owned()]
        }
        Verdict::None if !report.benchmarks.iter().all(Finding::is_judged) => {
            vec![format!("State which way is better: `direction` of a `[[benchmark]]` in {}.", config(report))]
        }
        Verdict::None => {
            let file = config(report);
            vec![format!(
                "Compare results that have benchmark names in common, or map old names to new ones with `[rename]` in {file}."
            )]
        }
        Verdict::Fail => {
            let failed = report.reasons.iter().map(|reason| match reason {
                Reason::Outcome(Outcome::Regressed, _) => failed(*reason, report) + about_entries,
                _ => failed(*reason, report),
            });
            failed.chain(open_suspects(report)).chain(fail_on_remark(report)).collect()
        }
    };
    let is_about_machines = match report.verdict {
        Verdict::Pass => false,
        Verdict::None => true,
        Verdict::Fail => report.reasons.iter().any(|reason| is_about_machines(*reason, report)),
    };
    if !report.environment.matches && !report.first_run && !is_about_machines {
        steps.push(same_machine(report));
    }
    steps.dedup();
    (!steps.is_empty()).then(|| steps.join(" "))
}

/// How to measure base and head in turn, after these words.
fn in_turn(report: &Report) -> String {
    if report.by_measure {
        return " (without `--stored`)".to_owned();
    }
    let MeasureCommand { command, words } = MeasureCommand::of(report);
    format!(" ({command}; {words})")
}

/// The regressions and missed budgets that do not fail the gate, because `fail-on` does not list them.
fn fail_on_remark(report: &Report) -> Option<String> {
    let reasons = not_in_fail_on(report);
    let what = if reasons.is_empty() { return None } else { reasons.join(", ") };
    Some(format!("Not in fail-on, whose list replaces the default one: {what}."))
}

/// The next step for a view of `perfgate compare` that does not contain the `[[accept]]` entries.
pub(super) fn next_step_of_compare(report: &Report) -> Option<String> {
    let is_acceptable = report.fails_on_regressions() && report.acceptable.is_none() && !report.by_measure;
    let hint = match report.counts.regressed {
        _ if !is_acceptable => "",
        1 => " `--template comment` prints the entry to copy.",
        _ => " `--template comment` prints the entries to copy.",
    };
    next_step_with(report, hint)
}

/// How to get a verdict where the base has a gap.
fn without_gap(gap: &BaselineGap, report: &Report) -> String {
    let MeasureCommand { command, words } = MeasureCommand::of(report);
    let class = if gap.elsewhere { OF_THIS_CLASS } else { "" };
    format!(
        "Run this again when {} has a stored run{class}, or measure base and head in turn ({command}, or the input `command` of the \
         action; {words}).",
        gap.behind.name()
    )
}

/// The file whose settings apply: in a pull request from a fork, that of the base branch.
fn config(report: &Report) -> &'static str {
    match &report.acceptable {
        Some(AcceptableOnPull { by_waiver: false, .. }) => "perfgate.toml of the base branch",
        _ => "perfgate.toml",
    }
}

fn same_machine(report: &Report) -> String {
    let is_unknown =
        |one: &EnvironmentDifference| [&one.base, &one.head].iter().any(|fact| *fact == Environment::UNKNOWN);
    if report.by_measure {
        "Measure base too (without `--stored`).".to_owned()
    } else if report.environment.differences.iter().any(|one| one.decisive && is_unknown(one)) {
        "Record new runs with `perfgate record`, which stores their machine, or list \"unknown\" under `[environment] ignore` in perfgate.toml.".to_owned()
    } else {
        format!(
            "Measure base and head on one machine{}, or list the facts that may differ under `[environment] ignore` in perfgate.toml.",
            in_turn(report)
        )
    }
}

fn passed(report: &Report) -> Option<String> {
    let Some(open) = OpenQuestion::of(report) else { return suite_shift_step(report) };
    let step = match open {
        OpenQuestion::Failed(1) => "Check the benchmark that failed.",
        OpenQuestion::Failed(_) => "Check the benchmarks that failed.",
        OpenQuestion::RunError => "Check the error that ended the run; the warnings name it.",
        // Different machines are the reason; `next_step` adds what to do about them.
        OpenQuestion::Suspects | OpenQuestion::Inconclusive if !report.environment.matches => return None,
        OpenQuestion::Suspects => return open_suspects(report),
        OpenQuestion::Inconclusive => return Some(decide(report)),
        OpenQuestion::NotRun(_) => "Run the whole suite: most benchmarks of base have no result in head.",
        OpenQuestion::NotInFailOn | OpenQuestion::Budgets { .. } => {
            let steps: Vec<String> = suite_shift_step(report).into_iter().chain(open_budgets(report)).collect();
            return (!steps.is_empty()).then(|| steps.join(" "));
        }
    };
    Some(step.to_owned())
}

/// What to do about budgets that are neither met nor missed.
fn open_budgets(report: &Report) -> Option<String> {
    let noun = |count: usize| if count == 1 { "budget" } else { "budgets" };
    // Between different machines, the next step is about the machines.
    let is_open =
        |line: &&BudgetLine| line.status == BudgetStatus::NoData && (report.environment.matches || !line.relative);
    let no_data: Vec<&BudgetLine> = report.budgets.iter().filter(is_open).collect();
    let fix = no_data.first().map(|first| {
        let is_same = no_data.iter().all(|line| line.notes == first.notes);
        let what = match first.notes.first().filter(|_| is_same) {
            Some(note) => format!(": {}", escape::message(note)),
            None if no_data.iter().all(|line| !line.notes.is_empty()) => "; the notes state what is missing".to_owned(),
            None => String::new(),
        };
        format!("Fix the {} without data{what}.", noun(no_data.len()))
    });
    let undecided = report.budgets.iter().filter(|line| line.undecided).count();
    let re_measure = (undecided > 0).then(|| {
        let benchmarks = if undecided == 1 { "benchmark" } else { "benchmarks" };
        let MeasureCommand { command, words } = MeasureCommand::of(report);
        let how = match report.by_measure {
            true => "`--rounds`".to_owned(),
            false => format!("runs ({command}, or further `--base` and `--head`; {words})"),
        };
        format!("Re-measure the {benchmarks} of the undecided {} with more {how}.", noun(undecided))
    });
    let steps: Vec<String> = fix.into_iter().chain(re_measure).collect();
    (!steps.is_empty()).then(|| steps.join(" "))
}

/// How to decide the suspected regressions, unless inconclusive benchmarks fail the gate: then [`decide`] has it.
fn open_suspects(report: &Report) -> Option<String> {
    let is_reason = report.reasons.iter().any(|reason| matches!(reason, Reason::Outcome(Outcome::Inconclusive, _)));
    let suspects: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_suspected_regression()).collect();
    let is_open = !suspects.is_empty() && !is_reason && report.environment.matches;
    is_open.then(|| re_measure(report, "suspected", &suspects))
}

fn another_base_run(report: &Report) -> String {
    let how = in_turn(report);
    format!(
        "Compare with another run of base (give both: `--base FIRST --base SECOND`), or measure base and head in turn{how}."
    )
}

/// What to do about a suite-wide shift of unknown cause, if nothing else is open.
fn suite_shift_step(report: &Report) -> Option<String> {
    let open = UnsubtractedShift::of(report).filter(|open| open.needs_re_measuring)?;
    let step = match open.by_single_base_run {
        true => another_base_run(report),
        false => format!("Re-measure base and head in turn{}: the machine may be the cause.", in_turn(report)),
    };
    Some(step)
}

/// How to decide the inconclusive benchmarks.
fn decide(report: &Report) -> String {
    let open: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_undecided()).collect();
    if !open.is_empty() && open.iter().all(|finding| finding.other_settings) {
        return "Re-measure base and head with the same settings. The note of each benchmark states the difference."
            .to_owned();
    }
    re_measure(report, "inconclusive", &open)
}

/// What to do about undecided benchmarks.
fn re_measure(report: &Report, which: &str, open: &[&Finding]) -> String {
    let has_too_few = |one: &&Finding| one.without_q == Some(WithoutQ::TooFewResults);
    let (too_few, others): (Vec<&Finding>, Vec<&Finding>) = open.iter().copied().partition(has_too_few);
    let steps = match too_few.as_slice() {
        [] => [Some(how_to_decide(report, which, open)), None],
        too_few => {
            let of_others = (!others.is_empty()).then(|| how_to_decide(report, which, &others));
            [of_others, Some(missing_results(too_few))]
        }
    };
    steps.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What to do about re-measured benchmarks that are missing from runs: more runs would miss them too.
fn missing_results(of: &[&Finding]) -> String {
    let which = named(of).unwrap_or_else(|| counted(names(of).len(), "re-measured benchmark"));
    let verb = if of.len() == 1 { "has" } else { "have" };
    format!("Check why {which} {verb} no result in some runs, then measure again.")
}

/// What would decide benchmarks that have a result in every run.
fn how_to_decide(report: &Report, which: &str, open: &[&Finding]) -> String {
    let is_by_shift = |finding: &Finding| is_open_by_shift(&report.shifts, finding);
    let runs = || open.iter().filter(|one| !is_by_shift(one)).filter_map(|finding| runs_that_may_decide(finding));
    let has_number = runs().next().is_some();
    // The others have another reason, in their notes.
    let advised: Vec<&Finding> = open.iter().copied().filter(|finding| has_advice(finding)).collect();
    let are_most = !advised.is_empty() && 2 * advised.len() >= open.len();
    let is_at_threshold = are_most && advised.iter().all(|finding| is_close_to_threshold(finding));
    let is_noise = are_most && advised.iter().all(|finding| is_beyond_more_runs(finding));
    let too_noisy: Vec<&Finding> = open.iter().copied().filter(|finding| is_beyond_more_runs(finding)).collect();
    let rest = match named(&too_noisy) {
        _ if too_noisy.is_empty() => String::new(),
        Some(names) => format!(" For {names}, more runs may not decide: {LESS_NOISE}."),
        None => format!(" For {} of them, more runs may not decide: {LESS_NOISE}.", thousands(too_noisy.len())),
    };
    let noun = match (open.len(), names(open).len()) {
        (1, _) => "benchmark",
        (_, 1) => "metrics",
        _ => "benchmarks",
    };
    let undecidable = match advised.len() {
        count if count == open.len() => format!("the {which} {noun}"),
        count => format!("{} of the {} {which} {}s", thousands(count), thousands(open.len()), noun_of(open)),
    };
    if let Some(facts) = different_facts(report).filter(|_| !report.by_measure) {
        return format!("Measure base and head with the same {facts}: the difference may be the cause.");
    }
    let shift = UnsubtractedShift::of(report);
    // Further runs at other times would not show where a shift comes from.
    let needs_turns = shift.as_ref().is_some_and(|open| open.needs_re_measuring)
        || !open.is_empty() && open.iter().all(|finding| is_by_shift(finding));
    if shift.is_some_and(|open| open.by_single_base_run) {
        another_base_run(report)
    } else if needs_turns {
        format!("Re-measure the {which} {noun}, base and head in turn{}.", in_turn(report))
    } else if is_at_threshold {
        let changes = if advised.len() == 1 { "its change is" } else { "their changes are" };
        format!(
            "More runs may not decide {undecidable}: {changes} close to the threshold. {}.",
            capitalized(OTHER_THRESHOLD)
        )
    } else if is_noise {
        format!("More runs may not decide {undecidable}: {LESS_NOISE}.")
    } else if report.by_measure && has_number {
        format!("The notes estimate how many runs per side may decide ({}).", measure_options(open))
    } else if report.by_measure {
        format!("Re-measure the {which} {noun} with more {}.{rest}", measure_options(open))
    } else if let (Some(least), Some(most)) = (runs().min(), runs().max()) {
        let MeasureCommand { command, words } = MeasureCommand::of(report);
        let runs = more_runs(least, most);
        format!(
            "Re-measure the {which} {noun}: either {command}, which runs both sides again ({words}), or about {runs} per side with \
             further `--base` and `--head`.{rest}"
        )
    } else {
        format!("Re-measure the {which} {noun}, base and head in turn{}.{rest}", in_turn(report))
    }
}

/// The options of `perfgate measure` that add runs of these benchmarks.
fn measure_options(open: &[&Finding]) -> &'static str {
    let re_measured = open.iter().filter(|finding| finding.re_measured).count();
    match re_measured {
        0 => "`--rounds`",
        count if count == open.len() => "`--confirm`",
        _ => "`--confirm` and `--rounds`",
    }
}

/// The names of one or two benchmarks: `"parse/large" and "lookup" time:p95`; `None` for more.
fn named(findings: &[&Finding]) -> Option<String> {
    let name = |finding: &&Finding| {
        // Views print text between backticks as code.
        let name = escape::terminal(&finding.name).replace('`', "'");
        match &*finding.metric {
            "time" => format!("\"{name}\""),
            metric => format!("\"{name}\" {}", escape::terminal(metric)),
        }
    };
    let names: Vec<String> = findings.iter().map(name).collect();
    (names.len() <= MAX_NAMED).then(|| names.join(" and "))
}
