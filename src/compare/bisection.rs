//! Binary search for the commit that made a benchmark slower: the commit to measure next, and the sequential test that
//! decides from pairs of runs whether a commit is slow.

use crate::stats::student;

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStatus {
    /// Not measured yet.
    Unknown,
    /// As fast as the good commit.
    Fast,
    /// As slow as the bad commit.
    Slow,
    /// Not buildable, or undecided.
    Skipped,
}

/// A binary search over commits, oldest first. The commit before the first one is fast, the last one is slow.
#[derive(Debug, Clone)]
pub struct Bisection {
    statuses: Vec<CommitStatus>,
}

/// The possible first slow commits: `first..=last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidates {
    /// The first candidate.
    pub first: usize,
    /// The last candidate, which is known to be slow.
    pub last: usize,
}

impl Bisection {
    /// A search over a number of commits, at least one.
    pub fn new(commits: usize) -> Bisection {
        let mut statuses = vec![CommitStatus::Unknown; commits];
        if let Some(last) = statuses.last_mut() {
            *last = CommitStatus::Slow;
        }
        Bisection { statuses }
    }

    /// Records the result of a commit.
    pub fn note(&mut self, commit: usize, status: CommitStatus) {
        if let Some(place) = self.statuses.get_mut(commit) {
            *place = status;
        }
    }

    /// The remaining candidates.
    pub fn candidates(&self) -> Candidates {
        let last = self.statuses.iter().position(|s| *s == CommitStatus::Slow).unwrap_or(self.statuses.len() - 1);
        let first = self.statuses[..last].iter().rposition(|s| *s == CommitStatus::Fast).map_or(0, |fast| fast + 1);
        Candidates { first, last }
    }

    /// The commit to measure next: the unknown candidate nearest to the middle. `None` if no candidate is unknown.
    pub fn next(&self) -> Option<usize> {
        let Candidates { first, last } = self.candidates();
        let unknown = (first..last).filter(|index| self.statuses[*index] == CommitStatus::Unknown);
        // The commit at `index` splits `first..=last` into those up to it and those after it.
        unknown.min_by_key(|index| ((2 * index + 1).abs_diff(first + last), *index))
    }

    /// Largest number of commits still to be measured, if none is skipped.
    pub fn steps_left(&self) -> u32 {
        let Candidates { first, last } = self.candidates();
        (last - first + 1).next_power_of_two().trailing_zeros()
    }
}

/// Lower limit of the standard deviation of pairs, on the log scale.
const MIN_SD: f64 = 0.005;
/// Fewer pairs are not tested: their standard deviation is too uncertain.
pub const MIN_PAIRS: usize = 3;
/// After this many pairs a commit stays undecided: the benchmark is too noisy.
pub const MAX_PAIRS: usize = 12;

/// Tests whether the mean change of pairs of runs lies above or below a limit; `None` if it is undecided. `changes` are
/// log ratios, larger is slower. The error probability is divided by the number of possible tests (Bonferroni).
pub fn decide(changes: &[f64], limit: f64, error: f64) -> Option<CommitStatus> {
    if changes.len() < MIN_PAIRS {
        return None;
    }
    let n = changes.len() as f64;
    let tests = (MAX_PAIRS - MIN_PAIRS + 1) as f64;
    let mean = changes.iter().sum::<f64>() / n;
    let variance = changes.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let se = (variance.max(MIN_SD * MIN_SD) / n).sqrt();
    let reach = student::quantile(1.0 - error / tests, n - 1.0) * se;
    if mean - reach > limit {
        Some(CommitStatus::Slow)
    } else if mean + reach < limit {
        Some(CommitStatus::Fast)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(commits: usize, planted: usize, broken: &[usize]) -> (Candidates, usize) {
        let mut search = Bisection::new(commits);
        let mut measured = 0;
        while let Some(commit) = search.next() {
            let status = match commit {
                commit if broken.contains(&commit) => CommitStatus::Skipped,
                commit if commit >= planted => CommitStatus::Slow,
                _ => CommitStatus::Fast,
            };
            measured += usize::from(status != CommitStatus::Skipped);
            search.note(commit, status);
        }
        (search.candidates(), measured)
    }

    #[test]
    fn each_of_sixteen_commits_is_found_in_four_steps() {
        for planted in 0..16 {
            let (found, measured) = search(16, planted, &[]);
            assert_eq!(found, Candidates { first: planted, last: planted });
            assert_eq!(measured, 4);
        }
        assert_eq!(search(1, 0, &[]), (Candidates { first: 0, last: 0 }, 0));
        assert_eq!(Bisection::new(16).steps_left(), 4);
    }

    #[test]
    fn commits_that_do_not_build_leave_several_candidates() {
        assert_eq!(search(16, 9, &[7, 8]).0, Candidates { first: 7, last: 9 });
        assert_eq!(search(16, 3, &[9, 10, 11]).0, Candidates { first: 3, last: 3 });
        let all: Vec<usize> = (0..15).collect();
        assert_eq!(search(16, 5, &all), (Candidates { first: 0, last: 15 }, 0));
    }

    #[test]
    fn stable_pairs_decide_soon_and_noisy_ones_never() {
        let limit = 0.1;
        assert_eq!(decide(&[0.2, 0.2], limit, 0.01), None);
        assert_eq!(decide(&[0.2, 0.21, 0.19], limit, 0.05), Some(CommitStatus::Slow));
        assert_eq!(decide(&[0.0, 0.005, -0.005], limit, 0.05), Some(CommitStatus::Fast));
        assert_eq!(decide(&[0.5, -0.4, 0.3, 0.1, -0.2, 0.4], limit, 0.05), None);
    }
}
