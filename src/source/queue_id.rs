//! The time inside a long queue id (grammar 3.1), where it can tell what a stamp leaves open.
//!
//! Written by Postfix `src/global/mail_queue.h` (`MQID_LG_*`).

use crate::model::time::{SECOND, Time};

/// Base 52 without vowels.
const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// Returns when the queue file was made, if `text` begins with a long queue id and a colon.
pub(super) fn created(text: &str) -> Option<Time> {
    let (id, _) = text.split_once(':')?;
    if !(12..=23).contains(&id.len()) {
        return None;
    }
    let (time, inode) = id.rsplit_once('z')?;
    if time.len() < 10 || inode.is_empty() {
        return None;
    }
    number(inode)?;
    let (seconds, micros) = time.split_at_checked(time.len() - 4)?;
    let (seconds, micros) = (number(seconds)?, number(micros)?);
    (micros < SECOND).then_some(())?;
    Some(Time(seconds.checked_mul(SECOND)?.checked_add(micros)?))
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().try_fold(0_i64, |sum, byte| {
        let value = ALPHABET.iter().position(|digit| *digit == byte)?;
        sum.checked_mul(52)?.checked_add(i64::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::created;

    #[test]
    fn test_vectors_of_the_grammar_decode() {
        let micros = |id: &str| created(&format!("{id}: removed")).map(|time| time.0);
        assert_eq!(micros("47NQzY13DbzNWNQG"), Some(1_574_871_769_149_375));
        assert_eq!(micros("3Ps0FS1Zhtz1PFjb"), Some(1_300_484_092_223_646));
        assert_eq!(micros("4fQnFR2wTjz8tX9"), Some(1_772_616_011_412_345));
        assert_eq!(micros("4fQnFz0001z8tX9"), Some(1_772_616_039_000_001));
        for other in [
            "NOQUEUE",
            "64AB9120A53",
            "64AB",
            "47NQzYzNWNQG",
            "47NQAY13DbzNWNQG",
        ] {
            assert_eq!(micros(other), None, "{other}");
        }
    }
}
