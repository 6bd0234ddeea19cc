//! Finds the comparisons that a budget covers, without a pass over all of them for each budget.

use crate::compare::Comparison;
use crate::policy::Pattern;
use std::collections::HashMap;

/// The places of comparisons, by the name of their benchmark.
pub(super) struct ByName<'a>(HashMap<&'a str, Vec<usize>>);

impl<'a> ByName<'a> {
    pub fn of(comparisons: &'a [Comparison]) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, comparison) in comparisons.iter().enumerate() {
            places.entry(comparison.own_name()).or_default().push(place);
        }
        ByName(places)
    }

    /// The places of the comparisons whose name the pattern matches, in order.
    pub fn covered(&self, pattern: &Pattern) -> Vec<usize> {
        if pattern.is_literal() {
            return self.0.get(pattern.as_str()).cloned().unwrap_or_default();
        }
        let matching = self.0.iter().filter(|(name, _)| pattern.matches(name));
        let mut places: Vec<usize> = matching.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places
    }
}
