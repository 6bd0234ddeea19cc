//! `perfgate compare` on the most common data: one number per run, from machines of unknown speed. All numbers are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Answer, Sandbox};
use std::collections::BTreeMap;

/// Runs of a suite with one number per benchmark, and the arguments that compare them.
struct Numbers {
    sandbox: Sandbox,
    arguments: Vec<String>,
}

impl Numbers {
    fn new() -> Numbers {
        Numbers { sandbox: Sandbox::new(), arguments: vec!["compare".to_owned()] }
    }

    /// Adds a run of `count` benchmarks; each moves by about `noise`, a different way in each run.
    fn run(mut self, side: &str, count: u32, noise: f64, factor: impl Fn(u32) -> f64) -> Numbers {
        let run = self.arguments.len() as u32;
        let value = |index: u32| {
            let chance = f64::from((index * 7919 + run * 104_729 + index * run * 31) % 1000) / 500.0 - 1.0;
            1000.0 * f64::from(index + 1) * (1.0 + noise * chance) * factor(index)
        };
        let lines: Vec<String> = (0..count)
            .map(|index| {
                format!(r#"{{"benchmark":"b{index}","unit":"ns","replicates":[{{"value":{}}}]}}"#, value(index))
            })
            .collect();
        let text = format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{}]}}"#, lines.join(","));
        let name = format!("{side}-{run}.json");
        self.sandbox.write(&name, &text);
        self.arguments.extend([format!("--{side}"), name]);
        self
    }

    /// Compares the runs; the answer is JSON.
    fn compare(&self, more: &[&str]) -> Answer {
        self.perfgate(&[more, &["--format", "json"]].concat())
    }

    fn perfgate(&self, more: &[&str]) -> Answer {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.sandbox.perfgate(&arguments)
    }
}

fn counts(answer: &Answer) -> BTreeMap<String, u64> {
    let counts = answer.json()["counts"].as_object().unwrap().clone();
    counts.into_iter().map(|(outcome, count)| (outcome, count.as_u64().unwrap())).filter(|(_, n)| *n > 0).collect()
}

fn only(outcome: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(outcome.to_owned(), count)])
}

fn unchanged(_: u32) -> f64 {
    1.0
}

/// Base runs of twenty benchmarks.
fn bases(count: usize, noise: f64) -> Numbers {
    (0..count).fold(Numbers::new(), |numbers, _| numbers.run("base", 20, noise, unchanged))
}

#[test]
fn a_benchmark_ten_times_slower_fails_with_one_run_a_side() {
    let slow = |index: u32| if index == 4 { 10.0 } else { 1.0 };
    let answer = Numbers::new().run("base", 30, 0.02, unchanged).run("head", 30, 0.02, slow).compare(&[]);
    answer.exits(1);
    let worst = &answer.json()["benchmarks"][0];
    assert_eq!((&worst["name"], &worst["outcome"]), (&"b4".into(), &"regressed".into()));
    assert_eq!(answer.json()["counts"]["regressed"], 1);
}

#[test]
fn a_slow_machine_fails_no_benchmark_and_the_headline_names_the_shift() {
    for (factor, word) in [(2.0, "slower"), (0.5, "faster")] {
        let numbers = bases(10, 0.02).run("head", 20, 0.02, |_| factor);
        let answer = numbers.compare(&[]);
        answer.exits(0);
        assert_eq!(counts(&answer), only("inconclusive", 20), "{factor}");
        let shift = answer.json()["unexplained_shift"].as_f64().unwrap();
        assert!((shift - (factor - 1.0)).abs() < 0.05, "{shift}");
        let table = numbers.perfgate(&[]).stdout;
        let headline = table.lines().next().unwrap();
        assert!(headline.contains("most benchmarks are about") && headline.contains(word), "{headline}");
    }
}

#[test]
fn a_benchmark_that_stands_clear_of_the_shift_still_fails() {
    let numbers = bases(10, 0.02);
    let slow = |index: u32| if index == 3 { 6.0 } else { 1.5 };
    let answer = numbers.run("head", 20, 0.02, slow).compare(&[]);
    answer.exits(1);
    assert_eq!(answer.json()["benchmarks"][0]["name"], "b3");
    assert_eq!(answer.json()["counts"]["regressed"], 1);
}

