//! `perfgate compare` on what the samples of a run show besides their fastest part. All results are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Scene};

/// A number from 0 to 1 that depends on its two arguments alone.
fn chance(seed: u32, index: u32) -> f64 {
    let mixed = (seed.wrapping_mul(0x9e37_79b9) ^ index.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35);
    f64::from((mixed ^ (mixed >> 15)) % 10_000) / 10_000.0
}

/// hyperfine's results of `commands` programs of 100 ms with 40 runs each. In the first, `share` of the runs take `factor`
/// times as long.
fn hyperfine(seed: u32, commands: u32, share: f64, factor: f64) -> String {
    let time = |command: u32, run: u32| {
        let slow = command == 0 && chance(seed + 77, run) < share;
        0.1 * (1.0 + 0.02 * chance(seed + command, run)) * if slow { factor } else { 1.0 }
    };
    let result = |command: u32| {
        let times: Vec<String> = (0..40).map(|run| time(command, run).to_string()).collect();
        format!(r#"{{"command":"c{command}","mean":0.1,"times":[{}]}}"#, times.join(","))
    };
    format!(r#"{{"results":[{}]}}"#, (0..commands).map(result).collect::<Vec<_>>().join(","))
}

fn compared(base: &str, head: &str, more: &[&str]) -> Answer {
    let scene = Scene::new();
    scene.write("base.json", base).write("head.json", head);
    scene.perfgate(&[&["compare", "base.json", "head.json"], more].concat())
}

#[test]
fn a_slow_path_that_two_in_five_runs_take_is_a_regression() {
    let answer = compared(&hyperfine(1, 1, 0.0, 1.0), &hyperfine(2, 1, 0.4, 3.0), &[]);
    answer.exits(1).says("✗ regressed").says("shown by the mean of the samples; their fastest part moved by +0.");
    let row = &compared(&hyperfine(1, 1, 0.0, 1.0), &hyperfine(2, 1, 0.4, 3.0), &["--format", "json"]).json()["benchmarks"]
        [0];
    assert!(row["change"].as_f64().unwrap() > 0.5 && row["interval"][0].as_f64().unwrap() > 0.0, "{row}");
    let back = compared(&hyperfine(2, 1, 0.4, 3.0), &hyperfine(1, 1, 0.0, 1.0), &[]);
    back.exits(0).says("improved");
}

#[test]
fn a_slow_path_that_the_runs_do_not_show_clearly_is_undecided_and_not_unchanged() {
    let answer = compared(&hyperfine(1, 1, 0.0, 1.0), &hyperfine(2, 1, 0.2, 3.0), &["--format", "json"]);
    assert_eq!(answer.exits(0).outcome("c0"), "inconclusive");
}

#[test]
fn one_slow_run_in_forty_changes_nothing() {
    let base = hyperfine(1, 12, 0.0, 1.0);
    let mut head = hyperfine(2, 12, 0.0, 1.0);
    head = head.replacen("\"times\":[0.1", "\"times\":[0.9", 1);
    assert_eq!(compared(&base, &head, &["--format", "json", "--all"]).exits(0).outcome("c0"), "unchanged");
}

#[test]
fn two_modes_on_both_sides_are_no_change() {
    let answer = compared(&hyperfine(1, 12, 0.4, 3.0), &hyperfine(2, 12, 0.4, 3.0), &["--format", "json", "--all"]);
    assert_ne!(answer.exits(0).outcome("c0"), "improved");
}
