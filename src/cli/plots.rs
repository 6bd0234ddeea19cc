//! `--plots DIR`: which program draws the pictures, and where they go.

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

/// Writes the pictures of a report.
pub fn write_report(directory: &Path, report: &Report) -> anyhow::Result<()> {
    write(directory, &plots::of_report(report))
}

/// Writes the pictures of a history.
pub fn write_history(directory: &Path, view: &HistoryView<'_>) -> anyhow::Result<()> {
    write(directory, &plots::of_history(view))
}

/// Draws and writes pictures: by gnuplot where it does, else all of them by plotters.
fn write(directory: &Path, charts: &Charts) -> anyhow::Result<()> {
    let shown = directory.display();
    fs::create_dir_all(directory).with_context(|| format!("{shown}: cannot make the directory for the pictures"))?;
    let Charts { charts, left_out } = charts;
    for (chart, picture) in charts.iter().zip(draw(charts)?) {
        let path = directory.join(format!("{}.svg", chart.stem));
        replace(&path, &picture).with_context(|| format!("{}: cannot write the picture", path.display()))?;
    }
    let noun = if charts.len() == 1 { "picture" } else { "pictures" };
    let more =
        if *left_out > 0 { format!("; {left_out} more are left out, of what matters least") } else { String::new() };
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
            output::note(&format!("the pictures are drawn without gnuplot: {why}"));
            Ok(charts.iter().map(|chart| plots::svg(chart).map(String::into_bytes)).collect::<Result<_, _>>()?)
        }
    }
}

/// Writes beside the file and then over it: a reader never sees half a picture, and a link is replaced, not followed.
fn replace(path: &Path, picture: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("perfgate-{}", std::process::id()));
    let written = fs::write(&beside, picture).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
