//! Rendered documents: they contain the measurements, keep what people wrote, and escape hostile text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
#[path = "templates/form.rs"]
mod form;
#[path = "templates/large.rs"]
mod large;
#[path = "templates/saved.rs"]
mod saved;

use common::Sandbox;
use std::fs;
use std::path::Path;

/// Path of the recorded results. It is not below tests/data, because each directory there belongs to a tool.
fn stack_data(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(path).display().to_string()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The recorded stack in a repository: main, and a branch with the change.
fn stack() -> Sandbox {
    let sandbox = Sandbox::new();
    let from = |path: &str| Path::new(&stack_data(path)).to_owned();
    sandbox.write(".gitignore", "/before\n/after\n/perfgate.toml\n/*.json\n/*.md\n/*.j2\n/standard-input\n");
    copy(&from("change/before"), &sandbox.path(""));
    sandbox.git("", &["init", "-q", "-b", "main"]);
    sandbox.git("", &["add", "."]);
    sandbox.git("", &["commit", "-q", "-m", "The service"]);
    sandbox.git("", &["switch", "-q", "-c", "perf/TASK-20250929-006-eager-loading"]);
    copy(&from("change/after"), &sandbox.path(""));
    sandbox.git("", &["add", "."]);
    sandbox.git(
        "",
        &["commit", "-q", "-m", "Load the books with their authors\n\nPhase: 2\nDepends-on: TASK-20250929-001"],
    );
    for side in ["before", "after"] {
        copy(&from(side), &sandbox.path(side));
    }
    fs::copy(from("perfgate.toml"), sandbox.path("perfgate.toml")).unwrap();
    sandbox.perfgate(&["compare", "before", "after", "--save", "comparison.json"]).exits(1);
    sandbox
}

fn render(sandbox: &Sandbox, template: &str) -> String {
    let answer = sandbox.perfgate(&["render", "comparison.json", "--template", template]);
    answer.exits(0);
    answer.stdout
}

#[test]
fn the_documents_of_the_recorded_stack_match_the_golden_files() {
    let sandbox = stack();
    for name in ["pr", "issue", "report"] {
        let path = stack_data(&format!("golden/{name}.md"));
        let document = render(&sandbox, name);
        if std::env::var_os("PERFGATE_BLESS").is_some() {
            fs::write(&path, &document).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap();
        let differs = document.lines().zip(golden.lines()).find(|(a, b)| a != b);
        assert!(document == golden, "{name} differs from {path}; first here: {differs:?}");
    }
}

/// Numbers taken from the recorded files, independent of the template.
#[test]
fn a_pull_request_contains_the_recorded_numbers() {
    let pr = render(&stack(), "pr");
    let has = |text: &str| assert!(pr.contains(text), "no {text:?} in\n{pr}");
    has("**Task ID**: TASK-20250929-006"); // the branch
    has("**Phase**: 2"); // a trailer
    has("**Priority**: HIGH"); // perfgate.toml
    has("<https://example.org/reviews/code-review-03>");
    has("| Database Queries | 10 | sqlalchemy-echo"); // 8 + 1 SELECT, 1 UPDATE
    has("| Database Queries | 2 | 80% fewer | -60% | PASS |");
    has("```sql\n-- 8 times (N+1 query problem)\nSELECT book.id"); // the N+1 pattern
    has("- `SELECT book`: 8 queries → 1 query (−87.5%)");
    has("`app/authors.py` - changed");
    has("`read_authors`");
    has("CREATE INDEX ix_book_author_id ON book(author_id);");
    has("`migrations/0007_book_author.sql`");
    has("- `orjson`: new, `==3.10.0` (`requirements.txt`)");
    has("- `flask`: `==3.0` → `==3.1`");
    has("| `test_suite.py::test_parse` | before |");
    has("- **Database**: SQLite in memory, 8 authors");
    has("- [ ] All existing unit tests pass — perfgate: 5 passed, 1 failed");
    has("- [x] Database query optimization (eager loading, batching) — ticked by perfgate: 10 → 2 statements");
}

#[test]
fn no_placeholder_replaces_a_measured_value() {
    let sandbox = stack();
    for name in ["pr", "library", "issue", "report", "comment", "summary"] {
        let document = render(&sandbox, name);
        // The checksums of lines may have any letters.
        let lines = document.lines().filter(|line| !line.starts_with("<!-- perfgate:lines"));
        let document = lines.collect::<Vec<_>>().join("\n");
        for word in ["XX", "TODO", "PASS/FAIL", "undefined", "NaN", "inf ", "[X", "\\[", "none |"] {
            assert!(!document.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn hostile_names_are_escaped_in_every_template() {
    let sandbox = Sandbox::new();
    let hostile = [
        "| [x](javascript:alert(1)) @everyone <img src=x onerror=y>",
        "<!-- perfgate:part metrics -->",
        "a\n<!-- /perfgate:part metrics -->\n# heading",
        "`{{ verdict }}` {% raw %}",
        "**bold** #1 ![i](http://e.org/i.png) \u{202e}",
    ];
    for (at, name) in hostile.iter().enumerate() {
        sandbox.bench("old", name, 1000.0, 1).bench("new", name, if at == 0 { 2000.0 } else { 1000.0 }, 2);
    }
    sandbox.write("perfgate.toml", "[template]\ntask = '@everyone <img>'\nreview = 'javascript:alert(1)'\n[[budget]]\nmatch = '*'\nmetric = 'time'\ntarget = '<1ns'\n");
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(1);
    for template in ["pr", "library", "issue", "report", "comment", "summary"] {
        let document = render(&sandbox, template);
        for bad in ["@everyone", "<img", "](", "{{", "\u{202e}", "**bold**"] {
            assert!(!document.contains(bad), "{template} has {bad:?}");
        }
        let mut columns = None;
        for line in document.lines() {
            let bars = line.starts_with('|').then(|| line.matches('|').count());
            assert!(
                bars.is_none() || columns.is_none() || bars == columns,
                "{template}: another number of cells in {line}"
            );
            columns = bars;
        }
        sandbox.write("body.md", &document);
        if document.contains("perfgate:part") {
            sandbox.perfgate(&["render", "comparison.json", "--template", template, "--into", "body.md"]).exits(0);
            assert_eq!(sandbox.read("body.md"), document);
        }
    }
}

#[test]
fn a_template_cannot_turn_off_escaping() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "<b>", 1000.0, 1).bench("new", "<b>", 2000.0, 2);
    sandbox.write("own.md.j2", "{% autoescape false %}{{ rows[0].name }}{% endautoescape %}\n");
    let own = ["compare", "old", "new", "--template", "own.md.j2"];
    sandbox.perfgate(&own).exits(1).prints("&#60;b&#62;").does_not_print("<b>");
    sandbox.write("own.md.j2", "{{ rows[0].name | safe }}\n");
    sandbox.perfgate(&own).exits(2).reports("safe");
    sandbox.write("own.html.j2", "<p>{{ rows[0].name }}</p>\n");
    sandbox.perfgate(&["compare", "old", "new", "--template", "own.html.j2"]).exits(1).prints("<p>&lt;b&gt;</p>");
}

#[test]
fn a_typo_in_a_template_is_framed_under_its_line() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let complaint = |text: &str| {
        sandbox.write("own.md.j2", text);
        sandbox.perfgate(&["compare", "old", "new", "--template", "own.md.j2"])
    };
    let typo = complaint("one\ntwo {{ verdit.word }}\n");
    typo.exits(2).reports("own.md.j2:2").reports("two {{ verdit.word }}").reports("did you mean `verdict`");
    complaint("{{ verdict.wrod }}\n").exits(2).reports("did you mean `word`");
    complaint("{% for row in rows %}\n{{ row.nmae | code }}\n{% endfor %}\n").exits(2).reports("own.md.j2:2");
    complaint("{% if %}\n").exits(2).reports("own.md.j2:1");
    complaint("{{ rows | cod }}\n").exits(2).reports("did you mean `code`");
    assert!(complaint("{{ verdit }}").stdout.is_empty());
    sandbox.perfgate(&["render", "own.md.j2", "--template", "pr"]).exits(2).reports("is not a comparison");
    sandbox.perfgate(&["compare", "old", "new", "--template", "prr"]).exits(2).reports("pr, library, issue, report");
}

#[test]
fn editable_copies_are_written_once_and_render_the_same() {
    let sandbox = stack();
    sandbox.perfgate(&["init", "--templates"]).exits(0).reports("wrote .github/perfgate/pr.md.j2");
    assert_eq!(render(&sandbox, ".github/perfgate/pr.md.j2"), render(&sandbox, "pr"));
    sandbox.write(".github/perfgate/pr.md.j2", "ours");
    sandbox.perfgate(&["init", "--templates"]).exits(0).reports("pr.md.j2 exists and stays unchanged");
    assert_eq!(sandbox.read(".github/perfgate/pr.md.j2"), "ours");
}

#[test]
fn unmeasured_rows_can_be_dropped_in_the_config() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let pr = |toml: &str| {
        sandbox.write("perfgate.toml", toml);
        sandbox.perfgate(&["compare", "old", "new", "--template", "pr"]).stdout
    };
    assert!(pr("").contains("| Memory Usage | not measured |"));
    assert!(!pr("[template]\nunmeasured = 'drop'\n").contains("Memory Usage |"));
}

#[test]
fn a_document_can_be_made_from_stored_runs() {
    let sandbox = Sandbox::new();
    sandbox.repository("repo");
    for run in 1..=3 {
        sandbox.bench("repo/target/criterion", "a", 1000.0, run);
        sandbox.perfgate_at("repo", &["record"]).exits(0);
    }
    sandbox.git("repo", &["switch", "-q", "-c", "perf/AB-12-faster"]);
    sandbox.commit("repo", "Faster\n\nPriority: LOW");
    sandbox.bench("repo/target/criterion", "a", 500.0, 9);
    let pr = sandbox.perfgate_at("repo", &["compare", "--template", "pr"]);
    pr.exits(0)
        .prints("**Task ID**: AB-12")
        .prints("**Priority**: LOW")
        .prints("| `a` | before |")
        .prints("`file` - changed");
    // Head is one run of 50 samples: too few for a p99, enough for a p95.
    sandbox.write("repo/perfgate.toml", "[[budget]]\nmatch = 'a'\nmetric = 'time:p99'\ntarget = '-30%'\n");
    sandbox
        .perfgate_at("repo", &["compare", "--format", "json"])
        .exits(0)
        .prints("\"no-data\"")
        .prints("p99 needs 100 samples; there are only 50");
    sandbox.write("repo/perfgate.toml", "[[budget]]\nmatch = 'a'\nmetric = 'time:p95'\ntarget = '-30%'\n");
    sandbox.perfgate_at("repo", &["compare", "--format", "json"]).exits(0).prints("\"status\": \"pass\"");
}

/// Budgets and an expectation: met, missed, and missed within noise; a regression, an accepted and an undecided benchmark.
fn with_budgets() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, factor) in [("met", 1.0), ("missed", 1.5), ("accepted", 1.5), ("noisy", 1.0), ("goal", 0.5)] {
        sandbox.bench("old", name, 1000.0, 1).bench("new", name, 1000.0 * factor, 2);
    }
    sandbox.write(
        "perfgate.toml",
        "[[budget]]\nmatch = 'm*'\nmetric = 'time'\ntarget = '<1.2us'\n\
         [[budget]]\nmatch = 'noisy'\nmetric = 'time'\ntarget = '<900ns'\n\
         [[goal]]\nmatch = 'goal'\nmetric = 'time'\nexpect = '-40%'\n\
         [[accept]]\nbenchmark = 'accepted'\nup-to = '90%'\nreason = 'bounds checks'\nuntil = '2999-01-01'\n",
    );
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(1);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for finding in report["benchmarks"].as_array_mut().unwrap().iter_mut().filter(|f| f["name"] == "noisy") {
        finding["outcome"] = "inconclusive".into();
        finding["notes"] = serde_json::json!(["too noisy to decide"]);
    }
    report["counts"]["inconclusive"] = 1.into();
    for line in report["budgets"].as_array_mut().unwrap().iter_mut().filter(|line| line["benchmark"] == "noisy") {
        line["status"] = "acceptable".into();
        (line["undecided"], line["near"]) = (true.into(), true.into());
        line["notes"] = serde_json::json!(["within noise of the budget"]);
    }
    sandbox.write("comparison.json", report.to_string());
    sandbox
}

