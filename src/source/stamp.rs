//! Stamp: the time at the start of a line, as far as the line alone tells it.
//!
//! Reads RFC 3164 (day padded with a space, a zero or not at all, with or without fraction or year), RFC 3339 and
//! its relatives (`T`, `_` or a space, offset `Z`, `+01:00`, `+0100`, `+01` or none), `journalctl -o short-full` and
//! `-o short-unix`; also `2026 Mar 4 10:20:11`, `4 Mar 2026 10:20:11`, `4/Mar/2026:10:20:11 +0100`. Promises no allocation.
//!
//! Limits: month names are English; a zone abbreviation other than UTC is kept as text, for abbreviations do not
//! name a zone.

use crate::model::date;
use crate::model::time::{DAY, SECOND, Time};

/// What a stamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp<'a> {
    /// A point in time, and how many digits of the second it has.
    Absolute(Time, u8),
    /// A reading of a wall clock, and the abbreviation of its zone if the line has one.
    Wall(Wall, &'a str),
}

/// A reading of a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wall {
    /// Absent in RFC 3164.
    pub(super) year: Option<i32>,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31, valid for the month in some year.
    pub(super) day: u8,
    /// Second of the day, up to 86,400 in a leap second.
    pub(super) second: u32,
    /// Fraction of the second.
    pub(super) micros: u32,
    /// Digits the fraction has.
    pub(super) digits: u8,
}

impl Stamp<'_> {
    /// Returns how many digits of the second the stamp has.
    pub(super) fn digits(&self) -> u8 {
        match self {
            Self::Absolute(_, digits) => *digits,
            Self::Wall(wall, _) => wall.digits,
        }
    }
}

impl Wall {
    /// Returns microseconds since the epoch if this clock showed UTC in `year`.
    pub(super) fn as_utc(&self, year: i32) -> i64 {
        date::days(i64::from(year), i64::from(self.month), i64::from(self.day)) * DAY
            + i64::from(self.second) * SECOND
            + i64::from(self.micros)
    }
}

/// Reads the stamp that `line` begins with; returns it and what follows it, blanks taken off.
pub(super) fn read(line: &str) -> Option<(Stamp<'_>, &str)> {
    let bytes = line.as_bytes();
    match bytes.first()? {
        b'0'..=b'9' => iso(line)
            .or_else(|| unix(line))
            .or_else(|| year_first(line))
            .or_else(|| day_first(line)),
        b'A'..=b'Z' => {
            if let Some((wall, rest)) = rfc3164(line) {
                return Some((Stamp::Wall(wall, ""), rest));
            }
            short_full(line)
        }
        _ => None,
    }
}

/// Tells cheaply whether `text` may begin with a stamp of another record.
pub(super) fn may_begin(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', ..]
            | [b'<', b'0'..=b'9', ..]
            | [_, _, _, _, b'-' | b'/', _, _, b'-' | b'/', ..]
            | [b'0'..=b'9', _, _, _, b' ', b'A'..=b'Z', ..]
    )
}

fn rfc3164(line: &str) -> Option<(Wall, &str)> {
    let bytes = line.as_bytes();
    if let Some([m0, m1, m2, b' ', d0, d1, b' ', clock @ ..]) = bytes.first_chunk::<15>() {
        let month = month([*m0, *m1, *m2])?;
        let day = if *d0 == b' ' {
            digit(*d1)
        } else {
            two(*d0, *d1)
        };
        if let (Some(day), Some(second)) = (day, clock_second(*clock)) {
            return finish(line.get(15..)?, None, month, day, second);
        }
    }
    rfc3164_unpadded(line)
}

/// `Mar 4 10:20:11`, and `Mar  4 2026 10:20:11` of some collectors.
fn rfc3164_unpadded(line: &str) -> Option<(Wall, &str)> {
    let month = month(*line.as_bytes().first_chunk::<3>()?)?;
    let rest = line.get(3..)?.strip_prefix(' ')?.trim_start_matches(' ');
    let (day, rest) = rest.split_once(' ')?;
    let day = match *day.as_bytes() {
        [one] => digit(one)?,
        [ten, one] => two(ten, one)?,
        _ => return None,
    };
    let (year, rest) = match rest.split_once(' ') {
        Some((year, after)) if year.len() == 4 && !year.contains(':') => {
            (Some(year.parse().ok()?), after)
        }
        _ => (None, rest),
    };
    let second = clock_second(*rest.as_bytes().first_chunk::<8>()?)?;
    finish(rest.get(8..)?, year, month, day, second)
}

