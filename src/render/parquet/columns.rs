//! The columns of an exported run: name, type, whether it is required, and its value.

use crate::history::summary;
use crate::model::{Commit, Environment, Evidence, Measurement, Run, Summary, WorkUnit};
use std::borrow::Cow;

/// The type of a column.
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
    /// The name in the documentation.
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
    /// Its type.
    pub kind: Kind,
    /// True if every row has a value.
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

/// Facts about a run that are not part of the run itself.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its repository.
    pub repository: &'a str,
    /// The run's id in a store.
    pub id: &'a str,
    /// True if its samples were thinned.
    pub thinned: bool,
}

/// One repetition of one metric of one benchmark.
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

    /// The fast edge of the samples, on which change points are detected.
    fn fast_edge(&self) -> Option<f64> {
        self.evidence.fast_edge(self.measurement.metric.direction)
    }
}

/// Statistics of the samples.
fn numbers(evidence: &Evidence) -> Cow<'_, Summary> {
    match evidence {
        Evidence::Samples(samples) => Cow::Owned(summary(samples)),
        Evidence::Rounded(rounded) => Cow::Owned(summary(&rounded.samples)),
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

const fn required(name: &'static str, kind: Kind, cell: for<'r> fn(&'r Row<'_>) -> Cell<'r>) -> Column {
    Column { name, kind, required: true, cell }
}

const fn optional(name: &'static str, kind: Kind, cell: for<'r> fn(&'r Row<'_>) -> Cell<'r>) -> Column {
    Column { name, kind, required: false, cell }
}

/// The columns in the order of the file. Add new ones at the end.
pub static COLUMNS: &[Column] = &[
    required("repository", Kind::Text, |row| text(Some(row.origin.repository))),
    required("run", Kind::Text, |row| text(Some(row.origin.id))),
    optional("commit", Kind::Text, |row| text(row.run.commit.as_ref().map(Commit::as_str))),
    required("time", Kind::Time, |row| Cell::Whole(row.run.time.saturating_mul(1_000_000))),
    optional("branch", Kind::Text, |row| text(row.run.branch.as_deref())),
    optional("shard", Kind::Text, |row| row.fact(Environment::SHARD)),
    required("dirty", Kind::Flag, |row| Cell::Flag(row.run.environment.get(Environment::DIRTY).is_some())),
    required("thinned", Kind::Flag, |row| Cell::Flag(row.origin.thinned)),
    optional("cpu", Kind::Text, |row| row.fact(Environment::CPU)),
    optional("cores", Kind::Integer, |row| {
        let cores = row.run.environment.get(Environment::CORES).and_then(|cores| cores.parse::<i32>().ok());
        cores.map_or(Cell::None, |cores| Cell::Whole(cores.into()))
    }),
    optional("arch", Kind::Text, |row| row.fact(Environment::ARCH)),
    optional("os", Kind::Text, |row| row.fact(Environment::OS)),
    optional("kernel", Kind::Text, |row| row.fact(Environment::KERNEL)),
    optional("governor", Kind::Text, |row| row.fact(Environment::GOVERNOR)),
    optional("rustc", Kind::Text, |row| row.fact(Environment::RUSTC)),
    optional("runner", Kind::Text, |row| row.fact(Environment::RUNNER)),
    required("environment", Kind::Text, |row| text(Some(&row.environment))),
    required("tool", Kind::Text, |row| text(Some(&row.measurement.tool))),
    required("benchmark", Kind::Text, |row| text(Some(row.measurement.benchmark.as_str()))),
    required("metric", Kind::Text, |row| text(Some(&row.measurement.metric.name))),
    required("unit", Kind::Text, |row| text(Some(row.measurement.metric.unit.label()))),
    required("direction", Kind::Text, |row| Cell::Text(row.measurement.metric.direction.to_string().into())),
    required("exact", Kind::Flag, |row| Cell::Flag(row.measurement.metric.exact)),
    required("replicate", Kind::Integer, |row| whole(row.replicate)),
    required("replicates", Kind::Integer, |row| whole(row.measurement.evidence.len())),
    required("value", Kind::Number, |row| number(Some(row.evidence.centre()))),
    required("sample_count", Kind::Count, |row| Cell::Whole(i64::try_from(row.evidence.samples()).unwrap_or(i64::MAX))),
    optional("mean", Kind::Number, |row| number(row.numbers.mean)),
    optional("sd", Kind::Number, |row| number(row.numbers.sd)),
    optional("min", Kind::Number, |row| row.quantile(0.0)),
    optional("p01", Kind::Number, |row| row.quantile(0.01)),
    optional("p05", Kind::Number, |row| row.quantile(0.05)),
    optional("p10", Kind::Number, |row| row.quantile(0.1)),
    optional("p25", Kind::Number, |row| row.quantile(0.25)),
    optional("p50", Kind::Number, |row| row.quantile(0.5)),
    optional("p75", Kind::Number, |row| row.quantile(0.75)),
    optional("p90", Kind::Number, |row| row.quantile(0.9)),
    optional("p95", Kind::Number, |row| row.quantile(0.95)),
    optional("p99", Kind::Number, |row| row.quantile(0.99)),
    optional("max", Kind::Number, |row| row.quantile(1.0)),
    optional("edge", Kind::Number, |row| number(row.fast_edge())),
    optional("work", Kind::Number, |row| number(row.measurement.work.map(|work| work.amount))),
    optional("work_unit", Kind::Text, |row| {
        let label = |unit| match unit {
            WorkUnit::Bytes | WorkUnit::BytesDecimal => "bytes",
            WorkUnit::Bits => "bits",
            WorkUnit::Elements => "elements",
        };
        text(row.measurement.work.map(|work| label(work.unit)))
    }),
    optional("samples", Kind::Numbers, |row| row.evidence.all_samples().map_or(Cell::None, Cell::Numbers)),
];
