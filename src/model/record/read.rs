//! Decodes columns to a run. The input is not trusted: every count is checked against the remaining bytes, every number
//! must be finite, no value negative, and the measurements must be sorted.

use super::columns::{Form, name_bytes, order, tag, work_unit};
use super::digests::{Digests, check_edge};
use super::error::RecordError;
use super::limits::{INDEX_LIMIT, MAX_COLUMNS, MAX_EVIDENCE, MAX_FACTS, MAX_MEASUREMENTS, MAX_METRICS, MAX_SAMPLES};
use super::quantiles::Quantiles;
use super::samples;
use super::wire::{Cursor, Planes, damaged, limited, not_negative, read_all};
use crate::model::{
    BenchId, Commit, Digest, Direction, EarlyEnd, EndScope, Environment, Evidence, FailedBenchmark, Failures,
    Measurement, Metric, Run, SkippedBenchmark, Summary, Unit, Work,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A decoded index; each column is checked on its own.
#[derive(Debug)]
pub(super) struct Index {
    facts: Run,
    names: Vec<BenchId>,
    kinds: Vec<Kind>,
    kind_of: Vec<usize>,
    work: Vec<Option<Work>>,
    iterations: Vec<Option<f32>>,
    evidence_counts: Vec<usize>,
    forms: Vec<Form>,
    digests: Digests,
    quantiles: Quantiles,
    summaries: Vec<u8>,
    values: Vec<f64>,
}

impl Index {
    /// Decodes the columns of a decompressed index. `known` are names to share, see [`super::decode_sharing_names`].
    pub(super) fn read(raw: &[u8], known: &[BenchId]) -> Result<Index, RecordError> {
        let mut columns = BTreeMap::new();
        let mut rest = Cursor(raw);
        while !rest.is_empty() {
            let tag = rest.varint()?;
            let size = rest.count(1)?;
            columns.insert(tag, rest.take(size)?);
            limited(columns.len(), MAX_COLUMNS, "columns")?;
        }
        let column = |tag| columns.get(&tag).copied().map(Cursor).ok_or_else(|| damaged("a column is missing"));

        let mut kinds_column = column(tag::KINDS)?;
        let kinds = read_table(&mut kinds_column)?;
        let names = read_names(column(tag::NAMES)?, known, kinds.len())?;
        let n = names.len();
        let kind_of = read_kinds(kinds_column, &kinds, n)?;
        let work = read_work(column(tag::WORK)?, n)?;
        let iterations = match columns.get(&tag::ITERATIONS) {
            Some(iterations) => read_iterations(Cursor(iterations), n)?,
            None => vec![None; n],
        };
        let (evidence_counts, forms) = read_evidence(column(tag::EVIDENCE)?, n)?;
        let mut digests = Digests::default();
        digests.read_centres(column(tag::CENTRES)?)?;
        digests.read_measures(column(tag::MEASURES)?)?;
        if let Some(typical_means) = columns.get(&tag::TYPICAL_MEANS) {
            digests.read_typical_means(Cursor(typical_means))?;
        }
        if let Some(splits) = columns.get(&tag::SPLITS) {
            digests.read_splits(Cursor(splits))?;
        }
        let quantiles = match columns.get(&tag::QUANTILES) {
            Some(quantiles) => Quantiles::read(Cursor(quantiles))?,
            None => Quantiles::default(),
        };
        let summaries = column(tag::SUMMARIES)?.0.to_vec();
        let values = column(tag::VALUES)?;
        let values = Cursor(values.0).planes::<8>(values.0.len() / 8)?.floats()?;
        let mut facts = read_facts(column(tag::RUN)?)?;
        if let Some(failures) = columns.get(&tag::FAILURES) {
            facts.failures = read_failures(Cursor(failures))?;
        }
        if let Some(versions) = columns.get(&tag::VERSIONS) {
            facts.versions = read_versions(Cursor(versions))?;
        }
        if let Some(measured) = columns.get(&tag::MEASURED) {
            facts.measured = Some(Cursor(measured).signed()?);
        }
        Ok(Index {
            facts,
            names,
            kinds,
            kind_of,
            work,
            iterations,
            evidence_counts,
            forms,
            digests,
            quantiles,
            summaries,
            values,
        })
    }

    /// True if the digests can be used in place of the samples.
    pub(super) fn digests_are_current(&self) -> bool {
        self.digests.are_current()
    }

    /// The run, with its samples where they are given, otherwise with their digests.
    pub(super) fn run(self, samples: Option<&[u8]>) -> Result<Run, RecordError> {
        let mut samples = samples.map(|raw| self.stored_samples(raw)).transpose()?;
        let mut summaries = Cursor(&self.summaries);
        let mut values = self.values.iter().copied();
        let mut forms = self.forms.as_slice();
        let mut next_digest = 0..;
        let mut next_thinned = 0..;
        let short = || damaged("there is less evidence than measurements");
        let mut read_one = |form: &Form| -> Result<Evidence, RecordError> {
            Ok(match form {
                Form::Steps | Form::Exact | Form::Digest => {
                    let digest = next_digest.next().and_then(|d| self.digests.get(d)).ok_or_else(short)?;
                    match samples.as_mut().and_then(|s| s.next(*form, digest)) {
                        Some(samples) => self.digests.evidence(digest, valid_samples(samples)?),
                        None if samples.is_some() && *form == Form::Digest => {
                            let place = next_thinned.next().ok_or_else(short)?;
                            self.quantiles.evidence(place, digest)?
                        }
                        None => Evidence::Digest(digest),
                    }
                }
                Form::Summary => Evidence::summary(read_summary(&mut summaries)?),
                Form::Value => Evidence::Value(not_negative(values.next().ok_or_else(short)?)?),
            })
        };
        let mut measurements = Vec::with_capacity(self.names.len());
        for (i, benchmark) in self.names.into_iter().enumerate() {
            let (forms_of_one, others) = forms.split_at_checked(self.evidence_counts[i]).ok_or_else(short)?;
            forms = others;
            let mut evidence = forms_of_one.iter().map(&mut read_one).collect::<Result<Vec<_>, _>>()?;
            let (tool, metric) = self.kinds[self.kind_of[i]].clone();
            for one in &mut evidence {
                if let Evidence::Rounded(rounded) = one {
                    self.digests.complete(rounded, metric.direction);
                }
            }
            for digest in evidence.iter().filter_map(stored_digest) {
                check_edge(digest, metric.direction)?;
            }
            measurements.push(Measurement {
                tool,
                benchmark,
                metric,
                evidence,
                work: self.work[i],
                iterations: self.iterations[i],
            });
        }
        if measurements.windows(2).any(|pair| order(&pair[0], &pair[1]).is_ge()) {
            return Err(damaged("its measurements are not in order"));
        }
        Ok(Run { measurements, ..self.facts })
    }

    /// Checks that the number of samples matches the counts.
    fn stored_samples<'a>(&self, raw: &'a [u8]) -> Result<StoredSamples<'a>, RecordError> {
        let (mut steps, mut exact) = (0_usize, 0_usize);
        let sampled = self.forms.iter().filter(|f| matches!(f, Form::Steps | Form::Exact | Form::Digest));
        for (form, &count) in sampled.zip(&self.digests.counts) {
            let sum = match form {
                Form::Steps => &mut steps,
                Form::Exact => &mut exact,
                _ => continue,
            };
            if count == 0 {
                return Err(damaged("a set of samples is empty"));
            }
            *sum = sum.checked_add(count as usize).ok_or_else(|| damaged("a count is too large"))?;
        }
        limited(steps.saturating_add(exact), MAX_SAMPLES, "samples")?;
        let mut cursor = Cursor(raw);
        let samples = StoredSamples { steps: cursor.planes(steps)?, exact: cursor.planes(exact)?, at: (0, 0) };
        if cursor.is_empty() { Ok(samples) } else { Err(damaged("there are more samples than the counts state")) }
    }
}

