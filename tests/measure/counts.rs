//! Instructions that are counted instead of time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// A repository `r` with a C program on main, and a branch on top of it with other code. `BODY` runs `n` times 100,000 loops.
#[cfg(target_os = "linux")]
fn c_program(of_base: &str, of_head: &str) -> Sandbox {
    let program = |n: &str| {
        let before = "#include <stdio.h>\nint main(void) {\n    volatile unsigned x = 1;\n    int n = 0;\n    ";
        format!("{before}{n}\n    for (int i = 0; i < n * 100000; i++) x = x * 31 + i;\n    return x == 0;\n}}\n")
    };
    let sandbox = Sandbox::new();
    sandbox.write("r/tool.c", program(of_base)).repository("r").write("r/.gitignore", "tool\n").commit("r", "base");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.write("r/tool.c", program(of_head)).commit("r", "work");
    fs::create_dir(sandbox.path("scratch")).unwrap();
    sandbox
}

#[cfg(target_os = "linux")]
fn count(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    let options = [&["--count", "instructions", "--setup", "cc -O1 tool.c -o tool"], options].concat();
    with(sandbox, &options, &["./tool"])
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind and a C compiler"]
fn instructions_are_counted_on_a_busy_machine_as_on_an_idle_one() {
    let sandbox = c_program("n = 100;", "n = 105;");
    let loops = [0, 1].map(|_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap());
    let slower = count(&sandbox, &["--format", "json"]);
    let equal = count(&sandbox, &["--base", "HEAD", "--format", "json"]);
    for mut busy in loops {
        busy.kill().unwrap();
        busy.wait().unwrap();
    }
    let json = slower.exits(1).json();
    let finding = &json["benchmarks"][0];
    assert_eq!((&finding["name"], &finding["metric"]), (&"./tool".into(), &"instructions".into()));
    assert_eq!((&finding["outcome"], &finding["confirmed"]), (&"regressed".into(), &true.into()));
    assert!((0.045..0.05).contains(&finding["change"].as_f64().unwrap()), "{json}");
    assert_eq!((&json["threshold"], &finding["threshold"]), (&0.01.into(), &0.01.into()));
    assert_eq!(
        (json["diagnostics"].as_array().unwrap().len(), &json["diagnostics"][0]["code"]),
        (1, &"instruction-counts".into())
    );
    let json = equal.exits(0).json();
    assert_eq!((&json["benchmarks"][0]["outcome"], &json["counts"]["unchanged"]), (&"unchanged".into(), &1.into()));
    assert!(json["benchmarks"][0]["change"].as_f64().unwrap().abs() < 1e-3, "{json}");

    count(&sandbox, &[]).exits(1).prints("✗ regressed").prints("threshold 1%").prints("cache misses");
    count(&sandbox, &["--format", "markdown"]).exits(1).prints("cache misses");
    count(&sandbox, &["--threshold", "10%"]).exits(0).prints("threshold 10%");
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"30%\"\n");
    count(&sandbox, &[]).exits(1).prints("threshold 1%");
    sandbox.write("r/perfgate.toml", "[[benchmark]]\nmatch = \"*\"\nmetric = \"instructions\"\nthreshold = \"8%\"\n");
    count(&sandbox, &[]).exits(0);
    assert_clean(&sandbox);
    assert!(
        Command::new("cc").args(["tool.c", "-o", "tool"]).current_dir(sandbox.path("r")).status().unwrap().success()
    );
    count(&sandbox, &["--no-base", "--store", "dir:../store"]).exits(0);
    sandbox.perfgate_at("r", &["history", "./tool", "--store", "dir:../store"]).exits(0).prints("instructions");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind and a C compiler"]
fn a_varying_count_regresses_only_where_the_sides_do_not_overlap() {
    // The program reads how much to do from the end of a file that grows with each run of either side.
    let varied = |file: &str| {
        format!(
            "FILE *f = fopen(\"{file}\", \"r+\"); int odd; fseek(f, 0, SEEK_END); odd = ftell(f); fputc(0, f); fclose(f); \
             n = WORK[odd];"
        )
    };
    let sandbox = Sandbox::new();
    let file = sandbox.path("runs").display().to_string();
    let outcome = |work: &str| {
        let body = format!("static const int WORK[] = {{{work}}}; {}", varied(&file));
        let sandbox = c_program(&body, &format!("{body} "));
        fs::write(&file, "").unwrap();
        let json = count(&sandbox, &["--format", "json"]).json();
        let notes = json["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "counts-vary").count();
        (json["benchmarks"][0]["outcome"].as_str().unwrap().to_owned(), notes, fs::read(&file).unwrap().len())
    };
    // The order is base, head, then base, head, head, base, and so on.
    assert_eq!(outcome("100, 105, 104, 101"), ("unchanged".to_owned(), 1, 4));
    let apart = outcome("100, 110, 101, 112, 113, 102, 101, 110, 112, 100, 101, 110, 111, 102");
    assert_eq!(apart, ("regressed".to_owned(), 1, 14));
}

#[test]
fn what_cannot_be_counted_is_refused_before_it_is_built() {
    let sandbox = sandbox(&[]);
    let count = |options: &[&str], command: &[&str]| {
        with(&sandbox, &[&["--count", "instructions", "--setup", "touch ../built"], options].concat(), command)
    };
    for command in [
        &["python3.11", "bench.py"][..],
        &["pytest", "benches"],
        &["go", "test", "-bench", "."],
        &["./bench", "--benchmark_filter={filter}"],
    ] {
        count(&[], command).exits(2).reports("cannot be compared").reports("Leave out --count to measure time");
    }
    for option in ["--rounds=3", "--confirm=5", "--budget=5m", "--pin=0", "--stored", "--warmup", "--input-format=go"] {
        count(&[option], &["./tool"]).exits(2).reports("cannot be used with");
    }
    let args = ["measure", "--count", "instructions", "--", "./tool"];
    let answer = sandbox.perfgate_with("r", &[("PATH", "/nowhere")], &args);
    answer.exits(2).reports("valgrind, which is not installed").reports("apt-get install valgrind");
    assert_clean(&sandbox);
}
