//! Checks every value of the raw config and builds the [`Policy`].

use super::limit;
use super::pattern::Pattern;
use super::problem::{Invalid, Lines, Sink, printable};
use super::quantity::{self, Quantity};
use super::raw::{self, RawConfig};
use super::rule::{Rule, Rules};
use super::star::Mapping;
use super::suggest::closest;
use super::value::{self, FailOn, Scalar};
use super::{Budget, Epoch, GateSettings, Goal, InputRule, Pin, Policy, Start, rename, waiver};
use crate::model::Environment;
use std::collections::BTreeMap;
use toml::Spanned;

/// Builds the policy of a file; it is valid only if no problem was added to the sink. `formats` are the known input
/// formats; if empty, formats are not checked.
pub(super) fn validate(raw: RawConfig, lines: &Lines, formats: &[&str], sink: &mut Sink) -> Policy {
    let mut policy = Policy { gate: gate(&raw, sink), ..Policy::default() };
    let RawConfig {
        store_url,
        ignored,
        inputs,
        benchmarks,
        budgets,
        goals,
        accepts,
        epochs,
        pin,
        branches,
        default_branch,
        renames,
        continued,
        fields,
        ..
    } = raw;
    if let Some(url) = store_url {
        sink.value_or_report(url.span(), value::store_url(url.get_ref()));
        policy.store_url = url.into_inner();
    }
    policy.ignored =
        ignored.iter().filter_map(|fact| sink.value_or_report(fact.span(), class_fact(fact.get_ref()))).collect();
    policy.inputs = self::inputs(inputs, lines, formats, sink);
    policy.rules = rules(benchmarks, lines, sink);
    policy.budgets = self::budgets(budgets, lines, sink);
    policy.goals = self::goals(goals, lines, sink);
    policy.fields = fields.into_iter().collect();
    (policy.waivers, policy.suite_waiver) = waiver::validate(accepts, lines, sink);
    policy.epochs = self::epochs(epochs, lines, sink);
    policy.pin = pin.and_then(|pin| not_empty(pin, "a revision", sink)).map(|pin| {
        let line = lines.line(pin.span().start);
        Pin { revision: pin.into_inner(), line }
    });
    let branch = |text: Spanned<String>, sink: &mut Sink| {
        let text = not_empty(text, "a branch", sink)?;
        sink.value_or_report(text.span(), Pattern::new(text.get_ref()))
    };
    policy.branches = branches.into_iter().filter_map(|text| branch(text, sink)).collect();
    policy.default_branch = default_branch.and_then(|name| not_empty(name, "a branch", sink)).map(Spanned::into_inner);
    policy.renames = rename::Renames::read(renames, lines, sink);
    let continued = continued.into_iter().filter_map(|raw::RawContinuation { from, to }| Some((from?, to?)));
    policy.continued = continued.filter_map(|(from, to)| self::continued(&from, &to, formats, sink)).collect();
    policy
}

fn continued(
    from: &Spanned<String>,
    to: &Spanned<String>,
    formats: &[&str],
    sink: &mut Sink,
) -> Option<super::Continuation> {
    let mut split = |text: &Spanned<String>| -> Option<(String, String)> {
        let (tool, name) = text.get_ref().split_once(':').unwrap_or_default();
        let problem = if tool.is_empty() || name.is_empty() {
            format!("`{}` is not a tool and a pattern", printable(text.get_ref()))
        } else if !formats.is_empty() && !formats.contains(&tool) {
            format!("`{}` is not a known input format", printable(tool))
        } else {
            return Some((tool.to_owned(), name.to_owned()));
        };
        let help = "write the format and a name with `*`: \"github-action-benchmark:Rust Benchmark/*\"";
        sink.add(text.span(), Invalid::new("bad-series", problem, help));
        None
    };
    let ((from_tool, old), (to_tool, new)) = (split(from)?, split(to)?);
    let names = sink.value_or_report(to.span(), Mapping::new(&old, &new))?;
    Some(super::Continuation { from_tool, to_tool, names })
}

fn gate(raw: &RawConfig, sink: &mut Sink) -> GateSettings {
    let mut gate = GateSettings::default();
    if let Some(spot) = &raw.threshold {
        gate.threshold = sink.value_or_report(spot.span(), value::threshold(spot.get_ref())).unwrap_or(gate.threshold);
    }
    if let Some(spot) = &raw.alpha {
        gate.alpha = sink.value_or_report(spot.span(), value::alpha(spot.get_ref())).unwrap_or(gate.alpha);
    }
    if let Some(words) = &raw.fail_on {
        gate.fail_on =
            words.iter().filter_map(|word| sink.value_or_report(word.span(), FailOn::read(word.get_ref()))).collect();
    }
    gate
}

