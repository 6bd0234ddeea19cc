//! `[rename]`: the current names of renamed benchmarks.

use super::problem::{Invalid, Lines, Sink, printable};
use super::star::{Mapping, has_star};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One line of `[rename]`: old name and new name.
pub(super) type RawRename = (Spanned<String>, Spanned<String>);

/// The renames of a config.
#[derive(Debug, Clone, Default)]
pub(super) struct Renames {
    /// Old names with the last name of their chain, and the line of the old name in the config.
    exact: BTreeMap<Box<str>, (Box<str>, usize)>,
    /// Those with `*` and their lines, the most specific first.
    patterns: Vec<(Mapping, usize)>,
}

impl Renames {
    /// Reads the lines of `[rename]`.
    pub fn read(renames: Vec<RawRename>, lines: &Lines, sink: &mut Sink) -> Renames {
        let is_pattern = |(old, new): &RawRename| has_star(old.get_ref()) || has_star(new.get_ref());
        let (patterns, exact): (Vec<_>, Vec<_>) = renames.into_iter().partition(is_pattern);
        let line = |old: &Spanned<String>| lines.line(old.span().start);
        let mapping = |(old, new): RawRename| {
            Some((sink.value_or_report(new.span(), Mapping::new(old.get_ref(), new.get_ref()))?, line(&old)))
        };
        let mut patterns: Vec<(Mapping, usize)> = patterns.into_iter().filter_map(mapping).collect();
        patterns.sort_by_key(|(mapping, _)| std::cmp::Reverse(mapping.weight()));
        let at: BTreeMap<Box<str>, usize> =
            exact.iter().map(|(old, _)| (old.get_ref().as_str().into(), line(old))).collect();
        let exact = resolve(exact, sink).into_iter();
        let exact = exact.map(|(old, new)| {
            let line = at.get(&old).copied().unwrap_or(1);
            (old, (new, line))
        });
        Renames { exact: exact.collect(), patterns }
    }

    /// True if there are no renames.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// Old name, new name and line of the renames whose old and new name are both missing from `names`.
    pub fn unused(&self, names: &BTreeSet<&str>) -> impl Iterator<Item = (&str, &str, usize)> {
        let exact = self.exact.iter().map(|(old, (new, line))| (&**old, &**new, *line));
        let exact = exact.filter(|(old, new, _)| !names.contains(old) && !names.contains(new));
        let is_unused = |(mapping, _): &&(Mapping, usize)| !names.iter().any(|name| mapping.covers(name));
        let patterns = self.patterns.iter().filter(is_unused).map(|(mapping, line)| {
            let (old, new) = mapping.written();
            (old, new, *line)
        });
        exact.chain(patterns)
    }

    /// The line that renames a benchmark.
    pub fn line(&self, old: &str) -> Option<usize> {
        let exact = self.exact.get(old).map(|(_, line)| *line);
        exact.or_else(|| self.patterns.iter().find(|(mapping, _)| mapping.apply(old).is_some()).map(|(_, line)| *line))
    }

    /// The current name of a benchmark that was renamed. A line for the name itself applies before patterns, and also to
    /// the result of a pattern.
    pub fn current(&self, old: &str) -> Option<String> {
        if let Some((new, _)) = self.exact.get(old) {
            return Some(new.to_string());
        }
        let new = self.patterns.iter().find_map(|(mapping, _)| mapping.apply(old))?;
        Some(self.exact.get(new.as_str()).map_or(new, |(last, _)| last.to_string()))
    }

    /// The names whose current name is this one.
    pub fn old_names(&self, current: &str) -> BTreeSet<String> {
        let exact = self.exact.iter().filter(|(_, (new, _))| **new == *current).map(|(old, _)| old.to_string());
        let mut names: BTreeSet<String> = exact.chain([current.to_owned()]).collect();
        let patterns: Vec<String> = names
            .iter()
            .flat_map(|name| self.patterns.iter().filter_map(move |(mapping, _)| mapping.invert(name)))
            .collect();
        names.extend(patterns);
        names.retain(|name| self.current(name).as_deref() == Some(current));
        names
    }
}

