//! Streams: what is read, each from where it stands; several feeds may read one (`mail.log` and its backup).

use super::coverage::Ledger;
use super::feed::{Opened, Opening, PlaceInStream};
use super::resume;
use crate::model::cursor::{Anchor, Cursor, SourceKey, StoredCursor};
use crate::model::row::UnparsedRow;
use crate::model::time::Time;
use crate::seen::Recent;
use crate::source::{self, Decoder, Hints, Options};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Number of a stream in this process.
pub type StreamNo = u64;

/// One stream of log that is being read.
pub struct Stream {
    /// What names it.
    pub key: SourceKey,
    /// Path it is read under.
    pub name: String,
    /// Its row, where that is known here.
    pub source_id: Option<i64>,
    /// What was last handed over to be stored.
    pub resume: Option<Cursor>,
    /// Its reader; none before it begins.
    pub decoder: Option<Decoder>,
    /// Counts since the last batch.
    pub ledger: Ledger,
    /// Anchors since the last batch.
    pub anchors: Vec<Anchor>,
    /// What was not understood since the last batch.
    pub unparsed: HashMap<(String, String), UnparsedRow>,
    /// Records without a time since the last batch, and what the first looks like.
    pub undated: (i64, String),
    /// Cursor of the last entry read (journal).
    pub journal: Option<String>,
    /// Something was read from it: before that a decoder knows no place.
    pub is_read: bool,
    /// It is remembered only once a line in it is one of a mail log.
    pub is_named: bool,
    /// Such a line was read.
    pub has_told: bool,
    /// Feeds that read it now.
    pub feeds: usize,
}

impl Stream {
    fn new(opening: &Opening, stored: Option<StoredCursor>) -> Self {
        let (source_id, resume) = stored.map_or((None, None), |s| (s.source_id, Some(s.cursor)));
        Self {
            key: resume
                .as_ref()
                .map_or_else(|| opening.key.clone(), |c| c.key.clone()),
            name: opening.name.clone(),
            source_id,
            journal: resume.as_ref().and_then(|c| c.journal.clone()),
            resume,
            decoder: None,
            ledger: Ledger::default(),
            anchors: Vec::new(),
            unparsed: HashMap::new(),
            undated: (0, String::new()),
            is_read: false,
            is_named: opening.is_named,
            has_told: false,
            feeds: 0,
        }
    }

    /// Returns the decoder's place, or where it will begin.
    pub fn position(&self) -> u64 {
        match &self.decoder {
            Some(decoder) if self.is_read => decoder.position(),
            _ => self.resume.as_ref().map_or(0, |c| c.offset),
        }
    }

    /// Returns from where the next feed has to read: behind the last whole line.
    fn next(&self) -> u64 {
        match &self.decoder {
            Some(decoder) if self.is_read => decoder.safe_offset(),
            _ => self.resume.as_ref().map_or(0, |c| c.offset),
        }
    }

    /// Returns the latest time read.
    pub fn last_time(&self) -> Option<Time> {
        match &self.decoder {
            Some(decoder) if self.is_read => decoder.last_time(),
            _ => self.resume.as_ref().and_then(|c| c.last_time),
        }
    }

    /// Makes the decoder, unless an earlier feed has.
    pub fn begin(&mut self, options: &Options, hints: Hints) {
        let state = self.resume.as_ref().map(|c| c.state.as_str());
        self.decoder
            .get_or_insert_with(|| Decoder::new(options, hints, state));
    }

    /// Takes another name, and the fingerprint if it covers no less.
    pub fn rename(&mut self, name: &str, key: Option<&SourceKey>) {
        if let Some(key) = key
            && resume::length(key) >= resume::length(&self.key)
        {
            self.key.clone_from(key);
            name.clone_into(&mut self.name);
        }
    }

    /// Returns what the process before knew of lines that others had told.
    pub fn recent(&self) -> Recent {
        let state = self.resume.as_ref().map(|c| c.state.as_str());
        let known: Option<Known> = state.and_then(|json| serde_json::from_str(json).ok());
        known.unwrap_or_default().known
    }

    /// Returns where it stands, with what the next process must know of lines that others had told; nothing when that
    /// is no news.
    pub fn cursor(&mut self, known: Recent) -> Option<StoredCursor> {
        if self.is_named && !self.has_told && self.resume.is_none() {
            return None;
        }
        let decoder = self.decoder.as_ref().filter(|_| self.is_read)?;
        let is_file = matches!(self.key, SourceKey::File { .. } | SourceKey::Stdin);
        let cursor = Cursor {
            key: self.key.clone(),
            name: self.name.clone(),
            offset: if is_file { decoder.safe_offset() } else { 0 },
            journal: self.journal.clone(),
            last_time: decoder.last_time(),
            state: with_known(decoder.state(), known),
        };
        if self.resume.as_ref() == Some(&cursor) {
            return None;
        }
        self.resume = Some(cursor.clone());
        Some(StoredCursor {
            source_id: self.source_id,
            cursor,
        })
    }
}

