//! Templates: a Report as a document in a form of the user's choice. An undefined name is an error that quotes its line.
//! All printed text is escaped. `context` defines the available names.

mod accept;
mod change_context;
mod chart;
mod checks;
mod context;
mod fill;
mod headline;
mod kept;
mod parts;
mod row;
mod sections;
mod selection;
mod trial;

pub use context::{BudgetText, Context, ExplanationText, FunctionText};
pub(super) use fill::goal as goal_text;
pub use headline::of_service;
pub use parts::{PartError, Parts, UpdatedDocument, with_line_digests};
pub(super) use row::budget as budget_text;

use super::escape;
use super::quantity::thousands;
use crate::policy::Problems;
use crate::policy::suggest::closest;
use crate::verdict::Report;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};
use std::collections::{BTreeMap, BTreeSet};

/// GitHub's limit for the characters of a comment or a pull request's description.
pub const MAX_COMMENT_CHARS: usize = 65_536;

/// The built-in templates: name and text.
pub static BUILT_IN: [(&str, &str); 6] = [
    ("pr", include_str!("../../../templates/pr.md.j2")),
    ("library", include_str!("../../../templates/library.md.j2")),
    ("issue", include_str!("../../../templates/issue.md.j2")),
    ("report", include_str!("../../../templates/report.md.j2")),
    ("comment", include_str!("../../../templates/comment.md.j2")),
    ("summary", include_str!("../../../templates/summary.md.j2")),
];

/// Macros for all templates.
static PIECES: (&str, &str) = ("pieces", include_str!("../../../templates/pieces.md.j2"));

/// A template's text, and its name in messages. If the name ends in `.html` or `.html.j2`, output is escaped as HTML.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file, or the name of a built-in template.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// How much detail a document has, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DetailLevel {
    /// Everything.
    Whole,
    /// Unchanged benchmarks are only counted.
    WithoutUnchanged,
    /// Lists of details are replaced by a line.
    Folded,
    /// Only the verdict and at most this many regressions and this many other rows that fail the gate.
    Minimal(usize),
}

impl Template {
    /// A built-in template.
    pub fn built_in(name: &str) -> Option<Template> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Template { name: format!("{name}.md.j2"), text: (*text).to_owned() })
    }

    /// The document, at most [`MAX_COMMENT_CHARS`] characters: details are dropped first, then regressions.
    pub fn render(&self, report: &Report) -> Result<String, Box<Problems>> {
        self.render_within(report, MAX_COMMENT_CHARS)
    }

    /// The document with another limit, which it exceeds only if the template's own text does.
    pub fn render_within(&self, report: &Report, longest: usize) -> Result<String, Box<Problems>> {
        let mut document = String::new();
        let names = self.names();
        let minimal = [400, 200, 100, 50, 25, 10].map(DetailLevel::Minimal);
        for level in [DetailLevel::Whole, DetailLevel::WithoutUnchanged, DetailLevel::Folded].into_iter().chain(minimal)
        {
            document = with_line_digests(&self.render_with(&fill::context(report, level, &names))?);
            if document.chars().count() <= longest {
                break;
            }
        }
        Ok(document)
    }

    /// The names at the top level that the template uses; none if it is not valid.
    fn names(&self) -> BTreeSet<String> {
        let mut engine = engine();
        let added = engine.add_template(&self.name, &self.text);
        let template = added.and_then(|()| engine.get_template(&self.name));
        template.map(|template| template.undeclared_variables(false).into_iter().collect()).unwrap_or_default()
    }

    /// The document of a context, without a limit.
    pub fn render_with(&self, context: &Context) -> Result<String, Box<Problems>> {
        let mut engine = engine();
        let framed = |error: Error| Box::new(self.framed(&error, context));
        engine.add_template(&self.name, &self.text).map_err(framed)?;
        let template = engine.get_template(&self.name).map_err(framed)?;
        template.render(Value::from(Serde(context))).map_err(framed)
    }

    /// Checks that the template can be filled, before there is a report: its syntax, its filters, and its names at the top
    /// level. `fields` are the keys of `[template]`.
    pub fn check(&self, fields: &BTreeMap<String, String>) -> Result<(), Box<Problems>> {
        let context = Context { fields: fields.clone(), ..Context::with_one_of_each() };
        let mut engine = engine();
        let framed = |error: Error| Box::new(self.framed(&error, &context));
        engine.add_template(&self.name, &self.text).map_err(framed)?;
        let template = engine.get_template(&self.name).map_err(framed)?;
        let known = serde_json::to_value(&context).unwrap_or_default();
        let is_known = |name: &str| known.get(name).is_some() || engine.globals().any(|(global, _)| global == name);
        let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !is_known(name));
        let line_of = |name: &str| self.text.lines().position(|line| words(line).any(|word| word == name));
        let first = unknown.iter().map(|name| (line_of(name).unwrap_or_default(), name)).min();
        if let Some((line, name)) = first {
            let message = format!("`{}` is not defined", escape::terminal(name));
            let help = did_you_mean(name, &context);
            return Err(Box::new(Problems::on_line(&self.name, &self.text, line + 1, "template", &message, &help)));
        }
        match template.render(Value::from(Serde(&context))) {
            // A name inside a list may depend on the results.
            Err(error) if error.kind() != ErrorKind::UndefinedError => Err(framed(error)),
            _ => Ok(()),
        }
    }

    fn framed(&self, error: &Error, context: &Context) -> Problems {
        let own = error.name().is_none_or(|name| name == self.name);
        let built_in =
            || BUILT_IN.iter().chain([&PIECES]).find(|(name, _)| error.name() == Some(name)).map(|(_, text)| *text);
        let text = if own { self.text.as_str() } else { built_in().unwrap_or_default() };
        let name = error.name().unwrap_or(&self.name);
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::UndefinedError, _) => "this name is not defined".to_owned(),
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
                "templates use Jinja syntax: {{ name }}, {% for row in rows %} … {% endfor %}".to_owned()
            }
            _ => FIELDS.to_owned(),
        };
        match range {
            Some(range) => Problems::one(name, text, range, "template", &message, &help),
            None => Problems::on_line(name, text, error.line().unwrap_or(1), "template", &message, &help),
        }
    }
}

