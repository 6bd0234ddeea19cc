//! Requests to GitHub, and the handling of errors and races, against a fake server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

#[path = "github/faults.rs"]
mod faults;
mod hub;

use hub::{Hub, ME, TOKEN, error, late};
use perfgate::io::github::{
    ApiError, CheckRun, Client, CloseReason, CommentCondition, CommentOutcome, Conclusion, Part, RetryLimits, Slug,
    Subject, Token, close_issue, issues, open_issue, pull, pulls_of, put_check, put_comment, put_commit_comment,
    update_body,
};
use perfgate::model::Commit;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use wiremock::ResponseTemplate;

fn retry_limits() -> RetryLimits {
    RetryLimits {
        attempts: 3,
        total: Duration::from_secs(9),
        request: Duration::from_secs(3),
        pause: Duration::from_millis(5),
    }
}

fn client(hub: &Hub) -> Client {
    Client::with_retry_limits(&hub.url(), Token::new(TOKEN).as_ref(), retry_limits()).unwrap()
}

fn slug() -> Slug {
    Slug::parse("o/r").unwrap()
}

/// Writes `text` as the section of a shard.
fn comment(
    client: &Client,
    shard: Option<&str>,
    text: &str,
    when: CommentCondition,
) -> Result<Option<String>, ApiError> {
    comment_as(client, "suite", shard, text, when)
}

fn comment_as(
    client: &Client,
    key: &str,
    shard: Option<&str>,
    text: &str,
    when: CommentCondition,
) -> Result<Option<String>, ApiError> {
    match comment_in(client, key, shard, text, when, None)? {
        CommentOutcome::None => Ok(None),
        CommentOutcome::UpToDate(url) => Ok(url),
        CommentOutcome::Superseded(_) => panic!("no run has a number"),
    }
}

fn comment_in(
    client: &Client,
    key: &str,
    shard: Option<&str>,
    text: &str,
    when: CommentCondition,
    run: Option<u64>,
) -> Result<CommentOutcome, ApiError> {
    let findings_digest = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let write = |room: usize| (text.chars().count() <= room).then(|| text.to_owned());
    put_comment(client, &slug(), 7, &Part { key, shard, findings_digest, run, text: &write }, when)
}

#[test]
fn an_earlier_run_that_ends_later_does_not_overwrite_a_later_one() {
    let hub = Hub::new();
    let client = client(&hub);
    let comment =
        |text: &str, run: u64| comment_in(&client, "suite", None, text, CommentCondition::Always, Some(run)).unwrap();
    assert!(matches!(comment("of the second push", 12), CommentOutcome::UpToDate(_)));
    assert!(matches!(comment("of the first push", 11), CommentOutcome::Superseded(Some(_))));
    assert!(hub.state().comments[0].body.contains("of the second push"));
    assert!(matches!(comment("of the second push, again", 12), CommentOutcome::UpToDate(_)));
    assert!(matches!(comment("of the third push", 13), CommentOutcome::UpToDate(_)));
    assert!(hub.state().comments[0].body.contains("run=13 -->\nof the third push"));
}

#[test]
fn a_second_push_updates_the_same_comment() {
    let hub = Hub::new();
    let url = comment(&client(&hub), None, "slower", CommentCondition::Always).unwrap().unwrap();
    assert_eq!(comment(&client(&hub), None, "fixed", CommentCondition::Always).unwrap(), Some(url));
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    assert!(state.comments[0].body.contains("\nfixed\n") && !state.comments[0].body.contains("slower"));
    assert!(state.comments[0].body.starts_with("<!-- perfgate:report key=suite -->\n"));
}

