//! `perfgate ci` with a stand-in for GitHub: issues about regressions that land on a baseline branch.

#![cfg(feature = "github")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod hub;

use common::workflow::{benches, ci, project, push};
use common::{Answer, Sandbox};
use hub::{Hub, Issue, ME, TOKEN, error};

/// A repository with four stored runs, and the stand-in. Each commit gets a number.
struct Branch {
    sandbox: Sandbox,
    hub: Hub,
    number: u32,
}

impl Branch {
    fn new() -> Branch {
        Branch { sandbox: project(), hub: Hub::new(), number: 4 }
    }

    /// Pushes a commit to main whose results have this time of `parse`.
    fn pushed(&mut self, parse: f64) -> Answer {
        self.pushed_with(parse, &[])
    }

    fn pushed_with(&mut self, parse: f64, more: &[(&str, &str)]) -> Answer {
        self.number += 1;
        self.sandbox.commit("r", &format!("main {}", self.number));
        self.measured(parse, more)
    }

    /// Results of the newest commit.
    fn measured(&mut self, parse: f64, more: &[(&str, &str)]) -> Answer {
        benches(&self.sandbox, self.number, parse);
        self.run(more)
    }

    fn run(&mut self, more: &[(&str, &str)]) -> Answer {
        let mut event = push("refs/heads/main", &self.sandbox.git("r", &["rev-parse", "HEAD"]));
        event["repository"]["full_name"] = "o/r".into();
        let url = self.hub.url();
        let mut variables =
            vec![("GITHUB_API_URL", url.as_str()), ("GITHUB_TOKEN", TOKEN), ("PERFGATE_ISSUE_ON_PUSH", "true")];
        variables.extend(more);
        let answer = ci(&self.sandbox, "push", &event, &variables, &[]);
        answer.exits(0);
        answer
    }

    fn issues(&self) -> Vec<Issue> {
        self.hub.state().issues.clone()
    }

    /// The states of all issues, oldest first.
    fn states(&self) -> Vec<String> {
        self.issues().into_iter().map(|issue| issue.state).collect()
    }

    fn head(&self) -> String {
        self.sandbox.git("r", &["rev-parse", "--short=10", "HEAD"])
    }
}

#[test]
fn the_second_run_in_a_row_opens_an_issue_and_a_recovered_one_closes_it() {
    let mut main = Branch::new();
    main.pushed(1000.0);
    main.pushed(3000.0).prints("FAIL: 1 regressed");
    let since = main.head();
    assert_eq!(main.states().len(), 0, "a single run opens nothing");
    main.pushed_with(3000.0, &[("PERFGATE_MENTION", "@o/perf")])
        .reports("opened an issue: https://github.example/o/r/issues/20");
    let opened = main.issues();
    assert_eq!(opened.len(), 1);
    let Issue { title, body, .. } = &opened[0];
    assert!(title.starts_with("parse: time +") && title.ends_with(&format!("on main since {since}")), "{title}");
    assert!(body.starts_with("<!-- perfgate:issue key=default shard=default branch=main machine="), "{body}");
    for text in ["\n@o/perf\n", "`parse` time: +", "branch `main`", "# Performance Optimization", &main.head()] {
        assert!(body.contains(text), "{text}: {body}");
    }
    assert!(!body.contains("`a`"), "only this benchmark: {body}");

    // The next runs update it: there is never a second one for the series.
    let edited =
        body.replace("### User Impact\n\n<!-- How this affects end users -->", "### User Impact\n\nPeople wait.");
    assert_ne!(*body, edited);
    main.hub.state().issues[0].body = edited;
    for _ in 0..3 {
        main.pushed(3000.0);
    }
    let updated = main.issues();
    assert_eq!((updated.len(), updated[0].state.as_str()), (1, "open"));
    assert!(updated[0].body.contains("People wait.") && updated[0].body.contains(&main.head()), "{}", updated[0].body);
    assert!(!updated[0].body.contains("Changed by hand"), "{}", updated[0].body);

    main.pushed(1005.0).reports("closed issue #20");
    let closed = main.issues();
    assert_eq!((closed[0].state.as_str(), closed[0].reason.as_deref()), ("closed", Some("completed")));
    assert!(
        closed[0].comments[0].contains("`parse` time is back to its level from before the regression: unchanged"),
        "{}",
        closed[0].comments[0]
    );
    main.pushed(1000.0);
    assert_eq!(main.issues()[0].comments.len(), 1, "closed once");

    // A new regression of the same series is a new issue.
    for _ in 0..4 {
        main.pushed(1000.0);
    }
    main.pushed(3000.0);
    assert_eq!(main.states(), ["closed"]);
    main.pushed(3000.0);
    assert_eq!(main.states(), ["closed", "open"]);
}

