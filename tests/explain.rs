//! `perfgate explain`: profiles of both sides, and the functions that grew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::{Sandbox, data};

/// Profiles of real tools in tests/data/profiles: `words.py` and `words.js` there, with and without a planted slowdown in
/// `count`. cProfile and `node --cpu-prof` (Python 3.11, Node 20), py-spy 0.4 for collapsed stacks and speedscope, Go 1.19 for pprof.
#[test]
fn the_planted_function_is_first_in_profiles_of_real_tools() {
    for (kind, function) in [
        ("pstats", "count"),
        ("cpuprofile", "count"),
        ("collapsed", "count"),
        ("speedscope.json", "count"),
        ("pprof", "example.org/text/words.(*Counter).Count"),
    ] {
        let [base, head] = ["base", "head"].map(|side| data(&format!("profiles/{side}.{kind}")));
        let answer = Sandbox::new().perfgate(&["explain", &base, &head, "--format", "json"]);
        let json = answer.exits(0).json();
        let first = &json["functions"][0];
        assert_eq!(first["name"], function, "{kind}: {json}");
        assert!(first["share"].as_f64().unwrap() > 0.5, "{kind}: {first}");
        assert!(first["file"].as_str().unwrap().contains("words."), "{kind}: {first}");
        assert!(json["change"].as_f64().unwrap() > 0.1, "{kind}");
        assert!(json["summary"].as_str().unwrap().contains("of the growth is in "), "{kind}");
    }
}

/// Two synthetic files of callgrind.
fn callgrind(sandbox: &Sandbox, name: &str, parse: u64, copy: u64) {
    let text = format!(
        "# callgrind format\nversion: 1\npositions: line\nevents: Ir\nob=(1) /w/app\nfl=(1) src/main.rs\n\
         fn=(1) app::main\n3 5000\ncfn=(2) app::parse::h0123456789abcdef\ncalls=1 10\n4 {}\n\nfn=(2)\n12 {parse}\n\
         cob=(2) /usr/lib/libc.so.6\ncfi=(2) ???\ncfn=(3) memcpy\ncalls=9 0\n14 {copy}\n\nob=(2)\nfl=(2)\nfn=(3)\n0 {copy}\n",
        parse + copy
    );
    sandbox.write(name, text);
}

#[test]
fn two_callgrind_files_have_a_sentence_and_a_table() {
    let sandbox = Sandbox::new();
    callgrind(&sandbox, "base.callgrind", 4000, 1000);
    callgrind(&sandbox, "head.callgrind", 4100, 5000);
    let answer = sandbox.perfgate(&["explain", "base.callgrind", "head.callgrind"]);
    answer.exits(0).prints("head executes 41% more instructions; 100% of the growth is in 1 function\n");
    answer.prints("100%  app::parse  5,000  9,100  +82.0%  src/main.rs:12\n").does_not_print("memcpy");
    let equal = sandbox.perfgate(&["explain", "base.callgrind", "base.callgrind"]);
    equal.exits(0).prints("executes as many instructions as base (0.0%)").prints("caches, waiting");
    let fewer = sandbox.perfgate(&["explain", "head.callgrind", "base.callgrind", "--format", "markdown"]);
    fewer
        .exits(0)
        .prints("<summary>head executes 29% fewer instructions; 100% of the reduction is in 1 function</summary>");
    fewer.prints("| `app::parse` | `src/main.rs:12` | 9,100 | 5,000 | −45.1% | 100% |  |");
}

#[test]
fn a_bad_profile_is_one_message() {
    let sandbox = Sandbox::new();
    callgrind(&sandbox, "good", 10, 10);
    sandbox.write("text", "nothing like a profile\n").write("empty", "# callgrind format\nevents: Ir\nfn=f\n");
    sandbox.write("broken", "# callgrind format\nevents: Ir\nfn=f\n1 many\n").write("stacks", "main;f 3\n");
    let explain = |file: &str| sandbox.perfgate(&["explain", "good", file]);
    explain("text").exits(2).reports("text: not a known profile; perfgate reads");
    explain("missing").exits(2).reports("missing: ");
    explain("empty").exits(2).reports("empty: the callgrind profile has no costs");
    explain("broken").exits(2).reports("broken:4: not a valid callgrind profile: `many` is not a cost");
    explain("stacks").exits(2).reports("good has instructions and stacks has samples; compare profiles of one kind");
}

