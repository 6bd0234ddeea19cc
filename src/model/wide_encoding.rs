//! Text in UTF-16 or UTF-32, which perfgate does not read as text, so that messages can name the encoding.

/// The encoding of a text that is not made of bytes, by its byte order mark, or by the zero bytes of its first characters.
pub fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
        // Text begins with a tab or a later character; the headers of binary files often have smaller numbers.
        [9..=0x7F, 0, 0, 0, ..] | [0, 0, 0, 9..=0x7F, ..] => Some("UTF-32"),
        [9..=0x7F, 0, 9..=0x7F, 0, ..] | [0, 9..=0x7F, 0, 9..=0x7F, ..] => Some("UTF-16"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_recognized_with_and_without_a_byte_order_mark() {
        let with_mark = |mark: &str| format!("{mark}{{\"a\": 1}}");
        for text in [with_mark("\u{feff}"), with_mark("")] {
            let units: Vec<u16> = text.encode_utf16().collect();
            let utf16 = |to_bytes: fn(u16) -> [u8; 2]| units.iter().copied().flat_map(to_bytes).collect::<Vec<u8>>();
            let utf32 =
                |to_bytes: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(to_bytes).collect::<Vec<u8>>();
            assert_eq!(wide_encoding(&utf16(u16::to_le_bytes)), Some("UTF-16"));
            assert_eq!(wide_encoding(&utf16(u16::to_be_bytes)), Some("UTF-16"));
            assert_eq!(wide_encoding(&utf32(u32::to_le_bytes)), Some("UTF-32"));
            assert_eq!(wide_encoding(&utf32(u32::to_be_bytes)), Some("UTF-32"));
            assert_eq!(wide_encoding(text.as_bytes()), None);
        }
        for binary in [[0; 4], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]] {
            assert_eq!(wide_encoding(&binary), None, "{binary:?}");
        }
        assert_eq!(wide_encoding(b""), None);
    }
}