/// The samples, read in the order of the evidence.
#[derive(Debug)]
struct StoredSamples<'a> {
    steps: Planes<'a, 3>,
    exact: Planes<'a, 8>,
    at: (usize, usize),
}

impl StoredSamples<'_> {
    fn next(&mut self, form: Form, digest: Digest) -> Option<Vec<f64>> {
        let n = digest.samples as usize;
        match form {
            Form::Steps => {
                self.at.0 += n;
                Some(samples::read(&self.steps, self.at.0 - n, n, digest.median))
            }
            Form::Exact => {
                self.at.1 += n;
                Some((self.at.1 - n..self.at.1).map(|i| f64::from_le_bytes(self.exact.get(i))).collect())
            }
            _ => None,
        }
    }
}

fn valid_samples(samples: Vec<f64>) -> Result<Vec<f64>, RecordError> {
    let valid = |x: &f64| x.is_finite() && *x >= 0.0;
    if samples.iter().all(valid) { Ok(samples) } else { Err(damaged("a sample is negative or not finite")) }
}

fn stored_digest(evidence: &Evidence) -> Option<&Digest> {
    match evidence {
        Evidence::Digest(digest) => Some(digest),
        Evidence::Rounded(rounded) => Some(&rounded.digest),
        Evidence::Thinned(thinned) => Some(&thinned.digest),
        _ => None,
    }
}