#[test]
fn profiles_of_different_tools_are_not_compared() {
    let [base, head] = ["base.pprof", "head.pstats"].map(|file| data(&format!("profiles/{file}")));
    let answer = Sandbox::new().perfgate(&["explain", &base, &head]);
    answer.exits(2).reports("base.pprof is a pprof profile and").reports("head.pstats is a cProfile profile");
}

/// A function that only calls others has no samples of its own.
#[test]
fn the_legend_explains_shares_and_functions_of_one_side() {
    let sandbox = Sandbox::new();
    sandbox.write("base", "main;a 10\nmain;old 5\nmain;only_calls;b 10\nmain;c 20\n");
    sandbox.write("head", "main;a 90\nmain;new 5\nmain;only_calls;b 10\nmain;only_calls 3\nmain;c 10\n");
    let answer = sandbox.perfgate(&["explain", "base", "head"]);
    answer.exits(0).prints(
        "share: of all increases (–: decrease); new, gone: the other profile does not have the function at all;",
    );
    let row = |name: &str| answer.stdout.lines().find(|line| line.contains(name)).unwrap().trim_end().to_owned();
    assert!(row("new ").ends_with("new") && row("old ").ends_with("gone"), "{}", answer.stdout);
    assert!(row("only_calls").ends_with('–'), "{}", answer.stdout);
    let back = sandbox.perfgate(&["explain", "head", "base"]);
    back.exits(0).prints("share: of all decreases (–: increase); new, gone");
    sandbox.write("more", "main;a 20\nmain;old 5\nmain;only_calls;b 10\nmain;c 20\n");
    let one_way = sandbox.perfgate(&["explain", "base", "more"]);
    one_way.exits(0).prints("share: of all increases; a function's cost includes");
}

#[test]
fn names_from_a_profile_are_escaped() {
    let sandbox = Sandbox::new();
    sandbox.write("base", "main;evil\u{1b}[2J::error::x 10\nmain;a 10\n");
    sandbox.write("head", "main;evil\u{1b}[2J::error::x 90\nmain;a 10\n");
    for view in ["table", "markdown", "json"] {
        let answer = sandbox.perfgate(&["explain", "base", "head", "--format", view]);
        answer.exits(0).does_not_print("\u{1b}").prints("evil");
    }
}

#[test]
fn a_page_has_the_functions_and_a_flame_graph() {
    let sandbox = Sandbox::new();
    sandbox.write("base", "main;<b>\u{1b}parse</b> 10\nmain;a 10\n");
    sandbox.write("head", "main;<b>\u{1b}parse</b> 90\nmain;a 10\n");
    sandbox.perfgate(&["explain", "base", "head", "--html", "page.html"]).exits(0).prints("head has 5.0 times as many");
    let page = sandbox.read("page.html");
    assert!(page.contains("<h1>head has 5.0 times as many samples"), "{page}");
    assert!(page.contains("parse (90 samples, 90.00%; +80.00%)</title>"), "{page}");
    assert!(!page.contains("<b>") && !page.contains('\u{1b}') && !page.contains("keeps no stacks"), "{page}");
    callgrind(&sandbox, "base.callgrind", 4000, 1000);
    callgrind(&sandbox, "head.callgrind", 4100, 5000);
    sandbox.perfgate(&["explain", "base.callgrind", "head.callgrind", "--html", "page.html"]).exits(0);
    let page = sandbox.read("page.html");
    assert!(page.contains("keeps no stacks") && page.contains("<svg viewBox="), "{page}");
    assert!(page.contains("app::parse (9,100 instructions, 64.54%; +0.71%)</title>"), "{page}");
    assert!(page.contains("memcpy (5,000 instructions, 35.46%; +28.37%)</title>"), "{page}");
    sandbox.perfgate(&["explain", "base", "head", "--html", "missing/page.html"]).exits(2).reports("missing/page.html");
}

/// A repository `r` whose branch `work` plants a slowdown: `base` and `head` are the two versions of a file.
#[cfg(target_os = "linux")]
fn planted(file: &str, base: &str, head: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("r/{file}"), base).repository("r");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.write(&format!("r/{file}"), head).commit("r", "slower");
    std::fs::create_dir(sandbox.path("scratch")).unwrap();
    sandbox
}

