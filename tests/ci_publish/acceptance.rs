//! Regressions that a person accepts in the pull request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn someone_with_write_access_accepts_the_regressions_of_this_head() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    let head = head(&sandbox);
    let comment_by = |author: &str, words: &str| hub.state().add(author, &words.replace("HEAD", &head));
    for number in 0..130 {
        comment_by("stranger", &format!("comment {number}"));
    }
    again(1);
    let command = format!("/perfgate accept all {head}");
    assert!(report(&hub).contains(&format!("```text\n{command}\n```")), "{}", report(&hub));
    assert!(report(&hub).contains("or by a comment on the pull request"), "{}", report(&hub));
    comment_by("stranger", "/perfgate accept all HEAD");
    comment_by("maintainer", "I would write\n> /perfgate accept all HEAD");
    comment_by("maintainer", "The docs say:\n```\n/perfgate accept all HEAD\n```");
    // A bot's comment may repeat text of anyone.
    hub.state().writers.push("helpful[bot]".to_owned());
    comment_by("helpful[bot]", "/perfgate accept all HEAD");
    comment_by("maintainer", "/perfgate accept another HEAD");
    // Our own comment shows the command; its author may have write access.
    hub.state().writers.push(ME.to_owned());
    again(1);
    assert!(!report(&hub).contains("The request by octo"), "{}", report(&hub));
    let answer =
        "The request by maintainer names \"another\", which is not a regressed benchmark, so it accepts nothing.";
    assert!(report(&hub).contains(answer), "{}", report(&hub));
    assert!(sandbox.read("summary").contains(&format!("```text\n{command}\n```")), "{}", sandbox.read("summary"));
    comment_by("maintainer", "/perfgate accept parse because of the <b>bounds</b>");
    // A second commit that begins alike is easily made.
    comment_by("maintainer", &format!("/perfgate accept parse {}", &head[..12]));
    again(1);
    let answer = format!(
        "The request by maintainer does not contain the full commit id, so it has no effect. Write: `{command}`"
    );
    assert!(report(&hub).contains(&answer), "{}", report(&hub));
    comment_by("maintainer", "Fine.\r\n/perfgate accept parse HEAD it checks @bounds now");
    assert!(again(0).contains("1 accepted"));
    let line = format!("maintainer accepted 1 regression of parse for {}: it checks", &head[..10]);
    let body = report(&hub);
    assert!(body.contains(&line) && !body.contains("@bounds") && !body.contains("does not contain the full"), "{body}");
    assert!(!body.contains(&command), "there is nothing left to accept: {body}");
    let state = hub.state();
    let check = state.checks.last().unwrap();
    assert_eq!(check["conclusion"], "success");
    assert!(check["output"]["summary"].as_str().unwrap().contains(&line));
}

#[test]
fn an_accepted_head_does_not_accept_an_earlier_one_that_is_pushed_again() {
    let (sandbox, hub, event) = slow_pull();
    let slow = head(&sandbox);
    run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(1);
    // A harmless commit is pushed and accepted, and then the first one is pushed again.
    let other = "a".repeat(40);
    hub.state().push(&other, false);
    hub.state().add("maintainer", &format!("/perfgate accept all {other} harmless"));
    hub.state().label("perfgate: accepted", "maintainer");
    hub.state().push(&slow, true);
    run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(1);
    assert!(report(&hub).contains("set the label"), "{}", report(&hub));
    hub.state().unlabel();
    run(&sandbox, &hub, "pull_request", event.clone(), &[("PERFGATE_CHECK", "false")]).exits(1);
    let answer = format!("is for {other}, so it does not accept this commit. Write: `/perfgate accept all {slow}`");
    assert!(report(&hub).contains(&answer), "{}", report(&hub));
    hub.state().add("maintainer", &format!("/perfgate accept all {slow}"));
    run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_CHECK", "false")]).exits(0);
}

