//! Report -> text. Every view reads the same Report and decides nothing; nothing here prints.

pub mod escape;
mod json;
mod markdown;
mod quantity;
mod summary;
mod table;
pub mod template;

pub use json::json;
pub use markdown::markdown;
pub use quantity::{change, pair as quantities, percent};
pub use table::{TableOptions, table};
