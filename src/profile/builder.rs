//! Collects the costs of functions while a profile is read, and charges library code to the functions that use it.

use super::call_tree::{CallGraph, Instance};
use super::names::FunctionName;
use super::origin::is_library;
use super::{Function, Measure, Profile};
use std::collections::{BTreeMap, HashMap};

/// Maximum number of rounds that move costs from callee to caller: with recursion in a library, the rounds would never
/// end.
const MAX_ROUNDS: usize = 64;
/// Charging ends when less than this share of the total moves.
const NEGLIGIBLE: f64 = 1e-6;

/// Stands for the caller of code that is left out. No function has this name.
const LEFT_OUT: &str = "(left out)";

/// A function of the profile that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(u32);

/// A function on the stack, and the line that it is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// The line, if known.
    pub line: Option<u32>,
}

/// Calls of one function from one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls {
    /// How many there were.
    pub count: f64,
    /// What they cost, with everything that was called in turn.
    pub cost: f64,
}

/// Whether functions of one name in two files are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Names contain the module, as in Rust, C++ and Go.
    Qualified,
    /// Names are those of the source, as in Python and JavaScript.
    File,
}

struct Node {
    function: Function,
    library: bool,
}

/// Maximum number of frames of a stack, from the innermost: the outermost ones of a deeper stack are cut off. A small file
/// can describe many deep stacks.
pub(super) const MAX_DEPTH: usize = 1 << 10;

/// Collects costs.
pub struct ProfileBuilder {
    measure: Measure,
    scope: Scope,
    nodes: Vec<Node>,
    keys: Vec<String>,
    by_key: HashMap<String, FunctionId>,
    calls: HashMap<(FunctionId, FunctionId), f64>,
    graph: CallGraph,
    total: f64,
}

impl ProfileBuilder {
    /// An empty profile.
    pub(super) fn new(measure: Measure, scope: Scope) -> ProfileBuilder {
        let (nodes, keys, by_key, calls) = (Vec::new(), Vec::new(), HashMap::new(), HashMap::new());
        ProfileBuilder { measure, scope, nodes, keys, by_key, calls, graph: CallGraph::default(), total: 0.0 }
    }

    /// The function of a name, as the profile has it. Type arguments, closures and copies of one function are folded.
    pub(super) fn function(&mut self, name: &str, file: Option<&str>, object: Option<&str>) -> FunctionId {
        let named = FunctionName::of(name);
        let file = file.filter(|file| !file.is_empty() && *file != "???");
        let key = match (self.scope, file) {
            (Scope::File, Some(file)) => {
                format!("{} ({})", named.0, file.rsplit(['/', '\\']).next().unwrap_or_default())
            }
            _ => named.0.clone(),
        };
        self.node_of(key, named, file, object, false)
    }

    /// An inlined function. Debug information with line tables only has its name without the module.
    pub(super) fn inlined(&mut self, name: &str, file: Option<&str>) -> FunctionId {
        let named = FunctionName::of(name);
        match file {
            Some(file) if !named.0.contains("::") => {
                let key = format!("{} ({file})", named.0);
                self.node_of(key, named, Some(file), None, true)
            }
            _ => self.function(name, file, None),
        }
    }

    /// Sets the source file of a function that was first seen with another one.
    pub(super) fn set_file(&mut self, id: FunctionId, file: &str, object: &str) {
        let node = self.node(id);
        if node.function.file.as_deref() != Some(file) {
            node.library = is_library(&node.function.name, Some(file), Some(object));
            node.function.file = Some(file.to_owned());
        }
    }

    fn node_of(
        &mut self,
        key: String,
        named: FunctionName,
        file: Option<&str>,
        object: Option<&str>,
        short_name: bool,
    ) -> FunctionId {
        if let Some(known) = self.by_key.get(&key) {
            let function = &mut self.nodes[known.0 as usize].function;
            if function.file.is_none() {
                function.file = file.map(str::to_owned);
            }
            return *known;
        }
        let id = FunctionId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let library = is_library(&named.0, file, object);
        let function = Function { name: named.0, file: file.map(str::to_owned), short_name, ..Function::default() };
        self.nodes.push(Node { function, library });
        self.keys.push(key.clone());
        self.by_key.insert(key, id);
        id
    }

