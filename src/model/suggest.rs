//! "Did you mean": suggests a known word for a mistyped one.

/// The known word closest to `typed`, if a typo is likely.
pub(crate) fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = plain(typed);
    if typed.len() > 40 {
        return None;
    }
    let allowed = (typed.len() / 3).clamp(1, 3);
    let scored = known.into_iter().map(|word| (distance(&typed, &plain(word)), word));
    scored.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Ignores case and the kind of dash, the most common typos.
fn plain(word: &str) -> Vec<char> {
    word.to_lowercase().chars().map(|c| if c == '_' || c == ' ' { '-' } else { c }).collect()
}

/// Damerau-Levenshtein distance (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = (last[j + 1] + 1).min(row[j] + 1).min(last[j] + usize::from(x != y));
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Longer names are not compared, since the cost grows with the square of the length.
const LONGEST_NAME: usize = 200;
/// Shorter texts resemble too many names.
const MIN_LITERALS: usize = 3;
/// Names that are compared at most.
const MAX_NAMES: usize = 20_000;

/// The name closest to a name or pattern that matches none of them: one that contains it, or that differs by a few characters.
/// A `*` of the pattern stands for any text.
pub(crate) fn nearest_name<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let pattern = plain(typed);
    let literals = pattern.iter().filter(|c| **c != '*').count();
    // One or two letters are similar to almost every name.
    if pattern.len() > LONGEST_NAME || literals < MIN_LITERALS {
        return None;
    }
    let allowed = (literals / 4).clamp(1, 6);
    let mut best: Option<(usize, usize, &str)> = None;
    for name in names.into_iter().take(MAX_NAMES) {
        if name.len() > LONGEST_NAME {
            continue;
        }
        let plain_name = plain(name);
        // `small` is likely meant for `Parser/small`; the shortest such name comes first.
        let contains = literals >= 3 && plain_name.windows(pattern.len()).any(|part| part == pattern);
        let off = if contains { 1 } else { distance_to_pattern(&pattern, &plain_name) };
        if off <= allowed && best.is_none_or(|(least, length, _)| (off, plain_name.len()) < (least, length)) {
            best = Some((off, plain_name.len(), name));
        }
    }
    best.map(|(_, _, name)| name)
}

/// How alike two names are: their edit distance, and the length of the longer one.
pub(crate) fn difference(a: &str, b: &str) -> Option<(usize, usize)> {
    let (a, b) = (plain(a), plain(b));
    let longer = a.len().max(b.len());
    (longer <= LONGEST_NAME).then(|| (distance(&a, &b), longer))
}

/// The edit distance of a name to the closest text that a pattern with `*` matches.
fn distance_to_pattern(pattern: &[char], name: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=name.len()).collect();
    for (i, x) in pattern.iter().enumerate() {
        let mut row = vec![if *x == '*' { last[0] } else { i + 1 }; name.len() + 1];
        for (j, y) in name.iter().enumerate() {
            row[j + 1] = match x {
                '*' => last[j + 1].min(row[j]),
                x => (last[j + 1] + 1).min(row[j] + 1).min(last[j] + usize::from(x != y)),
            };
            if i > 0 && j > 0 && *x == name[j - 1] && pattern[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_contains_a_part_or_differs_by_little() {
        let names = ["parse/large", "parse/small", "Writer/small", "encode 256"];
        assert_eq!(nearest_name("parse/lagre", names), Some("parse/large"));
        assert_eq!(nearest_name("parser/*", names), Some("parse/large"));
        assert_eq!(nearest_name("large", names), Some("parse/large"));
        assert_eq!(nearest_name("stabel", ["stable", "table"]), Some("stable"));
        assert_eq!(nearest_name("encode 255", names), Some("encode 256"));
        assert_eq!(nearest_name("colour", names), None);
        assert_eq!((nearest_name("*", names), nearest_name("", names), nearest_name("y*", names)), (None, None, None));
        assert_eq!(nearest_name(&"a".repeat(10_000), names), None);
    }

    const KEYS: [&str; 4] = ["threshold", "alpha", "fail-on", "until"];

    #[test]
    fn a_typo_finds_its_word() {
        assert_eq!(closest("treshold", KEYS), Some("threshold"));
        assert_eq!(closest("thershold", KEYS), Some("threshold"));
        assert_eq!(closest("fail_on", KEYS), Some("fail-on"));
        assert_eq!(closest("Alpha", KEYS), Some("alpha"));
    }

    #[test]
    fn an_unrelated_word_finds_nothing() {
        assert_eq!(closest("colour", KEYS), None);
        assert_eq!(closest("", KEYS), None);
        assert_eq!(closest(&"a".repeat(10_000), KEYS), None);
    }

    #[test]
    fn a_swap_of_neighbours_counts_once() {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("untli"), &chars("until")), 1);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
    }
}
