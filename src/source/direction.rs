//! Direction: does a log begin with its newest line, as viewers, `tac` and `journalctl -r` write it?
//!
//! Two kinds of evidence from the first lines: the steps in time from line to line, and the order of what one message goes
//! through (`client=` before `from=` before `status=` before `removed`). A few lines out of order, several hosts in one file
//! and clocks that are set back turn nothing round.
//!
//! Limits: of lines with one and the same time nothing is known.

use crate::model::entry::Entry;
use crate::model::time::{DAY, Time};
use std::collections::HashMap;

/// Stamps without a year may have been given the wrong one.
const YEAR: i64 = 365 * DAY;

/// What the lines so far tell.
#[derive(Debug, Default)]
pub(super) struct Direction {
    last: Option<Time>,
    up: u32,
    down: u32,
    /// From the first line to the last.
    way: i64,
    forth: u32,
    back: u32,
    stages: HashMap<String, u8>,
}

impl Direction {
    /// Looks at the next line.
    pub(super) fn see(&mut self, entry: &Entry<'_>) {
        let Some(time) = entry.time.filter(|_| entry.repeated == 0) else {
            return;
        };
        if let Some(last) = self.last.replace(time) {
            let step = (time.since(last) + YEAR / 2).rem_euclid(YEAR) - YEAR / 2;
            self.way += step;
            self.up += u32::from(step > 0);
            self.down += u32::from(step < 0);
        }
        if let Some((id, rest)) = message(entry.text)
            && let Some(stage) = stage(rest)
            && let Some(before) = self.stages.insert(id.to_owned(), stage)
        {
            self.forth += u32::from(stage > before);
            self.back += u32::from(stage < before);
        }
    }

    /// Tells whether the newest line comes first.
    pub(super) fn is_backward(&self) -> bool {
        let falls = self.way < 0 && self.down > self.up;
        let is_told = self.back + self.forth > 0;
        falls
            && if is_told {
                self.back > 2 * self.forth
            } else {
                self.down >= 2 && self.down > 4 * self.up
            }
    }
}

/// Splits a queue id off, as far as its looks tell it.
fn message(text: &str) -> Option<(&str, &str)> {
    let (id, rest) = text.split_once(": ")?;
    let is_id = (5..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some((id, rest))
}

/// Returns how far a message has come.
fn stage(text: &str) -> Option<u8> {
    let stages = [
        ("client=", 0),
        ("uid=", 0),
        ("message-id=", 1),
        ("from=<", 2),
        ("to=<", 3),
        ("removed", 4),
    ];
    let known = stages.iter().find(|(begin, _)| text.starts_with(begin));
    known.map(|(_, stage)| *stage)
}
