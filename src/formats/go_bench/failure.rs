//! The lines in which `go test` reports that a benchmark, or the whole run of a package, failed.

/// A line that reports a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure<'a> {
    /// `--- FAIL: BenchmarkX`; its log follows, indented.
    Benchmark(&'a str),
    /// `BenchmarkX-8   panic: ...`: the benchmark that was running when the process ended.
    Running { name: &'a str, why: &'a str },
    /// `panic: ...` on a line of its own.
    Panic(&'a str),
    /// `FAIL    example.org/package   3.1s`
    Package(&'a str),
}

impl<'a> Failure<'a> {
    pub(super) fn of(line: &'a str) -> Option<Failure<'a>> {
        if let Some(name) = line.trim_start().strip_prefix("--- FAIL: ") {
            let name = name.split_ascii_whitespace().next().filter(|name| name.starts_with("Benchmark"))?;
            return Some(Failure::Benchmark(name));
        }
        if line.starts_with("panic: ") {
            return Some(Failure::Panic(line));
        }
        if let Some(rest) = line.strip_prefix("FAIL\t") {
            return Some(Failure::Package(rest.split_ascii_whitespace().next().unwrap_or_default()));
        }
        let (name, rest) = line.split_once([' ', '\t'])?;
        let why = rest.trim_start();
        (name.starts_with("Benchmark") && why.starts_with("panic: ")).then_some(Failure::Running { name, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_failures_are_distinguished_from_others() {
        let expected = [
            ("--- FAIL: BenchmarkD", Some(Failure::Benchmark("BenchmarkD"))),
            ("    --- FAIL: BenchmarkD/n=1-8 (0.1s)", Some(Failure::Benchmark("BenchmarkD/n=1-8"))),
            ("--- FAIL: TestX (0.00s)", None),
            ("BenchmarkD-8  \tpanic: oh", Some(Failure::Running { name: "BenchmarkD-8", why: "panic: oh" })),
            ("panic: test timed out after 1s", Some(Failure::Panic("panic: test timed out after 1s"))),
            ("FAIL\te.org/p\t3.1s", Some(Failure::Package("e.org/p"))),
            ("FAIL\te.org/p [build failed]", Some(Failure::Package("e.org/p"))),
            ("FAIL", None),
            ("BenchmarkD-8  \t 100\t 5 ns/op", None),
            ("ok  \te.org/p\t3.1s", None),
        ];
        for (line, failure) in expected {
            assert_eq!(Failure::of(line), failure, "{line}");
        }
    }
}
