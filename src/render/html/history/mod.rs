//! The pages of stored series: an overview, and a chart of one or several series, drawn by uPlot. As one file with all data,
//! or as a directory whose page loads the points of a series when it is opened.

mod data;

use super::Page;
use crate::render::escape::xml;
use crate::render::history::{HistoryFacts, HistoryView};
use crate::render::quantity::counted;
use data::{HistoryData, history_data};
use serde_json::{Value, json};

const STYLE: &str = concat!(
    include_str!("../page.css"),
    include_str!("../../../../assets/uplot/uPlot.min.css"),
    include_str!("page.css")
);

const SCRIPTS: [&str; 2] = [
    concat!(
        "/*!\n",
        include_str!("../../../../assets/uplot/LICENSE"),
        "*/\n",
        include_str!("../../../../assets/uplot/uPlot.iife.min.js")
    ),
    concat!(
        "\"use strict\";\n",
        include_str!("../sort.js"),
        include_str!("../change.js"),
        include_str!("data.js"),
        include_str!("overview.js"),
        include_str!("chart.js"),
        include_str!("card.js"),
        include_str!("series.js"),
    ),
];

const BODY: &str = include_str!("body.html");

/// The files of a site.
pub struct HistorySite {
    /// `index.html`.
    pub page: String,
    /// The names of the files in `data/`, with their contents.
    pub files: Vec<(String, String)>,
}

/// The page of a history as one file.
pub fn page(view: &HistoryView<'_>, facts: &HistoryFacts) -> String {
    let HistoryData { overview, commits, series } = history_data(view, facts);
    let series: Vec<Value> = series.into_iter().map(|(_, points)| points).collect();
    html(view, &json!({"overview": overview, "commits": commits, "series": series}), false)
}

/// The page of a history with a file for the commits and one for each series. A page that is opened from a disk can load
/// scripts but not JSON, so each file is a script that passes its JSON to a function.
pub fn site(view: &HistoryView<'_>, facts: &HistoryFacts) -> HistorySite {
    let HistoryData { overview, commits, series } = history_data(view, facts);
    let file = |(stem, value): (String, Value)| (format!("{stem}.js"), format!("perfgate(\n{value}\n);\n"));
    let files = series.into_iter().chain([("commits".to_owned(), commits)]).map(file).collect();
    HistorySite { page: html(view, &json!({"overview": overview}), true), files }
}

fn html(view: &HistoryView<'_>, data: &Value, has_files: bool) -> String {
    let heading = format!("{} series of {}", view.series.len(), counted(view.runs, "stored run"));
    let body = BODY.replace("{heading}", &xml(&heading)).replace("{store}", &xml(view.store));
    let title = format!("perfgate: {heading}");
    let data = data.to_string();
    Page { title: &title, body: &body, style: STYLE, data: &data, scripts: &SCRIPTS, has_files }.html()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    #[test]
    fn the_chart_library_is_the_one_that_its_readme_states() {
        let readme = include_str!("../../../../assets/uplot/README.md");
        for file in [
            &include_bytes!("../../../../assets/uplot/uPlot.iife.min.js")[..],
            include_bytes!("../../../../assets/uplot/uPlot.min.css"),
        ] {
            let sum: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(readme.contains(&sum), "{sum}");
        }
    }
}
