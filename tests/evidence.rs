//! `perfgate compare` on samples of which not only the fastest part matters. All results are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
#[path = "evidence/counts.rs"]
mod counts;

use common::{Answer, Sandbox};

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
    let sandbox = Sandbox::new();
    sandbox.write("base.json", base).write("head.json", head);
    sandbox.perfgate(&[&["compare", "base.json", "head.json"], more].concat())
}

#[test]
fn a_slow_path_that_two_in_five_runs_take_is_a_regression() {
    let answer = compared(&hyperfine(1, 1, 0.0, 1.0), &hyperfine(2, 1, 0.4, 3.0), &[]);
    answer
        .exits(1)
        .prints("✗ regressed")
        .prints("in head, 45% of the samples take 3.0 times as long as the others; in base none; this row compares means; medians +")
        .prints("%, fastest samples +0.")
        .does_not_print("the medians changed by");
    // Faster code would not remove the slow runs.
    answer.prints(
        "Next: Find what makes 45% of head's samples take 3.0 times as long (a lock, a cache, a retry, another program), or accept it in \
         perfgate.toml",
    );
    let row = &compared(&hyperfine(1, 1, 0.0, 1.0), &hyperfine(2, 1, 0.4, 3.0), &["--format", "json"]).json()["benchmarks"]
        [0];
    assert!(row["change"].as_f64().unwrap() > 0.5 && row["interval"][0].as_f64().unwrap() > 0.0, "{row}");
    let back = compared(&hyperfine(2, 1, 0.4, 3.0), &hyperfine(1, 1, 0.0, 1.0), &[]);
    back.exits(0).prints("improved");
}

/// hyperfine's CSV of 12 commands. The first has this mean and standard deviation; all have a median of about 0.1 s.
fn hyperfine_csv(mean: f64, sd: f64) -> String {
    let row = |command: usize| {
        let median = 0.1 + 0.0001 * command as f64;
        let (mean, sd) = if command == 0 { (mean, sd) } else { (median, 0.002) };
        format!("c{command},{mean},{sd},{median},0.1,0.01,0.098,0.32\n")
    };
    format!("command,mean,stddev,median,user,system,min,max\n{}", (0..12).map(row).collect::<String>())
}

fn compared_csv(base: &str, head: &str, format: &str) -> Answer {
    let sandbox = Sandbox::new();
    sandbox.write("base.csv", base).write("head.csv", head);
    sandbox.perfgate(&["compare", "base.csv", "head.csv", "--format", format])
}

#[test]
fn a_mean_that_rises_alone_is_not_unchanged_where_the_samples_are_unknown() {
    // 40% of the runs take three times as long: a mean of 0.18 s with a standard deviation of 0.098 s.
    let (steady, slow) = (hyperfine_csv(0.1, 0.002), hyperfine_csv(0.18, 0.098));
    compared_csv(&steady, &slow, "table").prints("(suspected: c0 mean +80.0%)");
    let row = &compared_csv(&steady, &slow, "json").json()["benchmarks"][0];
    assert!((row["sample_mean_change"].as_f64().unwrap() - 0.8).abs() < 1e-3, "{row}");
    assert_eq!((&row["name"], &row["outcome"], &row["suspect"]), (&"c0".into(), &"inconclusive".into(), &true.into()));
    let note = row["notes"][0].as_str().unwrap();
    assert!(note.starts_with("slow samples change the mean by +80.0%; the medians "), "{row}");
    // One run of ten that takes nine times as long: the same mean, but it may be chance.
    let row = &compared_csv(&steady, &hyperfine_csv(0.18, 0.24), "json").json()["benchmarks"][0];
    assert!(row["notes"].as_array().is_none_or(|notes| notes.is_empty()), "{row}");
}