#[test]
fn a_label_accepts_the_head_whose_report_it_follows() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32, more: &[(&str, &str)]| {
        run(&sandbox, &hub, "pull_request", event.clone(), more).exits(code).stdout.clone()
    };
    let label = "perfgate: accepted";
    let slow = head(&sandbox);
    hub.state().label(label, "maintainer");
    again(1, &[]); // before the first report
    again(1, &[]); // there is a report now, but the label is older
    assert!(report(&hub).contains("before there was a report on this commit"), "{}", report(&hub));
    hub.state().unlabel();
    again(1, &[]); // it was set once, and removed
    hub.state().label(label, "stranger");
    again(1, &[]); // by someone without write access
    hub.state().unlabel();
    hub.state().label(label, "maintainer");
    again(1, &[("PERFGATE_ACCEPT_LABEL", "slow is fine")]);
    again(1, &[("PERFGATE_CHECK", "false")]);
    assert!(again(0, &[]).contains("1 accepted"));
    assert!(report(&hub).contains("maintainer accepted 1 regression for"), "{}", report(&hub));

    // The next push needs it again, and so does this commit when it is pushed again later.
    hub.state().push(&"b".repeat(40), false);
    again(1, &[]); // a job of a commit that is no longer the newest
    hub.state().push(&slow, true);
    again(1, &[]);
    // The report of the last run is the 101st check run of this commit and later.
    let old = hub.state().checks[0].clone();
    let mut many = vec![old; 120];
    many.append(&mut hub.state().checks);
    hub.state().checks = many;
    for number in 0..110 {
        hub.state().timeline.push(json!({"event": "mentioned", "created_at": "2026-01-01T00:00:01Z", "id": number}));
    }
    hub.state().unlabel();
    hub.state().label(label, "maintainer");
    assert!(again(0, &[]).contains("1 accepted"));
}

#[test]
fn a_name_with_any_characters_is_accepted_as_the_report_shows_it() {
    let (sandbox, hub) = (project(), Hub::new());
    let names = ["two words", "with `ticks` and \"quotes\"", "two  spaces\u{200b}"];
    let measure = |number: u32, ns: f64| {
        benches(&sandbox, number, 1000.0);
        for name in names {
            sandbox.bench("r/target/criterion", name, ns, number);
        }
    };
    for number in 5..8 {
        sandbox.commit("r", &format!("main {number}"));
        measure(number, 1000.0);
        sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    }
    let base = check_out_test_merge(&sandbox);
    measure(9, 1600.0);
    let (event, head) = (pull(&sandbox, &base, "o/r"), head(&sandbox));
    hub.state().writers = vec!["maintainer".to_owned()];
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    assert!(again(1).contains("3 regressed"));
    for (left, command) in [
        (2, format!("/perfgate accept two words {head}")),
        (1, format!("/perfgate accept {} {head} the reason", names[1])),
        (0, format!("/perfgate accept `two spaces\\u{{200b}}` {head}")),
    ] {
        hub.state().add("maintainer", &command);
        let said = again(i32::from(left > 0));
        assert!(said.contains(&format!("{} accepted", 3 - left)), "{command}: {said}");
    }
}

#[test]
fn a_label_from_before_another_base_branch_does_not_count() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    let label = || hub.state().label("perfgate: accepted", "maintainer");
    again(1);
    label();
    assert!(again(0).contains("1 accepted"));
    hub.state().retarget();
    again(1);
    assert!(report(&hub).contains("report on this commit against this base"), "{}", report(&hub));
    hub.state().unlabel();
    label();
    again(0);
}

#[test]
fn check_runs_of_other_jobs_and_commits_are_no_report_on_this_head() {
    let (sandbox, hub, event) = slow_pull();
    for (name, commit) in [("perfgate", "c".repeat(40)), ("another", head(&sandbox))] {
        let mut state = hub.state();
        state.checks.push(json!({"name": name, "head_sha": commit, "started_at": "2026-01-01T00:00:00Z"}));
    }
    hub.state().label("perfgate: accepted", "maintainer");
    run(&sandbox, &hub, "pull_request", event, &[]).exits(1);
}

