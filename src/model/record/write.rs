//! Encodes a run to columns: the index, without loss, and the samples.

use super::columns::{Form, ToolMetric, name_bytes, order, tag, work_code};
use super::error::RecordError;
use super::limits::{INDEX_LIMIT, MAX_EVIDENCE, MAX_FACTS, MAX_MEASUREMENTS, MAX_METRICS, MAX_SAMPLES};
use super::wire::{put_floats, put_planes, put_signed, put_text, put_varint};
use super::{digests, quantiles, samples};
use crate::model::number_text::thousands;
use crate::model::{Commit, Digest, Direction, EndScope, Evidence, Failures, Measurement, Run, Summary};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The index and the samples of a run, not compressed.
pub(super) fn write(run: &Run) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
    let mut measurements: Vec<&Measurement> = run.measurements.iter().collect();
    measurements.sort_unstable_by(|a, b| order(a, b));
    if let Some(pair) = measurements.windows(2).find(|pair| order(pair[0], pair[1]).is_eq()) {
        return Err(not_storable(pair[0], "occurs twice"));
    }
    let mut columns = Columns::default();
    for measurement in &measurements {
        columns.add(measurement)?;
    }
    for (count, limit, what) in [
        (measurements.len(), MAX_MEASUREMENTS, "measurements"),
        (columns.forms.len(), MAX_EVIDENCE, "results"),
        (columns.table.len(), MAX_METRICS, "metrics"),
        (columns.steps.len() + columns.exact.len(), MAX_SAMPLES, "samples"),
        (run.failures.benchmarks.len(), MAX_MEASUREMENTS, "failed benchmarks"),
        (run.failures.early_ends.len(), MAX_MEASUREMENTS, "errors"),
        (run.failures.skipped.len(), MAX_MEASUREMENTS, "skipped benchmarks"),
        (run.versions.len(), MAX_MEASUREMENTS, "versions"),
        (run.environment.0.len(), MAX_FACTS, "facts of the machine"),
    ] {
        if count > limit {
            let (count, limit) = (thousands(count), thousands(limit));
            return Err(RecordError::NotStorable(format!("it has {count} {what}; at most {limit} can be stored")));
        }
    }
    if columns.text > INDEX_LIMIT {
        return Err(RecordError::NotStorable("its names of tools, metrics and units are too long".into()));
    }
    let mut index = Vec::new();
    put_column(&mut index, tag::RUN, &facts(run));
    columns.write(&mut index);
    if measurements.iter().any(|measurement| measurement.iterations.is_some()) {
        let item = |one: &&Measurement| one.iterations.unwrap_or(0.0).to_le_bytes();
        let mut iterations = Vec::new();
        put_planes(&mut iterations, &measurements.iter().map(item).collect::<Vec<_>>());
        put_column(&mut index, tag::ITERATIONS, &iterations);
    }
    if !run.failures.is_empty() {
        put_column(&mut index, tag::FAILURES, &failures(&run.failures));
    }
    if !run.versions.is_empty() {
        put_column(&mut index, tag::VERSIONS, &versions(run));
    }
    if let Some(time) = run.measured {
        let mut measured = Vec::new();
        put_signed(&mut measured, time);
        put_column(&mut index, tag::MEASURED, &measured);
    }
    Ok((index, columns.samples()))
}

fn not_storable(measurement: &Measurement, what: &str) -> RecordError {
    RecordError::NotStorable(format!("{} of `{}` {what}", measurement.metric.name, measurement.benchmark))
}

fn put_column(index: &mut Vec<u8>, tag: u64, content: &[u8]) {
    put_varint(index, tag);
    put_varint(index, content.len() as u64);
    index.extend_from_slice(content);
}

fn facts(run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, run.commit.as_ref().map_or("", Commit::as_str));
    put_signed(&mut out, run.time);
    out.push(u8::from(run.branch.is_some()));
    put_text(&mut out, run.branch.as_deref().unwrap_or_default());
    put_varint(&mut out, run.environment.0.len() as u64);
    for (key, value) in &run.environment.0 {
        put_text(&mut out, key);
        put_text(&mut out, value);
    }
    out
}

fn versions(run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, run.versions.len() as u64);
    for (benchmark, version) in &run.versions {
        put_text(&mut out, benchmark.as_str());
        put_text(&mut out, version);
    }
    out
}

