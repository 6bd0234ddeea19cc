//! Requests that fail, are late or are repeated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn a_missing_permission_is_named_as_in_a_workflow() {
    let hub = Hub::new();
    hub.fails("POST", "/check-runs", 1, error(403, "Resource not accessible by integration"));
    let failure = put_check(&client(&hub), &slug(), &check()).unwrap_err().to_string();
    assert!(failure.contains("permissions: {checks: write}") && failure.contains("check run of c0ffee"), "{failure}");
    hub.fails("PATCH", "/pulls/7", 1, error(403, "Resource not accessible by integration"));
    let failure = update_body(&client(&hub), &slug(), 7, "x").unwrap_err().to_string();
    assert!(failure.contains("permissions: {pull-requests: write}"), "{failure}");
}

#[test]
fn reads_are_retried_after_a_bad_gateway() {
    let hub = Hub::new();
    hub.fails("GET", "/issues/7/comments", 2, error(502, "Bad Gateway"));
    comment(&client(&hub), None, "text", CommentCondition::Always).unwrap();
    assert_eq!(hub.state().comments.len(), 1);
    hub.fails("GET", "/issues/7/comments", 99, error(503, "Unavailable"));
    let failure = comment(&client(&hub), None, "text", CommentCondition::Always).unwrap_err();
    assert_eq!(failure.code(), "github-unwell");
    assert!(failure.to_string().contains("503 after 3 attempts"), "{failure}");
}

#[test]
fn a_comment_is_not_created_twice_when_the_response_is_lost() {
    let hub = Hub::new();
    hub.fails_though_done("POST", "/comments", error(502, "Bad Gateway"));
    comment(&client(&hub), None, "text", CommentCondition::Always).unwrap();
    assert_eq!(hub.state().comments.len(), 1);
    hub.fails_though_done("PATCH", "/comments", error(504, "Gateway Timeout"));
    comment(&client(&hub), None, "other", CommentCondition::Always).unwrap();
    assert!(hub.state().comments[0].body.contains("other"));
    assert_eq!((hub.count("POST", "/comments"), hub.count("PATCH", "/comments")), (1, 1));
}

#[test]
fn whatever_is_posted_is_repeated_after_a_fault_and_never_there_twice() {
    const SUBJECT: Subject<'static> =
        Subject { key: "k", shard: "", branch: "main", machine: "m", benchmark: "b", metric: "time" };
    let hub = Hub::new();
    let client = client(&hub);
    // The first attempt fails, the response to the second one is lost.
    let faults = |path: &'static str| {
        hub.fails("POST", path, 1, error(503, "Unavailable"));
        hub.fails_though_done("POST", path, error(502, "Bad Gateway"));
    };
    faults("/commits/");
    for text in ["slower", "still slower"] {
        put_commit_comment(&client, &slug(), &commit(), "k", text).unwrap();
    }
    assert_eq!((hub.count("POST", "/commits/"), hub.state().commit_comments.len()), (2, 1));
    assert!(hub.state().commit_comments[0]["body"].as_str().unwrap().ends_with("\nstill slower"));

    faults("/issues");
    open_issue(&client, &slug(), &SUBJECT, &commit(), "b is slower", "text").unwrap();
    assert_eq!((hub.count("POST", "/issues"), hub.state().issues.len()), (2, 1));

    let issue = issues(&client, &slug()).unwrap().remove(0);
    faults("/comments");
    close_issue(&client, &slug(), &issue, CloseReason::Completed, "It is gone.").unwrap();
    assert_eq!(hub.count("POST", "/issues/20/comments"), 2);
    let comments = hub.state().issues[0].comments.clone();
    assert!(comments.len() == 1 && comments[0].starts_with("It is gone.\n<!-- perfgate:"), "{comments:?}");
    // Closing again for the same reason adds a comment, and a later report with the same content adds a check run.
    faults("/comments");
    close_issue(&client, &slug(), &issue, CloseReason::Completed, "It is gone.").unwrap();
    assert_eq!((hub.count("POST", "/issues/20/comments"), hub.state().issues[0].comments.len()), (4, 2));

    for reports in 1..3 {
        faults("/check-runs");
        put_check(&client, &slug(), &check()).unwrap();
        assert_eq!((hub.count("POST", "/check-runs"), hub.state().checks.len()), (2 * reports, reports));
    }
    faults("/comments");
    comment(&client, None, "text", CommentCondition::Always).unwrap();
    assert_eq!((hub.count("POST", "/issues/7/comments"), hub.state().comments.len()), (2, 1));
}

