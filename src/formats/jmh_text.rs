//! The table that JMH prints at the end, and kotlinx-benchmark with it: the score of each benchmark.

use super::builder::ReadingBuilder;
use super::jmh::TimeModes;
use super::jmh_csv::{Row, add_row};
use super::{Format, Preview, Reading, Source, machine, text};
use crate::model::Diagnostic;
use std::collections::BTreeSet;

/// The table that JMH prints.
#[derive(Debug)]
pub struct JmhText;

impl Format for JmhText {
    fn name(&self) -> &'static str {
        "jmh-text"
    }

    fn produced_by(&self) -> &'static str {
        "java -jar benchmarks.jar > FILE (JMH, kotlinx-benchmark)"
    }

    fn metrics(&self) -> &'static str {
        "time or throughput: the mean; memory (-prof gc)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parameters_of(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut parameters: Option<Vec<&str>> = None;
        let mut log = Log::default();
        let mut modes = TimeModes::default();
        for (number, line) in text::numbered_lines(&text) {
            builder.line = Some(number);
            log.read(number, line);
            if line.contains("# JMH version: ") {
                builder.note_start();
            } else if line.contains("# Run complete. ") {
                builder.note_completion();
            }
            if let Some(found) = parameters_of(line) {
                parameters = Some(found);
            } else if let Some(parameters) = &parameters
                && let Some(row) = row(line, parameters)
            {
                // The last column is the unit.
                if text::number(row.unit).is_some() {
                    builder.cut_off(number);
                    continue;
                }
                log.rows.insert(row.benchmark);
                add_row(&mut builder, &mut modes, &row);
            }
        }
        let package = log.package();
        if let Some(package) = package.map(|package| package.trim_end_matches('.')) {
            builder.environment().set("jmh-text:package", if package.is_empty() { "(none)" } else { package });
        }
        machine::set_joined(builder.environment(), "jvm", [log.vm, log.jdk]);
        for trial in &log.trials {
            let name = trial.name(package);
            for (setting, value) in &trial.settings {
                builder.settings.add(&name, setting, value);
            }
            if let Some(failure) = &trial.failure {
                builder.line = Some(failure.line);
                builder.fail(&name, failure.why);
            }
        }
        builder.finish()
    }
}

/// What JMH prints while it runs: the virtual machine, and each benchmark with its settings and its failure.
#[derive(Default)]
struct Log<'a> {
    jdk: Option<&'a str>,
    vm: Option<&'a str>,
    trials: Vec<Trial<'a>>,
    /// Settings printed above the name of their benchmark.
    settings: Vec<(&'static str, String)>,
    /// Whether the next line is the error of the last failure.
    in_failure: bool,
    /// The names in the table.
    rows: BTreeSet<&'a str>,
}

/// A benchmark with the values of its parameters.
struct Trial<'a> {
    /// With its package.
    benchmark: &'a str,
    parameters: &'a str,
    settings: Vec<(&'static str, String)>,
    failure: Option<Failure<'a>>,
}

struct Failure<'a> {
    line: u64,
    why: &'a str,
}

impl<'a> Log<'a> {
    fn read(&mut self, number: u64, line: &'a str) {
        // Gradle and sbt print something before each line.
        let after = |mark: &str| line.find(mark).map(|at| line[at + mark.len()..].trim());
        let is_failure = line.contains("<failure>") || line.contains("<forked VM failed");
        if let Some(benchmark) = after("# Benchmark: ") {
            let settings = std::mem::take(&mut self.settings);
            self.trials.push(Trial { benchmark, parameters: "", settings, failure: None });
        } else if let Some(version) = after("# VM version: JDK ") {
            // `12.0.1, OpenJDK 64-Bit Server VM, 12.0.1+12`; before JMH 1.20 without the name.
            let parts: Vec<&str> = version.split(", ").collect();
            self.jdk = parts.first().copied();
            self.vm = (parts.len() > 2).then(|| parts.get(1).copied()).flatten();
        } else if let Some((count, time)) = after("# Warmup: ").map(iterations) {
            self.settings.push(("warmup-iterations", count.to_owned()));
            self.settings.extend(time.map(|time| ("warmup-time", time.to_owned())));
        } else if let Some((count, time)) = after("# Measurement: ").map(iterations) {
            self.settings.push(("iterations", count.to_owned()));
            self.settings.extend(time.map(|time| ("iteration-time", time.to_owned())));
        } else if let Some((count, _)) = after("# Threads: ").and_then(|threads| threads.split_once(" thread")) {
            self.settings.push(("threads", count.to_owned()));
        } else if let Some(trial) = self.trials.last_mut() {
            if let Some(parameters) = after("# Parameters: (") {
                trial.parameters = parameters.trim_end_matches(')');
            } else if let Some((_, forks)) = after("# Fork: 1 ").and_then(|fork| fork.split_once("of ")) {
                trial.settings.push(("forks", forks.to_owned()));
            } else if is_failure {
                let is_vm = line.contains("<forked VM failed");
                let why = if is_vm { line.trim().trim_matches(['<', '>']) } else { "" };
                trial.failure.get_or_insert(Failure { line: number, why });
                self.in_failure = !is_vm;
            } else if self.in_failure && !line.trim().is_empty() {
                self.in_failure = false;
                trial.failure.iter_mut().for_each(|failure| failure.why = line.trim());
            }
        }
    }

