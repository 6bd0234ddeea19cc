//! Sends one request to GitHub with octocrab. `client` handles retries and errors.

use super::api_error::ApiError;
use super::response::{Method, Response};
use super::token::Token;
use octocrab::service::middleware::retry::RetryConfig;
use octocrab::{Octocrab, OctocrabBuilder};
use serde_json::Value;
use std::fmt::Display;
use std::time::Duration;

/// A connection to a server.
pub struct Transport {
    runtime: tokio::runtime::Runtime,
    api: Octocrab,
}

/// Fails in a build without the feature `github`.
pub fn available() -> Result<(), ApiError> {
    Ok(())
}

impl Transport {
    /// Connects to the server of an API's address.
    pub fn open(base: &str, token: &Token, connect: Duration) -> Result<Transport, ApiError> {
        let broken = |error: &dyn Display| ApiError::Address(format!("cannot connect to GitHub: {error}"));
        // Two dependencies use rustls with different defaults, so the provider must be set explicitly.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| broken(&error))?;
        let entered = runtime.enter();
        // Only scheme and host: octocrab would also prefix the GraphQL URL with an Enterprise server's `/api/v3`.
        let path = base.find("://").and_then(|at| base[at + 3..].find('/').map(|slash| at + 3 + slash));
        let api = OctocrabBuilder::new()
            .base_uri(&base[..path.unwrap_or(base.len())])
            .map_err(|_| ApiError::Address(format!("GITHUB_API_URL {base:?} is not a valid URL")))?
            .personal_token(token.reveal())
            .add_retry_config(RetryConfig::None)
            .set_connect_timeout(Some(connect))
            .build()
            .map_err(|error| broken(&first_line(&error.to_string())))?;
        drop(entered);
        Ok(Transport { runtime, api })
    }

    /// Sends a request and reads the whole response. An error is the text of a network error.
    pub fn send(
        &self,
        method: Method,
        address: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Response, String> {
        let work = async {
            let response = match method {
                Method::Get => self.api._get(address).await,
                Method::Post => self.api._post(address, body).await,
                Method::Patch => self.api._patch(address, body).await,
                Method::Delete => self.api._delete(address, body).await,
            };
            let response = response.map_err(|error| cause(&error))?;
            let status = response.status().as_u16();
            let headers = response.headers().iter();
            let headers = headers
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect();
            let text = self.api.body_to_string(response).await.map_err(|error| cause(&error))?;
            Ok(Response { status, headers, text })
        };
        self.runtime.block_on(async {
            match tokio::time::timeout(limit, work).await {
                Ok(result) => result,
                Err(_) => Err(format!("no response within {} s", limit.as_secs_f64())),
            }
        })
    }
}

/// The innermost cause of an error; the outer ones have no details.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    first_line(&innermost.to_string())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
