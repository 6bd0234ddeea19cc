//! What to do about a verdict, in a sentence or a few.

mod failed;
mod words;

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
use crate::model::{Environment, ShiftTreatment};
use crate::verdict::{
    AcceptableOnPull, BaselineGap, BudgetLine, BudgetStatus, EnvironmentDifference, Finding, Outcome, Reason, Report,
    UnsubtractedShift, Verdict, WithoutQ,
};
use failed::{different_facts, failed, is_about_machines};
pub(super) use words::named;
use words::{Form, object, subject};

/// One of the things to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// What it is about, as the start of an item in a list: `regressed ("parse/large")`. Empty if the text has it.
    subject: String,
    /// What to do, in a sentence or a few.
    pub text: String,
    /// True if regressions can be accepted instead, so that views add where the `[[accept]]` entries are.
    pub accepts: bool,
}

impl Job {
    fn new(subject: impl Into<String>, text: impl Into<String>) -> Job {
        Job { subject: subject.into(), text: text.into(), accepts: false }
    }
}

/// What to do, in a sentence or a few; `None` if there is nothing to do. It names at most two benchmarks, because the rows
/// already do.
pub fn next_step(report: &Report) -> Option<String> {
    let texts: Vec<String> = jobs(report, "", Form::Sentence).into_iter().map(|job| job.text).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// The same for a view with room for a list. If there are several jobs, each starts with what it is about.
pub(super) fn next_jobs(report: &Report) -> Vec<Job> {
    listed(report, "")
}

fn listed(report: &Report, about_entries: &str) -> Vec<Job> {
    let sentences = jobs(report, about_entries, Form::Sentence);
    if sentences.len() < 2 {
        return sentences;
    }
    let item = |job: Job| match job.subject.is_empty() {
        true => job,
        false => Job { text: format!("{}: {}", job.subject, uncapitalized(&job.text)), ..job },
    };
    jobs(report, about_entries, Form::Item).into_iter().map(item).collect()
}

/// The text with a small first letter.
fn uncapitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_lowercase).collect();
    first + rest.as_str()
}

/// The jobs; `about_entries` follows the advice to accept regressions.
fn jobs(report: &Report, about_entries: &str, form: Form) -> Vec<Job> {
    let mut jobs: Vec<Job> = match report.verdict {
        Verdict::Pass => passed(report, form),
        Verdict::None => without_verdict(report).map(|text| Job::new("", text)).into_iter().collect(),
        Verdict::Fail => {
            let failed = report.reasons.iter().flat_map(|reason| failed(*reason, report, form)).map(|job| match job {
                Job { accepts: true, text, .. } => Job { text: text + about_entries, ..job },
                _ => job,
            });
            let suspects = open_suspects(report, form);
            let is_in_every_run =
                UnsubtractedShift::of(report).is_some_and(|open| open.shift.treatment == ShiftTreatment::InEveryRun);
            // What re-measures suspects in turn shows the cause of the shift as well.
            let shift = suite_shift_step(report).filter(|_| suspects.is_empty() && is_in_every_run);
            failed.chain(suspects).chain(shift).chain(fail_on_remark(report)).collect()
        }
    };
    let is_about_machines = match report.verdict {
        Verdict::Pass => false,
        Verdict::None => true,
        Verdict::Fail => report.reasons.iter().any(|reason| is_about_machines(*reason, report)),
    };
    if !report.environment.matches && !report.first_run && !is_about_machines {
        jobs.push(same_machine(report));
    }
    jobs.dedup_by(|one, other| one.text == other.text);
    jobs
}

