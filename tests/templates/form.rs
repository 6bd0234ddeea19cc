//! The pull request's form: headings, hints and boxes of the author.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

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
    assert!(renewed.contains("> **Changed by hand, kept:**\n>\n> | Database Queries | 7777 |"), "{renewed}");
    assert!(renewed.contains("> **Changed by hand, kept:**\n>\n> The second one is only moved.\n"), "{renewed}");
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
    assert!(table.contains("| Benchmark (metric) | Target | Actual | Distance to limit | Status |"), "{table}");
    for row in [
        "| `mp.py::load` (memory:peak) | `<200MB` (190.7\u{a0}MiB) | 61.3",
        "| `all statements` (queries) | `-60%` (4) | 2 | 50% below | PASS |",
    ] {
        assert!(table.contains(row), "no {row} in {table}");
    }
    assert_eq!(pr.matches("`mp.py::load` (memory:peak)").count(), 1);
}
