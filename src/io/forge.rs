//! The web pages of commits, from the address of the repository's remote.

/// Templates of the addresses of a commit and of a comparison of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPages {
    /// With `{commit}`.
    pub commit: String,
    /// With `{base}` and `{head}`.
    pub compare: String,
}

/// The pages of a remote's address (`https://HOST/PATH`, `ssh://git@HOST/PATH`, `git@HOST:PATH`); `None` for other
/// addresses and for addresses with characters that are not valid in a repository address. Credentials and the port of
/// SSH are left out.
pub fn commit_pages(remote: &str) -> Option<CommitPages> {
    let without_user = |place: &str| -> Option<(String, String)> {
        let (host, path) = place.split_once('/')?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        Some((host.to_owned(), path.to_owned()))
    };
    let (host, path) = match remote.split_once("://") {
        Some(("https", place)) => without_user(place)?,
        Some(("ssh" | "git+ssh", place)) => {
            let (host, path) = without_user(place)?;
            (host.split(':').next()?.to_owned(), path)
        }
        Some(_) => return None,
        None => {
            let (host, path) = remote.split_once(':')?;
            (host.split_once('@')?.1.to_owned(), path.trim_start_matches('/').to_owned())
        }
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '/' | '+');
    if !host.contains(|c: char| c.is_ascii_alphanumeric()) || !host.chars().all(is_host) {
        return None;
    }
    if path.is_empty() || !path.chars().all(is_path) || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let page = format!("https://{host}/{path}");
    let (commit, compare) = if host.contains("gitlab") {
        ("/-/commit/{commit}", "/-/compare/{base}...{head}")
    } else if host.contains("bitbucket.org") {
        ("/commits/{commit}", "/branches/compare/{head}%0D{base}")
    } else {
        ("/commit/{commit}", "/compare/{base}...{head}") // GitHub, Gitea, Forgejo
    };
    Some(CommitPages { commit: format!("{page}{commit}"), compare: format!("{page}{compare}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_address_of_a_remote_leads_to_the_same_pages() {
        for remote in [
            "https://github.com/octo/some.repo.git",
            "https://github.com/octo/some.repo/",
            "https://user:secret@github.com/octo/some.repo",
            "git@github.com:octo/some.repo.git",
            "ssh://git@github.com:22/octo/some.repo.git",
        ] {
            let pages = commit_pages(remote).unwrap();
            assert_eq!(pages.commit, "https://github.com/octo/some.repo/commit/{commit}", "{remote}");
            assert_eq!(pages.compare, "https://github.com/octo/some.repo/compare/{base}...{head}", "{remote}");
        }
        let pages = commit_pages("https://gitlab.example.org:8443/a/b/c.git").unwrap();
        assert_eq!(pages.commit, "https://gitlab.example.org:8443/a/b/c/-/commit/{commit}");
        assert_eq!(pages.compare, "https://gitlab.example.org:8443/a/b/c/-/compare/{base}...{head}");
    }

    #[test]
    fn other_addresses_have_no_pages() {
        for remote in [
            "",
            "/srv/git/r.git",
            "../other",
            "file:///srv/r",
            "http://example.org/o/r",
            "git://example.org/o/r",
            "C:\\repositories\\r",
            "javascript:alert(1)//x",
            "https://",
            "https://host",
            "https://host/a b",
            "https://host/\"><script>",
            "https://host/../x",
            "git@:r",
        ] {
            assert_eq!(commit_pages(remote), None, "{remote:?}");
        }
    }
}