    /// The package that the names in the table leave out, such as `org.example.`.
    fn package(&self) -> Option<&'a str> {
        self.trials.iter().find_map(|trial| {
            let full = trial.benchmark;
            let mut starts = [0].into_iter().chain(full.match_indices('.').map(|(at, _)| at + 1));
            starts.find(|at| self.rows.contains(&full[*at..])).map(|at| &full[..at])
        })
    }
}

impl Trial<'_> {
    /// The name as in the table: without this package. If the package is unknown: class and method only.
    fn name(&self, package: Option<&str>) -> String {
        let class_and_method = self.benchmark.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
        let without_package = package.and_then(|package| self.benchmark.strip_prefix(package));
        let mut name = without_package.unwrap_or(&self.benchmark[class_and_method..]).to_owned();
        for (key, value) in self.parameters.split(", ").filter_map(|parameter| parameter.split_once(" = ")) {
            name.push_str(&format!("/{key}={value}"));
        }
        name
    }
}

/// Count and length of the iterations in `7 iterations, 10 s each`; `<none>` is 0.
fn iterations(text: &str) -> (&str, Option<&str>) {
    match text.split_once(" iterations, ") {
        Some((count, rest)) => (count, rest.split(", ").next().map(|time| time.trim_end_matches(" each"))),
        None => ("0", None),
    }
}

/// The parameters in a header `Benchmark  (size)  Mode  Cnt  Score  Error  Units`.
fn parameters_of(line: &str) -> Option<Vec<&str>> {
    // Gradle and sbt print something before each line.
    let words: Vec<&str> = line[line.find("Benchmark ")?..].split_whitespace().collect();
    let mode = words.iter().position(|word| *word == "Mode")?;
    let columns = words[mode..].contains(&"Score") && words.last() == Some(&"Units");
    let parameters = words[1..mode].iter().map(|word| word.strip_prefix('(')?.strip_suffix(')'));
    columns.then(|| parameters.collect()).flatten()
}

