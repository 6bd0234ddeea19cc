//! Commits of the default branch, tagged commits, and the repository's name. Read-only.

use super::repository::{Repository, RepositoryError, failed};
use crate::model::Commit;
use git2::Oid;
use std::collections::BTreeSet;

impl Repository {
    /// The name of the default branch, and its commits along first parents, local and at the remote.
    pub fn default_branch_commits(&self) -> Result<(String, BTreeSet<Commit>), RepositoryError> {
        let branch = self.default_branch()?;
        let mut commits = BTreeSet::new();
        for newest in self.branch_commits(&branch) {
            let Some(newest) = named(newest) else { continue };
            for commit in self.ancestors(&newest, usize::MAX)? {
                if !commits.insert(commit) {
                    break;
                }
            }
        }
        Ok((branch, commits))
    }

    /// The commits with a tag.
    pub fn tagged_commits(&self) -> Result<BTreeSet<Commit>, RepositoryError> {
        let reading = failed("read the tags");
        let mut commits = BTreeSet::new();
        let _watched = self.watched();
        for tag in self.git().references_glob("refs/tags/*").map_err(&reading)? {
            // A tag may also point to a file or a tree.
            commits.extend(tag.map_err(&reading)?.peel_to_commit().ok().and_then(|commit| named(commit.id())));
        }
        Ok(commits)
    }

    /// The repository's name from its remote's URL (`owner/name`), else that of its directory.
    pub fn name(&self) -> Option<String> {
        let url = self.remote().and_then(|name| Some(self.git().find_remote(&name).ok()?.url().ok()?.to_owned()));
        url.as_deref().and_then(owner_and_name).or_else(|| {
            let root = self.root().or_else(|| self.common_directory().parent())?;
            Some(std::fs::canonicalize(root).ok()?.file_name()?.to_string_lossy().into_owned())
        })
    }
}

fn named(id: Oid) -> Option<Commit> {
    Commit::parse(&id.to_string())
}

/// The last two parts of a URL's path, without `.git`, user and password. `None` for a local path.
fn owner_and_name(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        // The short form for ssh: `git@example.org:owner/name.git`.
        None => url.split_once(':').filter(|(host, _)| host.len() > 1 && !host.contains('/'))?.1,
    };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let last = &parts[parts.len().saturating_sub(2)..];
    (!last.is_empty()).then(|| last.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_by_the_end_of_its_url() {
        for url in [
            "https://github.com/acme/parser.git",
            "https://user:secret@github.com/acme/parser",
            "git@github.com:acme/parser.git",
            "ssh://git@example.org:2222/acme/parser.git/",
            "https://example.org/group/acme/parser?x=secret",
        ] {
            assert_eq!(owner_and_name(url).as_deref(), Some("acme/parser"), "{url}");
        }
        assert_eq!(owner_and_name("https://example.org/parser").as_deref(), Some("parser"));
        for url in ["/home/me/parser", "../parser.git", "C:\\parser", "https://example.org", "file:///x/y", ""] {
            assert_eq!(owner_and_name(url), None, "{url}");
        }
    }
}
