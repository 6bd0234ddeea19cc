//! What the pages of a history show besides the series: texts and web pages of the commits.

use super::builder::Gate;
use crate::history::SegmentedSeries;
use crate::io::forge;
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render::{CommitText, HistoryFacts};
use std::collections::BTreeSet;

impl Gate {
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
