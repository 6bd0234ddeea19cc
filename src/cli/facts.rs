//! Facts that a saved comparison stores next to the numbers: git's, the tools' own reports, and `[template]`.

use super::output;
use crate::gate::Config;
use crate::io::repository::{Repository, RepositoryError};
use crate::model::{Commit, Facts, ToolReports};
use crate::render::escape;
use crate::verdict::{Report, SideReport};
use std::collections::BTreeSet;
use std::path::Path;

/// All facts. If git fails, the change is left out, with a warning.
fn gather(config: &Config, base: ToolReports, head: ToolReports, reproduce: Option<String>) -> Facts {
    let change = match Repository::discover(Path::new(".")).and_then(|repository| repository.change()) {
        Ok(change) => Some(change),
        Err(RepositoryError::None { .. }) => None,
        Err(error) => {
            output::warn(&format!("the report does not describe the change in git: {error}"));
            None
        }
    };
    let day = Some(jiff::Zoned::now().date().to_string());
    Facts { change, fields: config.policy.fields().clone(), base, head, day, reproduce }
}

/// Adds git's facts, the team's fields and the command line to what the tools of both sides reported.
pub fn complete_compared(config: &Config, report: &mut Report) {
    let Some(facts) = report.facts.take() else { return };
    let line = compare_line(&report.base, &report.head, &facts.head.tools);
    report.facts = Some(gather(config, facts.base, facts.head, line));
}

/// Facts of a report that was measured here by a command.
pub fn of_measured(config: &Config, report: &Report, command: &[String]) -> Facts {
    let tools: BTreeSet<&str> = report.benchmarks.iter().map(|finding| &*finding.tool).collect();
    let tools: Vec<String> = tools.into_iter().map(str::to_owned).collect();
    let line = report.base.commit.as_ref().map(|base| measure_line(base, command));
    let side = |side: &SideReport| {
        let (tools, environment) = (tools.clone(), side.environment.clone());
        ToolReports { tools, environment, ..ToolReports::default() }
    };
    gather(config, side(&report.base), side(&report.head), line)
}

/// The command line that repeats a comparison. For stored runs of a tool with a known command, it measures both sides in
/// turn; otherwise it is what the user ran.
fn compare_line(base: &SideReport, head: &SideReport, tools: &[String]) -> Option<String> {
    let stored = base.commit.as_ref().filter(|_| !base.commits.is_empty());
    match stored {
        Some(commit) if tools.iter().any(|tool| CARGO_BENCH.contains(&tool.as_str())) => {
            Some(measure_line(commit, &["cargo".to_owned(), "bench".to_owned()]))
        }
        // Runs of several commits are the baseline of a merge base.
        Some(commit) => {
            let base = if base.commits.len() > 1 { String::new() } else { format!(" --base {}", commit.short()) };
            let head = if head.runs == 1 { format!(" --head {}", escape::shell(&head.label)) } else { String::new() };
            Some(format!("perfgate runs pull && perfgate compare{base}{head}"))
        }
        // The label of one path is the path.
        None if base.runs == 1 && head.runs == 1 && base.label != "-" && head.label != "-" => {
            Some(format!("perfgate compare {} {}", escape::shell(&base.label), escape::shell(&head.label)))
        }
        None => None,
    }
}

/// Tools that `cargo bench` runs.
const CARGO_BENCH: [&str; 6] = ["criterion", "cargo-criterion", "divan", "bencher", "gungraun", "iai-callgrind"];

fn measure_line(base: &Commit, command: &[String]) -> String {
    let command: Vec<String> = command.iter().map(|word| escape::shell(word)).collect();
    format!("perfgate measure --base {} -- {}", base.short(), command.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> Commit {
        Commit::parse(&"0123456789".repeat(4)).unwrap()
    }

    #[test]
    fn stored_runs_are_fetched_before_they_are_compared_with() {
        let side = |label: &str, commits: usize| SideReport {
            label: label.to_owned(),
            runs: commits.max(1),
            commit: Some(commit()),
            commits: vec![commit(); commits],
            ..SideReport::default()
        };
        let line = |base: &SideReport, tool: &str| compare_line(base, &side("a b.json", 0), &[tool.to_owned()]);
        let (one, two) = (side("v1", 1), side("the merge base", 2));
        let pulled = "perfgate runs pull && perfgate compare";
        assert_eq!(line(&one, "hyperfine").unwrap(), format!("{pulled} --base 0123456789 --head 'a b.json'"));
        assert_eq!(line(&two, "hyperfine").unwrap(), format!("{pulled} --head 'a b.json'"));
        assert_eq!(line(&two, "criterion").unwrap(), "perfgate measure --base 0123456789 -- cargo bench");
        assert_eq!(line(&side("old", 0), "criterion").unwrap(), "perfgate compare old 'a b.json'");
    }

    #[test]
    fn a_command_line_keeps_its_words() {
        let command = ["cargo", "bench", "--", "a b", "$(x)"].map(str::to_owned);
        let line = measure_line(&commit(), &command);
        assert_eq!(line, "perfgate measure --base 0123456789 -- cargo bench -- 'a b' '$(x)'");
    }
}
