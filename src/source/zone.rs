//! Zone: what a wall clock reading means, where summer time makes it mean two things or nothing.

use super::error::Error;
pub use crate::model::zone::Zone;
use chrono::{FixedOffset, Local, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, TZ_VARIANTS};

/// What a wall clock reading can mean, in seconds that the clock is ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// One point in time.
    One(i64),
    /// The hour is repeated: first pass, second pass.
    Two(i64, i64),
    /// The hour is left out: the clock was not put forward, so the offset before counts.
    Skipped(i64),
}

impl Zone {
    /// Reads a zone as users write it: an IANA name, `UTC`, or an offset such as `+02:00`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Some(offset) = parse_offset(text) {
            return Ok(Self::Fixed(offset));
        }
        TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .map(|zone| Self::Named(*zone))
            .ok_or_else(|| Error::Zone(text.to_owned()))
    }

    /// Returns the system's zone: `TZ`, else `/etc/localtime`, else `/etc/timezone`.
    #[must_use]
    pub fn system() -> Self {
        let name = match std::env::var("TZ") {
            Ok(name) if !name.is_empty() => Some(name.trim_start_matches(':').to_owned()),
            _ => linked_zone().or_else(|| std::fs::read_to_string("/etc/timezone").ok()),
        };
        name.and_then(|name| name.trim().parse().ok())
            .map_or(Self::System, Self::Named)
    }

    /// Returns what `wall` can mean here.
    pub(super) fn read(self, wall: NaiveDateTime) -> Reading {
        match self {
            Self::Named(zone) => reading(&zone, wall),
            Self::Fixed(offset) => Reading::One(i64::from(offset.local_minus_utc())),
            Self::System => reading(&Local, wall),
        }
    }

    /// Returns the offset that the abbreviation names around `wall`, if it names one there.
    pub(super) fn abbreviated(self, wall: NaiveDateTime, abbreviation: &str) -> Option<i64> {
        let Self::Named(zone) = self else { return None };
        let offsets = zone.offset_from_local_datetime(&wall);
        [offsets.earliest(), offsets.latest()]
            .into_iter()
            .flatten()
            .find(|offset| offset.abbreviation() == Some(abbreviation))
            .map(|offset| i64::from(offset.fix().local_minus_utc()))
    }
}

fn reading<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> Reading {
    let seconds = |offset: Z::Offset| i64::from(offset.fix().local_minus_utc());
    match zone.offset_from_local_datetime(&wall) {
        MappedLocalTime::Single(offset) => Reading::One(seconds(offset)),
        MappedLocalTime::Ambiguous(first, second) => {
            let (first, second) = (seconds(first), seconds(second));
            // The clock that is further ahead of UTC shows the reading first.
            Reading::Two(first.max(second), first.min(second))
        }
        MappedLocalTime::None => Reading::Skipped(offset_before(zone, wall)),
    }
}

/// Returns the offset in force before the gap that `wall` lies in; no gap was longer than a day.
fn offset_before<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> i64 {
    [3, 25]
        .into_iter()
        .filter_map(|hours| wall.checked_sub_signed(chrono::TimeDelta::hours(hours)))
        .find_map(|earlier| zone.offset_from_local_datetime(&earlier).latest())
        .map_or(0, |offset| i64::from(offset.fix().local_minus_utc()))
}

fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(parts), 5) => parts,
        (None, 4) => digits.split_at_checked(2)?,
        (None, 1 | 2) => (digits, "0"),
        _ => return None,
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (plain(hours) && plain(minutes)).then_some(())?;
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    (hours < 24 && minutes < 60).then_some(())?;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

fn linked_zone() -> Option<String> {
    let target = std::fs::canonicalize("/etc/localtime").ok()?;
    let (_, name) = target.to_str()?.split_once("/zoneinfo/")?;
    Some(name.to_owned())
}
