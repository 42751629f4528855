//! Queue ids: what a long one says about its time (grammar 3.1).

use crate::model::time::{SECOND, Time};

const ALPHABET: &[u8] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// Returns when the queue file of a long id was created; `None` for a short id.
pub(super) fn time(queue_id: &str) -> Option<Time> {
    let (left, _) = queue_id.rsplit_once('z')?;
    if left.len() < 10 || left.len() > 14 {
        return None;
    }
    let (seconds, micros) = left.split_at_checked(left.len() - 4)?;
    let seconds = number(seconds)?;
    let micros = number(micros)?;
    if micros >= SECOND {
        return None;
    }
    Some(Time(seconds.checked_mul(SECOND)?.checked_add(micros)?))
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().try_fold(0i64, |n, byte| {
        let digit = ALPHABET.iter().position(|a| *a == byte)?;
        n.checked_mul(52)?.checked_add(i64::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn long_id_gives_its_time() {
        let at = |id: &str| time(id).map(|t| t.0);
        assert_eq!(at("4fQnFR2wTjz8tX9"), Some(1_772_616_011_412_345));
        assert_eq!(at("4fQnFz0001z8tX9"), Some(1_772_616_039_000_001));
        assert_eq!(at("47NQzY13DbzNWNQG"), Some(1_574_871_769_149_375));
    }

    #[test]
    fn short_id_gives_none() {
        for id in [
            "64AB9120A53",
            "NOQUEUE",
            "47NQzYzNWNQG",
            "47NQAY13DbzNWNQG",
            "",
        ] {
            assert_eq!(time(id), None, "{id}");
        }
    }
}
