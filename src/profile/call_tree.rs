//! The calls of a program as a tree, for flame graphs. Profiles with stacks have one. Profiles with a call graph, such as
//! callgrind's, do not: there, what a function cost is shared among its callers in proportion to the cost of their calls.

use super::builder::{Frame, FunctionId};
use std::collections::{BTreeMap, HashMap};

/// Calls with a smaller share of the total are added to their caller.
const MIN_SHARE: f64 = 0.0005;
/// Calls below this many others are added to their caller.
const MAX_DEPTH: usize = 128;

/// A function called along one path, or the whole program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallTree {
    /// The cost without that of the calls listed below.
    pub own: f64,
    /// The functions that it called, by name.
    pub callees: BTreeMap<String, CallTree>,
}

impl CallTree {
    /// The cost with that of all calls.
    pub fn total(&self) -> f64 {
        self.own + self.callees.values().map(CallTree::total).sum::<f64>()
    }

    /// Adds the calls of another process.
    pub(super) fn add(&mut self, other: CallTree) {
        self.own += other.own;
        for (name, calls) in other.callees {
            self.callees.entry(name).or_default().add(calls);
        }
    }

    /// Divides all costs.
    pub(super) fn divide(&mut self, by: f64) {
        self.own /= by;
        self.callees.values_mut().for_each(|calls| calls.divide(by));
    }

    /// Removes what another run cost. Calls that only the other run lists are part of their caller's own cost here.
    pub(super) fn subtract(&mut self, other: &CallTree) {
        let mut own = other.own;
        for (name, theirs) in &other.callees {
            match self.callees.get_mut(name) {
                Some(ours) => ours.subtract(theirs),
                None => own += theirs.total(),
            }
        }
        self.own = (self.own - own).max(0.0);
        self.callees.retain(|_, calls| calls.own > 0.0 || !calls.callees.is_empty());
    }
}

/// One of several functions with the same name, such as the instances of a generic function or the methods `run` of two
/// classes. They are listed together, but each has its own callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Instance(pub u32);

/// Part of an instance: the instance itself, or a function inlined into it. With stacks, the instance is the outermost function
/// and its parts are all that it called.
struct Part {
    function: FunctionId,
    own: f64,
    parts: Vec<usize>,
    /// Calls of other instances, and what they cost with all that they called.
    calls: BTreeMap<Instance, f64>,
}

/// Collects stacks, or calls between instances.
#[derive(Default)]
pub(super) struct CallGraph {
    parts: Vec<Part>,
    instances: HashMap<Instance, usize>,
    inlined: HashMap<(usize, FunctionId), usize>,
}

impl CallGraph {
    /// Adds a cost at a stack, innermost function first.
    pub(super) fn cost(&mut self, instance: Instance, stack: &[Frame], cost: f64) {
        if let Some(at) = self.part(instance, stack) {
            self.parts[at].own += cost;
        }
    }

    /// Adds calls from a stack.
    pub(super) fn call(&mut self, instance: Instance, stack: &[Frame], callee: Instance, cost: f64) {
        // The cost of a recursive call is part of the first one's.
        if let Some(at) = self.part(instance, stack).filter(|_| instance != callee) {
            *self.parts[at].calls.entry(callee).or_default() += cost;
        }
    }

    fn part(&mut self, instance: Instance, stack: &[Frame]) -> Option<usize> {
        let (outermost, inlined) = stack.split_last()?;
        let new = |function| Part { function, own: 0.0, parts: Vec::new(), calls: BTreeMap::new() };
        let mut at = *self.instances.entry(instance).or_insert_with(|| {
            self.parts.push(new(outermost.function));
            self.parts.len() - 1
        });
        for frame in inlined.iter().rev().take(MAX_DEPTH) {
            // Recursion, and a closure in the function that it is written in, count once.
            if self.parts[at].function == frame.function {
                continue;
            }
            at = match self.inlined.get(&(at, frame.function)) {
                Some(known) => *known,
                None => {
                    let next = self.parts.len();
                    self.parts.push(new(frame.function));
                    self.parts[at].parts.push(next);
                    self.inlined.insert((at, frame.function), next);
                    next
                }
            };
        }
        Some(at)
    }

    /// The tree of calls. `names` has the names of the functions.
    pub(super) fn tree(&self, names: &dyn Fn(FunctionId) -> String) -> CallTree {
        // A part comes after the one that it is inlined into.
        let mut totals: Vec<f64> = self.parts.iter().map(|part| part.own + part.calls.values().sum::<f64>()).collect();
        for at in (0..self.parts.len()).rev() {
            totals[at] += self.parts[at].parts.iter().map(|inlined| totals[*inlined]).sum::<f64>();
        }
        let mut received: HashMap<Instance, f64> = HashMap::new();
        for (callee, cost) in self.parts.iter().flat_map(|part| &part.calls) {
            *received.entry(*callee).or_default() += cost;
        }
        let whole: f64 = self.parts.iter().map(|part| part.own).sum();
        let walk = Walk { graph: self, totals, least: whole * MIN_SHARE, names };
        let calls_of = |instance: &Instance| received.get(instance).copied().unwrap_or(0.0);
        let mut instances: Vec<_> = self.instances.iter().map(|(instance, at)| (*instance, *at)).collect();
        // Instances without callers come first. The order is fixed, because sums of floats depend on it.
        instances.sort_unstable_by_key(|(instance, _)| (calls_of(instance) > 0.0, *instance));
        let (mut tree, mut left) = (CallTree::default(), whole);
        for (instance, at) in instances {
            // With mutual recursion, functions seem to cost more than was counted for their callers.
            let cost = (walk.totals[at] - calls_of(&instance)).clamp(0.0, left.max(0.0));
            left -= cost;
            walk.add(at, cost, 0, None, &mut tree);
        }
        tree
    }
}

