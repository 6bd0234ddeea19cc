//! The worst findings over the stored runs that stand for the base: what a saved comparison keeps of the history.

use super::config::Config;
use super::stored::{self, Epochs};
use crate::history::{self, Series};
use crate::model::Run;
use crate::verdict::{Finding, Outcome, Report, SeriesPoint, SeriesReport};

/// How many findings are told over time.
const MOST: usize = 3;

/// The series of the worst findings, over runs in time order and then head: what regressed, else what is suspect, else
/// what improved.
pub fn series(config: &Config, runs: &[Run], report: &Report) -> Vec<SeriesReport> {
    let of_it = |wanted: &dyn Fn(&&Finding) -> bool| -> Vec<&Finding> {
        report.benchmarks.iter().filter(wanted).take(MOST).collect()
    };
    let regressed = of_it(&|finding| finding.outcome == Outcome::Regressed);
    let suspect = of_it(&|finding| finding.suspect);
    let improved = of_it(&|finding| finding.outcome == Outcome::Improved);
    let findings = [regressed, suspect, improved].into_iter().find(|some| !some.is_empty()).unwrap_or_default();
    if runs.len() < 2 || findings.is_empty() {
        return Vec::new();
    }
    // What the epochs have to say was said when the base was read.
    let epochs = Epochs::of(&config.policy, &mut Vec::new());
    let all = stored::reading(&config.policy, &epochs, |reading| history::series(runs, reading));
    let told = |finding: &&Finding| -> Option<SeriesReport> {
        let of_finding = |series: &&Series| {
            let same_metric = *series.metric.name == *finding.metric && series.metric.unit.label() == finding.unit;
            series.benchmark.as_str() == finding.name && same_metric && *series.tool == *finding.tool
        };
        let longest = all.iter().filter(of_finding).max_by_key(|series| series.points.len())?;
        let head = finding.head?;
        let mut points: Vec<SeriesPoint> = longest
            .points
            .iter()
            .map(|point| SeriesPoint {
                commit: point.commit.as_ref().map(|commit| commit.as_str().to_owned()),
                runs: point.runs,
                value: point.value,
            })
            .collect();
        points.push(SeriesPoint { commit: report.head.commit.clone(), runs: head.runs, value: head.value });
        Some(SeriesReport {
            name: finding.name.clone(),
            metric: finding.metric.to_string(),
            unit: finding.unit.to_string(),
            points,
        })
    };
    findings.iter().filter_map(told).collect()
}
