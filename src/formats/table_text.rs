//! Tables with a header line, as tools write them: separated by commas, semicolons or tabs, or as Markdown.

use super::{Source, text};
use crate::model::Diagnostic;
use csv::ReaderBuilder;
use std::collections::BTreeMap;

/// A table: the names of its columns, and its rows with their line numbers.
#[derive(Debug, Default)]
pub(super) struct TableText {
    pub header: Vec<String>,
    pub rows: Vec<(Option<u64>, Vec<String>)>,
    /// The index of each column; of several with one name the first.
    columns: BTreeMap<String, usize>,
}

impl TableText {
    /// Reads a table from its header line on. `is_header` finds that line.
    pub fn read(source: Source<'_>, is_header: impl Fn(&[String]) -> bool) -> Result<TableText, Diagnostic> {
        let text = text::decode(source)?;
        let mut table = TableText::default();
        let mut delimiter = None;
        for (number, line) in text::numbered_lines(&text) {
            match delimiter {
                None => {
                    let found = DELIMITERS.iter().find(|delimiter| is_header(&cells(line, **delimiter)));
                    if let Some(found) = found {
                        table.header = cells(line, *found);
                        for (at, name) in table.header.iter().enumerate() {
                            table.columns.entry(name.clone()).or_insert(at);
                        }
                        delimiter = Some(*found);
                    }
                }
                Some(delimiter) => {
                    let row = cells(line, delimiter);
                    // The line under the header of a Markdown table.
                    let is_rule = row.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':')));
                    if row.len() > 1 && !is_rule {
                        table.rows.push((Some(number), row));
                    }
                }
            }
        }
        Ok(table)
    }

    /// The index of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// The text of a row in a column.
    pub fn cell<'r>(&self, row: &'r [String], column: &str) -> Option<&'r str> {
        row.get(self.column(column)?).map(String::as_str)
    }
}

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The cells of a line. Quotes may enclose a cell; a Markdown row has `|` at both ends, or at its end only.
pub(super) fn cells(line: &str, delimiter: char) -> Vec<String> {
    let line = line.trim();
    if delimiter == '|' {
        let inner = line.strip_prefix('|').or(Some(line).filter(|line| line.ends_with('|')));
        let Some(inner) = inner else { return Vec::new() };
        let inner = inner.strip_suffix('|').unwrap_or(inner);
        // `\|` is a bar inside a cell.
        let inner = inner.replace("\\|", "\0");
        return inner.split('|').map(|cell| cell.trim().trim_matches('*').replace('\0', "|")).collect();
    }
    if !line.contains('"') {
        return line.split(delimiter).map(|cell| cell.trim().to_owned()).collect();
    }
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter as u8).from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Whether a line of the preview is the header of a table with these columns.
pub(super) fn has_header(line: &str, columns: &[&str]) -> bool {
    // Each line of a file is tried by many formats, and splitting costs much more than searching.
    columns.iter().all(|column| line.contains(column))
        && DELIMITERS.iter().any(|delimiter| {
            let cells = cells(line, *delimiter);
            columns.iter().all(|column| cells.iter().any(|cell| cell == column))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_bar_does_not_end_a_cell() {
        assert_eq!(cells(r"| `ls \| wc` | 2 |", '|'), ["`ls | wc`", "2"]);
    }

    #[test]
    fn all_delimiters_and_markdown_are_read() {
        for text in ["a,b\n\"x,1\",2\n", "a;b\nx,1;2\n", "x\n| a | b |\n|---|--:|\n| **x,1** | 2 |\n"] {
            let source = Source { name: "t", bytes: text.as_bytes() };
            let table = TableText::read(source, |cells| cells == ["a", "b"]).unwrap();
            assert_eq!(table.rows.len(), 1, "{text}");
            assert_eq!(table.rows[0].1, ["x,1", "2"], "{text}");
        }
    }
}
