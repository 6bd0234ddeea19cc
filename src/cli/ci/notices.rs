//! What `gate::pull_request` needs to know about a pull request: its base's config, and who accepts which regressions.

use super::job_names::JobNames;
use super::plan::Judging;
use super::work::Work;
use crate::cli::output;
use crate::cli::publish::{DEFAULT_KEY, check_name};
use crate::gate::{AcceptableOnPull, accept_requested, note_changed_rules};
use crate::io::github::acceptance::{self, PullHead};
use crate::io::github::{Client, api_url};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::verdict::Report;
use std::path::Path;

impl Work<'_> {
    /// Adds what a comment on a pull request opens with, and accepts what someone accepted.
    pub(super) fn note_pull(&self, report: &mut Report, judging: &Judging, names: &JobNames) {
        let Some(pull) = judging.pull else { return };
        self.note_changed_rules(report, &judging.base);
        report.acceptable = Some(AcceptableOnPull { commit: judging.head.clone(), by_waiver: !judging.fork });
        if !judging.fork {
            self.accept_on_request(report, pull, &judging.head, names);
        }
    }

    /// Adds what the work tree's config changes against the one of the base.
    fn note_changed_rules(&self, report: &mut Report, base: &Commit) {
        let new = self.gate.config.source().map_or("", |(_, text)| text);
        note_changed_rules(report, &self.config_at(base).unwrap_or_default(), new);
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

    /// Accepts regressions for which a person with write access has commented or set the label, for exactly this head.
    pub(super) fn accept_on_request(&self, report: &mut Report, pull: u64, commit: &Commit, names: &JobNames) {
        let Some(repository) = self.event.repository.as_ref().filter(|_| report.fails_on_regressions()) else { return };
        if self.inputs.token.is_none() {
            return;
        }
        let check = check_name(names.key.as_deref().unwrap_or(DEFAULT_KEY), names.shard.as_deref());
        let head = PullHead { repository, pull, commit, check: &check };
        // A label counts after a check run, and reading check runs needs a permission that such a job may lack.
        let label = self.inputs.check.then_some(self.inputs.accept_label.as_str());
        let requests = Client::new(&api_url(&super::variable), self.inputs.token.as_ref())
            .and_then(|client| acceptance::requests(&client, head, label));
        match requests {
            Ok(requests) => accept_requested(report, commit, &requests),
            Err(fault) => output::warn(&format!("cannot read whether regressions are accepted: {fault}")),
        }
    }
}
