//! What mends the troubles with a bucket, in words, for each provider. Which trouble it is is for `fault`.

use super::fault::Fault;
use super::{BucketUrl, Provider};

/// What to do about a configuration that names no credentials, but whom to ask for some.
pub(super) const FEDERATION: &str = "GOOGLE_APPLICATION_CREDENTIALS is a configuration of workload identity federation, which is not \
    read; set GOOGLE_OAUTH_ACCESS_TOKEN to an access token (google-github-actions/auth gives one where \
    `token_format: access_token` asks for it)";

/// A fault in words, with what mends it.
pub(super) fn told(fault: &Fault, url: &BucketUrl) -> String {
    let bucket = &url.bucket;
    let provider = url.provider;
    match fault {
        Fault::Settings(why) => format!("the environment does not describe it: {why}"),
        Fault::NoCredentials(why) => format!("there are no credentials ({why}); {}", credentials(provider)),
        Fault::Identity(why) => {
            format!("the job's identity gets no credentials ({why}); {}", identity(provider))
        }
        Fault::Credentials(why) => {
            format!(
                "the credentials are not accepted ({why}); renew them, look at the machine's clock, and {}",
                credentials(provider)
            )
        }
        Fault::Denied(why) => format!("access is denied ({why}); {}", rights(provider, bucket)),
        Fault::NoBucket(why) => {
            let what = if provider == Provider::Azure { "container" } else { "bucket" };
            format!(
                "there is no {what} `{bucket}` ({why}); create it, or correct the store's address or {}",
                place(provider)
            )
        }
        Fault::Region { bucket: Some(region), asked } => {
            format!("the bucket is in {region}, and was looked for in {asked}; set AWS_REGION={region}")
        }
        Fault::Region { bucket: None, asked } => {
            format!(
                "the bucket is in another region than {asked}; set AWS_REGION to the bucket's (aws s3api get-bucket-location --bucket {bucket})"
            )
        }
        Fault::Unreachable(why) => {
            format!("no connection ({why}); check the network, the proxy, and {}", place(provider))
        }
        Fault::Broken(why) => format!("it was tried several times, and the last answer was: {why}; try again later"),
        Fault::Other(why) => why.clone(),
    }
}

/// Where credentials come from.
pub(super) fn credentials(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if the key came with one), or give \
             the job a role (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE); ~/.aws is not read: \
             `eval \"$(aws configure export-credentials --format env)\"` takes a profile over"
        }
        Provider::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials or GOOGLE_OAUTH_ACCESS_TOKEN to an access token, \
             or run `gcloud auth application-default login`"
        }
        Provider::Azure => {
            "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY, or AZURE_USE_AZURE_CLI=true after `az login`, or give \
             the job an identity (AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE)"
        }
    }
}

/// What an identity's credentials depend on.
fn identity(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => {
            "AWS_WEB_IDENTITY_TOKEN_FILE must hold a fresh token, and the trust policy of AWS_ROLE_ARN name its issuer, \
             audience and subject"
        }
        Provider::Google | Provider::Azure => {
            "AZURE_FEDERATED_TOKEN_FILE must hold a fresh token, and the application AZURE_CLIENT_ID in AZURE_TENANT_ID \
             have a federated credential of its issuer, audience and subject"
        }
    }
}

/// What the credentials have to allow.
fn rights(provider: Provider, bucket: &str) -> String {
    match provider {
        Provider::S3 => format!(
            "the key or role needs s3:ListBucket on arn:aws:s3:::{bucket} and s3:GetObject on arn:aws:s3:::{bucket}/*, to \
             record also s3:PutObject, to prune also s3:DeleteObject"
        ),
        Provider::Google => format!(
            "the account needs the role Storage Object Viewer on {bucket}, to record also Storage Object Creator, to \
             prune Storage Object User"
        ),
        Provider::Azure => format!(
            "the identity needs the role Storage Blob Data Reader on {bucket}, to record and prune Storage Blob Data \
             Contributor (a shared access signature: read and list, to record also create, to prune also delete), and \
             the account's network has to let this machine in"
        ),
    }
}

/// Which variables say where a bucket is.
fn place(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => "AWS_REGION and AWS_ENDPOINT_URL",
        Provider::Google => "GOOGLE_BASE_URL",
        Provider::Azure => "AZURE_STORAGE_ACCOUNT_NAME",
    }
}
