//! What an ingestion did, for the closing lines and for programs (`--json`).

use crate::check::Finding;
use crate::model::event::Event;
use crate::model::row::Changes;
use crate::model::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Counts of one run. Lines are records: a record of several lines (`-o export`) counts as one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Files that were opened.
    pub files: u64,
    /// Of these, files that held nothing new.
    pub files_known: u64,
    /// Paths left out of a directory, with the reason.
    pub skipped: Vec<String>,
    /// What failed, each with its file; what was readable before is stored.
    pub failures: Vec<String>,
    /// Records read.
    pub lines: u64,
    /// Records of Postfix or of a neighbour whose meaning is known.
    pub understood: u64,
    /// Of these, known to have no bearing on mail.
    pub ignored: u64,
    /// Records of other programs.
    pub foreign: u64,
    /// Records of Postfix that nothing here knows; `maillog status` shows their templates.
    pub not_understood: u64,
    /// Records that another source had told: kept once, and counted in none of the above but `lines`.
    #[serde(default)]
    pub known: u64,
    /// The other sources.
    #[serde(default)]
    pub known_from: BTreeSet<String>,
    /// Records that tell no time of their own: stored nowhere.
    pub undated: u64,
    /// The first of them, as read.
    pub undated_sample: Option<String>,
    /// Inputs of which not one line was understood.
    pub opaque: Vec<Opaque>,
    /// Records that the log itself says were lost.
    pub lost: u64,
    /// Messages that were new.
    pub messages: u64,
    /// Recipients that were new.
    pub recipients: u64,
    /// Refusals.
    pub refusals: u64,
    /// Hosts by name.
    pub hosts: BTreeSet<String>,
    /// Earliest time read.
    pub first_time: Option<Time>,
    /// Latest time read.
    pub last_time: Option<Time>,
    /// Records with a time more than a day ahead of the clock.
    pub future: u64,
    /// Bytes of log, uncompressed.
    pub bytes: u64,
    /// Messages that are past retention already.
    #[serde(default)]
    pub past_messages: u64,
    /// Refusals that are.
    #[serde(default)]
    pub past_refusals: u64,
    /// What looks wrong.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Wall time, last commit included.
    pub seconds: f64,
    /// `lines / seconds`.
    pub lines_per_second: f64,
}

/// An input that was read from its beginning and not understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// Path or name.
    pub name: String,
    /// Its records.
    pub lines: u64,
    /// The first of them, as read.
    pub sample: String,
}

/// How a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Known, and bears on mail, sessions or events.
    Understood,
    /// Known and without bearing.
    Ignored,
    /// Not Postfix.
    Foreign,
    /// Postfix, unknown.
    NotUnderstood,
    /// Whatever it says, it does not say when.
    Undated,
}

impl Class {
    /// Returns how a record of that time counts.
    #[must_use]
    pub const fn at(time: Option<Time>, event: &Event<'_>) -> Self {
        match time {
            Some(_) => Self::of(event),
            None => Self::Undated,
        }
    }

    /// Returns how the meaning of a record counts.
    #[must_use]
    pub const fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Ignored => Self::Ignored,
            Event::Foreign => Self::Foreign,
            Event::Other { .. } => Self::NotUnderstood,
            Event::Connect { .. }
            | Event::Disconnect { .. }
            | Event::Postscreen { .. }
            | Event::Abort { .. }
            | Event::Tls { .. }
            | Event::AuthFailure { .. }
            | Event::Accept { .. }
            | Event::ProxyAccept { .. }
            | Event::Policy(_)
            | Event::Content(_)
            | Event::Refusal { .. }
            | Event::Problem { .. }
            | Event::Master { .. }
            | Event::Loss { .. }
            | Event::SuperSummary { .. }
            | Event::Neighbour(_)
            | Event::Pickup { .. }
            | Event::MessageId { .. }
            | Event::Active { .. }
            | Event::Delivery(_)
            | Event::Expired { .. }
            | Event::Removed { .. }
            | Event::Notification { .. }
            | Event::Super { .. }
            | Event::Corrupt { .. }
            | Event::Passing { .. }
            | Event::AttemptNote { .. }
            | Event::Note { .. } => Self::Understood,
        }
    }
}

impl Summary {
    /// Counts one record.
    pub fn count(&mut self, class: Class) {
        self.lines += 1;
        match class {
            Class::Understood => self.understood += 1,
            Class::Ignored => {
                self.understood += 1;
                self.ignored += 1;
            }
            Class::Foreign => self.foreign += 1,
            Class::NotUnderstood => self.not_understood += 1,
            Class::Undated => self.undated += 1,
        }
    }

    /// Counts the new rows of one batch.
    pub fn add(&mut self, changes: &Changes) {
        self.messages += changes.from_inserts.len() as u64;
        self.messages = self
            .messages
            .saturating_sub(changes.from_deletes.len() as u64);
        self.recipients += changes.to_inserts.len() as u64;
        self.recipients = self
            .recipients
            .saturating_sub(changes.to_deletes.len() as u64);
        self.refusals += changes
            .noqueues
            .iter()
            .map(|r| u64::from(r.count.unsigned_abs()))
            .sum::<u64>();
    }

    /// Closes the counts after `seconds`.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn finish(&mut self, seconds: f64) {
        self.seconds = seconds;
        self.lines_per_second = self.lines as f64 / seconds.max(0.001);
    }

    /// Adds the counts of records of a part.
    pub fn take_in(&mut self, part: &Self) {
        self.lines += part.lines;
        self.understood += part.understood;
        self.ignored += part.ignored;
        self.foreign += part.foreign;
        self.not_understood += part.not_understood;
        self.known += part.known;
        self.known_from.extend(part.known_from.iter().cloned());
        self.undated += part.undated;
        if self.undated_sample.is_none() {
            self.undated_sample.clone_from(&part.undated_sample);
        }
        self.opaque.extend(part.opaque.iter().cloned());
        self.lost += part.lost;
        self.future += part.future;
        part.first_time.into_iter().for_each(|time| self.see(time));
        part.last_time.into_iter().for_each(|time| self.see(time));
    }

    /// Widens the span of time.
    pub fn see(&mut self, time: Time) {
        self.first_time = Some(self.first_time.map_or(time, |t| t.min(time)));
        self.last_time = Some(self.last_time.map_or(time, |t| t.max(time)));
    }
}
