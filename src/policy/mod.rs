//! Reads perfgate.toml into a [`Policy`] and reports all problems at once, each framed under its line.
//!
//! `raw` checks the file's shape, `validate` the values. The verdict matches rules, budgets and waivers against
//! benchmarks and compares waivers with the current date.

mod changes;
mod goal;
mod limit;
mod pattern;
mod problem;
mod quantity;
mod raw;
mod rename;
mod rule;
mod star;
mod syntax;
mod table;
pub(crate) mod unused;
mod up_to;
mod validate;
mod value;
mod waiver;

pub use changes::rule_changes;
pub use goal::Goal;
pub use limit::{ComparisonSign, Limit};
pub use pattern::{Pattern, literal};
pub use problem::{ConfigProblem, LineProblem, Problems};
pub use quantity::Quantity;
pub use rule::BenchmarkSettings;
pub use up_to::UpTo;
pub use value::{FailOn, MAX_ACCEPTED, ValueError, parse_alpha, parse_threshold};
pub use waiver::{SuiteWaiver, Waiver};

pub(crate) use crate::model::suggest;
use crate::model::{Direction, Metric, wide_encoding};
use jiff::civil::Date;
use problem::{Invalid, Lines, Sink};
use rename::Renames;
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// A validated config.
#[derive(Debug, Clone)]
pub struct Policy {
    name: String,
    gate: GateSettings,
    store_url: String,
    ignored: Vec<&'static str>,
    inputs: Vec<InputRule>,
    rules: rule::Rules,
    budgets: Vec<Budget>,
    goals: Vec<Goal>,
    fields: BTreeMap<String, String>,
    waivers: Vec<Waiver>,
    suite_waiver: Option<SuiteWaiver>,
    epochs: Vec<Epoch>,
    pin: Option<Pin>,
    branches: Vec<Pattern>,
    default_branch: Option<String>,
    renames: Renames,
    continued: Vec<Continuation>,
}

#[derive(Debug, Clone)]
struct GateSettings {
    threshold: f64,
    alpha: f64,
    fail_on: BTreeSet<FailOn>,
}

/// `[[input]]`: where to find results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRule {
    /// Path relative to the config's directory.
    pub path: String,
    /// Input format; detected from the content when `None`.
    pub format: Option<String>,
    /// Line in the config.
    pub line: usize,
}

/// `[[budget]]`: a limit on the value of head, absolute or relative to base.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Matches benchmark names.
    pub pattern: Pattern,
    /// Exact name of the metric, such as `time:p95`.
    pub metric: String,
    /// The limit to meet.
    pub target: Limit,
    /// A looser limit; a value between the two is acceptable and does not fail.
    pub acceptable: Option<Limit>,
    /// Line in the config.
    pub line: usize,
}

/// `[[epoch]]`: runs of commits before its start are not compared with later ones.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// Matches benchmark names.
    pub pattern: Pattern,
    /// First day or commit.
    pub start: Start,
    /// What changed.
    pub reason: String,
    /// Line in the config.
    pub line: usize,
}

/// Where an epoch begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The beginning of a day, in UTC.
    Day(Date),
    /// The commit of a git revision.
    Revision(String),
}

/// `[baseline] pin`: a release that every report also compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// A git revision.
    pub revision: String,
    /// Line in the config.
    pub line: usize,
}

impl Default for GateSettings {
    fn default() -> Self {
        GateSettings {
            threshold: 0.2,
            alpha: 0.05,
            fail_on: [FailOn::Regressed, FailOn::Budget, FailOn::Failed].into(),
        }
    }
}

/// `[[continue]]`: series of one tool that continue as those of another.
#[derive(Debug, Clone)]
struct Continuation {
    from_tool: String,
    to_tool: String,
    names: star::Mapping,
}

impl Default for Policy {
    /// The defaults, as without a config file.
    fn default() -> Self {
        Policy {
            name: "perfgate.toml".to_owned(),
            gate: GateSettings::default(),
            store_url: "git:refs/perfgate/baselines".to_owned(),
            ignored: Vec::new(),
            inputs: Vec::new(),
            rules: rule::Rules::default(),
            budgets: Vec::new(),
            goals: Vec::new(),
            fields: BTreeMap::new(),
            waivers: Vec::new(),
            suite_waiver: None,
            epochs: Vec::new(),
            pin: None,
            branches: Vec::new(),
            default_branch: None,
            renames: Renames::default(),
            continued: Vec::new(),
        }
    }
}

impl Policy {
    /// Reads a config; messages refer to the file as `name`. Names of input formats are not checked.
    #[cfg(feature = "internals")]
    pub fn parse(text: &str, name: &str) -> Result<Policy, Problems> {
        Policy::parse_with_formats(text, name, &[])
    }

