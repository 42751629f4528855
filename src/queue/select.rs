//! Select: pymailq's selectors -> the same filters that a query makes.
//!
//! Sender, recipient and error are looked for as a part of the text, or `exact`ly. Sizes: `N` exactly, `+N` at least, `-N` at most, two of
//! them a range. Dates: a day, `A..B`, `+A`, `-B`; A and B are the midnights at their starts.

use super::filter::{Filter, Subject, named_status};
use super::mail::{NULL_SENDER, Status};
use super::matcher::{Matcher, Number};
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::query::time::{self, Unit};

/// Selectors and their arguments as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Part of the sender.
    pub sender: Vec<String>,
    /// Part of a recipient.
    pub recipient: Vec<String>,
    /// Queues.
    pub status: Vec<String>,
    /// One or two sizes.
    pub size: Vec<String>,
    /// A day or span.
    pub date: Option<String>,
    /// Part of an error.
    pub error: Vec<String>,
    /// `Name: value`.
    pub header: Vec<String>,
    /// Queue ids.
    pub qid: Vec<String>,
    /// Whole texts, not parts.
    pub exact: bool,
}

impl Selectors {
    /// Returns what must hold: each kind of selector, and of several values of one kind any.
    ///
    /// # Errors
    /// What is wrong with a value, in words.
    pub fn filter(&self, now: Time, zone: Zone) -> Result<Filter, String> {
        let mut all = Vec::new();
        let mut any = |filters: Vec<Filter>| match filters.len() {
            0 => {}
            _ => all.push(Filter::Or(filters)),
        };
        let each = |texts: &[String], make: &dyn Fn(&str) -> Filter| -> Vec<Filter> {
            texts.iter().map(|text| make(text)).collect()
        };
        any(each(&self.sender, &|text| sender(text, self.exact)));
        any(each(&self.recipient, &|text| recipient(text, self.exact)));
        any(each(&self.error, &|text| error(text, self.exact)));
        let statuses = self.status.iter().flat_map(|list| list.split(','));
        any(statuses.map(status).collect::<Result<_, _>>()?);
        let headers = self.header.iter();
        any(headers
            .map(|text| header(text, self.exact))
            .collect::<Result<_, _>>()?);
        let ids = self.qid.iter().flat_map(|list| list.split(','));
        any(ids.map(qid).collect());
        if !self.size.is_empty() {
            let sizes: Vec<&str> = self.size.iter().map(String::as_str).collect();
            all.push(size(&sizes)?);
        }
        if let Some(text) = &self.date {
            all.push(date(text, now, zone)?);
        }
        Ok(Filter::And(all))
    }
}

fn text(text: &str, exact: bool) -> Vec<Matcher> {
    let lower = text.to_lowercase();
    vec![if exact {
        Matcher::Equal(lower)
    } else {
        Matcher::Contains(lower)
    }]
}

/// Selects by sender; `MAILER-DAEMON` and `<>` are the null sender.
#[must_use]
pub fn sender(wanted: &str, exact: bool) -> Filter {
    let is_null = wanted == NULL_SENDER || wanted == "<>" || wanted.is_empty();
    let null = || Filter::Any(Subject::Sender, vec![Matcher::Equal(String::new())]);
    let named = || Filter::Any(Subject::Sender, text(wanted, exact));
    match (is_null, exact) {
        (false, _) => named(),
        // A part of an address may be that word, too.
        (true, false) if wanted == NULL_SENDER => Filter::Or(vec![null(), named()]),
        (true, _) => null(),
    }
}

/// Selects by recipient.
#[must_use]
pub fn recipient(wanted: &str, exact: bool) -> Filter {
    Filter::Any(Subject::Recipient, text(wanted, exact))
}

/// Selects by error text.
#[must_use]
pub fn error(wanted: &str, exact: bool) -> Filter {
    Filter::Any(Subject::Reason, text(wanted, exact))
}

/// Selects by queue.
///
/// # Errors
/// When there is no such queue.
pub fn status(wanted: &str) -> Result<Filter, String> {
    named_status(wanted.trim()).ok_or_else(|| {
        let queues = Status::ALL;
        let names: Vec<&str> = queues.iter().map(Status::name).collect();
        format!("{wanted}: no queue; there are {}", names.join(", "))
    })
}

/// Selects by queue id.
#[must_use]
pub fn qid(wanted: &str) -> Filter {
    Filter::Any(
        Subject::QueueId,
        vec![Matcher::Exact(wanted.trim().to_owned())],
    )
}

/// Selects by a header: `Name: value` or `Name=value`.
///
/// # Errors
/// When it names no header.
pub fn header(wanted: &str, exact: bool) -> Result<Filter, String> {
    let parts = wanted.split_once([':', '=']);
    let parts = parts.filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = parts.ok_or_else(|| format!("{wanted}: write NAME:VALUE"))?;
    Ok(Filter::Any(
        Subject::Header(name.trim().to_owned()),
        text(value.trim(), exact),
    ))
}

/// Selects by size.
///
/// # Errors
/// When it is no size or the range is empty.
pub fn size(wanted: &[&str]) -> Result<Filter, String> {
    let (mut low, mut high, mut exact) = (None, None, None);
    let parts = wanted.iter().flat_map(|text| text.split([',', ' ']));
    for part in parts.filter(|part| !part.is_empty()) {
        let (sign, digits) = match part.split_at_checked(1) {
            Some((sign @ ("+" | "-"), digits)) => (sign, digits),
            _ => ("", part),
        };
        let number: i128 = digits
            .parse()
            .ok()
            .filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(|| format!("{part}: write N, +N (at least) or -N (at most) bytes"))?;
        let place = match sign {
            "+" => &mut low,
            "-" => &mut high,
            _ => &mut exact,
        };
        if place.replace(number).is_some() {
            return Err(format!("{part}: given twice"));
        }
    }
    if exact.is_some() && (low.is_some() || high.is_some()) {
        return Err("an exact size stands alone".to_owned());
    }
    let (low, high) = (low.or(exact), high.or(exact));
    match (low, high) {
        (None, None) => Err("no size".to_owned()),
        (Some(low), Some(high)) if low > high => {
            Err("the least size is greater than the most".to_owned())
        }
        _ => Ok(Filter::Any(
            Subject::Size,
            vec![Matcher::Between(
                low.map(Number::Int),
                high.map(Number::Int),
            )],
        )),
    }
}

/// Selects by date of arrival.
///
/// # Errors
/// When it is no date or the span is empty.
pub fn date(wanted: &str, now: Time, zone: Zone) -> Result<Filter, String> {
    let unit = |text: &str| -> Result<Unit, String> {
        time::parse(text, now, zone)
            .ok_or_else(|| format!("{text}: write YYYY-MM-DD, A..B, +A or -B"))
    };
    let wanted = wanted.trim();
    let (since, until) = if let Some((since, until)) = wanted.split_once("..") {
        (Some(unit(since)?.start), Some(unit(until)?.start))
    } else if let Some(since) = wanted.strip_prefix('+') {
        (Some(unit(since)?.start), None)
    } else if let Some(until) = wanted.strip_prefix('-') {
        (None, Some(unit(until)?.start))
    } else {
        let unit = unit(wanted)?;
        (Some(unit.start), Some(unit.end))
    };
    if since
        .zip(until)
        .is_some_and(|(since, until)| since >= until)
    {
        return Err(format!("{wanted}: nothing lies between"));
    }
    Ok(Filter::Any(
        Subject::Arrival,
        vec![Matcher::Within(since, until)],
    ))
}