fn read_facts(mut column: Cursor<'_>) -> Result<Run, RecordError> {
    let commit = match column.text()? {
        "" => None,
        id => Some(Commit::parse(id).ok_or_else(|| damaged("its commit is not a commit id"))?),
    };
    let time = column.signed()?;
    let has_branch = column.byte()? != 0;
    let branch = column.text()?;
    let branch = has_branch.then(|| branch.to_owned());
    let mut environment = Environment::default();
    for _ in 0..limited(column.count(2)?, MAX_FACTS, "facts of the machine")? {
        let (key, value) = (column.text()?.to_owned(), column.text()?.to_owned());
        environment.0.insert(key, value);
    }
    Ok(Run { commit, time, branch, environment, ..Run::default() })
}

fn read_versions(mut column: Cursor<'_>) -> Result<BTreeMap<BenchId, Box<str>>, RecordError> {
    let n = limited(column.count(2)?, MAX_MEASUREMENTS, "versions")?;
    let versions = read_all(n, || Ok((BenchId::new(column.text()?), column.text()?.into())))?;
    Ok(versions.into_iter().collect())
}

fn read_failures(mut column: Cursor<'_>) -> Result<Failures, RecordError> {
    let n = limited(column.count(3)?, MAX_MEASUREMENTS, "failures")?;
    let benchmarks = read_all(n, || {
        let (tool, benchmark) = (static_or_owned(column.text()?), BenchId::new(column.text()?));
        Ok(FailedBenchmark { tool, benchmark, why: column.text()?.to_owned() })
    })?;
    let n = limited(column.count(3)?, MAX_MEASUREMENTS, "failures")?;
    let early_ends = read_all(n, || {
        let (tool, scope) = (static_or_owned(column.text()?), end_scope(column.text()?));
        Ok(EarlyEnd { tool, scope, why: column.text()?.to_owned() })
    })?;
    // Records of earlier versions end here.
    let n = if column.is_empty() { 0 } else { limited(column.count(2)?, MAX_MEASUREMENTS, "skipped benchmarks")? };
    let skipped = read_all(n, || {
        let (tool, benchmark) = (static_or_owned(column.text()?), BenchId::new(column.text()?));
        Ok(SkippedBenchmark { tool, benchmark })
    })?;
    Ok(Failures { benchmarks, early_ends, skipped })
}

/// The inverse of the writer's `end_scope`.
fn end_scope(text: &str) -> EndScope {
    if let Some(prefix) = text.strip_suffix("\0\0") {
        return EndScope::Below(prefix.to_owned());
    }
    match text.strip_suffix('\0') {
        Some("") => EndScope::Nothing,
        Some(name) => EndScope::Benchmark(name.to_owned()),
        None => EndScope::from_prefix(text),
    }
}

/// Reads the names; those in `known`, which is sorted too, are shared. A name is there at most `metrics` times. The order
/// is checked here already, before a damaged record takes much memory.
fn read_names(mut column: Cursor<'_>, mut known: &[BenchId], metrics: usize) -> Result<Vec<BenchId>, RecordError> {
    let n = limited(column.count(1)?, MAX_MEASUREMENTS, "measurements")?;
    let mut last: Option<(&str, usize)> = None;
    read_all(n, || {
        let text = column.text()?;
        let times = match last {
            Some((before, times)) if before == text => times + 1,
            Some((before, _)) if before > text => return Err(damaged("its measurements are not in order")),
            _ => 1,
        };
        if times > metrics {
            return Err(damaged("a benchmark has more measurements than there are metrics"));
        }
        last = Some((text, times));
        while let [first, rest @ ..] = known
            && first.as_str() < text
        {
            known = rest;
        }
        let same = known.first().filter(|first| first.as_str() == text);
        Ok(same.cloned().unwrap_or_else(|| BenchId::new(text)))
    })
}