/// Completes a wall clock stamp: fraction, valid date, what follows.
fn finish(rest: &str, year: Option<i32>, month: u8, day: u8, second: u32) -> Option<(Wall, &str)> {
    let (micros, digits, rest) = fraction(rest);
    let wall = Wall {
        year,
        month,
        day,
        second,
        micros,
        digits,
    };
    let possible = year.map_or(2000, |year| year);
    (day >= 1 && day <= month_length(possible, month)).then_some(())?;
    Some((wall, after_stamp(rest)?))
}

/// RFC 3339 and relatives.
fn iso(line: &str) -> Option<(Stamp<'_>, &str)> {
    let [
        y0,
        y1,
        y2,
        y3,
        b'-' | b'/',
        m0,
        m1,
        b'-' | b'/',
        d0,
        d1,
        b'T' | b't' | b' ' | b'_',
        clock @ ..,
    ] = line.as_bytes().first_chunk::<19>()?
    else {
        return None;
    };
    let year = u32::from(two(*y0, *y1)?) * 100 + u32::from(two(*y2, *y3)?);
    let year = i32::try_from(year).ok().filter(|year| *year >= 1970)?;
    let (month, day) = (two(*m0, *m1)?, two(*d0, *d1)?);
    (1..=12).contains(&month).then_some(())?;
    let second = clock_second(*clock)?;
    let (wall, _) = finish("", Some(year), month, day, second)?;
    let (micros, digits, rest) = fraction(line.get(19..)?);
    let wall = Wall {
        micros,
        digits,
        ..wall
    };
    let Some((offset, rest)) = offset(rest) else {
        return Some((Stamp::Wall(wall, ""), after_stamp(rest)?));
    };
    let time = Time(wall.as_utc(year) - offset * SECOND);
    Some((Stamp::Absolute(time, digits), after_stamp(rest)?))
}

/// `2026 Mar  4 10:20:11.412`, as syslog-ng and some appliances write it.
#[cold]
fn year_first(line: &str) -> Option<(Stamp<'_>, &str)> {
    let (year, rest) = line.split_once(' ').filter(|(year, _)| year.len() == 4)?;
    let year = year.parse().ok().filter(|year| *year >= 1970)?;
    let (wall, rest) = rfc3164(rest.trim_start_matches(' '))?;
    let valid = wall.year.is_none() && wall.day <= month_length(year, wall.month);
    let year = valid.then_some(year);
    Some((Stamp::Wall(Wall { year, ..wall }, ""), rest)).filter(|_| valid)
}

/// `4 Mar 2026 10:20:11`, `04-Mar-2026 10:20:11`, `04/Mar/2026:10:20:11 +0100`.
#[cold]
fn day_first(line: &str) -> Option<(Stamp<'_>, &str)> {
    const BORDERS: [char; 3] = [' ', '-', '/'];
    let (day, rest) = line.split_once(BORDERS).filter(|(day, _)| day.len() <= 2)?;
    let (name, rest) = rest.split_once(BORDERS)?;
    let (year, rest) = rest
        .split_once([' ', ':'])
        .filter(|(year, _)| year.len() == 4)?;
    let month = month(name.as_bytes().try_into().ok()?)?;
    let second = clock_second(*rest.as_bytes().first_chunk::<8>()?)?;
    let year: i32 = year.parse().ok().filter(|year| *year >= 1970)?;
    let (wall, rest) = finish(rest.get(8..)?, Some(year), month, day.parse().ok()?, second)?;
    match offset(rest) {
        Some((offset, rest)) => {
            let time = Time(wall.as_utc(year) - offset * SECOND);
            Some((Stamp::Absolute(time, wall.digits), after_stamp(rest)?))
        }
        None => Some((Stamp::Wall(wall, ""), rest)),
    }
}

