//! Identity: a file is known by its first bytes, under whatever name and compression it is found.

use crate::model::cursor::{FINGERPRINT_BYTES, SourceKey};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Returns the key of a file from the head of its uncompressed content.
#[must_use]
pub fn key(head: &[u8]) -> SourceKey {
    let length = usize::try_from(FINGERPRINT_BYTES).unwrap_or(usize::MAX);
    let covered = head.get(..length).unwrap_or(head);
    SourceKey::File {
        length: covered.len() as u64,
        sha256: digest(covered),
    }
}

/// Tells whether a file with this head is the one of `key`, grown since or not; an empty file is like no other.
#[must_use]
pub fn matches(key: &SourceKey, head: &[u8]) -> bool {
    let SourceKey::File { length, sha256 } = key else {
        return false;
    };
    usize::try_from(*length)
        .ok()
        .filter(|length| *length > 0)
        .and_then(|length| head.get(..length))
        .is_some_and(|covered| digest(covered) == *sha256)
}

fn digest(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