#[test]
fn comment_and_summary_open_with_verdict_worst_regression_and_next_step() {
    let sandbox = with_budgets();
    for template in ["comment", "summary"] {
        let text = render(&sandbox, template);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        assert!(lines.next().unwrap().starts_with("### ❌ perfgate: FAIL: 1 regressed, "), "{text}");
        let worst = lines.next().unwrap();
        assert!(worst.starts_with("Worst: `missed` **+49.8%** (95% CI +46.8% … +52.9%), 1.001"), "{worst}");
        // Several things to do are a list, in which each starts with what it is about.
        assert_eq!(lines.next(), Some("Next:"), "{text}");
        let step = lines.next().unwrap();
        assert!(
            step.starts_with("- regressed (\"missed\"): make it faster, or accept it in perfgate.toml (`[[accept]]`)."),
            "{text}"
        );
        assert_eq!(step.contains(" The entries to copy are under “"), template == "comment", "{text}");
        assert!(
            lines.next().unwrap().starts_with("- over budget (\"missed\"): bring them within their limits"),
            "{text}"
        );
    }
    let passing = Sandbox::new();
    passing.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    passing.perfgate(&["compare", "old", "new", "--template", "comment"]).exits(0).does_not_print("Next:");
}

#[test]
fn comment_and_summary_list_budgets_expectations_and_reasons() {
    let sandbox = with_budgets();
    for template in ["comment", "summary"] {
        let text = render(&sandbox, template);
        let has = |part: &str| assert!(text.contains(part), "no {part:?} in {template}\n{text}");
        has("| Status | Benchmark (metric) | Value | Limit | Off by |");
        has("| FAIL | `missed` (time) | 1.5");
        has(" | `<1.2us` | 2");
        has("<summary>Budgets met: 1</summary>\n\n| Status |");
        has("| met | `goal` (time) | `-40%` |");
        // Nobody accepted this one.
        has("| UNDECIDED | `noisy` (time) |");
        has("- `noisy`: within noise of the budget");
        has("- `accepted`: accepted until 2999-01-01; reason: bounds checks");
        has("- `noisy`: too noisy to decide");
        assert!(!text.contains("ACCEPTABLE"), "{text}");
    }
}

