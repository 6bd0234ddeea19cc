//! Tools that measure whole commands, and valgrind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn hyperfine_times_are_the_samples_of_one_run() {
    let suite = Suite::of("hyperfine", "before.json", "after.json")
        .has_benchmarks(&["compile", "lint all", "stable", "old-step", "new-step"])
        .removed_and_added(&["old-step"], &["new-step"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("compile", "time", 1.1, 2.0)
        .has_ratio("lint all", "time", 0.3, 0.9)
        .has_ratio("stable", "time", 0.9, 1.1)
        .has_no_diagnostics();
    let compile = Suite::measured(&suite.before, "compile", "time");
    let [Evidence::Samples(times)] = compile.evidence.as_slice() else { panic!("{:?}", compile.evidence) };
    assert_eq!((times.len(), times[0]), (12, 104_843_747.0));
    assert_eq!(centre(Suite::measured(&suite.before, "compile", "errors")), 0.0);
}

#[test]
fn names_include_hyperfine_parameters() {
    Suite::of("hyperfine", "param_before.json", "param_after.json").removed_and_added(&[], &[]).has_benchmarks(&[
        "sleep 0.01/n=1",
        "sleep 0.02/n=2",
        "sleep 0.03/n=3",
    ]);
}

#[test]
fn time_v_names_exclude_numeric_arguments() {
    let suite = Suite::of("time-v", "before.txt", "after.txt")
        .has_benchmarks(&["./al"])
        .has_metric("memory:peak", Unit::Byte, Direction::Lower)
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("./al", "memory:peak", 1.4, 1.6)
        .has_ratio("./al", "time", 0.6, 0.7)
        .has_no_diagnostics();
    assert_eq!(centre(Suite::measured(&suite.before, "./al", "memory:peak")), 40280.0 * 1024.0);
    assert_eq!(centre(Suite::measured(&suite.before, "./al", "time")), 1e9);
}

#[test]
fn valid_hyperfine_results_among_invalid_ones_are_read() {
    let parse = |results: &str| {
        let text = format!(r#"{{"results":[{results}]}}"#);
        format("hyperfine").parse(Source { name: "x", bytes: text.as_bytes() })
    };
    let good = r#"{"command":"a","mean":0.5,"times":[0.5,-0.5]}"#;
    let bad = [
        r#"{"command":7,"mean":0.5}"#,
        r#"{"command":"b","mean":"0.5","times":["0.5"]}"#,
        r#"{"command":"c","mean":null,"times":null}"#,
        r#"{"command":"d","mean":1,"times":[1e400]}"#,
        r#"{"command":"e","mean":-1,"times":[-1]}"#,
        r#"{"command":"a","mean":9,"times":[9]}"#,
    ];
    for bad in bad {
        let reading = parse(&format!("{good},{bad}")).unwrap();
        assert_eq!(reading.measurements.len(), 1, "{bad}");
        assert_eq!(reading.measurements[0].evidence, [Evidence::Samples(vec![0.5e9])]);
        assert!(reading.diagnostics.len() >= 2, "{bad}: {:?}", reading.diagnostics);
    }
    assert!(parse(bad[0]).is_err());
    assert!(parse("").unwrap_err().message.contains("no hyperfine results"));
    assert_eq!(parse(r#"{"command":"a","mean":0.5,"times":[]}"#).unwrap().measurements.len(), 1);
}

/// Reads all summaries of a tree except those of an earlier build; also returns the names of the latter.
fn tree(tool: &str, side: &str) -> (Reading, Vec<String>) {
    let paths = common::files_below(&data().join(tool).join(side));
    let names: Vec<_> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let contents: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let sources: Vec<_> = names.iter().zip(&contents).map(|(name, bytes)| Source { name, bytes }).collect();
    let origins: Vec<_> = sources.iter().map(|source| callgrind::origin(tool, *source)).collect();
    let left = callgrind::leftovers(&origins.iter().map(Option::as_ref).collect::<Vec<_>>());
    let mut whole = Reading::default();
    for (at, source) in sources.iter().enumerate().filter(|(at, _)| !left.contains(at)) {
        assert_eq!(format_of(source.bytes), [tool], "{}", names[at]);
        let reading = format(tool).parse(*source).unwrap();
        whole.measurements.extend(reading.measurements);
        whole.diagnostics.extend(reading.diagnostics);
    }
    (whole, left.into_iter().map(|at| names[at].clone()).collect())
}

#[test]
fn callgrind_counts_are_exact_and_leftover_summaries_are_skipped() {
    for tool in ["gungraun", "iai-callgrind"] {
        let ((before, none), (after, left)) = (tree(tool, "before"), tree(tool, "after"));
        assert!(none.is_empty());
        assert!(left.len() == 1 && Path::new(&left[0]).ends_with("old_codec/summary.json"), "{left:?}");
        let suite = Suite { before, after }
            .has_benchmarks(&[
                "suite::codec::parse_line",
                "suite::codec::fib short",
                "suite::codec::fib long",
                "suite::codec::stable multi_0",
                "suite::codec::stable multi_1",
                "suite::codec::old_codec",
                "suite::codec::new_codec",
                "suite::memory::alloc",
            ])
            .removed_and_added(&["suite::codec::old_codec"], &["suite::codec::new_codec"])
            .has_metric("instructions", Unit::Count, Direction::Lower)
            .has_ratio("suite::codec::parse_line", "instructions", 1.499, 1.5)
            .has_ratio("suite::codec::fib short", "instructions", 0.5, 0.501)
            .has_ratio("suite::codec::fib long", "instructions", 1.0, 1.000001)
            .has_ratio("suite::memory::alloc", "instructions", 1.0, 1.000001)
            .has_no_diagnostics();
        let ir = Suite::measured(&suite.before, "suite::codec::parse_line", "instructions");
        assert!(ir.metric.exact);
        assert_eq!(ir.evidence, [Evidence::Value(24024.0)]);
        assert_eq!(centre(Suite::measured(&suite.after, "suite::codec::parse_line", "instructions")), 36024.0);
    }
}
