//! Refusal: one row for each thing that was turned away, and what policy lines do to messages (grammar 7.1).
//!
//! Promises: only refusals become rows; hold, discard, redirect, filter, warn, info and their kin do not.

use super::open::Says;
use super::turned::Turned;
use super::{Correlator, Line, Owner, some, text};
use crate::cause::Evidence;
use crate::model::event::{Client, Policy};
use crate::model::row::{Noqueue, Text, message_status as status, recipient_status as recipient};

impl Correlator {
    /// reject, hold, discard and their kin, from smtpd, postscreen and cleanup's milters.
    pub(super) fn policy(&mut self, line: &Line<'_>, p: &Policy<'_>) -> Owner {
        let is_refusal = matches!(
            p.action,
            "reject" | "milter-reject" | "proxy-reject" | "hangup"
        );
        let is_whole = is_whole(line, p);
        let is_act = is_act(p.action);
        let id = match p.queue_id {
            Some(q) if is_act || (is_refusal && is_whole) => {
                Some(self.find_or_create(line, q, Says::Reception))
            }
            Some(q) => self.find(line, q, Says::Reception),
            None => None,
        };
        let id = id.filter(|id| self.mail.get(*id).is_some_and(|m| !m.is_probe));
        if let Some(m) = id.and_then(|id| self.touch(line, id)) {
            if let Some(helo) = p.tail.helo_name {
                m.row.helo_name.get_or_insert_with(|| text(helo));
            }
            if let Some(protocol) = p.tail.protocol_name {
                m.row.protocol_name.get_or_insert_with(|| text(protocol));
            }
        }
        let mut owner = Owner::from(id);
        if is_refusal {
            owner.noqueue = Some(self.refuse(line, p, id));
        } else {
            self.counted_policy(line, p.action, p.protocol_state, p.reason);
        }
        match (id, p.client) {
            (Some(id), _) if is_act => {
                self.sender_of(id, p.tail.sender);
                self.act(line, id, p.action, p.reason, p.tail.recipient);
            }
            (Some(id), _) if is_refusal && is_whole => {
                self.sender_of(id, p.tail.sender);
                let turned = Turned {
                    reason: p.reason,
                    dsn: p.dsn,
                    reply_code: p.reply_code,
                    rule: Some(p.rule),
                    dnsbl: p.dnsbl,
                };
                self.turn_away(line, id, &turned, p.tail.recipient);
            }
            (Some(id), _) if p.protocol_state == "RCPT" => {
                let to = p.tail.recipient.unwrap_or_default();
                if is_refusal {
                    self.unname_recipient(line, id, to);
                } else {
                    self.name_recipient(line, id, to);
                }
            }
            (None, Some(client)) if p.queue_id.is_none() && !p.is_postscreen => {
                let is_named = !is_refusal && p.protocol_state == "RCPT";
                let action = (is_act || is_named).then_some(p.action);
                self.pend(line, &client, action, p.reason, &p.tail);
            }
            _ => {}
        }
        owner
    }

    /// Takes the sender that a line names which keeps the mail from the queue manager; that one's word goes before.
    pub(super) fn sender_of(&mut self, id: i64, sender: Option<&str>) {
        let Some(sender) = sender else {
            return;
        };
        if self.mail.get(id).is_some_and(|m| m.row.sender.is_none())
            && let Some(m) = self.mail.edit(id)
        {
            m.row.sender = Some(text(sender));
        }
    }

    /// Applies hold and discard to a message.
    pub(super) fn act(
        &mut self,
        line: &Line<'_>,
        id: i64,
        action: &str,
        reason: &str,
        to: Option<&str>,
    ) {
        match action {
            "hold" | "milter-hold" => self.hold(line, id, reason, to),
            "discard" | "milter-discard" => {
                let (word, recipient_word) = (status::DISCARDED, recipient::DISCARDED);
                self.end_reception(line, id, word, recipient_word, reason, to);
            }
            _ => {}
        }
    }

    fn refuse(&mut self, line: &Line<'_>, p: &Policy<'_>, id: Option<i64>) -> i64 {
        let client = p.client.unwrap_or_default();
        let base = self.noqueue_base(line);
        let row = Noqueue {
            action: text(p.action),
            protocol_state: text(p.protocol_state),
            client_name: some(client.name),
            client_address: some(client.address),
            client_port: client.port,
            helo_name: p.tail.helo_name.map(text),
            protocol_name: p.tail.protocol_name.map(text),
            sender: p.tail.sender.map(text),
            recipient: p.tail.recipient.map(text),
            sasl_method: p.tail.sasl_method.map(text),
            sasl_username: p.tail.sasl_username.map(text),
            reply_code: p.reply_code,
            dsn: p.dsn.map(text),
            rule: Some(Text::const_new(p.rule)),
            dnsbl: p.dnsbl.map(text),
            reason: text(p.reason.trim_end()),
            queue_id: p.queue_id.map(text),
            from_id: id,
            ..base
        };
        let row = if p.client.is_none() {
            self.with_session_client(line, row)
        } else {
            row
        };
        self.store_refusal(row)
    }

    /// A client turned away without a reject line.
    pub(super) fn refusal(
        &mut self,
        line: &Line<'_>,
        action: &str,
        client: &Client<'_>,
        reason: &str,
    ) -> Owner {
        // Only noted until 3.8, and by default later: what follows tells whether the client was refused.
        if action == "improper command pipelining" {
            self.problem(line, "info", reason);
            return Owner::default();
        }
        let base = self.noqueue_base(line);
        let noqueue = self.store_refusal(Noqueue {
            action: text(action),
            client_name: some(client.name),
            client_address: some(client.address),
            client_port: client.port,
            reason: text(reason),
            ..base
        });
        Owner {
            noqueue: Some(noqueue),
            ..Owner::default()
        }
    }

    /// Keeps the row, with its cause; returns the id of the row that has it.
    pub(super) fn store_refusal(&mut self, mut row: Noqueue) -> i64 {
        let found = self.causes.find(&Evidence {
            // Without a rule the action is smtpd's own words, and the text may quote what the client sent.
            reason: row.rule.as_ref().map_or(&row.action, |_| &row.reason),
            dsn: row.dsn.as_deref(),
            rule: row.rule.as_deref(),
            dnsbl: row.dnsbl.as_deref(),
        });
        row.cause = Some(Text::const_new(found.cause));
        self.keep_refusal(row)
    }

    /// Returns a row with its id and all that the entry itself tells.
    pub(super) fn noqueue_base(&mut self, line: &Line<'_>) -> Noqueue {
        Noqueue {
            id: self.ids.noqueue.next(),
            time: line.time,
            host: self.host_name(line.host),
            instance: text(line.instance),
            service: text(line.service),
            pid: line.entry.pid,
            count: i32::try_from(line.entry.copies()).unwrap_or(i32::MAX),
            ..Noqueue::default()
        }
    }
}

/// Tells whether the action decides the fate of a message without refusing it.
pub(super) fn is_act(action: &str) -> bool {
    matches!(
        action,
        "hold" | "milter-hold" | "discard" | "milter-discard"
    )
}

/// Tells whether a reject concerns the whole message and not one recipient (golden rule 7).
fn is_whole(line: &Line<'_>, p: &Policy<'_>) -> bool {
    line.entry.program() == "cleanup"
        || p.protocol_state == "END-OF-MESSAGE"
        || p.protocol_state.starts_with("DATA")
        || p.protocol_state.starts_with("BDAT")
}
