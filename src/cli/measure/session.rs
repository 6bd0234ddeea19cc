//! One measurement from beginning to end: both sides are checked out and built, screened, and judged.

use super::MeasureArgs;
use crate::cli::bench::{Bench, Measured, Site};
use crate::cli::progress::Progress;
use crate::cli::record;
use crate::compare::Compared;
use crate::gate::{Config, Scene, Side, confirm, side as sides};
use crate::io::noise;
use crate::io::repository::{Head, Repository};
use crate::model::{Commit, Detail, Environment, Run, differences};
use crate::policy::Policy;
use crate::verdict::{Circumstances, EnvironmentReport, Report, SideReport, judge};
use anyhow::{Context, bail};
use std::path::Path;
use std::time::Instant;

/// One measurement as it goes on.
pub(super) struct Session<'a> {
    pub args: &'a MeasureArgs,
    pub config: &'a Config,
    pub head: Head,
    /// Runs that were stored.
    pub kept: usize,
    pub base: Vec<Run>,
    pub tip: Vec<Run>,
    /// Runs of the suspects, base and head.
    pub again: [Vec<Run>; 2],
}

/// Where the base comes from, and what it is called.
struct Base {
    label: String,
    commit: Commit,
}

/// Both sides, checked out and built.
pub(super) struct Sites {
    pub base: Site,
    pub head: Site,
}

impl Session<'_> {
    pub(super) fn policy(&self) -> &Policy {
        &self.config.policy
    }

    fn scene(&self) -> Scene<'_> {
        Scene { config: self.config, store: self.args.store.as_deref(), format: self.args.bench.format() }
    }

    /// Runs of this side only, each stored as it ends.
    pub(super) fn record_only(&mut self, bench: &mut Bench<'_>) -> anyhow::Result<()> {
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
    pub(super) fn keep(&mut self, mut run: Run) -> anyhow::Result<String> {
        let commit = run.commit.clone().context("a run is stored for a commit")?;
        let repository = Repository::discover(Path::new("."))?;
        run.time = repository.time(&commit)?;
        run.branch = self.head.branch.clone().filter(|_| commit == self.head.commit);
        let line = record::keep(&*self.scene().open_store()?, &run, commit.short())?;
        self.kept += 1;
        Ok(line)
    }

    /// Both sides, screening and suspects.
    pub(super) fn measure(&mut self, bench: &mut Bench<'_>) -> anyhow::Result<Report> {
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
        let mut compared = confirm::compared(self.policy(), &base_runs, &self.tip)?;
        let suspects = confirm::suspects(&self.judge(compared.clone(), &base, &sites));
        if !suspects.is_empty() {
            let pairs = self.pairs(&suspects, &compared, bench);
            self.again = self.measure_again(bench, &sites, &suspects, pairs, &progress)?;
            confirm::confirm(self.policy(), &mut compared, &suspects, &self.again, pairs);
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
        let here = sides::here(Path::new("."));
        let ignored = self.policy().ignored_environment();
        side.runs
            .retain(|run| !differences(&run.environment, &here, ignored).iter().any(|difference| difference.decisive));
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
        let label = match sites.head.environment.get(Environment::DIRTY) {
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
