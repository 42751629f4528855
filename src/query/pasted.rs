//! Pasted: an argument that was copied from a mail program or a log, as the query that is meant.
//!
//! `Alice <alice@example.org>, "Bob" <bob@example.org>` are their addresses; `To: Alice <…>`, `Message-ID: <…>` and other header lines
//! their field; `mailto:alice@example.org?subject=x` the address; a log line the message of its queue id, or, where it has none, its
//! sender and recipient. From the end of an address, domain or id a full stop, a semicolon and a colon go.
//! Limits: the text is one argument, so the shell must have had it in quotes.

use super::ast::quoted;
use super::bare::{is_address, is_queue_id};
use super::domain::is_domain;
use super::field::FieldKind;
use super::fields;
use super::local;

/// Returns the query text, where the argument has such a form.
pub(super) fn pasted(arg: &str) -> Option<String> {
    if let Some(address) = mailto(arg) {
        return Some(address);
    }
    if !arg.contains(char::is_whitespace) {
        return trimmed(arg);
    }
    let address = arg.trim_end_matches(['.', ';', ':', ',']);
    if local::is_quoted_address(address) {
        return Some(address.to_owned());
    }
    log_line(arg)
        .or_else(|| header(arg))
        .or_else(|| mailboxes(arg))
}

/// `mailto:a@b?subject=c`
fn mailto(arg: &str) -> Option<String> {
    let (scheme, rest) = arg.split_at_checked("mailto:".len())?;
    let address = rest.split('?').next()?;
    (scheme.eq_ignore_ascii_case("mailto:") && is_address(address)).then(|| address.to_owned())
}

/// `alice@example.org.` at the end of a sentence, `4jWctm4v1Fz5rrN:` of a log.
fn trimmed(arg: &str) -> Option<String> {
    let word = arg.trim_end_matches(['.', ';', ':']);
    let is_name = is_address(word) || is_domain(word) || is_queue_id(word) || is_bracketed(word);
    (word.len() < arg.len() && is_name).then(|| word.to_owned())
}

/// `To: Alice <alice@example.org>`, with a blank behind the colon as in a mail.
fn header(arg: &str) -> Option<String> {
    let (name, value) = arg.split_once(": ")?;
    let field = fields::find(name)?;
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    Some(match field.kind {
        FieldKind::Address => match mailboxes(value) {
            Some(addresses) => format!("{}:{addresses}", field.name),
            None if is_bare(value) => format!("{}:{value}", field.name),
            None => return None,
        },
        FieldKind::MessageId if is_bare(value) => format!("{}:{value}", field.name),
        FieldKind::Text => format!("{}:{}", field.name, quoted(value)),
        _ => return None,
    })
}

fn is_bare(value: &str) -> bool {
    local::is_quoted_address(value) || (!value.contains(char::is_whitespace) && value.contains('@'))
}

/// `Alice <alice@example.org>, "Bob, the builder" <bob@example.org>, carol@example.org`: the addresses with commas.
fn mailboxes(text: &str) -> Option<String> {
    let mut addresses = Vec::new();
    let mut names = 0;
    for part in parts(text) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        if is_address(part) {
            addresses.push(part.to_owned());
            continue;
        }
        let (name, address) = part.rsplit_once('<')?;
        let address = address.strip_suffix('>')?;
        if !is_address(address) || !is_name(name) {
            return None;
        }
        names += usize::from(!name.trim().is_empty());
        addresses.push(format!("<{address}>"));
    }
    let is_list = names > 0 || addresses.len() > 1;
    is_list.then(|| addresses.join(","))
}

/// Splits at commas and semicolons outside of quotes.
fn parts(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(|c| {
        is_quoted ^= c == '"';
        !is_quoted && matches!(c, ',' | ';')
    })
    .collect()
}

/// A display name: in quotes, or words that are no query.
fn is_name(name: &str) -> bool {
    let name = name.trim();
    let inside = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    let words = |name: &str| {
        !name.contains(['"', '<', '>', '(', '@'])
            && !name.contains(':')
            && !name
                .split_whitespace()
                .any(|w| matches!(w, "OR" | "AND" | "NOT"))
            && !name.starts_with('-')
    };
    inside.map_or_else(|| words(name), |inside| !inside.contains('"'))
}