#[cfg(target_os = "linux")]
#[track_caller]
fn assert_explained(sandbox: &Sandbox, options: &[&str], command: &[&str], metric: &str, function: &str) {
    let args =
        [&["explain", "load", "--scratch", "../scratch", "--format", "json"], options, &["--"], command].concat();
    let json = sandbox.perfgate_at("r", &args).exits(0).json();
    let first = &json["functions"][0];
    assert_eq!((&json["metric"], &first["name"]), (&metric.into(), &function.into()), "{json}");
    assert_eq!((&first["in_diff"], &json["benchmark"]), (&true.into(), &"load".into()), "{json}");
    assert!(first["share"].as_f64().unwrap() > 0.5, "{first}");
    // The checkouts are gone, and the work tree is as it was.
    assert_eq!(std::fs::read_dir(sandbox.path("scratch")).unwrap().count(), 0);
    assert_eq!(sandbox.git("r", &["status", "--porcelain"]), "");
}

#[cfg(target_os = "linux")]
const SCRIPT: &str = "import json\n\n\ndef split(text):\n    return [word.strip('.,') for word in text.split()]\n\n\n\
    def count(words):\n    found = {}\n    for word in words:\n        COPY\n        found[word] = found.get(word, 0) + 1\n    \
    return found\n\n\nfor number in range(300):\n    count(split(json.loads('\"one two three, four. \"') * 20))\n";

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Python"]
fn a_python_script_is_explained() {
    let sandbox = planted("load.py", &SCRIPT.replace("COPY", "pass"), &SCRIPT.replace("COPY", "sorted(words)"));
    assert_explained(&sandbox, &[], &["python3", "load.py"], "time", "count");
}

