//! Rows of a terminal table, their columns as wide as they need.

use anstyle::Style;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// One row; its style is that of its first cell.
pub struct Row {
    /// Of the first cell; of the whole row in a head.
    pub style: Style,
    /// As many as the table has columns; escaped by whoever made them.
    pub cells: Vec<String>,
}

impl Row {
    /// The row of titles.
    pub fn head<const N: usize>(titles: [&str; N]) -> Row {
        Row { style: Style::new().dimmed(), cells: titles.map(str::to_owned).to_vec() }
    }
}

/// Writes rows, the first of them being the titles. The columns named stand at the right.
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
