//! Thirty benchmarks of parsing, sorting, hashing, text, memory, files and threads. The environment variable SLOW
//! (`name=factor,…`) makes the named benchmarks run their work that many times as often in each measured iteration.

use criterion::{Criterion, criterion_group, criterion_main};
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// The factor of a benchmark in SLOW, or 1.
fn slowdown(name: &str) -> f64 {
    let slow = std::env::var("SLOW").unwrap_or_default();
    let entry = slow.split(',').filter_map(|entry| entry.split_once('=')).find(|(named, _)| *named == name);
    entry.map_or(1.0, |(_, factor)| factor.trim().parse().expect("a factor in SLOW is a number"))
}

/// Calls `measure` with the number of repetitions for each number of iterations that criterion asks for. More items instead of
/// more repetitions would not take `factor` times as long: caches and tables grow in steps.
fn bench_repeated(c: &mut Criterion, name: &str, mut measure: impl FnMut(u64) -> Duration) {
    let factor = slowdown(name);
    // The fraction of a repetition that is carried over, so that the factor is exact over several samples of one
    // iteration.
    let mut rest = 0.0;
    c.bench_function(name, |b| {
        b.iter_custom(|iterations| {
            let due = iterations as f64 * factor + rest;
            rest = due.fract();
            measure(due as u64)
        });
    });
}

/// Numbers that look random and are the same in every run.
fn numbers(count: usize) -> Vec<u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn words(count: usize) -> Vec<String> {
    numbers(count).iter().map(|n| format!("{:x}", n >> (n % 40))).collect()
}

/// Measures `work` over `count` items that `input` makes once.
fn bench<I, O>(c: &mut Criterion, name: &str, count: usize, input: impl Fn(usize) -> I, work: impl Fn(&I) -> O) {
    let data = input(count);
    bench_repeated(c, name, |repetitions| {
        let start = Instant::now();
        for _ in 0..repetitions {
            black_box(work(black_box(&data)));
        }
        start.elapsed()
    });
}

/// The same, where the work changes its input. Copying the input is not measured.
fn bench_owned<I: Clone, O>(
    c: &mut Criterion,
    name: &str,
    count: usize,
    input: impl Fn(usize) -> I,
    work: impl Fn(I) -> O,
) {
    let data = input(count);
    bench_repeated(c, name, |repetitions| {
        let mut elapsed = Duration::ZERO;
        for _ in 0..repetitions {
            let copy = data.clone();
            let start = Instant::now();
            black_box(work(black_box(copy)));
            elapsed += start.elapsed();
        }
        elapsed
    });
}

fn parsing(c: &mut Criterion) {
    let decimal = |n| numbers(n).iter().map(u64::to_string).collect::<Vec<_>>();
    bench(c, "parse_integers", 2000, decimal, |t| {
        t.iter().map(|t| t.parse::<u64>().unwrap_or(0)).fold(0, u64::wrapping_add)
    });
    let floats = |n| numbers(n).iter().map(|n| format!("{:.6}", *n as f64 / 1e12)).collect::<Vec<_>>();
    bench(c, "parse_floats", 1000, floats, |t| t.iter().map(|t| t.parse::<f64>().unwrap_or(0.0)).sum::<f64>());
    let line = |n| words(n).join(",");
    bench(c, "split_fields", 2000, line, |t| t.split(',').map(str::len).sum::<usize>());
    let pairs = |n| words(n).iter().map(|w| format!("{w}={w};")).collect::<String>();
    bench(c, "parse_pairs", 1000, pairs, |t| t.split(';').filter_map(|p| p.split_once('=')).count());
    bench(c, "count_digits", 3000, line, |t| t.bytes().filter(u8::is_ascii_digit).count());
}

fn sorting(c: &mut Criterion) {
    bench_owned(c, "sort_integers", 2000, numbers, |mut n| {
        n.sort();
        n
    });
    bench_owned(c, "sort_unstable", 2000, numbers, |mut n| {
        n.sort_unstable();
        n
    });
    bench_owned(c, "sort_words", 500, words, |mut w| {
        w.sort();
        w
    });
    bench(c, "heap", 1000, numbers, |n| n.iter().copied().collect::<BinaryHeap<_>>().into_sorted_vec());
    let sorted = |n| {
        let mut n = numbers(n);
        n.sort_unstable();
        n
    };
    bench(c, "binary_search", 2000, sorted, |n| n.iter().filter(|x| n.binary_search(x).is_ok()).count());
}

