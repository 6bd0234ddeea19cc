//! A comment on a commit, one per key: found by its marker and author, and updated in place.

use super::client::{Client, Request};
use super::comment::Comment;
use super::fault::{Fault, Need};
use super::identity;
use super::marker::Mark;
use super::slug::Slug;
use crate::model::Commit;
use serde_json::json;

/// Writes the comment and returns its URL.
pub fn put_commit_comment(
    client: &Client,
    repository: &Slug,
    commit: &Commit,
    key: &str,
    text: &str,
) -> Result<Option<String>, Fault> {
    let doing = format!("commenting on the commit {}", commit.short());
    let marker = format!("<!-- perfgate:commit key={} -->\n", Mark::new(key));
    let body = json!({"body": format!("{marker}{text}")});
    let author = identity::login(client)?;
    let route = format!("/repos/{repository}/commits/{commit}/comments");
    let request = Request { route: &route, doing: &doing, need: Need::WriteContents };
    let (comments, _) = client.pages(request, |page: Vec<Comment>| page)?;
    let is_ours = |comment: &&Comment| {
        let body = comment.body.as_deref().unwrap_or_default().replace("\r\n", "\n");
        comment.is_by(&author) && body.starts_with(&marker)
    };
    let known = comments.iter().find(is_ours);
    let route = match known {
        Some(known) => format!("/repos/{repository}/comments/{}", known.id),
        None => format!("/repos/{repository}/commits/{commit}/comments"),
    };
    let request = Request { route: &route, doing: &doing, need: Need::WriteContents };
    let written: Comment = if known.is_some() { client.patch(request, &body)? } else { client.post(request, &body)? };
    Ok(written.html_url)
}