/// Maps every old name to the last name of its chain. Reports cycles, empty names, and two old names with the same new
/// name.
fn resolve(mut lines: Vec<RawRename>, sink: &mut Sink) -> BTreeMap<Box<str>, Box<str>> {
    lines.sort_by_key(|(old, _)| old.span().start);
    let mut old_by_new: BTreeMap<&str, &str> = BTreeMap::new();
    let mut steps: BTreeMap<&str, &RawRename> = BTreeMap::new();
    for line in &lines {
        let (old, new) = line;
        if new.get_ref().is_empty() || old.get_ref().is_empty() {
            let help = "write the old and the new name: \"old/name\" = \"new/name\"";
            sink.add(new.span(), Invalid::new("empty-text", "a benchmark's name is empty", help));
            continue;
        }
        if let Some(other) = old_by_new.insert(new.get_ref(), old.get_ref()) {
            let message = format!(
                "`{}` is renamed to `{}`, and so is `{}`",
                printable(old.get_ref()),
                printable(new.get_ref()),
                printable(other)
            );
            sink.add(
                new.span(),
                Invalid::new("rename-collision", message, "two benchmarks cannot share one name: remove one line"),
            );
        }
        steps.insert(old.get_ref(), line);
    }
    let mut ends: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
    let mut cyclic: BTreeSet<&str> = BTreeSet::new();
    for (old, _) in &lines {
        let mut chain: Vec<&str> = Vec::new();
        let mut on_chain: BTreeSet<&str> = BTreeSet::new();
        let mut name = old.get_ref().as_str();
        let end = loop {
            if cyclic.contains(name) {
                break None;
            }
            if let Some(end) = ends.get(name) {
                break Some(end.clone());
            }
            let Some((_, next)) = steps.get(name) else { break Some(name.into()) };
            if !on_chain.insert(name) {
                let ring = chain.iter().skip_while(|step| **step != name);
                let first = ring.filter_map(|step| steps.get(step)).map(|(old, _)| old.span()).min_by_key(|s| s.start);
                sink.add(first.unwrap_or_else(|| old.span()), cycle(&chain, name));
                break None;
            }
            chain.push(name);
            name = next.get_ref();
        };
        match end {
            Some(end) => ends.extend(chain.into_iter().map(|name| (name.into(), end.clone()))),
            None => cyclic.extend(chain),
        }
    }
    ends
}

fn cycle(chain: &[&str], back_at: &str) -> Invalid {
    let from = chain.iter().position(|name| *name == back_at).unwrap_or(0);
    let ring: Vec<String> = chain[from..].iter().take(5).map(|name| format!("`{}`", printable(name))).collect();
    let dots = if chain.len() - from > ring.len() { " → …" } else { "" };
    let message = match &ring[..] {
        [one] if dots.is_empty() => format!("{one} is renamed to itself"),
        _ => format!("these renames form a cycle: {}{dots} → `{}`", ring.join(" → "), printable(back_at)),
    };
    Invalid::new("rename-cycle", message, "remove the line that closes the cycle")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reported = Vec<(usize, &'static str)>;

    fn resolved(pairs: &[(&str, &str)]) -> (BTreeMap<Box<str>, Box<str>>, Reported) {
        let spot = |line: usize, text: &str| Spanned::new(line..line + 1, text.to_owned());
        let lines = pairs.iter().enumerate().map(|(i, (old, new))| (spot(2 * i, old), spot(2 * i, new))).collect();
        let mut sink = Sink::default();
        let ends = resolve(lines, &mut sink);
        let text = "x\n".repeat(pairs.len());
        let problems = sink.into_problems(&text, "perfgate.toml", &Lines::of(&text));
        (ends, problems.iter().flat_map(|p| p.iter().map(|p| (p.line, p.code))).collect())
    }

    #[test]
    fn the_old_names_of_a_benchmark_are_those_that_become_its_name() {
        let config = "[rename]\na = 'b'\nb = 'c'\n'x/*' = 'y/*'\n'y/1' = 'a'\n";
        let policy = crate::policy::Policy::parse(config, "perfgate.toml").unwrap();
        let names = |current: &str| policy.old_names(current).into_iter().collect::<Vec<_>>();
        assert_eq!(names("c"), ["a", "b", "x/1", "y/1"]);
        assert_eq!(names("y/2"), ["x/2"]);
        assert!(names("b").is_empty() && names("nothing").is_empty());
    }

    #[test]
    fn a_chain_is_followed_to_its_last_name() {
        let (ends, problems) = resolved(&[("b", "c"), ("a", "b"), ("x", "y")]);
        let ends: Vec<_> = ends.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(ends, [("a", "c"), ("b", "c"), ("x", "y")]);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_cycle_is_reported_once_and_names_that_lead_into_it_are_not() {
        assert_eq!(resolved(&[("a", "b"), ("b", "a"), ("z", "w")]).1, [(1, "rename-cycle")]);
        assert_eq!(resolved(&[("a", "a")]).1, [(1, "rename-cycle")]);
        let entered = resolved(&[("i", "a"), ("a", "b"), ("b", "c"), ("c", "b")]);
        assert_eq!(entered.1, [(3, "rename-cycle"), (4, "rename-collision")]);
    }

    #[test]
    fn two_old_names_cannot_share_a_new_name() {
        assert_eq!(resolved(&[("a", "c"), ("b", "c")]).1, [(2, "rename-collision")]);
    }

    #[test]
    fn a_long_chain_is_followed_quickly() {
        let names: Vec<String> = (0..20_001).map(|i| format!("{i:05}")).collect();
        let pairs: Vec<(&str, &str)> = names.windows(2).map(|w| (w[0].as_str(), w[1].as_str())).collect();
        let (ends, problems) = resolved(&pairs);
        assert_eq!(ends.get("00000").map(|e| &**e), Some("20000"));
        assert_eq!(problems, []);
    }
}
