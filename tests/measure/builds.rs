//! Builds of both sides with cargo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// A package whose benchmark prints a number of the library in its workspace, and which depends on a package outside of the
/// repository that counts how often it is built.
fn cargo_package(sandbox: &Sandbox, number: u32) {
    let outside = sandbox.path("outside").display().to_string();
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    sandbox.write("outside/Cargo.toml", package("outside") + "build = \"build.rs\"\n[workspace]\n");
    let count = "let old = std::fs::read_to_string(\"count\").unwrap_or_default();\n    std::fs::write(\"count\", old + \"x\").unwrap();";
    let build = format!("fn main() {{\n    println!(\"cargo:rerun-if-changed=build.rs\");\n    {count}\n}}\n");
    sandbox.write("outside/build.rs", build).write("outside/src/lib.rs", "");
    sandbox.write("r/lib-part/Cargo.toml", package("lib-part"));
    sandbox.write("r/lib-part/src/lib.rs", format!("pub fn number() -> u32 {{\n    {number}\n}}\n"));
    let rest = format!(
        "[workspace]\nmembers = [\"lib-part\"]\n[dev-dependencies]\nlib-part = {{ path = \"lib-part\" }}\noutside = {{ path = \"{outside}\" \
         }}\n[[bench]]\nname = \"printed\"\nharness = false\n"
    );
    sandbox.write("r/Cargo.toml", package("whole") + &rest).write("r/src/lib.rs", "");
    let print = "println!(\"BenchmarkA 1000 {} ns/op\", lib_part::number());";
    sandbox.write("r/benches/printed.rs", format!("use outside as _;\nfn main() {{\n    {print}\n}}\n"));
}

/// Where cargo and rustup are, in variables: tests change HOME.
fn cargo_home() -> [(&'static str, String); 2] {
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].map(|(name, below)| {
        let usual = || std::env::home_dir().unwrap().join(below).display().to_string();
        (name, std::env::var(name).unwrap_or_else(|_| usual()))
    })
}

#[test]
fn dependencies_are_built_once_and_the_code_of_each_side_for_itself() {
    let sandbox = Sandbox::new();
    cargo_package(&sandbox, 1000);
    sandbox.repository("r").write("r/.gitignore", "target\nCargo.lock\n");
    cargo_package(&sandbox, 2000);
    sandbox.commit("r", "slower");
    let measure = |options: &[&str]| {
        let args = ["measure", "--base", "HEAD~1", "--confirm", "3", "--format", "json"];
        let command = ["--", "cargo", "bench", "--offline", "--bench", "printed"];
        let args = [&args[..], options, &command].concat();
        let answer = sandbox.perfgate_with("r", &cargo_home(), &args);
        let report = if answer.code < 2 { answer.json() } else { panic!("{}", answer.stderr) };
        let side = |side: &str| report["benchmarks"][0][side]["value"].as_f64().unwrap();
        assert_eq!((side("base"), side("head")), (1000.0, 2000.0));
        answer.reports("building base").reports("built head");
        fs::read_to_string(sandbox.path("outside/count")).unwrap().len()
    };
    assert_eq!(measure(&[]), 1, "head takes over what was built for base");
    // Both sides take over what the user built. That includes the repository's own package, built from head.
    let mut cargo = Command::new("cargo");
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR");
    let built = cargo.args(["bench", "--no-run", "--offline"]).current_dir(sandbox.path("r")).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert_eq!(measure(&[]), 2);
    // A cache serves a clone in which nothing was built.
    fs::remove_dir_all(sandbox.path("r/target")).unwrap();
    assert_eq!(measure(&["--cache", "../cache"]), 3);
    assert_eq!(measure(&["--cache", "../cache"]), 3);
}

#[test]
fn a_base_without_the_bench_target_leaves_head_measured_alone() {
    let sandbox = Sandbox::new();
    cargo_package(&sandbox, 1000);
    let whole = sandbox.read("r/Cargo.toml");
    let without = whole.split("[[bench]]").next().unwrap().to_owned();
    sandbox.write("r/Cargo.toml", without);
    let bench = sandbox.read("r/benches/printed.rs");
    fs::remove_dir_all(sandbox.path("r/benches")).unwrap();
    sandbox.repository("r").write("r/.gitignore", "target\nCargo.lock\n");
    sandbox.write("r/Cargo.toml", whole).write("r/benches/printed.rs", bench).commit("r", "benchmarks");
    let command = ["--", "cargo", "bench", "--offline", "--bench", "printed"];
    let args = [&["measure", "--base", "HEAD~1", "--format", "json"][..], &command].concat();
    let answer = sandbox.perfgate_with("r", &cargo_home(), &args);
    assert_eq!(answer.exits(0).outcome("BenchmarkA"), "added");
    answer.prints("has no `printed`, so head was measured alone");
    // A base that does not compile is an error.
    sandbox.write("r/src/lib.rs", "no").commit("r", "broken").write("r/src/lib.rs", "").commit("r", "fixed");
    sandbox.perfgate_with("r", &cargo_home(), &args).exits(2).reports("does not build");
}

