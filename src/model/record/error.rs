//! Errors of encoding and decoding records.

use super::limits::VERSION;

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not a record.
    #[error("not a stored run: it does not start with the header of one")]
    NotARecord,
    /// Written by a later version of perfgate that this one cannot read.
    #[error(
        "the stored run has format version {version}, which needs a perfgate that reads version {needs}; this one reads \
         up to {VERSION}: install a newer perfgate"
    )]
    Newer {
        /// Version of the record.
        version: u16,
        /// The oldest version that can read it.
        needs: u16,
    },
    /// Truncated or altered.
    #[error("the stored run is damaged: {0}")]
    Damaged(String),
    /// A run that cannot be stored.
    #[error("the run cannot be stored: {0}")]
    NotStorable(String),
    /// Compression failed.
    #[error("the run cannot be compressed: {0}")]
    Compression(#[source] std::io::Error),
}

impl RecordError {
    /// What is wrong, for a message that names the stored run itself.
    pub fn reason(self) -> String {
        match self {
            RecordError::Damaged(what) => what,
            other => other.to_string(),
        }
    }
}
