//! Replaces `transport` in a build without the feature `github`: there is no connection.

use super::api_error::ApiError;
use super::response::{Method, Response};
use super::token::Token;
use serde_json::Value;
use std::time::Duration;

/// A connection to a server: there is none.
pub enum Transport {}

/// Fails always.
pub fn available() -> Result<(), ApiError> {
    Err(missing())
}

fn missing() -> ApiError {
    ApiError::Address("this perfgate was built without github; build it with --features github".to_owned())
}

impl Transport {
    /// Fails always.
    pub fn open(_: &str, _: &Token, _: Duration) -> Result<Transport, ApiError> {
        Err(missing())
    }

    pub fn send(&self, _: Method, _: &str, _: Option<&Value>, _: Duration) -> Result<Response, String> {
        match *self {}
    }
}