/// A stand-in for pytest with pytest-benchmark: `fixture` in the command is a test that uses the plugin.
#[cfg(target_os = "linux")]
const PYTEST: &str = "import cProfile, sys\n\n\ndef count(words):\n    found = {}\n    for word in words:\n        COPY\n        \
    found[word] = found.get(word, 0) + 1\n    return found\n\n\ndef test():\n    for number in range(300):\n        \
    count('one two three four.'.split() * 20)\n\n\nhas_plugin = 'no:benchmark' not in sys.argv\n\
    dumps = [word.split('=')[1] for word in sys.argv if word.startswith('--benchmark-cprofile-dump=')]\n\
    if '--help' in sys.argv:\n    print('--benchmark-cprofile-dump' if has_plugin else 'usage')\n\
    elif dumps and not has_plugin:\n    sys.exit('unrecognized arguments')\nelif dumps and 'fixture' in sys.argv:\n    \
    profile = cProfile.Profile()\n    profile.runcall(test)\n    profile.dump_stats(dumps[0] + '-test.prof')\nelse:\n    test()\n";

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Python"]
fn tests_of_pytest_are_explained_with_and_without_its_benchmark_plugin() {
    let sandbox = planted("pytest.py", &PYTEST.replace("COPY", "pass"), &PYTEST.replace("COPY", "sorted(words)"));
    for (arguments, note) in [
        (&["fixture"][..], "one call of the benchmarked function"),
        (&["plain"], "one run of the whole command"),
        (&["fixture", "-p", "no:benchmark"], "one run of the whole command"),
    ] {
        let command = [&["python3", "-m", "pytest"], arguments].concat();
        assert_explained(&sandbox, &[], &command, "time", "count");
        let args = [&["explain", "load", "--scratch", "../scratch", "--"], &command[..]].concat();
        sandbox.perfgate_at("r", &args).exits(0).prints(note);
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Node.js"]
fn a_node_script_is_explained() {
    let script = "function count(words) {\n  let sum = 0;\n  for (const word of words) {\n    COPY\n    sum += word.length;\n  }\n  \
        return sum;\n}\nlet total = 0;\nfor (let i = 0; i < 3000; i++) total += count('one two three four'.repeat(20).split(' '));\n";
    let slow = script.replace("COPY", "sum += words.slice().sort().length;");
    let sandbox = planted("load.js", &script.replace("COPY", ""), &slow);
    assert_explained(&sandbox, &[], &["node", "load.js"], "time", "count");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Python"]
fn a_changed_function_is_named_where_its_callers_grew() {
    let script = "def place(key):\n    return PLACE\n\n\ndef add(table, key):\n    row = table[place(key)]\n    for known in row:\n        \
        if known == key:\n            return\n    row.append(key)\n\n\ntable = [[] for _ in range(100)]\nfor key in range(2000):\n    \
        add(table, key)\n";
    let sandbox = planted("load.py", &script.replace("PLACE", "key % 100"), &script.replace("PLACE", "key % 2"));
    let args = ["explain", "load", "--scratch", "../scratch", "--format", "json", "--", "python3", "load.py"];
    let json = sandbox.perfgate_at("r", &args).exits(0).json();
    assert_eq!(
        (&json["functions"][0]["name"], &json["functions"][0]["in_diff"]),
        (&"add".into(), &false.into()),
        "{json}"
    );
    assert_eq!(json["changed_functions"], serde_json::json!(["place"]), "{json}");
    let summary = json["summary"].as_str().unwrap();
    // Its time may have grown too, by chance.
    let (_, end) =
        summary.split_once(" is in 1 function, which is not in the diff; the diff changes place").expect(summary);
    let growth = end.strip_prefix(" (+").and_then(|end| end.strip_suffix("%)"));
    assert!(end.is_empty() || growth.is_some_and(|growth| growth.parse::<f64>().is_ok()), "{summary}");
}

/// Two packages with a benchmark of one name. `Count` of one of them sorts its words in head.
#[cfg(target_os = "linux")]
fn go_module(sandbox: &Sandbox, slow: &str) {
    let test = |package: &str, body: &str| {
        format!(
            "package {package}\n\nimport \"testing\"\n\nfunc BenchmarkCount(b *testing.B) {{\n\tfor i := 0; i < b.N; i++ {{\n\t\t\
             {body}\n\t}}\n}}\n\nfunc TestSlow(t *testing.T) {{\n\tt.Fatal(\"tests do not run\")\n}}\n"
        )
    };
    let words = format!(
        "package words\n\nimport (\n\t\"sort\"\n\t\"strings\"\n)\n\ntype Counter struct{{ counts map[string]int }}\n\n\
         func (c *Counter) Count(text string) int {{\n\tall := strings.Fields(text)\n\tfor _, word := range all {{\n\t\t\
         c.counts[word]++\n\t}}\n\t{slow}\n\treturn len(c.counts)\n}}\n\nfunc Sorted(of []string) []string {{\n\tsort.Strings(of)\n\t\
         return of\n}}\n"
    );
    sandbox.write("r/go.mod", "module example.org/text\n\ngo 1.19\n").write("r/words/words.go", words);
    let body = "(&Counter{map[string]int{}}).Count(\"one two three four five six seven eight nine ten\")";
    sandbox.write("r/words/words_test.go", test("words", body));
    sandbox.write("r/other/other_test.go", test("other", "_ = i"));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Go"]
fn a_benchmark_of_go_is_explained_by_the_time_of_one_iteration() {
    let sandbox = Sandbox::new();
    go_module(&sandbox, "");
    sandbox.repository("r");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    go_module(&sandbox, "for i := 0; i < 20; i++ {\n\t\tSorted(append([]string(nil), all...))\n\t}");
    sandbox.commit("r", "slower");
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache").display().to_string();
    let explain = |benchmark: &str, command: &[&str]| {
        let args = [&["explain", benchmark, "--format", "json", "--"], command].concat();
        sandbox.perfgate_with("r", &[("GOCACHE", cache.as_str()), ("GOFLAGS", "-mod=mod")], &args)
    };
    for (benchmark, command) in [
        ("example.org/text/words/BenchmarkCount", &["go", "test", "-bench", ".", "-run", "^$", "./..."][..]),
        ("BenchmarkCount", &["go", "test", "-bench=.", "-benchtime=10ms", "./words"]),
    ] {
        let json = explain(benchmark, command).exits(0).json();
        let functions = json["functions"].as_array().unwrap();
        let count = functions.iter().find(|one| one["name"] == "example.org/text/words.(*Counter).Count").unwrap();
        assert_eq!(
            (&json["metric"], &count["file"], &count["in_diff"]),
            (&"time".into(), &"words/words.go".into(), &true.into())
        );
        let grown: Vec<&str> = functions.iter().take(2).map(|one| one["name"].as_str().unwrap()).collect();
        assert!(grown.contains(&"example.org/text/words.Sorted"), "{json}");
        // The slower benchmark runs fewer iterations in the same time.
        assert!(json["change"].as_f64().unwrap() > 1.0, "{json}");
        assert!((100.0..100_000.0).contains(&json["base"]["value"].as_f64().unwrap()), "{json}");
        assert!(functions.iter().all(|one| !one["name"].as_str().unwrap().starts_with("sort.")), "{json}");
    }
    explain("BenchmarkNone", &["go", "test", "-bench", ".", "./words"])
        .exits(2)
        .reports("ran no benchmark \"BenchmarkNone\"");
    assert_eq!(sandbox.git("r", &["status", "--porcelain", "--ignored"]), "");
}

/// `checksum` is inlined on both sides; what it allocates in head is code of the standard library.
#[cfg(target_os = "linux")]
const PROGRAM: &str = "mod sums {\n    pub fn checksum(value: &str) -> u64 {\n        let mut sum = 0u64;\n        \
    for byte in COPY { sum = sum.wrapping_mul(31).wrapping_add(u64::from(byte)); }\n        sum\n    }\n}\n\n\
    #[inline(never)]\nfn load(text: &str) -> u64 { text.lines().map(sums::checksum).sum() }\n\n\
    fn main() { println!(\"{}\", load(&\"a line of text\\n\".repeat(2000))); }\n";

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind"]
fn a_native_program_is_explained_by_its_instructions() {
    let [base, head] = ["value.bytes()", "value.to_owned().into_bytes()"].map(|copy| PROGRAM.replace("COPY", copy));
    let sandbox = planted("tool.rs", &base, &head);
    let build = ["--setup", "rustc -O -C debuginfo=limited tool.rs -o tool"];
    assert_explained(&sandbox, &build, &["./tool"], "instructions", "tool::sums::checksum");
    let equal =
        [&["explain", "load", "--base", "HEAD", "--scratch", "../scratch"], &build[..], &["--", "./tool"]].concat();
    sandbox.perfgate_at("r", &equal).exits(0).prints("load: the command executes as many instructions as base (0.0%)");
    let failing = ["explain", "load", "--scratch", "../scratch", "--", "sh", "-c", "exit 3"];
    sandbox.perfgate_at("r", &failing).exits(2).reports("base fails under the profiler").reports("code 3");
}

#[cfg(target_os = "linux")]
#[test]
fn a_missing_profiler_is_named_before_anything_is_built() {
    let sandbox = planted("a", "1", "2");
    let answer = sandbox.perfgate_with("r", &[("PATH", "/nowhere")], &["explain", "load", "--", "./tool"]);
    answer.exits(2).reports("valgrind is not installed").reports("apt-get install valgrind");
}

#[test]
fn the_command_or_the_second_profile_is_asked_for() {
    let sandbox = Sandbox::new();
    callgrind(&sandbox, "base", 1, 1);
    sandbox.perfgate(&["explain", "base"]).exits(2).reports("a second profile is missing");
    sandbox.perfgate(&["explain", "parse/large"]).exits(2).reports("the command that runs the benchmark is missing");
    sandbox.perfgate(&["explain", "a", "b", "--", "x"]).exits(2).reports("one benchmark can be explained at a time");
}

/// A crate with a criterion benchmark whose `checksum` reads its input several times.
#[cfg(target_os = "linux")]
fn criterion_crate(sandbox: &Sandbox, times: u32) {
    // Criterion itself is built without optimization, in a third of the time: its own cost is left out.
    let manifest = format!("{}\n[profile.bench.package.\"*\"]\nopt-level = 0\n", common::criterion_manifest("parser"));
    sandbox.write("r/Cargo.toml", manifest);
    let library = "pub fn parse(text: &str) -> u64 { text.lines().map(|line| checksum(line)).sum() }\n\nfn checksum(value: &str) \
        -> u64 {\n    let mut sum = 0u64;\n    for _ in 0..TIMES {\n        for byte in std::hint::black_box(value).bytes() {\n            \
        sum = sum.wrapping_mul(31).wrapping_add(u64::from(byte));\n        }\n    }\n    sum\n}\n";
    sandbox.write("r/src/lib.rs", library.replace("TIMES", &times.to_string()));
    sandbox.write(
        "r/benches/parser.rs",
        "use criterion::{criterion_group, criterion_main, Criterion};\nfn all(c: &mut Criterion) {\n    for (name, lines) in \
         [(\"small\", 10), (\"large\", 5000)] {\n        let text = \"a line of text\\n\".repeat(lines);\n        \
         c.bench_function(&format!(\"parse/{name}\"), |b| b.iter(|| tiny::parse(std::hint::black_box(&text))));\n    }\n}\n\
         criterion_group!(benches, all);\ncriterion_main!(benches);\n",
    );
}

/// Builds criterion several times, which takes minutes.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind, criterion in cargo's cache, and minutes to build it"]
fn a_real_criterion_crate_is_explained() {
    let sandbox = Sandbox::new();
    let lock = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    sandbox.write("r/Cargo.lock", std::fs::read(lock).unwrap());
    criterion_crate(&sandbox, 1);
    sandbox.repository("r");
    let run = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        command
            .args(args)
            .current_dir(sandbox.path("r"))
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_NET_OFFLINE", "true");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        common::Answer { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    };
    run("cargo", &["update", "--workspace", "--offline", "-q"]).exits(0);
    sandbox.commit("r", "locked");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    criterion_crate(&sandbox, 2);
    sandbox.commit("r", "slower");
    let perfgate = |args: &[&str]| run(env!("CARGO_BIN_EXE_perfgate"), args);
    let command = ["--base", "main", "--format", "json", "--", "cargo", "bench", "--bench", "parser"];
    let json = perfgate(&[&["explain", "parse/large"], &command[..]].concat()).exits(0).json();
    let first = &json["functions"][0];
    assert_eq!((&first["name"], &first["file"]), (&"tiny::checksum".into(), &"src/lib.rs".into()), "{json}");
    assert_eq!(first["in_diff"], true, "{json}");
    let cost = |side: &str| first[side].as_f64().unwrap();
    assert!((1.9..2.1).contains(&(cost("head") / cost("base"))), "{json}");
    // Criterion is left out: `checksum` is some 40% of the work, the rest splits the text into lines.
    assert!((0.3..0.6).contains(&json["change"].as_f64().unwrap()), "{json}");
    assert!(first["share"].as_f64().unwrap() > 0.9, "{json}");
    perfgate(&[&["explain", "parse/larg"], &command[..]].concat()).exits(2).reports("did you mean parse/large?");
    // Counted and explained at once, with the same numbers: the builds differ in debug information only, and criterion is left out.
    let counted =
        perfgate(&[&["measure", "--count", "instructions", "--explain"], &command[..]].concat()).exits(1).json();
    assert_eq!(counted["explanations"].as_array().unwrap().len(), 2, "{counted}");
    for explained in counted["explanations"].as_array().unwrap() {
        let benchmarks = counted["benchmarks"].as_array().unwrap();
        let benchmark = benchmarks.iter().find(|one| one["name"] == explained["benchmark"]).unwrap();
        for side in ["base", "head"] {
            assert_eq!(explained[side]["value"], benchmark[side]["value"], "{side}: {counted}");
        }
        let functions: Vec<_> = explained["functions"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(functions, ["tiny::checksum"], "{explained}");
    }
    // A clear regression of the time is measured and explained at once.
    criterion_crate(&sandbox, 4);
    sandbox.commit("r", "slower still");
    let quick = ["--", "--warm-up-time=0.1", "--measurement-time=0.2", "--sample-size=10", "{filter}"];
    let json = perfgate(&[&["measure", "--explain"], &command[..], &quick[..]].concat()).exits(1).json();
    let names: Vec<_> = json["explanations"].as_array().unwrap().iter().map(|one| one["benchmark"].as_str()).collect();
    assert!(names.contains(&Some("parse/large")), "{json}");
    let explained = &json["explanations"][0];
    assert_eq!(explained["functions"][0]["name"], "tiny::checksum", "{json}");
    assert!(explained["time_change"].as_f64().unwrap() > 0.5, "{json}");
    assert_eq!(sandbox.git("r", &["status", "--porcelain", "--ignored"]), "");
}
