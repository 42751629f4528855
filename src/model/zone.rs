//! Zone: the wall clock of a user, for times that are typed and times that are shown.

use super::time::Time;
use chrono::{
    DateTime, FixedOffset, Local, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone,
};
use chrono_tz::Tz;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the IANA database.
    Named(Tz),
    /// A constant offset from UTC.
    Fixed(FixedOffset),
    /// The system's zone, where its name cannot be found out.
    System,
}

impl Zone {
    /// The zone of what is stored.
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// Returns its name in the IANA database, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Named(zone) => Some(zone.name()),
            Self::Fixed(_) | Self::System => None,
        }
    }

    /// Returns the zone as text, for [`Zone::of_text`].
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Named(zone) => zone.name().to_owned(),
            Self::Fixed(offset) => offset.to_string(),
            Self::System => "localtime".to_owned(),
        }
    }

    /// Reads what [`Zone::written`] wrote.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        if text == "localtime" {
            return Some(Self::System);
        }
        let zone = text.parse().map(Self::Named).ok();
        zone.or_else(|| text.parse().map(Self::Fixed).ok())
    }

    /// Returns what the clock shows at `time`; `None` outside the range of `chrono`.
    #[must_use]
    pub fn local(&self, time: Time) -> Option<DateTime<FixedOffset>> {
        let utc = time.to_utc()?;
        let naive = utc.naive_utc();
        let offset = match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(&naive).fix(),
            Self::Fixed(offset) => *offset,
            Self::System => Local.offset_from_utc_datetime(&naive).fix(),
        };
        naive.checked_add_offset(offset)?;
        Some(utc.with_timezone(&offset))
    }

    /// Returns when the clock shows `wall`: the first time where it does so twice, the end of the gap where it never does.
    #[must_use]
    pub fn instant(&self, wall: NaiveDateTime) -> Time {
        match self {
            Self::Named(zone) => instant(zone, wall),
            Self::Fixed(offset) => instant(offset, wall),
            Self::System => instant(&Local, wall),
        }
    }

    /// Returns the time as a person reads it: `2026-11-20 10:00:00 +01:00`, with a fraction where there is one.
    #[must_use]
    pub fn show(&self, time: Time) -> String {
        match self.local(time) {
            Some(t) => t.format("%Y-%m-%d %H:%M:%S%.f %:z").to_string(),
            None => format!("{} us", time.0),
        }
    }
}

fn instant<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> Time {
    let utc = |t: DateTime<Z>| Time(t.timestamp_micros());
    let mut wall = wall;
    // A gap is looked through in steps of its smallest known granularity; none was longer than a day.
    for _ in 0..=96 {
        match zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(t) => return utc(t),
            MappedLocalTime::Ambiguous(first, second) => return utc(first).min(utc(second)),
            MappedLocalTime::None => {}
        }
        let Some(later) = wall.checked_add_signed(TimeDelta::minutes(15)) else {
            break;
        };
        wall = quarter(later);
    }
    Time(wall.and_utc().timestamp_micros())
}

/// Returns the start of the quarter of an hour, so that the end of a gap is met exactly.
fn quarter(wall: NaiveDateTime) -> NaiveDateTime {
    let micros = wall.and_utc().timestamp_micros();
    let start = micros - micros.rem_euclid(15 * super::time::MINUTE);
    DateTime::from_timestamp_micros(start).map_or(wall, |t| t.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn clock_put_forward_gives_the_end_of_the_gap() {
        let zone = Zone::Named(Tz::Europe__Berlin);
        let t = zone.instant(wall("2026-03-29 02:20:00"));
        assert_eq!(zone.show(t), "2026-03-29 03:00:00 +02:00");
    }

    #[test]
    fn clock_put_back_gives_the_first_pass() {
        let zone = Zone::Named(Tz::Europe__Berlin);
        let t = zone.instant(wall("2026-10-25 02:30:00"));
        assert_eq!(zone.show(t), "2026-10-25 02:30:00 +02:00");
    }

    #[test]
    fn times_beyond_any_calendar_are_still_shown() {
        assert_eq!(Zone::UTC.show(Time(i64::MAX)), "9223372036854775807 us");
        assert_eq!(Zone::UTC.show(Time(i64::MIN)), "-9223372036854775808 us");
    }
}
