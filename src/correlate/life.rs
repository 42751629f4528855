//! Life of a message: smtpd, pickup or Postfix itself -> cleanup -> queue manager -> agents -> removed.
//!
//! One function a kind of line; what each does to the rows is the table of grammar 7.1, doubts are settled by
//! the table of grammar 8.

use super::agent::Wire;
use super::open::{Message, Says};
use super::recipient::attempt;
use super::refusal::is_act;
use super::session::Taken;
use super::{Correlator, Line, some, text};
use crate::model::event::{Delivery, Event, Level, Removal};
use crate::model::row::{
    Text, link, message_status as status, origin, recipient_status as recipient,
};
use crate::model::time::{SECOND, Time};

impl Correlator {
    /// `client=`: smtpd or qmqpd created a queue file.
    pub(super) fn accept(&mut self, line: &Line<'_>, event: &Event<'_>) -> Option<i64> {
        let Event::Accept {
            queue_id,
            client,
            sasl_method,
            sasl_username,
            sasl_sender,
            orig_queue_id,
            orig_client,
        } = event
        else {
            return None;
        };
        self.auth_success(line, client, *sasl_method, *sasl_username);
        let Some(queue_id) = *queue_id else {
            self.proxied(line, client, *sasl_method, *sasl_username);
            return None;
        };
        let id = self.born(line, queue_id, origin::SMTPD, client.address);
        let m = self.touch(line, id)?;
        m.row.service = Some(text(line.service));
        m.row.client_name = some(client.name);
        m.row.client_address = some(client.address);
        m.row.client_port = client.port;
        m.row.sasl_method = sasl_method.map(text);
        m.row.sasl_username = sasl_username.map(text);
        m.row.sasl_sender = sasl_sender.map(text);
        m.row.orig_queue_id = orig_queue_id.map(text);
        m.row.orig_client = orig_client.map(text);
        let taken = self.taken(line, client, id);
        self.apply_taken(line, id, taken);
        self.link_to_origin(line, id);
        self.resolve(id);
        self.kin_again(id);
        Some(id)
    }

    /// What the session knew before the queue id did.
    fn apply_taken(&mut self, line: &Line<'_>, id: i64, taken: Taken) {
        if let Some(m) = self.mail.edit(id) {
            m.row.tls = taken.tls;
        }
        for action in taken.pending {
            self.sender_of(id, action.sender.as_deref());
            if !is_act(&action.action) {
                self.name_recipient(line, id, action.recipient.as_deref().unwrap_or_default());
                continue;
            }
            self.act(
                line,
                id,
                &action.action,
                &action.reason,
                action.recipient.as_deref(),
            );
        }
        if let Some(previous) = taken.previous {
            self.session_ended(previous, line.time);
        }
        if let Some(outcome) = &taken.aborted {
            self.cancel(line, id, outcome);
            if let Some(m) = self.mail.edit(id) {
                m.extra.is_guess = true;
            }
        }
        if taken.is_ended {
            self.session_ended(id, line.time);
        }
    }

    /// The process that took a message does something else now.
    pub(super) fn session_ended(&mut self, id: i64, time: Time) {
        if self
            .mail
            .get(id)
            .is_some_and(|m| m.row.status == status::RECEIVING)
            && let Some(m) = self.mail.edit(id)
        {
            m.extra.session_end = Some(time);
            self.arm(id);
        }
    }

    /// `uid= from=`: pickup took a local submission.
    pub(super) fn pickup(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        uid: u32,
        sender: &str,
        orig_id: Option<&str>,
    ) -> i64 {
        let id = self.born(line, queue_id, origin::PICKUP, "");
        if let Some(m) = self.touch(line, id) {
            m.row.service = Some(text(line.service));
            m.row.uid = Some(i64::from(uid));
            // The queue manager's word goes before.
            if m.row.size.is_none() {
                m.row.sender = Some(text(sender));
            }
            m.row.orig_queue_id = orig_id.map(text);
            if orig_id.is_some() && m.row.parent_id.is_none() {
                m.row.origin = Text::const_new(origin::REQUEUE);
            }
        }
        if let Some(parent) = orig_id.and_then(|orig| self.find(line, orig, Says::Trailing)) {
            self.link(id, parent, link::REQUEUE);
        }
        self.resolve(id);
        self.kin_again(id);
        self.again_from_maildrop(id);
        id
    }