fn failures(failures: &Failures) -> Vec<u8> {
    let mut out = Vec::new();
    let benchmarks = failures.benchmarks.iter().map(|one| [&*one.tool, one.benchmark.as_str(), &one.why]);
    let scopes: Vec<Cow<'_, str>> = failures.early_ends.iter().map(|one| end_scope(&one.scope)).collect();
    let early_ends = failures.early_ends.iter().zip(&scopes).map(|(one, scope)| [&*one.tool, scope, &one.why]);
    put_varint(&mut out, failures.benchmarks.len() as u64);
    benchmarks.flatten().for_each(|text| put_text(&mut out, text));
    put_varint(&mut out, failures.early_ends.len() as u64);
    early_ends.flatten().for_each(|text| put_text(&mut out, text));
    if !failures.skipped.is_empty() {
        put_varint(&mut out, failures.skipped.len() as u64);
        let skipped = failures.skipped.iter().map(|one| [&*one.tool, one.benchmark.as_str()]);
        skipped.flatten().for_each(|text| put_text(&mut out, text));
    }
    out
}

/// The text of a scope: the beginning of names, a whole name and a NUL, or the beginning of names below a benchmark and two NULs.
/// Earlier versions read it as the beginning of names. No name has a NUL, so it matches none.
fn end_scope(scope: &EndScope) -> Cow<'_, str> {
    match scope {
        EndScope::Suite => "".into(),
        EndScope::Prefix(prefix) => prefix.into(),
        EndScope::Benchmark(name) => format!("{name}\0").into(),
        EndScope::Below(prefix) => format!("{prefix}\0\0").into(),
        EndScope::Nothing => "\0".into(),
    }
}

/// The columns under construction.
#[derive(Debug, Default)]
struct Columns<'a> {
    n: u64,
    names: Vec<u8>,
    table: Vec<ToolMetric<'a>>,
    numbers: BTreeMap<ToolMetric<'a>, u64>,
    kinds: Vec<u8>,
    /// Bytes of the names of tools and metrics, repeated for each measurement.
    text: usize,
    work_units: Vec<u8>,
    work: Vec<f64>,
    evidence_counts: Vec<u8>,
    forms: Vec<u8>,
    digests: Vec<Digest>,
    quantiles: quantiles::Writer,
    summaries: Vec<u8>,
    values: Vec<f64>,
    steps: Vec<samples::Step>,
    exact: Vec<f64>,
}

impl<'a> Columns<'a> {
    fn add(&mut self, m: &'a Measurement) -> Result<(), RecordError> {
        self.n += 1;
        put_text(&mut self.names, m.benchmark.as_str());
        let kind = (m.tool.as_ref(), &*m.metric);
        let table = &mut self.table;
        let number = *self.numbers.entry(kind).or_insert_with(|| {
            table.push(kind);
            table.len() as u64 - 1
        });
        put_varint(&mut self.kinds, number);
        self.text += name_bytes(kind);
        self.work_units.push(m.work.map_or(0, |w| work_code(w.unit)));
        if let Some(work) = m.work {
            self.work.push(finite(m, work.amount)?);
        }
        if m.evidence.is_empty() {
            return Err(not_storable(m, "has no evidence"));
        }
        put_varint(&mut self.evidence_counts, m.evidence.len() as u64);
        for evidence in &m.evidence {
            let form = self.add_evidence(m, evidence)?;
            self.forms.push(form as u8);
        }
        Ok(())
    }

    fn add_evidence(&mut self, m: &Measurement, evidence: &Evidence) -> Result<Form, RecordError> {
        match evidence {
            Evidence::Samples(all) => self.add_samples(m, all, || Digest::of(all, m.metric.direction)),
            Evidence::Rounded(rounded) => self.add_samples(m, &rounded.samples, || rounded.digest),
            Evidence::Digest(digest) => {
                measured(m, digest.median)?;
                self.digests.push(*digest);
                self.quantiles.add_none();
                Ok(Form::Digest)
            }
            Evidence::Thinned(thinned) => {
                measured(m, thinned.digest.median)?;
                self.digests.push(thinned.digest);
                self.quantiles.add(thinned).map_err(|what| not_storable(m, what))?;
                Ok(Form::Digest)
            }
            Evidence::Summary(summary) => {
                put_summary(&mut self.summaries, m, summary)?;
                Ok(Form::Summary)
            }
            Evidence::Value(value) => {
                self.values.push(measured(m, *value)?);
                Ok(Form::Value)
            }
        }
    }

