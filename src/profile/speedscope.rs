//! Files of speedscope, which several profilers write (`py-spy record --format speedscope`, rbspy, samply's exports).

use super::builder::{Frame, MAX_DEPTH, ProfileBuilder, Scope};
use super::{FormatError, InlineFrames, Measure, Profile};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    shared: FrameTable,
    profiles: Vec<Part>,
}

#[derive(Deserialize)]
struct FrameTable {
    frames: Vec<FileFrame>,
}

#[derive(Deserialize)]
struct FileFrame {
    name: String,
    file: Option<String>,
    line: Option<f64>,
}

/// One thread or process.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Part {
    Sampled {
        unit: String,
        samples: Vec<Vec<usize>>,
        weights: Vec<f64>,
    },
    #[serde(rename_all = "camelCase")]
    Evented {
        unit: String,
        #[serde(default)]
        start_value: f64,
        events: Vec<Event>,
    },
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: EventKind,
    at: f64,
    frame: usize,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum EventKind {
    #[serde(rename = "O")]
    Open,
    #[serde(rename = "C")]
    Close,
}

/// True for a file that names speedscope's schema.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    // The schema's name may be at the end of the file.
    let ends = [&bytes[..bytes.len().min(1 << 12)], &bytes[bytes.len().saturating_sub(1 << 12)..]];
    is_json && ends.iter().any(|part| String::from_utf8_lossy(part).contains("speedscope.app/file-format-schema"))
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| FormatError::new(error.to_string()))?;
    let mut units = file.profiles.iter().map(|part| match part {
        Part::Sampled { unit, .. } | Part::Evented { unit, .. } => unit.as_str(),
    });
    let unit = units.next().ok_or_else(|| FormatError::new("it has no profiles"))?.to_owned();
    if let Some(other) = units.find(|other| **other != unit) {
        return Err(FormatError::new(format!("its profiles have different units, {unit:?} and {other:?}")));
    }
    let (measure, factor) = match unit.as_str() {
        "none" => (Measure::Samples, 1.0),
        unit => Measure::of_unit(unit).ok_or_else(|| FormatError::new(format!("{unit:?} is not a known unit")))?,
    };
    let mut builder = ProfileBuilder::new(measure, Scope::File);
    let frames = file.shared.frames.iter().map(|frame| Frame {
        function: builder.function(&frame.name, frame.file.as_deref(), None),
        line: frame.line.filter(|line| *line >= 1.0).map(|line| line as u32),
    });
    let frames: Vec<Frame> = frames.collect();
    let frame = |index: usize| {
        frames.get(index).copied().ok_or_else(|| FormatError::new(format!("frame {index} is not in the file")))
    };
    for part in &file.profiles {
        match part {
            Part::Sampled { samples, weights, .. } => {
                if samples.len() != weights.len() {
                    let (samples, weights) = (samples.len(), weights.len());
                    return Err(FormatError::new(format!("it has {samples} samples and {weights} weights")));
                }
                for (stack, weight) in samples.iter().zip(weights) {
                    let stack = stack.iter().rev().map(|index| frame(*index)).collect::<Result<Vec<_>, _>>()?;
                    add(&mut builder, &stack, weight * factor);
                }
            }
            Part::Evented { start_value, events, .. } => {
                let (mut stack, mut last) = (Vec::new(), *start_value);
                for event in events {
                    let innermost: Vec<Frame> = stack.iter().rev().take(MAX_DEPTH).copied().collect();
                    add(&mut builder, &innermost, (event.at - last) * factor);
                    last = event.at;
                    match event.kind {
                        EventKind::Open => stack.push(frame(event.frame)?),
                        EventKind::Close if stack.pop() == Some(frame(event.frame)?) => {}
                        EventKind::Close => {
                            let reason = format!("frame {} ends before the frames inside it", event.frame);
                            return Err(FormatError::new(reason));
                        }
                    }
                }
            }
        }
    }
    Ok(builder.finish())
}

fn add(builder: &mut ProfileBuilder, stack: &[Frame], cost: f64) {
    if cost.is_finite() && cost > 0.0 {
        builder.cost(stack, cost);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NoInlineFrames, Profile, ProfileError, read as read_any};

    fn read(profile: &str) -> Result<Profile, ProfileError> {
        let text = format!(
            r#"{{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{{"frames":[{{"name":"main"}},
            {{"name":"parse","file":"src/a.py","line":12}}]}},"profiles":[{profile}]}}"#
        );
        read_any("x", text.as_bytes(), &mut NoInlineFrames)
    }

    #[test]
    fn samples_and_events_are_read() {
        let sampled = r#"{"type":"sampled","name":"t","unit":"milliseconds","startValue":0,"endValue":5,"samples":[[0,1],[0]],"weights":[3,2]}"#;
        let evented = r#"{"type":"evented","name":"t","unit":"milliseconds","startValue":0,"endValue":5,"events":[
            {"type":"O","at":0,"frame":0},{"type":"O","at":1,"frame":1},{"type":"C","at":4,"frame":1},{"type":"C","at":5,"frame":0}]}"#;
        for text in [sampled, evented] {
            let profile = read(text).unwrap();
            let parse = &profile.functions["parse (a.py)"];
            assert_eq!((profile.total, parse.own, profile.functions["main"].own), (5e6, 3e6, 2e6));
        }
        assert_eq!(read(&format!("{sampled},{evented}")).unwrap().total, 10e6);
    }

    #[test]
    fn what_does_not_fit_together_is_an_error() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("").contains("no profiles"));
        assert!(error(r#"{"type":"sampled","unit":"none","samples":[[7]],"weights":[1]}"#).contains("frame 7"));
        assert!(error(r#"{"type":"sampled","unit":"none","samples":[[0]],"weights":[]}"#).contains("0 weights"));
        assert!(error(r#"{"type":"sampled","unit":"furlongs","samples":[],"weights":[]}"#).contains("furlongs"));
        let closed = r#"{"type":"evented","unit":"none","events":[{"type":"C","at":0,"frame":0}]}"#;
        assert!(error(closed).contains("ends before"));
    }
}
