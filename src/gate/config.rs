//! The config: the policy, and where its paths start.

use crate::policy::Policy;
use std::path::PathBuf;

/// The policy, and the directory that its paths are relative to.
pub struct Config {
    /// What the file says, or the defaults.
    pub policy: Policy,
    /// Where the file stands; the working directory where there is none.
    pub directory: PathBuf,
    /// The file's name and text, for messages that frame a line of it.
    pub text: Option<(String, String)>,
}
