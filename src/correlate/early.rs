//! Early: lines that name a message before the line of the same second that creates it.
//!
//! Whoever hands the lines of a log over may mix those of one second. A refusal, a check or a warning means what it
//! means only to a message of which the client is known. Such a line waits until that line comes, or until the stamps
//! of its host move on.
//!
//! Promises: a line whose message has begun never waits. Waiting lines are part of the state.
//!
//! Limits: what waits at the end of a log is taken as it is by [`Correlator::settle`]; a creating line of the same second that is read
//! after that finds it done.

use super::open::Says;
use super::turned::refuses;
use super::{Correlator, Line, text};
use crate::model::entry::{Entry, Trust};
use crate::model::event::{Event, Level};
use crate::model::row::Text;
use crate::model::time::Time;
use crate::parse;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Lines that wait at most, on all hosts: a busy second has some thousand lines.
const WAITING_LIMIT: usize = 10_000;

/// A line that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WaitingLine {
    host: u32,
    time: Time,
    queue_id: Text,
    ident: Text,
    pid: Option<u32>,
    text: String,
    repeated: u32,
    raw: String,
}

/// The lines of one host that wait; all bear the same stamp.
#[derive(Debug, Default)]
struct Waiting {
    time: Time,
    /// In the order in which they came.
    lines: Vec<WaitingLine>,
}

/// Lines that wait, by host.
#[derive(Debug, Default)]
pub(super) struct Early {
    by_host: HashMap<u32, Waiting>,
    count: usize,
    /// What waited is taken now and does not wait again.
    is_over: bool,
}

impl Early {
    pub(super) fn restore(lines: Vec<WaitingLine>) -> Self {
        let mut this = Self::default();
        for line in lines {
            this.add(line);
        }
        this
    }

    /// Returns what waits, by host, in the order in which it came.
    pub(super) fn list(&self) -> Vec<&WaitingLine> {
        let mut hosts: Vec<_> = self.by_host.iter().collect();
        hosts.sort_unstable_by_key(|(host, _)| **host);
        hosts.into_iter().flat_map(|(_, w)| &w.lines).collect()
    }

    fn add(&mut self, line: WaitingLine) {
        let waiting = self.by_host.entry(line.host).or_default();
        waiting.time = line.time;
        waiting.lines.push(line);
        self.count += 1;
    }

    /// Takes the lines of a host that wait for another stamp than this.
    fn past(&mut self, host: u32, time: Time) -> Vec<WaitingLine> {
        let is_past = self.by_host.get(&host).is_some_and(|w| w.time != time);
        let waiting = is_past.then(|| self.by_host.remove(&host)).flatten();
        let lines = waiting.map(|w| w.lines).unwrap_or_default();
        self.count -= lines.len();
        lines
    }

    /// Takes the lines that wait for this message.
    fn of(&mut self, host: u32, queue_id: &str) -> Vec<WaitingLine> {
        let Some(waiting) = self.by_host.get_mut(&host) else {
            return Vec::new();
        };
        if !waiting.lines.iter().any(|k| k.queue_id == queue_id) {
            return Vec::new();
        }
        let all = std::mem::take(&mut waiting.lines);
        let (lines, rest) = all.into_iter().partition(|k| k.queue_id == queue_id);
        waiting.lines = rest;
        self.count -= Vec::len(&lines);
        lines
    }
}

impl Correlator {
    /// Nothing comes after: what waits for the first line of its message is taken as it is.
    pub fn settle(&mut self) {
        let mut hosts: Vec<u32> = self.early.by_host.keys().copied().collect();
        hosts.sort_unstable();
        for host in hosts {
            let waiting = self.early.by_host.remove(&host).unwrap_or_default();
            self.early.count -= waiting.lines.len();
            self.replay(waiting.lines);
        }
    }

    /// The stamps of a host move on: no line of the second before is to come.
    pub(super) fn settle_before(&mut self, host: u32, time: Time) {
        if self.early.count > 0 {
            let lines = self.early.past(host, time);
            self.replay(lines);
        }
    }

    /// The message has begun: the lines that came before are its own.
    pub(super) fn begun(&mut self, line: &Line<'_>, event: &Event<'_>) {
        if self.early.count == 0 {
            return;
        }
        let queue_id = match event {
            Event::Accept { queue_id, .. } => *queue_id,
            Event::Pickup { queue_id, .. } => Some(*queue_id),
            _ => None,
        };
        if let Some(queue_id) = queue_id {
            let lines = self.early.of(line.host, queue_id);
            self.replay(lines);
        }
    }

    fn replay(&mut self, lines: Vec<WaitingLine>) {
        self.early.is_over = true;
        for kept in lines {
            let host = self.host_name(kept.host);
            let entry = Entry {
                time: Some(kept.time),
                time_ambiguous: false,
                host: &host,
                ident: &kept.ident,
                pid: kept.pid,
                text: &kept.text,
                repeated: kept.repeated,
                truncated: false,
                trust: Trust::Unproven,
                raw: &kept.raw,
            };
            let event = parse::parse(&entry);
            self.take(&entry, &event, kept.host, kept.time);
        }
        self.early.is_over = false;
    }

    /// Keeps the line if its message has not begun but may do so within this second.
    pub(super) fn waits(&mut self, line: &Line<'_>, event: &Event<'_>) -> bool {
        let (queue_id, says) = match event {
            Event::Policy(p) => (p.queue_id, Says::Reception),
            Event::Content(c) => (Some(c.queue_id), Says::Reception),
            Event::Abort { queue_id, .. } => (*queue_id, Says::Reception),
            Event::Note {
                queue_id,
                level: Level::Warning,
                text,
            } if refuses(text) => (*queue_id, Says::Reception),
            Event::Neighbour(n) => (n.queue_id, Says::Trailing),
            Event::Passing { queue_id, .. } => (Some(*queue_id), Says::Trailing),
            Event::Note { queue_id, .. }
            | Event::AttemptNote { queue_id, .. }
            | Event::Other { queue_id, .. } => (*queue_id, Says::Trailing),
            _ => return false,
        };
        let Some(queue_id) = queue_id.filter(|_| !self.early.is_over) else {
            return false;
        };
        let needs_client = matches!(says, Says::Reception);
        let known = self
            .find(line, queue_id, says)
            .and_then(|id| self.mail.get(id));
        let has_begun = known.is_some_and(|m| {
            !needs_client || m.row.time != line.time || !m.lacks_creation(line.time)
        });
        !has_begun && self.wait(line, queue_id)
    }

    /// Tells whether the line that seems to remove this message may be about another of which a record is to come: this one was
    /// removed before this second, or is only believed to have come from another host.
    pub(super) fn is_of_another(&self, line: &Line<'_>, id: i64) -> bool {
        self.mail.get(id).is_some_and(|m| {
            let removed = m.row.removed.filter(|_| !m.extra.is_guess);
            m.extra.came_from.is_some() || removed.is_some_and(|removed| removed < line.time)
        })
    }

    /// Keeps a line until its second is over; tells whether there is room and it did not wait before.
    pub(super) fn wait(&mut self, line: &Line<'_>, queue_id: &str) -> bool {
        if self.early.is_over || self.early.count >= WAITING_LIMIT {
            return false;
        }
        self.early.add(WaitingLine {
            host: line.host,
            time: line.time,
            queue_id: text(queue_id),
            ident: text(line.entry.ident),
            pid: line.entry.pid,
            text: line.entry.text.to_owned(),
            repeated: line.entry.repeated,
            raw: line.entry.raw.to_owned(),
        });
        true
    }
}
