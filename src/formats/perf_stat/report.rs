//! The report that `perf stat` prints: a title, then a row for each event. The derived metric after `#` and the spread of
//! `-r` are not read. Numbers are in the format of the system's locale (`LC_NUMERIC`).

use super::Row;
use crate::formats::localized;

/// Beginning of the title.
const TITLE: &str = "Performance counter stats for ";

/// Whether the line is the title of a report.
pub(super) fn is_title(line: &str) -> bool {
    line.trim_start().starts_with(TITLE)
}

/// Whether the line is the last row of a report that is read.
pub(super) fn is_end(line: &str) -> bool {
    line.contains(" seconds time elapsed")
}

/// The decimal mark of the values in each report. Output of the programs may precede and follow a report.
pub(super) fn decimal_marks(text: &str) -> Vec<char> {
    let mut reports: Vec<Vec<&str>> = Vec::new();
    let mut in_report = false;
    for line in text.lines() {
        if is_title(line) {
            in_report = true;
            reports.push(Vec::new());
        } else if let (true, Some(numbers)) = (in_report, reports.last_mut()) {
            in_report = !is_end(line);
            numbers.extend(split_number(line.trim()).into_iter().flat_map(|(number, _)| number.split(' ')));
        }
    }
    reports.into_iter().map(|numbers| localized::decimal_mark(numbers).unwrap_or('.')).collect()
}

/// The value of a row; `None` for other lines.
pub(super) fn row(line: &str, decimal_mark: char) -> Option<Row> {
    let line = line.split(['#', '(']).next().unwrap_or(line).trim();
    let (value, rest) = match line.strip_prefix('<') {
        Some(rest) => (format!("<{}>", rest.split_once('>')?.0), rest.split_once('>')?.1),
        None => {
            let (number, rest) = split_number(line)?;
            (localized::number(number, decimal_mark)?.to_string(), rest)
        }
    };
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

/// Splits a line after the number that it begins with. Spaces may separate groups of three digits.
fn split_number(line: &str) -> Option<(&str, &str)> {
    let mut end = line.find(' ')?;
    while let Some(group) = line.get(end + 1..end + 4)
        && group.bytes().all(|byte| byte.is_ascii_digit())
    {
        end = end + 4 + line[end + 4..].find(' ')?;
    }
    Some(line.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<(String, String, String)> {
        row(line, '.').map(|row| (row.value, row.unit, row.name))
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
    #[test]
    fn numbers_in_the_format_of_the_locale_are_read() {
        let reports = [
            (
                "1.234,56 msec task-clock # 0,998 CPUs utilized",
                "3.456.789 cycles",
                "1,23700 +- 0,00600 seconds time elapsed",
            ),
            ("1\u{202f}234,56 msec task-clock", "3\u{202f}456\u{202f}789 cycles", "1,237000000 seconds time elapsed"),
            ("1 234,56 msec task-clock", "3 456 789 cycles", "1,237000000 seconds time elapsed"),
            ("1234,56 msec task-clock", "3456789 cycles", "1,23700 +- 0,00600 seconds time elapsed"),
            ("1'234.56 msec task-clock", "3'456'789 cycles", "1.237000000 seconds time elapsed"),
        ];
        for (clock, cycles, elapsed) in reports {
            let text = format!(" Performance counter stats for './a 1.5':\n\n  {clock}\n  {cycles}\n\n  {elapsed}\n");
            let mark = decimal_marks(&text)[0];
            let values = [clock, cycles, elapsed].map(|line| row(line, mark).map(|row| row.value).unwrap_or_default());
            assert_eq!(values, ["1234.56", "3456789", "1.237"], "{text}");
        }
    }
}
