//! Invalid and hostile results: a clear message, exit code 2 if nothing is left to compare, and no panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;
use std::fs;
use std::path::Path;

/// A base and head of four valid benchmarks; `break_it` then damages `new/bad`.
fn with_invalid(break_it: impl Fn(&Sandbox)) -> Sandbox {
    let sandbox = Sandbox::new();
    for (tree, run) in [("old", 1), ("new", 2)] {
        for name in ["bad", "x", "y", "z"] {
            sandbox.bench(tree, name, 1000.0, run);
        }
    }
    break_it(&sandbox);
    sandbox
}

#[test]
fn an_invalid_benchmark_is_a_diagnostic_and_the_others_are_compared() {
    let sample = "new/bad/new/sample.json";
    let cases: [(&str, &str, &str); 9] = [
        ("truncated", r#"{"sampling_mode":"Flat","iters":[1.0],"tim"#, "ends too early"),
        ("wrong shape", r#"{"iters":"many","times":[1.0]}"#, "unexpected JSON structure"),
        ("no JSON", "<html>", "not valid JSON"),
        ("NaN", r#"{"iters":[1.0],"times":[NaN]}"#, "not valid JSON"),
        ("negative", r#"{"iters":[1.0,1.0],"times":[-1.0,-2.0]}"#, "samples: 2 of 2"),
        ("zero", r#"{"iters":[1.0,1.0],"times":[0.0,0.0]}"#, "samples: 2 of 2"),
        ("unequal", r#"{"iters":[1.0,1.0],"times":[1.0]}"#, "2 iteration counts for 1 times"),
        ("no samples", r#"{"iters":[],"times":[]}"#, "no samples"),
        ("empty", "", "is empty"),
    ];
    for (case, text, message) in cases {
        let sandbox = with_invalid(|sandbox| {
            sandbox.write(sample, text);
        });
        let answer = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]);
        assert_eq!(answer.exits(0).outcome("bad"), "inconclusive", "{case}");
        assert_eq!(answer.json()["tests"], 3, "{case}: the others are compared");
        answer.prints(message).prints("sample.json");
    }
}

#[test]
fn a_tree_without_a_readable_benchmark_exits_two() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "x", 1000.0, 1).bench("new", "x", 1000.0, 2);
    sandbox.write("new/x/new/sample.json", "{");
    sandbox
        .perfgate(&["compare", "old", "new"])
        .exits(2)
        .reports(&Path::new("new").join("x").join("new").join("sample.json").display().to_string())
        .reports("run the benchmarks again");
}

#[test]
fn missing_results_exit_two_with_the_command_to_run() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "x", 1000.0, 1);
    fs::create_dir_all(sandbox.path("empty")).unwrap();
    sandbox.write("report/report/index.html", "<html>");
    for (path, message) in [
        ("./missing", "no such file or directory"),
        ("missing/", "no such file or directory"),
        ("missing.json", "no such file or directory"),
        ("empty", "no results found"),
        ("report", "no results found"),
        ("old@other", "it has no baseline `other`"),
    ] {
        sandbox.perfgate(&["compare", "old", path]).exits(2).reports(message).reports(path.split('@').next().unwrap());
        sandbox.perfgate(&["compare", path, "old"]).exits(2).reports(message);
    }
    sandbox.perfgate(&["compare"]).exits(2).reports("run the benchmarks first");
    sandbox.write("Cargo.toml", "");
    sandbox.perfgate(&["compare"]).exits(2).reports("cargo bench");
    sandbox.perfgate(&["record"]).exits(2);
}

#[test]
fn a_document_that_does_not_exist_is_an_error_with_the_command_that_writes_it() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "x", 1000.0, 1).bench("new", "x", 1000.0, 2);
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(0);
    let answer = sandbox.perfgate(&["render", "comparison.json", "--template", "pr", "--into", "body.md"]);
    answer.exits(2).reports("body.md: no such file").reports("perfgate render … > body.md");
}