    /// Reads a config file's bytes and checks each `format = "…"` against the known input formats.
    pub fn read(bytes: &[u8], name: &str, formats: &[&str]) -> Result<Policy, Problems> {
        let encoding = wide_encoding(bytes);
        let broken = match std::str::from_utf8(bytes) {
            Ok(text) if encoding.is_none() => return Policy::parse_with_formats(text, name, formats),
            Ok(_) => 0,
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8_lossy(bytes);
        let mut sink = Sink::default();
        let what = format!("the file is {}", encoding.unwrap_or("not UTF-8 text"));
        sink.add(broken..broken + 1, Invalid::new("config-encoding", what, "save the file as UTF-8"));
        sink.into_problems(&text, name, &Lines::of(&text)).map_or_else(|| Ok(Policy::default()), Err)
    }

    fn parse_with_formats(text: &str, name: &str, formats: &[&str]) -> Result<Policy, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text); // a byte order mark does not count as a column
        let lines = Lines::of(text);
        let mut sink = Sink::default();
        let (root, errors) = DeTable::parse_recoverable(text);
        for (count, error) in errors.iter().enumerate() {
            let span = error.span().unwrap_or(0..0);
            sink.add(span.clone(), syntax::invalid(text, &span, error.message(), &lines, count < problem::MAX_FRAMES));
        }
        if let Some(problems) = sink.into_problems(text, name, &lines) {
            return Err(problems); // values recovered from broken syntax are guesses, so they are not checked
        }
        let mut sink = Sink::default();
        let raw = raw::read(root.get_ref(), &mut sink);
        let policy = validate::validate(raw, &lines, formats, &mut sink);
        match sink.into_problems(text, name, &lines) {
            Some(problems) => Err(problems),
            None => Ok(Policy { name: name.to_owned(), ..policy }),
        }
    }

    /// Replaces the threshold of `[gate]`; those of `[[benchmark]]` stay.
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.gate.threshold = threshold;
        self
    }

    /// Adds a rule with a threshold for each of these benchmarks, like `[[benchmark]]` entries at the end of the file. A name that
    /// cannot be a pattern gets none.
    pub fn with_thresholds(mut self, thresholds: impl IntoIterator<Item = (String, f64)>) -> Self {
        self.rules = self.rules.with_thresholds(thresholds);
        self
    }

    /// Replaces `alpha` of `[gate]`.
    pub fn with_alpha(mut self, alpha: f64) -> Self {
        self.gate.alpha = alpha;
        self
    }

    /// Replaces `fail-on` of `[gate]`.
    pub fn with_fail_on(mut self, reasons: impl IntoIterator<Item = FailOn>) -> Self {
        self.gate.fail_on = reasons.into_iter().collect();
        self
    }

    /// Location of a rule for messages, such as `perfgate.toml:12`.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    /// Threshold of `[gate]` for a change for the worse, as a fraction.
    pub fn gate_threshold(&self) -> f64 {
        self.gate.threshold
    }

    /// Accepted false discovery rate among significant changes.
    pub fn alpha(&self) -> f64 {
        self.gate.alpha
    }

    /// True if this makes the gate fail.
    pub fn fails_on(&self, reason: FailOn) -> bool {
        self.gate.fail_on.contains(&reason)
    }

    /// Threshold and floor that `[[benchmark]]` sets for a benchmark and metric.
    pub fn benchmark_settings(&self, benchmark: &str, metric: &Metric) -> BenchmarkSettings {
        self.rules.benchmark_settings(benchmark, metric)
    }

    /// The better direction that `[[benchmark]]` states for a metric.
    pub fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        self.rules.direction(benchmark, metric)
    }

    /// Waivers of benchmarks in file order.
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// The waiver for the change of the whole suite.
    pub fn suite_waiver(&self) -> Option<&SuiteWaiver> {
        self.suite_waiver.as_ref()
    }

    /// Budgets in file order.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// Goals in file order.
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// Adds goals to those of the file.
    pub fn with_goals(mut self, goals: impl IntoIterator<Item = Goal>) -> Self {
        self.goals.extend(goals);
        self
    }

    /// True if a budget or goal exists: checking one may take samples, for a quantile or for the interval of a value.
    pub fn needs_samples(&self) -> bool {
        !self.budgets.is_empty() || !self.goals.is_empty()
    }

    /// `[template]`: texts that templates can print.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Epochs in file order.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The release that every report also compares with.
    pub fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    /// True for a branch of `[baseline] branches`, whose pushes are recorded like those of the default branch.
    pub fn is_baseline_branch(&self, name: &str) -> bool {
        self.branches.iter().any(|pattern| pattern.matches(name))
    }

    /// The default branch, if `[git]` states it.
    pub fn default_branch(&self) -> Option<&str> {
        self.default_branch.as_deref()
    }

    /// Current name of a benchmark of an older run, if it was renamed.
    pub fn rename(&self, old: &str) -> Option<String> {
        self.renames.current(old)
    }

    /// The old names of a benchmark, by its current name.
    pub fn old_names(&self, current: &str) -> BTreeSet<String> {
        self.renames.old_names(current)
    }

    /// True if the config renames benchmarks.
    pub fn has_renames(&self) -> bool {
        !self.renames.is_empty()
    }

    /// The line of `[rename]` that applies to an old name.
    pub fn rename_line(&self, old: &str) -> Option<usize> {
        self.renames.line(old)
    }

    /// The tool and name under which a stored series of another tool continues.
    pub fn continues_as(&self, tool: &str, name: &str) -> Option<(&str, String)> {
        let of_tool = self.continued.iter().filter(|continued| continued.from_tool == tool);
        of_tool.filter_map(|continued| Some((continued.to_tool.as_str(), continued.names.apply(name)?))).next()
    }

    /// Whether series of other tools continue.
    pub fn has_continued(&self) -> bool {
        !self.continued.is_empty()
    }

    /// Inputs in file order.
    pub fn inputs(&self) -> &[InputRule] {
        &self.inputs
    }

    /// The store's address.
    pub fn store_url(&self) -> &str {
        &self.store_url
    }

    /// Environment facts that may differ between comparable runs.
    pub fn ignored_environment(&self) -> &[&'static str] {
        &self.ignored
    }
}
