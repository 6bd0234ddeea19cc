//! The stored record: encodes a [`Run`] as one small file. `io::store` keeps the files.
//!
//! ```text
//! "pgrun\n"  version u16  oldest reader u16  | index: packed u32, raw u32 | samples: packed u32, raw u32   (little endian)
//! zstd frame: the index   - the facts of the run, then columns over its measurements, each after its tag and length
//! zstd frame: the samples - absent if there are none; a reader of digests skips it
//! ```
//!
//! Samples are stored in order, on a log scale, with an error of at most 0.01% (see `samples`); digests, summaries, single
//! values and exact counts without loss. Encoding is deterministic: the same run gives the same bytes.
//!
//! A reader skips unknown columns, so a later version that only adds columns keeps `oldest reader`. A version that changes
//! the meaning of a column increases it, and older programs report [`RecordError::Newer`].

mod columns;
mod digests;
mod error;
mod limits;
mod quantiles;
mod read;
mod samples;
mod wire;
mod write;

use super::{BenchId, Detail, Run};
pub use error::RecordError;
pub use limits::VERSION;
use limits::{INDEX_LIMIT, OLDEST_READER, SAMPLES_LIMIT};
pub use quantiles::SHARES;
use read::Index;
use std::io::Write;

const MAGIC: &[u8; 6] = b"pgrun\n";
/// Bytes of a record's header.
pub const HEADER: usize = MAGIC.len() + 2 + 2 + 4 * 4;

/// The zstd level. Higher levels gain nothing: nine tenths of a record are the noise of the samples.
const LEVEL: i32 = 9;

/// The version that a record was written in, from its first bytes.
pub fn version(bytes: &[u8]) -> Result<u16, RecordError> {
    Ok(Header::read(bytes)?.version)
}

/// Encodes a run; samples are stored with their digests.
///
/// Measurements are sorted by benchmark, metric and tool. Refused: two measurements with the same benchmark, metric and
/// tool; a measurement without evidence; a number that is not finite.
pub fn encode(run: &Run) -> Result<Vec<u8>, RecordError> {
    let (index, samples) = write::write(run)?;
    if index.len() > INDEX_LIMIT || samples.len() > SAMPLES_LIMIT {
        return Err(RecordError::NotStorable(format!(
            "it is too large ({} MiB of names and digests, {} MiB of samples; at most {} and {})",
            index.len() >> 20,
            samples.len() >> 20,
            INDEX_LIMIT >> 20,
            SAMPLES_LIMIT >> 20
        )));
    }
    let packed_index = pack(&index)?;
    let packed_samples = if samples.is_empty() { Vec::new() } else { pack(&samples)? };
    let header = Header {
        version: VERSION,
        oldest_reader: OLDEST_READER,
        index: Frame { packed: packed_index.len(), raw: index.len() },
        samples: Frame { packed: packed_samples.len(), raw: samples.len() },
    };
    let mut bytes = header.bytes();
    bytes.extend_from_slice(&packed_index);
    bytes.extend_from_slice(&packed_samples);
    Ok(bytes)
}

/// The length of the part of a record that contains its digests, and of the whole record, according to the header.
pub fn extent(bytes: &[u8]) -> Result<(usize, usize), RecordError> {
    let header = Header::read_known(bytes)?;
    let digests = HEADER.saturating_add(header.index.packed);
    Ok((digests, digests.saturating_add(header.samples.packed)))
}

/// The number of bytes that a record unpacks to, according to its header; [`decode`] refuses a record that differs.
pub fn unpacked_size(bytes: &[u8]) -> Result<usize, RecordError> {
    let header = Header::read_known(bytes)?;
    Ok(header.index.raw.saturating_add(header.samples.raw))
}

/// Decodes a run. The input is not trusted: an incomplete record is an error, and memory is bounded. For digests the
/// samples are not decompressed, unless another rule computed the digests and they must be computed again.
pub fn decode(bytes: &[u8], detail: Detail) -> Result<Run, RecordError> {
    decode_sharing_names(bytes, detail, &[])
}