#[test]
fn text_files_may_have_a_byte_order_mark_and_other_encodings_are_named() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "x", 1000.0, 1).bench("new", "x", 1000.0, 2);
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(0);
    let saved = sandbox.read("comparison.json");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let utf32 = |text: &str| text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>();
    let cases: [(&str, &str, &[&str]); 3] = [
        ("comparison.json", saved.as_str(), &["render", "comparison.json", "--template", "comment"]),
        ("own.toml", "[gate]\nthreshold = \"10%\"\n", &["compare", "old", "new", "--config", "own.toml"]),
        ("own.md.j2", "{{ verdict.word }}\n", &["compare", "old", "new", "--template", "own.md.j2"]),
    ];
    for (file, text, args) in cases {
        let marked = format!("\u{feff}{text}");
        sandbox.write(file, &marked);
        sandbox.perfgate(args).exits(0).does_not_print("\u{feff}");
        for (encoding, bytes) in [("UTF-16", utf16(&marked)), ("UTF-32", utf32(&marked)), ("UTF-16", utf16(text))] {
            sandbox.write(file, bytes);
            sandbox.perfgate(args).exits(2).reports(&format!("is {encoding}")).reports("as UTF-8");
        }
    }
    sandbox.write("new.txt", utf32("\u{feff}BenchmarkA 1 5 ns/op\n"));
    sandbox.perfgate(&["compare", "old", "new.txt"]).exits(2).reports("new.txt: the file is UTF-32; save it as UTF-8");
}

#[test]
fn sides_without_a_common_benchmark_exit_two() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "x", 1000.0, 1).bench("new", "y", 1000.0, 2);
    sandbox.perfgate(&["compare", "old", "new"]).exits(2).reports("no benchmark in common");
    sandbox.write("new.txt", "BenchmarkA 1 5 ns/op\n");
    let answer = sandbox.perfgate(&["compare", "old", "new.txt"]);
    answer.exits(2).reports("results of different tools: criterion (old) and go-bench (new.txt)");
}

#[test]
fn without_samples_the_estimates_are_compared_with_a_warning() {
    let estimate = |ns: f64| format!(r#"{{"point_estimate":{ns:.1},"standard_error":1.0}}"#);
    let estimates = |ns: f64| {
        format!(
            r#"{{"mean":{0},"median":{0},"median_abs_dev":{1},"slope":null,"std_dev":{1}}}"#,
            estimate(ns),
            estimate(ns / 50.0)
        )
    };
    let sandbox = with_invalid(|sandbox| {
        for (tree, ns) in [("old", 1000.0), ("new", 1010.0)] {
            fs::remove_file(sandbox.path(&format!("{tree}/bad/new/sample.json"))).unwrap();
            sandbox.write(&format!("{tree}/bad/new/estimates.json"), estimates(ns));
        }
    });
    let answer = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]);
    answer.exits(0).prints("no-samples");
    let report = answer.json();
    let bad = report["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "bad").unwrap();
    assert_eq!(bad["head"]["value"], 1010.0);
    assert!((bad["change"].as_f64().unwrap() - 0.01).abs() < 1e-12);
}

#[test]
fn two_benchmarks_of_one_name_are_reported() {
    let sandbox = with_invalid(|sandbox| {
        fs::create_dir_all(sandbox.path("new/copy/new")).unwrap();
        for (from, file) in [("x", "benchmark.json"), ("y", "sample.json")] {
            fs::copy(sandbox.path(&format!("new/{from}/new/{file}")), sandbox.path(&format!("new/copy/new/{file}")))
                .unwrap();
        }
    });
    let answer = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]);
    answer.exits(0).prints("duplicate-name");
    assert_eq!(answer.json()["benchmarks"].as_array().unwrap().len(), 4);
}

