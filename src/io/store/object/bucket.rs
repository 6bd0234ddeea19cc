//! A bucket as a place of whole objects: the asynchronous client ends here. What the objects are is for others; the
//! store of runs is one of them.
//!
//! Many objects are asked for at once, since most of a request is waiting. What breaks on the way is tried again, a
//! conditional write too: who writes an object again that is there already finds the same bytes in it.

use super::BucketUrl;
use super::address::{self, Client};
use super::fault::{BucketError, Fault};
use object_store::list::PaginatedListOptions;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Requests that are under way at once.
const AT_ONCE: usize = 16;

/// How often a request is made whose answer was cut off.
const TRIES: u32 = 4;

/// An open bucket.
pub struct Bucket {
    url: BucketUrl,
    region: String,
    client: Arc<dyn Client>,
    runtime: Runtime,
}

/// What came of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The object is new.
    New,
    /// There was one of this name, with this content.
    There(Vec<u8>),
}

/// Some of the names below a prefix, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Names of objects, without the bucket's own prefix.
    pub names: Vec<String>,
    /// Names of folders, where they were asked for.
    pub folders: Vec<String>,
    /// What the next page is asked for with; `None` at the end.
    pub next: Option<String>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client holds credentials.
        f.debug_struct("Bucket").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Opens a bucket with the credentials of the environment. Whether it is there shows with the first request.
    pub fn open(url: &BucketUrl) -> Result<Bucket, BucketError> {
        let failed = |error: std::io::Error| BucketError::new("open", url, Fault::Other(error.to_string()));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let opened = address::open(url, &runtime)?;
        Ok(Bucket { url: url.clone(), region: opened.region, client: opened.client, runtime })
    }

    /// Where it is.
    pub fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// The content of each object, or of its first bytes; `None` where there is none of that name.
    pub fn read(&self, names: &[String], most: Option<u64>) -> Vec<Result<Option<Vec<u8>>, BucketError>> {
        self.each(names.iter().map(|name| (format!("read {name} in"), (self.path(name), most))), read)
    }

    /// Writes objects that must not be there yet; one that is there is left as it is and given back.
    pub fn create(&self, objects: &[(String, Vec<u8>)]) -> Vec<Result<Created, BucketError>> {
        let tasks = objects
            .iter()
            .map(|(name, bytes)| (format!("write {name} to"), (self.path(name), PutPayload::from(bytes.clone()))));
        self.each(tasks, create)
    }

    /// Writes objects, over those that are there.
    pub fn write(&self, objects: &[(String, Vec<u8>)]) -> Result<(), BucketError> {
        let tasks = objects
            .iter()
            .map(|(name, bytes)| (format!("write {name} to"), (self.path(name), PutPayload::from(bytes.clone()))));
        self.each(tasks, |client, (path, payload)| async move { client.put(&path, payload).await.map(drop) })
            .into_iter()
            .collect()
    }

    /// Takes objects away and says of each whether it was there.
    pub fn remove(&self, names: &[String]) -> Vec<Result<bool, BucketError>> {
        self.each(names.iter().map(|name| (format!("remove {name} from"), self.path(name))), remove)
    }

    /// The names that begin with a prefix and come after a name: at most a page of them, which is one request.
    pub fn page(&self, prefix: &str, after: Option<&str>, next: Option<String>) -> Result<Page, BucketError> {
        self.pages(vec![(prefix.to_owned(), after.map(str::to_owned), next)])
            .pop()
            .unwrap_or_else(|| Ok(Page::default()))
    }

    /// Several pages at once, each as [`Bucket::page`] gives it.
    pub fn pages(&self, asked: Vec<(String, Option<String>, Option<String>)>) -> Vec<Result<Page, BucketError>> {
        let root = self.root();
        let tasks = asked.into_iter().map(|(prefix, after, next)| {
            let offset = after.map(|after| format!("{root}{after}"));
            let options = PaginatedListOptions { offset, page_token: next, ..PaginatedListOptions::default() };
            ("list".to_owned(), (root.clone(), prefix, options))
        });
        self.each(tasks, list)
    }

    /// The folders and objects right below the bucket's prefix.
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

    /// Where the names in this bucket begin.
    fn root(&self) -> String {
        if self.url.prefix.is_empty() { String::new() } else { format!("{}/", self.url.prefix) }
    }

    fn path(&self, name: &str) -> Path {
        // A name is taken as it is: a percent sign in it is one already, and is not escaped once more.
        let whole = format!("{}{name}", self.root());
        let root = Path::from(self.root());
        let joined = if root.as_ref().is_empty() { name.to_owned() } else { format!("{root}/{name}") };
        Path::parse(joined).unwrap_or_else(|_| Path::from(whole))
    }

    /// Makes a request for each item, some at a time, and gives the answers in the order of the items.
    fn each<I, T, F>(
        &self,
        items: impl IntoIterator<Item = (String, I)>,
        request: impl Fn(Arc<dyn Client>, I) -> F,
    ) -> Vec<Result<T, BucketError>>
    where
        I: Clone + Send + 'static,
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let mut waiting: Vec<(usize, u32, String, I)> =
            items.into_iter().enumerate().map(|(index, (what, item))| (index, 1, what, item)).collect();
        let mut answers: Vec<Option<Result<T, BucketError>>> = waiting.iter().map(|_| None).collect();
        waiting.reverse();
        let lost = |what: &str| BucketError::new(what, &self.url, Fault::Other("a request was lost".to_owned()));
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE
                    && let Some((index, tries, what, item)) = waiting.pop()
                {
                    let answer = request(Arc::clone(&self.client), item.clone());
                    running.spawn(async move {
                        tokio::time::sleep(pause(tries)).await;
                        (index, tries, what, item, answer.await)
                    });
                }
                let Some(joined) = running.join_next().await else { break };
                let Ok((index, tries, what, item, answer)) = joined else { continue };
                let answer = answer.map_err(|error| Fault::of(&error, &self.region));
                match answer {
                    Err(fault) if fault.may_pass() && tries < TRIES => waiting.push((index, tries + 1, what, item)),
                    answer => {
                        let answer = answer.map_err(|fault| BucketError::new(what, &self.url, fault));
                        if let Some(place) = answers.get_mut(index) {
                            *place = Some(answer);
                        }
                    }
                }
            }
        });
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(lost("ask")))).collect()
    }
}

