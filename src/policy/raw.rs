//! perfgate.toml with types checked and positions kept. `validate` checks the values.

use super::problem::{Invalid, Sink, printable};
use super::table::{
    ACCEPT, BASELINE, BENCHMARK, BUDGET, CONTINUE, ENVIRONMENT, EPOCH, GATE, GIT, GOAL, INPUT, RENAME, STORE, TEMPLATE,
    refuse_unknown_tables, tables, type_name,
};
use super::value::Scalar;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// All values of the file that have the right type.
#[derive(Debug, Default)]
pub(super) struct RawConfig {
    pub threshold: Option<Spanned<Scalar>>,
    pub alpha: Option<Spanned<Scalar>>,
    pub fail_on: Option<Vec<Spanned<String>>>,
    pub store_url: Option<Spanned<String>>,
    pub ignored: Vec<Spanned<String>>,
    pub inputs: Vec<Input>,
    pub benchmarks: Vec<Benchmark>,
    pub budgets: Vec<Budget>,
    pub goals: Vec<Goal>,
    pub accepts: Vec<Accept>,
    pub epochs: Vec<Epoch>,
    pub pin: Option<Spanned<String>>,
    pub branches: Vec<Spanned<String>>,
    pub default_branch: Option<Spanned<String>>,
    pub renames: Vec<(Spanned<String>, Spanned<String>)>,
    pub continued: Vec<RawContinuation>,
    pub fields: Vec<(String, String)>,
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
    pub direction: Option<Spanned<String>>,
    /// True if the table sets anything, valid or not.
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

/// `[[goal]]`
#[derive(Debug)]
pub(super) struct Goal {
    pub pattern: Option<Spanned<String>>,
    pub metric: Option<Spanned<String>>,
    pub expect: Option<Spanned<String>>,
}

/// `[[accept]]`
#[derive(Debug)]
pub(super) struct Accept {
    pub benchmark: Option<Spanned<String>>,
    /// The place of `suite = true`.
    pub suite: Option<Range<usize>>,
    pub metric: Option<Spanned<String>>,
    pub up_to: Option<Spanned<Scalar>>,
    pub reason: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
}

/// `[[continue]]`.
#[derive(Debug, Clone)]
pub struct RawContinuation {
    pub from: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
}

/// `[[epoch]]`
#[derive(Debug)]
pub(super) struct Epoch {
    pub pattern: Option<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub reason: Option<Spanned<String>>,
}

/// Reads the whole document; values of the wrong type are added to the sink as problems.
pub(super) fn read(root: &DeTable<'_>, sink: &mut Sink) -> RawConfig {
    refuse_unknown_tables(root, sink);
    let mut raw = RawConfig::default();
    for table in tables(root, &GATE, sink) {
        raw.threshold = table.scalar("threshold", "a percentage like \"20%\"", sink);
        raw.alpha = table.scalar("alpha", "a fraction like 0.05", sink);
        raw.fail_on = table.texts("fail-on", "a list like [\"regressed\", \"budget\"]", sink);
    }
    for table in tables(root, &STORE, sink) {
        raw.store_url = table.text("url", "an address like \"git:refs/perfgate/baselines\"", sink);
    }
    for table in tables(root, &ENVIRONMENT, sink) {
        let facts = table.texts("ignore", "a list like [\"cpu\", \"cores\"]", sink);
        raw.ignored = facts.unwrap_or_default();
    }
    for table in tables(root, &INPUT, sink) {
        let path = table.required("path", "a path like \"target/criterion\"", sink);
        let format = table.text("format", "the name of an input format", sink);
        raw.inputs.push(Input { path, format });
    }
    read_limits(root, &mut raw, sink);
    read_fields(root, &mut raw, sink);
    read_exceptions(root, &mut raw, sink);
    read_names(root, &mut raw, sink);
    raw
}

/// Reads the limits of benchmarks, budgets and goals.
fn read_limits(root: &DeTable<'_>, raw: &mut RawConfig, sink: &mut Sink) {
    for table in tables(root, &BENCHMARK, sink) {
        raw.benchmarks.push(Benchmark {
            at: table.at.clone(),
            pattern: table.required("match", PATTERN, sink),
            metric: table.text("metric", METRIC, sink),
            threshold: table.scalar("threshold", "a percentage like \"20%\"", sink),
            floor: table.scalar("floor", "an amount like \"5ns\"", sink),
            direction: table.text("direction", "\"higher\" or \"lower\": which is better", sink),
            sets: table.table.iter().any(|(key, _)| !matches!(key.get_ref().as_ref(), "match" | "metric")),
        });
    }
    for table in tables(root, &BUDGET, sink) {
        raw.budgets.push(Budget {
            pattern: table.required("match", PATTERN, sink),
            metric: table.required("metric", METRIC, sink),
            target: table.required("target", "a limit like \"<50ms\"", sink),
            acceptable: table.text("acceptable", "a limit like \"<100ms\"", sink),
        });
    }
    for table in tables(root, &GOAL, sink) {
        raw.goals.push(Goal {
            pattern: table.required("match", PATTERN, sink),
            metric: table.required("metric", METRIC, sink),
            expect: table.required("expect", "a change like \"-50%\" or a limit like \"<50ms\"", sink),
        });
    }
}

/// Reads the values of a template.
fn read_fields(root: &DeTable<'_>, raw: &mut RawConfig, sink: &mut Sink) {
    for table in tables(root, &TEMPLATE, sink) {
        for (key, value) in table.table.iter() {
            match value.get_ref() {
                DeValue::String(text) => raw.fields.push((key.get_ref().to_string(), text.to_string())),
                other => {
                    let message =
                        format!("`{}` in [template] cannot be {}", printable(key.get_ref()), type_name(other));
                    sink.add(key.span(), Invalid::new("wrong-type", message, "write a string in quotes"));
                }
            }
        }
    }
}

/// Reads waivers, epochs, the baseline and the default branch.
fn read_exceptions(root: &DeTable<'_>, raw: &mut RawConfig, sink: &mut Sink) {
    for table in tables(root, &ACCEPT, sink) {
        let suite = table.flag("suite", sink).filter(|flag| *flag.get_ref()).map(|flag| flag.span());
        let benchmark = match suite {
            Some(_) => table.text("benchmark", BENCHMARK_NAME, sink),
            None => table.required("benchmark", BENCHMARK_NAME, sink),
        };
        raw.accepts.push(Accept {
            benchmark,
            suite,
            metric: table.text("metric", METRIC, sink),
            up_to: table.required_scalar("up-to", "the accepted change, like \"35%\", or value, like \"<=4\"", sink),
            reason: table.required("reason", "why it is accepted, in a sentence", sink),
            until: table.day("until", "the last day on which it applies, like \"2027-03-01\"", sink),
        });
    }
    for table in tables(root, &EPOCH, sink) {
        raw.epochs.push(Epoch {
            pattern: table.required("match", PATTERN, sink),
            from: table.day("from", "a revision like \"v2.0\", or a day like \"2027-03-01\"", sink),
            reason: table.required("reason", "what changed, in a sentence", sink),
        });
    }
    for table in tables(root, &BASELINE, sink) {
        raw.pin = table.text("pin", "a revision with stored runs, like \"v1.2\"", sink);
        let branches = table.texts("branches", "a list like [\"main\", \"release/*\"]", sink);
        raw.branches = branches.unwrap_or_default();
    }
    for table in tables(root, &GIT, sink) {
        raw.default_branch = table.text("default-branch", "a branch like \"trunk\"", sink);
    }
}

/// Reads `[rename]` and `[[continue]]`.
fn read_names(root: &DeTable<'_>, raw: &mut RawConfig, sink: &mut Sink) {
    for table in tables(root, &RENAME, sink) {
        for (old, new) in table.table.iter() {
            match new.get_ref() {
                DeValue::String(name) => {
                    let old = Spanned::new(old.span(), old.get_ref().to_string());
                    raw.renames.push((old, Spanned::new(new.span(), name.to_string())));
                }
                other => sink.add(old.span(), unquoted(old.get_ref(), other)),
            }
        }
    }
    for table in tables(root, &CONTINUE, sink) {
        raw.continued.push(RawContinuation {
            from: table.required("from", SERIES, sink),
            to: table.required("to", SERIES, sink),
        });
    }
}

const BENCHMARK_NAME: &str = "the exact name of a benchmark";
const SERIES: &str = "a tool and a pattern, like \"bencher:*\"";
const PATTERN: &str = "a name or a pattern like \"parse/*\"";
const METRIC: &str = "a metric like \"time\" or \"time:p95\"";

fn unquoted(old: &str, found: &DeValue<'_>) -> Invalid {
    let message = format!("`{}` in [rename] cannot be {}", printable(old), type_name(found));
    let help = match found {
        DeValue::Table(_) => "a name with a dot needs quotes: \"old.name\" = \"new.name\"",
        _ => "write the new name in quotes: \"old/name\" = \"new/name\"",
    };
    Invalid::new("wrong-type", message, help)
}
