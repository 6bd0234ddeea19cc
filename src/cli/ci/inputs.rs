//! The inputs of the action, from environment variables: `PERFGATE_` and the name of the input. They are all checked before
//! anything is done. An empty input counts as missing.

use super::job_names::LONGEST_NAME;
use crate::cli::gate_args::GateArgs;
use crate::cli::measure::policy_of_counts;
use crate::cli::publish::CommentMode;
use crate::gate::BenchCommand;
use crate::io::github::Token;
use crate::io::{glob, secrets};
use crate::policy::Policy;
use anyhow::bail;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The inputs, checked.
#[derive(Debug)]
pub struct Inputs {
    /// Paths of results; empty for the default results.
    pub results: Vec<String>,
    /// The benchmark command, as written in the workflow.
    pub command: Option<String>,
    /// The command that builds a side before it is measured.
    pub setup: Option<String>,
    /// Whether the regressions of the command are explained.
    pub explain: bool,
    /// Whether the command's instructions are counted instead of its time.
    pub counts_instructions: bool,
    /// The base, if it is not the merge base.
    pub base: Option<String>,
    /// Overrides of `[gate]`.
    pub gate: GateArgs,
    /// The config file.
    pub config: Option<PathBuf>,
    /// The template of the comment.
    pub template: Option<String>,
    /// When to comment.
    pub comment: CommentMode,
    /// The working directory.
    pub directory: Option<PathBuf>,
    /// The URL of the store.
    pub store: Option<String>,
    /// Distinguishes jobs that have separate comments.
    pub key: Option<String>,
    /// Distinguishes jobs that share a comment.
    pub shard: Option<String>,
    /// Whether perfgate's sections of the pull request description are updated.
    pub body: bool,
    /// Whether a check run is created.
    pub check: bool,
    /// Whether a missing baseline is an error.
    pub baseline_required: bool,
    /// Whether a regression on a baseline branch is commented on the commit.
    pub comment_on_push: bool,
    /// Whether a confirmed regression on a baseline branch opens an issue.
    pub issue_on_push: bool,
    /// Whether a regression on a baseline branch fails the job.
    pub fail_on_push: bool,
    /// Names to mention in such a comment or issue.
    pub mention: Option<String>,
    /// The label that accepts the regressions of a pull request.
    pub accept_label: String,
    /// Whether this job publishes; otherwise it packs the results for a job that does.
    pub publish: bool,
    /// The downloaded results of other jobs.
    pub artifact: Option<PathBuf>,
    /// The credentials of the store: variables of a cloud, by name.
    pub credentials: BTreeMap<String, String>,
    /// Where the page of the history is written, if nothing else is to be done.
    pub site: Option<PathBuf>,
    /// The GitHub token.
    pub token: Option<Token>,
}