/// What is kept beside the state of the decoder.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Recent,
}

/// Adds to the state of a decoder, which knows nothing of it.
fn with_known(state: String, known: Recent) -> String {
    let known = serde_json::to_string(&Known { known }).unwrap_or_default();
    match (state.strip_suffix('}'), known.strip_prefix('{')) {
        (Some("{"), Some(_)) => known,
        (Some(state), Some(known)) if known.len() > 1 => format!("{state},{known}"),
        _ => state,
    }
}

/// All streams: those being read, and the stored ones that nobody reads.
#[derive(Default)]
pub struct Streams {
    active: BTreeMap<StreamNo, Stream>,
    dormant: BTreeMap<StreamNo, StoredCursor>,
    next: StreamNo,
}

impl Streams {
    /// Returns the stored streams, numbered in their order.
    #[must_use]
    pub fn restore(stored: Vec<StoredCursor>) -> Self {
        let dormant: BTreeMap<_, _> = (0..).zip(stored).collect();
        Self {
            active: BTreeMap::new(),
            next: dormant.len() as StreamNo,
            dormant,
        }
    }

    /// Returns the rows of the stored streams.
    pub fn source_ids(&self) -> HashMap<StreamNo, i64> {
        let dormant = self.dormant.iter();
        dormant
            .filter_map(|(no, stored)| Some((*no, stored.source_id?)))
            .collect()
    }

    /// Finds the stream that a feed continues, or makes one, and says where reading of it stands.
    pub fn open(&mut self, opening: &Opening) -> (StreamNo, Opened) {
        let newest = self.newest();
        let found = (!opening.is_again).then(|| self.find(opening)).flatten();
        let no = found.unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        let stored = self.dormant.remove(&no);
        let stream = self
            .active
            .entry(no)
            .or_insert_with(|| Stream::new(opening, stored));
        stream.feeds += 1;
        if opening.piece.is_none() {
            stream.rename(&opening.name, Some(&opening.key));
        }
        let opened = Opened {
            offset: stream.next(),
            journal: stream.journal.clone(),
            last_time: stream.last_time(),
            newest,
            is_known: found.is_some(),
        };
        (no, opened)
    }

    /// Returns a stream that is being read.
    pub fn get_mut(&mut self, no: StreamNo) -> Option<&mut Stream> {
        self.active.get_mut(&no)
    }

    /// Returns the streams that are being read.
    pub fn active(&mut self) -> impl Iterator<Item = (StreamNo, &mut Stream)> {
        self.active.iter_mut().map(|(no, stream)| (*no, stream))
    }

    /// Puts away what nobody reads any more; only right after everything of it was handed over to be stored.
    pub fn settle(&mut self) {
        let ended: Vec<StreamNo> = self
            .active
            .iter()
            .filter(|(_, stream)| stream.feeds == 0)
            .map(|(no, _)| *no)
            .collect();
        for no in ended {
            if let Some(stream) = self.active.remove(&no)
                && let Some(cursor) = stream.resume
            {
                let source_id = stream.source_id;
                self.dormant.insert(no, StoredCursor { source_id, cursor });
            }
        }
    }

    fn newest(&self) -> Option<Time> {
        let active = self.active.values().filter_map(Stream::last_time);
        let dormant = self.dormant.values().filter_map(|s| s.cursor.last_time);
        active.chain(dormant).max()
    }

    fn find(&self, opening: &Opening) -> Option<StreamNo> {
        let active = self
            .active
            .iter()
            .map(|(no, s)| (*no, s.source_id, &s.key, s.position()));
        let dormant = self
            .dormant
            .iter()
            .map(|(no, s)| (*no, s.source_id, &s.cursor.key, s.cursor.offset));
        let is_same = |source_id: Option<i64>, key: &SourceKey| match (&opening.piece, key) {
            // A stream that began in this process has no number here: who knows its key names that.
            (Some(PlaceInStream { source_id: id, .. }), key) => {
                source_id == Some(*id) || *key == opening.key
            }
            (None, SourceKey::File { .. }) => source::is_fingerprint_of(key, &opening.head),
            (None, SourceKey::Journal { .. }) => *key == opening.key,
            // What comes through a pipe is never the same again.
            (None, SourceKey::Stdin) => false,
        };
        active
            .chain(dormant)
            .filter(|(_, source_id, key, _)| is_same(*source_id, key))
            .max_by_key(|(_, _, key, position)| (resume::length(key), *position))
            .map(|(no, ..)| no)
    }
}
