//! What a terminal of a certain width shows, and which benchmarks are listed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Scene;
use perfgate::render::{TableOptions, table};
use perfgate::verdict::{Outcome, Report};
use unicode_width::UnicodeWidthStr;

const LONG: &str = "server/routing/middleware/authenticate_and_authorize_every_request/with_10000_users/64";

/// Undecided benchmarks with long names, a regression, and warnings.
fn noisy(count: u32) -> Scene {
    let scene = Scene::new();
    for i in 0..count {
        let name = format!("{i:04}/{LONG}");
        let factor = 1.0 + 0.004 * f64::from(i % 60);
        scene.bench("base", &name, 1000.0, 1).bench("head", &name, 1000.0 * factor, 2);
    }
    scene.bench("base", "kurz/性能", 1000.0, 1).bench("head", "kurz/性能", 3000.0, 2);
    scene.bench("head", "new", 1.0, 2);
    scene
}

fn report(scene: &Scene, args: &[&str]) -> Report {
    let args = [&["compare", "base", "head", "--save", "c.json"], args].concat();
    scene.perfgate(&args);
    serde_json::from_str(&scene.read("c.json")).unwrap()
}

fn shown(report: &Report, width: Option<usize>) -> String {
    anstream::adapter::strip_str(&table(report, TableOptions { all: false, width })).to_string()
}

#[test]
fn every_line_fits_the_terminal() {
    let scene = noisy(40);
    scene.write("budgets.toml", "[[budget]]\nmatch = '*/64'\nmetric = 'time'\ntarget = '<900ns'\n");
    let report = report(&scene, &["--config", "budgets.toml"]);
    for width in [60, 80, 100, 140] {
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
    let scene = noisy(200);
    let mut report = report(&scene, &[]);
    for finding in report.benchmarks.iter_mut().filter(|finding| finding.name.ends_with(LONG)) {
        (finding.outcome, finding.within) = (Outcome::Inconclusive, None);
    }
    let text = shown(&report, None);
    let count = |outcome: &str| text.lines().filter(|line| line.contains(outcome) && line.contains(LONG)).count();
    assert!(text.lines().count() < 60, "{text}");
    assert_eq!(count("inconclusive"), 10, "{text}");
    assert!(text.contains("0059/") && !text.contains("0001/"), "{text}");
    assert!(text.contains("190 more benchmarks inconclusive (--all lists them)"), "{text}");
    let all = scene.perfgate(&["compare", "base", "head", "--all"]).stdout;
    assert!(all.matches(LONG).count() >= 200);
}

#[test]
fn the_legend_explains_only_what_is_there() {
    let scene = Scene::new();
    scene.bench("base", "a", 1000.0, 1).bench("head", "a", 3000.0, 2);
    let report = report(&scene, &[]);
    let text = shown(&report, None);
    assert!(text.contains("CI: confidence interval of the change; q: corrected p value"), "{text}");
    assert!(!text.contains("!: "), "{text}");
    assert!(!shown(&report, Some(50)).contains("q: "));
}
