//! Tombstones of pruned runs: a file `pruned` in the ref's tree with their names. Without it, a clone that still has the
//! runs would restore them, since pull and push keep the runs of both sides.
//!
//! ```text
//! perfgate pruned 1
//! generation 3
//! 001700000000-c1b0730e0133
//! ```
//!
//! Pruning restarts the ref's history. Of two histories without a common commit, the one of the higher generation is kept,
//! the remote's if both are equal. Thinned runs need no tombstone: the thinned form replaces the whole one.

use super::key::Key;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The name of the file.
pub(super) const NAME: &str = "pruned";

const FIRST_LINE: &str = "perfgate pruned 1";

/// Maximum number of names that are kept, those of the newest runs. A clone that still has an older one restores it, and the next
/// pruning removes it again.
const MAX_NAMES: usize = 20_000;

/// The runs that were pruned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tombstones {
    /// How often the history was restarted.
    pub(super) generation: u64,
    names: BTreeSet<String>,
}

impl Tombstones {
    /// Parses the file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Tombstones, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err("its first line is unknown; a newer perfgate may have written it");
        }
        let generation = lines.next().and_then(|line| line.strip_prefix("generation ")?.parse().ok());
        let generation = generation.ok_or("its generation is not a number")?;
        Ok(Tombstones { generation, names: lines.map(str::to_owned).collect() })
    }

    /// The file's content.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{FIRST_LINE}\ngeneration {}\n", self.generation);
        for name in self.names.iter().skip(self.names.len().saturating_sub(MAX_NAMES)) {
            let _ = writeln!(text, "{name}");
        }
        text.into_bytes()
    }

    /// Marks a run as pruned.
    pub(super) fn add(&mut self, key: &Key) {
        self.names.insert(name(key));
    }

    /// Unmarks a run that was recorded again. True if it was marked.
    pub(super) fn remove(&mut self, key: &Key) -> bool {
        self.names.remove(&name(key))
    }

    /// True if a run is pruned.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.names.contains(&name(key))
    }

    /// The tombstones of two sides together, without those that either side has removed since `base`.
    pub(super) fn merged(base: &Tombstones, ours: &Tombstones, theirs: &Tombstones) -> Tombstones {
        let removed =
            |name: &String| base.names.contains(name) && !(ours.names.contains(name) && theirs.names.contains(name));
        Tombstones {
            generation: ours.generation.max(theirs.generation),
            names: ours.names.union(&theirs.names).filter(|name| !removed(name)).cloned().collect(),
        }
    }
}

fn name(key: &Key) -> String {
    format!("{:012}-{}", key.time(), key.id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Run;

    fn key(time: i64) -> Key {
        Key::new(&Run { time, ..Run::default() }, b"x")
    }

    fn pruned(generation: u64, times: impl IntoIterator<Item = i64>) -> Tombstones {
        let mut pruned = Tombstones { generation, ..Tombstones::default() };
        times.into_iter().for_each(|time| pruned.add(&key(time)));
        pruned
    }

    #[test]
    fn the_file_round_trips() {
        let tombstones = pruned(3, [7, 8]);
        // The id is the output of `printf x | git hash-object --stdin`.
        let text = "perfgate pruned 1\ngeneration 3\n000000000007-c1b0730e0133\n000000000008-c1b0730e0133\n";
        assert_eq!(String::from_utf8(tombstones.bytes()).unwrap(), text);
        assert_eq!(Tombstones::parse(text.as_bytes()), Ok(tombstones));
        for broken in
            ["", "perfgate pruned 2\ngeneration 1\n", "perfgate pruned 1\n", "perfgate pruned 1\ngeneration x\n"]
        {
            assert!(Tombstones::parse(broken.as_bytes()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_run_stays_pruned_unless_a_side_recorded_it_again() {
        let base = pruned(1, [1, 2]);
        let mut ours = base.clone();
        assert!(ours.remove(&key(1)) && !ours.remove(&key(9)));
        let merged = Tombstones::merged(&base, &ours, &pruned(2, [1, 2, 3]));
        assert_eq!(merged, pruned(2, [2, 3]));
        // Without a common base, all tombstones of both sides are kept.
        let merged = Tombstones::merged(&Tombstones::default(), &ours, &pruned(2, [1]));
        assert_eq!(merged, pruned(2, [1, 2]));
    }

    #[test]
    fn the_list_is_bounded_and_drops_the_oldest_first() {
        let back = Tombstones::parse(&pruned(1, 0..MAX_NAMES as i64 + 5).bytes()).unwrap();
        assert!(!back.contains(&key(4)) && back.contains(&key(5)) && back.contains(&key(MAX_NAMES as i64 + 4)));
    }
}
