//! Python's marshal, as far as a profile needs it: numbers, texts, tuples, lists and dictionaries, all versions.
//!
//! Values stand in one arena and refer to each other by number, so a shared value costs its reference and no more; depth
//! is bounded, a length is never believed beyond the bytes that are there. Code objects and the like are refused.

use std::borrow::Cow;

/// How deep containers may nest; a profile needs four levels.
const DEPTH: usize = 16;
/// The bit of a type byte that puts the value on the list of those that may be referred to.
const REFERABLE: u8 = 0x80;

/// A value's number in its arena.
pub(super) type Id = u32;

/// One value.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// None, True, False, bytes of no use here.
    Other,
    /// A whole or floating point number.
    Number(f64),
    /// A text of any kind.
    Text(Cow<'a, str>),
    /// A tuple, list or set.
    Sequence(Vec<Id>),
    /// A dictionary's keys and values, in order.
    Dictionary(Vec<(Id, Id)>),
}

/// The values of one marshalled object.
#[derive(Debug)]
pub(super) struct Marshalled<'a> {
    /// Begins with the one value that stands for None, True and False: they are never referred to.
    arena: Vec<Value<'a>>,
    root: Id,
}

impl<'a> Marshalled<'a> {
    /// Reads the object that `bytes` begin with.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader =
            Reader { bytes, at: 0, arena: vec![Value::Other], referable: Vec::new(), interned: Vec::new() };
        match reader.value(0) {
            Ok(Some(root)) => Ok(Marshalled { arena: reader.arena, root }),
            Ok(None) => Err("is empty".to_owned()),
            Err(fault) => Err(format!("{fault} at byte {}", reader.at)),
        }
    }

    /// The object itself.
    pub(super) fn root(&self) -> &Value<'a> {
        self.get(self.root)
    }

    /// A value that another one refers to.
    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        self.arena.get(id as usize).unwrap_or(&Value::Other)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    arena: Vec<Value<'a>>,
    referable: Vec<Id>,
    /// Python 2's list of its own for interned strings.
    interned: Vec<Id>,
}

impl<'a> Reader<'a> {
    /// The next value; `None` is the mark that ends a dictionary.
    fn value(&mut self, depth: usize) -> Result<Option<Id>, &'static str> {
        if depth > DEPTH {
            return Err("nests too deep");
        }
        let [byte] = self.take()?;
        let kind = byte & !REFERABLE;
        match kind {
            b'0' => return Ok(None),
            b'N' | b'T' | b'F' | b'.' => return Ok(Some(0)),
            b'r' | b'R' => {
                let list = if kind == b'r' { &self.referable } else { &self.interned };
                let number = u32::from_le_bytes(self.bytes.get(self.at..self.at + 4).and_then(four).ok_or(CUT)?);
                let id = *list.get(number as usize).ok_or("refers to a value that is not there")?;
                self.at += 4;
                return Ok(Some(id));
            }
            _ => {}
        }
        // Numbered before its content is read: that is the order of references.
        let id = Id::try_from(self.arena.len()).map_err(|_| "holds too many values")?;
        self.arena.push(Value::Other);
        if byte & REFERABLE != 0 {
            self.referable.push(id);
        }
        if kind == b't' {
            self.interned.push(id);
        }
        let value = self.content(kind, depth)?;
        if let Some(slot) = self.arena.get_mut(id as usize) {
            *slot = value;
        }
        Ok(Some(id))
    }

    fn content(&mut self, kind: u8, depth: usize) -> Result<Value<'a>, &'static str> {
        Ok(match kind {
            b'i' => Value::Number(f64::from(i32::from_le_bytes(self.take()?))),
            b'I' => Value::Number(i64::from_le_bytes(self.take()?) as f64),
            b'l' => Value::Number(self.long()?),
            b'g' => Value::Number(f64::from_le_bytes(self.take()?)),
            b'f' => {
                let length = self.byte_length()?;
                let text = std::str::from_utf8(self.slice(length)?).ok().and_then(|text| text.parse().ok());
                Value::Number(text.ok_or("holds a number that is none")?)
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
            _ => return Err("holds a value that no profile has"),
        })
    }

    fn sequence(&mut self, length: usize, depth: usize) -> Result<Value<'a>, &'static str> {
        // Each item takes a byte at least.
        if length > self.bytes.len() - self.at {
            return Err(CUT);
        }
        let items = (0..length).map(|_| self.value(depth + 1)?.ok_or(EARLY));
        items.collect::<Result<_, _>>().map(Value::Sequence)
    }

    /// A whole number of any size, in digits of 15 bits.
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
        usize::try_from(i32::from_le_bytes(self.take()?)).map_err(|_| "holds a negative length")
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

/// Faults that several places have in common.
const CUT: &str = "is cut off";
const EARLY: &str = "ends a container too early";

fn four(slice: &[u8]) -> Option<[u8; 4]> {
    slice.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_value_is_one_value() {
        // (5, x, x) with x = "ab" put on the list and referred to.
        let bytes = b")\x03i\x05\0\0\0\xfa\x02abr\0\0\0\0";
        let read = Marshalled::read(bytes).unwrap();
        let Value::Sequence(items) = read.root() else { panic!() };
        assert_eq!(read.get(items[0]), &Value::Number(5.0));
        assert_eq!(items[1], items[2]);
        assert_eq!(read.get(items[2]), &Value::Text("ab".into()));
    }

    #[test]
    fn long_numbers_and_old_strings_are_read() {
        // 2^15 + 2 and its negative; Python 2's interned "a" and a reference to it.
        let bytes = b"(\x04\0\0\0l\x02\0\0\0\x02\0\x01\0l\xfe\xff\xff\xff\x02\0\x01\0t\x01\0\0\0aR\0\0\0\0";
        let read = Marshalled::read(bytes).unwrap();
        let Value::Sequence(items) = read.root() else { panic!() };
        assert_eq!((read.get(items[0]), read.get(items[1])), (&Value::Number(32770.0), &Value::Number(-32770.0)));
        assert_eq!(read.get(items[3]), &Value::Text("a".into()));
    }

    #[test]
    fn lengths_and_depths_that_are_lies_are_refused() {
        assert!(Marshalled::read(b"(\xff\xff\xff\x7f").unwrap_err().contains("cut off"));
        assert!(Marshalled::read(b"(\xff\xff\xff\xff").unwrap_err().contains("negative"));
        assert!(Marshalled::read(&b")\x01".repeat(100_000)).unwrap_err().contains("too deep"));
        assert!(Marshalled::read(b"r\0\0\0\0").unwrap_err().contains("not there"));
        assert!(Marshalled::read(b"").is_err() && Marshalled::read(b"0").is_err() && Marshalled::read(b"c").is_err());
    }
}
