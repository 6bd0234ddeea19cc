//! Formats of Python, JavaScript, the JVM, .NET and Ruby, and the formats for scripts, on real and synthetic files. The
//! suites in `tests/data/TOOL` were measured before and after known changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

#[path = "formats_managed/hostile.rs"]
mod hostile;
#[path = "formats_managed/pair.rs"]
mod pair;
#[path = "formats_managed/script_formats.rs"]
mod script_formats;

use pair::{Pair, centre, read};
use perfgate::model::{Environment, Evidence};

/// The formats tested here; each has a folder in `tests/data`.
pub const TESTED: [&str; 15] = [
    "asv",
    "bencher-bmf",
    "benchmark-ips",
    "benchmarkdotnet",
    "benchmarkjs",
    "csv",
    "github-action-benchmark",
    "jmh",
    "mitata",
    "perfgate-run",
    "pyperf",
    "pytest-benchmark",
    "timeit",
    "tinybench",
    "vitest-bench",
];

#[test]
fn known_changes_are_read_from_pytest_benchmark_with_and_without_data() {
    for files in [["before.json", "after.json"], ["before.nodata.json", "after.nodata.json"]] {
        Pair {
            tool: "pytest-benchmark",
            files,
            metric: "time",
            unit: "ns",
            stable: &["test_suite.py::test_stable[10]", "test_suite.py::test_stable[100]"],
            slower: &["test_suite.py::test_parse"],
            faster: &["test_suite.py::test_encode[gz-ip]", "test_suite.py::test_encode[l\\xe4z|4]"],
            removed: &["test_suite.py::test_old"],
            added: &["test_suite.py::test_new"],
        }
        .check();
    }
}

#[test]
fn pytest_benchmark_keeps_every_round_and_the_machine() {
    let reading = read("pytest-benchmark", "before.json");
    let [Evidence::Samples(rounds)] = &reading.measurements[0].evidence[..] else { panic!("one process of samples") };
    assert_eq!(rounds.len(), 37); // "rounds" of test_parse in the file
    let facts = [Environment::CPU, Environment::CORES, Environment::ARCH, Environment::OS, "python"];
    let facts = facts.map(|key| reading.environment.get(key).unwrap_or_default());
    assert_eq!(facts, ["AMD EPYC", "2", "x86_64", "linux", "CPython 3.11.7"]);
    let bare = read("pytest-benchmark", "before.nodata.json");
    let [Evidence::Summary(summary)] = &bare.measurements[0].evidence[..] else { panic!("a summary") };
    assert_eq!((summary.samples, summary.quantiles.len()), (Some(20), 5));
}

#[test]
fn known_changes_are_read_from_pyperf() {
    Pair {
        tool: "pyperf",
        files: ["before.json", "after.json"],
        metric: "time",
        unit: "ns",
        stable: &["stable"], // `list join` is noisy
        slower: &["parse_line"],
        faster: &["encode"],
        removed: &["old_codec"],
        added: &["new_codec"],
    }
    .check();
    let reading = read("pyperf", "before.json");
    assert!(reading.measurements.iter().all(|measurement| measurement.evidence.len() == 5), "-p 5");
    let processes = reading.measurements[0].evidence.iter();
    assert!(processes.clone().all(|process| matches!(process, Evidence::Samples(values) if values.len() == 5)), "-n 5");
}

#[test]
fn known_changes_are_read_from_asv() {
    let encode = |n, kind| format!("b.TimeSuite.time_encode({n}, '{kind}')");
    let faster = [encode(10, 'b'), encode(100, 'a'), encode(100, 'b')];
    let files = ["before.json", "after.json"];
    Pair {
        tool: "asv",
        files,
        metric: "time",
        unit: "ns",
        stable: &["b.time_stable"],
        slower: &["b.time_parse"],
        faster: &faster.each_ref().map(String::as_str),
        removed: &["b.time_old"],
        added: &["b.time_new"],
    }
    .check();
    let (slower, none): (&[&str], &[&str]) = (&["b.track_size"], &[]);
    let value = Pair {
        tool: "asv",
        files,
        metric: "value",
        unit: "1",
        stable: none,
        slower,
        faster: none,
        removed: none,
        added: none,
    };
    value.check();
    Pair { metric: "memory:peak", unit: "B", stable: &["b.peakmem_list"], slower: none, ..value }.check();
    let reading = read("asv", "before.json");
    assert_eq!(reading.commit.unwrap().short(), "aca82575de");
    let failed: Vec<_> = reading.diagnostics.iter().filter(|d| d.code == "failed-benchmark").collect();
    assert!(failed.len() == 1 && failed[0].message.contains("`b.time_fails`"), "{failed:?}");
}

