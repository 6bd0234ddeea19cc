//! Runs a command of the user without a shell, in a process group of its own, with a time limit and resource usage. The
//! processes that it started in this group are killed at its end.

mod error;
#[cfg(test)]
mod tests;

pub use error::CommandError;

use super::capture::{Capture, CapturedOutput, PIPE_TIMEOUT};
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
const KILL_DELAY: Duration = Duration::from_secs(2);
/// A command without a time limit of its own is stopped after this time without output.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);
/// Maximum number of output lines in a message.
const MAX_MESSAGE_LINES: usize = 20;

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
        Limit::Silence(SILENCE_TIMEOUT)
    }
}

/// A command that succeeded.
#[derive(Debug)]
pub struct FinishedCommand {
    /// Wall-clock time.
    pub wall: Duration,
    /// Resource usage.
    pub usage: Option<Usage>,
    /// Hardware counts.
    pub counts: HardwareCounts,
    /// Standard output.
    pub stdout: CapturedOutput,
    /// Standard error.
    pub stderr: CapturedOutput,
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
    pub fn run(&self) -> Result<FinishedCommand, CommandError> {
        if interrupt::requested() {
            return Err(CommandError::Interrupted);
        }
        let (started, mut child, counters) = self.spawn()?;
        let leader = child.id();
        let long = |name| self.scratch.as_ref().map(|scratch| scratch.join(format!("{name}-{leader}")));
        let stdout = child.stdout.take().map(|stream| Capture::start(stream, long("output"))).transpose();
        let stderr = child.stderr.take().map(|stream| Capture::start(stream, long("errors"))).transpose();
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
        let deadline = Instant::now() + PIPE_TIMEOUT;
        let finish = |capture: Option<Capture>| capture.map(|capture| capture.finish(deadline)).unwrap_or_default();
        let (stdout, stderr) = (finish(stdout), finish(stderr));
        let mut last_lines = stderr.last_lines(MAX_MESSAGE_LINES);
        if last_lines.is_empty() {
            last_lines = stdout.last_lines(MAX_MESSAGE_LINES);
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
                return Ok(FinishedCommand { wall: end.wall, usage: end.usage, counts, stdout, stderr, last_lines });
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
        // Ctrl-C does not reach a process in its own group; perfgate stops it instead.
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
                Some((_, since)) if since.elapsed() > KILL_DELAY => group.kill(),
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

/// The processors that this process may use; `None` where they are unknown.
#[cfg(target_os = "linux")]
pub fn processors() -> Option<Vec<usize>> {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).ok()?;
    Some((0..nix::sched::CpuSet::count()).filter(|processor| set.is_set(*processor).unwrap_or(false)).collect())
}

/// The processors that this process may use; `None` where they are unknown.
#[cfg(not(target_os = "linux"))]
pub fn processors() -> Option<Vec<usize>> {
    None
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
    pinned.map_err(|_| io::Error::other("--pin: not all of these processors are available"))
}

#[cfg(not(target_os = "linux"))]
fn pin(processors: &[usize]) -> io::Result<()> {
    if processors.is_empty() { Ok(()) } else { Err(io::Error::other("--pin: this works on Linux only")) }
}