    /// Starts the generation that a creating line announces; a replay of that line finds the one it started.
    fn born(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        origin: &'static str,
        client_address: &str,
    ) -> i64 {
        let mut superseded = Vec::new();
        let mut same = None;
        for m in self.mail.generations(queue_id) {
            if m.host != line.host || m.row.instance != line.instance || m.is_probe {
                continue;
            }
            let apart = line.time.since(m.row.time);
            let is_replay = apart == 0
                && m.row.origin == origin
                && m.row.client_address.as_deref().unwrap_or_default() == client_address;
            // A collector may hand the lines of other processes over before smtpd's.
            let is_reordered = m.lacks_creation(line.time);
            if is_replay || is_reordered {
                same = Some((m.row.id, is_reordered));
            } else if m.is_open() && apart >= -5 * SECOND {
                superseded.push(m.row.id);
            }
        }
        if same.is_none() && superseded.is_empty() {
            same = self.begun_elsewhere(line, queue_id).map(|id| (id, true));
        }
        if let Some((id, is_reordered)) = same {
            if is_reordered && let Some(m) = self.mail.edit(id) {
                if m.row.parent_id.is_none() {
                    m.row.origin = Text::const_new(origin);
                }
                m.begins(line.time);
            }
            return id;
        }
        for old in superseded {
            self.supersede(old, line.time);
        }
        self.create(line, queue_id, origin, line.time)
    }

    /// The id was given to another message: the queue file of this one is gone, its last lines are missing.
    fn supersede(&mut self, id: i64, time: Time) {
        let was_receiving = self
            .mail
            .get(id)
            .is_some_and(|m| m.row.status == status::RECEIVING);
        let word = if was_receiving {
            status::CANCELED
        } else {
            status::UNKNOWN
        };
        self.close(id, word, time);
        if let Some(m) = self.mail.edit(id) {
            if was_receiving {
                m.to.settle(recipient::CANCELED, time);
            } else {
                m.lost_lines();
                m.to.settle(recipient::UNKNOWN, time);
            }
        }
    }

    /// `message-id=`, `resent-message-id=`.
    pub(super) fn message_id(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        value: &str,
        is_resent: bool,
    ) -> i64 {
        let says = if is_resent {
            Says::Reception
        } else {
            Says::MessageId(value)
        };
        let found = self
            .find(line, queue_id, says)
            .or_else(|| self.moved(line, queue_id, says));
        let id = found.unwrap_or_else(|| self.create(line, queue_id, origin::INTERNAL, line.time));
        if let Some(m) = self.mail.edit(id) {
            m.named_by_cleanup(line.time);
        }
        if let Some(m) = self.touch(line, id) {
            let column = if is_resent {
                &mut m.row.resent_message_id
            } else {
                &mut m.row.message_id
            };
            column.get_or_insert_with(|| text(value));
        }
        self.mail.name(id);
        self.resolve(id);
        self.kin(id, None);
        self.again_from_maildrop(id);
        id
    }

    /// `from=, size=, nrcpt= (queue active)`.
    pub(super) fn active(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        sender: &str,
        size: u64,
        nrcpt: u32,
    ) -> i64 {
        let (size, nrcpt) = (i64::try_from(size).ok(), i32::try_from(nrcpt).ok());
        let says = Says::Active {
            sender,
            size,
            nrcpt,
        };
        let id = self.find_or_create(line, queue_id, says);
        self.in_queue(id);
        if let Some(m) = self.touch(line, id) {
            m.row.sender = Some(text(sender));
            m.row.size = size;
            m.row.nrcpt = nrcpt;
            m.account();
            m.was_clear(line.time);
        }
        self.kin(id, None);
        id
    }

