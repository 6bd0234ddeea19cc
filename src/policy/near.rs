//! "Did you mean": the known word that a mistyped one was probably meant to be.

/// The nearest of `known` to `typed`, where one is near enough to be a likely slip.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = plain(typed);
    if typed.len() > 40 {
        return None;
    }
    let allowed = (typed.len() / 3).clamp(1, 3);
    let scored = known.into_iter().map(|word| (distance(&typed, &plain(word)), word));
    scored.filter(|(far, _)| *far <= allowed).min_by_key(|(far, _)| *far).map(|(_, word)| word)
}

/// Case and the kind of dash are the commonest slips, and no slip at all here.
fn plain(word: &str) -> Vec<char> {
    word.to_lowercase().chars().map(|c| if c == '_' || c == ' ' { '-' } else { c }).collect()
}

/// Letters put in, left out, changed, or swapped with their neighbour.
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
    fn a_slip_of_the_finger_finds_its_word() {
        assert_eq!(nearest("treshold", KEYS), Some("threshold"));
        assert_eq!(nearest("thershold", KEYS), Some("threshold"));
        assert_eq!(nearest("fail_on", KEYS), Some("fail-on"));
        assert_eq!(nearest("Alpha", KEYS), Some("alpha"));
    }

    #[test]
    fn another_word_finds_nothing() {
        assert_eq!(nearest("colour", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest(&"a".repeat(10_000), KEYS), None);
    }

    #[test]
    fn a_swap_counts_once() {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("untli"), &chars("until")), 1);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
    }
}
