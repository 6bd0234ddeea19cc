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

#[cfg(test)]
mod tests {
    use super::*;

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
