//! Plots. Charts are data (`chart`), made from a report or a history (`forest`, `samples`, `series`). Two back ends draw
//! them: plotters (`svg`), or gnuplot with a script written by criterion-plot (`gnuplot`). Both return bytes; `io` runs
//! gnuplot, `cli` writes the files.

mod chart;
mod forest;
mod gnuplot;
mod samples;
mod series;
mod svg;

pub use chart::Chart;
pub use gnuplot::script;
pub use svg::{PictureError, svg};

use super::history::{HistoryView, by_last_change};
use super::{escape, file_stem};
use crate::verdict::Report;

/// Maximum number of charts of one kind: gnuplot takes some time for each.
const MAX_CHARTS: usize = 60;

/// The charts of a report or a history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charts {
    /// The charts, each with a unique file name.
    pub charts: Vec<Chart>,
    /// Number of charts that were left out.
    pub left_out: usize,
}

impl Charts {
    /// The first charts, which are the most important.
    fn of(charts: impl Iterator<Item = Chart>, count: usize) -> Charts {
        let mut charts: Vec<Chart> = charts.take(MAX_CHARTS).collect();
        file_stem::make_unique(charts.iter_mut().map(|chart| &mut chart.file_stem));
        Charts { left_out: count - charts.len(), charts }
    }
}

/// A chart of all changes, then a chart of the samples of each benchmark, worst first.
pub fn of_report(report: &Report) -> Charts {
    let drawn = report.benchmarks.iter().filter(|finding| samples::has_any(finding));
    let count = drawn.clone().count();
    let mut charts = Charts::of(drawn.filter_map(samples::chart), count);
    if let Some(forest) = forest::chart(report) {
        charts.charts.insert(0, forest);
    }
    charts
}

/// A chart of each series with its stretches and changes, in the order of [`by_last_change`].
pub fn of_history(view: &HistoryView<'_>) -> Charts {
    let mut order: Vec<_> = view.series.iter().map(|segmented| (segmented, segmented.changes().last())).collect();
    order.sort_by(|(a, a_last), (b, b_last)| by_last_change((a, a_last.as_ref()), (b, b_last.as_ref())));
    let order = order.into_iter().map(|(segmented, _)| segmented);
    Charts::of(order.map(series::chart), view.series.len())
}

/// Removes the titles that gnuplot invents for curves without a legend: browsers show them under the pointer.
fn without_numbered_titles(picture: &str) -> String {
    const START: &str = "<title>gnuplot_plot_";
    const END: &str = "</title>";
    let mut parts = picture.split(START);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once(END).map_or(part, |(_, rest)| rest));
    }
    out
}

/// A picture as well-formed XML with the title of its chart, which screen readers read: plotters writes none, gnuplot one of its
/// own.
pub fn titled(picture: &str, chart: &Chart) -> String {
    let picture = without_numbered_titles(&picture.replacen("<title>Gnuplot</title>\n", "", 1));
    // gnuplot does not escape `>`, but text of XML must not contain `]]>`.
    let picture = if picture.contains("<![CDATA[") { picture } else { picture.replace("]]>", "]]&gt;") };
    let title = format!("<title>{}</title>\n", escape::xml(&chart.title));
    let end = picture.find("<svg").and_then(|start| Some(start + picture.get(start..)?.find('>')?));
    match end.and_then(|end| picture.split_at_checked(end)) {
        Some((tag, rest)) => {
            format!("{} role=\"img\">\n{title}{}", tag.trim_end(), rest.trim_start_matches('>').trim_start())
        }
        None => picture,
    }
}

#[cfg(test)]
mod tests;
