//! One pull request comment per key, with one section per shard. It is found by its marker and author and updated in place.
//!
//! GitHub has no conditional write. So the comment is read right before and shortly after each write, and written again
//! if another job has overwritten this section.

use super::api_error::{ApiError, RequiredPermission};
use super::client::{Client, Request};
use super::identity;
use super::marker::{Mark, Section, Sections, neutralize};
use super::slug::Slug;
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};

/// Maximum number of attempts to write a section that other jobs overwrite.
const MAX_WRITE_ATTEMPTS: u32 = 6;

/// The section of one job.
pub struct Part<'a> {
    /// Separates jobs that each have their own comment.
    pub key: &'a str,
    /// Separates jobs that share a comment; `None` for a single job.
    pub shard: Option<&'a str>,
    /// Hash of the findings, in letters and digits.
    pub findings_digest: String,
    /// Number of the workflow run, if known. A section of a later run is not overwritten.
    pub run: Option<u64>,
    /// Renders the text in at most the given number of characters; `None` if it does not fit.
    pub text: &'a dyn Fn(usize) -> Option<String>,
}

/// Outcome of writing a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommentOutcome {
    /// No comment exists and none was needed.
    None,
    /// The comment is up to date; its URL, if known.
    UpToDate(Option<String>),
    /// A later workflow run has already written this section.
    Superseded(Option<String>),
}

/// When a comment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentCondition {
    /// Create or update.
    Always,
    /// Update an existing comment; create one only if there is news.
    Auto {
        /// Whether there is news.
        news: bool,
    },
    /// As `Auto`, but update only if the findings have changed.
    Changed {
        /// Whether there is news.
        news: bool,
    },
}

/// A comment as GitHub returns it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comment {
    pub id: u64,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub html_url: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
struct User {
    login: String,
}

impl Comment {
    pub fn is_by(&self, author: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(author))
    }
}

struct CommentThread<'a> {
    client: &'a Client,
    repository: &'a Slug,
    pull: u64,
    doing: String,
    key: Mark,
    /// Account that the token writes as; corrected from the first created comment.
    author: String,
    /// Whether a comment was created; prevents a duplicate while the new one is not listed yet.
    created: bool,
}

/// Writes a job's section into the comment of its key.
pub fn put_comment(
    client: &Client,
    repository: &Slug,
    pull: u64,
    part: &Part<'_>,
    when: CommentCondition,
) -> Result<CommentOutcome, ApiError> {
    let doing = format!("commenting on pull request #{pull} of {repository}");
    let author = identity::login(client)?;
    let mut thread =
        CommentThread { client, repository, pull, doing, key: Mark::new(part.key), author, created: false };
    let shard = Mark::new(part.shard.unwrap_or_default());
    let mut last = None;
    for attempt in 0..MAX_WRITE_ATTEMPTS {
        match thread.attempt_write(part, &shard, when) {
            Ok(WriteAttempt::Done(commented)) => return Ok(commented),
            Ok(WriteAttempt::Overwritten) => last = None,
            // The write may have taken effect anyway; the next attempt checks.
            Err(error) if error.is_temporary() && attempt + 1 < client.retry_limits().attempts => last = Some(error),
            Err(error) => return Err(error),
        }
        // Jitter: jobs that collided must not wait equally long.
        let spread = u32::from(shard.to_string().bytes().fold(0_u8, |a, b| a.wrapping_mul(31).wrapping_add(b)) % 4);
        client.pause(client.retry_limits().pause * (attempt * 2 + 1 + spread));
    }
    Err(last.unwrap_or(ApiError::Overwritten { doing: thread.doing, attempts: MAX_WRITE_ATTEMPTS }))
}

enum WriteAttempt {
    Done(CommentOutcome),
    Overwritten,
}

