//! The name of a stored run: `YYYY-MM/TIME-COMMIT-ID.pgrun`, the same in every store.
//!
//! TIME is the time of the commit, or of the run without a commit, in seconds since 1970, with twelve digits. So alphabetical
//! order is time order, and the runs of one commit share a prefix. ID is a hash of the content: two writers use the same name
//! only for the same bytes, and recording a run again changes nothing.
//!
//! A run whose samples were thinned to quantiles is named `TIME-COMMIT-ID_THIN.pgrun`. ID is still the hash of the whole
//! run, which identifies both forms; THIN is the hash of the thinned content.

use crate::model::{Commit, Run};
use std::fmt;
use std::ops::RangeInclusive;

const SUFFIX: &str = ".pgrun";

/// Hex digits of a content's hash in a name.
const ID: usize = 12;

/// The last second of the year 9999, minus the largest time zone offset: the latest time that a name can have.
const LATEST: i64 = 253_402_207_200;

/// The name of a stored run. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    time: i64,
    commit: Option<Commit>,
    id: Box<str>,
    thin: Option<Box<str>>,
}

/// What identifies a run, whole or thinned: its time, its commit, and the hash of its whole content.
pub type RunIdentity<'k> = (i64, Option<&'k Commit>, &'k str);

impl Key {
    /// The name for a run and its encoded bytes.
    pub fn new(run: &Run, bytes: &[u8]) -> Key {
        Key { time: clamped_time(run.time), commit: run.commit.clone(), id: id(bytes), thin: None }
    }

    /// The name for the thinned form of this run.
    pub fn thinned(&self, bytes: &[u8]) -> Key {
        Key { thin: Some(id(bytes)), ..self.clone() }
    }

    /// True for a run whose samples were thinned to quantiles.
    pub fn is_thinned(&self) -> bool {
        self.thin.is_some()
    }

    /// What identifies the run, whole or thinned.
    pub fn identity(&self) -> RunIdentity<'_> {
        (self.time, self.commit.as_ref(), &self.id)
    }

    /// Parses a name as [`Key`] displays it; `None` for any other name.
    pub fn parse(path: &str) -> Option<Key> {
        let (month, name) = path.split_once('/')?;
        let mut parts = name.strip_suffix(SUFFIX)?.splitn(3, '-');
        let (time, commit, id) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = time.len() == 12 && time.bytes().all(|b| b.is_ascii_digit());
        let time = time.parse().ok().filter(|t| digits && (0..=LATEST).contains(t))?;
        let commit = if commit == "none" { None } else { Some(Commit::parse(commit)?) };
        let (id, thin) = id.split_once('_').map_or((id, None), |(id, thin)| (id, Some(thin)));
        let hex = |id: &str| id.len() == ID && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let valid = hex(id) && thin.is_none_or(hex);
        let key = valid.then(|| Key { time, commit, id: id.into(), thin: thin.map(Into::into) })?;
        (key.month() == month).then_some(key)
    }

    /// The run's time in seconds since 1970.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// The measured commit, if known.
    pub fn commit(&self) -> Option<&Commit> {
        self.commit.as_ref()
    }

    /// The first digits of the hash of the run's whole content.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder of the run's month, `YYYY-MM` in UTC.
    pub fn month(&self) -> String {
        month_of(self.time)
    }

    /// The file's name in that folder.
    pub fn file_name(&self) -> String {
        let commit = self.commit.as_ref().map_or("none", Commit::as_str);
        let thin = self.thin.iter().flat_map(|thin| ["_", thin]).collect::<String>();
        format!("{:012}-{commit}-{}{thin}{SUFFIX}", self.time, self.id)
    }

    /// True if a run has the time and the commit of this name.
    pub fn matches_run(&self, run: &Run) -> bool {
        self.time == clamped_time(run.time) && self.commit == run.commit
    }

    /// True if the bytes have the hash in this name.
    pub fn matches_hash(&self, bytes: &[u8]) -> bool {
        self.matches_fingerprint(&fingerprint(bytes))
    }

    /// The same for a known hash of the bytes.
    pub fn matches_fingerprint(&self, fingerprint: &str) -> bool {
        fingerprint.starts_with(&**self.thin.as_ref().unwrap_or(&self.id))
    }
}

