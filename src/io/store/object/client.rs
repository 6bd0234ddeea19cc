//! A client for a bucket, with the settings and credentials of the environment.

use super::error::BucketError;
use super::fault::BucketFault;
use super::refusal::{Connector, recorded};
use super::{BucketUrl, Provider};
use crate::io::secrets;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::PaginatedListStore;
use object_store::{BackoffConfig, ClientConfigKey, CredentialProvider, ObjectStore, RetryConfig};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The time limit of one try of a request.
const REQUEST_TIMEOUT: &str = "60 seconds";

/// The time limit for a connection.
const CONNECT_TIMEOUT: &str = "5 seconds";

/// What perfgate needs of a provider's client.
pub(super) trait Client: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> Client for T {}

/// A client with credentials.
pub(super) struct OpenClient {
    pub(super) client: Arc<dyn Client>,
    /// The region or endpoint of the environment, for messages.
    pub(super) region: String,
}

/// Makes the client and gets its credentials, so that missing or wrong ones are reported before any work.
pub(super) fn open(url: &BucketUrl, runtime: &Runtime) -> Result<OpenClient, BucketError> {
    // The process needs one TLS provider; an error means that it has one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match url.provider {
        Provider::S3 => s3(url, runtime),
        Provider::Google => google(url, runtime),
        Provider::Azure => azure(url, runtime),
    }
    .map_err(|fault| BucketError::new("open", url, fault))
}

fn s3(url: &BucketUrl, runtime: &Runtime) -> Result<OpenClient, BucketFault> {
    let failed = |error: object_store::Error| BucketFault::of_settings(&error, Provider::S3);
    let builder = || s3_builder(url);
    let settings = builder();
    let setting = |key: AmazonS3ConfigKey| settings.get_config_value(&key);
    let endpoint = secrets::variable("AWS_ENDPOINT_URL_S3").or_else(|| setting(AmazonS3ConfigKey::Endpoint));
    let allowed = setting(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    refuse_unencrypted(endpoint.as_deref(), allowed.as_deref(), "AWS_ALLOW_HTTP")?;
    let region = match endpoint {
        Some(endpoint) => super::text::clean(&endpoint),
        None => setting(AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".to_owned()),
    };
    let identity = setting(AmazonS3ConfigKey::WebIdentityTokenFile).and(setting(AmazonS3ConfigKey::RoleArn)).is_some();
    let exchanged = identity && setting(AmazonS3ConfigKey::AccessKeyId).is_none();
    if exchanged && setting(AmazonS3ConfigKey::StsEndpoint).is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Err(BucketFault::Settings("AWS_ENDPOINT_URL_STS must begin with https://".into()));
    }
    let unsigned = setting(AmazonS3ConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(bucket_retries()).build().map_err(failed)?
    } else {
        let once = builder().with_retry(credential_retries()).build().map_err(failed)?.credentials().clone();
        let credential = obtain(runtime, once, identity)?;
        builder().with_retry(bucket_retries()).with_credentials(credential).build().map_err(failed)?
    };
    Ok(OpenClient { client: Arc::new(client), region })
}

fn s3_builder(url: &BucketUrl) -> AmazonS3Builder {
    let kept = secrets::starting_with("AWS_").filter_map(|(name, value)| Some((setting_of(name)?, value)));
    let builder = kept.fold(start(AmazonS3Builder::from_env), |builder, (key, value)| builder.with_config(key, value));
    let builder = builder.with_bucket_name(&url.bucket).with_http_connector(Connector::default());
    with_timeouts(builder, "AWS", |b, key, value| b.with_config(AmazonS3ConfigKey::Client(key), value))
}

/// Settings from the environment, if the environment is used.
fn start<B: Default>(from_env: fn() -> B) -> B {
    if secrets::is_environment_used() { from_env() } else { B::default() }
}

/// The client's setting of a variable, as its `from_env` reads it.
fn setting_of<T: std::str::FromStr>(variable: &str) -> Option<T> {
    variable.to_ascii_lowercase().parse().ok()
}

fn google(url: &BucketUrl, runtime: &Runtime) -> Result<OpenClient, BucketFault> {
    let failed = |error: object_store::Error| google_fault(&error);
    let builder = || google_builder(url);
    let settings = builder();
    let setting = |key: GoogleConfigKey| settings.get_config_value(&key);
    // The client has no such setting: it always allows plain HTTP.
    let allowed = secrets::variable("GOOGLE_ALLOW_HTTP");
    refuse_unencrypted(setting(GoogleConfigKey::BaseUrl).as_deref(), allowed.as_deref(), "GOOGLE_ALLOW_HTTP")?;
    let unsigned = setting(GoogleConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(bucket_retries()).build().map_err(failed)?
    } else {
        let once = builder().with_retry(credential_retries()).build().map_err(failed)?.credentials().clone();
        let credential = obtain(runtime, once, false)?;
        builder().with_retry(bucket_retries()).with_credentials(credential).build().map_err(failed)?
    };
    Ok(OpenClient { client: Arc::new(client), region: String::new() })
}

fn google_builder(url: &BucketUrl) -> GoogleCloudStorageBuilder {
    let kept = secrets::starting_with("GOOGLE_").filter_map(|(name, value)| Some((setting_of(name)?, value)));
    let builder =
        kept.fold(start(GoogleCloudStorageBuilder::from_env), |builder, (key, value)| builder.with_config(key, value));
    let builder = builder.with_bucket_name(&url.bucket).with_http_connector(Connector::default());
    let builder = with_timeouts(builder, "GOOGLE", |b, key, value| b.with_config(GoogleConfigKey::Client(key), value));
    // The variable that Terraform reads too, and that the output of google-github-actions/auth is for.
    match secrets::variable("GOOGLE_OAUTH_ACCESS_TOKEN") {
        Some(token) if !token.is_empty() => builder.with_bearer_token(token),
        _ => builder,
    }
}

fn google_fault(error: &object_store::Error) -> BucketFault {
    if describes_federation() { BucketFault::federation() } else { BucketFault::of_settings(error, Provider::Google) }
}

fn azure(url: &BucketUrl, runtime: &Runtime) -> Result<OpenClient, BucketFault> {
    let failed = |error: object_store::Error| BucketFault::of_settings(&error, Provider::Azure);
    let builder = || azure_builder(url);
    let settings = builder();
    let setting = |key: AzureConfigKey| settings.get_config_value(&key);
    let emulated = setting(AzureConfigKey::UseEmulator).as_deref() == Some("true");
    if setting(AzureConfigKey::AccountName).is_none() && !emulated {
        return Err(BucketFault::Settings("set AZURE_STORAGE_ACCOUNT_NAME to the storage account".into()));
    }
    let allowed = setting(AzureConfigKey::Client(ClientConfigKey::AllowHttp));
    refuse_unencrypted(setting(AzureConfigKey::Endpoint).as_deref(), allowed.as_deref(), "AZURE_ALLOW_HTTP")?;
    let unsigned = setting(AzureConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(bucket_retries()).build().map_err(failed)?
    } else {
        let once = builder().with_retry(credential_retries()).build().map_err(failed)?.credentials().clone();
        let identity = setting(AzureConfigKey::FederatedTokenFile).and(setting(AzureConfigKey::ClientId));
        let credential = obtain(runtime, once, identity.is_some())?;
        builder().with_retry(bucket_retries()).with_credentials(credential).build().map_err(failed)?
    };
    Ok(OpenClient { client: Arc::new(client), region: String::new() })
}

/// True if the environment's credentials file only describes where to get credentials.
fn describes_federation() -> bool {
    let Some(file) = secrets::variable("GOOGLE_APPLICATION_CREDENTIALS") else { return false };
    let read = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    read.is_some_and(|file| file.get("type").and_then(serde_json::Value::as_str) == Some("external_account"))
}

fn azure_builder(url: &BucketUrl) -> MicrosoftAzureBuilder {
    let kept = secrets::starting_with("AZURE_").filter_map(|(name, value)| Some((setting_of(name)?, value)));
    let builder =
        kept.fold(start(MicrosoftAzureBuilder::from_env), |builder, (key, value)| builder.with_config(key, value));
    let builder = builder.with_container_name(&url.bucket).with_http_connector(Connector::default());
    with_timeouts(builder, "AZURE", |b, key, value| b.with_config(AzureConfigKey::Client(key), value))
}

/// Refuses an endpoint without TLS, unless the environment allows it.
fn refuse_unencrypted(endpoint: Option<&str>, allowed: Option<&str>, variable: &str) -> Result<(), BucketFault> {
    if !endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) || allowed == Some("true") {
        return Ok(());
    }
    Err(BucketFault::Settings(format!(
        "the endpoint begins with http://, so keys and runs would be sent unencrypted; use https://, or set \
         {variable}=true on a trusted network"
    )))
}

