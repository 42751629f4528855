//! Entries: one line or record at a time to an entry, with all that it must know of those before it.
//!
//! Promises: no allocation for a line of the common shapes. What matters for later lines is in [`Memory`].

use super::clock::{self, Clock};
use super::container::{Joined, Pieces, RuntimeMark};
use super::record::Record;
use super::repeat::{self, Notice, Recent};
use super::stamp::{self, Stamp};
use super::syslog::{self, Head};
use super::{Counts, LINE_BYTES, json, trust};
use crate::model::entry::{Entry, Trust};
use crate::model::time::{DAY, MINUTE, Time};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Where entries go.
pub(super) type Sink<'s> = dyn FnMut(&Entry<'_>) + 's;

/// What later lines depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    clock: clock::Memory,
    recent: Recent,
    pieces: Pieces,
}

/// Makes entries of lines and records.
#[derive(Debug)]
pub(super) struct Entries {
    clock: Clock,
    recent: Recent,
    pieces: Pieces,
    pub(super) counts: Counts,
    /// A journal record as a line.
    line: String,
    record: Record,
}

/// A record as far as it is known before its time is.
struct Draft<'a> {
    head: Head<'a>,
    raw: Raw<'a>,
    is_cut: bool,
    trust: Trust,
}

/// What stands for the record where lines are shown.
enum Raw<'a> {
    Line(&'a str),
    /// Nothing but the entry itself: the journal has no lines.
    Composed,
}

impl Entries {
    pub(super) fn new(clock: Clock, memory: Memory) -> Self {
        Self {
            clock: clock.with(memory.clock),
            recent: memory.recent,
            pieces: memory.pieces,
            counts: Counts::default(),
            line: String::new(),
            record: Record::default(),
        }
    }

    pub(super) fn memory(&self) -> Memory {
        Memory {
            clock: self.clock.memory(),
            recent: self.recent.clone(),
            pieces: self.pieces.clone(),
        }
    }

    pub(super) fn set_now(&mut self, now: Time) {
        self.clock.set_now(now);
    }

    pub(super) fn latest(&self) -> Option<Time> {
        self.clock.latest()
    }

    /// Reads a line without its end.
    pub(super) fn line(&mut self, line: &str, sink: &mut Sink<'_>) {
        self.counts.lines += 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.as_bytes() {
            [b'{', ..] => return self.object(line, sink),
            // What journalctl puts before each object with -o json-seq and json-sse.
            [0x1e, b'{', ..] => return self.object(line.get(1..).unwrap_or(line), sink),
            [b'd', ..] if line.starts_with("data: {") => {
                return self.object(line.get(6..).unwrap_or(line), sink);
            }
            _ => {}
        }
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.trim_ascii_start().is_empty() || syslog::is_remark(line) {
            self.counts.remarks += 1;
            return;
        }
        let (line, is_cut) = self.cut(line);
        if let Some(head) = syslog::read(line) {
            self.head(head, line, is_cut, sink);
        } else {
            self.headless(line, is_cut, sink);
        }
    }

    /// Reads a JSON object.
    pub(super) fn object(&mut self, text: &str, sink: &mut Sink<'_>) {
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        if !json::read(text, &mut record) {
            let (line, is_cut) = self.cut(text);
            self.headless(line, is_cut, sink);
        } else if record.has_message {
            self.record(&record, sink);
        } else {
            self.docker(&record, sink);
        }
        self.record = record;
    }

    /// Reads a record of the journal; each line of its message is an entry.
    pub(super) fn record(&mut self, record: &Record, sink: &mut Sink<'_>) {
        for text in record.message.split('\n') {
            let (text, is_long) = self.cut(text.strip_suffix('\r').unwrap_or(text));
            let ident = record.ident();
            let outer = Head {
                stamp: record.stamp(),
                host: &record.hostname,
                ident,
                pid: record.process(),
                text,
                ..Head::default()
            };
            let inner = record.stamp().and_then(|stamp| syslog::inner(stamp, text));
            let head = inner.unwrap_or(outer);
            let draft = Draft {
                trust: trust::grade(record, head.ident),
                head,
                raw: Raw::Composed,
                is_cut: record.is_cut || is_long,
            };
            self.entry(&draft, sink);
        }
    }

    /// Reads a line that Docker wrote as JSON.
    fn docker(&mut self, record: &Record, sink: &mut Sink<'_>) {
        let Some(log) = record.log.as_deref() else {
            return;
        };
        let payload = log.strip_suffix('\n').unwrap_or(log);
        let (payload, is_cut) = self.cut(payload.strip_suffix('\r').unwrap_or(payload));
        let piece = RuntimeMark {
            stream: &record.stream,
            is_partial: payload.len() == log.len(),
            payload,
        };
        let stamp = stamp::read(&record.time).map(|(stamp, _)| stamp);
        match self.pieces.join(piece, LINE_BYTES) {
            Joined::Whole => self.payload(stamp, payload, is_cut, sink),
            Joined::Held => {}
            Joined::Line(line) => self.payload(stamp, &line, is_cut, sink),
        }
    }

    /// Reads what a container wrote.
    fn payload(
        &mut self,
        stamp: Option<Stamp<'_>>,
        payload: &str,
        is_cut: bool,
        sink: &mut Sink<'_>,
    ) {
        if payload.trim_ascii_start().is_empty() {
            self.counts.remarks += 1;
            return;
        }
        let head = syslog::read_payload(stamp, payload);
        let draft = Draft {
            head,
            raw: Raw::Line(payload),
            is_cut,
            trust: Trust::Unproven,
        };
        self.entry(&draft, sink);
    }

