//! What is being measured just now: a bar with the time left on a terminal, a line a step elsewhere. Standard error
//! only: standard output is the report's.

use crate::render::escape;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// The steps of a measurement.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress over so many runs, as far as they are planned by now.
    pub fn new(runs: usize) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} ({eta} left)") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Progress { bar }
    }

    /// The plan changed: so many runs, so many of them done.
    pub fn plan(&self, done: usize, runs: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_length(runs as u64);
        }
    }

    /// A step begins.
    pub fn begin(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(escape::terminal(what));
        }
    }

    /// A run has ended.
    pub fn done(&self, what: &str, wall: Duration) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => self.say(&format!("{what}: {:.1} s", wall.as_secs_f64())),
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        let line = escape::lines(line);
        match &self.bar {
            Some(bar) => bar.suspend(|| drop(write!(anstream::stderr(), "{line}"))),
            None => drop(write!(anstream::stderr(), "{line}")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
