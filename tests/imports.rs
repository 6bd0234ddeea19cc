//! Tests of importing the history of another tool, as docs/migrate.md describes it, and of names with patterns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::{Command, Stdio};

/// Adds commits to main, one minute apart, by one git process; returns their ids, oldest first.
fn commits(sandbox: &Sandbox, count: usize) -> Vec<String> {
    let mut stream = String::new();
    for number in 1..=count {
        let text = format!("change {number}");
        let _ = writeln!(stream, "commit refs/heads/main\nmark :{number}");
        let _ = writeln!(stream, "committer A <a@example.org> {} +0000", 1_750_000_000 + 60 * number);
        let _ = writeln!(stream, "data {}\n{text}", text.len());
        if number == 1 {
            let _ = writeln!(stream, "from refs/heads/main^0");
        }
        let _ = writeln!(stream, "M 644 inline file\ndata {}\n{text}", text.len());
    }
    sandbox.write("stream", stream);
    let input = std::fs::File::open(sandbox.path("stream")).unwrap();
    let mut import = Command::new("git");
    import.args(["fast-import", "--quiet", "--force"]).current_dir(sandbox.path("r")).stdin(input);
    assert!(import.stdout(Stdio::null()).status().unwrap().success());
    sandbox.git("r", &["reset", "-q", "--hard", "main"]);
    let ids = sandbox.git("r", &["rev-list", "--reverse", "-n", &count.to_string(), "main"]);
    ids.lines().map(str::to_owned).collect()
}

/// A synthetic `data.js` of a benchmark that is 30% slower from three quarters on.
fn data_js(ids: &[String]) -> String {
    let value = |at: usize| {
        let noise = (at * 7919 % 101) as f64 / 101.0 - 0.5;
        (1000.0 * (1.0 + noise / 50.0) * if 4 * at >= 3 * ids.len() { 1.3 } else { 1.0 }).round()
    };
    let runs: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| {
            json!({"commit": {"id": id}, "date": 1_750_000_000_000_u64 + at as u64,
        "tool": "cargo", "benches": [{"name": "parse", "value": value(at), "range": "± 9", "unit": "ns/iter"}]})
        })
        .collect();
    format!("window.BENCHMARK_DATA = {}", json!({"lastUpdate": 1, "entries": {"Rust Benchmark": runs}}))
}

const DOCS: &str = include_str!("../docs/migrate.md");

/// The settings of docs/migrate.md: runs of an unknown machine, and a series under another tool.
fn settings_of_the_docs() -> String {
    DOCS.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

/// The arguments of the first command in docs/migrate.md that starts like this.
fn command_of_the_docs(start: &str) -> Vec<&'static str> {
    let line = DOCS.lines().find(|line| line.starts_with(start)).unwrap();
    line.split('#').next().unwrap().split_whitespace().skip(1).collect()
}

