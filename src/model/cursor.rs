//! Cursor: a place in a source, stored in the same transaction as what was read up to it.

use super::time::Time;
use serde::{Deserialize, Serialize};

/// What names a source of log for good, whatever its path is today.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceKey {
    /// A file, by the first bytes of its uncompressed content.
    File {
        /// Bytes that the fingerprint covers (at most `FINGERPRINT_BYTES`, less for a short file).
        length: u64,
        /// SHA-256 of these bytes, lower-case hex.
        sha256: String,
    },
    /// A systemd journal, by the machine it belongs to.
    Journal {
        /// Journal directory or namespace as given, empty for the local default.
        place: String,
    },
    /// Standard input: has no place to return to.
    Stdin,
}

/// Longest prefix of a file that its fingerprint covers, in bytes.
pub const FINGERPRINT_BYTES: u64 = 4096;

/// Where reading of one source goes on, and what the reader must remember to go on alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The source.
    pub key: SourceKey,
    /// Path or name it was last read under, for people.
    pub name: String,
    /// Next byte to read, in the uncompressed stream (files).
    pub offset: u64,
    /// Next entry to read (journal).
    pub journal: Option<String>,
    /// Latest time read from it.
    pub last_time: Option<Time>,
    /// The reader's own state as JSON: year, previous line, open fragments.
    pub state: String,
}

/// A line chosen by its content (`source::anchor`), by which a piece of a log already read is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Upper half of the line's XXH3: stored, so the function must never change.
    pub hash: u32,
    /// Where the line begins, in the uncompressed stream.
    pub position: u64,
}

/// A cursor and the row of the source table that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCursor {
    /// Row that the cursor replaces, key included; none: the row with the same key, else a new one.
    pub source_id: Option<i64>,
    /// The cursor.
    pub cursor: Cursor,
}