/// A row `P.format  10  avgt  5  12.500 ± 0.200  us/op`; count and error may be missing.
fn row<'a>(line: &'a str, parameters: &[&'a str]) -> Option<Row<'a>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| matches!(*word, "thrpt" | "avgt" | "sample" | "ss"))?;
    let name = at.checked_sub(parameters.len() + 1)?;
    let [values @ .., unit] = &words[at + 1..] else { return None };
    // JMH prints a very small score as `≈ 10⁻⁶`.
    let score = match values.iter().position(|word| matches!(*word, "±" | "≈")) {
        Some(mark) if values[mark] == "±" => values.get(mark.checked_sub(1)?),
        Some(mark) => values.get(mark + 1),
        None => values.last(),
    };
    Some(Row {
        benchmark: words[name],
        mode: words[at],
        score: score?,
        unit,
        parameters: parameters.iter().copied().zip(words[name + 1..at].iter().copied()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_and_without_count_error_and_parameters_are_read() {
        let text = "\
            # Run complete. Total time: 00:01:00\n\n\
            Benchmark                    (size)    Mode  Cnt      Score     Error   Units\n\
            P.format                         10    avgt    5     12,500 ±   0,200   us/op\n\
            P.format:·gc.alloc.rate          10    avgt    5    512.000 ±   1.000  MB/sec\n\
            P.format:·gc.alloc.rate.norm     10    avgt    5     24.000 ±   0.001    B/op\n\
            P.parse                         N/A   thrpt       75430.967             ops/s\n\
            P.parse:parse·p0.50             N/A  sample         100.000             ns/op\n\
            P.tiny                          N/A    avgt    5     ≈ 10⁻⁶             us/op\n\
            P.parse:·gc.alloc.rate.norm     N/A    avgt    5     ≈ 10⁻⁴              B/op\n";
        assert!(JmhText.sniff(&Preview::of(text.as_bytes())));
        let reading = JmhText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let read: Vec<_> = reading
            .measurements
            .iter()
            .map(|m| (m.benchmark.as_str(), &*m.metric.name, m.evidence[0].centre()))
            .collect();
        let expected = [
            ("P.format/size=10", "time", 12.5e3),
            ("P.format/size=10", "memory", 24.0),
            ("P.parse", "throughput", 75430.967),
            ("P.parse", "memory", 0.0),
        ];
        assert_eq!(read, expected);
        assert_eq!(reading.diagnostics[0].message, "`P.tiny` has no exact score; skipped");
    }

    #[test]
    fn two_tables_of_one_mode_give_one_time_and_another_mode_has_its_own() {
        let table = |mode: &str, score: &str| {
            format!("Benchmark   Mode  Cnt   Score   Error  Units\nP.format    {mode}    5  {score} ± 0.200  us/op\n\n")
        };
        let text = table("avgt", "12.5") + &table("avgt", "12.6") + &table("ss", "20.0");
        let reading = JmhText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let read: Vec<_> =
            reading.measurements.iter().map(|one| (&*one.metric.name, one.evidence[0].centre())).collect();
        assert_eq!(read, [("time", 12.5e3), ("time:ss", 20e3)]);
        let [twice] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
        assert_eq!((twice.code.as_str(), twice.place.as_str()), ("duplicate-name", "x:5"));
    }

    #[test]
    fn the_log_states_the_virtual_machine_and_the_settings() {
        let block = "\
            # JMH version: 1.21\n\
            # VM version: JDK 12.0.1, OpenJDK 64-Bit Server VM, 12.0.1+12\n\
            # Warmup: <none>\n\
            # Measurement: 3 iterations, 10 s each\n\
            # Threads: 8 threads, will synchronize iterations\n\
            # Benchmark: org.example.P.format\n\
            # Parameters: (size = 10)\n\n\
            # Fork: 1 of 5\n\
            # Fork: 2 of 5\n";
        let other = block.replace("8 threads", "1 thread").replace("size = 10", "size = 20");
        let table = "Benchmark  (size)  Mode  Cnt  Score   Error   Units\n\
                     P.format       10  avgt    5   12.5 ±   0.2   us/op\n\
                     P.format       20  avgt    5   12.5 ±   0.2   us/op\n";
        let text = format!("{block}{other}{table}");
        let reading = JmhText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let environment = &reading.environment;
        assert_eq!(environment.get("jvm"), Some("OpenJDK 64-Bit Server VM 12.0.1"));
        let of = |setting, size| environment.condition("jmh-text", setting, &format!("P.format/size={size}"));
        assert_eq!((of("threads", 10), of("threads", 20)), (Some("8"), Some("1")));
        let same = ["forks", "iterations", "iteration-time", "warmup-iterations", "warmup-time"];
        assert_eq!(same.map(|setting| of(setting, 20)), [Some("5"), Some("3"), Some("10 s"), Some("0"), None]);
    }

    #[test]
    fn failed_benchmarks_are_named_as_in_the_table() {
        let text = "\
            # Benchmark: org.example.P.format\n\
            # Benchmark: org.example.P.parse\n\
            # Parameters: (kind = a, size = 10)\n\
            <failure>\n\n\
            java.lang.IllegalStateException: boom\n\tat org.example.P.parse(P.java:10)\n\
            # Benchmark: org.example.Q.write\n\
            <forked VM failed with exit code 134>\n\
            Benchmark   Mode  Cnt  Score   Error   Units\n\
            P.format    avgt    5   12.5 ±   0.2   us/op\n";
        let reading = JmhText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let failed: Vec<_> = reading.failures.benchmarks.iter().map(|f| (f.benchmark.as_str(), &*f.why)).collect();
        assert_eq!(
            failed,
            [
                ("P.parse/kind=a/size=10", "java.lang.IllegalStateException: boom"),
                ("Q.write", "forked VM failed with exit code 134")
            ]
        );
    }

    #[test]
    fn other_headers_are_not_those_of_jmh() {
        for text in ["Benchmark   Time   CPU   Iterations", "Benchmark Mode x", "| Benchmark | Mode | Score | Units |"]
        {
            assert!(!JmhText.sniff(&Preview::of(text.as_bytes())), "{text}");
        }
    }
}
