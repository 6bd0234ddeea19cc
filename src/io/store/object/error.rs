//! The error of a bucket.

use super::BucketUrl;
use super::advice::describe;
use super::fault::BucketFault;

/// Why an operation on a bucket failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {what} {url}: {}", describe(.fault, .url))]
pub struct BucketError {
    what: String,
    url: Box<BucketUrl>,
    fault: BucketFault,
}

impl BucketError {
    pub(super) fn new(what: impl Into<String>, url: &BucketUrl, fault: BucketFault) -> Self {
        BucketError { what: what.into(), url: Box::new(url.clone()), fault }
    }
}
