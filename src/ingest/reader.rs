//! The reading thread: opens inputs one after the other, reads and decompresses ahead.

use crate::model::cursor::{Anchor, SourceKey};
use crate::source::{Chunk, Error, Hints, Input, Options, anchor};
use std::sync::mpsc::SyncSender;

/// An input and the stream that it belongs to.
#[derive(Debug)]
pub struct Planned {
    /// Index into the streams.
    pub stream: usize,
    /// The input.
    pub input: Input,
    /// What to add to a place in it to get the place in the stream.
    pub shift: u64,
}

/// An input that is being read.
#[derive(Debug)]
pub struct Begun {
    /// Index into the streams.
    pub stream: usize,
    /// What names the input; none for a piece of a stream, which its own first bytes do not name.
    pub key: Option<SourceKey>,
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
    /// A piece of it, with its anchors.
    Chunk(Chunk, Vec<Anchor>),
    /// It ended early, with the reason in words.
    Failed(String),
    /// It ended.
    End,
}

/// Reads the inputs, each from where its stream stands. A closed channel means that the other side failed: then
/// there is nothing left to do.
pub fn read(plan: &[Planned], mut offsets: Vec<u64>, options: &Options, feed: &SyncSender<Fed>) {
    for planned in plan {
        let Planned {
            stream,
            input,
            shift,
        } = planned;
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
            key: (*shift == 0).then(|| input.key()),
            name: input.path().display().to_string(),
            size: input.size(),
            is_live: input.is_stream(),
            hints,
            lines: 0,
        };
        if feed.send(Fed::Begin(begun)).is_err() {
            return;
        }
        let end = match read_one(planned, offset, feed) {
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
fn read_one(planned: &Planned, offset: &mut u64, feed: &SyncSender<Fed>) -> Result<bool, Error> {
    let Planned { input, shift, .. } = planned;
    for chunk in input.read_from(offset.saturating_sub(*shift))? {
        let mut chunk = chunk?;
        chunk.offset += shift;
        if let Some(end) = memchr::memrchr(b'\n', &chunk.data) {
            *offset = chunk.offset + end as u64 + 1;
        }
        let mut anchors = Vec::new();
        if !input.is_stream() {
            anchor::find(&chunk.data, chunk.offset, &mut anchors);
        }
        if feed.send(Fed::Chunk(chunk, anchors)).is_err() {
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