    /// Adds the cost of a stack, innermost function first.
    pub(super) fn cost(&mut self, stack: &[Frame], cost: f64) {
        let Some(outermost) = stack.last() else { return };
        self.add(Instance(outermost.function.0), stack, cost);
    }

    /// Adds the cost of an instance of a function, at the functions inlined into it.
    pub(super) fn cost_in(&mut self, instance: Instance, stack: &[Frame], cost: f64) {
        let Some(outermost) = stack.last() else { return };
        self.add(instance, stack, cost);
        let charged = self.charged(stack).function;
        if charged != outermost.function {
            self.node(charged).function.inlined += cost;
        }
    }

    fn add(&mut self, instance: Instance, stack: &[Frame], cost: f64) {
        let Some(first) = stack.first() else { return };
        self.graph.cost(instance, stack, cost);
        self.total += cost;
        self.node(first.function).function.own += cost;
        let charged = *self.charged(stack);
        let function = &mut self.node(charged.function).function;
        function.charged += cost;
        if let Some(line) = charged.line {
            *function.lines.entry(line).or_default() += cost;
        }
    }

    /// Adds the cost of calls from an instance to another one, with all that it called.
    pub(super) fn call(&mut self, instance: Instance, stack: &[Frame], callee: (Instance, FunctionId), calls: Calls) {
        if stack.is_empty() {
            return;
        }
        let (copy, callee) = callee;
        let Calls { count, cost } = calls;
        self.graph.call(instance, stack, copy, cost);
        let caller = self.charged(stack).function;
        if caller != callee {
            *self.calls.entry((caller, callee)).or_default() += cost;
            let caller = self.keys[caller.0 as usize].clone();
            *self.node(callee).function.callers.entry(caller).or_default() += count;
        }
    }

    /// Leaves calls of library code out of the profile, with all that it called.
    pub(super) fn leave_out(&mut self, callee: (Instance, FunctionId), cost: f64) {
        let (copy, callee) = callee;
        let caller = self.function(LEFT_OUT, None, None);
        self.graph.call(Instance(u32::MAX), &[Frame { function: caller, line: None }], copy, cost);
        *self.calls.entry((caller, callee)).or_default() += cost;
        self.total -= cost;
    }

