//! The views for other programs: JUnit XML, CSV, and the page.

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
    // Ten plain ones, two odd ones, and the gate; b3, the hostile one and the gate fail.
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
    // What does not fail the gate fails no case.
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
