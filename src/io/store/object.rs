//! Runs as objects of a bucket, in a folder for each month: Amazon S3 and compatible servers, Google Cloud Storage, Azure.
//!
//! A run is one object, created only if there is none of its name, so writers never overwrite each other. The provider
//! makes an object visible as a whole or not at all.
//!
//! Requests cost time and money. Names are in time order and a listing can start after a given name, so the number of
//! requests depends on the query and not on the length of the history.

mod address;
#[cfg(feature = "buckets")]
mod advice;
#[cfg(feature = "buckets")]
mod bucket;
#[cfg(feature = "buckets")]
mod classify;
#[cfg(feature = "buckets")]
mod client;
#[cfg(feature = "buckets")]
mod error;
#[cfg(feature = "buckets")]
mod fault;
#[cfg(feature = "buckets")]
mod refusal;
#[cfg(feature = "buckets")]
mod text;
#[cfg(not(feature = "buckets"))]
mod without;

pub use address::{BucketUrl, Provider};
#[cfg(feature = "buckets")]
pub use bucket::Bucket;
#[cfg(feature = "buckets")]
pub use error::BucketError;
#[cfg(not(feature = "buckets"))]
pub use without::{Bucket, BucketError};

use super::check::{NEWEST, checked, refuse_mismatch};
use super::error::StoreError;
use super::key::{Key, deduplicated, month_of};
use super::store_trait::{Listing, Newest, RecordedTime, Store, SyncCounts, WriteCounts};
use crate::model::record;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The outcome of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    /// The object is new.
    New,
    /// An object of this name exists, with this content.
    Exists(Vec<u8>),
}

/// A page of a listing, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Names of objects, without the store's prefix.
    pub names: Vec<String>,
    /// When each of them was last modified, in seconds since 1970.
    pub modified: Vec<i64>,
    /// Names of folders, where the listing has a delimiter.
    pub folders: Vec<String>,
    /// The token for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Bytes at the beginning of a record that are enough to read its version.
const VERSION_BYTES: u64 = 32;

/// Steps of the binary search for the newest runs of a month with many pages: a month has fewer than 2^22 seconds.
const HALVINGS: usize = 22;

/// A bucket of runs.
#[derive(Debug)]
pub struct BucketStore {
    bucket: Bucket,
}

impl BucketStore {
    /// Opens a bucket with the credentials of the environment.
    pub fn open(url: &BucketUrl) -> Result<BucketStore, StoreError> {
        Ok(BucketStore { bucket: Bucket::open(url)? })
    }