#[test]
fn a_history_of_400_runs_moves_in_by_the_commands_of_the_docs_and_goes_on_under_the_native_tool() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let mut ids = commits(&sandbox, 400);
    ids[17] = "0123456789".repeat(4);
    sandbox.git("r", &["switch", "-q", "-c", "gh-pages"]);
    sandbox.write("r/dev/bench/data.js", data_js(&ids));
    sandbox.git("r", &["add", "."]);
    sandbox.git("r", &["commit", "-q", "-m", "data"]);
    sandbox.git("r", &["switch", "-q", "main"]);

    let import = command_of_the_docs("perfgate runs import gh-pages");
    sandbox.perfgate_at("r", &import).exits(0).prints("imported 400 of 400 runs").reports("1 run of commits that this");
    sandbox.perfgate_at("r", &import).exits(0).prints("imported 0 of 400 runs").prints("400 already there");
    let history = sandbox.perfgate_at("r", &["history", "--last", "400"]);
    history.exits(0).prints(&format!("at {}", &ids[300][..10]));
    let listed = sandbox.perfgate_at("r", &["runs", "list", "--last", "2"]);
    listed
        .exits(0)
        .prints("  unknown\n")
        .prints("\nunknown: imported results that state no machine; not compared with those");

    // The next run is read from the tool itself, on a machine that is known.
    sandbox.write("new.txt", "test parse ... bench:       1,310 ns/iter (+/- 9)\n");
    let compare = ["compare", "--head", "../new.txt"];
    sandbox.perfgate_at("r", &compare).exits(2).reports("[[continue]]");
    let settings = settings_of_the_docs();
    sandbox.write("r/perfgate.toml", settings.replace("\"unknown\"", ""));
    sandbox
        .perfgate_at("r", &compare)
        .exits(2)
        .prints("set `ignore = [\"unknown\"]` under `[environment]` in perfgate.toml");
    let next = "Next: Record new runs with `perfgate record`, which stores their machine, or list \"unknown\" under";
    sandbox.perfgate_at("r", &compare).prints(next);
    sandbox.write("r/perfgate.toml", settings);
    sandbox.perfgate_at("r", &compare).exits(0).prints("1 unchanged");
    sandbox.write("slow.txt", "test parse ... bench:       2,810 ns/iter (+/- 9)\n");
    sandbox.perfgate_at("r", &["compare", "--head", "../slow.txt"]).exits(1).prints("✗ regressed  parse");
    sandbox.perfgate_at("r", &["record", "../new.txt"]).exits(0);
    sandbox.perfgate_at("r", &["history", "--last", "500"]).exits(0).prints("1 series of 400 stored runs");
    sandbox.perfgate_at("r", &command_of_the_docs("perfgate history")).exits(0);
    sandbox.perfgate_at("r", &["replay"]).exits(0);
}

/// What the action stores for a tool, with the format and the names of the tool's own output, and that output at a speed.
struct Continued {
    tool: &'static str,
    benches: Value,
    from: &'static str,
    to: &'static str,
    output: fn(f64) -> String,
}

/// The entries are written from the source of the action (`src/extract.ts`, version 1.20).
fn continued() -> [Continued; 5] {
    let go = |factor: f64| {
        format!(
            "goos: linux\ngoarch: amd64\npkg: example.org/p\nBenchmarkParse/n=1-8  \t 1000000\t {} ns/op\t 48 B/op\t 2 allocs/op\nPASS\n\
             ok  \texample.org/p\t1.2s\n",
            1000.0 * factor
        )
    };
    let values = "ns/op\t      48 B/op\t       2 allocs/op";
    let of_go = |name: &str| {
        json!([
            {"name": name, "value": 1000, "unit": values, "extra": "1000000 times\n8 procs"},
            {"name": format!("{name} - ns/op"), "value": 1000, "unit": "ns/op"},
            {"name": format!("{name} - B/op"), "value": 48, "unit": "B/op"},
            {"name": format!("{name} - allocs/op"), "value": 2, "unit": "allocs/op"}
        ])
    };
    let google = |factor: f64| {
        json!({"context": {"num_cpus": 8, "library_build_type": "release"}, "benchmarks": [
            {"name": "BM_Parse/64", "run_name": "BM_Parse/64", "run_type": "iteration", "iterations": 1000,
                "real_time": 1000.0 * factor, "cpu_time": 990.0 * factor, "time_unit": "ns"}]})
        .to_string()
    };
    let bencher = |factor: f64| format!("test parse/64 ... bench:       {:.0} ns/iter (+/- 9)\n", 1000.0 * factor);
    let benchmark_js =
        |factor: f64| format!("parse line x {:.0} ops/sec \u{b1}1.79% (84 runs sampled)\n", 32500.0 / factor);
    [
        Continued {
            tool: "go",
            benches: of_go("BenchmarkParse/n=1"),
            from: "B/*",
            to: "go-bench:example.org/p/*",
            output: go,
        },
        // With several packages, the action appends the package.
        Continued {
            tool: "go",
            benches: of_go("BenchmarkParse/n=1 (example.org/p)"),
            from: "B/* (example.org/p)",
            to: "go-bench:example.org/p/*",
            output: go,
        },
        Continued {
            tool: "googlecpp",
            benches: json!([{"name": "BM_Parse/64", "value": 1000, "unit": "ns/iter", "extra": "iterations: 1000\ncpu: 990 ns\nthreads: 1"}]),
            from: "B/*",
            to: "google-benchmark:*",
            output: google,
        },
        Continued {
            tool: "cargo",
            benches: json!([{"name": "parse/64", "range": "\u{b1} 9", "value": 1000, "unit": "ns/iter"}]),
            from: "B/*",
            to: "bencher:*",
            output: bencher,
        },
        Continued {
            tool: "benchmarkjs",
            benches: json!([{"name": "parse line", "range": "\u{b1}1.79%", "unit": "ops/sec", "value": 32500, "extra": "84 samples"}]),
            from: "B/*",
            to: "benchmarkjs:*",
            output: benchmark_js,
        },
    ]
}

