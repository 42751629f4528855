//! Decode: chunks of one source to its lines and records, however they are cut.
//!
//! Promises: the entries do not depend on where chunks end; [`Decoder::safe_offset`] and [`Decoder::state`] taken
//! together after any chunk let another decoder go on alike.

use super::clock::Clock;
use super::entries::{Entries, Memory, Sink};
use super::export::{self, Next};
use super::prefix;
use super::record::Record;
use super::text::readable;
use super::unfinished;
use super::{Chunk, Counts, Hints, Options, RECORD_BYTES};
use crate::model::time::Time;
use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize};

/// A text field from here on is too long to be read; binary ones of `RECORD_BYTES` fit well in.
const HUGE_BYTES: usize = 2 * RECORD_BYTES;

/// Reads the records of one source.
#[derive(Debug)]
pub struct Decoder {
    entries: Entries,
    /// Uncompressed offset of `pending`.
    offset: u64,
    /// The beginning of a line or field.
    pending: Vec<u8>,
    /// The record under way that is more than a line.
    open: Option<Open>,
    /// Fields of the record under way.
    record: Record,
    /// Lines of the object under way.
    object: String,
    /// Bytes of a binary field still to be passed over.
    huge: u64,
    /// Length of what begins at the safe offset and was delivered unfinished by an earlier run.
    delivered: Option<u64>,
    /// The rest of an overlong line, up to its end, is to be dropped.
    is_skipping: bool,
}

/// A record of several lines.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    /// Offset of its beginning.
    start: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Export,
    /// `journalctl -o json-pretty`.
    Pretty,
}

