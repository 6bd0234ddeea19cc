//! perfgate.toml as written: every value of the right type, with its place. What the values mean is for `validate`.

use super::problem::{Sink, Wrong, shown};
use super::table::{
    ACCEPT, BASELINE, BENCHMARK, BUDGET, ENVIRONMENT, EPOCH, GATE, GOAL, INPUT, RENAME, STORE, TEMPLATE, article,
    refuse_unknown_tables, tables,
};
use super::value::Scalar;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything that the file holds and that has the right shape.
#[derive(Debug, Default)]
pub(super) struct Written {
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
    pub renames: Vec<(Spanned<String>, Spanned<String>)>,
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
    /// True where the table sets something, be it wrongly.
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
    pub metric: Option<Spanned<String>>,
    pub up_to: Option<Spanned<Scalar>>,
    pub reason: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
}

/// `[[epoch]]`
#[derive(Debug)]
pub(super) struct Epoch {
    pub pattern: Option<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub reason: Option<Spanned<String>>,
}

/// Reads the whole document; what has the wrong shape goes to the sink.
pub(super) fn read(root: &DeTable<'_>, sink: &mut Sink) -> Written {
    refuse_unknown_tables(root, sink);
    let mut written = Written::default();
    for table in tables(root, &GATE, sink) {
        written.threshold = table.scalar("threshold", "a share like \"20%\"", sink);
        written.alpha = table.scalar("alpha", "a share like 0.05", sink);
        written.fail_on = table.texts("fail-on", "a list like [\"regressed\", \"budget\"]", sink);
    }
    for table in tables(root, &STORE, sink) {
        written.store_url = table.text("url", "an address like \"git:refs/perfgate/baselines\"", sink);
    }
    for table in tables(root, &ENVIRONMENT, sink) {
        let facts = table.texts("ignore", "a list like [\"cpu\", \"cores\"]", sink);
        written.ignored = facts.unwrap_or_default();
    }
    for table in tables(root, &INPUT, sink) {
        let path = table.required("path", "a path like \"target/criterion\"", sink);
        let format = table.text("format", "the name of an input format", sink);
        written.inputs.push(Input { path, format });
    }
    for table in tables(root, &BENCHMARK, sink) {
        written.benchmarks.push(Benchmark {
            at: table.at.clone(),
            pattern: table.required("match", PATTERN, sink),
            metric: table.text("metric", METRIC, sink),
            threshold: table.scalar("threshold", "a share like \"20%\"", sink),
            floor: table.scalar("floor", "an amount like \"5ns\"", sink),
            sets: table.table.iter().any(|(key, _)| !matches!(key.get_ref().as_ref(), "match" | "metric")),
        });
    }
    for table in tables(root, &BUDGET, sink) {
        written.budgets.push(Budget {
            pattern: table.required("match", PATTERN, sink),
            metric: table.required("metric", METRIC, sink),
            target: table.required("target", "a limit like \"<50ms\"", sink),
            acceptable: table.text("acceptable", "a limit like \"<100ms\"", sink),
        });
    }
    for table in tables(root, &GOAL, sink) {
        written.goals.push(Goal {
            pattern: table.required("match", PATTERN, sink),
            metric: table.required("metric", METRIC, sink),
            expect: table.required("expect", "a change like \"-50%\" or a limit like \"<50ms\"", sink),
        });
    }
    for table in tables(root, &TEMPLATE, sink) {
        for (key, value) in table.table.iter() {
            match value.get_ref() {
                DeValue::String(text) => written.fields.push((key.get_ref().to_string(), text.to_string())),
                other => {
                    let message = format!("`{}` in [template] cannot be {}", shown(key.get_ref()), article(other));
                    sink.add(key.span(), Wrong::new("wrong-type", message, "it takes a text in quotes"));
                }
            }
        }
    }
    for table in tables(root, &ACCEPT, sink) {
        written.accepts.push(Accept {
            benchmark: table.required("benchmark", "the exact name of a benchmark", sink),
            metric: table.text("metric", METRIC, sink),
            up_to: table.required_scalar("up-to", "the change that is accepted, like \"35%\"", sink),
            reason: table.required("reason", "why it is accepted, in a sentence", sink),
            until: table.day("until", "the day on which it ends, like \"2027-03-01\"", sink),
        });
    }
    for table in tables(root, &EPOCH, sink) {
        written.epochs.push(Epoch {
            pattern: table.required("match", PATTERN, sink),
            from: table.day("from", "a revision like \"v2.0\", or a day like \"2027-03-01\"", sink),
            reason: table.required("reason", "what changed, in a sentence", sink),
        });
    }
    for table in tables(root, &BASELINE, sink) {
        written.pin = table.text("pin", "a revision with stored runs, like \"v1.2\"", sink);
    }
    for table in tables(root, &RENAME, sink) {
        for (old, new) in table.table.iter() {
            match new.get_ref() {
                DeValue::String(name) => {
                    let old = Spanned::new(old.span(), old.get_ref().to_string());
                    written.renames.push((old, Spanned::new(new.span(), name.to_string())));
                }
                other => sink.add(old.span(), unquoted(old.get_ref(), other)),
            }
        }
    }
    written
}

const PATTERN: &str = "a name or a pattern like \"parse/*\"";
const METRIC: &str = "a metric like \"time\" or \"time:p95\"";

fn unquoted(old: &str, found: &DeValue<'_>) -> Wrong {
    let message = format!("`{}` in [rename] cannot be {}", shown(old), article(found));
    let help = match found {
        DeValue::Table(_) => "names with a dot need quotes: \"old.name\" = \"new.name\"",
        _ => "write the new name in quotes: \"old/name\" = \"new/name\"",
    };
    Wrong::new("wrong-type", message, help)
}
