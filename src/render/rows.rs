//! Rows of a terminal table, with columns as wide as their content.

use anstyle::Style;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// One row; its style is that of its first cell.
pub struct Row {
    /// The style of the first cell; in the header row, of all cells.
    pub style: Style,
    /// One per column, already escaped.
    pub cells: Vec<String>,
}

impl Row {
    /// The header row.
    pub fn head<const N: usize>(titles: [&str; N]) -> Row {
        Row { style: Style::new().dimmed(), cells: titles.map(str::to_owned).to_vec() }
    }
}

/// Writes rows, the first of which is the header. Columns listed in `right` are right-aligned.
pub fn rows(out: &mut String, rows: &[Row], right: &[usize]) {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.cells.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            let gap = if column == 0 { "" } else { "  " };
            let styled = if index == 0 || column == 0 { row.style } else { Style::new() };
            let _ = match (right.contains(&column), column + 1 == columns) {
                (true, _) => write!(out, "{gap}{pad}{styled}{cell}{styled:#}"),
                (false, true) => write!(out, "{gap}{styled}{cell}{styled:#}"),
                (false, false) => write!(out, "{gap}{styled}{cell}{styled:#}{pad}"),
            };
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}
