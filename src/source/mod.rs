//! Source: where log comes from. Bytes of files and standard input to [`Chunk`]s, chunks to [`Entry`]s.
//!
//! ```text
//! collect(arguments) -> Input, Input, ...        files.rs identity.rs direction.rs blocks.rs
//! Input::read_from(offset) -> ChunkReader        open.rs chunk.rs ahead.rs backward.rs
//! Decoder::decode(chunk) -> Entry, Entry, ...    decode.rs and the line shapes
//! ```
//! Promises: every shape of grammar section 2, told apart per line; any bytes, in bounded memory; reading that is
//! interrupted anywhere and taken up at [`Decoder::safe_offset`] with [`Decoder::state`] gives the same entries as
//! reading in one go.
//!
//! A line says its own time or none: nothing is dated by its neighbours. A log that begins with its newest line is read from
//! its end, or refused where that is not possible.
//!
//! Limits: an unterminated last line is an entry once [`Decoder::finish`] is called, that is at the end of the file.
//! [`Decoder::safe_offset`] stays before it. The next run knows that it was delivered as it was: if it has not
//! grown, or only got its line end, it does not come again; if it has grown, the whole line comes as a new entry.
//!
//! [`Entry`]: crate::model::entry::Entry

mod ahead;
pub mod anchor;
mod backward;
mod blocks;
mod chunk;
mod clock;
mod container;
mod decode;
mod direction;
mod entries;
pub(crate) mod error;
mod export;
mod files;
pub mod follow;
mod identity;
mod input;
#[cfg(feature = "journal")]
pub mod journal;
mod json;
mod open;
mod prefix;
mod queue_id;
mod record;
mod repeat;
mod stamp;
mod survey;
mod syslog;
#[cfg(test)]
mod tests;
mod text;
mod trust;
mod unfinished;
mod year;
mod zone;

pub use chunk::{Chunk, ChunkReader};
pub use decode::Decoder;
pub use error::Error;
pub use files::{Skipped, collect};
pub use identity::{key as fingerprint, matches as is_fingerprint_of};
pub use input::Input;
pub use open::{Encoding, uncompressed};
pub use zone::Zone;

use crate::model::time::Time;

/// Longest line that is read; the rest of a longer one is dropped, and the entry says `truncated`.
pub const LINE_BYTES: usize = 64 * 1024;
/// Longest record of a container or journal format, which wraps a line in more text.
pub const RECORD_BYTES: usize = 1024 * 1024;

/// How stamps are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Zone of stamps that name none.
    pub zone: Zone,
    /// Year of the first line, where the user gives it.
    pub year: Option<i32>,
    /// The present: without it no stamp lacking a year can be placed.
    pub now: Time,
}

/// What was found out about a source before it is read from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// Year of the first stamp that carries none.
    pub first_year: Option<i32>,
}

/// What a decoder has read so far, counted from where it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Lines, whatever they hold.
    pub lines: u64,
    /// Entries delivered.
    pub entries: u64,
    /// Of these, lines without a readable header.
    pub headless: u64,
    /// Lines that are no record: empty ones, marks, remarks of journalctl.
    pub remarks: u64,
    /// Entries more than a day in the future.
    pub future: u64,
    /// Entries whose time summer time leaves in doubt.
    pub ambiguous: u64,
    /// Entries that stand for copies of another.
    pub repeats: u64,
    /// Lines that were longer than `LINE_BYTES`.
    pub cut: u64,
    /// Lines with bytes that are not UTF-8.
    pub not_utf8: u64,
}