#[test]
fn series_of_go_google_benchmark_cargo_and_benchmark_js_continue_under_the_native_tool() {
    for Continued { tool, benches, from, to, output } in continued() {
        let sandbox = Sandbox::new();
        sandbox.repository("r");
        let runs: Vec<_> = commits(&sandbox, 10)
            .iter()
            .map(|id| json!({"commit": {"id": id}, "date": 1, "tool": tool, "benches": benches}))
            .collect();
        sandbox.write("data.json", json!({"lastUpdate": 1, "entries": {"B": runs}}).to_string());
        sandbox.perfgate_at("r", &["runs", "import", "../data.json"]).exits(0).prints("imported 10 of 10 runs");
        let config = format!(
            "[environment]\nignore = [\"unknown\"]\n[[continue]]\nfrom = \"github-action-benchmark:{from}\"\nto = \"{to}\"\n"
        );
        sandbox.write("r/perfgate.toml", config).write("head", output(1.0)).write("slow", output(3.0));
        let equal = sandbox.perfgate_at("r", &["compare", "--head", "../head"]);
        equal.exits(0).does_not_print(" added").does_not_print(" removed");
        sandbox.perfgate_at("r", &["compare", "--head", "../slow"]).exits(1).prints("1 regressed");
        sandbox.perfgate_at("r", &["record", "../head"]).exits(0);
        let history = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
        let series = history["series"].as_array().unwrap();
        // The new run is one of the last commit that was imported.
        let is_joined = |one: &Value| {
            let points = one["points"].as_array().unwrap();
            points.len() == 10 && points[9]["runs"] == 2
        };
        assert!(!series.is_empty() && series.iter().all(is_joined), "{tool} {from}: {history:#}");
    }
}

/// The bench output of criterion that the action reads has the names of criterion's own results.
#[test]
fn a_series_of_criterion_continues_under_criterion() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let bench = json!({"name": "parse/64", "range": "\u{b1} 9", "value": 1000, "unit": "ns/iter"});
    let runs: Vec<_> = commits(&sandbox, 10)
        .iter()
        .map(|id| json!({"commit": {"id": id}, "date": 1, "tool": "cargo", "benches": [bench]}))
        .collect();
    sandbox.write("data.json", json!({"lastUpdate": 1, "entries": {"B": runs}}).to_string());
    sandbox.perfgate_at("r", &["runs", "import", "../data.json"]).exits(0);
    let config = "[environment]\nignore = [\"unknown\"]\n[[continue]]\nfrom = \"github-action-benchmark:B/*\"\nto = \"criterion:*\"\n";
    sandbox.write("r/perfgate.toml", config).bench("r/target/criterion", "parse/64", 1000.0, 1);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("1 unchanged");
    sandbox
        .bench("r/target/criterion", "parse/64", 3000.0, 1)
        .perfgate_at("r", &["compare"])
        .exits(1)
        .prints("1 regressed");
}

