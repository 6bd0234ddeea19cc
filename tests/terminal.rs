//! What a terminal of a certain width shows, and which benchmarks are listed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;
use perfgate::render::{TableOptions, table};
use perfgate::verdict::{Outcome, Report};
use unicode_width::UnicodeWidthStr;

const LONG: &str = "server/routing/middleware/authenticate_and_authorize_every_request/with_10000_users/64";

/// Undecided benchmarks with long names, a regression, and warnings.
fn noisy(count: u32) -> Sandbox {
    let sandbox = Sandbox::new();
    for i in 0..count {
        let name = format!("{i:04}/{LONG}");
        let factor = 1.0 + 0.004 * f64::from(i % 60);
        sandbox.bench("base", &name, 1000.0, 1).bench("head", &name, 1000.0 * factor, 2);
    }
    sandbox.bench("base", "kurz/性能", 1000.0, 1).bench("head", "kurz/性能", 3000.0, 2);
    sandbox.bench("head", "new", 1.0, 2);
    sandbox
}

fn report(sandbox: &Sandbox, args: &[&str]) -> Report {
    let args = [&["compare", "base", "head", "--save", "c.json"], args].concat();
    sandbox.perfgate(&args);
    serde_json::from_str(&sandbox.read("c.json")).unwrap()
}

fn shown(report: &Report, width: Option<usize>) -> String {
    anstream::adapter::strip_str(&table(report, TableOptions { all: false, width })).to_string()
}

#[test]
fn every_line_fits_the_terminal() {
    let sandbox = noisy(40);
    sandbox.write("budgets.toml", "[[budget]]\nmatch = '*/64'\nmetric = 'time'\ntarget = '<900ns'\n");
    let report = report(&sandbox, &["--config", "budgets.toml"]);
    for width in [60, 72, 80, 100, 120, 140] {
        let text = shown(&report, Some(width));
        for line in text.lines() {
            assert!(line.width() <= width, "{width} columns: {line}");
        }
        assert!(text.contains("kurz/性能") && text.contains("sers/64"), "{text}");
    }
    // A pipe has no limit.
    assert!(shown(&report, None).contains(LONG));
}

#[test]
fn long_names_and_metrics_leave_room_for_the_intervals() {
    let sandbox = Sandbox::new();
    let side = |slower: f64| {
        let measurement = |i: u32, metric: &str, unit: &str| {
            let by = if i < 2 { slower } else { 1.0 };
            let samples: Vec<f64> =
                (0..20).map(|k| 52_428_800.0 * by * (1.0 + 0.002 * f64::from((k * 7 + i) % 20))).collect();
            serde_json::json!({"tool": "t", "benchmark": format!("{i:04}/{LONG}"), "metric": metric, "unit": unit,
                "direction": "lower", "replicates": [{"samples": samples}]})
        };
        let all: Vec<_> =
            (0..10).flat_map(|i| [measurement(i, "time:p95", "ns"), measurement(i, "memory:peak", "B")]).collect();
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    sandbox.write("base", side(1.0)).write("head", side(1.55));
    let report = report(&sandbox, &[]);
    for width in [60, 72, 80, 100, 120] {
        let text = shown(&report, Some(width));
        assert!(text.lines().all(|line| line.width() <= width), "{width} columns: {text}");
        let titles = text.lines().find(|line| line.contains("benchmark ")).unwrap();
        assert_eq!(titles.contains("95% CI"), width >= 100, "{width} columns: {text}");
        // Where it has no column, the interval is below its row.
        let is_below = text.lines().any(|line| line.trim_start().starts_with("95% CI +"));
        assert_eq!(is_below, width < 100, "{width} columns: {text}");
    }
}

#[test]
fn the_verdict_is_the_first_and_the_last_line() {
    let report = report(&noisy(40), &[]);
    for width in [None, Some(80)] {
        let text = shown(&report, width);
        assert!(text.starts_with("FAIL: 1 regressed"), "{text}");
        assert_eq!(text.lines().next(), text.lines().last());
    }
}

#[test]
fn of_many_undecided_benchmarks_the_ten_largest_are_listed() {
    let sandbox = noisy(200);
    let mut report = report(&sandbox, &[]);
    for finding in report.benchmarks.iter_mut().filter(|finding| finding.name.ends_with(LONG)) {
        (finding.outcome, finding.within) = (Outcome::Inconclusive, None);
    }
    let text = shown(&report, None);
    let count = |outcome: &str| text.lines().filter(|line| line.contains(outcome) && line.contains(LONG)).count();
    assert!(text.lines().count() < 60, "{text}");
    assert_eq!(count("inconclusive"), 10, "{text}");
    assert!(text.contains("0059/") && !text.contains("0001/"), "{text}");
    assert!(text.contains("190 more benchmarks inconclusive (--all lists them)"), "{text}");
    let all = sandbox.perfgate(&["compare", "base", "head", "--all"]).stdout;
    assert!(all.matches(LONG).count() >= 200);
}

#[test]
fn the_legend_explains_only_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox.bench("base", "a", 1000.0, 1).bench("head", "a", 3000.0, 2);
    let report = report(&sandbox, &[]);
    let text = shown(&report, None);
    assert!(
        text.contains("CI: confidence interval of the change; q: p value corrected for the number of tests"),
        "{text}"
    );
    assert!(!text.contains("!: "), "{text}");
    assert!(!shown(&report, Some(50)).contains("q: "));
}

/// Twelve removed benchmarks, which fail the gate, an improved one and an undecided one.
fn failing_on_removed() -> (Sandbox, Report) {
    let sandbox = Sandbox::new();
    for i in 0..12 {
        sandbox.bench("base", &format!("gone{i:02}"), 1000.0, 1);
    }
    for i in 0..15 {
        let name = format!("kept{i:02}");
        let factor = if i == 0 { 0.5 } else { 1.0 };
        sandbox.bench("base", &name, 1000.0, 1).bench("head", &name, 1000.0 * factor, 2);
    }
    let report = report(&sandbox, &["--fail-on", "removed"]);
    (sandbox, report)
}

#[test]
fn what_fails_the_gate_is_listed_first_and_completely() {
    let (_, report) = failing_on_removed();
    let text = shown(&report, None);
    assert!(text.starts_with("FAIL: 12 removed"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("  gone") || line.contains("kept00")).collect();
    assert_eq!(rows.len(), 13, "{text}");
    assert!(rows[..12].iter().all(|row| row.contains("gone")) && rows[12].contains("improved"), "{text}");
    // In red, as a regression is.
    let styled = table(&report, TableOptions::default());
    assert!(styled.contains("\u{1b}[31m- removed"), "{styled}");
}

#[test]
fn the_next_step_stands_above_the_last_line_if_there_is_one() {
    let (_, report) = failing_on_removed();
    let lines = |report: &Report| shown(report, None).lines().map(str::to_owned).collect::<Vec<_>>();
    let failing = lines(&report);
    assert_eq!(failing[failing.len() - 2], "Next: Check that the benchmarks were removed on purpose.");
    let passing = Sandbox::new();
    passing.bench("base", "a", 1000.0, 1).bench("head", "a", 1000.0, 2);
    passing.perfgate(&["compare", "base", "head"]).exits(0).prints("PASS: no regression").does_not_print("Next:");
    let regressed = noisy(2);
    regressed.perfgate(&["compare", "base", "head"]).exits(1).prints(
        "\nNext: Make the regressed benchmark faster, or accept it in perfgate.toml (`[[accept]]`). `--template comment` prints the entry to copy.\nFAIL: 1 regressed",
    );
}
