//! smtp, lmtp and the local agents besides their delivery records: attempts without verdict, notes, TLS (5.7).
//!
//! Postfix: `smtp/smtp_trouble.c`, `smtp_proto.c`, `smtp_connect.c`, `smtp_sasl_glue.c`, `tls/tls_misc.c`,
//! `local/local_expand.c`. Replies in these lines are hostile and only kept as text.

use super::{attrs, client};
use crate::model::event::{Direction, Event};

/// Beginnings of texts which say that one server failed and another may be tried.
const ATTEMPTS: [&str; 18] = [
    "host ",
    "lost connection with ",
    "conversation with ",
    "Protocol error: ",
    "Cannot start TLS: ",
    "Server certificate not ",
    "TLS is required, but ",
    "TLSA lookup error ",
    "SASL authentication failed; ",
    "SASL [CACHED] authentication failed; ",
    "SASL authentication failure: ",
    "Authentication cannot be ",
    "client TLS configuration problem",
    "message size ",
    "SMTPUTF8 is required, but ",
    "message requires SMTPUTF8, but ",
    "REQUIRETLS ",
    "connect to ",
];

/// Beginnings of texts that name a message and change nothing.
const NOTES: [&str; 4] = [
    "enabling PIX workarounds: ",
    "Sender requested REQUIRETLS",
    "breaking line > ",
    "TLSRPT: status=",
];

/// Reads what follows the queue id in a line of smtp or lmtp.
#[must_use]
pub(super) fn of_message<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    if let Some(event) = passing(queue_id, text) {
        return Some(event);
    }
    if ATTEMPTS.iter().any(|words| text.starts_with(words)) {
        return Some(Event::AttemptNote {
            queue_id: Some(queue_id),
            reason: text,
        });
    }
    let is_note = NOTES.iter().any(|words| text.starts_with(words));
    (is_note || super::cleanup::check(text).is_some()).then(|| super::note(Some(queue_id), text))
}

/// Reads `passing <recipient> to transport=name`, which local logs too.
#[must_use]
pub(super) fn passing<'a>(queue_id: &'a str, text: &'a str) -> Option<Event<'a>> {
    let (recipient, transport) = text
        .strip_prefix("passing <")?
        .rsplit_once("> to transport=")?;
    Some(Event::Passing {
        queue_id,
        recipient,
        transport,
    })
}

/// Reads lines of smtp and lmtp that name no message.
#[must_use]
pub(super) fn of_session(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text
        .strip_prefix("connect to ")
        .or_else(|| text.strip_prefix("SSL_connect error to "))
    {
        let (_, rest) = server(rest)?;
        return rest.starts_with(": ").then_some(Event::AttemptNote {
            queue_id: None,
            reason: text,
        });
    }
    if text.starts_with("TLSRPT: status=") {
        return Some(super::note(None, text));
    }
    None
}

/// Splits `host[address]:port` or `host[path]`.
fn server(text: &str) -> Option<(&str, &str)> {
    let (host, rest) = text.split_once('[')?;
    if host.contains(' ') {
        return None;
    }
    let (_, rest) = rest.split_once(']')?;
    let rest = match rest.strip_prefix(':') {
        Some(port) if port.starts_with(|next: char| next.is_ascii_digit()) => {
            attrs::until(port, |byte| !byte.is_ascii_digit()).1
        }
        _ => rest,
    };
    Some((host, rest))
}

/// Reads `Trusted TLS connection established|reused from|to {peer}: {protocol} with cipher {cipher} (...`.
#[must_use]
pub(super) fn tls(text: &str) -> Option<Event<'_>> {
    let (trust, rest) = text.split_once(' ')?;
    if !matches!(trust, "Anonymous" | "Untrusted" | "Trusted" | "Verified") {
        return None;
    }
    let rest = rest.strip_prefix("TLS connection ")?;
    let (is_reused, rest) = match rest.strip_prefix("reused ") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("established ")?),
    };
    let (direction, rest) = match rest.strip_prefix("from ") {
        Some(rest) => (Direction::Inbound, rest),
        None => (Direction::Outbound, rest.strip_prefix("to ")?),
    };
    // A socket has its path for an address.
    let (client, rest) = client::any(rest)?;
    // Since 3.4 the name that the client asked for: ` to mail.example.org: `.
    let rest = match rest.strip_prefix(" to ") {
        Some(sni) => attrs::until(sni, |byte| byte == b':').1,
        None => rest,
    };
    let (protocol, rest) = rest.strip_prefix(": ")?.split_once(" with cipher ")?;
    let (cipher, _) = attrs::until(rest, |byte| byte == b' ');
    Some(Event::Tls {
        direction,
        trust,
        is_reused,
        client,
        protocol,
        cipher,
    })
}
