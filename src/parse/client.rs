//! Hosts as Postfix prints them: `name[address]` with or without `:port`, and postscreen's `[address]:port`.
//!
//! Postfix: `smtpd/smtpd_peer.c`, `postscreen/postscreen_endpt.c`. Names have no blanks or brackets:
//! Postfix checks them as host names before it prints them.

use crate::model::event::Client;

/// Splits a leading `name[address]:port`, name and port each optional.
#[must_use]
pub(super) fn any(text: &str) -> Option<(Client<'_>, &str)> {
    let open = text
        .bytes()
        .position(|byte| matches!(byte, b'[' | b']' | b' '))?;
    let (name, rest) = text.split_at_checked(open)?;
    let inside = rest.strip_prefix('[')?;
    let close = inside
        .bytes()
        .position(|byte| matches!(byte, b'[' | b']' | b' '))?;
    let (address, rest) = inside.split_at_checked(close)?;
    let rest = rest.strip_prefix(']')?;
    let (port, rest) = port(rest);
    let client = Client {
        name,
        address,
        port,
    };
    Some((client, rest))
}

/// Splits a leading `name[address]:port`, port optional.
#[must_use]
pub(super) fn named(text: &str) -> Option<(Client<'_>, &str)> {
    any(text).filter(|(client, _)| !client.name.is_empty())
}

/// Splits a leading `[address]:port`, as postscreen prints it.
#[must_use]
pub(super) fn nameless(text: &str) -> Option<(Client<'_>, &str)> {
    any(text).filter(|(client, _)| client.name.is_empty())
}

/// Returns the client when it is the whole text.
#[must_use]
pub(super) fn whole(text: &str) -> Option<Client<'_>> {
    named(text).and_then(|(client, rest)| rest.is_empty().then_some(client))
}

/// Splits `:25` or `:unknown`; anything else stays in the rest.
fn port(text: &str) -> (Option<u16>, &str) {
    let Some(rest) = text.strip_prefix(':') else {
        return (None, text);
    };
    if let Some(rest) = rest.strip_prefix("unknown") {
        return (None, rest);
    }
    match super::attrs::number::<u16>(rest) {
        Some((port, rest)) => (Some(port), rest),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client<'a>(name: &'a str, address: &'a str, port: Option<u16>) -> Client<'a> {
        Client {
            name,
            address,
            port,
        }
    }

    #[test]
    fn all_forms_are_split() {
        let cases = [
            (
                "mx.example.com[198.51.100.7]",
                client("mx.example.com", "198.51.100.7", None),
                "",
            ),
            (
                "unknown[2001:db8::5]:41022: x",
                client("unknown", "2001:db8::5", Some(41022)),
                ": x",
            ),
            (
                "unknown[unknown]:unknown",
                client("unknown", "unknown", None),
                "",
            ),
            (
                "unknown[fe80::1%eth0], y",
                client("unknown", "fe80::1%eth0", None),
                ", y",
            ),
            (
                "[203.0.113.5]:25: 550",
                client("", "203.0.113.5", Some(25)),
                ": 550",
            ),
            ("x[y]: 550", client("x", "y", None), ": 550"),
            ("x[y]:99999", client("x", "y", None), ":99999"),
        ];
        for (text, expected, rest) in cases {
            assert_eq!(any(text), Some((expected, rest)), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "x", "x y[1]", "x[1", "x[1 2]", "x[[1]]", "]x[1]"] {
            assert_eq!(any(text), None, "{text}");
        }
        assert_eq!(named("[192.0.2.1]:25"), None);
        assert_eq!(nameless("x[192.0.2.1]:25"), None);
        assert_eq!(whole("x[192.0.2.1] y"), None);
    }
}
