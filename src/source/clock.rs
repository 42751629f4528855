//! Clock: stamps of one stream to points in time; keeps what the year and the repeated hour of autumn depend on.
//!
//! Promises: the same stream gives the same times wherever reading was interrupted, for all that matters is in
//! [`Memory`]. A stamp in the usual case costs a few comparisons: the offset is kept for the hour.

use super::queue_id;
use super::stamp::{Stamp, Wall};
use super::year::{self, Date, YearWalk};
use super::zone::{Reading, Zone};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Time};
use chrono::{DateTime, Datelike, NaiveDateTime};
use serde::{Deserialize, Serialize};

/// How far back in time the next line of a repeated hour may be before it counts as the second pass.
const BACKSTEP: i64 = 5 * MINUTE;

/// What a clock must remember across an interruption.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Dates of the stamps without year.
    years: Option<YearWalk>,
    /// Latest time of all stamps that are not in the future.
    latest: Option<Time>,
}

/// Gives stamps their place in time.
#[derive(Debug)]
pub(super) struct Clock {
    zone: Zone,
    first_year: Option<i32>,
    /// Later than this is the future: a day of grace for zones and wrong clocks.
    horizon: Time,
    memory: Memory,
    /// Year, month, day, hour of the last wall clock reading, and that hour's start in UTC.
    hour: Option<(HourKey, i64)>,
}

type HourKey = (i32, u8, u8, u32);

impl Clock {
    /// Returns a clock; `first_year` is the year of the first stamp that has none, where it is known.
    pub(super) fn new(zone: Zone, first_year: Option<i32>, now: Time) -> Self {
        Self {
            zone,
            first_year,
            horizon: now.plus(DAY),
            memory: Memory::default(),
            hour: None,
        }
    }

