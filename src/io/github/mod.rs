//! GitHub: the event that started a workflow, and its API.

pub mod event;
