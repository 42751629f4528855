//! Anchors: lines chosen by their content, by which a piece of a log is recognised in a log already read.
//!
//! One line in eight is an anchor, whichever file it stands in, because its own hash says so. Two files that
//! share lines therefore share anchors, and the difference of their positions tells how the files lie to each
//! other. That finds what a fingerprint of the first bytes cannot: the tail of a log, an overlapping dump.
//!
//! Limits: pieces of fewer than some twenty lines may hold too few anchors to be sure, and count as new.

use crate::model::cursor::Anchor;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// Bits of the hash that are zero in an anchor: one line in eight.
const CHOSEN: u64 = 0b111;
/// Anchors that must agree before two files are held to be one.
const AGREEING: usize = 2;

/// Adds the anchors of `data`, whole lines that begin at `offset`.
pub fn find(data: &[u8], offset: u64, anchors: &mut Vec<Anchor>) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', data) {
        let hash = xxh3_64(data.get(start..end).unwrap_or_default());
        if hash & CHOSEN == 0 && end > start {
            anchors.push(Anchor {
                hash: (hash >> 32) as u32,
                position: offset + start as u64,
            });
        }
        start = end + 1;
    }
}

/// Returns what to add to a position in the new file to get the position in the old one, when the anchors at
/// the head of the new file agree on it.
///
/// `stored` holds the old file's anchors of equal hash; it was read up to `end`.
#[must_use]
pub fn shift(head: &[Anchor], stored: &[Anchor], end: u64) -> Option<u64> {
    let mut votes: HashMap<u64, usize> = HashMap::new();
    let new: HashMap<u32, u64> = head.iter().rev().map(|a| (a.hash, a.position)).collect();
    for old in stored {
        let shift = new
            .get(&old.hash)
            .and_then(|position| old.position.checked_sub(*position));
        if let Some(shift) = shift {
            *votes.entry(shift).or_default() += 1;
        }
    }
    let (shift, agreeing) = votes
        .into_iter()
        .max_by_key(|(shift, votes)| (*votes, u64::MAX - shift))?;
    let covered = head.iter().filter(|a| a.position + shift < end).count();
    (agreeing >= AGREEING && agreeing >= covered).then_some(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: std::ops::Range<u32>) -> Vec<u8> {
        lines
            .flat_map(|n| {
                format!("Mar  4 10:20:11 mail postfix/qmgr[812]: {n:X}ABC: removed\n").into_bytes()
            })
            .collect()
    }

    fn anchors(data: &[u8]) -> Vec<Anchor> {
        let mut found = Vec::new();
        find(data, 0, &mut found);
        found
    }

    #[test]
    fn the_tail_of_a_log_is_recognised() {
        let (whole, tail) = (log(0..1000), log(700..1100));
        let shifted = shift(&anchors(&tail), &anchors(&whole), whole.len() as u64);
        assert_eq!(shifted, Some(log(0..700).len() as u64));
    }

    #[test]
    fn another_log_is_not() {
        let (whole, other) = (log(0..1000), log(5000..6000));
        assert_eq!(
            shift(&anchors(&other), &anchors(&whole), whole.len() as u64),
            None
        );
    }

    #[test]
    fn a_filtered_copy_is_not() {
        let whole = log(0..1000);
        let filtered: Vec<u8> = (0..1000).step_by(2).flat_map(|n| log(n..n + 1)).collect();
        assert_eq!(
            shift(&anchors(&filtered), &anchors(&whole), whole.len() as u64),
            None
        );
    }

    #[test]
    fn anchors_do_not_depend_on_chunks() {
        let whole = log(0..500);
        let cut = log(0..123).len();
        let (head, tail) = whole.split_at(cut);
        let mut found = anchors(head);
        find(tail, cut as u64, &mut found);
        assert_eq!(found, anchors(&whole));
        assert!((30..95).contains(&found.len()), "{}", found.len());
    }
}
