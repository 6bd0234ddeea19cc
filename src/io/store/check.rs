//! Checks before a write and after a read, which the stores share.

use super::error::StoreError;
use super::key::{Key, RunIdentity};
use super::store_trait::Store;
use crate::model::record;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The number of newest records that a write checks for a later version.
pub(super) const NEWEST: usize = 4;

/// The records that need no write, because the thinned form of the run exists.
pub(super) fn with_thinned_form<'r>(
    store: &dyn Store,
    records: &'r [(Key, Vec<u8>)],
) -> Result<BTreeSet<&'r Key>, StoreError> {
    let whole: Vec<&Key> = records.iter().map(|(key, _)| key).filter(|key| !key.is_thinned()).collect();
    let spans: Vec<RangeInclusive<i64>> = whole.iter().map(|key| key.time()..=key.time()).collect();
    let existing = store.within(&spans)?;
    let existing: BTreeSet<RunIdentity<'_>> =
        existing.iter().filter(|key| key.is_thinned()).map(Key::identity).collect();
    Ok(whole.into_iter().filter(|key| existing.contains(&key.identity())).collect())
}

/// Refuses to write into a store of a later perfgate. Checks only the newest records, so the cost does not grow with the
/// history.
pub(super) fn refuse_newer(store: &dyn Store, keys: &[Key]) -> Result<(), StoreError> {
    for key in keys.iter().rev().take(NEWEST) {
        // A damaged record, or one removed in between, has no version.
        let Ok(bytes) = store.read(key) else { continue };
        let version = record::version(&bytes).unwrap_or_default();
        if version > record::VERSION {
            return Err(StoreError::Newer { store: store.url(), key: Box::new(key.clone()), version });
        }
    }
    Ok(())
}

/// Refuses records whose bytes do not have the hash in their keys.
pub(super) fn refuse_mismatch(records: &[(Key, Vec<u8>)]) -> Result<(), StoreError> {
    match records.iter().find(|(key, bytes)| !key.matches_hash(bytes)) {
        Some((key, _)) => Err(StoreError::Mismatch(Box::new(key.clone()))),
        None => Ok(()),
    }
}

/// Bytes from a store, checked against the hash in the key. Records of a later version are passed on unchecked: decoding
/// reports them with a better error.
pub(super) fn checked(store: String, key: &Key, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let later = record::version(&bytes).is_ok_and(|version| version > record::VERSION);
    if later || key.matches_hash(&bytes) {
        return Ok(bytes);
    }
    Err(hash_mismatch(store, key))
}

/// The error for a run whose content does not match its name.
pub(super) fn hash_mismatch(store: String, key: &Key) -> StoreError {
    StoreError::Damaged { store, place: key.to_string(), why: "its content does not match its name".into() }
}
