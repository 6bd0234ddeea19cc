//! A row, its notes, the legend, the line on the method, the headline and the next step do not contradict each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Answer, Sandbox};
use perfgate::verdict::{Outcome, Reason, Report, UnsubtractedShift, Verdict};
use serde_json::{Value, json};

/// A measurement of a perfgate-run file, with these samples.
fn measured(name: &str, metric: &str, unit: &str, samples: &[f64]) -> Value {
    let direction = if metric == "throughput" { "higher" } else { "lower" };
    json!({"tool": "t", "benchmark": name, "metric": metric, "unit": unit, "direction": direction,
        "replicates": [{"samples": samples}]})
}

fn run(measurements: &[Value]) -> String {
    json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
}

/// Times of benchmarks with one number each.
fn times(count: usize, factor: impl Fn(usize) -> f64) -> Vec<Value> {
    let time = |at: usize| measured(&format!("b{at:02}"), "time", "ns", &[1000.0 * (at + 1) as f64 * factor(at)]);
    (0..count).map(time).collect()
}

/// Compares two runs in this view; the page of `--html page.html` is in `page.html`.
fn compared(sandbox: &Sandbox, base: &[Value], head: &[Value], more: &[&str]) -> Answer {
    sandbox.write("base.json", run(base)).write("head.json", run(head));
    sandbox.perfgate(&[&["compare", "base.json", "head.json"], more].concat())
}

/// 40 samples around a median, the fastest ones at `edge`.
fn samples(edge: f64, median: f64) -> Vec<f64> {
    let at = |i: u32| if i < 12 { edge } else { median } * (1.0 + 1e-4 * f64::from((i * 7) % 40));
    (0..40).map(at).collect()
}

/// Twelve benchmarks, one of which has other fastest samples and another median in head.
fn with_edge(edge: f64, median: f64) -> Vec<Value> {
    let steady = (0..11).map(|at| measured(&format!("same{at}"), "time", "ns", &samples(900.0, 1000.0)));
    steady.chain([measured("odd", "time", "ns", &samples(edge, median))]).collect()
}

const VIEWS: [&[&str]; 8] = [
    &[],
    &["--format", "markdown"],
    &["--template", "comment"],
    &["--template", "summary"],
    &["--template", "report"],
    &["--template", "issue"],
    &["--template", "pr"],
    &["--template", "library"],
];

#[test]
fn a_legend_explains_a_change_that_is_not_that_of_the_printed_values() {
    let sandbox = Sandbox::new();
    let legend = "ase, head: medians; change: compares the fastest samples (noise only makes samples slower), ";
    // +30% of the fastest samples, +28% of the medians: no note below the row.
    for view in VIEWS {
        let answer = compared(&sandbox, &with_edge(900.0, 1000.0), &with_edge(1170.0, 1280.0), view);
        answer.prints(legend).does_not_print("the medians changed");
        let same = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 2.0), view);
        same.does_not_print("head: medians");
    }
    let page = ["--html", "page.html", "--format", "json"];
    let json = compared(&sandbox, &with_edge(900.0, 1000.0), &with_edge(1170.0, 1280.0), &page).json();
    assert!(sandbox.read("page.html").contains(legend));
    assert_eq!(json["benchmarks"][0]["change_of"], "fastest-samples");
    // Views without a legend have a note.
    let args = ["--format", "junit", "--save", "saved.json"];
    let note = "the medians changed by +28.0%";
    compared(&sandbox, &with_edge(900.0, 1000.0), &with_edge(1170.0, 1280.0), &args).prints(note);
    let report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let annotations = perfgate::render::workflow(&report);
    assert!(annotations.contains("the medians changed by +28.0%25; the change is"), "{annotations}");
}