impl Inputs {
    /// Reads and checks all inputs; `variable` returns an environment variable.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Inputs> {
        let given = |name: &str| {
            let text = variable(&format!("PERFGATE_{}", name.replace('-', "_").to_uppercase()))?;
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let mut invalid = Vec::new();
        let gate = GateArgs::of_words(given("threshold").as_deref(), given("fail-on").as_deref());
        let gate = gate.map_err(|why| invalid.extend(why)).unwrap_or_default();
        let mut choice = |name: &str, words: [&str; 2]| -> bool {
            let word = given(name).unwrap_or_else(|| words[0].to_owned());
            if !words.contains(&&*word) {
                invalid.push(format!("{name}: {word:?} is not one of {}, {}", words[0], words[1]));
            }
            word == words[1]
        };
        let baseline_required = choice("missing-baseline", ["neutral", "fail"]);
        let body = choice("body", ["keep", "update"]);
        let check = !choice("check", ["true", "false"]);
        let publish = !choice("publish", ["true", "false"]);
        let explain = choice("explain", ["false", "true"]);
        let comment_on_push = choice("comment-on-push", ["false", "true"]);
        let issue_on_push = choice("issue-on-push", ["false", "true"]);
        let fail_on_push = choice("fail-on-push", ["false", "true"]);
        let mention = given("mention");
        let is_mention = |word: &str| {
            let name = word.strip_prefix('@').unwrap_or_default();
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/'))
        };
        if let Some(text) = mention.as_ref().filter(|text| !text.split_whitespace().all(is_mention)) {
            invalid.push(format!("mention: {text:?} is not a list of names like @user or @owner/team"));
        }
        let comment = given("comment").map(|word| {
            CommentMode::from_str(&word, false)
                .map_err(|_| invalid.push(format!("comment: {word:?} is not one of auto, always, on-change, never")))
                .ok()
        });
        let comment = comment.flatten().unwrap_or(CommentMode::Auto);
        let (results, command) = (given("results").unwrap_or_default(), given("command"));
        if command.is_some() && !results.is_empty() {
            invalid.push(
                "results and command: give only one of them; if the results of a command are not found, name their path in \
                 [[input]] of perfgate.toml"
                    .to_owned(),
            );
        }
        let setup = given("setup");
        if setup.is_some() && command.is_none() {
            invalid.push("setup: needs command, the benchmark command that runs after it".to_owned());
        }
        let count = given("count");
        if let Some(word) = count.as_ref().filter(|word| *word != "instructions") {
            invalid.push(format!("count: {word:?} is not instructions"));
        }
        if count.is_some() && command.is_none() {
            invalid.push("count: needs command, the benchmark command whose instructions are counted".to_owned());
        }
        if explain && command.is_none() {
            invalid.push("explain: needs command, the benchmark command that runs under the profiler".to_owned());
        }
        let artifact = given("artifact").map(PathBuf::from);
        if artifact.is_some() && (command.is_some() || !results.is_empty() || !publish) {
            invalid.push("artifact: cannot be combined with results, command or publish: false".to_owned());
        }
        let (key, shard) = (given("key"), given("shard"));
        for (input, name) in [("key", &key), ("shard", &shard)] {
            if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
                invalid.push(format!("{input}: longer than {LONGEST_NAME} characters"));
            }
        }
        let credentials = credentials(given("store-credentials").as_deref().unwrap_or_default());
        let credentials = credentials.map_err(|why| invalid.push(why)).unwrap_or_default();
        if !invalid.is_empty() {
            bail!("invalid inputs of the action: {}", invalid.join("; "));
        }
        Ok(Inputs {
            results: results.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect(),
            command,
            setup,
            explain,
            counts_instructions: count.is_some(),
            base: given("base"),
            gate,
            config: given("config").map(PathBuf::from),
            template: given("template"),
            comment,
            directory: given("working-directory").map(PathBuf::from),
            store: given("store"),
            key,
            shard,
            body,
            check,
            baseline_required,
            comment_on_push,
            issue_on_push,
            fail_on_push,
            mention,
            accept_label: given("accept-label").unwrap_or_else(|| "perfgate: accepted".to_owned()),
            publish,
            artifact,
            credentials,
            site: given("site").map(PathBuf::from),
            token: variable(Token::VARIABLE).as_deref().and_then(Token::new),
        })
    }

    /// The paths that match the patterns of `results`; a pattern without a match is an error.
    pub fn paths(&self) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        for pattern in &self.results {
            let found = glob::expand(pattern)?;
            if found.is_empty() {
                bail!("results: nothing matches {pattern:?}; run the benchmarks before this step, in this directory");
            }
            paths.extend(found.into_iter().map(|path| path.display().to_string()));
        }
        Ok(paths)
    }

    /// The command, and how it is run.
    pub fn bench_command(&self) -> Option<BenchCommand> {
        let (words, setup) = (self.words()?, self.setup.clone());
        Some(BenchCommand { words, setup, counts_instructions: self.counts_instructions, ..BenchCommand::default() })
    }

    /// The policy with the inputs applied. Counts have a threshold of their own.
    pub fn apply(&self, policy: Policy, are_counts: bool) -> Policy {
        self.gate.apply(if are_counts { policy_of_counts(policy) } else { policy })
    }

    /// The command as words. A command with shell syntax runs in `sh -c`, as in a `run:` step; `measure` can only recognise
    /// the tool of a plain command.
    fn words(&self) -> Option<Vec<String>> {
        let line = self.command.as_deref()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || " _-./:=,+@%{}".contains(c);
        let assignment = line.split(' ').next().is_some_and(|word| word.contains('='));
        if line.chars().all(plain) && !assignment {
            return Some(line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect());
        }
        Some(["sh", "-c", line].map(str::to_owned).to_vec())
    }
}

