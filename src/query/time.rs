//! Time: what people type as a time, in the forms of journalctl and beyond.
//!
//! `2026-11-20`, `2026-11-20 10:00[:00]`, RFC 3339, `10:30`, `now`, `today`, `yesterday`, `tomorrow`, `-2h`, `+1d`,
//! `2 hours ago`, `1h 30min ago`, `@1700000000`; beyond journalctl `2h` (ago), `last 2 hours`, the days, weeks and months of `day.rs`
//! (`monday`, `last week`, `Nov 24`, `24.11.`), and `8am`, `8:30pm`, `noon`, `midnight`, alone or with a day: `Nov 24 10:00`, `yesterday 8am`.
//! A word `UTC` or an offset may follow.

use super::day::{self, Today, digits};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Time};
use crate::model::zone::Zone;
use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// What a time may be, for messages.
pub const FORMS: &str = "write 2026-11-20, \"2026-11-20 10:00\", 10:30, 8am, today, yesterday, monday, \"Nov 24\", \"Nov 24 10:00\", \
                         24.11., \"last week\", \"this month\", 2026-11, 2026-W47, now, -2h or \"2 hours ago\"";

/// The unit of time that a text names: from its start up to but not with its end. The two are equal for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// First moment.
    pub start: Time,
    /// First moment after it.
    pub end: Time,
}

/// Reads a time; `None` when it is none.
#[must_use]
pub fn parse(text: &str, now: Time, zone: Zone) -> Option<Unit> {
    parse_ahead(text, now, zone, 0)
}

/// Reads a time; a day without a year is the last one, at most so many days ahead.
pub(super) fn parse_ahead(text: &str, now: Time, zone: Zone, ahead: u64) -> Option<Unit> {
    let text = text.trim();
    let moment = |t: Time| Some(Unit { start: t, end: t });
    if let Some(unix) = text.strip_prefix('@') {
        return moment(Time(seconds(unix)?.checked_mul(SECOND)?).in_range()?);
    }
    if text.eq_ignore_ascii_case("now") {
        return moment(now);
    }
    if let Some(shift) = last(text) {
        return Some(Unit {
            start: shifted(now, shift.back(), zone)?.in_range()?,
            end: now,
        });
    }
    if let Some(shift) = relative(text) {
        return moment(shifted(now, shift, zone)?.in_range()?);
    }
    if let Some(shift) = sum(text) {
        return moment(shifted(now, shift.back(), zone)?.in_range()?);
    }
    let (text, zone) = split_zone(text, zone);
    let date = zone.local(now)?.date_naive();
    calendar(text, Today { date, ahead }, zone)
}

/// Reads a length of time: `30s`, `5min`, `1h 30min`, `1.5`; a bare number is seconds.
#[must_use]
pub fn parse_length(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        return plain.then_some(number);
    }
    let shift = sum(text)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a length of time is an estimate, doubles are what is stored"
    )]
    let micros = (shift.micros as f64) + (f64::from(shift.months) * 30.4375 * DAY as f64);
    #[expect(clippy::cast_precision_loss, reason = "exact")]
    Some(micros / SECOND as f64)
}

trait InRange: Sized {
    fn in_range(self) -> Option<Self>;
}

impl InRange for Time {
    /// Times that neither `chrono` nor the database can hold are none.
    fn in_range(self) -> Option<Self> {
        let year = self.to_utc()?.year();
        (0..=9999).contains(&year).then_some(self)
    }
}

fn seconds(text: &str) -> Option<i64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn span(start: NaiveDate, end: NaiveDate, zone: Zone) -> Option<Unit> {
    let at = |date: NaiveDate| zone.instant(date.and_time(NaiveTime::MIN)).in_range();
    Some(Unit {
        start: at(start)?,
        end: at(end)?,
    })
}

/// A step in time: months are not of one length.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    months: i32,
    micros: i64,
}

impl Shift {
    fn back(self) -> Self {
        Self {
            months: -self.months,
            micros: -self.micros,
        }
    }
}