/// What one run hands to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    entries: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
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
        let clock = Clock::new(options.zone, first_year, options.now);
        Self {
            entries: Entries::new(clock, state.entries),
            offset: 0,
            pending: Vec::new(),
            open: None,
            record: Record::default(),
            object: String::new(),
            huge: 0,
            delivered: state.delivered,
            is_skipping: state.is_skipping,
        }
    }

    /// Reads a chunk and passes each record in it on; the beginning of a record waits for the next chunk.
    pub fn decode(&mut self, chunk: &Chunk, sink: &mut Sink<'_>) {
        if self.pending.is_empty() {
            self.offset = chunk.offset;
            return self.begun(&chunk.data, sink);
        }
        // Only the line under way is put together; what follows it is read where it is.
        let end = memchr(b'\n', &chunk.data).map_or(chunk.data.len(), |end| end + 1);
        let (line, rest) = chunk.data.split_at(end);
        let mut data = std::mem::take(&mut self.pending);
        data.extend_from_slice(line);
        let used = self.block(&data, sink);
        data.drain(..used);
        if data.is_empty() {
            self.pending = data;
            return self.begun(rest, sink);
        }
        data.extend_from_slice(rest);
        let used = self.block(&data, sink);
        data.drain(..used);
        self.pending = data;
    }

    /// Reads what begins with a line; nothing is pending.
    fn begun(&mut self, data: &[u8], sink: &mut Sink<'_>) {
        let used = self.block(data, sink);
        self.pending
            .extend_from_slice(data.get(used..).unwrap_or_default());
    }

    /// Ends a source that may grow: a last line without an end is passed on only if it can be taken for whole.
    pub fn pause(&mut self, sink: &mut Sink<'_>) {
        if self.open.is_none() && !unfinished::is_whole(&self.pending) {
            self.pending.clear();
        } else {
            self.finish(sink);
        }
    }

    /// Ends the source: what is there of an unfinished last record is passed on.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        let mut rest = std::mem::take(&mut self.pending);
        if self.is_skipping || self.huge > 0 {
            return;
        }
        let start = self.safe_offset();
        let length = self.offset - start + line_length(&rest);
        match self.open {
            None if rest.is_empty() => return,
            None => {
                if self.delivered != Some(length) {
                    self.line_bytes(&rest, sink);
                }
            }
            Some(open) if open.kind == Kind::Export => {
                let is_terminated = rest.is_empty();
                rest.push(b'\n');
                self.block(&rest, sink);
                let length = length - u64::from(is_terminated);
                if self.open.is_some() {
                    self.end_export(length, sink);
                }
                self.delivered = Some(length);
                self.offset = start;
                return;
            }
            Some(_) => return,
        }
        self.offset = start;
        self.delivered = Some(length);
    }

    /// Returns where reading may go on later, as an offset in the uncompressed stream.
    #[must_use]
    pub fn safe_offset(&self) -> u64 {
        self.open.map_or(self.offset, |open| open.start)
    }

    /// Returns where the next chunk has to begin: behind all that was given.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.offset + self.pending.len() as u64
    }

    /// Sets the present, where it goes on while a source is read.
    pub fn set_now(&mut self, now: Time) {
        self.entries.set_now(now);
    }

    /// Returns the latest time read, stamps in the future left out.
    #[must_use]
    pub fn last_time(&self) -> Option<Time> {
        self.entries.latest()
    }

    /// Returns what the next decoder must know, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        let state = State {
            entries: self.entries.memory(),
            delivered: self.delivered,
            // A record begins before what is skipped in it.
            is_skipping: self.is_skipping && self.open.is_none(),
        };
        serde_json::to_string(&state).unwrap_or_default()
    }

    /// Returns what was read so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.entries.counts
    }

    /// Reads what is complete of `data`, which begins at `self.offset`; returns the bytes used.
    fn block(&mut self, data: &[u8], sink: &mut Sink<'_>) -> usize {
        // NUL and the colours of a terminal are rare, and taken out line by line.
        let text = match memchr2(0, 0x1b, data) {
            None => std::str::from_utf8(data).ok(),
            Some(_) => None,
        };
        let mut used = 0;
        while let Some(rest) = data.get(used..).filter(|rest| !rest.is_empty()) {
            let step = if self.huge > 0 {
                Some(self.pass_over(rest))
            } else if self.is_skipping {
                Some(self.skip_line(rest))
            } else if self.is_open(Kind::Export) {
                self.field(rest, sink)
            } else {
                let text = text.and_then(|text| text.get(used..));
                self.next_line(rest, text, sink)
            };
            let Some(step) = step else { break };
            used += step;
            self.offset += step as u64;
        }
        used
    }

    fn is_open(&self, kind: Kind) -> bool {
        self.open.is_some_and(|open| open.kind == kind)
    }

    /// Reads one line; `text` is the same as `rest` if all of it is UTF-8.
    fn next_line(&mut self, rest: &[u8], text: Option<&str>, sink: &mut Sink<'_>) -> Option<usize> {
        if rest.first() == Some(&b'_') && self.open.is_none() && export::begins(rest) {
            self.begin(Kind::Export);
            return Some(0);
        }
        if rest.first() == Some(&0) && self.open.is_none() {
            // A hole before the line, however long.
            return Some(rest.iter().take_while(|byte| **byte == 0).count());
        }
        let Some(length) = memchr(b'\n', rest).filter(|length| *length <= RECORD_BYTES) else {
            return self.overlong(rest, sink);
        };
        let line = rest.get(..length).unwrap_or_default();
        if self.is_open(Kind::Pretty) || matches!(line, b"{" | b"{\r") {
            self.pretty(line, sink);
        } else if let Some(delivered) = self.delivered.take()
            && delivered == line_length(line)
        {
            // The earlier run passed it on without its end.
        } else if let Some(line) = text.and_then(|text| text.get(..length)) {
            self.entries.line(line, sink);
        } else {
            self.line_bytes(line, sink);
        }
        Some(length + 1)
    }

    /// Cuts a line that is too long to wait for its end.
    fn overlong(&mut self, rest: &[u8], sink: &mut Sink<'_>) -> Option<usize> {
        let start = rest.get(..RECORD_BYTES)?;
        self.delivered = None;
        self.open = None;
        self.line_bytes(start, sink);
        self.is_skipping = true;
        Some(RECORD_BYTES)
    }

    fn skip_line(&mut self, rest: &[u8]) -> usize {
        let end = memchr(b'\n', rest);
        self.is_skipping = end.is_none();
        end.map_or(rest.len(), |end| end + 1)
    }

    fn pass_over(&mut self, rest: &[u8]) -> usize {
        let length = usize::try_from(self.huge).map_or(rest.len(), |huge| huge.min(rest.len()));
        self.huge -= length as u64;
        length
    }

    /// Reads a line that may hold anything: NUL bytes and bytes that are not UTF-8 become U+FFFD.
    fn line_bytes(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        let line = line.get(..RECORD_BYTES).unwrap_or(line);
        if std::str::from_utf8(line).is_err() {
            self.entries.counts.not_utf8 += 1;
        }
        let text = readable(line);
        if text.contains('\u{1b}') && !text.starts_with('{') {
            self.entries.line(&prefix::without_colours(&text), sink);
        } else {
            self.entries.line(&text, sink);
        }
    }

    fn begin(&mut self, kind: Kind) {
        let start = self.offset;
        self.open = Some(Open { kind, start });
        self.record.clear();
        self.object.clear();
    }

    /// Adds a line to an object that has several.
    fn pretty(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        if self.open.is_none() {
            self.begin(Kind::Pretty);
        }
        self.object.push_str(&readable(line));
        self.object.push('\n');
        let is_end = matches!(line.trim_ascii_end(), b"}" | b"},");
        if is_end || self.object.len() > RECORD_BYTES {
            self.open = None;
            self.delivered = None;
            let object = std::mem::take(&mut self.object);
            self.entries.counts.lines += 1;
            self.entries
                .object(object.trim_end_matches([',', '\n', '\r']), sink);
            self.object = object;
        }
    }

    /// Reads one field of an export record.
    fn field(&mut self, rest: &[u8], sink: &mut Sink<'_>) -> Option<usize> {
        match export::next(rest) {
            Next::Field(name, _, used) if used > HUGE_BYTES => {
                self.lose(name);
                Some(used)
            }
            Next::Field(name, value, used) => {
                if Record::wants(name) {
                    self.record.set(&readable(name), &readable(value));
                }
                Some(used)
            }
            Next::Huge(name, used, length) => {
                self.lose(name);
                self.huge = length;
                Some(used)
            }
            Next::End(used) => {
                let start = self.safe_offset();
                self.end_export((self.offset - start).saturating_sub(1), sink);
                Some(used)
            }
            Next::More if rest.len() > HUGE_BYTES => {
                self.lose(rest.split(|byte| *byte == b'=').next().unwrap_or_default());
                self.is_skipping = true;
                Some(rest.len())
            }
            Next::More => None,
        }
    }

    /// Notes that a field was too long to be read.
    fn lose(&mut self, name: &[u8]) {
        if name == b"MESSAGE" {
            self.record.lose_message();
        }
    }

    /// Passes on the export record under way, unless an earlier run did; `length` is without its last line end.
    fn end_export(&mut self, length: u64, sink: &mut Sink<'_>) {
        self.open = None;
        let is_delivered = self.delivered.take() == Some(length);
        if self.record.has_message && !is_delivered {
            let record = std::mem::take(&mut self.record);
            self.entries.counts.lines += 1;
            self.entries.record(&record, sink);
            self.record = record;
        }
    }
}

/// Returns the length of a line, its end not counted.
fn line_length(line: &[u8]) -> u64 {
    line.strip_suffix(b"\r").unwrap_or(line).len() as u64
}
