//! Writer, the storing thread: parts into one transaction until it is worth a commit, and jobs on the database in between.
//!
//! Promises: the only writer. A job finds everything committed that was handed over before it; one that panics leaves
//! the database as it was, and storing goes on. Rows of small producers ([`SmallRows`]) join a commit that is made anyway.

use super::feed::Reply;
use super::health::Health;
use super::memory_relief::MemoryRelief;
use super::small::{SmallRows, Waiting};
use super::stats::Summary;
use super::stream::StreamNo;
use crate::model::row::Changes;
use crate::notice::{self, Level};
use crate::store::{self, Batch, Error, Store};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Rows of one commit of an import: from about here on DuckDB writes and compresses each column once.
const COMMIT_ROWS: usize = 450_000;
/// Rows of one commit of a service that catches up: so many can be kept to be stored once more.
const REDO_ROWS: usize = 60_000;
/// How often the same is tried when memory runs out.
const TRIES: u32 = 3;
/// How often an idle storing thread shows that it lives, and looks for rows of small producers.
const TICK: Duration = Duration::from_millis(500);
/// How long rows of small producers wait for a commit of log rows: longer than it takes from one of these to the next
/// while log comes in (a second, see the pump), so that they never cost one.
const QUIET: Duration = Duration::from_millis(1500);

/// Something to be done with the database by the thread that owns it, within a fraction of a second.
pub type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// What the storing thread is given.
pub enum Work {
    /// Rows.
    Part(Box<Part>),
    /// Anything else.
    Job(Job),
}

/// A part of what is to be stored.
#[derive(Debug, Default)]
pub struct Part {
    /// Parts are counted.
    pub no: u64,
    /// What it adds.
    pub batch: Batch,
    /// Streams of the batch's cursors, in their order.
    pub streams: Vec<StreamNo>,
    /// Somebody may be waiting for it: commit now.
    pub is_urgent: bool,
    /// Who is told when it is committed.
    pub replies: Vec<(Reply, Summary)>,
}

/// The way to the storing thread for other tasks; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    work: SyncSender<Work>,
    small: SmallRows,
}

/// What the storing thread has to do: the other end of [`Jobs`].
pub struct Todo {
    work: Receiver<Work>,
    small: Waiting,
}

impl Jobs {
    /// Returns the way of the work and its other end.
    #[must_use]
    pub fn channel() -> (Self, Todo) {
        let (work, todo) = sync_channel(1);
        let (small, waiting) = SmallRows::channel();
        let todo = Todo {
            work: todo,
            small: waiting,
        };
        (Self { work, small }, todo)
    }

    /// Returns the way for rows of small producers.
    #[must_use]
    pub fn small_rows(&self) -> &SmallRows {
        &self.small
    }

    /// Hands a part over; false when the storing thread has ended.
    pub(super) fn store(&self, part: Part) -> bool {
        self.work.send(Work::Part(Box::new(part))).is_ok()
    }

    /// Queues a job; waits while the queue is full. False when the storing thread has ended.
    pub fn submit(&self, job: Job) -> bool {
        self.work.send(Work::Job(job)).is_ok()
    }

    /// Runs a job and returns its result; `None` when the storing thread has ended, or the job panicked.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, result) = sync_channel(1);
        let job: Job = Box::new(move |store| {
            // Whoever asked may be gone.
            let _ = reply.send(job(store));
        });
        self.submit(job).then(|| result.recv().ok()).flatten()
    }
}

