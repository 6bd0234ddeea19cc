//! Waivers: what reports propose for perfgate.toml, and what `[[accept]]` covers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Answer, Sandbox};

/// A file of exact counts of one metric: name and value.
fn counts(metric: &str, unit: &str, direction: &str, values: &[(&str, f64)]) -> String {
    let one = |(name, value): &(&str, f64)| {
        serde_json::json!({"tool": "t", "benchmark": name, "metric": metric, "unit": unit, "direction": direction,
            "exact": true, "replicates": [{"value": value}]})
    };
    let measurements: Vec<_> = values.iter().map(one).collect();
    serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
}

/// Compares base.json with head.json, then accepts what the comment proposes and compares again.
fn accepting(sandbox: &Sandbox) -> (String, Answer) {
    sandbox.perfgate(&["compare", "base.json", "head.json", "--save", "comparison.json"]).exits(1);
    let comment = sandbox.perfgate(&["render", "comparison.json", "--template", "comment"]).stdout;
    let (_, block) = comment.split_once("```toml\n").unwrap_or_else(|| panic!("no waiver is proposed\n{comment}"));
    let (block, _) = block.split_once("```").unwrap();
    sandbox.write("perfgate.toml", block);
    (block.to_owned(), sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]))
}

#[test]
fn the_proposed_waiver_of_a_large_change_is_valid() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", counts("allocations", "count", "lower", &[("a", 2.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("allocations", "count", "lower", &[("a", 5000.0), ("b", 5.0)]));
    let (waiver, accepted) = accepting(&sandbox);
    assert!(waiver.contains("up-to = \"249900%\""), "{waiver}");
    assert_eq!(accepted.exits(0).outcome("a"), "accepted");
}

#[test]
fn the_proposed_waivers_name_the_number_of_the_others_and_no_empty_name() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..24).map(|at| format!("b{at:02}")).collect();
    let file = |value: f64| {
        let values: Vec<(&str, f64)> =
            [""].into_iter().chain(names.iter().map(String::as_str)).map(|n| (n, value)).collect();
        counts("allocations", "count", "lower", &values)
    };
    sandbox.write("base.json", file(1.0)).write("head.json", file(2.0));
    let (waivers, accepted) = accepting(&sandbox);
    assert_eq!(waivers.matches("[[accept]]").count(), 10, "{waivers}");
    assert!(!waivers.contains("benchmark = \"\""), "{waivers}");
    assert!(
        waivers.ends_with("\n\n# 14 more regressions: copy an entry and change its benchmark, metric and up-to\n"),
        "{waivers}"
    );
    accepted.exits(1);
}

#[test]
fn the_printed_json_has_what_the_proposed_waivers_need() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", counts("allocations", "count", "lower", &[("a", 2.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("allocations", "count", "lower", &[("a", 9.0), ("b", 5.0)]));
    let printed = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]);
    sandbox.write("printed.json", &printed.exits(1).stdout);
    let comment = sandbox.perfgate(&["render", "printed.json", "--template", "comment"]);
    comment.exits(0).prints("[[accept]]\nbenchmark = \"a\"\nmetric = \"allocations\"\n");
}

#[test]
fn the_proposed_waivers_state_that_they_do_not_cover_budgets() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", counts("allocations", "count", "lower", &[("a", 2.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("allocations", "count", "lower", &[("a", 9.0), ("b", 5.0)]));
    let compare = |pattern: &str| {
        let budget = format!("[[budget]]\nmatch = \"{pattern}\"\nmetric = \"allocations\"\ntarget = \"<=3\"\n");
        sandbox.write("perfgate.toml", budget);
        let answer = sandbox.perfgate(&["compare", "base.json", "head.json", "--template", "comment"]);
        answer.exits(1).prints("change the limit").prints("; accepting regressions does not change budgets.");
        answer.stdout
    };
    assert!(
        compare("a").contains("\n# this does not cover the missed budget, whose limit is in a [[budget]] entry\n```")
    );
    assert!(
        compare("*")
            .contains("\n# this does not cover the 2 missed budgets, whose limits are in [[budget]] entries\n```")
    );
}

#[test]
fn a_rise_from_zero_can_be_accepted_by_the_proposed_waiver() {
    for (unit, value, limit) in [("count", 4.0, "<=4"), ("%", 2.5, "<=2.5%"), ("B", 4096.0, "<=4096B")] {
        let sandbox = Sandbox::new();
        sandbox.write("base.json", counts("cost", unit, "lower", &[("a", 0.0), ("b", 5.0)]));
        sandbox.write("head.json", counts("cost", unit, "lower", &[("a", value), ("b", 5.0)]));
        let (waiver, accepted) = accepting(&sandbox);
        assert!(waiver.contains(&format!("up-to = \"{limit}\"")), "{waiver}");
        assert_eq!(accepted.exits(0).outcome("a"), "accepted", "{unit}");
        // A further rise is not covered.
        sandbox.write("head.json", counts("cost", unit, "lower", &[("a", value * 2.0), ("b", 5.0)]));
        let worse = sandbox.perfgate(&["compare", "base.json", "head.json"]);
        worse.exits(1).prints(&format!("worse than the accepted {limit}"));
    }
}

