//! What criterion's benchmarks cost, from the files of callgrind: what a thread executes while one of criterion's `iter` functions
//! runs the benchmark's body. Everything else of the process is left out: criterion itself, and the benchmark's set-up outside of
//! `iter`, which vary by thousands of instructions from run to run.

use super::names::qualified;
use super::{FormatError, InlineFrames, Profile, ProfileError, callgrind};
use std::collections::BTreeSet;

/// The functions of criterion that run the body. The others of its `iter_…` functions call one of them. None is inlined.
const LOOPS: [&str; 4] = ["iter", "iter_custom", "iter_batched", "iter_batched_ref"];
/// Callgrind's number of the main thread.
const MAIN: u32 = 1;
/// The header line of a dump that callgrind wrote when a function returned.
const AFTER: &str = "desc: Trigger: --dump-after=";
/// Longer strings in a program are not names of functions.
const MAX_NAME_BYTES: usize = 1 << 14;

/// A function by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs the body.
    Loop,
    /// Reads the clock or computes with times.
    Clock,
    Other,
}

impl Role {
    /// The role of a function with this mangled name.
    pub(super) fn of(name: &str) -> Role {
        if name.contains("bencher") && is_loop(name) {
            return Role::Loop;
        }
        if !name.contains("time") {
            return Role::Other; // demangling takes much longer
        }
        let name = plain(name);
        let is_clock = (name.starts_with("std::") || name.starts_with("core::")) && name.contains("::time::");
        if is_clock { Role::Clock } else { Role::Other }
    }
}

fn plain(name: &str) -> String {
    qualified(name).replace(['<', '>'], "")
}

fn is_loop(name: &str) -> bool {
    let name = plain(name);
    let mut parts = name.rsplit("::");
    let (last, kind, module) = (parts.next(), parts.next(), parts.next());
    last.is_some_and(|last| LOOPS.contains(&last))
        && matches!(kind, Some("Bencher" | "AsyncBencher"))
        && module == Some("bencher")
}

/// The mangled names of criterion's `iter` functions in a program: one for each type of body. None if it has no symbols.
pub fn loop_names(program: &[u8]) -> BTreeSet<String> {
    let is_name = |text: &&[u8]| text.len() < MAX_NAME_BYTES && (text.starts_with(b"_ZN") || text.starts_with(b"_R"));
    let names = program.split(|byte| *byte == 0).filter(is_name).filter_map(|text| std::str::from_utf8(text).ok());
    names.filter(|name| name.contains("bencher") && is_loop(name)).map(str::to_owned).collect()
}

/// A file that callgrind wrote for a thread, with `--separate-threads=yes`.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    thread: u32,
    /// True for what the thread executed in a function of [`LOOPS`].
    is_loop: bool,
}

impl Part {
    fn of(text: &str) -> Part {
        let mut part = Part { thread: MAIN, is_loop: false };
        for line in text.lines().take_while(|line| !line.starts_with("fn=")) {
            part.is_loop |= line.starts_with(AFTER);
            if let Some(number) = line.strip_prefix("thread:").and_then(|number| number.trim().parse().ok()) {
                part.thread = number;
            }
        }
        part
    }
}

