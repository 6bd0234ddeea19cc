//! Counts the instructions of base and head. Most counts repeat exactly, so one per side is enough. Benchmarks whose counts
//! differ are counted again, because some counts vary at random, for example with the seeds of hash maps.

use super::bench::Bench;
use super::session::{Base, Checkouts, Session};
use crate::compare::schedule::{SideKind, order};
use crate::compare::{self, BenchmarkMetric, SuiteComparison};
use crate::gate::confirm;
use crate::gate::error::Error;
use crate::gate::judge::PolicyRules;
use crate::model::{Diagnostic, Evidence, Run};
use crate::policy::Policy;
use crate::stats::centre;
use std::collections::{BTreeMap, BTreeSet};

/// How often a count that varies is repeated. With the first count, that is seven per side: without a difference, all counts of
/// one side are below those of the other by chance in 1 of 1,716 cases.
const MAX_PAIRS: usize = 6;
/// Counts of one side that differ by more than this share vary.
const REPEATABLE: f64 = 1e-4;

/// The counts of one benchmark in base and head, in the order in which they were taken.
#[derive(Debug, Default, PartialEq)]
struct Counts([Vec<f64>; 2]);

impl Counts {
    fn range(side: &[f64]) -> (f64, f64) {
        side.iter().fold((f64::INFINITY, 0.0), |(low, high), count| (count.min(low), count.max(high)))
    }

    /// The largest difference of counts of one side, as a share.
    fn variation(&self) -> f64 {
        let of_side = |side: &Vec<f64>| {
            let (low, high) = Counts::range(side);
            if high > low { (high - low) / high } else { 0.0 }
        };
        self.0.iter().map(of_side).fold(0.0, f64::max)
    }

    /// The count of base and the count of head that are closest to each other; the median of all if the sides overlap.
    fn closest(&self) -> [f64; 2] {
        let [(base_low, base_high), (head_low, head_high)] = self.0.each_ref().map(|side| Counts::range(side));
        if head_low > base_high {
            [base_high, head_low]
        } else if head_high < base_low {
            [base_low, head_high]
        } else {
            [centre::median(&self.0.concat()); 2]
        }
    }

    /// True if further counts could change what is reported.
    fn needs_more_counts(&self) -> bool {
        let [base, head] = self.closest();
        base != head && self.variation() > REPEATABLE
    }
}

