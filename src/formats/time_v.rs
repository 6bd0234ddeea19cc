//! GNU time's verbose report (`/usr/bin/time -v`): times, peak memory, page faults and exit status. A file may contain
//! several reports among other output; reports of the same command are further runs. The benchmark is the command without
//! numeric arguments, so that runs with other sizes can be compared, unless two commands would then have the same name.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// GNU time's verbose report.
pub struct TimeV;

/// Beginning of a report.
const COMMAND: &str = "Command being timed: \"";

/// One report.
struct Report {
    command: String,
    /// Metrics with values in perfgate's unit.
    values: Vec<(Metric, f64)>,
    status: Option<f64>,
}

impl Format for TimeV {
    fn name(&self) -> &'static str {
        "time-v"
    }

    fn produced_by(&self) -> &'static str {
        "/usr/bin/time -v -o out.txt COMMAND (-a to add a run to the file)"
    }

    fn metrics(&self) -> &'static str {
        "time (elapsed), time:user, time:system, memory:peak, page-faults:major, page-faults:minor, errors: one \
         value per run"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.trim_start().starts_with(COMMAND))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut reports: Vec<Report> = Vec::new();
        let text = text::decode(source)?;
        for (at, line) in text::numbered_lines(&text) {
            builder.line = Some(at);
            let line = line.trim();
            if let Some(command) = line.strip_prefix(COMMAND) {
                let command = command.strip_suffix('"').unwrap_or(command).to_owned();
                reports.push(Report { command, values: Vec::new(), status: None });
                continue;
            }
            let (Some(report), Some((key, value))) = (reports.last_mut(), line.rsplit_once(": ")) else { continue };
            let Some((metric, parse)) = row(key) else { continue };
            match parse(value) {
                Some(value) => {
                    builder.note_result();
                    match key {
                        "Exit status" => report.status = Some(value),
                        _ => report.values.push((metric, value)),
                    }
                }
                None => builder.warn("unreadable-line", format!("`{key}` is not a valid number; skipped")),
            }
        }
        builder.line = None;
        add(&mut builder, reports);
        builder.finish()
    }
}

/// Parses the value of a row, in perfgate's unit.
type ParseValue = fn(&str) -> Option<f64>;

/// The metric of a row, and the parser of its value.
fn row(key: &str) -> Option<(Metric, ParseValue)> {
    let number: ParseValue = |text| text.replace(',', ".").parse().ok();
    let seconds: ParseValue = |text| clock(text).map(|seconds| seconds * 1e9);
    let kibibytes: ParseValue = |text| text.parse::<f64>().ok().map(|size| size * 1024.0);
    let lower = |name, unit| Metric::measured(name, unit, Direction::Lower);
    Some(match key {
        "Elapsed (wall clock) time (h:mm:ss or m:ss)" => (Metric::time(), seconds),
        "User time (seconds)" => (lower("time:user", Unit::Nanosecond), seconds),
        "System time (seconds)" => (lower("time:system", Unit::Nanosecond), seconds),
        // GNU time's `kbytes` are 1024 bytes each.
        "Maximum resident set size (kbytes)" => (lower("memory:peak", Unit::Byte), kibibytes),
        "Major (requiring I/O) page faults" => (lower("page-faults:major", Unit::Count), number),
        "Minor (reclaiming a frame) page faults" => (lower("page-faults:minor", Unit::Count), number),
        "Exit status" => (Metric::counted("errors", Unit::Count, Direction::Lower), number),
        _ => return None,
    })
}

/// Seconds in `h:mm:ss`, `m:ss.cc` or `s.cc`.
fn clock(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.replace(',', ".").parse::<f64>().ok()?))
}

fn add(builder: &mut ReadingBuilder<'_>, reports: Vec<Report>) {
    let mut commands: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for report in &reports {
        commands.entry(without_numbers(&report.command)).or_default().insert(&report.command);
    }
    let mut failed: BTreeMap<String, f64> = BTreeMap::new();
    for report in &reports {
        let short = without_numbers(&report.command);
        let unique = commands.get(&short).is_some_and(|full| full.len() == 1);
        let name = if unique && !short.is_empty() { short } else { report.command.clone() };
        for (metric, value) in &report.values {
            builder.add_run(&name, metric.clone(), Evidence::Value(*value));
        }
        if let Some(status) = report.status {
            if status != 0.0 {
                builder.warn(
                    "failed-command",
                    format!("`{name}` exited with status {status}; its values may be meaningless"),
                );
            }
            *failed.entry(name).or_default() += f64::from(u8::from(status != 0.0));
        }
    }
    for (name, failed) in failed {
        let errors = Metric::counted("errors", Unit::Count, Direction::Lower);
        builder.add(&name, errors, [Evidence::Value(failed)]);
    }
}

/// The command without numeric arguments.
fn without_numbers(command: &str) -> String {
    let words = command.split(' ').filter(|word| word.parse::<f64>().is_err());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(command: &str, elapsed: &str, status: u8) -> String {
        format!(
            "\tCommand being timed: \"{command}\"\n\tElapsed (wall clock) time (h:mm:ss or m:ss): {elapsed}\n\
             \tExit status: {status}\n"
        )
    }

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        TimeV.parse(Source { name: "x.txt", bytes: text.as_bytes() })
    }

    #[test]
    fn elapsed_times_may_have_hours() {
        assert_eq!(clock("1:02:03"), Some(3723.0));
        assert_eq!(clock("0:00.62"), Some(0.62));
        assert_eq!(clock("0:0x"), None);
    }

    #[test]
    fn a_repeated_command_is_a_further_run() {
        let reading = read(&(report("./a 1", "0:01.00", 0) + &report("./a 1", "0:02.00", 3))).unwrap();
        let (time, errors) = (&reading.measurements[0], &reading.measurements[1]);
        assert_eq!(time.benchmark.as_str(), "./a");
        assert_eq!(time.evidence, [Evidence::Value(1e9), Evidence::Value(2e9)]);
        assert_eq!((&*errors.metric.name, &errors.evidence[0]), ("errors", &Evidence::Value(1.0)));
        assert_eq!(reading.diagnostics[0].code, "failed-command");
    }

    #[test]
    fn commands_that_differ_in_numbers_keep_distinct_names() {
        let reading = read(&(report("./a 1", "0:01.00", 0) + &report("./a 2", "0:02.00", 0))).unwrap();
        let names: BTreeSet<_> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["./a 1", "./a 2"].into());
    }

    #[test]
    fn a_valid_row_among_invalid_ones_is_read() {
        let reading = read(&(report("a", "soon", 0) + "\tMaximum resident set size (kbytes): 2\n")).unwrap();
        let memory = reading.measurements.iter().find(|m| m.metric.name == "memory:peak").unwrap();
        assert_eq!((&memory.metric.unit, &memory.evidence[0]), (&Unit::Byte, &Evidence::Value(2048.0)));
        assert_eq!(reading.diagnostics[0].place, "x.txt:2");
    }
}
