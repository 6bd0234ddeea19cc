//! Files of Python's cProfile (`python -m cProfile -o FILE`): a marshalled dictionary of functions with their callers.

use super::builder::{Calls, Frame, ProfileBuilder, Scope};
use super::call_tree::Instance;
use super::{FormatError, InlineFrames, Measure, Profile};
use crate::formats::cprofile::{self, function, is_marshalled};
use crate::formats::marshal::{Marshalled, Value};
use std::collections::HashMap;

/// Nanoseconds in cProfile's unit of time.
const SECOND: f64 = 1e9;

/// True for a marshalled dictionary with tuples of three as keys.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    is_marshalled(bytes)
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], _: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    let read = Marshalled::read(bytes).map_err(FormatError::new)?;
    let Value::Dictionary(entries) = read.root() else { return Err(FormatError::new("it is not a dictionary")) };
    let mut builder = ProfileBuilder::new(Measure::Time, Scope::File);
    let mut known = HashMap::new();
    for (key, value) in entries {
        let Some(callee) = function(&read, *key, *value) else { continue };
        let id = builder.function(&callee.name, file(&callee.file), None);
        let copy = instance(&callee, &mut known);
        let line = u32::try_from(callee.line).ok().filter(|line| *line > 0);
        if callee.own.is_finite() && callee.own > 0.0 {
            builder.cost_in(copy, &[Frame { function: id, line }], callee.own * SECOND);
        }
        let Value::Sequence(parts) = read.get(*value) else { continue };
        let Some(Value::Dictionary(callers)) = parts.get(4).map(|callers| read.get(*callers)) else { continue };
        for (caller, times) in callers {
            // A caller's times have the order of a function's. Python 2 stores only a number of calls.
            let Some(caller) = function(&read, *caller, *times) else { continue };
            if caller.inclusive.is_finite() && caller.inclusive > 0.0 {
                let calls = Calls { count: 0.0, cost: caller.inclusive * SECOND };
                let stack = [Frame { function: builder.function(&caller.name, file(&caller.file), None), line: None }];
                builder.call(instance(&caller, &mut known), &stack, (copy, id), calls);
            }
        }
    }
    Ok(builder.finish())
}

/// Functions of one name in a file, such as the methods of two classes, differ in their lines.
fn instance(function: &cprofile::Function, known: &mut HashMap<(String, String, u64), Instance>) -> Instance {
    let next = Instance(u32::try_from(known.len()).unwrap_or(u32::MAX));
    *known.entry((function.name.clone(), function.file.clone(), function.line)).or_insert(next)
}

/// Functions written in C have no file.
fn file(file: &str) -> Option<&str> {
    (!file.is_empty()).then_some(file)
}
