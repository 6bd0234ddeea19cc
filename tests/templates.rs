//! Rendered documents: they contain the measurements, keep what people wrote, and escape hostile text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::Sandbox;
use std::fs;
use std::path::Path;

/// Path of the recorded results. Not below tests/data, where each directory belongs to a tool.
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

/// Written by the first release, with every field that a comparison file may have.
fn saved_comparison() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/comparisons/version-1.json")
}

/// Numbers to ten digits: reading JSON may change the last ones.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => format!("{:.10e}", number.as_f64().unwrap()).into(),
        serde_json::Value::Array(items) => items.into_iter().map(rounded).collect(),
        serde_json::Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, rounded(value))).collect(),
        other => other,
    }
}

#[test]
fn a_saved_comparison_of_the_first_version_can_be_read_and_is_written_the_same() {
    let saved = fs::read(saved_comparison()).unwrap();
    let report: perfgate::verdict::Report = serde_json::from_slice(&saved).unwrap();
    let mut again = Vec::new();
    perfgate::render::json(&report, &mut again).unwrap();
    let mut again: serde_json::Value = serde_json::from_slice(&again).unwrap();
    let mut saved: serde_json::Value = serde_json::from_slice(&saved).unwrap();
    // That version wrote reasons only in words, which are not read. They are derived from the counts and the budgets.
    assert_eq!(again["reasons"].take(), serde_json::json!(["1 regressed", "2 over budget"]));
    let failed_on = serde_json::json!([{"on": "regressed", "count": 1}, {"on": "budget", "count": 2}]);
    assert_eq!(again.as_object_mut().unwrap().remove("failed_on"), Some(failed_on));
    saved["reasons"].take();
    saved["counts"]["failed"] = 0.into(); // an outcome that came later
    saved["pinned"]["counts"]["failed"] = 0.into();
    assert_eq!(rounded(again), rounded(saved));

    let sandbox = Sandbox::new();
    let path = saved_comparison().display().to_string();
    let answer = sandbox.perfgate(&["render", &path, "--template", "pr"]);
    answer.exits(0).prints("FAIL: 1 regressed, 2 over budget**");
    answer.prints("perfgate: 10 passed, 1 failed").prints("SELECT a FROM b WHERE c = ?");
    let publish = ["publish", &path, "--repository", "me/repo", "--pull", "12", "--dry-run"];
    sandbox.perfgate(&publish).exits(1).prints("parse_line");
}

#[test]
fn reasons_are_read_from_their_types_and_a_newer_one_does_not_make_the_file_unreadable() {
    let mut saved: serde_json::Value = serde_json::from_slice(&fs::read(saved_comparison()).unwrap()).unwrap();
    let sandbox = Sandbox::new();
    let mut verdict = |failed_on: serde_json::Value| {
        saved["failed_on"] = failed_on;
        saved["reasons"] = serde_json::json!(["words that nothing reads"]);
        sandbox.write("comparison.json", saved.to_string());
        let answer = sandbox.perfgate(&["render", "comparison.json", "--template", "pr"]);
        answer.exits(0);
        answer
            .stdout
            .lines()
            .find_map(|line| Some(line.split_once("FAIL: ")?.1.split_once("**")?.0.to_owned()))
            .unwrap()
    };
    let removed = serde_json::json!({"on": "removed", "count": 1});
    assert_eq!(
        verdict(serde_json::json!([removed, {"on": "environment"}])),
        "1 removed, base and head ran on different machines, and fail-on lists environment"
    );
    let newer = serde_json::json!({"on": "energy", "count": 2});
    let unread = "a reason that this version of perfgate cannot read";
    assert_eq!(verdict(serde_json::json!([removed, newer])), format!("1 removed, {unread}"));
}

