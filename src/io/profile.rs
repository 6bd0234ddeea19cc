//! Profiles on disk, and the debug information of the programs that they are about.

use super::compressed::decompressed;
use super::regular;
use crate::profile::{self, InlineFrames, Profile, ProfileError, SourceFrame};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A profile larger than this is refused: it would be a core dump or a trace.
const MAX_PROFILE_BYTES: u64 = 1 << 30;

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileFileError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Its content is not a profile.
    #[error(transparent)]
    Content(#[from] ProfileError),
}

impl ProfileFileError {
    /// True for a profile without costs.
    pub fn is_empty_profile(&self) -> bool {
        matches!(self, ProfileFileError::Content(ProfileError::Empty { .. }))
    }
}

/// Reads a profile, compressed or not.
pub fn read_file(path: &Path, inlined: &mut InlinedCode) -> Result<Profile, ProfileFileError> {
    let failed = |error| ProfileFileError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = regular::open(path).map_err(failed)?;
    *inlined =
        InlinedCode { written: file.metadata().and_then(|about| about.modified()).ok(), ..InlinedCode::default() };
    decompressed(file).and_then(|stream| stream.take(MAX_PROFILE_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_PROFILE_BYTES {
        return Err(failed(io::Error::other("it is larger than 1 GiB, too large for a profile")));
    }
    Ok(profile::read(&path.display().to_string(), &bytes, inlined)?)
}

/// The inlined functions at an address of a program, from its debug information.
#[derive(Default)]
pub struct InlinedCode {
    /// `None` for a file without debug information, or one that no longer exists.
    loaders: HashMap<String, Option<addr2line::Loader>>,
    /// When the profile was written. A program that is newer has other addresses.
    written: Option<SystemTime>,
}

impl InlineFrames for InlinedCode {
    fn at(&mut self, object: &str, address: u64) -> Vec<SourceFrame> {
        let written = self.written;
        let load = || {
            // Reading a pipe would block.
            let built = std::fs::metadata(object).ok().filter(|about| about.is_file())?.modified().ok()?;
            if written.is_some_and(|written| built > written) { None } else { addr2line::Loader::new(object).ok() }
        };
        let loader = self.loaders.entry(object.to_owned()).or_insert_with(load);
        let Some(Ok(mut frames)) = loader.as_ref().map(|loader| loader.find_frames(address)) else { return Vec::new() };
        let mut found = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let Some(function) = frame.function.as_ref().and_then(|function| function.raw_name().ok()) else {
                return Vec::new(); // a gap would charge code to the wrong function
            };
            let file = frame.location.as_ref().and_then(|location| location.file).map(str::to_owned);
            let line = frame.location.as_ref().and_then(|location| location.line);
            found.push(SourceFrame { function: function.into_owned(), file, line });
        }
        found
    }
}
