//! The runs of a measurement, in turn: whole rounds of both sides, then the suspects alone.

use super::session::{Session, Sites};
use crate::cli::bench::{Bench, Measured};
use crate::cli::progress::Progress;
use crate::compare::schedule::{self, Costs, Turn};
use crate::compare::{self, Compared, Suspect};
use crate::gate::{Side, confirm};
use crate::model::Run;
use crate::stats::centre;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

impl Session<'_> {
    /// Pairs of runs of the suspects, as far as it is known before there are any.
    fn planned_pairs(&self) -> usize {
        self.args.confirm.as_ref().and_then(|pairs| pairs.parse().ok()).unwrap_or(schedule::FEW_PAIRS)
    }

    /// The same once they are known, and none of them has run again. A budget was planned with the few.
    pub(super) fn pairs(&self, suspects: &BTreeSet<Suspect>, screened: &Compared, bench: &Bench<'_>) -> usize {
        if self.args.confirm.is_some() || self.args.budget.is_some() {
            return self.planned_pairs();
        }
        let suspects: BTreeSet<&str> = suspects.iter().map(|suspect| &*suspect.benchmark).collect();
        let suite: BTreeSet<&str> = screened.comparisons.iter().map(|one| one.benchmark.as_str()).collect();
        schedule::pairs(suspects.len(), suite.len(), bench.can_filter())
    }

    pub(super) fn rounds(&self, bench: &Bench<'_>) -> usize {
        let default = if bench.is_process() { 5 } else { 1 };
        self.args.rounds.map_or(default, usize::from)
    }

    /// Whole rounds of both sides, or one run of head against stored runs.
    pub(super) fn screen(
        &mut self,
        bench: &mut Bench<'_>,
        sites: &Sites,
        stored: Option<&Side>,
        started: Instant,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let first = if stored.is_some() { Turn::Head } else { Turn::Base };
        let mut warmups = self.args.warmup.unwrap_or(0);
        let mut ahead = None;
        if self.args.warmup.is_none() {
            let measured = self.turn(bench, sites, first, "first run", progress)?;
            // A process that was never run has nothing in the caches: the first one is a warm-up.
            if bench.is_process() { warmups = 1 } else { ahead = Some(measured) }
        }
        for _ in 0..warmups {
            for turn in [Turn::Base, Turn::Head] {
                self.turn(bench, sites, turn, "warm-up", progress)?;
            }
        }
        if stored.is_some() {
            let measured = match ahead {
                Some(measured) => measured,
                None => self.turn(bench, sites, Turn::Head, "head", progress)?,
            };
            return self.take(Turn::Head, measured);
        }
        let mut rounds = self.rounds(bench);
        progress.plan(usize::from(ahead.is_some()), 2 * rounds);
        let mut index = 0;
        let mut cost = Duration::ZERO;
        while index < 2 * rounds {
            let turn = if (index / 2).is_multiple_of(2) == index.is_multiple_of(2) { Turn::Base } else { Turn::Head };
            let what = format!("round {} of {rounds}, {}", index / 2 + 1, turn.word());
            let measured = match ahead.take() {
                Some(measured) => measured,
                None => self.turn(bench, sites, turn, &what, progress)?,
            };
            cost += measured.wall;
            self.take(turn, measured)?;
            index += 1;
            if index == 2
                && let Some(budget) = self.args.budget
            {
                let can_filter = bench.can_filter();
                let costs =
                    Costs { budget, spent: started.elapsed(), round: cost, pairs: self.planned_pairs(), can_filter };
                rounds = schedule::rounds_within(costs);
                progress.plan(2, 2 * rounds);
                progress.say(&self.plan(rounds, costs));
            }
        }
        Ok(())
    }

    /// What the budget buys.
    fn plan(&self, rounds: usize, costs: Costs) -> String {
        let compared = confirm::compare(self.policy(), &self.base, &self.tip);
        let mut smallest: Vec<f64> = compared
            .comparisons
            .iter()
            .filter_map(|comparison| match &comparison.effect {
                compare::Effect::Estimated(estimate) => Some(estimate.detectable().exp_m1()),
                _ => None,
            })
            .collect();
        smallest.sort_unstable_by(f64::total_cmp);
        let mut text = format!(
            "plan: {rounds} {} of about {:.0} s, then {} pairs of what looks slower",
            if rounds == 1 { "round" } else { "rounds" },
            costs.round.as_secs_f64(),
            costs.pairs
        );
        if !smallest.is_empty() {
            let typical = schedule::detectable(centre::median(&smallest), rounds.max(costs.pairs));
            text += &format!("; a typical benchmark shows a change from about {:.0} % on", 100.0 * typical);
        }
        if costs.spent + costs.round > costs.budget {
            text += "; the budget is too small for more than one round";
        }
        text
    }

    fn turn(
        &self,
        bench: &mut Bench<'_>,
        sites: &Sites,
        turn: Turn,
        what: &str,
        progress: &Progress,
    ) -> anyhow::Result<Measured> {
        progress.begin(what);
        let site = match turn {
            Turn::Base => &sites.base,
            Turn::Head => &sites.head,
        };
        let measured = bench.run(site, None)?;
        progress.done(what, measured.wall);
        Ok(measured)
    }

    fn take(&mut self, turn: Turn, measured: Measured) -> anyhow::Result<()> {
        if self.args.record {
            self.keep(measured.run.clone())?;
        }
        match turn {
            Turn::Base => self.base.push(measured.run),
            Turn::Head => self.tip.push(measured.run),
        }
        Ok(())
    }

    /// Measures the suspects again, a number of pairs that was fixed before.
    pub(super) fn measure_again(
        &mut self,
        bench: &mut Bench<'_>,
        sites: &Sites,
        suspects: &BTreeSet<Suspect>,
        pairs: usize,
        progress: &Progress,
    ) -> anyhow::Result<[Vec<Run>; 2]> {
        let rename = |old: &str| self.policy().rename(old).map(str::to_owned);
        let mut names: BTreeSet<String> = suspects.iter().map(|suspect| suspect.benchmark.clone()).collect();
        let old_names = self.base.iter().flat_map(|run| &run.measurements).map(|m| m.benchmark.as_str());
        let renamed: Vec<String> =
            old_names.filter(|old| rename(old).is_some_and(|new| names.contains(&new))).map(str::to_owned).collect();
        names.extend(renamed);
        let names: Vec<String> = names.into_iter().collect();
        let noun = if suspects.len() == 1 { "suspect" } else { "suspects" };
        let how = if bench.can_filter() { "alone" } else { "with the whole suite: COMMAND has no {filter}" };
        progress.say(&format!("{} {noun}, measured again in {pairs} pairs, {how}", suspects.len()));
        progress.plan(0, 2 * pairs);
        let (mut base, mut head) = (Vec::new(), Vec::new());
        for (index, turn) in schedule::order(pairs).into_iter().enumerate() {
            let what = format!("suspects, pair {} of {pairs}, {}", index / 2 + 1, turn.word());
            progress.begin(&what);
            let (site, runs) = match turn {
                Turn::Base => (&sites.base, &mut base),
                Turn::Head => (&sites.head, &mut head),
            };
            let measured = bench.run(site, Some(&names))?;
            progress.done(&what, measured.wall);
            runs.push(measured.run);
        }
        Ok([base, head].map(|runs| compare::only(&runs, suspects, rename)))
    }
}
