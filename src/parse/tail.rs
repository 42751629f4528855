//! The end of a policy line, `; from=<> to=<> proto= helo=<> sasl_*`, found from the right (grammar 9.2.3).
//!
//! Postfix: `smtpd/smtpd_check.c` (`log_whatsup`), `smtpd/smtpd.c`, `cleanup/cleanup_milter.c`. The text left of
//! it may imitate it; the HELO name cannot hold blanks or brackets, so the scan starts there.

use super::address;
use crate::model::event::Tail;

/// Splits `{text};{tail}`. A line without a readable tail, such as a cut one, is all text.
#[must_use]
pub(super) fn split(text: &str) -> (&str, Tail<'_>) {
    let mut tail = Tail::default();
    let rest = sasl_and_helo(text, &mut tail);
    let rest = protocol(rest, &mut tail);
    for (at, _) in rest.rmatch_indices(';') {
        let Some(addresses) = rest.get(at + 1..).and_then(addresses) else {
            continue;
        };
        (tail.sender, tail.recipient) = addresses;
        return (rest.get(..at).unwrap_or(rest), tail);
    }
    (text, Tail::default())
}

/// Takes ` helo=<...>` and what may follow it off the right end.
fn sasl_and_helo<'a>(text: &'a str, tail: &mut Tail<'a>) -> &'a str {
    // The usual line ends with the HELO name.
    if let Some((left, name)) = text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
        && let Some(left) = left.strip_suffix(" helo=")
        && !name.contains(['>', ' '])
    {
        tail.helo_name = Some(name);
        return left;
    }
    for (at, label) in text.rmatch_indices(" helo=<") {
        let Some((helo_name, after)) = text.get(at + label.len()..).and_then(helo) else {
            continue;
        };
        if after.is_empty() || sasl(after, tail) {
            tail.helo_name = Some(helo_name);
            return text.get(..at).unwrap_or(text);
        }
    }
    // No HELO name: AUTH is possible then only where the client skipped it.
    if let Some(at) = text.rfind(" sasl_method=")
        && let Some((rest, after)) = text.split_at_checked(at)
        && sasl(after, tail)
    {
        return rest;
    }
    text
}

fn helo(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|byte| matches!(byte, b'<' | b'>' | b' '))?;
    Some((text.get(..end)?, text.get(end..)?.strip_prefix('>')?))
}

/// Reads ` sasl_method=m sasl_username=u sasl_sender=x` of 3.10, or ` sasl_username=<u>` of milter lines.
fn sasl<'a>(text: &'a str, tail: &mut Tail<'a>) -> bool {
    let mut rest = text;
    let mut method = None;
    if let Some(after) = rest.strip_prefix(" sasl_method=") {
        let (word, after) = super::attrs::until(after, |byte| byte == b' ');
        method = Some(word);
        rest = after;
    }
    let (mut username, mut sender) = (None, None);
    if let Some(after) = rest.strip_prefix(" sasl_sender=") {
        sender = Some(after);
    } else if let Some(after) = rest.strip_prefix(" sasl_username=") {
        (username, sender) = match after.rsplit_once(" sasl_sender=") {
            Some((username, sender)) if !sender.contains(' ') => (Some(username), Some(sender)),
            _ => (Some(after), None),
        };
        username = username.map(without_brackets);
    } else if !rest.is_empty() || method.is_none() {
        return false;
    }
    (tail.sasl_method, tail.sasl_username, tail.sasl_sender) = (method, username, sender);
    true
}

fn without_brackets(username: &str) -> &str {
    username
        .strip_prefix('<')
        .and_then(|username| username.strip_suffix('>'))
        .unwrap_or(username)
}

fn protocol<'a>(text: &'a str, tail: &mut Tail<'a>) -> &'a str {
    match text.rsplit_once(' ') {
        Some((rest, word)) if let Some(name) = word.strip_prefix("proto=") => {
            tail.protocol_name = Some(name);
            rest
        }
        _ => text,
    }
}

/// Reads exactly ` from=<a> to=<b>`, each optional, and nothing else.
fn addresses(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let mut rest = text;
    let mut sender = None;
    let mut recipient = None;
    if let Some(after) = rest.strip_prefix(" from=<") {
        let (address, after) = address::strict(after)?;
        sender = Some(address);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(" to=<") {
        let (address, after) = address::strict(after)?;
        recipient = Some(address);
        rest = after;
    }
    rest.is_empty().then_some((sender, recipient))
}

/// Reads a tail from the left: the form behind a header or body check. Returns what follows it.
#[must_use]
pub(super) fn forward(text: &str) -> (Tail<'_>, &str) {
    let mut tail = Tail::default();
    let mut rest = text;
    if let Some((address, after)) = rest.strip_prefix(" from=<").and_then(address::strict) {
        tail.sender = Some(address);
        rest = after;
    }
    if let Some((address, after)) = rest.strip_prefix(" to=<").and_then(address::strict) {
        tail.recipient = Some(address);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(" proto=") {
        let (name, after) = super::attrs::until(after, |byte| matches!(byte, b' ' | b':'));
        tail.protocol_name = Some(name);
        rest = after;
    }
    if let Some((name, after)) = rest.strip_prefix(" helo=<").and_then(helo) {
        tail.helo_name = Some(name);
        rest = after;
    }
    (tail, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_may_be_missing() {
        let cases = [
            (
                "550 no; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>",
                "550 no",
                "SRPH",
            ),
            (
                "550 no; to=<b@example.org> proto=SMTP helo=<x>",
                "550 no",
                "RPH",
            ),
            ("550 no; from=<> proto=ESMTP", "550 no", "SP"),
            ("550 no; proto=SMTP", "550 no", "P"),
            ("550 no;", "550 no", ""),
            (
                "421 4.3.0 mx.example.org Server local data error",
                "421 4.3.0 mx.example.org Server local data error",
                "",
            ),
            (
                "550 no; from=<a@example.net> to=<b@exa",
                "550 no; from=<a@example.net> to=<b@exa",
                "",
            ),
        ];
        for (text, reason, parts) in cases {
            let (found, tail) = split(text);
            assert_eq!(found, reason);
            let mut seen = String::new();
            for (part, letter) in [
                (tail.sender, 'S'),
                (tail.recipient, 'R'),
                (tail.protocol_name, 'P'),
                (tail.helo_name, 'H'),
            ] {
                if part.is_some() {
                    seen.push(letter);
                }
            }
            assert_eq!(seen, parts, "{text}");
        }
    }

    #[test]
    fn sasl_attributes_are_taken_in_both_forms() {
        let (_, tail) = split(
            "553 no; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<[192.0.2.44]> sasl_method=PLAIN sasl_username=al ice sasl_sender=x+3Dy",
        );
        assert_eq!(tail.helo_name, Some("[192.0.2.44]"));
        assert_eq!(tail.sasl_method, Some("PLAIN"));
        assert_eq!(tail.sasl_username, Some("al ice"));
        assert_eq!(tail.sasl_sender, Some("x+3Dy"));
        let (_, tail) =
            split("5.7.1 no; from=<a@example.org> proto=ESMTP helo=<x> sasl_username=<alice>");
        assert_eq!(tail.sasl_username, Some("alice"));
        assert_eq!(tail.sender, Some("a@example.org"));
    }
}