/// How to get a verdict.
fn without_verdict(report: &Report) -> Option<String> {
    let text = if report.first_run && report.by_measure {
        return None;
    } else if report.first_run {
        "The first stored run becomes the baseline.".to_owned()
    } else if report.same_results {
        "Compare two different results.".to_owned()
    } else if report.re_measuring_stopped() {
        "Check why the run failed (a warning names its command), then measure again.".to_owned()
    } else if !report.environment.matches {
        same_machine(report).text
    } else if !report.base.missing_classes.is_empty() && !report.has_regressed_behind_gap() {
        "Record a baseline for each machine class of head; a warning names the classes without one.".to_owned()
    } else if let Some(gap) = &report.base.gap {
        without_gap(gap, report)
    } else if report.has_only_zero_measurements() {
        "Measure longer, or repeat the operation within each sample.".to_owned()
    } else if !report.benchmarks.iter().all(Finding::is_judged) {
        format!("State which way is better: `direction` of a `[[benchmark]]` in {}.", config(report))
    } else {
        let file = config(report);
        format!(
            "Compare results that have benchmark names in common, or map old names to new ones with `[rename]` in {file}."
        )
    };
    Some(text)
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
fn fail_on_remark(report: &Report) -> Option<Job> {
    let reasons = not_in_fail_on(report);
    let what = if reasons.is_empty() { return None } else { reasons.join(", ") };
    Some(Job::new("", format!("Not in fail-on, whose list replaces the default one: {what}.")))
}

/// The jobs for a view of `perfgate compare` that does not contain the `[[accept]]` entries.
pub(super) fn next_jobs_of_compare(report: &Report) -> Vec<Job> {
    let is_acceptable = report.fails_on_regressions() && report.acceptable.is_none() && !report.by_measure;
    let hint = match report.counts.regressed {
        _ if !is_acceptable => "",
        1 => " `--template comment` prints the entry to copy.",
        _ => " `--template comment` prints the entries to copy.",
    };
    listed(report, hint)
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

fn same_machine(report: &Report) -> Job {
    let is_unknown =
        |one: &EnvironmentDifference| [&one.base, &one.head].iter().any(|fact| *fact == Environment::UNKNOWN);
    let text = if report.by_measure {
        "Measure base too (without `--stored`).".to_owned()
    } else if report.environment.differences.iter().any(|one| one.decisive && is_unknown(one)) {
        "Record new runs with `perfgate record`, which stores their machine, or list \"unknown\" under `[environment] ignore` in perfgate.toml.".to_owned()
    } else {
        format!(
            "Measure base and head on one machine{}, or list the facts that may differ under `[environment] ignore` in perfgate.toml.",
            in_turn(report)
        )
    };
    Job::new("different machines", text)
}

fn passed(report: &Report, form: Form) -> Vec<Job> {
    let Some(open) = OpenQuestion::of(report) else { return suite_shift_step(report).into_iter().collect() };
    let step = match open {
        OpenQuestion::Failed(1) => "Check the benchmark that failed.",
        OpenQuestion::Failed(_) => "Check the benchmarks that failed.",
        OpenQuestion::RunError => "Check the error that ended the run; the warnings name it.",
        // Different machines are the reason; `next_step` adds what to do about them.
        OpenQuestion::Suspects | OpenQuestion::Inconclusive if !report.environment.matches => return Vec::new(),
        OpenQuestion::Suspects => return open_suspects(report, form),
        OpenQuestion::Inconclusive => return decide(report, form),
        OpenQuestion::NotRun(_) => "Run the whole suite: most benchmarks of base have no result in head.",
        OpenQuestion::NotInFailOn | OpenQuestion::Budgets { .. } => {
            return suite_shift_step(report).into_iter().chain(open_budgets(report)).collect();
        }
    };
    vec![Job::new("", step)]
}

/// What to do about budgets that are neither met nor missed.
fn open_budgets(report: &Report) -> Vec<Job> {
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
    fix.into_iter().chain(re_measure).map(|text| Job::new("", text)).collect()
}

/// How to decide the suspected regressions, unless inconclusive benchmarks fail the gate: then [`decide`] has it.
fn open_suspects(report: &Report, form: Form) -> Vec<Job> {
    let is_reason = report.reasons.iter().any(|reason| matches!(reason, Reason::Outcome(Outcome::Inconclusive, _)));
    let suspects: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_suspected_regression()).collect();
    let is_open = !suspects.is_empty() && !is_reason && report.environment.matches;
    if is_open { re_measure(report, "suspected", &suspects, form) } else { Vec::new() }
}

fn another_base_run(report: &Report) -> String {
    let how = in_turn(report);
    format!(
        "Compare with another run of base (give both: `--base FIRST --base SECOND`), or measure base and head in turn{how}."
    )
}

/// What to do about a suite-wide shift of unknown cause, if nothing else is open.
fn suite_shift_step(report: &Report) -> Option<Job> {
    let open = UnsubtractedShift::of(report).filter(|open| open.needs_re_measuring)?;
    let step = match open.by_single_base_run {
        true => another_base_run(report),
        false => format!("Re-measure base and head in turn{}: the machine may be the cause.", in_turn(report)),
    };
    Some(Job::new("suite-wide shift", step))
}

/// How to decide the inconclusive benchmarks.
fn decide(report: &Report, form: Form) -> Vec<Job> {
    let open: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_undecided()).collect();
    if !open.is_empty() && open.iter().all(|finding| finding.other_settings) {
        let options = match open.iter().all(|finding| finding.tool == "criterion") {
            true => " (criterion: `--measurement-time`, `--warm-up-time` and `--sample-size`)",
            false => "",
        };
        let text = format!(
            "Re-measure base and head with the same settings{options}. The note of each benchmark states the difference."
        );
        return vec![Job::new(subject("inconclusive", &open), text)];
    }
    re_measure(report, "inconclusive", &open, form)
}

