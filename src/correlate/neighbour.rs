//! Neighbour: what mail stores and filters say of messages, as rows; and whom a filter says that a message is for.
//!
//! Promises: a row is made of its own line alone, so nothing depends on the order of files, on batches or on what is in memory; to which
//! mail it belongs is found when that is asked for. The state of mail is never changed by another daemon, but for the names of recipients
//! of a message that was refused as a whole.
//!
//! Limits: lines that name neither a queue id, a session nor a Message-ID belong to no mail.

use super::{Correlator, Line, Owner, some, text};
use crate::model::event::Neighbour;
use crate::model::row::{NeighbourRow, Text};

/// Recipients taken from one line.
const MOST: usize = 100;

impl Correlator {
    /// A line of another mail daemon.
    pub(super) fn neighbour(&mut self, line: &Line<'_>, n: &Neighbour<'_>) -> Owner {
        let from = n.queue_id.and_then(|queue_id| self.named(line, queue_id));
        if let (Some(id), Some(list)) = (from, n.recipients) {
            for to in recipients(list).take(MOST) {
                self.name_recipient(line, id, to);
            }
        }
        let mut owner = Owner::from(from);
        let action = match n.action {
            Some(action) => action.name(),
            None if matches!(n.daemon, "rspamd" | "amavis" | "spamd") => n.verdict,
            None => return owner,
        };
        let message_id = n.message_id.filter(|id| *id != "<>");
        if action.is_empty() || (n.queue_id, n.session, message_id) == (None, None, None) {
            return owner;
        }
        let id = self.ids.neighbour.next();
        self.out.neighbours.push(NeighbourRow {
            id,
            time: line.time,
            host: self.host_name(line.host),
            program: Text::from(n.daemon),
            queue_id: n.queue_id.map(text),
            message_id: message_id.map(text),
            session: n.session.map(text),
            recipient: n.user.map(text),
            action: text(action),
            detail: n.detail.and_then(some),
        });
        owner.neighbour = Some(id);
        owner
    }

    /// Its raw line is kept with the message, nothing else.
    pub(super) fn named(&self, line: &Line<'_>, queue_id: &str) -> Option<i64> {
        let of_host = self
            .mail
            .generations(queue_id)
            .filter(|m| m.host == line.host);
        of_host.map(|m| m.row.id).max()
    }
}

/// Splits `<a>,<b>`.
fn recipients(list: &str) -> impl Iterator<Item = &str> {
    let inside = list.trim().strip_prefix('<').unwrap_or_default();
    let inside = inside.strip_suffix('>').unwrap_or_default();
    inside.split(">,<")
}
