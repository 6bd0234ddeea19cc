//! GitHub's REST API: what perfgate reads and writes there, what its refusals mean; and the event that started a workflow. Asynchronous inside; every face
//! of this room is an ordinary function.

mod check;
mod client;
mod comment;
pub mod event;
mod fault;
mod identity;
mod job;
mod marker;
pub mod parcel;
mod pull;
mod slug;
mod token;
#[cfg_attr(not(feature = "github"), path = "without/transport.rs")]
mod transport;

pub use check::{CheckRun, Conclusion, fingerprint, put_check};
pub use client::{Client, Patience};
pub use comment::{Commented, Part, When, put_comment};
pub use fault::{Fault, Need};
pub use job::{add_outputs, add_summary};
pub use pull::{Pull, pull, pulls_of, update_body};
pub use slug::Slug;
pub use token::Token;
pub use transport::available;
