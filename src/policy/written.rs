//! perfgate.toml as written: which tables and keys there are, of which type, each with its place. What the values mean
//! is for `validate`.

use super::near::nearest;
use super::problem::{Sink, Wrong, shown};
use super::value::Scalar;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything that the file holds and that has the right shape.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub threshold: Option<Spanned<Scalar>>,
    pub alpha: Option<Spanned<Scalar>>,
    pub fail_on: Option<Vec<Spanned<String>>>,
    pub store_url: Option<Spanned<String>>,
    pub ignored: Vec<Spanned<String>>,
    pub inputs: Vec<Input>,
    pub benchmarks: Vec<Benchmark>,
    pub budgets: Vec<Budget>,
    pub accepts: Vec<Accept>,
    pub renames: Vec<(Spanned<String>, Spanned<String>)>,
}

/// `[[input]]`
#[derive(Debug)]
pub(super) struct Input {
    pub path: Option<Spanned<String>>,
    pub format: Option<Spanned<String>>,
}

/// `[[benchmark]]`
#[derive(Debug)]
pub(super) struct Benchmark {
    pub at: Range<usize>,
    pub pattern: Option<Spanned<String>>,
    pub metric: Option<Spanned<String>>,
    pub threshold: Option<Spanned<Scalar>>,
    pub floor: Option<Spanned<Scalar>>,
    /// True where the table sets something, be it wrongly.
    pub sets: bool,
}

/// `[[budget]]`
#[derive(Debug)]
pub(super) struct Budget {
    pub pattern: Option<Spanned<String>>,
    pub metric: Option<Spanned<String>>,
    pub target: Option<Spanned<String>>,
    pub acceptable: Option<Spanned<String>>,
}

/// `[[accept]]`
#[derive(Debug)]
pub(super) struct Accept {
    pub benchmark: Option<Spanned<String>>,
    pub metric: Option<Spanned<String>>,
    pub up_to: Option<Spanned<Scalar>>,
    pub reason: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
}

/// A kind of table: its name, whether it is written once for each entry, and its keys.
struct Kind {
    name: &'static str,
    repeats: bool,
    keys: &'static [&'static str],
}

