//! Groups of a merge queue: which pull requests a group has, and their newest commits.
//!
//! GitHub tests a group as one commit that it creates. The name of the group's branch has only the number of the newest pull
//! request, so the others are found by the commits since the base. A single commit is one pull request. If the group has several
//! commits, each must be a merge whose second parent is the newest commit of an open pull request. Squashed and rebased commits
//! do not name their pull request.

use super::api_error::ApiError;
use super::client::Client;
use super::pull::{Pull, pull, pulls_of};
use super::slug::Slug;
use crate::io::repository::{Repository, RepositoryError};
use crate::model::Commit;

/// Maximum number of commits in a group; GitHub's limit is 100 pull requests.
const MAX_COMMITS: usize = 100;

/// A group, as its event describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGroup {
    /// The target branch.
    pub branch: String,
    /// The newest pull request, if the name of the group's branch has its number.
    pub pull: Option<u64>,
}

/// A pull request of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its number.
    pub pull: u64,
    /// Its newest commit.
    pub head: Commit,
}

/// Why the pull requests of a group are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnclearGroup {
    /// The name of the group's branch has no number.
    NoNumber,
    /// The group does not start at the commit that it was compared with.
    OtherBase,
    /// Several commits, not all of which are merges of open pull requests.
    SeveralCommits,
    /// This pull request was closed, has another target branch, or has other commits than the group.
    OtherHead(u64),
}

/// Why the members of a group cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// They are not known.
    #[error("the pull requests of the merge group are not known")]
    Unclear(UnclearGroup),
    /// GitHub's API.
    #[error(transparent)]
    GitHub(#[from] ApiError),
    /// The history.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl MergeGroup {
    /// Reads the ref of a group, `refs/heads/gh-readonly-queue/BRANCH/pr-NUMBER-COMMIT`.
    pub fn of_ref(head_ref: Option<&str>, branch: &str) -> MergeGroup {
        let number = |name: &str| {
            let name = name.strip_prefix("refs/heads/").unwrap_or(name).strip_prefix("gh-readonly-queue/")?;
            let (number, commit) = name.strip_prefix(branch)?.strip_prefix("/pr-")?.split_once('-')?;
            Commit::parse(commit)?;
            number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())?
        };
        MergeGroup { branch: branch.to_owned(), pull: head_ref.and_then(number) }
    }

    /// The pull requests between the base and the group's commit, oldest first.
    pub fn members(
        &self,
        client: &Client,
        repository: &Slug,
        history: &Repository,
        base: &Commit,
        head: &Commit,
    ) -> Result<Vec<GroupMember>, GroupError> {
        let unclear = |why| Err(GroupError::Unclear(why));
        let Some(number) = self.pull else { return unclear(UnclearGroup::NoNumber) };
        let commits = history.between(base, head)?.unwrap_or_default();
        let parents = commits.iter().map(|commit| history.parents(commit)).collect::<Result<Vec<Vec<Commit>>, _>>()?;
        // The second parents of merges, from the oldest commit of the group on.
        let merged: Vec<Option<&Commit>> =
            parents.iter().map(|parents| if parents.len() == 2 { parents.last() } else { None }).collect();
        match (parents.as_slice(), merged.as_slice()) {
            ([first, ..], _) if first.first() != Some(base) => unclear(UnclearGroup::OtherBase),
            ([only], [merged]) if only.len() <= 2 => Ok(vec![self.member(client, repository, number, *merged)?]),
            (_, []) => unclear(UnclearGroup::OtherBase),
            (_, several) if several.len() > MAX_COMMITS => unclear(UnclearGroup::SeveralCommits),
            (_, several) => {
                let mut members = Vec::new();
                for head in several {
                    let found = head.map(|head| self.pull_with_head(client, repository, head)).transpose()?.flatten();
                    let Some(member) = found else { return unclear(UnclearGroup::SeveralCommits) };
                    members.push(member);
                }
                match members.last() {
                    Some(last) if last.pull == number => Ok(members),
                    _ => unclear(UnclearGroup::OtherHead(number)),
                }
            }
        }
    }

    /// The pull request of a group with one commit. A squashed or rebased commit does not name the commits that it was made
    /// from, but a pull request leaves the queue when it is pushed to.
    fn member(
        &self,
        client: &Client,
        repository: &Slug,
        number: u64,
        merged: Option<&Commit>,
    ) -> Result<GroupMember, GroupError> {
        let pull = pull(client, repository, number)?;
        let head = Commit::parse(&pull.head.sha).filter(|head| merged.is_none_or(|merged| merged == head));
        match head.filter(|_| self.is_for(&pull)) {
            Some(head) => Ok(GroupMember { pull: number, head }),
            None => Err(GroupError::Unclear(UnclearGroup::OtherHead(number))),
        }
    }

    /// The open pull request with this newest commit; none if there are several.
    fn pull_with_head(
        &self,
        client: &Client,
        repository: &Slug,
        head: &Commit,
    ) -> Result<Option<GroupMember>, ApiError> {
        let mut found = pulls_of(client, repository, head.as_str(), None)?;
        found.retain(|pull| self.is_for(pull));
        Ok(match found.as_slice() {
            [one] => Some(GroupMember { pull: one.number, head: head.clone() }),
            _ => None,
        })
    }

    fn is_for(&self, pull: &Pull) -> bool {
        pull.state == "open" && pull.base.name == self.branch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_from_the_ref_of_the_queue_alone() {
        let commit = "0123456789".repeat(4);
        let read =
            |head_ref: &str, branch: &str| MergeGroup::of_ref(Some(&head_ref.replace("SHA", &commit)), branch).pull;
        assert_eq!(read("refs/heads/gh-readonly-queue/main/pr-123-SHA", "main"), Some(123));
        assert_eq!(read("gh-readonly-queue/release/1.0/pr-7-SHA", "release/1.0"), Some(7));
        for other in [
            "refs/heads/gh-readonly-queue/other/pr-123-SHA",
            "refs/heads/gh-readonly-queue/main/pr-123",
            "refs/heads/gh-readonly-queue/main/pr-123-abc",
            "refs/heads/gh-readonly-queue/main/pr-+1-SHA",
            "refs/heads/gh-readonly-queue/main/pr--SHA",
            "refs/heads/gh-readonly-queue/main/pr-99999999999999999999-SHA",
            "refs/heads/mine/gh-readonly-queue/main/pr-123-SHA",
            "refs/heads/main",
            "",
        ] {
            assert_eq!(read(other, "main"), None, "{other}");
        }
        assert_eq!(MergeGroup::of_ref(None, "main").pull, None);
    }
}
