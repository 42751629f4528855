//! How long rows are kept: what belongs together, the days of each, and the times before which rows go.

use super::time::{DAY, Time};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::fmt;

/// Rows that are kept and pruned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Messages with their recipients, attempts, raw lines, and the coverage that vouches for them.
    Deliveries,
    /// Refusals.
    Noqueue,
    /// Sessions.
    Connection,
    /// Logins.
    Auth,
    /// Warnings and notices; lines not understood.
    Event,
    /// Raw lines.
    Lines,
    /// Who asked what.
    Audit,
    /// Listings of Postfix's queue, and their counts.
    Queue,
    /// Mail that maillog sent.
    Mail,
    /// Who asked the signature server what.
    Signature,
}

impl Group {
    /// All of them, in the order of the settings.
    pub const ALL: [Self; 10] = [
        Self::Deliveries,
        Self::Noqueue,
        Self::Connection,
        Self::Auth,
        Self::Event,
        Self::Lines,
        Self::Audit,
        Self::Queue,
        Self::Mail,
        Self::Signature,
    ];

    /// Returns the name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Noqueue => "noqueue",
            Self::Connection => "connection",
            Self::Auth => "auth",
            Self::Event => "event",
            Self::Lines => "lines",
            Self::Audit => "audit",
            Self::Queue => "queue",
            Self::Mail => "mail",
            Self::Signature => "signature",
        }
    }
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many days.
    Days(u32),
    /// For good.
    Forever,
}

/// No setting means more days than this: beyond it times do not fit.
const DAYS_LIMIT: u32 = 36_500;

impl Keep {
    /// Returns the days, a century for ever.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Days(days) => days,
            Self::Forever => DAYS_LIMIT,
        }
    }

    const fn cutoff(self, now: Time) -> Option<Time> {
        match self {
            Self::Days(days) => Some(now.plus(-(days as i64) * DAY)),
            Self::Forever => None,
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(1) => f.write_str("1 day"),
            Self::Days(days) => write!(f, "{days} days"),
            Self::Forever => f.write_str("forever"),
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Days;
        impl Visitor<'_> for Days {
            type Value = Keep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "days from 0 to {DAYS_LIMIT}, or \"forever\"")
            }

            fn visit_i64<E: de::Error>(self, days: i64) -> Result<Keep, E> {
                let days = u32::try_from(days).ok().filter(|days| *days <= DAYS_LIMIT);
                days.map(Keep::Days).ok_or_else(|| {
                    E::custom(format!("write a number of days from 0 to {DAYS_LIMIT}"))
                })
            }

            fn visit_u64<E: de::Error>(self, days: u64) -> Result<Keep, E> {
                self.visit_i64(i64::try_from(days).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Keep, E> {
                match word {
                    "forever" => Ok(Keep::Forever),
                    _ => Err(E::custom("write a number of days, or \"forever\"")),
                }
            }
        }
        deserializer.deserialize_any(Days)
    }
}

/// How long each group is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retain {
    /// [`Group::Deliveries`].
    pub deliveries: Keep,
    /// [`Group::Noqueue`].
    pub noqueue: Keep,
    /// [`Group::Connection`].
    pub connection: Keep,
    /// [`Group::Auth`].
    pub auth: Keep,
    /// [`Group::Event`].
    pub event: Keep,
    /// [`Group::Lines`]; 0 days: they are not stored at all.
    pub lines: Keep,
    /// [`Group::Audit`].
    pub audit: Keep,
    /// [`Group::Queue`].
    pub queue: Keep,
    /// [`Group::Mail`].
    pub mail: Keep,
    /// [`Group::Signature`].
    pub signature: Keep,
}

impl Default for Retain {
    fn default() -> Self {
        Self {
            deliveries: Keep::Days(90),
            noqueue: Keep::Days(30),
            connection: Keep::Days(30),
            auth: Keep::Days(30),
            event: Keep::Days(90),
            lines: Keep::Days(7),
            audit: Keep::Days(90),
            queue: Keep::Days(30),
            mail: Keep::Days(30),
            signature: Keep::Days(30),
        }
    }
}

impl Retain {
    /// Returns how long a group is kept.
    #[must_use]
    pub const fn of(&self, group: Group) -> Keep {
        match group {
            Group::Deliveries => self.deliveries,
            Group::Noqueue => self.noqueue,
            Group::Connection => self.connection,
            Group::Auth => self.auth,
            Group::Event => self.event,
            Group::Lines => self.lines,
            Group::Audit => self.audit,
            Group::Queue => self.queue,
            Group::Mail => self.mail,
            Group::Signature => self.signature,
        }
    }

    /// Returns what goes at `now`.
    #[must_use]
    pub fn cutoffs(&self, now: Time) -> Cutoffs {
        let mut cutoffs = Cutoffs {
            now: Some(now),
            ..Cutoffs::default()
        };
        for group in Group::ALL {
            cutoffs.set(group, self.of(group).cutoff(now));
        }
        // The ledger of a source may vouch for a group as long as any row of it may be there.
        cutoffs.ledger = Group::ALL
            .iter()
            .filter(|group| {
                !matches!(
                    group,
                    Group::Lines | Group::Audit | Group::Queue | Group::Mail | Group::Signature
                )
            })
            .map(|group| cutoffs.of(*group))
            .min()
            .flatten();
        cutoffs
    }
}

/// Times before which the rows of each group go; none: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cutoffs {
    times: [Option<Time>; Group::ALL.len()],
    /// Sources whose last line is older lose their anchors.
    pub ledger: Option<Time>,
    /// The present, by which a log that has ended is told from one that goes on.
    pub now: Option<Time>,
}

impl Cutoffs {
    /// Returns the time of a group.
    #[must_use]
    pub fn of(&self, group: Group) -> Option<Time> {
        self.times.get(group as usize).copied().flatten()
    }

    /// Sets the time of a group.
    pub fn set(&mut self, group: Group, time: Option<Time>) {
        if let Some(place) = self.times.get_mut(group as usize) {
            *place = time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Settings {
        days: Keep,
    }

    fn read(text: &str) -> Result<Keep, String> {
        let settings: Result<Settings, _> = toml::from_str(text);
        settings.map(|s| s.days).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn days_are_a_number_or_forever() {
        assert_eq!(read("days = 90"), Ok(Keep::Days(90)));
        assert_eq!(read("days = \"forever\""), Ok(Keep::Forever));
        assert!(read("days = -1").unwrap_err().contains("from 0 to 36500"));
        assert!(read("days = \"off\"").unwrap_err().contains("forever"));
        assert!(read("days = 1.5").is_err());
    }

    #[test]
    fn what_is_kept_forever_has_no_cutoff_and_keeps_the_ledger() {
        let now = Time(1_795_514_400_000_000);
        let plain = Retain::default().cutoffs(now);
        assert_eq!(plain.of(Group::Lines), Some(now.plus(-7 * DAY)));
        assert_eq!(plain.ledger, Some(now.plus(-90 * DAY)));
        let kept = Retain {
            noqueue: Keep::Forever,
            ..Retain::default()
        };
        let kept = kept.cutoffs(now);
        assert_eq!(kept.of(Group::Noqueue), None);
        assert_eq!(kept.ledger, None);
    }
}
