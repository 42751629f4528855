//! Turned: a whole message that was not taken, after its recipients had been accepted one by one (golden rule 7).
//!
//! By its code such a refusal is final or for now; both are `rejected` here, who shows them tells by the code.
//!
//! Promises: every recipient that the log names as accepted has the reply and the cause, not only the one that the line
//! names; none that was refused at RCPT has.
//!
//! Limits: recipients that no line names are not known. Which of sender and recipient `canonical_maps` was asked for,
//! cleanup does not say: its warning names a recipient only where another line does.

use super::open::Message;
use super::recipient::goes_before;
use super::{Correlator, Line, limited, some, text};
use crate::cause::Evidence;
use crate::model::row::{Attempt, Text, message_status as status, recipient_status as recipient};

/// Recipients remembered of a message that is being received.
const NAMED_LIMIT: usize = 200;

/// End of cleanup's warnings about a message for which the client got a 4xx reply.
const NOT_NOW: &str = "message not accepted, try again later";

/// What stands before the address in such a warning.
const BEFORE: [&str; 5] = [
    "map lookup problem for ",
    "map nesting for ",
    "map expansion size for ",
    "map result for ",
    "lookup problem for ",
];

/// What the line says of a message that was not taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turned<'a> {
    pub(super) reason: &'a str,
    pub(super) dsn: Option<&'a str>,
    pub(super) reply_code: Option<u16>,
    /// Class of the rule.
    pub(super) rule: Option<&'a str>,
    pub(super) dnsbl: Option<&'a str>,
}

