//! Callgrind's files (`valgrind --tool=callgrind`), several parts in one file included. The format is described at
//! <https://valgrind.org/docs/manual/cl-format.html>.

use super::builder::{Calls, Frame, FunctionId, ProfileBuilder, Scope};
use super::call_tree::Instance;
use super::iteration::Role;
use super::{FormatError, InlineFrames, Measure, Profile};
use std::collections::HashMap;
use std::rc::Rc;

/// The event that is compared, if the file has it.
const INSTRUCTIONS: &str = "Ir";

/// True for a file of callgrind: it begins with header lines, of which `events:` is never missing.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 14)]);
    start.lines().any(|line| line.starts_with("events: ")) && start.lines().any(|line| line.starts_with("fn=("))
        || start.starts_with("# callgrind format")
}

/// Reads the file.
pub(super) fn read(bytes: &[u8], frames: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    read_file(bytes, frames, None)
}

/// Reads the file, without the calls of criterion's `iter` that read the clock.
pub(super) fn read_iteration(bytes: &[u8], frames: &mut dyn InlineFrames) -> Result<Profile, FormatError> {
    read_file(bytes, frames, Some(HashMap::new()))
}

fn read_file(
    bytes: &[u8],
    frames: &mut dyn InlineFrames,
    roles: Option<HashMap<Rc<str>, Role>>,
) -> Result<Profile, FormatError> {
    let text = String::from_utf8_lossy(bytes);
    let mut file = File {
        builder: ProfileBuilder::new(Measure::Instructions, Scope::Qualified),
        event: None,
        instructions: false,
        has_addresses: false,
        positions: 1,
        last: [0; 2],
        names: Default::default(),
        place: CostPosition::default(),
        callee: CostPosition::default(),
        calls: None,
        functions: HashMap::new(),
        instances: HashMap::new(),
        chains: HashMap::new(),
        roles,
        frames,
    };
    for (at, line) in (1..).zip(text.lines()) {
        file.line(line).map_err(|reason| FormatError { line: Some(at), reason })?;
    }
    if file.event.is_none() {
        return Err(FormatError::new("it has no line `events:`"));
    }
    let mut profile = file.builder.finish();
    if !file.instructions {
        profile.measure = Measure::Count;
    }
    Ok(profile)
}

/// Where the costs that follow belong.
#[derive(Debug, Clone, Default)]
struct CostPosition {
    object: Option<Rc<str>>,
    /// The file of the function.
    file: Option<Rc<str>>,
    /// The file of the code, which differs for inlined code.
    code: Option<Rc<str>>,
    function: Option<Rc<str>>,
}

/// Names have numbers in the file, one series for each kind.
#[derive(Default)]
struct Names([HashMap<u32, Rc<str>>; 3]);

#[derive(Clone, Copy)]
enum Kind {
    Object,
    File,
    Function,
}

impl Names {
    /// `(3) name` defines a name, `(3)` refers to it, anything else is a name.
    fn get(&mut self, kind: Kind, text: &str) -> Result<Rc<str>, String> {
        let names = &mut self.0[kind as usize];
        let numbered = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let Some((number, name)) = numbered.and_then(|(number, name)| Some((number.parse::<u32>().ok()?, name.trim())))
        else {
            return Ok(text.into());
        };
        if name.is_empty() {
            return names.get(&number).cloned().ok_or_else(|| format!("name ({number}) is used before it is defined"));
        }
        let name: Rc<str> = name.into();
        names.insert(number, Rc::clone(&name));
        Ok(name)
    }
}

/// Name, file and object of a function.
type FunctionKey = (Rc<str>, Option<Rc<str>>, Option<Rc<str>>);

struct File<'f> {
    builder: ProfileBuilder,
    /// The column of the event that is read.
    event: Option<usize>,
    instructions: bool,
    has_addresses: bool,
    positions: usize,
    /// The last address and line: positions are relative to them.
    last: [u64; 2],
    names: Names,
    place: CostPosition,
    callee: CostPosition,
    /// The number of the calls whose cost the next line has.
    calls: Option<f64>,
    functions: HashMap<FunctionKey, (Instance, FunctionId)>,
    /// By name and object.
    instances: HashMap<(Rc<str>, Option<Rc<str>>), Instance>,
    /// Inlined functions at an address of an object.
    chains: HashMap<(Rc<str>, u64), Rc<[Frame]>>,
    /// The roles of functions by name, where the clock is left out.
    roles: Option<HashMap<Rc<str>, Role>>,
    frames: &'f mut dyn InlineFrames,
}