#[test]
fn the_comment_is_found_after_130_others() {
    let hub = Hub::new();
    for number in 0..130 {
        hub.state().add("someone", &format!("comment {number}"));
    }
    comment(&client(&hub), None, "one", CommentCondition::Always).unwrap();
    assert_eq!(hub.count("GET", "/issues/7/comments"), 4); // two pages before it is created, two to check for duplicates
    comment(&client(&hub), None, "two", CommentCondition::Always).unwrap();
    assert_eq!(hub.state().comments.len(), 131);
    assert!(hub.state().comments[130].body.contains("two"));
}

#[test]
fn an_unchanged_comment_is_not_written() {
    let hub = Hub::new();
    comment(&client(&hub), None, "same", CommentCondition::Always).unwrap();
    // GitHub may change line endings.
    let body = hub.state().comments[0].body.replace('\n', "\r\n") + "\r\n";
    hub.state().comments[0].body = body;
    assert!(comment(&client(&hub), None, "same", CommentCondition::Always).unwrap().is_some());
    assert_eq!((hub.count("POST", "comments"), hub.count("PATCH", "comments")), (1, 0));
}

#[test]
fn a_comment_of_another_author_with_our_marker_is_not_edited() {
    let hub = Hub::new();
    comment(&client(&hub), None, "ours", CommentCondition::Always).unwrap();
    let ours = hub.state().comments[0].body.clone();
    hub.state().comments.clear();
    hub.state().add("mallory", &ours);
    comment(&client(&hub), None, "ours again", CommentCondition::Always).unwrap();
    let state = hub.state();
    assert_eq!((state.comments[0].author.as_str(), &state.comments[0].body), ("mallory", &ours));
    assert_eq!(state.comments[1].author, ME);
    assert_eq!(state.comments.len(), 2);
}

#[test]
fn each_key_has_its_own_comment_even_if_one_is_a_prefix() {
    let hub = Hub::new();
    let client = client(&hub);
    for key in ["linux", "linux-arm", "linux --> <b>"] {
        comment_as(&client, key, None, key, CommentCondition::Always).unwrap();
    }
    let state = hub.state();
    assert_eq!(state.comments.len(), 3);
    for comment in &state.comments {
        let first = comment.body.lines().next().unwrap();
        assert_eq!(first.matches("-->").count(), 1, "{first}");
        assert!(first.ends_with(" -->"));
    }
}

#[test]
fn auto_creates_a_comment_only_for_news_and_then_keeps_it_current() {
    let hub = Hub::new();
    let quiet = CommentCondition::Auto { news: false };
    assert_eq!(comment(&client(&hub), None, "green", quiet).unwrap(), None);
    assert!(hub.state().comments.is_empty());
    comment(&client(&hub), None, "red", CommentCondition::Auto { news: true }).unwrap();
    assert!(comment(&client(&hub), None, "green", quiet).unwrap().is_some());
    assert!(hub.state().comments[0].body.contains("green"));
}

#[test]
fn on_change_updates_a_comment_only_for_new_findings() {
    let hub = Hub::new();
    let news = CommentCondition::Changed { news: true };
    // The state contains only the letters; the other characters stand for a commit id.
    comment(&client(&hub), None, "red", news).unwrap();
    comment(&client(&hub), None, "r-e-d", news).unwrap();
    assert!(hub.state().comments[0].body.contains("\nred\n"));
    comment(&client(&hub), None, "redder", news).unwrap();
    assert!(hub.state().comments[0].body.contains("\nredder\n"));
    comment(&client(&hub), None, "green", CommentCondition::Changed { news: false }).unwrap();
    assert!(hub.state().comments[0].body.contains("\ngreen\n"));
}

#[test]
fn two_shards_share_a_comment() {
    let hub = Hub::new();
    comment(&client(&hub), Some("2"), "second", CommentCondition::Always).unwrap();
    comment(&client(&hub), Some("1"), "first", CommentCondition::Always).unwrap();
    comment(&client(&hub), Some("2"), "second again", CommentCondition::Always).unwrap();
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    let body = &state.comments[0].body;
    assert!(body.find("\nfirst\n").unwrap() < body.find("\nsecond again\n").unwrap());
    assert!(!body.contains("\nsecond\n"));
}