    /// The months' folders, oldest first, and the names of everything else.
    fn months(&self) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let top = self.bucket.top()?;
        let is_month = |name: &String| name.len() == 7 && name.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let (mut months, mut foreign): (Vec<String>, Vec<String>) = top.folders.into_iter().partition(is_month);
        foreign.extend(top.names);
        months.sort_unstable();
        foreign.sort_unstable();
        Ok((months, foreign))
    }

    /// Every name in a month from a time on, page by page.
    fn names_after(&self, month: &str, time: i64) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let page = self.bucket.page(&format!("{month}/"), Some(&before(month, time)), next)?;
            names.extend(page.names);
            next = page.next;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    /// The newest runs of a month, at least `count` if there are as many, and whether it has older ones. A month of one
    /// page takes one request; in a larger one, a binary search over time finds the last page.
    fn newest_of(&self, month: &str, count: usize) -> Result<(Vec<Key>, bool), StoreError> {
        let keys = |names: &[String]| names.iter().filter_map(|name| Key::parse(name)).collect::<Vec<Key>>();
        let page = self.bucket.page(&format!("{month}/"), None, None)?;
        let mut kept = keys(&page.names);
        if page.next.is_none() {
            return Ok((kept, false));
        }
        // `kept` ends at `low`, and there are runs after it. After `high` there are fewer than `count`.
        let mut whole = true;
        let mut low = kept.last().map_or(0, Key::time);
        let mut high = end_of(month, low);
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2;
            if middle <= low {
                break;
            }
            let page = self.bucket.page(&format!("{month}/"), Some(&before(month, middle)), None)?;
            let found = keys(&page.names);
            if found.first().is_some_and(|first| first.time() < middle) {
                // The server ignores where a listing is to start: read the whole month.
                break;
            }
            if page.next.is_none() && found.len() >= count {
                return Ok((found, true));
            }
            match (page.next, found.last()) {
                (Some(_), Some(last)) => {
                    low = last.time();
                    kept = found;
                    whole = false;
                }
                _ => high = middle,
            }
        }
        kept.extend(keys(&self.names_after(month, low)?));
        kept.sort_unstable();
        kept.dedup();
        if whole || kept.len() >= count {
            return Ok((kept, !whole));
        }
        Ok((keys(&self.names_after(month, 0)?), false))
    }

    /// Refuses to write into a store of a later perfgate, by the first bytes of the newest records.
    fn refuse_newer(&self) -> Result<(), StoreError> {
        let keys = self.newest(NEWEST)?.keys;
        let newest = &keys[keys.len().saturating_sub(NEWEST)..];
        let names: Vec<String> = newest.iter().map(Key::to_string).collect();
        for (key, head) in newest.iter().zip(self.bucket.read(&names, Some(VERSION_BYTES))) {
            // A damaged record, or one removed in between, has no version.
            let version = head.ok().flatten().and_then(|head| record::version(&head).ok()).unwrap_or_default();
            if version > record::VERSION {
                return Err(StoreError::Newer { store: self.url(), key: Box::new(key.clone()), version });
            }
        }
        Ok(())
    }
}

impl Store for BucketStore {
    fn list(&self) -> Result<Listing, StoreError> {
        let (months, foreign) = self.months()?;
        let mut listing = Listing { foreign, ..Listing::default() };
        let mut requests: Vec<(String, Option<String>, Option<String>)> =
            months.iter().map(|month| (format!("{month}/"), None, None)).collect();
        while !requests.is_empty() {
            let mut more = Vec::new();
            for ((folder, ..), page) in requests.iter().zip(self.bucket.pages(requests.clone())) {
                let page = page?;
                for name in page.names {
                    match Key::parse(&name) {
                        Some(key) => listing.keys.push(key),
                        None => listing.foreign.push(name),
                    }
                }
                more.extend(page.next.map(|next| (folder.clone(), None, Some(next))));
            }
            requests = more;
        }
        listing.normalize();
        Ok(listing)
    }

    fn within(&self, spans: &[RangeInclusive<i64>]) -> Result<Vec<Key>, StoreError> {
        // A listing for each month of each span, from the span's first second on.
        let mut requests = Vec::new();
        for span in spans {
            let mut time = *span.start();
            loop {
                let month = month_of(time);
                requests.push((format!("{month}/"), Some(before(&month, time)), None, span.clone()));
                match end_of(&month, time) {
                    end if end < *span.end() => time = end + 1,
                    _ => break,
                }
            }
        }
        let mut keys = Vec::new();
        while !requests.is_empty() {
            let pages = requests.iter().map(|(folder, after, next, _)| (folder.clone(), after.clone(), next.clone()));
            let pages = self.bucket.pages(pages.collect());
            let mut more = Vec::new();
            for ((folder, after, _, span), page) in requests.into_iter().zip(pages) {
                let page = page?;
                let found: Vec<Key> = page.names.iter().filter_map(|name| Key::parse(name)).collect();
                let done = found.last().is_some_and(|last| last.time() > *span.end());
                keys.extend(found.into_iter().filter(|key| span.contains(&key.time())));
                more.extend(page.next.filter(|_| !done).map(|next| (folder, after, Some(next), span)));
            }
            requests = more;
        }
        Ok(deduplicated(keys))
    }