impl CommentThread<'_> {
    /// Reads the comment, writes the section, and checks that it was not overwritten.
    fn attempt_write(
        &mut self,
        part: &Part<'_>,
        shard: &Mark,
        when: CommentCondition,
    ) -> Result<WriteAttempt, ApiError> {
        let started = Instant::now();
        let shared = part.shard.is_some();
        let mut ours = self.ours()?.into_iter();
        let Some((first, mut sections)) = ours.next() else {
            if matches!(when, CommentCondition::Auto { news: false } | CommentCondition::Changed { news: false }) {
                return Ok(WriteAttempt::Done(CommentOutcome::None));
            }
            if self.created {
                return Ok(WriteAttempt::Overwritten);
            }
            let sections = self.filled(Sections::empty(&self.key), part, shard)?;
            let made = self.create(&sections)?;
            self.created = true;
            self.author = made.user.map_or_else(|| std::mem::take(&mut self.author), |user| user.login);
            // Another job may have created one at the same time; the older one is kept.
            return self.wait_and_verify(
                sections.parts.get(shard),
                shard,
                made.html_url,
                shared.then(|| started.elapsed()),
            );
        };
        let others: Vec<(Comment, Sections)> = ours.collect();
        let mut first = first;
        if shared {
            // Reading all pages takes time. Read this comment again to keep the window for a race short.
            let Some(fresh) = self.reread(first.id)? else { return Ok(WriteAttempt::Overwritten) };
            (first, sections) = fresh;
        }
        for (name, section) in others.iter().flat_map(|(_, other)| &other.parts) {
            sections.parts.entry(name.clone()).or_insert_with(|| section.clone());
        }
        let merged = !others.is_empty();
        let existing = sections.parts.get(shard);
        let is_later = |section: &Section| section.run.zip(part.run).is_some_and(|(theirs, ours)| theirs > ours);
        if existing.is_some_and(is_later) {
            return Ok(WriteAttempt::Done(CommentOutcome::Superseded(first.html_url)));
        }
        let keep = match when {
            CommentCondition::Always => false,
            CommentCondition::Auto { news } => existing.is_none() && !news,
            CommentCondition::Changed { news } => {
                existing.map_or(!news, |section| section.findings_digest == part.findings_digest)
            }
        };
        let sections = if keep { sections } else { self.filled(sections, part, shard)? };
        let body = sections.write();
        let unchanged = first.body.as_deref().is_some_and(|old| is_same_text(old, &body));
        if !unchanged && !self.update(first.id, &body)? {
            return Ok(WriteAttempt::Overwritten);
        }
        for (other, _) in &others {
            self.delete(other.id)?;
        }
        if !merged && (unchanged || !shared) {
            return Ok(WriteAttempt::Done(CommentOutcome::UpToDate(first.html_url)));
        }
        let wanted = sections.parts.get(shard).filter(|_| !keep);
        self.wait_and_verify(wanted, shard, first.html_url, shared.then(|| started.elapsed()))
    }

    /// Waits longer than another job needs between its read and its write, then checks the section.
    fn wait_and_verify(
        &self,
        wanted: Option<&Section>,
        shard: &Mark,
        url: Option<String>,
        took: Option<Duration>,
    ) -> Result<WriteAttempt, ApiError> {
        if let Some(took) = took {
            self.client.pause(self.client.retry_limits().pause * 2 + took * 2);
        }
        let there = |sections: &Sections| match (wanted, sections.parts.get(shard)) {
            (None, _) => true,
            (Some(wanted), Some(there)) => {
                wanted.findings_digest == there.findings_digest && is_same_text(&there.text, &wanted.text)
            }
            (Some(_), None) => false,
        };
        match self.ours()?.as_slice() {
            [(comment, sections)] if there(sections) => {
                Ok(WriteAttempt::Done(CommentOutcome::UpToDate(comment.html_url.clone().or(url))))
            }
            _ => Ok(WriteAttempt::Overwritten),
        }
    }

    /// Adds this shard's section.
    fn filled(&self, mut sections: Sections, part: &Part<'_>, shard: &Mark) -> Result<Sections, ApiError> {
        let mut section = Section { findings_digest: part.findings_digest.clone(), run: part.run, text: String::new() };
        let room = sections.room(shard, &section);
        let text = (part.text)(room).map(|text| neutralize(&text)).filter(|text| text.chars().count() <= room);
        let text = text.ok_or_else(|| ApiError::CommentFull { doing: self.doing.clone() })?;
        // Matches what is read back, which includes the empty line before the end marker.
        section.text = format!("{}\n\n", text.trim_end_matches('\n'));
        sections.parts.insert(shard.clone(), section);
        Ok(sections)
    }

    /// The comments that perfgate wrote for this key, oldest first.
    fn ours(&self) -> Result<Vec<(Comment, Sections)>, ApiError> {
        let route = format!("/repos/{}/issues/{}/comments", self.repository, self.pull);
        let (comments, _) =
            self.client.pages(self.request(&route, RequiredPermission::Pulls), |page: Vec<Comment>| page)?;
        let ours = comments.into_iter().filter(|comment| comment.is_by(&self.author)).filter_map(|comment| {
            let sections = Sections::read(comment.body.as_deref()?, &self.key)?;
            Some((comment, sections))
        });
        let mut found: Vec<_> = ours.collect();
        found.sort_unstable_by_key(|(comment, _)| comment.id);
        Ok(found)
    }

    fn create(&self, sections: &Sections) -> Result<Comment, ApiError> {
        let route = format!("/repos/{}/issues/{}/comments", self.repository, self.pull);
        self.client.post(self.request(&route, RequiredPermission::Pulls), &json!({"body": sections.write()}))
    }

    /// False if the comment is gone because another job has merged it into its own. Uses PATCH; octocrab's method sends
    /// POST.
    fn update(&self, id: u64, body: &str) -> Result<bool, ApiError> {
        let route = format!("/repos/{}/issues/comments/{id}", self.repository);
        match self.client.patch::<Comment>(self.request(&route, RequiredPermission::Pulls), &json!({"body": body})) {
            Ok(_) => Ok(true),
            Err(ApiError::Absent { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads one comment again; `None` if it is gone or has lost its marker.
    fn reread(&self, id: u64) -> Result<Option<(Comment, Sections)>, ApiError> {
        let route = format!("/repos/{}/issues/comments/{id}", self.repository);
        match self.client.get::<Comment>(self.request(&route, RequiredPermission::Pulls)) {
            Ok(comment) => {
                let sections = comment.body.as_deref().and_then(|body| Sections::read(body, &self.key));
                Ok(sections.map(|sections| (comment, sections)))
            }
            Err(ApiError::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn delete(&self, id: u64) -> Result<(), ApiError> {
        self.client.delete(
            self.request(&format!("/repos/{}/issues/comments/{id}", self.repository), RequiredPermission::Pulls),
        )
    }

    fn request<'a>(&'a self, route: &'a str, permission: RequiredPermission) -> Request<'a> {
        Request { route, doing: &self.doing, permission }
    }
}

/// Whether two bodies are equal, ignoring line endings and trailing empty lines, which GitHub may change.
fn is_same_text(old: &str, new: &str) -> bool {
    old.replace("\r\n", "\n").trim_end() == new.trim_end()
}
