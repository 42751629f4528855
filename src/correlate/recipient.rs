//! Recipient: the state machine of one recipient of one message (grammar 4 and 7.1).
//!
//! Promises: one row per recipient and `orig_to`; a final state is never downgraded; the attempts before the
//! last one are handed out as they are superseded. A row that only a hold, discard or reject line named
//! (`attempts` = 0) becomes the row of the first record that fits it.

use super::agent::CLEAR;
use super::{Ids, Line, limited, text};
use crate::cause::{self, Causes, Evidence, Finding};
use crate::model::event::Delivery;
use crate::model::row::{
    Attempt, DeliveryAttempt, DeliveryFrom, DeliveryTo, Text, recipient_status as status,
};
use crate::model::time::Time;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Below this number of recipients a scan is faster than an index.
const INDEX_FROM: usize = 12;

/// A row and whether the database has it.
#[derive(Debug)]
pub(super) struct Recipient {
    pub(super) row: DeliveryTo,
    pub(super) is_stored: bool,
    pub(super) is_dirty: bool,
}

/// The recipients of one message.
#[derive(Debug, Default)]
pub(super) struct Recipients {
    list: Vec<Recipient>,
    index: Option<Box<(DefaultHashBuilder, HashTable<u32>)>>,
    /// Rows with `attempts` = 0.
    hints: usize,
    /// Stored rows that were merged into another since the last drain.
    pub(super) merged: Vec<i64>,
}

/// What [`Recipients::record`] did.
pub(super) struct Recorded {
    /// Position of the row.
    pub(super) at: usize,
    /// The row was final before and is final again: a duplicate, or an alias tried twice.
    pub(super) is_repeat: bool,
}

/// Tells whether nothing more is expected for a recipient in this state.
pub(super) fn is_final(word: &str) -> bool {
    !matches!(
        word,
        status::DEFERRED | status::SOFTBOUNCE | status::HELD | status::UNKNOWN
    )
}

