//! Other load on the machine: the load before a measurement, and the processor time that other processes and the host of a
//! virtual machine took during a run. Linux only; elsewhere nothing is reported.

use super::command::Usage;
use crate::model::Diagnostic;
use std::fs;
use std::time::{Duration, Instant};

/// Other processes are reported if they use more than this many processors.
const MAX_OTHER_LOAD: f64 = 0.3;
/// The host is reported if it takes more than this share of the time.
const MAX_STEAL_SHARE: f64 = 0.02;
/// Ticks per second in /proc/stat: the same for programs on every Linux.
const TICKS: f64 = 100.0;
/// Shorter runs are not checked.
const MIN_RUN_TIME: Duration = Duration::from_millis(300);

/// Processor time since boot, all processors together, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CpuTimes {
    busy: f64,
    stolen: f64,
    processors: f64,
}

/// Measures the disturbance of a run.
#[derive(Debug)]
pub struct NoiseMonitor {
    started: Instant,
    before: Option<CpuTimes>,
}

/// The load by others during a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Disturbance {
    /// Processors that other processes used, on average.
    pub others: f64,
    /// Share of the processors' time that the host took.
    pub stolen: f64,
}

impl NoiseMonitor {
    /// Starts to measure.
    pub fn start() -> NoiseMonitor {
        NoiseMonitor { started: Instant::now(), before: counters() }
    }

    /// The disturbance since the start; zero where it is unknown.
    pub fn end(self, usage: Option<Usage>) -> Disturbance {
        let wall = self.started.elapsed();
        let (Some(before), Some(after), Some(usage)) = (self.before, counters(), usage) else {
            return Disturbance::default();
        };
        if wall < MIN_RUN_TIME {
            return Disturbance::default();
        }
        let own = (usage.user + usage.system).as_secs_f64();
        let wall = wall.as_secs_f64();
        Disturbance {
            others: ((after.busy - before.busy - own) / wall).max(0.0),
            stolen: ((after.stolen - before.stolen) / (wall * after.processors)).max(0.0),
        }
    }
}

impl Disturbance {
    /// A description for a warning; `None` below the limits.
    pub fn describe(self) -> Option<String> {
        let others = (self.others > MAX_OTHER_LOAD)
            .then(|| format!("other processes used {:.1} processors on average", self.others));
        let stolen = (self.stolen > MAX_STEAL_SHARE).then(|| {
            format!("the host of this virtual machine took {:.0}% of its processor time", 100.0 * self.stolen)
        });
        let parts: Vec<String> = others.into_iter().chain(stolen).collect();
        (!parts.is_empty()).then(|| parts.join(", and "))
    }
}

/// Warnings about the machine before a measurement.
pub fn conditions() -> Vec<Diagnostic> {
    let text = |path: &str| fs::read_to_string(path).ok();
    let mut diagnostics = Vec::new();
    let load = text("/proc/loadavg").as_deref().and_then(load);
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    if let Some(load) = load.filter(|load| *load > 0.5 * processors as f64) {
        let message = format!(
            "the machine was busy before the measurement began: load {load:.1} on {processors} processors; stop other \
             programs and measure again"
        );
        diagnostics.push(Diagnostic::warning("busy-machine", "", message));
    }
    let governor = text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if let Some(governor) = governor.as_deref().map(str::trim).filter(|governor| *governor != "performance") {
        let message = format!(
            "the frequency governor is {governor:?}, which changes the clock with the load; \
             run `cpupower frequency-set -g performance`"
        );
        diagnostics.push(Diagnostic::note("frequency-governor", "", message));
    }
    diagnostics
}

fn load(loadavg: &str) -> Option<f64> {
    loadavg.split_whitespace().next()?.parse().ok()
}

fn counters() -> Option<CpuTimes> {
    parse(&fs::read_to_string("/proc/stat").ok()?)
}

/// The first line is `cpu user nice system idle iowait irq softirq steal guest guest_nice`; user includes guests.
fn parse(stat: &str) -> Option<CpuTimes> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<f64> = fields.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|index| ticks.get(*index)).sum::<f64>();
    let is_processor = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let processors = stat.lines().filter(is_processor).count().max(1) as f64;
    Some(CpuTimes { busy: busy / TICKS, stolen: ticks.get(7).copied().unwrap_or_default() / TICKS, processors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_times_are_parsed() {
        let stat = "cpu  100 10 200 4000 50 5 15 60 30 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n";
        // (100 + 10 + 200 + 5 + 15) / 100 and 60 / 100.
        assert_eq!(parse(stat), Some(CpuTimes { busy: 3.3, stolen: 0.6, processors: 2.0 }));
        assert_eq!(parse(""), None);
        assert_eq!(load("2.31 1.0 0.5 1/200 77\n"), Some(2.31));
    }

    #[test]
    fn only_disturbed_runs_are_reported() {
        assert_eq!(Disturbance { others: 0.1, stolen: 0.001 }.describe(), None);
        let text = Disturbance { others: 1.02, stolen: 0.11 }.describe().unwrap();
        assert!(text.contains("1.0 processors") && text.contains("11%"), "{text}");
    }
}
