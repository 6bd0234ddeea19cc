//! Tests of JUnit XML, CSV and the HTML page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;

const HOSTILE: &str = "<script>alert(\"1\")</script>&'=cmd,\u{1b}[31m";

fn compared() -> Sandbox {
    let sandbox = Sandbox::new();
    for i in 0..10 {
        let name = format!("b{i}");
        sandbox.bench("base", &name, 1000.0 + f64::from(i), 1);
        sandbox.bench("head", &name, (1000.0 + f64::from(i)) * if i == 3 { 2.0 } else { 1.0 }, 2);
    }
    sandbox.bench("base", HOSTILE, 1000.0, 1).bench("head", HOSTILE, 2000.0, 2);
    sandbox.bench("base", "=SUM(A1)", 1000.0, 1).bench("head", "=SUM(A1)", 1000.0, 2);
    sandbox
}

#[test]
fn junit_has_a_case_for_each_benchmark_and_fails_with_the_gate() {
    let sandbox = compared();
    let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "junit"]);
    // Twelve benchmarks and the verdict. b3, the hostile name and the verdict fail.
    answer.exits(1).prints("<testsuites name=\"perfgate\" tests=\"13\" failures=\"3\"");
    answer.prints(
        "<testcase classname=\"perfgate.time\" name=\"b3\">\n      <failure type=\"regressed\" message=\"regressed: ",
    );
    answer
        .prints("name=\"&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;=cmd,")
        .does_not_print("<script")
        .does_not_print("\u{1b}");
    let open = answer.stdout.matches("<testcase").count();
    assert_eq!((open, answer.stdout.matches("</testcase>").count()), (13, 13));
    // The verdict is a case with a name of its own, which says why it fails and what to do.
    let verdict = between(&answer.stdout, "name=\"verdict on all benchmarks\">\n", "</testcase>");
    assert!(
        verdict.trim_start().starts_with("<failure type=\"gate\" message=\"FAIL: 2 regressed (threshold 20%"),
        "{verdict}"
    );
    let text = between(verdict, "\">", "</failure>");
    assert!(
        text.starts_with("FAIL: 2 regressed") && text.contains(". Next: Make the regressed benchmarks faster"),
        "{text}"
    );
    // A case fails only for a reason that fails the gate.
    let lenient = sandbox.perfgate(&["compare", "base", "head", "--format", "junit", "--fail-on", "budget"]);
    lenient.exits(0).prints("failures=\"0\"").does_not_print("<failure");
    lenient.prints("<system-out>PASS, but 2 regressed (not in fail-on)");
}

#[test]
fn every_view_marks_notes_as_notes() {
    let sandbox = compared();
    let note = "the files do not name a machine";
    sandbox.perfgate(&["compare", "base", "head", "--html", "page.html"]).exits(1).prints(&format!("note: {note}"));
    let markdown = sandbox.perfgate(&["compare", "base", "head", "--format", "markdown"]);
    markdown.exits(1).prints(&format!("- Note: {note}"));
    let page = sandbox.read("page.html");
    assert!(page.contains("<h2>Warnings and notes</h2>") && page.contains(&format!("Note: {note}")), "{page}");
}

