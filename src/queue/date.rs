//! Date: the time of a text listing, which names no year.
//!
//! It is this year, or if that lies in the future the same date last year; a 29th of February is that of the last leap year.

use crate::model::time::{MINUTE, Time};
use crate::model::zone::Zone;
use chrono::{Datelike, NaiveDate, NaiveTime};

/// A clock may be ahead, and a mail may arrive while the listing is made.
const SLACK: i64 = 5 * MINUTE;

/// Years that are looked back: a leap day is at most eight years ago.
const YEARS: i32 = 8;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Reads `Sat Nov 21 03:21:48` as its fields; `None` when it is no time.
pub(super) fn parse(fields: [&str; 4], now: Time, zone: Zone) -> Option<Time> {
    let [weekday, month, day, clock] = fields;
    let is_weekday = weekday.len() == 3 && weekday.bytes().all(|b| b.is_ascii_alphabetic());
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let month = u32::try_from(month).ok()? + 1;
    let is_number = |text: &str| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    let day: u32 = day.parse().ok().filter(|_| is_weekday && is_number(day))?;
    let clock = NaiveTime::parse_from_str(clock, "%H:%M:%S").ok()?;
    let this_year = zone.local(now)?.year();
    // At the turn of the year what came a moment ago may be next year's.
    (-1..=YEARS).find_map(|back| {
        let date = NaiveDate::from_ymd_opt(this_year.checked_sub(back)?, month, day)?;
        let time = zone.instant(date.and_time(clock));
        (time.since(now) <= SLACK).then_some(time)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn at(text: &str) -> Time {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    fn read(text: &str, now: &str) -> Option<String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let time = parse(fields.try_into().ok()?, at(now), Zone::UTC)?;
        Some(Zone::UTC.show(time))
    }

    #[test]
    fn a_date_lies_in_this_year_or_in_the_last() {
        for (text, now, shown) in [
            (
                "Sat Nov 21 03:21:48",
                "2026-11-28T00:00:00Z",
                Some("2026-11-21 03:21:48 +00:00"),
            ),
            (
                "Thu Dec 31 23:59:59",
                "2026-01-01T00:10:00Z",
                Some("2025-12-31 23:59:59 +00:00"),
            ),
            (
                "Thu Jan  1 00:00:01",
                "2026-01-01T00:10:00Z",
                Some("2026-01-01 00:00:01 +00:00"),
            ),
            (
                "Thu Jan  1 00:00:01",
                "2025-12-31T23:59:59Z",
                Some("2026-01-01 00:00:01 +00:00"),
            ),
            (
                "Fri Jan  2 00:00:01",
                "2025-12-31T23:59:59Z",
                Some("2025-01-02 00:00:01 +00:00"),
            ),
            (
                "Sun Nov 29 00:00:00",
                "2026-11-28T00:00:00Z",
                Some("2025-11-29 00:00:00 +00:00"),
            ),
            (
                "Mon Feb 29 12:00:00",
                "2026-11-28T00:00:00Z",
                Some("2024-02-29 12:00:00 +00:00"),
            ),
            ("Mon Feb 30 12:00:00", "2026-11-28T00:00:00Z", None),
            ("Mon Foo 30 12:00:00", "2026-11-28T00:00:00Z", None),
            ("Mon Nov 30 25:00:00", "2026-11-28T00:00:00Z", None),
            ("Mond Nov 3 05:00:00", "2026-11-28T00:00:00Z", None),
        ] {
            assert_eq!(read(text, now).as_deref(), shown, "{text} at {now}");
        }
    }
}
