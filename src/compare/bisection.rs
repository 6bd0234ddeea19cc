//! The search for the commit that made a benchmark slower: which commit to measure next, from what the measured ones
//! showed, and when a series of paired runs has shown enough. Measures nothing itself.

use crate::stats::student;

/// What is known of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStatus {
    /// Not measured yet.
    Unknown,
    /// As fast as the good one.
    Fast,
    /// As slow as the bad one.
    Slow,
    /// Cannot be built, or shows neither.
    Skipped,
}

/// A binary search over commits, oldest first. The one before the first is fast, the last one is slow.
#[derive(Debug, Clone)]
pub struct Bisection {
    statuses: Vec<CommitStatus>,
}

/// Where the slow-down began: among the commits `first..=last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidates {
    /// The first commit that it may be.
    pub first: usize,
    /// The last one, which is known to be slow.
    pub last: usize,
}

impl Bisection {
    /// A search over so many commits, at least one.
    pub fn new(commits: usize) -> Bisection {
        let mut statuses = vec![CommitStatus::Unknown; commits];
        if let Some(last) = statuses.last_mut() {
            *last = CommitStatus::Slow;
        }
        Bisection { statuses }
    }

    /// Notes what a commit showed.
    pub fn note(&mut self, commit: usize, status: CommitStatus) {
        if let Some(place) = self.statuses.get_mut(commit) {
            *place = status;
        }
    }

    /// The commits that it may be by now.
    pub fn found(&self) -> Candidates {
        let last = self.statuses.iter().position(|s| *s == CommitStatus::Slow).unwrap_or(self.statuses.len() - 1);
        let first = self.statuses[..last].iter().rposition(|s| *s == CommitStatus::Fast).map_or(0, |fast| fast + 1);
        Candidates { first, last }
    }

    /// The commit to measure next: the unknown one nearest to the middle. `None` when no unknown one is left.
    pub fn next(&self) -> Option<usize> {
        let Candidates { first, last } = self.found();
        let unknown = (first..last).filter(|index| self.statuses[*index] == CommitStatus::Unknown);
        // The commit at `index` splits `first..=last` into those up to it and those after it.
        unknown.min_by_key(|index| ((2 * index + 1).abs_diff(first + last), *index))
    }

    /// How many commits are still to be measured, at most, if none is skipped.
    pub fn steps_left(&self) -> u32 {
        let Candidates { first, last } = self.found();
        (last - first + 1).next_power_of_two().trailing_zeros()
    }
}

/// No pair is trusted to be steadier than this.
const STEADIEST: f64 = 0.005;
/// Two pairs say nothing of their spread.
pub const FEWEST_PAIRS: usize = 3;
/// By then a benchmark is too unsteady for this step.
pub const MOST_PAIRS: usize = 12;

/// What pairs of runs show of a change against a bound, at an error that is shared out over all looks at them.
/// `changes` are log ratios, one a pair, larger is slower. `None`: not decided yet.
pub fn decide(changes: &[f64], bound: f64, error: f64) -> Option<CommitStatus> {
    if changes.len() < FEWEST_PAIRS {
        return None;
    }
    let n = changes.len() as f64;
    let looks = (MOST_PAIRS - FEWEST_PAIRS + 1) as f64;
    let mean = changes.iter().sum::<f64>() / n;
    let variance = changes.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let se = (variance.max(STEADIEST * STEADIEST) / n).sqrt();
    let reach = student::quantile(1.0 - error / looks, n - 1.0) * se;
    if mean - reach > bound {
        Some(CommitStatus::Slow)
    } else if mean + reach < bound {
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
        (search.found(), measured)
    }

    #[test]
    fn every_planted_commit_of_sixteen_is_found_in_four_steps() {
        for planted in 0..16 {
            let (found, measured) = search(16, planted, &[]);
            assert_eq!(found, Candidates { first: planted, last: planted });
            assert_eq!(measured, 4);
        }
        assert_eq!(search(1, 0, &[]), (Candidates { first: 0, last: 0 }, 0));
        assert_eq!(Bisection::new(16).steps_left(), 4);
    }

    #[test]
    fn commits_that_do_not_build_widen_the_answer_to_a_range() {
        assert_eq!(search(16, 9, &[7, 8]).0, Candidates { first: 7, last: 9 });
        assert_eq!(search(16, 3, &[9, 10, 11]).0, Candidates { first: 3, last: 3 });
        let all: Vec<usize> = (0..15).collect();
        assert_eq!(search(16, 5, &all), (Candidates { first: 0, last: 15 }, 0));
    }

    #[test]
    fn steady_pairs_decide_soon_and_wild_ones_not_at_all() {
        let bound = 0.1;
        assert_eq!(decide(&[0.2, 0.2], bound, 0.01), None);
        assert_eq!(decide(&[0.2, 0.21, 0.19], bound, 0.05), Some(CommitStatus::Slow));
        assert_eq!(decide(&[0.0, 0.005, -0.005], bound, 0.05), Some(CommitStatus::Fast));
        assert_eq!(decide(&[0.5, -0.4, 0.3, 0.1, -0.2, 0.4], bound, 0.05), None);
    }
}