/// Reads `last 2 hours`, `last hour`; the last day, week and so on are those of the calendar.
fn last(text: &str) -> Option<Shift> {
    let (word, length) = text.split_once(char::is_whitespace)?;
    if !word.eq_ignore_ascii_case("last") {
        return None;
    }
    match length.trim() {
        "hour" | "minute" => sum(&format!("1 {}", length.trim())),
        length if length.starts_with(|c: char| c.is_ascii_digit()) => sum(length),
        _ => None,
    }
}

/// Reads `-2h`, `+1d`, `2 hours ago`.
fn relative(text: &str) -> Option<Shift> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return sum(rest).map(Shift::back);
    }
    if let Some(rest) = text.strip_prefix('+') {
        return sum(rest);
    }
    let at = text.len().checked_sub(3)?;
    let (length, ago) = text.split_at_checked(at)?;
    if ago.eq_ignore_ascii_case("ago") {
        sum(length).map(Shift::back)
    } else {
        None
    }
}

/// Adds up `1h 30min`.
fn sum(text: &str) -> Option<Shift> {
    let mut rest = text.trim();
    let mut total = Shift::default();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let tail = tail.trim_start();
        let letters = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        add(&mut total, number, unit)?;
        rest = tail.trim_start();
    }
    Some(total)
}

fn add(total: &mut Shift, number: &str, unit: &str) -> Option<()> {
    let count: f64 = number.parse().ok()?;
    let months = match unit {
        "M" | "month" | "months" => Some(1),
        "y" | "year" | "years" => Some(12),
        _ => None,
    };
    if let Some(months) = months {
        let whole: i32 = number.parse().ok()?;
        total.months = total.months.checked_add(whole.checked_mul(months)?)?;
        return Some(());
    }
    let unit = match unit.to_ascii_lowercase().as_str() {
        "us" | "usec" => 1,
        "ms" | "msec" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "checked against the range below"
    )]
    let micros = {
        let micros = count * unit as f64;
        (micros < MAX_MICROS).then_some(micros.round() as i64)?
    };
    total.micros = total.micros.checked_add(micros)?;
    Some(())
}

/// Some 10,000 years; below it a double counts microseconds well enough.
const MAX_MICROS: f64 = 3.2e17;

fn shifted(now: Time, shift: Shift, zone: Zone) -> Option<Time> {
    let moved = if shift.months == 0 {
        now
    } else {
        let wall = zone.local(now)?.naive_local();
        let months = Months::new(shift.months.unsigned_abs());
        zone.instant(if shift.months < 0 {
            wall.checked_sub_months(months)?
        } else {
            wall.checked_add_months(months)?
        })
    };
    moved.0.checked_add(shift.micros).map(Time)
}

/// Takes `UTC`, `Z` or `+01:00` off the end of a time of day.
fn split_zone(text: &str, zone: Zone) -> (&str, Zone) {
    for name in [" UTC", " utc", " GMT", " Z", "Z", "z"] {
        if let Some(rest) = text
            .strip_suffix(name)
            .filter(|rest| rest.contains(':') || name.len() > 2)
        {
            return (rest.trim_end(), Zone::UTC);
        }
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return (text, zone);
    };
    let (rest, offset) = text.split_at_checked(at).unwrap_or((text, ""));
    // 2026-11-20 ends like an offset, but no time of day stands before it.
    match parse_offset(offset).filter(|_| rest.contains(':')) {
        Some(offset) => (rest.trim_end(), Zone::Fixed(offset)),
        None => (text, zone),
    }
}

fn parse_offset(text: &str) -> Option<FixedOffset> {
    let text = text.replace(':', "");
    let (sign, digits) = text.split_at_checked(1)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if sign == "-" { -east } else { east })
}

