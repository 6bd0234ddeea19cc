//! The columns of an exported run, one line each: name, kind, whether every row has it, and where it comes from.

use super::Origin;
use crate::history::summary;
use crate::model::{Commit, Environment, Evidence, Measurement, Run, Summary, WorkUnit};
use std::borrow::Cow;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Microseconds since 1970, UTC.
    Time,
    /// True or false.
    Flag,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Count,
    /// A double.
    Number,
    /// A list of doubles.
    Numbers,
}

impl Kind {
    /// As the documentation has it.
    #[cfg(feature = "internals")]
    pub fn label(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Time => "timestamp (µs, UTC)",
            Kind::Flag => "boolean",
            Kind::Integer => "int32",
            Kind::Count => "int64",
            Kind::Number => "double",
            Kind::Numbers => "list of double",
        }
    }
}

/// A column.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// True where every row has it.
    pub required: bool,
    pub(super) cell: for<'r> fn(&'r Row<'_>) -> Cell<'r>,
}

/// One value of a row.
#[derive(Debug)]
pub(super) enum Cell<'r> {
    None,
    Text(Cow<'r, str>),
    Whole(i64),
    Flag(bool),
    Number(f64),
    Numbers(&'r [f64]),
}

/// One process run of one metric of one benchmark.
#[derive(Debug)]
pub(super) struct Row<'a> {
    run: &'a Run,
    origin: Origin<'a>,
    environment: std::rc::Rc<str>,
    measurement: &'a Measurement,
    replicate: usize,
    evidence: &'a Evidence,
    numbers: Cow<'a, Summary>,
}

impl<'a> Row<'a> {
    /// The rows of a run.
    pub(super) fn all(run: &'a Run, origin: Origin<'a>) -> Vec<Row<'a>> {
        let environment: std::rc::Rc<str> = serde_json::json!(run.environment.0).to_string().into();
        let rows = run.measurements.iter().flat_map(|measurement| {
            measurement.evidence.iter().enumerate().map(move |(replicate, evidence)| (measurement, replicate, evidence))
        });
        rows.map(|(measurement, replicate, evidence)| {
            let numbers = numbers(evidence);
            Row { run, origin, environment: environment.clone(), measurement, replicate, evidence, numbers }
        })
        .collect()
    }

    fn fact(&self, key: &str) -> Cell<'_> {
        text(self.run.environment.get(key))
    }

    fn quantile(&self, share: f64) -> Cell<'_> {
        let known = self.numbers.quantiles.iter().find(|(known, _)| (known - share).abs() < 1e-9);
        number(known.map(|(_, value)| *value))
    }

    /// The fast edge of the samples, which change points are searched in.
    fn fast_edge(&self) -> Option<f64> {
        self.evidence.fast_edge(self.measurement.metric.direction)
    }
}

/// What is known of the samples behind some evidence.
fn numbers(evidence: &Evidence) -> Cow<'_, Summary> {
    match evidence {
        Evidence::Samples(samples) => Cow::Owned(summary(samples)),
        Evidence::Thinned(thinned) => Cow::Borrowed(&thinned.quantiles),
        Evidence::Summary(stated) => Cow::Borrowed(stated),
        Evidence::Digest(_) | Evidence::Value(_) => Cow::Owned(Summary::default()),
    }
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::None, |text| Cell::Text(text.into()))
}

fn number(number: Option<f64>) -> Cell<'static> {
    number.filter(|number| number.is_finite()).map_or(Cell::None, Cell::Number)
}

fn whole(number: usize) -> Cell<'static> {
    Cell::Whole(i64::try_from(number).unwrap_or(i64::MAX))
}

const fn must(name: &'static str, kind: Kind, cell: for<'r> fn(&'r Row<'_>) -> Cell<'r>) -> Column {
    Column { name, kind, required: true, cell }
}

const fn may(name: &'static str, kind: Kind, cell: for<'r> fn(&'r Row<'_>) -> Cell<'r>) -> Column {
    Column { name, kind, required: false, cell }
}

