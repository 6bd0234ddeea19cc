//! Go's benchmark lines, `BenchmarkX-8   100   12.5 ns/op   3 B/op`, as text or in the events of `go test -json`. Each line
//! is a run, so `-count` gives several runs.
//!
//! Names are `package/BenchmarkX`. The suffix `-8` is the number of processors. It is dropped if all names of the package end
//! with the same one, and kept with `-cpu 1,2,4`, where it distinguishes benchmarks. Custom units follow Go's conventions:
//! `p99-ms` is the time at p99, `items/op` a number of items. A line such as `Unit items/op better=higher` states the
//! direction; with `assume=exact` its values are exact counts. Otherwise the unit and its words decide, or it is unknown.

mod failure;
mod line;

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use super::{Format, Preview, Reading, Source, json, machine, text};
use crate::model::{Diagnostic, Direction, EndScope, Environment, Evidence, Metric, Unit, UnitScale, Work, WorkUnit};
use failure::{Failure, LogEnd};
pub(crate) use line::joined_lines;
use line::{FileProperties, Line, is_result};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Go's own benchmarks.
pub struct GoBench;

/// One event of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    package: Option<Cow<'a, str>>,
    output: Option<Cow<'a, str>>,
}

impl Format for GoBench {
    fn name(&self) -> &'static str {
        "go-bench"
    }

    fn produced_by(&self) -> &'static str {
        "go test -run '^$' -bench . -benchmem -count 10 ./... > out.txt (or with -json)"
    }

    fn metrics(&self) -> &'static str {
        "time, memory, allocations, throughput and custom units: one value per -count"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        if preview.is_json() {
            return preview.has_keys(&["Action", "Package"]);
        }
        let starts = |mark| preview.lines().any(|line| line.starts_with(mark));
        if preview.lines().any(|line| matches!(Failure::of(line), Some(Failure::Build(_)))) {
            return true;
        }
        starts("goos: ") && starts("pkg: ")
            || preview.lines().any(|line| Line::of(&text::without_colors(line)).is_some_and(|line| line.is_complete()))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let bytes = text::utf8(source)?;
        if bytes.trim_ascii_start().starts_with(b"{") {
            let outputs = outputs_by_package(&mut builder, bytes);
            // All packages are scanned before the first one is read: the directions of units apply to the whole file.
            let all: Vec<_> = outputs
                .iter()
                .map(|(package, output)| (package.as_str(), Source { bytes: output.as_bytes(), ..source }))
                .collect();
            let properties = FileProperties::of(&all)?;
            set_processors(&mut builder, &properties);
            for (package, output) in all {
                read_text(&mut builder, output, Some(package), &properties)?;
            }
        } else {
            let properties = FileProperties::of(&[("", source)])?;
            set_processors(&mut builder, &properties);
            read_text(&mut builder, source, None, &properties)?;
        }
        builder.finish()
    }
}

/// Keeps the number of processors of all packages.
fn set_processors(builder: &mut ReadingBuilder<'_>, properties: &FileProperties) {
    builder.environment().set("gomaxprocs", properties.processors().unwrap_or_default());
}

/// Joins the output of each package. An event may contain a part of a line, and packages run concurrently.
fn outputs_by_package(builder: &mut ReadingBuilder<'_>, bytes: &[u8]) -> Vec<(String, String)> {
    let mut order = Vec::new();
    let mut outputs: BTreeMap<String, String> = BTreeMap::new();
    for (at, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        builder.line = Some(at);
        if !line.trim_ascii_start().starts_with(b"{") {
            continue;
        }
        let event = match serde_json::from_slice::<Event<'_>>(line) {
            Ok(event) => event,
            Err(error) => {
                builder.warn("unreadable-line", json::line_message(&error));
                continue;
            }
        };
        if let (Some(output), true) = (event.output, event.action == "output") {
            let package = event.package.unwrap_or_default();
            match outputs.get_mut(&*package) {
                Some(text) => text.push_str(&output),
                None => {
                    order.push(package.clone().into_owned());
                    outputs.insert(package.into_owned(), output.into_owned());
                }
            }
        }
    }
    order.into_iter().filter_map(|package| outputs.remove(&package).map(|text| (package, text))).collect()
}

