//! The head compared with the stored runs of the release that `[baseline] pin` names. This is informational: if the runs are
//! unavailable, the report has a warning, and the verdict is the same.

use super::builder::Gate;
use super::class_names::ClassNames;
use super::judge::{PolicyRules, SideFacts, at_different_times, judge};
use super::machine_class::{has_several_classes, is_comparable, keep_classes_of_head};
use super::renames::{leave_out_joined, leave_out_replaced};
use super::side::Side;
use crate::compare;
use crate::io::repository::Repository;
use crate::model::{Detail, Diagnostic};
use crate::verdict::PinnedReport;

impl Gate {
    /// How far head is from the pinned release; `None` if none is pinned, or where it cannot be compared.
    pub(super) fn compare_with_pinned(
        &self,
        head: &Side,
        names: &ClassNames,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<PinnedReport> {
        let policy = &self.config.policy;
        let pin = policy.pin()?;
        let mut warn = |why: String| {
            let message = format!("cannot compare with the pinned release: {why}");
            diagnostics.push(Diagnostic::warning("pin", policy.place(pin.line), message));
        };
        let commit = Repository::discover(&self.directory).and_then(|repository| repository.resolve(&pin.revision));
        let commit = commit.map_err(|error| warn(error.to_string())).ok()?;
        let release = self.read_base_revision(&pin.revision, &commit, head.measured_until(), Detail::Digests);
        let mut release = release.map_err(|error| warn(error.to_string())).ok()?;
        let ignored = policy.ignored_environment();
        let has_several = has_several_classes(head, ignored);
        if !has_several {
            let environment = head.environment.clone().map_or_else(|| self.here(), Ok);
            let environment = environment.map_err(|error| warn(error.to_string())).ok()?;
            release.runs.retain(|run| is_comparable(run, &environment, ignored));
        }
        release.diagnostics.extend(leave_out_replaced(policy, &mut release.runs));
        release.diagnostics.extend(leave_out_joined(policy, &mut release.runs));
        if has_several {
            keep_classes_of_head(&mut release, head, names, ignored, |old| policy.rename(old));
        }
        if release.runs.is_empty() {
            warn(format!("the stored runs of {} come from other machines", pin.revision));
            return None;
        }
        release.report.runs = release.runs.len();
        for one in release.diagnostics.iter_mut().filter(|one| one.place.is_empty()) {
            one.place = policy.place(pin.line);
        }
        diagnostics.extend(release.diagnostics);
        let rules = names.rules(PolicyRules(policy));
        let mut compared = compare::compare(&release.runs, &head.runs, at_different_times(policy), rules);
        names.set_per_class(&mut compared.comparisons);
        let base = SideFacts { report: release.report, environment: release.environment };
        let head = SideFacts { report: head.report.clone(), environment: head.environment.clone() };
        Some(judge(compared, policy, base, head).into_pinned(&pin.revision))
    }
}
