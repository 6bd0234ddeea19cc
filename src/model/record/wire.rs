//! Encoding of varints, texts, and arrays split into byte planes. A [`Cursor`] checks every count against the remaining
//! bytes.

use super::error::RecordError;
use crate::model::number_text::thousands;

/// Appends an unsigned number, seven bits per byte.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends the length of a text and the text.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends an array as byte planes: the first byte of every item, then the second byte of every item. Bytes of the same
/// significance are similar, so that they compress better next to each other.
pub(super) fn put_planes<const W: usize>(out: &mut Vec<u8>, items: &[[u8; W]]) {
    out.reserve(items.len() * W);
    for plane in 0..W {
        out.extend(items.iter().map(|item| item[plane]));
    }
}

/// Appends numbers as planes, without loss.
pub(super) fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    let items: Vec<[u8; 8]> = values.iter().map(|v| v.to_le_bytes()).collect();
    put_planes(out, &items);
}

/// An array of `n` items in byte planes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes<'a, const W: usize> {
    bytes: &'a [u8],
    n: usize,
}

impl<const W: usize> Planes<'_, W> {
    /// Item `i`; zero past the end.
    pub(super) fn get(&self, i: usize) -> [u8; W] {
        std::array::from_fn(|plane| if i < self.n { self.bytes[plane * self.n + i] } else { 0 })
    }
}

impl Planes<'_, 8> {
    /// All items as little-endian integers.
    pub(super) fn words(&self) -> Vec<u64> {
        let mut words = vec![0; self.n];
        for plane in 0..8 {
            let bytes = &self.bytes[plane * self.n..];
            words.iter_mut().zip(bytes).for_each(|(word, byte)| *word |= u64::from(*byte) << (8 * plane));
        }
        words
    }

    /// All numbers; an error if one is not finite.
    pub(super) fn floats(&self) -> Result<Vec<f64>, RecordError> {
        let values: Vec<f64> = self.words().into_iter().map(f64::from_bits).collect();
        if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(damaged("a number is not finite")) }
    }
}

/// Largest number of items to allocate for before any was read.
const MAX_RESERVED: usize = 1 << 20;

/// Reads a number of items.
pub(super) fn read_all<T>(
    count: usize,
    mut next: impl FnMut() -> Result<T, RecordError>,
) -> Result<Vec<T>, RecordError> {
    let mut items = Vec::with_capacity(count.min(MAX_RESERVED));
    for _ in 0..count {
        items.push(next()?);
    }
    Ok(items)
}

/// The error for invalid bytes.
pub(super) fn damaged(what: &str) -> RecordError {
    RecordError::Damaged(what.to_owned())
}

/// A count, which must not be larger than its limit.
pub(super) fn limited(count: usize, limit: usize, what: &str) -> Result<usize, RecordError> {
    if count <= limit {
        Ok(count)
    } else {
        let (count, limit) = (thousands(count), thousands(limit));
        Err(RecordError::Damaged(format!("it states {count} {what}; at most {limit} are allowed")))
    }
}

/// A number that is not negative.
pub(super) fn not_negative(value: f64) -> Result<f64, RecordError> {
    if value >= 0.0 { Ok(value) } else { Err(damaged("a number is negative")) }
}

/// Reads bytes from the front.
#[derive(Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], RecordError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| damaged("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        let (first, rest) = self.0.split_first().ok_or_else(|| damaged("it ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, RecordError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged("a number does not end"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, RecordError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A count of items that take at least `each` of the remaining bytes.
    pub(super) fn count(&mut self, each: usize) -> Result<usize, RecordError> {
        let n = usize::try_from(self.varint()?).map_err(|_| damaged("a count is too large"))?;
        match n.checked_mul(each) {
            Some(need) if need <= self.0.len() => Ok(n),
            _ => Err(damaged("a count is larger than what follows it")),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, RecordError> {
        let n = self.count(1)?;
        std::str::from_utf8(self.take(n)?).map_err(|_| damaged("a string is not valid UTF-8"))
    }

    /// A number that must be finite.
    pub(super) fn float(&mut self) -> Result<f64, RecordError> {
        self.planes::<8>(1)?.floats().map(|v| v[0])
    }

    pub(super) fn planes<const W: usize>(&mut self, n: usize) -> Result<Planes<'a, W>, RecordError> {
        let size = n.checked_mul(W).ok_or_else(|| damaged("a count is too large"))?;
        Ok(Planes { bytes: self.take(size)?, n })
    }
}
