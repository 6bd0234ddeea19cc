//! What a history shows besides the series: texts and web pages of the commits, and the class of this machine.

use super::builder::Gate;
use crate::history::{SegmentedSeries, machine_class};
use crate::io::forge;
use crate::io::probe;
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render::{CommitText, HistoryFacts};
use std::collections::BTreeSet;

impl Gate {
    /// The class of the machine that perfgate runs on, as series state theirs.
    pub(crate) fn machine_class_of_this_machine(&self) -> String {
        let environment = probe::probe(&self.directory, &|name| std::env::var(name).ok());
        machine_class(&environment, self.config.policy.ignored_environment())
    }

    /// The facts of the series' commits. Without a repository, or in a shallow clone, some have no text.
    pub(crate) fn history_facts(&self, all_series: &[SegmentedSeries]) -> HistoryFacts {
        let Ok(repository) = Repository::discover(&self.directory) else { return HistoryFacts::default() };
        let points = all_series.iter().flat_map(|segmented| &segmented.series.points);
        let commits: BTreeSet<&Commit> = points.filter_map(|point| point.commit.as_ref()).collect();
        let text =
            |commit: &Commit| CommitText { subject: repository.subject(commit), author: repository.author(commit) };
        HistoryFacts {
            commits: commits.into_iter().map(|commit| (commit.clone(), text(commit))).collect(),
            pages: repository.remote_address().and_then(|address| forge::commit_pages(&address)),
        }
    }
}