/// Whom a warning of cleanup is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About<'a> {
    Sender(&'a str),
    Recipient(&'a str),
    /// One of the two.
    Either(&'a str),
    Nobody,
}

impl Correlator {
    /// Refuses the whole message: all its recipients, known or not (grammar 8).
    pub(super) fn turn_away(
        &mut self,
        line: &Line<'_>,
        id: i64,
        turned: &Turned<'_>,
        to: Option<&str>,
    ) {
        let state = self.turned_state(turned);
        let Self { mail, ids, .. } = self;
        let Some(m) = mail.edit(id) else {
            return;
        };
        // A warning for each recipient: the first one ended the message.
        let is_again = !m.is_open() && m.row.status == status::REJECTED;
        // `removed (canceled)` may come first.
        let is_explained = m.is_canceled_only(line.time);
        if is_explained {
            m.set_status(status::REJECTED);
            m.to.restate(recipient::CANCELED, recipient::REJECTED);
        }
        let is_again = is_again || is_explained;
        if m.is_probe || (!m.is_open() && !m.extra.is_guess && !is_again) {
            return;
        }
        m.extra.is_guess = false;
        let reason = turned.reason.trim_end();
        let is_tie =
            m.row.removed == Some(line.time) && goes_before(Some(reason), m.row.reason.as_deref());
        if !is_again || is_explained || is_tie {
            m.row.reason = some(reason);
        }
        let named = std::mem::take(&mut m.extra.named);
        let to = to.filter(|to| !to.is_empty());
        for to in named.iter().map(Text::as_str).chain(to) {
            m.to.hint(&m.row, ids, to, recipient::REJECTED, line.time);
        }
        m.to.turn_away(&state, line.time, to, &m.extra.blamed);
        if let Some(to) = to
            && m.extra.blamed.len() < NAMED_LIMIT
        {
            m.extra.blamed.push(text(to));
        }
        if !is_again {
            self.close(id, status::REJECTED, line.time);
        }
        self.kin(id, None);
    }

    fn turned_state(&mut self, turned: &Turned<'_>) -> Attempt {
        let found = self.causes.find(&Evidence {
            reason: turned.reason,
            dsn: turned.dsn,
            rule: turned.rule,
            dnsbl: turned.dnsbl,
        });
        Attempt {
            status: Text::const_new(recipient::REJECTED),
            dsn: turned.dsn.map(text),
            reply_code: turned.reply_code,
            reason: some(turned.reason.trim_end()),
            cause: Some(Text::const_new(found.cause)),
            dnsbl: found.dnsbl.map(text),
            ..Attempt::default()
        }
    }

    /// A warning of cleanup after which the client is refused; nothing for any other.
    pub(super) fn turned_by_warning(&mut self, line: &Line<'_>, id: i64, note: &str) {
        let is_refusal = refuses(note);
        let state = self.mail.get(id).map(|m| m.row.status.as_str());
        if !is_refusal || !matches!(state, Some(status::RECEIVING | status::REJECTED)) {
            return;
        }
        let mut to = None;
        match about(note) {
            About::Sender(sender) => self.sender_of(id, Some(sender)),
            About::Recipient(address) => to = Some(address),
            About::Either(address) => {
                let m = self.mail.get(id);
                to = m
                    .filter(|m| m.extra.named.iter().any(|known| known == address))
                    .map(|_| address);
            }
            About::Nobody => {}
        }
        let turned = Turned {
            reason: note,
            ..Turned::default()
        };
        self.turn_away(line, id, &turned, to);
    }

    /// Remembers a recipient that a line names without refusing it.
    pub(super) fn name_recipient(&mut self, line: &Line<'_>, id: i64, to: &str) {
        // What refuses a recipient is asked last: another line of that second was written before.
        let is_refused = |m: &Message| {
            let mut refused = m.extra.refused.iter();
            refused.any(|(known, at)| known == limited(to) && *at == line.time)
        };
        if to.is_empty() || self.mail.get(id).is_some_and(is_refused) {
            return;
        }
        self.name_turned(line, id, to);
        if let Some(m) = self.mail.get(id)
            && m.row.status == status::RECEIVING
            && m.extra.named.len() < NAMED_LIMIT
            && !m.extra.named.iter().any(|known| known == limited(to))
            && let Some(m) = self.mail.edit(id)
        {
            m.extra.named.push(text(to));
        }
    }

    /// The recipient was refused after all.
    pub(super) fn unname_recipient(&mut self, line: &Line<'_>, id: i64, to: &str) {
        let Some(m) = self.mail.edit(id) else {
            return;
        };
        m.extra.named.retain(|known| known != limited(to));
        let is_turned = m.is_turned() && m.row.removed == Some(line.time);
        if is_turned {
            m.to.drop_hint(to);
        }
        let is_open = m.row.status == status::RECEIVING || is_turned;
        if is_open && m.extra.refused.len() < NAMED_LIMIT {
            m.extra.refused.push((text(to), line.time));
        }
    }

    /// The message was refused as a whole before this line named the recipient.
    fn name_turned(&mut self, line: &Line<'_>, id: i64, to: &str) {
        let Self { mail, ids, .. } = self;
        if !mail.get(id).is_some_and(Message::is_turned) {
            return;
        }
        let Some(m) = mail.edit(id) else {
            return;
        };
        if let Some(state) = m.to.turned_state() {
            let time = m.row.removed.unwrap_or(line.time);
            m.to.hint(&m.row, ids, limited(to), recipient::REJECTED, time);
            m.to.turn_away(&state, time, None, &m.extra.blamed);
        }
    }
}

impl Message {
    /// Tells whether it was refused as a whole.
    fn is_turned(&self) -> bool {
        self.row.status == status::REJECTED && self.to.recorded() == 0
    }
}

/// Tells whether a warning of cleanup says that the message is not taken.
pub(super) fn refuses(note: &str) -> bool {
    note.starts_with("message rejected")
        || note.starts_with("queue file size limit exceeded")
        || note.ends_with(NOT_NOW)
}

/// Reads `{maps} map lookup problem for {address} -- message not accepted, try again later` and its kin (Postfix:
/// `cleanup/cleanup_map1n.c`, `cleanup_map11.c`, `cleanup_addr.c`).
fn about(note: &str) -> About<'_> {
    let Some(rest) = note
        .strip_suffix(NOT_NOW)
        .and_then(|rest| rest.strip_suffix(" -- "))
    else {
        return About::Nobody;
    };
    // The name of the table is Postfix's own; the address may hold blanks.
    let rest = rest.strip_prefix("unreasonable ").unwrap_or(rest);
    let Some((maps, rest)) = rest.split_once(' ') else {
        return About::Nobody;
    };
    let Some(address) = BEFORE.iter().find_map(|words| rest.strip_prefix(words)) else {
        return About::Nobody;
    };
    let address = address
        .strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(address);
    match maps {
        _ if address.is_empty() => About::Nobody,
        maps if maps.starts_with("sender_") || maps.contains("_sender_") => About::Sender(address),
        maps if maps.starts_with("recipient_") || maps.starts_with("virtual_") => {
            About::Recipient(address)
        }
        _ => About::Either(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_tells_whom_it_is_about() {
        let cases = [
            (
                "virtual_alias_maps map lookup problem for b@example.org",
                About::Recipient("b@example.org"),
            ),
            (
                "unreasonable virtual_alias_maps map nesting for b@example.org",
                About::Recipient("b@example.org"),
            ),
            (
                "unreasonable virtual_alias_maps map expansion size for b@example.org",
                About::Recipient("b@example.org"),
            ),
            (
                "virtual_alias_maps map lookup problem for \"b for c\"@example.org",
                About::Recipient("\"b for c\"@example.org"),
            ),
            (
                "recipient_canonical_maps map lookup problem for b@example.org",
                About::Recipient("b@example.org"),
            ),
            (
                "recipient_bcc_maps map lookup problem for b@example.org",
                About::Recipient("b@example.org"),
            ),
            (
                "sender_canonical_maps map lookup problem for a@example.net",
                About::Sender("a@example.net"),
            ),
            (
                "sender_bcc_maps map lookup problem for a@example.net",
                About::Sender("a@example.net"),
            ),
            (
                "canonical_maps map lookup problem for a@example.net",
                About::Either("a@example.net"),
            ),
            ("header_checks map lookup problem", About::Nobody),
        ];
        for (text, expected) in cases {
            let note = format!("{text} -- {NOT_NOW}");
            assert_eq!(about(&note), expected, "{text}");
        }
        assert_eq!(about("queue file size limit exceeded"), About::Nobody);
    }
}