#[test]
fn a_suite_that_only_speeds_up_has_no_regression() {
    let faster = |index: u32| if index < 12 { 0.88 } else { 1.02 };
    for threshold in ["20%", "10%", "5%"] {
        let answer = bases(3, 0.01).run("head", 20, 0.01, faster).compare(&["--threshold", threshold]);
        assert_eq!(answer.json()["counts"]["regressed"], 0, "{threshold}");
    }
}

#[test]
fn a_shift_of_the_suite_over_the_threshold_does_not_pass_unseen() {
    let answer = bases(5, 0.01).run("head", 20, 0.01, |_| 1.14).compare(&["--threshold", "10%"]);
    let report = answer.json();
    assert_eq!(counts(&answer), only("inconclusive", 20));
    assert!(report["benchmarks"].as_array().unwrap().iter().all(|finding| finding["suspect"] == true));
}

#[test]
fn of_two_head_runs_each_must_be_over_the_threshold() {
    let once = |factors: [f64; 2]| {
        let slow = |factor: f64| move |index: u32| if index == 3 { factor } else { 1.0 };
        bases(10, 0.02).run("head", 20, 0.02, slow(factors[0])).run("head", 20, 0.02, slow(factors[1])).compare(&[])
    };
    once([1.8, 1.8]).exits(1);
    // Both together are over it, and significantly.
    let answer = once([1.8, 1.15]);
    answer.exits(0);
    let worst = &answer.json()["benchmarks"][0];
    let note = "not every head run is over the threshold; of five or more head runs, a fifth may be within it";
    assert_eq!(worst["notes"][0], note);
    // The rule decides, not the noise.
    assert_eq!(worst["runs_needed"], serde_json::Value::Null);
}

/// Of many runs, some deviate by chance, however large the change is.
#[test]
fn of_many_runs_a_fifth_may_deviate() {
    let heads = |fast: u32| {
        let base = (0..12).fold(Numbers::new(), |numbers, run| {
            numbers.run("base", 20, 0.02, move |index| if index == 3 && run == 4 { 1.6 } else { 1.0 })
        });
        let factor = move |run: u32, index: u32| match index {
            3 if run < fast => 1.1,
            3 => 1.5,
            _ => 1.0,
        };
        (0..10).fold(base, |all, run| all.run("head", 20, 0.02, move |index| factor(run, index))).compare(&[])
    };
    heads(2).exits(1);
    let answer = heads(3);
    answer.exits(0);
    let worst = &answer.json()["benchmarks"][0];
    assert_eq!(worst["notes"][0], "more than a fifth of the head runs are not over the threshold");
}

#[test]
fn a_jump_as_large_as_one_within_the_base_is_not_a_regression() {
    let base = (0..10).fold(Numbers::new(), |numbers, run| {
        numbers.run("base", 20, 0.02, move |index| if index == 3 && run == 4 { 1.3 } else { 1.0 })
    });
    let slow = |index: u32| if index == 3 { 1.45 } else { 1.0 };
    let answer = base.run("head", 20, 0.02, slow).compare(&[]);
    answer.exits(0);
    assert_eq!(answer.json()["counts"]["regressed"], 0);
    let worst = &answer.json()["benchmarks"][0];
    assert_eq!((&worst["name"], &worst["suspect"]), (&"b3".into(), &true.into()));
    assert_eq!(worst["notes"][0], "a base run deviates from the others by a similar amount or more");
}

#[test]
fn a_change_below_a_clock_cycle_is_not_a_regression() {
    let sandbox = Sandbox::new();
    let run = |ps: f64| {
        format!(
            r#"{{"format":"perfgate-run","version":1,"measurements":[{{"benchmark":"empty","unit":"ps","replicates":[{{"samples":[{},{},{},{},{},{}]}}]}}]}}"#,
            ps,
            ps * 1.01,
            ps * 1.02,
            ps,
            ps * 1.01,
            ps * 1.03
        )
    };
    sandbox.write("base.json", run(1.4));
    sandbox.write("head.json", run(23.2));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]);
    answer.exits(0);
    assert_eq!(answer.json()["benchmarks"][0]["outcome"], "unchanged");
}

