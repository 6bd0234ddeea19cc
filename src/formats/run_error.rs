//! The lines in which a program, its language's runtime, the shell or a build tool reports that a run ended in an error.
//! They are the same in the output of all benchmark tools, so they are recognized here for all formats.

use super::text::numbered_lines;

/// The error that ended a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunError {
    /// Its line, from 1.
    pub line: u64,
    /// The printed message.
    pub why: String,
    /// Whether the tool reported that all benchmarks were done; then the error does not explain a missing one.
    pub is_after_completion: bool,
}

/// The progress of a run that a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The tool began.
    Begun,
    /// A result, or a failure of one benchmark.
    Result,
    /// All benchmarks were done.
    Completed,
}

/// The lines that show the progress of a run, in order. Of consecutive lines with the same meaning, only the last is kept.
#[derive(Debug, Default)]
pub(crate) struct ProgressLines(Vec<(u64, Progress)>);

impl ProgressLines {
    /// Adds a line, unless it is unknown or before the last one.
    pub fn add(&mut self, line: Option<u64>, progress: Progress) {
        let Some(line) = line else { return };
        match self.0.last_mut() {
            Some((last, _)) if *last > line => {}
            Some((last, known)) if *known == progress => *last = line,
            _ => self.0.push((line, progress)),
        }
    }

    /// True if no line was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the run at a line, or the last run before it, completed.
    fn is_completed_at(&self, line: u64) -> bool {
        let next = self.0.partition_point(|(at, _)| *at <= line);
        let is_completed_before = next.checked_sub(1).is_some_and(|at| self.0[at].1 == Progress::Completed);
        let mut later = self.0[next..].iter().filter(|(_, progress)| *progress != Progress::Result);
        is_completed_before || later.next().is_some_and(|(_, progress)| *progress == Progress::Completed)
    }

    /// Whether the run continued after a line.
    fn continues_after(&self, line: u64) -> bool {
        self.0.iter().any(|(at, progress)| *at >= line && *progress != Progress::Begun)
    }
}

/// The kind of error that a line reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunErrorKind {
    /// The run has ended.
    End,
    /// An exception that may have been caught: the run has ended if no result follows.
    Uncaught,
}

/// Beginnings of lines after which a run has ended.
const ENDS: &[&str] = &[
    // Rust and cargo.
    "error: bench failed",
    "error: test failed",
    "error: could not compile",
    "error: process didn't exit successfully",
    "fatal runtime error: ",
    // C and C++.
    "terminate called ",
    "libc++abi: ",
    "*** stack smashing detected ***",
    "double free or corruption",
    "free(): invalid ",
    "malloc(): ",
    "munmap_chunk(): ",
    "corrupted size vs. prev_size",
    "Assertion failed: ",
    // Other languages.
    "Fatal Python error: ",
    "FATAL ERROR: ",
    "error: Uncaught",
    "error: (in promise)",
    "Exception in thread \"main\"",
    "# A fatal error has been detected by the Java Runtime Environment",
    "Unhandled exception",
    "ERROR: LoadError: ",
    // Load generators: wrk's scripts, ab, h2load. Lines of pgbench may be errors of a client or ones that it ignores.
    "PANIC: unprotected error in call to Lua API",
    "apr_socket_recv: ",
    "apr_socket_connect(): ",
    "apr_pollset_poll: ",
    "apr_sockaddr_info_get() for ",
    "[ERROR] Could not connect to ",
    "Run was aborted",
    // Build tools and CI.
    "BUILD FAILED",
    "[INFO] BUILD FAILURE",
    "FAILURE: Build failed with an exception",
    "npm ERR! ",
    "npm error ",
    "error Command failed with exit code",
    "ninja: build stopped",
    "timeout: the monitored command",
    "##[error]The operation was canceled",
    "##[error]The action ",
];

/// Why a connection could not be made, as the system prints it.
const REFUSALS: [&str; 6] = [
    "Connection refused",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
    "Name or service not known",
    "Temporary failure in name resolution",
];

/// Signals as shells print them. `Terminated` is not listed, because scripts stop their own servers with that signal.
const SIGNALS: &[&str] = &[
    "segmentation fault",
    "aborted",
    "abort",
    "abort trap",
    "killed",
    "illegal instruction",
    "illegal hardware instruction",
    "bus error",
    "floating point exception",
    "trace/breakpoint trap",
];

