//! A report in the template of the comment. The template is filled once, and again only if the result is too long.

use crate::model::Diagnostic;
use crate::render::template::Template;
use crate::verdict::Report;

/// A filled template.
#[derive(Debug, Clone)]
pub struct FilledTemplate {
    /// The template.
    pub template: Template,
    /// The document; `None` if not even the built-in template can be filled.
    text: Option<String>,
}

impl FilledTemplate {
    /// A template and its document.
    pub fn new(template: Template, text: String) -> FilledTemplate {
        FilledTemplate { template, text: Some(text) }
    }

    /// Fills a template. If that fails, fills the built-in comment instead, and returns a warning.
    pub fn or_built_in(template: Template, report: &Report) -> (FilledTemplate, Option<Diagnostic>) {
        match template.render(report) {
            Ok(text) => (FilledTemplate::new(template, text), None),
            Err(problems) => {
                let message = format!("{}; the built-in comment is used instead", problems.first_line());
                let warning = Diagnostic::warning("template", template.name.clone(), message);
                let template = Template::built_in("comment").unwrap_or(template);
                let text = template.render(report).ok();
                (FilledTemplate { template, text }, Some(warning))
            }
        }
    }

    /// The document in at most `room` characters, or more only if the template's own text is longer.
    pub fn within(&self, report: &Report, room: usize) -> Option<String> {
        let fits = |text: &&String| text.chars().count() <= room;
        match self.text.as_ref()? {
            text if fits(&text) => Some(text.clone()),
            _ => self.template.render_within(report, room).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let text = include_str!("../../../tests/comparisons/version-1.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_template_is_filled_once_unless_the_result_is_too_long() {
        let template = Template { name: "own".to_owned(), text: "{{ unknown }}".to_owned() };
        let filled = FilledTemplate::new(template, "text".to_owned());
        assert_eq!(filled.within(&report(), 4).as_deref(), Some("text"));
        assert_eq!(filled.within(&report(), 3), None, "this template cannot be filled again");
        let comment = Template::built_in("comment").unwrap();
        let (filled, warning) = FilledTemplate::or_built_in(comment, &report());
        let whole = filled.within(&report(), usize::MAX).unwrap();
        let room = whole.chars().count() - 1;
        assert!(filled.within(&report(), room).is_some_and(|less| less.chars().count() <= room && warning.is_none()));
    }

    #[test]
    fn a_template_that_fails_with_this_report_is_replaced() {
        let template = Template { name: "own".to_owned(), text: "{{ unknown }}".to_owned() };
        let (filled, warning) = FilledTemplate::or_built_in(template, &report());
        assert!(warning.unwrap().to_string().contains("the built-in comment is used instead"));
        assert!(filled.within(&report(), usize::MAX).unwrap().contains("perfgate: "));
    }
}
