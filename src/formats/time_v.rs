//! GNU time's verbose report (`/usr/bin/time -v`), one or several in a text, among the command's own output.
//!
//! The benchmark is the command without the arguments that are plain numbers: those are sizes to try, and a run with
//! another size is to be compared. Where that would make one of two commands of a text, each keeps its whole line.
//! A command that stands there again was run again: one more replicate.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// GNU time's verbose report.
pub struct TimeV;

/// How each report begins.
const COMMAND: &str = "Command being timed: \"";

/// One report.
struct Report {
    command: String,
    /// Metric and value in the house unit.
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
        "time (elapsed), time:user, time:system, memory:peak, page-faults and errors: one number for each run"
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
            let Some((metric, read)) = row(key) else { continue };
            match read(value) {
                Some(value) if key == "Exit status" => report.status = Some(value),
                Some(value) => report.values.push((metric, value)),
                None => builder.warn("unreadable-line", format!("`{key}` is no number here; it is left out")),
            }
        }
        builder.line = None;
        add(&mut builder, reports);
        builder.finish()
    }
}

/// Reads a row's value in the house unit.
type Read = fn(&str) -> Option<f64>;

/// A report's row: its metric and how its value is read.
fn row(key: &str) -> Option<(Metric, Read)> {
    let number: Read = |text| text.replace(',', ".").parse().ok();
    let seconds: Read = |text| clock(text).map(|seconds| seconds * 1e9);
    let kibibytes: Read = |text| text.parse::<f64>().ok().map(|size| size * 1024.0);
    let lower = |name, unit| Metric::measured(name, unit, Direction::Lower);
    Some(match key {
        "Elapsed (wall clock) time (h:mm:ss or m:ss)" => (Metric::time(), seconds),
        "User time (seconds)" => (lower("time:user", Unit::Nanosecond), seconds),
        "System time (seconds)" => (lower("time:system", Unit::Nanosecond), seconds),
        // It says kbytes and the kernel counts in 1024.
        "Maximum resident set size (kbytes)" => (lower("memory:peak", Unit::Byte), kibibytes),
        "Major (requiring I/O) page faults" => (lower("page-faults:major", Unit::Count), number),
        "Minor (reclaiming a frame) page faults" => (lower("page-faults:minor", Unit::Count), number),
        "Exit status" => (Metric::counted("errors", Unit::Count, Direction::Lower), number),
        _ => return None,
    })
}

/// Seconds of `h:mm:ss`, `m:ss.cc` or `s.cc`.
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
        let single = commands.get(&short).is_some_and(|whole| whole.len() == 1);
        let name = if single && !short.is_empty() { short } else { report.command.clone() };
        for (metric, value) in &report.values {
            builder.add_run(&name, metric.clone(), Evidence::Value(*value));
        }
        if let Some(status) = report.status {
            if status != 0.0 {
                builder.warn(
                    "failed-command",
                    format!("`{name}` ended with status {status}; its numbers may mean nothing"),
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

/// The command without the arguments that are plain numbers.
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
    fn a_clock_has_hours_or_none() {
        assert_eq!(clock("1:02:03"), Some(3723.0));
        assert_eq!(clock("0:00.62"), Some(0.62));
        assert_eq!(clock("0:0x"), None);
    }

    #[test]
    fn a_command_that_stands_there_again_is_a_replicate() {
        let reading = read(&(report("./a 1", "0:01.00", 0) + &report("./a 1", "0:02.00", 3))).unwrap();
        let (time, errors) = (&reading.measurements[0], &reading.measurements[1]);
        assert_eq!(time.benchmark.as_str(), "./a");
        assert_eq!(time.replicates, [Evidence::Value(1e9), Evidence::Value(2e9)]);
        assert_eq!((&*errors.metric.name, &errors.replicates[0]), ("errors", &Evidence::Value(1.0)));
        assert_eq!(reading.diagnostics[0].code, "failed-command");
    }

    #[test]
    fn two_commands_never_become_one() {
        let reading = read(&(report("./a 1", "0:01.00", 0) + &report("./a 2", "0:02.00", 0))).unwrap();
        let names: BTreeSet<_> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["./a 1", "./a 2"].into());
    }

    #[test]
    fn one_good_row_among_bad_ones_is_read() {
        let reading = read(&(report("a", "soon", 0) + "\tMaximum resident set size (kbytes): 2\n")).unwrap();
        let memory = reading.measurements.iter().find(|m| m.metric.name == "memory:peak").unwrap();
        assert_eq!((&memory.metric.unit, &memory.replicates[0]), (&Unit::Byte, &Evidence::Value(2048.0)));
        assert_eq!(reading.diagnostics[0].place, "x.txt:2");
    }
}
