//! Documents of large suites: what is listed and what is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// A comparison of many benchmarks, `regressed` of which regressed.
fn large(sandbox: &Sandbox, benchmarks: usize, regressed: usize) {
    sandbox
        .bench("old", "a", 1000.0, 1)
        .bench("new", "a", 2000.0, 2)
        .bench("old", "b", 1000.0, 1)
        .bench("new", "b", 1000.0, 2);
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(1);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    let list = report["benchmarks"].as_array().unwrap().clone();
    let made = (0..benchmarks).map(|at| {
        let mut finding = list[usize::from(at >= regressed)].clone();
        let kind = if at < regressed { "regressed" } else { "unchanged" };
        finding["outcome"] = kind.into();
        finding["name"] = format!("group/of/benchmarks/number_{at:05}").into();
        finding
    });
    report["benchmarks"] = made.collect();
    report["counts"]["regressed"] = regressed.into();
    report["counts"]["unchanged"] = (benchmarks - regressed).into();
    report["counts"]["inconclusive"] = 0.into();
    sandbox.write("comparison.json", report.to_string());
}

#[test]
fn regressions_that_do_not_fail_the_gate_are_listed_or_counted_in_a_reduced_document() {
    let sandbox = Sandbox::new();
    large(&sandbox, 6000, 6000);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for (at, finding) in report["benchmarks"].as_array_mut().unwrap().iter_mut().enumerate() {
        let (outcome, kind) = match at {
            0..2500 => ("regressed", "regressed"),
            2500..5000 => ("inconclusive", "undecided"),
            _ => ("improved", "improved"),
        };
        finding["outcome"] = outcome.into();
        finding["name"] = format!("group/{kind}_{at}").into();
    }
    report["counts"]["regressed"] = 2500.into();
    report["counts"]["inconclusive"] = 2500.into();
    report["counts"]["improved"] = 1000.into();
    report["failed_on"] = serde_json::json!([{"on": "inconclusive", "count": 2500}]);
    sandbox.write("comparison.json", report.to_string());
    for template in ["summary", "comment"] {
        let text = render(&sandbox, template);
        let rows = |kind: &str| {
            let name = format!("| `group/{kind}_");
            text.lines().filter(|line| line.starts_with("| ") && line.contains(&name)).count()
        };
        let more = |words: &str| -> usize {
            let line =
                text.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("no {words:?} in {text}"));
            line.split(' ').next().unwrap().replace(',', "").parse().unwrap()
        };
        let (regressed, undecided) = (rows("regressed"), rows("undecided"));
        assert!(regressed >= 10 && undecided >= 10, "{template}: {regressed}, {undecided}");
        assert_eq!(regressed + more(" more regressions not shown"), 2500, "{template}");
        assert_eq!(undecided + more(" more rows that fail the gate not shown"), 2500, "{template}");
        assert!(text.contains("Not listed: 1,000 benchmarks improved."), "{text}");
    }
}

#[test]
fn with_5000_benchmarks_every_regression_is_listed() {
    let sandbox = Sandbox::new();
    large(&sandbox, 5000, 40);
    for template in ["pr", "library", "issue", "report", "comment", "summary"] {
        let document = render(&sandbox, template);
        assert!(document.chars().count() <= 65_536, "{template}: {}", document.chars().count());
        assert!(document.contains("FAIL: 1 regressed"), "{template}");
        for at in 0..40 {
            assert!(document.contains(&format!("number_{at:05}")), "{template} cuts regression {at}");
        }
    }
    assert!(render(&sandbox, "summary").contains("Not listed: 4,960 benchmarks unchanged."));
    // The sample statistics do not fit, which the document notes.
    assert!(render(&sandbox, "pr").contains("Not shown (length limit): "));
}

#[test]
fn regressions_that_do_not_fit_are_counted() {
    let sandbox = Sandbox::new();
    large(&sandbox, 5000, 5000);
    for template in ["pr", "library", "issue", "report", "comment", "summary"] {
        let document = render(&sandbox, template);
        assert!(document.chars().count() <= 65_536, "{template}: {}", document.chars().count());
        assert!(document.contains("number_00000") && document.contains(" more"), "{template}");
    }
}

#[test]
fn failing_rows_that_do_not_fit_are_counted() {
    let sandbox = Sandbox::new();
    large(&sandbox, 3000, 0);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for finding in report["benchmarks"].as_array_mut().unwrap() {
        (finding["outcome"], finding["head"]) = ("removed".into(), serde_json::Value::Null);
    }
    report["failed_on"] = serde_json::json!([{"on": "removed", "count": 3000}]);
    sandbox.write("comparison.json", report.to_string());
    for template in ["comment", "summary"] {
        let text = render(&sandbox, template);
        assert!(text.chars().count() <= 65_536, "{template}: {}", text.chars().count());
        let shown = text.lines().filter(|line| line.starts_with("| ➖")).count();
        assert!(shown >= 10, "{text}");
        let more = perfgate::model::number_text::thousands(3000 - shown);
        assert!(text.contains(&format!("{more} more rows that fail the gate not shown (")), "{shown}: {text}");
    }
}

#[test]
fn of_many_undecided_benchmarks_a_comment_has_the_ten_largest() {
    let sandbox = Sandbox::new();
    large(&sandbox, 60, 40);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for (at, finding) in report["benchmarks"].as_array_mut().unwrap().iter_mut().take(40).enumerate() {
        finding["outcome"] = "inconclusive".into();
        finding["change"] = (0.1 + 0.01 * (at as f64)).into();
    }
    report["counts"]["inconclusive"] = 40.into();
    report["counts"]["regressed"] = 0.into();
    sandbox.write("comparison.json", report.to_string());
    let text = render(&sandbox, "comment");
    assert!(text.contains("<summary>Inconclusive: 40, the largest 10 of them</summary>"), "{text}");
    assert!(text.contains("number_00039") && text.contains("number_00030") && !text.contains("number_00029"), "{text}");
    assert!(text.contains("Not listed: 30 more benchmarks inconclusive, 20 benchmarks unchanged."), "{text}");
}
