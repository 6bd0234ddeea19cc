//! Numbers for benchmarks, in the order in which they are first met. From run to run a suite has nearly the same
//! benchmarks in nearly the same order, and then none of them has to be searched for.

use std::collections::HashMap;
use std::hash::Hash;

/// The place of each key among all that were met. As long as the keys of every run ascend, a key is looked for only from
/// the one before it onwards; after that in a table.
#[derive(Debug)]
pub struct Places<K> {
    keys: Vec<K>,
    next: usize,
    table: Option<HashMap<K, usize>>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Places { keys: Vec::new(), next: 0, table: None }
    }
}

impl<K: Ord + Hash + Clone> Places<K> {
    /// A run begins: its first key is most likely the first one of all.
    pub fn begin_run(&mut self) {
        self.next = 0;
    }

    /// The place of a key. A new one gets the next number: that of the keys so far.
    pub fn of(&mut self, key: K) -> usize {
        let place = self.find(&key).unwrap_or_else(|| {
            if let Some(table) = &mut self.table {
                table.insert(key.clone(), self.keys.len());
            }
            self.keys.push(key);
            self.keys.len() - 1
        });
        self.next = place + 1;
        place
    }

    fn find(&mut self, key: &K) -> Option<usize> {
        let ahead = self.keys.get(self.next..).unwrap_or_default();
        if ahead.first() == Some(key) {
            return Some(self.next);
        }
        if self.table.is_none() {
            // All keys so far ascend.
            if self.keys.last().is_none_or(|last| last < key) {
                return None;
            }
            let skipped = ahead.iter().position(|other| other >= key);
            if let Some(skipped) = skipped.filter(|skipped| ahead[*skipped] == *key) {
                return Some(self.next + skipped);
            }
        }
        let keys = &self.keys;
        let table = || keys.iter().enumerate().map(|(place, key)| (key.clone(), place)).collect::<HashMap<K, usize>>();
        self.table.get_or_insert_with(table).get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(runs: &[&str]) -> Vec<Vec<usize>> {
        let mut places = Places::default();
        let run = |run: &&str| {
            places.begin_run();
            run.chars().map(|key| places.of(key)).collect()
        };
        runs.iter().map(run).collect()
    }

    #[test]
    fn a_key_keeps_its_place_whatever_the_order_of_the_runs() {
        assert_eq!(places(&["abc", "abc", "abc"]), [[0, 1, 2], [0, 1, 2], [0, 1, 2]]);
        assert_eq!(places(&["cab", "abc", "bca"]), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
        assert_eq!(places(&["abd", "bd", "abcde", "ce"]), [vec![0, 1, 2], vec![1, 2], vec![0, 1, 3, 2, 4], vec![3, 4]]);
        assert_eq!(places(&["aba", "aa"]), [vec![0, 1, 0], vec![0, 0]]);
    }
}
