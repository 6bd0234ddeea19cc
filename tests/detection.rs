//! No file is claimed by two formats: each sample in tests/data, and each sample with one value or line changed, is detected
//! as its own format or as none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::{OTHER_FILES, data, files_below};
use perfgate::formats::{FORMATS, detect};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Values that replace the value of a key, one after the other.
const ODD_VALUES: [&str; 5] = ["null", "\"odd\"", "7", "[7]", "{\"value\": 7}"];
/// Bytes of a text that are enough for detection; a shorter text is searched faster.
const BEGINNING: usize = 6 * 1024;
/// Number of entries that are kept of each list.
const ENTRIES: usize = 2;
/// Number of lines that are changed, from the top: later lines of the files repeat the forms of earlier ones.
const LINES: usize = 15;
/// Maximum number of values that are changed in a sample.
const VALUES: usize = 20;
/// Keys whose value alone decides that a file has a format.
const MARKS: [(&str, &str); 1] = [("perfgate-run", ".format")];

/// One text of each kind per format. Texts with the same keys or the same first line are of the same kind.
fn samples() -> Vec<(&'static str, String, String)> {
    let mut samples = Vec::new();
    for format in FORMATS {
        let mut kinds = BTreeSet::new();
        for path in files_below(Path::new(&data(format.name()))) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else { continue };
            if OTHER_FILES.contains(&&*name) {
                continue;
            }
            let end = (0..=BEGINNING.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap();
            let shorter = [shortened(&text), Some(text[..end].to_owned())];
            let found = shorter.into_iter().flatten().find(|shorter| detected(shorter) == [format.name()]);
            let text = found.unwrap_or(text);
            let keys: Vec<String> = values(&text).into_iter().map(|value| value.path).collect();
            let first_line = if keys.is_empty() { text.lines().next().unwrap_or_default() } else { "" };
            if kinds.insert((keys, first_line.to_owned())) {
                samples.push((format.name(), path.display().to_string(), text));
            }
        }
    }
    samples
}

/// A JSON document with only the first entries of each list; `None` for another text.
fn shortened(text: &str) -> Option<String> {
    fn cut(value: &mut Value) {
        match value {
            Value::Array(list) => {
                list.truncate(ENTRIES);
                list.iter_mut().for_each(cut);
            }
            Value::Object(object) => object.values_mut().for_each(cut),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_number())?;
    cut(&mut value);
    Some(value.to_string())
}

/// The value of a key: its path, where it is, and whether it is an object or a list.
struct KeyValue {
    path: String,
    at: Range<usize>,
    is_container: bool,
}

/// The values of a JSON text, of each path the first.
fn values(text: &str) -> Vec<KeyValue> {
    fn walk<'t>(text: &'t str, raw: &'t RawValue, path: &str, found: &mut BTreeMap<String, (Range<usize>, bool)>) {
        if let Ok(object) = serde_json::from_str::<BTreeMap<String, &'t RawValue>>(raw.get()) {
            for (key, value) in object {
                let path = format!("{path}.{key}");
                let start = value.get().as_ptr() as usize - text.as_ptr() as usize;
                let is_container = value.get().starts_with(['{', '[']);
                found.entry(path.clone()).or_insert((start..start + value.get().len(), is_container));
                walk(text, value, &path, found);
            }
        } else if let Ok(list) = serde_json::from_str::<Vec<&'t RawValue>>(raw.get()) {
            list.into_iter().take(2).for_each(|value| walk(text, value, &format!("{path}[]"), found));
        }
    }
    let mut found = BTreeMap::new();
    // Of several documents the first is changed.
    if text.starts_with(['{', '['])
        && let Some(Ok(raw)) = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()
    {
        walk(text, raw, "", &mut found);
    }
    found.into_iter().map(|(path, (at, is_container))| KeyValue { path, at, is_container }).collect()
}

fn detected(text: &str) -> Vec<&'static str> {
    detect(text.as_bytes()).iter().map(|format| format.name()).collect()
}

#[test]
fn a_json_file_with_a_value_of_another_type_is_detected_as_before() {
    let mut wrong = BTreeSet::new();
    let mut changed = 0;
    for (own, file, text) in samples() {
        let values = values(&text);
        let step = values.len().div_ceil(VALUES).max(1);
        for KeyValue { path, at, is_container } in values.into_iter().step_by(step) {
            for odd in ODD_VALUES {
                let found = detected(&format!("{}{odd}{}", &text[..at.start], &text[at.end..]));
                // Without the entries of an object or list, the file may not have any format.
                let may_be_none = is_container || MARKS.contains(&(own, path.as_str()));
                if found != [own] && !(may_be_none && found.is_empty()) {
                    wrong.insert(format!("{file}: {path}: {odd}: {found:?}"));
                }
                changed += 1;
            }
        }
    }
    assert!(changed > 2_000, "{changed}");
    assert!(wrong.is_empty(), "{} of {changed}:\n{}", wrong.len(), wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_text_with_a_line_less_or_cut_at_a_line_is_detected_as_before_or_not_at_all() {
    let mut wrong = BTreeSet::new();
    for (own, file, text) in samples() {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 0..lines.len().min(LINES) {
            let without = [&lines[..at], &lines[at + 1..]].concat().concat();
            for (what, text) in [("without", without), ("to", lines[..=at].concat()), ("from", lines[at..].concat())] {
                let found = detected(&text);
                if !found.is_empty() && found != [own] {
                    wrong.insert(format!("{file}: {what} line {}: {found:?}: {}", at + 1, lines[at].trim_end()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