    /// Returns the clock with what an earlier one remembered.
    pub(super) fn with(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Moves the present.
    pub(super) fn set_now(&mut self, now: Time) {
        self.horizon = now.plus(DAY);
    }

    /// Returns what must be remembered.
    pub(super) fn memory(&self) -> Memory {
        self.memory
    }

    /// Returns the latest time that is not in the future.
    pub(super) fn latest(&self) -> Option<Time> {
        self.memory.latest
    }

    /// Tells whether `time` is more than a day after now.
    pub(super) fn is_future(&self, time: Time) -> bool {
        time > self.horizon
    }

    /// Returns the time of a stamp, and whether summer time leaves a doubt; `text` may hold a long queue id.
    pub(super) fn time(&mut self, stamp: &Stamp<'_>, text: &str) -> (Time, bool) {
        let (time, ambiguous) = match stamp {
            Stamp::Absolute(time, _) => (*time, false),
            Stamp::Wall(wall, zone) => {
                let year = wall.year.unwrap_or_else(|| self.year(wall));
                self.wall_time(year, wall, zone, text)
            }
        };
        if time <= self.horizon && self.memory.latest.is_none_or(|latest| time > latest) {
            self.memory.latest = Some(time);
        }
        (time, ambiguous)
    }

    /// Returns the time of the inner stamp of a nested record, given the outer one.
    ///
    /// The outer one wins when both mean the same second and it says more (grammar 2.1). A clock without zone
    /// inside an absolute time may be in any zone: containers mostly run on UTC.
    pub(super) fn nested_time(
        &mut self,
        outer: &Stamp<'_>,
        inner: &Stamp<'_>,
        text: &str,
    ) -> (Time, bool) {
        let (outer_time, outer_ambiguous) = self.time(outer, text);
        let inner_time = match inner {
            Stamp::Absolute(time, _) => *time,
            Stamp::Wall(wall, _) => {
                let about = date_of(outer_time);
                let year = wall.year.unwrap_or_else(|| nearest_year(wall, about));
                if is_absolute(outer) && same_but_for_zone(wall.as_utc(year), outer_time) {
                    return (outer_time, outer_ambiguous);
                }
                self.wall_time(year, wall, "", text).0
            }
        };
        let agrees = outer_time.since(inner_time).abs() <= 2 * SECOND;
        if agrees && outer.digits() > inner.digits() {
            (outer_time, outer_ambiguous)
        } else {
            (inner_time, false)
        }
    }

    fn year(&mut self, wall: &Wall) -> i32 {
        if let Some(year) = self.memory.years.as_ref().and_then(|y| y.same_day(wall)) {
            return year;
        }
        let limit = date_of(self.horizon);
        let known = self.memory.latest.map(date_of);
        let year = match (&mut self.memory.years, known) {
            (Some(years), known) => {
                if let Some(date) = known {
                    years.learn(date);
                }
                years.step(wall, Some(limit))
            }
            (None, _) if self.first_year.is_some() => self.first_year.unwrap_or_default(),
            (None, Some(date)) => YearWalk::at(date).step(wall, Some(limit)),
            (None, None) => year::last_before(wall, limit),
        };
        let year = leap_or_before(wall, year);
        if self.memory.years.is_none() {
            self.memory.years = Some(YearWalk::start(year, wall));
        }
        year
    }

    fn wall_time(&mut self, year: i32, wall: &Wall, zone: &str, text: &str) -> (Time, bool) {
        let within = i64::from(wall.second % 3600) * SECOND + i64::from(wall.micros);
        let key = (year, wall.month, wall.day, wall.second / 3600);
        if let Some((known, start)) = self.hour
            && known == key
        {
            return (Time(start + within), false);
        }
        let micros = wall.as_utc(year);
        let Some(naive) = naive(micros) else {
            return (Time(micros), true);
        };
        match self.zone.read(naive) {
            Reading::One(offset) => {
                self.keep_hour(key, micros - within, offset);
                (Time(micros - offset * SECOND), false)
            }
            Reading::Skipped(offset) => (Time(micros - offset * SECOND), true),
            Reading::Two(first, second) => {
                if let Some(offset) = self.zone.abbreviated(naive, zone) {
                    return (Time(micros - offset * SECOND), false);
                }
                let first = Time(micros - first * SECOND);
                let second = Time(micros - second * SECOND);
                (self.pass(first, second, text), true)
            }
        }
    }

    /// Chooses between the passes of a repeated hour: by a long queue id, else by the order of the lines.
    fn pass(&self, first: Time, second: Time, text: &str) -> Time {
        if let Some(created) = queue_id::created(text) {
            let age = first.since(created);
            if age < -2 * SECOND && second.since(created) >= -2 * SECOND {
                return second;
            }
            if age.abs() <= 2 * SECOND {
                return first;
            }
        }
        match self.memory.latest {
            Some(latest) if latest.since(first) > BACKSTEP => second,
            _ => first,
        }
    }

    /// Remembers an hour's start, if the whole hour has the one offset (not all changes are at full hours).
    fn keep_hour(&mut self, key: HourKey, start: i64, offset: i64) {
        let whole = [start, start + HOUR - SECOND].into_iter().all(|micros| {
            naive(micros).is_some_and(|naive| self.zone.read(naive) == Reading::One(offset))
        });
        if whole {
            self.hour = Some((key, start - offset * SECOND));
        }
    }
}

fn is_absolute(stamp: &Stamp<'_>) -> bool {
    matches!(stamp, Stamp::Absolute(..))
}

/// Tells whether a clock reading and a time differ by a zone's offset: quarters of hours, at most 14 hours.
fn same_but_for_zone(wall: i64, time: Time) -> bool {
    let apart = Time(wall).since(time);
    let beyond = apart.rem_euclid(15 * MINUTE);
    apart.abs() <= 14 * HOUR + 2 * SECOND && beyond.min(15 * MINUTE - beyond) <= 2 * SECOND
}

/// Returns the year in which the stamp is nearest to `date`.
fn nearest_year(wall: &Wall, (year, day): Date) -> i32 {
    let apart = year::day_of_year(wall.month, wall.day) - day;
    match apart {
        187.. => year - 1,
        -186..=186 => year,
        _ => year + 1,
    }
}

/// Feb 29 outside a leap year shows that the year was wrong: the leap year before is the nearest sure one.
fn leap_or_before(wall: &Wall, mut year: i32) -> i32 {
    while !year::exists(wall, year) {
        year -= 1;
    }
    year
}

fn naive(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc())
}

/// Returns the date of a time in UTC, as the walk through the years counts it.
pub(super) fn date_of(time: Time) -> Date {
    time.to_utc().map_or((1970, 0), |utc| {
        let month = u8::try_from(utc.month()).unwrap_or(1);
        let day = u8::try_from(utc.day()).unwrap_or(1);
        (utc.year(), year::day_of_year(month, day))
    })
}
