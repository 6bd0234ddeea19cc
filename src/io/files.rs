//! Reads result files of all formats except criterion's tree: one file, or a directory of them. A file is opened and read
//! once; detecting its format needs no second read.

use super::compressed::decoded;
use super::input_error::InputError;
use super::regular::open_unchanging;
use crate::formats::callgrind::{self, Origin};
use crate::formats::{self, Format, Preview, Reading, Source, Surroundings};
use crate::model::{Commit, Detail, Diagnostic, Measurement};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A directory with more files is an error: the path is probably wrong.
const MAX_FILES: usize = 10_000;

/// Files of a directory that are looked at to find one that a message can name.
const MAX_NAMED_FILES: usize = 200;

/// The format of `--input-format`; `None` to detect it.
type GivenFormat = Option<&'static dyn Format>;

/// Reads one file. If everything failed, the reading has only failures.
pub fn file(path: &Path, format: GivenFormat, detail: Detail) -> Result<Reading, InputError> {
    let place = path.display().to_string();
    let refused = |error| InputError::Refused { place: place.clone(), error };
    let content = open_unchanging(path).and_then(|file| Content::of(file, format)).map_err(refused)?;
    read(&place, &content, detail)
}

/// Reads a stream.
pub fn stream(place: &str, stream: impl Read, format: GivenFormat, detail: Detail) -> Result<Reading, InputError> {
    let refused = |error| InputError::Refused { place: place.to_owned(), error };
    read(place, &Content::of(stream, format).map_err(refused)?, detail)
}

fn read(place: &str, content: &Content, detail: Detail) -> Result<Reading, InputError> {
    let format = match content.formats.as_slice() {
        [format] => *format,
        [] if content.bytes.iter().all(u8::is_ascii_whitespace) => {
            let hint = "the file is empty; run the benchmarks again".to_owned();
            return Err(InputError::Nothing { place: place.to_owned(), hint });
        }
        [] if content.bytes.iter().all(|byte| *byte == 0) => {
            let error = io::Error::other("it has only zero bytes; run the benchmarks again");
            return Err(InputError::Refused { place: place.to_owned(), error });
        }
        [] => return Err(unknown(Source { name: place, bytes: &content.bytes })),
        several => return Err(ambiguous(place, several)),
    };
    let source = Source { name: place, bytes: &content.bytes };
    let unreadable = |errors| of_another_format(source, format).unwrap_or(InputError::Unreadable(errors));
    let mut reading = parse(format, source, detail).map_err(|error| unreadable(vec![error]))?;
    content.read_error_around(&mut reading, format, place);
    if has_nothing(&reading) {
        return Err(unreadable(reading.diagnostics));
    }
    Ok(reading)
}

/// The error for a file that cannot be read in the chosen format, if it has the content of another one.
fn of_another_format(source: Source<'_>, chosen: &dyn Format) -> Option<InputError> {
    let beginning = &source.bytes[..source.bytes.len().min(Preview::LENGTH)];
    let others = formats::detect(beginning);
    let [other] = others.as_slice() else { return None };
    (other.name() != chosen.name()).then(|| InputError::OtherFormat {
        place: source.name.to_owned(),
        chosen: chosen.name(),
        other: other.name(),
    })
}

/// True if there are neither results nor failures.
fn has_nothing(reading: &Reading) -> bool {
    reading.measurements.is_empty() && !reading.failures.has_failed()
}

