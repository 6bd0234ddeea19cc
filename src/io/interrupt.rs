//! Ctrl-C, SIGTERM and SIGHUP set a flag that long operations check, so that they can clean up before they end.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler. From now on these signals only set the flag.
pub fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst))
}

/// True after one of the signals.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
