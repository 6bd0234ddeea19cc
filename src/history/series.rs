//! Runs in time order become one series for each metric of each benchmark, one point a commit.
//!
//! What cannot be compared is kept apart: another tool, another unit, another class of machine. Old names are read as
//! today's, and what an epoch cut off is left out.

use crate::model::{BenchId, Commit, Environment, Measurement, Metric, Run};
use crate::stats::centre;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// How names and machines of older runs are to be read.
pub struct SeriesRules<'a> {
    /// Today's name of a benchmark, where it is another.
    pub rename: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// When a benchmark's present epoch began (seconds since 1970), where it has one. Asked with today's name.
    pub epoch: &'a (dyn Fn(&str) -> Option<i64> + Sync),
    /// Facts of the machine that may differ.
    pub ignored: &'a [&'static str],
}

impl SeriesRules<'_> {
    /// Today's name of a benchmark.
    pub fn name<'n>(&self, old: &'n str) -> Cow<'n, str> {
        (self.rename)(old).map_or(Cow::Borrowed(old), Cow::Owned)
    }
}

/// What the runs of one commit say of one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The commit, where known. Runs without one are a point each.
    pub commit: Option<Commit>,
    /// The commit's time, seconds since 1970.
    pub time: i64,
    /// Process runs behind it.
    pub runs: usize,
    /// Centre of the runs' centres, in the metric's unit.
    pub value: f64,
    /// The place of its first run among those given.
    pub run: usize,
    /// Centre of the runs' good edges, where every run has samples: what is searched for changes.
    pub edge: Option<f64>,
}

/// One metric of one benchmark on one class of machine over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The benchmark, by its name today.
    pub benchmark: BenchId,
    /// The metric.
    pub metric: Arc<Metric>,
    /// The tool.
    pub tool: Cow<'static, str>,
    /// The machine's class in words; empty where nothing is known.
    pub machine: String,
    /// At least one, in the order of the runs.
    pub points: Vec<Point>,
}

/// A series before its runs are pooled: of a large suite the points of all benchmarks together would take much memory.
struct Draft<'a> {
    name: Cow<'a, str>,
    machine: &'a str,
    /// When its present epoch began.
    epoch: Option<i64>,
    /// The place of each run among those given, and what it says.
    entries: Vec<(u32, &'a Measurement)>,
}

/// The series of runs given in time order, ordered by benchmark, metric, tool and machine.
pub fn series<'a>(runs: impl IntoIterator<Item = &'a Run>, reading: &SeriesRules<'_>) -> Vec<Series> {
    of_each(&runs.into_iter().collect::<Vec<_>>(), reading, Some)
}

/// What becomes of each series, if anything, in the same order; the series themselves are not kept.
pub fn of_each<T: Send>(
    runs: &[&Run],
    reading: &SeriesRules<'_>,
    make: impl Fn(Series) -> Option<T> + Send + Sync,
) -> Vec<T> {
    let machines: Vec<String> = runs.iter().map(|run| machine_class(&run.environment, reading.ignored)).collect();
    let (drafts, spans) = (drafts(runs, &machines, reading), of_one_commit(runs));
    let series = drafts.into_par_iter().map(|draft| draft.series(runs, &spans));
    series.filter(|series| !series.points.is_empty()).filter_map(make).collect()
}

/// The first and the last run of each one's commit; of a run without a commit itself.
fn of_one_commit(runs: &[&Run]) -> Vec<(u32, u32)> {
    let mut spans: HashMap<&Commit, (u32, u32)> = HashMap::new();
    for (run, commit) in (0..).zip(runs.iter().map(|run| run.commit.as_ref())) {
        commit.into_iter().for_each(|commit| spans.entry(commit).or_insert((run, run)).1 = run);
    }
    let span = |(run, commit): (u32, Option<&Commit>)| commit.map_or((run, run), |commit| spans[commit]);
    (0..).zip(runs.iter().map(|run| run.commit.as_ref())).map(span).collect()
}

fn drafts<'a>(runs: &[&'a Run], machines: &'a [String], reading: &SeriesRules<'_>) -> Vec<Draft<'a>> {
    let mut drafts = Vec::<Draft<'a>>::new();
    let mut positions: HashMap<(Cow<'a, str>, &Metric, &str, &str), usize> = HashMap::new();
    for (index, (run, machine)) in runs.iter().zip(machines).enumerate() {
        for measurement in &run.measurements {
            let name = reading.name(measurement.benchmark.as_str());
            let key = (name, &*measurement.metric, &*measurement.tool, machine.as_str());
            let position = *positions.entry(key).or_insert_with_key(|(name, ..)| {
                let (epoch, entries) = ((reading.epoch)(name), Vec::with_capacity(runs.len() - index));
                drafts.push(Draft { name: name.clone(), machine, epoch, entries });
                drafts.len() - 1
            });
            let draft = &mut drafts[position];
            if draft.epoch.is_none_or(|from| run.time >= from) {
                draft.entries.push((index as u32, measurement));
            }
        }
    }
    drafts.retain(|draft| !draft.entries.is_empty());
    drafts.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    drafts
}

impl<'a> Draft<'a> {
    fn measurement(&self) -> &'a Measurement {
        self.entries[0].1 // a draft begins with one
    }

    fn key(&self) -> (&str, &Metric, &str, &str) {
        let measurement = self.measurement();
        (&self.name, &measurement.metric, &measurement.tool, self.machine)
    }

    /// The series, the runs of each commit being one point; without a point where no value is finite.
    fn series(self, runs: &[&Run], spans: &[(u32, u32)]) -> Series {
        let mut points: Vec<Point> = Vec::with_capacity(self.entries.len());
        let (mut centres, mut edges) = (Vec::new(), Vec::new());
        for (place, (run, _)) in self.entries.iter().enumerate() {
            let (first, last) = spans[*run as usize];
            let of_commit = |entry: &&(u32, &Measurement)| spans[entry.0 as usize].0 == first;
            if self.entries[..place].iter().rev().take_while(|entry| entry.0 >= first).any(|entry| of_commit(&entry)) {
                continue;
            }
            centres.clear();
            edges.clear();
            let mut begins = None;
            for (run, measurement) in self.entries[place..].iter().take_while(|entry| entry.0 <= last).filter(of_commit)
            {
                let direction = measurement.metric.direction;
                for evidence in measurement.evidence.iter().filter(|evidence| evidence.centre().is_finite()) {
                    centres.push(evidence.centre());
                    edges.extend(evidence.fast_edge(direction));
                    begins.get_or_insert(*run as usize);
                }
            }
            let Some(run) = begins else { continue };
            let edge = (edges.len() == centres.len()).then(|| centre::of_runs(&edges));
            points.push(Point {
                commit: runs[run].commit.clone(),
                time: runs[run].time,
                runs: centres.len(),
                value: centre::of_runs(&centres),
                run,
                edge,
            });
        }
        let measurement = self.measurement();
        Series {
            benchmark: BenchId::new(&*self.name),
            metric: measurement.metric.clone(),
            tool: measurement.tool.clone(),
            machine: self.machine.to_owned(),
            points,
        }
    }
}

/// What makes a machine's runs comparable, in words.
pub fn machine_class(environment: &Environment, ignored: &[&str]) -> String {
    let facts = Environment::CLASS.into_iter().filter(|fact| !ignored.contains(fact));
    let known = facts.filter_map(|fact| match fact {
        Environment::CORES => environment.get(fact).map(|cores| format!("{cores} cores")),
        fact => environment.get(fact).map(str::to_owned),
    });
    known.collect::<Vec<_>>().join(", ")
}
