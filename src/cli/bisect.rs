//! `perfgate bisect`: the commit that made a benchmark slower. Each step measures a commit against the known good one,
//! in turn, for as long as it takes to tell; which commit comes next is for `compare::search`.

use super::bench::{Bench, BenchArgs, Site};
use super::progress::Progress;
use super::{Global, config, output};
use crate::compare::schedule::{Turn, order};
use crate::compare::search::{Found, MOST_PAIRS, Search, Standing, decide};
use crate::io::command::CommandError;
use crate::io::{interrupt, noise};
use crate::model::{self, Commit, Direction, Measurement};
use crate::policy::{parse_alpha, parse_threshold};
use crate::render::escape;
use crate::stats::centre;
use anyhow::{Context, bail};
use clap::Args;
use std::fmt::Write;

const EXAMPLES: &str = "\
Examples:
  perfgate bisect parse/large --good v1.2 -- cargo bench --bench parser -- {filter}
  perfgate bisect 'sh load.sh' --good HEAD~16 --metric memory:peak -- sh load.sh";

/// Find the commit that made a benchmark slower
///
/// First the bad commit is measured against the good one; then a commit in the middle, and so on, along first parents.
/// Each step runs both in turn until it is clear on which side of half the slow-down the commit lies. Commits that do not
/// build are left out. The answer is a commit, or a range where the ones in between show nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BisectArgs {
    /// The benchmark's full name; for a command that is no benchmark tool, the command's line
    #[arg(value_name = "BENCHMARK")]
    benchmark: String,
    /// A commit where it was fast
    #[arg(long, value_name = "REV")]
    good: String,
    /// A commit where it is slow
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    bad: String,
    /// What of it is looked at
    #[arg(long, value_name = "NAME", default_value = "time")]
    metric: String,
    /// The least slow-down that is searched for
    #[arg(long, value_name = "PERCENT", value_parser = parse_threshold, default_value = "5%")]
    threshold: f64,
    /// Chance that the whole search goes wrong somewhere
    #[arg(long, value_name = "SHARE", value_parser = parse_alpha, default_value = "0.05")]
    error: f64,
    #[command(flatten)]
    bench: BenchArgs,
}

/// Searches, and prints the answer with its evidence.
pub fn run(args: BisectArgs, global: &Global) -> anyhow::Result<u8> {
    let config = config::load(global)?;
    interrupt::watch().context("cannot watch for Ctrl-C")?;
    let bench = Bench::open(&args.bench, &config)?;
    let good = bench.repository.resolve(&args.good)?;
    let bad = bench.repository.resolve(&args.bad)?;
    if good == bad {
        bail!("{} and {} are the same commit; there is nothing to search", args.good, args.bad);
    }
    let commits = bench.repository.between(&good, &bad)?.with_context(|| {
        format!("{} is no ancestor of {}; name a commit that it descends from with --good", args.good, args.bad)
    })?;
    let progress = Progress::new(0);
    noise::conditions().iter().for_each(|condition| progress.say(&condition.message));
    let good_site = bench.check_out("good", &good, false)?;
    let trial_site = bench.check_out("test", &bad, false)?;
    bench.build(&good_site)?;
    let mut hunt = Hunt { args: &args, bench, good: good_site, trial: trial_site, progress, evidence: Vec::new() };
    let answer = hunt.search(&commits);
    let Hunt { bench, evidence, progress, .. } = hunt;
    let text = answer.map(|found| tell(&bench, &commits, found, &evidence, &args));
    drop((progress, bench));
    output::print(escape::lines(&text?).as_bytes())?;
    Ok(0)
}

/// What a step showed.
struct Evidence {
    commit: usize,
    standing: Standing,
    /// Log ratios of its pairs; empty for a commit that could not be measured.
    changes: Vec<f64>,
    /// Why it could not.
    why: Option<String>,
}

/// A search that goes on.
struct Hunt<'a> {
    args: &'a BisectArgs,
    bench: Bench<'a>,
    good: Site,
    trial: Site,
    progress: Progress,
    evidence: Vec<Evidence>,
}