/// Reads a day, a time of day, or both in either order.
fn calendar(text: &str, today: Today, zone: Zone) -> Option<Unit> {
    let (date, clock) = split_clock(text);
    let Some((clock, micros)) = clock else {
        let (start, end) = day::parse(&date, today)?;
        return span(start, end, zone);
    };
    let date = match date.as_str() {
        "" => today.date,
        date => {
            let (start, end) = day::parse(date, today)?;
            (start.succ_opt()? == end).then_some(start)?
        }
    };
    let start = zone.instant(NaiveDateTime::new(date, clock)).in_range()?;
    Some(Unit {
        start,
        end: start.plus(micros),
    })
}

/// Takes the time of day out of a text; returns what is left and the time with the length that it names.
fn split_clock(text: &str) -> (String, Option<(NaiveTime, i64)>) {
    let of_date = |date: &str| date.ends_with(|c: char| c.is_ascii_digit());
    if let Some((date, clock)) = text
        .split_once(['T', 't'])
        .filter(|(date, _)| of_date(date))
        && let Some(clock) = parse_clock(clock)
    {
        return (date.to_owned(), Some(clock));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    // `8 am` is two words.
    let mut places = (0..words.len()).flat_map(|at| [(at, 2), (at, 1)]);
    let found = places.find_map(|(at, n)| {
        let clock = words.get(at..at + n)?.join("");
        Some((at, n, parse_clock(clock.trim_end_matches(','))?))
    });
    let Some((at, n, clock)) = found else {
        return (text.to_owned(), None);
    };
    let before = words.get(..at).unwrap_or_default();
    let before = match before {
        [before @ .., last] if last.eq_ignore_ascii_case("at") => before,
        before => before,
    };
    let after = words.get(at + n..).unwrap_or_default();
    ([before, after].concat().join(" "), Some(clock))
}

/// Reads `10:30`, `10:30:15`, `10:30:15.25`, `8am`, `8:30pm`, `noon`, `midnight`; returns also the length of what it names.
fn parse_clock(text: &str) -> Option<(NaiveTime, i64)> {
    let lower = text.to_ascii_lowercase();
    let at = |hour| Some((NaiveTime::from_hms_opt(hour, 0, 0)?, MINUTE));
    match lower.as_str() {
        "noon" => return at(12),
        "midnight" => return at(0),
        _ => {}
    }
    let halves = [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)];
    let half = halves
        .iter()
        .find_map(|(ending, hours)| Some((lower.strip_suffix(ending)?, *hours)));
    let (text, half) = half.map_or((text, None), |(text, hours)| (text, Some(hours)));
    let small = |text| u32::try_from(digits(text, 2)?).ok();
    let hour_of = |text| -> Option<u32> {
        let hour = small(text)?;
        match half {
            None => Some(hour),
            Some(hours) => (1..=12).contains(&hour).then_some(hour % 12 + hours),
        }
    };
    let mut parts = text.splitn(3, ':');
    let hour = hour_of(parts.next()?)?;
    let Some(minute) = parts.next() else {
        half?;
        return Some((NaiveTime::from_hms_opt(hour, 0, 0)?, HOUR));
    };
    let minute = small(minute)?;
    let Some(second) = parts.next() else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, MINUTE));
    };
    match second.split_once(['.', ',']) {
        None => Some((
            NaiveTime::from_hms_opt(hour, minute, leap(small(second)?))?,
            SECOND,
        )),
        Some((second, fraction)) => {
            let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
            (!fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
            let second = leap(small(second)?);
            let time = NaiveTime::from_hms_micro_opt(hour, minute, second, six.parse().ok()?)?;
            Some((time, 1))
        }
    }
}

/// A leap second is the last of its minute here.
const fn leap(second: u32) -> u32 {
    if second == 60 { 59 } else { second }
}

/// Returns a time as the reading notes show it: without seconds that are zero.
#[must_use]
pub(super) fn show(time: Time, zone: Zone) -> String {
    zone.local(time).map_or_else(
        || zone.show(time),
        |t: DateTime<FixedOffset>| t.format("%Y-%m-%d %H:%M:%S %:z").to_string(),
    )
}