/// Reads a text, or the joined output of a package, whose line numbers are not those of the file.
fn read_text(
    builder: &mut ReadingBuilder<'_>,
    source: Source<'_>,
    package: Option<&str>,
    properties: &FileProperties,
) -> Result<(), Diagnostic> {
    let (mut package, is_file) = (package.unwrap_or_default().to_owned(), package.is_none());
    let text = text::decode(source)?;
    let lines = joined_lines(&text);
    let mut lines = lines.iter().map(|(at, line)| (*at, line.as_ref())).peekable();
    let names_packages = !is_file || text.lines().any(|line| line.starts_with("pkg: "));
    let mut panic = None;
    // Whether a benchmark of the package is reported as failed.
    let mut has_failed = false;
    // The compiler's first message about each package.
    let mut build_errors: BTreeMap<&str, &str> = BTreeMap::new();
    let mut end = LogEnd::default();
    while let Some((at, line)) = lines.next() {
        builder.line = is_file.then_some(at);
        end.read(line);
        if let Some(package) = line.strip_prefix("# ").and_then(|rest| rest.split_ascii_whitespace().next()) {
            build_errors.insert(package, lines.peek().map_or("", |(_, next)| next));
        }
        match Failure::of(line) {
            Some(Failure::Benchmark(name)) => {
                let log = lines.peek().map(|(_, next)| *next).filter(|next| next.starts_with("    "));
                let log = log.unwrap_or_default();
                builder.fail(&properties.full_name(&package, name), log);
                has_failed = true;
                // The benchmark that runs it may have ended too.
                if let Some((parent, _)) = name.split_once('/') {
                    let scope = EndScope::Below(format!("{}/", properties.full_name(&package, parent)));
                    builder.record_early_end(scope, &format!("{name} failed"));
                }
            }
            Some(Failure::Running { name, why }) => {
                builder.fail(&properties.full_name(&package, name), why);
                panic = Some(why);
            }
            Some(Failure::Skipped(name)) => builder.skip(&properties.full_name(&package, name)),
            Some(Failure::Panic(why)) => panic = Some(why),
            Some(Failure::Package(failed)) => {
                let why = panic.take();
                let scope = match why {
                    // A benchmark that failed does not prevent the others.
                    None if has_failed => EndScope::Nothing,
                    _ if names_packages => EndScope::Beginning(format!("{failed}/")),
                    _ => EndScope::Suite,
                };
                has_failed = false;
                builder.end_early(scope, why.unwrap_or("`go test` ended with FAIL"));
            }
            Some(Failure::Build(failed)) => {
                let why = build_errors.get(failed).map_or_else(String::new, |error| format!(": {error}"));
                let scope = EndScope::Beginning(format!("{failed}/"));
                builder.end_early(scope, &format!("{failed} failed to build{why}"));
            }
            None => {}
        }
        if let Some((key, value)) = line.split_once(": ") {
            match key {
                "pkg" => value.trim().clone_into(&mut package),
                "cpu" => builder.environment().set(Environment::CPU, value.trim()),
                "goos" => machine::set_os(builder.environment(), value.trim()),
                "goarch" => machine::set_arch(builder.environment(), value.trim()),
                _ => {}
            }
        }
        if is_result(line) {
            builder
                .warn("unreadable-line", format!("`{}` is a result without a benchmark's name; skipped", line.trim()));
        }
        let Some(line) = Line::of(line) else { continue };
        if line.is_complete() {
            panic = None; // it was recovered
        }
        let name = properties.full_name(&package, line.name);
        read_line(builder, &name, &line, properties);
    }
    let unfinished = end.unfinished(is_file).or(panic.and(Some("")));
    if let Some(unfinished) = unfinished {
        if !unfinished.is_empty() {
            builder.fail(&properties.full_name(&package, unfinished), "the output ends before its result");
        }
        let scope = if package.is_empty() { EndScope::Suite } else { EndScope::Beginning(format!("{package}/")) };
        builder.end_early(scope, panic.unwrap_or("the output is incomplete"));
    }
    Ok(())
}

fn read_line(builder: &mut ReadingBuilder<'_>, name: &str, line: &Line<'_>, properties: &FileProperties) {
    let pairs: Option<Vec<_>> = line
        .pairs
        .iter()
        .map(|(value, unit)| Some((value.parse::<f64>().ok()?, *unit)).filter(|_| !unit.is_empty()))
        .collect();
    let (Some(pairs), Ok(iterations)) = (pairs, line.iterations.parse::<u64>()) else {
        let message =
            format!("`{name}`: expected the number of iterations, then pairs of number and unit; line skipped");
        return builder.warn("unreadable-line", message);
    };
    if iterations == 0 {
        return builder.warn("invalid-value", format!("`{name}` ran no iterations; line skipped"));
    }
    let value_of = |wanted: &str| pairs.iter().find(|(_, unit)| *unit == wanted).map(|(value, _)| *value);
    let speeds = value_of("ns/op").zip(value_of("MB/s"));
    for (value, unit) in pairs {
        let (metric, factor) = metric(builder, unit, properties);
        let counted = if metric.exact { metric.name.clone() } else { "time".into() };
        builder.add_run(name, metric, Evidence::Value(value * factor));
        builder.set_iterations(name, &counted, iterations as f64);
    }
    // With `SetBytes`, the rate gives the bytes per operation. Rates have two decimals: below 1 MB/s they are too inexact.
    if let Some((nanoseconds, rate)) = speeds.filter(|(_, rate)| *rate >= 1.0) {
        builder.set_work(name, "time", Work { amount: rate * nanoseconds / 1e3, unit: WorkUnit::Bytes });
    }
}

