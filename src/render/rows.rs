//! Rows of a terminal table, with columns as wide as their content, or as the terminal allows.

use super::fit::{hanging, shortened};
use anstyle::Style;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The number of columns between two cells.
pub const COLUMN_GAP: usize = 2;

/// A name keeps this width, as long as another column can be left out instead. With it, the usual report keeps its intervals
/// on 80 columns.
const NAME_WIDTH: usize = 15;
/// A name shrinks to this width before column `ORDER_OF_SHORTER` or a later one is left out: intervals are more useful
/// than the middle of a name.
const SHORT_NAME_WIDTH: usize = 11;
const ORDER_OF_SHORTER: u8 = 3;
/// From this column on, a name may shrink to `MIN_COLUMN_WIDTH`: the terminal is very narrow.
const ORDER_OF_LEAST: u8 = 4;
/// The least width of a column that can be shortened.
const MIN_COLUMN_WIDTH: usize = 8;

/// What happens to a column if the terminal is too narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// It stays.
    Keep,
    /// The middle of its texts is cut out.
    Shorten,
    /// The middle of its texts is cut out; if that is not enough, they go below their rows, in the order of `Drop`.
    ShortenOrBelow(u8),
    /// It is left out; the smallest number first.
    Drop(u8),
    /// Its texts go below their rows, after the title, in the order of `Drop`.
    TitledBelow(u8),
    /// Its texts go below their rows.
    Below,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The heading.
    pub title: &'a str,
    right: bool,
    narrow: Narrow,
}

impl Narrow {
    fn is_shortened(self) -> bool {
        matches!(self, Narrow::Shorten | Narrow::ShortenOrBelow(_))
    }
}

impl<'a> Column<'a> {
    /// A left-aligned column.
    pub const fn left(title: &'a str, narrow: Narrow) -> Column<'a> {
        Column { title, right: false, narrow }
    }

    /// True if a narrow terminal leaves the column out.
    pub fn can_be_left_out(&self) -> bool {
        matches!(self.narrow, Narrow::Drop(_))
    }

    /// A right-aligned column.
    pub const fn right(title: &'a str, narrow: Narrow) -> Column<'a> {
        Column { title, right: true, narrow }
    }
}

/// One row.
pub struct Row {
    /// The style of the first cell.
    pub style: Style,
    /// One per column, already escaped.
    pub cells: Vec<String>,
    /// A remark below the row.
    pub remark: String,
}

impl Row {
    /// A row without a remark.
    pub fn new(style: Style, cells: Vec<String>) -> Row {
        Row { style, cells, remark: String::new() }
    }
}

/// Writes a table and returns the titles of the columns that it has. Remarks start at column `indent`.
pub fn rows<'a>(
    out: &mut String,
    columns: &[Column<'a>],
    rows: &[Row],
    indent: usize,
    width: Option<usize>,
) -> Vec<&'a str> {
    let all: Vec<Vec<Cow<'_, str>>> = if is_too_wide(columns, rows, width) {
        without_common_start(columns, rows)
    } else {
        rows.iter().map(|row| row.cells.iter().map(|cell| Cow::from(cell.as_str())).collect()).collect()
    };
    let (widths, below) = widths(columns, &all, width);
    let dim = Style::new().dimmed();
    let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
    line(out, columns, &widths, &titles, dim, dim);
    let ambiguous: Vec<HashSet<String>> =
        (0..columns.len()).map(|at| ambiguous(columns, &all, at, widths[at])).collect();
    for (row, cells) in rows.iter().zip(&all) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        line(out, columns, &widths, &cells, row.style, Style::new());
        let is_below = |at: usize| below[at] || ambiguous[at].contains(&shortened(cells[at], widths[at]));
        let texts = row.cells.iter().enumerate().filter(|(at, text)| is_below(*at) && !text.is_empty());
        let texts = texts.map(|(at, text)| match columns[at].narrow {
            Narrow::TitledBelow(_) => Cow::from(format!("{} {text}", columns[at].title)),
            _ => Cow::from(text.as_str()),
        });
        for text in texts.chain([Cow::from(row.remark.as_str())]).filter(|text| !text.is_empty()) {
            let pad = " ".repeat(indent);
            for text in hanging(&text, &pad, &pad, width).lines() {
                let _ = writeln!(out, "{dim}{text}{dim:#}");
            }
        }
    }
    columns.iter().zip(widths).filter(|(_, width)| *width > 0).map(|(column, _)| column.title).collect()
}

