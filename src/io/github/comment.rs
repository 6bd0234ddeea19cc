//! One comment of a pull request for each key: found by our marker and its author, written in place, a part for each
//! shard.
//!
//! GitHub has no way to write only if nothing has changed in between. So the comment is read right before it is written,
//! read again a while after, and written again where another job wrote over this one's part.

use super::client::{Ask, Client};
use super::fault::{Fault, Need};
use super::identity;
use super::marker::{Mark, Section, Sections, harmless};
use super::slug::Slug;
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};

/// Pages of comments that are read; GitHub keeps no more than 2,500 comments.
const PAGES: usize = 50;
const PER_PAGE: usize = 100;
/// How often a part that was written over is written again.
const ROUNDS: u32 = 6;

/// What one job has to say.
pub struct Part<'a> {
    /// Separates the jobs that each have a comment of their own.
    pub key: &'a str,
    /// Separates the jobs that share one; `None` where there is only this one.
    pub shard: Option<&'a str>,
    /// A digest of what was found: letters and digits.
    pub state: String,
    /// The number of the job's run, where known: a part that a later run wrote is left alone.
    pub run: Option<u64>,
    /// The document in at most so many characters; `None` where it cannot be so short.
    pub text: &'a dyn Fn(usize) -> Option<String>,
}

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commented {
    /// There was nothing to say, and there is none.
    Not,
    /// It says what it should, at this address where GitHub told one.
    There(Option<String>),
    /// A later run of the job has written this part already.
    Outrun(Option<String>),
}

/// When a comment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Made where there is none, else brought up to date.
    Always,
    /// Brought up to date where there is one; made only where there is something to say.
    Told {
        /// Whether there is.
        news: bool,
    },
    /// As `Told`, and one that is there is left alone while the findings stay as they are.
    Changed {
        /// Whether there is something to say.
        news: bool,
    },
}

#[derive(Debug, Clone, Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
struct User {
    login: String,
}

struct Place<'a> {
    client: &'a Client,
    repository: &'a Slug,
    pull: u64,
    doing: String,
    key: Mark,
    /// Who the token writes as: first as far as it could be asked, then as a comment of ours has it.
    author: String,
    /// Whether a comment was made; it is not made again only because it is not listed yet.
    made: bool,
}

/// Writes a job's part into the comment of its key.
pub fn put_comment(
    client: &Client,
    repository: &Slug,
    pull: u64,
    part: &Part<'_>,
    when: When,
) -> Result<Commented, Fault> {
    let doing = format!("commenting on pull request #{pull} of {repository}");
    let author = identity::login(client)?;
    let mut place = Place { client, repository, pull, doing, key: Mark::new(part.key), author, made: false };
    let shard = Mark::new(part.shard.unwrap_or_default());
    let mut last = None;
    for round in 0..ROUNDS {
        match place.round(part, &shard, when) {
            Ok(Round::Done(commented)) => return Ok(commented),
            Ok(Round::Overwritten) => last = None,
            // It may have been written all the same: the next round sees it.
            Err(fault) if fault.passes() && round + 1 < client.patience().attempts => last = Some(fault),
            Err(fault) => return Err(fault),
        }
        // Jobs that got in each other's way do not wait equally long.
        let spread = u32::from(shard.to_string().bytes().fold(0_u8, |a, b| a.wrapping_mul(31).wrapping_add(b)) % 4);
        client.pause(client.patience().pause * (round * 2 + 1 + spread));
    }
    Err(last.unwrap_or(Fault::Contended { doing: place.doing, attempts: ROUNDS }))
}

enum Round {
    Done(Commented),
    Overwritten,
}

