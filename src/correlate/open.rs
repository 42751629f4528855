//! Open messages by (host, instance, queue id): birth, generations, leaving memory.
//!
//! Promises: a line finds the generation of its id that it belongs to by grammar 7.2, in whatever order files
//! are imported; a message leaves memory only after it was closed for the late-line span (or beyond the cap).

use super::recipient::Recipients;
use super::{Correlator, Line, text};
use crate::model::row::{Changes, DeliveryFrom, Text, message_status as status, origin};
use crate::model::time::{DAY, HOUR, SECOND, Time};
use crate::parse::queue_id;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Stamps of one message may go back by this much (clock steps, DST bugs); a line earlier than that belongs
/// to another generation: an older file imported after a newer one.
const STEP_BACK: i64 = DAY;

/// What is known of a message beyond its row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent fact about the log"
)]
pub(super) struct Extra {
    /// When the process that took it turned to something else.
    pub(super) session_end: Option<Time>,
    /// Closed by inference: a later line may open it again.
    pub(super) is_guess: bool,
    /// The arrival is that of the first line seen; a delay may give an earlier one.
    pub(super) is_time_guessed: bool,
    /// `sendmail -bv`: its records are not deliveries.
    pub(super) is_probed: bool,
    /// Records that repeat a final state: duplicates in the envelope.
    pub(super) repeats: i32,
    /// Recipients were missing when it was removed: late records may still bring them.
    pub(super) is_short: bool,
    /// Recipients that lines named while it was being received.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) named: Vec<Text>,
    /// Recipients that were refused one by one while it was being received, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<(Text, Time)>,
    /// Recipients whom a line named that refused the whole message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) blamed: Vec<Text>,
    /// Recipients that seem to have been sent to in the clear before all lines of that second were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) clear: Vec<(i64, Time)>,
    /// Created by a line from the middle of its life.
    pub(super) is_headless: bool,
    /// Lines of it are known to be lost.
    pub(super) is_lost: bool,
    /// Recipients that were not final when it was removed: row, word, time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) settled: Vec<(i64, Text, Time)>,
    /// The host it came from with its queue, until a record confirms that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) came_from: Option<Text>,
    /// The tag of its first line, where that was taken for a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<Text>,
    /// Set by a postsuper summary without ids; the next line about the message takes it back.
    pub(super) doubt: Option<Presumed>,
}

/// What a doubt replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Presumed {
    pub(super) log_incomplete: bool,
    reason: Option<Text>,
}

/// A message in memory.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) row: DeliveryFrom,
    pub(super) host: u32,
    pub(super) to: Recipients,
    pub(super) extra: Extra,
    /// Continuations in memory.
    pub(super) children: Vec<i64>,
    /// An address probe: no mail, kept only so that its later lines find it.
    pub(super) is_probe: bool,
    is_stored: bool,
    is_dirty: bool,
    /// Where the messages with its message id stand; 0 before that is known.
    pub(super) name: u64,
    /// The earliest timer registered.
    timer: Option<Time>,
}

impl Message {
    pub(super) fn new(host: u32, row: DeliveryFrom) -> Self {
        Self {
            row,
            host,
            to: Recipients::default(),
            extra: Extra::default(),
            children: Vec::new(),
            is_probe: false,
            is_stored: false,
            is_dirty: false,
            name: 0,
            timer: None,
        }
    }

    /// Its timer is one of another host.
    pub(super) fn forget_timer(&mut self) {
        self.timer = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.row.removed.is_none()
    }

    pub(super) fn set_status(&mut self, word: &'static str) {
        self.row.status = Text::const_new(word);
    }

    /// Marks it as possibly touched by an administrator without a trace.
    pub(super) fn doubt(&mut self, reason: &str) {
        let before = Presumed {
            log_incomplete: self.row.log_incomplete,
            reason: self.row.reason.replace(text(reason)),
        };
        self.extra.doubt.get_or_insert(before);
        self.row.log_incomplete = true;
    }

