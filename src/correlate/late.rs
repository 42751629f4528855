//! Late: lines that come after the line that ended a message, or before the one that began it.
//!
//! Promises: lines of one message that bear the same stamp may come in any order; its rows are the same.
//!
//! Limits: what only the order of lines tells goes by it: which of two sessions of one process a message is of, to which message a
//! `NOQUEUE:` line belongs, over which connection an agent sent.

use super::open::Message;
use super::{Correlator, Line, some, text};
use crate::model::row::{
    Text, link, message_status as status, origin, recipient_status as recipient,
};
use crate::model::time::{DAY, SECOND, Time};

/// A creating line may come this much after others of its message, from another process by another way.
const REORDERED: i64 = 10 * SECOND;

impl Message {
    /// Tells whether a line of that time was written before the message left the queue.
    pub(super) fn was_there(&self, time: Time) -> bool {
        let is_born = self.row.time.since(time) <= REORDERED;
        is_born && self.row.removed.is_none_or(|removed| time <= removed)
    }

    /// Tells whether a creating line of that time may be the one of this message, of which others came first.
    pub(super) fn lacks_creation(&self, time: Time) -> bool {
        let is_near = self.row.time.since(time).abs() <= REORDERED || self.just_seen(time);
        !self.row.has_creation() && is_near && self.was_there(time)
    }

    /// Tells whether the first lines of it were just seen, without those before them.
    fn just_seen(&self, time: Time) -> bool {
        let is_partial = self.extra.is_headless || self.extra.is_time_guessed;
        is_partial && time.since(self.row.updated).abs() <= REORDERED
    }

    /// cleanup names it: its reception is in the log.
    pub(super) fn named_by_cleanup(&mut self, time: Time) {
        if !self.just_seen(time) {
            return;
        }
        if self.row.origin == origin::UNKNOWN {
            self.row.origin = Text::const_new(origin::INTERNAL);
        }
        self.begins(time);
    }

    /// The line that began it was found after others.
    pub(super) fn found_beginning(&mut self) {
        self.extra.is_headless = false;
        self.account();
    }

    /// Its beginning was found at that time.
    pub(super) fn begins(&mut self, time: Time) {
        self.row.time = if self.extra.is_headless || self.extra.is_time_guessed {
            time
        } else {
            self.row.time.min(time)
        };
        self.extra.is_time_guessed = false;
        if self.row.status == status::UNKNOWN && self.is_open() {
            self.set_status(status::RECEIVING);
        }
        self.found_beginning();
        self.was_clear(time);
    }

    /// Tells whether all that is known of its end is `removed (canceled)`.
    pub(super) fn is_canceled_only(&self, time: Time) -> bool {
        let is_canceled = !self.is_open() && self.row.status == status::CANCELED;
        is_canceled && self.row.reason.is_none() && self.was_there(time)
    }

    /// Lines of it are missing for good.
    pub(super) fn lost_lines(&mut self) {
        self.extra.is_lost = true;
        self.row.log_incomplete = true;
    }

    /// Tells whether lines of it are missing that came before that time.
    pub(super) fn lacks_lines(&self, time: Time) -> bool {
        // What was missing when it was removed may be the very line that comes now.
        let is_late = self.row.removed.is_some() && self.was_there(time);
        let is_lost = self.extra.is_headless || self.extra.is_lost;
        is_lost || self.row.log_incomplete && !(is_late && self.extra.doubt.is_none())
    }

    /// Says whether lines are missing, by all that is known.
    pub(super) fn account(&mut self) {
        self.extra.is_short = self.is_done() && self.is_short();
        let e = &mut self.extra;
        let is_unsettled = !e.settled.is_empty() && self.row.status != status::EXPIRED;
        let is_missing = e.is_headless || e.is_lost || e.is_short || is_unsettled;
        // A doubt is taken back by the next line.
        match &mut e.doubt {
            Some(before) => before.log_incomplete = is_missing,
            None => self.row.log_incomplete = is_missing,
        }
    }

    /// It expired, or the queue manager removed it: recipients that no record made final are settled.
    pub(super) fn settle_accounts(&mut self, time: Time) {
        let word = match self.row.status.as_str() {
            status::EXPIRED => recipient::EXPIRED,
            status::DONE if !self.is_open() => recipient::UNKNOWN,
            _ => return,
        };
        if !self.is_open() {
            self.to.drop_hints();
        }
        let known = &mut self.extra.settled;
        for row in self.to.unfinished() {
            if !known.iter().any(|(id, ..)| *id == row.0) {
                known.push(row);
            }
        }
        self.to.settle(word, time);
        self.account();
    }

    /// The word comes late: what stands for records that did not come is taken back.
    pub(super) fn open_accounts(&mut self) {
        let settled = std::mem::take(&mut self.extra.settled);
        self.to.unsettle(settled);
    }

    /// A record comes late: the row that it is about is as it was before.
    pub(super) fn open_account(&mut self, recipient: &str, orig_to: Option<&str>) {
        if self.extra.settled.is_empty() {
            return;
        }
        let at = self.to.of_record(recipient, orig_to);
        let id = at.and_then(|at| self.to.get(at)).map(|row| row.id);
        let settled = &mut self.extra.settled;
        if let Some(at) = settled.iter().position(|(row, ..)| Some(*row) == id) {
            let row = settled.remove(at);
            self.to.unsettle(vec![row]);
        }
    }

