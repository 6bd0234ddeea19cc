//! The machine, toolchain and CI runner that perfgate finds itself on. Only facts that stay the same from run to run on
//! one machine: no load, no frequency of the moment, no name of a runner that lives for one job.
//! The commit and whether the tree is clean are git's to say.

use crate::model::Environment;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Whether the compiler is asked for its version: that takes a process, where everything else takes a few file reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// Ask `rustc`, as it resolves in the directory.
    Ask,
    /// Leave it out.
    Skip,
}

/// How long a command may take; a toolchain manager that begins to download is cut off.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest fact kept, in characters.
const LONGEST: usize = 200;

/// What is known here. `dir` is where the benchmarks were built, `variable` reads the process environment.
pub fn probe(dir: &Path, toolchain: Toolchain, variable: &dyn Fn(&str) -> Option<String>) -> Environment {
    let mut here = Environment::default();
    let mut know = |key: &str, fact: Option<String>| {
        if let Some(fact) = fact {
            here.set(key, tidy(&fact));
        }
    };
    know(Environment::CPU, cpu(dir, variable));
    know(Environment::CORES, std::thread::available_parallelism().ok().map(|cores| cores.to_string()));
    know(Environment::ARCH, Some(std::env::consts::ARCH.to_owned()));
    know(Environment::OS, Some(std::env::consts::OS.to_owned()));
    know(Environment::KERNEL, kernel(dir));
    know(Environment::GOVERNOR, text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    know(Environment::RUNNER, runner(variable));
    know(Environment::SHARD, variable("PERFGATE_SHARD").filter(|shard| !shard.trim().is_empty()));
    if toolchain == Toolchain::Ask {
        let rustc = variable("RUSTC").filter(|path| !path.is_empty()).unwrap_or_else(|| "rustc".to_owned());
        know(Environment::RUSTC, ask(&rustc, &["-vV"], dir).as_deref().and_then(rustc_version));
    }
    here
}

fn cpu(dir: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match std::env::consts::OS {
        "linux" | "android" => {
            let board = || text_of("/proc/device-tree/model").map(|model| model.trim_end_matches('\0').to_owned());
            text_of("/proc/cpuinfo").as_deref().and_then(cpu_model).or_else(board)
        }
        "macos" => ask("sysctl", &["-n", "machdep.cpu.brand_string"], dir),
        "windows" => variable("PROCESSOR_IDENTIFIER"),
        _ => ask("sysctl", &["-n", "hw.model"], dir),
    }
}

/// The model in a Linux `/proc/cpuinfo`: under another key on each architecture, and on ARM as two numbers.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let fields = || cpuinfo.lines().filter_map(|line| line.split_once(':')).map(|(k, v)| (k.trim(), v.trim()));
    let of = |key: &str| fields().find(|(k, v)| *k == key && !v.is_empty()).map(|(_, value)| value.to_owned());
    // x86 and most others; MIPS; POWER; RISC-V (twice); old ARM kernels.
    let named = ["model name", "cpu model", "cpu", "uarch", "isa", "Processor"].into_iter().find_map(of);
    let arm = || {
        let maker = of("CPU implementer")?;
        let mut parts: Vec<&str> = fields().filter(|(key, _)| *key == "CPU part").map(|(_, part)| part).collect();
        parts.sort_unstable(); // a phone has large and small cores
        parts.dedup();
        Some(parts.iter().map(|part| arm_core(&maker, part)).collect::<Vec<_>>().join(" + "))
    };
    // s390x has no model, but the number of the machine: `processor 0: version = FF, identification = …, machine = 3931`.
    let machine = || {
        let (_, processor) = fields().find(|(key, _)| key.starts_with("processor "))?;
        processor.split_once("machine = ").map(|(_, number)| format!("IBM {number}"))
    };
    arm().filter(|name| !name.is_empty()).or(named).or_else(machine).or_else(|| of("Hardware"))
}

