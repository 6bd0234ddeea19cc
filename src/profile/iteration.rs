//! What criterion's benchmarks cost, from a file of callgrind: the instructions of the function that runs the benchmark's body,
//! and of what it calls. Everything else of the process is left out: criterion itself, and the benchmark's set-up outside of the
//! body, which vary by thousands of instructions from run to run.

use super::names::qualified;
use std::collections::HashMap;

/// The functions of criterion that run the body. The others of its `iter_…` functions call one of them. None is inlined.
const LOOPS: [&str; 4] = ["iter", "iter_custom", "iter_batched", "iter_batched_ref"];

/// The instructions of one thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadCounts {
    /// Of the benchmark's body, without reading the clock; `None` if criterion runs none in this thread.
    pub body: Option<u64>,
    /// Of the whole thread.
    pub total: u64,
}

/// A function by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Runs the body.
    Loop,
    /// Reads the clock or computes with times.
    Clock,
    Other,
}

impl Role {
    fn of(name: &str) -> Role {
        if !name.contains("bencher") && !name.contains("time") {
            return Role::Other; // demangling takes much longer
        }
        let name = qualified(name).replace(['<', '>'], "");
        let mut parts = name.rsplit("::");
        let (last, kind, module) = (parts.next(), parts.next(), parts.next());
        let is_loop = last.is_some_and(|last| LOOPS.contains(&last))
            && matches!(kind, Some("Bencher" | "AsyncBencher"))
            && module == Some("bencher");
        let is_clock = (name.starts_with("std::") || name.starts_with("core::")) && name.contains("::time::");
        match (is_loop, is_clock) {
            (true, _) => Role::Loop,
            (_, true) => Role::Clock,
            _ => Role::Other,
        }
    }
}

/// Reads the file of one thread, written with `--demangle=no`; `None` where it is not such a file.
pub fn thread_counts(text: &str) -> Option<ThreadCounts> {
    let mut roles: HashMap<&str, Role> = HashMap::new();
    let (mut function, mut callee) = (Role::Other, Role::Other);
    let (mut body, mut total, mut is_call) = (None, None, false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = role(&mut roles, name);
            if function == Role::Loop {
                body.get_or_insert(0);
            }
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = role(&mut roles, name);
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if let Some(count) = line.strip_prefix("summary:") {
            total = Some(total.unwrap_or(0) + count.trim().parse::<u64>().ok()?);
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let is_clock = std::mem::take(&mut is_call) && callee == Role::Clock;
            if function == Role::Loop && !is_clock {
                let cost = line.split_ascii_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok());
                body = body.map(|body: u64| body + cost.unwrap_or(0)); // a zero is left out
            }
        }
    }
    Some(ThreadCounts { body, total: total? })
}

/// `(3) name` defines a name, `(3)` refers to it.
fn role<'t>(roles: &mut HashMap<&'t str, Role>, text: &'t str) -> Role {
    match text.split_once(' ') {
        Some((number, name)) => {
            let role = Role::of(name);
            roles.insert(number, role);
            role
        }
        None => roles.get(text).copied().unwrap_or(Role::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_counts_with_its_calls_and_without_the_clock() {
        // Shortened output of callgrind 3.19 for a benchmark of httparse 1.10.1 with criterion 0.3.
        let text = "# callgrind format\npositions: line\nevents: Ir\nsummary: 2832117\n\nfn=(1622) main\n0 22\n\
            cfn=(1624) _ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h22e55b9e7710e9efE\ncalls=1 0 \n0 273\n0 29\n\n\
            fn=(1624)\n0 13\ncfn=(1626) _RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys3pal4unix4timeNtB2_8Timespec3now\ncalls=1 0 \n\
            0 26\n+4 4\ncfn=(1700) _ZN8httparse5parse17h22e55b9e7710e9efE\ncalls=1 0 \n* 100\n0 15\n\nfn=(1700)\n0 100\n\n\
            totals: 2832117\n";
        assert_eq!(thread_counts(text), Some(ThreadCounts { body: Some(13 + 4 + 100 + 15), total: 2_832_117 }));
        let other = "events: Ir\nsummary: 7\n\nfn=(1) std::time::Instant::now\n0 7\n";
        assert_eq!(thread_counts(other), Some(ThreadCounts { body: None, total: 7 }));
        assert_eq!(thread_counts("no profile"), None);
    }

    #[test]
    fn the_loops_of_criterion_are_recognised() {
        for name in [
            "_ZN9criterion7bencher16Bencher$LT$M$GT$16iter_batched_ref17h503bcbf67038a79bE",
            "_ZN9criterion7bencher25AsyncBencher$LT$A$C$M$GT$4iter17h503bcbf67038a79bE",
            // `<criterion::bencher::Bencher<u8>>::iter::<u16>` with the names that compilers write since 2025
            "_RINvMCs1234_9criterionNtNtC9criterion7bencher7Bencher4itertE",
        ] {
            assert_eq!(Role::of(name), Role::Loop, "{name} is {}", qualified(name));
        }
        for name in [
            "_ZN9criterion7bencher16Bencher$LT$M$GT$4iter28_$u7b$$u7b$closure$u7d$$u7d$17h22e55b9e7710e9efE",
            "_ZN9criterion7bencher16Bencher$LT$M$GT$15iter_with_setup17h503bcbf67038a79bE",
            "_ZN4mine4time7Instant3now17h503bcbf67038a79bE",
            "main",
        ] {
            assert_eq!(Role::of(name), Role::Other, "{name} is {}", qualified(name));
        }
        for name in [
            "_ZN3std4time7Instant3now17h503bcbf67038a79bE",
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys3pal4unix4timeNtB2_8Timespec12sub_timespec",
        ] {
            assert_eq!(Role::of(name), Role::Clock, "{name} is {}", qualified(name));
        }
    }
}
