//! Compares small counts of events, such as errors or missed frames. Their ratio is not informative: after 0, 0 and 1, a
//! count of 3 is within chance. Counts of independent events follow Poisson distributions, so given the sum of all counts,
//! the count of head is binomial (Przyborowski and Wilenski 1940).

use statrs::function::beta::checked_beta_reg;

/// Larger sums are compared by their ratio, because real counts vary more than Poisson distributions.
const MAX_EVENTS: u64 = 100;

/// The comparison of two sides of counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountChange {
    /// Events of all runs of base and of head.
    pub events: [u64; 2],
    /// Number of runs of base and of head; `None` for shares, whose events are counted per sample.
    pub runs: Option<[usize; 2]>,
    /// `ln` of the events per run (or sample) of head over those of base; infinite if base has none.
    pub ln_ratio: f64,
    /// P value towards more events.
    pub p_more: f64,
    /// P value towards fewer events.
    pub p_fewer: f64,
    /// 95% confidence interval of `ln_ratio` (Clopper and Pearson 1934); its ends may be infinite.
    pub interval: (f64, f64),
    /// How many times larger the variance of the base runs is than that of independent events; at least 1.
    pub dispersion: f64,
    /// The share of the change, in events per run or sample, that the newest of several base runs shows.
    pub newest_base_share: f64,
}

/// Compares the counts of the runs of two sides; `None` if a value is not a count, or if there are many events.
pub fn compare(base: &[f64], head: &[f64]) -> Option<CountChange> {
    let events = |side: &[f64]| -> Option<u64> {
        let is_count = |value: &f64| *value >= 0.0 && value.fract() == 0.0 && *value <= MAX_EVENTS as f64;
        side.iter().all(is_count).then(|| side.iter().sum::<f64>() as u64)
    };
    let runs = [base.len(), head.len()];
    let exposure = head.len() as f64 / base.len() as f64;
    let change = change([events(base)?, events(head)?], exposure, dispersion(base))?;
    let mean = |side: &[f64]| side.iter().sum::<f64>() / side.len() as f64;
    let newest_base_share = share_of(*base.last()?, mean(base), mean(head));
    Some(CountChange { runs: Some(runs), newest_base_share, ..change })
}

/// Compares shares of samples, each given as (events, samples); `None` without events, or with too many. The number of rare
/// events in many samples has a Poisson distribution, like a count per run.
pub fn compare_shares(base: &[(u64, u64)], head: &[(u64, u64)]) -> Option<CountChange> {
    let rate = |(events, samples): (u64, u64)| events as f64 / samples as f64;
    let newest = base.last().copied()?;
    let sums = |side: &[(u64, u64)]| {
        side.iter().fold((0_u64, 0_u64), |sum, one| (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1)))
    };
    let (base, head) = (sums(base), sums(head));
    let change = change([base.0, head.0], head.1 as f64 / base.1 as f64, 1.0)?;
    Some(CountChange { newest_base_share: share_of(rate(newest), rate(base), rate(head)), ..change })
}

/// The share of the change from base to head that the newest base run shows; zero where it cannot be computed.
fn share_of(newest: f64, base: f64, head: f64) -> f64 {
    let share = (newest - base) / (head - base);
    if share.is_finite() { share } else { 0.0 }
}

/// How many times larger the variance of the counts is than that of independent events (the dispersion of a quasi-Poisson model);
/// at least 1. Events that come in groups count as fewer independent ones. The newest of several runs does not count, because a
/// change of main may be its cause.
fn dispersion(counts: &[f64]) -> f64 {
    const ROUNDING: f64 = 1e-9;
    if counts.len() < 2 {
        return 1.0;
    }
    let counts = if counts.len() > 3 { &counts[..counts.len() - 1] } else { counts };
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let squares: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
    let variance = squares / (counts.len() as f64 - 1.0);
    if variance > mean * (1.0 + ROUNDING) { variance / mean } else { 1.0 }
}

/// The change of the number of events; `exposure` is the number of runs or samples of head over that of base.
fn change([of_base, of_head]: [u64; 2], exposure: f64, dispersion: f64) -> Option<CountChange> {
    let sum = of_base.saturating_add(of_head);
    if sum == 0 || sum > MAX_EVENTS || !exposure.is_finite() || exposure <= 0.0 {
        return None;
    }
    let share = exposure / (1.0 + exposure);
    let ln_ratio_of = |share: f64| (share / (1.0 - share) / exposure).ln();
    let [base, head, all] = [of_base, of_head, sum].map(|events| events as f64 / dispersion);
    Some(CountChange {
        events: [of_base, of_head],
        runs: None,
        ln_ratio: (of_head as f64 / of_base as f64 / exposure).ln(),
        p_more: at_least(head, all, share),
        p_fewer: at_least(base, all, 1.0 - share),
        interval: (ln_ratio_of(lower_end(head, all)), ln_ratio_of(1.0 - lower_end(base, all))),
        dispersion,
        newest_base_share: 0.0,
    })
}