#[test]
fn documents_name_accepted_suspected_and_failed_benchmarks() {
    let sandbox = with_budgets();
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for finding in report["benchmarks"].as_array_mut().unwrap().iter_mut().filter(|f| f["name"] == "noisy") {
        finding["suspect"] = true.into();
    }
    sandbox.write("comparison.json", report.to_string());
    let failed = stack();
    for template in ["pr", "library", "issue", "report"] {
        let text = render(&sandbox, template);
        let has = |part: &str| assert!(text.contains(part), "no {part:?} in {template}\n{text}");
        has("**Other benchmarks to check**\n\n| | Benchmark | Metric |");
        has("**Accepted regressions**\n\n| | Benchmark | Metric |");
        has("| ☑️ accepted | `accepted` | time | ");
        has("| ❔ inconclusive, suspected regression | `noisy` | time |");
        has("- `accepted`: accepted until 2999-01-01; reason: bounds checks");
        has("- `noisy`: too noisy to decide");
        let text = render(&failed, template);
        assert!(text.contains("| 💥 failed | `test_times::test_failing` |"), "{template}\n{text}");
        assert!(text.contains(" more suspected regressions, not shown\n"), "{template}\n{text}");
    }
    // Without such benchmarks there is no heading.
    assert!(!render(&package(), "library").contains("Other benchmarks to check"));
}

