//! Scratch: a directory that only this user can look into, for what a database in memory has to spill; it goes with it.
//!
//! Limits: a process that is killed leaves it, with what it spilled.

use super::error::Error;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Names that are tried: somebody may have planted one.
const TRIES: u32 = 16;

/// The directory, until it is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it below `$TMPDIR`. A name that is there, whatever it is, is left alone.
    pub(super) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let process = std::process::id();
        let mut failure = std::io::Error::from(ErrorKind::AlreadyExists);
        for _ in 0..TRIES {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let nanos = now.map_or(0, |now| now.as_nanos());
            let path = parent.join(format!("maillog-{process}-{nanos:x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => failure = error,
                Err(source) => return Err(Error::Directory { path, source }),
            }
        }
        let (path, source) = (parent, failure);
        Err(Error::Directory { path, source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing can be done about what is left in a directory for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
