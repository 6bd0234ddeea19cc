//! Ctrl-C, SIGTERM and SIGHUP set a flag that long operations check, so that they can clean up before they end. A second
//! signal ends the program at once; the next perfgate then removes what this one leaves.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static WATCHED: AtomicBool = AtomicBool::new(false);
/// The first processes of the running commands.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The usual exit code after Ctrl-C: 128 and the number of SIGINT.
const EXIT_CODE: i32 = 130;

/// Installs the handler. From now on the first of these signals only sets the flag.
pub fn watch() -> Result<(), ctrlc::Error> {
    // `perfgate ci` can measure twice, and a second handler is an error.
    if WATCHED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            kill_running();
            std::process::exit(EXIT_CODE);
        }
    })
}

/// True after one of the signals.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Notes a command that a second signal kills.
pub fn started(leader: u32) {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(leader);
}

/// Notes that a command has ended.
pub fn ended(leader: u32) {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&leader);
}

#[cfg(unix)]
fn kill_running() {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    for leader in running.iter().filter_map(|leader| i32::try_from(*leader).ok()) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Windows ends the commands with perfgate.
#[cfg(not(unix))]
fn kill_running() {}