#[test]
fn a_single_odd_run_opens_nothing() {
    let mut main = Branch::new();
    for parse in [1000.0, 3000.0, 1000.0, 1002.0, 2500.0, 1000.0] {
        main.pushed(parse);
    }
    assert_eq!(main.states().len(), 0);
    // Without the input, nothing is read and nothing is opened.
    main.pushed(3000.0);
    let before = main.hub.requested().len();
    main.pushed_with(3000.0, &[("PERFGATE_ISSUE_ON_PUSH", "false")]);
    assert_eq!(main.hub.requested().len(), before);
}

#[test]
fn each_key_and_each_benchmark_has_its_own_issue() {
    let mut main = Branch::new();
    let keyed = |main: &mut Branch, simd: f64, scalar: f64| {
        main.pushed_with(simd, &[("PERFGATE_KEY", "simd")]);
        main.measured(scalar, &[("PERFGATE_KEY", "scalar")]);
    };
    for _ in 0..4 {
        keyed(&mut main, 1000.0, 2000.0);
    }
    for _ in 0..2 {
        keyed(&mut main, 3000.0, 6000.0);
    }
    let keys = |main: &Branch| -> Vec<(bool, String)> {
        main.issues()
            .iter()
            .map(|issue| {
                (issue.body.contains(" key=simd ") || issue.body.contains("issue key=simd "), issue.state.clone())
            })
            .collect()
    };
    assert_eq!(keys(&main), [(true, "open".to_owned()), (false, "open".to_owned())]);
    // One recovers; the other one's issue stays open.
    keyed(&mut main, 3000.0, 2000.0);
    assert_eq!(keys(&main), [(true, "open".to_owned()), (false, "closed".to_owned())]);
}

#[test]
fn an_accepted_regression_closes_its_issue_and_opens_none() {
    let mut main = Branch::new();
    for parse in [1000.0, 3000.0, 3000.0] {
        main.pushed(parse);
    }
    assert_eq!(main.states(), ["open"]);
    main.sandbox.write(
        "r/perfgate.toml",
        "[[accept]]\nbenchmark = \"parse\"\nup-to = \"900%\"\nreason = \"checks @bounds\"\nuntil = \"2999-01-01\"\n",
    );
    main.pushed(3000.0);
    let issue = &main.issues()[0];
    assert_eq!((issue.state.as_str(), issue.reason.as_deref()), ("closed", Some("not_planned")));
    let comment = &issue.comments[0];
    assert!(
        comment.starts_with("The regression is accepted.")
            && comment.contains("bounds")
            && !comment.contains("@bounds"),
        "{comment}"
    );
    main.pushed(3000.0);
    assert_eq!(main.states(), ["closed"]);
}

#[test]
fn an_issue_that_a_person_closed_is_not_opened_again() {
    let mut main = Branch::new();
    for parse in [1000.0, 3000.0, 3000.0] {
        main.pushed(parse);
    }
    main.hub.state().issues[0].state = "closed".to_owned();
    main.measured(3001.0, &[]);
    for _ in 0..3 {
        main.pushed(3000.0);
    }
    assert_eq!(main.states(), ["closed"]);
}

#[test]
fn hostile_names_are_escaped_in_issues_and_faults_do_not_change_the_verdict() {
    let mut main = Branch::new();
    let hostile = "x --> <img src=x> @octo closes GH-2 #3 `a` | ::error::b";
    let slow = |main: &mut Branch, ns: f64| {
        main.number += 1;
        main.sandbox.commit("r", &format!("main {}", main.number));
        benches(&main.sandbox, main.number, 1000.0);
        main.sandbox.bench("r/target/criterion", hostile, ns, main.number);
        main.run(&[])
    };
    for ns in [500.0, 500.0, 500.0, 500.0, 1500.0] {
        slow(&mut main, ns);
    }
    // Without the permission: a warning that names it, and the run counts.
    main.hub.fails("POST", "/issues", 1, error(403, "Resource not accessible by integration"));
    slow(&mut main, 1500.0).prints("recorded 9 results").reports("`permissions: {issues: write}`");
    assert_eq!(main.states().len(), 0);
    // The request takes effect although the answer is lost; and an issue of somebody else with the same text is not ours.
    main.hub.fails_though_done("POST", "/issues", error(502, "Bad gateway"));
    slow(&mut main, 1500.0);
    let opened = main.issues();
    assert_eq!(opened.len(), 1, "{opened:?}");
    let Issue { title, body, .. } = &opened[0];
    let (marker, text) = body.split_once('\n').unwrap();
    for raw in ["<img", "@octo", "GH-2", " #3"] {
        let in_title = title.contains(raw) && raw != "<img"; // a title has no markup
        assert!(!in_title && !text.contains(raw), "{raw}: {title} {body}");
    }
    assert_eq!(marker.matches("--").count(), 2, "{marker}");
    let copy = body.clone();
    main.hub.state().open_issue("stranger", "copy", &copy);
    slow(&mut main, 500.0);
    assert_eq!(main.states(), ["closed", "open"]);
    assert_eq!(main.issues()[0].author, ME);
}