/// Gets credentials once, and returns their provider. `provider` retries less often than the bucket's client, so that
/// missing credentials are reported within seconds. `identity` is true where a token of the job's identity is exchanged
/// for them.
fn obtain<C: fmt::Debug + Send + Sync>(
    runtime: &Runtime,
    provider: Arc<dyn CredentialProvider<Credential = C>>,
    identity: bool,
) -> Result<Arc<dyn CredentialProvider<Credential = C>>, BucketFault> {
    match runtime.block_on(recorded(provider.get_credential())) {
        Ok(_) => Ok(provider),
        Err(failure) if identity => Err(BucketFault::no_identity(&failure)),
        Err(failure) => Err(BucketFault::no_credentials(&failure)),
    }
}

/// Sets the default time limits if the environment sets none (`AWS_TIMEOUT`, `AWS_CONNECT_TIMEOUT`, …).
fn with_timeouts<B>(builder: B, provider: &str, set: impl Fn(B, ClientConfigKey, &str) -> B) -> B {
    let timeouts = [
        ("TIMEOUT", ClientConfigKey::Timeout, REQUEST_TIMEOUT),
        ("CONNECT_TIMEOUT", ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT),
    ];
    timeouts.into_iter().fold(builder, |builder, (name, key, value)| {
        let chosen = secrets::variable(&format!("{provider}_{name}")).is_some();
        if chosen { builder } else { set(builder, key, value) }
    })
}

/// Retries of a bucket's requests: about six tries within a minute.
fn bucket_retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(8), base: 2.0 };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(60) }
}

/// Retries of requests for credentials.
fn credential_retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(1), base: 2.0 };
    RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(8) }
}