#[test]
fn known_changes_are_read_from_timeit() {
    Pair {
        tool: "timeit",
        files: ["before.txt", "after.txt"],
        metric: "time",
        unit: "ns",
        stable: &["line 3"],
        slower: &["line 1"],
        faster: &["line 2"],
        removed: &[],
        added: &[],
    }
    .check();
    let best = |at: usize| centre(&read("timeit", "before.txt").measurements[at]);
    assert!((best(0) - 2.07e6).abs() < 1.0 && (best(1) - 4.2e6).abs() < 1.0);
}

/// The suite of the JavaScript tools, with a tool's names for: slower, faster, stable, removed, added.
fn javascript<'a>(
    tool: &'a str,
    files: [&'a str; 2],
    [metric, unit]: [&'a str; 2],
    names: &'a [&'a str; 5],
) -> Pair<'a> {
    let [slower, faster, stable, removed, added] = names.each_ref().map(std::slice::from_ref);
    Pair { tool, files, metric, unit, stable, slower, faster, removed, added }
}

const PLAIN: [&str; 5] = ["parse line", "encode/utf-8", "stable", "old <codec>", "new <codec>"];

#[test]
fn known_changes_are_read_from_benchmarkjs_as_suite_list_and_text() {
    javascript("benchmarkjs", ["before.json", "after.json"], ["time", "ns"], &PLAIN).check();
    javascript("benchmarkjs", ["before.mapped.json", "after.mapped.json"], ["time", "ns"], &PLAIN).check();
    javascript("benchmarkjs", ["before.txt", "after.txt"], ["throughput", "/s"], &PLAIN).check();
    let failed = read("benchmarkjs", "before.json").diagnostics;
    assert!(failed.len() == 1 && failed[0].message.contains("`throws`"), "{failed:?}");
    let text = read("benchmarkjs", "before.txt");
    assert_eq!(centre(&text.measurements[0]), 325.0);
}

#[test]
fn known_changes_are_read_from_tinybench() {
    javascript("tinybench", ["before.json", "after.json"], ["time", "ns"], &PLAIN).check();
    let reading = read("tinybench", "before.json");
    let [Evidence::Samples(samples)] = &reading.measurements[0].evidence[..] else { panic!("samples") };
    assert_eq!(samples.len(), 58);
    assert!((centre(&reading.measurements[0]) - 2.0982299e6).abs() < 1.0); // "p50" in ms
}

#[test]
fn known_changes_are_read_from_vitest_bench_with_the_group_in_the_name() {
    let names = [
        "vb/suite.bench.js > codec > parse line",
        "vb/suite.bench.js > codec > encode/utf-8",
        "vb/suite.bench.js > codec > inner > group > stable",
        "vb/suite.bench.js > old <codec>",
        "vb/suite.bench.js > new <codec>",
    ];
    javascript("vitest-bench", ["before.json", "after.json"], ["time", "ns"], &names).check();
}