/// Reads every file below a directory that a format recognizes, on all cores, as one reading. At most one file for each
/// core is in memory at a time.
pub fn directory(root: &Path, format: GivenFormat, detail: Detail) -> Result<Reading, InputError> {
    let place = root.display().to_string();
    let paths = files_below(root, MAX_FILES).map_err(|error| InputError::Refused { place: place.clone(), error })?;
    let parts = paths.par_iter().filter_map(|path| part(path, format, detail).transpose());
    let mut parts: Vec<Part> = parts.collect::<Result<_, InputError>>()?;
    let old = leave_out_older_build(&mut parts);

    let commits: BTreeSet<&Commit> = parts.iter().filter_map(|part| part.reading.commit.as_ref()).collect();
    if commits.len() > 1 {
        let commits = commits.into_iter().map(|commit| commit.short().to_owned()).collect();
        return Err(InputError::SeveralCommits { place, commits });
    }
    let mut whole = parts.into_iter().fold(Reading::default(), |whole, part| whole.merge(part.reading));
    whole.diagnostics.extend(old);
    if has_nothing(&whole) {
        if !whole.diagnostics.is_empty() {
            return Err(InputError::Unreadable(whole.diagnostics));
        }
        let hint = match paths.len() {
            0 => "the directory is empty; run the benchmarks first".to_owned(),
            count => format!("no file in it has a known format ({count} read); run `perfgate formats` for a list"),
        };
        return Err(InputError::Nothing { place, hint });
    }
    Ok(whole)
}

/// A result file of a directory.
struct Part {
    name: String,
    reading: Reading,
    origin: Option<Origin>,
}

/// Reads a file of a directory; `None` if it has no results. A file that cannot be read is left out with a warning.
fn part(path: &Path, format: GivenFormat, detail: Detail) -> Result<Option<Part>, InputError> {
    let name = path.display().to_string();
    let with_warning =
        |diagnostic| Reading { diagnostics: vec![diagnostic], is_incomplete: true, ..Reading::default() };
    let content = match open_unchanging(path).and_then(|file| Content::of(file, format)) {
        Ok(content) => content,
        Err(error) => {
            let reading = with_warning(Diagnostic::warning("unreadable", name.as_str(), format!("{error}; left out")));
            return Ok(Some(Part { name, reading, origin: None }));
        }
    };
    let format = match content.formats.as_slice() {
        [] => return Ok(None),
        [format] => *format,
        several => return Err(ambiguous(&name, several)),
    };
    let source = Source { name: &name, bytes: &content.bytes };
    let origin = callgrind::origin(format.name(), source);
    let mut reading = parse(format, source, detail).unwrap_or_else(with_warning);
    content.read_error_around(&mut reading, format, source.name);
    Ok(Some(Part { name, reading, origin }))
}