/// A real criterion crate with ten benchmarks; one of them does `slow` times as much work.
fn criterion_crate(sandbox: &Sandbox, slow: u32) {
    let manifest = common::criterion_manifest("tiny");
    sandbox.write("r/Cargo.toml", format!("{manifest}\n[profile.bench]\nopt-level = 0\n"));
    sandbox.write("r/src/lib.rs", "");
    sandbox.write(
        "r/benches/tiny.rs",
        format!(
            "use criterion::{{Criterion, criterion_group, criterion_main}};\nuse std::{{hint::black_box, time::Duration}};\n\
             fn all(c: &mut Criterion) {{\n    for size in 1..=10u64 {{\n        \
             let work = size * 200 * if size == 7 {{ {slow} }} else {{ 1 }};\n        \
             c.bench_function(&format!(\"sum/{{size}}\"), |b| b.iter(|| (0..black_box(work)).fold(0u64, |a, x| a ^ x)));\n    \
             }}\n}}\ncriterion_group! {{ name = benches; config = Criterion::default()\n    \
             .warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(60)).sample_size(20).nresamples(1000);\n    \
             targets = all }}\ncriterion_main!(benches);\n"
        ),
    );
}

/// Builds criterion four times, which takes some minutes.
#[test]
#[ignore = "needs criterion in cargo's cache, minutes to build it, and valgrind on Linux"]
fn a_real_criterion_crate_is_measured() {
    let sandbox = Sandbox::new();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    sandbox.write("r/Cargo.lock", fs::read(lock).unwrap());
    criterion_crate(&sandbox, 1);
    sandbox.repository("r");
    fs::create_dir(sandbox.path("scratch")).unwrap();
    let perfgate = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(args).current_dir(sandbox.path("r")).stdin(Stdio::null()).env_remove("CARGO_TARGET_DIR");
        command.env("CARGO_NET_OFFLINE", "true");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        common::Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    };
    // A lock file with this crate's packages only, like a user's.
    let pruned = Command::new("cargo")
        .args(["update", "--workspace", "--offline", "-q"])
        .current_dir(sandbox.path("r"))
        .output();
    let pruned = pruned.unwrap();
    assert!(pruned.status.success(), "{}", String::from_utf8_lossy(&pruned.stderr));
    sandbox.commit("r", "locked");
    // With a false discovery rate of 5%, one report in twenty may have a false alarm. Two in a row are a fault.
    let measure = |regressed: usize| {
        let bench =
            ["measure", "--scratch", "../scratch", "--base", "main", "--format", "json", "--", "cargo", "bench"];
        let is_right = |answer: &common::Answer| answer.json()["counts"]["regressed"] == regressed;
        let first = perfgate(&bench);
        let answer = if is_right(&first) { first } else { perfgate(&bench) };
        assert!(is_right(&answer), "{}", answer.stdout);
        answer
    };
    measure(0).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    criterion_crate(&sandbox, 3);
    sandbox.commit("r", "slower");
    let status = sandbox.git("r", &["status", "--porcelain=v2", "--ignored"]);
    assert_eq!(measure(1).exits(1).outcome("sum/7"), "regressed");
    assert_eq!(sandbox.git("r", &["status", "--porcelain=v2", "--ignored"]), status);
    assert!(!sandbox.path("r/target").exists());
    if cfg!(target_os = "linux") {
        let count = ["measure", "--count", "instructions", "--scratch", "../scratch", "--format", "json", "--all"];
        let json = perfgate(&[&count[..], &["--", "cargo", "bench"]].concat()).exits(1).json();
        let changed = |finding: &&serde_json::Value| finding["change"].as_f64() != Some(0.0);
        let findings = json["benchmarks"].as_array().unwrap();
        let changed: Vec<_> = findings.iter().filter(changed).map(|finding| finding["name"].as_str()).collect();
        assert_eq!((findings.len(), changed), (10, vec![Some("sum/7")]), "{json}");
        // The body alone is counted: three times the work is nearly three times the instructions.
        let change = findings.iter().find(|finding| finding["name"] == "sum/7").and_then(|one| one["change"].as_f64());
        assert!((1.9..2.01).contains(&change.unwrap()), "{json}");
    }
    for number in 0..3 {
        sandbox.write("r/note", number.to_string()).commit("r", "no change");
    }
    let command = ["--", "cargo", "bench", "--bench", "tiny", "--", "{filter}"];
    let bisect = ["bisect", "sum/7", "--good", "main", "--scratch", "../scratch"];
    let slower = sandbox.git("r", &["rev-parse", "--short=7", "HEAD~3"]);
    perfgate(&[&bisect[..], &command].concat()).exits(0).prints(slower.trim());
    sandbox.write("r/Cargo.toml", "no manifest").commit("r", "broken");
    perfgate(&["measure", "--scratch", "../scratch", "--base", "HEAD", "--", "cargo", "bench"])
        .exits(2)
        .reports("does not build");
    assert_clean(&sandbox);
}