#[test]
fn an_overwritten_section_is_written_again() {
    let hub = Hub::new();
    comment(&client(&hub), Some("a"), "old a", CommentCondition::Always).unwrap();
    let before = hub.state().comments[0].body.clone();
    // Job b read the comment before our update and writes after it: our part is lost, or has its old text.
    let others = before.replace("shard=a", "shard=b").replace("old a", "part of b").replace("olda", "b");
    for lost in [others.clone(), format!("{before}{}", others.split_once('\n').unwrap().1)] {
        hub.state().comments[0].body = before.clone();
        hub.then("PATCH", move |state| state.comments[0].body = lost.clone());
        comment(&client(&hub), Some("a"), "new a", CommentCondition::Always).unwrap();
        let body = hub.state().comments[0].body.clone();
        assert!(body.contains("\nnew a\n") && body.contains("\npart of b\n") && !body.contains("old a"), "{body}");
    }
}

#[test]
fn of_two_concurrent_comments_the_older_one_stays_with_both_sections() {
    let hub = Hub::new();
    comment(&client(&hub), Some("b"), "part of b", CommentCondition::Always).unwrap();
    let others = hub.state().comments[0].body.clone();
    hub.state().comments.clear();
    // Job b created its comment between our read and our write.
    hub.then("POST", move |state| {
        state.add(ME, &others);
        state.comments.reverse();
        let ids: Vec<u64> = state.comments.iter().map(|comment| comment.id).rev().collect();
        state.comments.iter_mut().zip(ids).for_each(|(comment, id)| comment.id = id);
    });
    comment(&client(&hub), Some("a"), "part of a", CommentCondition::Always).unwrap();
    let state = hub.state();
    assert_eq!(state.comments.len(), 1, "{:?}", state.comments);
    let body = &state.comments[0].body;
    assert!(body.contains("\npart of a\n") && body.contains("\npart of b\n"), "{body}");
}

#[test]
fn the_merged_comment_is_updated_when_ours_is_gone() {
    let hub = Hub::new();
    comment(&client(&hub), Some("a"), "old a", CommentCondition::Always).unwrap();
    let others = hub.state().comments[0].body.replace("shard=a", "shard=b").replace("old a", "part of b");
    // Between our read and our write it is replaced by another one.
    hub.then("GET", |_| ()); // /user
    hub.then("GET", move |state| {
        state.comments.clear();
        state.add(ME, &others);
    });
    comment(&client(&hub), Some("a"), "new a", CommentCondition::Always).unwrap();
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    let body = &state.comments[0].body;
    assert!(body.contains("\nnew a\n") && body.contains("\npart of b\n"), "{body}");
}

#[test]
fn eight_concurrent_jobs_lose_no_section() {
    let hub = Hub::new();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let hub = &hub;
            let url = hub.url();
            scope.spawn(move || {
                let retry_limits = RetryLimits { pause: Duration::from_millis(60), ..retry_limits() };
                let client = Client::with_retry_limits(&url, Token::new(TOKEN).as_ref(), retry_limits).unwrap();
                comment(&client, Some(&format!("s{number}")), &format!("part {number}."), CommentCondition::Always)
                    .unwrap();
            });
        }
    });
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    for number in 0..8 {
        assert!(state.comments[0].body.contains(&format!("\npart {number}.\n")), "{}", state.comments[0].body);
    }
}

#[test]
fn a_full_comment_accepts_no_more_sections() {
    let hub = Hub::new();
    comment(&client(&hub), Some("a"), &"=".repeat(65_000), CommentCondition::Always).unwrap();
    let failure = comment(&client(&hub), Some("b"), &"-".repeat(1000), CommentCondition::Always).unwrap_err();
    assert_eq!(failure.code(), "github-comment-full");
    assert!(failure.to_string().contains("`key`"));
    assert!(hub.state().comments[0].body.contains("==="));
}

