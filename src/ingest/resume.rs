//! Which stored source a file continues.
//!
//! A file is the stream whose stored fingerprint fits its first bytes, whatever its name or compression is
//! today: `mail.log` that became `mail.log.1` and `mail.log.2.gz` is read once.

use crate::model::cursor::{SourceKey, StoredCursor};
use crate::source::Input;

/// Returns the stored source that `input` continues: the one whose fingerprint covers most of its head.
#[must_use]
pub fn known<'s>(input: &Input, stored: &'s [StoredCursor]) -> Option<&'s StoredCursor> {
    stored
        .iter()
        .filter(|s| input.matches(&s.cursor.key))
        .max_by_key(|s| (length(&s.cursor.key), s.cursor.offset))
}

/// Returns how many bytes the fingerprint covers.
#[must_use]
pub const fn length(key: &SourceKey) -> u64 {
    match key {
        SourceKey::File { length, .. } => *length,
        SourceKey::Journal { .. } | SourceKey::Stdin => 0,
    }
}