/// The first digits of the hash of the bytes.
fn id(bytes: &[u8]) -> Box<str> {
    let mut id = fingerprint(bytes);
    id.truncate(ID);
    id.into()
}

/// The month's folder for a time.
pub(super) fn month_of(time: i64) -> String {
    let date = jiff::Timestamp::from_second(time.clamp(0, LATEST)).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(date);
    format!("{:04}-{:02}", date.year(), date.month())
}

/// True if a span of times includes a part of a month.
pub(super) fn covers(span: &RangeInclusive<i64>, month: &str) -> bool {
    *month_of(*span.start()) <= *month && *month <= *month_of(*span.end())
}

/// A run's time as its name has it.
pub(super) fn clamped_time(time: i64) -> i64 {
    time.clamp(0, LATEST)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.month(), self.file_name())
    }
}

/// The hash in a run's name: git's id of a blob with these bytes, in hexadecimal.
pub fn fingerprint(bytes: &[u8]) -> String {
    // Hashing only fails for an unknown kind of object.
    git2::Oid::hash_object(git2::ObjectType::Blob, bytes).unwrap_or(git2::Oid::ZERO_SHA1).to_string()
}

/// Sorted names, with one form of each run.
pub(super) fn deduplicated(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup_by(|later, earlier| later.identity() == earlier.identity());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(time: i64) -> Run {
        Run { time, commit: Commit::parse(&"ab".repeat(20)), ..Run::default() }
    }

    #[test]
    fn a_key_is_parsed_from_its_name() {
        // 2026-01-31T23:59:59Z; the id is the output of `printf x | git hash-object --stdin`.
        let key = Key::new(&run(1_769_903_999), b"x");
        let name = format!("2026-01/001769903999-{}-c1b0730e0133.pgrun", "ab".repeat(20));
        assert_eq!(key.to_string(), name);
        assert_eq!(Key::parse(&name), Some(key));
        let none = Key::new(&Run { commit: None, ..run(-5) }, b"x");
        assert_eq!(none.to_string(), "1970-01/000000000000-none-c1b0730e0133.pgrun");
        assert_eq!(Key::parse(&none.to_string()), Some(none));
    }

    #[test]
    fn a_thinned_run_has_the_identity_of_its_whole_form() {
        // The ids are the outputs of `printf x | git hash-object --stdin` and the same with `y`.
        let whole = Key::new(&run(5), b"x");
        let thin = whole.thinned(b"y");
        assert_eq!(thin.file_name(), format!("000000000005-{}-c1b0730e0133_e25f1814e515.pgrun", "ab".repeat(20)));
        assert_eq!(Key::parse(&thin.to_string()), Some(thin.clone()));
        assert_eq!(thin.identity(), whole.identity());
        assert!(thin.matches_hash(b"y") && !thin.matches_hash(b"x") && whole < thin);
    }

    #[test]
    fn only_canonical_names_are_keys() {
        for name in [
            "",
            "README.md",
            "1970-01/README.md",
            "1970-02/000000000000-none-c1b0730e0133.pgrun",
            "1970-01/0-none-c1b0730e0133.pgrun",
            "1970-01/+00000000000-none-c1b0730e0133.pgrun",
            "1970-01/000000000000-main-c1b0730e0133.pgrun",
            "1970-01/000000000000-none-C1B0730E0133.pgrun",
            "1970-01/000000000000-none-c1b0730e0133.pgrun.tmp",
            "1970-01/000000000000-none-c1b0730e0133_.pgrun",
            "1970-01/000000000000-none-c1b0730e0133_c1b0.pgrun",
            "x/1970-01/000000000000-none-c1b0730e0133.pgrun",
            "9999-12/999999999999-none-c1b0730e0133.pgrun",
        ] {
            assert_eq!(Key::parse(name), None, "{name}");
        }
    }

    #[test]
    fn names_sort_by_time() {
        let times = [0, 59, 86_400, 1_700_000_000, 4_102_444_800, LATEST, i64::MAX, -1, i64::MIN];
        let mut keys: Vec<Key> = times.iter().map(|t| Key::new(&run(*t), b"x")).collect();
        keys.push(keys[1].thinned(b"y"));
        let mut names: Vec<String> = keys.iter().map(Key::to_string).collect();
        keys.sort_unstable();
        names.sort_unstable();
        assert_eq!(keys.iter().map(Key::to_string).collect::<Vec<_>>(), names);
    }
}