/// Ten repetitions of each of 12 benchmarks, as `go test -count 10` prints them; `slow` of those of the first take three times as long.
fn go_repetitions(seed: u32, slow: u32) -> String {
    let time = |benchmark: u32, repetition: u32| {
        let factor = if benchmark == 0 && repetition % 10 < slow { 3.0 } else { 1.0 };
        1234.5 * (1.0 + 0.02 * chance(seed + benchmark, repetition)) * factor
    };
    let line = |i: u32| format!("BenchmarkB{:02}-8 \t 1000000\t {:.1} ns/op\n", i / 10, time(i / 10, i % 10));
    (0..120).map(line).collect()
}

#[test]
fn repetitions_of_which_some_are_slow() {
    let rows = |base: &str, head: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("base.txt", base).write("head.txt", head);
        let json = sandbox.perfgate(&["compare", "base.txt", "head.txt", "--format", "json"]).json();
        json["benchmarks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"].as_str().unwrap().contains("B00"))
            .cloned()
            .unwrap()
    };
    // One slow repetition is chance, and does not hide that all of head got slower.
    let slower = go_repetitions(2, 1).replace("BenchmarkB00-8 \t 1000000\t 1", "BenchmarkB00-8 \t 1000000\t 9");
    assert_eq!(rows(&go_repetitions(1, 1), &slower)["outcome"], "regressed");
    let one = rows(&go_repetitions(1, 0), &go_repetitions(2, 1));
    assert!(one["outcome"] != "regressed" && one["suspect"] != true, "{one}");
    for slow in 2..=4 {
        let row = rows(&go_repetitions(1, 0), &go_repetitions(2, slow));
        assert_eq!((&row["outcome"], &row["suspect"]), (&"inconclusive".into(), &true.into()), "{slow}: {row}");
        assert!(row["notes"][0].as_str().unwrap().starts_with("slow samples change the mean by +"), "{row}");
    }
}

#[test]
fn an_improved_benchmark_of_which_some_samples_got_slower_has_a_note() {
    // All samples take half the time, but a quarter of them then take three times as long as the others.
    let faster = hyperfine(2, 12, 0.25, 3.0);
    let halved = |text: &str| {
        let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
        for time in json["results"][0]["times"].as_array_mut().unwrap() {
            *time = (time.as_f64().unwrap() / 2.0).into();
        }
        json.to_string()
    };
    let answer = compared(&hyperfine(1, 12, 0.0, 1.0), &halved(&faster), &["--all"]);
    answer.exits(0).prints("improved").prints("of the samples take 3.0 times as long as the others; in base none");
    // Without a slow part, and with one that is faster than base, there is nothing to add.
    for head in [hyperfine(2, 12, 0.0, 1.0), hyperfine(2, 12, 0.25, 1.5)] {
        compared(&hyperfine(1, 12, 0.0, 1.0), &halved(&head), &["--all"])
            .prints("improved")
            .does_not_print("as long as the others");
    }
}

