//! The facts about a pull request that `gate::pull_request` needs: its base's config, and who accepts which regressions.

use super::job_names::JobNames;
use super::plan::{BaseChoice, ComparisonTask};
use super::work::CiJob;
use crate::cli::output;
use crate::cli::publish::{DEFAULT_KEY, check_name};
use crate::gate::{AcceptableOnPull, accept_requested, note_changed_rules};
use crate::io::github::acceptance::{self, PullHead, Requests};
use crate::io::github::{ApiError, Client, GroupError, GroupMember, MergeGroup, Slug, UnclearGroup, api_url};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render;
use crate::verdict::Report;
use std::path::Path;

/// An error that prevents reading whether regressions are accepted.
const UNREADABLE: &str = "cannot read whether regressions are accepted";

impl CiJob<'_> {
    /// Adds the sentences at the start of a comment on a pull request, and applies acceptances.
    pub(super) fn note_pull(&self, report: &mut Report, task: &ComparisonTask, names: &JobNames) {
        if let Some(group) = &task.group {
            self.accept_in_group(report, task, group, names);
        }
        let Some(pull) = task.pull else { return };
        self.note_changed_rules(report, &task.base);
        report.acceptable = Some(AcceptableOnPull { commit: task.head.clone(), by_waiver: !task.fork });
        if !task.fork {
            self.accept_on_request(report, pull, &task.head, names);
        }
    }

    /// Adds how the work tree's config differs from that of the base.
    fn note_changed_rules(&self, report: &mut Report, base: &Commit) {
        let new = self.gate.config.source().map_or("", |(_, text)| text);
        note_changed_rules(report, &self.config_at(base).unwrap_or_default(), new);
    }

    /// The text of the config at a commit; `None` if there is none.
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
        let requests = self.connect_to_accept(report).and_then(|found| {
            let Some((client, repository)) = found else { return Ok(None) };
            self.requests(&client, repository, pull, commit, names).map(Some)
        });
        match requests {
            Ok(Some(requests)) => accept_requested(report, commit, None, &requests),
            Ok(None) => {}
            Err(error) => output::warn(&format!("{UNREADABLE}: {error}")),
        }
    }

    /// Accepts what people with write access accepted on the pull requests of a group, for exactly their newest commits.
    fn accept_in_group(&self, report: &mut Report, task: &ComparisonTask, group: &MergeGroup, names: &JobNames) {
        let members = match self.members(report, task, group, names) {
            Ok(members) => members,
            Err(GroupError::Unclear(why)) => return report.notices.push(render::unclear_group(&why)),
            Err(error) => return output::warn(&format!("{UNREADABLE}: {error}")),
        };
        if let [(GroupMember { head, .. }, _)] = members.as_slice() {
            report.acceptable = Some(AcceptableOnPull { commit: head.clone(), by_waiver: true });
        }
        // "all" accepts what the report of one pull request listed. Regressions of the group may come from another one.
        let is_all = members.iter().all(|(_, requests)| requests.accept_all());
        for (GroupMember { pull, head }, mut requests) in members {
            if !is_all {
                requests.only_named(pull);
            }
            accept_requested(report, &head, Some(pull), &requests);
        }
    }

    /// The pull requests of a group, with the requests to accept regressions of each.
    fn members(
        &self,
        report: &Report,
        task: &ComparisonTask,
        group: &MergeGroup,
        names: &JobNames,
    ) -> Result<Vec<(GroupMember, Requests)>, GroupError> {
        let Some((client, repository)) = self.connect_to_accept(report)? else { return Ok(Vec::new()) };
        if task.measured != task.head || !matches!(task.base_choice, BaseChoice::MergeBase(_)) {
            return Err(GroupError::Unclear(UnclearGroup::OtherBase));
        }
        let history = Repository::discover(Path::new("."))?;
        let members = group.members(&client, repository, &history, &task.base, &task.head)?;
        let with_requests = members.into_iter().map(|member| {
            let requests = self.requests(&client, repository, member.pull, &member.head, names)?;
            Ok((member, requests))
        });
        with_requests.collect()
    }

    /// A connection to read what is accepted; `None` if there is nothing to accept, or no token.
    fn connect_to_accept(&self, report: &Report) -> Result<Option<(Client, &Slug)>, ApiError> {
        match &self.event.repository {
            Some(repository) if report.fails_on_regressions() && self.inputs.token.is_some() => {
                Ok(Some((Client::new(&api_url(&super::variable), self.inputs.token.as_ref())?, repository)))
            }
            _ => Ok(None),
        }
    }

    fn requests(
        &self,
        client: &Client,
        repository: &Slug,
        pull: u64,
        commit: &Commit,
        names: &JobNames,
    ) -> Result<Requests, ApiError> {
        let check = check_name(names.key.as_deref().unwrap_or(DEFAULT_KEY), names.shard.as_deref());
        // A label counts after a check run, and reading check runs needs a permission that such a job may lack.
        let label = self.inputs.check.then_some(self.inputs.accept_label.as_str());
        acceptance::requests(client, PullHead { repository, pull, commit, check: &check }, label)
    }
}
