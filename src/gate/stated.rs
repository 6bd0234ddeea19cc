//! Facts that results state about themselves: the machine and the commit. They take precedence over the machine that reads
//! the results, which is often another one: measured on a test machine, recorded by a CI job.

use super::error::Error;
use crate::io::input::Loaded;
use crate::model::{Commit, CommitPrefix, Diagnostic, Environment, Run, cpu_words};

/// Facts that describe only the machine that reads the results. They are left out if the results come from another one.
const READING_MACHINE_FACTS: [&str; 4] =
    [Environment::KERNEL, Environment::GOVERNOR, Environment::RUNNER, Environment::RUSTC];

/// Adds the facts that results do not state from the machine that reads them. Returns a warning if the two differ.
pub(super) fn complete(stated: &mut Environment, here: &Environment) -> Option<Diagnostic> {
    let mut contradictions = Vec::new();
    let mut elsewhere = false;
    for key in Environment::CLASS {
        let (Some(there), Some(own)) = (stated.get(key), here.get(key)) else { continue };
        if key == Environment::CPU && cpu_words(there) == cpu_words(own) {
            // One spelling for one machine, so that tools that spell it differently agree with the stored runs.
            stated.set(key, own);
        } else if there != own {
            contradictions.push(format!("{key} is {there:?} in the results, {own:?} here"));
            // A container may limit the cores.
            elsewhere |= key != Environment::CORES;
        }
    }
    for (key, value) in &here.0 {
        if stated.get(key).is_none() && !(elsewhere && READING_MACHINE_FACTS.contains(&key.as_str())) {
            stated.set(key, value);
        }
    }
    (!contradictions.is_empty()).then(|| {
        let message = format!(
            "the results state another machine: {}; the facts in the results are used",
            contradictions.join("; ")
        );
        Diagnostic::warning("stated-machine", "", message)
    })
}

/// Refuses results that state another commit than the one they would be stored for, or several.
pub(super) fn refuse_other_commits(words: &[&str], loaded: &[Loaded], commit: &Commit) -> Result<(), Error> {
    let stated = words.iter().zip(loaded).find_map(|(word, loaded)| Some((word, stated_other(&loaded.run, commit)?)));
    match stated {
        None => Ok(()),
        Some((word, stated)) => Err(Error::OtherCommit {
            word: (*word).to_owned(),
            stated: stated.to_owned(),
            commit: commit.short().to_owned(),
        }),
    }
}

/// A warning if the results of a run state another commit than the one they count for.
pub(super) fn other_commit(run: &Run, commit: &Commit) -> Option<Diagnostic> {
    let stated = stated_other(run, commit)?;
    let stated = stated.get(..commit.short().len()).unwrap_or(stated);
    let message = format!("the results state that they are of commit {stated}, not of {}", commit.short());
    Some(Diagnostic::warning("stated-commit", "", message))
}

/// The commit that the results of a run state, if it is another one: its id or the beginning of it.
pub(super) fn stated_other<'r>(run: &'r Run, commit: &Commit) -> Option<&'r str> {
    let full = run.commit.as_ref().filter(|stated| *stated != commit).map(Commit::as_str);
    full.or(run.commit_prefix.as_ref().filter(|stated| !stated.is_of(commit)).map(CommitPrefix::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(facts: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::default();
        facts.iter().for_each(|(key, fact)| environment.set(key, *fact));
        environment
    }

    fn here() -> Environment {
        machine(&[("cpu", "AMD EPYC 7763 64-Core Processor"), ("cores", "4"), ("os", "linux"), ("kernel", "6.1")])
    }

    #[test]
    fn only_missing_facts_are_filled_in() {
        let mut stated = machine(&[("cores", "4"), ("os", "linux"), ("python", "3.12")]);
        assert!(complete(&mut stated, &here()).is_none());
        let mut all = here();
        all.set("python", "3.12");
        assert_eq!(stated, all);
    }

    #[test]
    fn another_machine_is_reported_and_keeps_its_facts() {
        let mut stated = machine(&[("cpu", "Apple M1"), ("cores", "8")]);
        let warning = complete(&mut stated, &here()).unwrap();
        assert!(warning.message.contains("cpu is \"Apple M1\"") && warning.message.contains("cores is \"8\""));
        assert_eq!(stated, machine(&[("cpu", "Apple M1"), ("cores", "8"), ("os", "linux")]));
    }

    #[test]
    fn fewer_cores_in_a_container_do_not_make_another_machine() {
        let mut stated = machine(&[("cores", "64")]);
        assert!(complete(&mut stated, &here()).is_some());
        assert_eq!((stated.get("cores"), stated.get("kernel")), (Some("64"), Some("6.1")));
    }

    #[test]
    fn a_processor_that_is_spelled_differently_is_the_same_one() {
        let mut stated = machine(&[("cpu", "AMD EPYC 7763 2.45GHz")]);
        assert!(complete(&mut stated, &here()).is_none());
        assert_eq!(stated, here());
    }
}
