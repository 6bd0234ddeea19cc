//! The worst findings over the stored runs of the base: the part of the history that a saved comparison includes.

use super::builder::Gate;
use super::stored_history::with_series_rules;
use crate::history::{self, Series};
use crate::model::Run;
use crate::verdict::{Finding, Outcome, Report, SeriesPoint, SeriesReport};

/// Maximum number of findings with a series.
const MAX_SERIES: usize = 3;

impl Gate {
    /// The series of the worst findings: of regressions, without any of suspects, and without any of improvements. Runs are in time
    /// order, and head is last.
    pub(super) fn series_of_worst(&self, runs: &[Run], report: &Report) -> Vec<SeriesReport> {
        let first = |wanted: &dyn Fn(&&Finding) -> bool| -> Vec<&Finding> {
            report.benchmarks.iter().filter(wanted).take(MAX_SERIES).collect()
        };
        let regressed = first(&|finding| finding.outcome == Outcome::Regressed);
        let suspect = first(&|finding| finding.suspect);
        let improved = first(&|finding| finding.outcome == Outcome::Improved);
        let findings = [regressed, suspect, improved].into_iter().find(|some| !some.is_empty()).unwrap_or_default();
        if runs.len() < 2 || findings.is_empty() {
            return Vec::new();
        }
        // Unknown epochs were reported when the base was read.
        let epochs = self.epochs(&mut Vec::new());
        let all = with_series_rules(&self.config.policy, &epochs, |rules| history::series(runs, rules));
        findings.iter().filter_map(|finding| series_of(finding, &all, report)).collect()
    }
}

/// The longest stored series of a finding, with head at its end.
fn series_of(finding: &Finding, all: &[Series], report: &Report) -> Option<SeriesReport> {
    let of_finding = |series: &&Series| {
        let same_metric = *series.metric.name == *finding.metric && series.metric.unit.label() == finding.unit;
        series.benchmark.as_str() == finding.name && same_metric && *series.tool == *finding.tool
    };
    let longest = all.iter().filter(of_finding).max_by_key(|series| series.points.len())?;
    let head = finding.head?;
    let stored = longest.points.iter().map(|point| SeriesPoint {
        commit: point.commit.clone(),
        runs: point.runs,
        value: point.value,
    });
    let head = SeriesPoint { commit: report.head.commit.clone(), runs: head.runs, value: head.value };
    Some(SeriesReport {
        name: finding.name.clone(),
        metric: finding.metric.to_string(),
        unit: finding.unit.to_string(),
        points: stored.chain([head]).collect(),
    })
}
