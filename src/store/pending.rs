//! Messages of the open transaction that are still in the queue: kept here until they leave it or it commits.
//!
//! A row that was appended should not change before the commit: DuckDB then writes it twice, and its whole row group
//! with it. So a message waits with its recipients and takes its changes in memory. Counts of events wait, too: merging
//! them takes a statement, however few they are.

use crate::model::row::{Changes, DeliveryFrom, DeliveryTo, EventRow};
use std::collections::{BTreeMap, HashMap};

/// Events that wait at most.
const EVENTS: usize = 4096;

#[derive(Default)]
pub(super) struct Pending {
    /// In the order of their counting.
    events: Vec<EventRow>,
    /// By id; ordered, so that rows are appended as their ids grow.
    messages: BTreeMap<i64, Waiting>,
    /// Message of each waiting recipient.
    of_recipient: HashMap<i64, i64>,
}

struct Waiting {
    message: DeliveryFrom,
    recipients: BTreeMap<i64, DeliveryTo>,
}

impl Pending {
    /// Takes what may wait out of the changes, and puts what has ended into them.
    pub(super) fn absorb(&mut self, changes: &mut Changes) {
        self.delete(changes);
        self.events.append(&mut changes.events);
        if self.events.len() > EVENTS {
            changes.events = std::mem::take(&mut self.events);
        }
        changes
            .to_updates
            .retain_mut(|row| !self.replace_recipient(row));
        let mut ended = Vec::new();
        changes.from_updates.retain_mut(|row| {
            let Some(waiting) = self.messages.get_mut(&row.id) else {
                return true;
            };
            if row.removed.is_some() {
                ended.push(row.id);
            }
            waiting.message = std::mem::take(row);
            false
        });
        let inserts = std::mem::take(&mut changes.from_inserts);
        let (open, done): (Vec<_>, Vec<_>) =
            inserts.into_iter().partition(|row| row.removed.is_none());
        for message in open {
            let recipients = BTreeMap::new();
            self.messages.insert(
                message.id,
                Waiting {
                    message,
                    recipients,
                },
            );
        }
        changes.from_inserts = done;
        changes
            .to_inserts
            .retain_mut(|row| !self.keep_recipient(row));
        for id in ended {
            if let Some(waiting) = self.messages.remove(&id) {
                self.release(waiting, changes);
            }
        }
    }

    /// Puts everything that waits into the changes.
    pub(super) fn release_all(&mut self, changes: &mut Changes) {
        for (_, waiting) in std::mem::take(&mut self.messages) {
            self.release(waiting, changes);
        }
        changes.events.append(&mut self.events);
    }

    /// Forgets everything: the transaction was rolled back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn release(&mut self, waiting: Waiting, changes: &mut Changes) {
        for id in waiting.recipients.keys() {
            self.of_recipient.remove(id);
        }
        changes.from_inserts.push(waiting.message);
        changes.to_inserts.extend(waiting.recipients.into_values());
    }

    fn replace_recipient(&mut self, row: &mut DeliveryTo) -> bool {
        let message = self.of_recipient.get(&row.id);
        let waiting = message.and_then(|id| self.messages.get_mut(id));
        let kept = waiting.and_then(|waiting| waiting.recipients.get_mut(&row.id));
        kept.map(|kept| *kept = std::mem::take(row)).is_some()
    }

    fn keep_recipient(&mut self, row: &mut DeliveryTo) -> bool {
        let Some(waiting) = self.messages.get_mut(&row.from_id) else {
            return false;
        };
        self.of_recipient.insert(row.id, row.from_id);
        waiting.recipients.insert(row.id, std::mem::take(row));
        true
    }

    /// Rows deleted in the database stay in the changes, too: attempts and lines of theirs may be there already.
    fn delete(&mut self, changes: &Changes) {
        for id in &changes.from_deletes {
            let waiting = self.messages.remove(id);
            for row in waiting
                .into_iter()
                .flat_map(|waiting| waiting.recipients.into_keys())
            {
                self.of_recipient.remove(&row);
            }
        }
        for id in &changes.to_deletes {
            let message = self.of_recipient.remove(id);
            if let Some(waiting) = message.and_then(|message| self.messages.get_mut(&message)) {
                waiting.recipients.remove(id);
            }
        }
    }
}
