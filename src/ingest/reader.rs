//! The reading thread: opens inputs one after the other, reads and decompresses ahead.

use crate::model::cursor::SourceKey;
use crate::source::{Chunk, Error, Hints, Input, Options};
use std::sync::mpsc::SyncSender;

/// An input and the stream that it belongs to.
#[derive(Debug)]
pub struct Planned {
    /// Index into the streams.
    pub stream: usize,
    /// The input.
    pub input: Input,
}

/// An input that is being read.
#[derive(Debug)]
pub struct Begun {
    /// Index into the streams.
    pub stream: usize,
    /// What names the input.
    pub key: SourceKey,
    /// Path.
    pub name: String,
    /// Bytes on disk.
    pub size: u64,
    /// A pipe: what has come must not wait for more.
    pub is_live: bool,
    /// What a decoder that begins here should know.
    pub hints: Hints,
    /// Records read from it, counted by the receiver.
    pub lines: u64,
}

/// What the reading thread says.
#[derive(Debug)]
pub enum Fed {
    /// An input follows.
    Begin(Begun),
    /// A piece of it.
    Chunk(Chunk),
    /// It ended early, with the reason in words.
    Failed(String),
    /// It ended.
    End,
}

/// Reads the inputs, each from where its stream stands. A closed channel means that the other side failed: then
/// there is nothing left to do.
pub fn read(plan: &[Planned], mut offsets: Vec<u64>, options: &Options, feed: &SyncSender<Fed>) {
    for Planned { stream, input } in plan {
        let Some(offset) = offsets.get_mut(*stream) else {
            return;
        };
        let hints = if *offset == 0 {
            input.hints(options)
        } else {
            Hints::default()
        };
        let begun = Begun {
            stream: *stream,
            key: input.key(),
            name: input.path().display().to_string(),
            size: input.size(),
            is_live: input.is_stream(),
            hints,
            lines: 0,
        };
        if feed.send(Fed::Begin(begun)).is_err() {
            return;
        }
        let end = match read_one(input, offset, feed) {
            Ok(true) => Fed::End,
            Ok(false) => return,
            Err(e) => Fed::Failed(in_words(&e)),
        };
        if feed.send(end).is_err() {
            return;
        }
    }
}

/// Moves `offset` to behind the last whole line. Returns false when nobody listens any more.
fn read_one(input: &Input, offset: &mut u64, feed: &SyncSender<Fed>) -> Result<bool, Error> {
    for chunk in input.read_from(*offset)? {
        let chunk = chunk?;
        if let Some(end) = memchr::memrchr(b'\n', &chunk.data) {
            *offset = chunk.offset + end as u64 + 1;
        }
        if feed.send(Fed::Chunk(chunk)).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn in_words(error: &Error) -> String {
    error
        .hint()
        .map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}"))
}
