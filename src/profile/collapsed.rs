//! Collapsed stacks: `main;parse;split 42`, one stack per line, outermost function first, as perf with
//! `stackcollapse-perf.pl`, `py-spy record --format raw`, async-profiler and many others write them.

use super::builder::{Frame, ProfileBuilder, Scope};
use super::{FormatError, InlineFrames, Measure, Profile};

/// Lines that are looked at to detect the format.
const PREVIEW: usize = 20;

/// True if the first lines are stacks with a number.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    let whole = text.rfind('\n').map_or(&*text, |end| &text[..end]);
    let lines: Vec<&str> = whole.lines().filter(|line| is_stack(line)).take(PREVIEW).collect();
    !lines.is_empty() && lines.iter().all(|line| split(line).is_some()) && lines.iter().any(|line| line.contains(';'))
}

fn is_stack(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

fn split(line: &str) -> Option<(&str, f64)> {
    let (stack, count) = line.trim_end().rsplit_once(' ')?;
    let count = count.parse::<f64>().ok().filter(|count| count.is_finite() && *count >= 0.0)?;
    Some((stack, count))
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    let text = String::from_utf8_lossy(bytes);
    let mut builder = ProfileBuilder::new(Measure::Samples, Scope::File);
    for (at, line) in (1..).zip(text.lines()).filter(|(_, line)| is_stack(line)) {
        let error = || FormatError {
            line: Some(at),
            reason: "a line is a stack and a number, as in `main;parse 42`".to_owned(),
        };
        let (stack, count) = split(line).ok_or_else(error)?;
        if stack.trim().is_empty() {
            continue; // py-spy: a thread without Python code
        }
        let stack: Vec<Frame> = stack.rsplit(';').map(|frame| function(frame.trim(), &mut builder)).collect();
        builder.cost(&stack, count);
    }
    Ok(builder.finish())
}

/// `name`, `name (file.py:12)` as py-spy writes it, or `name_[k]` with the kind of the code.
fn function(text: &str, builder: &mut ProfileBuilder) -> Frame {
    let text = ["_[k]", "_[j]", "_[i]", "_[1]", "_[0]"].iter().find_map(|mark| text.strip_suffix(mark)).unwrap_or(text);
    let place = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let place = place.and_then(|(name, place)| match place.rsplit_once(':') {
        Some((file, line)) => Some((name, file, Some(line.parse::<u32>().ok()?))),
        None => place.contains('.').then_some((name, place, None)),
    });
    match place {
        Some((name, file, line)) => Frame { function: builder.function(name, Some(file), None), line },
        None => Frame { function: builder.function(text, None, None), line: None },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NoInlineFrames, read as read_any};

    #[test]
    fn stacks_of_perf_and_py_spy_are_read() {
        let text = "# comment\n<module> (app.py:3);parse (app.py:12) 30\n<module> (app.py:3);parse (app.py:14);\
            loads (/usr/lib/python3.11/json/__init__.py:346) 10\nmain;do_syscall_64_[k] 5\n";
        let profile = read_any("x", text.as_bytes(), &mut NoInlineFrames).unwrap();
        let parse = &profile.functions["parse (app.py)"];
        assert_eq!((parse.own, parse.charged), (30.0, 40.0));
        assert_eq!(parse.lines, [(12, 30.0), (14, 10.0)].into());
        assert_eq!((profile.total, profile.functions["do_syscall_64"].own), (45.0, 5.0));
    }

    #[test]
    fn a_line_without_a_number_is_named() {
        let text = "a;b 1\n".repeat(30) + "a;b\n";
        let error = read_any("x", text.as_bytes(), &mut NoInlineFrames).unwrap_err().to_string();
        assert!(error.starts_with("x:31: not a valid collapsed stacks profile: a line is a stack"), "{error}");
        assert!(read_any("x", b"some text\nwith lines\n", &mut NoInlineFrames).is_err());
    }

    #[test]
    fn costs_that_cannot_be_added_are_an_error() {
        let huge = format!("1{}", "0".repeat(308));
        let text = format!("main;a {huge}\nmain;b {huge}\n");
        let error = read_any("x", text.as_bytes(), &mut NoInlineFrames).unwrap_err().to_string();
        assert!(error.contains("the sum of its costs is too large"), "{error}");
    }
}