fn parse(format: &'static dyn Format, source: Source<'_>, detail: Detail) -> Result<Reading, Diagnostic> {
    // A program may have printed lines after JSON.
    let mut reading = format.parse(source).or_else(|error| {
        let is_json = matches!(source.bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        let json = is_json.then(|| Surroundings::AroundJson.remove(source.bytes)).flatten().ok_or(error)?;
        let mut reading = format.parse(Source { bytes: &json, ..source })?;
        formats::read_error_around(&mut reading, format.name(), source, &json);
        Ok(reading)
    })?;
    if detail == Detail::Digests {
        reading.measurements.iter_mut().for_each(Measurement::condense);
    }
    Ok(reading)
}

/// Removes results of an earlier build, with a note.
fn leave_out_older_build(parts: &mut Vec<Part>) -> Option<Diagnostic> {
    let origins: Vec<Option<&Origin>> = parts.iter().map(|part| part.origin.as_ref()).collect();
    let left = callgrind::leftovers(&origins);
    let first = parts.get(*left.first()?)?.name.clone();
    let others = match left.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let mut at = 0;
    parts.retain(|_| {
        at += 1;
        left.binary_search(&(at - 1)).is_err()
    });
    Some(Diagnostic::note(
        "left-over",
        first,
        format!("left over from an earlier build of the benchmarks; left out{others}"),
    ))
}

/// The error for content of an unknown format; JSON or XML in another encoding has an error of its own.
fn unknown(source: Source<'_>) -> InputError {
    let marked = matches!(source.bytes.first(), Some(b'{' | b'[' | b'<'));
    let broken = std::str::from_utf8(source.bytes).err().filter(|error| marked && error.error_len().is_some());
    let encoding = formats::utf8(source).err().or_else(|| {
        let message = format!("is not UTF-8 text (at byte {}); save it as UTF-8", broken?.valid_up_to());
        Some(Diagnostic::error("not-utf8", source.name, message))
    });
    match encoding {
        Some(diagnostic) => InputError::Unreadable(vec![diagnostic]),
        None => InputError::UnknownContent(source.name.to_owned(), formats::resemblance(source.bytes)),
    }
}

fn ambiguous(place: &str, several: &[&'static dyn Format]) -> InputError {
    let formats = several.iter().map(|format| format.name()).collect::<Vec<_>>().join(" or ");
    InputError::Ambiguous { place: place.to_owned(), formats }
}

/// A file's bytes and its possible formats. If no format fits, only the beginning is read.
struct Content {
    bytes: Vec<u8>,
    formats: Vec<&'static dyn Format>,
    /// The content with the lines around JSON, where there are some.
    whole: Option<Vec<u8>>,
}

impl Content {
    /// Adds an error that ended the run, which another program printed before or after JSON.
    fn read_error_around(&self, reading: &mut Reading, format: &dyn Format, name: &str) {
        if let Some(whole) = &self.whole {
            formats::read_error_around(reading, format.name(), Source { name, bytes: whole }, &self.bytes);
        }
    }

    fn of(file: impl Read, format: GivenFormat) -> io::Result<Content> {
        let mut file = decoded(file)?;
        let mut bytes = Vec::new();
        file.by_ref().take(Preview::LENGTH as u64).read_to_end(&mut bytes)?;
        if formats::without_timestamps(&bytes).is_some() {
            file.read_to_end(&mut bytes)?;
            return Ok(Content::of_log(formats::without_timestamps(&bytes).unwrap_or(bytes), format));
        }
        let mut formats = formats::detect(&bytes);
        let mut surroundings = None;
        if formats.is_empty()
            && let Some((kind, inside)) = inside(&bytes)
        {
            (formats, surroundings) = (inside, Some(kind));
        }
        if let Some(format) = format {
            formats = vec![format];
        }
        if formats.len() == 1 {
            file.read_to_end(&mut bytes)?;
        }
        let mut whole = None;
        if let Some(inside) = surroundings.and_then(|kind| kind.remove(&bytes)) {
            whole =
                Some(std::mem::replace(&mut bytes, inside)).filter(|_| surroundings == Some(Surroundings::AroundJson));
        }
        Ok(Content { bytes, formats, whole })
    }

    /// The content of a CI job's log. Results may come after megabytes of other output.
    fn of_log(log: Vec<u8>, format: GivenFormat) -> Content {
        if let Some(format) = format {
            return Content { bytes: log, formats: vec![format], whole: None };
        }
        let found = windows(&log).map(formats::detect).find(|formats| !formats.is_empty());
        match found.map(|formats| (None, formats)).or_else(|| inside(&log).map(|(kind, formats)| (Some(kind), formats)))
        {
            Some((kind, formats)) => {
                let is_json = kind == Some(Surroundings::AroundJson);
                match kind.and_then(|kind| kind.remove(&log)) {
                    Some(bytes) => Content { bytes, formats, whole: is_json.then_some(log) },
                    None => Content { bytes: log, formats, whole: None },
                }
            }
            None => Content { bytes: log, formats: Vec::new(), whole: None },
        }
    }
}

/// What to remove from a file so that a format is detected, and the formats.
fn inside(bytes: &[u8]) -> Option<(Surroundings, Vec<&'static dyn Format>)> {
    Surroundings::ALL.into_iter().find_map(|kind| {
        let inside = formats::detect(kind.remove(bytes)?.trim_ascii_start());
        (!inside.is_empty()).then_some((kind, inside))
    })
}

/// Parts of a text that overlap by half, so that the first lines of a result are together in one of them.
fn windows(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..text.len()).step_by(Preview::LENGTH / 2).filter_map(|at| {
        let line = if at == 0 { 0 } else { at + text[at..].iter().position(|byte| *byte == b'\n')? + 1 };
        text.get(line..text.len().min(at + Preview::LENGTH))
    })
}

/// The formats of the results in a text, each with the text in which to read them. Two tools that print to one stream each have
/// their own format.
pub fn formats_in_text(text: &[u8]) -> Vec<(&'static str, Cow<'_, [u8]>)> {
    let text: Cow<'_, [u8]> = match formats::without_timestamps(text) {
        Some(text) => text.into(),
        None => text.into(),
    };
    let text = Surroundings::Colors.remove(&text).map_or(text, Cow::Owned);
    let mut found: Vec<(&'static str, Cow<'_, [u8]>)> = Vec::new();
    if matches!(text.trim_ascii_start().first(), None | Some(b'{' | b'[' | b'<')) {
        return found; // a document, in which lines of other tools are only quoted
    }
    let of_windows: Vec<&'static str> = windows(&text).flat_map(formats::detect).map(|format| format.name()).collect();
    for name in of_windows {
        if found.iter().all(|(known, _)| *known != name) {
            found.push((name, text.clone()));
        }
    }
    if !found.is_empty() {
        for kind in [Surroundings::AroundJson, Surroundings::AroundXml] {
            let Some(document) = kind.remove(&text) else { continue };
            let formats = formats::detect(document.trim_ascii_start());
            if let [format] = formats.as_slice()
                && found.iter().all(|(known, _)| *known != format.name())
            {
                found.push((format.name(), document.into()));
            }
        }
    }
    found
}

