//! Backoff: how long Postfix waits between two attempts -> when the next one is due.

use super::postfix::Postfix;
use crate::model::time::{SECOND, Time};
use crate::query::time::parse_length;

/// How long Postfix waits between attempts, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// `minimal_backoff_time`.
    pub least: i64,
    /// `maximal_backoff_time`.
    pub most: i64,
}

impl Postfix {
    /// Returns the times of the settings; Postfix's defaults where it does not tell.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        let [least, most] = self.settings(["minimal_backoff_time", "maximal_backoff_time"]);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "settings are below a century"
        )]
        let micros = |text: Option<String>, default: i64| {
            let seconds = text.and_then(|text| parse_length(&text));
            let seconds = seconds.filter(|s| *s >= 0.0 && *s < 3e9);
            seconds.map_or(default * SECOND, |s| s as i64 * SECOND)
        };
        Backoff {
            least: micros(least, 300),
            most: micros(most, 4000),
        }
    }
}

impl Backoff {
    /// Returns when the next attempt is due: Postfix waits as long as the mail is old, within its limits.
    #[must_use]
    pub fn next(self, last: Time, arrival: Time) -> Time {
        let wait = last
            .since(arrival)
            .clamp(self.least, self.most.max(self.least));
        last.plus(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::MINUTE;

    #[test]
    fn a_mail_waits_as_long_as_it_is_old_within_limits() {
        let backoff = Backoff {
            least: 5 * MINUTE,
            most: 60 * MINUTE,
        };
        let arrival = Time(1_795_514_400 * SECOND);
        for (age, wait) in [(1, 5), (20, 20), (600, 60)] {
            let last = arrival.plus(age * MINUTE);
            assert_eq!(backoff.next(last, arrival), last.plus(wait * MINUTE));
        }
    }
}
