//! SQLAlchemy's echo log: statements counted by kind and by the tables they touch. The counts repeat exactly, so one
//! query more is one query more; a statement that runs again and again is named, since it is often a loop's (N+1).

use super::builder::ReadingBuilder;
use super::text::decode;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Statement, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The benchmark that stands for all statements.
const ALL: &str = "all statements";
/// How often a statement runs before it is named.
const OFTEN: u64 = 5;
/// How many such statements are named.
const NAMED: usize = 5;

/// The echo log of an engine.
pub struct SqlalchemyEcho;

impl Format for SqlalchemyEcho {
    fn name(&self) -> &'static str {
        "sqlalchemy-echo"
    }

    fn produced_by(&self) -> &'static str {
        "create_engine(..., echo=True), its log kept in a file"
    }

    fn metrics(&self) -> &'static str {
        "exact counts: queries, queries:select/insert/update/delete/other and transactions of all statements, queries of each \
         kind and table (`SELECT book`: the SELECTs that read it, joins included)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        !preview.is_json() && preview.lines().any(|line| message_of(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut ledger = ReadingBuilder::new("sqlalchemy-echo", source);
        let mut counts = Counts::default();
        let mut statement: Option<String> = None;
        let mut logged = false;
        for line in text.lines() {
            match message_of(line) {
                Some(message) => {
                    logged = true;
                    if let Some(done) = statement.take() {
                        counts.take(&done);
                    }
                    // Parameters follow a statement in brackets; old versions print them bare.
                    if !message.starts_with(['[', '(', '{']) || message.starts_with("(SELECT") {
                        statement = Some(message.to_owned());
                    }
                }
                // A statement goes on over lines without the log's prefix.
                None => {
                    if let Some(statement) = &mut statement {
                        statement.push('\n');
                        statement.push_str(line);
                    }
                }
            }
        }
        if let Some(done) = statement {
            counts.take(&done);
        }
        if logged {
            counts.record(&mut ledger);
        }
        ledger.finish()
    }
}

/// What an engine logged in this line: the text behind `sqlalchemy.engine.Engine`, `sqlalchemy.engine.base.Engine` and
/// the logging name that a user may have added.
fn message_of(line: &str) -> Option<&str> {
    let at = line.find("sqlalchemy.engine.")?;
    let (before, rest) = line.split_at(at);
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_')))?;
    let (logger, behind) = rest.split_at(end);
    // The level stands before or behind the logger's name, as the application formats its log; prose has none.
    let level = |text: &str| text.contains("INFO") || text.contains("DEBUG");
    let engine = logger.split('.').any(|part| part == "Engine" || part == "base");
    if !engine || !(before.is_empty() || level(before) || level(behind)) {
        return None;
    }
    let message = behind.trim_start_matches([':', ' ', ']', '-']);
    let message = message.strip_prefix("INFO").or(message.strip_prefix("DEBUG")).unwrap_or(message);
    Some(message.trim_start_matches([':', ' ', ']', '-']))
}

/// Kinds of statement that have a metric of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Select,
    Insert,
    Update,
    Delete,
    Other,
}

impl Kind {
    const ALL: [(Kind, &'static str, &'static str); 5] = [
        (Kind::Select, "SELECT", "queries:select"),
        (Kind::Insert, "INSERT", "queries:insert"),
        (Kind::Update, "UPDATE", "queries:update"),
        (Kind::Delete, "DELETE", "queries:delete"),
        (Kind::Other, "", "queries:other"),
    ];

    fn of(word: &str) -> Option<Kind> {
        let found = Self::ALL.iter().find(|(_, name, _)| !name.is_empty() && word.eq_ignore_ascii_case(name));
        found.map(|(kind, _, _)| *kind)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, word, _)| word)
    }
}

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<Kind, u64>,
    tables: BTreeMap<(Kind, String), u64>,
    shapes: BTreeMap<String, u64>,
    transactions: u64,
}

impl Counts {
    fn take(&mut self, statement: &str) {
        let words = words(statement);
        let Some(first) = words.iter().find(|word| **word != "(") else { return };
        let is = |name: &str| first.eq_ignore_ascii_case(name);
        if is("BEGIN") {
            self.transactions += 1;
            return;
        }
        // Ends of transactions, and what the engine says in debug mode of a result.
        if ["COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "Col", "Row"].into_iter().any(is) {
            return;
        }
        let kind = if is("WITH") { main_kind(&words) } else { Kind::of(first) }.unwrap_or(Kind::Other);
        *self.kinds.entry(kind).or_default() += 1;
        if kind != Kind::Other {
            for table in tables(&words) {
                *self.tables.entry((kind, table)).or_default() += 1;
            }
        }
        *self.shapes.entry(words.join(" ")).or_default() += 1;
    }

    fn record(self, ledger: &mut ReadingBuilder<'_>) {
        let queries = |name: &'static str| Metric::counted(name, Unit::Count, Direction::Lower);
        let count = |count: u64| Evidence::Value(count as f64);
        ledger.add(ALL, queries("queries"), [count(self.kinds.values().sum())]);
        for (kind, _, metric) in Kind::ALL {
            ledger.add(ALL, queries(metric), [count(self.kinds.get(&kind).copied().unwrap_or(0))]);
        }
        ledger.add(ALL, queries("transactions"), [count(self.transactions)]);
        for ((kind, table), number) in self.tables {
            ledger.add(&format!("{} {table}", kind.word()), queries("queries"), [count(number)]);
        }
        ledger.repeated();
        let mut often: Vec<_> = self.shapes.into_iter().filter(|(_, number)| *number >= OFTEN).collect();
        often.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        for (shape, number) in often.into_iter().take(NAMED) {
            let text = shortened(&shape);
            ledger.note(
                "repeated-statement",
                format!("runs {number} times (a query for each row of another one?): {text}"),
            );
            ledger.repeated().push(Statement { text, times: number });
        }
    }
}

fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(200) {
        Some((at, _)) => format!("{} ...", &statement[..at]),
        None => statement.to_owned(),
    }
}

/// The words of a statement: names with their dots and quotes, commas and brackets; comments and strings left out.
fn words(statement: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = statement.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => {
                rest = rest.find('\n').map_or("", |at| &rest[at..]).trim_start();
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |at| &rest[at + 2..]).trim_start();
                continue;
            }
            '\'' => rest[1..].find('\'').map_or(rest.len(), |at| at + 2),
            c if name_part(c) => rest.find(|c: char| !name_part(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

fn name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '`' | '$' | ':' | '%' | '[' | ']')
}

/// The kind of the statement that a WITH introduces: the first one outside brackets.
fn main_kind(words: &[&str]) -> Option<Kind> {
    let mut depth = 0i64;
    words.iter().find_map(|word| {
        depth += i64::from(*word == "(") - i64::from(*word == ")");
        if depth == 0 { Kind::of(word) } else { None }
    })
}

/// The tables that a statement names behind FROM, JOIN, INTO and UPDATE, without quotes.
fn tables(words: &[&str]) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    let mut in_list = false; // inside `FROM a, b AS c`
    let mut expected = false;
    for word in words {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if ["FROM", "JOIN", "INTO", "UPDATE"].into_iter().any(is) {
            expected = true;
            in_list = is("FROM");
        } else if *word == "," {
            expected = in_list;
        } else if ["WHERE", "SET", "GROUP", "ORDER", "ON", "HAVING", "LIMIT", "UNION", "(", ")"].into_iter().any(is) {
            (expected, in_list) = (false, false);
        } else if expected && !["ONLY", "LATERAL"].into_iter().any(is) {
            expected = false;
            let name = word.replace(['"', '`', '[', ']'], "");
            if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                tables.insert(name);
            }
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loggers_are_known_in_several_shapes() {
        let message = |line| message_of(line);
        assert_eq!(message("2026-11-21 09:08:27,939 INFO sqlalchemy.engine.Engine SELECT 1"), Some("SELECT 1"));
        assert_eq!(message("INFO:sqlalchemy.engine.Engine:SELECT 1"), Some("SELECT 1"));
        assert_eq!(message("INFO sqlalchemy.engine.base.Engine.mine ()"), Some("()"));
        assert_eq!(message("[sqlalchemy.engine.Engine] INFO: COMMIT"), Some("COMMIT"));
        assert_eq!(message("see the docs of sqlalchemy.engine.Engine for more"), None);
        assert_eq!(message("import sqlalchemy.engine.url"), None);
    }

    #[test]
    fn tables_are_those_that_a_statement_touches() {
        let of = |statement| tables(&words(statement)).into_iter().collect::<Vec<_>>();
        assert_eq!(of("SELECT a.x FROM \"main\".a, b AS c WHERE a.y = 'from z'"), ["b", "main.a"]);
        assert_eq!(
            of("SELECT 1 FROM a LEFT OUTER JOIN b ON a.i = b.i -- FROM d\nWHERE x IN (SELECT y FROM e)"),
            ["a", "b", "e"]
        );
        assert_eq!(of("INSERT INTO a (x, y) VALUES (?, ?)"), ["a"]);
        assert_eq!(of("UPDATE a SET x=?, y=?"), ["a"]);
        assert_eq!(of("DELETE FROM a"), ["a"]);
    }

    #[test]
    fn a_with_is_of_its_main_statements_kind() {
        let kind = |statement| main_kind(&words(statement));
        assert_eq!(kind("WITH t AS (SELECT 1) DELETE FROM a"), Some(Kind::Delete));
        assert_eq!(kind("WITH t AS (SELECT 1"), None);
    }

    #[test]
    fn transactions_and_parameters_are_no_queries() {
        let prefix = "INFO sqlalchemy.engine.Engine ";
        let lines = ["BEGIN (implicit)", "INSERT INTO a VALUES (?)", "[generated in 0.1s] (1,)", "COMMIT", "PRAGMA x"];
        let text = lines.map(|line| format!("{prefix}{line}\n")).concat();
        let reading = SqlalchemyEcho.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let values: Vec<_> = reading.measurements.iter().map(|m| (&*m.metric.name, &m.evidence[0])).collect();
        let counted = |n: f64| Evidence::Value(n);
        assert_eq!(values[0], ("queries", &counted(2.0)));
        assert_eq!(values[2], ("queries:insert", &counted(1.0)));
        assert_eq!(values[5], ("queries:other", &counted(1.0)));
        assert_eq!(values[6], ("transactions", &counted(1.0)));
        assert_eq!(reading.measurements[7].benchmark.as_str(), "INSERT a");
        assert!(reading.measurements.iter().all(|m| m.metric.exact));
    }
}
