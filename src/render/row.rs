//! Row: cells by the name of their column, and cells as people read them.

use super::escape::terminal;
use super::{Style, part};
use crate::model::table::Cell;
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::story::{Client, Reply};

pub(super) use crate::model::table::Row;

/// Cells as people read them.
pub(super) trait Shown {
    /// Returns the text for a terminal; empty for NULL.
    fn text(&self, column: &str) -> String;

    /// Returns an address for a terminal: `<>` is the null sender, `-` is not known.
    fn address(&self, column: &str) -> String;

    /// Returns `name[address]` of the client; empty when not known.
    fn client(&self) -> String;

    /// Returns status code and reply; the code only where the reply does not have it already.
    fn said(&self) -> String;
}

impl Shown for Row<'_> {
    fn text(&self, column: &str) -> String {
        part::text(self.raw(column))
    }

    fn address(&self, column: &str) -> String {
        part::address(self.raw(column))
    }

    fn client(&self) -> String {
        part::client(&Client::of(self))
    }

    fn said(&self) -> String {
        part::said(&Reply::of(self))
    }
}

/// Returns a reply without what a table says already: the host that said it stands in its own column, and what it was the answer to
/// matters to nobody who reads many.
pub(super) fn brief(said: &str, relay: &str) -> String {
    let mut text = said;
    if let Some(at) = text.rfind(" (in reply to ")
        && text.ends_with(')')
    {
        text = text.get(..at).unwrap_or(text);
    }
    // A code may stand in front of it, see `part::said`.
    let (code, rest) = match text.split_once(' ') {
        Some((code, rest))
            if code.starts_with(|c: char| c.is_ascii_digit()) && rest.starts_with("host ") =>
        {
            (code, rest)
        }
        _ => ("", text),
    };
    let words = rest.strip_prefix("host ").and_then(|rest| {
        let (host, words) = rest.split_once(' ')?;
        relay.starts_with(host).then_some(words)
    });
    let Some(words) = words else {
        return text.to_owned();
    };
    let words = words.strip_prefix("said: ").unwrap_or(words);
    if code.is_empty() || words.contains(code) {
        words.to_owned()
    } else {
        format!("{code} {words}")
    }
}

/// Returns the recipient before rewriting, where it was another.
pub(super) fn orig_to(row: &Row<'_>) -> Option<String> {
    let orig_to = row.raw("orig_to")?;
    let is_other = !row
        .raw("recipient")
        .unwrap_or_default()
        .eq_ignore_ascii_case(orig_to);
    (is_other && !orig_to.is_empty()).then(|| terminal(orig_to).into_owned())
}

/// Returns a time without its offset, in the zone of the style.
pub(super) fn time(time: Time, zone: Zone) -> String {
    match zone.local(time) {
        Some(local) => {
            let has_fraction = time.0.rem_euclid(SECOND) != 0;
            local
                .format(if has_fraction {
                    "%Y-%m-%d %H:%M:%S%.6f"
                } else {
                    "%Y-%m-%d %H:%M:%S"
                })
                .to_string()
        }
        None => zone.show(time),
    }
}

/// Returns any cell as one harmless line.
pub(super) fn cell(cell: &Cell, style: &Style) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => terminal(text).into_owned(),
        Cell::Time(t) => time(*t, style.zone),
        Cell::Bool(b) => b.to_string(),
        Cell::Int(n) => n.to_string(),
        Cell::Big(n) => n.to_string(),
        Cell::Float(n) => n.to_string(),
        Cell::Blob(bytes) => hex(bytes),
        Cell::List(cells) => {
            let cells: Vec<String> = cells.iter().map(|c| self::cell(c, style)).collect();
            format!("[{}]", cells.join(", "))
        }
        Cell::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, c)| format!("{}: {}", terminal(name), self::cell(c, style)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Returns the bytes as pairs of digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_without_its_host_begins_with_the_code() {
        let relay = "mx.example.net[192.0.2.25]:25";
        for (said, relay, shown) in [
            (
                "host mx.example.net[192.0.2.25] said: 550 5.1.1 <bob@example.org>: User unknown (in reply to RCPT TO command)",
                relay,
                "550 5.1.1 <bob@example.org>: User unknown",
            ),
            (
                "5.0.0 host mx.example.net[192.0.2.25] said: 550 no (in reply to end of DATA command)",
                relay,
                "5.0.0 550 no",
            ),
            (
                "4.0.0 host mx.example.net[192.0.2.25] refused to talk to me: 421 busy",
                relay,
                "4.0.0 refused to talk to me: 421 busy",
            ),
            (
                "host mail.example.com[private/dovecot-lmtp] said: 552 5.2.2 Mailbox full (in reply to end of DATA command)",
                "mail.example.com[private/dovecot-lmtp]",
                "552 5.2.2 Mailbox full",
            ),
            // Another host than the relay is told.
            (
                "550 5.1.1 rejected: undeliverable address: host a.example[192.0.2.1] said: 550 no (in reply to RCPT TO command)",
                relay,
                "550 5.1.1 rejected: undeliverable address: host a.example[192.0.2.1] said: 550 no",
            ),
            (
                "host a.example[192.0.2.1] said: 550 no",
                relay,
                "host a.example[192.0.2.1] said: 550 no",
            ),
            ("host", relay, "host"),
            ("host x", "x", "host x"),
            ("250 2.0.0 Ok", relay, "250 2.0.0 Ok"),
            ("", "", ""),
        ] {
            assert_eq!(brief(said, relay), shown);
        }
    }
}
