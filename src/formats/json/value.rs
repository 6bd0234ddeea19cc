//! JSON values that are parsed more leniently than by serde: words and `null` in place of numbers, and objects with
//! repeated keys.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A number. `null`, a missing field and words such as `"NaN"` become NaN, which is reported where the value is used.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl Default for Number {
    fn default() -> Self {
        Number(f64::NAN)
    }
}

impl Number {
    /// The number, unless it is NaN or infinite.
    pub fn finite(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    /// The number as a count, unless it is negative, NaN, or 9e15 or more.
    pub fn count(self) -> Option<u64> {
        (self.0 >= 0.0 && self.0 < 9e15).then_some(self.0 as u64)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
            fn visit_str<E>(self, value: &str) -> Result<Number, E> {
                Ok(Number(value.trim().parse().unwrap_or(f64::NAN)))
            }
            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(f64::NAN))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A list of numbers. `null` is an empty list.
#[derive(Debug, Clone, Default)]
pub struct Numbers(pub Vec<f64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumbersVisitor;
        impl<'de> Visitor<'de> for NumbersVisitor {
            type Value = Numbers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Numbers, A::Error> {
                let mut values = Vec::new();
                while let Some(Number(value)) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Numbers(values))
            }
            fn visit_unit<E>(self) -> Result<Numbers, E> {
                Ok(Numbers::default())
            }
        }
        deserializer.deserialize_any(NumbersVisitor)
    }
}

/// The entries of a JSON object in file order, with repeated keys; a map would silently keep only the last one.
#[derive(Debug, Clone)]
pub struct Pairs<K, V>(pub Vec<(K, V)>);

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Pairs(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<K, V>(std::marker::PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<K, V> {
            type Value = Pairs<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }
        }
        deserializer.deserialize_any(PairsVisitor(std::marker::PhantomData))
    }
}

/// Reads a field that only describes the surroundings, such as a machine's name: if its value has another
/// type, only the field is dropped.
pub fn ignore_wrong_type<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Option::<&'de RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// Whether a field is present and not `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Present(pub bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Present(Option::<IgnoredAny>::deserialize(deserializer)?.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_null_in_place_of_numbers_become_nan() {
        let Numbers(values) = serde_json::from_str(r#"[1, 2.5, null, "NaN", "3"]"#).unwrap();
        assert_eq!(values[..2], [1.0, 2.5]);
        assert!(values[2].is_nan() && values[3].is_nan());
        assert_eq!(values[4], 3.0);
    }

    #[test]
    fn repeated_keys_are_all_kept() {
        let Pairs(pairs) = serde_json::from_str::<Pairs<String, u8>>(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        assert_eq!(pairs, [("a".to_owned(), 1), ("b".to_owned(), 2), ("a".to_owned(), 3)]);
    }
}