#[test]
fn a_legend_names_the_re_measured_runs() {
    let sandbox = Sandbox::new();
    compared(&sandbox, &with_edge(900.0, 1000.0), &with_edge(1170.0, 1280.0), &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    report.shifts.clear();
    for finding in &mut report.benchmarks {
        // Another change than that of the values.
        (finding.change_of, finding.adjusted) = (None, Some(0.25));
    }
    let check = |report: &Report, which: &str| {
        let text = perfgate::render::markdown(report, true);
        assert!(text.contains(&format!("change: of a typical head run against a typical base run, so it can differ from that of the medians{which}; CI")), "{text}");
    };
    check(&report, "");
    report.benchmarks[0].re_measured = true;
    check(&report, "; *: re-measured in 1 pair (only these runs count), other rows: 1 run per side");
    report.base.runs = 10;
    check(&report, "; *: re-measured in 1 pair (only these runs count), other rows: 10 base runs and 1 head run");
    report.benchmarks.iter_mut().for_each(|finding| finding.re_measured = true);
    check(&report, "; *: re-measured in 1 pair (only these runs count)");
}

#[test]
fn the_row_of_a_re_measured_benchmark_has_a_sign_in_every_view() {
    let sandbox = Sandbox::new();
    let slower = times(9, |at| if at < 2 { 2.0 } else { 1.0 });
    let mut json = compared(&sandbox, &times(9, |_| 1.0), &slower, &["--format", "json"]).json();
    let others = "re-measured in 1 pair (only these runs count), other rows: 1 run per side";
    let views = |json: &Value| {
        let report: Report = serde_json::from_value(json.clone()).unwrap();
        let table = perfgate::render::table(&report, perfgate::render::TableOptions::default());
        [table, perfgate::render::markdown(&report, false), perfgate::render::report_page(&report)]
    };
    for text in views(&json) {
        assert!(!text.contains("re-measured in") && !text.contains("regressed*"), "{text}");
    }
    json["benchmarks"][0]["confirmed"] = true.into();
    for text in views(&json) {
        assert!(text.contains(&format!("*: {others}")) && text.contains("regressed*"), "{text}");
    }
    sandbox.write("saved.json", json.to_string());
    for (template, row) in
        [("comment", "| ❌* | `b00` |"), ("summary", "| ❌ regressed* | `b00` |"), ("pr", "regressed* |")]
    {
        let text = sandbox.perfgate(&["render", "saved.json", "--template", template]);
        text.exits(0).prints(row).prints(&format!("&#42;: {others}"));
    }
}

#[test]
fn an_unchanged_row_whose_values_have_the_other_sign_has_a_note() {
    let sandbox = Sandbox::new();
    let (base, head) = (with_edge(900.0, 1000.0), with_edge(918.0, 990.0));
    let answer = compared(&sandbox, &base, &head, &["--all"]);
    answer.exits(0).prints("the medians changed by −1.0%");
    // Both fell, by other amounts.
    let answer = compared(&sandbox, &base, &with_edge(890.0, 980.0), &["--all"]);
    answer.exits(0).does_not_print("the medians changed");
}

#[test]
fn a_suspect_with_changes_of_both_signs_names_the_worse_one() {
    let sandbox = Sandbox::new();
    // The fastest samples are 22% slower, the medians 15% faster.
    let sides = [with_edge(900.0, 1300.0), with_edge(1400.0, 1100.0)];
    for view in [&[][..], &["--format", "markdown"], &["--template", "comment"], &["--format", "junit"]] {
        let answer = compared(&sandbox, &sides[0], &sides[1], view);
        answer.exits(0).prints("suspected because of the fastest samples; the medians changed by −15.2%");
    }
    compared(&sandbox, &sides[0], &sides[1], &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let odd = report.benchmarks.iter_mut().find(|finding| finding.name == "odd").unwrap();
    let shown = |report: &Report| perfgate::render::markdown(report, true);
    (odd.change, odd.adjusted) = (Some(-0.05), Some(-0.05));
    odd.head.as_mut().unwrap().value = 1.3 * odd.base.unwrap().value;
    assert!(shown(&report).contains("suspected because the medians changed by +30.0%"), "{}", shown(&report));
    // Without doubt about the direction there is no reason to give.
    let odd = report.benchmarks.iter_mut().find(|finding| finding.name == "odd").unwrap();
    (odd.change, odd.adjusted) = (Some(0.5), Some(0.5));
    let text = shown(&report);
    assert!(text.contains("the medians changed by +30.0%") && !text.contains("suspected because"), "{text}");
}

#[test]
fn a_subtracted_shift_names_its_metric() {
    let sandbox = Sandbox::new();
    let side = |time: f64, rate: f64| -> Vec<Value> {
        let of = |at: usize| {
            let name = format!("b{at:02}");
            let level = 1000.0 * (at + 1) as f64;
            [measured(&name, "time", "ns", &[level * time]), measured(&name, "throughput", "/s", &[level * rate])]
        };
        (0..12).flat_map(of).collect()
    };
    let shown = |time: f64, rate: f64| compared(&sandbox, &side(1.0, 1.0), &side(time, rate), &["--all"]);
    shown(1.0025, 1.0).prints("suite-wide shift +0.2% subtracted from the changes in time\n");
    // The shift of a rate has the sign of the rate.
    shown(1.0, 0.98).prints("suite-wide shift −2.0% subtracted from the changes in throughput\n");
    let both = shown(1.01, 0.98);
    both.prints("suite-wide shift subtracted from the changes: time +1.0%, throughput −2.0%\n");
    shown(1.0, 1.0).does_not_print("suite-wide shift");
    let json = compared(&sandbox, &side(1.0, 1.0), &side(1.01, 0.98), &["--format", "json"]).json();
    let shifts = json["shifts"].as_array().unwrap();
    let of = |at: usize| (shifts[at]["metric"].as_str().unwrap(), shifts[at]["treatment"].as_str().unwrap());
    assert_eq!((shifts.len(), of(0), of(1)), (2, ("time", "subtracted"), ("throughput", "subtracted")));
    // Times of one tool are single numbers, so each tool has its own shift.
    let of_tools = |sampled: f64, single: f64| -> Vec<Value> {
        let of = |at: usize| {
            let mut one = measured(&format!("single{at}"), "time", "ns", &[]);
            one["tool"] = "single".into();
            one["replicates"] = json!([{"value": 1000.0 * single}]);
            [measured(&format!("sampled{at}"), "time", "ns", &samples(900.0 * sampled, 1000.0 * sampled)), one]
        };
        (0..10).flat_map(of).collect()
    };
    let tools = compared(&sandbox, &of_tools(1.0, 1.0), &of_tools(1.02, 1.03), &["--all"]);
    tools.prints("suite-wide shift subtracted from the changes: time (t) +2.0%, time (single) +3.0%\n");
}

/// Five recorded base runs of a case of tests/verdicts, and its head run, in which all 20 benchmarks are 14.5% slower. All times of
/// head are multiplied by `factor`.
fn shifted(sandbox: &Sandbox, factor: f64, more: &[&str]) -> Answer {
    let path = |file: &str| format!("{}/tests/verdicts/global-14-percent/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let mut head: Value = serde_json::from_str(&std::fs::read_to_string(path("head")).unwrap()).unwrap();
    for one in head["measurements"].as_array_mut().unwrap() {
        for sample in one["replicates"][0]["samples"].as_array_mut().unwrap() {
            *sample = json!(sample.as_f64().unwrap() * factor);
        }
    }
    sandbox.write("head.json", head.to_string());
    let base: Vec<String> = (0..5).flat_map(|run| ["--base".to_owned(), path(&format!("base{run}"))]).collect();
    let base: Vec<&str> = base.iter().map(String::as_str).collect();
    sandbox.perfgate(&[&["compare", "--head", "head.json"], &base[..], more].concat())
}

#[test]
fn a_gate_that_passes_next_to_a_slower_suite_says_so_everywhere() {
    let sandbox = Sandbox::new();
    let headline = "PASS: no regression in 20 benchmarks; most benchmarks are about 14.5% slower: re-measure";
    let next = "Next: Re-measure base and head in turn (`perfgate measure --base REV -- COMMAND`; REV: the commit of base, COMMAND: your \
                benchmark command, such as `cargo bench`): the machine may be the cause.";
    for view in [&[][..], &["--format", "markdown"], &["--template", "comment"], &["--template", "summary"]] {
        let answer = shifted(&sandbox, 1.0, view);
        answer.exits(0).prints(headline).prints(next).does_not_print("✅ perfgate");
        // A faster suite is no reason to doubt that nothing regressed.
        let answer = shifted(&sandbox, 0.76, view);
        answer.exits(0).prints("PASS: no regression in 20 benchmarks; most benchmarks are about 13.0% faster\n");
        answer.does_not_print("Next:").does_not_print("❔");
    }
    shifted(&sandbox, 1.0, &["--template", "comment"])
        .prints("- most benchmarks are about 14.5% slower (20 compared).");
    shifted(&sandbox, 1.0, &["--format", "junit"]).prints(headline);
    shifted(&sandbox, 1.0, &[]).prints("20 unchanged (within the threshold with and without the shift)");
    shifted(&sandbox, 1.0, &["--template", "library"])
        .prints("20 of 20 unchanged or improved; most benchmarks are about 14.5% slower")
        .does_not_print("- [x] No regression");
    shifted(&sandbox, 1.0, &["--html", "page.html"]);
    assert!(sandbox.read("page.html").contains(&format!("<h1 class=\"open\">{headline}</h1>")));
}

#[test]
fn of_several_shifts_the_worst_is_named_and_an_accepted_one_is_settled() {
    let sandbox = Sandbox::new();
    shifted(&sandbox, 1.0, &["--save", "saved.json"]);
    let mut saved: Value = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let shift = |metric: &str, by: f64| json!({"metric": metric, "direction": "lower", "shift": by, "treatment": "in-every-run"});
    saved["shifts"] = json!([shift("time", -0.3), shift("memory:peak", 0.6), shift("allocations", 0.2)]);
    let open =
        |saved: &Value| UnsubtractedShift::of(&serde_json::from_value::<Report>(saved.clone()).unwrap()).unwrap();
    assert_eq!((saved["verdict"].as_str(), &*open(&saved).shift.metric), (Some("pass"), "memory:peak"));
    assert!(open(&saved).needs_re_measuring);
    saved["counts"]["accepted"] = 1.into();
    assert!(!open(&saved).needs_re_measuring);
}

#[test]
fn a_failing_headline_counts_what_is_inconclusive() {
    let sandbox = Sandbox::new();
    let noise = |run: usize| move |at: usize| 1.0 + 0.05 * ((at * 7 + run * 3) % 5) as f64;
    let slow = |at: usize| [20.0, 1.6, 1.7, 1.65].get(at).copied().unwrap_or(1.0);
    let (base, head) = (times(12, noise(0)), times(12, |at| noise(1)(at) * slow(at)));
    let json = compared(&sandbox, &base, &head, &["--format", "json"]).json();
    let rows = json["benchmarks"].as_array().unwrap();
    let open: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "inconclusive").collect();
    let suspects = open.iter().filter(|row| row["suspect"] == true).count();
    assert!(suspects > 2 && open.len() > suspects);
    let expected = format!("FAIL: 1 regressed; {} of 12 benchmarks inconclusive ({suspects} suspected)", open.len());
    let answer = compared(&sandbox, &base, &head, &[]);
    assert!(answer.exits(1).stdout.starts_with(&expected), "{expected}: {}", answer.stdout);
    // The failure does not depend on the shift, so the headline does not ask to re-measure.
    assert!(!answer.stdout.lines().next().unwrap().contains("re-measure"), "{}", answer.stdout);
    // If that fails the gate, it is not repeated.
    let answer = compared(&sandbox, &base, &head, &["--fail-on", "regressed,inconclusive"]);
    assert!(answer.stdout.starts_with(&format!("FAIL: 1 regressed, {} inconclusive", open.len())), "{}", answer.stdout);
    answer.does_not_print("of 12 benchmarks inconclusive");
}

#[test]
fn a_legend_names_the_columns_that_do_not_fit() {
    let sandbox = Sandbox::new();
    let name = |side: f64| measured(&"long/name/".repeat(6), "time:p95", "ns", &samples(900.0 * side, 1000.0 * side));
    sandbox.write("base.json", run(&[name(1.0)])).write("head.json", run(&[name(3.0)]));
    sandbox.perfgate(&["compare", "base.json", "head.json", "--save", "saved.json"]);
    let report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let shown = |width| {
        let options = perfgate::render::TableOptions { all: false, width };
        anstream::adapter::strip_str(&perfgate::render::table(&report, options)).to_string()
    };
    let narrow = shown(Some(60)).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(narrow.contains("not shown at this width: q"), "{narrow}");
    // The interval is below its row and still has its legend.
    assert!(narrow.contains("95% CI ") && narrow.contains("CI: confidence interval of the change"), "{narrow}");
    assert!(!shown(None).contains("not shown"), "{}", shown(None));
}

#[test]
fn a_legend_says_that_an_interval_without_0_is_not_corrected() {
    let sandbox = Sandbox::new();
    compared(&sandbox, &with_edge(900.0, 1000.0), &with_edge(910.0, 1010.0), &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let views = |report: &Report| {
        let options = perfgate::render::TableOptions { all: true, width: None };
        let table = perfgate::render::table(report, options);
        [table, perfgate::render::markdown(report, true), perfgate::render::report_page(report)]
    };
    let sentence = "corrected for the number of tests; the CI of a change within the threshold is not corrected";
    assert!(views(&report).iter().all(|text| !text.contains(sentence)));
    (report.benchmarks[0].interval, report.benchmarks[0].q) = (Some([0.004, 0.05]), Some(0.13));
    for text in views(&report) {
        assert!(text.contains(sentence), "{text}");
    }
}

#[test]
fn the_method_counts_what_was_tested() {
    let sandbox = Sandbox::new();
    let count = |benchmark: &str, metric: &str, value: f64| {
        let exact = metric == "allocations";
        json!({"tool": "t", "benchmark": benchmark, "metric": metric, "unit": "count", "direction": "lower",
            "exact": exact, "replicates": [{"value": value}]})
    };
    let side = |by: f64| [times(3, |_| by), vec![count("b00", "allocations", 5.0)]].concat();
    let answer = compared(&sandbox, &side(1.0), &side(1.01), &[]);
    answer.prints("5% false discovery rate across 3 metrics (`allocations` is an exact count and needs no test)");
    let side = |by: f64, faults: f64| {
        let counts = [count("b01", "allocations", 5.0), count("b02", "errors", 0.0), count("b02", "faults", faults)];
        [side(by), counts.to_vec()].concat()
    };
    let views = [&[][..], &["--format", "json"]];
    let [answer, json] = views.map(|view| compared(&sandbox, &side(1.0, 3.0), &side(1.01, 5.0), view));
    answer.prints("across 3 of 7 metrics (the others: 2 exact counts, 1 with few events, 1 with a value of zero)");
    // Without the reasons, as in the files of older versions.
    let mut report: Report = serde_json::from_value(json.json()).unwrap();
    report.benchmarks.iter_mut().for_each(|finding| finding.without_q = None);
    let text = perfgate::render::markdown(&report, false);
    assert!(text.contains("across 3 of 7 metrics (the others without a test)"), "{text}");
    let answer = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 1.01), &[]);
    answer.prints("5% false discovery rate across 3 benchmarks\n");
}

#[test]
fn a_fold_of_the_comment_counts_benchmarks_with_their_metrics() {
    let sandbox = Sandbox::new();
    let of = |name: &str| ["time", "time:p95"].map(|metric| measured(name, metric, "ns", &[1000.0])).to_vec();
    let (base, head) = ([of("kept"), of("gone"), of("old")].concat(), [of("kept"), of("new")].concat());
    let answer = compared(&sandbox, &base, &head, &["--template", "comment"]);
    answer.prints("<summary>Removed: 2 (4 metrics), added: 1 (2 metrics)</summary>");
}

#[test]
fn a_change_that_the_floor_keeps_from_being_a_finding_does_not_move_the_mean() {
    let sandbox = Sandbox::new();
    let side = |ns: f64| [times(9, |_| 1.0), vec![measured("empty", "time", "ns", &[ns])]].concat();
    let json = compared(&sandbox, &side(0.001), &side(0.006), &["--format", "json"]).json();
    let mean = json["mean_change"]["change"].as_f64().unwrap();
    assert!(mean.abs() < 1e-9, "{mean}");
}

#[test]
fn what_failed_in_base_too_has_its_own_advice() {
    let sandbox = Sandbox::new();
    let suite = |failed: &[&str]| {
        let case = |name: &str| match failed.contains(&name) {
            true => format!(r#"<testcase classname="c" name="{name}" time="0.5"><failure message="x"/></testcase>"#),
            false => format!(r#"<testcase classname="c" name="{name}" time="0.5"/>"#),
        };
        let cases: String = ["a", "b", "c"].into_iter().map(case).collect();
        format!(r#"<testsuites><testsuite name="s" tests="3">{cases}</testsuite></testsuites>"#)
    };
    let next = |base: &[&str], head: &[&str]| {
        sandbox.write("base.xml", suite(base)).write("head.xml", suite(head));
        sandbox.perfgate(&["compare", "base.xml", "head.xml"])
    };
    next(&["a"], &["a"]).exits(1).prints(
        "Next: The failed benchmark failed in base too: fix it, do not run it, or leave `failed` out of `fail-on` in perfgate.toml.",
    );
    next(&["a"], &["a", "b"]).prints("Next: Fix the failed benchmarks. In base, \"c::a\" failed too.");
    next(&[], &["a"]).prints("Next: Fix the failed benchmark.\n");
}

#[test]
fn the_next_step_names_facts_that_differ() {
    let sandbox = Sandbox::new();
    let google = |build: &str, ns: f64| {
        let one = |at: u32| {
            let ns = if at == 0 { ns } else { 1000.0 * f64::from(at) };
            json!({"name": format!("b{at}"), "run_type": "iteration", "iterations": 1000, "real_time": ns, "cpu_time": ns, "time_unit": "ns"})
        };
        json!({"context": {"num_cpus": 2, "mhz_per_cpu": ns as u32, "library_build_type": build},
            "benchmarks": (0..20).map(one).collect::<Vec<_>>()})
        .to_string()
    };
    sandbox.write("base.json", google("release", 1000.0)).write("head.json", google("debug", 1500.0));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--fail-on", "inconclusive"]);
    answer.prints("Next: Measure base and head with the same build-type: the difference may be the cause.");
    sandbox.write("head.json", google("debug", 90_000.0));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer
        .exits(1)
        .prints("Next: Measure base and head with the same build-type first: the difference may be the cause. Make");
}

#[test]
fn the_next_step_has_the_number_of_runs() {
    let sandbox = Sandbox::new();
    let answer = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 1.1), &[]);
    answer
        .exits(0)
        .prints("Next: Re-measure the suspected benchmarks: either `perfgate measure --base REV -- COMMAND`, which ");
    answer.prints(", or about ").prints("more runs per side with further `--base` and `--head`.");
    answer.does_not_print("The notes estimate").does_not_print("undecided");
}

#[test]
fn several_things_to_do_are_a_list() {
    let sandbox = Sandbox::new();
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = 'b00'\nmetric = 'time'\ntarget = '<1500ns'\n");
    let (base, head) = (times(9, |_| 1.0), times(9, |at| if at < 2 { 2.0 } else { 1.0 }));
    let regressed =
        "- regressed (\"b00\" and \"b01\"): make them faster, or accept them in perfgate.toml (`[[accept]]`).";
    let budget = "- over budget (\"b00\"): bring it within its limit, or change the limit in perfgate.toml; accepting regressions does not \
                  change budgets.\n";
    let answer = compared(&sandbox, &base, &head, &["--save", "saved.json", "--html", "page.html"]);
    let table =
        format!("\nNext:\n{regressed} `--template comment` prints the entries to copy.\n{budget}FAIL: 2 regressed");
    answer.exits(1).prints(&table);
    compared(&sandbox, &base, &head, &["--format", "markdown"])
        .prints(&format!("\nNext:\n\n{regressed}"))
        .prints(budget);
    let comment = compared(&sandbox, &base, &head, &["--template", "comment"]);
    comment.prints(&format!("\nNext:\n\n{regressed} The entries to copy are under “")).prints(budget);
    compared(&sandbox, &base, &head, &["--template", "summary"]).prints(&format!("\nNext:\n\n{regressed}\n{budget}"));
    assert!(sandbox.read("page.html").contains("<p>Next:</p>\n<ul>\n<li>regressed ("), "{}", sandbox.read("page.html"));
    // In a text of one paragraph, the same are sentences.
    let report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let next = perfgate::render::next_step(&report).unwrap();
    assert!(next.starts_with("Make the regressed benchmarks faster, or accept them"), "{next}");
    assert!(next.contains("(`[[accept]]`). Bring the value that is over budget within its limit"), "{next}");
    // Later lines of an item are indented, and all of them fit.
    let options = perfgate::render::TableOptions { all: false, width: Some(80) };
    let table = anstream::adapter::strip_str(&perfgate::render::table(&report, options)).to_string();
    let (_, list) = table.split_once("\nNext:\n").unwrap();
    let lines: Vec<&str> = list.lines().filter(|line| !line.starts_with("FAIL")).collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{list}");
    assert!(lines.iter().all(|line| line.starts_with("- ") || line.starts_with("  ")), "{list}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("- ")).count(), 2, "{list}");
}

#[test]
fn several_metrics_of_one_benchmark_are_called_metrics() {
    let sandbox = Sandbox::new();
    let of = |at: usize, by: f64| {
        ["time", "time:p95"].map(|metric| measured(&format!("b{at}"), metric, "ns", &[1000.0 * by])).to_vec()
    };
    let side = |by: f64| -> Vec<Value> { (0..9).flat_map(|at| of(at, if at == 0 { by } else { 1.0 })).collect() };
    let answer = compared(&sandbox, &side(1.0), &side(2.0), &[]);
    answer.exits(1).prints("FAIL: 2 metrics regressed\n");
    answer.prints("Next: Improve the regressed metrics, or accept them in perfgate.toml");
}

#[test]
fn notes_start_below_the_names() {
    let sandbox = Sandbox::new();
    let json = compared(&sandbox, &with_edge(900.0, 1300.0), &with_edge(1400.0, 1100.0), &["--format", "json"]).json();
    let report: Report = serde_json::from_value(json).unwrap();
    for width in [None, Some(80), Some(100)] {
        let options = perfgate::render::TableOptions { all: false, width };
        let table = anstream::adapter::strip_str(&perfgate::render::table(&report, options)).to_string();
        let lines: Vec<&str> = table.lines().collect();
        let name = lines.iter().find_map(|line| line.find("benchmark  ")).unwrap();
        let row = lines.iter().position(|line| line.starts_with("? inconclusive")).unwrap();
        let note = lines[row + 1];
        assert_eq!(note.len() - note.trim_start().len(), name + 2, "{table}");
    }
}

#[test]
fn a_legend_asks_to_re_measure_only_what_more_runs_may_decide() {
    let sandbox = Sandbox::new();
    compared(&sandbox, &times(1, |_| 1.0), &times(1, |_| 1.1), &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let shown = |report: &Report| perfgate::render::table(report, perfgate::render::TableOptions::default());
    assert!(shown(&report).contains("!: suspected regression, not proven: re-measure it"), "{}", shown(&report));
    report.benchmarks[0].runs_needed = None;
    let text = shown(&report);
    assert!(text.contains("!: suspected regression, not proven") && !text.contains("re-measure it"), "{text}");
}

#[test]
fn a_legend_explains_a_regression_whose_interval_contains_the_threshold() {
    let sandbox = Sandbox::new();
    let (base, head) = (times(9, |_| 1.0), times(9, |at| if at < 1 { 2.0 } else { 1.0 }));
    let legend = "regressed: the change is over the threshold and its CI excludes 0 (the CI may contain the threshold)";
    compared(&sandbox, &base, &head, &["--save", "saved.json"]).exits(1).does_not_print(legend);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    report.benchmarks[0].interval = Some([0.15, 1.6]);
    let table = perfgate::render::table(&report, perfgate::render::TableOptions::default());
    for text in [table, perfgate::render::markdown(&report, false), perfgate::render::report_page(&report)] {
        assert!(text.contains(legend), "{text}");
    }
}

#[test]
fn a_legend_explains_the_column_of_rates() {
    let sandbox = Sandbox::new();
    let mut json = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 2.0), &["--format", "json"]).json();
    let shown = |json: &Value| {
        let report: Report = serde_json::from_value(json.clone()).unwrap();
        perfgate::render::table(&report, perfgate::render::TableOptions::default())
    };
    assert!(!shown(&json).contains("rate: "), "{}", shown(&json));
    json["benchmarks"][0]["work"] = json!({"amount": 4096.0, "unit": "bytes"});
    assert!(shown(&json).contains("rate: work per second in head"), "{}", shown(&json));
}

#[test]
fn the_mean_is_not_printed_next_to_a_shift_of_the_same_size() {
    let sandbox = Sandbox::new();
    for view in [&[][..], &["--format", "markdown"], &["--template", "comment"], &["--template", "summary"]] {
        shifted(&sandbox, 1.0, view).prints("suite-wide shift +14.5% in time").does_not_print("eometric mean");
    }
}

#[test]
fn a_shift_of_a_factor_is_printed_as_one_and_the_suspects_are_all() {
    let sandbox = Sandbox::new();
    let answer = shifted(&sandbox, 1.8, &[]);
    answer.exits(0).prints(" (all suspected); most benchmarks are slower by a factor of about 2.1: re-measure\n");
}

#[test]
fn advice_to_measure_has_the_whole_command() {
    let sandbox = Sandbox::new();
    let command = "`perfgate measure --base REV -- COMMAND`, which runs both sides again (REV: the commit of base, COMMAND: your \
                   benchmark command, such as `cargo bench`)";
    for view in [&[][..], &["--format", "markdown"], &["--template", "comment"], &["--template", "summary"]] {
        let answer = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 1.1), view);
        assert_eq!(answer.exits(0).stdout.matches(command).count(), 1, "{}", answer.stdout);
        let other = compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 5.0), view);
        other.exits(1).does_not_print("perfgate measure");
    }
    // The base is that of the comparison, if it is known.
    compared(&sandbox, &times(3, |_| 1.0), &times(3, |_| 1.1), &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    report.base.branch = Some("release/2".to_owned());
    let next = |report: &Report| perfgate::render::next_step(report).unwrap();
    assert!(next(&report).contains("`perfgate measure --base release/2 -- COMMAND`"), "{}", next(&report));
    report.base.branch = Some("--x; `y`".to_owned());
    assert!(next(&report).contains("`perfgate measure --base REV -- COMMAND`"), "{}", next(&report));
    // A report of `perfgate measure` has no other command to name.
    report.by_measure = true;
    assert!(!next(&report).contains("COMMAND"), "{}", next(&report));
}

