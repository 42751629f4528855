//! Coverage: what log was read for a window, so that "nothing found" means something.

use super::Ask;
use crate::model::table::{Cell, Param};
use crate::model::time::{HOUR, Time};
use crate::store;

/// Per host: first and last time, lines, not understood, lost, and hours without a line between the two.
const HOSTS: &str = "\
SELECT
    host, min(first_time), max(last_time), sum(lines)::BIGINT, sum(not_understood)::BIGINT, sum(lost)::BIGINT,
    date_diff('hour', min(hour), max(hour)) + 1 - count(DISTINCT hour)
FROM coverage
WHERE hour >= ? AND hour <= ? AND understood > 0
GROUP BY host
ORDER BY host";

/// The longest spans without a line.
const GAPS: &str = "\
WITH hours AS (
    SELECT host, hour, min(first_time) AS first_time, max(last_time) AS last_time
    FROM coverage
    WHERE hour >= ? AND hour <= ? AND understood > 0
    GROUP BY host, hour
),
spans AS (
    SELECT
        host, lag(last_time) OVER (PARTITION BY host ORDER BY hour) AS from_time, first_time AS to_time,
        date_diff('hour', lag(hour) OVER (PARTITION BY host ORDER BY hour), hour) AS hours
    FROM hours
)
SELECT host, from_time, to_time
FROM spans
WHERE hours > 1
ORDER BY to_time - from_time DESC, host, from_time
LIMIT 3";

/// Of what time there is log at all.
const REACH: &str = "SELECT min(first_time), max(last_time) FROM coverage WHERE understood > 0";

/// The statements of this file.
pub const STATEMENTS: [&str; 3] = [HOSTS, GAPS, REACH];

/// What was read of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name; empty where the log names none.
    pub name: String,
    /// Time of the first line.
    pub first: Time,
    /// Time of the last line.
    pub last: Time,
    /// Lines.
    pub lines: i64,
    /// Those that were not understood.
    pub not_understood: i64,
    /// Lines that were lost before they were read.
    pub lost: i64,
    /// Hours between the first and the last line without any.
    pub silent_hours: i64,
}

/// A span without a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Of which host.
    pub host: String,
    /// The last line before it.
    pub from: Time,
    /// The first line behind it.
    pub to: Time,
}

/// What was read for a window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Each host of which something was read.
    pub hosts: Vec<Host>,
    /// The longest spans without a line.
    pub gaps: Vec<Gap>,
    /// Where nothing was read: of what time there is log instead, if of any.
    pub reach: Option<(Time, Time)>,
}

/// Why "nothing found" is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProof {
    /// Lines were lost.
    Lost,
    /// Some lines were not understood.
    NotUnderstood,
    /// There are hours without a line.
    Gaps,
    /// The log begins later than the window.
    Begins(Time),
    /// The log ends before the window does.
    Ends(Time),
}

impl Coverage {
    /// Asks what was read between the two times; open where none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(asked: &dyn Ask, window: (Option<Time>, Option<Time>)) -> Result<Self, store::Error> {
        let since = window.0.map_or(Time(0), Time::hour);
        let until = window.1.unwrap_or(Time(i64::MAX / HOUR * HOUR / 2));
        let params = [Param::Time(since), Param::Time(until)];
        let hosts = asked.rows(HOSTS, &params)?;
        if hosts.rows.is_empty() {
            let reach = asked.rows(REACH, &[])?;
            let reach = match reach.rows.first().map(Vec::as_slice) {
                Some([Cell::Time(first), Cell::Time(last)]) => Some((*first, *last)),
                _ => None,
            };
            return Ok(Self {
                reach,
                ..Self::default()
            });
        }
        let gaps = asked.rows(GAPS, &params)?;
        Ok(Self {
            hosts: hosts.rows.iter().filter_map(|row| host(row)).collect(),
            gaps: gaps.rows.iter().filter_map(|row| gap(row)).collect(),
            reach: None,
        })
    }

    /// Returns why nothing found would be no proof, at `now`.
    #[must_use]
    pub fn doubts(&self, window: (Option<Time>, Option<Time>), now: Time) -> Vec<NoProof> {
        let any = |count: fn(&Host) -> i64| self.hosts.iter().any(|host| count(host) > 0);
        let first = self.hosts.iter().map(|host| host.first).min();
        let last = self.hosts.iter().map(|host| host.last).max();
        let end = window.1.unwrap_or(now).min(now);
        let begins = window.0.zip(first);
        let begins = begins.filter(|(since, first)| first.since(*since) > HOUR);
        let ends = last.filter(|last| end.since(*last) > HOUR);
        let doubts = [
            any(|host| host.lost).then_some(NoProof::Lost),
            any(|host| host.not_understood).then_some(NoProof::NotUnderstood),
            any(|host| host.silent_hours).then_some(NoProof::Gaps),
            begins.map(|(_, first)| NoProof::Begins(first)),
            ends.map(NoProof::Ends),
        ];
        doubts.into_iter().flatten().collect()
    }
}

fn host(row: &[Cell]) -> Option<Host> {
    let [
        Cell::Text(name),
        Cell::Time(first),
        Cell::Time(last),
        Cell::Int(lines),
        Cell::Int(not_understood),
        Cell::Int(lost),
        Cell::Int(silent_hours),
    ] = row
    else {
        return None;
    };
    Some(Host {
        name: name.clone(),
        first: *first,
        last: *last,
        lines: *lines,
        not_understood: *not_understood,
        lost: *lost,
        silent_hours: *silent_hours,
    })
}

fn gap(row: &[Cell]) -> Option<Gap> {
    let [Cell::Text(host), Cell::Time(from), Cell::Time(to)] = row else {
        return None;
    };
    Some(Gap {
        host: host.clone(),
        from: *from,
        to: *to,
    })
}