    /// A line about the message came: it exists, and any doubt was unfounded.
    fn touch(&mut self, time: Time) {
        self.row.updated = self.row.updated.max(time);
        if let Some(before) = self.extra.doubt.take() {
            self.row.log_incomplete = before.log_incomplete;
            self.row.reason = before.reason;
        }
    }
}

/// What a line that names an id says, as far as it decides the generation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says<'a> {
    /// `(queue active)` with what it tells of the message.
    Active {
        sender: &'a str,
        size: Option<i64>,
        nrcpt: Option<i32>,
    },
    /// A delivery record with its arrival (time minus delay) and delay in seconds.
    Delivery(Time, f64),
    /// `message-id=`.
    MessageId(&'a str),
    /// Other lines of reception: checks, milters, policy.
    Reception,
    /// Removal, notification, notes, postsuper: lines that may trail.
    Trailing,
}

/// All messages in memory.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "messages move out of the map as they are")]
pub(super) struct Mail {
    pub(super) messages: HashMap<i64, Box<Message>>,
    by_queue_id: HashMap<Text, Vec<i64>>,
    /// Ids in order, by hash of the message id.
    pub(super) by_name: HashMap<u64, Vec<i64>>,
    dirty: Vec<i64>,
    evicted: Vec<Box<Message>>,
    closed: BTreeSet<(Time, i64)>,
}

impl Mail {
    pub(super) fn get(&self, id: i64) -> Option<&Message> {
        self.messages.get(&id).map(AsRef::as_ref)
    }

    /// Returns the message for a change, which the next drain hands out.
    pub(super) fn edit(&mut self, id: i64) -> Option<&mut Message> {
        let message = self.messages.get_mut(&id)?;
        if !message.is_dirty {
            message.is_dirty = true;
            self.dirty.push(id);
        }
        Some(message)
    }

    /// Returns all generations of an id, on all hosts.
    pub(super) fn generations(&self, queue_id: &str) -> impl Iterator<Item = &Message> {
        let ids = self.by_queue_id.get(queue_id);
        ids.into_iter().flatten().filter_map(|id| self.get(*id))
    }

    pub(super) fn insert(&mut self, message: Message) {
        let id = message.row.id;
        let key = message.row.queue_id.clone();
        self.by_queue_id.entry(key).or_default().push(id);
        if let Some(removed) = message.row.removed {
            self.closed.insert((removed, id));
        }
        self.messages.insert(id, Box::new(message));
        self.name(id);
    }

    /// Takes back a message that the database has.
    pub(super) fn restore(&mut self, mut message: Message) {
        message.is_stored = true;
        self.insert(message);
    }

    fn evict(&mut self, id: i64) {
        let Some(message) = self.messages.remove(&id) else {
            return;
        };
        if let Some(removed) = message.row.removed {
            self.closed.remove(&(removed, id));
        }
        if let Some(ids) = self.by_queue_id.get_mut(&message.row.queue_id) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_queue_id.remove(&message.row.queue_id);
            }
        }
        if let Some(ids) = self.by_name.get_mut(&message.name) {
            if let Ok(at) = ids.binary_search(&id) {
                ids.remove(at);
            }
            if ids.is_empty() {
                self.by_name.remove(&message.name);
            }
        }
        if let Some(parent) = message
            .row
            .parent_id
            .and_then(|p| self.messages.get_mut(&p))
        {
            parent.children.retain(|other| *other != id);
        }
        if message.is_dirty && !message.is_probe {
            self.evicted.push(message);
        }
    }

    /// Returns the ids of the closed messages in memory, in order of closing.
    pub(super) fn closed(&self) -> impl Iterator<Item = i64> {
        self.closed.iter().map(|(_, id)| *id)
    }

    /// Moves what changed into `out`, by id: rows of one table stay in the order of their birth.
    pub(super) fn drain(&mut self, out: &mut Changes) {
        let mut changed: Vec<(i64, Option<Box<Message>>)> =
            self.dirty.drain(..).map(|id| (id, None)).collect();
        changed.retain(|(id, _)| self.messages.contains_key(id));
        let evicted = self.evicted.drain(..);
        changed.extend(evicted.map(|message| (message.row.id, Some(message))));
        changed.sort_unstable_by_key(|(id, _)| *id);
        out.from_inserts.reserve(changed.len());
        out.to_inserts.reserve(changed.len());
        for (id, gone) in changed {
            if let Some(mut message) = gone {
                out.to_deletes.append(&mut message.to.merged);
                let to = std::mem::take(&mut message.to);
                to.finish(&mut out.to_inserts, &mut out.to_updates);
                let rows = if message.is_stored {
                    &mut out.from_updates
                } else {
                    &mut out.from_inserts
                };
                rows.push(message.row);
            } else if let Some(message) = self.messages.get_mut(&id) {
                message.is_dirty = false;
                if message.is_probe {
                    continue;
                }
                let rows = if message.is_stored {
                    &mut out.from_updates
                } else {
                    &mut out.from_inserts
                };
                rows.push(message.row.clone());
                message.is_stored = true;
                out.to_deletes.append(&mut message.to.merged);
                message.to.drain(&mut out.to_inserts, &mut out.to_updates);
            }
        }
    }
}

