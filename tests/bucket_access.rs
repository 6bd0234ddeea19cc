//! Tests of access to a bucket, and of the errors if it is denied: keys, signatures, roles by OpenID Connect,
//! permissions, and missing servers. On real servers (see `common/cloud.rs`); synthetic answers where no server gives
//! them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

#[path = "common/cloud.rs"]
mod cloud;
mod common;
#[path = "common/wire.rs"]
mod wire;

use cloud::{Cloud, Environment, Server};
use common::{Answer, Sandbox};

cloud::on_each_server! {
    a_reader_can_compare_but_not_record
    a_public_bucket_needs_no_credentials_to_compare
}

/// Writes results of a new commit on a new branch.
fn results_on_branch(sandbox: &Sandbox, run: u32) {
    sandbox.git("r", &["switch", "-q", "-c", &format!("work-{run}")]);
    sandbox.commit("r", &format!("change {run}"));
    sandbox.five_benchmarks(run);
}

/// Runs perfgate with only the credentials of an environment.
fn perfgate(sandbox: &Sandbox, environment: &Environment, args: &[&str]) -> Answer {
    let mut command = sandbox.command::<&str>("r", &[], args);
    cloud::stripped(&mut command).envs(environment.iter().map(|(name, value)| (name, value)));
    let answer = common::answer(command.output().unwrap());
    // Keys, signatures and tokens.
    for secret in ["secret", "sig=", "eyJ", "token-of-the-job"] {
        assert!(!format!("{}{}", answer.stdout, answer.stderr).contains(secret), "{}", answer.stderr);
    }
    answer
}

