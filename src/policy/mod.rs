//! perfgate.toml: what the team tolerates. Read once into a [`Policy`], all problems at once, each framed under its line.
//!
//! `written` knows the file's shape, `validate` what the values mean, and [`Policy`] answers the verdict's questions.
//! Which benchmarks a rule, budget or waiver really hits is the verdict's to find out, as is what day it is.

mod goal;
mod limit;
pub(crate) mod near;
mod pattern;
mod problem;
mod quantity;
mod rename;
mod rule;
mod table;
mod validate;
mod value;
mod written;

pub use goal::Goal;
pub use limit::{Comparison, Limit};
pub use pattern::Pattern;
pub use problem::{ConfigProblem, Problems};
pub use quantity::Quantity;
pub use rule::Bounds;
pub use value::{FailOn, ValueError, parse_alpha, parse_threshold};

use crate::model::Metric;
use jiff::civil::Date;
use problem::{Lines, Sink, Wrong};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// A validated config.
#[derive(Debug, Clone)]
pub struct Policy {
    name: String,
    gate: Gate,
    store_url: String,
    ignored: Vec<&'static str>,
    inputs: Vec<InputRule>,
    rules: rule::Rules,
    budgets: Vec<Budget>,
    goals: Vec<Goal>,
    fields: BTreeMap<String, String>,
    waivers: Vec<Waiver>,
    epochs: Vec<Epoch>,
    pin: Option<Pin>,
    renames: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Clone)]
struct Gate {
    threshold: f64,
    alpha: f64,
    fail_on: BTreeSet<FailOn>,
}

/// `[[input]]`: where results lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRule {
    /// As written; relative to the config's directory.
    pub path: String,
    /// Overrules the sniffing.
    pub format: Option<String>,
    /// Where it is written.
    pub line: usize,
}

/// `[[budget]]`: what a value must keep to, whatever it was before.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Over benchmark names.
    pub pattern: Pattern,
    /// The exact name of the metric: `time:p95`.
    pub metric: String,
    /// What is asked for.
    pub target: Limit,
    /// What is still no failure, where it is not the same.
    pub acceptable: Option<Limit>,
    /// Where it is written.
    pub line: usize,
}

/// `[[accept]]`: a regression that is known, explained, and accepted for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// The exact name.
    pub benchmark: String,
    /// The exact name of the metric; every metric where there is none.
    pub metric: Option<String>,
    /// The change that is accepted, as a fraction on the worse side.
    pub up_to: f64,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it is written.
    pub line: usize,
}

/// `[[epoch]]`: from here on a benchmark is another one, and what was stored before says nothing of it.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// Over benchmark names.
    pub pattern: Pattern,
    /// Where it begins.
    pub start: Start,
    /// What changed.
    pub reason: String,
    /// Where it is written.
    pub line: usize,
}

/// Where an epoch begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With the first commit of a day, in UTC.
    Day(Date),
    /// With a commit, named by a git revision.
    Revision(String),
}

/// `[baseline] pin`: a release that every report shows the way since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// A git revision.
    pub revision: String,
    /// Where it is written.
    pub line: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { threshold: 0.2, alpha: 0.05, fail_on: [FailOn::Regressed, FailOn::Budget].into() }
    }
}