/// A fact of the machine class, the only kind that can be ignored.
fn class_fact(name: &str) -> Result<&'static str, Invalid> {
    if name == Environment::UNKNOWN {
        return Ok(Environment::UNKNOWN);
    }
    if let Some(fact) = Environment::CLASS.into_iter().find(|fact| *fact == name) {
        return Ok(fact);
    }
    let facts = Environment::CLASS.join(", ");
    let help = match closest(name, Environment::CLASS) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("only {facts} define the machine class; other differences never prevent a comparison"),
    };
    Err(Invalid::new("unknown-fact", format!("`{}` is not a fact of the machine class", printable(name)), help))
}

fn inputs(entries: Vec<raw::Input>, lines: &Lines, formats: &[&str], sink: &mut Sink) -> Vec<InputRule> {
    let mut seen = BTreeMap::new();
    let mut inputs = Vec::new();
    for raw::Input { path, format } in entries {
        if let Some(format) =
            format.as_ref().filter(|f| !formats.is_empty() && !formats.contains(&f.get_ref().as_str()))
        {
            let help = match closest(format.get_ref(), formats.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "run `perfgate formats` to list them".to_owned(),
            };
            let message = format!("there is no input format `{}`", printable(format.get_ref()));
            sink.add(format.span(), Invalid::new("unknown-format", message, help));
        }
        let Some(path) = path.and_then(|path| not_empty(path, "a path", sink)) else { continue };
        let line = lines.line(path.span().start);
        if let Some(first) = seen.insert(path.get_ref().clone(), line) {
            sink.add(path.span(), duplicate("path", path.get_ref(), first));
        }
        inputs.push(InputRule { path: path.into_inner(), format: format.map(Spanned::into_inner), line });
    }
    inputs
}

fn rules(entries: Vec<raw::Benchmark>, lines: &Lines, sink: &mut Sink) -> Rules {
    let first = entries.first().map(|rule| rule.at.clone());
    let mut seen = BTreeMap::new();
    let mut rules = Vec::new();
    for rule in entries {
        if !rule.sets {
            let help = "add `threshold`, `floor` or `direction`, or remove the table";
            sink.add(rule.at.clone(), Invalid::new("empty-rule", "this [[benchmark]] sets nothing", help));
        }
        let threshold = rule.threshold.and_then(|t| sink.value_or_report(t.span(), value::threshold(t.get_ref())));
        let metric_name = rule.metric.as_ref().map(|m| m.get_ref().clone());
        let floor = rule.floor.and_then(|f| sink.value_or_report(f.span(), floor(f.get_ref(), metric_name.as_deref())));
        let direction = rule.direction.and_then(|d| sink.value_or_report(d.span(), value::direction(d.get_ref())));
        let metric = rule.metric.map(|m| sink.value_or_report(m.span(), Pattern::new(m.get_ref())));
        let Some(text) = rule.pattern else { continue };
        let benchmark = sink.value_or_report(text.span(), Pattern::new(text.get_ref()));
        let line = lines.line(text.span().start);
        if let Some(first) = seen.insert((text.get_ref().clone(), metric_name), line) {
            sink.add(text.span(), duplicate("match", text.get_ref(), first));
        }
        if let (Some(benchmark), None | Some(Some(_))) = (benchmark, &metric) {
            rules.push(Rule { benchmark, metric: metric.flatten(), threshold, floor, direction, line });
        }
    }
    sink.value_or_report(first.unwrap_or(0..0), Rules::new(rules)).unwrap_or_default()
}

fn floor(value: &Scalar, metric: Option<&str>) -> Result<Quantity, Invalid> {
    let text = match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
    };
    let floor = quantity::floor(&text)?;
    let is_time = metric.is_some_and(|m| m == "time" || m.starts_with("time:"));
    if floor.unit.is_none() && is_time {
        let help = format!("add a unit: \"{text}ns\", \"{text}ms\"");
        return Err(Invalid::new("bad-floor", format!("floor `{}` of a time has no unit", printable(&text)), help));
    }
    Ok(floor)
}

