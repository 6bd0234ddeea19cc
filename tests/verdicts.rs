//! Cases of tests/verdicts: inputs for which a wrong verdict is easy to reach.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Sandbox};

/// `perfgate compare` of files of a case, after `base` and `head`.
fn compared(case: &str, base: &[&str], head: &str, more: &[&str]) -> Answer {
    let path = |file: &str| format!("{}/tests/verdicts/{case}/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut arguments = vec!["compare".to_owned()];
    arguments.extend(base.iter().flat_map(|file| ["--base".to_owned(), path(file)]));
    arguments.extend(["--head".to_owned(), path(head)]);
    arguments.extend(more.iter().map(|one| (*one).to_owned()));
    Sandbox::new().perfgate(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The numbers of benchmarks per outcome.
fn counts(answer: &Answer, outcome: &str) -> u64 {
    answer.json()["counts"][outcome].as_u64().unwrap()
}

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn a_picosecond_is_no_regression() {
    let answer = compared("bdn-sub-cycle-times", &["base.json"], "head.json", &JSON);
    assert_eq!(counts(answer.exits(0), "regressed"), 0);
}

#[test]
fn twice_the_work_per_iteration_is_compared_per_element() {
    let answer = compared("criterion-work-changed", &["base"], "head", &[]);
    answer
        .exits(0)
        .prints("work per iteration changed from 1 to 2 elements; the change is that of the time per element: ")
        .prints("−5.");
}

#[test]
fn fourteen_percent_everywhere_are_suspects_at_smaller_thresholds() {
    let base = ["base0.json", "base1.json", "base2.json", "base3.json", "base4.json"];
    for threshold in ["10%", "5%"] {
        let answer = compared("global-14-percent", &base, "head.json", &["--threshold", threshold]);
        answer
            .exits(0)
            .prints("20 of 20 inconclusive (all suspected); most benchmarks are about 14.5% slower: re-measure\n");
        answer.prints("suite-wide shift +14.5% in time, cause unknown");
    }
}

#[test]
fn repetitions_of_one_process_are_one_run() {
    let answer = compared("go-count-is-not-runs", &["base.txt"], "head.txt", &JSON);
    assert_eq!(answer.exits(0).outcome("example.org/demo/BenchmarkSort"), "inconclusive");
}

#[test]
fn an_undecided_suspect_gets_no_green_tick_and_has_reason_and_command() {
    let answer = compared("one-run-contradiction", &["base1.json"], "head1.json", &["--template", "comment"]);
    answer.exits(0).prints(
        "❔ perfgate: PASS, but 1 of 1 inconclusive (suspected: fib 20 +35.7%): too few runs for a small suite",
    );
    answer
        .prints("a single run can differ this much by chance, and fewer than eight benchmarks do not show how much they vary: ")
        .prints("only changes beyond +44.0% count")
        .prints("perfgate measure")
        .does_not_print("✅");
}

#[test]
fn a_change_that_only_speeds_up_does_not_fail() {
    let base = ["base/0.json", "base/1.json", "base/2.json"];
    for threshold in ["20%", "10%"] {
        let more = [&JSON[..], &["--threshold", threshold]].concat();
        let answer = compared("shift-makes-regression", &base, "head/run.json", &more);
        assert_eq!(counts(answer.exits(0), "regressed"), 0, "{threshold}");
    }
    // The shift is the reason, not noise: more runs at other times would not decide.
    let answer = compared("shift-makes-regression", &base, "head/run.json", &[]);
    answer
        .exits(0)
        .prints(" inconclusive (6 suspected); most benchmarks are about 11.3% faster: re-measure\n")
        .prints("inconclusive benchmarks: the interval covers the change with and without the suite-wide shift")
        .prints("; measuring base and head in turn would probably decide (`perfgate measure --base REV -- COMMAND`)\n");
    answer.does_not_print("too noisy").does_not_print("more runs");
    // A change within the threshold is suspected because it is over it without the shift.
    answer.prints("suspected because without the suite-wide shift it is +2");
}

#[test]
fn a_slow_or_fast_machine_decides_nothing() {
    let base: Vec<String> = (0..10).map(|run| format!("base{run}.json")).collect();
    let base: Vec<&str> = base.iter().map(String::as_str).collect();
    for (head, shift) in [("head.json", "slower by a factor of about 2.0"), ("head-faster.json", "about 50.3% faster")]
    {
        let answer = compared("slow-runner-fails-everything", &base, head, &[]);
        answer.exits(0).prints(&format!("most benchmarks are {shift}: re-measure")).prints("10 inconclusive");
        // The reason that all of them share is printed once.
        assert_eq!(
            answer.stdout.matches("the suite-wide shift may account for the change").count(),
            1,
            "{}",
            answer.stdout
        );
    }
}

#[test]
fn two_in_five_rounds_that_take_three_times_as_long_are_a_regression() {
    for tool in ["pytest-benchmark", "hyperfine"] {
        let [base, head] = ["base", "head"].map(|side| format!("{tool}-{side}.json"));
        compared("tail-grows", &[&base], &head, &[])
            .exits(1)
            .prints("45% of the samples take 3.0 times as long as the others")
            .prints("+88.4%");
    }
}

#[test]
fn ten_times_slower_next_to_quiet_benchmarks_fails() {
    let answer = compared("ten-times-slower-passes", &["base.json"], "head.json", &JSON);
    assert_eq!((answer.exits(1).outcome("bench_04").as_str(), counts(&answer, "regressed")), ("regressed", 1));
}

#[test]
fn a_rate_that_falls_to_zero_in_every_sample_is_a_regression() {
    let sandbox = common::Sandbox::new();
    let run = |rate: f64| {
        let rate: Vec<f64> = (0..20).map(|i| rate * (1.0 + 0.001 * f64::from(i))).collect();
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": [
            {"benchmark": "server", "metric": "throughput", "unit": "ops/s", "direction": "higher", "replicates": [{"samples": rate}]},
            {"benchmark": "client", "metric": "throughput", "unit": "ops/s", "direction": "higher", "replicates": [{"samples": [9.0, 9.1, 9.2]}]}]})
        .to_string()
    };
    for i in 0..3 {
        sandbox.write(&format!("base{i}.json"), run(1000.0 + f64::from(i))).write(&format!("head{i}.json"), run(0.0));
    }
    sandbox.perfgate(&["compare", "base0.json", "head0.json"]).exits(1).prints("server");
    let files = ["base0.json", "base1.json", "base2.json"].map(|file| ["--base", file]).concat();
    let more = [&["compare"][..], &files, &["--head", "head0.json", "--head", "head1.json"]].concat();
    sandbox.perfgate(&more).exits(1).prints("server").prints("−100.0%");
}

