use super::*;
use crate::model::{EndScope, Evidence};

#[test]
fn a_panic_without_a_footer_is_the_reason() {
    let text = "BenchmarkA-8  \t 100\t 5 ns/op\nBenchmarkD-8  \tpanic: oh\n\ngoroutine 1 [running]:\n";
    let failures = GoBench.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap().failures;
    assert_eq!(failures.benchmarks.iter().map(|one| &*one.why).collect::<Vec<_>>(), ["panic: oh"]);
    assert_eq!(failures.early_ends.iter().map(|one| &*one.why).collect::<Vec<_>>(), ["panic: oh"]);
    let recovered = "panic: oh [recovered]\nBenchmarkA-8  \t 100\t 5 ns/op\nPASS\n";
    assert!(GoBench.parse(Source { name: "x", bytes: recovered.as_bytes() }).unwrap().failures.is_empty());
}

fn read(text: &str) -> Result<Reading, Diagnostic> {
    GoBench.parse(Source { name: "x.txt", bytes: text.as_bytes() })
}

/// The benchmarks that failed, and the scopes of the errors that ended the run.
fn failures(reading: &Reading) -> (Vec<&str>, Vec<EndScope>) {
    let failures = &reading.failures;
    let failed = failures.benchmarks.iter().map(|one| one.benchmark.as_str()).collect();
    (failed, failures.early_ends.iter().map(|one| one.scope.clone()).collect())
}

#[test]
fn an_output_that_ends_within_a_line_is_incomplete() {
    let header = "goos: linux\ngoarch: amd64\npkg: p\n";
    let result = "BenchmarkA-8  \t 100\t 5 ns/op\t 3 B/op";
    let scope = EndScope::Prefix("p/".to_owned());
    let cut = read(&format!("{header}{result}")).unwrap();
    assert_eq!((failures(&cut), cut.measurements.len()), ((vec![], vec![scope.clone()]), 2));
    for (text, why) in [
        (format!("{header}{result}\n"), "the last lines may have been left out"),
        (result.to_owned(), "selected results"),
        (format!("{header}{result}\nPASS\nok  \tp\t1.2s"), "the line after the results may be anything"),
    ] {
        assert!(read(&text).unwrap().failures.is_empty(), "{why}");
    }
    // The unit of the last value is cut.
    let unit = read(&format!("{header}{}", &result[..result.len() - 2])).unwrap();
    assert_eq!((names(&unit), &*unit.measurements[0].metric.name), (vec!["p/BenchmarkA"], "time"));
    assert!(unit.diagnostics[0].message.contains("`B/` is not a unit"), "{:?}", unit.diagnostics);
    // Without the whole time, it has no result.
    let time = read(&format!("{header}{result}\nBenchmarkB-8  \t 100\t 5")).unwrap();
    assert_eq!(failures(&time), (vec!["p/BenchmarkB"], vec![scope]));
}

#[test]
fn a_benchmark_that_verbose_output_starts_last_has_no_result() {
    let text =
        "goos: linux\npkg: p\n=== RUN   BenchmarkA\nBenchmarkA\nBenchmarkA-8  \t 100\t 5 ns/op\n=== RUN   BenchmarkB\n";
    let reading = read(text).unwrap();
    assert_eq!(failures(&reading), (vec!["p/BenchmarkB"], vec![EndScope::Prefix("p/".to_owned())]));
    assert_eq!(names(&reading), ["p/BenchmarkA"]);
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.measurements.iter().map(|m| m.benchmark.as_str()).collect()
}

#[test]
fn a_package_with_another_suffix_does_not_rename_the_others() {
    let text = "pkg: p\nBenchmarkA-8 \t 9 \t 5 ns/op\npkg: q\nBenchmarkB-2 \t 9 \t 5 ns/op\n";
    let reading = read(text).unwrap();
    assert_eq!(names(&reading), ["p/BenchmarkA", "q/BenchmarkB"]);
    assert_eq!(reading.environment.get("gomaxprocs"), None);
}

#[test]
fn names_without_a_suffix_are_those_of_one_processor() {
    let processors = |names: [&str; 2]| {
        let lines = names.map(|name| format!("Benchmark{name} \t 9 \t 5 ns/op\n")).concat();
        read(&lines).unwrap().environment.get("gomaxprocs").map(str::to_owned)
    };
    assert_eq!(processors(["A", "B/n=10"]).as_deref(), Some("1"));
    assert_eq!(processors(["A-4", "B/n=10-4"]).as_deref(), Some("4"));
    for mixed in [["A", "A-2"], ["Size-8", "Size-16"], ["Plain", "Size-8"]] {
        assert_eq!(processors(mixed), None, "{mixed:?}");
    }
}