type Kind = (Cow<'static, str>, Arc<Metric>);

/// Reads the tools and metrics.
fn read_table(column: &mut Cursor<'_>) -> Result<Vec<Kind>, RecordError> {
    let mut table = Vec::new();
    for _ in 0..limited(column.count(4)?, MAX_METRICS, "metrics")? {
        let tool = static_or_owned(column.text()?);
        let name = static_or_owned(column.text()?);
        let unit = Unit::from_label(column.text()?);
        let flags = column.byte()?;
        // Earlier versions ignore bit 2 and take lower for better, as they wrote it.
        let direction = match flags & 5 {
            0 => Direction::Lower,
            1 => Direction::Higher,
            _ => Direction::Unknown,
        };
        // Earlier versions do not have bit 4: the unit or a word may have decided the direction.
        table.push((tool, Arc::new(Metric { name, unit, direction, assumed: flags & 16 == 0, exact: flags & 2 != 0 })));
    }
    Ok(table)
}

/// Reads which tool and metric each of `n` measurements has.
fn read_kinds(mut column: Cursor<'_>, table: &[Kind], n: usize) -> Result<Vec<usize>, RecordError> {
    let mut text = 0_usize;
    let kind_of = read_all(n, || {
        let kind = usize::try_from(column.varint()?).unwrap_or(usize::MAX);
        let (tool, metric) = table.get(kind).ok_or_else(|| damaged("a metric is missing"))?;
        // A long name that is used often would need much memory from few bytes.
        text = text.saturating_add(name_bytes((tool.as_ref(), metric)));
        Ok(kind)
    })?;
    if text > INDEX_LIMIT {
        return Err(damaged("its names of tools and metrics are too long"));
    }
    Ok(kind_of)
}

/// Avoids an allocation for the most frequent names.
fn static_or_owned(name: &str) -> Cow<'static, str> {
    match name {
        "time" => Cow::Borrowed("time"),
        "criterion" => Cow::Borrowed("criterion"),
        other => Cow::Owned(other.to_owned()),
    }
}

fn read_work(mut column: Cursor<'_>, n: usize) -> Result<Vec<Option<Work>>, RecordError> {
    let codes = column.take(n)?;
    let mut amounts = column.planes::<8>(codes.iter().filter(|c| **c != 0).count())?.floats()?.into_iter();
    let mut codes = codes.iter();
    read_all(n, || match codes.next() {
        None | Some(0) => Ok(None),
        Some(code) => {
            let unit = work_unit(*code)?;
            Ok(amounts.next().map(|amount| Work { amount, unit }))
        }
    })
}

fn read_iterations(mut column: Cursor<'_>, n: usize) -> Result<Vec<Option<f32>>, RecordError> {
    let items = column.planes::<4>(n)?;
    let item = |i: usize| f32::from_le_bytes(items.get(i));
    Ok((0..n).map(item).map(|count| (count.is_finite() && count > 0.0).then_some(count)).collect())
}

fn read_evidence(mut column: Cursor<'_>, n: usize) -> Result<(Vec<usize>, Vec<Form>), RecordError> {
    let mut total = 0_usize;
    let evidence_counts = read_all(n, || {
        let count = column.count(1)?;
        if count == 0 {
            return Err(damaged("a measurement has no evidence"));
        }
        total = limited(total.saturating_add(count), MAX_EVIDENCE, "results")?;
        Ok(count)
    })?;
    let mut forms = column.take(total)?.iter();
    let forms =
        read_all(total, || forms.next().map_or_else(|| Err(damaged("it ends too early")), |form| Form::of(*form)))?;
    Ok((evidence_counts, forms))
}

fn read_summary(column: &mut Cursor<'_>) -> Result<Summary, RecordError> {
    let flags = column.byte()?;
    let mut float = || not_negative(column.float()?);
    let centre = float()?;
    let mean = (flags & 1 != 0).then(&mut float).transpose()?;
    let sd = (flags & 2 != 0).then(&mut float).transpose()?;
    let samples = (flags & 4 != 0).then(|| column.varint()).transpose()?;
    let n = column.count(16)?;
    let quantiles =
        (0..n).map(|_| Ok((column.float()?, not_negative(column.float()?)?))).collect::<Result<_, RecordError>>()?;
    Ok(Summary { centre, mean, sd, samples, quantiles })
}
