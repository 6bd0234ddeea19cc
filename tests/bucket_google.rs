//! Tests of buckets of Google Cloud Storage: the requests, and how the answers are handled. No real server was available;
//! the answers are synthetic (see `google/mod.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

#[path = "common/cloud.rs"]
mod cloud;
mod common;
mod google;

use common::{Answer, Sandbox};
use google::{Google, READER, TOKEN};
use std::process::Command;

const URL: &str = "gs://perf-runs/parser";

fn command(sandbox: &Sandbox, environment: &[(&'static str, String)], args: &[&str]) -> Command {
    let mut command = sandbox.command::<&str>("r", &[], args);
    // Without the credentials of the user who runs the test.
    cloud::stripped(&mut command).env("HOME", sandbox.path("")).envs(environment.iter().cloned());
    command
}

fn perfgate(sandbox: &Sandbox, environment: &[(&'static str, String)], args: &[&str]) -> Answer {
    let answer = common::answer(command(sandbox, environment, args).output().unwrap());
    assert!(!format!("{}{}", answer.stdout, answer.stderr).contains("s3cr3t"), "{}", answer.stderr);
    answer
}

#[test]
fn a_branch_is_compared_with_runs_in_a_google_bucket() {
    let (google, sandbox) = (Google::new(), Sandbox::new());
    sandbox.repository("r");
    let environment = google.environment(TOKEN);
    let run = |args: &[&str]| perfgate(&sandbox, &environment, args);
    for number in 1..=3 {
        sandbox.commit("r", &format!("change {number}"));
        sandbox.five_benchmarks(number);
        run(&["record", "--store", URL]).exits(0).prints("recorded 5");
    }
    run(&["record", "--store", URL]).exits(0).prints("already recorded");
    assert_eq!(google.names().len(), 3);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", "work"]);
    sandbox.five_benchmarks(9);
    run(&["compare", "--store", URL]).exits(0).prints("PASS").prints("3 runs");
    sandbox.bench("r/target/criterion", "c", 6000.0, 9);
    run(&["compare", "--store", URL]).exits(1).prints("✗ regressed  c");
    run(&["history", "--store", URL, "--format", "csv"]).exits(0).prints("e");
    run(&["runs", "list", "--store", URL]).exits(0);
    // Export, import and prune.
    run(&["runs", "export", "--store", URL, "dir:../copy"]).exits(0).prints("exported 3 of 3").prints("3 verified");
    run(&["runs", "import", "--store", "gs://perf-runs/copy", "dir:../copy"]).exits(0).prints("imported 3 of 3");
    for number in 4..=5 {
        sandbox.commit("r", &format!("change {number}"));
        sandbox.five_benchmarks(number);
        run(&["record", "--store", URL]).exits(0);
    }
    run(&["runs", "prune", "--store", URL, "--keep", "1", "--thin", "0"]).exits(0).prints("     1 removed");
    assert_eq!(google.names().iter().filter(|name| name.starts_with("parser/")).count(), 4);
}

#[test]
fn writes_are_conditional_and_listings_start_at_the_first_needed_name() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    let environment = google.environment(TOKEN);
    perfgate(&sandbox, &environment, &["record", "--store", URL]).exits(0);
    sandbox.five_benchmarks(2);
    let before = google.requests().len();
    perfgate(&sandbox, &environment, &["compare", "--store", URL]).exits(0);
    let requests = google.requests();
    let (recorded, compared) = requests.split_at(before);
    let header = |request: &wiremock::Request, name: &str| {
        request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    for request in &requests {
        assert_eq!(header(request, "authorization"), Some(format!("Bearer {TOKEN}")));
    }
    let written: Vec<_> = recorded.iter().filter(|request| request.method.as_str() == "PUT").collect();
    assert_eq!(written.len(), 1);
    assert_eq!(header(written[0], "x-goog-if-generation-match").as_deref(), Some("0"));
    // A listing of the base's month from the time of its first commit on, and the run.
    assert_eq!(compared.len(), 2);
    let asked: Vec<(String, String)> = compared[0].url.query_pairs().into_owned().collect();
    let of = |name: &str| asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap();
    let name = google.names().remove(0);
    let (month, rest) = name.rsplit_once('/').unwrap();
    assert_eq!(of("prefix"), format!("{month}/"));
    assert_eq!(of("start-after"), format!("{month}/{}", rest.split_once('-').unwrap().0));
}

#[test]
fn eight_concurrent_writers_of_one_run_write_it_once() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    let environment = google.environment(TOKEN);
    let recorders: Vec<_> = (0..8)
        .map(|_| {
            let mut command = command(&sandbox, &environment, &["record", "--store", URL]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let answers = recorders.into_iter().map(|recorder| common::answer(recorder.wait_with_output().unwrap()));
    let new = answers.filter(|answer| !answer.exits(0).stdout.contains("already recorded")).count();
    assert_eq!((new, google.names().len()), (1, 1));
}

#[test]
fn faults_of_google_are_reported_with_their_fix() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    let record = |token: &str, url: &str| {
        let answer = perfgate(&sandbox, &google.environment(token), &["record", "--store", url]);
        answer.exits(2);
        answer
    };
    record("ya29.s3cr3t-expired", URL).reports("the credentials were rejected").reports("GOOGLE_OAUTH_ACCESS_TOKEN");
    record(READER, URL)
        .reports("access denied")
        .reports("reader@acme.iam.gserviceaccount.com does not have storage.objects.create access")
        .reports("Storage Object Creator");
    record(TOKEN, "gs://no-such-bucket/x").reports("there is no bucket `no-such-bucket`");
    let mut plain = google.environment(TOKEN);
    plain.retain(|(name, _)| *name != "GOOGLE_ALLOW_HTTP");
    perfgate(&sandbox, &plain, &["record", "--store", URL]).exits(2).reports("GOOGLE_ALLOW_HTTP=true");
}

#[test]
fn a_public_bucket_needs_no_credentials_to_compare() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    let mut anybody = google.environment(TOKEN);
    perfgate(&sandbox, &anybody, &["record", "--store", URL]).exits(0);
    sandbox.five_benchmarks(2);
    anybody.retain(|(name, _)| *name != "GOOGLE_OAUTH_ACCESS_TOKEN");
    anybody.push(("GOOGLE_SKIP_SIGNATURE", "true".to_owned()));
    perfgate(&sandbox, &anybody, &["compare", "--store", URL]).exits(0).prints("PASS");
}

#[test]
#[ignore = "needs the openssl command"]
fn a_service_account_records_and_compares() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    let made = Command::new("openssl").args(["genrsa", "2048"]).output().unwrap();
    let account = serde_json::json!({
        "type": "service_account",
        "private_key_id": "one",
        "private_key": String::from_utf8(made.stdout).unwrap(),
        "client_email": "perf-runs@acme.iam.gserviceaccount.com",
        "client_id": "1",
    });
    sandbox.write("account.json", account.to_string());
    let mut environment = google.environment("");
    environment.push(("GOOGLE_APPLICATION_CREDENTIALS", sandbox.path("account.json").display().to_string()));
    perfgate(&sandbox, &environment, &["record", "--store", URL]).exits(0).prints("recorded 5");
    sandbox.five_benchmarks(2);
    perfgate(&sandbox, &environment, &["compare", "--store", URL]).exits(0).prints("PASS");
}

#[test]
fn workload_identity_federation_needs_a_token() {
    let (google, sandbox) = (Google::new(), Sandbox::with_unrecorded_results());
    // As google-github-actions/auth writes it.
    sandbox.write(
        "gha-creds.json",
        r#"{"universe_domain":"googleapis.com","type":"external_account",
            "audience":"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/github",
            "subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token",
            "credential_source":{"url":"https://localhost/x","headers":{"Authorization":"Bearer s3cr3t"},
            "format":{"type":"json","subject_token_field_name":"value"}}}"#,
    );
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", sandbox.path("gha-creds.json").display().to_string());
    let mut environment = google.environment(TOKEN);
    environment.push(file);
    perfgate(&sandbox, &environment, &["record", "--store", URL]).exits(0).prints("recorded 5");
    environment.retain(|(name, _)| *name != "GOOGLE_OAUTH_ACCESS_TOKEN");
    perfgate(&sandbox, &environment, &["record", "--store", URL])
        .exits(2)
        .reports("workload identity federation")
        .reports("GOOGLE_OAUTH_ACCESS_TOKEN")
        .reports("token_format: access_token");
    environment.push(("GOOGLE_OAUTH_ACCESS_TOKEN", String::new()));
    perfgate(&sandbox, &environment, &["record", "--store", URL]).exits(2).reports("workload identity federation");
    environment.retain(|(name, _)| !name.contains("CREDENTIALS") && !name.contains("TOKEN"));
    // Another secret in place of a key must not be printed.
    let mut mistaken = environment.clone();
    mistaken.push(("GOOGLE_SERVICE_ACCOUNT_KEY", "\"s3cr3t\"".to_owned()));
    perfgate(&sandbox, &mistaken, &["record", "--store", URL]).exits(2).reports("wrong settings in the environment");
    environment.push(("GOOGLE_APPLICATION_CREDENTIALS", sandbox.path("none.json").display().to_string()));
    perfgate(&sandbox, &environment, &["record", "--store", URL])
        .exits(2)
        .reports("none.json")
        .reports("GOOGLE_APPLICATION_CREDENTIALS");
}
