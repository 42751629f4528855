//! Feeds: the reading side's end of the pump. Each reader of a stream opens a feed, is told from where to read, and
//! passes on what it reads; any number of them at the same time, from any thread.
//!
//! Promises: a feed may give bytes that the stream has already (two readers of one file, a reader that begins too
//! early): they are passed over. A channel that is full makes the reader wait.

use super::stats::Summary;
use crate::model::cursor::{Anchor, SourceKey};
use crate::model::time::Time;
use crate::source::{Chunk, Hints, anchor};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Messages that wait for the pump; most are chunks.
const AHEAD: usize = 3;

/// Number of a feed in this process.
pub type FeedId = u64;

/// The pump has ended: there is nothing left to do for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database stopped")]
pub struct Closed;

/// What a reader says of what it is about to read.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Path or name, for people.
    pub name: String,
    /// What names it: fingerprint, journal, or standard input.
    pub key: SourceKey,
    /// First bytes of its uncompressed content, at most `FINGERPRINT_BYTES`, by which a shorter fingerprint of it is
    /// recognised; empty for what is no file.
    pub head: Vec<u8>,
    /// It lies inside a stored stream.
    pub piece: Option<PlaceInStream>,
    /// Bytes on disk, for the progress bar.
    pub size: u64,
    /// Somebody wants a summary of this feed alone.
    pub is_counted: bool,
    /// Somebody named it to be read once: it is remembered only if a line in it is one of a mail log.
    pub is_named: bool,
    /// It is read from its beginning although it was read before.
    pub is_again: bool,
}

impl Opening {
    /// A journal at the place that its cursor is kept by.
    #[must_use]
    pub fn journal(name: &str, place: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: SourceKey::Journal {
                place: place.to_owned(),
            },
            head: Vec::new(),
            piece: None,
            size: 0,
            is_counted: false,
            is_named: false,
            is_again: false,
        }
    }
}

/// Where an input lies in a stored stream that does not begin with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInStream {
    /// Number of the source.
    pub source_id: i64,
    /// What to add to a place in the input to get the place in the stream.
    pub shift: u64,
}

/// From where a reader has to read.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Place in its input (files).
    pub offset: u64,
    /// Cursor of the last entry that is stored (journal).
    pub journal: Option<String>,
    /// Latest time read from this stream.
    pub last_time: Option<Time>,
    /// Latest time read from any stream.
    pub newest: Option<Time>,
    /// The stream was read before, now or by an earlier process.
    pub is_known: bool,
}

/// How a feed ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The input may grow: an unfinished last line waits, unless it is surely whole.
    Pause,
    /// Nothing will follow: an unfinished last line is all there is of it.
    Finish,
    /// It ended early, with the reason in words.
    Failed(String),
}

/// Where a summary goes once everything of a feed is committed.
pub type Reply = SyncSender<Summary>;

/// What readers say to the pump.
#[derive(Debug)]
pub enum Fed {
    /// A feed is wanted.
    Open(FeedId, Box<Opening>, SyncSender<Opened>),
    /// It begins; what its decoder should know.
    Begin(FeedId, Hints),
    /// A piece of it.
    Chunk(FeedId, Box<Piecemeal>),
    /// It has another name now (a rotated file), or a longer fingerprint.
    Name(FeedId, String, Option<SourceKey>),
    /// It ended.
    End(FeedId, Ending, Option<Reply>),
}

/// A piece of a stream and what belongs to it.
#[derive(Debug)]
pub struct Piecemeal {
    /// The bytes.
    pub chunk: Chunk,
    /// Anchors in it.
    pub anchors: Vec<Anchor>,
    /// Cursor of the last entry in it (journal).
    pub journal: Option<String>,
    /// Log that is missing just before it.
    pub lost: Option<Lost>,
    /// Its source has nothing more for now: commit within a second.
    pub is_urgent: bool,
}

/// Log that was there and could not be read: told where queries find nothing, like the loss notices in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Host whose log it is.
    pub host: String,
    /// When log begins again.
    pub time: Time,
    /// Lines, where their number is known.
    pub lines: Option<u64>,
    /// What happened, for the table of notices.
    pub text: String,
}

/// Opens feeds; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feeds {
    to_pump: SyncSender<Fed>,
    next: Arc<AtomicU64>,
}