/// Minimum width of a common prefix that is left out.
const MIN_START: usize = 8;

fn is_too_wide(columns: &[Column<'_>], rows: &[Row], width: Option<usize>) -> bool {
    let natural = |(at, column): (usize, &Column<'_>)| {
        rows.iter().map(|row| row.cells[at].width()).fold(column.title.width(), usize::max) + 2
    };
    width.is_some_and(|width| columns.iter().enumerate().map(natural).sum::<usize>() > width + 2)
}

/// The cells. In columns that can be shortened, `…` replaces a prefix common to all texts, such as a package.
fn without_common_start<'r>(columns: &[Column<'_>], rows: &'r [Row]) -> Vec<Vec<Cow<'r, str>>> {
    let start = |at: usize| {
        let texts = rows.iter().map(|row| row.cells[at].as_str());
        let start = texts.reduce(|start, text| {
            let same = start.char_indices().zip(text.chars()).find(|((_, a), b)| a != b);
            &start[..same.map_or(start.len().min(text.len()), |((end, _), _)| end)]
        })?;
        // What remains is as wide as the title: the column has that width anyway.
        let rest = |end: usize| rows.iter().map(|row| row.cells[at][end..].width() + 1).fold(0, usize::max);
        let ends = start.rmatch_indices(['/', ':', '.']).map(|(end, separator)| end + separator.len());
        let end = ends.into_iter().find(|end| rest(*end) >= columns[at].title.width())?;
        (rows.len() > 1 && start[..end].width() >= MIN_START).then_some(end)
    };
    let starts: Vec<Option<usize>> =
        (0..columns.len()).map(|at| start(at).filter(|_| columns[at].narrow.is_shortened())).collect();
    let cell = |(cell, start): (&'r String, &Option<usize>)| match start {
        Some(start) => Cow::from(format!("…{}", &cell[*start..])),
        None => Cow::from(cell.as_str()),
    };
    rows.iter().map(|row| row.cells.iter().zip(&starts).map(cell).collect()).collect()
}

/// Shortened texts of a column that are the same for different texts.
fn ambiguous(columns: &[Column<'_>], all: &[Vec<Cow<'_, str>>], at: usize, width: usize) -> HashSet<String> {
    let mut whole: HashMap<String, &str> = HashMap::new();
    let mut found = HashSet::new();
    if !columns[at].narrow.is_shortened() || width == 0 {
        return found;
    }
    for cells in all {
        let text = cells[at].as_ref();
        let short = shortened(text, width);
        match whole.get(&short) {
            Some(known) if *known != text => {
                found.insert(short);
            }
            _ => {
                whole.insert(short, text);
            }
        }
    }
    found
}

/// The width of each column, 0 for one that is left out, and whether its texts go below their rows.
fn widths(columns: &[Column<'_>], all: &[Vec<Cow<'_, str>>], width: Option<usize>) -> (Vec<usize>, Vec<bool>) {
    let natural = |(index, column): (usize, &Column<'_>)| {
        let cells = all.iter().filter_map(|cells| cells.get(index));
        cells.map(|cell| cell.width()).fold(column.title.width(), usize::max)
    };
    let mut widths: Vec<usize> = columns.iter().enumerate().map(natural).collect();
    let mut below = vec![false; columns.len()];
    let Some(width) = width else { return (widths, below) };
    let total = |widths: &[usize]| widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum::<usize>();
    let limit = width + 2; // the last column has no gap
    if total(&widths) > limit {
        for at in (0..columns.len()).filter(|at| columns[*at].narrow == Narrow::Below) {
            (widths[at], below[at]) = (0, true);
        }
    }
    // What the columns take with names of this width, and the others as short as they can be.
    let least = |widths: &[usize], name: usize| {
        let one = |(column, width): (&Column<'_>, &usize)| match column.narrow {
            Narrow::Shorten => (*width).min(name),
            Narrow::ShortenOrBelow(_) => (*width).min(MIN_COLUMN_WIDTH),
            _ => *width,
        };
        total(&columns.iter().zip(widths).map(one).collect::<Vec<_>>())
    };
    let order = |(at, column): (usize, &Column<'_>)| match column.narrow {
        Narrow::Drop(order) => Some((order, at, false)),
        Narrow::ShortenOrBelow(order) | Narrow::TitledBelow(order) => Some((order, at, true)),
        _ => None,
    };
    let mut droppable: Vec<(u8, usize, bool)> = columns.iter().enumerate().filter_map(order).collect();
    droppable.sort_unstable();
    for same_order in droppable.chunk_by(|a, b| a.0 == b.0) {
        let name = match same_order[0].0 {
            ORDER_OF_LEAST.. => MIN_COLUMN_WIDTH,
            ORDER_OF_SHORTER.. => SHORT_NAME_WIDTH,
            _ => NAME_WIDTH,
        };
        if least(&widths, name) > limit {
            same_order.iter().for_each(|(_, at, goes_below)| (widths[*at], below[*at]) = (0, *goes_below));
        }
    }
    // The widest column is shortened first.
    while total(&widths) > limit {
        let shortenable = columns
            .iter()
            .zip(widths.iter_mut())
            .filter(|(column, width)| column.narrow.is_shortened() && **width > MIN_COLUMN_WIDTH);
        match shortenable.map(|(_, width)| width).max() {
            Some(widest) => *widest -= 1,
            None => break,
        }
    }
    (widths, below)
}

