//! Tests of names: a benchmark keeps its name when another test case, target or package is added, and stored runs with the
//! shorter names of earlier versions continue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use serde_json::{Value, json};

/// A report of Catch2 with benchmarks (test case, name, mean in ns). Synthetic.
fn catch2(rows: &[(&str, &str, f64)]) -> String {
    let case = |(case, name, mean): &(&str, &str, f64)| {
        format!(
            r#"<TestCase name="{case}"><BenchmarkResults name="{name}" samples="100"><mean value="{mean}"/><standardDeviation value="1" ci="0.95"/></BenchmarkResults></TestCase>"#
        )
    };
    format!("<Catch2TestRun name=\"t\">{}</Catch2TestRun>", rows.iter().map(case).collect::<String>())
}

/// Tables of divan: of each target, benchmarks with their times in ns. Synthetic.
fn divan(targets: &[(&str, &[(&str, f64)])]) -> String {
    let mut out = String::new();
    for (target, rows) in targets {
        out += &format!("{target}   fastest │ slowest │ median │ mean │ samples │ iters\n");
        for (name, ns) in *rows {
            out += &format!("├─ {name}   {ns} ns │ {0} ns │ {ns} ns │ {ns} ns │ 100 │ 100\n", ns * 1.1);
        }
    }
    out
}

fn outcomes(report: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let mut all: Vec<_> =
        report["benchmarks"].as_array().unwrap().iter().map(|one| (text(one, "name"), text(one, "outcome"))).collect();
    all.sort();
    all
}

fn expected(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect()
}

#[test]
fn a_new_test_case_renames_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("base.xml", catch2(&[("Parser", "small", 344.0), ("Parser", "large", 41_000.0)]));
    sandbox.write(
        "head.xml",
        catch2(&[("Parser", "small", 744.0), ("Parser", "large", 41_000.0), ("Writer", "small", 300.0)]),
    );
    let report = sandbox.perfgate(&["compare", "base.xml", "head.xml", "--format", "json"]).json();
    let names: Vec<String> = outcomes(&report).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Parser/large", "Parser/small", "Writer/small"]);
    assert_eq!((&report["counts"]["added"], &report["counts"]["removed"]), (&json!(1), &json!(0)));
    let small = report["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "Parser/small").unwrap();
    assert!(small["change"].as_f64().unwrap() > 1.0 && small["suspect"] == true, "{small:#}");
}

#[test]
fn a_second_target_renames_nothing() {
    let sandbox = Sandbox::new();
    let rows: &[(&str, f64)] = &[("glob", 100.0), ("plain", 200.0), ("sensitive", 300.0)];
    sandbox
        .write("base.txt", divan(&[("search", rows)]))
        .write("head.txt", divan(&[("search", rows), ("extra", &[("new", 5.0)])]));
    let report = sandbox.perfgate(&["compare", "base.txt", "head.txt", "--format", "json"]).exits(0).json();
    assert_eq!(report["counts"]["removed"], 0);
    assert!(outcomes(&report).contains(&("extra/new".to_owned(), "added".to_owned())));
    assert!(outcomes(&report).iter().any(|(name, _)| name == "search/glob"));
}