    fn add_samples(
        &mut self,
        m: &Measurement,
        all: &[f64],
        digest: impl FnOnce() -> Digest,
    ) -> Result<Form, RecordError> {
        if all.is_empty() {
            return Err(not_storable(m, "has no samples"));
        }
        for &sample in all {
            measured(m, sample)?;
        }
        let count = u32::try_from(all.len()).map_err(|_| not_storable(m, "has too many samples"))?;
        let digest = Digest { samples: count, ..digest() };
        measured(m, digest.median)?;
        self.digests.push(digest);
        let steps = if m.metric.exact { None } else { samples::quantize(all, digest.median) };
        match steps {
            Some(steps) => {
                self.steps.extend(steps);
                Ok(Form::Steps)
            }
            None => {
                self.exact.extend(all);
                Ok(Form::Exact)
            }
        }
    }

    fn write(&self, index: &mut Vec<u8>) {
        let mut names = Vec::new();
        put_varint(&mut names, self.n);
        names.extend_from_slice(&self.names);
        put_column(index, tag::NAMES, &names);

        let mut kinds = Vec::new();
        put_varint(&mut kinds, self.table.len() as u64);
        for (tool, metric) in &self.table {
            put_text(&mut kinds, tool);
            put_text(&mut kinds, &metric.name);
            put_text(&mut kinds, metric.unit.label());
            let direction = match metric.direction {
                Direction::Lower => 0,
                Direction::Higher => 1,
                Direction::Unknown => 4,
            };
            // Records of earlier versions have neither bit 3 nor bit 4.
            let certainty = if metric.assumed { 8 } else { 16 };
            kinds.push(direction | u8::from(metric.exact) << 1 | certainty);
        }
        kinds.extend_from_slice(&self.kinds);
        put_column(index, tag::KINDS, &kinds);

        let mut work = self.work_units.clone();
        put_floats(&mut work, &self.work);
        put_column(index, tag::WORK, &work);

        put_column(index, tag::EVIDENCE, &[self.evidence_counts.as_slice(), &self.forms].concat());
        put_column(index, tag::CENTRES, &digests::write_centres(&self.digests));
        put_column(index, tag::MEASURES, &digests::write_measures(&self.digests));
        if self.digests.iter().any(|digest| digest.typical_mean.is_some()) {
            put_column(index, tag::TYPICAL_MEANS, &digests::write_typical_means(&self.digests));
        }
        if self.digests.iter().any(|digest| digest.split.is_some()) {
            put_column(index, tag::SPLITS, &digests::write_splits(&self.digests));
        }
        put_column(index, tag::SUMMARIES, &self.summaries);
        let mut values = Vec::new();
        put_floats(&mut values, &self.values);
        put_column(index, tag::VALUES, &values);
        if let Some(quantiles) = self.quantiles.column() {
            put_column(index, tag::QUANTILES, &quantiles);
        }
    }

    fn samples(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_planes(&mut out, &self.steps);
        put_floats(&mut out, &self.exact);
        out
    }
}

/// A measured value: finite and not negative, as the reader checks it.
fn measured(m: &Measurement, value: f64) -> Result<f64, RecordError> {
    if value < 0.0 { Err(not_storable(m, "has a negative number")) } else { finite(m, value) }
}

fn finite(m: &Measurement, value: f64) -> Result<f64, RecordError> {
    if value.is_finite() { Ok(value) } else { Err(not_storable(m, "has a number that is not finite")) }
}

fn put_summary(out: &mut Vec<u8>, m: &Measurement, summary: &Summary) -> Result<(), RecordError> {
    let (mean, sd, samples) = (summary.mean, summary.sd, summary.samples);
    out.push(u8::from(mean.is_some()) | u8::from(sd.is_some()) << 1 | u8::from(samples.is_some()) << 2);
    for value in [Some(summary.centre), mean, sd].into_iter().flatten() {
        out.extend(measured(m, value)?.to_le_bytes());
    }
    if let Some(samples) = samples {
        put_varint(out, samples);
    }
    put_varint(out, summary.quantiles.len() as u64);
    for &(share, value) in &summary.quantiles {
        out.extend(finite(m, share)?.to_le_bytes());
        out.extend(measured(m, value)?.to_le_bytes());
    }
    Ok(())
}
