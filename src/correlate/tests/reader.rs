//! A plain reader for the log shapes of the test data: RFC 3164 without year (UTC), RFC 3339.

use crate::model::entry::{Entry, Trust};
use crate::model::time::Time;
use chrono::{DateTime, NaiveDateTime};

/// Reads lines in order; the year goes up when December becomes January.
pub(super) struct Reader {
    year: i32,
    last_month: u32,
}

impl Reader {
    pub(super) fn new(year: i32) -> Self {
        Self {
            year,
            last_month: 0,
        }
    }

    /// Returns the entry of a line; comments and lines without a header are none.
    pub(super) fn entry<'a>(&mut self, raw: &'a str) -> Option<Entry<'a>> {
        let (time, rest) = self.stamp(raw)?;
        let (host, rest) = rest.split_once(' ')?;
        let (tag, text) = rest.split_once(": ").unwrap_or((rest, ""));
        let (ident, pid) = match tag.split_once('[') {
            Some((ident, pid)) => (ident, pid.strip_suffix(']')?.parse().ok()),
            None => (tag, None),
        };
        Some(Entry {
            time: Some(time),
            time_ambiguous: false,
            host,
            ident,
            pid,
            text,
            repeated: 0,
            truncated: false,
            trust: Trust::Unproven,
            raw,
        })
    }

    fn stamp<'a>(&mut self, raw: &'a str) -> Option<(Time, &'a str)> {
        if raw.starts_with(|c: char| c.is_ascii_digit()) {
            let (stamp, rest) = raw.split_once(' ')?;
            let time = DateTime::parse_from_rfc3339(stamp).ok()?;
            return Some((Time(time.timestamp_micros()), rest));
        }
        let (stamp, rest) = raw.split_at_checked(15)?;
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (month, _) = (1u32..)
            .zip(months)
            .find(|(_, name)| stamp.starts_with(name))?;
        if self.last_month == 12 && month == 1 {
            self.year += 1;
        }
        self.last_month = month;
        let day = stamp.get(4..6)?.trim();
        let text = format!("{}-{month}-{day} {}", self.year, stamp.get(7..)?);
        let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok()?;
        Some((
            Time(time.and_utc().timestamp_micros()),
            rest.strip_prefix(' ')?,
        ))
    }
}
