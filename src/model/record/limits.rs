//! The version and the size limits of records.

/// The version that this program writes, and the newest one that it reads.
pub const VERSION: u16 = 1;

/// The oldest program version that can read what this one writes.
pub(super) const OLDEST_READER: u16 = 1;

/// Limits of a decompressed frame: 100,000 benchmarks need about 8 MiB of index and 30 MiB of samples.
pub(super) const INDEX_LIMIT: usize = 64 << 20;
pub(super) const SAMPLES_LIMIT: usize = 256 << 20;

/// Maximum number of samples in a run; they take 256 MB in memory. In a frame most take three bytes, so the limit of the
/// frame would let them take 700 MB.
pub(super) const MAX_SAMPLES: usize = 1 << 25;

/// Limits of counts: a few compressed bytes can repeat an empty entry millions of times, and an entry in memory is far
/// larger than in the index. A run at all limits takes about 600 MB.
pub(super) const MAX_COLUMNS: usize = 256;
pub(super) const MAX_FACTS: usize = 1000;
pub(super) const MAX_METRICS: usize = 1 << 16;
pub(super) const MAX_MEASUREMENTS: usize = 1 << 20;
pub(super) const MAX_EVIDENCE: usize = 1 << 21;
