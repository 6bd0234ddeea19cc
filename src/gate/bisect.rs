//! The search for the commit that made a benchmark slower. Each step measures a commit against the known good one, in
//! turn, until it is decided. `compare::bisection` chooses the next commit.

use super::builder::Gate;
use super::measure::{Bench, BenchCommand, MeasureError, Progress, SideCheckout, close};
use crate::compare::bisection::{Bisection, Candidates, CommitStatus, MAX_PAIRS, decide};
use crate::compare::schedule::{SideKind, order};
use crate::io::noise;
use crate::model::{Commit, Direction, Evidence, Measurement, number_text};
use crate::policy::suggest::nearest_name;
use crate::stats::centre;

/// Number of results in a message.
const SHOWN_RESULTS: usize = 5;

/// What is searched for.
pub(crate) struct BisectPlan {
    /// The benchmark, by its current name or an old one.
    pub benchmark: String,
    /// Its metric.
    pub metric: String,
    /// A revision where it is fast.
    pub good: String,
    /// A revision where it is slow.
    pub bad: String,
    /// The smallest slowdown that counts, as a fraction.
    pub threshold: f64,
    /// Probability that any step of the search is wrong.
    pub error: f64,
}

/// What was found.
pub(crate) struct BisectResult {
    /// The commits that could have made it slower, oldest first, with their subjects.
    pub suspects: Vec<(Commit, String)>,
    /// The measured commits, oldest first.
    pub steps: Vec<BisectStep>,
    /// The newest commit before the slowdown that is itself slower than the good commit by more than the threshold.
    pub slower_before: Option<Commit>,
}

/// One measured commit.
pub(crate) struct BisectStep {
    /// Its position in the range.
    position: usize,
    /// The commit.
    pub commit: Commit,
    /// Whether it is fast or slow.
    pub status: CommitStatus,
    /// Log ratios of its pairs, as the values change; empty for a commit that cannot be measured.
    pub changes: Vec<f64>,
    /// Why it cannot be measured.
    pub why: Option<String>,
}

/// Searches for the commit.
pub(crate) fn bisect(
    gate: &Gate,
    command: &BenchCommand,
    plan: &BisectPlan,
    progress: &dyn Progress,
) -> Result<BisectResult, MeasureError> {
    let mut bench = Bench::open(gate, command)?;
    let policy = gate.policy();
    let current = policy.rename(&plan.benchmark).unwrap_or_else(|| plan.benchmark.clone());
    // Older commits call a renamed benchmark by an old name.
    let names = policy.old_names(&current).into_iter().chain([current]).collect();
    let good = bench.repository.resolve(&plan.good)?;
    let bad = bench.repository.resolve(&plan.bad)?;
    let (good_word, bad_word) = (plan.good.clone(), plan.bad.clone());
    if good == bad {
        return Err(MeasureError::SameCommit { good: good_word, bad: bad_word });
    }
    let commits = bench.repository.between(&good, &bad)?;
    let commits = commits.ok_or(MeasureError::NotAnAncestor { good: good_word, bad: bad_word })?;
    noise::conditions().iter().for_each(|condition| progress.message(&condition.message));
    let good = bench.check_out("good", &good, false)?;
    let trial = bench.check_out("test", &bad, false)?;
    bench.take_diagnostics().iter().for_each(|diagnostic| progress.message(&diagnostic.message));
    progress.stage("building the good commit");
    bench.reuse_dependencies(&good, None);
    bench.build(&good)?;
    bench.reuse_dependencies(&trial, Some(&good));
    let mut bisect = Bisect {
        gate,
        plan,
        names,
        bench,
        good,
        trial,
        progress,
        commits: &commits,
        steps: Vec::new(),
        direction: Direction::Lower,
    };
    let Candidates { first, last } = bisect.search()?;
    let repository = &bisect.bench.repository;
    let named = |commit: &Commit| (commit.clone(), repository.subject(commit));
    let suspects = commits[first..=last].iter().map(named).collect();
    bisect.steps.sort_by_key(|step| step.position);
    let worse = |step: &&BisectStep| centre::median(&step.changes) * bisect.direction.sign() >= plan.threshold.ln_1p();
    let mut fast = bisect.steps.iter().filter(|step| step.status == CommitStatus::Fast);
    let slower_before = fast.rfind(worse).map(|step| step.commit.clone());
    close(bisect.bench, progress);
    Ok(BisectResult { suspects, steps: bisect.steps, slower_before })
}

/// A search in progress.
struct Bisect<'a> {
    gate: &'a Gate,
    plan: &'a BisectPlan,
    /// The names of the benchmark: the current one is the last.
    names: Vec<String>,
    bench: Bench<'a>,
    good: SideCheckout,
    trial: SideCheckout,
    progress: &'a dyn Progress,
    commits: &'a [Commit],
    steps: Vec<BisectStep>,
    /// The better direction of the metric, as its results state it.
    direction: Direction,
}

