//! GitHub's REST API: what perfgate reads and writes there, and what its refusals mean. Asynchronous inside; every face
//! of this room is an ordinary function.

mod check;
mod client;
mod comment;
mod fault;
mod identity;
mod job;
mod marker;
mod pull;
mod slug;
mod token;

pub use check::{CheckRun, Conclusion, fingerprint, put_check};
pub use client::{Client, Patience};
pub use comment::{Commented, Part, When, put_comment};
pub use fault::{Fault, Need};
pub use job::{add_outputs, add_summary};
pub use pull::{Pull, pull, pulls_of, update_body};
pub use slug::Slug;
pub use token::Token;