#[test]
fn a_pull_request_from_a_fork_is_accepted_by_comment_and_not_in_its_own_config() {
    let (sandbox, hub, mut event) = slow_pull();
    event["pull_request"]["head"]["repo"]["full_name"] = "fork/r".into();
    event["repository"]["full_name"] = "o/r".into();
    let url = hub.url();
    let variables = [("GITHUB_API_URL", url.as_str()), ("GITHUB_TOKEN", TOKEN), ("PERFGATE_CHECK", "true")];
    ci(&sandbox, "pull_request", &event, &variables, &[]).exits(1).reports("comes from a fork");
    assert!(!sandbox.read("summary").contains("perfgate.toml (`[[accept]]`)"), "{}", sandbox.read("summary"));
    let head = head(&sandbox);
    let artifact = output(&sandbox, "artifact");
    let completed = completed(&sandbox, "fork/r", "work");
    let publish = || {
        run(&sandbox, &hub, "workflow_run", completed.clone(), &[("PERFGATE_ARTIFACT", artifact.as_str())])
            .exits(0)
            .stdout
            .clone()
    };
    assert!(publish().contains("FAIL: 1 regressed"));
    let body = report(&hub);
    let command = format!("/perfgate accept all {head}");
    assert!(body.contains(&command) && !body.contains("[[accept]]"), "{body}");
    assert!(body.contains("ask someone with write access to accept it"), "{body}");
    sandbox.write("r/perfgate.toml", "[[budget]]\nmatch = \"parse\"\nmetric = \"time\"\ntarget = \"<1ns\"\n");
    publish();
    assert!(
        report(&hub).contains(
            "or change the limit in perfgate.toml of the base branch; accepting regressions does not change budgets."
        ),
        "{}",
        report(&hub)
    );
    std::fs::remove_file(sandbox.path("r/perfgate.toml")).unwrap();
    hub.state().add("maintainer", &command);
    assert!(publish().contains("1 accepted"));
    hub.state().comments.retain(|comment| comment.author == ME);
    assert!(publish().contains("FAIL: 1 regressed"));
    hub.state().label("perfgate: accepted", "maintainer");
    assert!(publish().contains("1 accepted"));
}

#[test]
fn a_pull_request_that_changes_the_rules_says_so_first() {
    let sandbox = project();
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n");
    sandbox.commit("r", "main 5");
    benches(&sandbox, 5, 1000.0);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 2200.0);
    for (config, notice) in [
        ("[gate]\nthreshold = \"150%\"\n", "threshold 20% → 150%"),
        ("[gate]\nfail-on = []\n", "fail-on regressed, budget, failed → nothing"),
        ("[store]\nurl = \"dir:own\"\n", "→ dir:own"),
    ] {
        let hub = Hub::new();
        sandbox.write("r/perfgate.toml", config);
        run(&sandbox, &hub, "pull_request", pull(&sandbox, &base, "o/r"), &[]).exits(0);
        let state = hub.state();
        let body = &state.comments[0].body;
        let (before, _) = body.split_once("perfgate: ").unwrap();
        let (_, rest) = body.split_once("This pull request changes the gate's own rules: ").unwrap();
        assert!(rest.lines().next().unwrap().contains(notice), "{body}");
        assert!(!before.is_empty() && body.find("own rules").unwrap() < body.find("###").unwrap(), "{body}");
        assert!(sandbox.read("summary").contains("changes the gate's own rules"));
    }
    let hub = Hub::new();
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n# the same\n");
    run(&sandbox, &hub, "pull_request", pull(&sandbox, &base, "o/r"), &[]).exits(1);
    assert!(!hub.state().comments[0].body.contains("own rules"));
}
