//! The URL of a store.

use super::error::StoreError;
use super::object::BucketUrl;
use std::path::PathBuf;
use std::str::FromStr;

/// The URL of a store, from perfgate.toml or `--store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// `git:REF`: a ref of the repository.
    Git(String),
    /// `dir:PATH`: a directory.
    Directory(PathBuf),
    /// `s3://`, `gs://` or `az://`: a bucket.
    Bucket(BucketUrl),
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(url: &str) -> Result<Self, StoreError> {
        // A password in the URL must not be logged.
        let shown = match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
            _ => url.to_owned(),
        };
        let wrong = |why: &str| Err(StoreError::Url { url: shown.clone(), why: why.to_owned() });
        match url.split_once(':') {
            Some(("git", name)) => {
                let taken = ["refs/heads/", "refs/tags/", "refs/remotes/"].iter().any(|s| name.starts_with(s));
                if !name.starts_with("refs/") || !name[5..].contains('/') || !git2::Reference::is_valid_name(name) {
                    wrong("a git store needs a full ref name, such as refs/perfgate/baselines")
                } else if taken {
                    wrong("branches, tags and remote branches cannot be stores; use a ref of its own")
                } else {
                    Ok(StoreUrl::Git(name.to_owned()))
                }
            }
            Some(("dir", "")) => wrong("the path is missing"),
            Some(("dir", path)) => Ok(StoreUrl::Directory(path.into())),
            Some(("s3" | "gs" | "az", _)) => url.parse().map(StoreUrl::Bucket).or_else(wrong),
            _ => wrong("unknown kind of store"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_URL;
    use super::*;

    #[test]
    fn urls_are_parsed() {
        assert_eq!(DEFAULT_URL.parse::<StoreUrl>().unwrap(), StoreUrl::Git("refs/perfgate/baselines".into()));
        assert_eq!("dir:a b".parse::<StoreUrl>().unwrap(), StoreUrl::Directory("a b".into()));
        let why = |url: &str| url.parse::<StoreUrl>().unwrap_err().to_string();
        assert!(matches!("s3://bucket/x".parse(), Ok(StoreUrl::Bucket(_))));
        assert!(why("s3://x").contains("a bucket's name"));
        assert!(why("git:refs/heads/main").contains("branches"));
        for url in
            ["", "git:", "git:baselines", "git:refs/x", "git:refs/a/..", "git:-x", "dir:", "baselines", "http://x"]
        {
            assert!(why(url).contains("use git:refs/perfgate/baselines, dir:PATH"), "{url}");
        }
    }
}