impl Place<'_> {
    /// Reads, writes what is missing, and looks whether it stayed.
    fn round(&mut self, part: &Part<'_>, shard: &Mark, when: When) -> Result<Round, Fault> {
        let started = Instant::now();
        let shared = part.shard.is_some();
        let mut ours = self.ours()?.into_iter();
        let Some((first, mut sections)) = ours.next() else {
            if matches!(when, When::Told { news: false } | When::Changed { news: false }) {
                return Ok(Round::Done(Commented::Not));
            }
            if self.made {
                return Ok(Round::Overwritten);
            }
            let sections = self.filled(Sections::empty(&self.key), part, shard)?;
            let made = self.create(&sections)?;
            self.made = true;
            self.author = made.user.map_or_else(|| std::mem::take(&mut self.author), |user| user.login);
            // Another job may have made one at the same time; the older one stays.
            return self.settle(sections.parts.get(shard), shard, made.html_url, shared.then(|| started.elapsed()));
        };
        let others: Vec<(Comment, Sections)> = ours.collect();
        let mut first = first;
        if shared {
            // The pages took their time; between this answer and the writing there is next to none.
            let Some(fresh) = self.reread(first.id)? else { return Ok(Round::Overwritten) };
            (first, sections) = fresh;
        }
        for (name, section) in others.iter().flat_map(|(_, other)| &other.parts) {
            sections.parts.entry(name.clone()).or_insert_with(|| section.clone());
        }
        let merged = !others.is_empty();
        let told = sections.parts.get(shard);
        let later = |told: &Section| told.run.zip(part.run).is_some_and(|(theirs, ours)| theirs > ours);
        if told.is_some_and(later) {
            return Ok(Round::Done(Commented::Outrun(first.html_url)));
        }
        let keep = match when {
            When::Always => false,
            When::Told { news } => told.is_none() && !news,
            When::Changed { news } => told.map_or(!news, |told| told.state == part.state),
        };
        let sections = if keep { sections } else { self.filled(sections, part, shard)? };
        let body = sections.write();
        let unchanged = first.body.as_deref().is_some_and(|old| alike(old, &body));
        if !unchanged && !self.update(first.id, &body)? {
            return Ok(Round::Overwritten);
        }
        for (other, _) in &others {
            self.delete(other.id)?;
        }
        if !merged && (unchanged || !shared) {
            return Ok(Round::Done(Commented::There(first.html_url)));
        }
        let wanted = sections.parts.get(shard).filter(|_| !keep);
        self.settle(wanted, shard, first.html_url, shared.then(|| started.elapsed()))
    }

    /// Waits longer than another job takes between its reading and its writing, and looks again.
    fn settle(
        &self,
        wanted: Option<&Section>,
        shard: &Mark,
        url: Option<String>,
        took: Option<Duration>,
    ) -> Result<Round, Fault> {
        if let Some(took) = took {
            self.client.pause(self.client.patience().pause * 2 + took * 2);
        }
        let there = |sections: &Sections| match (wanted, sections.parts.get(shard)) {
            (None, _) => true,
            (Some(wanted), Some(there)) => wanted.state == there.state && alike(&there.text, &wanted.text),
            (Some(_), None) => false,
        };
        match self.ours()?.as_slice() {
            [(comment, sections)] if there(sections) => {
                Ok(Round::Done(Commented::There(comment.html_url.clone().or(url))))
            }
            _ => Ok(Round::Overwritten),
        }
    }

    /// The sections with this shard's text.
    fn filled(&self, mut sections: Sections, part: &Part<'_>, shard: &Mark) -> Result<Sections, Fault> {
        let mut section = Section { state: part.state.clone(), run: part.run, text: String::new() };
        let room = sections.room(shard, &section);
        let text = (part.text)(room).map(|text| harmless(&text)).filter(|text| text.chars().count() <= room);
        let text = text.ok_or_else(|| Fault::Full { doing: self.doing.clone() })?;
        // What is read back has the empty line that the marker stands behind.
        section.text = format!("{}\n\n", text.trim_end_matches('\n'));
        sections.parts.insert(shard.clone(), section);
        Ok(sections)
    }

    /// Our comments, the oldest first.
    fn ours(&self) -> Result<Vec<(Comment, Sections)>, Fault> {
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let route =
                format!("/repos/{}/issues/{}/comments?per_page={PER_PAGE}&page={page}", self.repository, self.pull);
            let (comments, next): (Vec<Comment>, bool) = self.client.page(self.ask(&route, Need::Pulls))?;
            let full = comments.len() >= PER_PAGE;
            for comment in comments {
                let author = comment.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(&self.author));
                let sections = comment.body.as_deref().and_then(|body| Sections::read(body, &self.key));
                found.extend(sections.filter(|_| author).map(|sections| (comment, sections)));
            }
            if !next && !full {
                break;
            }
        }
        found.sort_unstable_by_key(|(comment, _)| comment.id);
        Ok(found)
    }

    fn create(&self, sections: &Sections) -> Result<Comment, Fault> {
        let route = format!("/repos/{}/issues/{}/comments", self.repository, self.pull);
        self.client.post(self.ask(&route, Need::Pulls), &json!({"body": sections.write()}))
    }

    /// False where the comment is gone: another job has merged it into its own. The verb is PATCH; octocrab's own call
    /// for this sends POST.
    fn update(&self, id: u64, body: &str) -> Result<bool, Fault> {
        let route = format!("/repos/{}/issues/comments/{id}", self.repository);
        match self.client.patch::<Comment>(self.ask(&route, Need::Pulls), &json!({"body": body})) {
            Ok(_) => Ok(true),
            Err(Fault::Absent { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// One comment as it is now; `None` where it is gone, or ours no more.
    fn reread(&self, id: u64) -> Result<Option<(Comment, Sections)>, Fault> {
        let route = format!("/repos/{}/issues/comments/{id}", self.repository);
        match self.client.get::<Comment>(self.ask(&route, Need::Pulls)) {
            Ok(comment) => {
                let sections = comment.body.as_deref().and_then(|body| Sections::read(body, &self.key));
                Ok(sections.map(|sections| (comment, sections)))
            }
            Err(Fault::Absent { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn delete(&self, id: u64) -> Result<(), Fault> {
        self.client.delete(self.ask(&format!("/repos/{}/issues/comments/{id}", self.repository), Need::Pulls))
    }

    fn ask<'a>(&'a self, route: &'a str, need: Need) -> Ask<'a> {
        Ask { route, doing: &self.doing, need }
    }
}

/// Whether two bodies are one: GitHub keeps line ends and the last empty lines as it likes.
fn alike(old: &str, new: &str) -> bool {
    old.replace("\r\n", "\n").trim_end() == new.trim_end()
}
