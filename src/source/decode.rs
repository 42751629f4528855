//! Decode: chunks of one source to entries, in order, with all that one line must know of those before it.
//!
//! Promises: the entries do not depend on where chunks end; [`Decoder::safe_offset`] and [`Decoder::state`] taken
//! together after any chunk let another decoder go on alike. No allocation for a line of the common shapes.

use super::clock::{Clock, Memory};
use super::container::{Joined, Pieces};
use super::repeat::{self, Notice, Recent};
use super::syslog::{self, Head};
use super::{Chunk, Counts, Hints, LINE_BYTES, Options, RECORD_BYTES};
use crate::model::entry::{Entry, Trust};
use crate::model::time::Time;
use memchr::memchr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Where entries go.
pub(super) type Sink<'s> = dyn FnMut(&Entry<'_>) + 's;

/// Reads the records of one source.
#[derive(Debug)]
pub struct Decoder {
    clock: Clock,
    recent: Recent,
    pieces: Pieces,
    counts: Counts,
    /// Uncompressed offset of the first byte that is not yet part of an entry.
    offset: u64,
    /// Bytes from `offset` on, the beginning of a record.
    pending: Vec<u8>,
    /// Length of the unterminated line at `offset` that an earlier run delivered.
    delivered: Option<u64>,
    /// The rest of an overlong line, up to its end, is to be dropped.
    is_skipping: bool,
}

/// What one run hands to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    clock: Memory,
    recent: Recent,
    pieces: Pieces,
    delivered: Option<u64>,
    is_skipping: bool,
}

impl Decoder {
    /// Returns a decoder for a source read from its beginning, or from where `state` was taken.
    ///
    /// A state that cannot be read (another version wrote it) counts as none.
    #[must_use]
    pub fn new(options: &Options, hints: Hints, state: Option<&str>) -> Self {
        let state: State = state
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let first_year = hints.first_year.or(options.year);
        Self {
            clock: Clock::new(options.zone, first_year, options.now, state.clock),
            recent: state.recent,
            pieces: state.pieces,
            counts: Counts::default(),
            offset: 0,
            pending: Vec::new(),
            delivered: state.delivered,
            is_skipping: state.is_skipping,
        }
    }

    /// Reads a chunk and passes each record in it on; the beginning of a record waits for the next chunk.
    pub fn decode(&mut self, chunk: &Chunk, sink: &mut Sink<'_>) {
        if self.pending.is_empty() {
            self.offset = chunk.offset;
            let used = self.block(&chunk.data, sink);
            self.pending
                .extend_from_slice(chunk.data.get(used..).unwrap_or_default());
        } else {
            let mut data = std::mem::take(&mut self.pending);
            data.extend_from_slice(&chunk.data);
            let used = self.block(&data, sink);
            data.drain(..used);
            self.pending = data;
        }
    }

