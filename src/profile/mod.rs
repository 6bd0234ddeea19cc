//! Profiles: which function a program spent its instructions or its time in, and what grew between two of them.
//!
//! A **reader** turns a profiler's file into a [`Profile`], a list of functions. Names are made comparable in `names`;
//! `origin` distinguishes the standard library from the program's own code. `growth` compares two profiles.

mod builder;
mod call_tree;
mod callgrind;
mod collapsed;
mod cpuprofile;
mod file;
mod flame;
mod growth;
mod iteration;
mod names;
mod origin;
mod pprof;
mod pstats;
mod sentence;
mod speedscope;
mod tree;

pub use builder::{Frame, FunctionId, ProfileBuilder};
pub use call_tree::CallTree;
pub use flame::{Flame, FlameFrame, MAX_FRAMES as FLAME_FRAMES};
pub use growth::{GrownFunction, Growth, Inlining, Presence, compare_profiles, names_in_source};
pub use iteration::{loop_names, read_iterations};
pub use origin::short_path;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a profile counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Executed instructions.
    Instructions,
    /// Time in nanoseconds.
    Time,
    /// Samples of a profiler whose interval is not in the file.
    Samples,
    /// Allocated bytes.
    Bytes,
    /// Another count, such as cache misses or allocations; also one of a newer version that this version cannot read.
    #[serde(other)]
    Count,
}

impl Measure {
    /// What a unit of pprof and speedscope measures, and the factor to nanoseconds or bytes; `None` for a count.
    fn of_unit(unit: &str) -> Option<(Measure, f64)> {
        Some(match unit {
            "nanoseconds" => (Measure::Time, 1.0),
            "microseconds" => (Measure::Time, 1e3),
            "milliseconds" => (Measure::Time, 1e6),
            "seconds" => (Measure::Time, 1e9),
            "bytes" => (Measure::Bytes, 1.0),
            _ => return None,
        })
    }

    /// The name of the metric.
    pub fn metric(self) -> &'static str {
        match self {
            Measure::Instructions => "instructions",
            Measure::Time => "time",
            Measure::Samples => "samples",
            Measure::Bytes => "bytes",
            Measure::Count => "count",
        }
    }

    /// The unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Measure::Time => "ns",
            Measure::Bytes => "B",
            Measure::Instructions | Measure::Samples | Measure::Count => "count",
        }
    }
}

/// A profile: the functions that ran, by their names.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The format of its file; empty until it is known.
    pub format: &'static str,
    /// What is counted.
    pub measure: Measure,
    /// The cost of the whole program.
    pub total: f64,
    /// All functions. The key is the same on both sides of a comparison.
    pub functions: BTreeMap<String, Function>,
    /// Which function called which, without the calls that cost little.
    pub calls: CallTree,
    /// True if the profile has no stacks: `calls` is estimated from a call graph.
    pub estimated: bool,
}

/// A function of a profile.
#[derive(Debug, Clone, Default)]
pub struct Function {
    /// Its name, without hashes and type arguments.
    pub name: String,
    /// Its source file, as in the profile.
    pub file: Option<String>,
    /// True if the profile has its name without the module.
    pub short_name: bool,
    /// The cost of its own code, and of library code that it called: the standard library and the system's libraries are
    /// charged to the function that uses them.
    pub charged: f64,
    /// The cost of its own code alone.
    pub own: f64,
    /// The charged cost of each line, where the profile has lines.
    pub lines: BTreeMap<u32, f64>,
    /// The charged cost of its code that was inlined into other functions, where the profile has debug information.
    pub inlined: f64,
    /// How often each function called it, where the profile has calls. Inlined code is not called.
    pub callers: BTreeMap<String, f64>,
}

impl Function {
    /// Adds the costs of another part of this function.
    fn add(&mut self, other: Function) {
        self.charged += other.charged;
        self.own += other.own;
        self.inlined += other.inlined;
        for (caller, count) in other.callers {
            *self.callers.entry(caller).or_default() += count;
        }
        for (line, cost) in other.lines {
            *self.lines.entry(line).or_default() += cost;
        }
    }
}

impl Profile {
    /// False if the sums of its costs overflow: of the costs, or of the calls by which library code is charged to its callers.
    fn is_finite(&self) -> bool {
        self.total.is_finite() && self.functions.values().all(|function| function.charged.is_finite())
    }

    /// Divides all costs by a number of iterations, to get those of one iteration.
    pub fn divide(&mut self, by: f64) {
        self.total /= by;
        self.calls.divide(by);
        for function in self.functions.values_mut() {
            let costs = [&mut function.charged, &mut function.own, &mut function.inlined];
            let all = costs.into_iter().chain(function.lines.values_mut()).chain(function.callers.values_mut());
            all.for_each(|cost| *cost /= by);
        }
    }

    /// Adds the profile of another process.
    pub fn add(&mut self, other: Profile) {
        self.total += other.total;
        self.calls.add(other.calls);
        for (key, function) in other.functions {
            match self.functions.get_mut(&key) {
                Some(same) => same.add(function),
                None => drop(self.functions.insert(key, function)),
            }
        }
    }

