//! Day: days, weeks and months by the names that people give them.
//!
//! `today`, `monday`, `last monday`, `this week`, `last month`, `Nov 24`, `24 Nov 2026`, `November`, `24.11.`, `24.11.2026`, `2026-11`,
//! `2026`, `2026-W48`, `W48`. A week begins on Monday. What has no year is the last one that has begun.
//! Limits: names are English; `11/20/2026` is none, because elsewhere the day comes first.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// The present day, and how many days beyond it a day without a year may lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Today {
    pub(super) date: NaiveDate,
    pub(super) ahead: u64,
}

/// First day, and the first day after the last.
type Span = (NaiveDate, NaiveDate);

/// Longer text is no day; keeps the work small.
const MOST_WORDS: usize = 5;

/// Reads a day, week, month or year.
pub(super) fn parse(text: &str, today: Today) -> Option<Span> {
    numbers(text, today).or_else(|| words(text, today))
}

/// Returns whether the text names a day, a week or a month in words of its own, as a search may hold them.
pub(super) fn is_named(text: &str) -> bool {
    let today = Today {
        date: NaiveDate::default(),
        ahead: 0,
    };
    let is_word = text.contains(|c: char| c.is_alphabetic()) && text.contains(char::is_whitespace);
    let is_weekday = text.len() > 3 && weekday(&text.to_ascii_lowercase()).is_some();
    let is_short_date = text.ends_with('.') && numbers(text, today).is_some();
    is_weekday || is_short_date || (is_word && words(text, today).is_some())
}

fn day(date: NaiveDate) -> Option<Span> {
    Some((date, date.succ_opt()?))
}

fn week(monday: NaiveDate) -> Option<Span> {
    Some((monday, monday.checked_add_days(Days::new(7))?))
}

fn month(first: NaiveDate) -> Option<Span> {
    Some((first, first.checked_add_months(Months::new(1))?))
}

fn year(number: i32) -> Option<Span> {
    let first = |year| NaiveDate::from_yo_opt(year, 1);
    Some((first(number)?, first(number.checked_add(1)?)?))
}

/// Reads `2026-11-20`, `2026/11/20`, `20.11.2026`, `20.11.26`, `20.11.`, `2026-11`, `2026`.
fn numbers(text: &str, today: Today) -> Option<Span> {
    let dotted: Vec<&str> = text.split('.').collect();
    if let [day_of, month_of, year_of] = dotted.as_slice() {
        let (day_of, month_of) = (small(day_of)?, small(month_of)?);
        return match year_of.len() {
            0 => day(recent(month_of, day_of, today)?),
            2 => day(NaiveDate::from_ymd_opt(
                2000 + digits(year_of, 2)?,
                month_of,
                day_of,
            )?),
            4 => day(NaiveDate::from_ymd_opt(
                digits(year_of, 4)?,
                month_of,
                day_of,
            )?),
            _ => None,
        };
    }
    let slashed = text.find('/') == Some(4);
    let parts: Vec<&str> = text.split(|c| c == '-' || (slashed && c == '/')).collect();
    match parts.as_slice() {
        [number] if number.len() == 4 => year(digits(number, 4)?),
        [number, week_of] if number.len() == 4 && week_of.starts_with(['W', 'w']) => {
            iso_week(digits(number, 4)?, week_of)
        }
        [number, month_of] if number.len() == 4 => month(NaiveDate::from_ymd_opt(
            digits(number, 4)?,
            small(month_of)?,
            1,
        )?),
        [number, month_of, day_of] if number.len() == 4 => day(NaiveDate::from_ymd_opt(
            digits(number, 4)?,
            small(month_of)?,
            small(day_of)?,
        )?),
        _ => None,
    }
}

/// Reads what has a name in it.
fn words(text: &str, today: Today) -> Option<Span> {
    let lower = text.to_ascii_lowercase();
    let parts = |c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/');
    let words: Vec<&str> = lower
        .split(parts)
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS + 1)
        .collect();
    if words.len() > MOST_WORDS || text.starts_with('-') {
        return None;
    }
    match words.as_slice() {
        ["today"] => day(today.date),
        ["yesterday"] => day(today.date.pred_opt()?),
        ["tomorrow"] => day(today.date.succ_opt()?),
        [word] if let Some(wanted) = weekday(word) => day(before(wanted, today.date)?),
        ["last", word] if let Some(wanted) = weekday(word) => {
            day(before(wanted, today.date.pred_opt()?)?)
        }
        [
            which @ ("this" | "last"),
            unit @ ("week" | "month" | "year"),
        ] => unit_of(unit, u32::from(*which == "last"), today.date),
        ["week", number] | [number] if let Some(number) = week_number(number, words.len()) => {
            let this = today.date.iso_week().year();
            let begun = |span: &Span| span.0 <= today.date;
            iso_monday(this, number)
                .filter(begun)
                .or_else(|| iso_monday(this.checked_sub(1)?, number))
        }
        [first, rest @ ..] if weekday(first).is_some() && !rest.is_empty() => dated(rest, today),
        words => dated(words, today),
    }
}

