//! The tables that perfgate.toml may have, and typed access to one: unknown keys, wrong types and missing keys are told
//! with their place. Which entries mean what is for `written`.

use super::near::nearest;
use super::problem::{Sink, Wrong, shown};
use super::value::Scalar;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A kind of table: its name, whether it is written once for each entry, and its keys.
pub(super) struct Kind {
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

pub(super) static GATE: Kind = once("gate", &["threshold", "alpha", "fail-on"]);
pub(super) static STORE: Kind = once("store", &["url"]);
pub(super) static ENVIRONMENT: Kind = once("environment", &["ignore"]);
pub(super) static INPUT: Kind = each("input", &["path", "format"]);
pub(super) static BENCHMARK: Kind = each("benchmark", &["match", "metric", "threshold", "floor"]);
pub(super) static BUDGET: Kind = each("budget", &["match", "metric", "target", "acceptable"]);
pub(super) static ACCEPT: Kind = each("accept", &["benchmark", "metric", "up-to", "reason", "until"]);
pub(super) static GOAL: Kind = each("goal", &["match", "metric", "expect"]);
pub(super) static EPOCH: Kind = each("epoch", &["match", "from", "reason"]);
pub(super) static BASELINE: Kind = once("baseline", &["pin"]);
pub(super) static RENAME: Kind = once("rename", &[]);
pub(super) static TEMPLATE: Kind = once("template", &[]);
static KINDS: [&Kind; 12] =
    [&GATE, &STORE, &ENVIRONMENT, &INPUT, &BENCHMARK, &BUDGET, &GOAL, &ACCEPT, &EPOCH, &BASELINE, &RENAME, &TEMPLATE];

impl Kind {
    fn title(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// One table of a known kind.
pub(super) struct Table<'a, 'i> {
    kind: &'static Kind,
    pub at: Range<usize>,
    pub table: &'a DeTable<'i>,
}

/// What stands at the top of the file and is no table of a known kind.
pub(super) fn refuse_unknown_tables(root: &DeTable<'_>, sink: &mut Sink) {
    for (key, value) in root.iter().filter(|(key, _)| KINDS.iter().all(|kind| kind.name != *key.get_ref())) {
        sink.add(key.span(), unknown_at_top(key.get_ref(), value.get_ref()));
    }
}

/// The tables of a kind; none where the file has none or something else by its name.
pub(super) fn tables<'a, 'i>(root: &'a DeTable<'i>, kind: &'static Kind, sink: &mut Sink) -> Vec<Table<'a, 'i>> {
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

    pub fn text(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.to_string())),
            other => {
                sink.add(value.span(), self.wrong_type(key, expected, other));
                None
            }
        }
    }

    pub fn required(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        if self.table.get(key).is_none() {
            self.missing(key, expected, sink);
        }
        self.text(key, expected, sink)
    }

    pub fn scalar(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<Scalar>> {
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

    pub fn required_scalar(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<Scalar>> {
        if self.table.get(key).is_none() {
            self.missing(key, expected, sink);
        }
        self.scalar(key, expected, sink)
    }

    /// A day in quotes or as TOML's own date; its sense is for `validate`.
    pub fn day(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Spanned<String>> {
        if let Some(DeValue::Datetime(day)) = self.table.get(key).map(Spanned::get_ref) {
            return self.table.get(key).map(|value| Spanned::new(value.span(), day.to_string()));
        }
        self.required(key, expected, sink)
    }

    pub fn texts(&self, key: &str, expected: &str, sink: &mut Sink) -> Option<Vec<Spanned<String>>> {
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

pub(super) fn article(value: &DeValue<'_>) -> &'static str {
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
