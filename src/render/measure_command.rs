//! The command that measures both sides, for advice. All advice of a report has the same command.

use super::verdict_text::is_plain_branch;
use crate::model::Commit;
use crate::verdict::Report;

/// The command that measures both sides, and what its words in capitals stand for.
pub(super) struct MeasureCommand {
    /// `` `perfgate measure --base v1.2 -- COMMAND` ``
    pub command: String,
    /// `` COMMAND: your benchmark command, such as `cargo bench` ``
    pub words: &'static str,
}

impl MeasureCommand {
    pub fn of(report: &Report) -> MeasureCommand {
        let base = base_revision(report);
        let words = match base {
            Some(_) => "COMMAND: your benchmark command, such as `cargo bench`",
            None => "REV: the commit of base, COMMAND: your benchmark command, such as `cargo bench`",
        };
        MeasureCommand { command: format!("`perfgate measure --base {} -- COMMAND`", base.unwrap_or("REV")), words }
    }
}

/// A revision for `--base` of `perfgate measure`: what base was taken from, if known.
fn base_revision(report: &Report) -> Option<&str> {
    let branch = report.base.branch.as_deref().filter(|branch| is_plain_branch(branch));
    // Behind a gap, the stored runs are of a commit that head did not start from.
    let commit = report.base.commit.as_ref().filter(|_| report.base.gap.is_none());
    branch.or_else(|| commit.map(Commit::short))
}
