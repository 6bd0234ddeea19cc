//! V8's `.cpuprofile`: `node --cpu-prof`, Deno, and the tools of Chrome.

use super::builder::{Frame, ProfileBuilder, Scope};
use super::tree::{CallNode, add};
use super::{FormatError, InlineFrames, Measure, Profile};
use serde::Deserialize;
use std::collections::HashMap;

/// Nanoseconds in the file's unit of time.
const MICROSECOND: f64 = 1e3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    nodes: Vec<Node>,
    #[serde(default)]
    samples: Vec<u64>,
    #[serde(default)]
    time_deltas: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: u64,
    call_frame: CallFrame,
    #[serde(default)]
    children: Vec<u64>,
    parent: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame {
    function_name: String,
    #[serde(default)]
    url: String,
    /// From 0; −1 for functions without a source.
    #[serde(default)]
    line_number: f64,
}

/// True for a file with nodes that have call frames.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 12)]);
    start.trim_start().starts_with('{') && start.contains("\"callFrame\"") && start.contains("\"nodes\"")
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| FormatError::new(error.to_string()))?;
    let mut builder = ProfileBuilder::new(Measure::Time, Scope::File);
    let index: HashMap<u64, usize> = file.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let mut nodes: Vec<CallNode> = Vec::with_capacity(file.nodes.len());
    for node in &file.nodes {
        let CallFrame { function_name, url, line_number } = &node.call_frame;
        let name = if function_name.is_empty() { "(anonymous)" } else { function_name };
        let path = url.strip_prefix("file://").unwrap_or(url);
        let line = (*line_number >= 0.0 && !url.is_empty()).then(|| (line_number + 1.0) as u32);
        let function = builder.function(name, Some(path), None);
        let parent = node.parent.and_then(|parent| index.get(&parent).copied());
        nodes.push(CallNode { frame: Frame { function, line }, parent, cost: 0.0 });
    }
    for (at, node) in file.nodes.iter().enumerate() {
        for child in node.children.iter().filter_map(|child| index.get(child)) {
            nodes[*child].parent = Some(at);
        }
    }
    for (at, sample) in file.samples.iter().enumerate() {
        let Some(node) = index.get(sample) else {
            return Err(FormatError::new(format!("sample {at} is of node {sample}, which is not in the file")));
        };
        // A delta is the time since the sample before, so a sample lasts until the next one.
        let deltas = &file.time_deltas;
        let delta = deltas.get(at + 1).or(deltas.get(at)).copied().unwrap_or(0.0);
        if file.nodes[*node].call_frame.function_name != "(idle)" && delta.is_finite() {
            nodes[*node].cost += delta.max(0.0) * MICROSECOND;
        }
    }
    add(&mut builder, &nodes);
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::super::{NoInlineFrames, read as read_any};

    #[test]
    fn a_sample_lasts_until_the_next_and_native_code_counts_for_its_caller() {
        let text = r#"{"nodes":[
            {"id":1,"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"children":[2,4]},
            {"id":2,"callFrame":{"functionName":"parse","scriptId":"8","url":"file:///w/a.js","lineNumber":9,"columnNumber":1},"children":[3]},
            {"id":3,"callFrame":{"functionName":"readFileSync","scriptId":"9","url":"node:fs","lineNumber":1,"columnNumber":1}},
            {"id":4,"callFrame":{"functionName":"(idle)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1}}],
            "startTime":0,"endTime":100,"samples":[2,3,4,2],"timeDeltas":[5,10,20,40]}"#;
        let profile = read_any("x", text.as_bytes(), &mut NoInlineFrames).unwrap();
        let parse = &profile.functions["parse (a.js)"];
        assert_eq!((profile.total, parse.own, parse.charged), (70_000.0, 50_000.0, 70_000.0));
        assert_eq!((parse.file.as_deref(), parse.lines.keys().copied().next()), (Some("/w/a.js"), Some(10)));
        let broken = text.replace("[2,3,4,2]", "[77]");
        assert!(read_any("x", broken.as_bytes(), &mut NoInlineFrames).unwrap_err().to_string().contains("node 77"));
    }

    #[test]
    fn nodes_that_are_their_own_parents_do_not_hang() {
        let node = r#"{"id":1,"parent":1,"callFrame":{"functionName":"f"},"children":[1]}"#;
        let text = format!(r#"{{"nodes":[{node}],"samples":[1],"timeDeltas":[1]}}"#);
        assert_eq!(read_any("x", text.as_bytes(), &mut NoInlineFrames).unwrap().total, 1000.0);
    }
}
