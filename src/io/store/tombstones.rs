//! The mark that pruning leaves in a ref's tree: a file `pruned` with the names of the runs that are gone for good. A
//! clone that still has them would bring them back otherwise, since an exchange keeps what either side has.
//!
//! ```text
//! perfgate pruned 1
//! generation 3
//! 001700000000-c1b0730e0133
//! ```
//!
//! Pruning starts the ref's line of commits anew. Of two lines that share no commit the one of the higher generation
//! goes on, and the remote's where both have the same. Thinned runs are in no list: the thinned form says it.

use super::Key;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The name of the file.
pub(super) const NAME: &str = "pruned";

const HEAD: &str = "perfgate pruned 1";

/// So many names are kept, those of the youngest runs. Who still holds one that is older brings it back, and the next
/// pruning takes it again: nothing is lost by that.
const MOST: usize = 20_000;

/// Which runs are gone for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tombstones {
    /// How often the line was started anew.
    pub(super) generation: u64,
    gone: BTreeSet<String>,
}

impl Tombstones {
    /// Reads the file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Tombstones, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err("it does not begin as this perfgate knows it; a newer one may have written it");
        }
        let generation = lines.next().and_then(|line| line.strip_prefix("generation ")?.parse().ok());
        let generation = generation.ok_or("its generation is no number")?;
        Ok(Tombstones { generation, gone: lines.map(str::to_owned).collect() })
    }

    /// The file's content.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEAD}\ngeneration {}\n", self.generation);
        for name in self.gone.iter().skip(self.gone.len().saturating_sub(MOST)) {
            let _ = writeln!(text, "{name}");
        }
        text.into_bytes()
    }

    /// Notes that a run is gone.
    pub(super) fn add(&mut self, key: &Key) {
        self.gone.insert(name(key));
    }

    /// Forgets that a run was gone, since it was recorded again. True where it was.
    pub(super) fn remove(&mut self, key: &Key) -> bool {
        self.gone.remove(&name(key))
    }

    /// True where a run is gone.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.gone.contains(&name(key))
    }

    /// What two sides say together; one that raised a run since they parted is heard.
    pub(super) fn merged(base: &Tombstones, ours: &Tombstones, theirs: &Tombstones) -> Tombstones {
        let raised =
            |name: &String| base.gone.contains(name) && !(ours.gone.contains(name) && theirs.gone.contains(name));
        Tombstones {
            generation: ours.generation.max(theirs.generation),
            gone: ours.gone.union(&theirs.gone).filter(|name| !raised(name)).cloned().collect(),
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
    fn the_file_comes_back() {
        let mark = pruned(3, [7, 8]);
        // The id is what `printf x | git hash-object --stdin` says.
        let text = "perfgate pruned 1\ngeneration 3\n000000000007-c1b0730e0133\n000000000008-c1b0730e0133\n";
        assert_eq!(String::from_utf8(mark.bytes()).unwrap(), text);
        assert_eq!(Tombstones::parse(text.as_bytes()), Ok(mark));
        for broken in
            ["", "perfgate pruned 2\ngeneration 1\n", "perfgate pruned 1\n", "perfgate pruned 1\ngeneration x\n"]
        {
            assert!(Tombstones::parse(broken.as_bytes()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_run_stays_gone_unless_a_side_recorded_it_again() {
        let base = pruned(1, [1, 2]);
        let mut ours = base.clone();
        assert!(ours.remove(&key(1)) && !ours.remove(&key(9)));
        let joined = Tombstones::merged(&base, &ours, &pruned(2, [1, 2, 3]));
        assert_eq!(joined, pruned(2, [2, 3]));
        // Two that share nothing have only what both say.
        let joined = Tombstones::merged(&Tombstones::default(), &ours, &pruned(2, [1]));
        assert_eq!(joined, pruned(2, [1, 2]));
    }

    #[test]
    fn the_list_is_bounded_and_the_oldest_go_first() {
        let back = Tombstones::parse(&pruned(1, 0..MOST as i64 + 5).bytes()).unwrap();
        assert!(!back.contains(&key(4)) && back.contains(&key(5)) && back.contains(&key(MOST as i64 + 4)));
    }
}
