//! The Report as JSON, the comparison file: one benchmark per line, so that large files stay readable and `diff` works.

use crate::verdict::Report;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// Writes the Report as JSON.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Lines::default());
    report.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Breaks lines at the two outer levels and writes everything deeper on one line.
#[derive(Default)]
struct Lines {
    depth: usize,
    empty: bool,
}

/// Levels with a line per item: the fields of the report, and the items of its lists.
const LEVELS_WITH_LINE_BREAKS: usize = 2;

impl Lines {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty && self.depth < LEVELS_WITH_LINE_BREAKS {
            self.line(out, self.depth)?;
        }
        self.empty = false;
        out.write_all(bracket)
    }

    fn item<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= LEVELS_WITH_LINE_BREAKS {
            self.line(out, self.depth)
        } else if first {
            Ok(())
        } else {
            out.write_all(b" ")
        }
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W, depth: usize) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    /// Writes -0 as 0: readers would take the sign for a change.
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        CompactFormatter.write_f64(out, value + 0.0)
    }
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }
    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }
    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        let mut out = Vec::new();
        (-0.0_f64).serialize(&mut Serializer::with_formatter(&mut out, Lines::default())).unwrap();
        assert_eq!(out, b"0.0");
    }

    #[test]
    fn items_of_lists_are_on_lines_of_their_own() {
        let mut out = Vec::new();
        let value = serde_json::json!({"a": [{"x": 1, "y": [1, 2]}, {}], "b": [], "c": {"d": {"e": 1}}});
        value.serialize(&mut Serializer::with_formatter(&mut out, Lines::default())).unwrap();
        let lines = [
            "{",
            "  \"a\": [",
            "    {\"x\": 1, \"y\": [1, 2]},",
            "    {}",
            "  ],",
            "  \"b\": [],",
            "  \"c\": {",
            "    \"d\": {\"e\": 1}",
            "  }",
            "}",
        ];
        assert_eq!(String::from_utf8(out).unwrap(), lines.join("\n"));
    }
}
