//! Real servers of buckets for tests, started by `tests/servers/with-s3` and `with-azure`, which set PERFGATE_TEST_S3 and
//! PERFGATE_TEST_AZURE. A test that needs one is ignored by default and fails where the server is missing.
#![allow(dead_code)] // each test file uses its own part

use perfgate::io::store::{Bucket, BucketUrl};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// The account of the Azure server.
const ACCOUNT: &str = "perftest";

/// The protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    S3,
    Azure,
}

/// A server with a bucket `perf-runs`.
#[derive(Debug, Clone)]
pub struct Server {
    pub cloud: Cloud,
    /// Its URL, without a path.
    pub endpoint: String,
}

/// Variables for the environment of a command.
pub type Environment = Vec<(&'static str, String)>;

/// Runs each of these functions as two tests, against an S3 server and an Azure one. They take a `&Server`, or the
/// result of a setup function that is named first.
#[allow(unused_macros)] // not every test file has such tests
macro_rules! on_each_server {
    ($($(#[$attribute:meta])* $test:ident)*) => {
        crate::cloud::on_each_server! { std::convert::identity => $($(#[$attribute])* $test)* }
    };
    ($make:path => $($(#[$attribute:meta])* $test:ident)*) => {
        mod s3 {
            $(
                $(#[$attribute])*
                #[test]
                #[ignore = "needs an S3 server: tests/servers/with-s3"]
                fn $test() {
                    super::$test($make(&crate::cloud::s3()));
                }
            )*
        }
        mod azure {
            $(
                $(#[$attribute])*
                #[test]
                #[ignore = "needs an Azure server: tests/servers/with-azure"]
                fn $test() {
                    super::$test($make(&crate::cloud::azure()));
                }
            )*
        }
    };
}
#[allow(unused_imports)]
pub(crate) use on_each_server;

/// The S3 server.
pub fn s3() -> Server {
    server(Cloud::S3, "PERFGATE_TEST_S3", "with-s3")
}

/// The Azure server.
pub fn azure() -> Server {
    server(Cloud::Azure, "PERFGATE_TEST_AZURE", "with-azure")
}

fn server(cloud: Cloud, variable: &str, script: &str) -> Server {
    let endpoint = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests as `tests/servers/{script} cargo test -- --include-ignored`")
    });
    Server { cloud, endpoint }
}

impl Server {
    /// The URL of a new store. The script that started the server has set the environment of this process, because a
    /// test cannot change it while others run.
    pub fn address(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let scheme = match self.cloud {
            Cloud::S3 => "s3",
            Cloud::Azure => "az",
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        format!("{scheme}://perf-runs/test-{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// An environment with full access to the bucket.
    pub fn writer(&self) -> Environment {
        self.through(&self.endpoint)
    }

    /// The same for another endpoint, such as a proxy.
    pub fn through(&self, endpoint: &str) -> Environment {
        match self.cloud {
            Cloud::S3 => vec![
                ("AWS_ENDPOINT_URL", endpoint.to_owned()),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", "WRITER".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "writer-secret".to_owned()),
            ],
            Cloud::Azure => vec![
                ("AZURE_ENDPOINT", format!("{endpoint}/{ACCOUNT}")),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
                ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
                // `writer-secret`
                ("AZURE_STORAGE_ACCOUNT_KEY", "d3JpdGVyLXNlY3JldA==".to_owned()),
            ],
        }
    }

    /// An environment that can only read and list.
    pub fn reader(&self) -> Environment {
        let keys = match self.cloud {
            Cloud::S3 => {
                vec![("AWS_ACCESS_KEY_ID", "READER".into()), ("AWS_SECRET_ACCESS_KEY", "reader-secret".into())]
            }
            Cloud::Azure => {
                vec![("AZURE_STORAGE_SAS_KEY", std::env::var("PERFGATE_TEST_AZURE_READER").unwrap())]
            }
        };
        let mut environment = self.anonymous();
        environment.extend(keys);
        environment
    }

    /// For Azure, an environment that can also create, with a shared access signature.
    pub fn recorder(&self, endpoint: &str) -> Environment {
        let mut environment = self.through(endpoint);
        environment.retain(|(name, _)| !name.contains("KEY"));
        environment.push(("AZURE_STORAGE_SAS_KEY", std::env::var("PERFGATE_TEST_AZURE_RECORDER").unwrap()));
        environment
    }

    /// An environment without credentials.
    pub fn anonymous(&self) -> Environment {
        let mut environment = self.writer();
        environment.retain(|(name, _)| !name.contains("KEY"));
        environment
    }
}

/// Removes all settings of clouds from a command's environment.
pub fn stripped(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars() {
        if ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|cloud| name.starts_with(cloud)) {
            command.env_remove(name);
        }
    }
    command
}

/// Opens the bucket of a store's URL.
pub fn bucket(url: &str) -> Bucket {
    Bucket::open(&url.parse::<BucketUrl>().unwrap()).unwrap()
}

/// Writes an object, and removes the one that may exist before.
pub fn overwrite(bucket: &Bucket, name: &str, content: &[u8]) {
    bucket.remove(&[name.to_owned()]).into_iter().for_each(|removed| assert!(removed.is_ok()));
    let created = bucket.create(&[(name.to_owned(), content.to_vec())]);
    assert!(created.iter().all(|created| matches!(created, Ok(perfgate::io::store::CreateOutcome::New))));
}
