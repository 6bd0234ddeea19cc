//! Blocking operations on a bucket's objects, over the asynchronous client.
//!
//! Up to [`AT_ONCE`] requests run at the same time. Requests that fail on the way are retried with back-off. That is safe
//! for a conditional write too: if the first try did succeed, the retry finds the same bytes.

use super::client::{self, Client};
use super::error::BucketError;
use super::fault::BucketFault;
use super::refusal::{Failure, recorded};
use super::{BucketUrl, CreateOutcome, Page};
use object_store::list::PaginatedListOptions;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Concurrent requests.
const AT_ONCE: usize = 16;

/// Tries of a request, each with the retries of the client.
const MAX_ATTEMPTS: u32 = 4;

/// An open bucket.
pub struct Bucket {
    url: BucketUrl,
    region: String,
    client: Arc<dyn Client>,
    runtime: Runtime,
    /// Times of objects that were listed.
    modified: Mutex<HashMap<String, i64>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client holds credentials.
        f.debug_struct("Bucket").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Opens a bucket with the credentials of the environment. A missing bucket fails at the first request.
    pub fn open(url: &BucketUrl) -> Result<Bucket, BucketError> {
        let failed = |error: std::io::Error| BucketError::new("open", url, BucketFault::Other(error.to_string()));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let opened = client::open(url, &runtime)?;
        let modified = Mutex::default();
        Ok(Bucket { url: url.clone(), region: opened.region, client: opened.client, runtime, modified })
    }

    /// The bucket's URL.
    pub fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// The content of each object, or its first `most` bytes; `None` if there is no such object.
    pub fn read(&self, names: &[String], most: Option<u64>) -> Vec<Result<Option<Vec<u8>>, BucketError>> {
        self.each(names.iter().map(|name| (format!("read {name} in"), (self.path(name), most))), read)
    }

    /// Creates objects. One that exists is left unchanged and returned.
    pub fn create(&self, objects: &[(String, Vec<u8>)]) -> Vec<Result<CreateOutcome, BucketError>> {
        let tasks = objects
            .iter()
            .map(|(name, bytes)| (format!("write {name} to"), (self.path(name), PutPayload::from(bytes.clone()))));
        self.each(tasks, create)
    }

    /// Removes objects; for each, true where it existed.
    pub fn remove(&self, names: &[String]) -> Vec<Result<bool, BucketError>> {
        self.each(names.iter().map(|name| (format!("remove {name} from"), self.path(name))), remove)
    }

    /// A page of the names that begin with a prefix and sort after a name: one request.
    pub fn page(&self, prefix: &str, after: Option<&str>, next: Option<String>) -> Result<Page, BucketError> {
        self.pages(vec![(prefix.to_owned(), after.map(str::to_owned), next)])
            .pop()
            .unwrap_or_else(|| Ok(Page::default()))
    }

    /// Several pages concurrently, each as from [`Bucket::page`].
    pub fn pages(&self, requests: Vec<(String, Option<String>, Option<String>)>) -> Vec<Result<Page, BucketError>> {
        let root = self.root();
        let tasks = requests.into_iter().map(|(prefix, after, next)| {
            let offset = after.map(|after| format!("{root}{after}"));
            let options = PaginatedListOptions { offset, page_token: next, ..PaginatedListOptions::default() };
            ("list".to_owned(), (root.clone(), prefix, options))
        });
        let pages = self.each(tasks, list);
        let mut modified = self.modified.lock().unwrap_or_else(PoisonError::into_inner);
        for page in pages.iter().flatten() {
            modified.extend(page.names.iter().cloned().zip(page.modified.iter().copied()));
        }
        pages
    }

