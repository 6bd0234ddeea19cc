//! Rules and renames that have no effect on the results at hand: usually a spelling mistake, or a character that has a
//! meaning in patterns.

use super::Policy;
use super::pattern::Pattern;
use super::quantity::Quantity;
use super::rule::{Rule, UnusedPart};
use super::suggest::{closest, nearest_name};
use crate::model::{Diagnostic, Direction, Unit};
use std::collections::BTreeSet;

/// Characters of names that have a meaning in patterns. `*` does not count: few names have it.
const SPECIAL: [char; 6] = ['[', ']', '{', '}', '?', '\\'];

/// A measured metric of a benchmark.
#[derive(Debug, Clone)]
pub struct MeasuredMetric<'n> {
    /// The benchmark's name.
    pub benchmark: &'n str,
    /// The metric's name.
    pub metric: &'n str,
    /// Its unit.
    pub unit: Unit,
    /// Its better direction, as the comparison used it.
    pub direction: Direction,
}

impl Policy {
    /// Warnings: for each `[[benchmark]]` rule that matches no benchmark and metric of these results, for each of its
    /// settings without effect, and for each epoch that matches no benchmark.
    pub fn unused_rules(&self, results: &[MeasuredMetric<'_>]) -> Vec<Diagnostic> {
        let names = || results.iter().map(|one| one.benchmark);
        let rules =
            self.rules.unused(results).into_iter().map(|(rule, unused)| self.unused_rule(rule, unused, results));
        let epochs = self.epochs.iter().filter(|epoch| !names().any(|name| epoch.pattern.matches(name)));
        let epochs = epochs.map(|epoch| {
            let pattern = epoch.pattern.as_str();
            let help = intended(pattern, names()).unwrap_or_else(|| "correct or remove it".to_owned());
            let message = format!("the epoch for `{pattern}` matches nothing in these results; {help}");
            Diagnostic::warning("epoch-unused", self.place(epoch.line), message)
        });
        rules.chain(epochs).collect()
    }

    /// A warning for each `direction` of a `[[benchmark]]` that has no effect on these results.
    pub fn unused_directions(&self, results: &[MeasuredMetric<'_>]) -> Vec<Diagnostic> {
        let unused = self.rules.unused(results).into_iter().filter(|(_, unused)| *unused == UnusedPart::Direction);
        unused.map(|(rule, unused)| self.unused_rule(rule, unused, results)).collect()
    }

    fn unused_rule(&self, rule: &Rule, unused: UnusedPart, results: &[MeasuredMetric<'_>]) -> Diagnostic {
        let pattern = rule.benchmark.as_str();
        let named = match &rule.metric {
            Some(metric) => format!("{} of {pattern}", metric.as_str()),
            None => pattern.to_owned(),
        };
        let (code, message) = match unused {
            UnusedPart::Rule => {
                let of_name = results.iter().filter(|one| rule.benchmark.matches(one.benchmark));
                let metrics: BTreeSet<&str> = of_name.map(|one| one.metric).collect();
                let names = results.iter().map(|one| one.benchmark);
                let help = match rule.metric.as_ref().filter(|_| !metrics.is_empty()) {
                    Some(metric) => intended_metric(metric.as_str(), &metrics),
                    None => intended(pattern, names).unwrap_or_else(|| "correct or remove it".to_owned()),
                };
                ("rule-unused", format!("the rule for `{named}` matches nothing in these results; {help}"))
            }
            UnusedPart::Floor(unit) => {
                let example = Quantity::example(&unit);
                let what = format!("the floor of the rule for `{named}` has no effect: the values are in {unit}");
                ("floor-unused", format!("{what}; write a floor like \"{example}\""))
            }
            UnusedPart::Direction => {
                let why = match rule.metric {
                    Some(_) => "the results state the better direction; remove `direction`",
                    None => {
                        "the better direction is already known; remove `direction`, or add `metric` to override a direction that follows \
                         from the unit or the name"
                    }
                };
                let what = format!("the direction of the rule for `{named}` has no effect: {why}");
                ("direction-unused", what)
            }
        };
        Diagnostic::warning(code, self.place(rule.line), message)
    }

    /// A warning for each line of `[rename]` of which no result has the old or the new name.
    pub fn unused_renames<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<Diagnostic> {
        let names: BTreeSet<&str> = names.collect();
        let warning = |(old, new, line): (&str, &str, usize)| {
            let near = nearest_name(new, names.iter().copied()).or_else(|| nearest_name(old, names.iter().copied()));
            let help = match near {
                Some(name) => format!("did you mean `{name}`?"),
                None => "correct or remove it".to_owned(),
            };
            let message = format!("no result is named `{old}` or `{new}`, so the rename has no effect; {help}");
            Diagnostic::warning("rename-unused", self.place(line), message)
        };
        self.renames.unused(&names).map(warning).collect()
    }
}

/// How to fix a metric that no matching benchmark has: the most similar metric, or all of them.
pub(crate) fn intended_metric(metric: &str, metrics: &BTreeSet<&str>) -> String {
    match closest(metric, metrics.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("its benchmarks have the metrics {}", metrics.iter().copied().collect::<Vec<_>>().join(", ")),
    }
}

/// A hint how to fix a pattern that matches none of the names.
pub(crate) fn intended<'n>(pattern: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    if let Some(literal) = literal(pattern, names.clone()) {
        return Some(format!("it would match as plain text: write match = '{literal}', in single quotes"));
    }
    nearest_name(pattern, names).map(|name| format!("did you mean `{name}`?"))
}

/// The pattern with its special characters except `*` escaped, if that matches one of the names.
fn literal<'n>(pattern: &str, mut names: impl Iterator<Item = &'n str>) -> Option<String> {
    if !pattern.contains(SPECIAL) {
        return None;
    }
    let mut escaped = String::new();
    for c in pattern.chars() {
        if SPECIAL.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    let plain = Pattern::new(&escaped).ok()?;
    names.any(|name| plain.matches(name)).then_some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(config: &str, names: &[&str]) -> Vec<String> {
        let policy = Policy::parse(config, "perfgate.toml").unwrap();
        let time = |name| MeasuredMetric {
            benchmark: name,
            metric: "time",
            unit: Unit::Nanosecond,
            direction: Direction::Lower,
        };
        let rules = policy.unused_rules(&names.iter().copied().map(time).collect::<Vec<_>>());
        let renames = policy.unused_renames(names.iter().copied());
        rules.into_iter().chain(renames).map(|warning| warning.to_string()).collect()
    }

    #[test]
    fn a_rule_that_matches_nothing_is_reported_with_its_literal_form() {
        let rule = |pattern: &str| format!("[[benchmark]]\nmatch = '{pattern}'\nthreshold = '5%'\n");
        let names = ["u64[0]/std::fmt", "parse/large"];
        assert_eq!(warnings(&rule("parse/*"), &names), <Vec<String>>::new());
        assert_eq!(warnings(&rule(r"u64\[0\]/*"), &names), <Vec<String>>::new());
        let [class] = &warnings(&rule("u64[0]/*"), &names)[..] else { panic!() };
        assert!(class.contains(r"match = 'u64\[0\]/*'") && class.contains("perfgate.toml:2"), "{class}");
        let [missing] = &warnings(&rule("parser/*"), &names)[..] else { panic!() };
        assert!(
            missing.contains("`parser/*` matches nothing") && missing.contains("did you mean `parse/large`?"),
            "{missing}"
        );
        let of_metric = rule("parse/*") + "metric = 'memory'\n";
        let [metric] = &warnings(&of_metric, &names)[..] else { panic!() };
        assert!(metric.contains("its benchmarks have the metrics time"), "{metric}");
        let [typo] = &warnings(&of_metric.replace("memory", "tme"), &names)[..] else { panic!() };
        assert!(typo.contains("`tme of parse/*` matches nothing") && typo.contains("did you mean `time`?"), "{typo}");
    }

    #[test]
    fn settings_and_epochs_without_effect_are_reported() {
        let rule = |setting: &str| format!("[[benchmark]]\nmatch = 'a*'\n{setting}\n");
        let one = |config: &str| warnings(config, &["a1", "b"]).join("\n");
        for used in ["floor = '5ns'", "threshold = '5%'", "direction = 'lower'"] {
            assert_eq!(one(&rule(used)), "", "{used}");
        }
        for floor in ["500 MB", "5"] {
            let warning = one(&rule(&format!("floor = '{floor}'\nthreshold = '5%'")));
            assert!(warning.contains("perfgate.toml:2: the floor of the rule for `a*` has no effect"), "{warning}");
            assert!(warning.contains("write a floor like \"5ns\""), "{warning}");
        }
        let direction = one(&rule("direction = 'higher'"));
        assert!(direction.contains("the direction of the rule for `a*` has no effect"), "{direction}");
        let epoch = |pattern: &str| format!("[[epoch]]\nmatch = '{pattern}'\nfrom = 'v2'\nreason = 'r'\n");
        assert_eq!(one(&epoch("a*")), "");
        assert!(one(&epoch("c*")).contains("perfgate.toml:2: the epoch for `c*` matches nothing"));
    }

    #[test]
    fn a_rename_is_used_while_a_result_has_either_name() {
        let config = "[rename]\n'old' = 'new'\n";
        assert_eq!((warnings(config, &["old"]).len(), warnings(config, &["new"]).len()), (0, 0));
        assert!(warnings(config, &["other"])[0].contains("perfgate.toml:2: no result is named `old` or `new`"));
        let config = "[rename]\n'old.*' = 'new.*'\n";
        assert_eq!((warnings(config, &["old.a"]).len(), warnings(config, &["new.a"]).len()), (0, 0));
        assert!(warnings(config, &["other"])[0].contains("perfgate.toml:2: no result is named `old.*` or `new.*`"));
        // A single letter is in most names.
        let short = &warnings("[rename]\n'x*' = 'y*'\n", &["fn0"])[0];
        assert!(short.contains("correct or remove it"), "{short}");
    }
}