#[test]
fn an_account_without_access_to_user_is_read_from_graphql() {
    let hub = Hub::new();
    let bot = "github-actions[bot]";
    hub.fails("GET", "/user", 9, error(403, "Resource not accessible by integration"));
    hub.fails(
        "POST",
        "/graphql",
        1,
        ResponseTemplate::new(200).set_body_json(serde_json::json!({"data": {"viewer": {"login": "an-app[bot]"}}})),
    );
    let body = "<!-- perfgate:report key=suite -->\n<!-- perfgate:part shard=default -->\nold\n<!-- /perfgate:part shard=default -->\n";
    hub.state().add(bot, body);
    hub.state().add("an-app[bot]", body);
    comment(&client(&hub), None, "an App's", CommentCondition::Always).unwrap();
    assert!(hub.state().comments[1].body.contains("an App's"));
    // GraphQL fails too: assume the job's token.
    comment(&client(&hub), None, "the job's", CommentCondition::Always).unwrap();
    assert!(hub.state().comments[0].body.contains("the job's"));
    assert!(hub.state().comments[1].body.contains("an App's"));
}

#[test]
fn a_wrongly_assumed_account_still_has_one_comment() {
    let hub = Hub::new();
    hub.fails("GET", "/user", 9, error(403, "Resource not accessible by integration")); // and GraphQL fails
    for text in ["first", "second", "third"] {
        comment(&client(&hub), None, text, CommentCondition::Always).unwrap();
        let state = hub.state();
        assert_eq!((state.comments.len(), state.comments[0].id), (1, 1));
        assert!(state.comments[0].body.contains(text), "{}", state.comments[0].body);
    }
}

#[test]
fn each_error_names_what_to_change() {
    let limits = |limit: &str| {
        error(403, "You have exceeded a secondary rate limit").insert_header("x-ratelimit-remaining", limit)
    };
    let sso = || error(403, "Resource protected by SAML").insert_header("x-github-sso", "required; url=https://e.org");
    let wants = error(403, "Resource not accessible by integration")
        .insert_header("x-accepted-github-permissions", "issues=write; pull_requests=write");
    let invalid = ResponseTemplate::new(422).set_body_json(
        serde_json::json!({"message": "Validation Failed", "errors": [{"message": "body is too long"}]}),
    );
    for (response, code, text) in [
        (error(401, "Bad credentials"), "github-token", "${{ github.token }}"),
        (wants.clone(), "github-permission", "pull-requests: write"),
        (wants.clone(), "github-permission", "Settings → Actions → General"),
        (wants.clone(), "github-permission", "from a fork"),
        (wants, "github-permission", "issues=write; pull_requests=write"),
        (error(403, "Unable to create comment because issue is locked."), "github-locked", "comment: never"),
        (sso(), "github-token", "single sign-on"),
        (error(404, "Not Found"), "github-not-found", "check the repository and the number"),
        (invalid, "github-refused", "Validation Failed: body is too long"),
        (limits("12"), "github-rate-limit", "secondary rate limit"),
        (limits("0"), "github-rate-limit", "hourly rate limit"),
        (ResponseTemplate::new(200).set_body_string("<html>proxy"), "github-answer", "GITHUB_API_URL"),
    ] {
        let hub = Hub::new();
        hub.fails("POST", "/comments", 9, response);
        let failure = comment(&client(&hub), None, "text", CommentCondition::Always).unwrap_err();
        assert_eq!(failure.code(), code, "{failure}");
        assert!(failure.to_string().contains(text), "{failure} has no {text:?}");
        assert!(failure.to_string().contains("pull request #7 of o/r"), "{failure}");
    }
}

fn commit() -> Commit {
    Commit::parse("c0ffee0000000000000000000000000000000000").unwrap()
}