#[test]
fn a_headline_names_the_worst_of_two_suspects_if_that_fits() {
    let sandbox = Sandbox::new();
    let answer = compared(&sandbox, &times(1, |_| 1.0), &times(1, |_| 1.1), &["--save", "saved.json"]);
    let first = "PASS, but 1 of 1 inconclusive (suspected: b00 +10.0%): too noisy for one run per side\n";
    assert!(answer.exits(0).stdout.starts_with(first) && answer.stdout.ends_with(first), "{}", answer.stdout);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let shown = |report: &Report| perfgate::render::markdown(report, true).lines().next().unwrap().to_owned();
    // Names are untrusted.
    for name in ["<img>", "[x](y)", "`b`", "@someone", "__b__", "https://example.org"] {
        name.clone_into(&mut report.benchmarks[0].name);
        assert!(shown(&report).contains("inconclusive (1 suspected): too noisy"), "{}", shown(&report));
    }
    report.benchmarks[0].name = "parser/of/long/documents/".repeat(5) + "small";
    let line = shown(&report);
    assert!(line.contains("(suspected: parser/") && line.contains("…") && line.contains("small +10.0%)"), "{line}");
    assert!(line.trim_start_matches("### ❔ perfgate: ").chars().count() <= 100, "{line}");
    let other = report.benchmarks[0].clone();
    report.benchmarks.push(other);
    "b1".clone_into(&mut report.benchmarks[1].name);
    report.benchmarks[1].change = Some(0.3);
    assert!(shown(&report).contains("2 of 2 inconclusive (2 suspected, the worst: b1 +30.0%)"), "{}", shown(&report));
    let third = report.benchmarks[0].clone();
    report.benchmarks.push(third);
    assert!(shown(&report).contains("3 of 3 inconclusive (all suspected)"), "{}", shown(&report));
}