fn is_bracketed(word: &str) -> bool {
    word.starts_with('<') && word.ends_with('>') && word.contains('@')
}

/// `Nov 21 03:21:42 mx1 postfix/smtp[123]: 4jWctm4v1Fz5rrN: to=<…>, …`
fn log_line(arg: &str) -> Option<String> {
    let (_, message) = arg.split_once("]: ")?;
    let (first, rest) = message.split_once(": ")?;
    if is_queue_id(first) {
        return Some(format!("qid:{first}"));
    }
    let terms: Vec<String> = [("from=<", "from"), ("to=<", "to")]
        .into_iter()
        .filter_map(|(label, field)| {
            let (before, after) = rest.split_once(label)?;
            let local = local::quoted(after).unwrap_or(0);
            let end = local + after.get(local..)?.find('>')?;
            let address = after.get(..end)?;
            let is_label = before.is_empty() || before.ends_with(' ');
            let is_plain = local > 0 || !address.contains(|c: char| c.is_whitespace() || c == '"');
            (is_label && is_plain).then(|| format!("{field}:<{address}>"))
        })
        .collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one list")]
    fn what_people_copy_is_what_they_mean() {
        for (text, meant) in [
            ("Alice <alice@example.org>", Some("<alice@example.org>")),
            (
                "\"Smith, Alice\" <alice@example.org>",
                Some("<alice@example.org>"),
            ),
            (
                "Alice <a@example.org>; bob@example.org,",
                Some("<a@example.org>,bob@example.org"),
            ),
            (
                "a@example.org, b@example.org",
                Some("a@example.org,b@example.org"),
            ),
            (
                "mailto:alice@example.org?subject=x",
                Some("alice@example.org"),
            ),
            ("MAILTO:alice@example.org", Some("alice@example.org")),
            ("alice@example.org.", Some("alice@example.org")),
            ("alice@example.org;", Some("alice@example.org")),
            ("mail.example.org.", Some("mail.example.org")),
            ("4jWctm4v1Fz5rrN:", Some("4jWctm4v1Fz5rrN")),
            ("AB12CD34EF:", Some("AB12CD34EF")),
            ("Message-ID: <x@example.org>", Some("msgid:<x@example.org>")),
            (
                "To: Alice <alice@example.org>",
                Some("to:<alice@example.org>"),
            ),
            ("From: alice@example.org", Some("from:alice@example.org")),
            ("Subject: annual report", Some("subject:\"annual report\"")),
            (
                "Nov 21 03:21:42 mx1 postfix/smtp[123]: 4jWctm4v1Fz5rrN: to=<a@b.test>, status=sent (ok)",
                Some("qid:4jWctm4v1Fz5rrN"),
            ),
            (
                "Nov 21 03:21:42 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from a[1.2.3.4]: 450 4.2.0 <x@b.test>: no; \
                 from=<> to=<x@b.test> proto=ESMTP helo=<h>",
                Some("from:<> to:<x@b.test>"),
            ),
            (
                "<\"john smith\"@example.org>;",
                Some("<\"john smith\"@example.org>"),
            ),
            (
                "John <\"john smith\"@example.org>",
                Some("<\"john smith\"@example.org>"),
            ),
            (
                "To: \"john smith\"@example.org",
                Some("to:\"john smith\"@example.org"),
            ),
            (
                "Nov 21 03:21:42 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from a[1.2.3.4]: 450 4.2.0 <\"a b\"@b.test>: no; \
                 from=<\"x>y\"@b.test> to=<\"a b\"@b.test> proto=ESMTP helo=<h>",
                Some("from:<\"x>y\"@b.test> to:<\"a b\"@b.test>"),
            ),
            ("mailbox full", None),
            ("alice@example.org", None),
            ("from:alice \"mailbox full\" <a@example.org>", None),
            ("alice@example.org OR <b@example.org>", None),
            ("to:", None),
            ("fe80::1", None),
            ("to:alice@example.org.", None),
        ] {
            assert_eq!(pasted(text).as_deref(), meant, "{text}");
        }
    }
}
