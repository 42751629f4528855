//! Queue ids: recognition of both forms, and what a long one tells about its message.
//!
//! Postfix: `global/mail_queue.c`, `global/mail_queue.h`. Limits: a short id holds no date, so nothing is
//! decoded from it; ids of other mail systems are not recognised.

use crate::model::time::{SECOND, Time};

/// Digits of the base 52 and base 51 numbers in long ids, in the order of their values.
const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
/// Characters of a long id in front of its last `z`: at least six of seconds, four of microseconds.
const LONG_TIME_MIN: usize = 10;

const HEX: u8 = 0x40;
const LONG: u8 = 0x80;
const VALUE: u8 = 0x3f;

/// For each byte: whether it is a digit of a short id, of a long id, and its value in the latter.
const CLASS: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "compile time")]
#[expect(clippy::cast_possible_truncation, reason = "below 52")]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        table[ALPHABET[value] as usize] = LONG | value as u8;
        value += 1;
    }
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789ABCDEF"[digit] as usize] |= HEX;
        digit += 1;
    }
    table
}

/// Returns what the table knows of a byte.
fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or(0)
}

/// What a long queue id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongId {
    /// When the queue file was created.
    pub time: Time,
    /// The inode of the queue file.
    pub inode: u64,
}

/// Returns whether the whole text is a queue id, short or long.
#[must_use]
pub fn is_queue_id(text: &str) -> bool {
    let all = text.bytes().fold(HEX | LONG, |all, byte| all & class(byte));
    is_id_of(text, all)
}

/// Tells whether the text is a queue id, where `all` is what is true of all its bytes.
fn is_id_of(text: &str, all: u8) -> bool {
    all & HEX != 0 && (6..=21).contains(&text.len())
        || all & LONG != 0 && long_parts(text).is_some()
}

/// Splits `{queue_id}: {rest}`.
#[must_use]
pub fn split(text: &str) -> Option<(&str, &str)> {
    let mut all = HEX | LONG;
    let end = text.bytes().take(24).position(|byte| {
        let class = class(byte);
        all &= if class == 0 { all } else { class };
        class == 0
    })?;
    let (id, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix(": ")?;
    is_id_of(id, all).then_some((id, rest))
}

/// Splits a long id at its last `z` into time and inode digits.
fn long_parts(id: &str) -> Option<(&str, &str)> {
    let last = id.bytes().rposition(|byte| byte == b'z')?;
    let (time, inode) = (id.get(..last)?, id.get(last + 1..)?);
    let fits = time.len() >= LONG_TIME_MIN && !inode.is_empty() && id.len() <= 23;
    fits.then_some((time, inode))
}

/// Decodes a long queue id; `None` for a short one or none at all.
///
/// ```
/// let id = maillog::parse::queue_id::decode("4fQnFR2wTjz8tX9").unwrap();
/// assert_eq!(id.inode, 1_182_291);
/// assert_eq!(id.time.0, 1_772_616_011_412_345);
/// ```
#[must_use]
pub fn decode(id: &str) -> Option<LongId> {
    let (time, inode) = long_parts(id)?;
    let (seconds, micros) = time.split_at_checked(time.len().checked_sub(4)?)?;
    let seconds = i64::try_from(number(seconds, 52)?).ok()?;
    let micros = i64::try_from(number(micros, 52)?).ok()?;
    if micros >= SECOND {
        return None;
    }
    let micros = seconds.checked_mul(SECOND)?.checked_add(micros)?;
    Some(LongId {
        time: Time(micros),
        inode: number(inode, 51)?,
    })
}

fn number(digits: &str, base: u64) -> Option<u64> {
    digits.bytes().try_fold(0_u64, |sum, byte| {
        let class = class(byte);
        let value = u64::from(class & VALUE);
        (class & LONG != 0 && value < base)
            .then(|| sum.checked_mul(base)?.checked_add(value))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_of_the_grammar_decode() {
        let cases = [
            (
                "47NQzY13DbzNWNQG",
                "2019-11-27T16:22:49.149375Z",
                138_938_753,
            ),
            ("3Ps0FS1Zhtz1PFjb", "2011-03-18T21:34:52.223646Z", 9_586_603),
            ("4fQnFR2wTjz8tX9", "2026-03-04T09:20:11.412345Z", 1_182_291),
            ("4fQnFz0001z8tX9", "2026-03-04T09:20:39.000001Z", 1_182_291),
            ("4fQpZg0007z8tXb", "2026-03-04T10:20:11.000007Z", 1_182_313),
        ];
        for (id, time, inode) in cases {
            let decoded = decode(id).unwrap();
            let expected: chrono::DateTime<chrono::Utc> = time.parse().unwrap();
            assert_eq!(
                (decoded.time, decoded.inode),
                (expected.into(), inode),
                "{id}"
            );
            assert!(is_queue_id(id));
        }
    }

    #[test]
    fn only_ids_are_ids() {
        for id in [
            "64AB9120A53",
            "F423F7FFFFFFFFFFFFFFF",
            "0F5383D",
            "1DF35917",
        ] {
            assert!(is_queue_id(id), "{id}");
            assert_eq!(decode(id), None, "{id}");
        }
        let not = [
            "NOQUEUE",
            "64AB",
            "47NQzYzNWNQG",
            "47NQAY13DbzNWNQG",
            "",
            "warning",
            "64ab9120a53",
            "F423F7FFFFFFFFFFFFFFFF",
            "4fQnFR2wTjz",
            "4fQnFR2wTjz8tX9é",
        ];
        for id in not {
            assert!(!is_queue_id(id), "{id}");
        }
    }

    #[test]
    fn an_id_is_split_off_only_in_front_of_colon_and_space() {
        assert_eq!(
            split("64AB9120A53: removed"),
            Some(("64AB9120A53", "removed"))
        );
        assert_eq!(split("64AB9120A53:removed"), None);
        assert_eq!(split("64AB9120A53"), None);
        assert_eq!(split("NOQUEUE: reject: x"), None);
    }
}
