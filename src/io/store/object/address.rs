//! The URL of a bucket.

use std::fmt;
use std::str::FromStr;

/// A provider of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, and servers with its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    /// The provider.
    pub provider: Provider,
    /// The bucket's name.
    pub bucket: String,
    /// The folder in it, without a leading or trailing slash; empty for the whole bucket.
    pub prefix: String,
}

impl FromStr for BucketUrl {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = url.split_once("://").ok_or("the URL of a bucket begins with s3://, gs:// or az://")?;
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::Google,
            "az" => Provider::Azure,
            _ => return Err("the URL of a bucket begins with s3://, gs:// or az://"),
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
        if !(3..=222).contains(&bucket.len()) || !bucket.chars().all(is_allowed) {
            return Err(
                "a bucket's name has three or more of the characters a-z, 0-9, -, . and _; credentials and regions \
                 belong in the environment, not in the URL",
            );
        }
        let prefix = prefix.trim_end_matches('/');
        // `?` and `#` would begin a query or a fragment, which a folder's name cannot have.
        let is_sound = !prefix.contains(['?', '#', '\\', '%']) && prefix.chars().all(|c| !c.is_control());
        let has_names = prefix.is_empty() || !prefix.split('/').any(|part| matches!(part, "" | "." | ".."));
        if !is_sound || !has_names {
            return Err(r"its folder has an empty part, `.`, `..`, or one of the characters ?, #, \ and %");
        }
        Ok(BucketUrl { provider, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.provider {
            Provider::S3 => "s3",
            Provider::Google => "gs",
            Provider::Azure => "az",
        };
        write!(f, "{scheme}://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_round_trip() {
        for (url, provider, bucket, prefix) in [
            ("s3://perf-runs/my-repo", Provider::S3, "perf-runs", "my-repo"),
            ("s3://perf-runs/a/b c/", Provider::S3, "perf-runs", "a/b c"),
            ("gs://perf.runs", Provider::Google, "perf.runs", ""),
            ("az://runs/x", Provider::Azure, "runs", "x"),
        ] {
            let read: BucketUrl = url.parse().unwrap();
            assert_eq!((read.provider, &*read.bucket, &*read.prefix), (provider, bucket, prefix));
            assert_eq!(read.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn invalid_urls_are_refused() {
        for url in [
            "",
            "s3:bucket",
            "s3://",
            "s3://ab",
            "s3:///x",
            "s3://Bucket/x",
            "s3://key:secret@bucket/x",
            "s3://bucket//x",
            "s3://bucket/a//b",
            "s3://bucket/../x",
            "s3://bucket/./x",
            "s3://bucket/x?region=eu",
            "s3://bucket/a\nb",
            "http://bucket/x",
        ] {
            assert!(url.parse::<BucketUrl>().is_err(), "{url}");
        }
    }
}
