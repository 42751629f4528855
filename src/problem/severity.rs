//! Severity: how bad a problem is, and how often it is reported.

use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Time};
use serde::{Deserialize, Serialize};

/// How bad a problem is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A problem that is over.
    Info,
    /// A mail that waits, and will be tried again.
    Low,
    /// A mail that failed for a reason of its own.
    Medium,
    /// A mail that failed by policy, trust or time.
    High,
    /// A fault of our own system, or a block of it.
    Critical,
}

/// How often problems of a severity are reported; microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// From one report to the next.
    pub every: i64,
    /// Silence about a source after it was reported.
    pub silence: i64,
    /// The last part of the silence: a problem that is there again in it is recurring. 0 is never.
    pub tail: i64,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// Returns the word for it, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Returns the severity of that name, in any case of letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name().eq_ignore_ascii_case(name))
    }

    /// Returns this severity and the lesser ones, the worst first.
    pub fn downwards(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().rev().filter(move |s| *s <= self)
    }

    /// Returns the periods that hold unless a contact says otherwise (those of Mentat's reporter).
    #[must_use]
    pub const fn periods(self) -> Periods {
        let (every, silence, tail) = match self {
            Self::Info => (DAY, 28 * DAY, 7 * DAY),
            Self::Low => (DAY, 6 * DAY, 2 * DAY),
            Self::Medium => (2 * HOUR, 6 * DAY, 2 * DAY),
            Self::High => (10 * MINUTE, DAY, 12 * HOUR),
            Self::Critical => (10 * MINUTE, 2 * HOUR, 0),
        };
        Periods {
            every,
            silence,
            tail,
        }
    }
}

/// How a run was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On schedule: times are those of the interval (microseconds), and what was reported is not repeated.
    Regular {
        /// Upper bounds are multiples of it.
        interval: i64,
    },
    /// By a person: at once, and everything that is there.
    ByHand,
}

/// The time that a report is about: from `from`, up to and without `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment in it.
    pub from: Time,
    /// The first moment after it.
    pub to: Time,
}

/// Why there is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoWindow {
    /// The last report is less than a period ago.
    #[error("skipped, too soon")]
    TooSoon,
}

/// Returns the upper bound of a run at `now`.
#[must_use]
pub fn upper_bound(now: Time, mode: Mode) -> Time {
    let step = match mode {
        Mode::Regular { interval } => interval.max(SECOND),
        Mode::ByHand => SECOND,
    };
    Time(now.0.div_euclid(step).saturating_mul(step))
}

/// Returns the window of a run with this upper bound; `last` is that of the last run that succeeded for the same contact
/// and severity.
///
/// # Errors
/// When a run on schedule comes too soon.
pub fn window(
    to: Time,
    last: Option<Time>,
    periods: Periods,
    mode: Mode,
) -> Result<Window, NoWindow> {
    let is_regular = matches!(mode, Mode::Regular { .. });
    if is_regular && last.is_some_and(|last| last.plus(periods.every) > to) {
        return Err(NoWindow::TooSoon);
    }
    let from = last.unwrap_or_else(|| to.plus(-periods.every)).min(to);
    Ok(Window { from, to })
}