/// Does what it is given until the other side ends, and gives the store back.
///
/// With `relief` it shares the memory of the database with queries: when it runs out they are stopped, and the open
/// transaction is written once more.
///
/// # Errors
/// When the database fails; everything before the last commit is kept.
#[expect(clippy::implicit_hasher, reason = "made in one place")]
pub fn keep(
    mut store: Store,
    sources: HashMap<StreamNo, i64>,
    todo: &Todo,
    health: &Health,
    relief: Option<MemoryRelief>,
) -> Result<Store> {
    let _owner = store.as_owner();
    if let Some(relief) = relief.clone() {
        store.when_out_of_memory(move || {
            notice::tell(
                Level::Warning,
                "running queries use the memory that storing needs; cancelling them so that log lines can be stored",
            );
            relief.make_room();
        });
    }
    let mut keeper = Keeper::new(store, sources, &todo.small, relief, health);
    loop {
        health.storing_lives();
        let is_idle = match todo.work.recv_timeout(TICK) {
            Ok(Work::Part(part)) => {
                keeper.part(*part).context(FAILED)?;
                false
            }
            Ok(Work::Job(job)) => {
                keeper.job(job).context(FAILED)?;
                false
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        keeper.settle(is_idle, Instant::now()).context(FAILED)?;
    }
    keeper.store.expect_end().context(FAILED)?;
    keeper.commit().context(FAILED)?;
    Ok(keeper.store)
}

const FAILED: &str =
    "cannot store the log that was read; everything up to the last commit is stored";

struct Keeper<'h> {
    store: Store,
    /// Rows of the streams.
    sources: HashMap<StreamNo, i64>,
    /// What belongs to the open transaction.
    held: Part,
    /// The last part that was taken.
    last_part: u64,
    rows: usize,
    /// The rows of the open transaction, where it may have to be written once more.
    redo: Vec<Changes>,
    /// Rows of small producers that the next commit takes.
    small: &'h Waiting,
    committed: Instant,
    relief: Option<MemoryRelief>,
    health: &'h Health,
}

impl<'h> Keeper<'h> {
    fn new(
        store: Store,
        sources: HashMap<StreamNo, i64>,
        small: &'h Waiting,
        relief: Option<MemoryRelief>,
        health: &'h Health,
    ) -> Self {
        Self {
            store,
            sources,
            held: Part::default(),
            last_part: 0,
            rows: 0,
            redo: Vec::new(),
            small,
            committed: Instant::now(),
            relief,
            health,
        }
    }

    /// Runs a job between two commits.
    fn job(&mut self, job: Job) -> Result<()> {
        self.commit()?;
        let store = &mut self.store;
        if catch_unwind(AssertUnwindSafe(|| job(store))).is_err() {
            // Whoever asked for it finds no result, and says so.
            self.store.abandon()?;
        }
        // What failed is the concern of whoever asked for it, but what is broken is ours.
        self.store.look_after()?;
        self.give_back();
        Ok(())
    }

    /// Commits rows of small producers for which no commit of log rows came.
    fn settle(&mut self, is_idle: bool, now: Instant) -> Result<()> {
        let is_open = self.rows > 0 || !self.held.batch.cursors.is_empty();
        if now.duration_since(self.committed) < QUIET || (is_open && !is_idle) {
            return Ok(());
        }
        self.commit()
    }

    fn part(&mut self, mut part: Part) -> Result<()> {
        if self.renames(&part) {
            self.commit()?;
        }
        let mut changes = std::mem::take(&mut part.batch.changes);
        let rows = count(&changes);
        if rows > 0 || !part.batch.cursors.is_empty() {
            self.held.batch.changes.state = std::mem::take(&mut changes.state);
            self.rows += rows;
            self.append(changes)?;
        }
        let is_urgent = part.is_urgent;
        self.hold(part);
        let most = match self.relief {
            Some(_) => REDO_ROWS,
            None => COMMIT_ROWS,
        };
        if is_urgent || self.rows >= most {
            self.commit()?;
        }
        Ok(())
    }

    fn append(&mut self, changes: Changes) -> Result<(), Error> {
        if self.relief.is_none() {
            return self.store.append(changes);
        }
        self.redo.push(changes.clone());
        let mut appended = self.store.append(changes);
        for _ in 0..TRIES {
            // The store has made room before it rolled back.
            if !matches!(appended, Err(Error::OutOfMemory)) {
                break;
            }
            appended = self.redo();
        }
        self.give_back();
        appended
    }

    fn store(&mut self, batch: Batch) -> Result<Vec<i64>, Error> {
        if self.relief.is_none() {
            return self.store.commit(batch);
        }
        let mut stored = self.store.commit(batch.clone());
        for _ in 0..TRIES {
            if !matches!(stored, Err(Error::OutOfMemory)) {
                break;
            }
            stored = self.redo().and_then(|()| self.store.commit(batch.clone()));
        }
        self.redo.clear();
        self.give_back();
        stored
    }

    fn give_back(&self) {
        if let Some(relief) = &self.relief {
            relief.give_back();
        }
    }

    /// Writes once more what an error took.
    fn redo(&mut self) -> Result<(), Error> {
        let mut again = self.redo.iter().cloned();
        again.try_for_each(|changes| self.store.append(changes))
    }

    /// Tells whether a stream whose row is not known yet changes its key: only the commit gives it a row.
    fn renames(&self, part: &Part) -> bool {
        part.streams.iter().zip(&part.batch.cursors).any(|(no, c)| {
            !self.sources.contains_key(no)
                && self
                    .held
                    .streams
                    .iter()
                    .zip(&self.held.batch.cursors)
                    .any(|(held, other)| held == no && other.cursor.key != c.cursor.key)
        })
    }

    /// Adds what belongs to the commit and not to the rows; of two cursors of one stream the later counts.
    fn hold(&mut self, part: Part) {
        let (held, batch) = (&mut self.held.batch, part.batch);
        held.now = batch.now;
        held.coverage.extend(batch.coverage);
        held.anchors.extend(batch.anchors);
        store::extend_seen(&mut held.seen, batch.seen);
        self.last_part = part.no;
        held.unparsed.extend(batch.unparsed);
        held.undated.extend(batch.undated);
        held.counts.extend(batch.counts);
        for (no, mut cursor) in part.streams.into_iter().zip(batch.cursors) {
            cursor.source_id = cursor.source_id.or(self.sources.get(&no).copied());
            let streams = self.held.streams.iter().zip(&held.cursors);
            let same = streams
                .enumerate()
                .find(|(_, (other, stored))| {
                    **other == no && stored.cursor.key == cursor.cursor.key
                })
                .map(|(index, _)| index);
            if let Some(index) = same {
                self.held.streams.remove(index);
                held.cursors.remove(index);
            }
            self.held.streams.push(no);
            held.cursors.push(cursor);
        }
        self.held.replies.extend(part.replies);
    }

    fn commit(&mut self) -> Result<()> {
        let mut held = std::mem::take(&mut self.held);
        let small = self.small.take();
        held.batch.small = small.rows;
        if !held.batch.cursors.is_empty() || !held.batch.small.is_empty() {
            let ids = self.store(held.batch)?;
            self.sources.extend(held.streams.into_iter().zip(ids));
            self.health.committed(self.rows);
            self.health.set_stored(self.last_part);
            self.committed = Instant::now();
        }
        for told in small.told {
            // Whoever waited may be gone.
            let _ = told.send(());
        }
        self.rows = 0;
        for (reply, summary) in held.replies {
            // Whoever waited may be gone.
            let _ = reply.send(summary);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

fn count(changes: &Changes) -> usize {
    changes.from_inserts.len()
        + changes.to_inserts.len()
        + changes.attempts.len()
        + changes.noqueues.len()
        + changes.connections.len()
        + changes.auths.len()
        + changes.log_lines.len()
}