/// The wait before a try; none before the first.
fn pause(tries: u32) -> Duration {
    if tries == 1 { Duration::ZERO } else { Duration::from_millis(100 << tries) }
}

async fn read(client: Arc<dyn Client>, (path, most): (Path, Option<u64>)) -> object_store::Result<Option<Vec<u8>>> {
    let options = GetOptions { range: most.map(|most| GetRange::Bounded(0..most)), ..GetOptions::default() };
    match client.get_opts(&path, options).await {
        Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
        Err(object_store::Error::NotFound { source, .. }) if !of_bucket(&source.to_string()) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn create(client: Arc<dyn Client>, (path, payload): (Path, PutPayload)) -> object_store::Result<Created> {
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match client.put_opts(&path, payload, options).await {
        Ok(_) => Ok(Created::New),
        Err(error @ object_store::Error::AlreadyExists { .. }) => match read(client, (path, None)).await? {
            Some(bytes) => Ok(Created::There(bytes)),
            // Two writers met, and neither is done.
            None => Err(error),
        },
        // Who may create and not replace is denied it on Azure where there is an object, whatever the condition.
        Err(error @ object_store::Error::PermissionDenied { .. }) => match read(client, (path, None)).await {
            Ok(Some(bytes)) => Ok(Created::There(bytes)),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn remove(client: Arc<dyn Client>, path: Path) -> object_store::Result<bool> {
    match client.head(&path).await {
        // Somebody else may take it away in between.
        Ok(_) => match client.delete(&path).await {
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            answer => answer.map(|()| true),
        },
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn list(client: Arc<dyn Client>, (root, prefix, options): Listed) -> object_store::Result<Page> {
    let prefix = format!("{root}{prefix}");
    let prefix = (!prefix.is_empty()).then_some(prefix);
    let answer = client.list_paginated(prefix.as_deref(), options).await?;
    let name = |path: &Path| path.as_ref().strip_prefix(root.as_str()).map(str::to_owned);
    Ok(Page {
        names: answer.result.objects.iter().filter_map(|object| name(&object.location)).collect(),
        folders: answer.result.common_prefixes.iter().filter_map(name).collect(),
        next: answer.page_token,
    })
}

type Listed = (String, String, PaginatedListOptions);

/// True where it is the bucket that was not found, and not the object.
fn of_bucket(text: &str) -> bool {
    text.contains("NoSuchBucket") || text.contains("ContainerNotFound")
}