/// A crate with two criterion benchmarks, one of which states its throughput.
fn package() -> Sandbox {
    let sandbox = Sandbox::new();
    for (side, factor) in [("old", 1.0), ("new", 1.059)] {
        sandbox.bench(side, "parse", 1000.0 * factor, 1).bench(side, "encode", 2000.0 * factor, 2);
        let id = r#"{"group_id":"parse","full_id":"parse","throughput":{"Bytes":1000000}}"#;
        sandbox.write(&format!("{side}/parse/new/benchmark.json"), id);
    }
    sandbox.repository("");
    sandbox.write("Cargo.toml", "[package]\n");
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(0);
    sandbox
}

#[test]
fn a_document_without_the_change_states_why() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let compare = |more: &[&str]| sandbox.perfgate(&[&["compare", "old", "new"][..], more].concat());
    sandbox.write("numbers.json", &compare(&["--format", "json"]).stdout);
    for template in ["pr", "library", "issue"] {
        let shows = |unknown: &str| {
            compare(&["--template", template]).exits(0).prints(unknown);
        };
        let _ = fs::remove_dir_all(sandbox.path(".git"));
        shows("the comparison was not made in a git repository");
        sandbox.git("", &["init", "-q"]);
        shows("the checked-out branch has no commits yet; commit something first");
        let saved = sandbox.perfgate(&["render", "numbers.json", "--template", template]);
        saved.exits(0).prints("the comparison file does not describe it").does_not_print("in a git repository");
    }
}

