//! Moved: a queue that goes on under another host name: a volume in a new pod, `mail` that becomes `mail.example.com`.
//!
//! Evidence is the queue id with what the line tells (sender, size and number of recipients, or the arrival by the
//! delay), and that the old name has been silent since the new one spoke. Names of which one is the other's first label
//! may both speak: that is one machine. The row keeps the last name, under which its next lines come; raw lines keep
//! the one that they have.
//!
//! Limits: the logs must come in the order of time. What the old name left in the queue and the new one never
//! mentions stays open.

use super::chain::is_same_host;
use super::open::{Message, Says, arrival_fits};
use super::{Correlator, Line};
use crate::model::time::SECOND;

impl Correlator {
    /// Finds the message of a host that has another name now, and takes it over to this one.
    pub(super) fn moved(&mut self, line: &Line<'_>, queue_id: &str, says: Says<'_>) -> Option<i64> {
        self.give_back(line, queue_id, says);
        let found = self
            .mail
            .generations(queue_id)
            .filter(|m| m.host != line.host && self.goes_on(m, line, says))
            .max_by_key(|m| (m.row.updated, m.row.id));
        let (id, came_from) = found.map(|m| (m.row.id, m.row.host.clone()))?;
        self.put(id, line.host);
        let m = self.mail.edit(id)?;
        m.extra.came_from = matches!(says, Says::Active { .. }).then_some(came_from);
        self.arm(id);
        Some(id)
    }

    fn goes_on(&self, m: &Message, line: &Line<'_>, says: Says<'_>) -> bool {
        if m.is_probe || !m.is_open() || m.row.instance != line.instance {
            return false;
        }
        let (Some(old), Some(new)) = (self.hosts.get(m.host), self.hosts.get(line.host)) else {
            return false;
        };
        let is_one = is_same_host(&old.name, &new.name) || is_same_host(&new.name, &old.name);
        let is_silent = new.first > old.clock;
        if !is_one && (!is_silent || line.time < m.row.updated) {
            return false;
        }
        match says {
            Says::Active {
                sender,
                size,
                nrcpt,
            } => m.row.sender.as_deref().is_none_or(|known| {
                let is_known = m.row.size.is_some();
                known == sender && (!is_known || (m.row.size == size && m.row.nrcpt == nrcpt))
            }),
            Says::Delivery(arrival, delay) => arrival_fits(m, arrival, delay),
            Says::MessageId(value) => {
                let apart = line.time.since(m.row.time).abs();
                let apart = apart.min(line.time.since(m.row.updated).abs());
                let known = m.row.message_id.as_deref();
                is_one && apart <= 10 * SECOND && known.is_none_or(|known| known == value)
            }
            Says::Trailing => true,
            Says::Reception => false,
        }
    }

    /// Finds the message that a creating line begins, of which others came first under the other name of the machine.
    pub(super) fn begun_elsewhere(&mut self, line: &Line<'_>, queue_id: &str) -> Option<i64> {
        let here = self.hosts.get(line.host)?;
        let is_here = |m: &&Message| {
            let there = self.hosts.get(m.host);
            there.is_some_and(|h| {
                is_same_host(&h.name, &here.name) || is_same_host(&here.name, &h.name)
            })
        };
        let id = self
            .mail
            .generations(queue_id)
            .filter(|m| m.host != line.host && !m.is_probe && m.row.instance == line.instance)
            .filter(|m| m.lacks_creation(line.time))
            .find(is_here)?
            .row
            .id;
        self.put(id, line.host);
        self.arm(id);
        Some(id)
    }

    /// A record contradicts what a first line made believe: the message is still that of the old host.
    fn give_back(&mut self, line: &Line<'_>, queue_id: &str, says: Says<'_>) {
        let Says::Delivery(arrival, delay) = says else {
            return;
        };
        let wrong = self.mail.generations(queue_id).find(|m| {
            m.host == line.host && m.extra.came_from.is_some() && !arrival_fits(m, arrival, delay)
        });
        let Some((id, host)) = wrong.and_then(|m| Some((m.row.id, m.extra.came_from.clone()?)))
        else {
            return;
        };
        let host = self.hosts.number(&host);
        self.put(id, host);
        if let Some(m) = self.mail.edit(id) {
            m.extra.came_from = None;
        }
        self.arm(id);
    }

    fn put(&mut self, id: i64, host: u32) {
        let name = self.host_name(host);
        if let Some(m) = self.mail.edit(id) {
            m.host = host;
            m.to.move_to(&name);
            m.row.host = name;
            m.forget_timer();
        }
    }
}
