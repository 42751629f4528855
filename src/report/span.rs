//! Span: the time that is reported, the spans it is compared with, and how a reader names them.

use crate::model::time::{DAY, Time};
use crate::model::zone::Zone;
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// How many spans a report is compared with.
pub const BEFORE: usize = 4;

/// A span of time and the clock it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First moment.
    pub since: Time,
    /// First moment after it.
    pub until: Time,
    /// It ends now: what is dated in the future belongs to it, too.
    pub is_open: bool,
    /// Zone of its days and hours.
    pub zone: Zone,
    /// Zone in which the reader of the report types times.
    pub reader: Zone,
}

/// Beyond every time in a log.
const EVER: i64 = 36_500 * DAY;

/// A week of days.
const WEEK: u64 = 7;

/// What the span is in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Whole months, so many.
    Months(u32),
    /// Whole days, so many.
    Days(u64),
    /// Anything else.
    Hours,
    /// Everything up to its end.
    All,
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last.
    Month,
}

impl Span {
    /// Returns the day, week or month that the time lies in.
    #[must_use]
    pub fn of_calendar(calendar: Calendar, time: Time, zone: Zone, reader: Zone) -> Self {
        let ends = || {
            let day = zone.local(time)?.date_naive();
            let (first, next) = match calendar {
                Calendar::Day => (day, day.checked_add_days(Days::new(1))?),
                Calendar::Week => {
                    let first = day.week(Weekday::Mon).first_day();
                    (first, first.checked_add_days(Days::new(WEEK))?)
                }
                Calendar::Month => {
                    let first = day.with_day(1)?;
                    (first, first.checked_add_months(Months::new(1))?)
                }
            };
            let at = |day: NaiveDate| zone.instant(day.and_time(NaiveTime::MIN));
            Some((at(first), at(next)))
        };
        let (since, until) = ends().unwrap_or((time, time.plus(DAY)));
        Self {
            since,
            until,
            is_open: false,
            zone,
            reader,
        }
    }

    /// Returns the part of it that is over.
    #[must_use]
    pub fn up_to(self, now: Time) -> Self {
        if self.since < now && now < self.until {
            Self { until: now, ..self }
        } else {
            self
        }
    }

    /// Returns the end to ask the database with.
    #[must_use]
    pub fn last(&self) -> Time {
        if self.is_open {
            self.until.plus(EVER)
        } else {
            self.until
        }
    }

    fn wall(&self, time: Time) -> Option<NaiveDateTime> {
        self.zone.local(time).map(|local| local.naive_local())
    }

    fn shape(&self) -> Shape {
        if self.since.0 <= 0 {
            return Shape::All;
        }
        let (Some(since), Some(until)) = (self.wall(self.since), self.wall(self.until)) else {
            return Shape::All;
        };
        let is_whole = |wall: NaiveDateTime| wall.time() == NaiveTime::MIN;
        if self.is_open || !is_whole(since) || !is_whole(until) || since >= until {
            return Shape::Hours;
        }
        let months = i64::from(until.year() - since.year()) * 12 + i64::from(until.month())
            - i64::from(since.month());
        if since.day() == 1 && until.day() == 1 && months > 0 {
            return Shape::Months(u32::try_from(months).unwrap_or(1));
        }
        let days = until.date().signed_duration_since(since.date()).num_days();
        Shape::Days(u64::try_from(days).unwrap_or(1).max(1))
    }

    /// Returns whether it has more than one day, counted by the clock.
    #[must_use]
    pub fn has_days(&self) -> bool {
        self.until.since(self.since) > DAY + DAY / 12
    }

