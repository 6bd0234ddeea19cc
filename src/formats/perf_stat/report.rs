//! The report that `perf stat` prints: a title, then a row for each event. The derived metric after `#` and the spread of
//! `-r` are not read.

use super::Row;

/// Beginning of the title.
const TITLE: &str = "Performance counter stats for ";

/// Whether the line is the title of a report.
pub(super) fn is_title(line: &str) -> bool {
    line.trim_start().starts_with(TITLE)
}

/// The value of a row; `None` for other lines.
pub(super) fn row(line: &str) -> Option<Row> {
    let line = line.split(['#', '(']).next().unwrap_or(line).trim();
    let (value, rest) = match line.strip_prefix('<') {
        Some(rest) => (format!("<{}>", rest.split_once('>')?.0), rest.split_once('>')?.1),
        None => {
            let (number, rest) = line.split_once(' ')?;
            (number.replace(',', ""), rest)
        }
    };
    if !value.starts_with('<') {
        value.parse::<f64>().ok()?;
    }
    let words: Vec<_> = rest.split_ascii_whitespace().collect();
    // With `-r` the elapsed time is `0.21 +- 0.01 seconds time elapsed`.
    let words = if let ["+-", _, words @ ..] = words.as_slice() { words } else { &words };
    let (unit, name) = match words {
        // The name of the same event in the other forms.
        ["seconds", "time", "elapsed"] => ("s", "duration_time"),
        // User and system times have a coarse resolution and are not in the other forms.
        ["seconds", _] => return None,
        [unit, name] => (*unit, *name),
        [name] => ("", *name),
        _ => return None,
    };
    Some(Row { name: name.to_owned(), value, unit: unit.to_owned(), interval: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<(String, String, String)> {
        row(line).map(|row| (row.value, row.unit, row.name))
    }

    #[test]
    fn a_row_contains_value_unit_and_event() {
        let row = |value: &str, unit: &str, name: &str| Some((value.to_owned(), unit.to_owned(), name.to_owned()));
        assert_eq!(
            parts("   11.62 msec task-clock  # 0.047 CPUs utilized  ( +-  0.95% )"),
            row("11.62", "msec", "task-clock")
        );
        assert_eq!(parts("   1,234,936      page-faults:u   # 420 K/sec"), row("1234936", "", "page-faults:u"));
        assert_eq!(parts("  <not supported>      instructions  "), row("<not supported>", "", "instructions"));
        assert_eq!(
            parts("  0.2146 +- 0.0215 seconds time elapsed  ( +- 10.05% )"),
            row("0.2146", "s", "duration_time")
        );
        assert_eq!(parts("  0.014 seconds user"), None);
        assert_eq!(parts("Some events weren't counted."), None);
    }
}