fn check() -> CheckRun {
    CheckRun {
        name: "perfgate".to_owned(),
        commit: commit(),
        conclusion: Conclusion::Neutral,
        title: "t".repeat(300),
        summary: "s".repeat(70_000),
        details_url: None,
    }
}

#[test]
fn a_check_run_is_created_once_and_shortened_to_fit() {
    let hub = Hub::new();
    hub.fails_though_done("POST", "/check-runs", error(502, "Bad Gateway"));
    let url = put_check(&client(&hub), &slug(), &check()).unwrap();
    assert_eq!(url.as_deref(), Some("https://github.example/check"));
    let state = hub.state();
    assert_eq!(state.checks.len(), 1);
    let made = &state.checks[0];
    assert_eq!((made["status"].as_str(), made["conclusion"].as_str()), (Some("completed"), Some("neutral")));
    assert_eq!(made["output"]["title"].as_str().unwrap().chars().count(), 255);
    assert_eq!(made["output"]["summary"].as_str().unwrap().chars().count(), 65_535);
}

#[test]
fn the_pull_request_of_a_forks_commit_is_found() {
    let hub = Hub::new();
    let found = pulls_of(&client(&hub), &slug(), "c0ffee", Some(("fork", "work"))).unwrap();
    assert_eq!(found.iter().map(|pull| pull.number).collect::<Vec<_>>(), [7]);
    assert_ne!(found[0].head.repo, found[0].base.repo);
    let query = hub.requests()[0].url.query().unwrap().to_owned();
    assert!(query.contains("head=fork%3Awork"), "{query}");
}

#[test]
fn the_token_is_sent_only_in_one_header() {
    let hub = Hub::new();
    let client = client(&hub);
    comment(&client, None, "text", CommentCondition::Always).unwrap();
    for request in hub.requests() {
        assert!(!request.url.as_str().contains(TOKEN));
        assert_eq!(request.headers.get_all("authorization").iter().count(), 1);
    }
    let wrong = Client::with_retry_limits(&hub.url(), Token::new("ghs_other").as_ref(), retry_limits()).unwrap();
    let failure = comment(&wrong, None, "text", CommentCondition::Always).unwrap_err();
    assert_eq!(failure.code(), "github-token");
    assert!(!format!("{failure} {failure:?} {wrong:?}").contains("ghs_other"));
}

#[test]
fn a_text_that_cannot_be_a_token_is_an_error_that_does_not_print_it() {
    let hub = Hub::new();
    for wrong in ["ghs_secret\nghs_other", "ghs_secret other", "ghs_s\u{e9}cret"] {
        let failure = Client::with_retry_limits(&hub.url(), Token::new(wrong).as_ref(), retry_limits()).unwrap_err();
        assert_eq!(failure.code(), "github-token");
        assert!(!failure.to_string().contains("ghs_"), "{failure}");
    }
    assert!(hub.requested().is_empty());
}

#[test]
fn without_a_token_no_request_is_sent() {
    let hub = Hub::new();
    let failure = Client::new(&hub.url(), None).unwrap_err();
    assert!(failure.to_string().contains("GITHUB_TOKEN: ${{ github.token }}"), "{failure}");
    assert!(Client::new("http://example.org", Token::new(TOKEN).as_ref()).is_err());
    assert!(hub.requested().is_empty());
}

#[test]
fn requests_to_an_enterprise_server_keep_its_path() {
    let hub = Hub::new();
    hub.fails("GET", "/user", 1, error(403, "Resource not accessible by integration"));
    let url = format!("{}/api/v3/", hub.url());
    let client = Client::with_retry_limits(&url, Token::new(TOKEN).as_ref(), retry_limits()).unwrap();
    comment(&client, None, "text", CommentCondition::Always).unwrap();
    assert_eq!(hub.count("POST", "/api/graphql"), 1);
    let below = hub.requested().iter().filter(|requested| requested.contains(" /api/v3/")).count();
    assert_eq!(below + 1, hub.requested().len());
}