    /// Returns how a reader names it: `Friday, 2026-11-20`, `2026-11`, `2026-11-20 08:00 to 2026-11-20 09:30 +01:00`.
    #[must_use]
    pub fn name(&self) -> String {
        let moment = |time: Time| match self.zone.local(time) {
            Some(local) => local.format("%Y-%m-%d %H:%M").to_string(),
            None => self.zone.show(time),
        };
        let offset = self.zone.local(self.until);
        let offset = offset.map_or(String::new(), |local| local.format(" %:z").to_string());
        let (since, until) = (self.date(self.since), self.last_date());
        match (self.shape(), since, until) {
            (Shape::All, ..) => format!("everything up to {}{offset}", moment(self.until)),
            (Shape::Days(1), Some(day), _) => day.format("%A, %Y-%m-%d").to_string(),
            (Shape::Days(WEEK), Some(first), Some(last)) if first.weekday() == Weekday::Mon => {
                let week = first.format("%G-W%V");
                format!("week {week}, {first} to {last}")
            }
            (Shape::Days(_), Some(first), Some(last)) => format!("{first} to {last}"),
            (Shape::Months(1), Some(first), _) => first.format("%Y-%m").to_string(),
            (Shape::Months(_), Some(first), Some(last)) => {
                format!("{} to {}", first.format("%Y-%m"), last.format("%Y-%m"))
            }
            _ => format!("{} to {}{offset}", moment(self.since), moment(self.until)),
        }
    }

    fn date(&self, time: Time) -> Option<NaiveDate> {
        self.wall(time).map(|wall| wall.date())
    }

    fn last_date(&self) -> Option<NaiveDate> {
        self.date(self.until.plus(-1))
    }

