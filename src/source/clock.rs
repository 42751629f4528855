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

/// Two stamps of one line are so near when both are read rightly: the outer one is written when the line arrives.
const NEAR: i64 = 7 * MINUTE;
/// A line that took longer to arrive, in a stream whose inner clock is known, took at most this long.
const LATE: i64 = HOUR - MINUTE;

/// How far back in time the next line of a repeated hour may be before it counts as the second pass.
const BACKSTEP: i64 = 5 * MINUTE;

/// What a clock must remember across an interruption.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Dates of the stamps without year.
    years: Option<YearWalk>,
    /// Latest time of all stamps that are not in the future.
    latest: Option<Time>,
    /// How the clock is set whose stamps stand inside others and name no zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner: Option<Inner>,
}

/// Which zone an inner clock is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Inner {
    /// The zone of stamps that name none.
    Zone,
    /// So many microseconds ahead of UTC.
    Ahead(i64),
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

    /// Returns the time of a stamp that may be an old one: nothing is learnt from it, and it lies as near as it can.
    #[cold]
    pub(super) fn time_aside(&mut self, stamp: &Stamp<'_>, text: &str) -> (Time, bool) {
        let memory = self.memory;
        let result = match (stamp, memory.latest) {
            (Stamp::Wall(wall, zone), Some(latest)) => {
                let nearest = || nearest_year(wall, date_of(latest));
                let year = leap_or_before(wall, wall.year.unwrap_or_else(nearest));
                self.wall_time(year, wall, zone, text)
            }
            _ => self.time(stamp, text),
        };
        self.memory = memory;
        result
    }

    /// Returns the time of the inner stamp of a nested record, given the outer one.
    ///
    /// The inner one is the writer's. The outer one wins when both mean the same second and it says more (grammar 2.1).
    pub(super) fn nested_time(
        &mut self,
        outer: &Stamp<'_>,
        inner: &Stamp<'_>,
        text: &str,
    ) -> (Time, bool) {
        let (outer_time, outer_ambiguous) = self.time(outer, text);
        let inner_time = match inner {
            Stamp::Absolute(time, _) => *time,
            Stamp::Wall(wall, _) => self.inner_time(outer, outer_time, wall, text),
        };
        let agrees = outer_time.since(inner_time).abs() <= 2 * SECOND;
        if agrees && outer.digits() > inner.digits() {
            (outer_time, outer_ambiguous)
        } else {
            (inner_time, false)
        }
    }

    /// Returns what an inner clock without zone means. It may be in any zone, containers mostly run on UTC: the reading
    /// that agrees with the outer stamp is right. Of two clocks in different zones, neither of which is named, one is in
    /// the zone of stamps that name none, and the other one on UTC before it is anywhere else.
    fn inner_time(&mut self, outer: &Stamp<'_>, arrived: Time, wall: &Wall, text: &str) -> Time {
        let nearest = || nearest_year(wall, date_of(arrived));
        let year = leap_or_before(wall, wall.year.unwrap_or_else(nearest));
        let zoned = self.wall_time(year, wall, "", text).0;
        let utc = Time(wall.as_utc(year));
        let is_near = |time: Time, other: Time| time.since(other).abs() <= NEAR;
        let read_by = |inner: Inner| match inner {
            Inner::Zone => zoned,
            Inner::Ahead(micros) => utc.plus(-micros),
        };
        let outer_on_utc = match outer {
            Stamp::Wall(outer, _) => Some(Time(outer.as_utc(outer.year.unwrap_or(year)))),
            Stamp::Absolute(..) => None,
        };
        let found = if is_near(arrived, zoned) {
            Some(Inner::Zone)
        } else if is_near(arrived, utc) {
            Some(Inner::Ahead(0))
        } else if let Some(known) = self.memory.inner
            && (0..LATE).contains(&arrived.since(read_by(known)))
        {
            return read_by(known);
        } else if outer_on_utc.is_some_and(|outer| is_near(outer, zoned)) {
            Some(Inner::Zone)
        } else {
            // The zone is UTC and explains neither clock: then the writer's is believed.
            let is_believed = outer_on_utc.is_some() && zoned == utc;
            quarters(utc.since(arrived))
                .filter(|_| !is_believed)
                .map(Inner::Ahead)
        };
        self.memory.inner = found.or(self.memory.inner);
        found.map_or(zoned, read_by)
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

/// Returns the offset of a zone, quarters of hours up to 14 hours, that two clock readings are apart.
fn quarters(apart: i64) -> Option<i64> {
    const QUARTER: i64 = 15 * MINUTE;
    let whole = (apart + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let is_offset = (apart - whole).abs() <= 2 * SECOND && whole.abs() <= 14 * HOUR;
    is_offset.then_some(whole)
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
