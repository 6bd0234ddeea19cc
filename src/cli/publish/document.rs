//! The published texts: comment, check run and job summary.

use super::filled::FilledTemplate;
use super::target::{DEFAULT_KEY, Options, Target};
use crate::gate::conclusion;
use crate::io::github::{CheckRun, fingerprint};
use crate::model::Commit;
use crate::render::template::{MAX_COMMENT_CHARS, PartError, Parts, Template, UpdatedDocument};
use crate::render::{self, escape};
use crate::verdict::{Outcome, Report};

/// Maximum number of characters in one of several parts of a comment.
const MAX_PART_CHARS: usize = 16_000;

/// A digest of the verdict and of all findings but unchanged ones: equal for another commit with the same findings.
pub(super) fn findings_digest(report: &Report) -> String {
    let mut findings: Vec<String> = report
        .benchmarks
        .iter()
        .filter(|finding| finding.outcome != Outcome::Unchanged)
        .map(|f| format!("{}\0{}\0{}\0{}", f.name, f.metric, f.outcome.word(), f.budget.status.word()))
        .collect();
    findings.sort_unstable();
    let verdict = format!("{:?} {}", report.verdict, render::reasons(report).join(", "));
    let notices = report.notices.join("\0");
    let texts: Vec<&str> =
        [verdict.as_str(), &notices].into_iter().chain(findings.iter().map(String::as_str)).collect();
    format!("{:016x}", fingerprint(&texts))
}

/// The text of the comment in at most `room` characters; only the verdict if the filled template is longer.
pub(super) fn document(report: &Report, target: &Target, options: &Options, room: usize) -> Option<String> {
    let names = [(options.key != DEFAULT_KEY).then_some(options.key.as_str()), options.shard.as_deref()];
    let names: Vec<String> = names.into_iter().flatten().map(escape::markdown_text).collect();
    let heading = if names.is_empty() { String::new() } else { format!("**{}**\n\n", names.join(" · ")) };
    let commit = target.commit.as_ref().or(report.head.commit.as_ref());
    let page = safe_link_url(&format!("{}/{}/commit", target.server_url, target.repository));
    let commit = commit.map(|commit| format!("[{}]({page}/{commit})", commit.short()));
    let log = target.run.as_ref().map(|run| format!("[job log]({})", safe_link_url(&run.url)));
    let origin: Vec<String> = commit.into_iter().chain(log).collect();
    let origin = if origin.is_empty() { String::new() } else { format!("\n<sub>{}</sub>\n", origin.join(" · ")) };
    let heading = format!("{heading}{}", render::notices(report));
    let frame = heading.chars().count() + origin.chars().count();
    let room = if options.shard.is_some() { room.min(MAX_PART_CHARS) } else { room }.saturating_sub(frame);
    let fits = |text: &String| text.chars().count() <= room;
    let verdict = render::verdict_line(report) + "\n\nThe rest does not fit into this comment; see the job summary.\n";
    let text = options.document.within(report, room).filter(fits).or(Some(verdict).filter(fits))?;
    Some(format!("{heading}{text}{origin}"))
}

/// A URL without characters that could end a Markdown link.
pub fn safe_link_url(url: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-._~:/?#=&%+".contains(*c);
    url.chars().filter(plain).collect()
}

/// The name of the check run of a job.
pub fn check_name(key: &str, shard: Option<&str>) -> String {
    let key = (key != DEFAULT_KEY).then_some(key);
    let names: Vec<&str> = [key, shard].into_iter().flatten().collect();
    let name = if names.is_empty() { "perfgate".to_owned() } else { format!("perfgate ({})", names.join(", ")) };
    escape::terminal(&name)
}

pub(super) fn check_run(report: &Report, target: &Target, options: &Options, commit: &Commit) -> CheckRun {
    CheckRun {
        name: check_name(&options.key, options.shard.as_deref()),
        commit: commit.clone(),
        conclusion: conclusion(report),
        title: render::verdict_sentence(report),
        summary: summary(report, MAX_COMMENT_CHARS - 1),
        details_url: target.run.as_ref().map(|run| run.url.clone()),
    }
}

/// The text of the job summary and of the check run.
pub(super) fn summary(report: &Report, longest: usize) -> String {
    let notices = render::notices(report);
    let room = longest.saturating_sub(notices.chars().count());
    let template = Template::built_in("summary").and_then(|template| template.render_within(report, room).ok());
    notices + &template.unwrap_or_else(|| render::verdict_line(report))
}

/// The parts of the comment's template. If it has none, those of each built-in pull request template, the smaller one first.
pub(super) fn candidate_parts(filled: &FilledTemplate, report: &Report, longest: usize) -> Result<Vec<Parts>, String> {
    let of = |template: &Template, document: Option<String>| {
        let document = document.ok_or_else(|| format!("{} cannot be filled", template.name))?;
        Parts::of(&document).map_err(|error| format!("{}:{}: {}", template.name, error.line, error.message))
    };
    let parts = of(&filled.template, filled.within(report, longest))?;
    if !parts.is_empty() {
        return Ok(vec![parts]);
    }
    let built_in = ["library", "pr"].into_iter().filter_map(Template::built_in);
    built_in.map(|template| of(&template, template.render_within(report, longest).ok())).collect()
}

/// The description, updated by the first candidate of which it has all parts, or else by the last candidate.
pub(super) fn updated_description(candidates: &[Parts], description: &str) -> Result<UpdatedDocument, PartError> {
    let mut updated = Err(PartError::default());
    for parts in candidates {
        updated = parts.update_in(description);
        if updated.as_ref().is_ok_and(|updated| updated.absent.is_empty()) {
            break;
        }
    }
    updated
}