impl Bisect<'_> {
    fn search(&mut self) -> Result<Candidates, MeasureError> {
        let last = self.commits.len().saturating_sub(1);
        let mut search = Bisection::new(self.commits.len());
        // Every step can be wrong, the first one too, so each gets its share of the allowed error.
        let error = self.plan.error / f64::from(search.steps_left() + 1);
        let least = self.plan.threshold.ln_1p();
        let whole = self.measure(last, least / 2.0, error)?;
        let change = centre::median(&whole.changes);
        let worse = change * self.direction.sign();
        if whole.status != CommitStatus::Slow || worse < least {
            return Err(self.not_slower(whole, change));
        }
        self.steps.push(whole);
        while let Some(position) = search.next() {
            let step = self.measure(position, worse / 2.0, error)?;
            search.note(position, step.status);
            self.steps.push(step);
        }
        Ok(search.candidates())
    }

    fn not_slower(&self, whole: BisectStep, change: f64) -> MeasureError {
        let why = whole.why.unwrap_or_else(|| {
            format!(
                "it differs by {} in {}, below the {} of --threshold",
                number_text::change(change.exp_m1()),
                number_text::counted(whole.changes.len(), "pair"),
                number_text::percent(self.plan.threshold)
            )
        });
        let BisectPlan { benchmark, bad, good, .. } = self.plan;
        MeasureError::NotSlower { benchmark: benchmark.clone(), bad: bad.clone(), good: good.clone(), why }
    }

    /// Runs a commit against the good one until it is decided. `threshold` is on the log scale, positive for worse.
    fn measure(&mut self, position: usize, threshold: f64, error: f64) -> Result<BisectStep, MeasureError> {
        let commit = self.commits[position].clone();
        let short = commit.short();
        self.bench.switch(&mut self.trial, &commit)?;
        self.progress.begin(&format!("building {short}"));
        if let Err(error) = self.bench.build(&self.trial) {
            return self.skipped(position, error);
        }
        let mut changes = Vec::new();
        let mut status = CommitStatus::Skipped;
        let (mut fast, mut slow) = (None, None);
        for (number, side_kind) in order(MAX_PAIRS).into_iter().enumerate() {
            self.progress.begin(&format!("{short}: pair {}", number / 2 + 1));
            match side_kind {
                SideKind::Base => {
                    let value = self.value(true);
                    fast = Some(value.map_err(|error| MeasureError::GoodCommit { source: Box::new(error) })?);
                }
                SideKind::Head => match self.value(false) {
                    Ok(value) => slow = Some(value),
                    Err(error) => return self.skipped(position, error),
                },
            }
            if let (Some(good), Some(trial)) = (fast, slow) {
                changes.push(trial - good);
                (fast, slow) = (None, None);
                let worse: Vec<f64> = changes.iter().map(|change| change * self.direction.sign()).collect();
                if let Some(decided) = decide(&worse, threshold, error) {
                    status = decided;
                    break;
                }
            }
        }
        let change = number_text::change(centre::median(&changes).exp_m1());
        let pairs = number_text::counted(changes.len(), "pair");
        self.progress.message(&format!("{short}: {} ({change}, {pairs})", word(status)));
        Ok(BisectStep { position, commit, status, changes, why: None })
    }

    fn skipped(&self, position: usize, error: MeasureError) -> Result<BisectStep, MeasureError> {
        if error.is_interrupted() {
            return Err(error);
        }
        let commit = self.commits[position].clone();
        let why = chain(&error);
        self.progress.message(&format!("{}: skipped: {why}", commit.short()));
        Ok(BisectStep { position, commit, status: CommitStatus::Skipped, changes: Vec::new(), why: Some(why) })
    }

    /// The benchmark's value in one run, on the log scale.
    fn value(&mut self, good: bool) -> Result<f64, MeasureError> {
        let BisectPlan { benchmark, metric, .. } = self.plan;
        let side = if good { &self.good } else { &self.trial };
        let measured = self.bench.run(side, Some(self.names.as_slice()))?;
        let measurements = &measured.run.measurements;
        // Next to the old name, the current one belonged to a benchmark that was removed.
        let called =
            |name: &String| measurements.iter().find(|m| m.benchmark.as_str() == *name && *m.metric.name == **metric);
        let Some(measurement) = self.names.iter().find_map(called) else {
            let name = |m: &Measurement| format!("{} ({})", m.benchmark, m.metric.name);
            let names = || measurements.iter().map(|one| one.benchmark.as_str());
            let is_other = |name: &str| self.names.iter().all(|known| known != name);
            let near = nearest_name(benchmark, names()).filter(|_| names().all(is_other));
            let found = match near {
                Some(near) => format!("Did you mean {near}?"),
                None => {
                    let some = measurements.iter().take(SHOWN_RESULTS).map(name).collect::<Vec<_>>().join(", ");
                    let more = match measurements.len().saturating_sub(SHOWN_RESULTS) {
                        0 => String::new(),
                        more => format!(" and {} more", number_text::thousands(more)),
                    };
                    format!(
                        "It has: {some}{more}. Use one of these names, or join an imported series with `[[continue]]`"
                    )
                }
            };
            let (benchmark, metric) = (benchmark.clone(), metric.clone());
            return Err(MeasureError::NotInResults {
                benchmark,
                metric,
                commit: side.commit.short().to_owned(),
                found,
            });
        };
        let current = self.names.last().unwrap_or(benchmark);
        let stated = self.gate.policy().direction(current, &measurement.metric);
        let direction = stated.unwrap_or(measurement.metric.direction);
        if !direction.is_known() {
            return Err(MeasureError::UnknownDirection { benchmark: benchmark.clone(), metric: metric.clone() });
        }
        self.direction = direction;
        let log = |one: &Evidence| one.fast_edge(direction).unwrap_or_else(|| one.centre()).ln();
        let values: Vec<f64> = measurement.evidence.iter().map(log).collect();
        let value = centre::median(&values);
        if value.is_finite() { Ok(value) } else { Err(MeasureError::Zero { benchmark: benchmark.clone() }) }
    }
}

/// The word for a status.
pub(crate) fn word(status: CommitStatus) -> &'static str {
    match status {
        CommitStatus::Fast => "fast",
        CommitStatus::Slow => "slow",
        CommitStatus::Skipped => "undecided",
        CommitStatus::Unknown => "not measured",
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