impl Hunt<'_> {
    fn search(&mut self, commits: &[Commit]) -> anyhow::Result<Found> {
        let last = commits.len().saturating_sub(1);
        let mut search = Search::new(commits.len());
        // Every step may go wrong, the first one too: each has its share of the error.
        let error = self.args.error / f64::from(search.steps_left() + 1);
        let least = self.args.threshold.ln_1p();
        let whole = self.measure(commits, last, least / 2.0, error)?;
        let change = centre::median(&whole.changes);
        if whole.standing != Standing::Slow || change < least {
            let why = match whole.why {
                Some(why) => why,
                None => format!(
                    "it differs by {:+.1} % in {} pairs, and at least {:.0} % is searched for (--threshold)",
                    100.0 * change.exp_m1(),
                    whole.changes.len(),
                    100.0 * self.args.threshold
                ),
            };
            bail!(
                "{} is not shown to be slower at {} than at {}: {why}",
                self.args.benchmark,
                self.args.bad,
                self.args.good
            );
        }
        self.evidence.push(whole);
        while let Some(commit) = search.next() {
            let step = self.measure(commits, commit, change / 2.0, error)?;
            search.note(commit, step.standing);
            self.evidence.push(step);
        }
        Ok(search.found())
    }

    /// Runs a commit against the good one until it is decided.
    fn measure(&mut self, commits: &[Commit], index: usize, bound: f64, error: f64) -> anyhow::Result<Evidence> {
        let commit = &commits[index];
        let short = commit.short();
        self.bench.switch(&mut self.trial, commit)?;
        self.progress.begin(&format!("building {short}"));
        if let Err(error) = self.bench.build(&self.trial) {
            return self.skipped(index, short, error);
        }
        let mut changes = Vec::new();
        let (mut fast, mut slow) = (None, None);
        for (number, turn) in order(MOST_PAIRS).into_iter().enumerate() {
            self.progress.begin(&format!("{short}: pair {}", number / 2 + 1));
            match turn {
                Turn::Base => fast = Some(self.value(true).context("the good commit cannot be measured")?),
                Turn::Head => match self.value(false) {
                    Ok(value) => slow = Some(value),
                    Err(error) => return self.skipped(index, short, error),
                },
            }
            if let (Some(good), Some(trial)) = (fast, slow) {
                changes.push(trial - good);
                (fast, slow) = (None, None);
                if let Some(standing) = decide(&changes, bound, error) {
                    self.say(short, standing, &changes);
                    return Ok(Evidence { commit: index, standing, changes, why: None });
                }
            }
        }
        self.say(short, Standing::Skipped, &changes);
        Ok(Evidence { commit: index, standing: Standing::Skipped, changes, why: None })
    }

    fn skipped(&mut self, index: usize, short: &str, error: anyhow::Error) -> anyhow::Result<Evidence> {
        let ends = error.chain().any(|cause| matches!(cause.downcast_ref(), Some(CommandError::Interrupted)));
        if ends {
            return Err(error);
        }
        let why = format!("{error:#}");
        let line = why.lines().next().unwrap_or_default().to_owned();
        self.progress.say(&format!("{short}: left out: {line}"));
        Ok(Evidence { commit: index, standing: Standing::Skipped, changes: Vec::new(), why: Some(why) })
    }

    fn say(&self, short: &str, standing: Standing, changes: &[f64]) {
        let change = 100.0 * centre::median(changes).exp_m1();
        self.progress.say(&format!("{short}: {} ({change:+.1} %, {} pairs)", word(standing), changes.len()));
    }

    /// The benchmark's value in one run, on the log scale; larger is worse.
    fn value(&mut self, good: bool) -> anyhow::Result<f64> {
        let only = [self.args.benchmark.clone()];
        let site = if good { &self.good } else { &self.trial };
        let measured = self.bench.run(site, Some(&only))?;
        let named =
            |m: &&Measurement| m.benchmark.as_str() == self.args.benchmark && *m.metric.name == *self.args.metric;
        let Some(measurement) = measured.run.measurements.iter().find(named) else {
            let names: Vec<String> = measured
                .run
                .measurements
                .iter()
                .take(5)
                .map(|m| format!("{} ({})", m.benchmark, m.metric.name))
                .collect();
            bail!(
                "{} ({}) is not among the results of {}: {}",
                self.args.benchmark,
                self.args.metric,
                site.commit.short(),
                names.join(", ")
            );
        };
        let direction = measurement.metric.direction;
        let value = |one: &model::Evidence| one.fast_edge(direction).unwrap_or_else(|| one.centre());
        let values: Vec<f64> = measurement.replicates.iter().map(|one| value(one).ln()).collect();
        let value = centre::median(&values) * if direction == Direction::Lower { 1.0 } else { -1.0 };
        if value.is_finite() { Ok(value) } else { bail!("{}: a value of zero has no ratio", self.args.benchmark) }
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Fast => "fast",
        Standing::Slow => "slow",
        Standing::Skipped => "shows neither",
        Standing::Unknown => "not measured",
    }
}

/// The answer and what it rests on.
fn tell(bench: &Bench<'_>, commits: &[Commit], found: Found, evidence: &[Evidence], args: &BisectArgs) -> String {
    let named = |commit: &Commit| format!("{} {}", commit.short(), bench.repository.subject(commit));
    let mut out = String::new();
    let metric = if args.metric == "time" { String::new() } else { format!(" ({})", args.metric) };
    if found.first == found.last {
        let _ = writeln!(out, "{}{metric} got slower with\n  {}", args.benchmark, named(&commits[found.last]));
    } else {
        let count = found.last - found.first + 1;
        let _ = writeln!(out, "{}{metric} got slower with one of {count} commits", args.benchmark);
        for commit in &commits[found.first..=found.last] {
            let _ = writeln!(out, "  {}", named(commit));
        }
    }
    let _ = writeln!(out, "\nEvidence, each against {} in turn:", args.good);
    let mut steps: Vec<&Evidence> = evidence.iter().collect();
    steps.sort_by_key(|step| step.commit);
    for step in steps {
        let commit = commits[step.commit].short();
        if step.changes.is_empty() {
            let _ = writeln!(out, "  {commit}  left out: it does not build or run");
            continue;
        }
        let percent = |log: f64| 100.0 * log.exp_m1();
        let low = step.changes.iter().copied().fold(f64::INFINITY, f64::min);
        let high = step.changes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _ = writeln!(
            out,
            "  {commit}  {:<13} {:+.1} % ({:+.1} to {:+.1} % in {} pairs)",
            word(step.standing),
            percent(centre::median(&step.changes)),
            percent(low),
            percent(high),
            step.changes.len()
        );
    }
    out
}
