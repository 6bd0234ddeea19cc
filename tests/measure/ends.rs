//! Interrupts, a second measurement, full disks: how a measurement ends early.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// Starts a measurement whose command writes a file and then sleeps.
fn start_sleeping(sandbox: &Sandbox) -> std::process::Child {
    let mark = sandbox.path("running").display().to_string();
    start(sandbox, "main", &["sh", "-c", &format!("echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 61")])
}

/// Starts a measurement and waits until its command has written the file `running`.
pub fn start(sandbox: &Sandbox, base: &str, words: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
    command
        .args(["measure", "--scratch", "../scratch", "--base", base, "--"])
        .args(words)
        .current_dir(sandbox.path("r"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let started = Instant::now();
    while !sandbox.path("running").exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "it never ran");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

pub fn signal(process: u32, name: &str) -> bool {
    Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// True for a process that runs; false for a zombie.
fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    match stat.rsplit_once(") ") {
        Some((_, rest)) => !rest.starts_with('Z'),
        None => signal(process, "-0"),
    }
}

#[test]
fn an_interrupt_stops_children_and_removes_work_trees() {
    let sandbox = sandbox(&[]);
    let child = start_sleeping(&sandbox);
    let inner: u32 = sandbox.read("running").trim().parse().unwrap();
    assert!(signal(child.id(), "-INT"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert!(!signal(inner, "-0"), "the command still runs");
    assert_clean(&sandbox);
}

#[test]
fn a_second_measurement_is_refused_and_the_files_of_a_killed_one_are_removed() {
    let sandbox = sandbox(&[]);
    let mut child = start_sleeping(&sandbox);
    let inner: u32 = sandbox.read("running").trim().parse().unwrap();
    let second = measure(&sandbox, &["--base", "main"]);
    second.exits(2).reports(&format!("another perfgate (process {}) is measuring", child.id()));
    assert!(signal(child.id(), "-KILL"));
    child.wait().unwrap();
    assert!(sandbox.path("r/.git/worktrees").exists());
    if !cfg!(target_os = "linux") {
        signal(inner, "-KILL"); // elsewhere perfgate cannot find it again
    }
    measure(&sandbox, &["--base", "main"]).exits(0);
    assert!(!runs(inner), "the killed perfgate's command still runs");
    assert_clean(&sandbox);
}

#[test]
#[ignore = "needs Linux and root, to mount a small file system"]
fn a_full_disk_has_no_verdict_and_leaves_nothing() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/large", vec![b'x'; 300_000]).commit("r", "large");
    let small = Small::mount(sandbox.path("small"), 100_000);
    // Full during the checkout, and full while the command runs.
    let measure = |words: &[&str]| sandbox.perfgate_at("r", words);
    let options = ["measure", "--scratch", "../small", "--base", "HEAD~1", "--"];
    measure(&[&options[..], &["sh", "bench.sh"]].concat())
        .exits(2)
        .reports("git cannot check out")
        .reports("may be full");
    assert_eq!(fs::read_dir(&small.at).unwrap().count(), 0);
    sandbox.git("r", &["rm", "-q", "large"]);
    sandbox.commit("r", "small again");
    let fill = ["sh", "-c", "head -c 1000000 /dev/zero > fill && sh bench.sh"];
    let options = ["measure", "--scratch", "../small", "--base", "HEAD", "--"];
    measure(&[&options[..], &fill].concat()).exits(2).reports("no verdict").reports("No space left");
    assert_eq!(fs::read_dir(&small.at).unwrap().count(), 0);
}
