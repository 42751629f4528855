//! Counts per host and UTC hour of what was read: the ledger behind "nothing found".

use super::stats::Class;
use crate::model::cursor::SourceKey;
use crate::model::row::CoverageRow;
use crate::model::time::{HOUR, Time};

/// The counts of the current batch for one source. Few hosts and hours are in play at once, so a short list
/// with the last hit in front is faster than a map.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: Vec<CoverageRow>,
    last: usize,
}

impl Ledger {
    /// Counts a record of `host` at `time`.
    pub fn count(&mut self, host: &str, time: Time, class: Class) {
        let row = self.row(host, time);
        row.lines += 1;
        row.first_time = row.first_time.min(time);
        row.last_time = row.last_time.max(time);
        match class {
            Class::Understood => row.understood += 1,
            Class::Ignored => row.ignored += 1,
            Class::Foreign => row.foreign += 1,
            Class::NotUnderstood => row.not_understood += 1,
            // Without a time it has no row.
            Class::Undated => {}
        }
    }

    /// Counts a record that another source had told.
    pub fn know(&mut self, host: &str, time: Time) {
        let row = self.row(host, time);
        row.known += 1;
        row.first_time = row.first_time.min(time);
        row.last_time = row.last_time.max(time);
    }

    /// Counts `lines` that the log says are missing.
    pub fn lose(&mut self, host: &str, time: Time, lines: u64) {
        self.row(host, time).lost += i64::try_from(lines).unwrap_or(i64::MAX);
    }

    /// Returns the host and time of what was counted first.
    pub fn begins(&self) -> Option<(String, Time)> {
        let row = self.rows.first()?;
        Some((row.host.to_string(), row.first_time))
    }

    /// Hands the counts out as those of `source`, and begins anew.
    pub fn take(&mut self, source: &SourceKey) -> Vec<CoverageRow> {
        self.last = 0;
        for row in &mut self.rows {
            row.source.clone_from(source);
        }
        std::mem::take(&mut self.rows)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the index was just found or pushed"
    )]
    fn row(&mut self, host: &str, time: Time) -> &mut CoverageRow {
        let fits =
            |row: &CoverageRow| (0..HOUR).contains(&time.since(row.hour)) && row.host == host;
        let at_last = self.rows.get(self.last).is_some_and(fits);
        if !at_last {
            self.last = self.rows.iter().rposition(fits).unwrap_or_else(|| {
                self.rows.push(empty(host, time));
                self.rows.len() - 1
            });
        }
        &mut self.rows[self.last]
    }
}

fn empty(host: &str, time: Time) -> CoverageRow {
    CoverageRow {
        source: SourceKey::Stdin,
        host: host.into(),
        hour: time.hour(),
        first_time: time,
        last_time: time,
        lines: 0,
        understood: 0,
        ignored: 0,
        foreign: 0,
        not_understood: 0,
        lost: 0,
        known: 0,
    }
}