impl Correlator {
    /// Finds the message that a line about `queue_id` belongs to.
    pub(super) fn find(&self, line: &Line<'_>, queue_id: &str, says: Says<'_>) -> Option<i64> {
        let host = self.hosts.get(line.host)?;
        let candidates = self
            .mail
            .generations(queue_id)
            .filter(|m| m.host == line.host);
        let best = candidates
            .filter_map(|m| {
                let is_exact = m.row.instance == line.instance;
                // A label in place of the tag leaves the instance open (grammar 8).
                if !is_exact && host.knows(line.instance) && host.knows(&m.row.instance) {
                    return None;
                }
                let ahead = m.row.time.since(line.time);
                let fits = ahead <= 5 * SECOND;
                if !fits && ahead > STEP_BACK && long_id_time(queue_id).is_none() {
                    return None;
                }
                let near = if fits { m.row.time.0 } else { -m.row.time.0 };
                // What is a label and what an instance is not known of the first lines of a log.
                let tag = m.extra.label.as_ref().unwrap_or(&m.row.instance);
                let is_own = tag == line.tag;
                Some(((is_own, is_exact, fits, near, m.row.id), m))
            })
            .max_by_key(|(rank, _)| *rank)?;
        let message = best.1;
        self.accepts(message, line.time, says)
            .then_some(message.row.id)
    }

    /// Tells whether a line belongs to this generation and not to a new one (grammar 7.2).
    fn accepts(&self, m: &Message, time: Time, says: Says<'_>) -> bool {
        let Some(removed) = m.row.removed else {
            let Says::Delivery(arrival, delay) = says else {
                return true;
            };
            if m.extra.came_from.is_some() {
                return arrival_fits(m, arrival, delay);
            }
            return time.since(m.row.time) <= self.settings.queue_lifetime
                || arrival_fits(m, arrival, delay);
        };
        if time.since(removed) > self.settings.late_span {
            return false;
        }
        // Lines of one second come in any order, `removed` before others.
        let is_reordered = m.was_there(time);
        match says {
            Says::Trailing => true,
            Says::Active { .. } => m.extra.is_guess || m.is_probe || is_reordered,
            Says::Delivery(arrival, delay) => {
                m.extra.is_guess || is_reordered || arrival_fits(m, arrival, delay)
            }
            Says::MessageId(value) => {
                let is_same = m
                    .row
                    .message_id
                    .as_deref()
                    .is_none_or(|known| known == value);
                is_same && (m.row.status != status::DONE || is_reordered)
            }
            Says::Reception => m.row.status != status::DONE || is_reordered,
        }
    }