/// `48` behind `week`, `w48` alone.
fn week_number(text: &str, words: usize) -> Option<u32> {
    match text.strip_prefix('w') {
        Some(number) => small(number),
        None if words == 2 => small(text),
        None => None,
    }
}

/// Reads `nov 24`, `24 nov`, `nov 24 2026`, `24 nov 2026`, `2026 nov 24`, `nov`, `nov 2026`.
fn dated(words: &[&str], today: Today) -> Option<Span> {
    match words {
        [name] => {
            let number = month_number(name)?;
            month(recent(number, 1, today)?)
        }
        [name, number] if number.len() == 4 && month_number(name).is_some() => month(
            NaiveDate::from_ymd_opt(digits(number, 4)?, month_number(name)?, 1)?,
        ),
        [a, b] => {
            let (month_of, day_of) = month_and_day(a, b)?;
            day(recent(month_of, day_of, today)?)
        }
        [number, a, b] if number.len() == 4 => {
            let (month_of, day_of) = month_and_day(a, b)?;
            day(NaiveDate::from_ymd_opt(
                digits(number, 4)?,
                month_of,
                day_of,
            )?)
        }
        [a, b, number] if number.len() == 4 => dated(&[number, a, b], today),
        _ => None,
    }
}

fn month_and_day(a: &str, b: &str) -> Option<(u32, u32)> {
    let pair = |name: &str, day: &str| Some((month_number(name)?, ordinal(day)?));
    pair(a, b).or_else(|| pair(b, a))
}

/// `24`, `24.`, `24th`
fn ordinal(text: &str) -> Option<u32> {
    let endings = ["st", "nd", "rd", "th", "."];
    let number = endings.iter().find_map(|ending| text.strip_suffix(ending));
    small(number.unwrap_or(text))
}

fn month_number(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.strip_suffix('.').unwrap_or(word);
    let at = NAMES.iter().position(|name| {
        *name == word || name.get(..3) == Some(word) || (word == "sept" && name.starts_with(word))
    })?;
    u32::try_from(at + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let at = NAMES
        .iter()
        .position(|name| *name == word || name.get(..3) == Some(word))?;
    Weekday::try_from(u8::try_from(at).ok()?).ok()
}

/// Returns the last such weekday up to the date.
fn before(wanted: Weekday, date: NaiveDate) -> Option<NaiveDate> {
    date.checked_sub_days(Days::new(date.weekday().days_since(wanted).into()))
}

/// Returns the week, month or year of the date, or as many before it.
fn unit_of(unit: &str, back: u32, date: NaiveDate) -> Option<Span> {
    match unit {
        "week" => week(before(Weekday::Mon, date)?.checked_sub_days(Days::new((7 * back).into()))?),
        "month" => month(date.with_day(1)?.checked_sub_months(Months::new(back))?),
        _ => year(date.year().checked_sub_unsigned(back)?),
    }
}

fn iso_week(year: i32, text: &str) -> Option<Span> {
    iso_monday(year, small(text.get(1..)?)?)
}

fn iso_monday(year: i32, number: u32) -> Option<Span> {
    week(NaiveDate::from_isoywd_opt(year, number, Weekday::Mon)?)
}

/// Returns the last such day that has begun; one of February 29 may be years ago.
fn recent(month: u32, day: u32, today: Today) -> Option<NaiveDate> {
    const YEARS: i32 = 8;
    let latest = today.date.checked_add_days(Days::new(today.ahead))?;
    (0..=YEARS)
        .filter_map(|back| NaiveDate::from_ymd_opt(latest.year() - back, month, day))
        .find(|date| *date <= latest)
}

fn small(text: &str) -> Option<u32> {
    u32::try_from(digits(text, 2)?).ok()
}

/// Reads at most `most` digits.
pub(super) fn digits(text: &str, most: usize) -> Option<i32> {
    let fits = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}
