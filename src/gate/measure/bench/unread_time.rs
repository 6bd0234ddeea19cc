//! Times in the output of a command that is timed as a whole. They may be benchmark results in a format that perfgate
//! does not read. If the tool chooses its iterations by the clock, a change of these times does not change the time of the
//! process.

use crate::io::command::FinishedCommand;
use crate::model::Diagnostic;

/// Bytes of each stream that are searched.
const MAX_SEARCHED_BYTES: usize = 1 << 20;
/// Characters of a line that are quoted.
const MAX_QUOTED_CHARS: usize = 80;
/// Many programs print how many seconds or milliseconds they took, and no other time.
const MIN_LINES_WITH_DURATION: usize = 2;
const SHORT_UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "nsec", "usec", "nanoseconds", "microseconds"];
const DURATIONS: [&str; 8] = ["ms", "msec", "milliseconds", "s", "sec", "secs", "second", "seconds"];

/// A time in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Short,
    Duration,
}

/// A warning about printed times that no format can read.
pub(super) fn unread_time(finished: &FinishedCommand) -> Option<Diagnostic> {
    let streams = [&finished.stdout, &finished.stderr].map(|stream| {
        let bytes = stream.whole.as_deref().unwrap_or(&stream.tail);
        String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_SEARCHED_BYTES)])
    });
    let line = line_with_time(streams.iter().flat_map(|text| text.lines()))?;
    let quoted: String = line.trim().chars().take(MAX_QUOTED_CHARS).collect();
    let message = format!(
        "the command printed times in an unknown format, such as `{quoted}`; they were not compared. Print \
         them in a format that perfgate reads (`perfgate formats`)"
    );
    Some(Diagnostic::warning("unread-times", "", message))
}

/// The first line with a time, unless there is only one with a duration.
fn line_with_time<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut with_duration = Vec::new();
    for line in lines {
        match time_in(line) {
            Some(Time::Short) => return Some(line),
            Some(Time::Duration) => with_duration.push(line),
            None => {}
        }
    }
    with_duration.first().copied().filter(|_| with_duration.len() >= MIN_LINES_WITH_DURATION)
}

fn time_in(line: &str) -> Option<Time> {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "=:,;()[]|".contains(c)).collect();
    let mut words = words.into_iter().filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | '~'));
        let number = &word[..word.len() - unit.len()];
        if !number.contains(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let unit = if unit.is_empty() { words.peek().copied().unwrap_or_default() } else { unit };
        let unit = unit.trim_end_matches('.').to_lowercase();
        let is_rate = |(time, _): (&str, &str)| SHORT_UNITS.contains(&time) || DURATIONS.contains(&time);
        if SHORT_UNITS.contains(&&*unit) || unit.split_once('/').is_some_and(is_rate) {
            return Some(Time::Short);
        }
        if DURATIONS.contains(&&*unit) {
            return Some(Time::Duration);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_recognized_and_other_numbers_are_not() {
        for line in ["bench_0: 100.00 ms/op", "parse 12ns/iter", "a=1.5µs", "mean time (us) 3 us", "x | 5 ns | y"] {
            assert_eq!(time_in(line), Some(Time::Short), "{line}");
        }
        for line in ["took 1.2s", "done in 3 seconds.", "built in 350 ms"] {
            assert_eq!(time_in(line), Some(Time::Duration), "{line}");
        }
        for line in ["12:30:01 started", "5 files", "version 1.2.3", "ms", "v2s3", "wrote 10 MB"] {
            assert_eq!(time_in(line), None, "{line}");
        }
    }

    #[test]
    fn one_line_with_duration_is_not_a_benchmark() {
        assert_eq!(line_with_time(["done in 2 s"].into_iter()), None);
        assert_eq!(line_with_time(["a 2 s", "b 3 s"].into_iter()), Some("a 2 s"));
        assert_eq!(line_with_time(["done in 2 s", "a 2 ns"].into_iter()), Some("a 2 ns"));
    }
}
