//! Joins the results of files that ran the same suite: they are repetitions within one run.

use crate::model::{Diagnostic, Evidence, Measurement};
use std::collections::{BTreeMap, BTreeSet};

type Identity = (String, String, String);

/// The measurements of one suite.
#[derive(Default)]
struct SuiteResults {
    measurements: Vec<Measurement>,
    positions: BTreeMap<Identity, usize>,
}

impl SuiteResults {
    fn of(measurements: Vec<Measurement>) -> SuiteResults {
        let mut positions = BTreeMap::new();
        for (position, measurement) in measurements.iter().enumerate() {
            positions.entry(identity(measurement)).or_insert(position);
        }
        SuiteResults { measurements, positions }
    }

    /// True if two files have most benchmarks of the smaller one in common.
    fn is_same_suite(&self, other: &SuiteResults) -> bool {
        let (own, others) = (&self.positions, &other.positions);
        let (few, many) = if own.len() < others.len() { (own, others) } else { (others, own) };
        2 * few.keys().filter(|key| many.contains_key(*key)).count() > few.len()
    }

    /// Adds the results of another file as repetitions. `repeated` gets the names of the benchmarks whose results differ.
    fn add(&mut self, other: SuiteResults, repeated: &mut BTreeSet<String>) {
        for measurement in other.measurements {
            match self.positions.get(&identity(&measurement)).map(|position| &mut self.measurements[*position]) {
                // A tool may write the same results to several files.
                Some(first) if is_copy(&first.evidence, &measurement.evidence) => {}
                Some(first) => {
                    repeated.insert(measurement.benchmark.to_string());
                    first.evidence.extend(measurement.evidence);
                }
                None => {
                    self.positions.insert(identity(&measurement), self.measurements.len());
                    self.measurements.push(measurement);
                }
            }
        }
    }
}

/// Whether evidence was written to a second file. Samples are never the same twice; single numbers may be.
fn is_copy(known: &[Evidence], other: &[Evidence]) -> bool {
    let has_samples = |one: &Evidence| one.all_samples().is_some() || matches!(one, Evidence::Digest(_));
    known == other || other.iter().all(|one| has_samples(one) && known.contains(one))
}

/// Joins the measurements of several files; `files` has the number of measurements of each file. Files of one suite become
/// one. A name that occurs in files of different suites is kept twice.
pub(super) fn join_repetitions(
    measurements: Vec<Measurement>,
    files: &[usize],
) -> (Vec<Measurement>, Option<Diagnostic>) {
    let distinct: BTreeSet<_> =
        measurements.iter().map(|one| (one.benchmark.as_str(), &*one.metric.name, &*one.tool)).collect();
    if files.len() < 2 || distinct.len() == measurements.len() {
        return (measurements, None);
    }
    let mut rest = measurements.into_iter();
    let (mut suites, mut repeated) = (Vec::<SuiteResults>::new(), BTreeSet::new());
    let mut suite_of: BTreeMap<Identity, usize> = BTreeMap::new();
    for file in files.iter().map(|count| SuiteResults::of(rest.by_ref().take(*count).collect())) {
        let known: BTreeSet<usize> = file.positions.keys().filter_map(|key| suite_of.get(key).copied()).collect();
        let same = known.into_iter().find(|suite| suites[*suite].is_same_suite(&file));
        for key in file.positions.keys() {
            suite_of.entry(key.clone()).or_insert(same.unwrap_or(suites.len()));
        }
        match same {
            Some(suite) => suites[suite].add(file, &mut repeated),
            None => suites.push(file),
        }
    }
    (suites.into_iter().flat_map(|suite| suite.measurements).chain(rest).collect(), note(&repeated))
}

fn note(repeated: &BTreeSet<String>) -> Option<Diagnostic> {
    let first = repeated.first()?;
    let names = match repeated.len() {
        1 => format!("{first:?} is"),
        count => format!("{first:?} and {} more benchmarks are", count - 1),
    };
    let message = format!(
        "{names} in several files of this run; results count as repetitions. To compare them as separate runs, pass \
         each file with its own `--base` or `--head`. If they are different benchmarks, give each its own name"
    );
    Some(Diagnostic::warning("repeated-files", "", message))
}

fn identity(measurement: &Measurement) -> Identity {
    (measurement.benchmark.to_string(), measurement.metric.name.to_string(), measurement.tool.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Metric;

    #[test]
    fn a_file_is_joined_with_its_own_suite_and_not_with_another_one_that_has_one_of_its_names() {
        let files: [&[&str]; 3] = [&["a", "b"], &["a", "x", "y"], &["a", "x", "y"]];
        let mut all = Vec::new();
        for (number, names) in files.iter().enumerate() {
            let value = || Evidence::Value(1.0 + number as f64);
            all.extend(names.iter().map(|name| Measurement::new("t", *name, Metric::time(), value())));
        }
        let (joined, note) = join_repetitions(all, &[2, 3, 3]);
        let counts: Vec<(&str, usize)> =
            joined.iter().map(|one| (one.benchmark.as_str(), one.evidence.len())).collect();
        assert_eq!(counts, [("a", 1), ("b", 1), ("a", 2), ("x", 2), ("y", 2)]);
        assert!(note.is_some());
    }
}