    /// When an object was last modified, in seconds since 1970; `None` unless a page listed it.
    pub fn modified(&self, name: &str) -> Option<i64> {
        self.modified.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// The folders and objects directly below the bucket's prefix.
    pub fn top(&self) -> Result<Page, BucketError> {
        let mut whole = Page::default();
        let mut next = None;
        loop {
            let options = PaginatedListOptions {
                delimiter: Some("/".into()),
                page_token: next,
                ..PaginatedListOptions::default()
            };
            let task = ("list".to_owned(), (self.root(), String::new(), options));
            let page = self.each([task], list).pop().unwrap_or_else(|| Ok(Page::default()))?;
            whole.names.extend(page.names);
            whole.folders.extend(page.folders);
            next = page.next;
            if next.is_none() {
                return Ok(whole);
            }
        }
    }

    /// The prefix of all names.
    fn root(&self) -> String {
        if self.url.prefix.is_empty() { String::new() } else { format!("{}/", self.url.prefix) }
    }

    fn path(&self, name: &str) -> Path {
        // Not `Path::from`, which would escape the percent signs of a name.
        let whole = format!("{}{name}", self.root());
        let root = Path::from(self.root());
        let joined = if root.as_ref().is_empty() { name.to_owned() } else { format!("{root}/{name}") };
        Path::parse(joined).unwrap_or_else(|_| Path::from(whole))
    }

    /// Makes a request for each item; the responses are in the order of the items.
    fn each<I, T, F>(
        &self,
        items: impl IntoIterator<Item = (String, I)>,
        request: impl Fn(Arc<dyn Client>, I) -> F,
    ) -> Vec<Result<T, BucketError>>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let mut waiting: Vec<(usize, u32, String, I)> =
            items.into_iter().enumerate().map(|(index, (what, item))| (index, 1, what, item)).collect();
        let mut responses: Vec<Option<Result<T, BucketError>>> = waiting.iter().map(|_| None).collect();
        waiting.reverse();
        let lost = |what: &str| BucketError::new(what, &self.url, BucketFault::Other("a request was lost".to_owned()));
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE
                    && let Some((index, tries, what, item)) = waiting.pop()
                {
                    let response = request(Arc::clone(&self.client), item.clone());
                    running.spawn(async move {
                        tokio::time::sleep(pause(tries)).await;
                        (index, tries, what, item, response.await)
                    });
                }
                let Some(joined) = running.join_next().await else { break };
                let Ok((index, tries, what, item, response)) = joined else { continue };
                let response = response.map_err(|failure| BucketFault::of(&failure, &self.region));
                match response {
                    Err(fault) if fault.is_transient() && tries < MAX_ATTEMPTS => {
                        waiting.push((index, tries + 1, what, item))
                    }
                    response => {
                        let response = response.map_err(|fault| BucketError::new(what, &self.url, fault));
                        if let Some(place) = responses.get_mut(index) {
                            *place = Some(response);
                        }
                    }
                }
            }
        });
        responses.into_iter().map(|response| response.unwrap_or_else(|| Err(lost("use")))).collect()
    }
}

/// The back-off before a try; none before the first.
fn pause(tries: u32) -> Duration {
    if tries == 1 { Duration::ZERO } else { Duration::from_millis(100 << tries) }
}

async fn read(client: Arc<dyn Client>, (path, most): (Path, Option<u64>)) -> Result<Option<Vec<u8>>, Failure> {
    let options = GetOptions { range: most.map(|most| GetRange::Bounded(0..most)), ..GetOptions::default() };
    match recorded(async { client.get_opts(&path, options).await?.bytes().await }).await {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(failure) if failure.is_missing_object() => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn create(client: Arc<dyn Client>, (path, payload): (Path, PutPayload)) -> Result<CreateOutcome, Failure> {
    use object_store::Error::{AlreadyExists, PermissionDenied};
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let Err(failure) = recorded(client.put_opts(&path, payload, options)).await else { return Ok(CreateOutcome::New) };
    match failure.error {
        // `None`: another writer of this object has not finished yet.
        AlreadyExists { .. } => read(client, (path, None)).await?.map(CreateOutcome::Exists).ok_or(failure),
        // Without the permission to replace, Azure denies a write where an object exists, whatever its condition.
        PermissionDenied { .. } => match read(client, (path, None)).await {
            Ok(Some(bytes)) => Ok(CreateOutcome::Exists(bytes)),
            _ => Err(failure),
        },
        _ => Err(failure),
    }
}

async fn remove(client: Arc<dyn Client>, path: Path) -> Result<bool, Failure> {
    use object_store::Error::NotFound;
    match recorded(client.head(&path)).await {
        // Another process may remove it in between.
        Ok(_) => match recorded(client.delete(&path)).await {
            Err(Failure { error: NotFound { .. }, .. }) => Ok(false),
            response => response.map(|()| true),
        },
        Err(Failure { error: NotFound { .. }, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn list(client: Arc<dyn Client>, (root, prefix, options): ListRequest) -> Result<Page, Failure> {
    let prefix = format!("{root}{prefix}");
    let prefix = (!prefix.is_empty()).then_some(prefix);
    let response = recorded(client.list_paginated(prefix.as_deref(), options)).await?;
    let name = |path: &Path| path.as_ref().strip_prefix(root.as_str()).map(str::to_owned);
    let objects = response.result.objects.iter();
    let (names, modified) =
        objects.filter_map(|object| Some((name(&object.location)?, object.last_modified.timestamp()))).unzip();
    Ok(Page {
        names,
        modified,
        folders: response.result.common_prefixes.iter().filter_map(name).collect(),
        next: response.page_token,
    })
}

/// The prefix of all names, that of the listed ones below it, and options.
type ListRequest = (String, String, PaginatedListOptions);
