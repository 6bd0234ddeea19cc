//! Facts about the machine, the toolchain and the CI runner. Only facts that stay the same between runs on one machine: no
//! load, no current frequency, no name of a short-lived runner.

use crate::model::Environment;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The time limit for a command, so that a toolchain manager does not start a download.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of characters in a fact.
const MAX_FACT_CHARS: usize = 200;

/// All known facts. `dir` is where the benchmarks were built; `variable` reads the environment.
pub fn probe(dir: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Environment {
    let mut facts = Environment::default();
    let mut add = |key: &str, fact: Option<String>| {
        if let Some(fact) = fact {
            facts.set(key, single_line(&fact));
        }
    };
    add(Environment::CPU, cpu(dir, variable));
    add(Environment::CORES, std::thread::available_parallelism().ok().map(|cores| cores.to_string()));
    add(Environment::ARCH, Some(std::env::consts::ARCH.to_owned()));
    add(Environment::OS, Some(std::env::consts::OS.to_owned()));
    add(Environment::KERNEL, kernel(dir));
    add(Environment::GOVERNOR, text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    add(Environment::RUNNER, runner(variable));
    add(Environment::SHARD, variable("PERFGATE_SHARD").filter(|shard| !shard.trim().is_empty()));
    add(Environment::KEY, variable("PERFGATE_KEY").filter(|key| !key.trim().is_empty()));
    let rustc = variable("RUSTC").filter(|path| !path.is_empty()).unwrap_or_else(|| "rustc".to_owned());
    add(Environment::RUSTC, output(&rustc, &["-vV"], dir).as_deref().and_then(rustc_version));
    facts
}

fn cpu(dir: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match std::env::consts::OS {
        "linux" | "android" => {
            let board = || text_of("/proc/device-tree/model").map(|model| model.trim_end_matches('\0').to_owned());
            text_of("/proc/cpuinfo").as_deref().and_then(cpu_model).or_else(board)
        }
        "macos" => output("sysctl", &["-n", "machdep.cpu.brand_string"], dir),
        "windows" => variable("PROCESSOR_IDENTIFIER"),
        _ => output("sysctl", &["-n", "hw.model"], dir),
    }
}

/// The model in a Linux `/proc/cpuinfo`: each architecture has its own key, and ARM has two numbers.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let field = |key: &str| fields(cpuinfo).find(|(k, v)| *k == key && !v.is_empty()).map(|(_, v)| v.to_owned());
    // x86 and most others; MIPS; POWER; RISC-V (twice); old ARM kernels.
    let named = ["model name", "cpu model", "cpu", "uarch", "isa", "Processor"].into_iter().find_map(field);
    arm_cores(cpuinfo).or(named).or_else(|| ibm_machine(cpuinfo)).or_else(|| field("Hardware"))
}

fn fields(cpuinfo: &str) -> impl Iterator<Item = (&str, &str)> {
    cpuinfo.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim()))
}

fn arm_cores(cpuinfo: &str) -> Option<String> {
    let (_, maker) = fields(cpuinfo).find(|(key, value)| *key == "CPU implementer" && !value.is_empty())?;
    let mut parts: Vec<&str> = fields(cpuinfo).filter(|(key, _)| *key == "CPU part").map(|(_, part)| part).collect();
    parts.sort_unstable(); // a phone has large and small cores
    parts.dedup();
    let cores: Vec<String> = parts.iter().map(|part| arm_core(maker, part)).collect();
    (!cores.is_empty()).then(|| cores.join(" + "))
}

/// s390x has the machine's number only: `processor 0: version = FF, identification = …, machine = 3931`.
fn ibm_machine(cpuinfo: &str) -> Option<String> {
    let (_, processor) = fields(cpuinfo).find(|(key, _)| key.starts_with("processor "))?;
    processor.split_once("machine = ").map(|(_, number)| format!("IBM {number}"))
}

