//! Change points of synthetic series with steps, noise and outliers: 200 of 500 points, and one of 10,000.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use perfgate::stats::changepoint::segmentation;
use std::hint::black_box;

/// A level with regular steps, 2% noise, one outlier in fifty points.
fn series(points: usize, every: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut level = 7.0;
    let mut values = Vec::with_capacity(points);
    for i in 0..points {
        if i % every == every - 1 {
            level += 0.6 * uniform() - 0.3;
        }
        let noise = 0.035 * (uniform() + uniform() + uniform() + uniform() - 2.0);
        let odd = if uniform() < 0.02 { 0.15 + 0.3 * uniform() } else { 0.0 };
        values.push(level + noise + odd);
    }
    values
}

fn change_points(criterion: &mut Criterion) {
    let many: Vec<Vec<f64>> = (0..200).map(|seed| series(500, 170, seed)).collect();
    let long = series(10_000, 500, 1);
    let mut group = criterion.benchmark_group("change points");
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("200 x 500", |bencher| {
        bencher.iter(|| many.iter().map(|values| segmentation(black_box(values), 0.02).changes.len()).sum::<usize>());
    });
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("1 x 10,000", |bencher| bencher.iter(|| segmentation(black_box(&long), 0.02).changes.len()));
    group.finish();
}

criterion_group!(benches, change_points);
criterion_main!(benches);
