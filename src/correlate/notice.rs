//! Notice: warnings, errors and notices, counted by template, service and UTC day.
//!
//! Promises: rows carry what was counted since the last drain; the store adds it up. The number of templates of
//! a day is bounded (text in them is hostile): what comes beyond is counted under one template.

use super::{Correlator, Line, text};
use crate::model::row::{Changes, EventRow, Text};
use crate::model::time::{DAY, Time};
use crate::parse;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Templates of one day and host set; real logs have some hundred.
const TEMPLATE_LIMIT: usize = 2000;
/// The template for what exceeds the limit.
const OTHER: &str = "(other)";

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    day: Time,
    host: u32,
    instance: Text,
    service: Text,
    level: Text,
    template: Text,
}

/// Counts since the last drain, and which templates the day has had.
#[derive(Debug, Default)]
pub(super) struct Notices {
    counts: HashMap<Key, EventRow>,
    pub(super) known: Known,
}

/// Templates of the current day: kept over restarts, so that the bound does not depend on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    day: Time,
    hashes: BTreeSet<u64>,
}

impl Known {
    fn admits(&mut self, day: Time, template: &str) -> bool {
        if self.day != day {
            self.day = day;
            self.hashes.clear();
        }
        let hash = hash(template);
        if self.hashes.contains(&hash) {
            return true;
        }
        self.hashes.len() < TEMPLATE_LIMIT && self.hashes.insert(hash)
    }
}

/// FNV-1a: must give the same number in every run. A collision merely admits a template.
fn hash(s: &str) -> u64 {
    s.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Notices {
    pub(super) fn drain(&mut self, out: &mut Changes) {
        let mut rows: Vec<_> = self.counts.drain().collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        out.events.extend(rows.into_iter().map(|(_, row)| row));
    }
}

impl Correlator {
    /// Counts a warning or notice.
    pub(super) fn problem(&mut self, line: &Line<'_>, level: &str, sample: &str) {
        let template = parse::template(sample);
        self.count(line, level, &template, sample);
    }

    /// Counts what was done to mail instead of refusing it: warnings, hold, redirect, warn and their kin.
    pub(super) fn counted_policy(
        &mut self,
        line: &Line<'_>,
        action: &str,
        stage: &str,
        reason: &str,
    ) {
        let text = format!("{action}: {stage}: {reason}");
        self.problem(line, "policy", text.trim_end_matches([':', ' ']));
    }

    /// A record whose trusted fields contradict its identifier: counted, never believed.
    pub(super) fn forged(&mut self, line: &Line<'_>) {
        self.count(line, "warning", "forged record", line.entry.text);
    }

    /// Programs were stopped or begun: connections that were announced are no longer certain.
    pub(super) fn master(&mut self, line: &Line<'_>, text: &str) {
        self.agents.doubt(line.host);
        self.problem(line, "master", text);
    }

    /// Lines were lost: nothing may be concluded from missing lines of the messages that are open there, nor of connections.
    pub(super) fn loss(&mut self, line: &Line<'_>, sample: &str) {
        self.agents.doubt(line.host);
        self.problem(line, "loss", sample);
        let open: Vec<i64> = self
            .mail
            .messages
            .values()
            .filter(|m| m.host == line.host && m.is_open() && !m.row.log_incomplete)
            .map(|m| m.row.id)
            .collect();
        for id in open {
            if let Some(m) = self.mail.edit(id) {
                m.lost_lines();
            }
        }
    }

    fn count(&mut self, line: &Line<'_>, level: &str, template: &str, sample: &str) {
        let day = Time(line.time.0.div_euclid(DAY).saturating_mul(DAY));
        let is_admitted = self.notices.known.admits(day, template);
        let key = Key {
            day,
            host: line.host,
            instance: text(line.instance),
            service: text(line.service),
            level: text(level),
            template: text(if is_admitted { template } else { OTHER }),
        };
        let more = i64::from(line.entry.copies());
        if let Some(row) = self.notices.counts.get_mut(&key) {
            row.first_time = row.first_time.min(line.time);
            row.last_time = row.last_time.max(line.time);
            row.count += more;
            return;
        }
        let row = EventRow {
            day,
            host: self.host_name(line.host),
            instance: key.instance.clone(),
            service: key.service.clone(),
            level: key.level.clone(),
            template: key.template.clone(),
            sample: text(sample),
            first_time: line.time,
            last_time: line.time,
            count: more,
        };
        self.notices.counts.insert(key, row);
    }
}