impl Recipients {
    pub(super) fn restore(rows: Vec<DeliveryTo>) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.hints += usize::from(row.attempts == 0);
            all.push(row, true);
        }
        for r in &mut all.list {
            r.is_dirty = false;
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Counts the rows that at least one delivery record stands behind.
    pub(super) fn recorded(&self) -> usize {
        self.list.len() - self.hints
    }

    pub(super) fn get(&self, at: usize) -> Option<&DeliveryTo> {
        self.list.get(at).map(|r| &r.row)
    }

    /// All rows change their host.
    pub(super) fn move_to(&mut self, host: &Text) {
        for r in &mut self.list {
            r.row.host.clone_from(host);
            r.is_dirty = true;
        }
    }

    /// All rows change their instance.
    pub(super) fn relabel(&mut self, instance: &Text) {
        for r in &mut self.list {
            r.row.instance.clone_from(instance);
            r.is_dirty = true;
        }
    }

    /// Takes the word and time of rows back that were settled for want of a record.
    pub(super) fn unsettle(&mut self, settled: Vec<(i64, Text, Time)>) {
        for (id, word, time) in settled {
            if let Some(r) = self.list.iter_mut().find(|r| r.row.id == id) {
                r.row.state.status = word;
                r.row.time = time;
                r.is_dirty = true;
            }
        }
    }

    /// Returns the rows that are not final: id, word, time.
    pub(super) fn unfinished(&self) -> Vec<(i64, Text, Time)> {
        let rows = self.list.iter().map(|r| &r.row);
        rows.filter(|row| !is_final(&row.state.status))
            .map(|row| (row.id, row.state.status.clone(), row.time))
            .collect()
    }

    /// Gives the rows without a record that have the one word the other.
    pub(super) fn restate(&mut self, old: &str, new: &'static str) {
        for r in &mut self.list {
            if r.row.attempts == 0 && r.row.state.status == old {
                r.row.state.status = Text::const_new(new);
                r.is_dirty = true;
            }
        }
    }

    /// Gives the rows with one word another, of those that name no other message.
    pub(super) fn reword(&mut self, queue_id: &str, old: &str, new: &'static str) {
        for r in &mut self.list {
            let named = r.row.state.remote_queue_id.as_deref();
            if r.row.state.status == old && named.is_none_or(|id| id == queue_id) {
                r.row.state.status = Text::const_new(new);
                r.is_dirty = true;
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the position of the recipient that a row of another message of the same mail is about.
    ///
    /// Of many recipients only those are found that are written alike.
    pub(super) fn same(&mut self, recipient: &str, orig_to: Option<&str>) -> Option<usize> {
        if self.list.len() < INDEX_FROM {
            let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
            let names = |r: &Recipient, name: &str| {
                is(name, &r.row.recipient) || r.row.orig_to.as_deref().is_some_and(|o| is(name, o))
            };
            return self
                .list
                .iter()
                .position(|r| names(r, recipient) || orig_to.is_some_and(|o| names(r, o)));
        }
        self.find(recipient, None)
            .or_else(|| self.find(recipient, Some(orig_to?)))
            .or_else(|| self.find(orig_to?, None))
    }

    /// Returns the position of the row with that id.
    pub(super) fn position(&self, id: i64) -> Option<usize> {
        self.list.iter().position(|r| r.row.id == id)
    }

    /// The last record of the row was sent in the clear.
    pub(super) fn was_clear(&mut self, id: i64) {
        if let Some(r) = self.list.iter_mut().find(|r| r.row.id == id) {
            r.row.state.tls.get_or_insert(CLEAR);
            r.is_dirty = true;
        }
    }

    /// Sets the status word of one row.
    pub(super) fn set(&mut self, at: usize, word: &'static str) {
        if let Some(r) = self.list.get_mut(at)
            && r.row.state.status != word
        {
            r.row.state.status = Text::const_new(word);
            r.is_dirty = true;
        }
    }

    /// Gives every recipient that is not final the word; tells whether there was one.
    pub(super) fn settle(&mut self, word: &'static str, time: Time) -> bool {
        let mut any = false;
        for r in &mut self.list {
            if !is_final(&r.row.state.status) {
                any = true;
                r.row.state.status = Text::const_new(word);
                r.row.time = time;
                r.is_dirty = true;
            }
        }
        any
    }

    /// Gives every recipient that no record names the reply for which the message was not taken; those `blamed` have one
    /// of their own, as the one has that the line is about.
    pub(super) fn turn_away(
        &mut self,
        state: &Attempt,
        time: Time,
        to: Option<&str>,
        blamed: &[Text],
    ) {
        for r in &mut self.list {
            let word = &r.row.state.status;
            let is_due = *word == state.status || !is_final(word);
            let is_own = to == Some(r.row.recipient.as_str());
            let has_own = blamed.contains(&r.row.recipient);
            let is_tie = r.row.time == time && is_own == has_own;
            let is_better = r.row.state.reason.is_none()
                || is_own && !has_own
                || is_tie && goes_before(state.reason.as_deref(), r.row.state.reason.as_deref());
            if r.row.attempts == 0 && is_due && is_better {
                r.row.state = state.clone();
                r.row.time = time;
                r.is_dirty = true;
            }
        }
    }

    /// Returns with what the message was refused.
    pub(super) fn turned_state(&self) -> Option<Attempt> {
        let first = self.list.iter().find(|r| r.row.state.reason.is_some())?;
        Some(first.row.state.clone())
    }

    /// Forgets a recipient that no record names.
    pub(super) fn drop_hint(&mut self, recipient: &str) {
        let is_it = |r: &Recipient| r.row.attempts == 0 && r.row.recipient == limited(recipient);
        if self.hints == 0 || !self.list.iter().any(is_it) {
            return;
        }
        self.index = None;
        let Self {
            list,
            merged,
            hints,
            ..
        } = self;
        list.retain(|r| {
            let is_gone = is_it(r);
            if is_gone {
                *hints -= 1;
                merged.extend(r.is_stored.then_some(r.row.id));
            }
            !is_gone
        });
    }

    /// Drops hints once records name all recipients: a rewritten address is not another recipient.
    pub(super) fn drop_hints(&mut self) {
        if self.hints == 0 || self.recorded() == 0 {
            return;
        }
        self.hints = 0;
        self.index = None;
        let merged = &mut self.merged;
        self.list.retain(|r| {
            if r.row.attempts == 0 && r.is_stored {
                merged.push(r.row.id);
            }
            r.row.attempts > 0
        });
    }

    /// Notes a recipient that a line about the whole message names.
    pub(super) fn hint(
        &mut self,
        from: &DeliveryFrom,
        ids: &mut Ids,
        recipient: &str,
        word: &'static str,
        time: Time,
    ) {
        let known = self
            .list
            .iter_mut()
            .find(|r| r.row.recipient == recipient || r.row.orig_to.as_deref() == Some(recipient));
        if let Some(r) = known {
            if r.row.attempts == 0 {
                r.row.state.status = Text::const_new(word);
                r.row.time = time;
                r.is_dirty = true;
            }
            return;
        }
        self.hints += 1;
        let state = Attempt {
            status: Text::const_new(word),
            ..Attempt::default()
        };
        let row = row_of(from, ids, text(recipient), None, time, state);
        self.push(row, false);
    }

    /// Takes a delivery record.
    pub(super) fn record(
        &mut self,
        from: &DeliveryFrom,
        ids: &mut Ids,
        attempts: &mut Vec<DeliveryAttempt>,
        (time, state): (Time, Attempt),
        d: &Delivery<'_>,
    ) -> Recorded {
        if let Some(at) = self.find(d.recipient, d.orig_to) {
            let is_repeat = self.again(at, ids, attempts, time, state);
            return Recorded { at, is_repeat };
        }
        let hint = if self.hints == 0 {
            None
        } else {
            self.list.iter().position(|r| {
                r.row.attempts == 0
                    && (r.row.recipient == d.recipient
                        || d.orig_to.is_some_and(|o| r.row.recipient == o))
            })
        };
        let is_repeat = false;
        if let Some(at) = hint
            && let Some(r) = self.list.get_mut(at)
        {
            self.hints -= 1;
            r.row.recipient = text(d.recipient);
            r.row.orig_to = d.orig_to.map(text);
            r.row.attempts = 1;
            r.row.time = time;
            r.row.first_time = time;
            r.row.state = state;
            r.is_dirty = true;
            self.index = None;
            return Recorded { at, is_repeat };
        }
        let mut row = row_of(from, ids, text(d.recipient), d.orig_to, time, state);
        row.attempts = 1;
        self.push(row, false);
        Recorded {
            at: self.list.len() - 1,
            is_repeat,
        }
    }

    fn again(
        &mut self,
        at: usize,
        ids: &mut Ids,
        attempts: &mut Vec<DeliveryAttempt>,
        time: Time,
        mut state: Attempt,
    ) -> bool {
        let Some(r) = self.list.get_mut(at) else {
            return false;
        };
        r.is_dirty = true;
        r.row.attempts += 1;
        if r.row.attempts == 1 {
            self.hints -= 1;
            r.row.first_time = time;
            r.row.time = time;
            r.row.state = state;
            return false;
        }
        let was_final = is_final(&r.row.state.status);
        let now_final = is_final(&state.status);
        let mut earlier = time;
        // The later line of two final ones is kept; a deferral after a final state is only an attempt.
        let is_last = match (was_final, now_final) {
            (true, false) => false,
            (false, true) => true,
            _ => time != r.row.time || goes_after(&state, &r.row.state),
        };
        if is_last {
            std::mem::swap(&mut r.row.state, &mut state);
            std::mem::swap(&mut r.row.time, &mut earlier);
        }
        attempts.push(DeliveryAttempt {
            id: ids.attempt.next(),
            to_id: r.row.id,
            from_id: r.row.from_id,
            time: earlier,
            state,
        });
        was_final && now_final
    }

    /// Returns the position of the row that a record of this recipient is about.
    pub(super) fn of_record(&mut self, recipient: &str, orig_to: Option<&str>) -> Option<usize> {
        self.find(recipient, orig_to).or_else(|| {
            let of = |r: &Recipient| {
                r.row.attempts == 0
                    && (r.row.recipient == recipient
                        || orig_to.is_some_and(|o| r.row.recipient == o))
            };
            self.list.iter().position(of)
        })
    }

    fn find(&mut self, recipient: &str, orig_to: Option<&str>) -> Option<usize> {
        let same = |r: &Recipient| {
            r.row.recipient == limited(recipient)
                && r.row.orig_to.as_deref() == orig_to.map(limited)
        };
        if self.list.len() < INDEX_FROM {
            return self.list.iter().position(same);
        }
        self.build_index();
        let list = &self.list;
        let (hasher, table) = self.index.as_deref()?;
        let hash = hasher.hash_one((limited(recipient), orig_to.map(limited)));
        table
            .find(hash, |at| list.get(*at as usize).is_some_and(same))
            .map(|at| *at as usize)
    }

    fn build_index(&mut self) {
        if self.index.is_some() {
            return;
        }
        let list = &self.list;
        let hasher = DefaultHashBuilder::default();
        let mut table = HashTable::with_capacity(list.len());
        for (at, r) in (0u32..).zip(list) {
            let rehash = |at: &u32| {
                list.get(*at as usize)
                    .map_or(0, |r| hash_row(&hasher, &r.row))
            };
            table.insert_unique(hash_row(&hasher, &r.row), at, rehash);
        }
        self.index = Some(Box::new((hasher, table)));
    }

    fn push(&mut self, row: DeliveryTo, is_stored: bool) {
        if let (Some(index), Ok(at)) = (self.index.as_deref_mut(), u32::try_from(self.list.len())) {
            let (hasher, table) = index;
            let list = &self.list;
            let rehash = |at: &u32| {
                list.get(*at as usize)
                    .map_or(0, |r| hash_row(hasher, &r.row))
            };
            table.insert_unique(hash_row(hasher, &row), at, rehash);
        }
        if self.list.len() == self.list.capacity() {
            // Most mail has one recipient, and Vec would make room for four of these big rows.
            self.list.reserve_exact(self.list.len().max(1));
        }
        self.list.push(Recipient {
            row,
            is_stored,
            is_dirty: true,
        });
    }

    /// Hands out the rows that changed.
    pub(super) fn drain(&mut self, inserts: &mut Vec<DeliveryTo>, updates: &mut Vec<DeliveryTo>) {
        for r in self.list.iter_mut().filter(|r| r.is_dirty) {
            r.is_dirty = false;
            let rows = if r.is_stored {
                &mut *updates
            } else {
                &mut *inserts
            };
            rows.push(r.row.clone());
            r.is_stored = true;
        }
    }

    /// Hands out the rows that changed and ends.
    pub(super) fn finish(self, inserts: &mut Vec<DeliveryTo>, updates: &mut Vec<DeliveryTo>) {
        for r in self.list.into_iter().filter(|r| r.is_dirty) {
            let rows = if r.is_stored {
                &mut *updates
            } else {
                &mut *inserts
            };
            rows.push(r.row);
        }
    }
}

/// Tells which of two records of one second is the later one: the order of their lines does not.
///
/// The delay grows. Where that is the same, too, what was delivered counts for more than what was not.
fn goes_after(new: &Attempt, old: &Attempt) -> bool {
    let was_taken = |a: &Attempt| a.dsn.as_deref().is_some_and(|dsn| dsn.starts_with('2'));
    let delay = |a: &Attempt| a.delay.unwrap_or_default();
    let rest = |a: &Attempt| {
        let texts = [&a.reason, &a.relay, &a.agent, &a.dsn, &a.remote_queue_id];
        (texts.map(Clone::clone), a.conn_use)
    };
    was_taken(new)
        .cmp(&was_taken(old))
        .then(delay(new).total_cmp(&delay(old)))
        .then_with(|| rest(new).cmp(&rest(old)))
        .is_ge()
}

/// Tells which of two refusals of one message in one second is the one that its recipients had: a reply goes before a warning.
pub(super) fn goes_before(new: Option<&str>, old: Option<&str>) -> bool {
    let is_reply = |text: Option<&str>| {
        text.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
    };
    (!is_reply(new), new) < (!is_reply(old), old)
}

fn hash_row(hasher: &DefaultHashBuilder, row: &DeliveryTo) -> u64 {
    hasher.hash_one((row.recipient.as_str(), row.orig_to.as_deref()))
}

fn row_of(
    from: &DeliveryFrom,
    ids: &mut Ids,
    recipient: Text,
    orig_to: Option<&str>,
    time: Time,
    state: Attempt,
) -> DeliveryTo {
    DeliveryTo {
        id: ids.to.next(),
        from_id: from.id,
        host: from.host.clone(),
        instance: from.instance.clone(),
        queue_id: from.queue_id.clone(),
        recipient,
        orig_to: orig_to.map(text),
        time,
        first_time: time,
        attempts: 0,
        state,
    }
}

/// Returns what one record says of the attempt.
pub(super) fn attempt(line: &Line<'_>, d: &Delivery<'_>, causes: &mut Causes) -> (Time, Attempt) {
    let found = cause(d, causes);
    let state = Attempt {
        agent: Some(text(line.service)),
        relay: Some(text(d.relay.relay)),
        relay_name: d.relay.name.map(text),
        relay_address: d.relay.address.map(text),
        relay_port: d.relay.port,
        conn_use: d.conn_use.and_then(|n| i32::try_from(n).ok()),
        delay: Some(d.delay),
        delay_before_qmgr: Some(d.delay_before_qmgr),
        delay_in_qmgr: Some(d.delay_in_qmgr),
        delay_conn_setup: Some(d.delay_conn_setup),
        delay_transmission: Some(d.delay_transmission),
        tls: d.tls.map(text),
        dsn: Some(text(d.dsn)),
        status: Text::const_new(word(d)),
        reply_code: d.reply_code,
        reason: Some(text(d.reason)),
        remote_queue_id: d.remote_queue_id.map(text),
        cause: found.map(|found| Text::const_new(found.cause)),
        dnsbl: found.and_then(|found| found.dnsbl).map(text),
    };
    (line.time, state)
}

/// Mail that was delivered has no cause; mail that was dropped has one when the text tells (`discarded - SPAM`).
fn cause<'a>(d: &Delivery<'a>, causes: &mut Causes) -> Option<Finding<'a>> {
    if d.status == "sent" && !d.is_discard {
        return None;
    }
    let found = causes.find(&Evidence {
        reason: d.reason,
        dsn: Some(d.dsn),
        ..Evidence::default()
    });
    (d.status != "sent" || found.cause != cause::OTHER).then_some(found)
}

/// The state that one record alone proves.
fn word(d: &Delivery<'_>) -> &'static str {
    match d.status {
        "sent" | "bounced" if d.ambiguous => status::UNKNOWN,
        "sent" if d.is_discard => status::DISCARDED,
        "sent" => status::SENT,
        "bounced" => status::BOUNCED,
        "deferred" => status::DEFERRED,
        "SOFTBOUNCE" => status::SOFTBOUNCE,
        _ => status::UNKNOWN,
    }
}
