//! Tables with a header line, as tools write them: separated by commas, semicolons or tabs, or as Markdown.

use super::builder::ReadingBuilder;
use super::{Source, text};
use crate::model::Diagnostic;
use csv::ReaderBuilder;
use std::collections::BTreeMap;

/// A table: the names of its columns, and its rows with their line numbers.
#[derive(Debug, Default)]
pub(super) struct TableText {
    pub header: Vec<String>,
    pub rows: Vec<(Option<u64>, Vec<String>)>,
    /// The line of a last row that was cut off. It is not among the rows.
    cut: Option<u64>,
    /// The index of each column; of several with one name the first.
    columns: BTreeMap<String, usize>,
}

impl TableText {
    /// Reads the first table, which begins at the first line that `is_header` accepts.
    pub fn read(source: Source<'_>, is_header: impl Fn(&[String]) -> bool) -> Result<TableText, Diagnostic> {
        TableText::read_repaired(source, is_header, |_, _| None)
    }

    /// Like `read`, but `repair` may restore a row that has more fields than the header.
    pub fn read_repaired(
        source: Source<'_>,
        is_header: impl Fn(&[String]) -> bool,
        repair: impl Fn(&TableText, &[String]) -> Option<Vec<String>>,
    ) -> Result<TableText, Diagnostic> {
        let text = text::decode(source)?;
        let mut table = TableText::default();
        let mut delimiter = None;
        for (number, line) in text::numbered_lines(&text) {
            match delimiter {
                None => {
                    delimiter = header_delimiter(line, &is_header);
                    if let Some(delimiter) = delimiter {
                        table = TableText::of_header(cells(line, delimiter));
                    }
                }
                Some(delimiter) => {
                    let row = cells(line, delimiter);
                    if !table.has_surplus(delimiter, &row) {
                        table.add(number, row);
                    } else if let Some(row) = repair(&table, &row) {
                        table.add(number, row);
                    } else if has_numbers(&row) {
                        return Err(table.surplus(source, number, &row));
                    }
                }
            }
        }
        table.leave_out_cut_row(&text);
        Ok(table)
    }

    /// Removes the last row if the text ends in the middle of it.
    fn leave_out_cut_row(&mut self, text: &str) {
        let last = text::numbered_lines(text).last().map(|(number, _)| number);
        let is_cut = |(line, row): &mut (Option<u64>, Vec<String>)| {
            let has_number = row.iter().any(|cell| text::number(cell).is_some());
            row.len() < self.header.len() && *line == last && has_number
        };
        if !text.ends_with('\n') {
            self.cut = self.rows.pop_if(is_cut).and_then(|(line, _)| line);
        }
    }

    /// Reports a last row that was cut off.
    pub fn report_cut(&self, builder: &mut ReadingBuilder<'_>) {
        if let Some(line) = self.cut {
            builder.cut_off(line);
        }
    }

    /// Reads all tables. A Markdown table ends at the first line that is not a row, any other at the next header.
    pub fn read_each(source: Source<'_>, is_header: impl Fn(&[String]) -> bool) -> Result<Vec<TableText>, Diagnostic> {
        let text = text::decode(source)?;
        let mut tables: Vec<TableText> = Vec::new();
        let mut open = None;
        for (number, line) in text::numbered_lines(&text) {
            if let Some(delimiter) = header_delimiter(line, &is_header) {
                tables.push(TableText::of_header(cells(line, delimiter)));
                open = Some(delimiter);
            } else if let (Some(delimiter), Some(table)) = (open, tables.last_mut()) {
                let row = cells(line, delimiter);
                if table.has_surplus(delimiter, &row) {
                    if has_numbers(&row) {
                        return Err(table.surplus(source, number, &row));
                    }
                    continue;
                }
                if delimiter == '|' && row.is_empty() {
                    open = None;
                } else {
                    table.add(number, row);
                }
            }
        }
        tables.last_mut().into_iter().for_each(|table| table.leave_out_cut_row(&text));
        Ok(tables)
    }

    fn of_header(header: Vec<String>) -> TableText {
        let mut columns = BTreeMap::new();
        for (at, name) in header.iter().enumerate() {
            columns.entry(name.clone()).or_insert(at);
        }
        TableText { header, columns, rows: Vec::new(), cut: None }
    }

    fn add(&mut self, number: u64, row: Vec<String>) {
        // The line under the header of a Markdown table.
        let is_rule = row.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':')));
        // Files that were joined have further headers.
        if row.len() > 1 && !is_rule && row != self.header {
            self.rows.push((Some(number), row));
        }
    }

    /// Whether a row has more fields than the header: a value contains the delimiter, and the fields after it are shifted. An
    /// unescaped bar in a Markdown table is left alone, because documents contain other tables.
    fn has_surplus(&self, delimiter: char, row: &[String]) -> bool {
        let surplus = row.get(self.header.len()..).unwrap_or_default();
        delimiter != '|' && surplus.iter().any(|cell| !cell.is_empty())
    }

    fn surplus(&self, source: Source<'_>, number: u64, row: &[String]) -> Diagnostic {
        text::surplus_fields(&format!("{}:{number}", source.name), row.len(), self.header.len())
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

/// Whether a row with more fields than its header may have results, and is not a line that another program printed.
fn has_numbers(row: &[String]) -> bool {
    row.iter().filter(|cell| text::number(cell).is_some()).count() > 1
}

/// The delimiter of a header line.
fn header_delimiter(line: &str, is_header: impl Fn(&[String]) -> bool) -> Option<char> {
    DELIMITERS.into_iter().find(|delimiter| is_header(&cells(line, *delimiter)))
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
    fn a_row_with_more_fields_than_the_header_is_an_error() {
        let read =
            |text: &str| TableText::read(Source { name: "t", bytes: text.as_bytes() }, |cells| cells == ["a", "b"]);
        let error = read("a,b\nx,1\nx,1,5\n").unwrap_err();
        assert_eq!((&*error.place, error.message.contains("3 fields and the header has 2")), ("t:3", true));
        assert_eq!(read("a,b\nx,1,\ny\n").unwrap().rows.len(), 1, "an empty field at the end");
        assert_eq!(read("a,b\nx,1\na,b\ny,1\n").unwrap().rows.len(), 2, "two files in one");
        assert_eq!(read("|a|b|\n|-|-|\n|x|1|5|\n").unwrap().rows.len(), 1);
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
