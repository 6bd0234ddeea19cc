//! Decodes Python's marshal format as far as cProfile's files need it: numbers, strings, tuples, lists and dictionaries,
//! in all versions. Values are stored in one arena and refer to each other by index, so a shared value is stored once.
//! Depth is bounded and lengths are checked against the file's size.

use std::borrow::Cow;

/// Maximum nesting; a profile has four levels.
const MAX_DEPTH: usize = 16;
/// Bit of the type byte that adds the value to the list of reference targets (as in CPython).
const FLAG_REF: u8 = 0x80;

/// Index of a value in the arena.
pub type Id = u32;

/// A decoded value.
#[derive(Debug, PartialEq)]
pub enum Value<'a> {
    /// None, True, False or Ellipsis.
    Other,
    /// An integer or float.
    Number(f64),
    /// A string or bytes object.
    Text(Cow<'a, str>),
    /// A tuple, list or set.
    Sequence(Vec<Id>),
    /// Keys and values of a dictionary, in file order.
    Dictionary(Vec<(Id, Id)>),
}

/// A decoded object with all its values.
#[derive(Debug)]
pub struct Marshalled<'a> {
    /// The first value represents None, True, False and Ellipsis, to which no reference points.
    arena: Vec<Value<'a>>,
    root: Id,
}

impl<'a> Marshalled<'a> {
    /// Decodes the object at the start of `bytes`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader =
            Reader { bytes, at: 0, arena: vec![Value::Other], references: Vec::new(), interned: Vec::new() };
        match reader.value(0) {
            Ok(Some(root)) => Ok(Marshalled { arena: reader.arena, root }),
            Ok(None) => Err("the profile is empty".to_owned()),
            Err(reason) => Err(format!("not a valid profile: {reason} at byte {}", reader.at)),
        }
    }

    /// The decoded object.
    pub fn root(&self) -> &Value<'a> {
        self.get(self.root)
    }

    /// The value at an index.
    pub fn get(&self, id: Id) -> &Value<'a> {
        self.arena.get(id as usize).unwrap_or(&Value::Other)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    arena: Vec<Value<'a>>,
    /// Values with `FLAG_REF`: the targets of `r`.
    references: Vec<Id>,
    /// Interned strings of Python 2: the targets of `R`.
    interned: Vec<Id>,
}

