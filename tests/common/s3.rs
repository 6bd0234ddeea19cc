//! A real S3 server for tests: the one that `tests/servers/with-s3` started, found by PERFGATE_TEST_S3. Where there is
//! none, a test says that it was skipped, unless PERFGATE_TEST_SERVERS=required, as in CI: then that is a failure.
#![allow(dead_code)] // each test file uses its own part

use perfgate::io::store::{Bucket, BucketUrl};
use std::sync::atomic::{AtomicU64, Ordering};

/// The server's address, if there is a server.
pub fn endpoint() -> Option<String> {
    let endpoint = std::env::var("PERFGATE_TEST_S3").ok();
    if endpoint.is_none() {
        assert!(
            std::env::var("PERFGATE_TEST_SERVERS").as_deref() != Ok("required"),
            "PERFGATE_TEST_S3 is not set: run the tests as `tests/servers/with-s3 cargo test`"
        );
        eprintln!("skipped: no S3 server; run the tests as `tests/servers/with-s3 cargo test`");
    }
    endpoint
}

/// What the environment of a process that uses the server holds.
pub fn environment(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "WRITER".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "writer-secret".to_owned()),
    ]
}

/// The address of a store that nobody has used yet.
pub fn address() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("s3://perf-runs/test-{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A store for this process's own use. The client takes its settings from the environment, which no test may change
/// while others run: `with-s3` has set it.
pub fn fresh() -> Option<String> {
    endpoint().map(|_| address())
}

/// The bucket behind a store's address.
pub fn bucket(url: &str) -> Bucket {
    Bucket::open(&url.parse::<BucketUrl>().unwrap()).unwrap()
}
