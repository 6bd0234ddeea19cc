//! Builds a series for each metric of each benchmark from runs in time order, with one point per commit.
//!
//! Different tools, units and machine classes are different series. Renamed benchmarks have their current name, and runs
//! before an epoch or of another version of the benchmark are left out. The newest run that states the better direction
//! determines it, otherwise the config, otherwise the newest run.

use crate::model::{BenchId, Commit, Direction, Environment, Measurement, Metric, Run, Unit};
use crate::stats::centre;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// `[[epoch]]` of a benchmark: its older runs are not comparable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// The start, in seconds since 1970.
    pub start: i64,
    /// Why older runs are not comparable.
    pub reason: String,
    /// True for an entry of perfgate.toml; false if the results state another version of the benchmark.
    pub is_configured: bool,
}

/// The rules for building series from older runs.
pub struct SeriesRules<'a> {
    /// The current name of a renamed benchmark.
    pub rename: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The current epoch of a benchmark, by its current name.
    pub epoch: &'a (dyn Fn(&str) -> Option<Arc<Epoch>> + Sync),
    /// The better direction that the config states for a metric of a benchmark, by its current name, unless the metric states it.
    pub direction: &'a (dyn Fn(&str, &Metric) -> Option<Direction> + Sync),
    /// The floor that the config states for a metric of a benchmark, by its current name.
    pub floor: &'a (dyn Fn(&str, &Metric) -> Option<f64> + Sync),
    /// Environment keys that do not separate machine classes.
    pub ignored: &'a [&'static str],
}

impl SeriesRules<'_> {
    /// The current name of a benchmark.
    pub fn name<'n>(&self, old: &'n str) -> Cow<'n, str> {
        (self.rename)(old).map_or(Cow::Borrowed(old), Cow::Owned)
    }
}

/// One metric of one benchmark at one commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The commit, where known. Each run without a commit is a point.
    pub commit: Option<Commit>,
    /// Time of the commit, in seconds since 1970.
    pub time: i64,
    /// Number of runs.
    pub runs: usize,
    /// Centre of the centres of the runs, in the unit of the metric.
    pub value: f64,
    /// Index of its first run among the given runs.
    pub run: usize,
    /// Centre of the fast edges of the runs, if every run has samples. Change points are searched in these values.
    pub fast_edge: Option<f64>,
    /// The position of its commit on the branch, where it is known: commits without a run count too.
    pub position: Option<usize>,
}

/// What identifies the commit of a point: its id, or without one its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitOrRun<'a> {
    /// A commit.
    Commit(&'a Commit),
    /// The index of a run without a commit.
    Run(usize),
}

impl Point {
    /// What identifies its commit.
    pub fn commit_or_run(&self) -> CommitOrRun<'_> {
        self.commit.as_ref().map_or(CommitOrRun::Run(self.run), CommitOrRun::Commit)
    }
}

/// One metric of one benchmark on one machine class over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The benchmark, by its current name.
    pub benchmark: BenchId,
    /// The metric.
    pub metric: Arc<Metric>,
    /// The tool.
    pub tool: Cow<'static, str>,
    /// The machine class, for display; empty if it is unknown.
    pub machine: String,
    /// At least one, in the order of the runs.
    pub points: Vec<Point>,
    /// The floor that the config states, in the unit of the metric.
    pub floor: Option<f64>,
    /// The epoch that the series starts with, where older runs were left out because of it.
    pub epoch: Option<Arc<Epoch>>,
    /// False if the newest runs of its tool lack it: see [`super::mark_measured`].
    pub is_measured: bool,
}

/// What the measurements of a series share: current name, name and unit of the metric, tool, machine class.
type SeriesKey<'a> = (Cow<'a, str>, (&'a str, &'a Unit), &'a str, &'a str);

/// The measurements of a series. Points are computed for one series at a time, since those of all benchmarks of a large
/// suite would take much memory.
struct SeriesMeasurements<'a> {
    name: Cow<'a, str>,
    machine: &'a str,
    epoch: Option<Arc<Epoch>>,
    /// True if runs before the epoch were left out.
    is_cut: bool,
    /// The index of each run among the given runs, with its measurement.
    entries: Vec<(u32, &'a Measurement)>,
}

