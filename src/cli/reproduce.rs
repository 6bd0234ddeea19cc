//! The command line that repeats a measurement or a comparison, with every option that changes what is measured.

use crate::gate::{BenchCommand, Gate, MeasurePlan};
use crate::model::{Commit, Environment};
use crate::render::escape;
use crate::verdict::SideReport;

/// Tools that `cargo bench` runs.
const CARGO_BENCH: [&str; 6] = ["criterion", "cargo-criterion", "divan", "bencher", "gungraun", "iai-callgrind"];

/// The command line that repeats a comparison. For stored runs of a tool with a known command, it measures both sides in
/// turn; otherwise it is what the user ran. `remote` is the one that has the stored runs of a git store, if there is one.
pub fn compare_line(
    gate: &Gate,
    remote: Option<&str>,
    base: &SideReport,
    head: &SideReport,
    [base_paths, head_paths]: &[Vec<String>; 2],
    tools: &[String],
) -> Option<String> {
    // Standard input cannot be read again.
    if base_paths.iter().chain(head_paths).any(|path| path == "-") {
        return None;
    }
    let sides = |option: &str, paths: &[String]| -> String {
        paths.iter().map(|path| format!(" {option} {}", escape::shell(path))).collect()
    };
    let options = options(gate);
    let stored = base.commit.as_ref().filter(|_| !base.commits.is_empty());
    match stored {
        Some(commit) if tools.iter().any(|tool| CARGO_BENCH.contains(&tool.as_str())) => {
            let command =
                BenchCommand { words: ["cargo", "bench"].map(str::to_owned).to_vec(), ..BenchCommand::default() };
            Some(measure_line(gate, commit, &command, &MeasurePlan::default()))
        }
        // Runs of several commits are the baseline of a merge base.
        Some(commit) => {
            let base = if base.commits.len() > 1 { String::new() } else { format!(" --base {}", commit.short()) };
            let store = gate.given_store().map(|url| format!(" --store {}", escape::shell(url))).unwrap_or_default();
            // The stored runs of another key are another baseline.
            let key = head.environment.get(Environment::KEY);
            let key = key.map(|key| format!("PERFGATE_KEY={} ", escape::shell(key))).unwrap_or_default();
            let head = sides("--head", head_paths);
            // Only a store in git is copied to each clone.
            let remote = remote.filter(|_| gate.store_url().starts_with("git:"));
            let pull = remote.map(|remote| {
                let name = if remote == "origin" { String::new() } else { format!(" {}", escape::shell(remote)) };
                format!("perfgate runs{store} pull{name} && ")
            });
            let pull = pull.unwrap_or_default();
            Some(format!("{pull}{key}perfgate compare{base}{head}{store}{options}"))
        }
        None => match (base_paths.as_slice(), head_paths.as_slice()) {
            ([], _) | (_, []) => None,
            ([base], [head]) => {
                Some(format!("perfgate compare {} {}{options}", escape::shell(base), escape::shell(head)))
            }
            (base, head) => {
                Some(format!("perfgate compare{}{}{options}", sides("--base", base), sides("--head", head)))
            }
        },
    }
}

/// The options that change the verdict of a comparison.
fn options(gate: &Gate) -> String {
    let format = gate.given_input_format().map(|format| ("--input-format", format.to_owned()));
    let all = format.into_iter().chain(gate.given().iter().cloned());
    all.map(|(option, value)| format!(" {option} {}", escape::shell(&value))).collect()
}