impl Default for Policy {
    /// What holds without a config file.
    fn default() -> Self {
        Policy {
            name: "perfgate.toml".to_owned(),
            gate: Gate::default(),
            store_url: "git:refs/perfgate/baselines".to_owned(),
            ignored: Vec::new(),
            inputs: Vec::new(),
            rules: rule::Rules::default(),
            budgets: Vec::new(),
            goals: Vec::new(),
            fields: BTreeMap::new(),
            waivers: Vec::new(),
            epochs: Vec::new(),
            pin: None,
            renames: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Reads a config; `name` is the file as messages shall call it. Names of input formats are not checked.
    #[cfg(feature = "internals")]
    pub fn parse(text: &str, name: &str) -> Result<Policy, Problems> {
        Policy::parse_knowing(text, name, &[])
    }

    /// Reads a config file's bytes, holding `format = "…"` against the known input formats.
    pub fn read(bytes: &[u8], name: &str, formats: &[&str]) -> Result<Policy, Problems> {
        let broken = match std::str::from_utf8(bytes) {
            Ok(text) => return Policy::parse_knowing(text, name, formats),
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8_lossy(bytes);
        let mut sink = Sink::default();
        let what = "this is not UTF-8 text";
        sink.add(broken..broken + 1, Wrong::new("config-encoding", what, "save the file as UTF-8"));
        sink.into_problems(&text, name, &Lines::of(&text)).map_or_else(|| Ok(Policy::default()), Err)
    }

    fn parse_knowing(text: &str, name: &str, formats: &[&str]) -> Result<Policy, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text); // a byte order mark is no column
        let lines = Lines::of(text);
        let mut sink = Sink::default();
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let help = match error.message() {
                message if message.contains("quoted") => "put the value in quotes, as in threshold = \"20%\"",
                _ => "the file is in TOML, see https://toml.io",
            };
            sink.add(span, Wrong::new("config-syntax", problem::shown(error.message()), help));
        }
        if let Some(problems) = sink.into_problems(text, name, &lines) {
            return Err(problems); // values beside broken syntax are guesses: they wait until the syntax is mended
        }
        let mut sink = Sink::default();
        let written = written::read(root.get_ref(), &mut sink);
        let policy = validate::validate(written, &lines, formats, &mut sink);
        match sink.into_problems(text, name, &lines) {
            Some(problems) => Err(problems),
            None => Ok(Policy { name: name.to_owned(), ..policy }),
        }
    }

    /// Another threshold than `[gate]` has; those of `[[benchmark]]` stay.
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.gate.threshold = threshold;
        self
    }

    /// Another share of false alarms than `[gate]` has.
    pub fn with_alpha(mut self, alpha: f64) -> Self {
        self.gate.alpha = alpha;
        self
    }

    /// Other reasons to fail than `[gate]` has.
    pub fn with_fail_on(mut self, reasons: impl IntoIterator<Item = FailOn>) -> Self {
        self.gate.fail_on = reasons.into_iter().collect();
        self
    }

    /// `perfgate.toml:12`, for messages on a rule.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    /// The threshold of `[gate]`, as a fraction on the worse side.
    pub fn gate_threshold(&self) -> f64 {
        self.gate.threshold
    }

    /// The share of false alarms among what is called a change.
    pub fn alpha(&self) -> f64 {
        self.gate.alpha
    }

    /// True where this makes the gate fail.
    pub fn fails_on(&self, reason: FailOn) -> bool {
        self.gate.fail_on.contains(&reason)
    }

    /// What `[[benchmark]]` says of a benchmark and metric; one look-up for threshold and floor.
    pub fn bounds(&self, benchmark: &str, metric: &Metric) -> Bounds {
        self.rules.bounds(benchmark, metric)
    }

    /// The waivers, in the order of the file.
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// The budgets, in the order of the file.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// The goals, in the order of the file.
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// More goals than the file has.
    pub fn with_goals(mut self, goals: impl IntoIterator<Item = Goal>) -> Self {
        self.goals.extend(goals);
        self
    }

    /// True where there is a limit that samples may have to be held against: a quantile, or the interval of a value.
    pub fn asks_for_samples(&self) -> bool {
        !self.budgets.is_empty() || !self.goals.is_empty()
    }

    /// `[template]`: what a team says of its work, for the templates.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// The epochs, in the order of the file.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The release that every report is also held against.
    pub fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    /// What a benchmark of an older run is called now, where that is something else.
    pub fn rename(&self, old: &str) -> Option<&str> {
        self.renames.get(old).map(|new| &**new)
    }

    /// Where results lie, in the order of the file.
    pub fn inputs(&self) -> &[InputRule] {
        &self.inputs
    }

    /// The store's address.
    pub fn store_url(&self) -> &str {
        &self.store_url
    }

    /// Facts of the machine that may differ without making runs incomparable.
    pub fn ignored_environment(&self) -> &[&'static str] {
        &self.ignored
    }
}

impl Budget {
    /// True where the budget is on this metric of this benchmark.
    pub fn covers(&self, benchmark: &str, metric: &str) -> bool {
        self.metric == metric && self.pattern.matches(benchmark)
    }
}

impl Waiver {
    /// True where the waiver is on this metric of this benchmark.
    pub fn covers(&self, benchmark: &str, metric: &str) -> bool {
        self.benchmark == benchmark && self.metric.as_deref().is_none_or(|own| own == metric)
    }

    /// True where the waiver no longer holds on a day.
    pub fn has_run_out(&self, today: Date) -> bool {
        today > self.until
    }
}
