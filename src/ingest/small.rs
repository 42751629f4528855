//! The way of small producers (tasks, later others) to the storing thread: rows that join the next commit.
//!
//! Promises: rows handed over together are stored together. They cost no commit while log is stored; in a quiet time
//! they are stored within some two seconds. Whoever hands over more than can be taken waits.
//!
//! Limits: a job on the storing thread must not hand rows over: it would wait for itself.

use crate::model::small::SmallRow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Deliveries of rows that wait for a commit; their producers wait when there are more.
pub(super) const WAITING: usize = 1024;

/// Rows, and who wants to know that they are stored.
struct Delivery {
    rows: Vec<SmallRow>,
    stored: Option<SyncSender<()>>,
}

/// The producers' end; cheap to clone.
#[derive(Clone)]
pub struct SmallRows(SyncSender<Delivery>);

impl SmallRows {
    /// Returns both ends.
    pub(super) fn channel() -> (Self, Waiting) {
        let (sender, receiver) = sync_channel(WAITING);
        (Self(sender), Waiting(receiver))
    }

    /// Hands rows over, to be stored all or none. False when the storing thread has ended.
    pub fn add(&self, rows: Vec<SmallRow>) -> bool {
        let stored = None;
        self.0.send(Delivery { rows, stored }).is_ok()
    }

    /// Hands rows over and waits until they are committed. False when they are not: the storing thread has ended.
    pub fn store(&self, rows: Vec<SmallRow>) -> bool {
        let (stored, told) = sync_channel(1);
        let stored = Some(stored);
        self.0.send(Delivery { rows, stored }).is_ok() && told.recv().is_ok()
    }
}

/// The storing thread's end.
pub(super) struct Waiting(Receiver<Delivery>);

/// Rows taken for a commit, and who is told of it.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) rows: Vec<SmallRow>,
    pub(super) told: Vec<SyncSender<()>>,
}

impl Waiting {
    /// Takes what waits. Not more than fits into the channel at one time: those who fill it again wait for the next commit.
    pub(super) fn take(&self) -> Taken {
        let mut taken = Taken::default();
        for delivery in self.0.try_iter().take(WAITING) {
            taken.rows.extend(delivery.rows);
            taken.told.extend(delivery.stored);
        }
        taken
    }
}