fn hashing(c: &mut Criterion) {
    bench(c, "hash_words", 1000, words, |w| {
        w.iter()
            .map(|w| {
                let mut h = DefaultHasher::new();
                w.hash(&mut h);
                h.finish()
            })
            .fold(0, u64::wrapping_add)
    });
    bench(c, "map_insert", 1000, numbers, |n| n.iter().map(|n| (*n, *n)).collect::<HashMap<_, _>>());
    bench(c, "tree_insert", 1000, numbers, |n| n.iter().map(|n| (*n, *n)).collect::<BTreeMap<_, _>>());
    bench(c, "count_words", 1000, words, |w| {
        let mut counts = HashMap::with_capacity(w.len());
        w.iter().for_each(|w| *counts.entry(w.as_str()).or_insert(0u32) += 1);
        counts.len()
    });
    let set = |n: usize| (numbers(n).into_iter().collect::<HashSet<_>>(), numbers(n));
    bench(c, "set_lookup", 1000, set, |(set, n)| n.iter().filter(|n| set.contains(n)).count());
    bench(
        c,
        "checksum",
        16_384,
        |n| vec![7u8; n],
        |b| b.iter().fold(0u32, |sum, b| sum.rotate_left(5) ^ u32::from(*b)),
    );
}

fn text(c: &mut Criterion) {
    bench(c, "join_words", 2000, words, |w| w.join(" "));
    bench(c, "format_numbers", 1000, numbers, |n| n.iter().map(|n| format!("{n:>20}")).map(|t| t.len()).sum::<usize>());
    bench(c, "upper_case", 2000, |n| words(n).join(" "), |t| t.to_uppercase());
    bench(c, "reverse_chars", 1000, |n| words(n).join(" "), |t| t.chars().rev().collect::<String>());
    bench(c, "replace", 1000, |n| words(n).join(" "), |t| t.replace("a", "bc"));
}

fn memory(c: &mut Criterion) {
    bench(c, "copy_small", 4096, |n| vec![1u64; n], |v| v.clone());
    bench(c, "copy_large", 500_000, |n| vec![1u64; n], |v| v.clone());
    bench(c, "allocate", 500, |n| n, |n| (0..*n).map(|i| Box::new([i; 8])).collect::<Vec<_>>());
    bench(c, "queue", 2000, numbers, |n| {
        let mut q: VecDeque<u64> = n.iter().copied().collect();
        q.rotate_left(7);
        q.len()
    });
    bench(
        c,
        "matrix",
        48,
        |n| vec![vec![1.5f64; 48]; n],
        |rows| {
            let product = |row: &Vec<f64>| {
                (0..48).map(|_| row.iter().zip(black_box(&rows[0])).map(|(a, b)| a * b).sum::<f64>()).sum::<f64>()
            };
            rows.iter().map(product).sum::<f64>()
        },
    );
    bench(
        c,
        "pointer_chase",
        20_000,
        |n| {
            let mut next: Vec<usize> = (1..=n).collect();
            next[n - 1] = 0;
            next
        },
        |next| (0..next.len()).fold(0, |at, _| next[at]),
    );
}

fn system(c: &mut Criterion) {
    let path = std::env::temp_dir().join(format!("suite-{}", std::process::id()));
    let data = |n| vec![3u8; n];
    bench(c, "write_file", 262_144, data, |d| std::fs::File::create(&path).and_then(|mut f| f.write_all(d)).is_ok());
    bench(
        c,
        "read_file",
        262_144,
        |n| std::fs::write(&path, vec![3u8; n]),
        |_| {
            let mut read = Vec::new();
            std::fs::File::open(&path).and_then(|mut f| f.read_to_end(&mut read)).unwrap_or(0)
        },
    );
    let _ = std::fs::remove_file(&path);
    bench(
        c,
        "two_threads",
        1_000_000,
        |n| vec![1u64; n],
        |v| {
            let (left, right) = v.split_at(v.len() / 2);
            let sum = |part: &[u64]| part.iter().fold(0u64, |sum, x| sum.rotate_left(3) ^ x);
            std::thread::scope(|s| {
                let other = s.spawn(move || sum(right));
                sum(left) ^ other.join().unwrap_or(0)
            })
        },
    );
}

criterion_group!(benches, parsing, sorting, hashing, text, memory, system);
criterion_main!(benches);