const FIELDS: &str = "docs/templates.md lists all names";

/// Suggests the closest known name for the first unknown word.
fn did_you_mean(typed: &str, context: &Context) -> String {
    let mut names: BTreeSet<String> = FILTERS.iter().map(|name| (*name).to_owned()).collect();
    if let Ok(all) = serde_json::to_value(context) {
        collect(&all, &mut names);
    }
    // The fields of empty lists are names too.
    names.extend(
        [include_str!("context.rs"), include_str!("change_context.rs")]
            .into_iter()
            .flat_map(str::lines)
            .filter_map(|line| Some(line.trim().strip_prefix("pub ")?.split_once(": ")?.0.to_owned())),
    );
    let near = words(typed)
        .find(|word| !names.contains(*word))
        .and_then(|word| closest(word, names.iter().map(String::as_str)));
    match near {
        Some(near) => format!("did you mean `{near}`? {FIELDS}"),
        None => FIELDS.to_owned(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn collect(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            names.insert(key.clone());
            collect(value, names);
        }
    }
}

/// Filters in addition to Jinja's.
const FILTERS: [&str; 5] = ["code", "cell", "link", "fence", "thousands"];

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_debug(true); // errors keep their position
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
        // Escapes even where a template turns escaping off.
        match value.kind() {
            ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
            ValueKind::None => Ok(out.write_str(NOT_MEASURED)?),
            ValueKind::Number | ValueKind::Bool => Ok(write!(out, "{value}")?),
            _ if value.is_safe() => Ok(out.write_str(value.as_str().unwrap_or_default())?),
            _ => Ok(out.write_str(&escape::markdown_text(&value.to_string()))?),
        }
    });
    // These would print text unescaped, and names from benchmark files are hostile.
    for filter in ["safe", "escape", "e", "tojson"] {
        engine.remove_filter(filter);
    }
    engine.add_filter("code", |value: &Value| shown(value, escape::markdown));
    engine.add_filter("cell", |value: &Value| shown(value, escape::markdown_cell));
    engine.add_filter("link", |value: &Value| shown(value, escape::markdown_link));
    engine.add_filter("fence", |value: &Value, language: Option<String>| {
        let language: String = language.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
        shown(value, |text| escape::markdown_fence(text, &language))
    });
    engine.add_filter("thousands", thousands);
    for (name, text) in BUILT_IN.into_iter().chain([PIECES]) {
        // Tests ensure that they parse.
        let _ = engine.add_template(name, text);
    }
    engine
}

const NOT_MEASURED: &str = "not measured";

/// The output of a filter. It must check for undefined values itself, as the engine passes them on.
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
