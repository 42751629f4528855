//! Part: parts of a mail as people read them. Every text passes [`terminal`].

use super::escape::terminal;
use crate::story::{Addressed, Client, Login, Reply};

/// Returns the text; empty where there is none.
pub(super) fn text(text: Option<&str>) -> String {
    terminal(text.unwrap_or_default()).into_owned()
}

/// Returns an address: `<>` is the null sender, `-` is not known.
pub(super) fn address(address: Option<&str>) -> String {
    match address {
        None => "-".into(),
        Some("") => "<>".into(),
        Some(address) => terminal(address).into_owned(),
    }
}

/// Returns `name[address]`; empty when not known.
pub(super) fn client(client: &Client<'_>) -> String {
    match (client.name, client.address) {
        (None, None) => String::new(),
        (Some(name), None) => terminal(name).into_owned(),
        (None, Some(address)) => format!("[{}]", terminal(address)),
        (Some(name), Some(address)) => format!("{}[{}]", terminal(name), terminal(address)),
    }
}

/// Returns the name with the method, `alice (PLAIN)`; empty without a login.
pub(super) fn user(login: &Login<'_>) -> String {
    let (user, method) = (text(login.username), text(login.method));
    match (user.is_empty(), method.is_empty()) {
        (false, false) => format!("{user} ({method})"),
        (true, false) => format!("({method})"),
        (_, true) => user,
    }
}

/// Returns status code and reply; the code only where the reply does not have it already.
pub(super) fn said(reply: &Reply<'_>) -> String {
    let (dsn, reason) = (text(reply.dsn), text(reply.reason));
    match (dsn.is_empty(), reason.is_empty()) {
        (true, _) => reason,
        (_, true) => dsn,
        _ if reason.contains(&dsn) => reason,
        _ => format!("{dsn} {reason}"),
    }
}

/// Returns the recipient, with the address that the sender used or that was asked for where it is another.
pub(super) fn addressed(to: &Addressed<'_>) -> String {
    let name = address(to.recipient);
    match to.other {
        Some(other) => format!("{name} (addressed as {})", terminal(other)),
        None => name,
    }
}