/// The metric of a Go unit, if no `Unit` line describes it.
pub(super) fn metric_of_unit(builder: &mut ReadingBuilder<'_>, unit: &str) -> (Metric, f64) {
    metric(builder, unit, &FileProperties::default())
}

/// The metric of a Go unit, with the factor to perfgate's unit.
fn metric(builder: &mut ReadingBuilder<'_>, unit: &str, properties: &FileProperties) -> (Metric, f64) {
    let (metric, factor) = match unit {
        "ns/op" => (Metric::time(), 1.0),
        "B/op" => (Metric::counted("memory", Unit::Byte, Direction::Lower), 1.0),
        "allocs/op" => (Metric::counted("allocations", Unit::Count, Direction::Lower), 1.0),
        "MB/s" => (Metric::measured("throughput", Unit::BytePerSecond, Direction::Higher), 1e6),
        own => {
            let bare = own.strip_suffix("/op").unwrap_or(own);
            // `p99-ms` is a name, a hyphen and a unit.
            let (metric, scale) = match bare.rsplit_once('-').and_then(|(what, unit)| Some((what, Unit::parse(unit)?)))
            {
                Some((what, scale)) if scale.unit == Unit::Nanosecond => (format!("time:{what}"), scale),
                Some((what, scale)) => (what.to_owned(), scale),
                None => (bare.to_owned(), Unit::parse(own).unwrap_or_else(|| builder.unit(bare))),
            };
            let UnitScale { unit, factor } = scale;
            let rate = matches!(unit, Unit::PerSecond | Unit::BytePerSecond)
                || ["/s", "/sec"].iter().any(|s| own.ends_with(s));
            let direction = match unit {
                _ if rate => Some(Direction::Higher),
                Unit::Nanosecond | Unit::Byte => Some(Direction::Lower),
                _ => direction_of_words(bare),
            };
            (Metric::measured(metric, unit, Direction::Unknown).with_assumed(direction), factor)
        }
    };
    let stated = properties.directions.get(unit).copied();
    let (direction, assumed) = (stated.unwrap_or(metric.direction), metric.assumed && stated.is_none());
    let exact = metric.exact || properties.exact_units.contains(unit);
    (Metric { direction, assumed, exact, ..metric }, factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    #[test]
    fn a_panic_without_a_footer_is_the_reason() {
        let text = "BenchmarkA-8  \t 100\t 5 ns/op\nBenchmarkD-8  \tpanic: oh\n\ngoroutine 1 [running]:\n";
        let failures = GoBench.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap().failures;
        assert_eq!(failures.benchmarks.iter().map(|one| &*one.why).collect::<Vec<_>>(), ["panic: oh"]);
        assert_eq!(failures.early_ends.iter().map(|one| &*one.why).collect::<Vec<_>>(), ["panic: oh"]);
        let recovered = "panic: oh [recovered]\nBenchmarkA-8  \t 100\t 5 ns/op\nPASS\n";
        assert!(GoBench.parse(Source { name: "x", bytes: recovered.as_bytes() }).unwrap().failures.is_empty());
    }

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        GoBench.parse(Source { name: "x.txt", bytes: text.as_bytes() })
    }

    fn names(reading: &Reading) -> Vec<&str> {
        reading.measurements.iter().map(|m| m.benchmark.as_str()).collect()
    }

    #[test]
    fn a_package_with_another_suffix_does_not_rename_the_others() {
        let text = "pkg: p\nBenchmarkA-8 \t 9 \t 5 ns/op\npkg: q\nBenchmarkB-2 \t 9 \t 5 ns/op\n";
        let reading = read(text).unwrap();
        assert_eq!(names(&reading), ["p/BenchmarkA", "q/BenchmarkB"]);
        assert_eq!(reading.environment.get("gomaxprocs"), None);
    }

    #[test]
    fn names_without_a_suffix_are_those_of_one_processor() {
        let processors = |names: [&str; 2]| {
            let lines = names.map(|name| format!("Benchmark{name} \t 9 \t 5 ns/op\n")).concat();
            read(&lines).unwrap().environment.get("gomaxprocs").map(str::to_owned)
        };
        assert_eq!(processors(["A", "B/n=10"]).as_deref(), Some("1"));
        assert_eq!(processors(["A-4", "B/n=10-4"]).as_deref(), Some("4"));
        for mixed in [["A", "A-2"], ["Size-8", "Size-16"], ["Plain", "Size-8"]] {
            assert_eq!(processors(mixed), None, "{mixed:?}");
        }
    }

    #[test]
    fn the_bytes_per_operation_are_computed_from_the_rate() {
        let reading = read("BenchmarkA-2 9 1000 ns/op 64.00 MB/s\nBenchmarkB-2 9 1000 ns/op 0.12 MB/s\n").unwrap();
        let work: Vec<_> = reading.measurements.iter().map(|m| m.work).collect();
        assert_eq!(work, [Some(Work { amount: 64.0, unit: WorkUnit::Bytes }), None, None, None]);
    }

    #[test]
    fn the_processor_suffix_is_dropped_only_if_all_names_have_the_same() {
        assert_eq!(names(&read("pkg: p\nBenchmarkA/n-8-2 \t 9 \t 5 ns/op\n").unwrap()), ["p/BenchmarkA/n-8"]);
        let cpu = "BenchmarkA \t 9 \t 5 ns/op\nBenchmarkA-2 \t 9 \t 5 ns/op\nBenchmarkA-4 \t 9 \t 5 ns/op\n";
        assert_eq!(names(&read(cpu).unwrap()), ["BenchmarkA", "BenchmarkA-2", "BenchmarkA-4"]);
    }

    #[test]
    fn custom_units_have_metric_unit_and_direction() {
        let reading = read(
            "Unit score better=higher\nUnit items/op assume=exact\nBenchmarkA-2 9 5 ns/op 7 items/op 12.5 p99-ms 30 req/s 4 score 2 heap-MB\n",
        )
        .unwrap();
        let found: Vec<_> =
            reading.measurements.iter().map(|m| (&*m.metric.name, m.metric.unit.label(), m.metric.direction)).collect();
        let expected = [
            ("time", "ns", Direction::Lower),
            ("items", "count", Direction::Unknown),
            ("time:p99", "ns", Direction::Lower),
            ("req/s", "/s", Direction::Higher),
            ("score", "score", Direction::Higher),
            ("heap", "B", Direction::Lower),
        ];
        assert_eq!(found, expected);
        assert_eq!(reading.measurements[2].evidence, [Evidence::Value(12.5e6)]);
        let exact: Vec<_> = reading.measurements.iter().filter(|m| m.metric.exact).map(|m| &*m.metric.name).collect();
        assert_eq!(exact, ["items"]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unknown-unit"], "the unit `score`");
    }

    #[test]
    fn a_valid_line_among_invalid_ones_is_read() {
        let reading = read(
            "goos: linux\nBenchmarkA-2 100 NaN ns/op\nBenchmarkB-2 0 12 ns/op\nBenchmarkC-2 100 12\n\
             BenchmarkD-2 abc 12 ns/op\nBenchmarkE-2 100 12 ns/op 5\nBenchmarkF-2 100 12 ns/op\nBenchmarks are fun\n",
        )
        .unwrap();
        assert_eq!(names(&reading), ["BenchmarkF"]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["invalid-value", "invalid-value", "unreadable-line", "unreadable-line", "unreadable-line"]);
        assert_eq!(reading.environment.get("os"), Some("linux"));
    }

    #[test]
    fn a_result_after_log_lines_is_joined_with_its_name() {
        let reading = read(
            "pkg: p\nBenchmarkA-2 \t2026/01/05 10:11:12 INFO entries=100\n  100\t 12 ns/op\t 3 B/op\n\
             BenchmarkB-2 \tone\ntwo 2\n 200 15 ns/op\n 300 16 ns/op\nBenchmarkC-2 100 7 ns/op\n",
        )
        .unwrap();
        let times: Vec<_> = reading.measurements.iter().filter(|m| m.metric.name == "time").collect();
        assert_eq!(
            times.iter().map(|m| m.benchmark.as_str()).collect::<Vec<_>>(),
            ["p/BenchmarkA", "p/BenchmarkB", "p/BenchmarkC"]
        );
        assert_eq!(times[1].evidence, [Evidence::Value(15.0)]);
        let [orphan] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
        assert_eq!((orphan.code.as_str(), orphan.place.as_str()), ("unreadable-line", "x.txt:7"));
    }

    fn event(package: &str, output: &str) -> String {
        format!("{{\"Time\":\"t\",\"Action\":\"output\",\"Package\":\"{package}\",\"Output\":\"{output}\"}}\n")
    }

    #[test]
    fn events_with_parts_of_lines_are_joined_by_package() {
        let text = event("p", "BenchmarkA-2 \\t")
            + &event("q", "BenchmarkA-2 \\t 9\\t 7 ns/op\\n")
            + &event("p", " 9\\t 5 ns/op\\n")
            + "{\n";
        let reading = read(&text).unwrap();
        assert_eq!(names(&reading), ["p/BenchmarkA", "q/BenchmarkA"]);
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(5.0)]);
        assert_eq!(reading.diagnostics[0].code, "unreadable-line");
    }
}