/// The error that ended the run whose output is `text`. If the lines of the results are unknown, an exception may come before them.
pub(crate) fn run_error(text: &str, progress: &ProgressLines, has_results: bool) -> Option<RunError> {
    let mut lines = numbered_lines(text).peekable();
    let mut uncaught: Option<RunError> = None;
    let mut ended: Option<RunError> = None;
    let mut previous = "";
    let mut in_stack = false;
    while let Some((number, line)) = lines.next() {
        let next = lines.peek().map_or("", |(_, next)| next);
        let is_after_completion = || progress.is_completed_at(number);
        match (run_error_kind(line, previous), &mut ended) {
            (Some(RunErrorKind::End), Some(ended)) => ended.is_after_completion &= is_after_completion(),
            (Some(RunErrorKind::End), ended) => {
                // An exception above it is the cause.
                let why = uncaught.take().map_or_else(|| with_detail(line, next), |cause| cause.why);
                *ended = Some(RunError { line: number, why, is_after_completion: is_after_completion() });
            }
            (Some(RunErrorKind::Uncaught), _) => {
                in_stack = line.starts_with("Traceback ");
                let why = with_detail(line, next);
                uncaught = Some(RunError { line: number, why, is_after_completion: is_after_completion() });
            }
            // Python's exception follows its stack, which is indented.
            (None, _) if in_stack && !line.starts_with(' ') => {
                in_stack = false;
                uncaught = uncaught.map(|error| RunError { why: line.trim().to_owned(), ..error });
            }
            (None, _) => {}
        }
        previous = line;
    }
    let is_end = |error: &RunError| {
        if progress.is_empty() { !has_results } else { !progress.continues_after(error.line) }
    };
    ended.or_else(|| uncaught.filter(is_end))
}

/// The message of a line whose second part is on the next one, as in Rust's panics and C++'s exceptions.
fn with_detail(line: &str, next: &str) -> String {
    let line = line.trim();
    match next.trim().strip_prefix("what():") {
        Some(what) => format!("{line}: {}", what.trim()),
        None if line.starts_with("thread '") && line.ends_with(':') => format!("{line} {}", next.trim()),
        None => line.to_owned(),
    }
}

fn run_error_kind(line: &str, previous: &str) -> Option<RunErrorKind> {
    // Most lines of results and of JSON are rejected here.
    let first = line.bytes().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, b'#' | b'*' | b'=' | b'[' | b'.' | b'/')) {
        return None;
    }
    if line.starts_with("thread '") {
        return if line.contains(" panicked at ") {
            Some(RunErrorKind::Uncaught)
        } else {
            line.contains("has overflowed its stack").then_some(RunErrorKind::End)
        };
    }
    if line.starts_with("Traceback (most recent call last)") {
        // Python prints exceptions of destructors and continues.
        return (!previous.starts_with("Exception ignored ")).then_some(RunErrorKind::Uncaught);
    }
    // These versions end the report of an uncaught exception, and some suites print them at the beginning.
    if line.starts_with("Node.js v") || line.starts_with("Bun v") {
        return Some(RunErrorKind::Uncaught);
    }
    let ends = || ENDS.iter().any(|start| line.starts_with(start));
    (ends() || is_end_of_tool(line) || is_signal(line)).then_some(RunErrorKind::End)
}

/// Whether a line reports the end of a run, in forms that have no fixed beginning.
fn is_end_of_tool(line: &str) -> bool {
    let line = line.trim_end();
    let is_cargo =
        line.starts_with("error: ") && (line.ends_with("target failed:") || line.ends_with("targets failed:"));
    let is_memory = line.starts_with("memory allocation of ") && line.ends_with(" failed");
    let is_make = line.starts_with("make") && line.contains(": *** ");
    let is_assertion = line.contains(": Assertion `") && line.ends_with("' failed.");
    let is_checker = line.starts_with("==")
        && (line.contains("==ERROR: ") || line.contains("Process terminating with default action of signal"));
    // wrk prints the system's message after the address.
    let is_wrk = ["unable to connect to ", "unable to resolve "].iter().any(|start| line.starts_with(start))
        && REFUSALS.iter().any(|why| line.ends_with(why));
    is_cargo || is_memory || is_make || is_assertion || is_checker || is_wrk
}