const fn once(name: &'static str, keys: &'static [&'static str]) -> Kind {
    Kind { name, repeats: false, keys }
}

const fn each(name: &'static str, keys: &'static [&'static str]) -> Kind {
    Kind { name, repeats: true, keys }
}

static GATE: Kind = once("gate", &["threshold", "alpha", "fail-on"]);
static STORE: Kind = once("store", &["url"]);
static ENVIRONMENT: Kind = once("environment", &["ignore"]);
static INPUT: Kind = each("input", &["path", "format"]);
static BENCHMARK: Kind = each("benchmark", &["match", "metric", "threshold", "floor"]);
static BUDGET: Kind = each("budget", &["match", "metric", "target", "acceptable"]);
static ACCEPT: Kind = each("accept", &["benchmark", "metric", "up-to", "reason", "until"]);
static RENAME: Kind = once("rename", &[]);
static KINDS: [&Kind; 8] = [&GATE, &STORE, &ENVIRONMENT, &INPUT, &BENCHMARK, &BUDGET, &ACCEPT, &RENAME];

impl Kind {
    fn title(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// Reads the whole document; what has the wrong shape goes to the sink.
pub(super) fn read(root: &DeTable<'_>, sink: &mut Sink) -> Written {
    for (key, value) in root.iter().filter(|(key, _)| KINDS.iter().all(|kind| kind.name != *key.get_ref())) {
        sink.add(key.span(), unknown_at_top(key.get_ref(), value.get_ref()));
    }
    let mut written = Written::default();
    for table in tables(root, &GATE, sink) {
        written.threshold = table.scalar("threshold", "a share like \"20%\"", sink);
        written.alpha = table.scalar("alpha", "a share like 0.05", sink);
        written.fail_on = table.texts("fail-on", "a list like [\"regressed\", \"budget\"]", sink);
    }
    for table in tables(root, &STORE, sink) {
        written.store_url = table.text("url", "an address like \"git:refs/perfgate/baselines\"", sink);
    }
    for table in tables(root, &ENVIRONMENT, sink) {
        let facts = table.texts("ignore", "a list like [\"cpu\", \"cores\"]", sink);
        written.ignored = facts.unwrap_or_default();
    }
    for table in tables(root, &INPUT, sink) {
        let path = table.required("path", "a path like \"target/criterion\"", sink);
        let format = table.text("format", "the name of an input format", sink);
        written.inputs.push(Input { path, format });
    }
    for table in tables(root, &BENCHMARK, sink) {
        written.benchmarks.push(Benchmark {
            at: table.at.clone(),
            pattern: table.required("match", PATTERN, sink),
            metric: table.text("metric", METRIC, sink),
            threshold: table.scalar("threshold", "a share like \"20%\"", sink),
            floor: table.scalar("floor", "an amount like \"5ns\"", sink),
            sets: table.table.iter().any(|(key, _)| !matches!(key.get_ref().as_ref(), "match" | "metric")),
        });
    }
    for table in tables(root, &BUDGET, sink) {
        written.budgets.push(Budget {
            pattern: table.required("match", PATTERN, sink),
            metric: table.required("metric", METRIC, sink),
            target: table.required("target", "a limit like \"<50ms\"", sink),
            acceptable: table.text("acceptable", "a limit like \"<100ms\"", sink),
        });
    }
    for table in tables(root, &ACCEPT, sink) {
        written.accepts.push(Accept {
            benchmark: table.required("benchmark", "the exact name of a benchmark", sink),
            metric: table.text("metric", METRIC, sink),
            up_to: table.required_scalar("up-to", "the change that is accepted, like \"35%\"", sink),
            reason: table.required("reason", "why it is accepted, in a sentence", sink),
            until: table.day("until", "the day on which it ends, like \"2027-03-01\"", sink),
        });
    }
    for table in tables(root, &RENAME, sink) {
        for (old, new) in table.table.iter() {
            match new.get_ref() {
                DeValue::String(name) => {
                    let old = Spanned::new(old.span(), old.get_ref().to_string());
                    written.renames.push((old, Spanned::new(new.span(), name.to_string())));
                }
                other => sink.add(old.span(), unquoted(old.get_ref(), other)),
            }
        }
    }
    written
}

const PATTERN: &str = "a name or a pattern like \"parse/*\"";
const METRIC: &str = "a metric like \"time\" or \"time:p95\"";

/// One table of a known kind.
struct Table<'a, 'i> {
    kind: &'static Kind,
    at: Range<usize>,
    table: &'a DeTable<'i>,
}

/// The tables of a kind; none where the file has none or something else by its name.
fn tables<'a, 'i>(root: &'a DeTable<'i>, kind: &'static Kind, sink: &mut Sink) -> Vec<Table<'a, 'i>> {
    let Some((key, value)) = root.get_key_value(kind.name) else { return Vec::new() };
    let mut found = Vec::new();
    match (kind.repeats, value.get_ref()) {
        (false, DeValue::Table(table)) => found.push(Table { kind, at: value.span(), table }),
        (true, DeValue::Array(entries)) => {
            for entry in entries.iter() {
                match entry.get_ref() {
                    DeValue::Table(table) => found.push(Table { kind, at: entry.span(), table }),
                    other => sink.add(entry.span(), wrong_kind(kind, other)),
                }
            }
        }
        (_, other) => sink.add(key.span(), wrong_kind(kind, other)),
    }
    if !kind.keys.is_empty() {
        for table in &found {
            table.refuse_unknown_keys(sink);
        }
    }
    found
}

impl Table<'_, '_> {
    fn refuse_unknown_keys(&self, sink: &mut Sink) {
        let unknown = self.table.iter().filter(|(key, _)| !self.kind.keys.contains(&key.get_ref().as_ref()));
        for (key, _) in unknown {
            let name = key.get_ref();
            let message = format!("{} has no key `{}`", self.kind.title(), shown(name));
            let keys = self.kind.keys.join(", ");
            let help = match (nearest(name, self.kind.keys.iter().copied()), homes(name)) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(homes)) => format!("it takes {keys}; `{}` stands in {homes}", shown(name)),
                (None, None) => format!("it takes {keys}"),
            };
            sink.add(key.span(), Wrong::new("unknown-key", message, help));
        }
    }

    fn wrong_type(&self, key: &str, expected: &str, found: &DeValue<'_>) -> Wrong {
        let message = format!("`{key}` in {} cannot be {}", self.kind.title(), article(found));
        Wrong::new("wrong-type", message, format!("it takes {expected}"))
    }

    fn missing(&self, key: &str, expected: &str, sink: &mut Sink) {
        let message = format!("this {} has no `{key}`", self.kind.title());
        sink.add(self.at.clone(), Wrong::new("missing-key", message, format!("add `{key}`: {expected}")));
    }

    fn text(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.to_string())),
            other => {
                sink.add(value.span(), self.wrong_type(key, expected, other));
                None
            }
        }
    }

    fn required(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        if self.table.get(key).is_none() {
            self.missing(key, expected, sink);
        }
        self.text(key, expected, sink)
    }

    fn scalar(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<Scalar>> {
        let value = self.table.get(key)?;
        let scalar = match value.get_ref() {
            DeValue::String(text) => Some(Scalar::Text(text.to_string())),
            DeValue::Float(float) => float.as_str().parse().ok().map(Scalar::Number),
            // The digits were checked by the parser; only an absurd number of them is no i128.
            DeValue::Integer(integer) => {
                i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| Scalar::Number(n as f64))
            }
            _ => None,
        };
        if scalar.is_none() {
            sink.add(value.span(), self.wrong_type(key, expected, value.get_ref()));
        }
        scalar.map(|scalar| Spanned::new(value.span(), scalar))
    }

    fn required_scalar(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<Scalar>> {
        if self.table.get(key).is_none() {
            self.missing(key, expected, sink);
        }
        self.scalar(key, expected, sink)
    }

    /// A day in quotes or as TOML's own date; its sense is for `validate`.
    fn day(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        if let Some(DeValue::Datetime(day)) = self.table.get(key).map(Spanned::get_ref) {
            return self.table.get(key).map(|value| Spanned::new(value.span(), day.to_string()));
        }
        self.required(key, expected, sink)
    }

    fn texts(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Vec<Spanned<String>>> {
        let value = self.table.get(key)?;
        let DeValue::Array(entries) = value.get_ref() else {
            sink.add(value.span(), self.wrong_type(key, expected, value.get_ref()));
            return None;
        };
        let mut texts = Vec::new();
        for entry in entries.iter() {
            match entry.get_ref() {
                DeValue::String(text) => texts.push(Spanned::new(entry.span(), text.to_string())),
                other => {
                    let message = format!("`{key}` in {} cannot hold {}", self.kind.title(), article(other));
                    sink.add(entry.span(), Wrong::new("wrong-type", message, format!("it takes {expected}")));
                }
            }
        }
        Some(texts)
    }
}

/// The tables that have a key of this name.
fn homes(key: &str) -> Option<String> {
    let homes: Vec<String> = KINDS.iter().filter(|kind| kind.keys.contains(&key)).map(|kind| kind.title()).collect();
    (!homes.is_empty()).then(|| homes.join(" or "))
}

fn unknown_at_top(key: &str, value: &DeValue<'_>) -> Wrong {
    let is_table = match value {
        DeValue::Table(_) => true,
        DeValue::Array(entries) => entries.iter().any(|entry| entry.get_ref().is_table()),
        _ => false,
    };
    let names = KINDS.iter().map(|kind| kind.name);
    let titles = || KINDS.map(Kind::title).join(", ");
    if is_table {
        let near = nearest(key, names).and_then(|near| KINDS.iter().find(|kind| kind.name == near));
        let help =
            near.map_or_else(|| format!("tables are {}", titles()), |kind| format!("did you mean `{}`?", kind.title()));
        return Wrong::new("unknown-table", format!("there is no table `{}`", shown(key)), help);
    }
    let key_near = nearest(key, KINDS.iter().flat_map(|kind| kind.keys.iter().copied()));
    let help = match key_near.and_then(|near| Some((near, homes(near)?))) {
        Some((near, homes)) => format!("`{near}` stands in {homes}"),
        None => format!("every key stands in a table: {}", titles()),
    };
    Wrong::new("unknown-key", format!("`{}` stands outside of any table", shown(key)), help)
}

fn wrong_kind(kind: &Kind, found: &DeValue<'_>) -> Wrong {
    let help = match (kind.repeats, found) {
        (true, DeValue::Table(_)) => format!("there may be several of them: write {} with two brackets", kind.title()),
        (false, DeValue::Array(_)) => format!("there is one of it: write {} with one bracket, once", kind.title()),
        _ => format!("it is a table: write {} on a line of its own", kind.title()),
    };
    Wrong::new("wrong-type", format!("`{}` cannot be {}", kind.name, article(found)), help)
}

fn unquoted(old: &str, found: &DeValue<'_>) -> Wrong {
    let message = format!("`{}` in [rename] cannot be {}", shown(old), article(found));
    let help = match found {
        DeValue::Table(_) => "names with a dot need quotes: \"old.name\" = \"new.name\"",
        _ => "write the new name in quotes: \"old/name\" = \"new/name\"",
    };
    Wrong::new("wrong-type", message, help)
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(entries) if entries.iter().any(|entry| entry.get_ref().is_table()) => "a list of tables",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
