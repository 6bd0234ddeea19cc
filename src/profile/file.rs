//! An explanation as JSON, alone (`perfgate explain --format json`) and in the comparison file. docs/explain.md has its keys.

use super::growth::most;
use super::{Explanation, Flame, GrownFunction, Growth, Inlining, Measure, Presence};
use serde::{Deserialize, Serialize};

/// The `format` of every explanation.
const FORMAT: &str = "perfgate-explanation";
/// The `version` that this perfgate writes.
const VERSION: u32 = 1;

/// The file. The sentence and what follows from the measure are for readers, and are not read back.
#[derive(Serialize, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
    benchmark: Option<String>,
    metric: Measure,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    summary: String,
    base: SideEntry,
    head: SideEntry,
    #[serde(default)]
    change: Option<f64>,
    #[serde(default)]
    time_change: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    of_command: bool,
    functions: Vec<FunctionEntry>,
    #[serde(default)]
    changed_functions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flame: Option<Flame>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct SideEntry {
    label: String,
    value: f64,
}

#[derive(Serialize, Deserialize)]
struct FunctionEntry {
    name: String,
    file: Option<String>,
    line: Option<u32>,
    base: f64,
    head: f64,
    own: Sides,
    share: Option<f64>,
    status: Presence,
    #[serde(default)]
    inlining: Option<Inlining>,
    in_diff: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct Sides {
    base: f64,
    head: f64,
}

impl From<Explanation> for File {
    fn from(explanation: Explanation) -> File {
        let summary = explanation.sentence();
        let change = explanation.growth.change();
        let Explanation { benchmark, base, head, growth, changed, time_change, of_command, notes } = explanation;
        let Growth { measure, totals, functions, flame, .. } = growth;
        let side = |label: String, value: f64| SideEntry { label, value };
        File {
            format: FORMAT.to_owned(),
            version: VERSION,
            benchmark,
            metric: measure,
            unit: measure.unit().to_owned(),
            summary,
            base: side(base, totals[0]),
            head: side(head, totals[1]),
            change,
            time_change,
            of_command,
            functions: functions.into_iter().map(FunctionEntry::from).collect(),
            changed_functions: changed,
            flame,
            notes,
        }
    }
}

impl From<GrownFunction> for FunctionEntry {
    fn from(function: GrownFunction) -> FunctionEntry {
        let GrownFunction { name, file, line, costs, own, share, presence, inlining, in_diff } = function;
        let [base, head] = costs;
        let own = Sides { base: own[0], head: own[1] };
        FunctionEntry { name, file, line, base, head, own, share, status: presence, inlining, in_diff }
    }
}

impl From<File> for Explanation {
    fn from(file: File) -> Explanation {
        let functions: Vec<GrownFunction> = file.functions.into_iter().map(GrownFunction::from).collect();
        let most = most(functions.iter().filter_map(|function| function.share));
        let totals = [file.base.value, file.head.value];
        let growth = Growth { measure: file.metric, totals, functions, most, flame: file.flame };
        Explanation {
            benchmark: file.benchmark,
            base: file.base.label,
            head: file.head.label,
            growth,
            changed: file.changed_functions,
            time_change: file.time_change,
            of_command: file.of_command,
            notes: file.notes,
        }
    }
}

impl From<FunctionEntry> for GrownFunction {
    fn from(entry: FunctionEntry) -> GrownFunction {
        let FunctionEntry { name, file, line, base, head, own, share, status, inlining, in_diff } = entry;
        let (costs, own) = ([base, head], [own.base, own.head]);
        GrownFunction { name, file, line, costs, own, share, presence: status, inlining, in_diff }
    }
}

#[cfg(test)]
mod tests {
    use super::super::FlameFrame;
    use super::*;

    #[test]
    fn an_explanation_is_read_as_it_was_written() {
        let function = |name: &str, share, presence| GrownFunction {
            name: name.to_owned(),
            file: Some("src/lib.rs".to_owned()),
            line: None,
            costs: [100.0, 141.5],
            own: [90.0, 0.0],
            share,
            presence,
            inlining: Some(Inlining::Lost),
            in_diff: Some(false),
        };
        let functions = vec![
            function("a", Some(0.95), Presence::New),
            function("b", Some(0.05), Presence::Gone),
            function("c", None, Presence::Both),
        ];
        let frame = |depth, name: &str, own| FlameFrame { depth, name: name.to_owned(), own };
        let frames = vec![frame(0, "main", [0.0, 1.0]), frame(1, "a", [100.0, 141.0])];
        let flame = Some(Flame { estimated: true, frames });
        let growth = Growth { measure: Measure::Samples, totals: [0.5, 1.0], functions, most: Some((1, 0.95)), flame };
        let explanation = Explanation {
            benchmark: Some("x".to_owned()),
            base: "main".to_owned(),
            head: "HEAD".to_owned(),
            growth,
            changed: vec!["d".to_owned()],
            time_change: Some(0.2),
            of_command: false,
            notes: vec!["y".to_owned()],
        };
        let json = serde_json::to_string(&explanation).unwrap();
        assert!(json.contains(r#""summary":"x has 100% more samples; 95% of the growth is in 1 function, which is not in the diff; the diff changes d""#), "{json}");
        assert!(json.contains(r#""status":"changed","inlining":"lost""#), "{json}");
        assert!(
            json.contains(r#""flame":{"estimated":true,"frames":[[0,"main",0.0,1.0],[1,"a",100.0,141.0]]}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Explanation>(&json).unwrap(), explanation);
        let newer = json.replace("\"samples\"", "\"energy\"");
        assert_eq!(serde_json::from_str::<Explanation>(&newer).unwrap().growth.measure, Measure::Count);
    }
}