/// Reads the cost of the benchmark's body from the files of one process, given by name and text. It includes `iter` and what it
/// calls, without reading the clock. Threads that do not run `iter` are included because they work for it, except for the main
/// thread. `None` if no thread runs `iter`.
pub fn read_iterations(
    files: &[(String, String)],
    frames: &mut dyn InlineFrames,
) -> Result<Option<Profile>, ProfileError> {
    let parts: Vec<Part> = files.iter().map(|(_, text)| Part::of(text)).collect();
    let looping: BTreeSet<u32> = parts.iter().filter(|part| part.is_loop).map(|part| part.thread).collect();
    if looping.is_empty() {
        return Ok(None);
    }
    let mut sum: Option<Profile> = None;
    for ((place, text), part) in files.iter().zip(&parts) {
        // The main thread never works for another thread.
        if !part.is_loop && (part.thread == MAIN || looping.contains(&part.thread)) {
            continue;
        }
        let read = callgrind::read_iteration(text.as_bytes(), frames);
        let profile = read.map_err(|error: FormatError| error.in_file(place, "callgrind"))?;
        match &mut sum {
            Some(sum) => sum.add(profile),
            None => sum = Some(profile),
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::super::NoInlineFrames;
    use super::*;

    const ITER: &str = "_ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h22e55b9e7710e9efE";

    #[test]
    fn the_loops_of_criterion_are_recognized() {
        for name in [
            "_ZN9criterion7bencher16Bencher$LT$M$GT$16iter_batched_ref17h503bcbf67038a79bE",
            "_ZN9criterion7bencher25AsyncBencher$LT$A$C$M$GT$4iter17h503bcbf67038a79bE",
            // `<criterion::bencher::Bencher<u8>>::iter::<u16>` with the names that compilers write since 2025
            "_RINvMCs1234_9criterionNtNtC9criterion7bencher7Bencher4itertE",
        ] {
            assert_eq!(Role::of(name), Role::Loop, "{name} is {}", qualified(name));
            let program = format!("\0{name}\0main\0{name}\0");
            assert_eq!(loop_names(program.as_bytes()), [name.to_owned()].into());
        }
        for name in [
            "_ZN9criterion7bencher16Bencher$LT$M$GT$4iter28_$u7b$$u7b$closure$u7d$$u7d$17h22e55b9e7710e9efE",
            "_ZN9criterion7bencher16Bencher$LT$M$GT$15iter_with_setup17h503bcbf67038a79bE",
            "_ZN4mine4time7Instant3now17h503bcbf67038a79bE",
            "main",
        ] {
            assert_eq!(Role::of(name), Role::Other, "{name} is {}", qualified(name));
            assert!(loop_names(name.as_bytes()).is_empty());
        }
        for name in [
            "_ZN3std4time7Instant3now17h503bcbf67038a79bE",
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys3pal4unix4timeNtB2_8Timespec12sub_timespec",
        ] {
            assert_eq!(Role::of(name), Role::Clock, "{name} is {}", qualified(name));
        }
    }

    /// A file of callgrind 3.19 for a benchmark of httparse 1.10.1 with criterion 0.3, shortened.
    fn part(thread: u32, trigger: &str, costs: &str) -> (String, String) {
        let header = format!("# callgrind format\npart: 1\nthread: {thread}\n\ndesc: Trigger: {trigger}\n\n");
        (format!("counts.{thread}"), format!("{header}positions: line\nevents: Ir\nsummary: 1\n\n{costs}"))
    }

    fn files() -> [(String, String); 3] {
        let iter = format!(
            "ob=(3) /w/bench\nfn=(1624) {ITER}\n0 13\n\
            cfn=(1626) _RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys3pal4unix4timeNtB2_8Timespec3now\ncalls=1 0 \n0 26\n+4 4\n\
            cfn=(1700) _ZN8httparse5parse17h22e55b9e7710e9efE\ncalls=1 0 \n* 100\n0 15\n\nfn=(1626)\n0 20\n\
            cob=(2) /usr/lib/libc.so.6\ncfn=(9) clock_gettime\ncalls=1 0\n0 6\n\nob=(2)\nfn=(9)\n0 6\n\nob=(3)\nfn=(1700)\n0 100\n"
        );
        [
            part(1, "Program termination", "fn=(1622) main\n0 22\n"),
            part(1, &format!("--dump-after={ITER}"), &iter),
            part(2, "Program termination", "fn=(1) worker\n0 7\n"),
        ]
    }

    fn total(files: &[(String, String)]) -> Option<f64> {
        read_iterations(files, &mut NoInlineFrames).unwrap().map(|profile| profile.total)
    }

    #[test]
    fn the_body_counts_with_its_calls_and_threads_and_without_the_clock() {
        let profile = read_iterations(&files(), &mut NoInlineFrames).unwrap().unwrap();
        assert_eq!(profile.total, f64::from(13 + 4 + 15 + 100 + 7));
        let charged = |name: &str| profile.functions[name].charged;
        assert_eq!((charged("httparse::parse"), charged("worker")), (100.0, 7.0));
        assert_eq!(charged("criterion::bencher::Bencher::iter"), 32.0, "{profile:?}");
        let sum: f64 = profile.functions.values().map(|function| function.charged).sum();
        assert_eq!((sum, profile.calls.total()), (profile.total, profile.total), "{profile:?}");
        assert!(!profile.functions.contains_key("main") && !profile.calls.callees.contains_key("(left out)"));
    }

    #[test]
    fn without_an_iteration_nothing_is_counted() {
        let [main, _, worker] = files();
        assert_eq!(total(&[main, worker]), None);
        assert_eq!(total(&[]), None);
        let broken = part(1, "--dump-after=x", "fn=f\n1 x\n");
        let error = read_iterations(&[broken], &mut NoInlineFrames).unwrap_err().to_string();
        assert!(error.starts_with("counts.1:12: not a valid callgrind profile"), "{error}");
    }

    #[test]
    fn a_thread_that_waits_for_the_one_that_iterates_does_not_count() {
        let [main, (_, iteration), worker] = files();
        let iteration = ("counts.2".to_owned(), iteration.replace("thread: 1", "thread: 2"));
        assert_eq!(total(&[main, iteration, worker]), Some(132.0));
    }
}