#[test]
fn times_of_zero_on_both_sides_are_no_measurement() {
    let sandbox = common::Sandbox::new();
    let run = |times: [f64; 2]| {
        let one = |(at, time): (usize, f64)| serde_json::json!({"benchmark": format!("b{at}"), "unit": "ns", "replicates": [{"value": time}]});
        let all: Vec<_> = times.into_iter().enumerate().map(one).collect();
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    for (name, times) in [("base", [0.0, 0.0]), ("head", [0.0, 0.0]), ("base-5", [0.0, 5.0]), ("head-5", [0.0, 5.1])] {
        sandbox.write(&format!("{name}.json"), run(times));
    }
    let compared = |base: &str, head: &str, more: &[&str]| {
        let files = [base, head].map(|name| format!("{name}.json"));
        sandbox.perfgate(&[&["compare", &files[0], &files[1]][..], more].concat())
    };
    let answer = compared("base", "head", &[]);
    answer.exits(2).prints("NO VERDICT: all times and rates are 0, so nothing was measured\n");
    answer.prints("Next: Measure longer, or repeat the operation within each sample.");
    let rates = run([0.0, 0.0])
        .replace("\"ns\"", "\"ops/s\"")
        .replace("\"benchmark\"", "\"metric\":\"throughput\",\"benchmark\"");
    sandbox.write("rates.json", rates.clone()).write("rates-2.json", rates);
    compared("rates", "rates-2", &[]).exits(2).prints("NO VERDICT: all times and rates are 0");
    // One benchmark that was measured is enough, and a budget of the value is checked.
    compared("base-5", "head-5", &[]).exits(0).prints("PASS");
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = \"b0\"\nmetric = \"time\"\ntarget = \"<1us\"\n");
    compared("base", "head", &[]).exits(0).prints("PASS");
}

