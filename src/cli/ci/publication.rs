//! Publishes the reports of several jobs, and combines their exit codes.

use super::job_names::JobNames;
use super::work::{CiJob, ReportDestination, output_directory};
use crate::cli::output;
use crate::model::Commit;
use crate::render;
use crate::verdict::{Report, Verdict};
use std::collections::BTreeMap;

impl CiJob<'_> {
    /// Publishes the reports of all jobs. The outputs of the step are those of the worst report, which is published
    /// last.
    pub(super) fn publish_all(
        &self,
        mut reports: Vec<(Report, JobNames)>,
        pull: Option<u64>,
        head: &Commit,
        pushed: bool,
    ) -> anyhow::Result<u8> {
        for (report, _) in &mut reports {
            report.allow_missing_baseline = !self.inputs.baseline_required;
        }
        reports.sort_by_key(|(report, _)| severity(report.exit_code()));
        note_same_names(&mut reports);
        let mut worst = 0;
        for (report, names) in reports {
            let mut outputs = {
                let _stopped = self.reporter.stop_commands();
                self.save(&report, &output_directory()?)?
            };
            if pushed && report.verdict != Verdict::Fail {
                outputs[0].1 = "recorded".to_owned();
            }
            let destination = ReportDestination { pull, head: head.clone(), pushed, names };
            let published = self.publish(&report, &destination)?;
            let code = self.finish(&report, published, outputs)?;
            worst = std::cmp::max_by_key(worst, code, |code| severity(*code));
        }
        Ok(worst)
    }
}

/// Jobs with the same names have one comment and one check run, so the report that comes last replaces the others.
fn note_same_names(reports: &mut [(Report, JobNames)]) {
    let mut jobs: BTreeMap<JobNames, usize> = BTreeMap::new();
    for (_, names) in &*reports {
        *jobs.entry(names.clone()).or_default() += 1;
    }
    for (report, names) in reports {
        if let Some(jobs) = jobs.get(names).filter(|jobs| **jobs > 1) {
            report.notices.push(render::same_names(*jobs));
        }
    }
    if let Some(jobs) = jobs.into_values().find(|jobs| *jobs > 1) {
        output::warn(&render::same_names(jobs));
    }
}

/// Orders exit codes: a gate that fails comes after one without a verdict.
fn severity(code: u8) -> u8 {
    match code {
        0 => 0,
        1 => 2,
        _ => 1,
    }
}