/// ARM's own cores that servers and runners have, by part number; others keep their numbers.
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

/// The kernel's release; on Windows there is no cheap answer and none is given.
fn kernel(dir: &Path) -> Option<String> {
    match std::env::consts::OS {
        "linux" | "android" => text_of("/proc/sys/kernel/osrelease"),
        "windows" => None,
        _ => ask("uname", &["-r"], dir),
    }
}

/// The CI system, and of GitHub's machines which image: those change under one's feet every week.
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

/// What a command prints, or `None` where it is not found, prints nothing or takes too long.
fn ask(command: &str, arguments: &[&str], dir: &Path) -> Option<String> {
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
        // A thread of its own: a grandchild may hold the pipe open after its parent was killed.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = out.take(64 * 1024).read_to_end(&mut bytes);
            let _ = send.send(read.ok().map(|_| bytes));
        });
    }
    let answer = receive.recv_timeout(PATIENCE).ok().flatten();
    let _ = child.kill(); // it has said all it had to say, or has said nothing for too long
    let _ = child.wait();
    let text = String::from_utf8_lossy(&answer?).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

fn text_of(path: &str) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// One line, single spaces, not endless: two kernels space the same model differently.
fn tidy(fact: &str) -> String {
    let words: Vec<&str> =
        fact.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: fn(&str) -> Option<String> = |_| None;

    #[test]
    fn this_machine_has_the_facts_of_its_class() {
        let here = probe(Path::new("."), Toolchain::Skip, &NOTHING);
        assert_eq!(here.get(Environment::OS), Some(std::env::consts::OS));
        assert_eq!(here.get(Environment::ARCH), Some(std::env::consts::ARCH));
        assert!(here.get(Environment::CORES).is_some_and(|cores| cores.parse::<u32>().is_ok_and(|n| n > 0)));
        assert_eq!(here.get(Environment::RUSTC), None);
        assert_eq!(here.get(Environment::RUNNER), None);
        assert_eq!(here, probe(Path::new("."), Toolchain::Skip, &NOTHING));
    }

    #[test]
    fn a_compiler_that_is_not_there_or_prints_nonsense_is_left_out() {
        for rustc in ["/nowhere/rustc", "true", "echo", "."] {
            let variable = |name: &str| (name == "RUSTC").then(|| rustc.to_owned());
            let here = probe(Path::new("."), Toolchain::Ask, &variable);
            assert_eq!(here.get(Environment::RUSTC), None, "{rustc}");
        }
        let here = probe(Path::new("/nowhere"), Toolchain::Ask, &NOTHING);
        assert_eq!(here.get(Environment::RUSTC), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_cut_off() {
        let started = std::time::Instant::now();
        assert_eq!(ask("sh", &["-c", "sleep 5 & sleep 5"], Path::new("/")), None);
        assert!(started.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn cpu_models_are_found_on_every_architecture() {
        let model = |cpuinfo: &str| cpu_model(cpuinfo).map(|model| tidy(&model));
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
    fn the_runner_is_named_by_what_stays_the_same() {
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
    fn the_compiler_is_its_release_and_commit() {
        let output = "rustc 1.89.0 (29483883e 2025-08-04)\nbinary: rustc\n\
                      commit-hash: 29483883eed69d5fb4db01964cdf2af4d86e9cb2\nhost: x86_64\nrelease: 1.89.0\n";
        assert_eq!(rustc_version(output).as_deref(), Some("1.89.0 (29483883e)"));
        assert_eq!(rustc_version("commit-hash: unknown\nrelease: 1.70.0\n").as_deref(), Some("1.70.0"));
        assert_eq!(rustc_version("hello"), None);
    }

    #[test]
    fn a_fact_is_one_line_and_not_endless() {
        assert_eq!(tidy(" a\n\tb \u{1b} c\0"), "a b c");
        assert_eq!(tidy(&"x".repeat(5_000)).len(), 200);
    }
}
