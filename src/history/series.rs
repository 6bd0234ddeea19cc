//! Runs in time order become one series for each metric of each benchmark, one point a commit.
//!
//! What cannot be compared is kept apart: another tool, another unit, another class of machine. Old names are read as
//! today's, and what an epoch cut off is left out.

use crate::model::{BenchId, Commit, Direction, Environment, Evidence, Measurement, Metric, Run};
use crate::stats::{centre, steadiness};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// How names and machines of older runs are to be read.
pub struct Reading<'a> {
    /// Today's name of a benchmark, where it is another.
    pub rename: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// When a benchmark's present epoch began (seconds since 1970), where it has one. Asked with today's name.
    pub epoch: &'a (dyn Fn(&str) -> Option<i64> + Sync),
    /// Facts of the machine that may differ.
    pub ignored: &'a [&'static str],
}

impl Reading<'_> {
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
    /// The place of each run among those given, and what it says.
    entries: Vec<(u32, &'a Measurement)>,
}

/// A point before its runs are pooled.
struct Raw<'a> {
    commit: Option<&'a Commit>,
    time: i64,
    run: usize,
    centres: Vec<f64>,
    edges: Vec<Option<f64>>,
}

/// The series of runs given in time order, ordered by benchmark, metric, tool and machine.
pub fn series<'a>(runs: impl IntoIterator<Item = &'a Run>, reading: &Reading<'_>) -> Vec<Series> {
    of_each(&runs.into_iter().collect::<Vec<_>>(), reading, |series| series)
}

/// What becomes of each series, in the same order; the series themselves are not kept.
pub fn of_each<T: Send>(runs: &[&Run], reading: &Reading<'_>, make: impl Fn(Series) -> T + Send + Sync) -> Vec<T> {
    let machines: Vec<String> = runs.iter().map(|run| class(&run.environment, reading.ignored)).collect();
    let drafts = drafts(runs, &machines, reading);
    let series = drafts.into_par_iter().map(|draft| draft.series(runs)).filter(|series| !series.points.is_empty());
    series.map(make).collect()
}

fn drafts<'a>(runs: &[&'a Run], machines: &'a [String], reading: &Reading<'_>) -> Vec<Draft<'a>> {
    let mut places: HashMap<(Cow<'a, str>, &'a Metric, &'a str, &'a str), usize> = HashMap::new();
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut epochs: HashMap<Cow<'a, str>, Option<i64>> = HashMap::new();
    for (index, (run, machine)) in runs.iter().zip(machines).enumerate() {
        for measurement in &run.measurements {
            let name = reading.name(measurement.benchmark.as_str());
            let epoch = match epochs.get(&name) {
                Some(epoch) => *epoch,
                None => *epochs.entry(name.clone()).or_insert((reading.epoch)(&name)),
            };
            if epoch.is_some_and(|from| run.time < from) {
                continue;
            }
            let place = places.entry((name, &measurement.metric, &*measurement.tool, machine));
            let place = match place {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    let entries = Vec::with_capacity(runs.len() - index);
                    drafts.push(Draft { name: new.key().0.clone(), machine, entries });
                    *new.insert(drafts.len() - 1)
                }
            };
            drafts[place].entries.push((index as u32, measurement));
        }
    }
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

    fn series(self, runs: &[&Run]) -> Series {
        let mut points: Vec<Raw<'_>> = Vec::new();
        for (run, measurement) in &self.entries {
            add(&mut points, *run as usize, runs[*run as usize], measurement);
        }
        let measurement = self.measurement();
        Series {
            benchmark: BenchId::new(&*self.name),
            metric: measurement.metric.clone(),
            tool: measurement.tool.clone(),
            machine: self.machine.to_owned(),
            points: points.into_iter().map(Raw::pooled).collect(),
        }
    }
}

fn add<'a>(points: &mut Vec<Raw<'a>>, index: usize, run: &'a Run, measurement: &'a Measurement) {
    let finite = measurement.replicates.iter().filter(|evidence| evidence.centre().is_finite());
    let direction = measurement.metric.direction;
    let (centres, edges): (Vec<f64>, Vec<Option<f64>>) = finite.map(|one| (one.centre(), edge(one, direction))).unzip();
    if centres.is_empty() {
        return;
    }
    let commit = run.commit.as_ref();
    match points.iter_mut().rev().find(|point| commit.is_some() && point.commit == commit) {
        Some(point) => {
            point.centres.extend(centres);
            point.edges.extend(edges);
        }
        None => points.push(Raw { commit, time: run.time, run: index, centres, edges }),
    }
}

impl Raw<'_> {
    fn pooled(self) -> Point {
        let edges: Option<Vec<f64>> = self.edges.into_iter().collect();
        Point {
            commit: self.commit.cloned(),
            time: self.time,
            runs: self.centres.len(),
            value: centre::of_runs(&self.centres),
            run: self.run,
            edge: edges.map(|edges| centre::of_runs(&edges)),
        }
    }
}

/// The edge that disturbance leaves alone, as the verdict takes it.
fn edge(evidence: &Evidence, direction: Direction) -> Option<f64> {
    match evidence {
        Evidence::Digest(digest) => Some(digest.low),
        Evidence::Thinned(thinned) => Some(thinned.digest.low),
        Evidence::Samples(samples) => Some(steadiness::digest(samples, direction).low),
        Evidence::Summary(_) | Evidence::Value(_) => None,
    }
}

/// What makes a machine's runs comparable, in words.
pub fn class(environment: &Environment, ignored: &[&str]) -> String {
    let facts = Environment::CLASS.into_iter().filter(|fact| !ignored.contains(fact));
    let known = facts.filter_map(|fact| match fact {
        Environment::CORES => environment.get(fact).map(|cores| format!("{cores} cores")),
        fact => environment.get(fact).map(str::to_owned),
    });
    known.collect::<Vec<_>>().join(", ")
}
