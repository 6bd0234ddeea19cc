//! Patterns that map names to names: each `*` stands for any text, which is inserted for the `*` of the new name.

use super::problem::{Invalid, printable};

/// A pattern with `*`; `\*` is a literal star.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stars {
    /// The literal texts before, between and after the stars.
    literals: Vec<String>,
}

impl Stars {
    fn parse(text: &str) -> Stars {
        let mut literals = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let c = match c {
                '*' => {
                    literals.push(String::new());
                    continue;
                }
                '\\' if matches!(chars.peek(), Some('*' | '\\')) => chars.next().unwrap_or(c),
                c => c,
            };
            if let Some(last) = literals.last_mut() {
                last.push(c);
            }
        }
        Stars { literals }
    }

    fn count(&self) -> usize {
        self.literals.len() - 1
    }

    /// The text of each star.
    fn captures<'n>(&self, name: &'n str) -> Option<Vec<&'n str>> {
        let [first, middle @ .., last] = self.literals.as_slice() else {
            return (self.literals.first().map(String::as_str) == Some(name)).then(Vec::new);
        };
        let mut rest = name.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut captures = Vec::new();
        for literal in middle {
            let at = rest.find(literal.as_str())?;
            captures.push(&rest[..at]);
            rest = &rest[at + literal.len()..];
        }
        captures.push(rest);
        Some(captures)
    }

    fn fill(&self, captures: &[&str]) -> String {
        let mut out = String::new();
        for (index, literal) in self.literals.iter().enumerate() {
            if let Some(before) = index.checked_sub(1) {
                out.push_str(captures.get(before).copied().unwrap_or_default());
            }
            out.push_str(literal);
        }
        out
    }
}

/// Whether a text has a `*` that is not escaped.
pub(super) fn has_star(text: &str) -> bool {
    Stars::parse(text).count() > 0
}

/// An old pattern with its new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    old: Stars,
    new: Stars,
    /// Both as written.
    written: (Box<str>, Box<str>),
}

impl Mapping {
    /// Both must have the same number of stars.
    pub fn new(old: &str, new: &str) -> Result<Mapping, Invalid> {
        let (from, to) = (Stars::parse(old), Stars::parse(new));
        if from.count() == to.count() {
            return Ok(Mapping { old: from, new: to, written: (old.into(), new.into()) });
        }
        let message =
            format!("`{}` has {} `*` and `{}` has {}", printable(old), from.count(), printable(new), to.count());
        let help = "each `*` of the old name is inserted for one `*` of the new name; write `\\*` for a literal star";
        Err(Invalid::new("rename-pattern", message, help))
    }

    /// The new name, if the old pattern matches.
    pub fn apply(&self, name: &str) -> Option<String> {
        Some(self.new.fill(&self.old.captures(name)?))
    }

    /// An old name that the mapping gives this new name, if the new pattern matches.
    pub fn invert(&self, new: &str) -> Option<String> {
        let old = self.old.fill(&self.new.captures(new)?);
        (self.apply(&old).as_deref() == Some(new)).then_some(old)
    }

    /// Whether a name is one of the old or of the new names.
    pub fn covers(&self, name: &str) -> bool {
        self.old.captures(name).is_some() || self.new.captures(name).is_some()
    }

    /// The old and the new pattern, as written.
    pub fn written(&self) -> (&str, &str) {
        (&self.written.0, &self.written.1)
    }

    /// Number of literal characters: of several patterns that match, the one with the most applies.
    pub fn weight(&self) -> usize {
        self.old.literals.iter().map(String::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(old: &str, new: &str, name: &str) -> Option<String> {
        Mapping::new(old, new).unwrap().apply(name)
    }

    #[test]
    fn the_text_of_each_star_is_inserted_for_the_star_of_the_new_name() {
        assert_eq!(map("com.acme.*", "org.acme.*", "com.acme.A.b").unwrap(), "org.acme.A.b");
        assert_eq!(map("*/a/*", "x*-*", "1/2/a/3").unwrap(), "x1/2-3");
        assert_eq!(map("a/*", "b/*", "c/a/1"), None);
        assert_eq!(map("aa*aa", "*", "aaa"), None);
        assert_eq!(map("a\\*b", "c", "a*b").unwrap(), "c");
        assert_eq!(map("a[1]", "b", "a[1]").unwrap(), "b");
        assert_eq!(map("é*é", "*", "éxé").unwrap(), "x");
    }

    #[test]
    fn both_sides_need_the_same_number_of_stars() {
        assert_eq!(Mapping::new("a/*", "b").unwrap_err().code, "rename-pattern");
        assert_eq!(Mapping::new("a", "*").unwrap_err().code, "rename-pattern");
    }
}
