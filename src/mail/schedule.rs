//! Schedule: when a mail that could not be handed over is tried again, and until when.

use crate::model::time::{HOUR, MINUTE, Time};

/// The first pause; each is twice as long, up to the longest.
const FIRST: i64 = MINUTE;
/// As Postfix's maximal backoff, rounded: a mail server that is back is found within it.
const LONGEST: i64 = HOUR;

/// Returns when a mail is tried again that was tried so many times, the last at `now`; none when it was made
/// `give_up_after` (microseconds) ago: then it is given up.
#[must_use]
pub fn next(tries: i64, made: Time, now: Time, give_up_after: i64) -> Option<Time> {
    if now.since(made) >= give_up_after {
        return None;
    }
    let doubled = u32::try_from(tries.clamp(1, 12) - 1).unwrap_or_default();
    let pause = FIRST.saturating_mul(1 << doubled).min(LONGEST);
    Some(now.plus(pause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY;

    #[test]
    fn pauses_grow_and_end() {
        let made = Time(1_795_478_400_000_000);
        let (mut now, mut tries, mut pauses) = (made, 0, Vec::new());
        loop {
            tries += 1;
            let Some(then) = next(tries, made, now, 5 * DAY) else {
                break;
            };
            pauses.push(then.since(now) / MINUTE);
            now = then;
        }
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(pauses.is_sorted());
        assert!(now.since(made) >= 5 * DAY && now.since(made) < 5 * DAY + HOUR);
        // A clock that goes back gives nothing up.
        assert!(next(1, made, made.plus(-DAY), 5 * DAY).is_some());
        assert!(next(i64::MAX, made, made, DAY).is_some());
    }
}