#[test]
fn two_jobs_at_once_leave_one_issue() {
    let mut main = Branch::new();
    for parse in [1000.0, 3000.0] {
        main.pushed(parse);
    }
    // Another job opens its issue between this one's reading and writing.
    main.hub.then("POST", |state| {
        let ours = state.issues[0].clone();
        state.issues.insert(0, Issue { number: ours.number - 1, ..ours });
    });
    main.pushed(3000.0);
    let open = main.states().iter().filter(|state| *state == "open").count();
    assert_eq!((open, main.issues().len()), (1, 2), "{:?}", main.issues());
    main.pushed(3000.0);
    main.pushed(1000.0);
    assert_eq!(main.states(), ["closed", "closed"]);
    assert!(main.issues()[1].body.starts_with("Duplicate of #19."));
}

#[test]
fn an_issue_of_a_renamed_benchmark_is_the_same_one() {
    let mut main = Branch::new();
    for parse in [1000.0, 3000.0, 3000.0] {
        main.pushed(parse);
    }
    main.sandbox.write("r/perfgate.toml", "[rename]\n\"parse\" = \"read\"\n");
    main.sandbox.commit("r", "rename");
    std::fs::remove_dir_all(main.sandbox.path("r/target/criterion/parse")).unwrap();
    main.number += 1;
    for (name, ns) in [("a", 500.0), ("b", 900.0), ("c", 700.0), ("d", 800.0), ("e", 650.0), ("f", 550.0), ("g", 950.0)]
    {
        main.sandbox.bench("r/target/criterion", name, ns, main.number);
    }
    main.sandbox.bench("r/target/criterion", "read", 1000.0, main.number);
    main.run(&[]);
    assert_eq!(main.states(), ["closed"]);
}

/// A command that times `parse` as the repository's file `time` states, a little different in each run.
#[cfg(unix)]
#[test]
fn a_command_measures_again_before_the_first_issue() {
    let mut main = Branch::new();
    main.sandbox.write(
        "r/bench.sh",
        "n=$(date +%N | sed 's/^0*//'); t=$(cat time)\nfor b in a b c d e f g; do echo \"test $b ... bench: $((10000 + n % 50)) ns/iter (+/- 40)\"; done\n\
         echo \"test parse ... bench: $((t + n % 50)) ns/iter (+/- 40)\"\n",
    );
    let (path, found) = main.sandbox.stand_in_for_valgrind(0, "");
    let command = [
        ("PERFGATE_COMMAND", "sh bench.sh"),
        ("PERFGATE_KEY", "command"),
        ("PERFGATE_EXPLAIN", "true"),
        (path, found.as_str()),
    ];
    let timed = |main: &mut Branch, time: &str| {
        main.sandbox.write("r/time", time).write("r/speeds", format!("bench.sh {time}\n"));
        main.pushed_with(1000.0, &command)
    };
    for _ in 0..4 {
        timed(&mut main, "20000");
    }
    assert_eq!(main.states().len(), 0);
    let answer = timed(&mut main, "90000");
    answer.reports("measuring this commit and the one before it again");
    assert_eq!(main.states(), ["open"], "{} {}", answer.stdout, answer.stderr);
    let text = main.issues()[0].body.clone();
    assert!(
        text.contains(
            "parse: the command executes 4.5 times as many instructions; 100% of the growth is in 1 function"
        ),
        "{text}"
    );
    assert!(text.contains("100% of the growth in instructions of parse"), "{text}");
    let commit = main.head();
    let heading = format!("### Functions (measured at {commit})");
    assert!(text.contains(&heading), "{text}");

    // Later runs compare stored results, which are not explained. The functions stay, with the commit at which they were
    // measured.
    for _ in 0..2 {
        timed(&mut main, "90500");
        let text = main.issues()[0].body.clone();
        assert!(text.contains(&main.head()) && commit != main.head(), "it is updated: {text}");
        assert_eq!(text.matches(&heading).count(), 1, "{text}");
        assert_eq!(text.matches("parse: the command executes 4.5 times as many instructions").count(), 1, "{text}");
        assert!(!text.contains("Changed by hand"), "{text}");
    }
    timed(&mut main, "20000");
    assert_eq!(main.states(), ["closed"]);
}
