//! Reading and comparing synthetic criterion trees, encoding and decoding stored runs: `cargo bench --bench compare`.
#![allow(missing_docs)] // criterion's macros

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use perfgate::compare::compare;
use perfgate::io::input::{self, Location, Request};
use perfgate::model::{Detail, Run, record};
use perfgate::stats::suite_test::TestRules;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A synthetic tree of `count` benchmarks of 100 samples, in baselines `base` and `new`.
fn write_tree(root: &Path, count: usize) -> Result<()> {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let iters: Vec<String> = (1..=100).map(|i| format!("{}.0", i * 50)).collect();
    for index in 0..count {
        let name = format!("group_{:04}/bench_{:02}", index / 20, index % 20);
        let level = 10_f64.powf(1.0 + 5.0 * uniform());
        for baseline in ["base", "new"] {
            let directory = root.join(&name).join(baseline);
            fs::create_dir_all(&directory)?;
            let times: Vec<String> =
                (1..=100).map(|i| format!("{:.0}.0", level * f64::from(i) * 50.0 * (1.0 + 0.03 * uniform()))).collect();
            let identity = format!(r#"{{"group_id":"{name}","full_id":"{name}","throughput":null}}"#);
            fs::write(directory.join("benchmark.json"), identity)?;
            let sample =
                format!(r#"{{"sampling_mode":"Linear","iters":[{}],"times":[{}]}}"#, iters.join(","), times.join(","));
            fs::write(directory.join("sample.json"), sample)?;
        }
    }
    Ok(())
}

fn read(root: &Path, baseline: &str, detail: Detail) -> Result<Run> {
    let location = Location::Directory { path: root.to_owned(), baseline: baseline.to_owned() };
    Ok(input::load(&location, Request { format: None, detail, committed: None })?.run)
}

fn benchmarks(criterion: &mut Criterion) -> Result<()> {
    for count in [100, 1_000, 10_000] {
        let directory = tempfile::tempdir()?;
        write_tree(directory.path(), count)?;
        let mut group = criterion.benchmark_group("compare");
        group.sample_size(10).throughput(Throughput::Elements(count as u64));

        group.bench_function(BenchmarkId::new("read", count), |b| {
            b.iter(|| read(directory.path(), "new", Detail::Digests).map(black_box).map_err(|e| e.to_string()));
        });
        let [base, head] =
            [read(directory.path(), "base", Detail::Digests)?, read(directory.path(), "new", Detail::Digests)?];
        let rules = TestRules::at_different_times(0.05, 0.2);
        group.bench_function(BenchmarkId::new("judge", count), |b| {
            b.iter(|| {
                black_box(compare(std::slice::from_ref(&base), std::slice::from_ref(&head), rules, |_: &str| None))
            });
        });
        let samples = read(directory.path(), "new", Detail::Samples)?;
        group.bench_function(BenchmarkId::new("encode", count), |b| {
            b.iter(|| record::encode(&samples).map(black_box).map_err(|e| e.to_string()));
        });
        let bytes = record::encode(&samples)?;
        group.bench_function(BenchmarkId::new("decode", count), |b| {
            b.iter(|| record::decode(&bytes, Detail::Digests).map(black_box).map_err(|e| e.to_string()));
        });
        group.finish();
    }
    Ok(())
}

fn all(criterion: &mut Criterion) {
    if let Err(error) = benchmarks(criterion) {
        eprintln!("cannot prepare the benchmarks: {error}");
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
