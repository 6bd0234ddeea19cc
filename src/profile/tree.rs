//! Shared by formats with a tree of calls: each node has a function and a parent.

use super::builder::{Frame, MAX_DEPTH, ProfileBuilder};

/// A node of the tree.
pub(super) struct CallNode {
    pub frame: Frame,
    /// Index of the caller's node.
    pub parent: Option<usize>,
    /// The cost of the function itself.
    pub cost: f64,
}

/// Adds all nodes.
pub(super) fn add(builder: &mut ProfileBuilder, nodes: &[CallNode]) {
    for node in nodes.iter().filter(|node| node.cost > 0.0) {
        let parents = std::iter::successors(Some(node), |node| nodes.get(node.parent?));
        let stack: Vec<Frame> = parents.take(MAX_DEPTH).map(|node| node.frame).collect();
        builder.cost(&stack, node.cost);
    }
}