#[test]
fn every_failing_test_is_counted_once() {
    let sandbox = Sandbox::new();
    let suite = |passed: usize| {
        let case = |i: usize| {
            let failure = if i < passed { "" } else { "<failure>no</failure>" };
            format!("<testcase classname=\"c\" name=\"t{i:02}\" time=\"0.1\">{failure}</testcase>")
        };
        format!("<testsuite name=\"s\">{}</testsuite>", (0..60).map(case).collect::<String>())
    };
    sandbox.write("base.xml", suite(60)).write("head.xml", suite(10));
    // More than the list of warnings has room for.
    let counted = "perfgate: 10 passed, 50 failed";
    sandbox.perfgate(&["compare", "base.xml", "head.xml", "--template", "pr"]).exits(1).prints(counted);
    sandbox.perfgate(&["compare", "base.xml", "head.xml"]).exits(1).prints("… and 45 more failed-benchmark");
    // Two runs of one suite.
    sandbox.write("again.xml", suite(10));
    let twice = ["compare", "--base", "base.xml", "--head", "head.xml", "--head", "again.xml"];
    sandbox.perfgate(&[&twice[..], &["--save", "twice.json"]].concat()).exits(1);
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("twice.json")).unwrap();
    assert_eq!(saved["facts"]["head"]["tests"], serde_json::json!({"passed": 10, "failed": 50}));
    assert_eq!(saved["facts"]["base"]["tests"], serde_json::json!({"passed": 60, "failed": 0}));
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
fn every_section_of_the_form_is_present_in_order() {
    let pr = render(&stack(), "pr");
    let headings = [
        "## Performance Optimization Pull Request",
        "## Summary",
        "## Performance Metrics",
        "### Before Optimization",
        "### After Optimization",
        "### Performance Improvement Summary",
        "## Technical Implementation",
        "### Optimization Techniques Applied",
        "### Code Changes",
        "#### Files Modified",
        "#### Key Functions Optimized",
        "### Database Optimization Details",
        "#### Query Optimization",
        "#### Query Count Reduction",
        "### Caching Strategy",
        "#### Cache Configuration",
        "#### Cache Hit Rate",
        "#### Cache Monitoring",
        "## Benchmark Results",
        "### pytest-benchmark Output",
        "### Load Testing Results",
        "### Memory Profiling",
        "### CPU Profiling",
        "## Testing Evidence",
        "### Performance Tests",
        "### Functional Tests",
        "### Regression Tests",
        "## Risk Assessment",
        "### Performance Risk Level",
        "### Potential Side Effects",
        "### Mitigation Strategies",
        "### Rollback Complexity",
        "## Monitoring & Observability",
        "### Metrics to Monitor Post-Deployment",
        "### Alerting Thresholds",
        "### Dashboard Updates",
        "## Deployment Strategy",
        "### Gradual Rollout Plan",
        "### Feature Flag Configuration",
        "### Rollback Procedure",
        "## Database Impact",
        "### Database Changes",
        "### Index Creation (if applicable)",
        "### Migration Performance",
        "## Security Considerations",
        "### Security Impact",
        "### Security Testing",
        "## Code Quality",
        "### Complexity Impact",
        "### Code Quality Checks",
        "## Documentation",
        "### Updated Documentation",
        "### Performance Tuning Guide",
        "## Dependencies",
        "### Task Dependencies",
        "### Package Dependencies",
        "## Reviewer Checklist",
        "### Performance Review",
        "### Code Review",
        "### Testing Review",
        "## Benchmarking Methodology",
        "### Test Environment",
        "### Benchmark Configuration",
        "## Additional Notes",
        "### Performance Trade-offs",
        "### Future Optimization Opportunities",
        "### Known Limitations",
        "**Performance Achieved**",
    ];
    let mut at = 0;
    for heading in headings {
        let found = pr[at..].find(heading).unwrap_or_else(|| panic!("no {heading} behind the one before it"));
        at += found + heading.len();
    }
}