/// Names of ARM's cores in servers and runners, by part number; others keep their numbers.
fn arm_core(maker: &str, part: &str) -> String {
    let core = match (maker, part) {
        ("0x41", "0xd03") => "Cortex-A53",
        ("0x41", "0xd07") => "Cortex-A57",
        ("0x41", "0xd08") => "Cortex-A72",
        ("0x41", "0xd0b") => "Cortex-A76",
        ("0x41", "0xd0c") => "Neoverse-N1",
        ("0x41", "0xd40") => "Neoverse-V1",
        ("0x41", "0xd49") => "Neoverse-N2",
        ("0x41", "0xd4f") => "Neoverse-V2",
        _ => return format!("ARM {maker}/{part}"),
    };
    core.to_owned()
}

/// The kernel's release. Windows has no cheap way to get it.
fn kernel(dir: &Path) -> Option<String> {
    match std::env::consts::OS {
        "linux" | "android" => text_of("/proc/sys/kernel/osrelease"),
        "windows" => None,
        _ => output("uname", &["-r"], dir),
    }
}

/// The CI system, and the image of a GitHub runner, which changes every week.
fn runner(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let is_set = |name: &str| variable(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    if is_set("GITHUB_ACTIONS") {
        let kind = variable("RUNNER_ENVIRONMENT").unwrap_or_else(|| "github-actions".to_owned());
        let image = ["ImageOS", "ImageVersion"].into_iter().filter_map(variable);
        return Some(std::iter::once(kind).chain(image).collect::<Vec<_>>().join(" "));
    }
    let others = [
        ("GITLAB_CI", "gitlab-ci"),
        ("CIRCLECI", "circleci"),
        ("BUILDKITE", "buildkite"),
        ("TF_BUILD", "azure-pipelines"),
        ("JENKINS_URL", "jenkins"),
        ("CI", "ci"),
    ];
    others.into_iter().find(|(name, _)| is_set(name)).map(|(_, runner)| runner.to_owned())
}

/// `1.89.0 (29483883e)` from what `rustc -vV` prints.
fn rustc_version(output: &str) -> Option<String> {
    let of = |key: &str| output.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).map(str::trim);
    let release = of("release")?;
    match of("commit-hash").filter(|hash| hash.is_ascii() && hash.len() > 9) {
        Some(hash) => Some(format!("{release} ({})", &hash[..9])),
        None => Some(release.to_owned()),
    }
}

/// The output of a command; `None` if it does not exist, prints nothing or takes too long.
fn output(command: &str, arguments: &[&str], dir: &Path) -> Option<String> {
    let mut child = Command::new(command)
        .args(arguments)
        .current_dir(dir)
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (send, receive) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        // On a new thread, since a grandchild may keep the pipe open after the command was killed.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = out.take(64 * 1024).read_to_end(&mut bytes);
            let _ = send.send(read.ok().map(|_| bytes));
        });
    }
    let answer = receive.recv_timeout(TIMEOUT).ok().flatten();
    let _ = child.kill(); // the command has ended, or has exceeded the time limit
    let _ = child.wait();
    let text = String::from_utf8_lossy(&answer?).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

