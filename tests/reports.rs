//! Questions that readers of reports asked. Each test checks that the report answers one of them, or no longer raises it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Answer, Sandbox};
use perfgate::render::workflow;
use perfgate::verdict::{Report, Verdict};
use serde_json::json;

/// A run in perfgate's own format: names with their samples.
fn run_of(unit: &str, benchmarks: &[(String, Vec<f64>)]) -> String {
    let measurement = |(name, samples): &(String, Vec<f64>)| json!({"tool": "t", "benchmark": name, "unit": unit, "direction": "lower", "replicates": [{"samples": samples}]});
    let all: Vec<_> = benchmarks.iter().map(measurement).collect();
    json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
}

/// Samples around a value, up to 1% off.
fn around(value: f64, seed: u32) -> Vec<f64> {
    let wobble = |i: u32| f64::from((i * 7919 + seed * 104_729) % 1000) / 1000.0 - 0.5;
    (0..50).map(|i| value * (1.0 + 0.02 * wobble(i))).collect()
}

/// Compares runs of benchmarks that change by these factors.
fn compared(factors: &[f64], args: &[&str]) -> (Sandbox, Answer) {
    let side = |seed: u32, head: bool| -> Vec<(String, Vec<f64>)> {
        let value = |at: usize| 1000.0 * if head { factors[at] } else { 1.0 };
        (0..factors.len()).map(|at| (format!("bench{at}"), around(value(at), seed + at as u32))).collect()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run_of("ns", &side(1, false))).write("head.json", run_of("ns", &side(77, true)));
    let answer = sandbox.perfgate(&[&["compare", "base.json", "head.json", "--save", "c.json"], args].concat());
    (sandbox, answer)
}

/// Compares single numbers.
fn numbers(base: &[f64], head: &[f64], args: &[&str]) -> Answer {
    let side = |values: &[f64]| -> Vec<(String, Vec<f64>)> {
        values.iter().enumerate().map(|(at, value)| (format!("bench{at}"), vec![*value])).collect()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run_of("ns", &side(base))).write("head.json", run_of("ns", &side(head)));
    sandbox.perfgate(&[&["compare", "base.json", "head.json"], args].concat())
}

fn saved(sandbox: &Sandbox) -> Report {
    serde_json::from_str(&sandbox.read("c.json")).unwrap()
}

#[test]
fn an_interval_with_0_is_the_reason_even_in_a_small_suite() {
    let answer = numbers(&[1000.0, 2000.0, 3000.0], &[1300.0, 2000.0, 3000.0], &[]);
    let row = numbers(&[1000.0, 2000.0, 3000.0], &[1300.0, 2000.0, 3000.0], &["--format", "json"]).json();
    assert!(row["benchmarks"][0]["interval"][0].as_f64().unwrap() < 0.0, "{row}");
    assert_eq!(row["benchmarks"][0]["undecided"], "may-be-noise");
    answer.exits(0).prints("the interval contains 0, so the change may be noise").does_not_print("only a change");
}

#[test]
fn the_mean_is_not_shown_where_it_is_noise_and_contradicts_the_shift() {
    let few: Vec<f64> = (0..14).map(|at| if at < 2 { 0.4 } else { 1.03 }).collect();
    let many: Vec<f64> = (0..20).map(|at| if at < 8 { 0.4 } else { 1.03 }).collect();
    for template in [&[][..], &["--template", "comment"], &["--template", "summary"], &["--format", "markdown"]] {
        let (_, answer) = compared(&few, template);
        answer.prints("suite-wide shift +3").does_not_print("geometric mean").does_not_print("outweigh");
        let (_, answer) = compared(&many, template);
        answer.prints("suite-wide shift +3").prints("(outweighed in the mean by larger changes of other benchmarks)");
        answer.prints("eometric mean");
    }
}