#[test]
fn text_and_ticks_of_people_are_kept() {
    let sandbox = stack();
    let body = render(&sandbox, "pr")
        .replace("**Performance Problem**:", "**Performance Problem**: each author cost a query.")
        .replace("- [ ] Integration tests pass", "- [x] Integration tests pass")
        .replace("- [ ] LOW -", "- [x] LOW -")
        .replace("**Estimated Effort**: <!--", "**Estimated Effort**: 2 days <!--")
        .replace("- [ ] Other: ___________", "- [x] Other: arena allocation")
        .replace("| Database Queries | 2 |", "| Database Queries | 7777 |")
        .replace("#### Key Functions Optimized\n", "#### Key Functions Optimized\nThe second one is only moved.\n");
    assert!(body.contains("7777") && body.contains("2 days") && body.contains("only moved"));
    sandbox.write("body.md", &body);
    let into = ["render", "comparison.json", "--template", "pr", "--into", "body.md"];
    sandbox.perfgate(&into).exits(0).reports("sections updated");
    let renewed = sandbox.read("body.md");
    for kept in [
        "- [x] LOW -",
        "**Estimated Effort**: 2 days <!--",
        "- [x] Other: arena allocation",
        "each author cost a query.",
    ] {
        assert!(renewed.contains(kept), "no {kept:?}");
    }
    // The measured row is back, and no text of a person is lost.
    assert!(renewed.contains("| Database Queries | 2 |"));
    assert!(renewed.contains("> **Changed by hand, kept:**\n> | Database Queries | 7777 |"), "{renewed}");
    assert!(renewed.contains("> **Changed by hand, kept:**\n> The second one is only moved.\n"), "{renewed}");
    sandbox.perfgate(&into).exits(0);
    assert_eq!(sandbox.read("body.md"), renewed);
}

#[test]
fn a_missing_or_duplicate_marker_leaves_the_document_unchanged() {
    let sandbox = stack();
    let body = render(&sandbox, "pr");
    let part = "<!-- /perfgate:part metrics -->\n";
    for (broken, what) in [
        (body.replace(part, ""), "starts inside `metrics`"),
        (body.replace(part, &format!("{part}{part}")), "has two end markers"),
        (format!("{body}<!-- perfgate:part metrics -->\n{part}"), "occurs twice"),
        ("A text of ours.\n".to_owned(), "no perfgate section"),
    ] {
        sandbox.write("body.md", &broken);
        let answer = sandbox.perfgate(&["render", "comparison.json", "--template", "pr", "--into", "body.md"]);
        answer.exits(2).reports("nothing was written").reports(what).reports("body.md:");
        assert_eq!(sandbox.read("body.md"), broken);
    }
}

