//! What a new config changes of the gate's rules, in words.

use std::collections::BTreeSet;
use toml::{Table, Value};

/// Single values: table, key, the word for it, and the default.
const VALUES: [(&str, &str, &str, &str); 5] = [
    ("gate", "threshold", "threshold", "20%"),
    ("gate", "alpha", "alpha", "0.05"),
    ("gate", "fail-on", "fail-on", "regressed, budget, failed"),
    ("store", "url", "store", "git:refs/perfgate/baselines"),
    ("git", "default-branch", "default branch", "that of git"),
];
/// Tables that change which results are compared, or how strictly.
const TABLES: [&str; 8] = ["benchmark", "budget", "goal", "environment", "epoch", "baseline", "rename", "continue"];

/// The changes of the rules from one config to another, which may be empty texts. Text that is not TOML gives no
/// changes: reading the config reports it. Values come from the files: untrusted text.
pub fn rule_changes(old: &str, new: &str) -> Vec<String> {
    let (Ok(old), Ok(new)) = (old.parse::<Table>(), new.parse::<Table>()) else { return Vec::new() };
    let mut changes = Vec::new();
    for (table, key, word, default) in VALUES {
        let value = |file: &Table| file.get(table).and_then(|table| table.get(key)).map_or(default.to_owned(), words);
        let (before, after) = (value(&old), value(&new));
        if before != after {
            let shown = |value: String| if value.is_empty() { "nothing".to_owned() } else { value };
            changes.push(format!("{word} {} → {}", shown(before), shown(after)));
        }
    }
    let waivers = |file: &Table| -> BTreeSet<String> {
        let entries = file.get("accept").and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(Value::as_table).map(waiver).collect()
    };
    let (before, after) = (waivers(&old), waivers(&new));
    changes.extend(after.difference(&before).map(|waiver| format!("accepts {waiver}")));
    changes.extend(before.difference(&after).map(|waiver| format!("no longer accepts {waiver}")));
    let count = |file: &Table, name: &str| match file.get(name) {
        Some(Value::Array(entries)) => entries.len(),
        Some(Value::Table(table)) => table.len(),
        _ => 0,
    };
    for name in TABLES {
        if old.get(name) != new.get(name) {
            changes.push(format!("[{name}] entries changed ({} → {})", count(&old, name), count(&new, name)));
        }
    }
    changes
}

/// A value as text for a sentence.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn waiver(entry: &Table) -> String {
    let field = |key: &str| entry.get(key).map(words);
    let metric = field("metric").map(|metric| format!(" {metric}")).unwrap_or_default();
    let part = |word: &str, key: &str| field(key).map(|value| format!(" {word} {value}")).unwrap_or_default();
    let what = match entry.get("suite") {
        Some(Value::Boolean(true)) => "the change of the whole suite".to_owned(),
        _ => field("benchmark").unwrap_or_default(),
    };
    format!("{what}{metric}{}{}", part("up to", "up-to"), part("until", "until"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_values_are_named() {
        let strict = "[gate]\nthreshold = \"20%\"\n";
        assert_eq!(rule_changes("", strict), Vec::<String>::new(), "the default, written out");
        assert_eq!(rule_changes(strict, "[gate]\nthreshold = \"150%\"\n"), ["threshold 20% → 150%"]);
        assert_eq!(
            rule_changes("", "[gate]\nfail-on = []\n[store]\nurl = \"dir:own\"\n"),
            ["fail-on regressed, budget, failed → nothing", "store git:refs/perfgate/baselines → dir:own"]
        );
        let accept = "[[accept]]\nbenchmark = \"a\"\nmetric = \"time\"\nup-to = \"90%\"\nreason = \"x\"\nuntil = \"2030-01-01\"\n";
        assert_eq!(rule_changes("", accept), ["accepts a time up to 90% until 2030-01-01"]);
        assert_eq!(rule_changes(accept, ""), ["no longer accepts a time up to 90% until 2030-01-01"]);
        let suite = "[[accept]]\nsuite = true\nup-to = \"9%\"\nreason = \"x\"\nuntil = \"2030-01-01\"\n";
        assert_eq!(rule_changes("", suite), ["accepts the change of the whole suite up to 9% until 2030-01-01"]);
        let trunk = "[git]\ndefault-branch = \"trunk\"\n";
        assert_eq!(rule_changes("", trunk), ["default branch that of git → trunk"]);
        let budget = "[[budget]]\nmatch = \"a\"\nmetric = \"time\"\ntarget = \"<5ms\"\n";
        assert_eq!(rule_changes(budget, &budget.replace('5', "9")), ["[budget] entries changed (1 → 1)"]);
        assert_eq!(rule_changes("", "[[input]]\npath = \"x\"\n"), Vec::<String>::new());
        assert_eq!(rule_changes("", "[gate"), Vec::<String>::new());
    }
}