/// P(X >= `k`) of a binomial distribution.
fn at_least(k: f64, n: f64, share: f64) -> f64 {
    if k == 0.0 {
        return 1.0;
    }
    checked_beta_reg(k, n - k + 1.0, share).unwrap_or(1.0)
}

/// The lower end of the interval of a share: at it, `k` successes or more have a probability of 2.5%.
fn lower_end(k: f64, n: f64) -> f64 {
    if k == 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_least(k, n, middle) < 0.025 { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_the_binomial_distribution() {
        let rare = compare(&[0.0, 0.0, 1.0], &[3.0]).unwrap();
        // 3 or 4 of 4 events in one of four runs: 4 * 0.25^3 * 0.75 + 0.25^4.
        assert!((rare.p_more - 0.050_781_25).abs() < 1e-9, "{rare:?}");
        assert!((rare.ln_ratio - 9.0_f64.ln()).abs() < 1e-12);
        // Clopper and Pearson: 3 of 4 is 0.1941 to 0.9937.
        let expected = |share: f64| (share / (1.0 - share) * 3.0).ln();
        assert!(
            (rare.interval.0 - expected(0.194_120_4)).abs() < 1e-5
                && (rare.interval.1 - expected(0.993_690_5)).abs() < 1e-3
        );
        let none = compare(&[0.0, 0.0], &[2.0]).unwrap();
        assert!(none.ln_ratio.is_infinite() && none.interval.1.is_infinite() && none.interval.0.is_finite());
    }

    #[test]
    fn sides_mirror_each_other() {
        let (one, two) = (compare(&[4.0, 6.0], &[15.0]).unwrap(), compare(&[15.0], &[4.0, 6.0]).unwrap());
        assert!((one.ln_ratio + two.ln_ratio).abs() < 1e-12);
        assert!((one.p_more - two.p_fewer).abs() < 1e-12);
        assert!((one.interval.0 + two.interval.1).abs() < 1e-9);
    }

    #[test]
    fn shares_are_compared_per_sample() {
        let shares = compare_shares(&[(0, 50), (1, 100)], &[(3, 50)]).unwrap();
        let runs = compare(&[0.0, 0.0, 1.0], &[3.0]).unwrap();
        // Two of the three runs together have the events of the second share.
        let newest_base_share = shares.newest_base_share;
        assert_eq!(shares, CountChange { runs: None, newest_base_share, ..runs });
        assert_eq!(compare_shares(&[(0, 50)], &[(0, 50)]), None);
        assert_eq!(compare_shares(&[(90, 500)], &[(90, 500)]), None);
        assert_eq!(compare_shares(&[(1, 0)], &[(1, 0)]), None);
    }

    #[test]
    fn events_that_come_in_groups_count_as_fewer() {
        let p = |base: &[f64], head: f64| compare(base, &[head]).unwrap().p_more;
        assert!(p(&[0.0, 30.0, 0.0, 0.0, 0.0], 30.0) > 0.1);
        assert!(p(&[1.0, 1.0, 25.0, 1.0, 1.0, 1.0], 25.0) > 0.1);
        assert!(p(&[3.0, 10.0, 2.0, 8.0, 4.0, 9.0, 1.0, 12.0, 5.0, 6.0], 14.0) > 0.025);
        // As many events that come one by one.
        assert!(p(&[6.0, 5.0, 7.0, 6.0, 6.0], 30.0) < 1e-6);
    }

    #[test]
    fn the_newest_base_run_shows_a_share_of_the_change() {
        // The base has 4 events per run, head 14: 9 is half of the way.
        let of_runs = |base: &[f64]| compare(base, &[14.0]).unwrap().newest_base_share;
        assert_eq!([of_runs(&[1.0, 2.0, 9.0]), of_runs(&[9.0, 2.0, 1.0]), of_runs(&[4.0])], [0.5, -0.3, 0.0]);
        let of_shares = compare_shares(&[(1, 100), (2, 100), (9, 100)], &[(14, 100)]).unwrap();
        assert!((of_shares.newest_base_share - 0.5).abs() < 1e-12);
    }

    #[test]
    fn other_values_are_not_compared_as_counts() {
        assert_eq!(compare(&[0.5], &[1.0]), None);
        assert_eq!(compare(&[60.0], &[70.0]), None);
        assert_eq!(compare(&[0.0], &[0.0]), None);
    }
}
