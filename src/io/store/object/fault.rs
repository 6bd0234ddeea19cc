//! What can go wrong with a bucket. `classify` finds the fault behind an error, `advice` has the fix for each one.

/// The kinds of fault, by what fixes them. A text is the server's or the client's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BucketFault {
    /// A wrong setting in the environment.
    Settings(String),
    /// No credentials were found.
    NoCredentials(String),
    /// The token of the job's identity was not exchanged for credentials.
    Identity(String),
    /// The credentials were rejected.
    BadCredentials(String),
    /// The credentials do not allow the operation.
    Denied(String),
    /// There is no such bucket.
    NoBucket(String),
    /// The bucket is in another region.
    Region {
        /// The bucket's region, where the server names it.
        bucket: Option<String>,
        /// The region of the request.
        request: String,
    },
    /// No server responds at the endpoint.
    Unreachable(String),
    /// The connection broke or the server was overloaded, at every try.
    Unavailable(String),
    /// Anything else.
    Other(String),
}

impl BucketFault {
    /// True if a retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, BucketFault::Unavailable(_))
    }
}
