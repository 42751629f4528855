//! Which stored source a file continues, and how it lies to it.
//!
//! A file is the stream whose stored fingerprint fits its first bytes, whatever its name or compression is
//! today: `mail.log` that became `mail.log.1` and `mail.log.2.gz` is read once. A file that begins inside a stored
//! stream (the tail of a log, an overlapping dump) is recognised by its anchors, and only what is new in it is read.

use super::feed::PlaceInStream;
use crate::model::cursor::{Anchor, SourceKey, StoredCursor};
use crate::source::{Input, anchor};
use crate::store::{Error, Store};
use anyhow::Result;

/// What knows the anchors of what is stored.
pub trait Anchored {
    /// Returns the anchors that have one of these hashes, with the numbers of their sources.
    ///
    /// # Errors
    /// When the database fails.
    fn anchors_like(&self, hashes: &[u32]) -> Result<Vec<(i64, Anchor)>, Error>;

    /// Returns the anchors of a source from `start` up to but not at `end`, in order.
    ///
    /// # Errors
    /// When the database fails.
    fn anchors_between(&self, source: i64, start: u64, end: u64) -> Result<Vec<Anchor>, Error>;
}

impl Anchored for Store {
    fn anchors_like(&self, hashes: &[u32]) -> Result<Vec<(i64, Anchor)>, Error> {
        Self::anchors_like(self, hashes)
    }

    fn anchors_between(&self, source: i64, start: u64, end: u64) -> Result<Vec<Anchor>, Error> {
        Self::anchors_between(self, source, start, end)
    }
}

/// Returns where `input` lies in a stored stream that it does not begin.
///
/// # Errors
/// When the database fails.
pub fn piece_of(
    input: &Input,
    stored: &[StoredCursor],
    store: &impl Anchored,
) -> Result<Option<PlaceInStream>> {
    let is_known = || stored.iter().any(|s| input.matches(&s.cursor.key));
    if input.is_stream() || stored.is_empty() || is_known() {
        return Ok(None);
    }
    piece(input, stored, store)
}

/// Returns how many bytes the fingerprint covers.
#[must_use]
pub const fn length(key: &SourceKey) -> u64 {
    match key {
        SourceKey::File { length, .. } => *length,
        SourceKey::Journal { .. } | SourceKey::Stdin => 0,
    }
}

/// Looks for a stored stream that `input` begins in the midst of.
///
/// What cannot be read now will be told when it is read for good.
fn piece(
    input: &Input,
    stored: &[StoredCursor],
    store: &impl Anchored,
) -> Result<Option<PlaceInStream>> {
    let head = anchors(input, 1);
    let hashes: Vec<u32> = head.iter().map(|a| a.hash).collect();
    let alike = store.anchors_like(&hashes)?;
    for source in stored {
        let of_source = alike.iter().filter(|(id, _)| Some(*id) == source.source_id);
        let candidates: Vec<Anchor> = of_source.map(|(_, anchor)| *anchor).collect();
        let end = source.cursor.offset;
        if let Some(shift) = anchor::shift(&head, &candidates, end)
            && is_same(input, source, shift, store)?
        {
            return Ok(source
                .source_id
                .map(|source_id| PlaceInStream { source_id, shift }));
        }
    }
    Ok(None)
}

/// Compares all anchors of the part that both have: a filtered copy lacks some.
fn is_same(
    input: &Input,
    source: &StoredCursor,
    shift: u64,
    store: &impl Anchored,
) -> Result<bool> {
    let end = source.cursor.offset;
    let ours = anchors(input, usize::MAX).into_iter().map(|a| Anchor {
        position: a.position + shift,
        ..a
    });
    let ours: Vec<Anchor> = ours.take_while(|a| a.position < end).collect();
    let last = ours.last().map_or(end, |a| a.position + 1);
    let theirs = store.anchors_between(source.source_id.unwrap_or_default(), shift, last)?;
    Ok(ours == theirs)
}

fn anchors(input: &Input, chunks: usize) -> Vec<Anchor> {
    let mut found = Vec::new();
    let Ok(reader) = input.read_from(0) else {
        return found;
    };
    for chunk in reader.take(chunks).map_while(Result::ok) {
        anchor::find(&chunk.data, chunk.offset, &mut found);
    }
    found
}