#[test]
fn a_failing_headline_counts_few_inconclusive_benchmarks_too() {
    let sandbox = Sandbox::new();
    compared(&sandbox, &times(12, |_| 1.0), &times(12, |at| 1.0 + 0.001 * at as f64), &["--save", "saved.json"]);
    let mut report: Report = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    for finding in &mut report.benchmarks {
        (finding.outcome, finding.suspect) = (Outcome::Unchanged, false);
    }
    report.verdict = Verdict::Fail;
    report.reasons = vec![Reason::Outcome(Outcome::Regressed, 1)];
    report.benchmarks[0].outcome = Outcome::Regressed;
    report.benchmarks[1].outcome = Outcome::Inconclusive;
    let text = perfgate::render::markdown(&report, false);
    assert!(text.starts_with("### ❌ perfgate: FAIL: 1 regressed; 1 of 12 benchmarks inconclusive\n"), "{text}");
}

#[test]
fn a_change_that_is_a_factor_has_a_legend() {
    let sandbox = Sandbox::new();
    for view in [&[][..], &["--format", "markdown"], &["--template", "comment"]] {
        let answer = compared(&sandbox, &times(9, |_| 1.0), &times(9, |_| 12.0), view);
        answer.prints("12.0×: head takes 12.0 times as long as base");
        let answer = compared(&sandbox, &times(9, |_| 1.0), &times(9, |_| 2.0), view);
        answer.does_not_print(": head takes");
    }
    let rate = |by: f64| [measured("b", "throughput", "/s", &[1000.0 * by])];
    compared(&sandbox, &rate(1.0), &rate(12.0), &[]).prints("12.0×: head is 12.0 times base");
}