#[test]
fn known_changes_are_read_from_mitata_as_json_and_text() {
    let grouped = ["codec/parse line", "codec/encode/utf-8", "stable", "old <codec>", "new <codec>"];
    javascript("mitata", ["before.json", "after.json"], ["time", "ns"], &grouped).check();
    javascript("mitata", ["before.txt", "after.txt"], ["time", "ns"], &PLAIN).check();
    let reading = read("mitata", "before.json");
    let parse = &reading.measurements[0];
    assert!((centre(parse) / 2095186.0 - 1.0).abs() < 1e-4); // mitata's "p50" is one of the 262 samples
    assert!(matches!(&parse.evidence[..], [Evidence::Samples(samples)] if samples.len() == 262));
    // The file contains 400 of 519 sorted samples, so its statistics are read instead.
    let old = reading.measurements.iter().find(|m| m.benchmark.as_str() == "old <codec>").unwrap();
    assert!(matches!(&old.evidence[..], [Evidence::Summary(summary)] if summary.centre == 983578.0));
    let text = read("mitata", "before.txt");
    let [Evidence::Summary(summary)] = &text.measurements[0].evidence[..] else { panic!("a summary") };
    let shares: Vec<f64> = summary.quantiles.iter().map(|(share, _)| *share).collect();
    assert_eq!((summary.mean, shares), (Some(2.54e6), vec![0.0, 0.75, 0.99, 1.0]));
}

#[test]
fn known_changes_are_read_from_jmh_in_every_mode() {
    let files = ["before.json", "after.json"];
    let class = "org.example.CodecBenchmark";
    let names = ["parseLine", "stable", "oldCodec", "newCodec"].map(|name| format!("{class}.{name}"));
    let [parse, stable, old, new] = names.each_ref().map(|name| [name.as_str()]);
    let time = Pair {
        tool: "jmh",
        files,
        metric: "time",
        unit: "ns",
        stable: &stable,
        slower: &parse,
        faster: &[],
        removed: &old,
        added: &new,
    };
    time.check();
    let encode = ["64", "1024"].map(|size| format!("{class}.encode/size={size}/kind=utf-8"));
    let faster = encode.each_ref().map(String::as_str);
    let rate = Pair {
        metric: "throughput",
        unit: "/s",
        stable: &[],
        slower: &[],
        faster: &faster,
        removed: &[],
        added: &[],
        ..time
    };
    rate.check();
    Pair { metric: "memory", unit: "B", slower: &faster[..1], faster: &[], ..rate }.check();
    let reading = read("jmh", "before.json");
    assert!(reading.measurements.iter().all(|measurement| measurement.evidence.len() == 2), "two forks each");
    assert!(!reading.measurements.iter().any(|measurement| measurement.metric.name.contains("alloc.rate")));
    assert_eq!(reading.environment.get("jvm"), Some("OpenJDK 64-Bit Server VM 21.0.2"));
}

#[test]
fn known_changes_are_read_from_benchmarkdotnet_full_and_brief() {
    let pair = Pair {
        tool: "benchmarkdotnet",
        files: ["before.json", "after.json"],
        metric: "time",
        unit: "ns",
        stable: &["Sample.Codec.Stable"],
        slower: &["Sample.Codec.Parse"],
        faster: &["Sample.Codec.Encode/size=64/kind=utf-8"],
        removed: &["Sample.Codec.Old"],
        added: &["Sample.Codec.New"],
    };
    pair.check();
    Pair { files: ["before.brief.json", "after.json"], ..pair }.check();
    let none: &[&str] = &[];
    let memory = Pair {
        metric: "memory",
        unit: "B",
        stable: none,
        slower: pair.faster,
        faster: none,
        removed: none,
        added: none,
        ..pair
    };
    memory.check();
    let reading = read("benchmarkdotnet", "before.json");
    assert_eq!(reading.measurements[0].evidence.len(), 2, "two launches");
    assert!(
        reading.diagnostics.iter().any(|d| d.code == "failed-benchmark" && d.message.contains("Sample.Codec.Fails"))
    );
    let brief = read("benchmarkdotnet", "before.brief.json");
    assert!(matches!(&brief.measurements[0].evidence[..], [Evidence::Samples(values)] if values.len() == 8));
}

#[test]
fn known_changes_are_read_from_benchmark_ips_as_json_and_text() {
    for files in [["before.json", "after.json"], ["before.txt", "after.txt"]] {
        Pair {
            tool: "benchmark-ips",
            files,
            metric: "throughput",
            unit: "/s",
            stable: &["stable"],
            slower: &["parse"],
            faster: &["encode/utf-8"],
            removed: &["old"],
            added: &["new"],
        }
        .check();
    }
}
