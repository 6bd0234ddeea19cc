//! Runs a command of the user without a shell, in a process group of its own, with a time limit and resource usage. The
//! processes that it started in this group are killed at its end.

use super::capture::{Capture, Captured};
use super::counters::{Counters, HardwareCounts};
use super::process_group::ProcessGroup;
use super::{interrupt, pid_file};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often to check for Ctrl-C and the time limit.
const TICK: Duration = Duration::from_millis(50);
/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How long to read the pipes after the command has ended.
const PIPES: Duration = Duration::from_secs(5);
/// A command without a time limit of its own is stopped after this time without output.
const SILENCE: Duration = Duration::from_secs(2 * 60 * 60);
/// The most output lines in a message.
const LINES: usize = 20;

/// A flag of CreateProcess.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// A command to run.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program and its arguments; not empty.
    pub words: Vec<String>,
    /// The working directory.
    pub directory: PathBuf,
    /// Changes to the environment; `None` removes a variable.
    pub variables: Vec<(String, Option<OsString>)>,
    /// When it is stopped.
    pub limit: Limit,
    /// The processors it may use; empty for all.
    pub processors: Vec<usize>,
    /// The scratch directory, where a later perfgate finds the process if this one is killed.
    pub scratch: Option<PathBuf>,
}

/// When a command is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After this time.
    Total(Duration),
    /// After this time without output: a long build or suite prints what it does, and one that hangs does not.
    Silence(Duration),
}

impl Default for Limit {
    fn default() -> Self {
        Limit::Silence(SILENCE)
    }
}

/// A command that succeeded.
#[derive(Debug)]
pub struct Finished {
    /// Wall-clock time.
    pub wall: Duration,
    /// Resource usage.
    pub usage: Option<Usage>,
    /// Hardware counts.
    pub counts: HardwareCounts,
    /// Standard output.
    pub stdout: Captured,
    /// The last lines of its output, for messages.
    pub last_lines: String,
}

