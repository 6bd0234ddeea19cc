//! Replaces `bucket` in a build without the feature `buckets`: no bucket can be opened.

use super::{BucketUrl, CreateOutcome, Page};

/// Why no bucket can be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: this perfgate was built without buckets; build it with --features buckets")]
pub struct BucketError(BucketUrl);

/// An open bucket: there is none.
#[derive(Debug)]
pub enum Bucket {}

type Each<T> = Vec<Result<T, BucketError>>;

impl Bucket {
    /// Fails always.
    pub fn open(url: &BucketUrl) -> Result<Bucket, BucketError> {
        Err(BucketError(url.clone()))
    }

    /// Where it is.
    pub fn url(&self) -> &BucketUrl {
        match *self {}
    }

    /// The content of each object, or of its first bytes.
    pub fn read(&self, _: &[String], _: Option<u64>) -> Each<Option<Vec<u8>>> {
        match *self {}
    }

    /// Writes objects that must not be there yet.
    pub fn create(&self, _: &[(String, Vec<u8>)]) -> Each<CreateOutcome> {
        match *self {}
    }

    /// Writes objects, over those that are there.
    pub fn write(&self, _: &[(String, Vec<u8>)]) -> Result<(), BucketError> {
        match *self {}
    }

    /// Removes objects.
    pub fn remove(&self, _: &[String]) -> Each<bool> {
        match *self {}
    }

    /// A page of names.
    pub fn page(&self, _: &str, _: Option<&str>, _: Option<String>) -> Result<Page, BucketError> {
        match *self {}
    }

    /// Several pages at once.
    pub fn pages(&self, _: Vec<(String, Option<String>, Option<String>)>) -> Each<Page> {
        match *self {}
    }

    /// When an object was last modified.
    pub fn modified(&self, _: &str) -> Option<i64> {
        match *self {}
    }

    /// The folders and objects right below the bucket's prefix.
    pub fn top(&self) -> Result<Page, BucketError> {
        match *self {}
    }
}