#[test]
fn a_copy_of_a_run_under_another_name_is_not_another_run() {
    let sandbox = common::Sandbox::new();
    for (name, factor) in [("base", 1.0), ("head", 1.4)] {
        let samples = |at: usize| {
            (0..20).map(|i| 1000.0 * factor * (1.0 + 0.003 * ((i * 7 + at) % 11) as f64)).collect::<Vec<_>>()
        };
        let one = |at| serde_json::json!({"benchmark": format!("b{at}"), "unit": "ns", "replicates": [{"samples": samples(at)}]});
        let run =
            serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": [one(0), one(1)]}).to_string();
        for copy in ["", "-2", "-3"] {
            sandbox.write(&format!("{name}{copy}.json"), run.clone());
        }
    }
    let once = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).json();
    let sides = ["base", "base", "base", "head", "head", "head"].into_iter().zip(["", "-2", "-3", "", "-2", "-3"]);
    let args: Vec<String> =
        sides.flat_map(|(side, copy)| [format!("--{side}"), format!("{side}{copy}.json")]).collect();
    let args: Vec<&str> = ["compare", "--format", "json"].into_iter().chain(args.iter().map(String::as_str)).collect();
    let copies = sandbox.perfgate(&args).json();
    assert_eq!((&copies["base"]["runs"], &copies["counts"]), (&1.into(), &once["counts"]));
    let codes: Vec<&str> =
        copies["diagnostics"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "copied-run").count(), 4, "{codes:?}");
}

#[test]
fn slow_samples_of_few_and_samples_of_zero_in_every_head_run_are_not_unchanged() {
    let sandbox = common::Sandbox::new();
    let run = |metric: &str, unit: &str, direction: &str, samples: &[f64]| {
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": [{"benchmark": "x", "metric": metric,
            "unit": unit, "direction": direction, "replicates": [{"samples": samples}]}]})
        .to_string()
    };
    let outcome = |metric: &str, unit: &str, direction: &str, base: &[f64], head: &[f64]| {
        for at in 0..2_u8 {
            let moved = |samples: &[f64]| samples.iter().map(|x| x * (1.0 + 0.001 * f64::from(at))).collect::<Vec<_>>();
            sandbox.write(&format!("base{at}.json"), run(metric, unit, direction, &moved(base)));
            sandbox.write(&format!("head{at}.json"), run(metric, unit, direction, &moved(head)));
        }
        let sides = ["--base", "base0.json", "--base", "base1.json", "--head", "head0.json", "--head", "head1.json"];
        sandbox.perfgate(&[&["compare", "--format", "json"][..], &sides].concat()).exits(0).outcome("x")
    };
    let usual = [100.0, 101.0, 102.0, 101.5, 100.7];
    assert_eq!(outcome("time", "ns", "lower", &usual, &[100.2, 303.0, 102.1, 304.0, 100.9]), "inconclusive");
    assert_eq!(outcome("time", "ns", "lower", &usual, &[100.2, 101.1, 102.1, 101.4, 100.9]), "unchanged");
    let rate = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2, 99.8, 100.1, 99.9, 100.0];
    let stalled = [100.0, 101.0, 0.0, 100.5, 0.0, 100.2, 0.0, 100.1, 0.0, 100.0];
    assert_eq!(outcome("throughput", "ops/s", "higher", &rate, &stalled), "inconclusive");
}