/// The series of runs in time order, sorted by benchmark, metric, tool and machine class.
pub fn series<'a>(runs: impl IntoIterator<Item = &'a Run>, rules: &SeriesRules<'_>) -> Vec<Series> {
    filter_map_series(&runs.into_iter().collect::<Vec<_>>(), rules, Some)
}

/// Sets the positions of the commits on the branch.
pub fn set_positions(all: &mut [Series], positions: &HashMap<Commit, usize>) {
    for point in all.iter_mut().flat_map(|series| &mut series.points) {
        point.position = point.commit.as_ref().and_then(|commit| positions.get(commit).copied());
    }
}

/// Maps each series, in the same order, without keeping the series.
pub fn filter_map_series<T: Send>(
    runs: &[&Run],
    rules: &SeriesRules<'_>,
    map: impl Fn(Series) -> Option<T> + Send + Sync,
) -> Vec<T> {
    let machines: Vec<String> = runs.iter().map(|run| machine_class(&run.environment, rules.ignored)).collect();
    let (measurements, spans) = (by_series(runs, &machines, rules), commit_spans(runs));
    let series = measurements.into_par_iter().map(|one| one.series(runs, &spans, rules));
    series.filter(|series| !series.points.is_empty()).filter_map(map).collect()
}

/// For each run, the first and the last run of the same commit; the run itself where it has no commit.
fn commit_spans(runs: &[&Run]) -> Vec<(u32, u32)> {
    let mut spans: HashMap<&Commit, (u32, u32)> = HashMap::new();
    for (run, commit) in (0..).zip(runs.iter().map(|run| run.commit.as_ref())) {
        commit.into_iter().for_each(|commit| spans.entry(commit).or_insert((run, run)).1 = run);
    }
    let span = |(run, commit): (u32, Option<&Commit>)| commit.map_or((run, run), |commit| spans[commit]);
    (0..).zip(runs.iter().map(|run| run.commit.as_ref())).map(span).collect()
}

fn by_series<'a>(runs: &[&'a Run], machines: &'a [String], rules: &SeriesRules<'_>) -> Vec<SeriesMeasurements<'a>> {
    let mut all = Vec::<SeriesMeasurements<'a>>::new();
    let mut positions: HashMap<SeriesKey<'_>, usize> = HashMap::new();
    for (index, (run, machine)) in runs.iter().zip(machines).enumerate() {
        for measurement in &run.measurements {
            let name = rules.name(measurement.benchmark.as_str());
            let metric = (&*measurement.metric.name, &measurement.metric.unit);
            let key = (name, metric, &*measurement.tool, machine.as_str());
            let position = *positions.entry(key).or_insert_with_key(|(name, ..)| {
                let (epoch, entries) = ((rules.epoch)(name), Vec::with_capacity(runs.len() - index));
                all.push(SeriesMeasurements { name: name.clone(), machine, epoch, is_cut: false, entries });
                all.len() - 1
            });
            let series = &mut all[position];
            match &series.epoch {
                Some(epoch) if run.time < epoch.start => series.is_cut = true,
                _ => series.entries.push((index as u32, measurement)),
            }
        }
    }
    all.retain(|series| !series.entries.is_empty());
    if runs.iter().any(|run| !run.versions.is_empty()) {
        all.iter_mut().for_each(|series| series.leave_out_other_versions(runs));
    }
    all.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    all
}

