//! The action's inputs as they come through the environment: `PERFGATE_` and the input's name. Words in, checked values
//! out; every one that is wrong is named, before any work. An empty one is one that was not given.

use crate::cli::gate_args::GateArgs;
use crate::cli::publish::CommentMode;
use crate::io::github::Token;
use crate::io::glob;
use anyhow::bail;
use clap::ValueEnum;
use std::path::PathBuf;

/// The inputs, checked.
#[derive(Debug)]
pub struct Inputs {
    /// Paths of results; empty for what the config or criterion's place has.
    pub results: Vec<String>,
    /// The benchmark command, a line of the workflow's own text.
    pub command: Option<String>,
    /// What to compare with, where it is not the merge base.
    pub base: Option<String>,
    /// What overrules `[gate]`.
    pub gate: GateArgs,
    /// The config file.
    pub config: Option<PathBuf>,
    /// The comment's template.
    pub template: Option<String>,
    /// When a comment is written.
    pub comment: CommentMode,
    /// Where to work.
    pub directory: Option<PathBuf>,
    /// Where stored runs are.
    pub store: Option<String>,
    /// Separates jobs that each have a comment of their own.
    pub key: Option<String>,
    /// Separates jobs that share one comment.
    pub shard: Option<String>,
    /// Whether perfgate's parts of the pull request's own text are renewed.
    pub body: bool,
    /// Whether a check run is made.
    pub check: bool,
    /// Whether a missing baseline is an error.
    pub insist: bool,
    /// The results of a fork's job, as the trusted workflow downloaded them.
    pub artifact: Option<PathBuf>,
    /// What may write.
    pub token: Option<Token>,
}

impl Inputs {
    /// Reads them; `variable` reads the process environment.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Inputs> {
        let given = |name: &str| {
            let text = variable(&format!("PERFGATE_{}", name.replace('-', "_").to_uppercase()))?;
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let mut wrong = Vec::new();
        let gate = GateArgs::of_words(given("threshold").as_deref(), given("fail-on").as_deref());
        let gate = gate.map_err(|why| wrong.extend(why)).unwrap_or_default();
        let mut choice = |name: &str, words: [&str; 2]| -> bool {
            let word = given(name).unwrap_or_else(|| words[0].to_owned());
            if !words.contains(&&*word) {
                wrong.push(format!("{name}: {word:?} is neither {} nor {}", words[0], words[1]));
            }
            word == words[1]
        };
        let insist = choice("missing-baseline", ["neutral", "fail"]);
        let body = choice("body", ["keep", "update"]);
        let check = !choice("check", ["true", "false"]);
        let comment = given("comment").map(|word| {
            CommentMode::from_str(&word, false)
                .map_err(|_| wrong.push(format!("comment: {word:?} is none of auto, always, on-change, never")))
                .ok()
        });
        let comment = comment.flatten().unwrap_or(CommentMode::Auto);
        let (results, command) = (given("results").unwrap_or_default(), given("command"));
        if command.is_some() && !results.is_empty() {
            wrong.push(
                "results and command: give one of them; where a command leaves its results is for [[input]] of \
                 perfgate.toml, most places are found by themselves"
                    .to_owned(),
            );
        }
        if !wrong.is_empty() {
            bail!("the action's inputs are not right: {}", wrong.join("; "));
        }
        Ok(Inputs {
            results: results.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect(),
            command,
            base: given("base"),
            gate,
            config: given("config").map(PathBuf::from),
            template: given("template"),
            comment,
            directory: given("working-directory").map(PathBuf::from),
            store: given("store"),
            key: given("key"),
            shard: given("shard"),
            body,
            check,
            insist,
            artifact: given("artifact").map(PathBuf::from),
            token: variable(Token::VARIABLE).as_deref().and_then(Token::new),
        })
    }

    /// The paths that the results' patterns match; one that matches nothing is an error.
    pub fn paths(&self) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        for pattern in &self.results {
            let found = glob::expand(pattern)?;
            if found.is_empty() {
                bail!(
                    "results: nothing matches {pattern:?}; did the benchmarks run before this step, and in this directory?"
                );
            }
            paths.extend(found.into_iter().map(|path| path.display().to_string()));
        }
        Ok(paths)
    }

    /// The command as words: itself where it is plain words, else a line for the shell, as a `run:` step has it. Only plain
    /// words let `measure` see which tool it is.
    pub fn words(&self) -> Option<Vec<String>> {
        let line = self.command.as_deref()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || " _-./:=,+@%{}".contains(c);
        let assignment = line.split(' ').next().is_some_and(|word| word.contains('='));
        if line.chars().all(plain) && !assignment {
            return Some(line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect());
        }
        Some(["sh", "-c", line].map(str::to_owned).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> anyhow::Result<Inputs> {
        Inputs::read(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn empty_inputs_are_the_defaults() {
        let inputs = read(&[("PERFGATE_RESULTS", ""), ("PERFGATE_COMMENT", " "), ("GITHUB_TOKEN", "")]).unwrap();
        assert!(inputs.results.is_empty() && inputs.token.is_none() && inputs.check && !inputs.body && !inputs.insist);
        assert_eq!(inputs.comment, CommentMode::Auto);
    }

    #[test]
    fn every_wrong_input_is_named_at_once() {
        let why = read(&[
            ("PERFGATE_THRESHOLD", "a lot"),
            ("PERFGATE_FAIL_ON", "regressed, slow"),
            ("PERFGATE_COMMENT", "sometimes"),
            ("PERFGATE_MISSING_BASELINE", "ignore"),
            ("PERFGATE_RESULTS", "x"),
            ("PERFGATE_COMMAND", "y"),
        ]);
        let why = why.unwrap_err().to_string();
        for name in [
            "threshold",
            "fail-on: \"slow\" is none of regressed, budget",
            "comment: \"sometimes\"",
            "missing-baseline",
            "results and command",
        ] {
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn plain_words_are_a_command_and_all_else_is_the_shells() {
        let words = |line: &str| read(&[("PERFGATE_COMMAND", line)]).unwrap().words().unwrap();
        assert_eq!(words("cargo bench --  {filter}"), ["cargo", "bench", "--", "{filter}"]);
        for line in ["make && ./bench", "echo \"$HOME\"", "A=1 cargo bench", "a | b", "x;y", "cargo bench\ncargo x"] {
            assert_eq!(words(line), ["sh", "-c", line]);
        }
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error() {
        let inputs = read(&[("PERFGATE_RESULTS", "nowhere/at/all/*.json\n")]).unwrap();
        assert!(inputs.paths().unwrap_err().to_string().contains("nothing matches"));
    }
}
