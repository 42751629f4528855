//! Tests of the stage as a whole.

mod chunks;
mod inputs;
mod order;
mod prefixes;
mod roundtrip;
mod samples;
mod shapes;
mod times;

use super::{Chunk, Counts, Decoder, Hints, Options, Zone};
use crate::model::entry::{Entry, Trust};
use crate::model::time::Time;

/// An entry that outlives its chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) time: Option<Time>,
    pub(super) ambiguous: bool,
    pub(super) host: String,
    pub(super) ident: String,
    pub(super) pid: Option<u32>,
    pub(super) text: String,
    pub(super) repeated: u32,
    pub(super) truncated: bool,
    pub(super) trust: Trust,
    pub(super) raw: String,
}

impl From<&Entry<'_>> for Owned {
    fn from(entry: &Entry<'_>) -> Self {
        Self {
            time: entry.time,
            ambiguous: entry.time_ambiguous,
            host: entry.host.to_owned(),
            ident: entry.ident.to_owned(),
            pid: entry.pid,
            text: entry.text.to_owned(),
            repeated: entry.repeated,
            truncated: entry.truncated,
            trust: entry.trust,
            raw: entry.raw.to_owned(),
        }
    }
}

impl Owned {
    /// The time as people write it, in UTC.
    pub(super) fn utc(&self) -> String {
        self.time
            .and_then(Time::to_utc)
            .map_or_else(String::new, |utc| {
                utc.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
            })
    }
}

/// 2026-11-21T03:00:00 UTC.
pub(super) const NOW: Time = Time(1_795_230_000_000_000);

pub(super) fn options(zone: &str) -> Options {
    Options {
        zone: Zone::parse(zone).unwrap(),
        year: None,
        now: NOW,
    }
}

pub(super) fn chunk(data: &[u8], offset: usize) -> Chunk {
    Chunk {
        data: data.to_vec(),
        offset: offset as u64,
        read: 0,
        is_last: false,
    }
}

/// Decodes text in one go.
pub(super) fn decode(text: impl AsRef<[u8]>, options: &Options, hints: Hints) -> Vec<Owned> {
    decode_counted(text, options, hints).0
}

pub(super) fn decode_counted(
    text: impl AsRef<[u8]>,
    options: &Options,
    hints: Hints,
) -> (Vec<Owned>, Counts) {
    let mut decoder = Decoder::new(options, hints, None);
    let mut entries = Vec::new();
    let mut sink = |entry: &Entry<'_>| entries.push(Owned::from(entry));
    decoder.decode(&chunk(text.as_ref(), 0), &mut sink);
    decoder.finish(&mut sink);
    (entries, decoder.counts())
}
