//! A repository with stored runs and its remote, and `perfgate ci` run for an event in it.

use super::{Answer, Sandbox};
use serde_json::{Value, json};

/// A clone with four stored commits on main, and its remote.
pub fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.git("", &["init", "-q", "--bare", "remote.git"]);
    sandbox.git("r", &["remote", "add", "origin", "../remote.git"]);
    for number in 1..=4 {
        sandbox.commit("r", &format!("main {number}"));
        benches(&sandbox, number, 1000.0);
        sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    }
    sandbox.git("r", &["push", "-q", "origin", "main"]);
    sandbox
}

/// Results of eight benchmarks; `parse` is the time of one of them.
pub fn benches(sandbox: &Sandbox, run: u32, parse: f64) {
    for (name, ns) in [("a", 500.0), ("b", 900.0), ("c", 700.0), ("d", 800.0), ("e", 650.0), ("f", 550.0), ("g", 950.0)]
    {
        sandbox.bench("r/target/criterion", name, ns, run);
    }
    sandbox.bench("r/target/criterion", "parse", parse, run);
}

/// A branch with one commit; GitHub's test merge of it into main is checked out.
pub fn check_out_test_merge(sandbox: &Sandbox) -> String {
    sandbox.git("r", &["checkout", "-q", "-b", "work", "main"]);
    sandbox.write("r/work", "work");
    sandbox.git("r", &["add", "."]);
    sandbox.git("r", &["commit", "-q", "-m", "work"]);
    merged(sandbox)
}

pub fn merged(sandbox: &Sandbox) -> String {
    sandbox.git("r", &["checkout", "-q", "--detach", "main"]);
    sandbox.git("r", &["merge", "-q", "--no-ff", "-m", "trial", "work"]);
    sandbox.git("r", &["rev-parse", "main"])
}

/// A pull request that makes the benchmark `slow` of the synthetic tool slower.
#[cfg(unix)]
pub fn slower_tool(sandbox: &Sandbox) -> String {
    let speeds = |slow: u32| format!("slow {slow}\na 1000\nb 2000\nc 3000\nd 4000\ne 5000\nf 6000\ng 7000\n");
    sandbox.write("r/bench.sh", std::fs::read(super::data("measure/bench.sh")).unwrap());
    sandbox.write("r/speeds", speeds(5000)).commit("r", "a tool");
    check_out_test_merge(sandbox);
    sandbox.git("r", &["checkout", "-q", "work"]);
    sandbox.write("r/speeds", speeds(9000)).commit("r", "slower");
    merged(sandbox)
}

/// The newest commit of the branch `work`.
pub fn head(sandbox: &Sandbox) -> String {
    sandbox.git("r", &["rev-parse", "work"])
}

/// The event of pull request 7, from `work` into main.
pub fn pull(sandbox: &Sandbox, base: &str, head_repository: &str) -> Value {
    json!({
        "repository": {"full_name": "octo/r", "default_branch": "main"},
        "pull_request": {
            "number": 7,
            "head": {"sha": head(sandbox), "ref": "$(id)`;", "repo": {"full_name": head_repository}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "octo/r"}},
        },
    })
}

/// Runs the event without comment and check run, so that no request is sent.
pub fn ci(sandbox: &Sandbox, event: &str, payload: &Value, more: &[(&str, &str)], flags: &[&str]) -> Answer {
    sandbox.write("event.json", payload.to_string());
    let [temporary, summary, output] = ["", "summary", "output"].map(|name| sandbox.path(name).display().to_string());
    let mut variables = vec![
        ("PERFGATE_WORKING_DIRECTORY", "r"),
        ("PERFGATE_COMMENT", "never"),
        ("PERFGATE_CHECK", "false"),
        ("RUNNER_TEMP", &temporary),
        ("GITHUB_STEP_SUMMARY", &summary),
        ("GITHUB_OUTPUT", &output),
    ];
    variables.extend(more);
    let words = [&["ci", "--event", event, "--event-path", "event.json"], flags].concat();
    sandbox.perfgate_with("", &variables, &words)
}

/// Runs an event of the repository `o/r` that the stand-in for GitHub at this address has, and publishes.
pub fn ci_at(
    sandbox: &Sandbox,
    url: &str,
    token: &str,
    event: &str,
    mut payload: Value,
    more: &[(&str, &str)],
) -> Answer {
    payload["repository"]["full_name"] = "o/r".into();
    if payload["pull_request"].is_object() {
        payload["pull_request"]["head"]["repo"]["full_name"] = "o/r".into();
        payload["pull_request"]["base"]["repo"]["full_name"] = "o/r".into();
    }
    let mut variables = vec![
        ("GITHUB_API_URL", url),
        ("GITHUB_TOKEN", token),
        ("PERFGATE_COMMENT", "auto"),
        ("PERFGATE_CHECK", "true"),
    ];
    variables.extend(more);
    let _ = std::fs::remove_file(sandbox.path("summary"));
    let _ = std::fs::remove_file(sandbox.path("output"));
    ci(sandbox, event, &payload, &variables, &[])
}

/// The event of a push.
pub fn push(reference: &str, after: &str) -> Value {
    json!({"ref": reference, "after": after, "repository": {"full_name": "octo/r", "default_branch": "main"}})
}