    /// Removes what another run cost, such as one of the benchmark harness alone.
    pub fn subtract(&mut self, other: &Profile) {
        self.calls.subtract(&other.calls);
        for (key, theirs) in &other.functions {
            let Some(function) = self.functions.get_mut(key) else { continue };
            for (ours, theirs) in [
                (&mut function.charged, theirs.charged),
                (&mut function.own, theirs.own),
                (&mut function.inlined, theirs.inlined),
            ] {
                *ours = (*ours - theirs).max(0.0);
            }
            for (caller, count) in &theirs.callers {
                if let Some(ours) = function.callers.get_mut(caller) {
                    *ours = (*ours - count).max(0.0);
                }
            }
            for (line, cost) in &theirs.lines {
                if let Some(ours) = function.lines.get_mut(line) {
                    *ours = (*ours - cost).max(0.0);
                }
            }
        }
        self.total = self.functions.values().map(|function| function.charged).sum();
    }
}

/// What grew between base and head of a benchmark, or between two profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "file::File", into = "file::File")]
#[non_exhaustive]
pub struct Explanation {
    /// The benchmark; `None` for two profiles. Untrusted text.
    pub benchmark: Option<String>,
    /// What base is: a file or a revision.
    pub base: String,
    /// What head is.
    pub head: String,
    /// What grew.
    pub growth: Growth,
    /// The functions that head executes and that the diff between the commits changes, the most expensive first; empty
    /// for two profiles. Untrusted text.
    pub changed: Vec<String>,
    /// The change of the benchmark's time that `measure` found, as a fraction.
    pub time_change: Option<f64>,
    /// True if the profiles are of the whole command, which may do more than run the benchmark.
    pub of_command: bool,
    /// Notes about the measurement for the reader.
    pub notes: Vec<String>,
}

/// Where inlined code comes from: the source functions of a machine instruction.
pub trait InlineFrames {
    /// The functions at an address of an object file, innermost first; empty if they are unknown.
    fn at(&mut self, object: &str, address: u64) -> Vec<SourceFrame>;
}

/// A function in debug information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFrame {
    /// Its name, mangled or not.
    pub function: String,
    /// Its source file.
    pub file: Option<String>,
    /// The line of the instruction, or of the call that was inlined.
    pub line: Option<u32>,
}

/// No debug information: all code counts for the function that contains it. For tests only.
#[cfg(any(test, feature = "internals"))]
pub struct NoInlineFrames;

#[cfg(any(test, feature = "internals"))]
impl InlineFrames for NoInlineFrames {
    fn at(&mut self, _: &str, _: u64) -> Vec<SourceFrame> {
        Vec::new()
    }
}

/// Why a profile cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// None of the formats.
    #[error(
        "{place}: not a known profile; perfgate reads files of callgrind, cProfile, pprof, speedscope, .cpuprofile, and \
         collapsed stacks"
    )]
    Unknown {
        /// The file.
        place: String,
    },
    /// The format is known, the content is not valid.
    #[error("{place}: not a valid {format} profile: {reason}")]
    Invalid {
        /// The file, and the line where the format has lines.
        place: String,
        /// The format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Nothing was counted.
    #[error("{place}: the {format} profile has no costs; the program ended before anything was counted")]
    Empty {
        /// The file.
        place: String,
        /// The format.
        format: &'static str,
    },
}

/// What is wrong with a profile, and the line if the format has lines.
#[derive(Debug)]
struct FormatError {
    line: Option<usize>,
    reason: String,
}

impl FormatError {
    fn new(reason: impl Into<String>) -> FormatError {
        FormatError { line: None, reason: reason.into() }
    }

    fn in_file(self, place: &str, format: &'static str) -> ProfileError {
        let place = match self.line {
            Some(line) => format!("{place}:{line}"),
            None => place.to_owned(),
        };
        ProfileError::Invalid { place, format, reason: self.reason }
    }
}

/// A reader of one format.
struct Reader {
    name: &'static str,
    sniff: fn(&[u8]) -> bool,
    read: fn(&[u8], &mut dyn InlineFrames) -> Result<Profile, FormatError>,
}

/// The formats, the most specific first.
const READERS: &[Reader] = &[
    Reader { name: "callgrind", sniff: callgrind::sniff, read: callgrind::read },
    Reader { name: "cProfile", sniff: pstats::sniff, read: pstats::read },
    Reader { name: "speedscope", sniff: speedscope::sniff, read: speedscope::read },
    Reader { name: ".cpuprofile", sniff: cpuprofile::sniff, read: cpuprofile::read },
    Reader { name: "collapsed stacks", sniff: collapsed::sniff, read: collapsed::read },
    Reader { name: "pprof", sniff: pprof::sniff, read: pprof::read },
];

/// Reads a profile of any known format.
pub fn read(place: &str, bytes: &[u8], frames: &mut dyn InlineFrames) -> Result<Profile, ProfileError> {
    let reader = READERS.iter().find(|reader| (reader.sniff)(bytes));
    let reader = reader.ok_or_else(|| ProfileError::Unknown { place: place.to_owned() })?;
    let format = reader.name;
    let mut profile = (reader.read)(bytes, frames).map_err(|error| error.in_file(place, format))?;
    profile.format = format;
    if !profile.is_finite() {
        return Err(FormatError::new("the sum of its costs is too large").in_file(place, format));
    }
    if profile.total > 0.0 { Ok(profile) } else { Err(ProfileError::Empty { place: place.to_owned(), format }) }
}