/// An environment with some settings changed.
fn with(environment: &Environment, more: &[(&'static str, &str)]) -> Environment {
    let mut environment = environment.clone();
    environment.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    environment
}

fn a_reader_can_compare_but_not_record(server: &Server) {
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    perfgate(&sandbox, &server.writer(), &["record", "--store", &url]).exits(0);
    sandbox.five_benchmarks(9);
    perfgate(&sandbox, &server.reader(), &["compare", "--store", &url]).exits(0);
    perfgate(&sandbox, &server.reader(), &["runs", "--store", &url, "list"]).exits(0);
    sandbox.five_benchmarks(2);
    let needs = match server.cloud {
        Cloud::S3 => "s3:PutObject",
        Cloud::Azure => "Storage Blob Data Contributor",
    };
    let answer = perfgate(&sandbox, &server.reader(), &["record", "--store", &url]);
    answer.exits(2).reports("access denied").reports(needs);
}

#[test]
#[ignore = "needs an Azure server: tests/servers/with-azure"]
fn the_documented_permissions_are_enough_to_record() {
    let server = cloud::azure();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    let recorder = server.recorder(&server.endpoint);
    perfgate(&sandbox, &recorder, &["record", "--store", &url]).exits(0).prints("recorded 5");
    perfgate(&sandbox, &recorder, &["record", "--store", &url]).exits(0).prints("already recorded");
    sandbox.five_benchmarks(9);
    perfgate(&sandbox, &recorder, &["compare", "--store", &url]).exits(0);
    // Pruning needs more. Two runs off main, because ten are kept on main.
    results_on_branch(&sandbox, 2);
    perfgate(&sandbox, &recorder, &["record", "--store", &url]).exits(0).prints("recorded 5");
    results_on_branch(&sandbox, 3);
    perfgate(&sandbox, &recorder, &["record", "--store", &url]).exits(0).prints("recorded 5");
    let prune = ["runs", "prune", "--store", &url, "--keep", "1", "--thin", "0"];
    perfgate(&sandbox, &recorder, &prune).exits(2).reports("access denied").reports("delete");
    let signature = std::env::var("PERFGATE_TEST_AZURE_PRUNER").unwrap();
    let pruner = with(&recorder, &[("AZURE_STORAGE_SAS_KEY", &signature)]);
    perfgate(&sandbox, &pruner, &prune).exits(0).prints("     1 removed");
}

fn a_public_bucket_needs_no_credentials_to_compare(server: &Server) {
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    perfgate(&sandbox, &server.writer(), &["record", "--store", &url]).exits(0);
    let mut anybody = server.anonymous();
    anybody.push(match server.cloud {
        Cloud::S3 => ("AWS_SKIP_SIGNATURE", "true".to_owned()),
        Cloud::Azure => ("AZURE_SKIP_SIGNATURE", "true".to_owned()),
    });
    sandbox.five_benchmarks(9);
    perfgate(&sandbox, &anybody, &["compare", "--store", &url]).exits(0).prints("PASS");
    sandbox.five_benchmarks(2);
    perfgate(&sandbox, &anybody, &["record", "--store", &url]).exits(2).reports("cannot write");
    let private = url.replace("perf-runs", "private-runs");
    perfgate(&sandbox, &anybody, &["compare", "--store", &private]).exits(2).reports("cannot list");
}

#[test]
#[ignore = "needs an S3 server: tests/servers/with-s3"]
fn a_job_records_and_compares_with_a_role_for_its_token() {
    let server = cloud::s3();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    let tokens = std::env::var("PERFGATE_TEST_S3_TOKENS").unwrap();
    let of = |token: &str| {
        let mut environment = server.anonymous();
        environment.extend([
            ("AWS_ENDPOINT_URL_STS", std::env::var("PERFGATE_TEST_S3_TLS").unwrap()),
            ("SSL_CERT_FILE", std::env::var("PERFGATE_TEST_S3_CERT").unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/perf-runs".to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{tokens}/{token}")),
        ]);
        environment
    };
    perfgate(&sandbox, &of("good"), &["record", "--store", &url]).exits(0).prints("recorded 5");
    sandbox.five_benchmarks(9);
    perfgate(&sandbox, &of("good"), &["compare", "--store", &url]).exits(0).prints("PASS");
    sandbox.five_benchmarks(2);
    for (token, words) in [
        ("forged", "signature is invalid"),
        ("expired", "expired"),
        ("of-another-repository", "trust policy"),
        ("for-another-service", "audience"),
        ("none", "token file"),
    ] {
        let answer = perfgate(&sandbox, &of(token), &["record", "--store", &url]);
        answer.exits(2).reports("the job's identity got no credentials").reports(words);
        answer.reports("AWS_WEB_IDENTITY_TOKEN_FILE").reports("trust policy of AWS_ROLE_ARN");
    }
    let role = with(&of("good"), &[("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/another")]);
    perfgate(&sandbox, &role, &["record", "--store", &url]).exits(2).reports("the job's identity got no credentials");
    // An unreachable endpoint.
    let away = with(&of("good"), &[("AWS_ENDPOINT_URL_STS", &wire::unreachable().replace("http:", "https:"))]);
    perfgate(&sandbox, &away, &["record", "--store", &url]).exits(2).reports("no connection");
    let plain = with(&of("good"), &[("AWS_ENDPOINT_URL_STS", &server.endpoint)]);
    perfgate(&sandbox, &plain, &["record", "--store", &url]).exits(2).reports("AWS_ENDPOINT_URL_STS must begin");
    // The role can only record, and only in its bucket.
    results_on_branch(&sandbox, 2);
    perfgate(&sandbox, &of("good"), &["record", "--store", &url]).exits(0);
    results_on_branch(&sandbox, 3);
    perfgate(&sandbox, &of("good"), &["record", "--store", &url]).exits(0);
    let prune = ["runs", "prune", "--store", &url, "--keep", "1", "--thin", "0"];
    perfgate(&sandbox, &of("good"), &prune).exits(2).reports("access denied").reports("s3:DeleteObject");
    perfgate(&sandbox, &of("good"), &["record", "--store", "s3://other-runs/x"]).exits(2).reports("other-runs");
}

/// A stand-in for Microsoft's token endpoint, with an answer from its documentation.
fn authority(status: u16, answer: serde_json::Value) -> (tokio::runtime::Runtime, wiremock::MockServer) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(wiremock::MockServer::start());
    let asked = wiremock::Mock::given(wiremock::matchers::method("POST"))
        .and(wiremock::matchers::path("/tenant-1/oauth2/v2.0/token"))
        .and(wiremock::matchers::body_string_contains("client_id=client-1"))
        .and(wiremock::matchers::body_string_contains("client_assertion=token-of-the-job"))
        .and(wiremock::matchers::body_string_contains("scope=https%3A%2F%2Fstorage.azure.com%2F.default"));
    let answer = wiremock::ResponseTemplate::new(status).set_body_json(answer);
    runtime.block_on(asked.respond_with(answer).mount(&server));
    (runtime, server)
}

/// The environment for the Azure server with TLS, without credentials.
fn by_tls(server: &Server) -> Environment {
    let mut environment = server.through(&std::env::var("PERFGATE_TEST_AZURE_TLS").unwrap());
    environment.retain(|(name, _)| *name != "AZURE_STORAGE_ACCOUNT_KEY");
    environment.push(("SSL_CERT_FILE", std::env::var("PERFGATE_TEST_AZURE_CERT").unwrap()));
    environment
}