struct Walk<'a> {
    graph: &'a CallGraph,
    totals: Vec<f64>,
    least: f64,
    names: &'a dyn Fn(FunctionId) -> String,
}

impl Walk<'_> {
    /// Adds a part that cost this much along one path.
    fn add(&self, at: usize, cost: f64, depth: usize, caller: Option<FunctionId>, tree: &mut CallTree) {
        let is_listed = cost > 0.0 && cost >= self.least && depth < MAX_DEPTH;
        if !is_listed {
            tree.own += cost.max(0.0);
            return;
        }
        let part = &self.graph.parts[at];
        let node = match caller {
            Some(caller) if caller == part.function => tree,
            _ => tree.callees.entry((self.names)(part.function)).or_default(),
        };
        let ratio = cost / self.totals[at];
        node.own += part.own * ratio;
        for inlined in &part.parts {
            self.add(*inlined, self.totals[*inlined] * ratio, depth + 1, Some(part.function), node);
        }
        for (callee, cost) in &part.calls {
            match self.graph.instances.get(callee) {
                Some(callee) => self.add(*callee, cost * ratio, depth + 1, Some(part.function), node),
                None => node.own += cost * ratio,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Measure;
    use super::super::builder::{Calls, ProfileBuilder, Scope};
    use super::*;

    fn path<'t>(tree: &'t CallTree, path: &str) -> &'t CallTree {
        path.split(';').fold(tree, |tree, name| &tree.callees[name])
    }

    fn calls(cost: f64) -> Calls {
        Calls { count: 1.0, cost }
    }

    fn name(builder: &mut ProfileBuilder, name: &str) -> Frame {
        Frame { function: builder.function(name, None, None), line: None }
    }

    #[test]
    fn stacks_are_kept_and_recursion_counts_once() {
        let mut builder = ProfileBuilder::new(Measure::Samples, Scope::File);
        let [main, parse, split] = ["main", "parse", "split"].map(|text| name(&mut builder, text));
        builder.cost(&[split, parse, parse, main], 30.0);
        builder.cost(&[parse, main], 10.0);
        builder.cost(&[split, main], 5.0);
        let tree = builder.finish().calls;
        assert_eq!((tree.total(), path(&tree, "main").total()), (45.0, 45.0));
        assert_eq!((path(&tree, "main;parse").own, path(&tree, "main;parse;split").own), (10.0, 30.0));
        assert_eq!(path(&tree, "main;split").own, 5.0);
    }

    #[test]
    fn a_call_graph_shares_a_function_among_its_callers_and_instances_have_their_own() {
        let mut builder = ProfileBuilder::new(Measure::Instructions, Scope::Qualified);
        let [main, a, b, copy] = ["main", "a", "b", "copy"].map(|text| name(&mut builder, text));
        let generic = name(&mut builder, "call");
        let [m, one, two, of_a, of_b, c] = [0, 1, 2, 3, 4, 5].map(Instance);
        builder.cost_in(m, &[main], 10.0);
        builder.cost_in(c, &[copy], 40.0);
        builder.cost_in(of_a, &[a], 20.0);
        builder.cost_in(of_b, &[b], 30.0);
        builder.call(m, &[main], (one, generic.function), calls(50.0));
        builder.call(m, &[main], (two, generic.function), calls(40.0));
        builder.call(one, &[generic], (of_a, a.function), calls(50.0));
        builder.call(two, &[generic], (of_b, b.function), calls(40.0));
        builder.call(of_a, &[a], (c, copy.function), calls(30.0));
        builder.call(of_b, &[b], (c, copy.function), calls(10.0));
        let tree = builder.finish().calls;
        assert!((tree.total() - 100.0).abs() < 1e-9, "{tree:?}");
        assert!((path(&tree, "main;call;a").total() - 50.0).abs() < 1e-9);
        assert!((path(&tree, "main;call;a;copy").own - 30.0).abs() < 1e-9);
        assert!((path(&tree, "main;call;b;copy").own - 10.0).abs() < 1e-9);
    }

    #[test]
    fn calls_in_a_circle_end_and_lose_no_cost() {
        let mut builder = ProfileBuilder::new(Measure::Instructions, Scope::Qualified);
        let [main, even, odd] = ["main", "even", "odd"].map(|text| name(&mut builder, text));
        let [m, e, o] = [0, 1, 2].map(Instance);
        builder.cost_in(m, &[main], 1.0);
        builder.cost_in(e, &[even], 50.0);
        builder.cost_in(o, &[odd], 49.0);
        builder.call(m, &[main], (e, even.function), calls(99.0));
        builder.call(e, &[even], (o, odd.function), calls(97.0));
        builder.call(o, &[odd], (e, even.function), calls(95.0));
        builder.call(e, &[even], (e, even.function), calls(95.0));
        let tree = builder.finish().calls;
        assert!((tree.total() - 100.0).abs() < 1e-6, "{}", tree.total());
        assert!(path(&tree, "main;even;odd").total() > 40.0);
    }

    #[test]
    fn the_calls_of_a_run_without_the_benchmark_are_subtracted() {
        let leaf = |own| CallTree { own, ..CallTree::default() };
        let tree = |parts: &[(&str, CallTree)]| CallTree {
            own: 5.0,
            callees: parts.iter().map(|(name, tree)| ((*name).to_owned(), tree.clone())).collect(),
        };
        let mut ours = tree(&[("start", leaf(10.0)), ("bench", leaf(80.0))]);
        ours.subtract(&tree(&[("start", leaf(10.0)), ("small", leaf(2.0))]));
        assert_eq!(ours, CallTree { own: 0.0, ..tree(&[("bench", leaf(80.0))]) });
    }
}
