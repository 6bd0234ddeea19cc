//! Makes a synthetic criterion tree: `cargo run --release --example make_tree -- DIR COUNT`.
//! COUNT benchmarks of 100 samples in baselines `base` and `new`; every tenth is slower in `new`, by 10% to 100%.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, count] = arguments.as_slice() else { return Err("usage: make_tree DIR COUNT".into()) };
    let root = Path::new(directory).join("criterion");
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for index in 0..count.parse::<usize>()? {
        let name = format!("group_{:04}/bench_{:02}", index / 20, index % 20);
        let level = 10_f64.powf(1.0 + 5.0 * uniform());
        let step = (5e9 / (level * 5050.0)).ceil();
        let slower = if index % 10 == 3 { [1.1, 1.25, 1.5, 2.0][index / 10 % 4] } else { 1.0 };
        for (baseline, factor) in [("base", 1.0), ("new", slower)] {
            let folder = root.join(&name).join(baseline);
            fs::create_dir_all(&folder)?;
            let mut noise = || 1.0 + 0.01 * (uniform() + uniform() + uniform() + uniform() - 2.0);
            let times: Vec<f64> = (1..=100).map(|i| (level * factor * step * f64::from(i) * noise()).round()).collect();
            let iters: Vec<f64> = (1..=100).map(|i| step * f64::from(i)).collect();
            let list = |values: &[f64]| values.iter().map(|x| format!("{x:.1}")).collect::<Vec<_>>().join(",");
            let sample =
                format!(r#"{{"sampling_mode":"Linear","iters":[{}],"times":[{}]}}"#, list(&iters), list(&times));
            fs::write(folder.join("sample.json"), sample)?;
            let identity = format!(
                r#"{{"group_id":"{name}","function_id":null,"value_str":null,"throughput":null,"full_id":"{name}","directory_name":"{name}","title":"{name}"}}"#
            );
            fs::write(folder.join("benchmark.json"), identity)?;
            let mean = times.iter().zip(&iters).map(|(t, i)| t / i).sum::<f64>() / 100.0;
            let estimate = |x: f64| {
                format!(
                    r#"{{"confidence_interval":{{"confidence_level":0.95,"lower_bound":{},"upper_bound":{}}},"point_estimate":{x},"standard_error":{}}}"#,
                    x * 0.999,
                    x * 1.001,
                    x * 0.0005
                )
            };
            let estimates = format!(
                r#"{{"mean":{0},"median":{0},"median_abs_dev":{1},"slope":{0},"std_dev":{1}}}"#,
                estimate(mean),
                estimate(mean / 100.0)
            );
            fs::write(folder.join("estimates.json"), estimates)?;
        }
    }
    Ok(())
}