/// The command line that repeats a measurement.
pub fn measure_line(gate: &Gate, base: &Commit, command: &BenchCommand, plan: &MeasurePlan) -> String {
    let mut line = format!("perfgate measure --base {}", base.short());
    let mut add = |option: &str, value: Option<&str>| {
        let value = value.map(|value| format!(" {}", escape::shell(value))).unwrap_or_default();
        line.push_str(&format!(" {option}{value}"));
    };
    if let Some(setup) = &command.setup {
        add("--setup", Some(setup));
    }
    for path in &command.copy {
        add("--copy", Some(path));
    }
    if command.submodules {
        add("--submodules", None);
    }
    if !command.processors.is_empty() {
        let processors: Vec<String> = command.processors.iter().map(usize::to_string).collect();
        add("--pin", Some(&processors.join(",")));
    }
    if let Some(format) = gate.given_input_format() {
        add("--input-format", Some(format));
    }
    if command.counts_instructions {
        add("--count", Some("instructions"));
    }
    if plan.stored {
        add("--stored", None);
        if let Some(store) = gate.given_store() {
            add("--store", Some(store));
        }
    }
    for (option, number) in [("--rounds", plan.rounds), ("--confirm", plan.pairs), ("--warmup", plan.warmup)] {
        if let Some(number) = number {
            add(option, Some(&number.to_string()));
        }
    }
    if let Some(budget) = plan.budget {
        add("--budget", Some(&format!("{}s", budget.as_secs_f64())));
    }
    // `measure` does not have these.
    for (option, value) in gate.given().iter().filter(|(option, _)| !["--commit", "--expect"].contains(option)) {
        add(option, Some(value));
    }
    let words: Vec<String> = command.words.iter().map(|word| escape::shell(word)).collect();
    format!("{line} -- {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Config;
    use std::path::Path;
    use std::time::Duration;

    fn commit() -> Commit {
        Commit::parse(&"0123456789".repeat(4)).unwrap()
    }

    fn gate(store: Option<&str>, input_format: Option<&str>) -> Gate {
        Gate::new(Config::at(Path::new(".")), store, input_format)
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
        let head = side("a b.json", 0);
        let paths = |base: &SideReport, head: &SideReport| {
            let base = if base.commits.is_empty() { vec![base.label.clone()] } else { Vec::new() };
            [base, vec![head.label.clone()]]
        };
        let line_with = |remote: Option<&str>, base: &SideReport, tool: &str| {
            let (paths, tools) = (paths(base, &head), [tool.to_owned()]);
            compare_line(&gate(None, None), remote, base, &head, &paths, &tools).unwrap()
        };
        let line = |base: &SideReport, tool: &str| line_with(Some("origin"), base, tool);
        let (one, two) = (side("v1", 1), side("the merge base", 2));
        let pulled = "perfgate runs pull && perfgate compare";
        assert_eq!(line(&one, "hyperfine"), format!("{pulled} --base 0123456789 --head 'a b.json'"));
        assert_eq!(line(&two, "hyperfine"), format!("{pulled} --head 'a b.json'"));
        assert_eq!(line(&two, "criterion"), "perfgate measure --base 0123456789 -- cargo bench");
        assert_eq!(line(&side("old", 0), "criterion"), "perfgate compare old 'a b.json'");
        let compared = "perfgate compare --head 'a b.json'";
        assert_eq!(line_with(None, &two, "hyperfine"), compared, "no remote to fetch from");
        let of_upstream = line_with(Some("upstream"), &two, "hyperfine");
        assert_eq!(of_upstream, format!("perfgate runs pull upstream && {compared}"));
        // Results of another job have no path here.
        let (no_paths, tools) = ([vec![], vec![]], ["hyperfine".to_owned()]);
        let packed = compare_line(&gate(None, None), Some("origin"), &two, &head, &no_paths, &tools);
        assert_eq!(packed.unwrap(), pulled);
        // The runs are those of the job's store and key.
        let keyed =
            SideReport { environment: [(Environment::KEY.to_owned(), "a b".to_owned())].into(), ..head.clone() };
        let in_store = |url: &str| {
            let gate = gate(Some(url), None);
            compare_line(&gate, Some("origin"), &two, &keyed, &paths(&two, &keyed), &["hyperfine".to_owned()]).unwrap()
        };
        let compared = "PERFGATE_KEY='a b' perfgate compare --head 'a b.json' --store";
        assert_eq!(in_store("s3://b/p"), format!("{compared} s3://b/p"));
        assert_eq!(in_store("git:refs/x"), format!("perfgate runs --store git:refs/x pull && {compared} git:refs/x"));
    }

    #[test]
    fn options_that_change_the_verdict_are_repeated() {
        let given = [("--threshold", "60%"), ("--fail-on", "regressed,inconclusive"), ("--expect", "a*:time -50%")];
        let gate = gate(None, Some("csv")).with_given(given.map(|(option, value)| (option, value.to_owned())));
        let of_both = "--input-format csv --threshold 60% --fail-on regressed,inconclusive";
        let options = format!("{of_both} --expect 'a*:time -50%'");
        let paths = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let side = SideReport::default();
        let line =
            |base: &[&str], head: &[&str]| compare_line(&gate, None, &side, &side, &[paths(base), paths(head)], &[]);
        assert_eq!(
            line(&["a", "b"], &["c"]).unwrap(),
            format!("perfgate compare --base a --base b --head c {options}")
        );
        assert_eq!(line(&["a"], &["c"]).unwrap(), format!("perfgate compare a c {options}"));
        assert_eq!(line(&["a"], &["-"]), None);
        assert_eq!(line(&[], &["c"]), None);
        let command = BenchCommand { words: vec!["./tool".to_owned()], ..BenchCommand::default() };
        let measured = measure_line(&gate, &commit(), &command, &MeasurePlan::default());
        assert_eq!(measured, format!("perfgate measure --base 0123456789 {of_both} -- ./tool"));
    }

    #[test]
    fn a_measurement_is_repeated_with_its_options() {
        let mut command = BenchCommand {
            words: ["cargo", "bench", "--", "a b", "$(x)"].map(str::to_owned).to_vec(),
            ..BenchCommand::default()
        };
        let line =
            |gate: &Gate, command: &BenchCommand, plan: &MeasurePlan| measure_line(gate, &commit(), command, plan);
        assert_eq!(
            line(&gate(None, None), &command, &MeasurePlan::default()),
            "perfgate measure --base 0123456789 -- cargo bench -- 'a b' '$(x)'"
        );
        command.setup = Some("make && cp a b".to_owned());
        command.copy = vec!["data".to_owned(), "big files".to_owned()];
        command.submodules = true;
        command.processors = vec![2, 3];
        command.counts_instructions = true;
        let plan = MeasurePlan {
            stored: true,
            pairs: Some(5),
            warmup: Some(1),
            budget: Some(Duration::from_secs(900)),
            ..MeasurePlan::default()
        };
        assert_eq!(
            line(&gate(Some("dir:runs"), Some("criterion")), &command, &plan),
            "perfgate measure --base 0123456789 --setup 'make && cp a b' --copy data --copy 'big files' --submodules --pin 2,3 \
             --input-format criterion --count instructions --stored --store dir:runs --confirm 5 --warmup 1 --budget 900s -- \
             cargo bench -- 'a b' '$(x)'"
        );
        let plan = MeasurePlan { rounds: Some(7), ..MeasurePlan::default() };
        let timed = BenchCommand { words: vec!["./tool".to_owned()], ..BenchCommand::default() };
        assert_eq!(line(&gate(None, None), &timed, &plan), "perfgate measure --base 0123456789 --rounds 7 -- ./tool");
    }
}
