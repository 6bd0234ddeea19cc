//! A PID file for each running command, so that the command of a killed perfgate does not disturb later measurements. The
//! file is in the scratch directory and contains the process's id and start time. The next perfgate kills the process if it
//! still runs. Linux only: on other systems there is no start time that distinguishes a process from a later one with the
//! same id.

use super::regular;
use std::fs;
use std::path::{Path, PathBuf};

/// The beginning of the file's name in a scratch directory; the process id follows.
const FILE: &str = "running";

fn file(scratch: &Path, leader: u32) -> PathBuf {
    scratch.join(format!("{FILE}-{leader}"))
}

/// Writes the PID file of a command that was just started. Best effort: without a file, a later perfgate does not find the
/// process.
pub fn write(scratch: &Path, leader: u32) {
    if let Some(start_time) = start_time(leader) {
        let _ = fs::write(file(scratch, leader), format!("{leader} {start_time}\n"));
    }
}

/// Removes the PID file after the command has ended.
pub fn remove(scratch: &Path, leader: u32) {
    let _ = fs::remove_file(file(scratch, leader));
}

/// Kills the commands of a killed perfgate and their process groups.
pub fn kill_stale(scratch: &Path) {
    let entries = fs::read_dir(scratch).into_iter().flatten().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(FILE));
    files.for_each(|entry| kill_recorded(&entry.path()));
}

fn kill_recorded(file: &Path) {
    let Ok(text) = regular::read_to_string(file) else { return };
    let mut words = text.split_whitespace();
    let (Some(leader), Some(recorded)) = (words.next().and_then(|word| word.parse::<u32>().ok()), words.next()) else {
        return;
    };
    if start_time(leader).as_deref() == Some(recorded) {
        kill(leader);
    }
}

/// A name for this process that no other process of this machine ever has: the namespace of its id, the id, and the start
/// time. On other systems than Linux, only the id.
pub fn process_name() -> String {
    let id = std::process::id();
    match (id_space(), start_time(id)) {
        (Some(space), Some(start)) => format!("{space}-{id}-{start}"),
        _ => id.to_string(),
    }
}

/// True for the name of a process of this machine, or container, that has ended. False if that is unknown.
pub fn has_ended(name: &str) -> bool {
    let mut parts = name.split('-');
    let (Some(space), Some(id), Some(start), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(id) = id.parse::<u32>() else { return false };
    id_space().is_some_and(|own| own == space) && start_time(id).as_deref() != Some(start)
}

/// The id of the namespace of process ids, which differs between containers.
fn id_space() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    let digits: String = link.to_str()?.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// A process's start time in ticks since boot; with the id, it identifies a process.
#[cfg(target_os = "linux")]
fn start_time(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Field 2 is the program's name in parentheses, with any characters in it; the start time is field 22.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(not(target_os = "linux"))]
fn start_time(_process: u32) -> Option<String> {
    None
}

#[cfg(unix)]
fn kill(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), nix::sys::signal::Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn kill(_leader: u32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    #[test]
    fn a_process_name_is_of_one_process() {
        assert!(!has_ended(&process_name()));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let name = format!("{}-{}-{}", id_space().unwrap(), child.id(), start_time(child.id()).unwrap());
        assert!(!has_ended(&name));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_ended(&name));
        let elsewhere = name.split_once('-').unwrap().1;
        assert!(!has_ended(&format!("1-{elsewhere}")) && !has_ended(elsewhere) && !has_ended("4711"));
    }

    #[test]
    fn a_later_process_with_the_same_id_is_not_killed() {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let earlier = start_time(child.id()).unwrap().parse::<u64>().unwrap() - 1;
        fs::write(file(scratch.path(), child.id()), format!("{} {earlier}", child.id())).unwrap();
        kill_stale(scratch.path());
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none());
        write(scratch.path(), child.id());
        kill_stale(scratch.path());
        assert!(!child.wait().unwrap().success());
    }
}