#[test]
fn repetitions_inside_one_run_do_not_make_it_several_runs() {
    let sandbox = Sandbox::new();
    let log = |side: u32| -> String {
        let mut text = "goos: linux\ngoarch: amd64\npkg: example.org/demo\n".to_owned();
        for index in 0..10_u32 {
            // Benchmarks differ by up to 8% between jobs, one of them by 23%, and by 0.5% within a job.
            let of_job = match (side, index) {
                (1, 7) => 1.23,
                (1, _) => 1.0 + 0.08 * (f64::from(index * 7 % 10) / 5.0 - 1.0),
                _ => 1.0,
            };
            for repetition in 0..10_u32 {
                let time = 1000.0 * of_job * (1.0 + 0.005 * (f64::from((repetition * 3 + index) % 10) / 5.0 - 1.0));
                text += &format!("BenchmarkB{index}-8\t1000\t{time:.1} ns/op\n");
            }
        }
        text
    };
    sandbox.write("base.txt", log(0));
    sandbox.write("head.txt", log(1));
    let answer = sandbox.perfgate(&["compare", "base.txt", "head.txt", "--format", "json"]);
    answer.exits(0);
    let report = answer.json();
    assert_eq!(
        (&report["benchmarks"][0]["outcome"], &report["benchmarks"][0]["suspect"]),
        (&"inconclusive".into(), &true.into())
    );
    assert_eq!(
        (&report["benchmarks"][0]["base"]["runs"], &report["benchmarks"][0]["base"]["samples"]),
        (&1.into(), &10.into())
    );
}

#[test]
fn one_slow_machine_of_two_head_runs_fails_nothing() {
    let numbers = (0..5).fold(Numbers::new(), |numbers, _| numbers.run("base", 16, 0.01, unchanged));
    let numbers = numbers.run("head", 16, 0.01, unchanged).run("head", 16, 0.01, |_| 1.5);
    let answer = numbers.compare(&[]);
    assert_eq!(counts(answer.exits(0)).get("regressed"), None);
    assert!(answer.json()["unexplained_shift"].as_f64().unwrap() > 0.1);
    // Either both head runs ran on slow machines, or the code is slower.
    let numbers = (0..5).fold(Numbers::new(), |numbers, _| numbers.run("base", 16, 0.01, unchanged));
    let numbers = numbers.run("head", 16, 0.01, |_| 1.5).run("head", 16, 0.01, |_| 1.5);
    assert_eq!(counts(numbers.compare(&[]).exits(1)), only("regressed", 16));
}

#[test]
fn one_fast_base_run_against_several_head_runs_fails_nothing() {
    let heads =
        |base: Numbers, factor: fn(u32) -> f64| (0..3).fold(base, |numbers, _| numbers.run("head", 20, 0.01, factor));
    for (factor, word) in [((|_| 1.25) as fn(u32) -> f64, "slower"), (|_| 0.8, "faster")] {
        let numbers = heads(bases(1, 0.01), factor);
        let answer = numbers.compare(&[]);
        assert_eq!(counts(answer.exits(0)), only("inconclusive", 20));
        assert!(answer.json()["unexplained_shift"].is_number());
        let table = numbers.perfgate(&[]);
        table.prints(&format!("% {word} than in the single base run: add another base run"));
        table.prints("more base runs are needed");
    }
    // A benchmark that changed much more than the shift is still decided.
    let slow = |index: u32| if index == 3 { 3.0 } else { 1.25 };
    assert_eq!(counts(heads(bases(1, 0.01), slow).compare(&[]).exits(1))["regressed"], 1);
    // With a second base run, the shift is that of head, unless only one of the two has it.
    assert_eq!(counts(heads(bases(2, 0.01), |_| 1.25).compare(&[]).exits(1)), only("regressed", 20));
    let one_fast = bases(1, 0.01).run("base", 20, 0.01, |_| 0.6);
    assert_eq!(counts(heads(one_fast, unchanged).compare(&[]).exits(0)).get("regressed"), None);
}

