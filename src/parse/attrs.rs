//! The small scanners that all lines share: numbers, codes, words, each taken from the left of the text.
//!
//! All of them return what they took and the rest, and take nothing they do not understand wholly.

use std::str::FromStr;

/// Takes leading digits as a number; `None` without digits or when it does not fit.
#[must_use]
pub(super) fn number<T: FromStr>(text: &str) -> Option<(T, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// Takes a number from the right end of the text, returning what stands left of it.
#[must_use]
pub(super) fn number_at_end<T: FromStr>(text: &str) -> Option<(&str, T)> {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (rest, digits) = text.split_at_checked(text.len().checked_sub(digits)?)?;
    Some((rest, digits.parse().ok()?))
}

/// Ten years: longer than any queue lifetime.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

/// Takes seconds as Postfix prints them: `0`, `0.12`, `432001`.
///
/// The mantissa stays below 2^53, so that the one division rounds as the standard library would. Log generators
/// also write `2.05e+03`; that is taken as well.
#[must_use]
pub(super) fn seconds(text: &str) -> Option<(f64, &str)> {
    let (whole, rest) = number::<u64>(text)?;
    if whole > SECONDS_MAX {
        return None;
    }
    let (mantissa, scale, rest) = match rest.strip_prefix('.') {
        None => (whole, 1, rest),
        Some(fraction) => {
            let (value, after) = number::<u32>(fraction)?;
            let digits = fraction.len() - after.len();
            if digits > 6 {
                return None;
            }
            let scale = 10_u32.pow(u32::try_from(digits).ok()?);
            (whole * u64::from(scale) + u64::from(value), scale, after)
        }
    };
    if rest.starts_with('e') {
        return exponent(text);
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let mantissa = mantissa as f64;
    Some((mantissa / f64::from(scale), rest))
}

/// Takes a number with exponent.
fn exponent(text: &str) -> Option<(f64, &str)> {
    let (number, rest) = until(text, |byte| {
        !(byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'))
    });
    let value: f64 = number.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let fits = value <= SECONDS_MAX as f64;
    fits.then_some((value, rest))
}

/// Takes an SMTP reply code and the blank or dash after it: `550 `, `550-`, or `550` as the whole text.
#[must_use]
pub(super) fn reply_code(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(3)?;
    let first = digits.bytes().next()?;
    if !(b'1'..=b'5').contains(&first) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code = digits.parse().ok()?;
    match rest.bytes().next() {
        None => Some((code, rest)),
        Some(b' ' | b'-') => Some((code, rest.get(1..)?)),
        Some(_) => None,
    }
}

/// Takes an enhanced status code, `5.7.1`, followed by nothing or by something that is no part of it.
#[must_use]
pub(super) fn dsn(text: &str) -> Option<(&str, &str)> {
    if !matches!(text.bytes().next(), Some(b'2' | b'4' | b'5')) {
        return None;
    }
    let rest = text.get(1..)?.strip_prefix('.')?;
    let rest = dsn_digits(rest)?.strip_prefix('.')?;
    let rest = dsn_digits(rest)?;
    if matches!(rest.bytes().next(), Some(b'.')) {
        return None;
    }
    Some((text.get(..text.len() - rest.len())?, rest))
}

fn dsn_digits(text: &str) -> Option<&str> {
    let count = text.bytes().take(4).take_while(u8::is_ascii_digit).count();
    if (1..=3).contains(&count) {
        text.get(count..)
    } else {
        None
    }
}

/// Takes the text up to the first byte that `stop` accepts, or all of it.
#[must_use]
pub(super) fn until(text: &str, stop: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(stop).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Takes a phase of the SMTP dialogue: `RCPT`, `END-OF-MESSAGE`, `DATA content`.
#[must_use]
pub(super) fn protocol_state(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_uppercase() || byte == b'-'))
        .unwrap_or(text.len());
    let word = text.get(..end).filter(|word| !word.is_empty())?;
    let rest = text.get(end..)?;
    match rest.strip_prefix(" content") {
        Some(after) => Some((text.get(..end + " content".len())?, after)),
        None => Some((word, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_read_as_the_standard_library_reads_them() {
        for text in [
            "0", "0.01", "0.12", "1.3", "13", "432001", "0.000001", "86399.99",
        ] {
            assert_eq!(seconds(text), Some((text.parse().unwrap(), "")), "{text}");
        }
        assert_eq!(seconds("1.3/0.5"), Some((1.3, "/0.5")));
        assert_eq!(seconds("2.05e+03/0.01"), Some((2050.0, "/0.01")));
        assert_eq!(seconds("7.1e-05 from"), Some((0.000_071, " from")));
        assert_eq!(seconds("1e99"), None);
        for text in ["", ".5", "1.", "-1", "99999999999999999999", "315999999999"] {
            assert!(
                seconds(text).is_none_or(|(_, rest)| !rest.is_empty()),
                "{text}"
            );
        }
    }

    #[test]
    fn codes_need_their_full_shape() {
        assert_eq!(reply_code("550 no"), Some((550, "no")));
        assert_eq!(reply_code("550-no"), Some((550, "no")));
        assert_eq!(reply_code("550"), Some((550, "")));
        assert_eq!(reply_code("5501 no"), None);
        assert_eq!(reply_code("950 no"), None);
        assert_eq!(reply_code("5é0 no"), None);
        assert_eq!(dsn("5.7.1 no"), Some(("5.7.1", " no")));
        assert_eq!(dsn("5.12.345"), Some(("5.12.345", "")));
        assert_eq!(dsn("5.7.1.2"), None);
        assert_eq!(dsn("5.7.1234"), None);
        assert_eq!(dsn("3.7.1"), None);
    }
}