impl<'a> Reader<'a> {
    /// Decodes the next value; `None` is the marker that ends a dictionary.
    fn value(&mut self, depth: usize) -> Result<Option<Id>, &'static str> {
        if depth > MAX_DEPTH {
            return Err("values are nested too deep");
        }
        let [byte] = self.take()?;
        let type_code = byte & !FLAG_REF;
        match type_code {
            b'0' => return Ok(None),
            b'N' | b'T' | b'F' | b'.' => return Ok(Some(0)),
            b'r' | b'R' => {
                let list = if type_code == b'r' { &self.references } else { &self.interned };
                let number = u32::from_le_bytes(self.bytes.get(self.at..self.at + 4).and_then(four).ok_or(CUT)?);
                let id = *list.get(number as usize).ok_or("a reference has no target")?;
                self.at += 4;
                return Ok(Some(id));
            }
            _ => {}
        }
        // A container gets its index before its items: CPython numbers references in this order.
        let id = Id::try_from(self.arena.len()).map_err(|_| "there are too many values")?;
        self.arena.push(Value::Other);
        if byte & FLAG_REF != 0 {
            self.references.push(id);
        }
        if type_code == b't' {
            self.interned.push(id);
        }
        let value = self.content(type_code, depth)?;
        if let Some(slot) = self.arena.get_mut(id as usize) {
            *slot = value;
        }
        Ok(Some(id))
    }

    fn content(&mut self, type_code: u8, depth: usize) -> Result<Value<'a>, &'static str> {
        Ok(match type_code {
            b'i' => Value::Number(f64::from(i32::from_le_bytes(self.take()?))),
            b'I' => Value::Number(i64::from_le_bytes(self.take()?) as f64),
            b'l' => Value::Number(self.long()?),
            b'g' => Value::Number(f64::from_le_bytes(self.take()?)),
            b'f' => {
                let length = self.byte_length()?;
                let text = std::str::from_utf8(self.slice(length)?).ok().and_then(|text| text.parse().ok());
                Value::Number(text.ok_or("a number is invalid")?)
            }
            b'z' | b'Z' => {
                let length = self.byte_length()?;
                Value::Text(String::from_utf8_lossy(self.slice(length)?))
            }
            b'a' | b'A' | b'u' | b't' | b's' => {
                let length = self.length()?;
                Value::Text(String::from_utf8_lossy(self.slice(length)?))
            }
            b')' => {
                let length = self.byte_length()?;
                self.sequence(length, depth)?
            }
            b'(' | b'[' | b'<' | b'>' => {
                let length = self.length()?;
                self.sequence(length, depth)?
            }
            b'{' => {
                let mut entries = Vec::new();
                while let Some(key) = self.value(depth + 1)? {
                    entries.push((key, self.value(depth + 1)?.ok_or(EARLY)?));
                }
                Value::Dictionary(entries)
            }
            _ => return Err("a value has a type that profiles do not use"),
        })
    }

    fn sequence(&mut self, length: usize, depth: usize) -> Result<Value<'a>, &'static str> {
        // Each item takes at least one byte.
        if length > self.bytes.len() - self.at {
            return Err(CUT);
        }
        let items = (0..length).map(|_| self.value(depth + 1)?.ok_or(EARLY));
        items.collect::<Result<_, _>>().map(Value::Sequence)
    }

    /// An integer of any size, stored as 15-bit digits.
    fn long(&mut self) -> Result<f64, &'static str> {
        let count = i32::from_le_bytes(self.take()?);
        let digits = self.slice((count.unsigned_abs() as usize).saturating_mul(2))?;
        let digit = |pair: &[u8]| pair.iter().rev().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
        let size = digits.chunks(2).rev().fold(0.0, |sum, pair| sum * 32768.0 + digit(pair));
        Ok(if count < 0 { -size } else { size })
    }

    fn byte_length(&mut self) -> Result<usize, &'static str> {
        self.take().map(|[length]: [u8; 1]| usize::from(length))
    }

    fn length(&mut self) -> Result<usize, &'static str> {
        usize::try_from(i32::from_le_bytes(self.take()?)).map_err(|_| "a length is negative")
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.slice(N)?.try_into().map_err(|_| CUT)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let end = self.at.checked_add(length).ok_or(CUT)?;
        let slice = self.bytes.get(self.at..end).ok_or(CUT)?;
        self.at = end;
        Ok(slice)
    }
}

const CUT: &str = "the file is cut off";
const EARLY: &str = "a container ends too early";

fn four(slice: &[u8]) -> Option<[u8; 4]> {
    slice.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_value_is_stored_once() {
        // (5, x, x), where x = "ab" is stored once and then referred to.
        let bytes = b")\x03i\x05\0\0\0\xfa\x02abr\0\0\0\0";
        let read = Marshalled::read(bytes).unwrap();
        let Value::Sequence(items) = read.root() else { panic!() };
        assert_eq!(read.get(items[0]), &Value::Number(5.0));
        assert_eq!(items[1], items[2]);
        assert_eq!(read.get(items[2]), &Value::Text("ab".into()));
    }

    #[test]
    fn long_integers_and_python_2_strings_are_decoded() {
        // 2^15 + 2 and its negative; Python 2's interned "a" and a reference to it.
        let bytes = b"(\x04\0\0\0l\x02\0\0\0\x02\0\x01\0l\xfe\xff\xff\xff\x02\0\x01\0t\x01\0\0\0aR\0\0\0\0";
        let read = Marshalled::read(bytes).unwrap();
        let Value::Sequence(items) = read.root() else { panic!() };
        assert_eq!((read.get(items[0]), read.get(items[1])), (&Value::Number(32770.0), &Value::Number(-32770.0)));
        assert_eq!(read.get(items[3]), &Value::Text("a".into()));
    }

    #[test]
    fn wrong_lengths_deep_nesting_and_unknown_types_are_errors() {
        assert!(Marshalled::read(b"(\xff\xff\xff\x7f").unwrap_err().contains("cut off"));
        assert!(Marshalled::read(b"(\xff\xff\xff\xff").unwrap_err().contains("negative"));
        assert!(Marshalled::read(&b")\x01".repeat(100_000)).unwrap_err().contains("too deep"));
        assert!(Marshalled::read(b"r\0\0\0\0").unwrap_err().contains("no target"));
        assert!(Marshalled::read(b"").is_err() && Marshalled::read(b"0").is_err() && Marshalled::read(b"c").is_err());
    }
}