/// The columns, in the order of the file. New ones come at the end.
pub static COLUMNS: &[Column] = &[
    must("repository", Kind::Text, |row| text(Some(row.origin.repository))),
    must("run", Kind::Text, |row| text(Some(row.origin.id))),
    may("commit", Kind::Text, |row| text(row.run.commit.as_ref().map(Commit::as_str))),
    must("time", Kind::Time, |row| Cell::Whole(row.run.time.saturating_mul(1_000_000))),
    may("branch", Kind::Text, |row| text(row.run.branch.as_deref())),
    may("shard", Kind::Text, |row| row.fact(Environment::SHARD)),
    must("dirty", Kind::Flag, |row| Cell::Flag(row.run.environment.get(Environment::DIRTY).is_some())),
    must("thinned", Kind::Flag, |row| Cell::Flag(row.origin.thinned)),
    may("cpu", Kind::Text, |row| row.fact(Environment::CPU)),
    may("cores", Kind::Integer, |row| {
        let cores = row.run.environment.get(Environment::CORES).and_then(|cores| cores.parse::<i32>().ok());
        cores.map_or(Cell::None, |cores| Cell::Whole(cores.into()))
    }),
    may("arch", Kind::Text, |row| row.fact(Environment::ARCH)),
    may("os", Kind::Text, |row| row.fact(Environment::OS)),
    may("kernel", Kind::Text, |row| row.fact(Environment::KERNEL)),
    may("governor", Kind::Text, |row| row.fact(Environment::GOVERNOR)),
    may("rustc", Kind::Text, |row| row.fact(Environment::RUSTC)),
    may("runner", Kind::Text, |row| row.fact(Environment::RUNNER)),
    must("environment", Kind::Text, |row| text(Some(&row.environment))),
    must("tool", Kind::Text, |row| text(Some(&row.measurement.tool))),
    must("benchmark", Kind::Text, |row| text(Some(row.measurement.benchmark.as_str()))),
    must("metric", Kind::Text, |row| text(Some(&row.measurement.metric.name))),
    must("unit", Kind::Text, |row| text(Some(row.measurement.metric.unit.label()))),
    must("direction", Kind::Text, |row| Cell::Text(row.measurement.metric.direction.to_string().into())),
    must("exact", Kind::Flag, |row| Cell::Flag(row.measurement.metric.exact)),
    must("replicate", Kind::Integer, |row| whole(row.replicate)),
    must("replicates", Kind::Integer, |row| whole(row.measurement.evidence.len())),
    must("value", Kind::Number, |row| number(Some(row.evidence.centre()))),
    must("sample_count", Kind::Count, |row| Cell::Whole(i64::try_from(row.evidence.samples()).unwrap_or(i64::MAX))),
    may("mean", Kind::Number, |row| number(row.numbers.mean)),
    may("sd", Kind::Number, |row| number(row.numbers.sd)),
    may("min", Kind::Number, |row| row.quantile(0.0)),
    may("p01", Kind::Number, |row| row.quantile(0.01)),
    may("p05", Kind::Number, |row| row.quantile(0.05)),
    may("p10", Kind::Number, |row| row.quantile(0.1)),
    may("p25", Kind::Number, |row| row.quantile(0.25)),
    may("p50", Kind::Number, |row| row.quantile(0.5)),
    may("p75", Kind::Number, |row| row.quantile(0.75)),
    may("p90", Kind::Number, |row| row.quantile(0.9)),
    may("p95", Kind::Number, |row| row.quantile(0.95)),
    may("p99", Kind::Number, |row| row.quantile(0.99)),
    may("max", Kind::Number, |row| row.quantile(1.0)),
    may("edge", Kind::Number, |row| number(row.fast_edge())),
    may("work", Kind::Number, |row| number(row.measurement.work.map(|work| work.amount))),
    may("work_unit", Kind::Text, |row| {
        let label = |unit| match unit {
            WorkUnit::Bytes | WorkUnit::BytesDecimal => "bytes",
            WorkUnit::Bits => "bits",
            WorkUnit::Elements => "elements",
        };
        text(row.measurement.work.map(|work| label(work.unit)))
    }),
    may("samples", Kind::Numbers, |row| match row.evidence {
        Evidence::Samples(samples) => Cell::Numbers(samples),
        _ => Cell::None,
    }),
];
