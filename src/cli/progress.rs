//! Progress of a measurement on standard error: a bar with the time left on a terminal, a line for each step elsewhere.

use crate::gate::Progress;
use crate::render::escape;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Progress on the terminal.
pub struct Terminal {
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Progress over a number of runs.
    pub fn new(runs: usize) -> Terminal {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
            style(&bar, runs);
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Terminal { bar }
    }
}

fn style(bar: &ProgressBar, runs: usize) {
    if let Ok(style) = ProgressStyle::with_template(template(runs)) {
        bar.set_style(style.with_key("time", time));
    }
}

/// While the number of runs is unknown, a bar would be full.
fn template(runs: usize) -> &'static str {
    match runs {
        0 => "{spinner} {msg} ({elapsed})",
        _ => "{bar:24} {pos}/{len} {msg} ({time})",
    }
}

/// The time left, or the time so far while no run has ended.
fn time(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let _ = match state.pos() {
        0 => write!(out, "{}", HumanDuration(state.elapsed())),
        _ => write!(out, "{} left", HumanDuration(state.eta())),
    };
}

impl Progress for Terminal {
    fn stage(&self, what: &str) {
        match &self.bar {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_message(escape::terminal(what));
            }
            None => self.message(what),
        }
    }

    fn plan(&self, done: usize, runs: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_length(runs as u64);
            style(bar, runs);
        }
    }

    fn begin(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(escape::terminal(what));
        }
    }

    fn done(&self, what: &str, wall: Duration) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => self.message(&format!("{what}: {:.1} s", wall.as_secs_f64())),
        }
    }

    fn message(&self, line: &str) {
        let line = escape::lines(line);
        match &self.bar {
            Some(bar) => bar.suspend(|| drop(write!(anstream::stderr(), "{line}"))),
            None => drop(write!(anstream::stderr(), "{line}")),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_only_of_a_known_number_of_runs() {
        assert!(!template(0).contains("bar") && !template(0).contains("{len}"));
        assert!(template(1).contains("{bar") && template(1).contains("{len}"));
    }
}
