//! Scanner: `MailScanner` takes a message out of the hold queue and lets it go on as a new queue file, or drops it.
//!
//! The new file holds the same mail: what only the lines of the old id tell (client, message id, subject) is told of the
//! new one, too.

use super::chain::{Claim, SLACK};
use super::{Correlator, Line};
use crate::model::event::Neighbour;
use crate::model::row::{Text, link, message_status as status, recipient_status as recipient};

impl Correlator {
    /// What `MailScanner` says of a message.
    pub(super) fn scanner(&mut self, line: &Line<'_>, n: &Neighbour<'_>) -> Option<i64> {
        let id = self.named(line, n.queue_id?)?;
        if self.mail.get(id).is_none_or(|m| m.is_probe) {
            return None;
        }
        if let Some(queued_as) = n.queued_as {
            self.rewritten(line, id, queued_as);
        } else if is_dropped(n.verdict) && self.is_held(id) {
            let reason = format!("MailScanner: {}", n.verdict);
            self.end_reception(
                line,
                id,
                status::DISCARDED,
                recipient::DISCARDED,
                &reason,
                None,
            );
        }
        Some(id)
    }

    fn is_held(&self, id: i64) -> bool {
        let word = self.mail.get(id).map(|m| m.row.status.as_str());
        matches!(word, Some(status::HELD | status::RECEIVING))
    }

    /// The message goes on under another id.
    fn rewritten(&mut self, line: &Line<'_>, id: i64, queued_as: &str) {
        if self.mail.get(id).is_some_and(super::open::Message::is_open) {
            self.close(id, status::REQUEUED, line.time);
        }
        let Some(m) = self.mail.edit(id) else {
            return;
        };
        if m.row.status != status::REQUEUED {
            return;
        }
        m.row.updated = m.row.updated.max(line.time);
        m.to.settle(recipient::REQUEUED, line.time);
        let claim = Claim {
            parent: id,
            host: line.host,
            instance: m.row.instance.clone(),
            kind: Text::const_new(link::REQUEUE),
            is_near: true,
            earliest: m.row.time.plus(-SLACK),
            time: line.time,
            ..Claim::default()
        };
        self.claim(queued_as, claim, true);
    }

    /// Gives the new queue file what the log tells of the old one only.
    pub(super) fn inherit(&mut self, child: i64, parent: i64) {
        let Some(p) = self.mail.get(parent).map(|p| p.row.clone()) else {
            return;
        };
        let Some(c) = self.mail.edit(child) else {
            return;
        };
        // The file has the arrival of the old one; it is in the queue since that one was taken out.
        c.row.time = c.row.time.max(p.removed.unwrap_or(p.time));
        c.extra.is_time_guessed = false;
        c.found_beginning();
        let row = &mut c.row;
        let keep = |own: &mut Option<Text>, old: Option<Text>| {
            if own.is_none() {
                *own = old;
            }
        };
        keep(&mut row.service, p.service);
        keep(&mut row.client_name, p.client_name);
        keep(&mut row.client_address, p.client_address);
        keep(&mut row.helo_name, p.helo_name);
        keep(&mut row.protocol_name, p.protocol_name);
        keep(&mut row.sasl_method, p.sasl_method);
        keep(&mut row.sasl_username, p.sasl_username);
        keep(&mut row.message_id, p.message_id);
        keep(&mut row.subject, p.subject);
        keep(&mut row.header_from, p.header_from);
        keep(&mut row.tls, p.tls);
        row.client_port = row.client_port.or(p.client_port);
        row.uid = row.uid.or(p.uid);
        self.mail.name(child);
    }
}

/// Tells whether a list of actions lets nothing of the mail go on.
fn is_dropped(actions: &str) -> bool {
    !actions.is_empty()
        && actions
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .all(|word| {
                matches!(word, "delete" | "store" | "notify" | "archive")
                    || word.starts_with("store-")
            })
}
