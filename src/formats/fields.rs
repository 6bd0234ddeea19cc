//! Access to JSON documents of tools whose fields are few, by path.

use super::text::number;
use serde_json::Value;

/// The value at a path such as `summary.total`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// A finite number at a path, also if it is in quotes.
pub(super) fn number_at(value: &Value, path: &str) -> Option<f64> {
    as_number(at(value, path)?)
}

/// A finite number, also in quotes.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => number(text),
        other => other.as_f64().filter(|number| number.is_finite()),
    }
}

/// A text at a path.
pub(super) fn text_at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// The entries of an object at a path.
pub(super) fn entries<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    at(value, path).and_then(Value::as_object).into_iter().flatten()
}

/// The items of a list at a path.
pub(super) fn items<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    at(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// The sum of the numbers of an object at a path.
pub(super) fn sum(value: &Value, path: &str) -> f64 {
    entries(value, path).filter_map(|(_, count)| as_number(count)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_and_without_quotes() {
        let value = serde_json::json!({"a": {"b": "1,200", "c": 2.5, "d": "-"}, "e": {"x": 1, "y": 2}});
        assert_eq!(
            ["a.b", "a.c", "a.d", "a.x"].map(|path| number_at(&value, path)),
            [Some(1200.0), Some(2.5), None, None]
        );
        assert_eq!(sum(&value, "e"), 3.0);
    }
}
