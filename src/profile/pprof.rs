//! pprof's format: Go's `-cpuprofile` and `-memprofile`, and profilers of other languages that write it. A protocol buffer,
//! described at <https://github.com/google/pprof/blob/main/proto/profile.proto>.

use super::builder::{Frame, MAX_DEPTH, ProfileBuilder, Scope};
use super::{FormatError, InlineFrames, Measure, Profile};
use prost::Message;
use std::collections::HashMap;

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    /// Bytes, because some writers cut strings inside a character.
    #[prost(bytes = "vec", repeated, tag = "6")]
    string_table: Vec<Vec<u8>>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    r#type: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Mapping {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "5")]
    filename: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    mapping_id: u64,
    /// Innermost first, where functions are inlined.
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// True for a message with sample types and strings. The first string is always empty. Go writes the time before the sample types.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let file = File::decode(bytes);
    file.is_ok_and(|file| !file.sample_type.is_empty() && file.string_table.first().is_some_and(Vec::is_empty))
}

impl File {
    fn string(&self, index: i64) -> String {
        let string = usize::try_from(index).ok().and_then(|index| self.string_table.get(index));
        string.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    let file = File::decode(bytes).map_err(|error| FormatError::new(error.to_string()))?;
    // As pprof itself chooses: the default, or the last.
    let named = |kind: &ValueType| file.default_sample_type != 0 && kind.r#type == file.default_sample_type;
    let column = file.sample_type.iter().position(named).or(file.sample_type.len().checked_sub(1));
    let column = column.ok_or_else(|| FormatError::new("it has no sample type"))?;
    let kind = &file.sample_type[column];
    let (unit, kind) = (file.string(kind.unit), file.string(kind.r#type));
    let (measure, factor) = Measure::of_unit(&unit).unwrap_or(match kind.as_str() {
        "samples" => (Measure::Samples, 1.0),
        "instructions" => (Measure::Instructions, 1.0),
        _ => (Measure::Count, 1.0),
    });
    let mut builder = ProfileBuilder::new(measure, Scope::Qualified);
    let functions: HashMap<u64, _> = file
        .function
        .iter()
        .map(|function| {
            let (name, path) = (file.string(function.name), file.string(function.filename));
            (function.id, builder.function(&name, Some(&path), None))
        })
        .collect();
    let objects: HashMap<u64, String> =
        file.mapping.iter().map(|mapping| (mapping.id, file.string(mapping.filename))).collect();
    let mut locations: HashMap<u64, Vec<Frame>> = HashMap::new();
    for location in &file.location {
        let frame = |line: &Line| {
            let function = *functions.get(&line.function_id)?;
            Some(Frame { function, line: u32::try_from(line.line).ok().filter(|line| *line > 0) })
        };
        let mut frames: Vec<Frame> = location.line.iter().filter_map(frame).collect();
        if frames.is_empty() {
            // Code without symbols counts for its program or library.
            let object = objects.get(&location.mapping_id).map(String::as_str).unwrap_or_default();
            let name = format!("[{}]", object.rsplit('/').next().unwrap_or_default());
            frames.push(Frame { function: builder.function(&name, None, Some(object)), line: None });
        }
        locations.insert(location.id, frames);
    }
    for sample in &file.sample {
        let Some(value) = sample.value.get(column).filter(|value| **value > 0) else { continue };
        let stack = sample.location_id.iter().filter_map(|id| locations.get(id)).flatten().copied().take(MAX_DEPTH);
        let stack: Vec<Frame> = stack.collect();
        builder.cost(&stack, *value as f64 * factor);
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::super::{NoInlineFrames, read as read_any};
    use super::*;

    fn file() -> File {
        let strings =
            ["", "samples", "count", "cpu", "nanoseconds", "main.parse.func1", "/w/main.go", "runtime.mallocgc"];
        let line = |function_id, line| Line { function_id, line };
        File {
            sample_type: vec![ValueType { r#type: 1, unit: 2 }, ValueType { r#type: 3, unit: 4 }],
            sample: vec![
                Sample { location_id: vec![2, 1], value: vec![1, 10_000_000] },
                Sample { location_id: vec![1], value: vec![2, 20_000_000] },
            ],
            mapping: vec![],
            location: vec![
                Location { id: 1, mapping_id: 0, line: vec![line(1, 21)] },
                Location { id: 2, mapping_id: 0, line: vec![line(2, 5)] },
            ],
            function: vec![Function { id: 1, name: 5, filename: 6 }, Function { id: 2, name: 7, filename: 0 }],
            string_table: strings.iter().map(|text| text.as_bytes().to_vec()).collect(),
            default_sample_type: 0,
        }
    }

    #[test]
    fn the_last_sample_type_is_read_and_the_runtime_counts_for_its_caller() {
        let profile = read_any("x", &file().encode_to_vec(), &mut NoInlineFrames).unwrap();
        let parse = &profile.functions["main.parse"];
        assert_eq!((profile.measure, profile.total), (Measure::Time, 30e6));
        assert_eq!((parse.own, parse.charged), (20e6, 30e6));
        assert_eq!(parse.lines, [(21, 30e6)].into());
        let time_first = [&[0x48, 5][..], &file().encode_to_vec()].concat();
        assert_eq!(read_any("x", &time_first, &mut NoInlineFrames).unwrap().total, 30e6);
        let counted = File { default_sample_type: 1, ..file() };
        let profile = read_any("x", &counted.encode_to_vec(), &mut NoInlineFrames).unwrap();
        assert_eq!((profile.measure, profile.total), (Measure::Samples, 3.0));
    }

    #[test]
    fn unknown_locations_and_a_cut_file_do_no_harm() {
        let mut broken = file();
        broken.sample[0].location_id = vec![99, 2, 1];
        broken.location[1].line[0].function_id = 77;
        let profile = read_any("x", &broken.encode_to_vec(), &mut NoInlineFrames).unwrap();
        assert_eq!(profile.total, 30e6);
        let bytes = file().encode_to_vec();
        assert!(read_any("x", &bytes[..bytes.len() - 5], &mut NoInlineFrames).is_err());
    }
}