#[cfg(unix)]
#[test]
fn dangling_and_looping_links_are_skipped() {
    use std::os::unix::fs::symlink;
    let sandbox = with_invalid(|sandbox| {
        symlink("nowhere", sandbox.path("new/dangling")).unwrap();
        symlink("..", sandbox.path("new/x/loop")).unwrap();
        symlink("../z", sandbox.path("new/y/other")).unwrap();
        symlink("../y", sandbox.path("new/z/other")).unwrap();
        fs::remove_file(sandbox.path("new/bad/new/sample.json")).unwrap();
        symlink("nowhere.json", sandbox.path("new/bad/new/sample.json")).unwrap();
    });
    let answer = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]);
    answer.exits(0).prints("dangling-link").prints("looping-link");
    assert_eq!(answer.outcome("bad"), "inconclusive");
    assert_eq!(answer.outcome("x"), "unchanged");
}

/// Names that try to inject markup, escape sequences, commands or paths.
const HOSTILE: [&str; 8] = [
    "line\nbreak",
    "pipe | and `ticks`",
    "<img src=x onerror=alert(1)>",
    "escape \u{1b}[31m\u{202e} here",
    "[link](javascript:alert(1)) @everyone #1",
    "::error::workflow",
    "../../etc/passwd",
    "quote\" back\\slash\u{7}",
];

#[test]
fn hostile_names_stay_text_in_every_view() {
    let sandbox = Sandbox::new();
    for (index, name) in HOSTILE.iter().enumerate() {
        sandbox.bench("old", name, 100.0 * (index + 1) as f64, 1).bench("new", name, 101.0 * (index + 1) as f64, 2);
    }
    let long = "x".repeat(5000);
    sandbox.bench("old", &long, 100.0, 1).bench("new", &long, 100.0, 2);

    let table = sandbox.perfgate(&["compare", "old", "new", "--all", "--color", "never"]);
    assert!(table.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{}", table.stdout);
    assert!(!table.stdout.contains('\u{202e}'));
    assert!(!table.stdout.lines().any(|line| line.starts_with("::")));
    assert!(table.stdout.lines().all(|line| line.chars().count() < 400));

    let markdown = sandbox.perfgate(&["compare", "old", "new", "--all", "--format", "markdown"]).stdout;
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 10, "a header and nine benchmarks:\n{markdown}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 9), "every row has eight cells:\n{markdown}");
    for text in ["<img", "@everyone", "](javascript", "\u{1b}"] {
        assert!(!markdown.contains(text), "{text} in\n{markdown}");
    }

    // JSON contains the names unchanged.
    let report = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]).json();
    let names: Vec<&str> =
        report["benchmarks"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert!(HOSTILE.iter().all(|name| names.contains(name)) && names.contains(&long.as_str()));
}

#[test]
fn hostile_names_survive_the_store() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for (index, name) in HOSTILE.iter().enumerate() {
        sandbox.bench("r/target/criterion", name, 100.0 * (index + 1) as f64, 1);
    }
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.commit("r", "next");
    for (index, name) in HOSTILE.iter().enumerate() {
        sandbox.bench("r/target/criterion", name, 101.0 * (index + 1) as f64, 2);
    }
    let answer = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    HOSTILE.iter().for_each(|name| assert_eq!(answer.outcome(name), "unchanged"));
    let shown = sandbox.perfgate_at("r", &["runs", "show", "HEAD~1"]).stdout;
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
}

