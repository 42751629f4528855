//! Year: which year a stamp without one belongs to, from the order of the stamps.
//!
//! One rule: a stamp lies at most [`LATE_DAYS`] before the latest one and less than a year after that. So December
//! to January begins a year, a late line of December 31 belongs to the old one, rotated files put together in the
//! wrong order stay in their year, and a log of several years is counted through.
//!
//! Limits: a log that was silent for more than ten months, or files out of order by more than `LATE_DAYS`, are
//! read as the neighbouring year. Days are counted in years of 12 times 31, so that no leap year matters here.

use super::stamp::{Wall, is_leap};
use serde::{Deserialize, Serialize};

/// How far back in time the next line may be; rotated weekly files in any order stay within it.
const LATE_DAYS: i32 = 45;
/// Days of a year of twelve equal months.
const YEAR_DAYS: i32 = 372;

/// A date as the walk counts it: year, and day of a year of twelve equal months.
pub(super) type Date = (i32, i32);

/// Returns the day of the year, all months counted as 31 days.
pub(super) fn day_of_year(month: u8, day: u8) -> i32 {
    (i32::from(month) - 1) * 31 + i32::from(day) - 1
}

/// The latest date of a stream, and the one of the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct YearWalk {
    latest: Date,
    last: Date,
}

impl YearWalk {
    /// Returns a walk whose first line lies in `year`.
    pub(super) fn start(year: i32, wall: &Wall) -> Self {
        Self::at((year, day_of_year(wall.month, wall.day)))
    }

    /// Returns a walk that has come to `date`.
    pub(super) fn at(date: Date) -> Self {
        Self {
            latest: date,
            last: date,
        }
    }

    /// Returns the latest date so far.
    pub(super) fn latest(&self) -> Date {
        self.latest
    }

    /// Returns the date of the last line.
    pub(super) fn last(&self) -> Date {
        self.last
    }

    /// Returns the year when it is the date of the line before: the usual case.
    pub(super) fn same_day(&self, wall: &Wall) -> Option<i32> {
        let (year, day) = self.last;
        (day == day_of_year(wall.month, wall.day)).then_some(year)
    }

    /// Moves on to the date of the next line and returns its year; beyond `limit` no new year begins.
    pub(super) fn step(&mut self, wall: &Wall, limit: Option<Date>) -> i32 {
        let day = day_of_year(wall.month, wall.day);
        let (latest_year, latest_day) = self.latest;
        let mut year = latest_year;
        if latest_day - day > LATE_DAYS {
            year += 1;
        } else if day - latest_day > YEAR_DAYS - LATE_DAYS {
            year -= 1;
        }
        // A wrong clock or a file out of order, not a year that has not begun yet.
        if limit.is_some_and(|limit| (year, day) > limit)
            && (year > latest_year || day - latest_day > YEAR_DAYS / 2)
        {
            year -= 1;
        }
        self.last = (year, day);
        self.latest = self.latest.max(self.last);
        year
    }

    /// Takes notice of a date that another stamp of the stream told with its year.
    pub(super) fn learn(&mut self, date: Date) {
        self.latest = self.latest.max(date);
    }
}

/// Returns the year of a stamp that a line of the date `next` follows; only the days of `last` count.
pub(super) fn before((year, day): Date, last: Date) -> i32 {
    let apart = last.1 - day;
    if apart > LATE_DAYS {
        year - 1
    } else {
        year + i32::from(apart < LATE_DAYS - YEAR_DAYS)
    }
}

/// Returns the last year in which the stamp is not after `limit`.
pub(super) fn last_before(wall: &Wall, limit: Date) -> i32 {
    let day = day_of_year(wall.month, wall.day);
    let mut year = limit.0 - i32::from(day > limit.1);
    while !exists(wall, year) {
        year -= 1;
    }
    year
}

/// Tells whether `year` has the date; only Feb 29 can be missing.
pub(super) fn exists(wall: &Wall, year: i32) -> bool {
    wall.month != 2 || wall.day != 29 || is_leap(year)
}
