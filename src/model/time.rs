//! Points in time as microseconds, as DuckDB's `TIMESTAMP` and the journal count them.
//!
//! Limits: no zone here; everything that is stored is UTC. Zones are applied where text is read
//! (`source`) and where it is shown (`render`).

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub i64);

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day without leap second.
pub const DAY: i64 = 24 * HOUR;

impl Time {
    /// Returns the time `micros` later (earlier when negative), held at the ends of the range.
    #[must_use]
    pub const fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Returns the microseconds from `earlier` to `self`; negative when `self` is before it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the start of the UTC hour that the time lies in.
    #[must_use]
    pub const fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR).saturating_mul(HOUR))
    }

    /// Returns the same instant for `chrono`; `None` outside its range.
    #[must_use]
    pub fn to_utc(self) -> Option<chrono::DateTime<chrono::Utc>> {
        chrono::DateTime::from_timestamp_micros(self.0)
    }
}

impl From<chrono::DateTime<chrono::Utc>> for Time {
    fn from(t: chrono::DateTime<chrono::Utc>) -> Self {
        Self(t.timestamp_micros())
    }
}