#[cfg(unix)]
#[test]
#[ignore = "needs an Azure server: tests/servers/with-azure"]
fn a_login_of_the_azure_cli_records_and_compares() {
    use std::os::unix::fs::PermissionsExt;
    let server = cloud::azure();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    let az = |script: &str| {
        // A stand-in for the Azure CLI.
        sandbox.write("bin/az", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(sandbox.path("bin/az"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap());
        let environment = with(&by_tls(&server), &[("AZURE_USE_AZURE_CLI", "true"), ("PATH", &path)]);
        perfgate(&sandbox, &environment, &["record", "--store", &url])
    };
    let token = std::env::var("PERFGATE_TEST_AZURE_TOKEN").unwrap();
    let answer = serde_json::json!(
        {"accessToken": token, "expiresOn": "2099-01-01 00:00:00.000000", "tokenType": "Bearer"}
    );
    let asked = "account get-access-token --output json --scope https://storage.azure.com/.default";
    az(&format!("[ \"$*\" = '{asked}' ] && echo '{answer}'")).exits(0).prints("recorded 5");
    az("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
        .exits(2)
        .reports("there are no credentials")
        .reports("Please run 'az login'");
}

#[test]
#[ignore = "needs an Azure server: tests/servers/with-azure"]
fn a_job_records_and_compares_on_azure_with_its_token() {
    let server = cloud::azure();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    sandbox.write("token", "token-of-the-job");
    let by = |authority: &wiremock::MockServer| {
        let token = sandbox.path("token").display().to_string();
        let identity = [
            ("AZURE_CLIENT_ID", "client-1"),
            ("AZURE_TENANT_ID", "tenant-1"),
            ("AZURE_FEDERATED_TOKEN_FILE", &token),
            ("AZURE_AUTHORITY_HOST", &authority.uri()),
        ];
        with(&by_tls(&server), &identity)
    };
    let token = std::env::var("PERFGATE_TEST_AZURE_TOKEN").unwrap();
    let (_given, good) = authority(200, serde_json::json!({"access_token": token, "expires_in": 3599}));
    perfgate(&sandbox, &by(&good), &["record", "--store", &url]).exits(0).prints("recorded 5");
    sandbox.five_benchmarks(9);
    perfgate(&sandbox, &by(&good), &["compare", "--store", &url]).exits(0).prints("PASS");
    sandbox.five_benchmarks(2);
    let (_lost, bad) = authority(200, serde_json::json!({"access_token": "nonsense", "expires_in": 3599}));
    perfgate(&sandbox, &by(&bad), &["record", "--store", &url]).exits(2).reports("the credentials were rejected");
    let refused = serde_json::json!({
        "error": "invalid_request",
        "error_description": "AADSTS700213: No matching federated identity record found for presented assertion subject \
                              'repo:acme/parser:ref:refs/heads/main'.",
    });
    let (_denied, stranger) = authority(401, refused);
    perfgate(&sandbox, &by(&stranger), &["record", "--store", &url])
        .exits(2)
        .reports("the job's identity got no credentials")
        .reports("AADSTS700213: No matching federated identity record")
        .reports("AZURE_CLIENT_ID");
    let missing = with(&by(&good), &[("AZURE_FEDERATED_TOKEN_FILE", "none")]);
    perfgate(&sandbox, &missing, &["record", "--store", &url]).exits(2).reports("AZURE_FEDERATED_TOKEN_FILE");
}

#[test]
#[ignore = "needs an S3 server: tests/servers/with-s3"]
fn faults_of_s3_are_reported_with_their_fix() {
    let server = cloud::s3();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    let record = |more: &[(&'static str, &str)], url: &str| {
        let answer = perfgate(&sandbox, &with(&server.writer(), more), &["record", "--store", url]);
        answer.exits(2);
        answer
    };
    record(&[("AWS_ACCESS_KEY_ID", "NOBODY")], &url)
        .reports("the credentials were rejected")
        .reports("AWS_ACCESS_KEY_ID");
    record(&[("AWS_SECRET_ACCESS_KEY", "wrong-secret")], &url).reports("the credentials were rejected");
    record(&[], "s3://no-such-bucket/x").reports("`no-such-bucket`");
    record(&[("AWS_ALLOW_HTTP", "false")], &url).reports("AWS_ALLOW_HTTP=true");
    record(&[], "s3://user:secret@bucket/x").reports("is not a store");
}

#[test]
#[ignore = "needs an Azure server: tests/servers/with-azure"]
fn faults_of_azure_are_reported_with_their_fix() {
    let server = cloud::azure();
    let (sandbox, url) = (Sandbox::with_unrecorded_results(), server.address());
    let record = |environment: &Environment, more: &[(&'static str, &str)], url: &str| {
        let answer = perfgate(&sandbox, &with(environment, more), &["record", "--store", url]);
        answer.exits(2);
        answer
    };
    let (writer, reader) = (server.writer(), server.reader());
    // `wrong-secret`
    record(&writer, &[("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmctc2VjcmV0")], &url)
        .reports("the credentials were rejected")
        .reports("AZURE_STORAGE_ACCOUNT_KEY");
    record(&writer, &[("AZURE_STORAGE_ACCOUNT_KEY", "not base64!")], &url).reports("AZURE_STORAGE_ACCOUNT_KEY");
    record(&writer, &[], "az://no-such-container/x").reports("there is no container `no-such-container`");
    record(&writer, &[], "az://no_such.container/x").reports("there is no container `no_such.container`");
    record(&writer, &[("AZURE_ALLOW_HTTP", "false")], &url).reports("AZURE_ALLOW_HTTP=true");
    record(&writer, &[("AZURE_STORAGE_ACCOUNT_NAME", "somebody")], &url).reports("the credentials were rejected");
    let signature = &reader.iter().find(|(name, _)| *name == "AZURE_STORAGE_SAS_KEY").unwrap().1;
    for (wrong, words) in [
        (signature.replace("sig=", "sig=AAAA"), "the credentials were rejected"),
        // Permissions other than the signed ones.
        (signature.replace("sp=rl", "sp=rwl"), "the credentials were rejected"),
        ("nonsense".to_owned(), "AZURE_STORAGE_SAS_KEY"),
    ] {
        record(&reader, &[("AZURE_STORAGE_SAS_KEY", &wrong)], &url).reports(words);
    }
}

/// Records to a server that always gives the same answer.
fn answered(endpoint: &str) -> Answer {
    let server = Server { cloud: Cloud::S3, endpoint: endpoint.to_owned() };
    perfgate(&Sandbox::with_unrecorded_results(), &server.writer(), &["record", "--store", "s3://perf-runs/x"])
}

#[test]
fn the_region_of_the_bucket_is_reported() {
    let body = "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is \
                wrong; expecting 'eu-north-1'</Message><Region>eu-north-1</Region></Error>";
    let server = wire::answering("400 Bad Request", body);
    answered(&server).exits(2).reports("the bucket is in region eu-north-1").reports("AWS_REGION=eu-north-1");
    let server = wire::answering("301 Moved Permanently", "");
    answered(&server).exits(2).reports("not in region").reports("set AWS_REGION");
    let server = wire::answering("301 Moved Permanently\r\nx-amz-bucket-region: eu-north-1", "");
    answered(&server).exits(2).reports("the bucket is in region eu-north-1").reports("AWS_REGION=eu-north-1");
}

#[test]
fn an_unreachable_server_is_reported() {
    let unreachable = wire::unreachable();
    answered(&unreachable).exits(2).reports("no connection").reports("AWS_ENDPOINT_URL");
    let server = Server { cloud: Cloud::Azure, endpoint: unreachable };
    perfgate(&Sandbox::with_unrecorded_results(), &server.writer(), &["record", "--store", "az://perf-runs/x"])
        .exits(2)
        .reports("no connection")
        .reports("AZURE_STORAGE_ACCOUNT_NAME");
}

#[test]
fn missing_credentials_are_reported_with_how_to_set_them() {
    let (sandbox, unreachable) = (Sandbox::with_unrecorded_results(), wire::unreachable());
    let without = |cloud, url: &str, metadata: &'static str| {
        let mut environment = Server { cloud, endpoint: unreachable.clone() }.anonymous();
        environment.push((metadata, unreachable.clone()));
        let answer = perfgate(&sandbox, &environment, &["record", "--store", url]);
        answer.exits(2).reports("there are no credentials");
        answer
    };
    without(Cloud::S3, "s3://perf-runs/x", "AWS_METADATA_ENDPOINT").reports("AWS_WEB_IDENTITY_TOKEN_FILE");
    without(Cloud::Azure, "az://perf-runs/x", "AZURE_MSI_ENDPOINT").reports("AZURE_FEDERATED_TOKEN_FILE");
    let answer = perfgate(&sandbox, &Vec::new(), &["record", "--store", "az://perf-runs/x"]);
    answer.exits(2).reports("AZURE_STORAGE_ACCOUNT_NAME");
}
