//! Ctrl-C, SIGTERM and SIGHUP set a flag that long operations check, so that they can clean up before they end. A second
//! signal ends the program at once; the next perfgate then removes what this one leaves.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static WATCHED: AtomicBool = AtomicBool::new(false);
/// The first process of the running command; 0 for none.
static RUNNING: AtomicU32 = AtomicU32::new(0);

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

/// Notes the command that a second signal kills.
pub fn set_running(leader: Option<u32>) {
    RUNNING.store(leader.unwrap_or(0), Ordering::SeqCst);
}

#[cfg(unix)]
fn kill_running() {
    if let Ok(leader @ 1..) = i32::try_from(RUNNING.load(Ordering::SeqCst)) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Windows ends the command with perfgate.
#[cfg(not(unix))]
fn kill_running() {
    let _ = RUNNING.load(Ordering::SeqCst);
}
