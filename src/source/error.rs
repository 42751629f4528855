//! What can go wrong while log is looked for and read, in words for people.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A failure to find, open or read a source; [`Error::hint`] tells the cure where one is known.
#[derive(Debug, Error)]
pub enum Error {
    /// A path that cannot be looked at, opened or read.
    #[error("cannot read {}: {}", path.display(), plain(source))]
    Read {
        /// The path as given or found.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A compressed file that ends early or does not decompress; what came before was delivered.
    #[error("{} is damaged after {offset} bytes of log: {}", path.display(), plain(source))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Uncompressed bytes that were readable.
        offset: u64,
        /// What the decompressor said.
        source: io::Error,
    },
    /// A pattern that matches nothing.
    #[error("no file matches {pattern}")]
    NoMatch {
        /// The pattern as given.
        pattern: String,
    },
    /// A pattern that is not one.
    #[error("{pattern} is not a file name pattern: {reason}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file whose content maillog cannot read as log.
    #[error("cannot read {}: it is {what}", path.display())]
    NotLog {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// How to get at the log in it.
        cure: String,
    },
    /// A log that begins with its newest line and cannot be turned round here.
    #[error("cannot read {}: its newest line comes first", path.display())]
    NewestFirst {
        /// The file.
        path: PathBuf,
        /// How to get it in order.
        cure: String,
    },
    /// A zone that is neither a name nor an offset.
    #[error("unknown time zone {0}")]
    Zone(String),
}

impl Error {
    /// Names the file as the user knows it, where it was opened in another way.
    pub(super) fn at(self, path: &Path) -> Self {
        match self {
            Self::Read { source, .. } => Self::Read {
                path: path.to_owned(),
                source,
            },
            other => other,
        }
    }

    /// Returns how to help oneself, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run as root or as a member of the group that may read the log (often adm)".to_owned())
            }
            Self::Read { .. } | Self::Pattern { .. } => None,
            Self::Damaged { source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => {
                Some("the file is cut off; maillog imported the readable part. Copy the file again and import it again".to_owned())
            }
            Self::Damaged { .. } => {
                Some("maillog imported the readable part; import an undamaged copy for the rest".to_owned())
            }
            Self::NoMatch { .. } => Some("name a file, a directory or a pattern, or - for standard input".to_owned()),
            Self::NotLog { cure, .. } | Self::NewestFirst { cure, .. } => Some(cure.clone()),
            Self::Zone(_) => Some("write a name such as Europe/Berlin or UTC, or an offset such as +02:00".to_owned()),
        }
    }
}

/// Says a system error as Unix programs do: lower case, without the number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
