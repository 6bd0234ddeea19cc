//! Files of Python's cProfile (`python -m cProfile -o FILE`): a marshalled dictionary of functions with their callers.

use super::builder::{Frame, FunctionId, ProfileBuilder, Scope};
use super::{Fault, InlineFrames, Measure, Profile};
use crate::formats::cprofile::{function, is_marshalled};
use crate::formats::marshal::{Id, Marshalled, Value};

/// Nanoseconds in cProfile's unit of time.
const SECOND: f64 = 1e9;

/// True for a marshalled dictionary with tuples of three as keys.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    is_marshalled(bytes)
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, Fault> {
    let read = Marshalled::read(bytes).map_err(Fault::new)?;
    let Value::Dictionary(entries) = read.root() else { return Err(Fault::new("it is not a dictionary")) };
    let mut builder = ProfileBuilder::new(Measure::Time, Scope::File);
    for (key, value) in entries {
        let Some(callee) = function(&read, *key, *value) else { continue };
        let id = builder.function(&callee.name, file(&callee.file), None);
        let line = u32::try_from(callee.line).ok().filter(|line| *line > 0);
        if callee.own.is_finite() && callee.own > 0.0 {
            builder.cost(&[Frame { function: id, line }], callee.own * SECOND);
        }
        let Value::Sequence(parts) = read.get(*value) else { continue };
        let Some(Value::Dictionary(callers)) = parts.get(4).map(|callers| read.get(*callers)) else { continue };
        for (caller, times) in callers {
            if let Some((caller, inclusive)) = call(&read, *caller, *times, &mut builder) {
                builder.call(&[Frame { function: caller, line: None }], id, inclusive * SECOND);
            }
        }
    }
    Ok(builder.finish())
}

/// The caller, and the time of its calls with all that they called. A caller's times have the order of a function's. Python 2
/// stores only a number of calls.
fn call(read: &Marshalled<'_>, caller: Id, times: Id, builder: &mut ProfileBuilder) -> Option<(FunctionId, f64)> {
    let caller = function(read, caller, times)?;
    let id = builder.function(&caller.name, file(&caller.file), None);
    (caller.inclusive.is_finite() && caller.inclusive > 0.0).then_some((id, caller.inclusive))
}

/// Functions written in C have no file.
fn file(file: &str) -> Option<&str> {
    (!file.is_empty()).then_some(file)
}