#[test]
fn a_slow_half_of_the_samples_has_a_row_without_contradictions() {
    // The median lies between the two groups, and the fast edge does not move.
    let sandbox = Sandbox::new();
    let file = |side: &str, seed: u32, factor: f64| {
        let times = |command: u32| -> Vec<String> {
            let time = |run: u32| {
                0.1 * (1.0 + 0.02 * chance(seed + command, run))
                    * if command == 0 && run.is_multiple_of(2) { factor } else { 1.0 }
            };
            (0..40).map(|run| time(run).to_string()).collect()
        };
        let results: Vec<String> = (0..3)
            .map(|one| format!(r#"{{"command":"c{one}","mean":0.1,"times":[{}]}}"#, times(one).join(",")))
            .collect();
        sandbox.write(side, format!(r#"{{"results":[{}]}}"#, results.join(",")));
    };
    (0..3).for_each(|base| file(&format!("base{base}.json"), 20 * base, 1.0));
    file("head.json", 90, 2.0);
    let sides =
        ["compare", "--base", "base0.json", "--base", "base1.json", "--base", "base2.json", "--head", "head.json"];
    sandbox
        .perfgate(&sides)
        .exits(0)
        .prints(
            "in head, 50% of the samples take 2.0 times as long as the others; in a typical run of base none; this row compares means; medians +",
        )
        .prints("PASS, but 1 of 3 inconclusive (suspected: c0 +49.9%): slow samples in head\n")
        .does_not_print("cannot be told from noise");
    let json = sandbox.perfgate(&[&sides[..], &["--format", "json"]].concat()).json();
    let row = &json["benchmarks"][0];
    assert_eq!((&row["outcome"], &row["suspect"]), (&"inconclusive".into(), &true.into()));
    assert!(row["change"].as_f64().unwrap() > 0.4 && row["interval"][1].as_f64().unwrap() > 0.4, "{row}");
}

#[test]
fn a_row_decided_by_the_mean_says_what_changed_in_every_view() {
    let (base, head) = (hyperfine(1, 1, 0.0, 1.0), hyperfine(2, 1, 0.4, 3.0));
    let views: [&[&str]; 3] = [&[], &["--format", "markdown"], &["--format", "junit"]];
    for view in views {
        compared(&base, &head, view).exits(1).prints("45% of the samples take 3.0 times");
    }
    for template in ["comment", "summary", "pr", "issue", "report"] {
        compared(&base, &head, &["--template", template])
            .exits(1)
            .prints("`c0`: in head, 45% of the samples take 3.0 times");
    }
    for template in ["comment", "pr", "report"] {
        compared(&head, &base, &["--template", template])
            .exits(0)
            .prints("in base, 45% of the samples take 3.0 times as long as the others; in head none");
    }
    let sandbox = Sandbox::new();
    sandbox.write("base.json", &base).write("head.json", &head);
    sandbox.perfgate(&["compare", "base.json", "head.json", "--html", "page.html"]).exits(1);
    assert!(sandbox.read("page.html").contains("45% of the samples take 3.0 times"));
    let row = compared(&base, &head, &["--format", "json"]).json()["benchmarks"][0].clone();
    let slow = &row["slow_part"]["head"];
    assert!((slow["share"].as_f64().unwrap() - 0.4).abs() < 0.06, "{slow}");
    assert!((slow["factor"].as_f64().unwrap() - 3.0).abs() < 0.05, "{slow}");
    assert!(row["slow_part"]["base"].is_null(), "{row}");
    compared(&head, &base, &[])
        .prints("in base, 45% of the samples take 3.0 times as long as the others; in head none");
    // The fast edge decides here.
    let faster = compared(&base, &hyperfine(2, 1, 1.0, 3.0), &["--format", "json"]);
    assert!(faster.exits(1).json()["benchmarks"][0].get("slow_part").is_none());
}

#[test]
fn two_modes_are_named_with_their_values_and_shares() {
    let (base, head) = (hyperfine(1, 12, 0.4, 3.0), hyperfine(2, 12, 0.4, 3.0));
    compared(&base, &head, &["--all"])
        .prints("two modes in base: 100.6 ms (57%) and 303.1 ms (43%)")
        .prints(", in head: 100.");
    let report = compared(&base, &head, &["--format", "json"]).json();
    let rows = report["benchmarks"].as_array().unwrap();
    for row in rows {
        assert_eq!(row.get("modes").is_some(), row["name"] == "c0", "{row}");
    }
    let modes = &rows.iter().find(|row| row["name"] == "c0").unwrap()["modes"];
    for side in ["base", "head"] {
        let [low, high] = [0, 1].map(|mode| modes[side][mode]["value"].as_f64().unwrap());
        assert!((low / 1.01e8 - 1.0).abs() < 0.02 && (high / low - 3.0).abs() < 0.1, "{modes}");
    }
}

#[test]
fn a_stored_run_keeps_the_modes_of_its_samples() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").commit("r", "one");
    sandbox.write("r/out.json", hyperfine(1, 12, 0.4, 3.0));
    sandbox.perfgate_at("r", &["record", "out.json"]).exits(0);
    sandbox.write("r/head.json", hyperfine(2, 12, 0.4, 3.0));
    let answer = sandbox.perfgate_at("r", &["compare", "--base", "HEAD", "--head", "head.json", "--all"]);
    answer.prints("two modes in base: 100.6 ms");
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

/// A criterion result of one benchmark: `samples` samples of `iterations` iterations, `elements` elements per iteration.
fn criterion(sandbox: &Sandbox, tree: &str, ns: f64, [samples, iterations, elements]: [u32; 3], seed: u32) {
    let time = |i: u32| ns * f64::from(iterations) * (1.0 + 0.01 * chance(seed, i));
    let times: Vec<String> = (0..samples).map(|i| time(i).to_string()).collect();
    let iters = vec![iterations.to_string(); samples as usize].join(",");
    let id = tree.split_once('/').map_or("x", |(_, id)| id);
    sandbox.write(
        &format!("{tree}/x/new/benchmark.json"),
        format!(r#"{{"group_id":"x","full_id":"{id}","throughput":{{"Elements":{elements}}}}}"#),
    );
    let sample = format!(r#"{{"sampling_mode":"Flat","iters":[{iters}],"times":[{}]}}"#, times.join(","));
    sandbox.write(&format!("{tree}/x/new/sample.json"), sample);
}

#[test]
fn samples_of_other_settings_are_not_compared() {
    let sandbox = Sandbox::new();
    criterion(&sandbox, "base", 100.0, [50, 1000, 1], 1);
    criterion(&sandbox, "longer", 180.0, [50, 50_000, 1], 2);
    let answer = sandbox.perfgate(&["compare", "base", "longer"]);
    answer
        .exits(0)
        .prints("? inconclusive")
        .prints("1,000 iterations per sample in base, 50,000 in head")
        .prints(
            "\nNext: Re-measure base and head with the same settings (criterion: `--measurement-time`, `--warm-up-time` and `--sample-size`).",
        );
    // A disturbed warm-up also changes criterion's number of iterations. It is the likely cause up to a factor of 10,
    // or up to 20 in a large suite.
    criterion(&sandbox, "shorter", 101.0, [50, 4, 1], 5);
    criterion(&sandbox, "few", 101.0, [50, 9_000, 1], 6);
    sandbox.perfgate(&["compare", "base", "few"]).exits(0).does_not_print("re-measure both with the same settings");
    criterion(&sandbox, "more", 101.0, [50, 12_000, 1], 6);
    let answer = sandbox.perfgate(&["compare", "base", "more"]);
    answer.exits(0).prints("? inconclusive").prints("1,000 iterations per sample in base, 12,000 in head");
    for benchmark in 0..6 {
        let disturbed = if benchmark == 0 { 12_000 } else { 1000 };
        for (tree, iterations) in [("calm", 1000), ("one-disturbed", disturbed)] {
            criterion(&sandbox, &format!("{tree}/b{benchmark}"), 100.0, [50, iterations, 1], benchmark + iterations);
        }
    }
    sandbox
        .perfgate(&["compare", "calm", "one-disturbed"])
        .exits(0)
        .does_not_print("re-measure both with the same settings");
    sandbox.perfgate(&["compare", "shorter", "base"]).exits(0).prints("4 iterations per sample in base");
    // A factor of ten of the whole suite is a setting.
    for benchmark in 0..6 {
        for (tree, iterations) in [("suite", 1000), ("suite-longer", 10_000)] {
            criterion(&sandbox, &format!("{tree}/b{benchmark}"), 100.0, [50, iterations, 1], benchmark + iterations);
        }
    }
    sandbox.perfgate(&["compare", "suite", "suite-longer"]).prints("1,000 iterations per sample in base, 10,000");
    criterion(&sandbox, "fewer", 180.0, [5, 1000, 1], 3);
    sandbox.perfgate(&["compare", "base", "fewer"]).exits(0).prints("50 samples in base, 5 in head");
    // criterion takes fewer iterations of a slower benchmark.
    criterion(&sandbox, "slower", 5000.0, [50, 20, 1], 4);
    sandbox.perfgate(&["compare", "base", "slower"]).exits(1).prints("✗ regressed");
}

#[test]
fn stored_runs_keep_how_they_were_sampled() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").commit("r", "one");
    criterion(&sandbox, "r/target/criterion", 100.0, [50, 1000, 1], 1);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "two");
    criterion(&sandbox, "r/target/criterion", 180.0, [50, 50_000, 1], 2);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("re-measure both with the same settings");
}

#[test]
fn with_other_work_an_operation_is_compared_per_element() {
    let sandbox = Sandbox::new();
    criterion(&sandbox, "base", 1000.0, [50, 100, 1], 1);
    criterion(&sandbox, "twice", 1900.0, [50, 100, 2], 2);
    let answer = sandbox.perfgate(&["compare", "base", "twice", "--format", "json"]).exits(0).json();
    let row = &answer["benchmarks"][0];
    assert!((row["change"].as_f64().unwrap() + 0.05).abs() < 0.01, "{row}");
    let answer = sandbox.perfgate(&["compare", "base", "twice"]);
    answer.prints("work per iteration changed from ").prints("; the change is that of the time per element: ");
    let comment = sandbox.perfgate(&["compare", "base", "twice", "--template", "comment"]);
    comment
        .exits(0)
        .prints("<summary>Unchanged, with notes</summary>")
        .prints("- `x`: work per iteration changed from ");
    criterion(&sandbox, "worse", 4000.0, [50, 100, 2], 3);
    sandbox.perfgate(&["compare", "base", "worse"]).exits(1).prints("✗ regressed");
}

#[test]
fn ten_times_slower_is_a_regression_however_noisy_the_samples_are() {
    let sandbox = Sandbox::new();
    for (tree, seed) in [("base", 0), ("head", 100)] {
        for benchmark in 0..12 {
            let factor = if tree == "head" && benchmark == 0 { 10.0 } else { 1.0 };
            // Samples from 0.8 to 2.4 ms with a few fast ones, as in a program that waits for other processes.
            let time = |i: u32| {
                let (level, fast) = (chance(seed + benchmark, i), chance(seed + benchmark + 50, i) < 0.1);
                factor * 1e6 * if fast { 0.7 + 0.6 * level } else { 1.4 + level }
            };
            let times: Vec<String> = (0..40).map(|i| time(i).to_string()).collect();
            let directory = format!("{tree}/b{benchmark}/new");
            let id = format!(r#"{{"group_id":"g","full_id":"b{benchmark}","throughput":null}}"#);
            sandbox.write(&format!("{directory}/benchmark.json"), id);
            let iters = vec!["1"; 40].join(",");
            sandbox.write(
                &format!("{directory}/sample.json"),
                format!(r#"{{"iters":[{iters}],"times":[{}]}}"#, times.join(",")),
            );
        }
    }
    assert_eq!(sandbox.perfgate(&["compare", "base", "head", "--format", "json"]).exits(1).outcome("b0"), "regressed");
}

#[test]
fn other_conditions_of_google_benchmark_are_named() {
    let sandbox = Sandbox::new();
    let file = |build: &str, mhz: u32, scaling: bool| {
        format!(
            r#"{{"context":{{"num_cpus":2,"mhz_per_cpu":{mhz},"cpu_scaling_enabled":{scaling},"library_build_type":"{build}"}},
            "benchmarks":[{{"name":"BM_A","run_type":"iteration","iterations":9,"real_time":5,"cpu_time":5,"time_unit":"ns"}}]}}"#
        )
    };
    sandbox.write("base.json", file("release", 3000, false)).write("head.json", file("debug", 3010, true));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.exits(0).prints("differ in build-type (release → debug), cpu-scaling (off → on); ").does_not_print("mhz");
}

/// Runs of one benchmark with 50 samples around a level, in a file of Google Benchmark's repetitions or of perfgate's own format.
fn one_benchmark(ns: f64, seed: u32) -> String {
    let samples: Vec<String> = (0..50).map(|i| (ns * (1.0 + 0.02 * chance(seed, i))).to_string()).collect();
    format!(
        r#"{{"format":"perfgate-run","version":1,"measurements":[{{"benchmark":"fib","unit":"ns","replicates":[{{"samples":[{}]}}]}}]}}"#,
        samples.join(",")
    )
}

#[test]
fn one_run_a_side_of_few_benchmarks_needs_twice_the_threshold_in_both_directions() {
    for (factor, outcome) in
        [(1.36, "inconclusive"), (1.6, "regressed"), (1.0 / 1.36, "inconclusive"), (0.6, "improved")]
    {
        let (base, head) = (one_benchmark(1000.0, 1), one_benchmark(1000.0 * factor, 2));
        let answer = compared(&base, &head, &["--format", "json"]);
        assert_eq!(answer.outcome("fib"), outcome, "{factor}");
        let row = &answer.json()["benchmarks"][0];
        assert!((row["needed_change"].as_f64().unwrap() - 0.44).abs() < 1e-9, "{row}");
        assert!(row["detectable"].as_f64().unwrap() >= 0.44 - 1e-9, "{row}");
        if outcome == "inconclusive" {
            compared(&base, &head, &[])
                .prints("fewer than eight benchmarks do not show how much they vary: only changes beyond ")
                .prints("would probably decide (`perfgate measure --base REV -- COMMAND`, or further `--base` and `--head`)");
        }
    }
}

#[test]
fn the_floor_of_a_time_is_a_fifth_of_a_stated_clock_cycle() {
    let file = |time: f64, context: &str| {
        let of = |(index, time): (u32, f64)| {
            format!(
                r#"{{"name":"BM_{index}","run_type":"iteration","iterations":9,"real_time":{time},"cpu_time":{time},"time_unit":"ns"}}"#
            )
        };
        let all: Vec<String> = (0..30).map(|i| of((i, if i == 0 { time } else { 100.0 }))).collect();
        format!(r#"{{"context":{{"num_cpus":2{context}}},"benchmarks":[{}]}}"#, all.join(","))
    };
    let outcome = |head: f64, context: &str| {
        let answer = compared(&file(0.001, context), &file(head, context), &["--format", "json"]);
        answer.json()["benchmarks"].as_array().unwrap().iter().find(|row| row["name"] == "BM_0").unwrap()["outcome"]
            .clone()
    };
    // A fifth of a cycle is 0.1 ns at 2 GHz.
    let at_2_ghz = r#","mhz_per_cpu":2000"#;
    assert_eq!([outcome(0.05, at_2_ghz), outcome(0.2, at_2_ghz)], ["unchanged", "regressed"]);
    assert_eq!([outcome(0.2, ""), outcome(0.5, "")], ["unchanged", "regressed"]);
}

#[test]
fn what_a_filter_left_out_was_not_run_and_is_named() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "d", "e"] {
        sandbox.bench("base", name, 1000.0, 1);
    }
    sandbox.bench("head", "a", 1000.0, 2);
    let answer = sandbox.perfgate(&["compare", "base", "head"]);
    answer.exits(0).prints("PASS, but 4 of 5 benchmarks were not run").prints("- not run").prints("4 not run");
    answer
        .prints("warning: 4 of the 5 criterion benchmarks of base have no result in head")
        .does_not_print("- removed");
    let json = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]).json();
    assert_eq!((&json["counts"]["removed"], &json["benchmarks"][0]["not_run"]), (&4.into(), &true.into()));
    assert_eq!(json["benchmarks"][0]["outcome"], "removed");
    sandbox.perfgate(&["compare", "base", "head", "--fail-on", "removed"]).exits(1);
    sandbox.perfgate(&["compare", "base", "head", "--format", "markdown"]).prints("➖ not run");
    sandbox.bench("head", "b", 1000.0, 2).bench("head", "c", 1000.0, 2);
    sandbox.perfgate(&["compare", "base", "head"]).exits(0).prints("- removed").does_not_print("not run");
    // Benchmarks are counted, not their metrics.
    let go = |names: &[&str]| {
        let result = |name: &&str| format!("Benchmark{name}-8 \t 9 \t 100 ns/op \t 64 B/op \t 2 allocs/op\n");
        format!("goos: linux\ncpu: X\n{}PASS\n", names.iter().map(result).collect::<String>())
    };
    sandbox.write("base.txt", go(&["A", "B", "C", "D", "E"])).write("head.txt", go(&["A"]).replace("100 ns", "101 ns"));
    sandbox.perfgate(&["compare", "base.txt", "head.txt"]).exits(0).prints("PASS, but 4 of 5 benchmarks were not run");
}

#[test]
fn failed_benchmarks_of_asv_are_distinguished_from_skipped_ones() {
    let file = |x: &str, y: &str| {
        format!(
            r#"{{"commit_hash":"x","result_columns":["result","params"],"results":{{"s.time_x":[[{x}],[]],"s.time_y":[[{y}],[]],"s.time_z":[[1e-3],[]]}}}}"#
        )
    };
    let answer = compared(&file("1e-3", "1e-3"), &file("null", "NaN"), &["--format", "json"]);
    assert_eq!(answer.exits(1).outcome("s.time_x"), "failed");
    assert_eq!(answer.outcome("s.time_y"), "removed");
    let report = answer.json();
    let y = report["benchmarks"].as_array().unwrap().iter().find(|row| row["name"] == "s.time_y").unwrap();
    assert_eq!(y["not_run"], true);
}

#[test]
fn a_change_below_the_threshold_has_its_row_in_every_view() {
    let sandbox = Sandbox::new();
    let run = |factor: f64| {
        let of = |index: u32| {
            let factor = if index == 3 { factor } else { 1.0 };
            let values: Vec<String> = (0..50)
                .map(|i| (1000.0 * factor * (1.0 + 0.01 * chance(index + factor as u32, i))).to_string())
                .collect();
            format!(r#"{{"benchmark":"b{index}","unit":"ns","replicates":[{{"samples":[{}]}}]}}"#, values.join(","))
        };
        let all: Vec<String> = (0..20).map(of).collect();
        format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{}]}}"#, all.join(","))
    };
    sandbox.write("base.json", run(1.0)).write("head.json", run(1.12)).write("fast.json", run(0.88));
    let answer = |head: &str, view: &[&str]| sandbox.perfgate(&[&["compare", "base.json", head], view].concat());
    answer("head.json", &["--format", "junit"]).exits(0).prints("slower, within 20%: 1.0");
    answer("head.json", &["--format", "csv"]).exits(0).prints(",threshold,within\n").prints(",0.2,slower\n");
    answer("fast.json", &["--format", "csv"]).exits(0).prints(",0.2,faster\n");
    answer("head.json", &["--html", "page.html"]).exits(0);
    let page = sandbox.read("page.html");
    assert!(page.contains("slower, within 20%"), "no row");
    assert!(page.contains(r#"<option value="worse, within threshold">"#));
}

#[test]
fn advice_that_all_undecided_rows_share_is_printed_once() {
    let sandbox = Sandbox::new();
    let run = |ns: u32| {
        let of = |index: u32| format!(r#"{{"benchmark":"b{index}","unit":"ns","replicates":[{{"value":{ns}}}]}}"#);
        let all: Vec<String> = (0..3).map(of).collect();
        format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{}]}}"#, all.join(","))
    };
    sandbox.write("base.json", run(1000)).write("head.json", run(1100));
    for view in [&[][..], &["--format", "markdown"], &["--html", "page.html"], &["--template", "comment"]] {
        let answer = sandbox.perfgate(&[&["compare", "base.json", "head.json"], view].concat());
        let text = if view.contains(&"--html") { sandbox.read("page.html") } else { answer.stdout };
        let advice = ["would probably decide", "may decide", "may be needed"];
        assert_eq!(advice.iter().map(|advice| text.matches(advice).count()).sum::<usize>(), 1, "{text}");
        assert!(text.contains("3 inconclusive benchmarks: "), "{text}");
    }
}

