//! The command of a perfgate that was killed. It lives on, as nobody was left to end it, and would disturb whatever is
//! measured next. So a running command is noted in the scratch directory, by its number and the moment it began, and the
//! next perfgate ends what still runs there. Linux only: elsewhere nothing tells a process from a later one of its number.

use std::fs;
use std::path::Path;

/// The note's name in a scratch directory.
const NOTE: &str = "running";

/// Notes the first process of a command; to be called as soon as it runs. A scratch directory that is gone or full holds
/// no note, which costs only this safety.
pub fn note(scratch: &Path, leader: u32) {
    if let Some(begun) = begun(leader) {
        let _ = fs::write(scratch.join(NOTE), format!("{leader} {begun}\n"));
    }
}

/// Takes the note away: the command has ended.
pub fn forget(scratch: &Path) {
    let _ = fs::remove_file(scratch.join(NOTE));
}

/// Ends the command that a killed perfgate left, with all that it started.
pub fn end(scratch: &Path) {
    let Ok(text) = fs::read_to_string(scratch.join(NOTE)) else { return };
    let mut words = text.split_whitespace();
    let (Some(leader), Some(noted)) = (words.next().and_then(|word| word.parse::<u32>().ok()), words.next()) else {
        return;
    };
    if begun(leader).as_deref() == Some(noted) {
        kill(leader);
    }
}

/// When a process began, in ticks since the system did: with its number, that names it for good.
#[cfg(target_os = "linux")]
fn begun(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, with anything in it; the moment is the 22nd.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(not(target_os = "linux"))]
fn begun(_process: u32) -> Option<String> {
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
    fn a_process_of_the_same_number_that_began_later_is_let_live() {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let earlier = begun(child.id()).unwrap().parse::<u64>().unwrap() - 1;
        fs::write(scratch.path().join(NOTE), format!("{} {earlier}", child.id())).unwrap();
        end(scratch.path());
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none());
        note(scratch.path(), child.id());
        end(scratch.path());
        assert!(!child.wait().unwrap().success());
    }
}