    /// Finds the message or, when its beginning is not in the log, creates it from this line.
    pub(super) fn find_or_create(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        says: Says<'_>,
    ) -> i64 {
        if let Some(id) = self.find(line, queue_id, says) {
            return id;
        }
        if let Some(id) = self.moved(line, queue_id, says) {
            return id;
        }
        let from_id = long_id_time(queue_id).filter(|t| t.since(line.time) <= DAY);
        let from_delay = match says {
            Says::Delivery(arrival, _) => Some(arrival),
            _ => None,
        };
        let time = from_id.or(from_delay).unwrap_or(line.time);
        let id = self.create(line, queue_id, origin::UNKNOWN, time);
        if let Some(m) = self.mail.edit(id) {
            m.row.log_incomplete = true;
            m.extra.is_headless = true;
            m.set_status(status::UNKNOWN);
            m.extra.is_time_guessed = from_id.is_none();
        }
        // Another message may have said that it becomes this one.
        self.resolve(id);
        id
    }

    /// Starts a generation.
    pub(super) fn create(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        origin: &'static str,
        time: Time,
    ) -> i64 {
        let id = self.ids.from.next();
        let row = DeliveryFrom {
            id,
            host: self.host_name(line.host),
            instance: text(line.instance),
            queue_id: text(queue_id),
            time,
            updated: line.time,
            origin: Text::const_new(origin),
            root_id: id,
            status: Text::const_new(status::RECEIVING),
            ..DeliveryFrom::default()
        };
        let mut message = Message::new(line.host, row);
        let tag = line.tag;
        if tag != line.instance {
            message.extra.label = Some(text(tag));
        }
        self.mail.insert(message);
        self.mail.edit(id);
        self.arm(id);
        id
    }

    /// Returns the message for a change that this line makes; an address probe takes none.
    pub(super) fn touch(&mut self, line: &Line<'_>, id: i64) -> Option<&mut Message> {
        let host = self.hosts.get(line.host)?;
        let m = self.mail.edit(id)?;
        m.touch(line.time);
        let tag = line.tag;
        if m.row.instance != line.instance
            && host.knows(line.instance)
            && !host.knows(&m.row.instance)
        {
            m.extra.label = (m.row.instance == tag).then(|| text(tag));
            m.told_from_label();
            m.row.instance = text(line.instance);
        } else if tag == line.instance {
            m.extra.label = None;
        }
        (!m.is_probe).then_some(m)
    }

    /// Closes a message; the late-line span begins.
    pub(super) fn close(&mut self, id: i64, word: &'static str, time: Time) {
        let Some(m) = self.mail.edit(id) else {
            return;
        };
        m.set_status(word);
        if m.row.removed.is_some() {
            return;
        }
        m.row.removed = Some(time);
        // Look-ups rely on it that no recipient is later than its message; it may be settled now.
        if !m.to.is_empty() {
            m.row.updated = m.row.updated.max(time);
        }
        self.mail.closed.insert((time, id));
        self.arm(id);
        while self.mail.closed.len() > self.settings.closed_limit {
            let Some((_, oldest)) = self.mail.closed.first().copied() else {
                break;
            };
            self.mail.evict(oldest);
        }
    }

    /// Opens a message again that was closed by inference.
    pub(super) fn reopen(&mut self, id: i64) {
        let Some(m) = self.mail.edit(id) else {
            return;
        };
        m.extra.is_guess = false;
        m.extra.session_end = None;
        m.row.reason = None;
        if let Some(removed) = m.row.removed.take() {
            self.mail.closed.remove(&(removed, id));
        }
        self.arm(id);
    }

    /// Makes an address probe vanish; its later lines still find it (grammar 5.11).
    pub(super) fn forget_probe(&mut self, id: i64) {
        let Some(m) = self.mail.edit(id) else {
            return;
        };
        m.is_probe = true;
        if m.is_stored {
            self.out.from_deletes.push(id);
        }
        self.forgotten.push(id);
    }

    /// Drops the raw lines of address probes since the last drain.
    pub(super) fn drop_forgotten(&mut self) {
        if self.forgotten.is_empty() {
            return;
        }
        let forgotten: HashSet<i64> = self.forgotten.drain(..).collect();
        self.out
            .log_lines
            .retain(|l| l.from_id.is_none_or(|id| !forgotten.contains(&id)));
    }