/// Whether a line is the signal that ended a program, as a shell prints it: `Aborted (core dumped)`,
/// `run.sh: line 3: 4242 Segmentation fault      (core dumped) ./bench`, `zsh: abort      ./bench`.
fn is_signal(line: &str) -> bool {
    let line = line.trim_end();
    let of_zsh = line.strip_prefix("zsh: ");
    let of_script = line.split_once(": line ").and_then(|(_, rest)| rest.split_once(": "));
    let of_script = of_script.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let (is_marked, text) = match (of_zsh, of_script) {
        (Some(text), _) => (true, text),
        (None, Some((_, text))) => (true, text.trim_start().trim_start_matches(|c: char| c.is_ascii_digit())),
        (None, None) => (false, line),
    };
    let text = text.trim_start();
    // Only zsh prints signals in lower case.
    if !is_marked && !text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    SIGNALS.iter().filter_map(|signal| text.strip_prefix(signal)).any(|rest| {
        // macOS prints the number of the signal.
        let is_number = rest.strip_prefix(": ").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        rest.is_empty()
            || rest.trim_start().starts_with("(core dumped)")
            || is_number
            || is_marked && rest.starts_with(' ')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> Option<String> {
        run_error(text, &ProgressLines::default(), false).map(|error| error.why)
    }

    #[test]
    fn the_end_of_a_crashed_program_is_recognized() {
        for line in [
            "error: bench failed, to rerun pass `--bench b`",
            "error: 2 targets failed:",
            "thread 'main' has overflowed its stack",
            "memory allocation of 800000000000 bytes failed",
            "Aborted (core dumped)",
            "Aborted",
            "Segmentation fault: 11",
            "Abort trap: 6",
            "./bench.sh: line 1:  1942 Segmentation fault      (core dumped) ./bench",
            "run.sh: line 3: 4242 Killed                  ./bench",
            "zsh: segmentation fault (core dumped)  ./bench",
            "zsh: abort      ./bench",
            "bench: b.cpp:12: int main(): Assertion `n > 0' failed.",
            "==4242==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011",
            "make: *** [Makefile:3: bench] Error 1",
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space",
            "##[error]The operation was canceled.",
            "unable to connect to 127.0.0.1:1 Connection refused",
            "apr_socket_recv: Connection refused (111)",
        ] {
            assert_eq!(why(&format!("a 1 ns\n{line}\n")).as_deref(), Some(line));
        }
    }

    #[test]
    fn other_lines_are_not_errors() {
        for line in [
            "killed 3 of 4 processes",
            "run.sh: line 5: 4242 Terminated              ./server",
            "Terminated",
            "abort/retry    12 ns",
            "aborted: 3",
            "error: 3 requests",
            "makespan: *2",
            "    Aborted (core dumped)",
            "test result: ok. 0 passed; 0 failed",
            "Benchmark 3: Aborted",
            "{\"error\": \"Aborted\"}",
        ] {
            assert_eq!(why(line), None, "{line}");
        }
    }

    #[test]
    fn the_exception_above_the_end_is_the_reason() {
        let panic = "thread 'main' (4242) panicked at benches/b.rs:3:1:\nboom\nerror: bench failed\n";
        assert_eq!(why(panic).as_deref(), Some("thread 'main' (4242) panicked at benches/b.rs:3:1: boom"));
        let old = "thread 'main' panicked at 'explicit panic', b.rs:3:1\nnote: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(why(old).as_deref(), Some("thread 'main' panicked at 'explicit panic', b.rs:3:1"));
        let cpp = "terminate called after throwing an instance of 'E'\n  what():  no file\nAborted (core dumped)\n";
        assert_eq!(why(cpp).as_deref(), Some("terminate called after throwing an instance of 'E': no file"));
        let python = "Traceback (most recent call last):\n  File \"b.py\", line 3, in f\n    g()\nKeyError: 'a'\n";
        assert_eq!(why(python).as_deref(), Some("KeyError: 'a'"));
    }

    #[test]
    fn an_exception_before_a_result_does_not_end_the_run() {
        let at = |line| ProgressLines(vec![(line, Progress::Result)]);
        let text = "thread 'a' panicked at b.rs:3:1:\nboom\na 1 ns\n";
        assert_eq!(run_error(text, &at(3), true), None);
        assert!(run_error(text, &ProgressLines::default(), false).is_some());
        let failed = format!("{text}error: bench failed\n");
        assert_eq!(run_error(&failed, &at(3), true).map(|error| error.line), Some(4));
        assert_eq!(run_error("Node.js v22.4.0\na 1 ns\n", &at(2), true), None);
        assert!(run_error("a 1 ns\n\nNode.js v22.4.0\n", &at(1), true).is_some());
        assert_eq!(why("Exception ignored in: <f>\nTraceback (most recent call last):\nKeyError\n"), None);
    }

    #[test]
    fn an_error_of_a_completed_run_is_not_the_reason_for_a_missing_result() {
        let lines = |lines: &[Progress]| ProgressLines((1..).zip(lines.iter().copied()).collect());
        use Progress::{Begun, Completed, Result};
        let text = "begin\na 1 ns\ndone\nKilled\n";
        let is_after = |text, lines| run_error(text, &lines, true).map(|error| error.is_after_completion);
        assert_eq!(is_after(text, lines(&[Begun, Result, Completed])), Some(true));
        assert_eq!(is_after(text, lines(&[Begun, Completed, Result])), Some(false));
        // Another run began.
        assert_eq!(is_after("a 1 ns\ndone\nbegin\nKilled\n", lines(&[Result, Completed, Begun])), Some(false));
        assert_eq!(is_after("begin\nKilled\nbegin\ndone\n", lines(&[Begun, Begun, Begun, Completed])), Some(false));
        // A panic of one of its tests, and one after its end.
        let panic = "begin\na 1 ns\nthread 'main' panicked at b.rs:3:1:\ndone\n";
        assert_eq!(is_after(panic, ProgressLines(vec![(1, Begun), (2, Result), (4, Completed)])), None);
        let panic = "a 1 ns\ndone\nthread 'main' panicked at b.rs:3:1:\n";
        assert_eq!(is_after(panic, lines(&[Result, Completed])), Some(true));
    }
}
