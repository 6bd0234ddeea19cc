//! Facts that results state about themselves: the machine and the commit. They take precedence over the machine that reads
//! the results, which is often another one: measured on a test machine, recorded by a CI job.

use super::config;
use super::error::Error;
use super::side::Side;
use crate::io::input::LoadedResults;
use crate::io::repository::Repository;
use crate::model::{Commit, CommitPrefix, Diagnostic, Environment, Run, cpu_words};

/// Facts that describe only the machine that reads the results. They are left out if the results come from another one.
const READING_MACHINE_FACTS: [&str; 4] =
    [Environment::KERNEL, Environment::GOVERNOR, Environment::RUNNER, Environment::RUSTC];

/// Adds the facts that results do not state from the machine that reads them. Returns a note if the two differ.
pub(super) fn complete(stated: &mut Environment, here: &Environment) -> Option<Diagnostic> {
    let mut contradictions = Vec::new();
    let mut elsewhere = false;
    for key in Environment::CLASS {
        let (Some(there), Some(own)) = (stated.get(key), here.get(key)) else { continue };
        if key == Environment::CPU && cpu_words(there) == cpu_words(own) {
            // One spelling for one machine, so that tools that spell it differently agree with the stored runs.
            stated.set(key, own);
        } else if there != own {
            contradictions.push(format!("{key} {there:?}, here {own:?}"));
            // A container may limit the cores.
            elsewhere |= key != Environment::CORES;
        }
    }
    for (key, value) in &here.0 {
        if stated.get(key).is_none() && !(elsewhere && READING_MACHINE_FACTS.contains(&key.as_str())) {
            stated.set(key, value);
        }
    }
    set_key_of_asv(stated);
    (!contradictions.is_empty()).then(|| {
        let facts = contradictions.join("; ");
        let message = match elsewhere {
            true => {
                format!("the results were measured on another machine ({facts}) and count as results of that machine")
            }
            false => {
                format!("the results state other facts than this machine has ({facts}); those in the results count")
            }
        };
        Diagnostic::note("stated-machine", "", message)
    })
}

/// Uses asv's environment as the key of a run without a key: asv measures the same names in each environment.
pub(super) fn set_key_of_asv(run: &mut Environment) {
    if let (None, Some(of_asv)) = (run.get(Environment::KEY), run.get(Environment::ASV_ENVIRONMENT)) {
        let of_asv = of_asv.to_owned();
        run.set(Environment::KEY, of_asv);
    }
}

/// Refuses results that state another commit than the one they would be stored for, or several.
pub(super) fn refuse_other_commits(words: &[&str], loaded: &[LoadedResults], commit: &Commit) -> Result<(), Error> {
    let stated = words.iter().zip(loaded).find_map(|(word, loaded)| Some((word, other(&loaded.run, commit)?)));
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
    let stated = other(run, commit)?;
    let stated = stated.get(..commit.short().len()).unwrap_or(stated);
    let message = format!("the results state that they are of commit {stated}, not of {}", commit.short());
    Some(Diagnostic::warning(OTHER_COMMIT, "", message))
}

/// The code of [`other_commit`].
pub(super) const OTHER_COMMIT: &str = "stated-commit";

/// Whether results on disk include uncommitted changes of the checked-out commit.
#[derive(Default)]
pub(super) struct ResultsState {
    pub is_dirty: bool,
    pub diagnostics: Vec<Diagnostic>,
}

impl ResultsState {
    /// Results of a commit.
    pub fn of_commit() -> Self {
        Self::default()
    }

    /// Results that count for the checked-out commit; `start` is the first commit of its base. Refuses results that state another
    /// commit, unless the checked-out one only merges it, as GitHub's test merge of a pull request does.
    pub fn of(
        repository: &Repository,
        side: &Side,
        head: &Commit,
        start: Option<&Commit>,
    ) -> Result<ResultsState, Error> {
        let mut diagnostics = Vec::new();
        for run in &side.runs {
            let Some(stated) = other(run, head) else { continue };
            let is_merged = repository.resolve(stated).is_ok_and(|stated| {
                let parents = repository.parents(head).unwrap_or_default();
                parents.len() > 1 && parents.contains(&stated) && !is_in_base(repository, &stated, start)
            });
            if !is_merged {
                return Err(Error::OtherHead {
                    word: side.report.label.clone(),
                    stated: stated.to_owned(),
                    commit: head.short().to_owned(),
                });
            }
            diagnostics.extend(other_commit(run, head));
        }
        let is_clean = |run: &Run| states(run, head) && run.environment.get(Environment::DIRTY).is_none();
        let states_head = !side.runs.is_empty() && side.runs.iter().all(is_clean);
        let is_changed = repository.differs_except_for(config::NAME)?;
        if is_changed && states_head {
            let message = format!(
                "the work tree has uncommitted changes, but the results state that they are of commit {}",
                head.short()
            );
            diagnostics.push(Diagnostic::note("uncommitted", "", message));
        }
        Ok(ResultsState { is_dirty: is_changed && !states_head, diagnostics })
    }
}