fn budgets(entries: Vec<raw::Budget>, lines: &Lines, sink: &mut Sink) -> Vec<Budget> {
    let mut seen = BTreeMap::new();
    let mut budgets = Vec::new();
    for budget in entries {
        let metric = budget.metric.and_then(|metric| not_empty(metric, "a metric", sink));
        let target = budget.target.and_then(|t| sink.value_or_report(t.span(), limit::limit(t.get_ref())));
        let acceptable = budget
            .acceptable
            .and_then(|a| Some((sink.value_or_report(a.span(), limit::limit(a.get_ref()))?, a.span())));
        if let (Some(target), Some((acceptable, span))) = (&target, &acceptable) {
            sink.value_or_report(span.clone(), target.check_acceptable(acceptable));
        }
        let Some(text) = budget.pattern else { continue };
        let pattern = sink.value_or_report(text.span(), Pattern::new(text.get_ref()));
        let line = lines.line(text.span().start);
        let (Some(pattern), Some(metric), Some(target)) = (pattern, metric, target) else { continue };
        if let Some(first) = seen.insert((text.get_ref().clone(), metric.get_ref().clone()), line) {
            sink.add(text.span(), duplicate("match", text.get_ref(), first));
        }
        let acceptable = acceptable.map(|(limit, _)| limit);
        budgets.push(Budget { pattern, metric: metric.into_inner(), target, acceptable, line });
    }
    budgets
}

fn goals(entries: Vec<raw::Goal>, lines: &Lines, sink: &mut Sink) -> Vec<Goal> {
    let mut goals = Vec::new();
    for goal in entries {
        let metric = goal.metric.and_then(|metric| not_empty(metric, "a metric", sink));
        let limit = goal.expect.and_then(|e| sink.value_or_report(e.span(), limit::limit(e.get_ref())));
        let Some(text) = goal.pattern else { continue };
        let pattern = sink.value_or_report(text.span(), Pattern::new(text.get_ref()));
        let (Some(pattern), Some(metric), Some(limit)) = (pattern, metric, limit) else { continue };
        let line = Some(lines.line(text.span().start));
        goals.push(Goal::new(pattern, metric.into_inner(), limit, line));
    }
    goals
}

fn epochs(entries: Vec<raw::Epoch>, lines: &Lines, sink: &mut Sink) -> Vec<Epoch> {
    let mut seen = BTreeMap::new();
    let mut epochs = Vec::new();
    for epoch in entries {
        let from = epoch.from.and_then(|from| not_empty(from, "the start of an epoch", sink));
        let from =
            from.and_then(|from| sink.value_or_report(from.span(), start(from.get_ref())).map(|start| (from, start)));
        let reason = epoch.reason.and_then(|reason| not_empty(reason, "a reason", sink)).map(Spanned::into_inner);
        let Some(text) = epoch.pattern else { continue };
        let pattern = sink.value_or_report(text.span(), Pattern::new(text.get_ref()));
        let line = lines.line(text.span().start);
        let (Some(pattern), Some((from, start)), Some(reason)) = (pattern, from, reason) else { continue };
        if let Some(first) = seen.insert((text.get_ref().clone(), from.into_inner()), line) {
            sink.add(text.span(), duplicate("match", text.get_ref(), first));
        }
        epochs.push(Epoch { pattern, start, reason, line });
    }
    epochs
}

/// A text that looks like a day is parsed as one; git resolves everything else later.
fn start(text: &str) -> Result<Start, Invalid> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('-').collect();
    let looks_like_a_day = parts.len() == 3 && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    // Of revisions, only those in one of these notations have spaces: `main@{1 week ago}`, `HEAD^{/fix}`, `:/fix`.
    let is_revision = ["@{", "^{", ":/"].iter().any(|sign| text.contains(sign));
    let is_day_in_words = text.contains(char::is_whitespace) && !is_revision
        || ["now", "today", "tomorrow", "yesterday"].contains(&&*text.to_lowercase());
    if looks_like_a_day || is_day_in_words {
        value::date(text).map(Start::Day)
    } else {
        Ok(Start::Revision(text.to_owned()))
    }
}

/// The text, or `None` and a problem if it is empty.
pub(super) fn not_empty(text: Spanned<String>, what: &str, sink: &mut Sink) -> Option<Spanned<String>> {
    if text.get_ref().trim().is_empty() {
        sink.add(
            text.span(),
            Invalid::new("empty-text", format!("{what} cannot be empty"), "fill it in, or remove the line"),
        );
        return None;
    }
    Some(text)
}

pub(super) fn duplicate(key: &str, text: &str, first: usize) -> Invalid {
    let message = format!("{key} `{}` is already set on line {first}", printable(text));
    Invalid::new("duplicate-rule", message, "keep one of them, or merge them")
}