    fn due(&self, m: &Message) -> Option<Time> {
        let s = &self.settings;
        if let Some(removed) = m.row.removed {
            return Some(removed.plus(s.late_span));
        }
        if m.row.status == status::RECEIVING
            && let Some(end) = m.extra.session_end
        {
            return Some(end.plus(s.not_received_after));
        }
        // Hold is unlimited.
        (m.row.status != status::HELD).then(|| m.row.updated.plus(s.lost_after))
    }

    /// Registers when to look at a message next: at its due time, at the latest in an hour (so that
    /// timers of closed messages do not pile up until the distant date they once had).
    pub(super) fn arm(&mut self, id: i64) {
        let Some(m) = self.mail.get(id) else {
            return;
        };
        let (host, timer) = (m.host, m.timer);
        let look = self.hosts.clock(host).plus(HOUR);
        let at = self.due(m).map_or(look, |due| due.min(look));
        if timer.is_some_and(|t| t <= at) {
            return;
        }
        if let Some(m) = self.mail.messages.get_mut(&id) {
            m.timer = Some(at);
        }
        if let Some(h) = self.hosts.get_mut(host) {
            h.arm(at, id);
        }
    }

    /// Lets the timers of a host act that its clock has reached.
    pub(super) fn tick(&mut self, host: u32) {
        while let Some((at, id)) = self.hosts.get_mut(host).and_then(super::clock::Host::due) {
            let Some(m) = self.mail.messages.get_mut(&id) else {
                continue;
            };
            // The timer of a message that is another host's now runs on that host's clock, even if it is the same time.
            if m.timer != Some(at) || m.host != host {
                continue;
            }
            m.timer = None;
            let clock = self.hosts.clock(host);
            let is_due = self
                .mail
                .get(id)
                .and_then(|m| self.due(m))
                .is_some_and(|due| due <= clock);
            if is_due {
                self.give_up(id, clock);
            }
            self.arm(id);
        }
    }

    fn give_up(&mut self, id: i64, clock: Time) {
        let Some(m) = self.mail.get(id) else {
            return;
        };
        if m.row.removed.is_some() {
            self.mail.evict(id);
            return;
        }
        let (word, reason) = if m.row.status != status::RECEIVING {
            (status::LOST, None)
        } else if is_maildrop(m) {
            let reason = "sendmail -bs: the mail goes on under a queue id that pickup gives it";
            (status::UNKNOWN, Some(reason))
        } else {
            (status::CANCELED, Some("not received"))
        };
        self.close(id, word, clock);
        if let Some(m) = self.mail.edit(id) {
            m.extra.is_guess = true;
            m.row.reason = reason.map(Text::const_new).or(m.row.reason.take());
            if word == status::LOST {
                m.lost_lines();
            }
        }
    }
}

/// Stand-alone smtpd (`sendmail -bs`) logs a maildrop id that cleanup never sees (grammar 8).
fn is_maildrop(m: &Message) -> bool {
    m.row.client_name.as_deref() == Some("localhost")
        && m.row.client_address.as_deref() == Some("127.0.0.1")
        && m.row.message_id.is_none()
}

pub(super) fn arrival_fits(m: &Message, arrival: Time, delay: f64) -> bool {
    // Delays are rounded to two digits; a percentage covers that for long ones.
    let percent = delay.clamp(0.0, 1e8) * 0.02;
    #[expect(clippy::cast_possible_truncation, reason = "clamped above")]
    let tolerance = (10 * SECOND).max((percent * 1e6) as i64);
    let late = arrival.since(m.row.time);
    // Where the beginning is not in the log the message is as old as its first line, or older.
    late <= tolerance && (m.extra.is_time_guessed || late >= -tolerance)
}

fn long_id_time(queue_id: &str) -> Option<Time> {
    queue_id::decode(queue_id).map(|id| id.time)
}