#[test]
fn a_passing_verdict_names_what_was_checked() {
    let same = [1.0; 12];
    compared(&same, &[]).1.exits(0).prints("PASS: no regression in 12 benchmarks\n");
    let budget = "[[budget]]\nmatch = 'bench*'\nmetric = 'time'\ntarget = '<2us'\n";
    let sandbox = Sandbox::new();
    let with = |config: &str, factors: &[f64], more: &[&str]| {
        sandbox.write("p.toml", config);
        let config = sandbox.path("p.toml").display().to_string();
        compared(factors, &[&["--config", &config], more].concat()).1
    };
    with(budget, &same, &[]).exits(0).prints("PASS: no regression in 12 benchmarks; 12 budgets met\n");
    let missed = budget.replace("2us", "1ns");
    let answer = with(&missed, &same, &["--fail-on", "regressed"]);
    answer.exits(0).prints("PASS, but 12 over budget (not in fail-on)\n");
    let mut slower = same;
    slower[3] = 2.0;
    with("", &slower, &["--fail-on", "failed"]).exits(0).prints("PASS, but 1 regressed (not in fail-on)\n");
    // There is no green tick above red rows, and the headline of a failure names them too.
    let tolerated = with("", &slower, &["--fail-on", "failed", "--template", "comment"]);
    tolerated.exits(0).prints("### ❔ perfgate: PASS, but 1 regressed").does_not_print("✅ perfgate");
    let failing = with(&missed, &slower, &["--fail-on", "budget"]);
    failing.exits(1).prints("FAIL: 12 over budget; also 1 regressed (not in fail-on)\n");
    failing.prints(
        "change the limits in perfgate.toml.\n- Not in fail-on, whose list replaces the default one: 1 regressed.\n",
    );
    let waiver = "[[accept]]\nbenchmark = 'bench3'\nup-to = '150%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    with(waiver, &slower, &[]).exits(0).prints("PASS: 11 of 12 benchmarks without a regression, 1 accepted\n");
}