#[test]
fn series_of_pytest_and_of_jmh_with_parameters_continue_under_the_native_tool() {
    // As text, because `json!` would sort the parameters.
    let jmh = |us: f64| {
        format!(
            r#"[{{"benchmark": "org.P.parse", "mode": "avgt", "params": {{"size": "64", "kind": "utf-8"}},
            "primaryMetric": {{"score": {us}, "scoreUnit": "us/op", "rawData": [[{us}, {}, {}]]}}}}]"#,
            us * 1.01,
            us * 0.99
        )
    };
    let pytest =
        |seconds: f64| pytest("", "Box").replace("0.5", &format!("{:.3}", seconds)).replace("2025-06-01", "2025-07-01");
    // The action stores rounds per second for pytest, and appends the parameters of JMH as JSON.
    let of_jmh = r#"org.P.parse ( {"size":"64","kind":"utf-8"} )"#;
    for (tool, bench, to, head, slow) in [
        ("jmh", json!({"name": of_jmh, "value": 12.5, "unit": "us/op"}), "jmh", jmh(12.5), jmh(37.5)),
        (
            "pytest",
            json!({"name": "test_a.py::t", "value": 2.0, "unit": "iter/sec"}),
            "pytest-benchmark",
            pytest(0.5),
            pytest(1.5),
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.repository("r");
        let runs: Vec<_> = commits(&sandbox, 10)
            .iter()
            .map(|id| json!({"commit": {"id": id}, "date": 1, "tool": tool, "benches": [bench]}))
            .collect();
        sandbox.write("data.json", json!({"lastUpdate": 1, "entries": {"B": runs}}).to_string());
        sandbox.perfgate_at("r", &["runs", "import", "../data.json"]).exits(0).prints("imported 10 of 10 runs");
        let config = format!(
            "[environment]\nignore = [\"unknown\"]\n[[continue]]\nfrom = \"github-action-benchmark:B/*\"\nto = \"{to}:*\"\n"
        );
        sandbox.write("r/perfgate.toml", config).write("head.json", head).write("slow.json", slow);
        sandbox.perfgate_at("r", &["compare", "--head", "../head.json"]).exits(0).prints("1 unchanged");
        sandbox.perfgate_at("r", &["compare", "--head", "../slow.json"]).exits(1).prints("1 regressed");
    }
}

#[test]
fn runs_of_the_suites_of_a_commit_are_one_run() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    let run = |name: &str| json!([{"commit": {"id": id}, "date": 1, "tool": "go", "benches": [{"name": name, "value": 5, "unit": "ns/op"}]}]);
    sandbox.write("data.json", json!({"lastUpdate": 1, "entries": {"A": run("x"), "B": run("y")}}).to_string());
    sandbox.perfgate_at("r", &["runs", "import", "../data.json"]).exits(0).prints("imported 1 of 1 run");
    sandbox.perfgate_at("r", &["runs", "show", "HEAD"]).exits(0).prints("A/x").prints("B/y").prints("unknown");
}

fn pytest(commit: &str, cpu: &str) -> String {
    json!({"machine_info": {"cpu": {"brand_raw": cpu, "count": 4}, "machine": "x86_64", "system": "Linux"},
        "commit_info": {"id": commit, "dirty": false}, "datetime": "2025-06-01T10:00:00", "version": "5.1.0",
        "benchmarks": [{"name": "t", "fullname": "test_a.py::t", "stats": {"data": [0.5, 0.51, 0.52], "median": 0.51,
            "mean": 0.51, "stddev": 0.01, "rounds": 3, "iterations": 1}}]})
    .to_string()
}

#[test]
fn a_directory_of_saved_runs_is_imported_with_commits_and_machines() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let first = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.commit("r", "next");
    let second = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.write(".benchmarks/Linux/0001_a.json", pytest(&first, "Box 1"));
    sandbox.write(".benchmarks/Linux/0002_b.json", pytest(&second, "Box 1"));
    // Python writes numbers that JSON does not have.
    let third = pytest(&"ab".repeat(20), "Box 2").replace("\"iterations\":1", "\"iterations\":1,\"ops\":Infinity");
    assert!(third.contains("Infinity"));
    sandbox.write(".benchmarks/Linux/0003_c.json", third);
    sandbox.write(".benchmarks/notes.md", "not a result");
    let answer = sandbox.perfgate_at("r", &["runs", "import", "../.benchmarks"]);
    answer.exits(0).prints("imported 3 of 3 runs").reports("1 run of commits").reports("1 file without results");
    let list = sandbox.perfgate_at("r", &["runs", "list"]).stdout;
    assert!(list.contains("Box 1") && list.contains("Box 2") && list.contains("2025-06-01 10:00:00Z"), "{list}");
}

