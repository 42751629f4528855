//! What the lines of the grammar, hostile lines and other people's logs are understood as.

mod agreement;
mod grammar;
mod hostile;
mod lines;
mod properties;
mod shared;

use crate::model::entry::{Entry, Trust};
use crate::model::event::Event;

/// Returns an entry with nothing but identifier and text.
pub(super) fn entry<'a>(ident: &'a str, text: &'a str) -> Entry<'a> {
    Entry {
        time: None,
        time_ambiguous: false,
        host: "mail",
        ident,
        pid: Some(1),
        text,
        repeated: 0,
        truncated: false,
        trust: Trust::Unproven,
        raw: text,
    }
}

/// Returns what the text means under that identifier.
pub(super) fn event<'a>(ident: &'a str, text: &'a str) -> Event<'a> {
    super::parse(&entry(ident, text))
}

/// Splits the header off a line in traditional or RFC 3339 form: identifier and text.
pub(super) fn header(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end_matches('\r');
    let rest = if line.starts_with(|first: char| first.is_ascii_digit()) {
        line.split_once(' ')?.1
    } else {
        let (_, rest) = line.split_at_checked(4)?;
        let (_, rest) = rest.trim_start().split_once(' ')?;
        rest.trim_start().split_once(' ')?.1
    };
    let (_, rest) = rest.split_once(' ')?;
    let end = rest.find([':', '[', ' '])?;
    let (ident, rest) = rest.split_at(end);
    let rest = match rest.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    Some((ident, rest.strip_prefix(' ').unwrap_or(rest)))
}