#[test]
fn several_metrics_of_a_benchmark_are_counted_as_metrics() {
    let file = |metric: &str, value: u32| json!({"benchmark": "b", "metric": metric, "unit": "ns", "replicates": (0..3).map(|_| json!({"samples": around(f64::from(value), value)})).collect::<Vec<_>>()});
    let run = |more: u32| {
        json!({"format": "perfgate-run", "version": 1, "measurements": [file("time", 100 + more), file("time:p95", 200 + more)]}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run(0)).write("head.json", run(1));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--threshold", "90%"]);
    answer.exits(0).prints("PASS: no regression in 2 metrics of 1 benchmark\n").prints("\n2 metrics unchanged");
}

#[test]
fn a_note_on_units_is_printed_once() {
    let run = |values: [f64; 2]| {
        let one = |unit: &str, value: f64| json!({"benchmark": unit, "metric": unit, "unit": unit, "direction": "lower", "replicates": [{"value": value}]});
        json!({"format": "perfgate-run", "version": 1, "measurements": [one("furlong", values[0]), one("parsec", values[1])]}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run([1.0, 2.0])).write("head.json", run([1.0, 2.0])).write("more.json", run([1.0, 2.1]));
    let answer = sandbox.perfgate(&["compare", "--base", "base.json", "--base", "more.json", "--head", "head.json"]);
    let note =
        "note: `furlong` and `parsec` are not known units; values are compared only with values in the same unit\n";
    assert_eq!(answer.stdout.matches("known unit").count(), 1, "{}", answer.stdout);
    answer.prints(note);
}

#[test]
fn the_table_gives_the_right_place_of_further_warnings() {
    let run = |count: usize, value: f64| {
        let all: Vec<_> = (0..count).map(|at| (format!("bench{at}"), vec![value, value, -1.0])).collect();
        run_of("ns", &all)
    };
    for (count, more) in [
        (4, "… and 3 more invalid-value (--format json lists them)\n"),
        (30, "… and 55 more invalid-value (--format json lists the first 40)\n"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("base.json", run(count, 100.0)).write("head.json", run(count, 100.5));
        sandbox.perfgate(&["compare", "base.json", "head.json"]).prints(more);
        let json = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).json();
        let diagnostics = json["diagnostics"].as_array().unwrap();
        let listed = diagnostics.iter().filter(|one| one["code"] == "invalid-value" && one["stands_for"].is_null());
        assert_eq!(listed.count(), (2 * count).min(40));
    }
}

#[test]
fn more_runs_are_not_recommended_where_they_would_not_decide() {
    // 20 more runs would not decide "noisy"; a few would decide "moved".
    let side = |noise: [f64; 6], factor: f64| {
        let of = |name: &str, level: f64, noise: &[f64]| {
            let replicates: Vec<_> = noise.iter().map(|by| json!({"value": level * (1.0 + by)})).collect();
            json!({"benchmark": name, "unit": "ns", "replicates": replicates})
        };
        [of("noisy", 1000.0, &noise), of("moved", 1000.0 * factor, &noise.map(|by| by / 20.0))]
    };
    let sides = [side([0.0, 0.8, -0.6, 1.5, -0.3, 0.4], 1.0), side([0.3, -0.5, 0.9, -0.2, 1.2, 0.1], 1.15)];
    let compare = |count: usize, view: &[&str]| {
        let sandbox = Sandbox::new();
        for (name, side) in ["base.json", "head.json"].into_iter().zip(&sides) {
            let run = json!({"format": "perfgate-run", "version": 1, "measurements": side[..count]});
            sandbox.write(name, run.to_string());
        }
        sandbox.perfgate(&[&["compare", "base.json", "head.json"], view].concat())
    };
    for view in [&[][..], &["--template", "comment"], &["--format", "markdown"]] {
        let both = compare(2, view);
        both.prints("ore runs would probably decide \"moved\" (`perfgate measure --base REV -- COMMAND`, or further `--base` and `--head`); for \"noisy\", reduce the noise");
        let one = compare(1, view);
        one.prints("; many more runs may be needed; reduce the noise").does_not_print("perfgate measure");
        one.prints("Next: Many more runs may be needed for the inconclusive benchmark: reduce the noise");
    }
}

/// A saved comparison of `perfgate measure` with inconclusive metrics of one benchmark: these are too noisy, these need more runs, and
/// these have a note instead of advice.
fn inconclusive(too_noisy: usize, decidable: usize, noted: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let side = |noise: [f64; 6]| {
        let replicates: Vec<_> = noise.iter().map(|by| json!({"value": 1000.0 * (1.0 + by)})).collect();
        let measurements = json!([{"benchmark": "noisy", "unit": "ns", "replicates": replicates}]);
        json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
    };
    sandbox.write("base.json", side([0.0, 0.8, -0.6, 1.5, -0.3, 0.4]));
    sandbox.write("head.json", side([0.3, -0.5, 0.9, -0.2, 1.2, 0.1]));
    sandbox.perfgate(&["compare", "base.json", "head.json", "--save", "c.json"]).exits(0);
    let mut saved: serde_json::Value = serde_json::from_str(&sandbox.read("c.json")).unwrap();
    let count = too_noisy + decidable + noted;
    let finding = |at: usize| {
        let mut finding = saved["benchmarks"][0].clone();
        finding["metric"] = format!("metric{at}").into();
        if at >= too_noisy {
            // So that not all of the advice is the same.
            finding["runs_needed"] = (1 + at % 7).into();
        }
        if at >= too_noisy + decidable {
            for key in ["detectable", "undecided", "runs_needed"] {
                finding[key] = serde_json::Value::Null;
            }
            finding["notes"] = json!([format!("reason {at}")]);
        }
        finding
    };
    let findings: Vec<_> = (0..count).map(finding).collect();
    saved["benchmarks"] = findings.into();
    saved["counts"]["inconclusive"] = count.into();
    saved["by_measure"] = true.into();
    sandbox.write("c.json", saved.to_string());
    sandbox
}

#[test]
fn the_next_step_is_less_noise_if_most_rows_are_too_noisy() {
    let next = |sandbox: &Sandbox| sandbox.perfgate(&["render", "c.json", "--template", "comment"]);
    let most = next(&inconclusive(2, 0, 1));
    most.exits(0).prints("Next: Many more runs may be needed for 2 of the 3 inconclusive metrics: reduce the noise");
    // The headline has the most frequent reason, with its number.
    most.prints("PASS, but 3 of 3 inconclusive").prints(": 2 too noisy for ");
    next(&inconclusive(3, 0, 0))
        .prints("Next: Many more runs may be needed for the inconclusive metrics: reduce the noise");
    next(&inconclusive(3, 0, 4)).prints("For 3 of them, many more runs may be needed:");
    let few = next(&inconclusive(1, 0, 3));
    few.prints(
        "Next: Re-measure the inconclusive metrics with more `--rounds`. For \"noisy\" metric0, many more runs may be needed:",
    );
}

#[test]
fn a_change_is_from_zero_only_if_every_base_run_is_zero() {
    let sandbox = Sandbox::new();
    for (name, errors) in [("a.json", 0.0), ("b.json", 0.0), ("zero.json", 0.0), ("one.json", 1.0), ("head.json", 40.0)]
    {
        let counted = json!([{"tool": "t", "benchmark": "a", "metric": "errors", "unit": "count", "direction": "lower",
            "replicates": [{"value": errors}]}]);
        sandbox.write(name, json!({"format": "perfgate-run", "version": 1, "measurements": counted}).to_string());
    }
    let compare = |third: &str| {
        let base = ["compare", "--base", "a.json", "--base", "b.json", "--base", third, "--head", "head.json"];
        sandbox.perfgate(&base)
    };
    compare("zero.json").exits(1).prints("from zero").prints("total: 0 in 3 runs of base, 40 in 1 run of head");
    compare("one.json").exits(1).does_not_print("from zero").prints("total: 1 in 3 runs of base, 40 in 1 run of head");
}

#[test]
fn the_numbers_of_inconclusive_rows_add_up() {
    let text = |sandbox: &Sandbox| sandbox.perfgate(&["render", "c.json", "--template", "comment"]).stdout;
    // One advice for all numbers of runs.
    let listed = text(&inconclusive(1, 6, 2));
    assert!(listed.contains("he 6 inconclusive metrics without a reason below their row: "), "{listed}");
    assert!(listed.contains("about 2 to 7 more runs per side would probably decide"), "{listed}");
    let unlisted = text(&inconclusive(2, 14, 1));
    assert!(unlisted.contains("14 of the 17 inconclusive metrics: "), "{unlisted}");
    let few = text(&inconclusive(1, 1, 2));
    let advice = "ore runs would probably decide \"noisy\" metric1; for \"noisy\" metric0, reduce the noise";
    assert!(few.contains(advice) && few.contains("; 2 others have another reason, in their rows."), "{few}");
    // Not all of the rows are listed.
    let many = text(&inconclusive(1, 1, 9));
    assert!(many.contains("; 9 others have another reason.") && !many.contains("in their rows"), "{many}");
    let large = text(&inconclusive(0, 1200, 0));
    assert!(large.contains("<summary>Inconclusive: 1,200, the largest 10 of them</summary>"), "{large}");
}

#[test]
fn a_change_close_to_the_threshold_has_the_advice_of_another_threshold() {
    let values = |level: f64| [0.003, -0.004, 0.001, -0.002, 0.004, 0.0].map(|by| level * (1.0 + by));
    let compare = |close: usize| {
        let sandbox = Sandbox::new();
        for (name, factor) in [("base.json", 1.0), ("head.json", 1.198)] {
            let of = |index: usize| {
                let level = 1000.0 * if index < close { factor } else { 1.0 };
                let replicates: Vec<_> = values(level).iter().map(|value| json!({"value": value})).collect();
                json!({"benchmark": format!("b{index}"), "unit": "ns", "replicates": replicates})
            };
            let measurements: Vec<_> = (0..20).map(of).collect();
            sandbox
                .write(name, json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string());
        }
        sandbox.perfgate(&["compare", "base.json", "head.json"])
    };
    for (close, changes) in [(1, "its change is"), (3, "their changes are")] {
        let answer = compare(close);
        answer.prints("the change is close to the threshold, so many more runs may be needed");
        answer.prints(&format!("{changes} close to the threshold. Set a threshold clearly above or below it."));
        answer.prints("(−16.7% to +20%), but its interval reaches beyond it").does_not_print("reduce the noise");
    }
}

#[test]
fn the_reason_that_many_undecided_rows_share_is_printed_once() {
    let base = [1000.0; 12];
    let mut head = [1300.0; 12];
    head[0] = 1100.0;
    let answer = numbers(&base[..6], &head[..6], &[]);
    answer.prints("the 5 inconclusive benchmarks without a reason below their row: the interval contains 0");
    assert_eq!(answer.stdout.matches("the interval contains 0").count(), 1, "{}", answer.stdout);
}

#[test]
fn comparing_results_with_themselves_is_an_error_with_this_reason() {
    let sandbox = Sandbox::new();
    sandbox.bench("criterion", "a", 1000.0, 1);
    let answer = sandbox.perfgate(&["compare", "criterion", "criterion"]);
    answer.exits(2).reports("base and head are the same results (criterion); give two different results to compare");
    let answer = sandbox.perfgate(&["compare", "criterion", "./criterion"]);
    answer.exits(2).reports("base and head are the same results (./criterion)");
    // Without samples the report shows how the file is read, however its path is written.
    let go = (0..10).map(|i| format!("BenchmarkA-8   \t  1000\t  {}.5 ns/op\n", 99 + i % 3)).collect::<String>();
    sandbox.write("go.txt", format!("goos: linux\ngoarch: amd64\npkg: e.org/p\ncpu: X\n{go}PASS\n"));
    for path in ["go.txt", "./go.txt"] {
        let answer = sandbox.perfgate(&["compare", "go.txt", path]);
        answer.exits(0).prints("NO VERDICT: base and head are the same results").prints("Next: Compare two different");
        answer
            .does_not_print("left over")
            .does_not_print("--allow-missing-baseline")
            .prints("note: base and head are the same results; this comparison only");
    }
    // A budget of the same file is still checked.
    sandbox.write("p.toml", "[[budget]]\nmatch = '*BenchmarkA'\nmetric = 'time'\ntarget = '<1us'\n");
    let budget = ["compare", "go.txt", "go.txt", "--config", "p.toml"];
    sandbox.perfgate(&budget).exits(0).prints("budgets: 1 PASS");
    sandbox.write("p.toml", "[[budget]]\nmatch = '*BenchmarkA'\nmetric = 'time'\ntarget = '<1ns'\n");
    sandbox.perfgate(&budget).exits(1);
}

#[test]
fn every_reason_of_a_red_gate_has_an_annotation() {
    let sandbox = Sandbox::new();
    let budgets = "[[budget]]\nmatch = 'kept'\nmetric = 'time'\ntarget = '<1ns'\n";
    sandbox.write("p.toml", budgets);
    for at in 0..15 {
        let name = format!("slow{at:02}");
        sandbox.bench("base", &name, 1000.0, 1).bench("head", &name, 3000.0, 2);
    }
    for at in 0..20 {
        let name = format!("same{at:02}");
        sandbox.bench("base", &name, 1000.0, 1).bench("head", &name, 1000.0, 2);
    }
    sandbox.bench("base", "kept", 1000.0, 1).bench("head", "kept", 1000.0, 2);
    sandbox.bench("base", "gone", 1000.0, 1).bench("head", "new", 700.0, 2);
    let fail_on = ["--fail-on", "regressed", "--fail-on", "budget", "--fail-on", "removed", "--fail-on", "added"];
    let compare = ["compare", "base", "head", "--config", "p.toml", "--save", "c.json"];
    sandbox.perfgate(&[&compare[..], &fail_on].concat()).exits(1);
    let text = workflow(&saved(&sandbox));
    for line in [
        "::error title=gone::time removed: ",
        "::error title=new::time added: ",
        "::error title=kept::time budget not met",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    assert!(text.contains("::error title=slow09::time regressed"), "{text}");
    assert_eq!(text.matches("::error ").count(), 10, "{text}");
    assert!(text.contains("::error title=perfgate::and 9 more; see the job summary\n"), "{text}");
    // What fail-on does not list is a warning.
    sandbox.perfgate(&[&compare[..], &["--fail-on", "removed"]].concat()).exits(1);
    let text = workflow(&saved(&sandbox));
    assert_eq!(text.matches("::error ").count(), 1, "{text}");
    assert!(text.contains("::warning title=slow09::"), "{text}");
    // Without a verdict all of them are warnings, limited together.
    let mut report = saved(&sandbox);
    report.verdict = Verdict::None;
    let text = workflow(&report);
    assert_eq!((text.matches("::warning ").count(), text.matches("::error ").count()), (10, 0), "{text}");
    assert_eq!(text.matches(" more; see the job summary").count(), 1, "{text}");
}

#[test]
fn a_regression_has_its_notes_in_the_comment() {
    let summary = |failed: u32| {
        json!({"root_group": {}, "metrics": {"http_req_failed": {"passes": failed, "fails": 1200 - failed, "value": 0.0}}}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", summary(0)).write("head.json", summary(180));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--template", "comment"]);
    answer
        .exits(1)
        .prints("- `http_req_failed` error-rate: 0 of 1,200 requests in base, 180 of 1,200 requests in head\n");
}

#[test]
fn a_change_that_differs_from_the_values_next_to_it_is_explained_in_every_view() {
    // The fastest samples are 30% slower, the medians 3%.
    let run = |edge: f64, median: f64| {
        let of = |name: &str, edge: f64, median: f64| {
            let samples: Vec<f64> =
                (0..50).map(|i| if i < 20 { edge } else { median } * (1.0 + 1e-4 * f64::from(i))).collect();
            (name.to_owned(), samples)
        };
        let mut all = vec![of("odd", edge, median)];
        all.extend((0..10).map(|at| of(&format!("same{at}"), 900.0, 1000.0)));
        run_of("ns", &all)
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run(700.0, 1000.0)).write("head.json", run(910.0, 1030.0));
    for view in [&[][..], &["--template", "comment"], &["--format", "markdown"], &["--format", "junit"]] {
        let answer = sandbox.perfgate(&[&["compare", "base.json", "head.json"], view].concat());
        answer.prints("the medians changed by +3.0%");
    }
}

#[test]
fn a_note_that_all_undecided_rows_share_is_printed_once() {
    let base = [1000.0; 12];
    let head = [2000.0, 2010.0, 1990.0, 2020.0, 1980.0, 2005.0, 1995.0, 2015.0, 1985.0, 2000.0, 2001.0, 1999.0];
    let answer = numbers(&base, &head, &[]);
    answer.prints("12 inconclusive benchmarks: the suite-wide shift may account for the change");
    assert_eq!(answer.stdout.matches("may account for the change").count(), 1, "{}", answer.stdout);
}

/// Compares CSV files with these rows.
fn csv(base: &str, head: &str, args: &[&str]) -> Answer {
    let sandbox = Sandbox::new();
    let header = "name,value,unit,metric,run\n";
    sandbox.write("base.csv", format!("{header}{base}")).write("head.csv", format!("{header}{head}"));
    sandbox.perfgate(&[&["compare", "base.csv", "head.csv", "--all"], args].concat())
}

#[test]
fn values_in_different_units_are_printed_in_their_own_and_have_no_change() {
    let (base, head) = ("x,5,foo,,1\ny,1,s,,1\n", "x,50,bar,,1\ny,1,s,,1\n");
    let answer = csv(base, head, &[]);
    answer.prints("5.000 foo  50.00 bar").prints("base and head are in different units: foo and bar");
    let json = csv(base, head, &["--format", "json"]).json();
    let x = json["benchmarks"].as_array().unwrap().iter().find(|row| row["name"] == "x").unwrap().clone();
    assert_eq!((&x["unit"], &x["base_unit"], &x["change"]), (&json!("bar"), &json!("foo"), &json!(null)));
}

#[test]
fn the_interval_of_a_share_ends_at_100_percent() {
    let rows = |values: [f64; 3]| -> String {
        (1..).zip(values).map(|(run, value)| format!("c,{value},%,hit-rate,{run}\n")).collect()
    };
    let json = csv(&rows([80.0, 79.0, 81.0]), &rows([90.0, 70.0, 80.0]), &["--format", "json"]).json();
    let high = json["benchmarks"][0]["interval"][1].as_f64().unwrap();
    assert!((high - 0.25).abs() < 1e-9, "{high}");
}

#[test]
fn removed_benchmarks_are_counted_and_not_their_metrics() {
    let rows = |names: &[&str]| -> String {
        names.iter().map(|name| format!("{name},1,s,,1\n{name},5,B,memory,1\n")).collect()
    };
    let answer = csv(&rows(&["a", "b", "c", "d", "e"]), &rows(&["a", "b", "c"]), &["--fail-on", "removed"]);
    answer.exits(1).prints("FAIL: 2 removed (4 metrics)").does_not_print("4 removed");
}

#[test]
fn changes_of_unknown_direction_are_counted_apart_from_inconclusive_ones() {
    let run = |slower: f64, hits: f64| {
        let one = |name: &str, unit: &str, value: f64| json!({"benchmark": name, "metric": "m", "unit": unit, "replicates": [{"value": value}]});
        let mut all: Vec<_> = (0..3).map(|at| one(&format!("b{at}"), "ns", 1000.0 * slower)).collect();
        all.extend((0..3).map(|at| one(&format!("same{at}"), "ns", 1000.0)));
        all.push(one("unknown", "furlong", hits));
        json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run(1.0, 5.0)).write("head.json", run(1.3, 7.0));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--fail-on", "inconclusive"]);
    answer.exits(1).prints("FAIL: 6 inconclusive\n");
    answer.prints("\n6 inconclusive, 1 not judged (better direction unknown)\n").prints("? not judged ");
    // Every view has the same two numbers.
    let view = |args: &[&str]| {
        let args = [&["compare", "base.json", "head.json"], args].concat();
        sandbox.perfgate(&args).exits(0).stdout.clone()
    };
    let comment = view(&["--template", "comment"]);
    assert!(comment.contains("<summary>Inconclusive: 6<") && comment.contains("unknown): 1<"), "{comment}");
    assert!(view(&["--format", "markdown"]).contains("| ❔ not judged | "));
    assert!(view(&["--format", "junit"]).contains("<skipped message=\"not judged: "));
    let json = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).json();
    let unknown = json["benchmarks"].as_array().unwrap().iter().find(|row| row["name"] == "unknown").unwrap();
    assert_eq!((&unknown["outcome"], &unknown["not_tested"]), (&json!("inconclusive"), &json!("unknown-direction")));
    assert_eq!(json["counts"]["inconclusive"], 7);
}

#[test]
fn a_mean_over_benchmarks_that_differ_is_an_average() {
    let factors: Vec<f64> = (0..12).map(|at| if at < 6 { 1.5 } else { 0.75 }).collect();
    let (_, answer) = compared(&factors, &["--template", "library"]);
    answer
        .prints("**Overall Performance Gain**: 6.")
        .prints("% slower on average (geometric mean; 95% CI over the benchmarks: −")
        .prints("% slower on average | t: geometric mean of 12 |")
        .does_not_print("no significant");
    let (_, answer) = compared(&[1.5; 12], &["--template", "library"]);
    answer
        .prints("**Overall Performance Gain**: 50")
        .prints("% slower on average (geometric mean; 95% CI over the benchmarks: +")
        .prints("% slower | t: geometric mean of 12 |");
}

#[test]
fn large_changes_have_one_notation() {
    let (_, answer) = compared(&[12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0], &["--template", "library"]);
    answer.prints("**Overall Performance Gain**: 12.0× slower on average (").prints("| 12.0× slower |");
    answer.does_not_print("1,10").does_not_print("× as long").prints("12.0×: head takes 12.0 times as long as base");
}

#[test]
fn what_only_one_side_has_is_one_row_for_each_benchmark() {
    let run = |names: &[&str]| {
        let one = |name: &str, metric: &str, unit: &str| json!({"benchmark": name, "metric": metric, "unit": unit, "direction": "lower", "exact": true, "replicates": [{"value": 100.0}]});
        let all: Vec<_> =
            names.iter().flat_map(|name| [one(name, "errors", "count"), one(name, "time", "ns")]).collect();
        json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run(&["kept", "old"])).write("head.json", run(&["kept", "new"]));
    for more in [&[][..], &["--fail-on", "added,removed"]] {
        let answer = sandbox.perfgate(&[&["compare", "base.json", "head.json"], more].concat());
        answer.prints("1 removed (2 metrics), 1 added (2 metrics)").does_not_print("errors");
        for row in ["- removed", "+ added"] {
            assert_eq!(answer.stdout.matches(row).count(), 1, "{}", answer.stdout);
        }
        let all = sandbox.perfgate(&[&["compare", "base.json", "head.json", "--all"], more].concat());
        all.prints("errors");
    }
}

#[test]
fn a_suite_whose_mean_grew_by_two_benchmarks_has_no_common_cause() {
    let next = |factors: [f64; 10]| {
        let (sandbox, _) = compared(&factors, &[]);
        let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("c.json")).unwrap();
        report["verdict"] = "fail".into();
        report["failed_on"] = serde_json::json!([{"on": "suite"}]);
        report["suite"] = serde_json::json!({"outcome": "regressed", "change": 0.25, "interval": [0.23, 0.27],
            "runs": [3, 3], "benchmarks": 10});
        sandbox.write("c.json", report.to_string());
        sandbox.perfgate(&["render", "c.json", "--template", "comment"])
    };
    next([1.25; 10]).prints("look for a cause that all benchmarks share");
    let mut two = [1.0; 10];
    (two[3], two[7]) = (3.0, 3.0);
    next(two).prints("find the benchmarks that became slower: most of the suite did not");
}
