//! Throughput of each JSON format, from detection to measurements, compared with serde_json on the same bytes.
//! `skipped` parses and drops all values (no parser can be faster); `structs` stores the numbers in plain structs.
//!
//! `cargo bench --bench formats -- --quick`
#![allow(clippy::panic, missing_docs)] // a benchmark that cannot read its file has nothing to measure

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use perfgate::formats::{Preview, Source, detect};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::fs;
use std::hint::black_box;
use std::path::Path;

/// The largest JSON file of each tool that writes JSON.
const FILES: [&str; 21] = [
    "asv/before.json",
    "autocannon/before.json",
    "bencher-bmf/before.json",
    "benchmark-ips/before.json",
    "benchmarkdotnet/before.json",
    "benchmarkjs/before.json",
    "github-action-benchmark/before.json",
    "google-benchmark/before.json",
    "gungraun/before/gg/suite/codec/parse_line/summary.json",
    "hyperfine/before.json",
    "iai-callgrind/before/iai/suite/codec/parse_line/summary.json",
    "jmh/before.json",
    "k6/before.json",
    "locust/before.json",
    "mitata/before.json",
    "perfgate-run/before.json",
    "pyperf/before.json",
    "pytest-benchmark/before.json",
    "siege/before.json",
    "tinybench/before.json",
    "vitest-bench/before.json",
];

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn readers(criterion: &mut Criterion) {
    for file in FILES {
        let bytes = read(file);
        let tool = file.split('/').next().unwrap_or(file);
        let mut group = criterion.benchmark_group(tool);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        perfgate(&mut group, &bytes);
        group.bench_function("skipped", |bencher| bencher.iter(|| skip(&bytes)));
        match tool {
            "google-benchmark" => structs::<GoogleBenchmark>(&mut group, &bytes),
            "hyperfine" => structs::<Hyperfine>(&mut group, &bytes),
            "pytest-benchmark" => structs::<PytestBenchmark>(&mut group, &bytes),
            _ => {}
        }
        group.finish();
    }
}

/// A large file, where the fixed costs per file do not matter.
fn large(criterion: &mut Criterion) {
    let times = |seed: u32| -> String {
        let time =
            |i: u32| format!("0.{:06}", 400_000 + (seed.wrapping_mul(7919) ^ i.wrapping_mul(2_654_435_761)) % 200_000);
        (0..1000).map(time).collect::<Vec<_>>().join(",")
    };
    let entry = |i: u32| format!(r#"{{"command":"bench {i}","mean":0.5,"stddev":0.01,"times":[{}]}}"#, times(i));
    let entries: Vec<String> = (0..400).map(entry).collect();
    let bytes = format!(r#"{{"results":[{}]}}"#, entries.join(",")).into_bytes();
    let mut group = criterion.benchmark_group("hyperfine-4MB");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    perfgate(&mut group, &bytes);
    group.bench_function("skipped", |bencher| bencher.iter(|| skip(&bytes)));
    structs::<Hyperfine>(&mut group, &bytes);
    group.finish();
}

/// The cost of detection with all formats.
fn sniffing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sniffing");
    for file in ["hyperfine/before.json", "tinybench/before.json", "go-bench/before.txt"] {
        let bytes = read(file);
        group.throughput(Throughput::Bytes(bytes.len().min(Preview::LENGTH) as u64));
        group.bench_function(file, |bencher| bencher.iter(|| detect(black_box(&bytes)).len()));
    }
    group.finish();
}

fn perfgate(group: &mut BenchmarkGroup<'_, WallTime>, bytes: &[u8]) {
    group.bench_function("perfgate", |bencher| {
        bencher.iter(|| {
            let formats = detect(black_box(bytes));
            let [format] = formats.as_slice() else { panic!("one format reads it") };
            format.parse(Source { name: "file", bytes })
        });
    });
}

fn skip(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(black_box(bytes)).is_ok()
}

fn structs<T: DeserializeOwned>(group: &mut BenchmarkGroup<'_, WallTime>, bytes: &[u8]) {
    group.bench_function("structs", |bencher| bencher.iter(|| serde_json::from_slice::<T>(black_box(bytes)).is_ok()));
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Hyperfine {
    results: Vec<HyperfineResult>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct HyperfineResult {
    command: String,
    mean: f64,
    times: Vec<f64>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PytestBenchmark {
    benchmarks: Vec<PytestResult>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PytestResult {
    fullname: String,
    stats: PytestStats,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PytestStats {
    data: Vec<f64>,
    mean: f64,
    stddev: f64,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct GoogleBenchmark {
    benchmarks: Vec<GoogleResult>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct GoogleResult {
    name: String,
    run_name: String,
    cpu_time: Option<f64>,
    real_time: Option<f64>,
    time_unit: Option<String>,
}

criterion_group!(benches, readers, large, sniffing);
criterion_main!(benches);
