//! Pictures: what each shows is data (`chart`), made from a report or a history (`forest`, `samples`, `series`), and two
//! back ends draw it: plotters here (`svg`), or gnuplot by a script that criterion-plot writes (`gnuplot`), as criterion
//! does it. Both give bytes; running gnuplot is for `io`, choosing and writing files for `cli`.

mod chart;
mod forest;
mod gnuplot;
mod samples;
mod series;
mod stem;
mod svg;

pub use chart::Chart;
pub use gnuplot::script;
pub use svg::{PictureError, svg};

use super::history::HistoryView;
use crate::verdict::Report;

/// More pictures of one kind are no use to anyone, and each costs gnuplot's time.
const PICTURES: usize = 60;

/// The pictures of a report or a history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charts {
    /// Each with its own file name.
    pub charts: Vec<Chart>,
    /// How many more there could be.
    pub left_out: usize,
}

impl Charts {
    /// Of many, the first, which are those that matter most.
    fn of(charts: impl Iterator<Item = Chart>, count: usize) -> Charts {
        let mut charts: Vec<Chart> = charts.take(PICTURES).collect();
        stem::keep_apart(charts.iter_mut().map(|chart| &mut chart.stem));
        Charts { left_out: count - charts.len(), charts }
    }
}

/// All changes in one picture, and the samples of both sides of each benchmark, worst first.
pub fn of_report(report: &Report) -> Charts {
    let drawn = report.benchmarks.iter().filter(|finding| samples::has_any(finding));
    let count = drawn.clone().count();
    let mut charts = Charts::of(drawn.filter_map(samples::chart), count);
    if let Some(forest) = forest::chart(report) {
        charts.charts.insert(0, forest);
    }
    charts
}

/// Each series with its stretches and changes, the latest changes first.
pub fn of_history(view: &HistoryView<'_>) -> Charts {
    let mut order: Vec<_> = view.series.iter().collect();
    order.sort_by_key(|segmented| segmented.changes().last().map_or(usize::MAX, |last| last.since));
    Charts::of(order.into_iter().map(series::chart), view.series.len())
}

#[cfg(test)]
mod tests;