/// Resource usage of a process and the children that it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// User time.
    pub user: Duration,
    /// System time.
    pub system: Duration,
    /// Peak memory of the largest process, in bytes.
    pub peak: u64,
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program does not exist.
    #[error("cannot find the command {program:?}; check that it is on PATH, or, if it is a path, that it exists in {}{}", directory.display(), quotes_hint(program))]
    NotFound {
        /// The program.
        program: String,
        /// The working directory.
        directory: PathBuf,
    },
    /// The system could not start it.
    #[error("cannot start {program:?} in {}: {error}", directory.display())]
    Refused {
        /// The program.
        program: String,
        /// The working directory.
        directory: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// It failed.
    #[error("`{command}` {how}{}", quoted(.last_lines))]
    Failed {
        /// The command.
        command: String,
        /// How it ended: `exited with code 3`.
        how: String,
        /// The last lines of its output.
        last_lines: String,
    },
    /// It exceeded the time limit.
    #[error("`{command}` was stopped after {} s, the time limit (--timeout){}", after.as_secs(), quoted(.last_lines))]
    TimedOut {
        /// The command.
        command: String,
        /// The limit.
        after: Duration,
        /// The last lines of its output.
        last_lines: String,
    },
    /// It printed nothing for too long.
    #[error(
        "`{command}` was stopped because it printed nothing for {} minutes; if it needs longer, let it print its progress \
         (for benchmark runs, --timeout sets another limit){}", after.as_secs() / 60, quoted(.last_lines)
    )]
    Silent {
        /// The command.
        command: String,
        /// The time without output.
        after: Duration,
        /// The last lines of its output.
        last_lines: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Advice where a whole command line was quoted into one word.
fn quotes_hint(program: &str) -> String {
    match program.trim().split_once(char::is_whitespace) {
        Some(_) => format!("; the quotes make all of it one word: write `-- {}` without them", program.trim()),
        None => String::new(),
    }
}

fn quoted(lines: &str) -> String {
    if lines.is_empty() { "; it printed nothing".to_owned() } else { format!("; its last lines:\n{lines}") }
}

/// How a command ended.
struct End {
    status: io::Result<ExitStatus>,
    usage: Option<Usage>,
    wall: Duration,
}

impl Command {
    /// The command on one line, for messages.
    pub fn line(&self) -> String {
        self.words.join(" ")
    }

    /// Runs the command to its end. Anything but success is an error with its last lines.
    pub fn run(&self) -> Result<Finished, CommandError> {
        if interrupt::requested() {
            return Err(CommandError::Interrupted);
        }
        let (started, mut child, counters) = self.spawn()?;
        let leader = child.id();
        let long = self.scratch.as_ref().map(|scratch| scratch.join(format!("output-{leader}")));
        let stdout = child.stdout.take().map(|stream| Capture::start(stream, true, long)).transpose();
        let stderr = child.stderr.take().map(|stream| Capture::start(stream, false, None)).transpose();
        let group = ProcessGroup::of(&child).and_then(|group| Ok((group, stdout?, stderr?)));
        let (group, stdout, stderr) = match group {
            Ok(started) => started,
            Err(error) => {
                let _ = child.kill();
                let (program, directory) = (self.words.first().cloned().unwrap_or_default(), self.directory.clone());
                return Err(CommandError::Refused { program, directory, error });
            }
        };
        self.scratch.iter().for_each(|scratch| pid_file::write(scratch, leader));
        interrupt::started(leader);
        let (end, stopped) = self.wait(child, started, &group, [&stdout, &stderr]);
        interrupt::ended(leader);
        group.kill(); // leftover processes would disturb the next run
        self.scratch.iter().for_each(|scratch| pid_file::remove(scratch, leader));
        let deadline = Instant::now() + PIPES;
        let finish = |capture: Option<Capture>| capture.map(|capture| capture.finish(deadline)).unwrap_or_default();
        let (stdout, stderr) = (finish(stdout), finish(stderr));
        let mut last_lines = stderr.last_lines(LINES);
        if last_lines.is_empty() {
            last_lines = stdout.last_lines(LINES);
        }
        match stopped {
            Some(Stop::Interrupt) => return Err(CommandError::Interrupted),
            Some(Stop::Timeout(after)) => {
                return Err(CommandError::TimedOut { command: self.line(), after, last_lines });
            }
            Some(Stop::Silence(after)) => {
                return Err(CommandError::Silent { command: self.line(), after, last_lines });
            }
            None => {}
        }
        let how = match &end.status {
            Ok(status) if status.success() => {
                let counts = counters.read();
                return Ok(Finished { wall: end.wall, usage: end.usage, counts, stdout, last_lines });
            }
            Ok(status) => match status.code() {
                Some(code) => format!("exited with code {code}"),
                None => format!("was killed by a signal ({status})"),
            },
            Err(error) => format!("cannot be waited for ({error})"),
        };
        Err(CommandError::Failed { command: self.line(), how, last_lines })
    }

    fn spawn(&self) -> Result<(Instant, Child, Counters), CommandError> {
        let program = self.words.first().cloned().unwrap_or_default();
        let mut command = std::process::Command::new(resolve(&program, &self.directory));
        command.args(self.words.iter().skip(1)).current_dir(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // In a group of its own Ctrl-C does not reach it; perfgate stops it.
        #[cfg(windows)]
        std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NEW_PROCESS_GROUP);
        // On a new thread, because a child inherits the processors and counters of the thread that starts it.
        let processors = &self.processors;
        let spawned = thread::scope(|scope| {
            let spawn = thread::Builder::new().spawn_scoped(scope, move || {
                pin(processors)?;
                let counters = Counters::open();
                let started = Instant::now();
                command.spawn().map(|child| (started, child, counters))
            })?;
            spawn.join().unwrap_or_else(|_| Err(io::Error::other("the thread that starts it failed")))
        });
        spawned.map_err(|error| {
            let directory = self.directory.clone();
            if error.kind() == io::ErrorKind::NotFound && directory.is_dir() {
                CommandError::NotFound { program, directory }
            } else {
                CommandError::Refused { program, directory, error }
            }
        })
    }

    /// Waits for the end, or stops the command at the time limit or Ctrl-C.
    fn wait(
        &self,
        child: Child,
        started: Instant,
        group: &ProcessGroup,
        output: [&Option<Capture>; 2],
    ) -> (End, Option<Stop>) {
        let printed = || output.into_iter().flatten().map(Capture::length).sum::<u64>();
        let (mut length, mut since) = (0, started);
        let (send, receive) = mpsc::channel();
        // Where no thread can be started, the channel is closed, which the loop reports.
        let _ = thread::Builder::new().spawn(move || {
            let end = wait_for(child, started);
            let _ = send.send(end);
        });
        let mut stop: Option<(Stop, Instant)> = None;
        loop {
            match receive.recv_timeout(TICK) {
                Ok(end) => return (end, stop.map(|(stop, _)| stop)),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = Err(io::Error::other("the thread that waits for it failed"));
                    return (End { status, usage: None, wall: started.elapsed() }, stop.map(|(stop, _)| stop));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            match &stop {
                Some((_, since)) if since.elapsed() > GRACE => group.kill(),
                Some(_) => {}
                None => {
                    if printed() != length {
                        (length, since) = (printed(), Instant::now());
                    }
                    let late = match self.limit {
                        Limit::Total(limit) => (started.elapsed() > limit).then_some(Stop::Timeout(limit)),
                        Limit::Silence(limit) => (since.elapsed() > limit).then_some(Stop::Silence(limit)),
                    };
                    let why = if interrupt::requested() { Some(Stop::Interrupt) } else { late };
                    if let Some(why) = why {
                        group.terminate();
                        stop = Some((why, Instant::now()));
                    }
                }
            }
        }
    }
}

/// Why a command was stopped.
enum Stop {
    Timeout(Duration),
    Silence(Duration),
    Interrupt,
}

#[cfg(unix)]
fn wait_for(mut child: Child, started: Instant) -> End {
    use wait4::Wait4;
    loop {
        let waited = child.wait4();
        let wall = started.elapsed();
        match waited {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return End { status: Err(error), usage: None, wall },
            Ok(end) => {
                let usage = Usage { user: end.rusage.utime, system: end.rusage.stime, peak: end.rusage.maxrss };
                return End { status: Ok(end.status), usage: Some(usage), wall };
            }
        }
    }
}

#[cfg(windows)]
fn wait_for(mut child: Child, started: Instant) -> End {
    let status = child.wait();
    End { status, usage: None, wall: started.elapsed() }
}

/// A relative path of a program starts at the working directory, which not all systems do by themselves.
fn resolve(program: &str, directory: &Path) -> PathBuf {
    let path = Path::new(program);
    let named_by_path = path.components().count() > 1;
    if path.is_relative() && named_by_path { directory.join(path) } else { path.to_owned() }
}

/// Restricts this thread, and processes that it starts, to some processors.
#[cfg(target_os = "linux")]
fn pin(processors: &[usize]) -> io::Result<()> {
    if processors.is_empty() {
        return Ok(());
    }
    let mut set = nix::sched::CpuSet::new();
    let pinned = processors.iter().try_for_each(|processor| set.set(*processor));
    let pinned = pinned.and_then(|()| nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set));
    pinned.map_err(|error| io::Error::other(format!("cannot use the processors of --pin ({error})")))
}

#[cfg(not(target_os = "linux"))]
fn pin(processors: &[usize]) -> io::Result<()> {
    if processors.is_empty() { Ok(()) } else { Err(io::Error::other("--pin works on Linux only")) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Command {
        Command {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            directory: "/".into(),
            variables: vec![],
            limit: Limit::default(),
            processors: vec![],
            scratch: None,
        }
    }

    #[test]
    fn resource_usage_is_measured() {
        let spin = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done";
        let finished = command(&["sh", "-c", spin]).run().unwrap();
        let usage = finished.usage.unwrap();
        assert!(usage.user + usage.system > Duration::from_millis(1));
        assert!(usage.user + usage.system < finished.wall + Duration::from_millis(50));
        assert!(usage.peak > 100_000, "{usage:?}");
        assert_eq!(finished.stdout.whole.as_deref(), Some(&b"done\n"[..]));
    }

    #[test]
    fn a_failure_has_its_last_lines() {
        let error = command(&["sh", "-c", "echo out; echo why >&2; exit 7"]).run().unwrap_err().to_string();
        assert!(error.contains("exited with code 7") && error.contains("why"), "{error}");
        let error = command(&["/nowhere/at/all"]).run().unwrap_err();
        assert!(matches!(error, CommandError::NotFound { .. }), "{error}");
    }

    #[test]
    fn a_child_that_ignores_the_first_signal_is_killed_with_its_children() {
        let mut stubborn = command(&["sh", "-c", "trap '' TERM; sleep 60 & sleep 60"]);
        stubborn.limit = Limit::Total(Duration::from_millis(200));
        let started = Instant::now();
        let error = stubborn.run().unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }

    #[test]
    fn a_command_that_prints_nothing_is_stopped_and_one_that_prints_goes_on() {
        let children = "sleep 60 & echo begun; sleep 60";
        let mut silent = command(&["sh", "-c", children]);
        silent.limit = Limit::Silence(Duration::from_millis(800));
        let started = Instant::now();
        let error = silent.run().unwrap_err();
        assert!(matches!(error, CommandError::Silent { .. }), "{error}");
        assert!(error.to_string().contains("begun") && error.to_string().contains("--timeout"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(8));
        let mut printing = command(&["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep 0.2; done"]);
        printing.limit = silent.limit;
        assert!(printing.run().unwrap().wall > Duration::from_millis(800));
    }

    #[test]
    fn a_leftover_process_does_not_keep_the_run_open() {
        let started = Instant::now();
        command(&["sh", "-c", "sleep 60 & echo gone"]).run().unwrap();
        assert!(started.elapsed() < Duration::from_secs(4));
    }
}

#[cfg(test)]
#[cfg(windows)]
mod windows_tests {
    use super::*;

    fn command(directory: &Path, line: &str, timeout: u64) -> Command {
        Command {
            words: ["cmd", "/C", line].map(str::to_owned).to_vec(),
            directory: directory.to_owned(),
            variables: vec![],
            limit: Limit::Total(Duration::from_secs(timeout)),
            processors: vec![],
            scratch: None,
        }
    }

    /// A directory with `main.cmd`, which starts a process that appends to `alive` each second, and waits.
    fn directory(seconds: u64) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("loop.cmd", ":again\r\necho x>>alive\r\nping -n 2 127.0.0.1 >NUL\r\ngoto again\r\n");
        write("main.cmd", &format!("start /B cmd /C loop.cmd\r\nping -n {seconds} 127.0.0.1 >NUL\r\n"));
        directory
    }

    #[track_caller]
    fn assert_ended(directory: &Path) {
        let length = || std::fs::metadata(directory.join("alive")).unwrap().len();
        let before = length();
        thread::sleep(Duration::from_secs(3));
        assert_eq!(length(), before, "a process that the command started is alive");
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_the_processes_that_it_started() {
        let directory = directory(60);
        let started = Instant::now();
        let error = command(directory.path(), "main.cmd", 5).run().unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_ended(directory.path());
    }

    #[test]
    fn a_process_that_a_command_left_behind_is_killed_when_the_command_ends() {
        let directory = directory(4);
        command(directory.path(), "main.cmd", 60).run().unwrap();
        assert_ended(directory.path());
    }

    #[test]
    fn a_failure_has_its_exit_code_and_last_lines() {
        let here = std::env::temp_dir();
        let error = command(&here, "echo why>&2& exit 7", 60).run().unwrap_err().to_string();
        assert!(error.contains("code 7") && error.contains("why"), "{error}");
        let missing = Command { words: vec!["no-such-program".to_owned()], ..command(&here, "", 60) };
        assert!(matches!(missing.run(), Err(CommandError::NotFound { .. })));
    }
}
