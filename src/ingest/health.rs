//! Health: how ingestion is doing, for metrics, the watchdog and whoever asks; counted since the process began.
//!
//! Promises: reading it never waits for the database. Times are those of the system's clock.

use super::stats::Summary;
use crate::model::time::Time;
use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Sources that are remembered; each rotated file counts as one.
const SOURCES: usize = 1000;

/// Counters and times of one process.
#[derive(Debug)]
pub struct Health {
    start: Instant,
    understood: AtomicU64,
    ignored: AtomicU64,
    foreign: AtomicU64,
    not_understood: AtomicU64,
    known: AtomicU64,
    lost: AtomicU64,
    bytes: AtomicU64,
    commits: AtomicU64,
    rows: AtomicU64,
    stored: AtomicU64,
    open_messages: AtomicU64,
    /// Microseconds since 1970, 0 before the first.
    last_commit: AtomicI64,
    /// Milliseconds since `start` of the last signs of life.
    pump: AtomicU64,
    storing: AtomicU64,
    sources: Mutex<BTreeMap<String, SourceHealth>>,
}

/// What is known of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceHealth {
    /// Records read from it.
    pub lines: u64,
    /// Latest time in it.
    pub last_entry: Option<Time>,
    /// When something was last read from it.
    pub last_read: Option<Time>,
    /// How it is: `catching up`, `following`, or what stands in the way; `ended` when nobody reads it.
    pub state: String,
}

/// Counts of records by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// With a bearing on mail.
    pub understood: u64,
    /// Known and without bearing.
    pub ignored: u64,
    /// Of other programs.
    pub foreign: u64,
    /// Unknown.
    pub not_understood: u64,
    /// Told by another source already.
    pub known: u64,
    /// Said by the log to be lost, or found missing.
    pub lost: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            understood: AtomicU64::default(),
            ignored: AtomicU64::default(),
            foreign: AtomicU64::default(),
            not_understood: AtomicU64::default(),
            known: AtomicU64::default(),
            lost: AtomicU64::default(),
            bytes: AtomicU64::default(),
            commits: AtomicU64::default(),
            rows: AtomicU64::default(),
            stored: AtomicU64::default(),
            open_messages: AtomicU64::default(),
            last_commit: AtomicI64::default(),
            pump: AtomicU64::default(),
            storing: AtomicU64::default(),
            sources: Mutex::default(),
        }
    }
}

impl Health {
    /// Returns the counts of records.
    pub fn lines(&self) -> Lines {
        Lines {
            understood: self.understood.load(Relaxed),
            ignored: self.ignored.load(Relaxed),
            foreign: self.foreign.load(Relaxed),
            not_understood: self.not_understood.load(Relaxed),
            known: self.known.load(Relaxed),
            lost: self.lost.load(Relaxed),
        }
    }

    /// Returns the bytes of log read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Returns the number of commits and of the rows that they added.
    pub fn commits(&self) -> (u64, u64) {
        (self.commits.load(Relaxed), self.rows.load(Relaxed))
    }

    /// Returns when something was last committed.
    pub fn last_commit(&self) -> Option<Time> {
        Some(self.last_commit.load(Relaxed))
            .filter(|time| *time > 0)
            .map(Time)
    }

    /// Returns the number of messages in memory that have not left the queue.
    pub fn open_messages(&self) -> u64 {
        self.open_messages.load(Relaxed)
    }

    /// Returns the sources by name.
    pub fn sources(&self) -> BTreeMap<String, SourceHealth> {
        self.locked().clone()
    }

    /// Returns for how long the pump and the storing thread have shown no sign of life, the longer of the two. Both
    /// show one each second, and one after each part of work.
    pub fn silence(&self) -> Duration {
        let last = self.pump.load(Relaxed).min(self.storing.load(Relaxed));
        self.start
            .elapsed()
            .saturating_sub(Duration::from_millis(last))
    }

    /// Says how a source is, in a word or two; sources call it when that changes.
    pub fn set_state(&self, source: &str, state: &str) {
        self.source(source, |s| state.clone_into(&mut s.state));
    }

    /// Counts what was read since the last call.
    pub(super) fn take_in(&self, part: &Summary) {
        for (counter, lines) in [
            (&self.understood, part.understood - part.ignored),
            (&self.ignored, part.ignored),
            (&self.foreign, part.foreign),
            (&self.not_understood, part.not_understood + part.undated),
            (&self.known, part.known),
            (&self.lost, part.lost),
        ] {
            counter.fetch_add(lines, Relaxed);
        }
    }

    /// Returns the number of the last part that is stored.
    pub(super) fn stored(&self) -> u64 {
        self.stored.load(Acquire)
    }

    pub(super) fn set_stored(&self, part: u64) {
        self.stored.store(part, Release);
    }

    pub(super) fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Relaxed);
    }

    pub(super) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn pump_lives(&self, open_messages: usize) {
        self.pump.store(self.millis(), Relaxed);
        self.open_messages.store(open_messages as u64, Relaxed);
    }

    pub(super) fn storing_lives(&self) {
        self.storing.store(self.millis(), Relaxed);
    }

    pub(super) fn committed(&self, rows: usize) {
        self.commits.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows as u64, Relaxed);
        let now: Time = chrono::Utc::now().into();
        self.last_commit.store(now.0, Relaxed);
    }

    pub(super) fn source(&self, name: &str, change: impl FnOnce(&mut SourceHealth)) {
        let mut sources = self.locked();
        if !sources.contains_key(name) && sources.len() >= SOURCES {
            let oldest = sources.iter().min_by_key(|(_, s)| s.last_read);
            let oldest = oldest.map(|(name, _)| name.clone()).unwrap_or_default();
            sources.remove(&oldest);
        }
        change(sources.entry(name.to_owned()).or_default());
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, SourceHealth>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