#[test]
fn the_document_has_the_tool_and_its_throughput_and_each_row_once() {
    let pr = render(&package(), "pr");
    let has = |text: &str| assert!(pr.contains(text), "no {text:?} in\n{pr}");
    has("### criterion Output");
    has("| Response Time | 1.");
    // Single runs do not show a change of this size.
    has("| not tested (needs the times of at least 8 benchmarks) | ");
    has("criterion: geometric mean of 2 |");
    has("| Throughput | 8");
    has("GiB/s | criterion: parse |");
    has("| no significant change (5.");
    has("| Rounds | Throughput |");
    assert!(!pr.contains("pytest") && !pr.contains("| criterion time |"), "{pr}");
}

#[test]
fn the_template_fits_the_repository() {
    let sandbox = package();
    let render = || sandbox.perfgate(&["render", "comparison.json"]);
    render().exits(0).prints("## Performance pull request\n").does_not_print("Deployment").does_not_print("Cache");
    render().reports("using the template `library`");
    sandbox.write("Dockerfile", "");
    render().exits(0).prints("## Performance Optimization Pull Request\n").reports("--template library");
    // Results of a load test are those of a service.
    let stack = stack();
    stack.write("Cargo.toml", "");
    stack.perfgate(&["render", "comparison.json"]).exits(0).prints("## Performance Optimization Pull Request\n");
}

#[test]
fn what_fails_the_gate_is_shown_first_and_is_never_folded() {
    let sandbox = Sandbox::new();
    for (name, factor) in [("kept", 1.0), ("noisy", 1.0), ("fast", 0.5)] {
        sandbox.bench("old", name, 1000.0, 1).bench("new", name, 1000.0 * factor, 2);
    }
    sandbox.bench("old", "gone", 1000.0, 1).bench("new", "fresh", 1000.0, 2);
    let compare = ["compare", "old", "new", "--fail-on", "removed,inconclusive", "--save", "comparison.json"];
    sandbox.perfgate(&compare).exits(1);
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    for finding in report["benchmarks"].as_array_mut().unwrap().iter_mut().filter(|f| f["name"] == "noisy") {
        (finding["outcome"], finding["notes"]) = ("inconclusive".into(), serde_json::json!(["too noisy to decide"]));
    }
    let failed_on = serde_json::json!([{"on": "inconclusive", "count": 1}, {"on": "removed", "count": 1}]);
    report["failed_on"] = failed_on;
    sandbox.write("comparison.json", report.to_string());
    for template in ["comment", "summary"] {
        let text = render(&sandbox, template);
        assert!(text.contains("FAIL: 1 inconclusive, 1 removed"), "{text}");
        let folded = text.find("<details>").unwrap_or(text.len());
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {template}\n{text}"));
        for open in ["`gone`", "- `noisy`: too noisy to decide"] {
            assert!(at(open) < folded && at(open) < at("`fast`"), "{open} in {template}\n{text}");
        }
        assert_eq!(text.matches("`gone`").count(), 1, "{text}");
    }
    assert!(render(&sandbox, "comment").contains("<summary>Added: 1</summary>"));
    // Rows that do not fail the gate are folded.
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(0);
    let text = render(&sandbox, "comment");
    assert!(text.contains("<summary>Removed: 1, added: 1</summary>"), "{text}");
}

#[test]
fn the_library_template_names_the_tool_and_has_profile_and_memory_apart() {
    let sandbox = stack();
    let library = render(&sandbox, "library");
    let has = |text: &str| assert!(library.contains(text), "no {text:?} in\n{library}");
    has("### Memory\n");
    has("### CPU Profile\n");
    has("| `cp.py::main` | 61.33");
    // The profile has its own table.
    assert!(!library.contains("| cprofile time |"), "{library}");
    let pr = render(&sandbox, "pr");
    for text in [
        // Values of the sides, not of both together.
        "| Memory Usage | 61.30 MiB | memory-profiler: highest of 2 in base, 3 in head |",
        "| CPU Usage | 306.2 ms CPU time | cprofile: sum of 8 |",
        "| Cyclomatic Complexity (radon: mean of 5) |",
        // Statements and lines to paste are code.
        "runs 8 times (possibly one query per row): `SELECT book.id , book.title",
        "`\"test_times::test_old\" = \"test_times::test_new\"`",
        // A change of a version is not a new dependency.
        "**Changed dependencies**:\n- `flask`: `==3.0` → `==3.1` (`requirements.txt`)",
    ] {
        assert!(pr.contains(text), "no {text:?} in\n{pr}");
    }
}