#[test]
fn a_server_that_stays_down_is_left_after_a_few_attempts() {
    let hub = Hub::new();
    hub.fails("POST", "/commits/", 99, error(503, "Unavailable"));
    let failure = put_commit_comment(&client(&hub), &slug(), &commit(), "k", "text").unwrap_err();
    assert_eq!((failure.code(), hub.count("POST", "/commits/")), ("github-unwell", 3));
    assert!(failure.to_string().contains("returned 503 after 3 attempts"), "{failure}");
}

#[test]
fn the_account_of_an_app_is_asked_again_after_a_bad_gateway() {
    let hub = Hub::new();
    hub.fails("GET", "/user", 9, error(403, "Resource not accessible by integration"));
    hub.fails("POST", "/graphql", 1, error(502, "Bad Gateway"));
    let app = serde_json::json!({"data": {"viewer": {"login": "an-app"}}});
    hub.fails("POST", "/graphql", 1, ResponseTemplate::new(200).set_body_json(app));
    hub.state().add("an-app[bot]", "<!-- perfgate:report key=suite -->\n");
    comment(&client(&hub), None, "text", CommentCondition::Always).unwrap();
    assert_eq!(hub.state().comments.len(), 1);
    assert!(hub.state().comments[0].body.contains("text"));
}

#[test]
fn short_rate_limits_are_waited_for() {
    let hub = Hub::new();
    let limit = |wait: &str| error(429, "slow down").insert_header("retry-after", wait);
    hub.fails("POST", "/comments", 1, limit("1"));
    let started = Instant::now();
    comment(&client(&hub), None, "text", CommentCondition::Always).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    // A minute exceeds the total limit: fails at once and reports the wait.
    hub.fails("GET", "/user", 1, limit("60"));
    let failure = comment(&client(&hub), None, "text", CommentCondition::Always).unwrap_err();
    assert_eq!(hub.count("GET", "/user"), 2);
    assert!(failure.to_string().contains("(wait 60 s)"), "{failure}");
}

#[test]
fn after_a_timeout_no_further_requests_are_sent() {
    let hub = Hub::new();
    hub.fails("GET", "/user", 9, late(Duration::from_secs(20)));
    let hurried = RetryLimits { request: Duration::from_millis(400), ..retry_limits() };
    let client = Client::with_retry_limits(&hub.url(), Token::new(TOKEN).as_ref(), hurried).unwrap();
    let failure = comment(&client, None, "text", CommentCondition::Always).unwrap_err();
    assert_eq!(failure.code(), "github-network");
    assert!(failure.to_string().contains("after 3 attempts: no response within 0.4 s"), "{failure}");
    let requested = hub.requested().len();
    assert_eq!(put_check(&client, &slug(), &check()).unwrap_err(), failure);
    assert_eq!(hub.requested().len(), requested);
}

#[test]
fn a_broken_connection_is_reported_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || (0..3).for_each(|_| drop(listener.accept())));
    let client = Client::with_retry_limits(&url, Token::new(TOKEN).as_ref(), retry_limits()).unwrap();
    let failure = pull(&client, &slug(), 7).unwrap_err();
    assert_eq!(failure.code(), "github-network");
    assert!(failure.to_string().contains(&url), "{failure}");
    thread.join().unwrap();
}