    /// Ends the source: an unterminated last line is passed on.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        let line = std::mem::take(&mut self.pending);
        if line.is_empty() || self.is_skipping {
            return;
        }
        let length = line_length(&line);
        if self.delivered.take() != Some(length) {
            self.line_bytes(&line, sink);
        }
        self.delivered = Some(length);
    }

    /// Returns where reading may go on later, as an offset in the uncompressed stream.
    #[must_use]
    pub fn safe_offset(&self) -> u64 {
        self.offset
    }

    /// Returns the latest time read, stamps in the future left out.
    #[must_use]
    pub fn last_time(&self) -> Option<Time> {
        self.clock.latest()
    }

    /// Returns what the next decoder must know, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        let state = State {
            clock: self.clock.memory(),
            recent: self.recent.clone(),
            pieces: self.pieces.clone(),
            delivered: self.delivered,
            is_skipping: self.is_skipping,
        };
        serde_json::to_string(&state).unwrap_or_default()
    }

    /// Returns what was read so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads the complete records of `data`, which begins at `self.offset`; returns the bytes used.
    fn block(&mut self, data: &[u8], sink: &mut Sink<'_>) -> usize {
        let text = if memchr(0, data).is_none() {
            std::str::from_utf8(data).ok()
        } else {
            None
        };
        let mut used = 0;
        while let Some(rest) = data.get(used..).filter(|rest| !rest.is_empty()) {
            let Some(length) = memchr(b'\n', rest) else {
                used += self.overlong(rest, sink);
                break;
            };
            if std::mem::take(&mut self.is_skipping) {
                // The rest of a line whose beginning was delivered.
            } else if let Some(delivered) = self.delivered.take()
                && delivered == line_length(rest.get(..length).unwrap_or_default())
            {
                // The earlier run passed it on without its end.
            } else if let Some(line) = text.and_then(|text| text.get(used..used + length)) {
                self.line(line, sink);
            } else {
                self.line_bytes(rest.get(..length).unwrap_or_default(), sink);
            }
            used += length + 1;
            self.offset += length as u64 + 1;
        }
        used
    }

    /// Cuts a line that is too long to wait for its end; returns the bytes used.
    fn overlong(&mut self, rest: &[u8], sink: &mut Sink<'_>) -> usize {
        if !self.is_skipping {
            let Some(start) = rest.get(..RECORD_BYTES) else {
                return 0;
            };
            self.delivered = None;
            self.line_bytes(start, sink);
            self.is_skipping = true;
        }
        self.offset += rest.len() as u64;
        rest.len()
    }

    /// Reads a line that may hold anything: NUL bytes and bytes that are not UTF-8 become U+FFFD.
    fn line_bytes(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        let line = line.get(..RECORD_BYTES).unwrap_or(line);
        // A crash leaves a hole of NUL bytes before the next line.
        let hole = line.iter().take_while(|byte| **byte == 0).count();
        let line = line.get(hole..).unwrap_or_default();
        let mut text = String::from_utf8_lossy(line);
        if matches!(text, Cow::Owned(_)) {
            self.counts.not_utf8 += 1;
        }
        if text.contains('\0') {
            text = Cow::Owned(text.replace('\0', "\u{fffd}"));
        }
        self.line(&text, sink);
    }

    fn line(&mut self, line: &str, sink: &mut Sink<'_>) {
        self.counts.lines += 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.trim_ascii_start().is_empty() || syslog::is_remark(line) {
            self.counts.remarks += 1;
            return;
        }
        let whole = line;
        let line = cut(line);
        let is_cut = line.len() < whole.len();
        self.counts.cut += u64::from(is_cut);
        match syslog::read(line) {
            Some(head) => self.record(&head, line, is_cut, sink),
            None => {
                self.counts.headless += 1;
                let head = Head {
                    text: line,
                    ..Head::default()
                };
                self.entry(&head, line, is_cut, sink);
            }
        }
    }

    /// Passes on a record that may be a piece of one.
    fn record(&mut self, head: &Head<'_>, raw: &str, is_cut: bool, sink: &mut Sink<'_>) {
        let joined = head
            .piece
            .map_or(Joined::Whole, |piece| self.pieces.join(piece, LINE_BYTES));
        match joined {
            Joined::Whole => self.entry(head, raw, is_cut, sink),
            Joined::Held => {}
            Joined::Line(line) => {
                if let Some(stamp) = head.outer.or(head.stamp) {
                    let head = syslog::read_payload(stamp, &line);
                    self.entry(&head, &line, is_cut, sink);
                }
            }
        }
    }

    fn entry(&mut self, head: &Head<'_>, raw: &str, is_cut: bool, sink: &mut Sink<'_>) {
        if syslog::is_remark(head.text) {
            self.counts.remarks += 1;
            return;
        }
        let (time, time_ambiguous) = self.time(head);
        let entry = Entry {
            time,
            time_ambiguous,
            host: head.host,
            ident: head.ident,
            pid: head.pid,
            text: head.text,
            repeated: 0,
            truncated: is_cut || looks_cut(head.text, raw),
            trust: Trust::Unproven,
            raw,
        };
        match repeat::notice(head.text) {
            None => {
                self.recent.keep(head.host, head.ident, head.pid, head.text);
                self.deliver(&entry, sink);
            }
            Some(Notice::Quoted(repeated, text)) => {
                self.recent.keep(head.host, head.ident, head.pid, text);
                self.deliver(
                    &Entry {
                        repeated,
                        text,
                        ..entry
                    },
                    sink,
                );
            }
            Some(Notice::Last(repeated)) => self.last_repeated(&entry, repeated, sink),
        }
    }

    fn last_repeated(&mut self, entry: &Entry<'_>, repeated: u32, sink: &mut Sink<'_>) {
        let Some(line) = self.recent.last(entry.host) else {
            self.deliver(entry, sink);
            return;
        };
        let copies = Entry {
            host: &line.host,
            ident: &line.ident,
            pid: line.pid,
            text: &line.text,
            repeated,
            ..*entry
        };
        self.deliver(&copies, sink);
    }

    fn deliver(&mut self, entry: &Entry<'_>, sink: &mut Sink<'_>) {
        self.counts.entries += 1;
        self.counts.repeats += u64::from(entry.repeated > 0);
        self.counts.ambiguous += u64::from(entry.time_ambiguous);
        let is_future = entry.time.is_some_and(|time| self.clock.is_future(time));
        self.counts.future += u64::from(is_future);
        sink(entry);
    }

    /// Returns the time of a record; one whose stamp is damaged happened about when the line before did.
    fn time(&mut self, head: &Head<'_>) -> (Option<Time>, bool) {
        let (time, ambiguous) = match (&head.stamp, &head.outer) {
            (Some(inner), Some(outer)) => self.clock.nested_time(outer, inner, head.text),
            (Some(stamp), None) | (None, Some(stamp)) => self.clock.time(stamp, head.text),
            (None, None) if head.ident.is_empty() => return (None, false),
            (None, None) => return (self.clock.latest(), false),
        };
        (Some(time), ambiguous)
    }
}

/// Returns the length of a line, its end not counted.
fn line_length(line: &[u8]) -> u64 {
    line.strip_suffix(b"\r").unwrap_or(line).len() as u64
}

/// Returns the line up to the longest length that is read.
fn cut(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LINE_BYTES))
        .unwrap_or(line)
}

/// Tells whether a text has the length at which a writer or collector cuts (grammar 2.8).
fn looks_cut(text: &str, raw: &str) -> bool {
    /// Where Postfix cuts, counted behind the severity word.
    const POSTFIX: usize = 2000;
    // Relays count the priority, which the file has no more.
    if matches!(raw.len(), 1019..=1024 | 8187..=8192) {
        return true;
    }
    text.len() >= POSTFIX && text.len() - severity_length(text) >= POSTFIX
}

fn severity_length(text: &str) -> usize {
    ["warning: ", "error: ", "fatal: ", "panic: "]
        .into_iter()
        .find(|word| text.starts_with(word))
        .map_or(0, str::len)
}