    fn newest(&self, count: usize) -> Result<Newest, StoreError> {
        let (mut months, foreign) = self.months()?;
        let mut newest = Newest { foreign, ..Newest::default() };
        while newest.keys.len() < count
            && let Some(month) = months.pop()
        {
            let (mut keys, more) = self.newest_of(&month, count - newest.keys.len())?;
            newest.more |= more;
            keys.append(&mut newest.keys);
            newest.keys = keys;
        }
        newest.more |= !months.is_empty();
        newest.keys = deduplicated(newest.keys);
        Ok(newest)
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        let missing = || Err(StoreError::Missing { store: self.url(), key: Box::new(key.clone()) });
        self.read_all(std::slice::from_ref(key)).pop().unwrap_or_else(missing)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn read_all(&self, keys: &[Key]) -> Vec<Result<Vec<u8>, StoreError>> {
        let names: Vec<String> = keys.iter().map(Key::to_string).collect();
        let read = self.bucket.read(&names, None);
        keys.iter()
            .zip(read)
            .map(|(key, bytes)| match bytes? {
                Some(bytes) => checked(self.url(), key, bytes),
                None => Err(StoreError::Missing { store: self.url(), key: Box::new(key.clone()) }),
            })
            .collect()
    }

    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<WriteCounts, StoreError> {
        refuse_mismatch(records)?;
        self.refuse_newer()?;
        let objects: BTreeMap<&Key, &Vec<u8>> = records.iter().map(|(key, bytes)| (key, bytes)).collect();
        let named: Vec<(String, Vec<u8>)> =
            objects.iter().map(|(key, bytes)| (key.to_string(), bytes.to_vec())).collect();
        let mut added = 0;
        for (key, created) in objects.keys().zip(self.bucket.create(&named)) {
            match created? {
                CreateOutcome::New => added += 1,
                CreateOutcome::Exists(bytes) => drop(checked(self.url(), key, bytes)?),
            }
        }
        Ok(WriteCounts { added, already: records.len() - added })
    }

    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let names: Vec<String> = keys.iter().map(Key::to_string).collect();
        let mut removed = 0;
        for there in self.bucket.remove(&names) {
            removed += usize::from(there?);
        }
        Ok(removed)
    }

    fn added_at(&self, keys: &[Key]) -> Vec<Option<RecordedTime>> {
        let modified = |key: &Key| self.bucket.modified(&key.to_string()).map(|time| RecordedTime::of_file(key, time));
        keys.iter().map(modified).collect()
    }

    fn url(&self) -> String {
        self.bucket.url().to_string()
    }

    fn pull(&self, _: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::Shared { store: self.url() })
    }

    fn push(&self, _: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::Shared { store: self.url() })
    }
}

/// A name that sorts before those of a time and after all earlier ones.
fn before(month: &str, time: i64) -> String {
    format!("{month}/{:012}", time.max(0))
}

/// The last second of the month that a time is in.
fn end_of(month: &str, time: i64) -> i64 {
    // The next month begins at one of the next 31 midnights.
    let day = 86_400;
    let midnight = time - time.rem_euclid(day);
    let next = (1..=31).map(|days| midnight + days * day).find(|start| month_of(*start) != month);
    next.map_or(time, |start| start - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_one_begins() {
        // 2026-02-28T23:59:59Z, 2024-02-29T23:59:59Z and 1970-01-31T23:59:59Z.
        for (time, end) in [(1_771_000_000, 1_772_323_199), (1_709_164_800, 1_709_251_199), (0, 2_678_399)] {
            assert_eq!(end_of(&month_of(time), time), end);
            assert_eq!(end_of(&month_of(end), end), end);
        }
    }

    #[test]
    fn the_name_before_a_time_sorts_after_the_second_before() {
        let name = |time: i64| format!("1970-01/{time:012}-none-c1b0730e0133.pgrun");
        let border = before("1970-01", 7);
        assert!(name(6) < border && border < name(7));
    }
}