#[test]
fn a_custom_form_gets_only_the_sections_that_it_has() {
    let sandbox = stack();
    sandbox.write(
        "body.md",
        "# Ours\r\n<!-- perfgate:part metrics -->\r\n<!-- /perfgate:part metrics -->\r\nThe end.\r\n",
    );
    sandbox
        .perfgate(&["render", "comparison.json", "--template", "pr", "--into", "body.md"])
        .exits(0)
        .reports("1 section updated");
    let body = sandbox.read("body.md");
    assert!(
        body.starts_with("# Ours\r\n<!-- perfgate:part metrics -->\r\n**perfgate:") && body.ends_with("The end.\r\n")
    );
    assert!(!body.replace("\r\n", "").contains('\n'));
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
            line.split(' ').next().unwrap().parse().unwrap()
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
        .prints("too few samples for a p99");
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
        assert!(worst.starts_with("Worst: `missed` **+49.8%** (95% CI +46.8% … +52.8%), 1.001"), "{worst}");
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("Next: Make the regressed benchmark faster, or accept it in perfgate.toml"),
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
        has("- `accepted`: accepted until 2999-01-01: bounds checks");
        has("- `noisy`: too noisy to decide");
        assert!(!text.contains("ACCEPTABLE"), "{text}");
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

#[test]
fn the_hints_of_the_form_stay_next_to_the_values() {
    let pr = render(&stack(), "pr");
    for hint in [
        "<!-- Add any configuration notes for tuning -->",
        "<!-- Brief description of what was optimized -->",
        "<!-- CPU, RAM specs -->",
        "<!-- Discuss any trade-offs made -->",
        "<!-- Explain the performance issue being addressed -->",
        "<!-- High-level overview of optimization strategy -->",
        "<!-- How long tests were run -->",
        "<!-- How risks are mitigated -->",
        "<!-- If using feature flags -->",
        "<!-- LRU, Redis, Memcached -->",
        "<!-- List additional optimization ideas -->",
        "<!-- List any dashboard/monitoring changes needed -->",
        "<!-- List any limitations of the optimization -->",
        "<!-- List any new performance-related packages -->",
        "<!-- List modified files with optimization details -->",
        "<!-- List potential negative impacts -->",
        "<!-- List task IDs -->",
        "<!-- List task IDs this unblocks -->",
        "<!-- Number of records used for testing -->",
        "<!-- PostgreSQL version, configuration -->",
        "<!-- actual time spent -->",
        "<!-- days from tasks.csv -->",
        "<!-- e.g., +50ms -->",
        "<!-- e.g., 128 entries, 100MB -->",
        "<!-- e.g., 49ms average response time -->",
        "<!-- e.g., 4x faster, 75% reduction -->",
        "<!-- e.g., 5 minutes, 1 hour -->",
        "<!-- e.g., 85% -->",
        "<!-- e.g., <100ms response time -->",
        "<!-- e.g., >70% -->",
        "<!-- e.g., Cache invalidation complexity -->",
        "<!-- e.g., Cache size limits configured -->",
        "<!-- e.g., Database query count reduced by 80% -->",
        "<!-- e.g., Increased memory usage for caching -->",
        "<!-- e.g., Monitoring alerts for memory usage -->",
        "<!-- e.g., TASK-20250929-006 -->",
        "<!-- e.g., Time-based, Event-based -->",
    ] {
        assert!(pr.contains(hint), "no {hint}");
    }
    assert!(pr.contains("**Task ID**: TASK-20250929-006 <!-- e.g., TASK-20250929-006 -->"));
    assert!(!pr.contains("for the author"));
}

#[test]
fn every_target_is_in_one_table_with_the_achieved_value() {
    let pr = render(&stack(), "pr");
    let table = pr.split_once("**Performance Target**").unwrap().1;
    assert!(table.contains("| Benchmark (metric) | Target | Achieved | Off by | Status |"), "{table}");
    for row in [
        "| `mp.py::load` (memory:peak) | `<200MB` | 61.3",
        "| `all statements` (queries) | `-60%` (4) | 2 | 50% below | PASS |",
    ] {
        assert!(table.contains(row), "no {row} in {table}");
    }
    assert_eq!(pr.matches("`mp.py::load` (memory:peak)").count(), 1);
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
fn the_document_has_the_tool_and_its_throughput_and_each_row_once() {
    let pr = render(&package(), "pr");
    let has = |text: &str| assert!(pr.contains(text), "no {text:?} in\n{pr}");
    has("### criterion Output");
    has("| Response Time | 1.");
    has("% slower | no budget |");
    has("criterion: geometric mean of 2 |");
    has("| Throughput | 8");
    has("GiB/s | criterion: parse |");
    has("% lower | no budget |");
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
    // Where they pass the gate they are folded.
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(0);
    let text = render(&sandbox, "comment");
    assert!(text.contains("<summary>Removed: 1, added: 1</summary>"), "{text}");
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
        assert!(
            text.contains(&format!("{} more rows that fail the gate not shown (", 3000 - shown)),
            "{shown}: {text}"
        );
    }
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
        "| Memory Usage | 61.30 MiB | memory-profiler: highest of 2 before, 3 after |",
        "| CPU Time | 306.2 ms | cprofile: sum of 8 |",
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
