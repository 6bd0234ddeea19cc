//! SQLAlchemy's echo log: exact counts of statements by type and by table. Statements that run many times are reported,
//! since they are often queries in a loop (N+1).

use super::builder::ReadingBuilder;
use super::text::decode;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Statement, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the benchmark for all statements together.
const ALL: &str = "all statements";
/// Number of executions from which a statement is reported as repeated.
const REPEATED: u64 = 5;
/// Maximum number of repeated statements to report.
const MAX_REPORTED: usize = 5;

/// The echo log of an engine.
pub struct SqlalchemyEcho;

impl Format for SqlalchemyEcho {
    fn name(&self) -> &'static str {
        "sqlalchemy-echo"
    }

    fn produced_by(&self) -> &'static str {
        "create_engine(..., echo=True), with its log saved to a file"
    }

    fn metrics(&self) -> &'static str {
        "exact counts: queries, queries:select/insert/update/delete/other and transactions of all statements; queries by \
         statement and table (`SELECT book` counts the SELECTs that read it, including joins)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        !preview.is_json() && preview.lines().any(|line| engine_message(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let text = decode(source)?;
        let mut builder = ReadingBuilder::new("sqlalchemy-echo", source);
        let mut counts = Counts::default();
        let mut statement: Option<String> = None;
        let mut logged = false;
        for line in text.lines() {
            match engine_message(line) {
                Some(message) => {
                    logged = true;
                    if let Some(done) = statement.take() {
                        counts.add(&done);
                    }
                    // Parameters are logged after the statement, in brackets or, by old versions, without.
                    if !message.starts_with(['[', '(', '{']) || message.starts_with("(SELECT") {
                        statement = Some(message.to_owned());
                    }
                }
                // Further lines of a statement have no log prefix.
                None => {
                    if let Some(statement) = &mut statement {
                        statement.push('\n');
                        statement.push_str(line);
                    }
                }
            }
        }
        if let Some(done) = statement {
            counts.add(&done);
        }
        if logged {
            counts.add_to(&mut builder);
        }
        builder.finish()
    }
}

/// The message of an engine's log line: the text after `sqlalchemy.engine.Engine` or `sqlalchemy.engine.base.Engine` and an
/// optional logging name.
fn engine_message(line: &str) -> Option<&str> {
    let at = line.find("sqlalchemy.engine.")?;
    let (before, rest) = line.split_at(at);
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_')))?;
    let (logger, behind) = rest.split_at(end);
    // Depending on the log format the level is before or after the logger's name. Prose contains no level.
    let level = |text: &str| text.contains("INFO") || text.contains("DEBUG");
    let engine = logger.split('.').any(|part| part == "Engine" || part == "base");
    if !engine || !(before.is_empty() || level(before) || level(behind)) {
        return None;
    }
    let message = behind.trim_start_matches([':', ' ', ']', '-']);
    let message = message.strip_prefix("INFO").or(message.strip_prefix("DEBUG")).unwrap_or(message);
    Some(message.trim_start_matches([':', ' ', ']', '-']))
}

/// Types of statements that are counted separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StatementType {
    Select,
    Insert,
    Update,
    Delete,
    Other,
}

impl StatementType {
    const ALL: [(StatementType, &'static str, &'static str); 5] = [
        (StatementType::Select, "SELECT", "queries:select"),
        (StatementType::Insert, "INSERT", "queries:insert"),
        (StatementType::Update, "UPDATE", "queries:update"),
        (StatementType::Delete, "DELETE", "queries:delete"),
        (StatementType::Other, "", "queries:other"),
    ];

    fn of(word: &str) -> Option<StatementType> {
        let found = Self::ALL.iter().find(|(_, name, _)| !name.is_empty() && word.eq_ignore_ascii_case(name));
        found.map(|(statement_type, _, _)| *statement_type)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(statement_type, _, _)| *statement_type == self).map_or("", |(_, word, _)| word)
    }
}

#[derive(Default)]
struct Counts {
    by_type: BTreeMap<StatementType, u64>,
    by_table: BTreeMap<(StatementType, String), u64>,
    by_text: BTreeMap<String, u64>,
    transactions: u64,
}

