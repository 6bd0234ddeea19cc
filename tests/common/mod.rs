//! Shared by the tests of the built program: a separate directory for each test, with result trees and repositories in it, and
//! checks of a command's output.
#![allow(dead_code)] // each test file uses its own part

pub mod browser;
pub mod workflow;

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A directory to work in.
pub struct Sandbox {
    root: TempDir,
}

/// The exit code and the output of a command.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Data that is kept in the repository.
pub fn data(path: &str) -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path);
    // Under Wine the directory has no drive letter, and the program runs on another drive.
    std::path::absolute(data).unwrap().display().to_string()
}

/// Files among the data that no format reads: descriptions, and asv's list of benchmarks.
pub const OTHER_FILES: [&str; 4] = ["about.json", "README", "README.md", "benchmarks.json"];

/// The manifest of a crate `tiny` with one bench target of criterion.
pub fn criterion_manifest(bench: &str) -> String {
    format!(
        "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dev-dependencies]\n\
         criterion = {{ version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }}\n\n\
         [[bench]]\nname = \"{bench}\"\nharness = false\n"
    )
}

/// All files below a directory, sorted.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The path of a file in a directory, which may be empty.
fn below(directory: &str, file: &str) -> String {
    Path::new(directory).join(file).display().to_string()
}

impl Sandbox {
    pub fn new() -> Self {
        Sandbox { root: TempDir::new().unwrap() }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A named pipe.
    #[cfg(unix)]
    pub fn pipe(&self, path: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// A synthetic criterion result: `name` in baseline `new` of `tree`, with samples around `ns` that differ slightly for each
    /// `run`.
    pub fn bench(&self, tree: &str, name: &str, ns: f64, run: u32) -> &Self {
        self.baseline(tree, "new", name, ns, run)
    }

    /// The same in another baseline.
    pub fn baseline(&self, tree: &str, baseline: &str, name: &str, ns: f64, run: u32) -> &Self {
        let seed = name.bytes().fold(run, |a, b| a.wrapping_mul(31).wrapping_add(u32::from(b)));
        // A small deterministic spread: 1% within the run, 0.5% between runs.
        let wobble = |i: u32| {
            f64::from(i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 16) / 65_536.0 - 0.5
        };
        let level = ns * (1.0 + 0.005 * wobble(seed));
        let times: Vec<String> =
            (1..=50).map(|i| format!("{:.1}", level * 1000.0 * (1.0 + 0.01 * wobble(i)))).collect();
        let sample = format!(
            r#"{{"sampling_mode":"Flat","iters":[{}],"times":[{}]}}"#,
            vec!["1000.0"; 50].join(","),
            times.join(",")
        );
        let directory: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(60).collect();
        let at = format!("{tree}/{directory}/{baseline}");
        let id = serde_json::to_string(name).unwrap();
        self.write(&format!("{at}/benchmark.json"), format!(r#"{{"group_id":{id},"full_id":{id},"throughput":null}}"#));
        self.write(&format!("{at}/sample.json"), sample)
    }

    /// A program in place of valgrind, for tests/data/measure/bench.sh: it counts as many instructions as the benchmark
    /// has nanoseconds, `extra` ones outside of it, and fails at the benchmark of the other name. Returns the
    /// environment variable (PATH) that makes it found.
    #[cfg(unix)]
    pub fn stand_in_for_valgrind(&self, extra: u64, failing: &str) -> (&'static str, String) {
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then exit 0; fi\n\
             for word; do case $word in --*-out-file=*) out=${{word#*=}} ;; --tool=cachegrind) counts=1 ;; esac; name=$word; done\n\
             name=$(printf %s \"$name\" | tr -d '^()$')\n\
             if [ \"$name\" = \"{failing}\" ]; then echo 'cannot count' >&2; exit 3; fi\n\
             ns=$(sed -n \"s/^$name //p\" speeds)\n\
             if [ -n \"$counts\" ]; then echo \"summary: $ns\" > \"$out\"; exit; fi\n\
             printf '# callgrind format\\nevents: Ir\\nob=/w/app\\nfl=speeds\\nfn=app::run|%s\\n3 %s\\nfn=app::main\\n1 {extra}\\n' \
             \"$name\" \"$ns\" > \"$out\"\n"
        );
        self.write("bin/valgrind", script);
        let mut mode = fs::metadata(self.path("bin/valgrind")).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        fs::set_permissions(self.path("bin/valgrind"), mode).unwrap();
        ("PATH", format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()))
    }

    /// Runs the program here.
    pub fn perfgate(&self, args: &[&str]) -> Answer {
        self.perfgate_at("", args)
    }

    /// Runs the program in a directory below.
    pub fn perfgate_at(&self, directory: &str, args: &[&str]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(args).current_dir(self.path(directory));
        answer(self.alone(&mut command).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the program with text on standard input.
    pub fn perfgate_with_input(&self, args: &[&str], input: &str) -> Answer {
        self.write("standard-input", input);
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(args).current_dir(self.path(""));
        let file = fs::File::open(self.path("standard-input")).unwrap();
        answer(self.alone(&mut command).stdin(file).output().unwrap())
    }

    /// The program in a directory below, ready to be started, with some of its environment.
    pub fn command<S: AsRef<str>>(&self, directory: &str, environment: &[(&str, S)], args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(args).current_dir(self.path(directory)).stdin(Stdio::null());
        self.alone(&mut command).envs(environment.iter().map(|(key, value)| (key, value.as_ref())));
        command
    }

    /// Runs the program in a directory below, with some of its environment.
    pub fn perfgate_with<S: AsRef<str>>(&self, directory: &str, environment: &[(&str, S)], args: &[&str]) -> Answer {
        answer(self.command(directory, environment, args).output().unwrap())
    }

    /// Starts the program in a directory below and kills it after a time; true if it had already ended successfully.
    pub fn killed(&self, directory: &str, args: &[&str], after: Duration) -> bool {
        let mut command = self.command::<&str>(directory, &[], args);
        let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        let ended = running.try_wait().unwrap();
        let _ = running.kill(); // SIGKILL
        let status = running.wait().unwrap();
        assert!(ended.is_none() || status.success(), "{args:?}, after {after:?}: {status}");
        ended.is_some()
    }

    /// A repository `r` with results on disk and nothing recorded.
    pub fn with_unrecorded_results() -> Self {
        let sandbox = Sandbox::new();
        sandbox.repository("r").five_benchmarks(1);
        sandbox
    }

    /// Results of a further run of five benchmarks.
    pub fn five_benchmarks(&self, run: u32) -> &Self {
        for (index, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
            self.bench("r/target/criterion", name, 1000.0 * (index + 1) as f64, run);
        }
        self
    }

    /// Runs git in a directory below; it must succeed.
    pub fn git(&self, directory: &str, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.path(directory));
        let answer = answer(self.alone(&mut command).output().unwrap());
        assert_eq!(answer.code, 0, "git {args:?}: {}", answer.stderr);
        answer.stdout.trim().to_owned()
    }

    /// The same with a date for the commit, in seconds since 1970.
    pub fn git_at(&self, directory: &str, time: i64, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.path(directory));
        let date = format!("@{time} +0000");
        let alone = self.alone(&mut command).env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let answer = answer(alone.output().unwrap());
        assert_eq!(answer.code, 0, "git {args:?}: {}", answer.stderr);
    }

    /// A repository with one commit on main.
    pub fn repository(&self, directory: &str) -> &Self {
        fs::create_dir_all(self.path(directory)).unwrap();
        self.git(directory, &["init", "-q", "-b", "main"]);
        self.write(&below(directory, ".gitignore"), "/target\n");
        self.git(directory, &["add", "."]);
        self.commit(directory, "first")
    }

    /// A commit that changes a file. It is dated a few seconds back, so that results written by the test are newer.
    pub fn commit(&self, directory: &str, message: &str) -> &Self {
        self.write(&below(directory, "file"), message);
        self.git(directory, &["add", "."]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.git_at(directory, now as i64 - 5, &["commit", "-q", "-m", message]);
        self
    }

    /// Isolates a command from the settings of the machine.
    fn alone<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for name in [
            "CRITERION_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "GIT_DIR",
            "GIT_WORK_TREE",
            "XDG_CONFIG_HOME",
        ] {
            command.env_remove(name);
        }
        // If the tests run in a GitHub workflow, perfgate must not use the variables of that workflow.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("GITHUB_") || name.starts_with("PERFGATE_")) {
                command.env_remove(name);
            }
        }
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.path(""))
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
    }
}

/// The exit code and the output of a process.
pub fn answer(output: Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The answer of a command that must end within 20 seconds.
#[track_caller]
pub fn ends(mut command: Command) -> Answer {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Read while the command runs: a full pipe would block it.
    let stdout = read_in_background(child.stdout.take().unwrap());
    let stderr = read_in_background(child.stderr.take().unwrap());
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    answer(Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() })
}

fn read_in_background(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

impl Answer {
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.whole());
        self
    }

    /// Checks that standard output contains a text.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "standard output has no {text:?}\n{}", self.whole());
        self
    }

    #[track_caller]
    pub fn does_not_print(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text), "standard output has {text:?}\n{}", self.whole());
        self
    }

    /// Checks that standard error contains a text.
    #[track_caller]
    pub fn reports(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "standard error has no {text:?}\n{}", self.whole());
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{}", self.whole()))
    }

    /// The outcome of a benchmark in a report printed as JSON.
    #[track_caller]
    pub fn outcome(&self, name: &str) -> String {
        let report = self.json();
        let found = report["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no benchmark {name:?}\n{}", self.whole()));
        found["outcome"].as_str().unwrap().to_owned()
    }

    fn whole(&self) -> String {
        let mut text = String::new();
        let _ = write!(
            text,
            "exit code {}\n-- standard output\n{}\n-- standard error\n{}",
            self.code, self.stdout, self.stderr
        );
        text
    }
}