/// The same, sharing the allocations of names with `known`: the sorted names of a run of the same suite.
pub fn decode_sharing_names(bytes: &[u8], detail: Detail, known: &[BenchId]) -> Result<Run, RecordError> {
    let header = Header::read_known(bytes)?;
    let body = bytes.get(HEADER..).unwrap_or_default();
    if header.index.packed.checked_add(header.samples.packed) != Some(body.len()) {
        return Err(RecordError::Damaged("its length differs from the one in its header".into()));
    }
    let (index, samples) = body.split_at(header.index.packed);
    let index = Index::read(&unpack(index, header.index, INDEX_LIMIT)?, known)?;
    if detail == Detail::Digests && index.digests_are_current() {
        return index.run(None);
    }
    let samples = if header.samples.raw == 0 { Vec::new() } else { unpack(samples, header.samples, SAMPLES_LIMIT)? };
    index.run(Some(&samples))
}

/// Decodes the digests of a run from the part of a record that contains them (see [`extent`]); `None` if another rule
/// computed them, so that the samples are needed.
pub fn decode_digests(bytes: &[u8], known: &[BenchId]) -> Result<Option<Run>, RecordError> {
    let header = Header::read_known(bytes)?;
    let cut = || RecordError::Damaged("it is shorter than its header states".into());
    let index = bytes.get(HEADER..).and_then(|body| body.get(..header.index.packed)).ok_or_else(cut)?;
    let index = Index::read(&unpack(index, header.index, INDEX_LIMIT)?, known)?;
    index.digests_are_current().then(|| index.run(None)).transpose()
}

/// Sizes of a zstd frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    packed: usize,
    raw: usize,
}

#[derive(Debug)]
struct Header {
    version: u16,
    oldest_reader: u16,
    index: Frame,
    samples: Frame,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Header, RecordError> {
        let fields = bytes.strip_prefix(MAGIC).ok_or(RecordError::NotARecord)?;
        let cut = || RecordError::Damaged("it ends inside its header".into());
        let pair = |at: usize| fields.get(at..at + 2).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes);
        let quad = |at: usize| fields.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let size = |at: usize| quad(at).map(|n| n as usize).ok_or_else(cut);
        let header = |index, samples| {
            let (version, oldest_reader) = (pair(0).ok_or_else(cut)?, pair(2).ok_or_else(cut)?);
            Ok(Header { version, oldest_reader, index, samples })
        };
        // The layout after the two versions is free to change with them.
        if pair(2).ok_or_else(cut)? > VERSION {
            let none = Frame { packed: 0, raw: 0 };
            return header(none, none);
        }
        header(Frame { packed: size(4)?, raw: size(8)? }, Frame { packed: size(12)?, raw: size(16)? })
    }

    /// Reads a header, with an error for a newer version.
    fn read_known(bytes: &[u8]) -> Result<Header, RecordError> {
        let header = Header::read(bytes)?;
        if header.oldest_reader > VERSION {
            return Err(RecordError::Newer { version: header.version, needs: header.oldest_reader });
        }
        Ok(header)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.oldest_reader.to_le_bytes());
        for size in [self.index.packed, self.index.raw, self.samples.packed, self.samples.raw] {
            bytes.extend((size as u32).to_le_bytes());
        }
        bytes
    }
}

fn pack(raw: &[u8]) -> Result<Vec<u8>, RecordError> {
    let packed = || {
        let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.include_contentsize(true)?;
        encoder.set_pledged_src_size(Some(raw.len() as u64))?;
        encoder.write_all(raw)?;
        encoder.finish()
    };
    packed().map_err(RecordError::Compression)
}

/// Decompresses a frame to at most the size that the header states. Unused capacity is not touched, and so takes no
/// memory.
fn unpack(packed: &[u8], frame: Frame, limit: usize) -> Result<Vec<u8>, RecordError> {
    if frame.raw > limit {
        return Err(RecordError::Damaged(format!("a part of it states a size of {} MiB", frame.raw >> 20)));
    }
    match zstd::bulk::decompress(packed, frame.raw) {
        Ok(raw) if raw.len() == frame.raw => Ok(raw),
        Ok(_) => Err(RecordError::Damaged("a part of it has another length than its header states".into())),
        Err(error) => Err(RecordError::Damaged(format!("a part of it cannot be unpacked ({error})"))),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
