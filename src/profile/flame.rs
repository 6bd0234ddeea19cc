//! What a differential flame graph shows: the calls of head with their costs in base and head.

use super::CallTree;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Frames with a smaller share of head are part of their caller.
const MIN_SHARE: f64 = 0.001;
/// At most this many frames are kept, the largest ones.
pub const MAX_FRAMES: usize = 600;

/// The frames, callers before their callees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flame {
    /// True if the profiles have no stacks, and the costs are shared among callers.
    pub estimated: bool,
    /// The frames.
    pub frames: Vec<FlameFrame>,
}

/// A function called along one path. In JSON a list, because nested objects would be too deep for many readers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "(usize, String, f64, f64)", into = "(usize, String, f64, f64)")]
pub struct FlameFrame {
    /// The number of frames above it.
    pub depth: usize,
    /// The function. Untrusted text.
    pub name: String,
    /// The cost without that of the frames below it, in base and head.
    pub own: [f64; 2],
}

impl From<(usize, String, f64, f64)> for FlameFrame {
    fn from((depth, name, base, head): (usize, String, f64, f64)) -> FlameFrame {
        FlameFrame { depth, name, own: [base, head] }
    }
}

impl From<FlameFrame> for (usize, String, f64, f64) {
    fn from(frame: FlameFrame) -> Self {
        (frame.depth, frame.name, frame.own[0], frame.own[1])
    }
}

impl Flame {
    /// The frames that head spends most in. Functions that only base called are part of their caller.
    pub(super) fn of(sides: [&CallTree; 2], estimated: bool) -> Option<Flame> {
        let mut root = Node::of("", sides.map(Some));
        root.without_small(root.total * MIN_SHARE);
        let mut totals = Vec::new();
        root.totals(&mut totals);
        if let Some(at) = totals.len().checked_sub(MAX_FRAMES).filter(|at| *at > 0) {
            totals.sort_unstable_by(f64::total_cmp);
            root.without_small(totals[at - 1].next_up());
        }
        let mut frames = Vec::new();
        root.list(0, &mut frames);
        (!frames.is_empty()).then_some(Flame { estimated, frames })
    }
}

struct Node {
    name: String,
    own: [f64; 2],
    /// Head's cost with all calls.
    total: f64,
    callees: Vec<Node>,
}

impl Node {
    fn of(name: &str, sides: [Option<&CallTree>; 2]) -> Node {
        let names: BTreeSet<&String> = sides.iter().flatten().flat_map(|tree| tree.callees.keys()).collect();
        let callee = |name: &String| Node::of(name, sides.map(|tree| tree?.callees.get(name)));
        let callees: Vec<Node> = names.into_iter().map(callee).collect();
        let own = sides.map(|tree| tree.map_or(0.0, |tree| tree.own));
        let total = own[1] + callees.iter().map(|callee| callee.total).sum::<f64>();
        Node { name: name.to_owned(), own, total, callees }
    }

    /// Adds what small frames cost to their callers.
    fn without_small(&mut self, least: f64) {
        for mut callee in std::mem::take(&mut self.callees) {
            callee.without_small(least);
            if callee.total > 0.0 && callee.total >= least {
                self.callees.push(callee);
                continue;
            }
            // Its callees are small, too.
            for (own, part) in self.own.iter_mut().zip(callee.own) {
                *own += part;
            }
        }
    }

    fn totals(&self, found: &mut Vec<f64>) {
        found.extend(self.callees.iter().map(|callee| callee.total));
        self.callees.iter().for_each(|callee| callee.totals(found));
    }

    fn list(self, depth: usize, frames: &mut Vec<FlameFrame>) {
        for callee in self.callees {
            // Whole numbers are short, and estimates are not exact.
            let own = callee.own.map(f64::round);
            frames.push(FlameFrame { depth, name: callee.name.clone(), own });
            callee.list(depth + 1, frames);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(own: f64, callees: &[(&str, CallTree)]) -> CallTree {
        CallTree { own, callees: callees.iter().map(|(name, tree)| ((*name).to_owned(), tree.clone())).collect() }
    }

    fn leaf(own: f64) -> CallTree {
        tree(own, &[])
    }

    fn frames(base: &CallTree, head: &CallTree) -> Vec<(usize, String, f64, f64)> {
        let flame = Flame::of([base, head], false);
        flame.map(|flame| flame.frames.into_iter().map(Into::into).collect()).unwrap_or_default()
    }

    #[test]
    fn frames_have_both_costs_and_what_only_base_called_counts_for_its_caller() {
        let parts = [("parse", leaf(300.0)), ("gone", leaf(50.0)), ("same", leaf(100.0))];
        let base = tree(0.0, &[("main", tree(100.0, &parts))]);
        let head =
            tree(0.0, &[("main", tree(100.0, &[("parse", leaf(800.0)), ("same", leaf(100.0)), ("tiny", leaf(0.2))]))]);
        let rows = [(0, "main", 150.0, 100.0), (1, "parse", 300.0, 800.0), (1, "same", 100.0, 100.0)];
        assert_eq!(frames(&base, &head), rows.map(|(depth, name, base, head)| (depth, name.to_owned(), base, head)));
        assert_eq!(frames(&base, &leaf(0.0)), []);
    }

    #[test]
    fn the_largest_frames_of_many_are_kept_and_no_cost_is_lost() {
        let names: Vec<String> = (0..700).map(|n| format!("f{n}")).collect();
        let wide: Vec<_> =
            names.iter().enumerate().map(|(n, name)| (name.as_str(), leaf(f64::from(1000 + n as u32)))).collect();
        let mut head = tree(0.0, &wide);
        for name in names.iter().take(20) {
            head = tree(1.0, &[(name, head)]);
        }
        let kept = frames(&leaf(1.0), &head);
        assert!((500..=MAX_FRAMES).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept.iter().map(|frame| frame.3).sum::<f64>(), head.total() - head.own + 0.0);
    }
}