#[test]
fn load_tests_are_listed_under_the_tool_that_measured_them() {
    let sandbox = Sandbox::new();
    let file = |value: f64| {
        let of = |tool: &str, name: &str| {
            serde_json::json!({"tool": tool, "benchmark": name, "metric": "time:p50", "unit": "ns", "direction": "lower",
                "replicates": [{"value": value}]})
        };
        let all = [of("k6", "http_req_duration"), of("locust", "Aggregated"), of("locust", "GET /")];
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    sandbox.write("old.json", file(1e6)).write("new.json", file(1.01e6));
    let filled = |template: &str| sandbox.perfgate(&["compare", "old.json", "new.json", "--template", template]);
    filled("pr")
        .prints("k6, before → after:\n\n| Endpoint |")
        .prints("\n\nlocust, before → after:\n- Total requests: ");
    filled("issue").prints("* **Tool:** k6, locust\n").prints("| `GET /` | locust |");
    filled("report").prints("| `http_req_duration` | k6 | before → after |");
}

#[test]
fn a_document_does_not_count_the_lists_that_its_template_does_not_print() {
    let sandbox = Sandbox::new();
    for number in 0..41 {
        let name = format!("b{number}");
        sandbox.bench("old", &name, 1000.0, 1).bench("new", &name, 1000.0, 2);
    }
    let filled = |template: &str| sandbox.perfgate(&["compare", "old", "new", "--template", template]);
    filled("pr").prints("Not shown (length limit): 2 more rows of sample statistics.");
    for template in ["comment", "summary", "issue"] {
        filled(template).does_not_print("sample statistics");
    }
}

#[test]
fn an_undecided_budget_is_not_called_acceptable() {
    let sandbox = with_budgets();
    for template in ["report", "issue"] {
        let text = render(&sandbox, template);
        assert!(text.contains("`noisy` time: undecided: ") && text.contains(", within noise of the limit\n"), "{text}");
    }
}

#[test]
fn the_forms_keep_the_labels_of_their_authors() {
    let sandbox = with_budgets();
    let issue = render(&sandbox, "issue");
    for label in [
        "* **Current response time:** ",
        "* **Current throughput:** ",
        "* **Current resource usage:** CPU: not measured, memory: not measured\n",
        "* **Tool 1:** criterion: ",
        "* **Tool 2:** <!--",
        "**Change 1**",
        "```plain\n// Optimized code\n```",
        "**Change 2**",
        "```sql\n-- New index\n",
        "**Scenario 1**",
        "**Scenario 2**",
        "* Database query time reduced by ",
        "- [ ] All benchmarks meet or exceed targets — perfgate: 1 of 3 budgets met\n",
    ] {
        assert!(issue.contains(label), "no {label:?} in\n{issue}");
    }
    let pr = render(&sandbox, "pr");
    for label in ["- Endpoint A: not measured", "- Endpoint B: not measured", "- Overall average: not measured\n"] {
        assert!(pr.contains(label), "no {label:?} in\n{pr}");
    }
}

#[test]
fn a_row_has_the_change_of_its_values_and_the_tested_change_if_it_differs() {
    let sandbox = stack();
    let mut report: serde_json::Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    let is_total = |f: &&mut serde_json::Value| f["name"] == "Aggregated" && f["metric"] == "throughput";
    for finding in report["benchmarks"].as_array_mut().unwrap().iter_mut().filter(is_total) {
        (finding["change"], finding["adjusted"]) = (serde_json::json!(0.094), serde_json::json!(0.094));
        finding["interval"] = serde_json::json!([-0.5, 0.9]);
    }
    sandbox.write("comparison.json", report.to_string());
    let pr = render(&sandbox, "pr");
    assert!(pr.contains("| 98.80 /s | no significant change (5.1% higher; tested change: 9.4% higher) |"), "{pr}");
}