    fn is_done(&self) -> bool {
        !self.is_open() && matches!(self.row.status.as_str(), status::DONE | status::EXPIRED)
    }

    /// Tells whether its recipients are more than its records account for (grammar 8).
    fn is_short(&self) -> bool {
        let seen = i32::try_from(self.to.recorded()).unwrap_or(i32::MAX);
        !self.extra.is_probed
            && self
                .row
                .nrcpt
                .is_some_and(|n| n > seen.saturating_add(self.extra.repeats))
    }

    /// Lines of it are missing before the record of a connection that seems to have been in the clear.
    pub(super) fn may_be_clear(&mut self, at: usize, time: Time) {
        if let Some(to) = self.to.get(at)
            && to.time == time
        {
            self.extra.clear.push((to.id, time));
        }
    }

    /// It was not missing, but came after the record.
    pub(super) fn was_clear(&mut self, time: Time) {
        if self.row.size.is_none() || self.lacks_lines(time) {
            return;
        }
        for (id, at) in std::mem::take(&mut self.extra.clear) {
            if at == time {
                self.to.was_clear(id);
            }
        }
    }

    /// What looked like its instance is a label: the service has it.
    pub(super) fn told_from_label(&mut self) {
        let label = &self.row.instance;
        if let Some(service) = self.row.service.as_mut().filter(|s| !s.contains('/'))
            && !label.is_empty()
        {
            *service = text(&format!("{label}/{service}"));
        }
    }

    /// What looked like a label is its instance.
    pub(super) fn relabel(&mut self, tag: &str) {
        self.extra.label = None;
        self.row.instance = text(tag);
        self.to.relabel(&self.row.instance);
        let service = self.row.service.as_deref().unwrap_or_default();
        if let Some((instance, program)) = service.split_once('/')
            && instance == tag
        {
            self.row.service = Some(text(program));
        }
    }
}

impl Correlator {
    /// cleanup's or a milter's word comes after `removed (canceled)` or `removed (discarded)`: it says why.
    pub(super) fn explain(
        &mut self,
        line: &Line<'_>,
        id: i64,
        (word, recipient_word): (&'static str, &'static str),
        reason: &str,
        to: Option<&str>,
    ) {
        let Self { mail, ids, .. } = self;
        let Some(m) = mail.edit(id) else {
            return;
        };
        let is_bare = m.row.reason.is_none()
            && matches!(m.row.status.as_str(), status::CANCELED | status::DISCARDED);
        if m.is_probe || m.is_open() || !is_bare || !m.was_there(line.time) {
            return;
        }
        m.set_status(word);
        m.row.reason = some(reason);
        if let Some(to) = to.filter(|to| !to.is_empty()) {
            m.to.hint(&m.row, ids, to, recipient_word, line.time);
        }
        m.to.restate(recipient::CANCELED, recipient_word);
        self.kin(id, None);
    }

    /// The session began TLS before the message that it took, whatever line comes first.
    pub(super) fn late_tls(&mut self, line: &Line<'_>, id: Option<i64>, tls: Text) {
        let Some(id) = id else {
            return;
        };
        let is_late = self
            .mail
            .get(id)
            .is_some_and(|m| m.row.time == line.time && m.row.tls.is_none());
        if is_late && let Some(m) = self.mail.edit(id) {
            m.row.tls = Some(tls);
        }
    }

    /// A local mail that cleanup does not take now: pickup keeps the file in maildrop and comes back with it.
    pub(super) fn stays_in_maildrop(&mut self, line: &Line<'_>, id: i64, note: &str) -> bool {
        let is_local = self.mail.get(id).is_some_and(|m| {
            m.row.uid.is_some() && matches!(m.row.status.as_str(), status::RECEIVING)
        });
        if !is_local || !note.contains("try again later") {
            return false;
        }
        let reason = format!("stays in maildrop: {note}");
        let words = (status::REQUEUED, recipient::REQUEUED);
        self.end_reception(line, id, words.0, words.1, &reason, None);
        true
    }

    /// pickup comes back with a mail that it could not hand in before.
    pub(super) fn again_from_maildrop(&mut self, id: i64) {
        let Some(c) = self.mail.get(id).filter(|c| c.row.parent_id.is_none()) else {
            return;
        };
        if c.row.uid.is_none() {
            return;
        }
        let before = self.mail.namesakes(id).into_iter().find(|other| {
            self.mail.get(*other).is_some_and(|p| {
                p.row.status == status::REQUEUED
                    && p.row.uid == c.row.uid
                    && p.row.message_id == c.row.message_id
                    && p.children.is_empty()
                    && p.row
                        .removed
                        .is_some_and(|at| (0..DAY).contains(&c.row.time.since(at)))
            })
        });
        if let Some(parent) = before {
            self.link(id, parent, link::REQUEUE);
            if let Some(c) = self.mail.edit(id) {
                c.row.parent_inferred = c.row.parent_id == Some(parent);
            }
        }
    }
}
