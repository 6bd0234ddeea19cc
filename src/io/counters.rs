//! Counts instructions and processor cycles of a command and its children. This needs Linux, a processor with accessible
//! counters (many virtual machines have none), and `perf_event_paranoid` at 2 or less; otherwise there are no counts. Time
//! in the kernel is not counted.

/// Counts; `None` for events that were not counted, or only for part of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HardwareCounts {
    /// Instructions.
    pub instructions: Option<u64>,
    /// Processor cycles.
    pub cycles: Option<u64>,
}

/// Open counters of a thread: they count the commands that it starts, from their exec to their end.
#[derive(Debug, Default)]
pub struct Counters {
    #[cfg(target_os = "linux")]
    open: [Option<perf_event::Counter>; 2],
}

#[cfg(target_os = "linux")]
impl Counters {
    /// Opens counters for the commands that this thread starts.
    pub fn open() -> Counters {
        use perf_event::events::Hardware;
        Counters { open: [Hardware::INSTRUCTIONS, Hardware::CPU_CYCLES].map(counter) }
    }

    /// The counts of the commands that have ended.
    pub fn read(mut self) -> HardwareCounts {
        let [instructions, cycles] = self.open.each_mut().map(|counter| counter.as_mut().and_then(whole));
        HardwareCounts { instructions, cycles }
    }
}

/// A counter that is inherited by child processes and starts to count at exec.
#[cfg(target_os = "linux")]
fn counter(event: impl perf_event::events::Event) -> Option<perf_event::Counter> {
    perf_event::Builder::new(event).inherit(true).enable_on_exec(true).build().ok()
}

/// The count, unless the counter was multiplexed with another: then it is only an estimate.
#[cfg(target_os = "linux")]
fn whole(counter: &mut perf_event::Counter) -> Option<u64> {
    let data = counter.read_full().ok()?;
    (data.count() > 0 && data.time_running() == data.time_enabled()).then(|| data.count())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use perf_event::events::Software;

    /// A kernel clock replaces the processor's counters, which may be unavailable in virtual machines.
    #[test]
    fn children_are_counted_and_the_parent_is_not() {
        let measured = |script: &str| {
            let mut clock = counter(Software::TASK_CLOCK)?;
            let spun = (0..3_000_000_u64).fold(0, |sum: u64, i| std::hint::black_box(sum ^ i)); // must not be counted
            std::hint::black_box(spun);
            assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
            whole(&mut clock)
        };
        let Some(little) = measured("true") else {
            eprintln!("skipped: this system does not allow counters");
            return;
        };
        let much = measured("sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'").unwrap();
        assert!(much > 3 * little, "{much} ns of a grandchild that spins, {little} ns of one that does nothing");
    }

    #[test]
    fn counters_without_a_command_have_no_counts() {
        assert_eq!(Counters::open().read(), HardwareCounts::default());
    }
}

#[cfg(not(target_os = "linux"))]
impl Counters {
    /// This system has no counters.
    pub fn open() -> Counters {
        Counters::default()
    }

    /// No counts.
    pub fn read(self) -> HardwareCounts {
        HardwareCounts::default()
    }
}
