//! What a comment opens with: changes of the gate's own rules, and regressions that a person accepted on the pull request.

use super::variable;
use super::work::Work;
use crate::cli::output;
use crate::cli::publish::{DEFAULT_KEY, check_name};
use crate::io::github::Client;
use crate::io::github::acceptance::{self, Acceptance};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::policy::rule_changes;
use crate::render::counted;
use crate::verdict::{Finding, Report, Verdict};
use std::path::Path;

impl Work<'_> {
    /// Adds what the work tree's config changes against the one of the base.
    pub(super) fn note_changed_rules(&self, report: &mut Report, base: &Commit) {
        let new = self.gate.config.source().map_or("", |(_, text)| text);
        let changes = rule_changes(&self.config_at(base).unwrap_or_default(), new);
        if !changes.is_empty() {
            report.notices.push(format!("This pull request changes the gate's own rules: {}.", changes.join("; ")));
        }
    }

    /// Adds what a fork's config changes, which was not used.
    pub(super) fn note_unused_rules(&self, report: &mut Report, of_fork: &str) {
        let used = self.gate.config.source().map_or("", |(_, text)| text);
        let changes = rule_changes(used, of_fork);
        if !changes.is_empty() {
            report.notices.push(format!(
                "This pull request changes perfgate.toml, and comes from a fork, so the file of the base branch was used. It \
                 would change: {}. Someone with write access can accept regressions with a comment \"/perfgate accept \
                 NAME\" or \"/perfgate accept all\", and a re-run of this job.",
                changes.join("; ")
            ));
        }
    }

    /// The text of the config at a commit; `None` where there is none.
    fn config_at(&self, commit: &Commit) -> Option<String> {
        let repository = Repository::discover(Path::new(".")).ok()?;
        let root = dunce::canonicalize(repository.root()?).ok()?;
        let path = self.gate.config.source().map_or("perfgate.toml", |(name, _)| name);
        let path = dunce::canonicalize(path).unwrap_or_else(|_| root.join(path));
        let parts: Vec<_> = path.strip_prefix(&root).ok()?.iter().map(|part| part.to_string_lossy()).collect();
        let bytes = repository.file_at(&format!("{commit}:{}", parts.join("/"))).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Accepts regressions for which a person with write access has set the label or commented, for exactly this head.
    pub(super) fn accept_on_request(
        &self,
        report: &mut Report,
        pull: u64,
        head: &Commit,
        labeled: Option<&(String, String)>,
    ) {
        let (Some(repository), true) = (&self.event.repository, report.counts.regressed > 0) else { return };
        if self.inputs.token.is_none() || report.verdict != Verdict::Fail {
            return;
        }
        let read = || {
            let api_url = variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
            let client = Client::new(&api_url, self.inputs.token.as_ref())?;
            let mut found: Vec<Acceptance> = Vec::new();
            if let Some((label, who)) = labeled.filter(|(label, _)| *label == self.inputs.accept_label) {
                found.extend(acceptance::by_label(&client, repository, pull, head, label, who)?);
            }
            if self.inputs.check {
                let check = check_name(self.inputs.key.as_deref().unwrap_or(DEFAULT_KEY), self.inputs.shard.as_deref());
                found.extend(acceptance::by_comments(&client, repository, pull, head, &check)?);
            }
            Ok::<_, crate::io::github::Fault>(found)
        };
        match read() {
            Ok(found) => found.iter().for_each(|acceptance| accept(report, head, acceptance)),
            Err(fault) => output::warn(&format!("cannot read whether regressions are accepted: {fault}")),
        }
    }
}

fn accept(report: &mut Report, head: &Commit, Acceptance { who, benchmark, reason }: &Acceptance) {
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let named = |finding: &Finding| benchmark.as_ref().is_none_or(|name| finding.name == *name);
    let accepted = report.accept(named, &format!("accepted by {who}{reason}"));
    if accepted > 0 {
        let what = benchmark.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        let count = counted(accepted, "regression");
        report.notices.push(format!("{who} accepted {count}{what} for {}{reason}.", head.short()));
    }
}
