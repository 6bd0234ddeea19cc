//! The better direction of a metric by the words in its name, for files that state none. Documented in docs/formats.md.

use crate::model::Direction;

/// Times and failures. They come first: a rate of errors is a rate, but lower is better.
const TIMES_AND_FAILURES: &[&str] = &[
    "time",
    "latency",
    "duration",
    "elapsed",
    "delay",
    "wait",
    "pause",
    "miss",
    "misses",
    "missed",
    "error",
    "errors",
    "fail",
    "fails",
    "failed",
    "failure",
    "failures",
    "drop",
    "drops",
    "dropped",
    "evict",
    "evicted",
    "evictions",
    "timeout",
    "timeouts",
    "retry",
    "retries",
    "rejected",
    "lost",
    "loss",
    "missrate",
];
/// Rates and qualities.
const HIGHER: &[&str] = &[
    "ops",
    "flops",
    "qps",
    "tps",
    "rps",
    "iops",
    "fps",
    "ips",
    "mips",
    "ipc",
    "hz",
    "throughput",
    "goodput",
    "bandwidth",
    "rate",
    "hitrate",
    "hit",
    "hits",
    "recall",
    "precision",
    "success",
    "successes",
    "accuracy",
    "speedup",
];
/// Amounts of what a benchmark consumes.
const LOWER: &[&str] = &[
    "ns",
    "us",
    "ms",
    "bytes",
    "memory",
    "mem",
    "rss",
    "heap",
    "alloc",
    "allocs",
    "allocations",
    "allocated",
    "cycles",
    "instructions",
    "faults",
    "queries",
    "joules",
    "energy",
];
/// Things that are counted per second where a name ends in `_sec` (`Mitems_sec`); `cpu_sec` is a time.
const COUNTED: &[&str] =
    &["items", "bytes", "ops", "rows", "requests", "queries", "events", "messages", "elements", "records"];

/// Words for what remains. More of it is better, although for its unit (bytes, time) less usually is.
const REMAINING: &[&str] =
    &["free", "available", "saved", "savings", "headroom", "remaining", "unused", "spare", "uptime"];

/// What can remain. Next to another word, `free` and `saved` are something else: `malloc_free`, `lock-free queue`, `saved graph`.
const SUPPLIES: &[&str] =
    &["memory", "mem", "ram", "swap", "heap", "disk", "space", "storage", "bytes", "capacity", "quota", "budget"];

/// Whether a name is that of what remains, such as `free memory` or `headroom`.
pub(super) fn is_remaining(name: &str) -> bool {
    let words = words(name);
    let any = |list: &[&str]| words.iter().any(|word| is_in(list, word));
    any(REMAINING) && (any(SUPPLIES) || words.len() == 1)
}

/// The better direction, if the words of the name determine it.
pub(super) fn direction_of_words(name: &str) -> Option<Direction> {
    let words = words(name);
    let any = |list: &[&str]| words.iter().any(|word| is_in(list, word));
    if any(TIMES_AND_FAILURES) {
        return Some(Direction::Lower);
    }
    if is_per_second(name, &words) || any(HIGHER) {
        return Some(Direction::Higher);
    }
    (any(LOWER) && !any(REMAINING)).then_some(Direction::Lower)
}

/// Whether a word is in the list, with or without a prefix `k`, `m`, `g` or `t` (`Mops`, `GFLOPS`).
fn is_in(list: &[&str], word: &str) -> bool {
    let bare = word.strip_prefix(['k', 'm', 'g', 't']).unwrap_or(word);
    list.contains(&word) || bare.len() > 2 && list.contains(&bare)
}

fn is_per_second(name: &str, words: &[String]) -> bool {
    let seconds = |word: &str| matches!(word, "s" | "sec" | "second" | "seconds");
    let after_per = words.windows(2).any(|pair| pair[0] == "per" && seconds(&pair[1]));
    let after_slash = name.rsplit_once('/').is_some_and(|(_, end)| seconds(&end.to_ascii_lowercase()));
    let ends = words.last().is_some_and(|last| seconds(last)) && words.iter().any(|word| is_in(COUNTED, word));
    after_per || after_slash || ends
}

/// The words of a name in lower case: parts between other characters, and parts that begin with a capital (`cacheHits`).
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (after_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_and_failures_come_before_rates() {
        let higher = [
            "FLOPS",
            "GFlops",
            "QPS",
            "ops per second",
            "FOM: cycle ops per second",
            "IPC",
            "speedup",
            "bandwidth",
            "Mitems_sec",
            "tps",
            "Mops",
            "hit%",
            "recall",
            "flops/cycle",
            "bytes_per_second",
            "widgets/s",
            "cacheHits",
            "hit_rate",
        ];
        for name in higher {
            assert_eq!(direction_of_words(name), Some(Direction::Higher), "{name}");
        }
        let lower = [
            "misses",
            "miss_rate",
            "errors/s",
            "cpu_time",
            "time_sec",
            "p99-latency",
            "heapBytes",
            "cycles",
            "hit_latency",
        ];
        for name in lower {
            assert_eq!(direction_of_words(name), Some(Direction::Lower), "{name}");
        }
        for name in [
            "free_memory",
            "bytesSaved",
            "heap headroom",
            "score",
            "depth",
            "items",
            "whit",
            "stops",
            "cpu_sec",
            "",
            "%",
            "é",
        ] {
            assert_eq!(direction_of_words(name), None, "{name}");
        }
    }
}
