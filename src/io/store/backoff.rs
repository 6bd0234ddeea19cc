//! Waiting for one's turn: longer each time, and each writer differently, so that those who met once do not meet again.
//! The spread is computed from the process and the repository, not drawn.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// However many tries are left, nobody waits longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// A series of waits.
#[derive(Debug)]
pub(super) struct Backoff {
    place: PathBuf,
    most: u32,
    first: Duration,
    longest: Duration,
    tries: u32,
    began: Instant,
}

impl Backoff {
    /// At most so many tries at a place; the waits double from the first to the longest.
    pub(super) fn new(place: &Path, most: u32, first: Duration, longest: Duration) -> Self {
        Backoff { place: place.to_owned(), most, first, longest, tries: 1, began: Instant::now() }
    }

    /// Waits before the next try; an error with the number of tries where they are used up.
    pub(super) fn wait(&mut self) -> Result<(), u32> {
        if self.tries >= self.most || self.began.elapsed() >= PATIENCE {
            return Err(self.tries);
        }
        std::thread::sleep(self.next());
        self.tries += 1;
        Ok(())
    }

    /// Between a half and three halves of the doubled wait.
    fn next(&self) -> Duration {
        let doubled = self.first.saturating_mul(1 << (self.tries - 1).min(16)).min(self.longest);
        let mut hasher = DefaultHasher::new();
        (std::process::id(), std::thread::current().id(), &self.place, self.tries).hash(&mut hasher);
        let share = (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64;
        doubled.mul_f64(0.5 + share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_then_end() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(Path::new("x"), 5, ms(1), ms(4));
        for doubled in [1, 2, 4, 4] {
            let wait = backoff.next();
            assert!(wait >= ms(doubled) / 2 && wait < ms(doubled) * 3 / 2, "{wait:?}");
            assert_eq!(backoff.wait(), Ok(()));
        }
        assert_eq!(backoff.wait(), Err(5));
    }
}