#[test]
fn the_commit_comes_from_the_files_name_or_from_git() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    let line = "test parse ... bench:       1,310 ns/iter (+/- 9)\n";
    sandbox.write(&format!("old/20250601-{}.txt", &id[..9]), line);
    sandbox
        .perfgate_at("r", &["runs", "import", "../old"])
        .exits(0)
        .reports("1 run without a commit: only `perfgate history` uses such runs")
        .reports("To find the commits in another way, use --commit-from");
    sandbox
        .perfgate_at("r", &["runs", "import", "../old", "--commit-from", "NAME", "--store", "dir:../named"])
        .exits(0);
    sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../named"]).prints(&id[..10]);
    // The advice of the first import leaves no second copy of the run.
    for note in ["removed 1 run that an earlier import stored without a commit", ""] {
        let answer = sandbox.perfgate_at("r", &["runs", "import", "../old", "--commit-from", "name"]);
        assert_eq!(answer.exits(0).stderr.contains("removed"), !note.is_empty(), "{}", answer.stderr);
        answer.reports(note);
        let list = sandbox.perfgate_at("r", &["runs", "list", "--format", "json"]).json();
        assert_eq!(list["runs"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(list["runs"][0]["commit"], id);
    }
    sandbox.write("r/results/a.txt", line);
    sandbox.git("r", &["add", "."]);
    sandbox.git("r", &["commit", "-q", "-m", "results"]);
    let added = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.commit("r", "next");
    sandbox
        .perfgate_at("r", &["runs", "import", "results", "--commit-from", "git", "--store", "dir:../by-git"])
        .exits(0);
    sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../by-git"]).prints(&added[..10]);
}

#[test]
fn each_file_belongs_to_the_commit_that_git_log_names_for_it() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let write = |file: &str, ns: u32| {
        let line = format!("test {file} ... bench:       {ns} ns/iter (+/- 9)\n");
        sandbox.write(&format!("r/results/{file}.txt"), line);
    };
    let mut time = 1_700_000_000;
    let mut git = |args: &[&str]| {
        time += 1;
        sandbox.git("r", &["add", "."]);
        sandbox.git_at("r", time, args);
    };
    let commit = ["commit", "-q", "-m", "results"];
    let files = ["a", "b", "c", "deep/d", "e", "f", "g"];
    files.iter().zip(100..).for_each(|(file, ns)| write(file, ns));
    git(&commit);
    sandbox.git("r", &["switch", "-q", "-c", "side"]);
    write("b", 200);
    write("side", 201);
    // Both branches give it the same content.
    write("g", 202);
    git(&commit);
    sandbox.git("r", &["switch", "-q", "main"]);
    write("c", 203);
    write("g", 202);
    git(&commit);
    sandbox.git("r", &["merge", "-q", "--no-commit", "--no-ff", "side"]);
    write("e", 204);
    git(&commit);
    // The content of before, again.
    write("f", 205);
    git(&commit);
    write("f", 105);
    git(&commit);
    sandbox.write("r/file", "unrelated");
    git(&commit);
    write("untracked", 206);

    sandbox.perfgate_at("r", &["runs", "import", "results", "--commit-from", "git"]).exits(0).prints("imported 9 of 9");
    let list = sandbox.perfgate_at("r", &["runs", "list", "--format", "json"]).json();
    let mut commits: Vec<String> =
        list["runs"].as_array().unwrap().iter().filter_map(|run| Some(run["commit"].as_str()?.to_owned())).collect();
    let of_file = |file: &&str| sandbox.git("r", &["log", "-1", "--format=%H", "--", &format!("results/{file}.txt")]);
    let mut expected: Vec<String> = files.iter().chain(&["side"]).map(of_file).collect();
    commits.sort_unstable();
    expected.sort_unstable();
    assert_eq!(commits, expected);
}

