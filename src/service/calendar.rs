//! Calendar: times of the clock on the wall at which a task runs.
//!
//! A time that does not exist because the clock was put forward is the end of the gap; one that comes twice is the first.
//!
//! Limits: to the minute, as cron.

use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use anyhow::{Result, anyhow};
use chrono::{DateTime, Local, TimeZone};
use croner::{Cron, Direction};
use std::str::FromStr;

/// Times of the clock on the wall, in a zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    text: String,
    cron: Box<Cron>,
    zone: Zone,
}

impl Calendar {
    /// Reads `06:30`, each day at that time, or a pattern as in crontab(5): `30 6 * * mon`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str, zone: Zone) -> Result<Self> {
        let daily = chrono::NaiveTime::parse_from_str(text, "%H:%M");
        let pattern = match daily {
            Ok(time) => time.format("%-M %-H * * *").to_string(),
            // Others mean seconds or years, or a time that never comes.
            Err(_) if text.split_whitespace().count() == 5 => text.to_owned(),
            Err(_) => return Err(anyhow!("not a time such as 06:30: {text}")),
        };
        let cron = Cron::from_str(&pattern)
            .map_err(|error| anyhow!("not a time such as 06:30: {text}: {error}"))?;
        Ok(Self {
            text: text.to_owned(),
            cron: Box::new(cron),
            zone,
        })
    }

    /// Returns it as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the first of its times after `time`; none when there is none in centuries.
    #[must_use]
    pub fn after(&self, time: Time) -> Option<Time> {
        self.find(time, false, Direction::Forward)
    }

    /// Returns the last of its times up to `time`; none when there is none in centuries.
    #[must_use]
    pub fn latest(&self, time: Time) -> Option<Time> {
        self.find(time, true, Direction::Backward)
    }

    fn find(&self, time: Time, is_inclusive: bool, direction: Direction) -> Option<Time> {
        // Its times are whole minutes, so that a second more or less than a whole one is of no account.
        let second = time.plus(-time.0.rem_euclid(SECOND)).to_utc()?;
        match self.zone {
            Zone::Named(zone) => self.search(&second.with_timezone(&zone), is_inclusive, direction),
            Zone::Fixed(zone) => self.search(&second.with_timezone(&zone), is_inclusive, direction),
            Zone::System => self.search(&second.with_timezone(&Local), is_inclusive, direction),
        }
    }

    fn search<Z: TimeZone>(
        &self,
        from: &DateTime<Z>,
        is_inclusive: bool,
        direction: Direction,
    ) -> Option<Time> {
        let found = match direction {
            Direction::Forward => self.cron.find_next_occurrence(from, is_inclusive),
            Direction::Backward => self.cron.find_previous_occurrence(from, is_inclusive),
        };
        found.ok().map(|found| Time(found.timestamp_micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    const BERLIN: Zone = Zone::Named(Tz::Europe__Berlin);

    /// Returns so many times after a time, and checks that each is found again from behind.
    fn times(text: &str, from: &str, count: usize) -> Vec<String> {
        let calendar = Calendar::parse(text, BERLIN).unwrap();
        let mut time = Time(
            DateTime::parse_from_rfc3339(from)
                .unwrap()
                .timestamp_micros(),
        );
        let mut all = Vec::new();
        for _ in 0..count {
            let next = calendar.after(time).unwrap();
            assert!(next > time);
            assert_eq!(calendar.latest(next), Some(next), "{text}");
            assert_eq!(calendar.latest(next.plus(1)), Some(next), "{text}");
            assert_eq!(
                calendar.latest(next.plus(59 * SECOND)),
                Some(next),
                "{text}"
            );
            assert!(
                calendar
                    .latest(next.plus(-1))
                    .is_none_or(|last| last < next)
            );
            assert_eq!(calendar.after(next.plus(-1)), Some(next), "{text}");
            all.push(BERLIN.show(next));
            time = next;
        }
        all
    }

    #[test]
    fn a_time_of_day_comes_each_day() {
        assert_eq!(
            times("06:30", "2026-11-20T06:30:00+01:00", 2),
            ["2026-11-21 06:30:00 +01:00", "2026-11-22 06:30:00 +01:00"]
        );
        assert_eq!(
            times("00:00", "2026-12-30T23:59:59.999+01:00", 2),
            ["2026-12-31 00:00:00 +01:00", "2027-01-01 00:00:00 +01:00"]
        );
    }

    #[test]
    fn a_time_that_is_left_out_is_the_end_of_the_gap() {
        assert_eq!(
            times("02:30", "2026-03-28T12:00:00+01:00", 3),
            [
                "2026-03-29 03:00:00 +02:00",
                "2026-03-30 02:30:00 +02:00",
                "2026-03-31 02:30:00 +02:00"
            ]
        );
    }

    #[test]
    fn a_time_that_comes_twice_counts_once() {
        assert_eq!(
            times("02:30", "2026-10-24T12:00:00+02:00", 2),
            ["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"]
        );
    }

    #[test]
    fn patterns_are_those_of_cron() {
        assert_eq!(
            times("0 7 * * mon", "2026-11-20T12:00:00+01:00", 2),
            ["2026-11-23 07:00:00 +01:00", "2026-11-30 07:00:00 +01:00"]
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "6",
            "24:00",
            "06:60",
            "06:30:00",
            "* * * * * *",
            "0 7 * * nday",
            "@daily",
        ] {
            let refused = Calendar::parse(text, BERLIN).unwrap_err().to_string();
            assert!(refused.starts_with("not a time such as 06:30"), "{refused}");
        }
        assert_eq!(Calendar::parse("06:30", BERLIN).unwrap().text(), "06:30");
        // There is none in centuries.
        let never = Calendar::parse("0 0 31 2 *", BERLIN).unwrap();
        assert_eq!(never.after(Time(0)), None);
    }
}