#[test]
fn the_bytes_per_operation_are_computed_from_the_rate() {
    let reading = read("BenchmarkA-2 9 1000 ns/op 64.00 MB/s\nBenchmarkB-2 9 1000 ns/op 0.12 MB/s\n").unwrap();
    let work: Vec<_> = reading.measurements.iter().map(|m| m.work).collect();
    assert_eq!(work, [Some(Work { amount: 64.0, unit: WorkUnit::Bytes }), None, None, None]);
}

#[test]
fn the_processor_suffix_is_dropped_only_if_all_names_have_the_same() {
    assert_eq!(names(&read("pkg: p\nBenchmarkA/n-8-2 \t 9 \t 5 ns/op\n").unwrap()), ["p/BenchmarkA/n-8"]);
    let cpu = "BenchmarkA \t 9 \t 5 ns/op\nBenchmarkA-2 \t 9 \t 5 ns/op\nBenchmarkA-4 \t 9 \t 5 ns/op\n";
    assert_eq!(names(&read(cpu).unwrap()), ["BenchmarkA", "BenchmarkA-2", "BenchmarkA-4"]);
}

#[test]
fn custom_units_have_metric_unit_and_direction() {
    let reading = read(
        "Unit score better=higher\nUnit items/op assume=exact\nBenchmarkA-2 9 5 ns/op 7 items/op 12.5 p99-ms 30 req/s 4 score 2 heap-MB\n",
    )
    .unwrap();
    let found: Vec<_> =
        reading.measurements.iter().map(|m| (&*m.metric.name, m.metric.unit.label(), m.metric.direction)).collect();
    let expected = [
        ("time", "ns", Direction::Lower),
        ("items", "count", Direction::Unknown),
        ("time:p99", "ns", Direction::Lower),
        ("req/s", "/s", Direction::Higher),
        ("score", "score", Direction::Higher),
        ("heap", "B", Direction::Lower),
    ];
    assert_eq!(found, expected);
    assert_eq!(reading.measurements[2].evidence, [Evidence::Value(12.5e6)]);
    let exact: Vec<_> = reading.measurements.iter().filter(|m| m.metric.exact).map(|m| &*m.metric.name).collect();
    assert_eq!(exact, ["items"]);
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["unknown-unit"], "the unit `score`");
}

#[test]
fn a_valid_line_among_invalid_ones_is_read() {
    let reading = read(
        "goos: linux\nBenchmarkA-2 100 NaN ns/op\nBenchmarkB-2 0 12 ns/op\nBenchmarkC-2 100 12\n\
         BenchmarkD-2 abc 12 ns/op\nBenchmarkE-2 100 12 ns/op 5\nBenchmarkF-2 100 12 ns/op\nBenchmarks are fun\n",
    )
    .unwrap();
    assert_eq!(names(&reading), ["BenchmarkF"]);
    let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["invalid-value", "invalid-value", "unreadable-line", "unreadable-line", "unreadable-line"]);
    assert_eq!(reading.environment.get("os"), Some("linux"));
}

#[test]
fn a_result_after_log_lines_is_joined_with_its_name() {
    let reading = read(
        "pkg: p\nBenchmarkA-2 \t2026/01/05 10:11:12 INFO entries=100\n  100\t 12 ns/op\t 3 B/op\n\
         BenchmarkB-2 \tone\ntwo 2\n 200 15 ns/op\n 300 16 ns/op\nBenchmarkC-2 100 7 ns/op\n",
    )
    .unwrap();
    let times: Vec<_> = reading.measurements.iter().filter(|m| m.metric.name == "time").collect();
    assert_eq!(
        times.iter().map(|m| m.benchmark.as_str()).collect::<Vec<_>>(),
        ["p/BenchmarkA", "p/BenchmarkB", "p/BenchmarkC"]
    );
    assert_eq!(times[1].evidence, [Evidence::Value(15.0)]);
    let [orphan] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
    assert_eq!((orphan.code.as_str(), orphan.place.as_str()), ("unreadable-line", "x.txt:7"));
}

fn event(package: &str, output: &str) -> String {
    format!("{{\"Time\":\"t\",\"Action\":\"output\",\"Package\":\"{package}\",\"Output\":\"{output}\"}}\n")
}

#[test]
fn events_with_parts_of_lines_are_joined_by_package() {
    let text = event("p", "BenchmarkA-2 \\t")
        + &event("q", "BenchmarkA-2 \\t 9\\t 7 ns/op\\n")
        + &event("p", " 9\\t 5 ns/op\\n")
        + "{\n";
    let reading = read(&text).unwrap();
    assert_eq!(names(&reading), ["p/BenchmarkA", "q/BenchmarkA"]);
    assert_eq!(reading.measurements[0].evidence, [Evidence::Value(5.0)]);
    assert_eq!(reading.diagnostics[0].code, "unreadable-line");
}
