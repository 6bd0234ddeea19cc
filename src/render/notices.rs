//! Sentences at the start of a comment: which of the gate's own rules a pull request changes, and which regressions someone
//! accepted. They contain untrusted text, which the views escape.

use super::escape;
use super::quantity::counted;
use super::verdict_text::OF_THIS_CLASS;
use crate::io::github::UnclearGroup;
use crate::io::github::acceptance::{Acceptance, Refusal, RefusalReason};
use crate::model::Commit;
use crate::verdict::{BaselineGap, Report};

/// Maximum number of notices, and of characters in one.
const MAX_NOTICES: usize = 10;
const MAX_NOTICE_CHARS: usize = 1_000;

/// The notices of a report in Markdown, which a document opens with, before the verdict.
pub fn notices(report: &Report) -> String {
    // In code, because GitHub shortens a bare commit id to its first digits.
    let command = report.acceptable.as_ref().map(|acceptable| accept_command(&acceptable.commit));
    let coded = |text: String| match &command {
        Some(command) => text.replace(command, &format!("`{command}`")),
        None => text,
    };
    let shortened = |text: &str| text.chars().take(MAX_NOTICE_CHARS).collect::<String>();
    let line = |notice: &String| format!("> ⚠️ {}\n", coded(escape::markdown_text(&shortened(notice))));
    let lines: String = report.notices.iter().take(MAX_NOTICES).map(line).collect();
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// How many commits between a recorded commit and its base have no stored run.
pub fn recorded_gap(gap: &BaselineGap) -> String {
    let commits = counted(gap.commits, "commit");
    let class = if gap.elsewhere { OF_THIS_CLASS } else { "" };
    format!("no stored run{class} for {commits} right before this one; the change may be older than this commit")
}

/// Several jobs whose results were published together have the same names.
pub fn same_names(jobs: usize) -> String {
    format!(
        "{jobs} jobs have the same key and shard, so they share a comment and a check run, which show only the worst of their reports. Give each job \
         of a matrix its own `key`."
    )
}

/// The comment that accepts all regressions of a commit. It has the whole id, because it is easy to create a commit
/// with the same first digits.
pub fn accept_command(commit: &Commit) -> String {
    format!("/perfgate accept all {commit}")
}

/// How a pull request changes the rules that apply to it.
pub fn changed_rules(changes: &[String]) -> String {
    format!("This pull request changes the gate's own rules: {}.", changes.join("; "))
}

/// How a pull request from a fork would change the rules; those of the base branch were used.
pub fn unused_rules(changes: &[String]) -> String {
    format!(
        "This pull request changes perfgate.toml, and comes from a fork, so the file of the base branch was used. It would \
         change: {}.",
        changes.join("; ")
    )
}

/// Why acceptances on pull requests do not count for a group of a merge queue.
pub fn unclear_group(why: &UnclearGroup) -> String {
    let why = match why {
        UnclearGroup::NoNumber => "its branch does not name a pull request".to_owned(),
        UnclearGroup::OtherBase => "it was compared with another commit than the one that it starts from".to_owned(),
        UnclearGroup::SeveralCommits => {
            "it has several commits, not all of which are merges of open pull requests".to_owned()
        }
        UnclearGroup::OtherHead(pull) => {
            format!("pull request {pull} was closed, retargeted or pushed to since the group was made")
        }
    };
    format!("Acceptances on pull requests do not count for this merge group: {why}.")
}

/// What someone accepted: the number of regressions, whether the whole suite regressed, and the pull request of a merge group.
pub fn accepted(acceptance: &Acceptance, regressions: usize, suite: bool, head: &Commit, pull: Option<u64>) -> String {
    let count = (regressions > 0).then(|| counted(regressions, "regression"));
    let suite = suite.then(|| "the change of the whole suite".to_owned());
    let what: Vec<String> = count.into_iter().chain(suite).collect();
    let of = acceptance.benchmark.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let pull = pull.map(|pull| format!(" (pull request {pull})")).unwrap_or_default();
    let what = what.join(" and ");
    format!("{} accepted {what}{of} for {}{pull}{}.", acceptance.who, head.short(), because(acceptance))
}

/// The remark on an accepted benchmark.
pub fn acceptance_remark(acceptance: &Acceptance) -> String {
    format!("accepted by {}{}", acceptance.who, because(acceptance))
}

fn because(acceptance: &Acceptance) -> String {
    if acceptance.reason.is_empty() { String::new() } else { format!(": {}", acceptance.reason) }
}

/// A request for this commit that names no regressed benchmark.
pub fn accepted_nothing(acceptance: &Acceptance) -> String {
    let name = acceptance.benchmark.as_deref().unwrap_or("all");
    format!(
        "The request by {} names {name:?}, which is not a regressed benchmark, so it accepts nothing.",
        acceptance.who
    )
}

/// Why a request accepts nothing, and what to write instead.
pub fn refused(refusal: &Refusal, head: &Commit) -> String {
    let Refusal { who, why } = refusal;
    let command = accept_command(head);
    match why {
        RefusalReason::NoCommit => {
            format!("The request by {who} does not contain the full commit id, so it has no effect. Write: {command}")
        }
        RefusalReason::OtherCommit(id) => {
            format!("The request by {who} is for {id}, so it does not accept this commit. Write: {command}")
        }
        RefusalReason::OneOfGroup(pull) => format!(
            "{who} accepted all regressions of pull request {pull}. This merge group has other pull requests, which may \
             have caused the regressions, so the request accepts nothing here; name the benchmarks instead: /perfgate accept NAME {head}"
        ),
        RefusalReason::EarlyLabel(label) => format!(
            "{who} set the label {label:?} before there was a report on this commit against this base, so it accepts nothing. \
             Remove it and set it again, or write: {command}"
        ),
    }
}
