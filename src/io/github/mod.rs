//! GitHub: its REST API, the files of a workflow's job, and workflow events. Asynchronous inside; all public functions
//! are synchronous.

mod accept_command;
pub mod acceptance;
mod api_error;
mod check;
mod client;
mod comment;
mod commit_comment;
pub mod event;
mod identity;
mod issue;
mod job;
mod marker;
mod merge_queue;
pub mod packed_results;
mod pull;
mod response;
mod server;
mod slug;
mod token;
#[cfg_attr(not(feature = "github"), path = "without/transport.rs")]
mod transport;
mod unique;

pub use api_error::{ApiError, RequiredPermission};
pub use check::{CheckRun, Conclusion, fingerprint, put_check};
pub use client::{Client, RetryLimits};
pub use comment::{CommentCondition, CommentOutcome, Part, put_comment};
pub use commit_comment::put_commit_comment;
pub use issue::{CloseReason, Issue, Subject, close_issue, issues, open_issue, room_in_issue, update_issue};
pub use job::{add_outputs, add_summary};
pub use merge_queue::{GroupError, GroupMember, MergeGroup, UnclearGroup};
pub use pull::{Pull, pull, pulls_of, update_body};
pub use server::{JobRun, api_url, server_url};
pub use slug::Slug;
pub use token::Token;
pub use transport::available;
pub use unique::unique_word;
