//! Tests of JUnit XML, CSV and the HTML page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Scene;

const HOSTILE: &str = "<script>alert(\"1\")</script>&'=cmd,\u{1b}[31m";

fn compared() -> Scene {
    let scene = Scene::new();
    for i in 0..10 {
        let name = format!("b{i}");
        scene.bench("base", &name, 1000.0 + f64::from(i), 1);
        scene.bench("head", &name, (1000.0 + f64::from(i)) * if i == 3 { 2.0 } else { 1.0 }, 2);
    }
    scene.bench("base", HOSTILE, 1000.0, 1).bench("head", HOSTILE, 2000.0, 2);
    scene.bench("base", "=SUM(A1)", 1000.0, 1).bench("head", "=SUM(A1)", 1000.0, 2);
    scene
}

#[test]
fn junit_has_a_case_for_each_benchmark_and_fails_with_the_gate() {
    let scene = compared();
    let answer = scene.perfgate(&["compare", "base", "head", "--format", "junit"]);
    // Twelve benchmarks and the gate. b3, the hostile name and the gate fail.
    answer.exits(1).says("<testsuites name=\"perfgate\" tests=\"13\" failures=\"3\"");
    answer.says(
        "<testcase classname=\"perfgate.time\" name=\"b3\">\n      <failure type=\"regressed\" message=\"regressed: ",
    );
    answer
        .says("name=\"&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;=cmd,")
        .does_not_say("<script")
        .does_not_say("\u{1b}");
    let open = answer.stdout.matches("<testcase").count();
    assert_eq!((open, answer.stdout.matches("</testcase>").count()), (13, 13));
    // A case fails only for a reason that fails the gate.
    let lenient = scene.perfgate(&["compare", "base", "head", "--format", "junit", "--fail-on", "budget"]);
    lenient.exits(0).says("failures=\"0\"").does_not_say("<failure");
}

#[test]
fn csv_has_a_line_for_each_benchmark_and_no_formula() {
    let answer = compared().perfgate(&["compare", "base", "head", "--format", "csv"]);
    let lines: Vec<&str> = answer.exits(1).stdout.lines().collect();
    assert_eq!(lines.len(), 13);
    let columns = lines[0].split(',').count();
    let b3 = lines.iter().find(|line| line.contains(",b3,")).unwrap();
    assert!(b3.starts_with("regressed,true,false,b3,time,criterion,ns,lower,"), "{b3}");
    assert_eq!(b3.split(',').count(), columns);
    answer.says("'=SUM(A1)").says("\"<script>alert(\"\"1\"\")</script>&'=cmd,").does_not_say("\u{1b}");
}

/// The text between two others.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn the_page_needs_no_network_and_shows_a_hostile_name_as_text() {
    let scene = compared();
    scene.perfgate(&["compare", "base", "head", "--html", "report.html"]).exits(1);
    let page = scene.read("report.html");
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // Two script elements: the data, which is not executed, and the script that the policy allows.
    assert_eq!(page.matches("<script").count(), 2);
    // In the data `<` is written as an escape, so that no name can end its element.
    assert!(page.contains(r#""\u003cscript>alert(\"1\")\u003c/script>&'=cmd,"#));
    for forbidden in [" onclick", " style=\"", "http://", "https://", " src=", "@import", "url("] {
        // The namespace of SVG is never fetched.
        let found = page.replace("\"http://www.w3.org/2000/svg\"", "").contains(forbidden);
        assert!(!found, "{forbidden}");
    }
    assert_eq!(rows(&page).len(), 12);
    assert!(page.contains("FAIL: 2 regressed") && page.contains("prefers-color-scheme: dark"));
    scene
        .perfgate(&["compare", "base", "head", "--html", "no/such/place.html"])
        .exits(2)
        .complains("no/such/place.html");
}

/// The rows in the data of a page.
fn rows(page: &str) -> Vec<serde_json::Value> {
    let data = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    data["rows"].as_array().unwrap().clone()
}

#[test]
fn a_page_of_a_thousand_benchmarks_is_smaller_than_400_kilobytes() {
    let scene = Scene::new();
    for i in 0..1000_u32 {
        let name = format!("group{}/a_benchmark_with_a_usual_name/{i}", i % 20);
        scene.bench("base", &name, 100.0 + f64::from(i), 1).bench("head", &name, 102.0 + f64::from(i), 2);
    }
    scene.perfgate(&["compare", "base", "head", "--html", "report.html"]);
    let page = scene.read("report.html");
    assert_eq!(rows(&page).len(), 1000);
    // 10,000 benchmarks are then smaller than 4 MB.
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn the_page_lists_budgets_expectations_and_both_machines() {
    let scene = Scene::new();
    let run = |cpu: &str, factor: f64| {
        let measurement = |name: &str, value: f64| serde_json::json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": [value]}]});
        let measurements =
            [measurement("missed", 1000.0 * factor), measurement("met", 100.0), measurement("goal", 500.0)];
        serde_json::json!({"format": "perfgate-run", "version": 1, "environment": {"cpu": cpu}, "measurements": measurements}).to_string()
    };
    scene.write("base.json", run("Intel Xeon 8370C", 1.0)).write("head.json", run("AMD EPYC 7763", 2.0));
    scene.write(
        "perfgate.toml",
        "[[budget]]\nmatch = 'm*'\nmetric = 'time'\ntarget = '<1.5us'\n[[goal]]\nmatch = 'goal'\nmetric = 'time'\nexpect = '-40%'\n",
    );
    scene.perfgate(&["compare", "base.json", "head.json", "--html", "report.html"]);
    let page = scene.read("report.html");
    let budget = between(&page, "<h2>Budgets</h2>", "</table>");
    assert!(
        budget.contains(
            "UNDECIDED</td><td class=\"name\">missed (time)<div class=\"notes\">within noise of the budget &lt;1.5us"
        ),
        "{budget}"
    );
    assert!(budget.contains("33.3% above"), "{budget}");
    assert!(page.contains("<summary>Budgets met: 1</summary>"));
    assert!(between(&page, "<h2>Expected and actual</h2>", "</table>").contains("goal (time)"));
    let machines = between(&page, "<h2>Machines</h2>", "</table>");
    assert!(machines.contains("<td>Intel Xeon 8370C</td><td>AMD EPYC 7763</td>"), "{machines}");
}