impl Session<'_> {
    /// Counts both sides, and counts the benchmarks that differ again.
    pub(super) fn count(
        &mut self,
        bench: &mut Bench<'_>,
        base: &Base,
        checkouts: &Checkouts,
    ) -> Result<SuiteComparison, Error> {
        for side_kind in [SideKind::Base, SideKind::Head] {
            let counted = self.run_side(bench, checkouts, side_kind, &format!("counting {}", side_kind.word()))?;
            self.keep(side_kind, counted)?;
        }
        let rules = confirm::in_turn(self.policy());
        let mut compared = confirm::screen(&self.gate.config, &self.runs.base, &self.runs.head, rules)?;
        let changed = confirm::changed(&self.judge(compared.clone(), base, checkouts));
        if !changed.is_empty() {
            self.runs.re_measured = self.count_again(bench, checkouts, &changed)?;
            confirm::replace(self.policy(), &mut compared, &changed, &self.runs.re_measured, 1);
        }
        compared.diagnostics.push(confirm::note_on_counts());
        Ok(compared)
    }

    /// Counts changed benchmarks once more, and varying ones several times. The returned runs have the counts that are
    /// closest to each other; there are none if no pair of counts was completed.
    fn count_again(
        &mut self,
        bench: &mut Bench<'_>,
        checkouts: &Checkouts,
        changed: &BTreeSet<BenchmarkMetric>,
    ) -> Result<[Vec<Run>; 2], Error> {
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for suspect in changed {
            let first =
                Counts([&self.runs.base, &self.runs.head].map(|runs| of(self.policy(), runs, &suspect.benchmark)));
            counts.insert(&suspect.benchmark, first);
        }
        let noun = if changed.len() == 1 { "changed benchmark" } else { "changed benchmarks" };
        self.progress.message(&format!("counting {} {noun} again", changed.len()));
        let mut open: BTreeSet<&str> = counts.keys().copied().collect();
        let mut complete = 0;
        for (index, side_kind) in order(MAX_PAIRS).into_iter().enumerate() {
            if index.is_multiple_of(2) && index > 0 {
                open.retain(|name| counts.get(name).is_some_and(Counts::needs_more_counts));
            }
            if open.is_empty() {
                break;
            }
            let step = format!("counting again, {}", side_kind.word());
            self.progress.begin(&step);
            let (side, older) = match side_kind {
                SideKind::Base => (&checkouts.base, &self.runs.base),
                SideKind::Head => (&checkouts.head, &self.runs.head),
            };
            let counted = match bench.run(side, Some(&self.names_in(older, &open))) {
                Ok(counted) => counted,
                Err(error) if error.is_interrupted() => return Err(error.into()),
                Err(error) => {
                    self.stop_re_measuring(&step, &error);
                    break;
                }
            };
            self.finished += 1;
            complete = index.div_ceil(2);
            self.progress.done(&step, counted.wall);
            for name in &open {
                let side =
                    counts.get_mut(name).and_then(|counts| counts.0.get_mut(usize::from(side_kind == SideKind::Head)));
                side.into_iter()
                    .for_each(|side| side.extend(of(self.policy(), std::slice::from_ref(&counted.run), name)));
            }
        }
        if complete == 0 {
            return Ok([Vec::new(), Vec::new()]);
        }
        for (name, counts) in counts.iter().filter(|(_, counts)| counts.variation() > REPEATABLE) {
            let [base, head] = counts.0.each_ref().map(Vec::len);
            let share = 100.0 * counts.variation();
            let why = format!(
                "its count differs by up to {share:.2}% between runs of one commit; of {base} counts of base and {head} of head, the \
                 closest are compared"
            );
            bench.diagnostics.push(Diagnostic::note("counts-vary", *name, why));
        }
        let side = |index: usize, runs: &[Run]| {
            let runs = compare::keep_suspects(runs, changed, PolicyRules(self.policy()));
            runs.into_iter()
                .map(|run| with_counts(self.policy(), run, |name| Some(counts.get(name)?.closest()[index])))
                .collect()
        };
        Ok([side(0, &self.runs.base), side(1, &self.runs.head)])
    }

    /// The names that benchmarks have in the runs of a side: base may have them under old names.
    fn names_in(&self, runs: &[Run], current: &BTreeSet<&str>) -> Vec<String> {
        let names: BTreeSet<&str> =
            runs.iter().flat_map(|run| &run.measurements).map(|one| one.benchmark.as_str()).collect();
        let is_one = |name: &&str| current.contains(current_name(self.policy(), name).as_str());
        names.into_iter().filter(is_one).map(str::to_owned).collect()
    }
}

fn current_name(policy: &Policy, name: &str) -> String {
    policy.rename(name).unwrap_or_else(|| name.to_owned())
}

/// The counts of a benchmark in some runs.
fn of(policy: &Policy, runs: &[Run], name: &str) -> Vec<f64> {
    let measurements = runs.iter().flat_map(|run| &run.measurements);
    let found = measurements.filter(|one| current_name(policy, one.benchmark.as_str()) == name);
    found.flat_map(|one| &one.evidence).map(Evidence::centre).collect()
}

fn with_counts(policy: &Policy, mut run: Run, count: impl Fn(&str) -> Option<f64>) -> Run {
    for measurement in &mut run.measurements {
        if let Some(count) = count(&current_name(policy, measurement.benchmark.as_str())) {
            measurement.evidence = vec![Evidence::Value(count)];
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_vary_are_compared_by_the_closest_ones() {
        let counts = |base: &[f64], head: &[f64]| Counts([base.to_vec(), head.to_vec()]);
        let exact = counts(&[1000.0, 1000.0], &[1050.0, 1050.0]);
        assert_eq!((exact.closest(), exact.needs_more_counts()), ([1000.0, 1050.0], false));
        let apart = counts(&[1000.0, 1020.0], &[1080.0, 1050.0]);
        assert_eq!((apart.closest(), apart.needs_more_counts()), ([1020.0, 1050.0], true));
        let fewer = counts(&[1080.0, 1050.0], &[1000.0, 1020.0]);
        assert_eq!((fewer.closest(), fewer.needs_more_counts()), ([1050.0, 1020.0], true));
        let overlapping = counts(&[1000.0, 1040.0], &[1050.0, 1030.0]);
        assert_eq!((overlapping.closest(), overlapping.needs_more_counts()), ([1035.0, 1035.0], false));
        assert!((overlapping.variation() - 40.0 / 1040.0).abs() < 1e-12);
    }
}
