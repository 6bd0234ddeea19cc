//! `[rename]`: what a benchmark of the base is called now.

use super::problem::{Sink, Wrong, shown};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// One line of `[rename]`, old name and new.
pub(super) type Written = (Spanned<String>, Spanned<String>);

/// Every old name with the name at the end of its chain. Cycles, and two old names that would become one, are problems.
pub(super) fn resolve(mut written: Vec<Written>, sink: &mut Sink) -> BTreeMap<Box<str>, Box<str>> {
    written.sort_by_key(|(old, _)| old.span().start);
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    let mut steps: BTreeMap<&str, &Written> = BTreeMap::new();
    for line in &written {
        let (old, new) = line;
        if new.get_ref().is_empty() || old.get_ref().is_empty() {
            let help = "name the benchmark as it was and as it is: \"old/name\" = \"new/name\"";
            sink.add(new.span(), Wrong::new("empty-text", "a benchmark's name is empty", help));
            continue;
        }
        if let Some(other) = taken.insert(new.get_ref(), old.get_ref()) {
            let message = format!(
                "`{}` becomes `{}`, as `{}` does already",
                shown(old.get_ref()),
                shown(new.get_ref()),
                shown(other)
            );
            sink.add(
                new.span(),
                Wrong::new("rename-collision", message, "two benchmarks cannot go on as one: drop one line"),
            );
        }
        steps.insert(old.get_ref(), line);
    }
    let mut ends: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
    let mut cyclic: BTreeSet<&str> = BTreeSet::new();
    for (old, _) in &written {
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

fn cycle(chain: &[&str], back_at: &str) -> Wrong {
    let from = chain.iter().position(|name| *name == back_at).unwrap_or(0);
    let ring: Vec<String> = chain[from..].iter().take(5).map(|name| format!("`{}`", shown(name))).collect();
    let dots = if chain.len() - from > ring.len() { " → …" } else { "" };
    let message = match &ring[..] {
        [one] if dots.is_empty() => format!("{one} is renamed to itself"),
        _ => format!("these names lead in a circle: {}{dots} → `{}`", ring.join(" → "), shown(back_at)),
    };
    Wrong::new("rename-cycle", message, "drop the line that leads back")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::problem::Lines;

    type Told = Vec<(usize, &'static str)>;

    fn resolved(pairs: &[(&str, &str)]) -> (BTreeMap<Box<str>, Box<str>>, Told) {
        let spot = |line: usize, text: &str| Spanned::new(line..line + 1, text.to_owned());
        let written = pairs.iter().enumerate().map(|(i, (old, new))| (spot(2 * i, old), spot(2 * i, new))).collect();
        let mut sink = Sink::default();
        let ends = resolve(written, &mut sink);
        let text = "x\n".repeat(pairs.len());
        let problems = sink.into_problems(&text, "perfgate.toml", &Lines::of(&text));
        (ends, problems.iter().flat_map(|p| p.iter().map(|p| (p.line, p.code))).collect())
    }

    #[test]
    fn a_chain_leads_to_its_end() {
        let (ends, problems) = resolved(&[("b", "c"), ("a", "b"), ("x", "y")]);
        let ends: Vec<_> = ends.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(ends, [("a", "c"), ("b", "c"), ("x", "y")]);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_circle_is_reported_once_and_what_leads_into_it_not_at_all() {
        assert_eq!(resolved(&[("a", "b"), ("b", "a"), ("z", "w")]).1, [(1, "rename-cycle")]);
        assert_eq!(resolved(&[("a", "a")]).1, [(1, "rename-cycle")]);
        let entered = resolved(&[("i", "a"), ("a", "b"), ("b", "c"), ("c", "b")]);
        assert_eq!(entered.1, [(3, "rename-cycle"), (4, "rename-collision")]);
    }

    #[test]
    fn two_olds_cannot_become_one_new() {
        assert_eq!(resolved(&[("a", "c"), ("b", "c")]).1, [(2, "rename-collision")]);
    }

    #[test]
    fn a_long_chain_is_followed_in_a_moment() {
        let names: Vec<String> = (0..20_001).map(|i| format!("{i:05}")).collect();
        let pairs: Vec<(&str, &str)> = names.windows(2).map(|w| (w[0].as_str(), w[1].as_str())).collect();
        let (ends, problems) = resolved(&pairs);
        assert_eq!(ends.get("00000").map(|e| &**e), Some("20000"));
        assert_eq!(problems, []);
    }
}