    /// Something shows that the message is in the queue.
    fn in_queue(&mut self, id: i64) {
        let Some(m) = self.mail.get(id) else {
            return;
        };
        if m.extra.is_guess {
            self.reopen(id);
        } else if !m.is_open()
            || !matches!(
                m.row.status.as_str(),
                status::RECEIVING | status::UNKNOWN | status::HELD
            )
        {
            return;
        }
        if let Some(m) = self.mail.edit(id) {
            m.set_status(status::QUEUED);
            m.row.reason = None;
            m.extra.named = Vec::new();
            m.extra.refused = Vec::new();
        }
    }

    /// A delivery record.
    pub(super) fn delivery(&mut self, line: &Line<'_>, d: &Delivery<'_>) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to ten years")]
        let delay = (d.delay.clamp(0.0, 315_360_000.0) * 1e6) as i64;
        let arrival = line.time.plus(-delay);
        let wire = self.agents.wire(line, d);
        let id = self.find_or_create(line, d.queue_id, Says::Delivery(arrival, d.delay));
        if self.is_probe(line, id, d) {
            return id;
        }
        self.in_queue(id);
        let is_clear = wire == Wire::Clear;
        let wire = self.wire_of(line, wire, id);
        let is_doubtful = is_clear && wire.is_none();
        let Self {
            mail,
            ids,
            causes,
            out,
            ..
        } = self;
        let Some(m) = mail.edit(id) else {
            return id;
        };
        if m.extra.is_time_guessed {
            m.row.time = m.row.time.min(arrival);
        }
        m.extra.came_from = None;
        m.open_account(d.recipient, d.orig_to);
        let (time, mut state) = attempt(line, d, causes);
        state.tls = state.tls.or(wire);
        let recorded =
            m.to.record(&m.row, ids, &mut out.attempts, (time, state), d);
        m.extra.repeats += i32::from(recorded.is_repeat);
        if is_doubtful {
            m.may_be_clear(recorded.at, line.time);
        }
        let settled = match m.row.removed {
            Some(removed) if m.row.status == status::DONE => removed,
            _ => line.time,
        };
        m.settle_accounts(settled);
        self.touch(line, id);
        self.hand_over(line, id, recorded.at, d, delay);
        self.kin(id, Some(recorded.at));
        id
    }

    /// Handles the result of an address probe, which is no delivery (grammar 5.11).
    fn is_probe(&mut self, line: &Line<'_>, id: i64, d: &Delivery<'_>) -> bool {
        let Some(m) = self.mail.get(id) else {
            return true;
        };
        if m.is_probe {
            return true;
        }
        if !d.is_probe() {
            return false;
        }
        let was_submitted = m.row.client_address.is_some() || m.row.uid.is_some();
        if !was_submitted && m.to.is_empty() {
            self.forget_probe(id);
        } else if let Some(m) = self.touch(line, id) {
            m.extra.is_probed = true;
            m.account();
            if m.row.status == status::RECEIVING {
                m.set_status(status::QUEUED);
            }
        }
        true
    }

    /// `status=expired, returned to sender`.
    pub(super) fn expired(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        sender: &str,
        word: &str,
    ) -> i64 {
        let id = self.find_or_create(line, queue_id, Says::Trailing);
        if let Some(m) = self.touch(line, id) {
            m.row.sender = Some(text(sender));
            let is_late = m.row.status == status::DONE && m.was_there(line.time);
            if is_late {
                m.open_accounts();
            }
            if m.is_open() || is_late {
                m.set_status(status::EXPIRED);
                m.row.reason = Some(text(word));
                m.settle_accounts(line.time);
            } else {
                m.to.settle(recipient::EXPIRED, line.time);
            }
        }
        id
    }

    /// `removed`, by the queue manager, postsuper or cleanup.
    pub(super) fn removed(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        removal: Removal,
    ) -> Option<i64> {
        let id = self.find_or_create(line, queue_id, Says::Trailing);
        if self.is_of_another(line, id) && self.wait(line, queue_id) {
            return None;
        }
        match removal {
            Removal::Deleted => self.count_super(line, 0),
            Removal::Missing => {
                let text = line.entry.text;
                let text = text.strip_prefix("warning: ").unwrap_or(text);
                self.problem(line, Level::Warning.name(), text);
            }
            _ => {}
        }
        self.touch(line, id);
        let m = self.mail.get(id)?;
        let was_guess = m.extra.is_guess;
        if !m.is_open() && !was_guess {
            return Some(id);
        }
        let before = m.row.status.clone();
        if was_guess {
            self.reopen(id);
        }
        let (word, left) = match removal {
            Removal::Done | Removal::Missing => (status::DONE, recipient::UNKNOWN),
            Removal::Deleted => (status::DELETED, recipient::DELETED),
            Removal::Canceled => (status::CANCELED, recipient::CANCELED),
            Removal::Discarded => (status::DISCARDED, recipient::DISCARDED),
        };
        // What happened before says more than the end of the queue file.
        let word = match before.as_str() {
            status::EXPIRED if word == status::DONE => status::EXPIRED,
            status::REJECTED if removal == Removal::Canceled => status::REJECTED,
            _ => word,
        };
        self.close(id, word, line.time);
        if let Some(m) = self.mail.edit(id) {
            m.to.drop_hints();
            if matches!(removal, Removal::Done | Removal::Missing) {
                m.settle_accounts(line.time);
            } else {
                m.to.settle(left, line.time);
            }
        }
        Some(id)
    }

    /// `saving corrupt file`.
    pub(super) fn corrupt(&mut self, line: &Line<'_>, queue_id: &str) -> i64 {
        let id = self.find_or_create(line, queue_id, Says::Trailing);
        self.touch(line, id);
        if self.mail.get(id).is_some_and(Message::is_open) {
            self.close(id, status::CORRUPT, line.time);
            if let Some(m) = self.mail.edit(id) {
                m.to.settle(recipient::UNKNOWN, line.time);
            }
        }
        id
    }

    /// A line that names a message; some warnings say that it was refused.
    pub(super) fn note(
        &mut self,
        line: &Line<'_>,
        queue_id: Option<&str>,
        level: Level,
        note: &str,
    ) -> Option<i64> {
        if level != Level::Info {
            self.problem(line, level.name(), note);
        }
        let id = self.mention(line, queue_id?)?;
        if level == Level::Warning && !self.stays_in_maildrop(line, id, note) {
            self.turned_by_warning(line, id, note);
        }
        Some(id)
    }

    /// A line that names a message and changes nothing.
    pub(super) fn mention(&mut self, line: &Line<'_>, queue_id: &str) -> Option<i64> {
        let id = self.find(line, queue_id, Says::Trailing)?;
        self.touch(line, id);
        Some(id)
    }

    /// Ends a message before it reached the queue manager.
    pub(super) fn end_reception(
        &mut self,
        line: &Line<'_>,
        id: i64,
        word: &'static str,
        recipient_word: &'static str,
        reason: &str,
        to: Option<&str>,
    ) {
        if self
            .mail
            .get(id)
            .is_some_and(|m| !m.is_open() && !m.extra.is_guess)
        {
            self.explain(line, id, (word, recipient_word), reason, to);
            return;
        }
        let Self { mail, ids, .. } = self;
        let Some(m) = mail.edit(id).filter(|m| !m.is_probe) else {
            return;
        };
        m.extra.is_guess = false;
        m.row.reason = some(reason);
        if let Some(to) = to.filter(|to| !to.is_empty()) {
            m.to.hint(&m.row, ids, to, recipient_word, line.time);
        }
        m.to.settle(recipient_word, line.time);
        self.close(id, word, line.time);
        self.kin(id, None);
    }

    /// Puts a message into the hold queue.
    pub(super) fn hold(&mut self, line: &Line<'_>, id: i64, reason: &str, to: Option<&str>) {
        let Self { mail, ids, .. } = self;
        let Some(m) = mail.edit(id) else {
            return;
        };
        if m.is_probe || !m.is_open() {
            return;
        }
        m.set_status(status::HELD);
        m.row.reason = some(reason);
        if let Some(to) = to.filter(|to| !to.is_empty()) {
            m.to.hint(&m.row, ids, to, recipient::HELD, line.time);
        }
        self.arm(id);
        self.kin(id, None);
    }
}