#[test]
fn a_note_on_files_without_a_machine_has_a_way_to_store_it() {
    let sandbox = Sandbox::new();
    let run = |environment: &str| {
        let one = r#"{"benchmark": "b", "unit": "ns", "replicates": [{"samples": [100, 101, 102]}]}"#;
        format!(r#"{{"format": "perfgate-run", "version": 1, "environment": {environment}, "measurements": [{one}]}}"#)
    };
    sandbox.write("named.json", run(r#"{"cpu": "Xeon"}"#).replace("102", "104"));
    sandbox.write("one.json", run("{}")).write("two.json", run("{}").replace("102", "103"));
    for (base, head, files) in
        [("one", "two", "the files"), ("one", "named", "the files of base"), ("named", "two", "the files of head")]
    {
        let (base, head) = (format!("{base}.json"), format!("{head}.json"));
        sandbox.perfgate(&["compare", &base, &head, "--all"]).prints(&format!(
            "note: {files} do not name a machine; assuming both sides ran on the same one (`perfgate record` stores the machine with each run)\n"
        ));
    }
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
    answer.prints("'=SUM(A1)").prints("\"<script>alert(\"\"1\"\")</script>&'=cmd,").does_not_print("\u{1b}");
}

/// The text between two others.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn the_page_needs_no_network_and_shows_a_hostile_name_as_text() {
    let sandbox = compared();
    sandbox.perfgate(&["compare", "base", "head", "--html", "report.html"]).exits(1);
    let page = sandbox.read("report.html");
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
    sandbox
        .perfgate(&["compare", "base", "head", "--html", "no/such/place.html"])
        .exits(2)
        .reports("no/such/place.html");
}

/// The rows in the data of a page.
fn rows(page: &str) -> Vec<serde_json::Value> {
    let data = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    data["rows"].as_array().unwrap().clone()
}

#[test]
fn the_page_lists_first_what_fails_the_gate() {
    let sandbox = compared();
    sandbox.bench("base", "gone", 1000.0, 1);
    sandbox.perfgate(&["compare", "base", "head", "--fail-on", "removed", "--html", "report.html"]).exits(1);
    let rows = rows(&sandbox.read("report.html"));
    let kind = |row: usize| rows[row][1].as_u64().unwrap();
    // The two regressions, which pass here, come after it.
    assert_eq!((rows[0][0].as_str(), kind(1), kind(2)), (Some("gone"), 1, 1), "{rows:?}");
}

#[test]
fn the_page_has_q_with_at_least_five_digits() {
    let sandbox = compared();
    let json = sandbox.perfgate(&["compare", "base", "head", "--html", "report.html", "--format", "json"]).json();
    let rows = rows(&sandbox.read("report.html"));
    let mut compared = 0;
    for one in json["benchmarks"].as_array().unwrap() {
        let row = rows.iter().find(|row| row[0] == one["name"]);
        let (Some(row), Some(q)) = (row, one["q"].as_f64()) else { continue };
        assert!((row[11].as_f64().unwrap() / q - 1.0).abs() < 1e-5, "{row} {one}");
        compared += 1;
    }
    assert!(compared >= 5, "{json}");
}

#[test]
fn a_page_of_a_thousand_benchmarks_is_smaller_than_400_kilobytes() {
    let sandbox = Sandbox::new();
    for i in 0..1000_u32 {
        let name = format!("group{}/a_benchmark_with_a_usual_name/{i}", i % 20);
        sandbox.bench("base", &name, 100.0 + f64::from(i), 1).bench("head", &name, 102.0 + f64::from(i), 2);
    }
    sandbox.perfgate(&["compare", "base", "head", "--html", "report.html"]);
    let page = sandbox.read("report.html");
    assert_eq!(rows(&page).len(), 1000);
    // 10,000 benchmarks are then smaller than 4 MB.
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn the_page_lists_budgets_expectations_and_both_machines() {
    let sandbox = Sandbox::new();
    let run = |cpu: &str, factor: f64| {
        let measurement = |name: &str, value: f64| serde_json::json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": [value]}]});
        let measurements =
            [measurement("missed", 1000.0 * factor), measurement("met", 100.0), measurement("goal", 500.0)];
        serde_json::json!({"format": "perfgate-run", "version": 1, "environment": {"cpu": cpu}, "measurements": measurements}).to_string()
    };
    sandbox.write("base.json", run("Intel Xeon 8370C", 1.0)).write("head.json", run("AMD EPYC 7763", 2.0));
    sandbox.write(
        "perfgate.toml",
        "[[budget]]\nmatch = 'm*'\nmetric = 'time'\ntarget = '<1.5us'\n[[goal]]\nmatch = 'goal'\nmetric = 'time'\nexpect = '-40%'\n",
    );
    sandbox.perfgate(&["compare", "base.json", "head.json", "--html", "report.html"]);
    let page = sandbox.read("report.html");
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

/// A saved comparison with explanations of two regressions, written by hand: of `b3`, whose functions have hostile names, and of
/// the benchmark with a hostile name, whose instructions did not grow.
fn explained() -> Sandbox {
    let sandbox = compared();
    sandbox.perfgate(&["compare", "base", "head", "--save", "comparison.json"]).exits(1);
    let mut saved: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    let function = |name: &str, base: f64, head: f64, share: f64, status: &str| {
        serde_json::json!({"name": name, "file": "src/|<i>x\u{202e}.rs", "line": 21, "base": base, "head": head,
            "own": {"base": 0.0, "head": head}, "share": share, "status": status, "in_diff": status != "gone"})
    };
    let mut functions = vec![
        function(
            "@team [x](http://evil.example) `| <img src=x>\n::error::x\u{1b}[2J",
            1e6,
            1_400_000.0,
            0.8,
            "changed",
        ),
        function(&"long".repeat(500), 0.0, 80_000.0, 0.16, "new"),
    ];
    functions.extend((0..30).map(|i| function(&format!("small_{i}"), 1000.0, 1001.0, 0.001, "changed")));
    let explanation = |benchmark: &str, head: f64, functions: &[serde_json::Value]| {
        serde_json::json!({"format": "perfgate-explanation", "version": 1, "benchmark": benchmark, "metric": "instructions",
            "unit": "count", "summary": "not read", "base": {"label": "main", "value": 1_200_000.0},
            "head": {"label": "HEAD", "value": head}, "change": 0.0, "time_change": 1.0, "functions": functions,
            "notes": ["counted by <b>"]})
    };
    saved["explanations"] =
        serde_json::json!([explanation("b3", 1_700_000.0, &functions), explanation(HOSTILE, 1_200_100.0, &[])]);
    sandbox.write("comparison.json", saved.to_string());
    sandbox
}

#[test]
fn explanations_are_in_every_document_with_their_names_escaped() {
    let sandbox = explained();
    for template in ["comment", "summary", "pr", "library", "issue", "report"] {
        let answer = sandbox.perfgate(&["render", "comparison.json", "--template", template]);
        answer
            .exits(0)
            .prints("<summary>b3 executes 42% more instructions; 96% of the growth is in 2 functions</summary>");
        answer
            .prints("takes 100% more time, but executes as many instructions as base (0.0%): the cause is code layout");
        answer.prints("(in the diff) | <code>src/&#124;&#60;i&#62;x&#92;u&#123;202e&#125;.rs&#58;21</code> | 1,000,000 → 1,400,000 | +40.0% | 80% |");
        answer
            .prints("(new, in the diff)")
            .prints("small_2")
            .does_not_print("small_3")
            .prints("27 more functions not shown.");
        answer
            .does_not_print("<img")
            .does_not_print("<b>")
            .does_not_print("<i>")
            .does_not_print("\u{1b}")
            .does_not_print("\u{202e}");
        answer.does_not_print("@team [x]").does_not_print("\n::error").does_not_print(&"long".repeat(100));
    }
    // "Bottlenecks Identified" of an issue.
    let issue = sandbox.perfgate(&["render", "comparison.json", "--template", "issue"]);
    let bottlenecks = between(&issue.stdout, "### Bottlenecks Identified", "### Supporting Data");
    assert!(
        bottlenecks.contains("* **Impact:** 80% of the growth in instructions of b3 (perfgate explain)"),
        "{bottlenecks}"
    );
    assert!(bottlenecks.contains("21&#41;</code>") && !bottlenecks.contains("small_"), "{bottlenecks}");
    assert!(between(&issue.stdout, "### Profiling Tools Used", "###").contains("explanations: counted by &#60;b&#62;"));
}

#[test]
fn the_page_has_a_table_of_the_functions_that_changed() {
    let sandbox = explained();
    let comment = ["publish", "comparison.json", "--repository", "me/repo", "--pull", "1", "--dry-run"];
    sandbox.perfgate(&comment).exits(1).prints("b3 executes 42% more instructions").does_not_print("<img");
    sandbox.perfgate(&["render", "comparison.json", "--html", "page.html"]).exits(0);
    let page = sandbox.read("page.html");
    let section = between(&page, "<h2>Functions that changed</h2>", "<div class=\"tools\">");
    assert!(
        section.contains("<summary>b3 executes 42% more instructions; 96% of the growth is in 2 functions</summary>")
    );
    assert!(section.contains("<td class=\"number\">1,000,000</td><td class=\"number\">1,400,000</td>"), "{section}");
    assert!(
        section.contains("small_17")
            && !section.contains("small_18")
            && section.contains("12 more functions not listed")
    );
    assert!(section.contains("&lt;img src=x&gt;\\n::error") && section.contains("counted by &lt;b&gt;"), "{section}");
    for forbidden in ["<img", "<b>", "<i>", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 2);
}

/// Runs of synthetic benchmarks on a machine, in perfgate's format.
fn runs_of(cpu: &str, names: &[String], factor: f64) -> String {
    let measurement = |name: &String| serde_json::json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": [100.0 * factor]}]});
    let measurements: Vec<_> = names.iter().map(measurement).collect();
    serde_json::json!({"format": "perfgate-run", "version": 1, "environment": {"cpu": cpu}, "measurements": measurements}).to_string()
}

#[test]
fn a_gate_that_fails_on_other_machines_gives_the_reason_once() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..9).map(|at| format!("bench{at}")).collect();
    sandbox.write("base.json", runs_of("Xeon", &names, 1.0)).write("head.json", runs_of("EPYC", &names, 2.0));
    let compare =
        ["compare", "base.json", "head.json", "--fail-on", "environment", "--save", "c.json", "--html", "r.html"];
    let table = sandbox.perfgate(&compare);
    let verdict = "FAIL: base and head ran on different machines (cpu differs), and fail-on lists environment";
    table.exits(1).prints(verdict).prints("not compared, because the machines differ: cpu is \"Xeon\" in base");
    // In the first and in the last line.
    assert_eq!(table.stdout.matches("ran on different machines").count(), 2, "{}", table.stdout);
    assert_eq!(table.stdout.matches("on one machine").count(), 1, "{}", table.stdout);
    let comment = sandbox.perfgate(&["render", "c.json", "--template", "comment"]).exits(0).stdout.clone();
    assert!(comment.starts_with(&format!("### ❌ perfgate: {verdict}\n")), "{comment}");
    let next = "Next: Measure base and head on one machine (`perfgate measure --base REV -- COMMAND`; REV: the commit of base, COMMAND: your benchmark command";
    assert!(comment.contains(next), "{comment}");
    assert!(!comment.contains("- `bench0`"), "{comment}");
    let page = sandbox.read("r.html");
    let next = "<p>Next: Measure base and head on one machine (<code>perfgate measure --base REV -- COMMAND</code>; REV: the commit of base";
    assert!(page.contains(next), "{page}");
    let verdict = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    verdict.exits(2).prints("NO VERDICT: base and head ran on different machines (cpu differs)\n");
    assert_eq!((verdict.stdout.clone() + &verdict.stderr).matches("on one machine").count(), 1, "{}", verdict.stdout);
    assert!(!verdict.stderr.contains("--allow-missing-baseline"), "{}", verdict.stderr);
}

#[test]
fn a_long_name_breaks_in_the_tables_of_a_comment_and_stays_whole() {
    let sandbox = Sandbox::new();
    let name = "tokenizer::unicode::normalization/parse_very_large_documents";
    sandbox.write("base.json", runs_of("Xeon", &[name.to_owned()], 1.0));
    sandbox.write("head.json", runs_of("Xeon", &[name.to_owned()], 20.0));
    sandbox.perfgate(&["compare", "base.json", "head.json", "--save", "c.json"]).exits(1);
    let comment = sandbox.perfgate(&["render", "c.json", "--template", "comment"]).exits(0).stdout.clone();
    assert!(comment.contains(&format!("Worst: `{name}` ")), "{comment}");
    let row = comment.lines().find(|line| line.starts_with("| ❌ |")).unwrap();
    assert!(row.contains("unicode&#58;&#58;<wbr>normalization/<wbr>parse_very_large&#95;<wbr>documents"), "{row}");
    let code = between(row, "<code>", "</code>").replace("&#58;", ":").replace("&#95;", "_");
    assert!(code.split("<wbr>").all(|part| part.len() <= 24), "{row}");
    assert_eq!(code.replace("<wbr>", ""), name);
}