#[test]
fn results_that_are_exactly_those_of_base_were_not_measured() {
    // Of hyperfine, only the wall time has samples.
    for file in ["hyperfine/before.json", "pytest-benchmark/before.json"] {
        let sandbox = Sandbox::new();
        let text = std::fs::read_to_string(common::data(file)).unwrap();
        sandbox.write("old", &text).write("new", &text);
        sandbox.perfgate(&["compare", "old", "new"]).exits(2).reports("it has exactly the samples of old");
    }
    // Repetitions with many differing digits cannot be equal by chance. Other equal results are compared.
    for (file, repeated) in [("go-bench", true), ("google-benchmark", true), ("pyperf", true), ("divan", false)] {
        let sandbox = Sandbox::new();
        let folder = common::data(file);
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let before = names.filter(|path| path.file_stem().is_some_and(|stem| stem == "before")).min().unwrap();
        let text = std::fs::read_to_string(before).unwrap();
        sandbox.write("old", &text).write("new", &text);
        sandbox.perfgate(&["compare", "old", "new"]).exits(if repeated { 2 } else { 0 });
    }
    // Times with many digits do not repeat by chance either, even with one number per benchmark.
    let google = |context: &str, digits: usize| {
        let one = |index: u32| {
            let time = format!("{:.digits$}", 100.0 * f64::from(index + 1) * std::f64::consts::SQRT_2);
            format!(
                r#"{{"name":"B{index}","run_type":"iteration","iterations":9,"real_time":{time},"cpu_time":{time},"time_unit":"ns"}}"#
            )
        };
        let all: Vec<String> = (0..4).map(one).collect();
        format!(r#"{{"context":{{"num_cpus":2{context}}},"benchmarks":[{}]}}"#, all.join(","))
    };
    let generic = "name,value,unit\na,1234.56789012,ns\nb,2345.67890123,ns\nc,3456.78901234,ns\n".to_owned();
    let built = |build: &str| google(&format!(r#","library_build_type":"{build}""#), 12);
    for (name, base, head, code) in [
        ("digits", google("", 12), google("", 12), 2),
        ("rounded", google("", 1), google("", 1), 0),
        ("other facts", built("release"), built("debug"), 0),
        ("computed", generic.clone(), generic, 0),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("old", base).write("new", head);
        let answer = sandbox.perfgate(&["compare", "old", "new"]);
        assert_eq!(answer.code, code, "{name}: {}{}", answer.stdout, answer.stderr);
        sandbox.perfgate(&["compare", "old", "old"]).exits(0).prints("NO VERDICT: base and head are the same results");
    }
    // Few rounded values may repeat.
    let few = "BenchmarkA-2 100 3.1 ns/op\nBenchmarkA-2 100 3.2 ns/op\nBenchmarkA-2 100 3.4 ns/op\n";
    let sandbox = Sandbox::new();
    sandbox.write("old.txt", few).write("new.txt", few).perfgate(&["compare", "old.txt", "new.txt"]).exits(0);
}