    /// Passes on a line that may be a piece of one.
    fn head(&mut self, head: Head<'_>, line: &str, is_cut: bool, sink: &mut Sink<'_>) {
        if let Some(piece) = head.piece {
            match self.pieces.join(piece, LINE_BYTES) {
                Joined::Whole => {}
                Joined::Held => return,
                Joined::Line(line) => {
                    let stamp = head.outer.or(head.stamp);
                    return self.payload(stamp, &line, is_cut, sink);
                }
            }
        }
        let draft = Draft {
            head,
            raw: Raw::Line(line),
            is_cut,
            trust: Trust::Unproven,
        };
        self.entry(&draft, sink);
    }

    fn headless(&mut self, line: &str, is_cut: bool, sink: &mut Sink<'_>) {
        self.counts.headless += 1;
        let head = Head {
            text: line,
            ..Head::default()
        };
        let draft = Draft {
            head,
            raw: Raw::Line(line),
            is_cut,
            trust: Trust::Unproven,
        };
        self.entry(&draft, sink);
    }

    fn entry(&mut self, draft: &Draft<'_>, sink: &mut Sink<'_>) {
        let head = &draft.head;
        if syslog::is_remark(head.text) {
            self.counts.remarks += 1;
            return;
        }
        let (time, time_ambiguous) = self.time(head);
        let mut composed = std::mem::take(&mut self.line);
        let raw = match draft.raw {
            Raw::Line(line) => line,
            Raw::Composed => {
                compose(&mut composed, head, time);
                &composed
            }
        };
        let entry = Entry {
            time,
            time_ambiguous,
            host: head.host,
            ident: head.ident,
            pid: head.pid,
            text: head.text,
            repeated: 0,
            truncated: draft.is_cut || looks_cut(head.text, raw),
            trust: draft.trust,
            raw,
        };
        self.repeated(entry, sink);
        self.line = composed;
    }

    /// Puts the line that a repeat notice stands for in its place.
    fn repeated(&mut self, entry: Entry<'_>, sink: &mut Sink<'_>) {
        match repeat::notice(entry.text) {
            None => {
                self.keep(&entry);
                self.deliver(&entry, sink);
            }
            Some(Notice::Quoted(repeated, text)) => {
                let entry = Entry {
                    text,
                    repeated,
                    ..entry
                };
                self.keep(&entry);
                self.deliver(&entry, sink);
            }
            Some(Notice::Last(repeated)) => match self.recent.last(entry.host) {
                None => self.deliver(&entry, sink),
                Some(line) => {
                    let copies = Entry {
                        host: &line.host,
                        ident: &line.ident,
                        pid: line.pid,
                        text: &line.text,
                        repeated,
                        ..entry
                    };
                    self.deliver(&copies, sink);
                }
            },
        }
    }

    fn keep(&mut self, entry: &Entry<'_>) {
        self.recent
            .keep(entry.host, entry.ident, entry.pid, entry.text);
    }

    fn deliver(&mut self, entry: &Entry<'_>, sink: &mut Sink<'_>) {
        self.counts.entries += 1;
        self.counts.repeats += u64::from(entry.repeated > 0);
        self.counts.ambiguous += u64::from(entry.time_ambiguous);
        let is_future = entry.time.is_some_and(|time| self.clock.is_future(time));
        self.counts.future += u64::from(is_future);
        sink(entry);
    }

    /// Returns the time of a record, if it tells one. A notice without stamp repeats a line that was just written.
    fn time(&mut self, head: &Head<'_>) -> (Option<Time>, bool) {
        let is_notice = repeat::notice(head.text).is_some();
        let (time, ambiguous) = match (&head.stamp, &head.outer) {
            (Some(inner), Some(outer)) => self.clock.nested_time(outer, inner, head.text),
            (Some(stamp), None) if is_notice => {
                let (time, ambiguous) = self.clock.time_aside(stamp, head.text);
                // rsyslog writes some of them with the stamp of weeks ago: what they repeat was just written.
                match self.clock.latest() {
                    Some(latest) if !(-MINUTE..DAY).contains(&time.since(latest)) => {
                        (latest, false)
                    }
                    _ => (time, ambiguous),
                }
            }
            (Some(stamp), None) | (None, Some(stamp)) => self.clock.time(stamp, head.text),
            (None, None) if is_notice && head.ident.is_empty() => {
                return (self.clock.latest(), false);
            }
            (None, None) => return (None, false),
        };
        (Some(time), ambiguous)
    }

    /// Returns the text up to the longest length that is read, and whether that is less than all.
    fn cut<'a>(&mut self, text: &'a str) -> (&'a str, bool) {
        if text.len() <= LINE_BYTES {
            return (text, false);
        }
        self.counts.cut += 1;
        let end = text.floor_char_boundary(LINE_BYTES);
        (text.get(..end).unwrap_or(text), true)
    }
}

/// Writes a record of the journal as an RFC 3339 line.
fn compose(line: &mut String, head: &Head<'_>, time: Option<Time>) {
    line.clear();
    if let Some(time) = time {
        stamp::write(line, time);
        line.push(' ');
    }
    let host = if head.host.is_empty() { "-" } else { head.host };
    line.push_str(host);
    line.push(' ');
    if !head.ident.is_empty() {
        line.push_str(head.ident);
        if let Some(pid) = head.pid {
            let _ = write!(line, "[{pid}]");
        }
        line.push_str(": ");
    }
    line.push_str(head.text);
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

#[cold]
fn severity_length(text: &str) -> usize {
    ["warning: ", "error: ", "fatal: ", "panic: "]
        .into_iter()
        .find(|word| text.starts_with(word))
        .map_or(0, str::len)
}
