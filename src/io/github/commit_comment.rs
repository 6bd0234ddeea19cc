//! A comment on a commit, one per key: found by its marker and author, and updated in place.

use super::api_error::{ApiError, RequiredPermission};
use super::client::{Client, Request};
use super::comment::Comment;
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
) -> Result<Option<String>, ApiError> {
    let doing = format!("commenting on the commit {}", commit.short());
    let marker = format!("<!-- perfgate:commit key={} -->\n", Mark::new(key));
    let body = json!({"body": format!("{marker}{text}")});
    let author = identity::login(client)?;
    let route = format!("/repos/{repository}/commits/{commit}/comments");
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::WriteContents };
    let is_ours = |comment: &Comment| {
        let body = comment.body.as_deref().unwrap_or_default().replace("\r\n", "\n");
        comment.is_by(&author) && body.starts_with(&marker)
    };
    let find = || -> Result<Option<Comment>, ApiError> {
        let (comments, _) = client.pages(request, |page: Vec<Comment>| page)?;
        Ok(comments.into_iter().find(is_ours))
    };
    let written = match find()? {
        Some(known) => {
            let route = format!("/repos/{repository}/comments/{}", known.id);
            client.patch::<Comment>(Request { route: &route, ..request }, &body)?
        }
        None => client.post_once(request, &body, find)?,
    };
    Ok(written.html_url)
}
