//! `perfgate measure`: runs a benchmark command on base and head, interleaved on this machine, judges, and measures the
//! suspects again. What one run is, is for `bench`; in which order, for `compare::schedule`.

use super::bench::{Bench, BenchArgs, Measured, Site, parse_time};
use super::compare::{View, save, show};
use super::config::Config;
use super::gate::GateArgs;
use super::progress::Progress;
use super::sides::{self, Scene, Side};
use super::taken::{self, Taken};
use super::{Global, config, facts, plots, record};
use crate::compare::schedule::{self, Costs, Turn};
use crate::compare::{self, Compared, Suspect};
use crate::io::repository::Head;
use crate::io::{interrupt, noise};
use crate::model::{Commit, Detail, Run};
use crate::policy::Policy;
use crate::stats::centre;
use crate::verdict::{Circumstances, EnvironmentReport, Report, SideReport, judge};
use anyhow::{Context, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  perfgate measure -- cargo bench                                        this work tree against the merge base
  perfgate measure --base v1.2 --budget 15m -- cargo bench --bench parser
  perfgate measure --base main -- pytest benches --benchmark-json={out} {filter}
  perfgate measure --base main --setup 'make' -- ./build/tool input.txt    no benchmark tool: the process is timed
  perfgate measure --no-base --rounds 5 -- cargo bench                   store five runs of HEAD";

/// Run a benchmark command on base and head, side by side, and judge
///
/// Both sides are checked out and built in directories of their own, outside the work tree, which is only read:
/// uncommitted changes come along to head. Base and head run in turn; then what looks slower runs again on both sides, a
/// fixed number of times, and is judged by these fresh runs alone. Results are found in the file that {out} names, in
/// criterion's directory, in files that the run wrote below the work tree, or on standard output; a command that is no
/// benchmark tool and leaves none is timed itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MeasureArgs {
    /// What to compare with [default: the merge base with the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Measure this side only, in place, and store the runs
    #[arg(long, conflicts_with_all = ["base", "stored", "confirm", "budget", "save", "plots", "fail_on", "threshold", "alpha"])]
    no_base: bool,
    /// Screen against stored runs of the base: head alone runs first, and both sides only for the suspects
    #[arg(long, conflicts_with = "rounds")]
    stored: bool,
    /// Rounds before the suspects; a round is one run of each side [default: 1, or 5 of a process]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Pairs of runs of the suspects [default: 5 where those are at most three in ten of the suite, else 3]
    #[arg(long, value_name = "PAIRS", value_parser = ["3", "5"])]
    confirm: Option<String>,
    /// Plan the rounds so that all of it takes about so long (15m, 1h)
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "rounds")]
    budget: Option<Duration>,
    /// Runs of each side that are not counted, before the others [default: 0, or 1 of a process]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    warmup: Option<u16>,
    /// Store each run that is finished
    #[arg(long)]
    record: bool,
    /// Where stored runs are [default: git:refs/perfgate/baselines]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = View::Table)]
    format: View,
    /// Write the comparison to a file too, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write pictures to a directory too, as SVG: all changes, and the samples of each benchmark
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// List unchanged benchmarks too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    bench: BenchArgs,
}

/// Measures, judges, prints and saves; the exit code is the report's.
pub fn run(args: MeasureArgs, global: &Global) -> anyhow::Result<u8> {
    let mut config = config::load(global)?;
    config.policy = args.gate.overrule(config.policy);
    let Some((mut report, taken)) = measure(&args, &config)? else { return Ok(0) };
    if args.save.is_some() || args.plots.is_some() {
        report.keep(taken.strips(&config.policy));
    }
    if args.save.is_some() {
        report.facts = Some(facts::of_measured(&config, &report, &args.bench.command));
    }
    if let Some(path) = &args.save {
        save(&report, path)?;
    }
    if let Some(directory) = &args.plots {
        plots::write(directory, &crate::render::plots::of_report(&report))?;
    }
    show(&report, args.format, args.all)?;
    Ok(report.exit_code())
}

/// The arguments for a command that is judged against a revision, or, without one, whose run is only stored.
pub(super) fn args(words: &[String], base: Option<&str>, store: Option<&str>) -> anyhow::Result<MeasureArgs> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: MeasureArgs,
    }
    let side = base.map_or("--no-base".to_owned(), |base| format!("--base={base}"));
    let store = store.map(|store| format!("--store={store}"));
    let line = ["measure".to_owned(), side].into_iter().chain(store).chain(["--".to_owned()]);
    let line: Line = clap::Parser::try_parse_from(line.chain(words.iter().cloned()))?;
    Ok(line.args)
}

