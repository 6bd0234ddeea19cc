//! Numbers in the format of the system's locale: `1,234.5`, `1.234,5`, `1 234,5` or `1'234.5`.

/// The decimal mark of numbers in the same locale; `None` if all of them are ambiguous.
pub(super) fn decimal_mark<'t>(numbers: impl IntoIterator<Item = &'t str>) -> Option<char> {
    numbers.into_iter().find_map(mark_of)
}

/// The decimal mark of one number; `None` if it is ambiguous: the comma in `1,234` may separate groups of digits or decimals.
fn mark_of(number: &str) -> Option<char> {
    let is_part = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '\'' | '\u{2019}');
    let digits = number.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(is_part) {
        return None;
    }
    let at = digits.rfind(['.', ','])?;
    let last = if digits[at..].starts_with('.') { '.' } else { ',' };
    let (before, after) = (&digits[..at], &digits[at + 1..]);
    if before.contains(last) {
        return Some(if last == '.' { ',' } else { '.' }); // it separates groups, so it is not the decimal mark
    }
    let may_be_group = after.len() == 3
        && before.len() <= 3
        && !before.starts_with('0')
        && before.bytes().all(|byte| byte.is_ascii_digit());
    (!may_be_group).then_some(last)
}

/// A finite number, with or without groups of digits.
pub(super) fn number(word: &str, decimal_mark: char) -> Option<f64> {
    if !word.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain: String = word
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '\u{2019}'))
        .filter_map(|c| match c {
            _ if c == decimal_mark => Some('.'),
            '.' | ',' => None,
            c => Some(c),
        })
        .collect();
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unambiguous_number_determines_the_decimal_mark() {
        let clear = [
            ("1,234.5", '.'),
            ("1.234,5", ','),
            ("0,998", ','),
            ("3.456.789", ','),
            ("12,34", ','),
            ("1'234.567", '.'),
            ("1\u{202f}234,567", ','),
            ("1234,567", ','),
        ];
        for (word, mark) in clear {
            assert_eq!(decimal_mark(["./a", "12", "1,234", word]), Some(mark), "{word}");
        }
        assert_eq!(decimal_mark(["1,234", "999.999", "v1.2", "1.2ms", "CPU0,12", ""]), None);
    }

    #[test]
    fn numbers_of_all_locales_are_read() {
        for (word, mark) in [("1,234.5", '.'), ("1.234,5", ','), ("1\u{a0}234,5", ','), ("1’234.5", '.')] {
            assert_eq!(number(word, mark), Some(1234.5), "{word}");
        }
        assert_eq!((number("-", '.'), number("NaN", '.'), number("1e999", '.')), (None, None, None));
    }
}