impl File<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim_end();
        match line.bytes().next() {
            None | Some(b'#') => return Ok(()),
            Some(b'0'..=b'9' | b'+' | b'-' | b'*') => return self.costs(line),
            Some(_) => {}
        }
        if let Some((key, value)) = line.split_once('=') {
            return self.position(key, value);
        }
        match line.split_once(':') {
            Some(("events", names)) => self.events(names),
            Some(("positions", names)) => {
                let words: Vec<&str> = names.split_whitespace().collect();
                (self.positions, self.has_addresses) = match words.as_slice() {
                    ["line"] => (1, false),
                    ["instr"] => (1, true),
                    ["instr", "line"] => (2, true),
                    _ => return Err(format!("`{line}` is not a known kind of positions")),
                };
                self.last = [0; 2];
                Ok(())
            }
            Some(("part", _)) => {
                (self.place, self.callee, self.last) = (CostPosition::default(), CostPosition::default(), [0; 2]);
                Ok(())
            }
            Some(_) => Ok(()), // other headers
            None => Err(format!("`{}` is not a line of callgrind's format", line.chars().take(60).collect::<String>())),
        }
    }

    fn events(&mut self, names: &str) -> Result<(), String> {
        let names: Vec<&str> = names.split_whitespace().collect();
        let instructions = names.iter().position(|name| *name == INSTRUCTIONS);
        if names.is_empty() {
            return Err("`events:` names no event".to_owned());
        }
        self.instructions = instructions.is_some();
        self.event = Some(instructions.unwrap_or(0));
        Ok(())
    }

    fn position(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "ob" => self.place.object = Some(self.names.get(Kind::Object, value)?),
            "fl" => {
                let file = self.names.get(Kind::File, value)?;
                (self.place.file, self.place.code) = (Some(Rc::clone(&file)), Some(file));
            }
            "fi" | "fe" => self.place.code = Some(self.names.get(Kind::File, value)?),
            "fn" => {
                self.place.function = Some(self.names.get(Kind::Function, value)?);
                self.place.code.clone_from(&self.place.file);
            }
            "cob" => self.callee.object = Some(self.names.get(Kind::Object, value)?),
            "cfi" | "cfl" => self.callee.file = Some(self.names.get(Kind::File, value)?),
            "cfn" => self.callee.function = Some(self.names.get(Kind::Function, value)?),
            "calls" => {
                if self.callee.function.is_none() {
                    return Err("`calls=` has no `cfn=` before it".to_owned());
                }
                let count = value.split_whitespace().next().and_then(|count| count.parse::<u64>().ok());
                self.calls = Some(count.ok_or_else(|| format!("`{value}` is not a number of calls"))? as f64);
            }
            // Jumps, and what later versions may add.
            _ => {}
        }
        Ok(())
    }

    fn costs(&mut self, line: &str) -> Result<(), String> {
        let event = self.event.ok_or("costs come before the line `events:`")?;
        let mut words = line.split_ascii_whitespace();
        for index in 0..self.positions {
            let word = words.next().ok_or("a position is missing")?;
            let index = if self.has_addresses { index } else { 1 };
            self.last[index] = absolute(word, self.last[index]).ok_or_else(|| format!("`{word}` is not a position"))?;
        }
        let cost = match words.nth(event) {
            Some(word) => word.parse::<u64>().map_err(|_| format!("`{word}` is not a cost"))? as f64,
            None => 0.0, // zeros at the end are left out
        };
        let calls = self.calls.take().map(|count| (count, std::mem::take(&mut self.callee)));
        let (instance, chain) = self.chain()?;
        match calls {
            Some((count, callee)) => {
                let object = callee.object.or_else(|| self.place.object.clone());
                let file = callee.file.or_else(|| self.place.file.clone());
                let name = callee.function.ok_or("`calls=` has no `cfn=` before it")?;
                let reads_clock = self.reads_clock(&name);
                let callee = self.function(name, file, object);
                match reads_clock {
                    true => self.builder.leave_out(callee, cost),
                    false => self.builder.call(instance, &chain, callee, Calls { count, cost }),
                }
            }
            None if cost > 0.0 => self.builder.cost_in(instance, &chain, cost),
            None => {}
        }
        Ok(())
    }

    /// True for a call of the clock by criterion's `iter`, if such calls are left out.
    fn reads_clock(&mut self, callee: &Rc<str>) -> bool {
        let (Some(roles), Some(caller)) = (&mut self.roles, &self.place.function) else { return false };
        let mut role = |name: &Rc<str>| *roles.entry(Rc::clone(name)).or_insert_with(|| Role::of(name));
        role(caller) == Role::Loop && role(callee) == Role::Clock
    }

    fn function(&mut self, name: Rc<str>, file: Option<Rc<str>>, object: Option<Rc<str>>) -> (Instance, FunctionId) {
        let key = (name, file, object);
        if let Some(known) = self.functions.get(&key) {
            return *known;
        }
        // Code without a symbol has its address as name.
        let is_address = key.0.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let object = key.2.as_deref().unwrap_or("???");
        let id = if is_address {
            let name = format!("[{}]", object.rsplit('/').next().unwrap_or(object));
            self.builder.function(&name, None, Some(object))
        } else {
            self.builder.function(&key.0, key.1.as_deref(), key.2.as_deref())
        };
        // The file of a call is not always that of the function.
        let next = Instance(u32::try_from(self.instances.len()).unwrap_or(u32::MAX));
        let instance = *self.instances.entry((Rc::clone(&key.0), key.2.clone())).or_insert(next);
        self.functions.insert(key, (instance, id));
        (instance, id)
    }

    /// The functions at the current position: inlined ones, where debug information has them, and the one that contains them.
    fn chain(&mut self) -> Result<(Instance, Rc<[Frame]>), String> {
        let name = self.place.function.clone().ok_or("costs come before the first line `fn=`")?;
        let CostPosition { file, object, code, .. } = self.place.clone();
        let line = u32::try_from(self.last[1]).ok().filter(|line| *line > 0 && code == file);
        let (instance, function) = self.function(name, file, object.clone());
        let outer = Frame { function, line };
        let (true, Some(object)) = (self.has_addresses, object) else { return Ok((instance, [outer].into())) };
        let key = (Rc::clone(&object), self.last[0]);
        if let Some(known) = self.chains.get(&key) {
            return Ok((instance, Rc::clone(known)));
        }
        let inlined = self.frames.at(&object, self.last[0]);
        let chain: Rc<[Frame]> = match inlined.split_last() {
            // The last one is the function itself, under the name of its symbol.
            Some((last, inlined)) => {
                let outer = Frame { line: last.line, ..outer };
                // Callgrind's file of a function is that of its first instruction, which may be inlined from another file.
                if let Some(file) = &last.file {
                    self.builder.set_file(function, file, &object);
                }
                let frame = |frame: &super::SourceFrame| Frame {
                    function: self.builder.inlined(&frame.function, frame.file.as_deref()),
                    line: frame.line,
                };
                inlined.iter().map(frame).chain([outer]).collect()
            }
            None => [outer].into(),
        };
        self.chains.insert(key, Rc::clone(&chain));
        Ok((instance, chain))
    }
}