/// Every finite number gives a verdict or an error, in valid JSON, and never a panic.
#[test]
fn extreme_numbers_give_a_verdict_or_a_refusal() {
    let numbers =
        ["0", "5e-324", "1e-300", "2.2250738585072014e-308", "1", "1.0001", "1e16", "1e300", "1.7976931348623157e308"];
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let sandbox = Sandbox::new();
    for case in 0..60 {
        let mut args = vec!["compare".to_owned(), "--format".into(), "json".into()];
        let mut texts = Vec::new();
        for side in ["--base", "--head"] {
            for run in 0..1 + next(3) {
                let lines = (0..1 + next(3)).map(|_| format!("BenchmarkA 1 {} ns/op\n", numbers[next(numbers.len())]));
                let text = format!("goos: linux\npkg: x\n{}", lines.collect::<String>());
                let name = format!("{}{run}.txt", &side[2..]);
                sandbox.write(&name, &text);
                texts.push(text);
                args.extend([side.to_owned(), name]);
            }
        }
        let answer = sandbox.perfgate(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert!((0..=2).contains(&answer.code), "case {case}: {}\n{texts:?}\n{}", answer.code, answer.stderr);
        if answer.code < 2 {
            answer.json();
        }
    }
}

#[test]
fn any_number_of_samples_in_a_margin_of_error_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("line.txt", "fib x 1,000,000 ops/sec ±1.00% (20000000 runs sampled)\n");
    let answer = sandbox.perfgate(&["compare", "line.txt", "line.txt", "--format", "json"]);
    assert_eq!(answer.exits(0).outcome("fib"), "inconclusive");
}

#[test]
fn usage_errors_exit_two() {
    let sandbox = Sandbox::new();
    sandbox.perfgate(&["comapre"]).exits(2).reports("compare");
    sandbox.perfgate(&["compare", "--formt", "json"]).exits(2).reports("--format");
    sandbox.perfgate(&["compare", "a", "b", "c"]).exits(2);
    sandbox.perfgate(&["compare", "-", "-"]).exits(2);
    sandbox.write("x.json", r#"{"pyperf": 1}"#);
    for (typed, meant) in [("criterian", "criterion"), ("pyprf", "pyperf"), ("go", "go-bench")] {
        let answer = sandbox.perfgate(&["compare", "x.json", "x.json", "--input-format", typed]);
        answer.exits(2).reports(&format!("did you mean `{meant}`?"));
    }
}

#[test]
fn results_of_another_format_than_the_chosen_one_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("go.txt", "goos: linux\npkg: x\nBenchmarkA 1 5 ns/op\n");
    for chosen in ["jmh", "hyperfine-csv", "k6"] {
        let answer = sandbox.perfgate(&["compare", "go.txt", "go.txt", "--input-format", chosen]);
        answer
            .exits(2)
            .reports(&format!("go.txt: not {chosen} results, but go-bench results; use --input-format go-bench"));
    }
}

#[test]
fn the_tips_of_usage_errors_help() {
    let sandbox = Sandbox::new();
    for (args, tip) in [
        (&["compare", "--explain"][..], "tip: `--explain` is an option of `perfgate measure`"),
        (&["compare", "--rounds", "3"], "tip: `--rounds` is an option of `perfgate measure`"),
        (&["compare", "--quiet"], "unexpected argument '--quiet'"),
        (&["history", "-x"], "starts with a dash, use `--benchmark=-NAME` or `-- -NAME`"),
        (&["history", "--lasst", "3"], "'--last'"),
        (&["bisect", "-x", "--good", "main", "--", "true"], "starts with a dash, use `--benchmark=-NAME`\n"),
        (&["explain", "-x", "--", "true"], "starts with a dash, use `--benchmark=-NAME`\n"),
        (&["compare", "--formt", "json"], "'--format'"),
        (&["compare", "--threshold", "-5%"], "'-5%' for '--threshold"),
        (&["bisect", "a", "--good", "HEAD~1", "--threshold", "-5%"], "'-5%' for '--threshold"),
    ] {
        let answer = sandbox.perfgate(args);
        answer.exits(2).reports(tip);
        assert!(!answer.stderr.contains("as a value"), "{args:?}: {}", answer.stderr);
    }
}

#[test]
fn an_unreadable_store_is_an_error_and_not_an_empty_store() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.bench("r/target/criterion", "x", 100.0, 1);
    sandbox.perfgate_at("r", &["record", "--store", "dir:../runs"]).exits(0);
    let month = fs::read_dir(sandbox.path("runs")).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(month).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&file, bytes).unwrap();
    sandbox.commit("r", "next");
    sandbox.perfgate_at("r", &["compare", "--store", "dir:../runs"]).exits(2).reports("damaged");
}
