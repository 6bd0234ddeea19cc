//! A command that is not a benchmark tool: its process as a run.

use crate::io::command::FinishedCommand;
use crate::model::{Direction, Evidence, Measurement, Metric, Run, Unit};
use std::time::Duration;

/// The tool's name where the process itself is timed.
pub(crate) const PROCESS: &str = "process";
/// Maximum number of characters of a command line that become the name of its benchmark.
pub(super) const LONGEST_NAME: usize = 120;

/// The time, processor time and memory of the process as a run.
pub(super) fn process_run(command: &[String], finished: &FinishedCommand) -> Run {
    let name: String = command.join(" ").chars().take(LONGEST_NAME).collect();
    let one = |metric: Metric, value: f64| Measurement::new(PROCESS, name.as_str(), metric, Evidence::Value(value));
    let time = |name: &'static str, duration: Duration| {
        one(Metric::measured(name, Unit::Nanosecond, Direction::Lower), duration.as_nanos() as f64)
    };
    let mut measurements = Vec::new();
    let count = |name: &'static str, count: Option<u64>| {
        count.map(|count| one(Metric::measured(name, Unit::Count, Direction::Lower), count as f64))
    };
    measurements.extend(count("cycles", finished.counts.cycles));
    measurements.extend(count("instructions", finished.counts.instructions));
    if let Some(usage) = finished.usage {
        let peak = Metric::measured("memory:peak", Unit::Byte, Direction::Lower);
        measurements.push(one(peak, usage.peak as f64));
    }
    measurements.push(time("time", finished.wall));
    if let Some(usage) = finished.usage {
        measurements.push(time("time:system", usage.system));
        measurements.push(time("time:user", usage.user));
    }
    Run { measurements, ..Run::default() }
}
