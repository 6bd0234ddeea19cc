//! The tables of perfgate.toml and typed access to their keys. Reports unknown keys, wrong types and missing keys with
//! their position.

use super::problem::{Invalid, Sink, printable};
use super::suggest::closest;
use super::value::Scalar;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A kind of table: its name, whether it may repeat, and its keys.
pub(super) struct TableKind {
    name: &'static str,
    repeats: bool,
    keys: &'static [&'static str],
}

const fn once(name: &'static str, keys: &'static [&'static str]) -> TableKind {
    TableKind { name, repeats: false, keys }
}

const fn each(name: &'static str, keys: &'static [&'static str]) -> TableKind {
    TableKind { name, repeats: true, keys }
}

pub(super) static GATE: TableKind = once("gate", &["threshold", "alpha", "fail-on"]);
pub(super) static STORE: TableKind = once("store", &["url"]);
pub(super) static ENVIRONMENT: TableKind = once("environment", &["ignore"]);
pub(super) static INPUT: TableKind = each("input", &["path", "format"]);
pub(super) static BENCHMARK: TableKind = each("benchmark", &["match", "metric", "threshold", "floor", "direction"]);
pub(super) static BUDGET: TableKind = each("budget", &["match", "metric", "target", "acceptable"]);
pub(super) static ACCEPT: TableKind = each("accept", &["benchmark", "metric", "suite", "up-to", "reason", "until"]);
pub(super) static GOAL: TableKind = each("goal", &["match", "metric", "expect"]);
pub(super) static EPOCH: TableKind = each("epoch", &["match", "from", "reason"]);
pub(super) static BASELINE: TableKind = once("baseline", &["pin", "branches"]);
pub(super) static GIT: TableKind = once("git", &["default-branch"]);
pub(super) static RENAME: TableKind = once("rename", &[]);
pub(super) static CONTINUE: TableKind = each("continue", &["from", "to"]);
pub(super) static TEMPLATE: TableKind = once("template", &[]);
static KINDS: [&TableKind; 14] = [
    &GATE,
    &STORE,
    &ENVIRONMENT,
    &INPUT,
    &BENCHMARK,
    &BUDGET,
    &GOAL,
    &ACCEPT,
    &EPOCH,
    &BASELINE,
    &GIT,
    &RENAME,
    &CONTINUE,
    &TEMPLATE,
];

impl TableKind {
    fn title(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// One table of a known kind.
pub(super) struct Table<'a, 'i> {
    kind: &'static TableKind,
    pub at: Range<usize>,
    pub table: &'a DeTable<'i>,
}

/// Reports top-level keys that are not known tables.
pub(super) fn refuse_unknown_tables(root: &DeTable<'_>, sink: &mut Sink) {
    for (key, value) in root.iter().filter(|(key, _)| KINDS.iter().all(|kind| kind.name != *key.get_ref())) {
        sink.add(key.span(), unknown_at_top(key.get_ref(), value.get_ref()));
    }
}

/// All tables of a kind in the file.
pub(super) fn tables<'a, 'i>(root: &'a DeTable<'i>, kind: &'static TableKind, sink: &mut Sink) -> Vec<Table<'a, 'i>> {
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
            let message = format!("{} has no key `{}`", self.kind.title(), printable(name));
            let keys = self.kind.keys.join(", ");
            let help = match (closest(name, self.kind.keys.iter().copied()), tables_with_key(name)) {
                (Some(key), _) => format!("did you mean `{key}`?"),
                (None, Some(tables)) => format!("known keys are {keys}; `{}` belongs in {tables}", printable(name)),
                (None, None) => format!("known keys are {keys}"),
            };
            sink.add(key.span(), Invalid::new("unknown-key", message, help));
        }
    }

    fn wrong_type(&self, key: &str, expected: &str, found: &DeValue<'_>) -> Invalid {
        let message = format!("`{key}` in {} cannot be {}", self.kind.title(), type_name(found));
        Invalid::new("wrong-type", message, format!("write {expected}"))
    }

    fn missing(&self, key: &str, expected: &str, sink: &mut Sink) {
        let message = format!("this {} has no `{key}`", self.kind.title());
        sink.add(self.at.clone(), Invalid::new("missing-key", message, format!("add `{key}`: {expected}")));
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

    pub fn flag(&self, key: &str, sink: &mut Sink) -> Option<Spanned<bool>> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(Spanned::new(value.span(), *flag)),
            other => {
                sink.add(value.span(), self.wrong_type(key, "true, without quotes", other));
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
            // The parser has checked the digits; only a number that is too large for an i128 fails.
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

    /// A day in quotes or as a TOML date; `validate` checks it.
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
                    let message = format!("`{key}` in {} cannot contain {}", self.kind.title(), type_name(other));
                    sink.add(entry.span(), Invalid::new("wrong-type", message, format!("write {expected}")));
                }
            }
        }
        Some(texts)
    }
}

/// The tables that have a key of this name.
fn tables_with_key(key: &str) -> Option<String> {
    let tables: Vec<String> = KINDS.iter().filter(|kind| kind.keys.contains(&key)).map(|kind| kind.title()).collect();
    (!tables.is_empty()).then(|| tables.join(" or "))
}

fn unknown_at_top(key: &str, value: &DeValue<'_>) -> Invalid {
    let is_table = match value {
        DeValue::Table(_) => true,
        DeValue::Array(entries) => entries.iter().any(|entry| entry.get_ref().is_table()),
        _ => false,
    };
    let names = KINDS.iter().map(|kind| kind.name);
    let titles = || KINDS.map(TableKind::title).join(", ");
    if is_table {
        let suggestion = closest(key, names).and_then(|name| KINDS.iter().find(|kind| kind.name == name));
        let help = match suggestion {
            Some(kind) => format!("did you mean `{}`?", kind.title()),
            None => format!("known tables are {}", titles()),
        };
        return Invalid::new("unknown-table", format!("there is no table `{}`", printable(key)), help);
    }
    let suggestion = closest(key, KINDS.iter().flat_map(|kind| kind.keys.iter().copied()));
    let help = match suggestion.and_then(|key| Some((key, tables_with_key(key)?))) {
        Some((key, tables)) => format!("`{key}` belongs in {tables}"),
        None => format!("every key belongs in a table: {}", titles()),
    };
    Invalid::new("unknown-key", format!("`{}` is not in a table", printable(key)), help)
}

fn wrong_kind(kind: &TableKind, found: &DeValue<'_>) -> Invalid {
    let help = match (kind.repeats, found) {
        (true, DeValue::Table(_)) => format!("this table may repeat: write {} with two brackets", kind.title()),
        (false, DeValue::Array(_)) => {
            format!("this table cannot repeat: write {} once, with single brackets", kind.title())
        }
        _ => format!("it is a table: write {} on a line of its own", kind.title()),
    };
    Invalid::new("wrong-type", format!("`{}` cannot be {}", kind.name, type_name(found)), help)
}

pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(entries) if entries.iter().any(|entry| entry.get_ref().is_table()) => "a list of tables",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
