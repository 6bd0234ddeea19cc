//! Ends the program if libgit2 does not return, because it never stops reading a truncated object. perfgate cannot
//! check the objects first, because it cannot predict which ones libgit2 reads while walking the history.

use super::loose;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// After this time, a separate thread checks the loose objects.
const SUSPICIOUS: Duration = Duration::from_millis(300);
/// With a truncated object, an operation that is still not done after this time is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(1);
/// No read of a repository takes longer.
const READ_TIMEOUT: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_millis(100);

/// Why an operation will not end.
#[derive(Debug, thiserror::Error)]
pub enum StuckReason {
    /// The file of an object ends too early.
    #[error(
        "the git object {id} is damaged: its file in {} ends too early; `git fsck` lists damaged objects; fetch them again \
         from another clone", objects.display()
    )]
    Object {
        /// The object.
        id: String,
        /// The folder of objects.
        objects: PathBuf,
    },
    /// It takes too long.
    #[error("reading the git objects in {} took over {} minutes; check the disk, and run `git fsck`", objects.display(), READ_TIMEOUT.as_secs() / 60)]
    Late {
        /// The folder of objects.
        objects: PathBuf,
    },
}

#[derive(Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, (Instant, PathBuf)>,
    has_thread: bool,
}

static STATE: Mutex<State> = Mutex::new(State { next: 0, running: BTreeMap::new(), has_thread: false });
static STARTED: Condvar = Condvar::new();
static END: OnceLock<fn(&StuckReason)> = OnceLock::new();

/// Starts watching. `end` reports the error and ends the program. Without this call nothing is watched.
pub fn install(end: fn(&StuckReason)) {
    let _ = END.set(end);
}

/// An operation of libgit2; it ends with the drop.
#[derive(Debug)]
pub struct Operation(u64);

/// Begins an operation that reads a folder of objects.
pub fn begin(objects: &Path) -> Option<Operation> {
    let end = END.get()?;
    let mut state = lock();
    if !state.has_thread {
        let thread = std::thread::Builder::new().name("watchdog".to_owned());
        state.has_thread = thread.spawn(|| watch(*end)).is_ok();
    }
    state.next += 1;
    let number = state.next;
    state.running.insert(number, (Instant::now(), objects.to_owned()));
    STARTED.notify_one();
    Some(Operation(number))
}

impl Drop for Operation {
    fn drop(&mut self) {
        lock().running.remove(&self.0);
    }
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_running(number: u64) -> bool {
    lock().running.contains_key(&number)
}

fn watch(end: fn(&StuckReason)) {
    let mut checked = 0;
    loop {
        let state = lock();
        // Sleeps while there is nothing to watch, so that it does not disturb measured commands.
        drop(STARTED.wait_while(state, |state| state.running.is_empty()).unwrap_or_else(PoisonError::into_inner));
        std::thread::sleep(TICK);
        let Some((number, (since, objects))) = lock().running.first_key_value().map(|(n, o)| (*n, o.clone())) else {
            continue;
        };
        if since.elapsed() > READ_TIMEOUT {
            end(&StuckReason::Late { objects });
        } else if since.elapsed() > SUSPICIOUS && checked != number {
            checked = number;
            if let Some((id, objects)) = loose::find_truncated(&objects, || is_running(number)) {
                std::thread::sleep(STUCK_AFTER.saturating_sub(since.elapsed()));
                if is_running(number) {
                    end(&StuckReason::Object { id, objects });
                }
            }
        }
    }
}