/// Reads lines `AWS_REGION=eu-north-1`. An error names the line and never its text.
fn credentials(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let read = |(at, line): (usize, &str)| {
        let pair = line.split_once('=').filter(|(name, _)| {
            let is_name = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            is_name && secrets::is_of_cloud(name)
        });
        pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| {
            format!(
                "store-credentials: line {} is not NAME=VALUE with a variable of a cloud, such as AWS_ACCESS_KEY_ID",
                at + 1
            )
        })
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_variables_of_clouds_and_never_printed() {
        let read = |text: &str| read(&[("PERFGATE_STORE_CREDENTIALS", text)]).map(|inputs| inputs.credentials);
        let pairs = read("AWS_ACCESS_KEY_ID=AK\n\n  AWS_SECRET_ACCESS_KEY=s=3\r\n").unwrap();
        assert_eq!(pairs.into_values().collect::<Vec<_>>(), ["AK", "s=3"]);
        for text in ["AWS_REGION=x\nhunter2", "AWS_REGION=x\nPATH=hunter2", "AWS_REGION=x\naws_x=hunter2"] {
            let why = read(text).unwrap_err().to_string();
            assert!(why.contains("store-credentials: line 2") && !why.contains("hunter2"), "{why}");
        }
    }

    fn read(pairs: &[(&str, &str)]) -> anyhow::Result<Inputs> {
        Inputs::read(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn empty_inputs_are_the_defaults() {
        let inputs = read(&[("PERFGATE_RESULTS", ""), ("PERFGATE_COMMENT", " "), ("GITHUB_TOKEN", "")]).unwrap();
        assert!(
            inputs.results.is_empty()
                && inputs.token.is_none()
                && inputs.check
                && !inputs.body
                && !inputs.baseline_required
        );
        assert_eq!(inputs.comment, CommentMode::Auto);
    }

    #[test]
    fn all_invalid_inputs_are_reported_at_once() {
        let why = read(&[
            ("PERFGATE_THRESHOLD", "a lot"),
            ("PERFGATE_FAIL_ON", "regressed, slow"),
            ("PERFGATE_COMMENT", "sometimes"),
            ("PERFGATE_MISSING_BASELINE", "ignore"),
            ("PERFGATE_EXPLAIN", "yes"),
            ("PERFGATE_COUNT", "cycles"),
            ("PERFGATE_KEY", &"k".repeat(101)),
            ("PERFGATE_RESULTS", "x"),
            ("PERFGATE_COMMAND", "y"),
        ]);
        let why = why.unwrap_err().to_string();
        for name in [
            "threshold",
            "fail-on: \"slow\" is not one of regressed, budget",
            "comment: \"sometimes\"",
            "missing-baseline",
            "explain: \"yes\" is not one of false, true",
            "key: longer than 100 characters",
            "count: \"cycles\" is not instructions",
            "results and command",
        ] {
            assert!(why.contains(name), "{why}");
        }
        let why = read(&[("PERFGATE_EXPLAIN", "true"), ("PERFGATE_RESULTS", "x")]).unwrap_err().to_string();
        assert!(why.contains("explain: needs command"), "{why}");
        let why = read(&[("PERFGATE_COUNT", "instructions")]).unwrap_err().to_string();
        assert!(why.contains("count: needs command"), "{why}");
        let why = read(&[("PERFGATE_SETUP", "make")]).unwrap_err().to_string();
        assert!(why.contains("setup: needs command"), "{why}");
    }

    #[test]
    fn a_command_with_shell_syntax_runs_in_a_shell() {
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