    fn node(&mut self, id: FunctionId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// The innermost function that is not library code, or the outermost.
    fn charged<'s>(&self, stack: &'s [Frame]) -> &'s Frame {
        let own = stack.iter().find(|frame| !self.nodes[frame.function.0 as usize].library);
        own.unwrap_or(&stack[stack.len() - 1])
    }

    /// The profile.
    pub(super) fn finish(mut self) -> Profile {
        self.charge_libraries();
        let mut calls = self.graph.tree(&|id| self.nodes[id.0 as usize].function.name.clone());
        let estimated = !self.calls.is_empty();
        let functions = self.keys.into_iter().zip(self.nodes).map(|(key, node)| (key, node.function));
        let mut functions: BTreeMap<_, _> = functions.collect();
        calls.callees.remove(LEFT_OUT);
        functions.remove(LEFT_OUT);
        Profile { format: "", measure: self.measure, total: self.total, functions, calls, estimated }
    }

    /// Moves the costs of library functions to their callers, in proportion to what the calls cost.
    fn charge_libraries(&mut self) {
        let mut callers: HashMap<FunctionId, Vec<(FunctionId, f64)>> = HashMap::new();
        let mut calls: Vec<_> = self.calls.iter().map(|(pair, cost)| (*pair, *cost)).collect();
        calls.sort_unstable_by_key(|(pair, _)| *pair); // sums of floats depend on their order
        for ((caller, callee), cost) in calls {
            if self.nodes[callee.0 as usize].library && cost > 0.0 {
                callers.entry(callee).or_default().push((caller, cost));
            }
        }
        let mut callers: Vec<_> = callers.into_iter().collect();
        callers.sort_unstable_by_key(|(callee, _)| *callee);
        for _ in 0..MAX_ROUNDS {
            let mut moved = 0.0;
            let mut received = vec![0.0; self.nodes.len()];
            for (callee, callers) in &callers {
                let function = &mut self.node(*callee).function;
                let cost = std::mem::take(&mut function.charged);
                function.lines.clear(); // a line of the library, not of the function
                moved += cost;
                let whole: f64 = callers.iter().map(|(_, cost)| cost).sum();
                for (caller, part) in callers {
                    received[caller.0 as usize] += cost * (part / whole);
                }
            }
            for (node, cost) in self.nodes.iter_mut().zip(received) {
                node.function.charged += cost;
            }
            if moved <= self.total * NEGLIGIBLE {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: FunctionId) -> Frame {
        Frame { function, line: Some(7) }
    }

    fn calls(cost: f64) -> Calls {
        Calls { count: 1.0, cost }
    }

    fn instance(function: FunctionId) -> Instance {
        Instance(function.0)
    }

    #[test]
    fn library_code_is_charged_to_the_functions_that_call_it_in_proportion() {
        let mut builder = ProfileBuilder::new(Measure::Instructions, Scope::Qualified);
        let a = builder.function("app::a", None, None);
        let b = builder.function("app::b", None, None);
        let malloc = builder.function("malloc", None, Some("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        let inner = builder.function("_int_malloc", None, Some("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        builder.cost(&[frame(a)], 10.0);
        builder.cost(&[frame(b)], 10.0);
        builder.cost(&[frame(malloc)], 20.0);
        builder.cost(&[frame(inner)], 60.0);
        builder.call(instance(malloc), &[frame(malloc)], (instance(inner), inner), calls(60.0));
        builder.call(instance(a), &[frame(a)], (instance(malloc), malloc), calls(60.0));
        builder.call(instance(b), &[frame(b)], (instance(malloc), malloc), calls(20.0));
        let profile = builder.finish();
        let charged = |name: &str| profile.functions[name].charged;
        assert_eq!(profile.total, 100.0);
        assert!((charged("app::a") - 70.0).abs() < 1e-9 && (charged("app::b") - 30.0).abs() < 1e-9);
        assert_eq!((charged("malloc"), profile.functions["malloc"].own), (0.0, 20.0));
        assert_eq!(profile.functions["app::a"].lines, [(7, 10.0)].into());
    }

    #[test]
    fn recursion_in_a_library_ends_and_loses_no_cost() {
        let mut builder = ProfileBuilder::new(Measure::Instructions, Scope::Qualified);
        let [x, y] = ["core::x", "core::y"].map(|name| builder.function(name, None, None));
        builder.cost(&[frame(x)], 10.0);
        builder.call(instance(x), &[frame(x)], (instance(y), y), calls(5.0));
        builder.call(instance(y), &[frame(y)], (instance(x), x), calls(5.0));
        let profile = builder.finish();
        let sum: f64 = profile.functions.values().map(|function| function.charged).sum();
        assert!((sum - 10.0).abs() < 1e-9);
    }

    #[test]
    fn calls_whose_costs_overflow_are_found() {
        for (count, finite) in [(1, true), (2, false)] {
            let mut builder = ProfileBuilder::new(Measure::Time, Scope::Qualified);
            let [a, library] = ["app::a", "core::x"].map(|name| builder.function(name, None, None));
            builder.cost(&[frame(library)], 10.0);
            for _ in 0..count {
                builder.call(instance(a), &[frame(a)], (instance(library), library), calls(1e308));
            }
            assert_eq!(builder.finish().is_finite(), finite);
        }
    }

    #[test]
    fn a_stack_is_charged_to_its_innermost_function_also_if_that_is_recursive() {
        let mut builder = ProfileBuilder::new(Measure::Samples, Scope::File);
        let f = builder.function("f", Some("/x/a.py"), None);
        let g = builder.function("f", Some("/x/b.py"), None);
        builder.cost(&[frame(f), frame(f), frame(g)], 3.0);
        let profile = builder.finish();
        assert_eq!(profile.functions["f (a.py)"].charged, 3.0);
        assert_eq!(profile.functions["f (b.py)"].charged, 0.0);
    }
}