/// `Wed 2026-03-04 10:20:11 CET` of `journalctl -o short-full`; `Wed Mar  4 10:20:11 2026` as ctime(3) writes it.
fn short_full(line: &str) -> Option<(Stamp<'_>, &str)> {
    let (weekday, rest) = line.split_once(' ')?;
    let known = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    known.contains(&weekday).then_some(())?;
    if let Some((mut wall, rest)) = rfc3164(rest) {
        let (year, rest) = rest.split_once(' ')?;
        wall.year = Some(year.parse().ok().filter(|_| year.len() == 4)?);
        return Some((Stamp::Wall(wall, ""), rest));
    }
    let (stamp, rest) = iso(rest)?;
    let Stamp::Wall(wall, _) = stamp else {
        return Some((stamp, rest));
    };
    let (zone, after) = rest.split_once(' ')?;
    if zone == "UTC" || zone == "GMT" {
        let time = Time(wall.as_utc(wall.year?));
        return Some((Stamp::Absolute(time, wall.digits), after));
    }
    let named = (2..=5).contains(&zone.len()) && zone.bytes().all(|b| b.is_ascii_uppercase());
    Some(if named {
        (Stamp::Wall(wall, zone), after)
    } else {
        (stamp, rest)
    })
}

/// `1772616011.412345` of `journalctl -o short-unix`.
fn unix(line: &str) -> Option<(Stamp<'_>, &str)> {
    let end = line.bytes().position(|b| !b.is_ascii_digit())?;
    (9..=11).contains(&end).then_some(())?;
    let (seconds, rest) = line.split_at_checked(end)?;
    let (micros, digits, rest) = fraction(rest);
    let time = seconds.parse::<i64>().ok()? * SECOND + i64::from(micros);
    (digits > 0).then_some(())?;
    Some((Stamp::Absolute(Time(time), digits), after_stamp(rest)?))
}

/// Takes off the blanks behind a stamp; a stamp that runs into other text is none.
#[inline]
fn after_stamp(rest: &str) -> Option<&str> {
    if rest.is_empty() {
        return Some(rest);
    }
    Some(
        rest.strip_prefix([' ', '\t'])?
            .trim_start_matches([' ', '\t']),
    )
}

/// Reads `.412345` or `,412`; returns microseconds, digits and the rest.
#[inline]
fn fraction(text: &str) -> (u32, u8, &str) {
    let Some(rest) = text.strip_prefix(['.', ',']) else {
        return (0, 0, text);
    };
    let (mut micros, mut digits) = (0, 0_u8);
    for byte in rest.bytes().take(9) {
        let Some(value) = digit(byte) else { break };
        if digits < 6 {
            micros = micros * 10 + u32::from(value);
        }
        digits += 1;
    }
    if digits == 0 {
        return (0, 0, text);
    }
    for _ in digits..6 {
        micros *= 10;
    }
    (
        micros,
        digits,
        rest.get(usize::from(digits)..).unwrap_or(""),
    )
}

/// Reads an offset from UTC; returns its seconds and the rest.
fn offset(text: &str) -> Option<(i64, &str)> {
    let (sign, length, [h0, h1, m0, m1]) = match *text.as_bytes() {
        [b'Z' | b'z', ..] => return Some((0, text.get(1..)?)),
        [sign, h0, h1, b':', m0, m1, ..] => (sign, 6, [h0, h1, m0, m1]),
        [sign, h0, h1, m0 @ b'0'..=b'9', m1, ..] => (sign, 5, [h0, h1, m0, m1]),
        [sign, h0, h1, ..] => (sign, 3, [h0, h1, b'0', b'0']),
        _ => return None,
    };
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hour, minute) = (two(h0, h1)?, two(m0, m1)?);
    (hour < 24 && minute < 60).then_some(())?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60;
    Some((sign * seconds, text.get(length..)?))
}

#[inline]
fn clock_second(clock: [u8; 8]) -> Option<u32> {
    let [h0, h1, b':', m0, m1, b':', s0, s1] = clock else {
        return None;
    };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    let valid = hour < 24 && minute < 60 && second <= 60;
    valid.then(|| u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second))
}

#[inline]
fn month(name: [u8; 3]) -> Option<u8> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value <= 9).then_some(value)
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u8> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// Tells whether `year` has a Feb 29.
pub(super) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[inline]
fn month_length(year: i32, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Writes a time as RFC 3339 in UTC with six digits of the second.
pub(super) fn write(line: &mut String, time: Time) {
    let (days, micros) = (time.0.div_euclid(DAY), time.0.rem_euclid(DAY));
    let (year, month, day) = date::date(days);
    let (second, fraction) = (micros / SECOND, micros % SECOND);
    for (number, digits, end) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (second / 3600, 2, ':'),
        (second / 60 % 60, 2, ':'),
        (second % 60, 2, '.'),
        (fraction, 6, 'Z'),
    ] {
        push_digits(line, number, digits);
        line.push(end);
    }
}

/// Writes the last `digits` digits of a number; several times faster than the format machinery.
fn push_digits(line: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        line.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}