impl Counts {
    fn add(&mut self, statement: &str) {
        let words = words(statement);
        let Some(first) = words.iter().find(|word| **word != "(") else { return };
        let is = |name: &str| first.eq_ignore_ascii_case(name);
        if is("BEGIN") {
            self.transactions += 1;
            return;
        }
        // Ends of transactions, and the results that engines log in debug mode.
        if ["COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "Col", "Row"].into_iter().any(is) {
            return;
        }
        let statement_type = if is("WITH") { main_statement_type(&words) } else { StatementType::of(first) }
            .unwrap_or(StatementType::Other);
        *self.by_type.entry(statement_type).or_default() += 1;
        if statement_type != StatementType::Other {
            for table in tables(&words) {
                *self.by_table.entry((statement_type, table)).or_default() += 1;
            }
        }
        *self.by_text.entry(words.join(" ")).or_default() += 1;
    }

    fn add_to(self, builder: &mut ReadingBuilder<'_>) {
        let queries = |name: &'static str| Metric::counted(name, Unit::Count, Direction::Lower);
        let count = |count: u64| Evidence::Value(count as f64);
        builder.add(ALL, queries("queries"), [count(self.by_type.values().sum())]);
        for (statement_type, _, metric) in StatementType::ALL {
            builder.add(ALL, queries(metric), [count(self.by_type.get(&statement_type).copied().unwrap_or(0))]);
        }
        builder.add(ALL, queries("transactions"), [count(self.transactions)]);
        for ((statement_type, table), number) in self.by_table {
            builder.add(&format!("{} {table}", statement_type.word()), queries("queries"), [count(number)]);
        }
        builder.repeated();
        let mut repeated: Vec<_> = self.by_text.into_iter().filter(|(_, number)| *number >= REPEATED).collect();
        repeated.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        for (text, number) in repeated.into_iter().take(MAX_REPORTED) {
            let text = shortened(&text);
            let code = if text.contains('`') { text.clone() } else { format!("`{text}`") };
            builder.note("repeated-statement", format!("runs {number} times (possibly one query per row): {code}"));
            builder.repeated().push(Statement { text, times: number });
        }
    }
}

fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(200) {
        Some((at, _)) => format!("{} ...", &statement[..at]),
        None => statement.to_owned(),
    }
}

/// The words of a statement: names with dots and quotes, commas and brackets, without comments.
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
            c if is_name_char(c) => rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '`' | '$' | ':' | '%' | '[' | ']')
}

/// The type of a statement that begins with WITH: that of the first keyword outside brackets.
fn main_statement_type(words: &[&str]) -> Option<StatementType> {
    let mut depth = 0i64;
    words.iter().find_map(|word| {
        depth += i64::from(*word == "(") - i64::from(*word == ")");
        if depth == 0 { StatementType::of(word) } else { None }
    })
}

/// The tables that a statement names after FROM, JOIN, INTO and UPDATE, without quotes.
fn tables(words: &[&str]) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    let mut in_list = false; // in `FROM a, b AS c`
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
    fn log_lines_of_several_formats_are_detected() {
        let message = |line| engine_message(line);
        assert_eq!(message("2026-11-21 09:08:27,939 INFO sqlalchemy.engine.Engine SELECT 1"), Some("SELECT 1"));
        assert_eq!(message("INFO:sqlalchemy.engine.Engine:SELECT 1"), Some("SELECT 1"));
        assert_eq!(message("INFO sqlalchemy.engine.base.Engine.mine ()"), Some("()"));
        assert_eq!(message("[sqlalchemy.engine.Engine] INFO: COMMIT"), Some("COMMIT"));
        assert_eq!(message("see the docs of sqlalchemy.engine.Engine for more"), None);
        assert_eq!(message("import sqlalchemy.engine.url"), None);
    }

    #[test]
    fn tables_are_found_in_all_clauses() {
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
    fn a_with_statement_has_the_type_of_its_main_statement() {
        let statement_type = |statement| main_statement_type(&words(statement));
        assert_eq!(statement_type("WITH t AS (SELECT 1) DELETE FROM a"), Some(StatementType::Delete));
        assert_eq!(statement_type("WITH t AS (SELECT 1"), None);
    }

    #[test]
    fn transactions_and_parameters_are_not_counted_as_queries() {
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