/// Measures and judges; with `--no-base` the runs are stored and there is no report.
pub(super) fn measure(args: &MeasureArgs, config: &Config) -> anyhow::Result<Option<(Report, Taken)>> {
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    let mut bench = Bench::open(&args.bench, config)?;
    let head = bench.repository.head()?;
    let mut session =
        Session { args, config, head, kept: 0, base: Vec::new(), tip: Vec::new(), again: Default::default() };
    let outcome = match args.no_base {
        true => session.record_only(&mut bench).map(|()| None),
        false => session.measure(&mut bench).map(Some),
    };
    drop(bench); // the work trees go before anything is said
    let taken = Taken { base: session.base, head: session.tip, again: session.again };
    match outcome.map(|report| report.map(|report| (report, taken))) {
        Err(error) if session.kept > 0 => {
            Err(error.context(format!("{} finished runs are stored, the rest is not measured", session.kept)))
        }
        outcome => outcome,
    }
}

/// One measurement as it goes on.
struct Session<'a> {
    args: &'a MeasureArgs,
    config: &'a Config,
    head: Head,
    /// Runs that were stored.
    kept: usize,
    base: Vec<Run>,
    tip: Vec<Run>,
    /// Runs of the suspects, base and head.
    again: [Vec<Run>; 2],
}

/// Where the base comes from, and what it is called.
struct Base {
    label: String,
    commit: Commit,
}

/// Both sides, checked out and built.
struct Sites {
    base: Site,
    head: Site,
}