#[test]
fn the_mean_of_all_times_is_for_information() {
    let sandbox = Sandbox::new();
    let answer = compared(&sandbox, &times(9, |_| 1.0), &times(9, |at| 1.0 + 0.01 * at as f64), &[]);
    answer.prints("\nfor information: geometric mean of all times +").prints("% (95% CI over the benchmarks: +");
    let slower = times(9, |at| 1.0 + 0.01 * at as f64);
    let comment = compared(&sandbox, &times(9, |_| 1.0), &slower, &["--template", "comment"]);
    comment.prints("\nFor information: geometric mean of all times +");
    comment.prints("% (95% CI over the benchmarks: +");
}

#[test]
fn a_failing_gate_names_a_shift_that_every_run_has() {
    let sandbox = Sandbox::new();
    let mut args = vec!["compare".to_owned()];
    for (side, factor) in [("base", 1.0), ("head", 1.35)] {
        for number in 0..4 {
            let noise = |at: usize| factor * (1.0 + 0.002 * ((at * 7 + number * 3) % 5) as f64);
            let file = format!("{side}{number}.json");
            sandbox.write(&file, run(&times(12, noise)));
            args.extend([format!("--{side}"), file]);
        }
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sandbox
        .perfgate(&args)
        .exits(1)
        .prints("FAIL: 12 regressed; most benchmarks are about 35.0% slower in every run: re-measure\n")
        .prints("- suite-wide shift: re-measure base and head in turn (`perfgate measure --base REV -- COMMAND`;")
        .prints("the machine may be the cause.\n");
}

#[test]
fn a_time_of_zero_needs_a_longer_measurement_and_not_more_runs() {
    let sandbox = Sandbox::new();
    let side = |zero: f64| [times(2, |_| 1.0), vec![measured("zero", "time", "ns", &[zero])]].concat();
    compared(&sandbox, &side(0.0), &side(5.5), &[])
        .exits(0)
        .prints("Next: Measure longer, or repeat the operation within each sample: \"zero\" has a time of zero.\n");
}

#[test]
fn zeros_of_a_metric_without_a_better_direction_are_not_judged() {
    let sandbox = Sandbox::new();
    let side = |values: &[f64]| {
        let mut metric = measured("b", "widgets", "widgets", values);
        metric.as_object_mut().unwrap().remove("direction");
        [metric]
    };
    let few = [0.0, 0.0, 0.0, 4.0, 5.0];
    let row = &compared(&sandbox, &side(&few), &side(&[3.5; 5]), &["--format", "json"]).json()["benchmarks"][0];
    assert_eq!((&row["not_tested"], &row["suspect"]), (&"unknown-direction".into(), &false.into()), "{row}");
}

#[test]
fn the_newest_base_run_is_compared_with_and_without_an_unexplained_shift() {
    let sandbox = Sandbox::new();
    let mut args = vec!["compare".to_owned()];
    // In the newest of five base runs, one benchmark is 17% slower. All of head is 14% slower, and that benchmark 48%.
    for number in 0..6 {
        let noise = |at: usize| 1.0 + 0.002 * ((at * 7 + number * 3) % 5) as f64;
        let factor = |at: usize| match (number, at) {
            (4, 3) => 1.17,
            (5, 3) => 1.14 * 1.3,
            (5, _) => 1.14,
            _ => 1.0,
        };
        let (file, side) = (format!("run{number}.json"), if number < 5 { "--base" } else { "--head" });
        let of_run = |at: usize, name: String| {
            let samples: Vec<f64> =
                (0..40).map(|i| 1000.0 * factor(at) * noise(at) * (1.0 + 1e-4 * f64::from(i % 9))).collect();
            measured(&name, "time", "ns", &samples)
        };
        sandbox.write(&file, run(&(0..12).map(|at| of_run(at, format!("b{at:02}"))).collect::<Vec<_>>()));
        args.extend([side.to_owned(), file]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sandbox.perfgate(&args).exits(0).prints(
        "the newest base run shows at least half of the change, with the suite-wide shift or without it, so it may come from base",
    );
}