/// What to do about undecided benchmarks.
fn re_measure(report: &Report, which: &str, open: &[&Finding], form: Form) -> Vec<Job> {
    let has_too_few = |one: &&Finding| one.without_q == Some(WithoutQ::TooFewResults);
    let (too_few, others): (Vec<&Finding>, Vec<&Finding>) = open.iter().copied().partition(has_too_few);
    let (zero, others): (Vec<&Finding>, Vec<&Finding>) = others.into_iter().partition(|one| one.has_time_of_zero());
    let is_all = others.len() == open.len();
    let how = |open: &[&Finding]| Job::new(subject(which, open), how_to_decide(report, which, open, form));
    let decide = (!others.is_empty() || is_all).then(|| how(&others));
    let missing = (!too_few.is_empty()).then(|| Job::new("", missing_results(&too_few)));
    let longer = (!zero.is_empty()).then(|| Job::new("", longer_samples(&zero)));
    decide.into_iter().chain(missing).chain(longer).collect()
}

/// What to do about times that are below the resolution of the clock: more runs would be, too.
fn longer_samples(of: &[&Finding]) -> String {
    let which = named(of).unwrap_or_else(|| counted(names(of).len(), "benchmark"));
    let verb = if of.len() == 1 { "has" } else { "have" };
    format!("Measure longer, or repeat the operation within each sample: {which} {verb} a time of zero.")
}

/// What to do about re-measured benchmarks that are missing from runs: more runs would miss them too.
fn missing_results(of: &[&Finding]) -> String {
    let which = named(of).unwrap_or_else(|| counted(names(of).len(), "re-measured benchmark"));
    let verb = if of.len() == 1 { "has" } else { "have" };
    format!("Check why {which} {verb} no result in some runs, then measure again.")
}

/// What would decide benchmarks that have a result in every run.
fn how_to_decide(report: &Report, which: &str, open: &[&Finding], form: Form) -> String {
    let is_by_shift = |finding: &Finding| is_open_by_shift(&report.shifts, finding);
    let runs = || open.iter().filter(|one| !is_by_shift(one)).filter_map(|finding| runs_that_may_decide(finding));
    let has_number = runs().next().is_some();
    // The others have another reason, in their notes.
    let advised: Vec<&Finding> = open.iter().copied().filter(|finding| has_advice(finding)).collect();
    let are_most = !advised.is_empty() && 2 * advised.len() >= open.len();
    let is_at_threshold = are_most && advised.iter().all(|finding| is_close_to_threshold(finding));
    let is_noise = are_most && advised.iter().all(|finding| is_beyond_more_runs(finding));
    let too_noisy: Vec<&Finding> = open.iter().copied().filter(|finding| is_beyond_more_runs(finding)).collect();
    let close = too_noisy.iter().filter(|finding| is_close_to_threshold(finding)).count();
    let fix = match close {
        0 => LESS_NOISE,
        _ if close == too_noisy.len() => OTHER_THRESHOLD,
        _ => "their notes state why",
    };
    let rest = match named(&too_noisy) {
        _ if too_noisy.is_empty() => String::new(),
        Some(names) => format!(" For {names}, many more runs may be needed: {fix}."),
        None => format!(" For {} of them, many more runs may be needed: {fix}.", thousands(too_noisy.len())),
    };
    let them = object(which, open, form);
    let undecidable = match (advised.len(), form) {
        (count, _) if count == open.len() => them.clone(),
        (count, Form::Item) => format!("{} of them", thousands(count)),
        (count, Form::Sentence) => {
            format!("{} of the {} {which} {}s", thousands(count), thousands(open.len()), noun_of(open))
        }
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
        format!("Re-measure {them}, base and head in turn{}.", in_turn(report))
    } else if is_at_threshold {
        let changes = if advised.len() == 1 { "its change is" } else { "their changes are" };
        format!(
            "Many more runs may be needed for {undecidable}: {changes} close to the threshold. {}.",
            capitalized(OTHER_THRESHOLD)
        )
    } else if is_noise {
        format!("Many more runs may be needed for {undecidable}: {LESS_NOISE}.")
    } else if report.by_measure && has_number {
        format!("The notes estimate how many runs per side may decide ({}).", measure_options(open))
    } else if report.by_measure {
        format!("Re-measure {them} with more {}.{rest}", measure_options(open))
    } else if let (Some(least), Some(most)) = (runs().min(), runs().max()) {
        let MeasureCommand { command, words } = MeasureCommand::of(report);
        let runs = more_runs(least, most);
        match form {
            Form::Item => {
                format!("Run {command} ({words}), or add about {runs} per side with `--base` and `--head`.{rest}")
            }
            Form::Sentence => format!(
                "Re-measure {them}: either {command}, which runs both sides again ({words}), or about {runs} per side with further \
                 `--base` and `--head`.{rest}"
            ),
        }
    } else {
        format!("Re-measure {them}, base and head in turn{}.{rest}", in_turn(report))
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