/// A line of the table; its first cell has a style of its own.
fn line(out: &mut String, columns: &[Column<'_>], widths: &[usize], cells: &[&str], first: Style, others: Style) {
    for (index, ((column, width), cell)) in columns.iter().zip(widths).zip(cells).enumerate() {
        if *width == 0 {
            continue;
        }
        let cell = if column.narrow.is_shortened() { &shortened(cell, *width) } else { *cell };
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        let gap = if index == 0 { "" } else { "  " };
        let style = if index == 0 { first } else { others };
        let _ = match column.right {
            true => write!(out, "{gap}{pad}{style}{cell}{style:#}"),
            false => write!(out, "{gap}{style}{cell}{style:#}{pad}"),
        };
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 5] = [
        Column::left("", Narrow::Keep),
        Column::left("name", Narrow::Shorten),
        Column::right("change", Narrow::Keep),
        Column::right("interval", Narrow::Drop(3)),
        Column::right("q", Narrow::Drop(1)),
    ];

    fn table(width: Option<usize>) -> String {
        let cells = ["x", "a/long/name/of/a/benchmark/that/ends/in/64", "+10.0%", "+8.0% … +12.0%", "0.02"];
        let row = Row {
            remark: "one two three four five six".to_owned(),
            ..Row::new(Style::new(), cells.map(str::to_owned).to_vec())
        };
        let mut out = String::new();
        rows(&mut out, &COLUMNS, &[row], 3, width);
        anstream::adapter::strip_str(&out).to_string()
    }

    #[test]
    fn names_are_shortened_then_q_goes_then_the_interval() {
        assert!(
            table(None)
                .contains("x  a/long/name/of/a/benchmark/that/ends/in/64  +10.0%  +8.0% … +12.0%  0.02\n   one two")
        );
        assert!(
            table(Some(60)).contains("x  a/long/name/o…at/ends/in/64  +10.0%  +8.0% … +12.0%  0.02\n"),
            "{}",
            table(Some(60))
        );
        assert!(table(Some(47)).contains("x  a/long/nam…nds/in/64  +10.0%  +8.0% … +12.0%\n"), "{}", table(Some(47)));
        assert!(table(Some(38)).contains("x  a/lon…in/64  +10.0%  +8.0% … +12.0%\n"), "{}", table(Some(38)));
        assert!(table(Some(37)).contains("x  a/long/name/o…t/ends/in/64  +10.0%\n"), "{}", table(Some(37)));
        for width in 30..80 {
            let widest = table(Some(width)).lines().map(|line| line.width()).max();
            assert!(widest <= Some(width), "{width}: {}", table(Some(width)));
        }
    }

    #[test]
    fn where_nothing_else_helps_the_metric_goes_below_and_values_are_left_out() {
        let columns = [
            Column::left("", Narrow::Keep),
            Column::left("name", Narrow::Shorten),
            Column::left("metric", Narrow::ShortenOrBelow(4)),
            Column::right("base", Narrow::Drop(5)),
            Column::right("head", Narrow::Keep),
            Column::right("interval", Narrow::Drop(3)),
        ];
        let cells = ["regressed", "a/long/name/of/64", "time:p95", "9.000 ms", "9.900 ms", "+8.0% … +12.0%"];
        let row = Row::new(Style::new(), cells.map(str::to_owned).to_vec());
        let shown = |width| {
            let mut out = String::new();
            rows(&mut out, &columns, std::slice::from_ref(&row), 4, Some(width));
            anstream::adapter::strip_str(&out).to_string()
        };
        let with = |width, row: &str| {
            let text = shown(width);
            assert!(text.contains(row), "{width}: {text}");
            assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
        };
        with(80, "\nregressed  a/long/name/of/64  time:p95  9.000 ms  9.900 ms  +8.0% … +12.0%\n");
        with(68, "\nregressed  a/lon…of/64  time:p95  9.000 ms  9.900 ms  +8.0% … +12.0%\n");
        with(60, "\nregressed  a/long/name/of/64  time:p95  9.000 ms  9.900 ms\n");
        with(45, "\nregressed  a/long/…/of/64  9.000 ms  9.900 ms\n    time:p95\n");
        with(36, "\nregressed  a/long/…e/of/64  9.900 ms\n    time:p95\n");
    }

    #[test]
    fn an_interval_goes_below_its_row_with_its_title() {
        let mut columns = COLUMNS;
        columns[3] = Column::right("95% CI", Narrow::TitledBelow(3));
        let row = |cells: [&str; 5]| Row::new(Style::new(), cells.map(str::to_owned).to_vec());
        let table = [row(["x", "a/long/name", "+10.0%", "+8.0% … +12.0%", "0.02"]), row(["-", "gone", "–", "", ""])];
        let mut out = String::new();
        rows(&mut out, &columns, &table, 3, Some(30));
        let text = anstream::adapter::strip_str(&out).to_string();
        assert_eq!(
            text,
            "   name         change\nx  a/long/name  +10.0%\n   95% CI +8.0% … +12.0%\n-  gone              –\n"
        );
    }

    #[test]
    fn a_common_prefix_is_left_out_and_names_that_look_the_same_are_printed_in_full() {
        let columns = [Column::left("name", Narrow::Shorten), Column::right("change", Narrow::Keep)];
        let shown = |names: &[&str], width| {
            let row = |name: &&str| Row::new(Style::new(), vec![(*name).to_owned(), "+10.0%".to_owned()]);
            let mut out = String::new();
            rows(&mut out, &columns, &names.iter().map(row).collect::<Vec<_>>(), 2, Some(width));
            anstream::adapter::strip_str(&out).to_string()
        };
        let names = ["example.org/codec/Parse/small", "example.org/codec/Print"];
        assert_eq!(shown(&names, 24), "name          change\n…Parse/small  +10.0%\n…Print        +10.0%\n");
        assert!(shown(&names, 60).contains("example.org/codec/Print        +10.0%\n"));
        let same = ["Encode/size=4000/with_space", "Encode/size=2000/with_space", "Encode/other"];
        let text = shown(&same, 22);
        assert!(text.contains("\n  Encode/size=4000/wit\n  h_space\n"), "{text}");
        assert!(text.contains("size=2000") && !text.contains("\n  Encode/other"), "{text}");
    }

    #[test]
    fn a_common_prefix_stays_where_the_title_is_as_wide() {
        let columns = [Column::left("benchmark", Narrow::Shorten), Column::right("change", Narrow::Keep)];
        let shown = |names: &[&str], width| {
            let row = |name: &&str| Row::new(Style::new(), vec![(*name).to_owned(), "+10.0%".to_owned()]);
            let mut out = String::new();
            rows(&mut out, &columns, &names.iter().map(row).collect::<Vec<_>>(), 2, Some(width));
            anstream::adapter::strip_str(&out).to_string()
        };
        let text = shown(&["example.new.pkg.Bench.a", "example.new.pkg.Bench.b"], 28);
        assert_eq!(text, "benchmark     change\n…pkg.Bench.a  +10.0%\n…pkg.Bench.b  +10.0%\n");
        // The only separator is in a number.
        let text = shown(&["sh -c 'sleep 0.01'", "sh -c 'sleep 0.01'"], 20);
        assert!(text.contains("\nsh -c …0.01'  +10.0%\n"), "{text}");
    }

    #[test]
    fn a_text_goes_below_its_row_where_it_does_not_fit() {
        let columns = [Column::left("name", Narrow::Shorten), Column::left("when", Narrow::Below)];
        let row = Row::new(Style::new(), vec!["parse".to_owned(), "after a1b2c3, 12 commits ago".to_owned()]);
        let shown = |width| {
            let mut out = String::new();
            rows(&mut out, &columns, std::slice::from_ref(&row), 2, width);
            anstream::adapter::strip_str(&out).to_string()
        };
        assert_eq!(shown(None), "name   when\nparse  after a1b2c3, 12 commits ago\n");
        assert_eq!(shown(Some(24)), "name\nparse\n  after a1b2c3, 12\n  commits ago\n");
    }
}