impl<'a> SeriesMeasurements<'a> {
    /// The measurement of the newest run.
    fn measurement(&self) -> &'a Measurement {
        self.entries[self.entries.len() - 1].1 // series without entries are removed
    }

    /// The metric of the newest run among those whose direction is most certain.
    fn most_certain(&self) -> &'a Metric {
        let metrics = self.entries.iter().map(|(_, one)| &*one.metric);
        metrics.max_by_key(|metric| metric.certainty()).unwrap_or(&self.measurement().metric)
    }

    /// Leaves out all runs up to the last one of another version of the benchmark than the newest: they measured other code.
    fn leave_out_other_versions(&mut self, runs: &[&Run]) {
        let version = |entry: &(u32, &Measurement)| runs[entry.0 as usize].versions.get(&entry.1.benchmark);
        let Some(newest) = self.entries.iter().rev().find_map(version) else { return };
        let other = |entry: &(u32, &Measurement)| version(entry).is_some_and(|one| one != newest);
        let Some(last) = self.entries.iter().rposition(other) else { return };
        self.entries.drain(..=last);
        let start = self.entries.first().map_or(0, |(run, _)| runs[*run as usize].time);
        let reason = "another version of the benchmark itself".to_owned();
        self.epoch = Some(Arc::new(Epoch { start, reason, is_configured: false }));
        self.is_cut = true;
    }

    fn key(&self) -> (&str, &Metric, &str, &str) {
        let measurement = self.measurement();
        (&self.name, &measurement.metric, &measurement.tool, self.machine)
    }

    /// The series, with one point for the runs of each commit; without points where no value is finite.
    fn series(self, runs: &[&Run], spans: &[(u32, u32)], rules: &SeriesRules<'_>) -> Series {
        let metric = Arc::clone(&self.measurement().metric);
        let most_certain = self.most_certain();
        let direction = (rules.direction)(&self.name, most_certain).unwrap_or(most_certain.direction);
        // The fast edges of runs that were read with another direction lie on the other side of the median.
        let has_edges = direction.is_known() && self.entries.iter().all(|(_, one)| one.metric.direction == direction);
        let mut points: Vec<Point> = Vec::with_capacity(self.entries.len());
        let (mut centres, mut edges) = (Vec::new(), Vec::new());
        for (position, (run, _)) in self.entries.iter().enumerate() {
            let (first, last) = spans[*run as usize];
            let of_commit = |entry: &&(u32, &Measurement)| spans[entry.0 as usize].0 == first;
            if self.entries[..position].iter().rev().take_while(|entry| entry.0 >= first).any(|entry| of_commit(&entry))
            {
                continue;
            }
            centres.clear();
            edges.clear();
            let mut first_run = None;
            for (run, measurement) in
                self.entries[position..].iter().take_while(|entry| entry.0 <= last).filter(of_commit)
            {
                for evidence in measurement.evidence.iter().filter(|evidence| evidence.centre().is_finite()) {
                    centres.push(evidence.centre());
                    edges.extend(evidence.fast_edge(direction));
                    first_run.get_or_insert(*run as usize);
                }
            }
            let Some(run) = first_run else { continue };
            let fast_edge = (has_edges && edges.len() == centres.len()).then(|| centre::of_runs(&edges));
            points.push(Point {
                commit: runs[run].commit.clone(),
                time: runs[run].time,
                runs: centres.len(),
                value: centre::of_runs(&centres),
                run,
                fast_edge,
                position: None,
            });
        }
        let measurement = self.measurement();
        Series {
            floor: (rules.floor)(&self.name, &metric),
            benchmark: BenchId::new(&*self.name),
            metric: if metric.direction == direction {
                metric
            } else {
                Arc::new(Metric { direction, ..(*metric).clone() })
            },
            tool: measurement.tool.clone(),
            machine: self.machine.to_owned(),
            points,
            epoch: self.epoch.filter(|_| self.is_cut),
            is_measured: true,
        }
    }
}

/// The machine class of an environment, for display: the facts that must agree for runs to be comparable.
pub fn machine_class(environment: &Environment, ignored: &[&str]) -> String {
    let facts = Environment::CLASS.into_iter().filter(|fact| !ignored.contains(fact)).chain([Environment::KEY]);
    let known = facts.filter_map(|fact| match fact {
        Environment::KEY => environment.get(fact).map(|key| format!("key {key}")),
        Environment::CORES => environment.get(fact).map(|cores| format!("{cores} cores")),
        fact => environment.get(fact).map(str::to_owned),
    });
    known.collect::<Vec<_>>().join(", ")
}