fn text_of(path: &str) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A fact on one line with single spaces, shortened: kernels differ in how they space the same model.
fn single_line(fact: &str) -> String {
    let words: Vec<&str> =
        fact.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(MAX_FACT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: fn(&str) -> Option<String> = |_| None;

    #[test]
    fn facts_of_this_machine_are_stable() {
        let here = probe(Path::new("."), &NOTHING);
        assert_eq!(here.get(Environment::OS), Some(std::env::consts::OS));
        assert_eq!(here.get(Environment::ARCH), Some(std::env::consts::ARCH));
        assert!(here.get(Environment::CORES).is_some_and(|cores| cores.parse::<u32>().is_ok_and(|n| n > 0)));
        assert_eq!(here.get(Environment::RUNNER), None);
        assert_eq!(here, probe(Path::new("."), &NOTHING));
    }

    #[test]
    fn a_missing_or_broken_compiler_is_left_out() {
        for rustc in ["/nowhere/rustc", "true", "echo", "."] {
            let variable = |name: &str| (name == "RUSTC").then(|| rustc.to_owned());
            let here = probe(Path::new("."), &variable);
            assert_eq!(here.get(Environment::RUSTC), None, "{rustc}");
        }
        let here = probe(Path::new("/nowhere"), &NOTHING);
        assert_eq!(here.get(Environment::RUSTC), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_hanging_command_is_killed() {
        let started = std::time::Instant::now();
        assert_eq!(output("sh", &["-c", "sleep 5 & sleep 5"], Path::new("/")), None);
        assert!(started.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn cpu_models_are_found_on_each_architecture() {
        let model = |cpuinfo: &str| cpu_model(cpuinfo).map(|model| single_line(&model));
        let x86 = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R)  CPU  @ 2.20GHz\n";
        assert_eq!(model(x86).as_deref(), Some("Intel(R) Xeon(R) CPU @ 2.20GHz"));
        let server = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nprocessor : 1\nCPU part\t: 0xd0c\n";
        assert_eq!(model(server).as_deref(), Some("Neoverse-N1"));
        let phone = "CPU implementer : 0x41\nCPU part : 0xd0b\nCPU part : 0xd03\nHardware : X\n";
        assert_eq!(model(phone).as_deref(), Some("Cortex-A53 + Cortex-A76"));
        let apple = "CPU implementer\t: 0x61\nCPU part\t: 0x022\n";
        assert_eq!(model(apple).as_deref(), Some("ARM 0x61/0x022"));
        assert_eq!(model("cpu\t\t: POWER9, altivec supported\n").as_deref(), Some("POWER9, altivec supported"));
        assert_eq!(model("processor 0: version = FF, machine = 3931\n").as_deref(), Some("IBM 3931"));
        assert_eq!(model("").as_deref(), None);
        assert_eq!(model("model name\t:\n: :\n").as_deref(), None);
    }

    #[test]
    fn the_runner_has_a_stable_name() {
        let github = |name: &str| {
            Some(match name {
                "GITHUB_ACTIONS" | "CI" => "true".to_owned(),
                "RUNNER_ENVIRONMENT" => "github-hosted".to_owned(),
                "RUNNER_NAME" => "GitHub Actions 1000000123".to_owned(),
                "ImageOS" => "ubuntu24".to_owned(),
                "ImageVersion" => "20260101.1".to_owned(),
                _ => return None,
            })
        };
        assert_eq!(runner(&github).as_deref(), Some("github-hosted ubuntu24 20260101.1"));
        let gitlab = |name: &str| matches!(name, "GITLAB_CI" | "CI").then(|| "true".to_owned());
        assert_eq!(runner(&gitlab).as_deref(), Some("gitlab-ci"));
        assert_eq!(runner(&|name| (name == "CI").then(|| "false".to_owned())), None);
    }

    #[test]
    fn the_compiler_version_is_its_release_and_commit() {
        let output = "rustc 1.89.0 (29483883e 2025-08-04)\nbinary: rustc\n\
                      commit-hash: 29483883eed69d5fb4db01964cdf2af4d86e9cb2\nhost: x86_64\nrelease: 1.89.0\n";
        assert_eq!(rustc_version(output).as_deref(), Some("1.89.0 (29483883e)"));
        assert_eq!(rustc_version("commit-hash: unknown\nrelease: 1.70.0\n").as_deref(), Some("1.70.0"));
        assert_eq!(rustc_version("hello"), None);
    }

    #[test]
    fn a_fact_is_one_short_line() {
        assert_eq!(single_line(" a\n\tb \u{1b} c\0"), "a b c");
        assert_eq!(single_line(&"x".repeat(5_000)).len(), 200);
    }
}
