//! Keep: stores what a server without the service counts, and deletes what is past retention.

use super::log::Log;
use crate::ingest::clock::Present;
use crate::model::retain::{Cutoffs, Group, Retain};
use crate::notice::Level;
use crate::signature::forward::Forwarder;
use crate::signature::listen::Batch;
use crate::signature::stored;
use crate::store::Store;
use anyhow::{Context, Result};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

/// How often the same is tried when the database fails (a full disk), and how long it waits before each.
const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(5);

/// From one deletion of old rows to the next.
const HOURLY: Duration = Duration::from_hours(1);

/// What belongs to the database of a server.
pub(super) struct Keeper<'k> {
    pub(super) store: Store,
    pub(super) retain: Retain,
    pub(super) present: Present,
    pub(super) forwarder: Option<&'k Forwarder>,
    pub(super) log: &'k Log,
}

impl Keeper<'_> {
    /// Stores what the server hands over, until it ends.
    ///
    /// # Errors
    /// When the database fails for a minute.
    pub(super) fn keep(mut self, batches: &Receiver<Batch>) -> Result<()> {
        let mut pruned = None::<Instant>;
        while let Ok(batch) = batches.recv() {
            self.take(batch)?;
            if pruned.is_none_or(|pruned| pruned.elapsed() >= HOURLY) {
                pruned = Some(Instant::now());
                self.prune();
            }
        }
        self.store.checkpoint().context("cannot end the database")
    }

    fn take(&mut self, mut batch: Batch) -> Result<()> {
        for text in std::mem::take(&mut batch.notices) {
            self.log.tell(Level::Notice, &text);
        }
        if let Some(text) = self.forwarder.and_then(Forwarder::losses) {
            self.log.tell(Level::Warning, &text);
        }
        let rows = stored::rows(batch);
        if rows.is_empty() {
            return Ok(());
        }
        for _ in 0..TRIES {
            match self.store.write_small(rows.clone()) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let text = format!("{error}; trying again in {} s", PAUSE.as_secs());
                    self.log.tell(Level::Warning, &text);
                    thread::sleep(PAUSE);
                }
            }
        }
        let stored = self.store.write_small(rows);
        stored.context("cannot store what was counted")
    }

    /// Deletes who asked what, as far as it is past retention. What fails is done in the next hour.
    fn prune(&mut self) {
        let mut cutoffs = Cutoffs::default();
        let all = self.retain.cutoffs(self.present.now());
        cutoffs.set(Group::Signature, all.of(Group::Signature));
        if let Err(error) = self.store.prune(cutoffs) {
            let text = format!("rows past retention are not deleted: {error}");
            self.log.tell(Level::Warning, &text);
        }
    }
}
