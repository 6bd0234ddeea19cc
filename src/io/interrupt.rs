//! Ctrl-C, SIGTERM and SIGHUP as a question that long work asks now and then: whoever holds children or directories
//! lets them go on the way out.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on a signal to end is noted and ends nothing by itself.
pub fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst))
}

/// True once a signal to end has come.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
