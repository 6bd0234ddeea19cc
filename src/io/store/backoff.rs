//! Retry with exponential back-off. The jitter is computed from the process, the thread and the repository, not random.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest time that retries may take in total.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The waits between the tries of one operation.
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
    /// At most `most` tries at a place. The waits double from `first` to `longest`.
    pub(super) fn new(place: &Path, most: u32, first: Duration, longest: Duration) -> Self {
        Backoff { place: place.to_owned(), most, first, longest, tries: 1, began: Instant::now() }
    }

    /// Waits before the next try. Fails with the number of tries if they or the total time are used up.
    pub(super) fn wait(&mut self) -> Result<(), u32> {
        if self.tries >= self.most || self.began.elapsed() >= TIMEOUT {
            return Err(self.tries);
        }
        std::thread::sleep(self.next());
        self.tries += 1;
        Ok(())
    }

    /// The doubled wait with jitter: between 0.5 and 1.5 times as long.
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
    fn waits_double_up_to_a_limit_and_then_end() {
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
