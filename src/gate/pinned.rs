//! The head against the stored runs of the release that `[baseline] pin` names. What stands in the way of it is told and
//! stops nothing: the gate does not hang on it.

use super::side::{self, Scene, Side};
use crate::compare;
use crate::io::repository::Repository;
use crate::model::{Detail, Diagnostic};
use crate::verdict::{Circumstances, Pinned, judge};
use jiff::civil::Date;
use std::path::Path;

/// How far head is from the pinned release; `None` where none is pinned, or where nothing can be said.
pub fn against(scene: &Scene<'_>, head: &Side, today: Date, diagnostics: &mut Vec<Diagnostic>) -> Option<Pinned> {
    let policy = &scene.config.policy;
    let pin = policy.pin()?;
    let mut odd = |message: String| diagnostics.push(Diagnostic::warning("pin", policy.place(pin.line), message));
    let commit = Repository::discover(Path::new(".")).and_then(|repository| repository.resolve(&pin.revision));
    let commit = commit.map_err(|error| odd(format!("nothing is said of the pinned release: {error}"))).ok()?;
    let mut release = match scene.read_revision(&pin.revision, &commit, Detail::Digests) {
        Ok(side) => side,
        Err(error) => {
            odd(format!("nothing is said of the pinned release: {error:#}"));
            return None;
        }
    };
    let here = head.environment.clone().unwrap_or_else(|| side::here(Path::new(".")));
    let ignored = policy.ignored_environment();
    release.runs.retain(|run| crate::model::differences(&run.environment, &here, ignored).iter().all(|d| !d.decisive));
    if release.runs.is_empty() {
        odd(format!("the stored runs of {} were made on other machines; nothing is said of it", pin.revision));
        return None;
    }
    release.report.runs = release.runs.len();
    let rename = |old: &str| policy.rename(old).map(str::to_owned);
    let compared = compare::compare(&release.runs, &head.runs, policy.alpha(), rename);
    let (environment, _) = side::machines(&release, head, ignored);
    let circumstances = Circumstances { base: release.report, head: head.report.clone(), environment, today };
    Some(Pinned::of(&pin.revision, judge(compared, policy, circumstances)))
}