impl Feeds {
    /// Returns the opener and what the pump receives.
    #[must_use]
    pub fn channel() -> (Self, Receiver<Fed>) {
        let (to_pump, fed) = sync_channel(AHEAD);
        let next = Arc::new(AtomicU64::new(0));
        (Self { to_pump, next }, fed)
    }

    /// Opens a feed.
    ///
    /// # Errors
    /// When the pump has ended.
    pub fn open(&self, opening: Opening) -> Result<Feed, Closed> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let shift = opening.piece.map_or(0, |piece| piece.shift);
        let is_file = matches!(opening.key, SourceKey::File { .. });
        let (reply, opened) = sync_channel(1);
        let open = Fed::Open(id, Box::new(opening), reply);
        self.to_pump.send(open).map_err(|_| Closed)?;
        let mut opened = opened.recv().map_err(|_| Closed)?;
        opened.offset = opened.offset.saturating_sub(shift);
        Ok(Feed {
            id,
            to_pump: self.to_pump.clone(),
            shift,
            is_file,
            lost: None,
            has_ended: false,
            opened,
        })
    }
}

/// A stream being read. Dropped without an end it counts as paused.
#[derive(Debug)]
pub struct Feed {
    id: FeedId,
    to_pump: SyncSender<Fed>,
    shift: u64,
    is_file: bool,
    lost: Option<Lost>,
    has_ended: bool,
    opened: Opened,
}

impl Feed {
    /// Returns from where to read.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Begins. Has to come before the first bytes.
    ///
    /// # Errors
    /// When the pump has ended, as all that follow.
    pub fn begin(&self, hints: Hints) -> Result<(), Closed> {
        self.send(Fed::Begin(self.id, hints))
    }

    /// Passes a chunk on, with its offset in the input; urgent when the source has nothing more for now.
    ///
    /// # Errors
    /// When the pump has ended.
    pub fn chunk(&mut self, mut chunk: Chunk, is_urgent: bool) -> Result<(), Closed> {
        chunk.offset += self.shift;
        let mut anchors = Vec::new();
        if self.is_file {
            anchor::find(&chunk.data, chunk.offset, &mut anchors);
        }
        self.piece(chunk, anchors, None, is_urgent)
    }

    /// Passes on whole records in export format, the last of which has the cursor.
    ///
    /// # Errors
    /// When the pump has ended.
    pub fn records(
        &mut self,
        data: Vec<u8>,
        cursor: String,
        is_urgent: bool,
    ) -> Result<(), Closed> {
        let chunk = Chunk {
            data,
            offset: 0,
            read: 0,
            is_last: is_urgent,
        };
        self.piece(chunk, Vec::new(), Some(cursor), is_urgent)
    }

    fn piece(
        &mut self,
        chunk: Chunk,
        anchors: Vec<Anchor>,
        journal: Option<String>,
        is_urgent: bool,
    ) -> Result<(), Closed> {
        let piece = Piecemeal {
            chunk,
            anchors,
            journal,
            lost: self.lost.take(),
            is_urgent,
        };
        self.send(Fed::Chunk(self.id, Box::new(piece)))
    }

    /// Notes that log is missing here; stored together with what comes next.
    pub fn lose(&mut self, lost: Lost) {
        self.lost = Some(lost);
    }

    /// Gives the stream another name, and a longer fingerprint if there is one.
    ///
    /// # Errors
    /// When the pump has ended.
    pub fn name(&self, name: String, key: Option<SourceKey>) -> Result<(), Closed> {
        self.send(Fed::Name(self.id, name, key))
    }

    /// Ends.
    ///
    /// # Errors
    /// When the pump has ended.
    pub fn end(mut self, ending: Ending) -> Result<(), Closed> {
        self.has_ended = true;
        self.send(Fed::End(self.id, ending, None))
    }

    /// Ends, waits until everything is committed, and returns the counts of a feed that was opened as counted.
    ///
    /// # Errors
    /// When the pump has ended, or ends before.
    pub fn settle(mut self, ending: Ending) -> Result<Summary, Closed> {
        self.has_ended = true;
        let (reply, summary) = sync_channel(1);
        self.send(Fed::End(self.id, ending, Some(reply)))?;
        summary.recv().map_err(|_| Closed)
    }

    fn send(&self, message: Fed) -> Result<(), Closed> {
        self.to_pump.send(message).map_err(|_| Closed)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if !self.has_ended {
            // Nobody listens any more: then there is nothing to end.
            let _ = self.send(Fed::End(self.id, Ending::Pause, None));
        }
    }
}