/// A note that uncommitted changes of a branch are compared with its newest commit.
pub(super) fn note_on_uncommitted_changes() -> Diagnostic {
    let message = "the work tree has uncommitted changes, so head is compared with HEAD, not with the merge base; if the results do \
                   not include these changes, use --commit HEAD";
    Diagnostic::note("uncommitted", "", message)
}

/// Refuses results that state the base, or a commit before it, and not the checked-out one: they were left over from before a
/// switch of branches.
pub(super) fn refuse_results_of_base(repository: &Repository, side: &Side, base: &Commit) -> Result<(), Error> {
    let head = repository.head()?.commit;
    let is_of_base =
        |stated: &&str| repository.resolve(stated).is_ok_and(|stated| is_in_base(repository, &stated, Some(base)));
    match side.runs.iter().filter_map(|run| other(run, &head)).find(is_of_base) {
        None => Ok(()),
        Some(stated) => Err(Error::ResultsOfBase { word: side.report.label.clone(), stated: stated.to_owned() }),
    }
}

/// A warning if results state the commit that they are compared with.
pub(super) fn states_base(side: &Side, base: &Commit) -> Option<Diagnostic> {
    side.runs.iter().find(|run| states(run, base))?;
    let message = format!("the results are of {}, the commit of base, so nothing was measured for head", base.short());
    Some(Diagnostic::warning("same-commit", "", message))
}

fn is_in_base(repository: &Repository, commit: &Commit, base: Option<&Commit>) -> bool {
    base.is_some_and(|base| repository.includes(base, commit) == Some(true))
}

/// The commit that the results of a run state: its id or the beginning of it.
fn stated(run: &Run) -> Option<&str> {
    let full = run.commit.as_ref().map(Commit::as_str);
    full.or(run.commit_prefix.as_ref().map(CommitPrefix::as_str))
}

/// True if the results of a run state a commit.
fn states(run: &Run, commit: &Commit) -> bool {
    stated(run).is_some() && other(run, commit).is_none()
}

/// The commit that the results of a run state, if it is another one: its id or the beginning of it.
fn other<'r>(run: &'r Run, commit: &Commit) -> Option<&'r str> {
    let full = run.commit.as_ref().filter(|stated| *stated != commit).map(Commit::as_str);
    full.or(run.commit_prefix.as_ref().filter(|stated| !stated.is_of(commit)).map(CommitPrefix::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

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
        let note = complete(&mut stated, &here()).unwrap();
        assert_eq!(
            note.message,
            "the results were measured on another machine (cpu \"Apple M1\", here \"AMD EPYC 7763 64-Core Processor\"; cores \"8\", \
             here \"4\") and count as results of that machine"
        );
        assert_eq!(note.severity, Severity::Note, "there is nothing to fix");
        assert_eq!(stated, machine(&[("cpu", "Apple M1"), ("cores", "8"), ("os", "linux")]));
    }

    #[test]
    fn fewer_cores_in_a_container_do_not_make_another_machine() {
        let mut stated = machine(&[("cores", "64")]);
        assert!(complete(&mut stated, &here()).unwrap().message.contains("(cores \"64\", here \"4\")"));
        assert_eq!((stated.get("cores"), stated.get("kernel")), (Some("64"), Some("6.1")));
    }

    #[test]
    fn a_processor_that_is_spelled_differently_is_the_same_one() {
        let mut stated = machine(&[("cpu", "AMD EPYC 7763 2.45GHz")]);
        assert!(complete(&mut stated, &here()).is_none());
        assert_eq!(stated, here());
    }
}
