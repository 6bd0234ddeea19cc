//! The address of a bucket, and the client for it that the environment describes. What the client is used for is for
//! `bucket`.

use super::fault::{BucketError, Fault};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::PaginatedListStore;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientConfigKey, CredentialProvider, ObjectStore, RetryConfig};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A request that is not answered in this time is given up and tried again.
const ANSWER: &str = "60 seconds";

/// A server that takes no connection in this time is not there.
const CONNECT: &str = "5 seconds";

/// Whose buckets they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, and whatever speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    /// Whose it is.
    pub provider: Provider,
    /// The bucket's name.
    pub bucket: String,
    /// The folder in it, without a slash at its ends; empty for the whole bucket.
    pub prefix: String,
}

impl FromStr for BucketUrl {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) =
            url.split_once("://").ok_or("the address of a bucket begins with s3://, gs:// or az://")?;
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::Google,
            "az" => Provider::Azure,
            _ => return Err("the address of a bucket begins with s3://, gs:// or az://"),
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
        if !(3..=222).contains(&bucket.len()) || !bucket.chars().all(usual) {
            return Err(
                "a bucket's name has three or more of a-z, 0-9, -, . and _; credentials and regions are not part \
                        of the address, but of the environment",
            );
        }
        let prefix = prefix.trim_end_matches('/');
        // What `?` and `#` would begin is not part of a name, and nobody means them to be.
        let fit = |part: &str| !part.contains(['?', '#', '\\', '%']) && part.chars().all(|c| !c.is_control());
        if Path::parse(prefix).is_err() || !fit(prefix) || prefix.starts_with('/') {
            return Err("its folder has an empty part, `.` or `..`, or a sign that a name should not have");
        }
        Ok(BucketUrl { provider, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.provider {
            Provider::S3 => "s3",
            Provider::Google => "gs",
            Provider::Azure => "az",
        };
        write!(f, "{scheme}://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// What a provider's client can do.
pub(super) trait Client: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> Client for T {}

/// A client that holds credentials, and where the environment says that the bucket is.
pub(super) struct Opened {
    pub(super) client: Arc<dyn Client>,
    /// The region or endpoint, for messages.
    pub(super) region: String,
}

/// Makes the client from the environment, and gets its credentials: what is wrong with them is said here.
pub(super) fn open(url: &BucketUrl, runtime: &Runtime) -> Result<Opened, BucketError> {
    // One provider of TLS for the process. Where one is installed already there is nothing to do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match url.provider {
        Provider::S3 => s3(url, runtime),
        Provider::Google => google(url, runtime),
        Provider::Azure => azure(url, runtime),
    }
    .map_err(|fault| BucketError::new("open", url, fault))
}

fn s3(url: &BucketUrl, runtime: &Runtime) -> Result<Opened, Fault> {
    let built = |error: object_store::Error| Fault::of_settings(&error, Provider::S3);
    let builder = || {
        let builder = AmazonS3Builder::from_env().with_bucket_name(&url.bucket);
        with_times(builder, "AWS", |b, key, value| b.with_config(AmazonS3ConfigKey::Client(key), value))
    };
    let asked = builder();
    let is = |key: AmazonS3ConfigKey| asked.get_config_value(&key);
    let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok().or_else(|| is(AmazonS3ConfigKey::Endpoint));
    let allowed = is(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    refuse_plain(endpoint.as_deref(), allowed.as_deref(), "AWS_ALLOW_HTTP")?;
    let region = match endpoint {
        Some(endpoint) => super::fault::clean(&endpoint),
        None => is(AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".to_owned()),
    };
    let identity = is(AmazonS3ConfigKey::WebIdentityTokenFile).and(is(AmazonS3ConfigKey::RoleArn)).is_some();
    let exchanged = identity && is(AmazonS3ConfigKey::AccessKeyId).is_none();
    if exchanged && is(AmazonS3ConfigKey::StsEndpoint).is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Err(Fault::Settings("AWS_ENDPOINT_URL_STS must begin with https://".into()));
    }
    let unsigned = is(AmazonS3ConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(patient()).build().map_err(built)?
    } else {
        let once = builder().with_retry(brief()).build().map_err(built)?.credentials().clone();
        let credential = obtain(runtime, once, identity)?;
        builder().with_retry(patient()).with_credentials(credential).build().map_err(built)?
    };
    Ok(Opened { client: Arc::new(client), region })
}

fn google(url: &BucketUrl, runtime: &Runtime) -> Result<Opened, Fault> {
    let built = |error: object_store::Error| Fault::of_settings(&error, Provider::Google);
    // What Terraform takes a short-lived token from, and the output of google-github-actions/auth is meant for.
    let token = std::env::var("GOOGLE_OAUTH_ACCESS_TOKEN").ok().filter(|token| !token.is_empty());
    let builder = || {
        let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&url.bucket);
        let builder = with_times(builder, "GOOGLE", |b, key, value| b.with_config(GoogleConfigKey::Client(key), value));
        match &token {
            Some(token) => builder.with_bearer_token(token),
            None => builder,
        }
    };
    let asked = builder();
    let is = |key: GoogleConfigKey| asked.get_config_value(&key);
    // The client itself would allow it.
    let allowed = std::env::var("GOOGLE_ALLOW_HTTP").ok();
    refuse_plain(is(GoogleConfigKey::BaseUrl).as_deref(), allowed.as_deref(), "GOOGLE_ALLOW_HTTP")?;
    let unsigned = is(GoogleConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(patient()).build().map_err(built)?
    } else {
        let once = builder().with_retry(brief()).build().map_err(built)?.credentials().clone();
        let credential = obtain(runtime, once, false)?;
        builder().with_retry(patient()).with_credentials(credential).build().map_err(built)?
    };
    Ok(Opened { client: Arc::new(client), region: String::new() })
}

fn azure(url: &BucketUrl, runtime: &Runtime) -> Result<Opened, Fault> {
    let built = |error: object_store::Error| Fault::of_settings(&error, Provider::Azure);
    let builder = || {
        let builder = MicrosoftAzureBuilder::from_env().with_container_name(&url.bucket);
        with_times(builder, "AZURE", |b, key, value| b.with_config(AzureConfigKey::Client(key), value))
    };
    let asked = builder();
    let is = |key: AzureConfigKey| asked.get_config_value(&key);
    let emulated = is(AzureConfigKey::UseEmulator).as_deref() == Some("true");
    if is(AzureConfigKey::AccountName).is_none() && !emulated {
        return Err(Fault::Settings("set AZURE_STORAGE_ACCOUNT_NAME to the storage account".into()));
    }
    let allowed = is(AzureConfigKey::Client(ClientConfigKey::AllowHttp));
    refuse_plain(is(AzureConfigKey::Endpoint).as_deref(), allowed.as_deref(), "AZURE_ALLOW_HTTP")?;
    let unsigned = is(AzureConfigKey::SkipSignature).as_deref() == Some("true");
    let client = if unsigned {
        builder().with_retry(patient()).build().map_err(built)?
    } else {
        let once = builder().with_retry(brief()).build().map_err(built)?.credentials().clone();
        let identity = is(AzureConfigKey::FederatedTokenFile).and(is(AzureConfigKey::ClientId));
        let credential = obtain(runtime, once, identity.is_some())?;
        builder().with_retry(patient()).with_credentials(credential).build().map_err(built)?
    };
    Ok(Opened { client: Arc::new(client), region: String::new() })
}

/// Without TLS only where the user says so.
fn refuse_plain(endpoint: Option<&str>, allowed: Option<&str>, variable: &str) -> Result<(), Fault> {
    if !endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) || allowed == Some("true") {
        return Ok(());
    }
    Err(Fault::Settings(format!(
        "the endpoint begins with http://, so keys and runs would travel in the clear; use https://, or set \
         {variable}=true for a server that you trust the way to"
    )))
}

/// A provider of credentials that has given some once. It has fewer tries than the bucket has: where nobody gives any,
/// that is to be said within seconds. `identity` where a token of the job's identity is what they are given for.
fn obtain<C: fmt::Debug + Send + Sync>(
    runtime: &Runtime,
    provider: Arc<dyn CredentialProvider<Credential = C>>,
    identity: bool,
) -> Result<Arc<dyn CredentialProvider<Credential = C>>, Fault> {
    match runtime.block_on(provider.get_credential()) {
        Ok(_) => Ok(provider),
        Err(error) if identity => Err(Fault::no_identity(&error)),
        Err(error) => Err(Fault::no_credentials(&error)),
    }
}

/// Our times to wait, unless the environment has its own (`AWS_TIMEOUT`, `AWS_CONNECT_TIMEOUT` and so on).
fn with_times<B>(builder: B, provider: &str, set: impl Fn(B, ClientConfigKey, &str) -> B) -> B {
    let times =
        [("TIMEOUT", ClientConfigKey::Timeout, ANSWER), ("CONNECT_TIMEOUT", ClientConfigKey::ConnectTimeout, CONNECT)];
    times.into_iter().fold(builder, |builder, (name, key, value)| {
        let chosen = std::env::var_os(format!("{provider}_{name}")).is_some();
        if chosen { builder } else { set(builder, key, value) }
    })
}

/// For the bucket: some six tries within a minute.
fn patient() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(8), base: 2.0 };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(60) }
}

/// For credentials.
fn brief() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(1), base: 2.0 };
    RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_back() {
        for (url, provider, bucket, prefix) in [
            ("s3://perf-runs/my-repo", Provider::S3, "perf-runs", "my-repo"),
            ("s3://perf-runs/a/b c/", Provider::S3, "perf-runs", "a/b c"),
            ("gs://perf.runs", Provider::Google, "perf.runs", ""),
            ("az://runs/x", Provider::Azure, "runs", "x"),
        ] {
            let read: BucketUrl = url.parse().unwrap();
            assert_eq!((read.provider, &*read.bucket, &*read.prefix), (provider, bucket, prefix));
            assert_eq!(read.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "s3:bucket",
            "s3://",
            "s3://ab",
            "s3:///x",
            "s3://Bucket/x",
            "s3://key:secret@bucket/x",
            "s3://bucket//x",
            "s3://bucket/a//b",
            "s3://bucket/../x",
            "s3://bucket/./x",
            "s3://bucket/x?region=eu",
            "s3://bucket/a\nb",
            "http://bucket/x",
        ] {
            assert!(url.parse::<BucketUrl>().is_err(), "{url}");
        }
    }
}
