//! postsuper: what an administrator does to messages, and what its summaries give away (grammar 5.13).
//!
//! Limits: `postsuper -d ALL` names no id; open messages of the instance are marked, and unmarked by their next
//! line.

use super::open::{Message, Says};
use super::{Correlator, Line};
use crate::model::event::SuperAction;
use crate::model::row::{
    NeighbourRow, Text, message_status as status, recipient_status as recipient,
};
use serde::{Deserialize, Serialize};

/// postsuper processes whose summary has not come yet; more than this many at once is no real host.
const SUPER_LIMIT: usize = 64;

/// What one postsuper process named id by id so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SuperRun {
    host: u32,
    pid: Option<u32>,
    /// Deleted, requeued, held, released, expired.
    named: [u64; 5],
}

/// All running postsuper processes.
pub(super) type SuperRuns = Vec<SuperRun>;

impl Correlator {
    /// postsuper on one message.
    pub(super) fn super_action(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        action: SuperAction,
    ) -> i64 {
        let id = self.find_or_create(line, queue_id, Says::Trailing);
        self.touch(line, id);
        let is_open = self.mail.get(id).is_some_and(Message::is_open);
        let kind = match action {
            SuperAction::Requeued => 1,
            SuperAction::Held => 2,
            SuperAction::Released => 3,
            SuperAction::Expired => 4,
        };
        self.count_super(line, kind);
        self.note_super(line, queue_id, action);
        if !is_open {
            return id;
        }
        if action == SuperAction::Requeued {
            self.close(id, status::REQUEUED, line.time);
        }
        if let Some(m) = self.mail.edit(id) {
            match action {
                SuperAction::Requeued => {
                    m.to.settle(recipient::REQUEUED, line.time);
                }
                SuperAction::Held => {
                    m.set_status(status::HELD);
                    m.row.reason = Some(Text::const_new("placed on hold"));
                }
                SuperAction::Released => {
                    m.set_status(status::QUEUED);
                    m.row.reason = None;
                }
                SuperAction::Expired => {}
            }
        }
        self.arm(id);
        id
    }

    /// Keeps what was done and when, for the story; a message that is requeued ends with it, and says so itself.
    fn note_super(&mut self, line: &Line<'_>, queue_id: &str, action: SuperAction) {
        let action = match action {
            SuperAction::Requeued => return,
            SuperAction::Held => "placed on hold",
            SuperAction::Released => "released from hold",
            SuperAction::Expired => "expired",
        };
        self.out.neighbours.push(NeighbourRow {
            id: self.ids.neighbour.next(),
            time: line.time,
            host: self.host_name(line.host),
            program: Text::const_new("postsuper"),
            queue_id: Some(super::text(queue_id)),
            action: Text::const_new(action),
            ..NeighbourRow::default()
        });
    }

    /// Counts what a process named, until its summary.
    pub(super) fn count_super(&mut self, line: &Line<'_>, kind: usize) {
        let (host, pid) = (line.host, line.entry.pid);
        let at = self
            .supers
            .iter()
            .position(|s| s.host == host && s.pid == pid);
        let at = at.unwrap_or_else(|| {
            if self.supers.len() >= SUPER_LIMIT {
                self.supers.remove(0);
            }
            self.supers.push(SuperRun {
                host,
                pid,
                ..SuperRun::default()
            });
            self.supers.len() - 1
        });
        if let Some(n) = self.supers.get_mut(at).and_then(|s| s.named.get_mut(kind)) {
            *n += 1;
        }
    }

    /// `Deleted: 3 messages`: more than were named means that others went without a trace.
    pub(super) fn super_summary(&mut self, line: &Line<'_>, action: &str, count: u64) {
        let (kind, reason) = match action {
            "Deleted" => (0, "possibly deleted by postsuper"),
            "Requeued" => (1, "possibly requeued by postsuper"),
            "Placed on hold" => (2, "possibly held by postsuper"),
            "Released from hold" => (3, "possibly released by postsuper"),
            _ => return,
        };
        let (host, pid) = (line.host, line.entry.pid);
        let run = self
            .supers
            .iter_mut()
            .find(|s| s.host == host && s.pid == pid);
        let named = run
            .and_then(|s| s.named.get_mut(kind))
            .map_or(0, std::mem::take);
        if count <= named {
            return;
        }
        let ids: Vec<i64> = self
            .mail
            .messages
            .values()
            .filter(|m| m.host == host && m.is_open() && m.row.instance == line.instance)
            .map(|m| m.row.id)
            .collect();
        for id in ids {
            if let Some(m) = self.mail.edit(id) {
                m.doubt(reason);
            }
        }
    }
}