#[test]
fn a_second_job_renames_nothing() {
    let table = |rows: &str| format!("Method,Job,N,Mean,Error,StdDev\n{rows}");
    let row = |method: &str, job: &str, ns: f64| format!("{method},{job},10,{ns} ns,0.1 ns,0.1 ns\n");
    let two = |ns: f64| {
        [row("A", ".NET 8.0", ns), row("A", ".NET 9.0", 12.0), row("B", ".NET 8.0", 22.0), row("B", ".NET 9.0", 21.0)]
            .concat()
    };
    let sandbox = Sandbox::new();
    sandbox.write("one.csv", table(&[row("A", ".NET 8.0", 12.0), row("B", ".NET 8.0", 22.0)].concat()));
    sandbox.write("two.csv", table(&two(42.0)));
    let answer = sandbox.perfgate(&["compare", "one.csv", "two.csv", "--format", "json"]);
    let report = answer.json();
    assert_eq!((&report["counts"]["added"], &report["counts"]["removed"]), (&json!(2), &json!(0)), "{report:#}");
    let a = report["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "A/N=10/job=.NET 8.0").unwrap();
    assert!(a["change"].as_f64().unwrap() > 2.0, "{a:#}");
    let notes = report["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "long-names").count();
    assert_eq!(notes, 1, "{report:#}");
    let back = sandbox.perfgate(&["compare", "two.csv", "one.csv", "--format", "json"]).json();
    let a = back["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "A/N=10").unwrap();
    assert!(a["change"].as_f64().unwrap() < -0.5, "{a:#}");
}

#[test]
fn a_package_of_another_process_renames_nothing() {
    let sandbox = Sandbox::new();
    let lines = |package: &str, processors: u32| {
        let of = |name| format!("Benchmark{name}-{processors} \t 100 \t 50 ns/op\n").repeat(6);
        format!("pkg: {package}\n{}{}", of("A"), of("B"))
    };
    sandbox.write("base.txt", lines("p", 8)).write("head.txt", lines("p", 8) + &lines("q", 2));
    let report = sandbox.perfgate(&["compare", "base.txt", "head.txt", "--format", "json"]).exits(0).json();
    let names: Vec<String> = outcomes(&report).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["p/BenchmarkA", "p/BenchmarkB", "q/BenchmarkA", "q/BenchmarkB"]);
    assert_eq!((&report["counts"]["added"], &report["counts"]["removed"]), (&json!(2), &json!(0)));
}

#[test]
fn results_of_the_same_number_of_processors_are_compared() {
    let sandbox = Sandbox::new();
    let lines = |suffix: &str, ns: u32| {
        ["A", "B"].map(|name| format!("Benchmark{name}{suffix} \t 100 \t {ns} ns/op\n").repeat(6)).concat()
    };
    let start = "goos: linux\npkg: p\n";
    sandbox.write("one.txt", format!("{start}{}", lines("-4", 400)));
    let several = [lines("", 1000), lines("-2", 600), lines("-4", 400)].concat();
    sandbox.write("several.txt", format!("{start}{several}"));
    let names = |base: &str, head: &str| {
        let report = sandbox.perfgate(&["compare", base, head, "--all", "--format", "json"]).json();
        let shared = report["benchmarks"].as_array().unwrap().iter();
        let shared = shared.filter(|one| !one["base"].is_null() && !one["head"].is_null());
        let named =
            shared.map(|one| (one["name"].as_str().unwrap().to_owned(), one["base"]["value"].as_f64().unwrap()));
        named.collect::<Vec<_>>()
    };
    let shared = |a: &str, b: &str| vec![(a.to_owned(), 400.0), (b.to_owned(), 400.0)];
    assert_eq!(names("one.txt", "several.txt"), shared("p/BenchmarkA-4", "p/BenchmarkB-4"));
    assert_eq!(names("several.txt", "one.txt"), shared("p/BenchmarkA", "p/BenchmarkB"));
}

/// A run as an earlier version stored it: with the short names of that time.
fn stored_with_short_names(time: i64, commit: &str) -> String {
    let measurements: Vec<Value> = [("glob", 100.0), ("plain", 200.0)]
        .map(|(name, ns)| {
            json!({"tool": "divan", "benchmark": name, "metric": "time", "unit": "ns",
                "replicates": [{"value": ns, "n": 100, "quantiles": [[0.0, ns], [1.0, ns * 1.1]]}]})
        })
        .to_vec();
    json!({"format": "perfgate-run", "version": 1, "commit": commit, "time": time, "measurements": measurements})
        .to_string()
}

#[test]
fn stored_series_with_short_names_continue() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 0..5 {
        sandbox.commit("r", &format!("commit {run}"));
        let head = sandbox.git("r", &["rev-parse", "HEAD"]);
        sandbox.write("old.json", stored_with_short_names(1_700_000_000 + run, &head));
        sandbox.perfgate_at("r", &["record", "../old.json"]).exits(0);
    }
    sandbox.commit("r", "new");
    sandbox.write("new.txt", divan(&[("search", &[("glob", 100.5), ("plain", 200.5), ("new", 7.0)])]));
    let answer = sandbox.perfgate_at("r", &["compare", "--head", "../new.txt", "--format", "json"]);
    let report = answer.exits(0).json();
    let all = [("search/glob", "unchanged"), ("search/new", "added"), ("search/plain", "unchanged")];
    assert_eq!(outcomes(&report), expected(&all));
    sandbox.perfgate_at("r", &["compare", "--head", "../new.txt"]).prints("`glob` is now `search/glob`");

    sandbox.perfgate_at("r", &["record", "../new.txt"]).exits(0);
    let history = sandbox.perfgate_at("r", &["history", "search/glob", "--format", "json"]).exits(0).json();
    assert_eq!(history["series"][0]["points"].as_array().unwrap().len(), 6);
}

/// A run of perfgate's format with values in ns.
fn run(values: &[(&str, f64)]) -> String {
    let measurements: Vec<Value> = values
        .iter()
        .map(|(name, ns)| json!({"benchmark": name, "metric": "time", "unit": "ns", "replicates": [{"value": ns}]}))
        .collect();
    json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
}

#[test]
fn a_renamed_benchmark_comes_with_the_line_for_the_config() {
    let sandbox = Sandbox::new();
    let rest = [("dec", 40.0), ("hash", 70.0), ("sort", 90.0)];
    sandbox.write("base.json", run(&[&[("enc 256", 10.0)], &rest[..]].concat()));
    sandbox.write("head.json", run(&[&[("enc 255", 10.2)], &rest[..]].concat()));
    for format in ["table", "markdown"] {
        sandbox.perfgate(&["compare", "base.json", "head.json", "--format", format]).prints(r#""enc 256" = "enc 255""#);
    }
    sandbox.write("perfgate.toml", "[rename]\n\"enc 256\" = \"enc 255\"\n");
    let report = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).json();
    assert_eq!((&report["counts"]["added"], &report["counts"]["removed"]), (&json!(0), &json!(0)));
    std::fs::remove_file(sandbox.path("perfgate.toml")).unwrap();
    // If the sides have no benchmark in common, the error has the line for the config.
    sandbox
        .write("old.json", run(&[("com.acme.Parser.parse", 10.0)]))
        .write("new.json", run(&[("org.acme.Parser.parse", 10.0)]));
    sandbox
        .perfgate(&["compare", "old.json", "new.json"])
        .exits(2)
        .reports(r#""com.acme.Parser.parse" = "org.acme.Parser.parse""#);
}

#[test]
fn a_rule_that_matches_nothing_names_the_nearest_benchmark() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run(&[("parse/large", 10.0), ("u64[0]/fmt", 20.0)]));
    sandbox.write("head.json", run(&[("parse/large", 10.0), ("u64[0]/fmt", 20.0)]).replace("20.0", "20.5"));
    let compare = ["compare", "base.json", "head.json"];
    let until = "up-to = \"9%\"\nreason = \"r\"\nuntil = \"2999-01-01\"\n";
    for (config, expected) in [
        ("[[benchmark]]\nmatch = \"parse/lagre\"\nfloor = \"5ns\"\n".to_owned(), "did you mean `parse/large`?"),
        ("[[benchmark]]\nmatch = \"u64[0]/*\"\nfloor = \"5ns\"\n".to_owned(), r"write match = 'u64\[0\]/*'"),
        ("[rename]\n\"parse/lrge\" = \"parse/huge\"\n".to_owned(), "did you mean `parse/large`?"),
        (format!("[[accept]]\nbenchmark = \"parse/larg\"\n{until}"), "did you mean `parse/large`?"),
    ] {
        sandbox.write("perfgate.toml", config);
        sandbox.perfgate(&compare).prints(expected);
    }
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = \"parse/larg\"\nmetric = \"time\"\ntarget = \"<1s\"\n");
    sandbox.perfgate(&compare).exits(2).reports("did you mean `parse/large`?");
}

