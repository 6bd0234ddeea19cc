//! Instructions and processor cycles of a command and of what it starts, where the system counts them for us (Linux, a
//! processor that shows its counters, and `perf_event_paranoid` at 2 or less). Where it does not, there are none: many
//! virtual machines hide them. Only the program's own work is counted, not the system's for it.

/// What was counted; `None` for what was not, or only for a part of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HardwareCounts {
    /// Instructions.
    pub instructions: Option<u64>,
    /// Processor cycles.
    pub cycles: Option<u64>,
}

/// Counters that a thread opened: they count what it starts from then on, from the start of the program to its end.
#[derive(Debug, Default)]
pub struct Counters {
    #[cfg(target_os = "linux")]
    open: [Option<perf_event::Counter>; 2],
}

#[cfg(target_os = "linux")]
impl Counters {
    /// Opens them for the commands that this very thread starts.
    pub fn open() -> Counters {
        use perf_event::events::Hardware;
        Counters { open: [Hardware::INSTRUCTIONS, Hardware::CPU_CYCLES].map(counter) }
    }

    /// What the commands that have ended were counted.
    pub fn read(mut self) -> HardwareCounts {
        let [instructions, cycles] = self.open.each_mut().map(|counter| counter.as_mut().and_then(whole));
        HardwareCounts { instructions, cycles }
    }
}

/// Not counting yet: it begins, in what inherits it, where that turns into another program.
#[cfg(target_os = "linux")]
fn counter(event: impl perf_event::events::Event) -> Option<perf_event::Counter> {
    perf_event::Builder::new(event).inherit(true).enable_on_exec(true).build().ok()
}

/// The count, unless it shared its place in the processor with another: then it is an estimate.
#[cfg(target_os = "linux")]
fn whole(counter: &mut perf_event::Counter) -> Option<u64> {
    let data = counter.read_full().ok()?;
    (data.count() > 0 && data.time_running() == data.time_enabled()).then(|| data.count())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use perf_event::events::Software;

    /// A clock of the kernel's stands for the processor's counters, which a virtual machine may hide.
    #[test]
    fn what_a_command_starts_is_counted_and_what_its_parent_does_is_not() {
        let measured = |script: &str| {
            let mut clock = counter(Software::TASK_CLOCK)?;
            let spun = (0..3_000_000_u64).fold(0, |sum: u64, i| std::hint::black_box(sum ^ i)); // ours: not counted
            std::hint::black_box(spun);
            assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
            whole(&mut clock)
        };
        let Some(little) = measured("true") else {
            eprintln!("skipped: this system lets nobody count");
            return;
        };
        let much = measured("sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'").unwrap();
        assert!(much > 3 * little, "{much} ns of a grandchild that spins, {little} ns of one that does nothing");
    }

    #[test]
    fn counters_that_nobody_started_anything_under_say_nothing() {
        assert_eq!(Counters::open().read(), HardwareCounts::default());
    }
}

#[cfg(not(target_os = "linux"))]
impl Counters {
    /// There are none on this system.
    pub fn open() -> Counters {
        Counters::default()
    }

    /// Nothing was counted.
    pub fn read(self) -> HardwareCounts {
        HardwareCounts::default()
    }
}
