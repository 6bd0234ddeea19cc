//! `--plots DIR`: draws charts and writes them to files.

use super::output;
use crate::io::gnuplot;
use crate::render::HistoryView;
use crate::render::plots::{self, Chart, Charts};
use crate::verdict::Report;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};

/// The value of `--plots`.
pub type Directory = PathBuf;

/// Writes the charts of a report.
pub fn write_report(directory: &Path, report: &Report) -> anyhow::Result<()> {
    write(directory, &plots::of_report(report))
}

/// Writes the charts of a history.
pub fn write_history(directory: &Path, view: &HistoryView<'_>) -> anyhow::Result<()> {
    write(directory, &plots::of_history(view))
}

/// Draws all charts with gnuplot or, if that fails, all with plotters, and writes them.
fn write(directory: &Path, charts: &Charts) -> anyhow::Result<()> {
    let shown = directory.display();
    fs::create_dir_all(directory).with_context(|| format!("{shown}: cannot create the directory for the charts"))?;
    let Charts { charts, left_out } = charts;
    for (chart, picture) in charts.iter().zip(draw(charts)?) {
        let picture = plots::titled(&String::from_utf8_lossy(&picture), chart).into_bytes();
        let path = directory.join(format!("{}.svg", chart.file_stem));
        replace(&path, &picture).with_context(|| format!("{}: cannot write the chart", path.display()))?;
    }
    let noun = if charts.len() == 1 { "chart" } else { "charts" };
    let more =
        if *left_out > 0 { format!("; the {left_out} least important ones are left out") } else { String::new() };
    output::note(&format!("{} {noun} in {shown}{more}", charts.len()));
    Ok(())
}

fn draw(charts: &[Chart]) -> anyhow::Result<Vec<Vec<u8>>> {
    if charts.is_empty() {
        return Ok(Vec::new());
    }
    let scripts: Vec<Vec<u8>> = charts.iter().map(plots::script).collect();
    match gnuplot::draw(&scripts) {
        Ok(pictures) => Ok(pictures),
        Err(why) => {
            output::note(&format!("charts are drawn without gnuplot: {why}"));
            Ok(charts.iter().map(|chart| plots::svg(chart).map(String::into_bytes)).collect::<Result<_, _>>()?)
        }
    }
}

/// Writes a temporary file and renames it: a reader never sees half a chart, and a symbolic link is replaced, not followed.
fn replace(path: &Path, picture: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("perfgate-{}", std::process::id()));
    let written = fs::write(&temporary, picture).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