#[test]
fn saved_baselines_of_criterion_are_runs_of_the_revisions_that_they_are_named_after() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.git("r", &["tag", "v1"]);
    sandbox.baseline("r/target/criterion", "v1", "a", 1000.0, 1).bench("r/target/criterion", "a", 1000.0, 2);
    sandbox.perfgate_at("r", &["runs", "import", "target/criterion"]).exits(0).prints("imported 1 of 1 run");
    sandbox.perfgate_at("r", &["runs", "show", "v1"]).exits(0).prints("998.0 ns  a");
}

#[test]
fn a_source_that_is_nothing_known_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.write("x.txt", "hello").write("empty/x.txt", "hello");
    sandbox.perfgate_at("r", &["runs", "import", "../x.txt"]).exits(2).reports("x.txt: not a known format");
    sandbox.perfgate_at("r", &["runs", "import", "../empty"]).exits(2).reports("no results found");
    sandbox.perfgate_at("r", &["runs", "import", "gone"]).exits(2).reports("no such");
    sandbox.perfgate_at("r", &["runs", "import", "gone:data.js"]).exits(2).reports("not a revision");
}

#[test]
fn a_renamed_package_takes_one_line() {
    let sandbox = Sandbox::new();
    let jmh = |package: &str| {
        let one = |name: &str| {
            json!({"benchmark": format!("{package}.{name}"), "mode": "avgt", "primaryMetric": {"score": 5.0,
            "scoreUnit": "ns/op", "rawData": [[5.0, 5.1, 5.2, 5.05], [5.1, 5.0, 5.15, 5.2]]}})
        };
        json!([one("A.x"), one("A.y"), one("B.z")]).to_string()
    };
    sandbox.write("old.json", jmh("com.acme")).write("new.json", jmh("org.acme"));
    sandbox.perfgate(&["compare", "old.json", "new.json"]).exits(2).reports("no benchmark in common");
    sandbox.write("perfgate.toml", "[rename]\n\"com.acme.*\" = \"org.acme.*\"\n");
    sandbox.perfgate(&["compare", "old.json", "new.json", "--all"]).exits(0).prints("org.acme.B.z");
}

#[test]
fn the_environments_of_asv_are_separate_series() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let result = |id: &str, python: &str, seconds: f64| {
        json!({"commit_hash": id, "env_name": format!("conda-py{python}"), "date": 1_750_000_000_000_u64,
            "params": {"machine": "m", "python": python, "cpu": "C", "num_cpu": "4", "os": "Linux", "arch": "x86_64"},
            "result_columns": ["result", "params"], "results": {"t.time_a": [[seconds], []], "t.time_b": [[seconds * 2.0], []]},
            "version": 2})
        .to_string()
    };
    for (at, id) in commits(&sandbox, 8).iter().enumerate() {
        let noise = 1.0 + at as f64 / 1000.0;
        for (python, seconds) in [("3.10", 1.3 * noise), ("3.12", noise)] {
            sandbox.write(&format!("results/m/{}-conda-py{python}.json", &id[..8]), result(id, python, seconds));
        }
    }
    sandbox.perfgate_at("r", &["runs", "import", "../results"]).exits(0).prints("imported 16 of 16 runs");
    let history = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let points: Vec<usize> =
        history["series"].as_array().unwrap().iter().map(|one| one["points"].as_array().unwrap().len()).collect();
    assert_eq!(points, [8; 4]);
    sandbox.commit("r", "next");
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    let undated = |seconds| result(&head, "3.12", seconds).replace("1750000000000", "null");
    sandbox.write("head.json", undated(1.004)).write("slow.json", undated(1.6));
    let compare = |name: &str| sandbox.perfgate_at("r", &["compare", "--head", name, "--format", "json"]);
    let equal = compare("../head.json").exits(0).json();
    assert_eq!((&equal["base"]["runs"], &equal["counts"]["unchanged"]), (&json!(8), &json!(2)));
    assert_eq!(compare("../slow.json").exits(1).json()["counts"]["regressed"], 2);
}
