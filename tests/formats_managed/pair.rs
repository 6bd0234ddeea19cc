//! A suite that was measured before and after known changes, and the check that both readings show these changes.
#![allow(clippy::unwrap_used, clippy::panic)] // a test's own tools, outside a test function

use perfgate::formats::{FORMATS, Format, Preview, Reading, Source};
use perfgate::model::{Direction, Evidence, Measurement};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

pub fn detect(bytes: &[u8]) -> Vec<&'static str> {
    let preview = Preview::of(bytes);
    FORMATS.iter().filter(|format| format.sniff(&preview)).map(|format| format.name()).collect()
}

pub fn format(name: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == name).unwrap_or_else(|| panic!("no format {name}"))
}

/// Reads a file with the one format that is detected.
pub fn read(tool: &str, file: &str) -> Reading {
    let bytes = std::fs::read(data(&format!("{tool}/{file}"))).unwrap();
    assert_eq!(detect(&bytes), [tool], "{tool}/{file}");
    format(tool).parse(Source { name: file, bytes: &bytes }).unwrap()
}

/// The median of the runs' medians.
pub fn centre(measurement: &Measurement) -> f64 {
    let runs = measurement.evidence.iter().map(|evidence| match evidence {
        Evidence::Samples(samples) => median(samples.clone()),
        Evidence::Summary(summary) => summary.centre,
        Evidence::Value(value) => *value,
        Evidence::Digest(_) | Evidence::Thinned(_) | Evidence::Rounded(_) => panic!("formats never produce digests"),
    });
    median(runs.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

/// A suite with known changes between two runs.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    pub tool: &'a str,
    pub files: [&'a str; 2],
    pub metric: &'a str,
    pub unit: &'a str,
    /// Unchanged benchmarks without much noise.
    pub stable: &'a [&'a str],
    pub slower: &'a [&'a str],
    pub faster: &'a [&'a str],
    pub removed: &'a [&'a str],
    pub added: &'a [&'a str],
}

impl Pair<'_> {
    pub fn check(&self) {
        let [before, after] = self.files.map(|file| {
            let reading = read(self.tool, file);
            reading.measurements.into_iter().filter(|m| m.metric.name == self.metric).collect::<Vec<_>>()
        });
        for measurement in before.iter().chain(&after) {
            assert_eq!(measurement.metric.unit.label(), self.unit, "{}", measurement.benchmark);
        }
        let names = |list: &[Measurement]| -> BTreeSet<String> {
            list.iter().map(|measurement| measurement.benchmark.to_string()).collect()
        };
        let set = |list: &[&str]| -> BTreeSet<String> { list.iter().map(|name| (*name).to_owned()).collect() };
        let (names_before, names_after) = (names(&before), names(&after));
        assert_eq!(names_before.difference(&names_after).cloned().collect::<BTreeSet<_>>(), set(self.removed));
        assert_eq!(names_after.difference(&names_before).cloned().collect::<BTreeSet<_>>(), set(self.added));
        let both: BTreeSet<String> = names_before.intersection(&names_after).cloned().collect();
        assert!(set(self.stable).union(&set(self.slower)).chain(&set(self.faster)).all(|name| both.contains(name)));
        // Ratio of after to before, inverted where higher is better: above 1 is worse.
        let worse = |name: &str| {
            let of = |list: &[Measurement]| list.iter().find(|m| m.benchmark.as_str() == name).cloned().unwrap();
            let (before, after) = (of(&before), of(&after));
            match after.metric.direction {
                Direction::Lower | Direction::Unknown => centre(&after) / centre(&before),
                Direction::Higher => centre(&before) / centre(&after),
            }
        };
        self.slower.iter().for_each(|name| assert!(worse(name) > 1.25, "{name}: {}", worse(name)));
        self.faster.iter().for_each(|name| assert!(worse(name) < 0.8, "{name}: {}", worse(name)));
        let steady = 0.8..1.25;
        self.stable.iter().for_each(|name| assert!(steady.contains(&worse(name)), "{name}: {}", worse(name)));
    }
}
