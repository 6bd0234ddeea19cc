//! Go's benchmark lines, `BenchmarkX-8   100   12.5 ns/op   3 B/op`, as text or in the events of `go test -json`. Each line
//! is a run, so `-count` gives several runs.
//!
//! Names are `package/BenchmarkX`. The suffix `-8` is the number of processors. It is dropped if all names of the package end
//! with the same one, and kept with `-cpu 1,2,4`, where it distinguishes benchmarks. Custom units follow Go's conventions:
//! `p99-ms` is the time at p99, `items/op` a number of items. A line such as `Unit items/op better=higher` states the
//! direction; with `assume=exact` its values are exact counts. Otherwise the unit and its words decide, or it is unknown.

mod failure;
mod line;
mod log;

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use super::{Format, Preview, Reading, Source, json, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit, UnitScale, Work, WorkUnit};
use failure::Failure;
pub(crate) use line::joined_lines;
use line::{FileProperties, Line};
use log::read_text;
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
        return builder.skip_value(name, format!("`{name}` ran no iterations; line skipped"));
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
mod tests;