#[test]
fn a_waiver_in_percent_does_not_cover_a_rise_from_zero_and_a_note_gives_the_reason() {
    let sandbox = Sandbox::new();
    let waiver = "[[accept]]\nbenchmark = 'a'\nup-to = '1000%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    sandbox.write("perfgate.toml", waiver);
    sandbox.write("base.json", counts("allocations", "count", "lower", &[("a", 0.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("allocations", "count", "lower", &[("a", 1.0), ("b", 5.0)]));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.exits(1).prints("a change from 0 has no percentage").does_not_print("matches no regression");
}

#[test]
fn the_limit_of_a_waiver_is_in_the_units_of_its_row() {
    let sandbox = Sandbox::new();
    let waiver = "[[accept]]\nbenchmark = 'a'\nup-to = '40%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    sandbox.write("perfgate.toml", waiver);
    sandbox.write("base.json", counts("score", "count", "higher", &[("a", 100.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("score", "count", "higher", &[("a", 60.0), ("b", 5.0)]));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.exits(1).prints("worse than the accepted −28.6% (`up-to` 40% is a factor of 1.40)");
}

#[test]
fn a_waiver_of_an_undecided_benchmark_is_not_called_unused() {
    let sandbox = Sandbox::new();
    let waiver = "[[accept]]\nbenchmark = 'a'\nup-to = '99%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    sandbox.write("perfgate.toml", waiver);
    sandbox.write("base.csv", "name,unit,value\na,ns,100\nb,ns,100\nc,ns,100\n");
    sandbox.write("head.csv", "name,unit,value\na,ns,128\nb,ns,101\nc,ns,99\n");
    let answer = sandbox.perfgate(&["compare", "base.csv", "head.csv"]);
    answer.prints("? inconclusive").does_not_print("remove it");
    answer.prints(
        "note: perfgate.toml:2: the `[[accept]]` entry for \"a\" was not applied: the benchmark is inconclusive",
    );
    sandbox.write("head.csv", "name,unit,value\na,ns,100\nb,ns,101\nc,ns,99\n");
    let answer = sandbox.perfgate(&["compare", "base.csv", "head.csv", "--threshold", "300%"]);
    answer
        .exits(0)
        .prints("the `[[accept]]` entry for \"a\" matches no regression; remove it if no coming change needs it");
}

#[test]
fn a_waiver_that_misses_by_its_metric_names_the_right_one() {
    let sandbox = Sandbox::new();
    let waiver = "[[accept]]\nbenchmark = 'a'\nmetric = 'scroe'\nup-to = '99%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    sandbox.write("perfgate.toml", waiver);
    sandbox.write("base.json", counts("score", "count", "lower", &[("a", 100.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("score", "count", "lower", &[("a", 160.0), ("b", 5.0)]));
    sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(1).prints("did you mean `score`?");
}

#[test]
fn a_waiver_that_misses_by_its_name_names_the_right_benchmark() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", counts("score", "count", "lower", &[("stable", 100.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("score", "count", "lower", &[("stable", 100.0), ("b", 6.0)]));
    for (name, message) in [
        (
            "stabel",
            "the `[[accept]]` entry for \"stabel\" matches no benchmark of these results; did you mean `stable`?",
        ),
        ("of the next release", "matches no benchmark of these results; correct or remove it"),
    ] {
        let waiver = format!("[[accept]]\nbenchmark = '{name}'\nup-to = '99%'\nreason = 'r'\nuntil = '2999-01-01'\n");
        sandbox.write("perfgate.toml", waiver);
        sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(0).prints(message);
    }
}

#[test]
fn a_waiver_that_is_not_enough_leaves_no_note_where_another_one_covers() {
    let sandbox = Sandbox::new();
    let waiver = |metric: &str, up_to: &str| {
        format!("[[accept]]\nbenchmark = 'a'\n{metric}up-to = '{up_to}'\nreason = 'r'\nuntil = '2999-01-01'\n")
    };
    let (of_40, of_65) = (waiver("", "40%"), waiver("metric = 'allocations'\n", "65%"));
    sandbox.write("base.json", counts("allocations", "count", "lower", &[("a", 100.0), ("b", 5.0)]));
    sandbox.write("head.json", counts("allocations", "count", "lower", &[("a", 160.0), ("b", 5.0)]));
    sandbox.write("perfgate.toml", &of_40);
    sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(1).prints("worse than the accepted 40%");
    for (config, unused) in [(of_40.clone() + &of_65, 2), (of_65.clone() + &of_40, 8)] {
        sandbox.write("perfgate.toml", config);
        let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
        answer.exits(0).prints("accepted until 2999-01-01; reason: r").does_not_print("worse than the accepted");
        answer.prints(&format!("perfgate.toml:{unused}: the `[[accept]]` entry for \"a\" has no effect"));
    }
}

#[test]
fn the_proposed_waiver_names_the_measured_change_where_it_accepts_more() {
    let sandbox = Sandbox::new();
    for at in 0..10 {
        let name = format!("b{at}");
        let head = if at == 0 { 3000.0 } else { 1000.0 };
        sandbox.bench("base", &name, 1000.0, 1).bench("head", &name, head, 2);
    }
    let comment = sandbox.perfgate(&["compare", "base", "head", "--template", "comment"]).exits(1).stdout.clone();
    let line = comment.lines().find(|line| line.starts_with("up-to = ")).unwrap();
    let (up_to, remark) = line.split_once("%\" # measured: +").unwrap_or_else(|| panic!("no remark: {line}"));
    let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("not a number: {text}"));
    let (measured, rest) = remark.split_once('%').unwrap();
    assert!(number(up_to.trim_start_matches("up-to = \"")) > number(measured), "{line}");
    assert_eq!(rest, "; this is the worse end of its 95% interval, rounded up");
}