    /// Returns the options of `maillog find` and `maillog query` for it, as they are typed in a shell.
    #[must_use]
    pub fn options(&self) -> String {
        let typed = |time: Time| match self.zone.local(time) {
            Some(local) if self.zone == self.reader && local.time() == NaiveTime::MIN => {
                local.format("%Y-%m-%d").to_string()
            }
            Some(local) => local.format("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            None => "all".to_owned(),
        };
        match (self.shape(), self.is_open) {
            (Shape::All, true) => "--all".to_owned(),
            (Shape::All, false) => format!("--all --until {}", typed(self.until)),
            (_, true) => format!("--since {}", typed(self.since)),
            (_, false) => format!(
                "--since {} --until {}",
                typed(self.since),
                typed(self.until)
            ),
        }
    }

    /// Returns the option for the moment of its end, with a blank before it; nothing where that is now.
    #[must_use]
    pub fn at_option(&self) -> String {
        match self.zone.local(self.until) {
            Some(local) if !self.is_open => {
                format!(" --at {}", local.format("%Y-%m-%dT%H:%M:%S%.f%:z"))
            }
            _ => String::new(),
        }
    }

    /// Returns the spans it is compared with, the newest first: the same weekdays of the last weeks, or the months before. None where
    /// nothing can be before.
    #[must_use]
    pub fn before(&self) -> Vec<Self> {
        let back = |times: u32| {
            let at = |time: Time| {
                let wall = self.wall(time)?;
                let earlier = match self.shape() {
                    Shape::All => None,
                    Shape::Months(months) => {
                        wall.checked_sub_months(Months::new(months.checked_mul(times)?))
                    }
                    Shape::Days(_) | Shape::Hours => {
                        wall.checked_sub_days(Days::new(self.step() * u64::from(times)))
                    }
                }?;
                Some(self.zone.instant(earlier))
            };
            Some(Self {
                since: at(self.since)?,
                until: at(self.until)?,
                is_open: false,
                ..*self
            })
        };
        (1u32..)
            .take(BEFORE)
            .map_while(back)
            .filter(|span| span.since < span.until)
            .collect()
    }

    /// Returns the days between two of them: whole weeks, so that weekdays are compared with themselves.
    fn step(&self) -> u64 {
        let days = u64::try_from(self.until.since(self.since) / DAY).unwrap_or(0);
        let is_exact = self.until.since(self.since) % DAY == 0;
        // A day of 25 hours is one day.
        let days = match self.shape() {
            Shape::Days(days) => days,
            _ if is_exact => days,
            _ => days + 1,
        };
        days.max(1).div_ceil(WEEK) * WEEK
    }

    /// Returns what [`Span::before`] is, for a sentence: `the four Fridays before`.
    #[must_use]
    pub fn before_name(&self) -> String {
        let day = self
            .date(self.since)
            .map(|day| day.format("%A").to_string());
        match (self.shape(), day) {
            (Shape::Days(1), Some(day)) => format!("the four {day}s before"),
            (Shape::Months(1), _) => "the four months before".to_owned(),
            (Shape::Months(months), _) => format!("the four times {months} months before"),
            _ if self.step() == WEEK => "the same time of the four weeks before".to_owned(),
            _ => format!(
                "the same weekdays, four times {} weeks before",
                self.step() / WEEK
            ),
        }
    }

    /// Returns a short name: the day it begins, or the month.
    #[must_use]
    pub fn short(&self) -> String {
        let format = match self.shape() {
            Shape::Months(_) => "%Y-%m",
            _ => "%Y-%m-%d",
        };
        let local = self.zone.local(self.since);
        local.map_or(String::new(), |local| local.format(format).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        chrono::DateTime::parse_from_rfc3339(text)
            .unwrap()
            .to_utc()
            .into()
    }

    fn span(since: &str, until: &str, zone: &str) -> Span {
        let zone = Zone::of_text(zone).unwrap();
        Span {
            since: at(since),
            until: at(until),
            is_open: false,
            zone,
            reader: zone,
        }
    }

    #[test]
    fn units_of_the_calendar_are_named_and_compared_with_their_like() {
        let day = span("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "UTC");
        assert_eq!(day.name(), "Friday, 2026-11-20");
        assert_eq!(day.before_name(), "the four Fridays before");
        let days: Vec<String> = day.before().iter().map(Span::short).collect();
        assert_eq!(
            days,
            ["2026-11-13", "2026-11-06", "2026-10-30", "2026-10-23"]
        );
        assert_eq!(day.options(), "--since 2026-11-20 --until 2026-11-21");
        let week = span("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "UTC");
        assert_eq!(week.name(), "week 2026-W47, 2026-11-16 to 2026-11-22");
        assert_eq!(week.before()[0].since, at("2026-11-09T00:00:00Z"));
        let month = span("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "UTC");
        assert_eq!(month.name(), "2026-03");
        assert_eq!(month.before()[0].since, at("2026-02-01T00:00:00Z"));
        assert_eq!(month.before()[0].until, at("2026-03-01T00:00:00Z"));
        let ten = span("2026-11-02T00:00:00Z", "2026-11-12T00:00:00Z", "UTC");
        assert_eq!(ten.before()[0].since, at("2026-10-19T00:00:00Z"));
        let hour = span("2026-11-20T08:00:00Z", "2026-11-20T09:30:00Z", "UTC");
        assert_eq!(hour.name(), "2026-11-20 08:00 to 2026-11-20 09:30 +00:00");
        assert_eq!(hour.before()[0].until, at("2026-11-13T09:30:00Z"));
    }

    #[test]
    fn days_of_another_length_are_days() {
        let day = span(
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            "Europe/Berlin",
        );
        assert_eq!(day.name(), "Sunday, 2026-10-25");
        assert!(!day.has_days());
        let before = day.before();
        assert_eq!(before[0].name(), "Sunday, 2026-10-18");
        assert_eq!(before[0].since, at("2026-10-17T22:00:00Z"));
    }

    #[test]
    fn everything_is_compared_with_nothing() {
        let mut all = span("1970-01-01T00:00:00Z", "2026-11-20T00:00:00Z", "UTC");
        assert!(all.before().is_empty());
        assert_eq!(all.options(), "--all --until 2026-11-20");
        all.is_open = true;
        assert_eq!(all.options(), "--all");
    }

    #[test]
    fn another_zone_than_the_readers_is_typed_with_its_offset() {
        let mut day = span(
            "2026-11-19T23:00:00Z",
            "2026-11-20T23:00:00Z",
            "Europe/Berlin",
        );
        day.reader = Zone::UTC;
        assert_eq!(
            day.options(),
            "--since 2026-11-20T00:00:00+01:00 --until 2026-11-21T00:00:00+01:00"
        );
    }
}
