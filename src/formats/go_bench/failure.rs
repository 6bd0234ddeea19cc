//! The lines in which `go test` reports that a benchmark, or the whole run of a package, failed.

use super::line::Line;

/// A line that reports a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure<'a> {
    /// `--- FAIL: BenchmarkX`; its log follows, indented.
    Benchmark(&'a str),
    /// `--- SKIP: BenchmarkX`, which is not a failure.
    Skipped(&'a str),
    /// `BenchmarkX-8   panic: ...`: the benchmark that was running when the process ended.
    Running { name: &'a str, why: &'a str },
    /// `panic: ...` on a line of its own.
    Panic(&'a str),
    /// `FAIL    example.org/package   3.1s`
    Package(&'a str),
    /// `FAIL    example.org/package [build failed]`
    Build(&'a str),
}

impl<'a> Failure<'a> {
    pub(super) fn of(line: &'a str) -> Option<Failure<'a>> {
        if let Some(result) = line.trim_start().strip_prefix("--- ") {
            let (is_failure, name) = match result.strip_prefix("FAIL: ") {
                Some(name) => (true, name),
                None => (false, result.strip_prefix("SKIP: ")?),
            };
            let name = name.split_ascii_whitespace().next().filter(|name| name.starts_with("Benchmark"))?;
            return Some(if is_failure { Failure::Benchmark(name) } else { Failure::Skipped(name) });
        }
        if line.starts_with("panic: ") {
            return Some(Failure::Panic(line));
        }
        if let Some(rest) = line.strip_prefix("FAIL\t") {
            let package = rest.split_ascii_whitespace().next().unwrap_or_default();
            let is_build = ["[build failed]", "[setup failed]"].iter().any(|end| rest.trim_end().ends_with(end));
            return Some(if is_build { Failure::Build(package) } else { Failure::Package(package) });
        }
        let (name, rest) = line.split_once([' ', '\t'])?;
        let why = rest.trim_start();
        (name.starts_with("Benchmark") && why.starts_with("panic: ")).then_some(Failure::Running { name, why })
    }
}

/// Whether a log is complete: it ends with `PASS`, `FAIL` or `ok`.
#[derive(Debug, Default)]
pub(super) struct LogEnd<'a> {
    /// The benchmark that was started last, if it has no result.
    started: Option<&'a str>,
    /// Whether results follow the last `PASS` or `FAIL`.
    is_open: bool,
    has_footer: bool,
}

impl<'a> LogEnd<'a> {
    pub(super) fn read(&mut self, line: &'a str) {
        let is_footer =
            matches!(line.trim_end(), "PASS" | "FAIL") || line.starts_with("FAIL\t") || line.starts_with("ok  \t");
        let is_reported = || {
            matches!(Failure::of(line), Some(Failure::Benchmark(_) | Failure::Running { .. } | Failure::Skipped(_)))
                || line.contains("\t--- FAIL: Benchmark")
        };
        if is_footer {
            *self = LogEnd { has_footer: true, ..LogEnd::default() };
        } else if is_reported() {
            // It is reported with its own reason.
            (self.started, self.is_open) = (None, true);
        } else if Line::of(line).is_some_and(|line| line.is_complete()) {
            (self.started, self.is_open) = (None, true);
        } else if let Some(name) = started(line) {
            (self.started, self.is_open) = (Some(name), true);
        }
    }

    /// If the log is incomplete: the benchmark without a result, or an empty text. A file without any `PASS` or `FAIL` may have
    /// been filtered, so missing last lines alone do not make it incomplete, unless it `must_have_footer`.
    pub(super) fn unfinished(&self, must_have_footer: bool) -> Option<&'a str> {
        let is_cut = self.is_open && (self.has_footer || must_have_footer);
        self.started.or(is_cut.then_some(""))
    }
}

/// The name of a benchmark at the beginning of a line that does not contain its whole result, or in `=== RUN   BenchmarkX`, which
/// `-v` prints.
fn started(line: &str) -> Option<&str> {
    let line = line.strip_prefix("=== RUN").map_or(line, str::trim_start);
    let name = line.split([' ', '\t']).next()?;
    let rest = name.strip_prefix("Benchmark")?;
    let is_named = rest.starts_with(|c: char| c.is_alphanumeric() && !c.is_lowercase() || c == '_');
    // A function may be called `Benchmark`, like the first word of prose.
    let is_bare = (rest.is_empty() || rest.starts_with('-')) && line.contains('\t');
    (is_named || is_bare).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_log_is_recognized() {
        let end = |log: &'static str, must_have_footer| {
            let mut end = LogEnd::default();
            log.lines().for_each(|line| end.read(line));
            end.unfinished(must_have_footer)
        };
        let result = "BenchmarkA-8  \t 100\t 5 ns/op\n";
        let closed = format!("{result}PASS\nok  \te.org/p\t3.1s\n");
        let whole: &'static str = String::leak(closed);
        assert_eq!(end(whole, false), None);
        assert_eq!(end(result, false), None, "the lines may have been filtered");
        assert_eq!(end(result, true), Some(""));
        assert_eq!(end("BenchmarkA-8  \t", false), Some("BenchmarkA-8"));
        assert_eq!(end("BenchmarkA-8  \t 100\t", false), Some("BenchmarkA-8"));
        assert_eq!(end("BenchmarkA-8  \tloading\ncache", false), Some("BenchmarkA-8"));
        assert_eq!(end(String::leak(format!("{whole}{result}")), false), Some(""));
        assert_eq!(end("=== RUN   BenchmarkA\n", false), Some("BenchmarkA"));
        assert_eq!(end("=== RUN   BenchmarkA\nBenchmarkA\nBenchmarkA-8  \t 100\t 5 ns/op\n", false), None);
        assert_eq!(end("=== RUN   BenchmarkA\nBenchmarkA\n--- SKIP: BenchmarkA\n", false), None);
        assert_eq!(end("=== RUN   TestA\n--- PASS: TestA (0.00s)\n", false), None);
        for prose in ["Benchmarks of all packages\n", "Benchmark: done\n", "Benchmark done\n"] {
            assert_eq!(end(prose, false), None, "{prose}");
        }
        for prose in ["PASSED 3 checks", "FAILED to connect"] {
            assert_eq!(end(String::leak(format!("BenchmarkA-8  \t\n{prose}\n")), false), Some("BenchmarkA-8"));
        }
        for failed in ["BenchmarkD-8  \tpanic: oh\n", "BenchmarkD-8  \t--- FAIL: BenchmarkD-8\n"] {
            assert_eq!(end(failed, false), None, "it has a reason of its own");
        }
    }

    #[test]
    fn lines_of_failures_are_distinguished_from_others() {
        let expected = [
            ("--- FAIL: BenchmarkD", Some(Failure::Benchmark("BenchmarkD"))),
            ("    --- FAIL: BenchmarkD/n=1-8 (0.1s)", Some(Failure::Benchmark("BenchmarkD/n=1-8"))),
            ("--- FAIL: TestX (0.00s)", None),
            ("BenchmarkD-8  \tpanic: oh", Some(Failure::Running { name: "BenchmarkD-8", why: "panic: oh" })),
            ("panic: test timed out after 1s", Some(Failure::Panic("panic: test timed out after 1s"))),
            ("FAIL\te.org/p\t3.1s", Some(Failure::Package("e.org/p"))),
            ("FAIL\te.org/p [build failed]", Some(Failure::Build("e.org/p"))),
            ("--- SKIP: BenchmarkD", Some(Failure::Skipped("BenchmarkD"))),
            ("--- SKIP: TestX (0.00s)", None),
            ("--- BENCH: BenchmarkD-8", None),
            ("FAIL", None),
            ("BenchmarkD-8  \t 100\t 5 ns/op", None),
            ("ok  \te.org/p\t3.1s", None),
        ];
        for (line, failure) in expected {
            assert_eq!(Failure::of(line), failure, "{line}");
        }
    }
}
