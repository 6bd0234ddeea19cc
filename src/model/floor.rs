//! The floor: the smallest change of a value that counts. Contains the defaults for metrics without a floor in the config.

use super::{Metric, Unit, VALGRIND};

/// Below the period of a fast processor's clock: a smaller change of a time is an artifact of the measuring loop.
const TIME_FLOOR_NS: f64 = 0.3;

/// The share of a clock cycle below which a change of a time is an artifact.
const FLOOR_CYCLES: f64 = 0.2;

/// A count of instructions includes criterion's code around the benchmark's body. The compiler changes that code when the body
/// changes, so a smaller change of the count does not show a change of the body.
const FLOOR_INSTRUCTIONS: f64 = 20.0;

/// Go divides the bytes that the whole process allocates by the iterations, and its runtime allocates now and then.
const GO: &str = "go-bench";
const BACKGROUND_BYTES: f64 = 1024.0;

/// Tools that time one operation at a time and print its rate. Other rates count what one operation, or all cores together, process:
/// rows, requests, elements. A clock cycle is not their lower limit.
const RATES_OF_OPERATIONS: [&str; 8] =
    ["benchmark-driver", "benchmark-ips", "benchmarkjs", "jmh", "jmh-csv", "jmh-text", "tinybench", "vitest-bench"];

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// The smallest change that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// In the unit of the metric.
    Value(f64),
    /// For a rate: a time per operation, in nanoseconds.
    TimePerOperation(f64),
}

impl Floor {
    /// The floor of a metric without one in the config. For a time, and for the rate of a tool that times single
    /// operations: a fifth of a clock cycle, or 0.3 ns if the clock is unknown. For the memory that Go counts: 1 KiB
    /// for the allocations of its runtime, divided by the iterations. For instructions that perfgate counts: 20.
    /// Otherwise 0.
    pub fn default_of(metric: &Metric, tool: &str, clock_mhz: Option<f32>, iterations: Option<f32>) -> Floor {
        if tool == VALGRIND {
            return Floor::Value(FLOOR_INSTRUCTIONS);
        }
        let time = clock_mhz.map_or(TIME_FLOOR_NS, |mhz| FLOOR_CYCLES * 1e3 / f64::from(mhz));
        match metric.unit {
            Unit::Nanosecond => Floor::Value(time),
            Unit::PerSecond if metric.name == "throughput" && RATES_OF_OPERATIONS.contains(&tool) => {
                Floor::TimePerOperation(time)
            }
            Unit::Byte if metric.exact && tool == GO => {
                Floor::Value(iterations.map_or(0.0, |iterations| BACKGROUND_BYTES / f64::from(iterations)))
            }
            _ => Floor::Value(0.0),
        }
    }

    /// True if two values differ by less than the floor.
    pub fn covers(self, base: f64, head: f64) -> bool {
        match self {
            Floor::Value(floor) => (head - base).abs() < floor,
            Floor::TimePerOperation(floor) => (SECOND / head - SECOND / base).abs() < floor,
        }
    }

    /// The floor as an amount and its unit; `unit` is that of the metric.
    pub fn text(self, unit: &str) -> String {
        let rounded = |floor: f64| (floor * 1e3).round() / 1e3;
        match self {
            Floor::Value(floor) => format!("{} {unit}", rounded(floor)),
            Floor::TimePerOperation(floor) => format!("{} ns per operation", rounded(floor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_compared_by_the_time_of_an_operation() {
        let floor = Floor::default_of(&Metric::throughput(), "jmh", None, None);
        // 0.297 ns and 0.494 ns.
        assert!(floor.covers(3.369e9, 2.026e9));
        assert!(!floor.covers(1e9, 5e8), "1 ns and 2 ns");
        assert!(!floor.covers(1e9, 0.0));
        assert_eq!(floor.text("/s"), "0.3 ns per operation");
        assert_eq!(Floor::default_of(&Metric::throughput(), "jmh", Some(2000.0), None), Floor::TimePerOperation(0.1));
        // 6 G rows/s are usual for a scan on all cores.
        assert_eq!(Floor::default_of(&Metric::throughput(), "csv", None, None), Floor::Value(0.0));
    }

    #[test]
    fn a_time_is_compared_by_itself_and_other_values_have_no_floor() {
        let floor = Floor::default_of(&Metric::time(), "jmh", None, None);
        assert!(floor.covers(0.01, 0.2) && !floor.covers(0.01, 0.4));
        let count = Metric::counted("queries", Unit::Count, crate::model::Direction::Lower);
        assert_eq!(Floor::default_of(&count, "jmh", None, None), Floor::Value(0.0));
        let memory = Metric::counted("memory", Unit::Byte, crate::model::Direction::Lower);
        // 64 bytes of the runtime are 3 bytes in each of 21 iterations.
        assert!(Floor::default_of(&memory, "go-bench", None, Some(21.0)).covers(0.0, 3.0));
        assert!(!Floor::default_of(&memory, "go-bench", None, Some(10_000.0)).covers(0.0, 3.0));
        assert_eq!(Floor::default_of(&count, VALGRIND, None, None), Floor::Value(20.0));
    }
}