#[test]
fn history_suggests_the_nearest_name() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.write("run.json", run(&[("parse/large", 10.0), ("dec", 20.0)]));
    sandbox.perfgate_at("r", &["record", "../run.json"]).exits(0);
    sandbox.perfgate_at("r", &["history", "parse/lagre"]).exits(2).reports("did you mean \"parse/large\"?");
    sandbox.perfgate_at("r", &["history", "quick"]).exits(2).reports("the stored ones are");
}

/// The log of JMH with benchmarks of one method `P.f` in these packages. Synthetic.
fn jmh_log(packages: &[&str], shown: &[(&str, f64)]) -> String {
    let trials: String = packages.iter().map(|package| format!("# Benchmark: {package}.P.f\n")).collect();
    let row = |(name, us): &(&str, f64)| format!("{name}  avgt  5  {us} ± 0.2  us/op\n");
    let rows: String = shown.iter().map(row).collect();
    format!("{trials}\n# Run complete. Total time: 00:01:00\n\nBenchmark  Mode  Cnt  Score  Error  Units\n{rows}")
}

#[test]
fn a_method_of_jmh_is_compared_with_that_of_the_same_package() {
    let outcomes = |base: &str, head: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("base", base).write("head", head);
        let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
        let rows = answer.json()["benchmarks"].as_array().unwrap().clone();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let mut all: Vec<_> = rows.iter().map(|row| (text(row, "name"), text(row, "outcome"))).collect();
        all.sort();
        all
    };
    let pairs = |all: &[(&str, &str)]| -> Vec<_> {
        all.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect()
    };
    let both = jmh_log(&["x.codec", "x.io"], &[("codec.P.f", 5.0), ("io.P.f", 90.0)]);
    let io = jmh_log(&["x.io"], &[("P.f", 90.0)]);
    assert_eq!(outcomes(&both, &io), pairs(&[("P.f", "inconclusive"), ("codec.P.f", "removed")]));
    assert_eq!(outcomes(&io, &both), pairs(&[("codec.P.f", "added"), ("io.P.f", "inconclusive")]));
    let sandbox = Sandbox::new();
    sandbox.write("base", jmh_log(&["x.codec"], &[("P.f", 5.0)])).write("head", io);
    sandbox.perfgate(&["compare", "base", "head"]).exits(2).reports("no benchmark in common");
}

#[test]
fn a_name_that_starts_with_a_dash_can_be_passed_to_each_command() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").bench("r/target/criterion", "-x", 1000.0, 1).bench("r/target/criterion", "y", 500.0, 1);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    for name in [&["--", "-x"][..], &["--benchmark=-x"], &["--benchmark", "-x"]] {
        sandbox.perfgate_at("r", &[&["history"], name].concat()).exits(0).prints("1 series of ").prints("-x");
    }
    let commands = [&["explain", "--benchmark=-x"][..], &["bisect", "--benchmark=-x", "--good", "HEAD"]];
    for command in commands {
        let answer = sandbox.perfgate_at("r", &[command, &["--", "no-such-program"]].concat());
        assert!(answer.code == 2 && !answer.stderr.contains("Usage:"), "{command:?}: {}", answer.stderr);
    }
    sandbox.perfgate_at("r", &["explain", "--benchmark=-x"]).exits(2).reports("<COMMAND>");
    sandbox.perfgate_at("r", &["explain"]).exits(2).reports("Usage:");
}