#[test]
fn a_change_as_large_as_the_outliers_of_its_suite_needs_a_second_head_run() {
    // In three of ten base runs, another benchmark has one slow result.
    let base = (0..10).fold(Numbers::new(), |numbers, run| {
        numbers.run(
            "base",
            20,
            0.02,
            move |index| if index > 10 && index % 3 == 0 && run + 10 == index { 1.8 } else { 1.0 },
        )
    });
    let slow = |index: u32| if index == 3 { 1.6 } else { 1.0 };
    let once = base.run("head", 20, 0.02, slow);
    let answer = once.compare(&[]);
    let row = answer.exits(0).json()["benchmarks"][0].clone();
    assert_eq!((&row["name"], &row["outcome"], &row["suspect"]), (&"b3".into(), &"inconclusive".into(), &true.into()));
    assert_eq!(
        row["notes"][0],
        "3 benchmarks have a base run that deviates from the others by 36% or more, so a single head run may be an outlier; another \
         head run may decide"
    );
    assert!(row.get("runs_needed").is_none_or(serde_json::Value::is_null), "{row}");
    assert_eq!(counts(once.run("head", 20, 0.02, slow).compare(&[]).exits(1))["regressed"], 1);
}

#[test]
fn three_base_runs_without_an_outlier_do_not_exclude_one_in_head() {
    let slow = |index: u32| if index == 3 { 1.6 } else { 1.0 };
    let answer = bases(3, 0.01).run("head", 20, 0.01, slow).compare(&[]);
    let row = answer.exits(0).json()["benchmarks"][0].clone();
    assert_eq!((&row["name"], &row["outcome"], &row["suspect"]), (&"b3".into(), &"inconclusive".into(), &true.into()));
    assert_eq!(row["doubt"], "similar-jumps");
    assert!(
        row["notes"][0]
            .as_str()
            .unwrap()
            .ends_with("so few base runs do not show how often this suite has one; another head run may decide")
    );
    // A second head run, more base runs, a second slow benchmark or a larger change decide.
    let two_slow = |index: u32| if index == 3 || index == 9 { 1.6 } else { 1.0 };
    let five_times = |index: u32| if index == 3 { 5.0 } else { 1.0 };
    let second = bases(3, 0.01).run("head", 20, 0.01, slow).run("head", 20, 0.01, slow);
    assert_eq!(counts(second.compare(&[]).exits(1))["regressed"], 1);
    assert_eq!(counts(bases(6, 0.01).run("head", 20, 0.01, slow).compare(&[]).exits(1))["regressed"], 1);
    assert_eq!(counts(bases(3, 0.01).run("head", 20, 0.01, two_slow).compare(&[]).exits(1))["regressed"], 2);
    assert_eq!(counts(bases(3, 0.01).run("head", 20, 0.01, five_times).compare(&[]).exits(1))["regressed"], 1);
}

#[test]
fn a_head_run_noisier_than_its_base_needs_a_larger_change() {
    let slower = |index: u32| if index == 5 { 1.6 } else { 1.0 };
    let outcome = |noise: f64| {
        let answer = bases(8, 0.02).run("head", 30, noise, slower).compare(&[]);
        let rows = answer.json()["benchmarks"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["name"] == "b5").unwrap();
        (row["outcome"].as_str().unwrap().to_owned(), row["interval"][1].as_f64().unwrap())
    };
    let (quiet, noisy) = (outcome(0.02), outcome(0.3));
    assert_eq!((quiet.0.as_str(), noisy.0.as_str()), ("regressed", "inconclusive"));
    assert!(noisy.1 > quiet.1, "the interval contains the noise of the head run: {quiet:?} {noisy:?}");
}

#[test]
fn one_nanosecond_more_may_be_rounding() {
    // libtest prints whole numbers, also for a benchmark of a few nanoseconds.
    let outcome = |head: u32| {
        let mut numbers = Numbers::new();
        for (side, value) in [("base", 3), ("base", 3), ("base", 3), ("base", 3), ("head", head)] {
            let name = format!("{side}-{}.txt", numbers.arguments.len());
            let line = |name: &str, value: u32| format!("test {name} ... bench: {value:>11} ns/iter (+/- 0)\n");
            numbers.sandbox.write(&name, &(line("short", value) + &line("long", 22_181)));
            numbers.arguments.extend([format!("--{side}"), name]);
        }
        counts(&numbers.compare(&[]))
    };
    assert_eq!(outcome(4).get("regressed"), None);
    assert_eq!(outcome(30).get("regressed"), Some(&1));
}