/// Whether a format recognizes a part of an output. Most of a long output has other content, so the quick tests come first.
fn has_results(part: &[u8]) -> bool {
    let may_be_inside = || part.iter().any(|byte| matches!(byte, b'\x1b' | b'{' | b'[' | b'<' | b','));
    part.iter().any(u8::is_ascii_digit)
        && (!formats::detect(part).is_empty() || may_be_inside() && inside(part).is_some())
}

/// A long output from its first results on; `None` if no part of it has a known format. Output before them is not kept
/// in memory. More than `most` bytes of results are an error.
pub fn from_first_results(mut output: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut window = Vec::new();
    loop {
        let missing = Preview::LENGTH.saturating_sub(window.len());
        let count = output.by_ref().take(missing as u64).read_to_end(&mut window)?;
        if has_results(&window) {
            output.by_ref().take(most).read_to_end(&mut window)?;
            let is_whole = output.read(&mut [0])? == 0;
            let error = || io::Error::other(format!("more than {} MiB of results; write them to {{out}}", most >> 20));
            return if is_whole { Ok(Some(window)) } else { Err(error()) };
        }
        if count < missing {
            return Ok(None);
        }
        // The parts overlap by half, so that the first lines of a result are together in one of them.
        let half = Preview::LENGTH / 2;
        let line = window[half..].iter().position(|byte| *byte == b'\n').map_or(half, |at| half + at + 1);
        window.drain(..line);
    }
}

/// The files in a directory that a format recognizes, with the names of their formats.
pub fn results_in(directory: &Path) -> Vec<(String, &'static str)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    let with_format = |name: &std::ffi::OsString| {
        let file = open_unchanging(&directory.join(name)).ok()?.take(Preview::LENGTH as u64);
        match Content::of(file, None).ok()?.formats.as_slice() {
            [format] => Some((name.to_str()?.to_owned(), format.name())),
            _ => None,
        }
    };
    names.iter().take(MAX_NAMED_FILES).filter_map(with_format).collect()
}

/// The files below a directory, sorted; those of git's own directory are left out. More than `most` are an error.
pub fn files_below(root: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && entry.file_name() != ".git" {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
            if files.len() + open.len() > most {
                let message = format!("has more than {most} files; use the directory of the results itself");
                return Err(io::Error::other(message));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}
