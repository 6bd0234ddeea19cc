//! Reads the output of `go test` line by line: facts, results, failures, and whether it is complete.

use super::super::builder::ReadingBuilder;
use super::super::{Source, machine, text};
use super::failure::{Failure, LogEnd};
use super::line::{FileProperties, Line, is_cut_unit, is_result, joined_lines};
use super::read_line;
use crate::model::{Diagnostic, EndScope, Environment};
use std::collections::BTreeMap;

/// Reads a text, or the joined output of a package, whose line numbers are not those of the file.
pub(super) fn read_text(
    builder: &mut ReadingBuilder<'_>,
    source: Source<'_>,
    package: Option<&str>,
    properties: &FileProperties,
) -> Result<(), Diagnostic> {
    let text = text::decode(source)?;
    let lines = joined_lines(&text);
    let mut log = Log {
        builder,
        properties,
        package: package.unwrap_or_default().to_owned(),
        is_file: package.is_none(),
        names_packages: package.is_some() || text.lines().any(|line| line.starts_with("pkg: ")),
        is_cut: package.is_none() && is_cut(&text),
        panic: None,
        has_failed: false,
        build_errors: BTreeMap::new(),
        end: LogEnd::default(),
    };
    for (index, (at, line)) in lines.iter().enumerate() {
        log.builder.line = log.is_file.then_some(*at);
        log.read(line, lines.get(index + 1).map(|(_, next)| &**next));
    }
    log.finish();
    Ok(())
}

/// True for the output of `go test` as it was printed, with its header, if it ends within a line. A list of selected results has no
/// header.
fn is_cut(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('\n') && text.lines().any(|line| line.starts_with("goos: "))
}

/// The output, read so far.
struct Log<'b, 's, 't> {
    builder: &'b mut ReadingBuilder<'s>,
    properties: &'b FileProperties,
    package: String,
    is_file: bool,
    /// Whether the names of benchmarks begin with their package.
    names_packages: bool,
    /// Whether the text ends within a line.
    is_cut: bool,
    /// The last panic that has not been recovered.
    panic: Option<&'t str>,
    /// Whether a benchmark of the package is reported as failed.
    has_failed: bool,
    /// The compiler's first message about each package.
    build_errors: BTreeMap<&'t str, &'t str>,
    end: LogEnd<'t>,
}

impl<'t> Log<'_, '_, 't> {
    /// Reads a line; `next` is the one after it.
    fn read(&mut self, line: &'t str, next: Option<&'t str>) {
        self.end.read(line);
        if let Some(package) = line.strip_prefix("# ").and_then(|rest| rest.split_ascii_whitespace().next()) {
            self.build_errors.insert(package, next.unwrap_or_default());
        }
        if let Some(failure) = Failure::of(line) {
            self.read_failure(failure, next);
        }
        self.read_fact(line);
        if is_result(line) {
            let message = format!("`{}` is a result without a benchmark's name; skipped", line.trim());
            self.builder.warn("unreadable-line", message);
        }
        let Some(mut line) = Line::of(line) else { return };
        if line.is_complete() {
            self.panic = None; // it was recovered
        }
        let name = self.full_name(line.name);
        if self.is_cut
            && next.is_none()
            && line.pairs.len() > 1
            && line.pairs.last().is_some_and(|last| is_cut_unit(last.1))
        {
            let unit = line.pairs.pop().map_or("", |(_, unit)| unit);
            let message =
                format!("`{name}`: the output ends within the line, so `{unit}` is not a unit; value skipped");
            self.builder.warn("unreadable-line", message);
        }
        read_line(self.builder, &name, &line, self.properties);
    }

    /// The name of a benchmark with its package.
    fn full_name(&self, name: &str) -> String {
        self.properties.full_name(&self.package, name)
    }

    fn read_failure(&mut self, failure: Failure<'t>, next: Option<&'t str>) {
        match failure {
            Failure::Benchmark(name) => {
                let log = next.filter(|next| next.starts_with("    ")).unwrap_or_default();
                self.builder.fail(&self.full_name(name), log);
                self.has_failed = true;
                // The benchmark that runs it may have ended too.
                if let Some((parent, _)) = name.split_once('/') {
                    let scope = EndScope::Below(format!("{}/", self.full_name(parent)));
                    self.builder.record_early_end(scope, &format!("{name} failed"));
                }
            }
            Failure::Running { name, why } => {
                self.builder.fail(&self.full_name(name), why);
                self.panic = Some(why);
            }
            Failure::Skipped(name) => self.builder.skip(&self.full_name(name)),
            Failure::Panic(why) => self.panic = Some(why),
            Failure::Package(failed) => {
                let why = self.panic.take();
                let scope = match why {
                    // A benchmark that failed does not prevent the others.
                    None if self.has_failed => EndScope::Nothing,
                    _ if self.names_packages => EndScope::Prefix(format!("{failed}/")),
                    _ => EndScope::Suite,
                };
                self.has_failed = false;
                self.builder.end_early(scope, why.unwrap_or("`go test` ended with FAIL"));
            }
            Failure::Build(failed) => {
                let why = self.build_errors.get(failed).map_or_else(String::new, |error| format!(": {error}"));
                let scope = EndScope::Prefix(format!("{failed}/"));
                self.builder.end_early(scope, &format!("{failed} failed to build{why}"));
            }
        }
    }

    fn read_fact(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(": ") else { return };
        match key {
            "pkg" => value.trim().clone_into(&mut self.package),
            "cpu" => self.builder.environment().set(Environment::CPU, value.trim()),
            "goos" => machine::set_os(self.builder.environment(), value.trim()),
            "goarch" => machine::set_arch(self.builder.environment(), value.trim()),
            _ => {}
        }
    }

    /// Reports an incomplete output.
    fn finish(self) {
        let must_have_footer = !self.is_file || self.is_cut;
        let Some(unfinished) = self.end.unfinished(must_have_footer).or(self.panic.and(Some(""))) else { return };
        if !unfinished.is_empty() {
            self.builder.fail(&self.full_name(unfinished), "the output ends before its result");
        }
        let scope = match self.package.as_str() {
            "" => EndScope::Suite,
            package => EndScope::Prefix(format!("{package}/")),
        };
        self.builder.end_early(scope, self.panic.unwrap_or("the output is incomplete"));
    }
}