#[test]
fn zeros_in_part_of_the_runs_are_no_regression() {
    // Values of one metric in each run of base, then of head; a rate, of which less is worse.
    let outcomes = |base: &[&str], head: &[&str]| {
        let mut numbers = Numbers::new();
        for (side, replicates) in base.iter().map(|one| ("base", one)).chain(head.iter().map(|one| ("head", one))) {
            let name = format!("{side}-{}.json", numbers.arguments.len());
            let entry = format!(
                r#"{{"benchmark":"b","metric":"hits","unit":"hits","direction":"higher","replicates":[{replicates}]}}"#
            );
            let text = format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{entry}]}}"#);
            numbers.sandbox.write(&name, &text);
            numbers.arguments.extend([format!("--{side}"), name]);
        }
        counts(&numbers.compare(&[]))
    };
    let inconclusive = only("inconclusive", 1);
    assert_eq!(outcomes(&[r#"{"samples":[0,0,0,1,1]}"#], &[r#"{"samples":[0,1,1,0,1]}"#]), inconclusive);
    assert_eq!(outcomes(&[r#"{"value":0}"#, r#"{"value":5}"#, r#"{"value":6}"#], &[r#"{"value":0}"#]), inconclusive);
    // Head is zero in every run, base in none.
    assert_eq!(outcomes(&[r#"{"value":5}"#, r#"{"value":6}"#], &[r#"{"value":0}"#]), only("regressed", 1));
}

/// Compares one benchmark whose runs have these replicates.
fn one_row(unit: &str, direction: &str, base: &[&str], head: &[&str]) -> serde_json::Value {
    let mut numbers = Numbers::new();
    for (side, replicates) in base.iter().map(|one| ("base", one)).chain(head.iter().map(|one| ("head", one))) {
        let name = format!("{side}-{}.json", numbers.arguments.len());
        let entry = format!(
            r#"{{"benchmark":"b","metric":"m","unit":"{unit}","direction":"{direction}","replicates":[{replicates}]}}"#
        );
        let text = format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{entry}]}}"#);
        numbers.sandbox.write(&name, &text);
        numbers.arguments.extend([format!("--{side}"), name]);
    }
    numbers.compare(&[]).json()["benchmarks"][0].clone()
}

#[test]
fn a_side_whose_median_is_zero_is_not_tested() {
    // User time of a short process, in ticks of the clock. Zeros are replaced by half of the smallest positive value, so the one
    // run that is not zero would decide.
    let base = [r#"{"value":0}"#, r#"{"value":0}"#, r#"{"value":600000}"#];
    let head = [r#"{"value":1439000}"#, r#"{"value":1500000}"#, r#"{"value":1400000}"#];
    for (base, head) in [(base, head), (head, base)] {
        for (unit, why) in [("ns", "below the resolution of the clock"), ("W", "most results of one side are zero")] {
            let row = one_row(unit, "lower", &base, &head);
            assert_eq!(
                (&row["outcome"], &row["interval"]),
                (&"inconclusive".into(), &serde_json::Value::Null),
                "{row}"
            );
            assert!(row["notes"][0].as_str().unwrap().contains(why), "{row}");
        }
    }
}

#[test]
fn where_a_sample_is_zero_medians_are_compared_with_medians() {
    let with_zero = r#"{"samples":[0,40,40,40,40,40,41,42,40,44]}"#;
    let positive = r#"{"samples":[16,40,40,40,41,40,16,42,16,44]}"#;
    for (base, head) in [(with_zero, positive), (positive, with_zero)] {
        let row = one_row("ns", "lower", &[base], &[head]);
        assert_eq!(row["change"], 0.0, "{row}");
    }
    let row = one_row("ns", "lower", &[r#"{"samples":[0,40]}"#], &[r#"{"samples":[40,16]}"#]);
    assert!((row["change"].as_f64().unwrap() - 0.4).abs() < 1e-9, "{row}");
    // Processes of one run: one of them has a zero.
    let processes = format!("{with_zero},{positive}");
    let row = one_row("ns", "lower", &[&processes], &[positive]);
    assert_eq!(row["change"], 0.0, "{row}");
}

#[test]
fn the_printed_value_is_the_median_of_the_runs_whatever_their_repetitions() {
    let value = |value: u32| format!(r#"{{"value":{value}}}"#);
    let nine = [100; 9].map(value).join(",");
    let row = one_row("ns", "lower", &[&nine, &value(200), &value(200)], &[&value(200)]);
    assert_eq!((&row["base"]["value"], &row["base"]["samples"]), (&200.0.into(), &11.into()), "{row}");
    assert_eq!(row["change"], 0.0, "{row}");
}

#[test]
fn a_side_that_is_zero_in_every_sample_is_a_change_and_one_that_is_mostly_zero_is_suspect() {
    let samples =
        |values: &dyn Fn(u32) -> f64| format!("{{\"samples\":{:?}}}", (0..20).map(values).collect::<Vec<_>>());
    let [zero, some] = [samples(&|_| 0.0), samples(&|i| 1000.0 + f64::from(i))];
    let mostly = samples(&|i| if i < 18 { 0.0 } else { 1000.0 });
    let found = |unit: &str, direction: &str, base: &str, head: &str| {
        let row = one_row(unit, direction, &[base, base], &[head, head]);
        (row["outcome"].as_str().unwrap().to_owned(), row["suspect"] == true)
    };
    let outcome = |word: &str, suspect: bool| (word.to_owned(), suspect);
    // A server that is down, and one whose memory was not counted before.
    assert_eq!(found("ops/s", "higher", &some, &zero), outcome("regressed", false));
    assert_eq!(found("ops/s", "higher", &zero, &some), outcome("improved", false));
    assert_eq!(found("B", "lower", &zero, &some), outcome("regressed", false));
    assert_eq!(found("ops/s", "higher", &some, &mostly), outcome("inconclusive", true));
    assert_eq!(found("ops/s", "higher", &mostly, &some), outcome("inconclusive", false));
    assert_eq!(found("B", "lower", &mostly, &some), outcome("inconclusive", true));
    // A time of zero is below the resolution of the clock. Here that is 1 ns, and head takes 1,000 times as long.
    assert_eq!(found("ns", "lower", &zero, &some), outcome("inconclusive", true));
}

#[test]
fn a_ratio_beyond_the_largest_number_has_a_change_and_an_open_interval() {
    let side = |value: &'static str| [value, value, value];
    let row = one_row("ns", "lower", &side(r#"{"value":1e-300}"#), &side(r#"{"value":1e300}"#));
    assert_eq!((&row["outcome"], &row["change"]), (&"regressed".into(), &f64::MAX.into()));
    assert_eq!(row["interval"][1], f64::MAX);
}

/// Five repetitions of each of twelve benchmarks in one file of `go test -bench -count 5`. Those of the first one spread by a factor of
/// two, and it is slower by a factor.
fn repetitions(factor: f64) -> String {
    const SPREAD: [f64; 5] = [3.05, 3.2, 5.72, 6.8, 6.0];
    let times =
        |index: usize| (0..5).map(move |at| if index == 0 { SPREAD[at] * factor } else { 5.0 + 0.01 * at as f64 });
    let lines =
        |index: usize| times(index).map(move |time| format!("Benchmark{index}-8  1000  {:.1} ns/op\n", 1000.0 * time));
    let results: String = (0..12).flat_map(lines).collect();
    format!("goos: linux\ngoarch: amd64\npkg: e.org/p\ncpu: X\n{results}PASS\nok  \te.org/p\t3.1s\n")
}

#[test]
fn repetitions_of_one_run_limit_its_noise() {
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", repetitions(1.0));
    for (factor, code) in [(1.1, 0), (10.0, 1), (100.0, 1)] {
        sandbox.write("head.txt", repetitions(factor));
        sandbox.perfgate(&["compare", "base.txt", "head.txt"]).exits(code);
    }
}

#[test]
fn a_small_share_that_rises_from_zero_is_no_regression() {
    let sandbox = Sandbox::new();
    let share = |value: f64| format!("name,value,unit,metric\na,{value},%,error-rate\nb,10,ms,time\n");
    let base = ["b0.csv", "b1.csv", "b2.csv", "b3.csv", "b4.csv"];
    for name in base {
        sandbox.write(name, share(0.0));
    }
    let sides: Vec<&str> = base.iter().flat_map(|name| ["--base", name]).chain(["--head", "head.csv"]).collect();
    for (head, code) in [(0.01, 0), (20.0, 1)] {
        sandbox.write("head.csv", share(head));
        sandbox.perfgate(&[&["compare"], &sides[..]].concat()).exits(code);
    }
}
