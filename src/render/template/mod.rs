//! Templates: a Report as a document of the team's own shape. The engine is strict (a name that does not exist is an
//! error, framed under its line) and escapes whatever is printed. What can be named is in `context`.

mod accept;
mod chart;
mod checks;
mod context;
mod fill;
mod headline;
mod parts;
mod sections;

pub use context::Context;
pub use parts::{PartError, Parts, Renewed};

use super::escape;
use crate::policy::Problems;
use crate::policy::suggest::closest;
use crate::verdict::Report;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};
use std::collections::BTreeSet;

/// The most characters that GitHub takes in a comment or a pull request's text.
pub const LONGEST: usize = 65_536;

/// The templates that are shipped: name, and text.
pub static SHIPPED: [(&str, &str); 5] = [
    ("pr", include_str!("../../../templates/pr.md.j2")),
    ("issue", include_str!("../../../templates/issue.md.j2")),
    ("report", include_str!("../../../templates/report.md.j2")),
    ("comment", include_str!("../../../templates/comment.md.j2")),
    ("summary", include_str!("../../../templates/summary.md.j2")),
];

/// Macros that every template may import.
static PIECES: (&str, &str) = ("pieces", include_str!("../../../templates/pieces.md.j2"));

/// A template's text and what messages call it. A name that ends in `.html` or `.html.j2` is escaped as HTML.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file, or the name of a shipped one.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// How much of the details a document holds, from all to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plan {
    /// Everything.
    Whole,
    /// Unchanged benchmarks are counted.
    Counted,
    /// Details are a line each.
    Folded,
    /// Regressions and the verdict; regressions at most so many.
    Least(usize),
}

impl Template {
    /// A shipped template.
    pub fn shipped(name: &str) -> Option<Template> {
        let (name, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
        Some(Template { name: format!("{name}.md.j2"), text: (*text).to_owned() })
    }

    /// The document, not longer than [`LONGEST`]: details are given up by plan, the verdict and the regressions last.
    pub fn render(&self, report: &Report) -> Result<String, Box<Problems>> {
        self.render_within(report, LONGEST)
    }

    /// The same for another length; longer all the same where the template prints that much whatever the plan.
    pub fn render_within(&self, report: &Report, longest: usize) -> Result<String, Box<Problems>> {
        let mut document = String::new();
        let least = [400, 200, 100, 50, 25, 10].map(Plan::Least);
        for plan in [Plan::Whole, Plan::Counted, Plan::Folded].into_iter().chain(least) {
            document = self.render_with(&fill::context(report, plan))?;
            if document.chars().count() <= longest {
                break;
            }
        }
        Ok(document)
    }

    /// The document of a context, however long.
    pub fn render_with(&self, context: &Context) -> Result<String, Box<Problems>> {
        let mut engine = engine();
        let framed = |error: Error| Box::new(self.framed(&error, context));
        engine.add_template(&self.name, &self.text).map_err(framed)?;
        let template = engine.get_template(&self.name).map_err(framed)?;
        template.render(Value::from(Serde(context))).map_err(framed)
    }

    fn framed(&self, error: &Error, context: &Context) -> Problems {
        let own = error.name().is_none_or(|name| name == self.name);
        let shipped =
            || SHIPPED.iter().chain([&PIECES]).find(|(name, _)| error.name() == Some(name)).map(|(_, text)| *text);
        let text = if own { self.text.as_str() } else { shipped().unwrap_or_default() };
        let name = error.name().unwrap_or(&self.name);
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::UndefinedError, _) => "this name has no value here".to_owned(),
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        let range = error.range().filter(|range| range.end <= text.len() && range.start < range.end);
        let typed = range.clone().and_then(|range| text.get(range));
        let help = match error.kind() {
            ErrorKind::UndefinedError | ErrorKind::UnknownFilter | ErrorKind::UnknownFunction => {
                did_you_mean(typed.unwrap_or_default(), context)
            }
            ErrorKind::SyntaxError => {
                "the syntax is Jinja's: {{ name }}, {% for row in rows %} … {% endfor %}".to_owned()
            }
            _ => FIELDS.to_owned(),
        };
        match range {
            Some(range) => Problems::one(name, text, range, "template", &message, &help),
            None => Problems::on_line(name, text, error.line().unwrap_or(1), "template", &message, &help),
        }
    }
}

const FIELDS: &str = "docs/templates.md lists what a template can name";

/// The nearest name that there is to the first part of what was typed that is none.
fn did_you_mean(typed: &str, context: &Context) -> String {
    let mut names: BTreeSet<String> = FILTERS.iter().map(|name| (*name).to_owned()).collect();
    if let Ok(all) = serde_json::to_value(context) {
        collect(&all, &mut names);
    }
    // Lists may be empty here, and their fields are names all the same.
    names.extend(
        include_str!("context.rs")
            .lines()
            .filter_map(|line| Some(line.trim().strip_prefix("pub ")?.split_once(": ")?.0.to_owned())),
    );
    let mut words = typed.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let near =
        words.find(|word| !names.contains(*word)).and_then(|word| closest(word, names.iter().map(String::as_str)));
    match near {
        Some(near) => format!("did you mean `{near}`? {FIELDS}"),
        None => FIELDS.to_owned(),
    }
}

fn collect(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            names.insert(key.clone());
            collect(value, names);
        }
    }
}

/// Filters beside Jinja's own.
const FILTERS: [&str; 3] = ["code", "link", "fence"];

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_debug(true); // keeps the place of an error
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    if let Ok(syntax) = syntax {
        engine.set_syntax(syntax);
    }
    engine.set_auto_escape_callback(|name| {
        let name = name.strip_suffix(".j2").unwrap_or(name);
        if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::Custom("markdown".into()) }
    });
    engine.set_formatter(|out, state, value| {
        if *state.auto_escape() == AutoEscape::Html {
            let value = if value.is_none() { &Value::from(NOT_MEASURED) } else { value };
            return escape_formatter(out, state, value);
        }
        // Without a choice: also where a template switches escaping off.
        match value.kind() {
            ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
            ValueKind::None => Ok(out.write_str(NOT_MEASURED)?),
            ValueKind::Number | ValueKind::Bool => Ok(write!(out, "{value}")?),
            _ if value.is_safe() => Ok(out.write_str(value.as_str().unwrap_or_default())?),
            _ => Ok(out.write_str(&escape::markdown_text(&value.to_string()))?),
        }
    });
    // What would let text through as it is; names from benchmark files are hostile.
    for filter in ["safe", "escape", "e", "tojson"] {
        engine.remove_filter(filter);
    }
    engine.add_filter("code", |value: &Value| shown(value, escape::markdown));
    engine.add_filter("link", |value: &Value| shown(value, escape::markdown_link));
    engine.add_filter("fence", |value: &Value, language: Option<String>| {
        let language: String = language.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
        shown(value, |text| escape::markdown_fence(text, &language))
    });
    for (name, text) in SHIPPED.into_iter().chain([PIECES]) {
        // Their syntax is held by tests.
        let _ = engine.add_template(name, text);
    }
    engine
}

const NOT_MEASURED: &str = "not measured";

/// A value as a filter shows it; the filters' own check, as the engine hands them what does not exist.
fn shown(value: &Value, escape: impl Fn(&str) -> String) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = match value.as_str() {
        Some(text) => escape(text),
        None if value.is_none() => NOT_MEASURED.to_owned(),
        None => escape(&value.to_string()),
    };
    Ok(Value::from_safe_string(text))
}
