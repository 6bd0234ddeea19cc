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
        let mut reader = Reader { variable, invalid: Vec::new() };
        let inputs = reader.inputs();
        reader.invalid.extend(inputs.wrong_combinations().map(str::to_owned));
        if !reader.invalid.is_empty() {
            bail!("invalid inputs of the action: {}", reader.invalid.join("; "));
        }
        Ok(inputs)
    }

    /// Inputs that exclude each other, and inputs that need another one.
    fn wrong_combinations(&self) -> impl Iterator<Item = &'static str> {
        let (has_command, has_results) = (self.command.is_some(), !self.results.is_empty());
        let checks = [
            (
                has_command && has_results,
                "results and command: give only one of them; if the results of a command are not found, name their path in \
                 [[input]] of perfgate.toml",
            ),
            (self.setup.is_some() && !has_command, "setup: needs command, the benchmark command that runs after it"),
            (
                self.counts_instructions && !has_command,
                "count: needs command, the benchmark command whose instructions are counted",
            ),
            (
                self.explain && !has_command,
                "explain: needs command, the benchmark command that runs under the profiler",
            ),
            (
                self.artifact.is_some() && (has_command || has_results || !self.publish),
                "artifact: cannot be combined with results, command or publish: false",
            ),
        ];
        checks.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, why)| why)
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

    /// The command as words. A command with shell syntax runs in `sh -c`, as in a `run:` step; `measure` can only recognize
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

/// Reads the inputs one by one and collects their errors.
struct Reader<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    invalid: Vec<String>,
}

impl Reader<'_> {
    fn inputs(&mut self) -> Inputs {
        let results = self.text("results").unwrap_or_default();
        Inputs {
            results: results.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect(),
            command: self.text("command"),
            setup: self.text("setup"),
            explain: self.choice("explain", ["false", "true"]),
            counts_instructions: self.counts_instructions(),
            base: self.text("base"),
            gate: self.gate(),
            config: self.text("config").map(PathBuf::from),
            template: self.text("template"),
            comment: self.comment(),
            directory: self.text("working-directory").map(PathBuf::from),
            store: self.text("store"),
            key: self.name("key"),
            shard: self.name("shard"),
            body: self.choice("body", ["keep", "update"]),
            check: !self.choice("check", ["true", "false"]),
            baseline_required: self.choice("missing-baseline", ["neutral", "fail"]),
            comment_on_push: self.choice("comment-on-push", ["false", "true"]),
            issue_on_push: self.choice("issue-on-push", ["false", "true"]),
            fail_on_push: self.choice("fail-on-push", ["false", "true"]),
            mention: self.mention(),
            accept_label: self.text("accept-label").unwrap_or_else(|| "perfgate: accepted".to_owned()),
            publish: !self.choice("publish", ["true", "false"]),
            artifact: self.text("artifact").map(PathBuf::from),
            credentials: self.credentials(),
            site: self.text("site").map(PathBuf::from),
            token: (self.variable)(Token::VARIABLE).as_deref().and_then(Token::new),
        }
    }

    /// The text of an input.
    fn text(&self, input: &str) -> Option<String> {
        let text = (self.variable)(&format!("PERFGATE_{}", input.replace('-', "_").to_uppercase()))?;
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// True for the second of two words; the first is the default.
    fn choice(&mut self, input: &str, words: [&str; 2]) -> bool {
        let word = self.text(input).unwrap_or_else(|| words[0].to_owned());
        if !words.contains(&&*word) {
            self.invalid.push(format!("{input}: {word:?} is not one of {}, {}", words[0], words[1]));
        }
        word == words[1]
    }

    /// A name of limited length.
    fn name(&mut self, input: &str) -> Option<String> {
        let name = self.text(input)?;
        if name.chars().count() > LONGEST_NAME {
            self.invalid.push(format!("{input}: longer than {LONGEST_NAME} characters"));
        }
        Some(name)
    }

    fn gate(&mut self) -> GateArgs {
        let gate = GateArgs::of_words(self.text("threshold").as_deref(), self.text("fail-on").as_deref());
        gate.map_err(|why| self.invalid.extend(why)).unwrap_or_default()
    }

    fn counts_instructions(&mut self) -> bool {
        let Some(word) = self.text("count") else { return false };
        if word != "instructions" {
            self.invalid.push(format!("count: {word:?} is not a valid value; use instructions"));
        }
        true
    }

    fn comment(&mut self) -> CommentMode {
        let Some(word) = self.text("comment") else { return CommentMode::Auto };
        CommentMode::from_str(&word, false).unwrap_or_else(|_| {
            self.invalid.push(format!("comment: {word:?} is not one of auto, always, on-change, never"));
            CommentMode::Auto
        })
    }

    fn mention(&mut self) -> Option<String> {
        let text = self.text("mention")?;
        if !text.split_whitespace().all(is_mention) {
            self.invalid.push(format!("mention: {text:?} is not a list of names like @user or @owner/team"));
        }
        Some(text)
    }

    fn credentials(&mut self) -> BTreeMap<String, String> {
        let read = credentials(self.text("store-credentials").as_deref().unwrap_or_default());
        read.map_err(|why| self.invalid.push(why)).unwrap_or_default()
    }
}

/// True for `@user` and `@owner/team`.
fn is_mention(word: &str) -> bool {
    let name = word.strip_prefix('@').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/'))
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
            "count: \"cycles\" is not a valid value; use instructions",
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
