//! Valid and invalid configs: `tests/data/policy/X.toml`, with the expected messages in `X.stderr` if it is invalid.

#![allow(clippy::expect_used, clippy::panic)] // clippy's exemption for tests does not cover helper functions

use perfgate::model::{Direction, Metric, Unit};
use perfgate::policy::{FailOn, Policy, UpTo};
use std::path::{Path, PathBuf};

const FORMATS: [&str; 2] = ["criterion", "hyperfine"];

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy");
    let entries = std::fs::read_dir(folder).expect("the folder of cases").map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    cases.sort();
    cases
}

/// Messages about a file; empty if it is valid.
fn messages(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("a case");
    Policy::read(&bytes, "perfgate.toml", &FORMATS).map_or_else(|problems| problems.render(false), |_| String::new())
}

#[test]
fn every_config_gives_the_expected_messages() {
    let cases = cases();
    assert!(cases.len() >= 15, "cases are missing");
    let mut wrong = Vec::new();
    for case in &cases {
        let path = case.with_extension("stderr");
        let actual = messages(case);
        if std::env::var_os("PERFGATE_BLESS").is_some() && !actual.is_empty() {
            std::fs::write(&path, &actual).expect("the expected messages are written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if actual != expected {
            wrong.push(format!("{}:\n--- expected\n{expected}--- actual\n{actual}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Parses a config that must be valid.
fn policy(text: &str) -> Policy {
    Policy::parse(text, "perfgate.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

/// Code, line and column of every problem of a config.
fn positions(text: &str) -> Vec<(&'static str, usize, usize)> {
    let problems = Policy::parse(text, "perfgate.toml").expect_err("an invalid config");
    problems.iter().map(|p| (p.code, p.line, p.column)).collect()
}

/// The threshold that applies to a benchmark and metric.
fn threshold(policy: &Policy, benchmark: &str, metric: &Metric) -> f64 {
    policy.benchmark_settings(benchmark, metric).threshold.unwrap_or(policy.gate_threshold())
}

fn floor(policy: &Policy, benchmark: &str, metric: &Metric) -> Option<f64> {
    policy.benchmark_settings(benchmark, metric).floor
}

fn memory() -> Metric {
    Metric::measured("memory:peak", Unit::Byte, Direction::Lower)
}

#[test]
fn an_empty_config_gives_the_defaults() {
    for policy in [policy(""), policy("# nothing\n"), Policy::default()] {
        assert_eq!(threshold(&policy, "any", &Metric::time()), 0.2);
        assert_eq!(policy.alpha(), 0.05);
        assert_eq!(policy.store_url(), "git:refs/perfgate/baselines");
        let fails: Vec<FailOn> = FailOn::ALL.into_iter().filter(|reason| policy.fails_on(*reason)).collect();
        assert_eq!(fails, [FailOn::Regressed, FailOn::Budget, FailOn::Failed]);
    }
}

#[test]
fn the_documented_example_has_its_documented_meaning() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy/contract.toml"));
    let policy = policy(&text.expect("the example"));
    assert_eq!(threshold(&policy, "parse/large", &Metric::time()), 0.1);
    assert_eq!(floor(&policy, "parse/large", &Metric::time()), Some(5.0));
    assert_eq!(threshold(&policy, "render", &Metric::time()), 0.2);
    assert_eq!(policy.ignored_environment(), ["cpu"]);
    assert_eq!(policy.inputs()[0].path, "target/criterion");
    assert_eq!(policy.rename("old/name").as_deref(), Some("new/name"));
    assert_eq!(policy.rename("new/name"), None);

    let budget = &policy.budgets()[0];
    assert!(budget.pattern.matches("api/read_user") && !budget.pattern.matches("api/read_users"));
    assert_eq!(budget.metric, "time:p95");
    assert_eq!(budget.target.to_string(), "<50ms");
    assert_eq!(budget.target.limit_value(&Unit::Nanosecond, None), Some(50_000_000.0));
    assert_eq!(budget.acceptable.as_ref().and_then(|a| a.limit_value(&Unit::Nanosecond, None)), Some(100_000_000.0));

    let waiver = &policy.waivers()[0];
    assert!(waiver.covers("parse/large", "time") && !waiver.covers("parse/larger", "time"));
    assert_eq!((&waiver.up_to, waiver.reason.as_str()), (&UpTo::Change(0.35), "bounds checks, see #412"));
    assert_eq!(policy.place(waiver.line), "perfgate.toml:22");
    assert!(!waiver.is_expired(jiff::civil::date(2027, 3, 1)));
    assert!(waiver.is_expired(jiff::civil::date(2027, 3, 2)));
}

#[test]
fn the_most_specific_rule_wins_for_each_setting() {
    let policy = policy(
        r#"
        benchmark = [
            { match = "parse/large", floor = "5ns" },
            { match = "*", threshold = "50%", floor = "1us" },
            { match = "parse/*", threshold = "10%" },
            { match = "*/large", threshold = "30%" },
            { match = "pars?/*", threshold = "40%" },
        ]"#,
    );
    let threshold = |name| threshold(&policy, name, &Metric::time());
    assert_eq!(threshold("parse/a/b"), 0.1); // `parse/*` has six literals and one wildcard; `pars?/*` has five and two
    assert_eq!(threshold("parse/large"), 0.3); // `parse/*` and `*/large` have six and one: the later one wins
    assert_eq!(threshold("render"), 0.5);
    assert_eq!(floor(&policy, "parse/large", &Metric::time()), Some(5.0));
    assert_eq!(floor(&policy, "parse/small", &Metric::time()), Some(1000.0));
    assert_eq!(policy.benchmark_settings("parse/large", &Metric::time()).floor_line, Some(3));
}

#[test]
fn of_two_equal_rules_the_later_one_wins() {
    let policy =
        policy("benchmark = [{ match = \"a*\", threshold = \"10%\" }, { match = \"*b\", threshold = \"30%\" }]");
    assert_eq!(threshold(&policy, "ab", &Metric::time()), 0.3);
}

#[test]
fn a_rule_for_one_metric_does_not_affect_others() {
    let policy = policy(
        r#"
        [[benchmark]]
        match = "a"
        metric = "memory*"
        threshold = "2%"
        floor = "1 KiB"
        [[benchmark]]
        match = "a"
        threshold = "15%"
        floor = "5ns"
        "#,
    );
    assert_eq!((threshold(&policy, "a", &memory()), floor(&policy, "a", &memory())), (0.02, Some(1024.0)));
    let time = Metric::time();
    assert_eq!((threshold(&policy, "a", &time), floor(&policy, "a", &time)), (0.15, Some(5.0)));
}

#[test]
fn a_floor_in_another_unit_is_ignored() {
    let policy = policy("[[benchmark]]\nmatch = \"*\"\nfloor = \"5ns\"\n[[benchmark]]\nmatch = \"b\"\nfloor = 3\n");
    assert_eq!(floor(&policy, "a", &memory()), None);
    assert_eq!(floor(&policy, "b", &Metric::time()), Some(5.0));
    assert_eq!(floor(&policy, "b", &Metric::counted("queries", Unit::Count, Direction::Lower)), Some(3.0));
}

#[test]
fn the_command_line_overrides_only_the_gate_table() {
    let policy = policy("[[benchmark]]\nmatch = \"a\"\nthreshold = \"10%\"\n")
        .with_threshold(0.4)
        .with_alpha(0.01)
        .with_fail_on([FailOn::Removed]);
    assert_eq!(threshold(&policy, "a", &Metric::time()), 0.1);
    assert_eq!(threshold(&policy, "b", &Metric::time()), 0.4);
    assert_eq!(policy.alpha(), 0.01);
    assert!(policy.fails_on(FailOn::Removed) && !policy.fails_on(FailOn::Regressed));
}

#[test]
fn a_waiver_for_one_metric_does_not_cover_others() {
    let policy = policy(
        "[[accept]]\nbenchmark = \"a*\"\nmetric = \"time\"\nup-to = \"30%\"\nreason = \"r\"\nuntil = 2027-01-31\n",
    );
    let waiver = &policy.waivers()[0];
    assert!(waiver.covers("a*", "time") && !waiver.covers("a*", "memory:peak"));
    assert!(!waiver.covers("ab", "time"), "a waiver's name is exact");
}

#[test]
fn a_waiver_is_for_a_benchmark_or_for_the_suite() {
    let waiver = |lines: &str| format!("[[accept]]\n{lines}\nreason = \"r\"\nuntil = 2027-01-31\n");
    let whole = waiver("suite = true\nup-to = \"12%\"");
    let of_suite = policy(&whole);
    assert!(of_suite.waivers().is_empty());
    assert_eq!(of_suite.suite_waiver().map(|waiver| (waiver.up_to, waiver.line)), Some((0.12, 2)));
    let both = waiver("suite = true\nbenchmark = \"a\"\nup-to = \"12%\"");
    for (text, problem) in [
        (both, "an [[accept]] is for a benchmark or, with `suite = true`, for the whole suite"),
        (waiver("suite = true\nup-to = \"<=4\""), "the whole suite has no value to limit"),
        (waiver("suite = false\nup-to = \"12%\""), "this [[accept]] has no `benchmark`"),
        (waiver("suite = \"yes\"\nbenchmark = \"a\"\nup-to = \"12%\""), "write true, without quotes"),
        (format!("{whole}{whole}"), "suite `true` is already set on line 2"),
    ] {
        let problems = Policy::parse(&text, "perfgate.toml").expect_err("an invalid config").render(false);
        assert!(problems.contains(problem), "{problems}");
    }
}

#[test]
fn renames_lead_to_the_current_name() {
    let policy = policy("[rename]\n\"b\" = \"c\"\n\"a\" = \"b\"\n");
    let current = ["a", "b", "c"].map(|old| policy.rename(old));
    assert_eq!(current.each_ref().map(Option::as_deref), [Some("c"), Some("c"), None]);
}

#[test]
fn positions_are_counted_in_lines_and_characters() {
    assert_eq!(positions("[gate]\r\nalpha = 2\r\n"), [("bad-alpha", 2, 9)]);
    assert_eq!(positions("\u{feff}x = 1"), [("unknown-key", 1, 1)]);
    assert_eq!(positions("[gate]\n'é' = 1\nthreshold = 9"), [("unknown-key", 2, 1), ("bad-share", 3, 13)]);
    assert_eq!(positions("a = { é = 1"), [("config-syntax", 1, 7), ("config-syntax", 1, 12)]); // `é` is not a bare key, and `}` is missing
}

#[test]
fn colours_are_used_only_on_request() {
    let problems = Policy::parse("x = 1", "perfgate.toml").expect_err("an invalid config");
    assert!(problems.render(true).contains("\u{1b}["));
    assert!(!problems.render(false).contains('\u{1b}'));
    assert_eq!(problems.to_string(), problems.render(false));
}

#[test]
fn a_huge_config_is_read_and_applied_quickly() {
    let rules = (0..2_000).map(|i| format!("[[benchmark]]\nmatch = \"group{i}/*\"\nthreshold = \"{}%\"\n", i % 90 + 1));
    let policy = policy(&rules.collect::<String>());
    for i in 0..2_000u32 {
        let expected = f64::from(i % 90 + 1) / 100.0;
        assert_eq!(threshold(&policy, &format!("group{i}/x"), &Metric::time()), expected);
    }
    let broken = "[[benchmark]]\n".repeat(20_000);
    let problems = Policy::parse(&broken, "perfgate.toml").expect_err("nothing but empty rules");
    assert_eq!(problems.iter().len(), 40_000); // each without `match` and without a setting
    assert!(problems.render(false).len() < 100_000);
}

#[test]
fn deep_nesting_is_reported_and_does_not_crash() {
    for text in ["x = ".to_owned() + &"[".repeat(100_000), "[a".to_owned() + &".a".repeat(100_000) + "]"] {
        let problems = Policy::parse(&text, "perfgate.toml").expect_err("an invalid config");
        assert!(problems.render(false).len() < 100_000);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    const ESCAPE: char = '\u{1b}';

    /// Random sequences of tokens that occur in configs, so that some come close to being valid.
    fn config_like_bytes() -> impl Strategy<Value = Vec<u8>> {
        let tokens = "[gate]|[[benchmark]]|[[accept]]|[[budget]]|[rename]|[environment]|[[input]]|[store]|threshold|alpha|\
            fail-on|match|metric|floor|target|acceptable|until|up-to|reason|benchmark|ignore|url|path|format|=|=|=|=|\n|\n|\n|\n|\
            \"20%\"|\"<5ms\"|\"a*\"|\"[\"|'\\'|\"-60%\"|\"é\u{202e}\"|0.2|1e400|0x7f|-1|nan|inf|true|2027-02-30|2027-03-01|[|]|{|}|,|.|#|\r|\t|\"\"\"|\0";
        let token = proptest::sample::select(tokens.split('|').map(str::as_bytes).collect::<Vec<_>>());
        let odd = proptest::collection::vec(any::<u8>(), 0..4);
        let part = prop_oneof![12 => token.prop_map(<[u8]>::to_vec), 1 => odd];
        proptest::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_policy_or_problems_that_render(bytes in config_like_bytes()) {
            if let Err(problems) = Policy::read(&bytes, "p\u{1b}.toml", &FORMATS) {
                let lines = bytes.split(|b| *b == b'\n').count();
                prop_assert!(problems.iter().len() > 0);
                prop_assert!(problems.iter().all(|p| p.line >= 1 && p.line <= lines && p.column >= 1));
                prop_assert!(!problems.render(false).contains(ESCAPE));
                problems.render(true);
            }
        }

        #[test]
        fn wildcards_match_like_a_simple_matcher(pattern in "[ab./]?([*?]?[ab./]){1,5}[*?]?", name in "[ab./\n]{0,9}") {
            // globset treats names as paths and `..` as not a file, so a pattern that ends in a dot does not match it.
            prop_assume!(name != ".." && !name.ends_with("/.."));
            let policy = policy(&format!("[[budget]]\nmatch = \"{pattern}\"\nmetric = \"time\"\ntarget = \"<1s\"\n"));
            let expected = pattern == name || wild(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(policy.budgets()[0].pattern.matches(&name), expected, "{} {:?}", pattern, name);
        }
    }

    fn wild(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => wild(rest, name) || (!name.is_empty() && wild(pattern, &name[1..])),
            ([b'?', rest @ ..], [_, name @ ..]) => wild(rest, name),
            ([p, rest @ ..], [n, name @ ..]) => p == n && wild(rest, name),
            _ => false,
        }
    }
}
