//! The messages for faults of buckets: what is wrong and how to fix it, for each provider.

use super::fault::BucketFault;
use super::{BucketUrl, Provider};

/// The fix for a credentials file that only describes where to get credentials.
pub(super) const FEDERATION: &str = "GOOGLE_APPLICATION_CREDENTIALS is a configuration of workload identity federation, which \
    perfgate does not support; set GOOGLE_OAUTH_ACCESS_TOKEN to an access token (google-github-actions/auth returns one \
    with `token_format: access_token`)";

/// The message for a fault.
pub(super) fn describe(fault: &BucketFault, url: &BucketUrl) -> String {
    let bucket = &url.bucket;
    let provider = url.provider;
    match fault {
        BucketFault::Settings(why) => format!("wrong settings in the environment: {why}"),
        BucketFault::NoCredentials(why) => format!("there are no credentials ({why}); {}", credentials(provider)),
        BucketFault::Identity(why) => {
            format!("the job's identity got no credentials ({why}); {}", identity(provider))
        }
        BucketFault::BadCredentials(why) => {
            format!(
                "the credentials were rejected ({why}); renew them, check the machine's clock, and {}",
                credentials(provider)
            )
        }
        BucketFault::Denied(why) => format!("access denied ({why}); {}", permissions(provider, bucket)),
        BucketFault::NoBucket(why) => {
            let what = if provider == Provider::Azure { "container" } else { "bucket" };
            format!(
                "there is no {what} `{bucket}` ({why}); create it, or correct the store's URL or {}",
                place(provider)
            )
        }
        BucketFault::Region { bucket: Some(region), request } => {
            format!("the bucket is in region {region}, not in {request}; set AWS_REGION={region}")
        }
        BucketFault::Region { bucket: None, request } => {
            format!(
                "the bucket is not in region {request}; set AWS_REGION to the bucket's region (aws s3api get-bucket-location --bucket {bucket})"
            )
        }
        BucketFault::Unreachable(why) => {
            format!("no connection ({why}); check the network, the proxy, and {}", place(provider))
        }
        BucketFault::Unavailable(why) => format!("all retries failed; the last error was: {why}; try again later"),
        BucketFault::Other(why) => why.clone(),
    }
}

/// How to supply credentials.
pub(super) fn credentials(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if the key came with one), or give \
             the job a role (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE); ~/.aws is not read; \
             to use a profile, run `eval \"$(aws configure export-credentials --format env)\"`"
        }
        Provider::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to a credentials file or GOOGLE_OAUTH_ACCESS_TOKEN to an access token, \
             or run `gcloud auth application-default login`"
        }
        Provider::Azure => {
            "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY, or AZURE_USE_AZURE_CLI=true after `az login`, or give \
             the job an identity (AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE)"
        }
    }
}

/// What the exchange of an identity's token depends on.
fn identity(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => {
            "AWS_WEB_IDENTITY_TOKEN_FILE must contain a valid token, and the trust policy of AWS_ROLE_ARN must name its \
             issuer, audience and subject"
        }
        Provider::Google | Provider::Azure => {
            "AZURE_FEDERATED_TOKEN_FILE must contain a valid token, and the application AZURE_CLIENT_ID in AZURE_TENANT_ID \
             must have a federated credential with its issuer, audience and subject"
        }
    }
}

/// The permissions that perfgate needs.
fn permissions(provider: Provider, bucket: &str) -> String {
    match provider {
        Provider::S3 => format!(
            "the key or role needs s3:ListBucket on arn:aws:s3:::{bucket} and s3:GetObject on \
             arn:aws:s3:::{bucket}/*; to record also s3:PutObject; to prune also s3:DeleteObject"
        ),
        Provider::Google => format!(
            "the account needs the role Storage Object Viewer on {bucket}; to record also Storage Object \
             Creator; to prune Storage Object User"
        ),
        Provider::Azure => format!(
            "the identity needs the role Storage Blob Data Reader on {bucket}; to record and prune Storage Blob \
             Data Contributor (a shared access signature: read and list; to record also create; to prune also delete); \
             and the account's network rules must allow this machine"
        ),
    }
}

/// The variables for a bucket's location.
fn place(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => "AWS_REGION and AWS_ENDPOINT_URL",
        Provider::Google => "GOOGLE_BASE_URL",
        Provider::Azure => "AZURE_STORAGE_ACCOUNT_NAME",
    }
}