/// A position: a number, `+3` or `-3` from the last one, or `*` for the same.
fn absolute(word: &str, last: u64) -> Option<u64> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    match word.as_bytes().first()? {
        b'*' => Some(last),
        b'+' => last.checked_add(number(&word[1..])?),
        b'-' => last.checked_sub(number(&word[1..])?),
        _ => number(word),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NoInlineFrames, SourceFrame, read as read_any};
    use super::*;

    const TWO_PARTS: &str = "# callgrind format\nversion: 1\npart: 1\n\npositions: line\nevents: Cy Ir\n\
        ob=(1) /home/u/app\nfl=(1) /home/u/src/a.c\nfn=(1) main\n10 5 100\n+2 1 10\ncfn=(2) work\ncalls=3 20\n* 9 300\n\
        fi=(2) /home/u/src/inline.h\n7 1 40\nfe=(1)\n-1 1 5\n\nfn=(2)\n20 9 250\ncob=(2) /usr/lib/libc.so.6\ncfi=(3) ???\n\
        cfn=(3) memcpy\ncalls=1 0\n21 1 50\n\nob=(2)\nfl=(3)\nfn=(3)\n0 1 50\n\npart: 2\nevents: Cy Ir\nob=(1)\nfl=(1)\n\
        fn=(2)\n20 0 1000\njump=1 3\n22\ntotals: 1 1455\n";

    #[test]
    fn names_positions_inlined_code_calls_and_parts_are_read() {
        let profile = read_any("x", TWO_PARTS.as_bytes(), &mut NoInlineFrames).unwrap();
        assert_eq!((profile.measure, profile.total), (Measure::Instructions, 1455.0));
        let main = &profile.functions["main"];
        assert_eq!(main.own, 155.0);
        assert_eq!(main.lines, [(10, 100.0), (12, 10.0), (6, 5.0)].into());
        let work = &profile.functions["work"];
        assert_eq!((work.own, work.charged), (1250.0, 1300.0));
        assert_eq!(work.file.as_deref(), Some("/home/u/src/a.c"));
        assert_eq!(profile.functions["memcpy"].charged, 0.0);
    }

    struct Debug;

    impl InlineFrames for Debug {
        fn at(&mut self, object: &str, address: u64) -> Vec<SourceFrame> {
            assert_eq!(object, "/app");
            let frame = |function: &str, file: &str, line| SourceFrame {
                function: function.to_owned(),
                file: Some(file.to_owned()),
                line: Some(line),
            };
            match address {
                0x10 | 0x18 => vec![
                    frame("_ZN4core3ops5range17h0123456789abcdefE", "/rustc/1/library/core/src/ops.rs", 3),
                    frame("app::hot", "/w/src/lib.rs", 21),
                    frame("app::main", "/w/src/main.rs", 5),
                ],
                _ => vec![],
            }
        }
    }

    #[test]
    fn inlined_code_counts_for_its_source_function_and_the_library_for_the_caller() {
        let text = "positions: instr line\nevents: Ir\nob=(1) /app\nfl=(1) /w/src/main.rs\nfn=(1) app::main\n\
            0x10 3 70\n+0x4 5 30\n";
        let profile = read_any("x", text.as_bytes(), &mut Debug).unwrap();
        let hot = &profile.functions["app::hot"];
        assert_eq!((hot.own, hot.charged, hot.lines.clone()), (0.0, 70.0, [(21, 70.0)].into()));
        assert_eq!(profile.functions["core::ops::range"].own, 70.0);
        assert_eq!(profile.functions["app::main"].charged, 30.0);
    }

    #[test]
    fn a_function_that_begins_with_inlined_library_code_is_not_library_code() {
        let text = "positions: instr line\nevents: Ir\nob=(1) /app\nfl=(1) /rustc/1/library/core/src/ops.rs\n\
            fn=(1) app::main\n0x10 3 70\n0x20 9 30\ncfi=(2) /x.rs\ncfn=(2) app::next\ncalls=1 0x10\n0x20 9 40\nfn=(2)\n0x18 3 40\n";
        let profile = read_any("x", text.as_bytes(), &mut Debug).unwrap();
        let of = |name: &str| (profile.functions[name].charged, profile.functions[name].file.as_deref());
        assert_eq!(of("app::main"), (30.0, Some("/w/src/main.rs")));
        assert_eq!(of("app::next"), (0.0, Some("/w/src/main.rs")));
        assert_eq!(of("app::hot"), (110.0, Some("/w/src/lib.rs")));
        // The call has another file than the function.
        let next = &profile.calls.callees["app::main"].callees["app::next"];
        assert_eq!((next.own, next.callees["app::hot"].total()), (0.0, 40.0));
    }

    #[test]
    fn a_fault_names_its_line() {
        let read = |text: &str| read_any("p", text.as_bytes(), &mut NoInlineFrames).unwrap_err().to_string();
        assert!(read("# callgrind format\nevents: Ir\nfn=(7)\n").contains("p:3: "));
        assert!(read("# callgrind format\nevents: Ir\nfn=f\nnonsense\n").contains("p:4: "));
        assert!(read("# callgrind format\nevents: Ir\nfn=f\n1 x\n").contains("`x` is not a cost"));
        assert!(read("# callgrind format\n1 1\n").contains("before the line `events:`"));
        assert!(read("# callgrind format\nevents: Ir\n1 1\n").contains("before the first line `fn=`"));
        assert!(read("# callgrind format\nevents: Ir\nfn=f\n-1 1\n").contains("not a position"));
        assert!(read("# callgrind format\nevents: Ir\nfn=f\n").contains("no costs"));
        assert!(read("hello").contains("not a known profile"));
    }
}
