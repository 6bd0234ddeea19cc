//! All processes that a command started, to end them together: a process group on Unix, a job object on Windows.

use std::io;
use std::process::Child;

/// A process group, by the id of its first process.
#[cfg(unix)]
pub struct ProcessGroup {
    leader: u32,
}

#[cfg(unix)]
impl ProcessGroup {
    /// The processes of a command that was started in a group of its own.
    pub fn of(child: &Child) -> io::Result<Self> {
        Ok(ProcessGroup { leader: child.id() })
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// Ends all of them.
    pub fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Ok(leader) = i32::try_from(self.leader) {
            // Fails if no process is left.
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), signal);
        }
    }
}

/// The processes that a command started: a job object. Windows ends them when the job is closed, also when perfgate itself
/// is killed. A process that the command starts before it is assigned to the job would escape; starting one takes longer.
#[cfg(windows)]
pub struct ProcessGroup {
    job: std::cell::Cell<Option<win32job::Job>>,
}

#[cfg(windows)]
impl ProcessGroup {
    /// The processes of a command that was started in a group of its own.
    pub fn of(child: &Child) -> io::Result<Self> {
        use std::os::windows::io::AsRawHandle;
        let mut limits = win32job::ExtendedLimitInfo::new();
        limits.limit_kill_on_job_close();
        let job = win32job::Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
        match job.assign_process(child.as_raw_handle() as isize) {
            // A process that has ended already cannot be assigned, and need not be.
            Ok(()) | Err(win32job::JobError::AssignFailed(_)) => Ok(ProcessGroup { job: Some(job).into() }),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Windows has no signal that requests an end.
    pub fn terminate(&self) {
        self.kill();
    }

    /// Ends all of them.
    pub fn kill(&self) {
        drop(self.job.take());
    }
}