impl Session<'_> {
    fn policy(&self) -> &Policy {
        &self.config.policy
    }

    fn scene(&self) -> Scene<'_> {
        Scene { config: self.config, store: self.args.store.as_deref(), format: self.args.bench.format() }
    }

    /// Pairs of runs of the suspects, as far as it is known before there are any.
    fn planned_pairs(&self) -> usize {
        self.args.confirm.as_ref().and_then(|pairs| pairs.parse().ok()).unwrap_or(schedule::FEW_PAIRS)
    }

    /// The same once they are known, and none of them has run again. A budget was planned with the few.
    fn pairs(&self, suspects: &BTreeSet<Suspect>, screened: &Compared, bench: &Bench<'_>) -> usize {
        if self.args.confirm.is_some() || self.args.budget.is_some() {
            return self.planned_pairs();
        }
        let suspects: BTreeSet<&str> = suspects.iter().map(|suspect| &*suspect.benchmark).collect();
        let suite: BTreeSet<&str> = screened.comparisons.iter().map(|one| one.benchmark.as_str()).collect();
        schedule::pairs(suspects.len(), suite.len(), bench.can_filter())
    }

    /// Runs of this side only, each stored as it ends.
    fn record_only(&mut self, bench: &mut Bench<'_>) -> anyhow::Result<()> {
        let rounds = usize::from(self.args.rounds.unwrap_or(1));
        let site = bench.in_place(&self.head.commit)?;
        let progress = Progress::new(rounds);
        for _ in 0..self.args.warmup.unwrap_or(0) {
            bench.run(&site, None)?;
            progress.say("warm-up: not counted");
        }
        for round in 1..=rounds {
            let what = format!("run {round} of {rounds}");
            progress.begin(&what);
            let Measured { run, wall } = bench.run(&site, None)?;
            progress.done(&what, wall);
            let line = self.keep(run)?;
            progress.say(line.trim_end());
        }
        bench.oddities().iter().for_each(|oddity| progress.say(&oddity.to_string()));
        Ok(())
    }

    /// Stores a run.
    fn keep(&mut self, mut run: Run) -> anyhow::Result<String> {
        let commit = run.commit.clone().context("a run is stored for a commit")?;
        let repository = crate::io::repository::Repository::discover(std::path::Path::new("."))?;
        run.time = repository.time(&commit)?;
        run.branch = self.head.branch.clone().filter(|_| commit == self.head.commit);
        let line = record::keep(&*self.scene().open_store()?, &run, commit.short())?;
        self.kept += 1;
        Ok(line)
    }

    /// Both sides, screening and suspects.
    fn measure(&mut self, bench: &mut Bench<'_>) -> anyhow::Result<Report> {
        let started = Instant::now();
        let base = self.base(bench)?;
        let stored = if self.args.stored { Some(self.stored_base(&base)?) } else { None };
        let progress = Progress::new(2 * self.rounds(bench));
        let conditions = noise::conditions();
        conditions.iter().for_each(|condition| progress.say(&condition.message));
        bench.diagnostics.extend(conditions);

        let sites = self.prepare(bench, &base, &progress)?;
        self.screen(bench, &sites, stored.as_ref(), started, &progress)?;
        let base_runs = stored.map(|side| side.runs).unwrap_or_else(|| self.base.clone());
        if self.base.is_empty() {
            self.base.clone_from(&base_runs);
        }
        let mut compared = taken::compared(self.policy(), &base_runs, &self.tip)?;
        let suspects = taken::suspects(&self.judge(compared.clone(), &base, &sites));
        if !suspects.is_empty() {
            let pairs = self.pairs(&suspects, &compared, bench);
            self.again = self.measure_again(bench, &sites, &suspects, pairs, &progress)?;
            taken::confirm(self.policy(), &mut compared, &suspects, &self.again, pairs);
        }
        compared.diagnostics.extend(bench.oddities());
        Ok(self.judge(compared, &base, &sites))
    }

    fn base(&self, bench: &Bench<'_>) -> anyhow::Result<Base> {
        let repository = &bench.repository;
        match &self.args.base {
            Some(word) => Ok(Base { label: word.clone(), commit: repository.resolve(word)? }),
            None => {
                let commit = repository.merge_base(&self.head.commit)?;
                if commit == self.head.commit && !repository.is_dirty()? {
                    bail!(
                        "HEAD is on the default branch and nothing is changed, so both sides would be the same; name the \
                         base with --base, as in --base HEAD~1"
                    );
                }
                Ok(Base { label: "the merge base".to_owned(), commit })
            }
        }
    }

    /// Stored runs that the head alone is screened against.
    fn stored_base(&self, base: &Base) -> anyhow::Result<Side> {
        let mut side = self.scene().read_revision(&base.label, &base.commit, Detail::Digests)?;
        let here = sides::here(std::path::Path::new("."));
        let ignored = self.policy().ignored_environment();
        side.runs.retain(|run| {
            !crate::model::differences(&run.environment, &here, ignored).iter().any(|difference| difference.decisive)
        });
        if side.runs.is_empty() {
            bail!(
                "all stored runs of {} ({}) are of other machines; leave --stored out, so that base is measured here too",
                base.label,
                base.commit.short()
            );
        }
        Ok(side)
    }

    /// Checks both sides out and builds them.
    fn prepare(&self, bench: &Bench<'_>, base: &Base, progress: &Progress) -> anyhow::Result<Sites> {
        let sites = Sites {
            base: bench.check_out("base", &base.commit, false)?,
            head: bench.check_out("head", &self.head.commit, true)?,
        };
        for site in [&sites.base, &sites.head] {
            progress.begin("building");
            if let Some(wall) = bench.build(site)? {
                progress.say(&format!("built {}: {:.1} s", site.commit.short(), wall.as_secs_f64()));
            }
        }
        Ok(sites)
    }

    fn rounds(&self, bench: &Bench<'_>) -> usize {
        let default = if bench.is_process() { 5 } else { 1 };
        self.args.rounds.map_or(default, usize::from)
    }

    /// Whole rounds of both sides, or one run of head against stored runs.
    fn screen(
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
        let compared = taken::compare(self.policy(), &self.base, &self.tip);
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
    fn measure_again(
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

    fn judge(&self, mut compared: Compared, base: &Base, sites: &Sites) -> Report {
        let report = |label: String, runs: usize, site: &Site| SideReport {
            label,
            runs,
            commit: Some(site.commit.as_str().to_owned()),
            environment: site.environment.0.clone(),
            ..SideReport::default()
        };
        let side = |report: SideReport, site: &Site| Side {
            runs: Vec::new(),
            report,
            environment: Some(site.environment.clone()),
            diagnostics: Vec::new(),
        };
        let base = side(report(base.label.clone(), self.base.len(), &sites.base), &sites.base);
        let label = match sites.head.environment.get(crate::model::Environment::DIRTY) {
            Some(_) => "HEAD with uncommitted changes",
            None => "HEAD",
        };
        let head = side(report(label.to_owned(), self.tip.len(), &sites.head), &sites.head);
        let (environment, diagnostic): (EnvironmentReport, _) =
            sides::machines(&base, &head, self.policy().ignored_environment());
        compared.diagnostics.extend(diagnostic);
        let today = jiff::Zoned::now().date();
        judge(compared, self.policy(), Circumstances { base: base.report, head: head.report, environment, today })
    }
}
