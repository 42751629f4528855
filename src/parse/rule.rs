//! Classes of refusals, told by the standard texts of smtpd, postscreen and common policy servers.
//!
//! Limits: administrators may write any text; what is not recognised falls to the restriction that it names
//! (`recipient`, `sender`, `client`, `helo`), else to `policy`.

use super::{address, attrs};
use crate::model::event::Policy;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem;
use std::sync::LazyLock;

/// Texts that tell the class wherever they stand in the refusal, in order of precedence.
const ANYWHERE: &[(&str, &str)] = &[
    ("bare <LF> received", "bare_lf"),
    ("Relay access denied", "relay"),
    ("Relaying denied", "relay"),
    ("] blocked using ", "dnsbl"),
    ("reylist", "greylist"),
    ("raylist", "greylist"),
    ("GREYLIST", "greylist"),
    ("SPF ", "spf"),
    ("not owned by user ", "auth"),
    ("not logged in", "auth"),
    ("SASL login name rejected", "auth"),
    ("Authentication required", "auth"),
    ("authentication required", "auth"),
    ("User unknown in ", "unknown_user"),
    ("Message size exceeds ", "size"),
    ("message file too big", "size"),
    ("Insufficient system storage", "storage"),
    ("queue file write error", "storage"),
    ("Server configuration ", "config"),
    ("Local configuration error", "config"),
    ("Temporary lookup failure", "lookup"),
    ("Server local data error", "lookup"),
    ("Session encryption is required", "tls"),
    ("Must issue a STARTTLS command first", "tls"),
    ("Client certificate ", "tls"),
    ("Improper use of SMTP command pipelining", "protocol"),
    ("Data command rejected", "protocol"),
    ("Protocol error", "protocol"),
    ("too many connections", "rate"),
    ("all server ports busy", "rate"),
    ("all screening ports busy", "rate"),
    ("too many errors", "rate"),
    ("rate limit", "rate"),
];

/// Texts behind the restriction that refused, and the class they make of it.
const BEHIND: &[(&str, &str, &str)] = &[
    (
        "Recipient address rejected: ",
        "undeliverable address",
        "unknown_user",
    ),
    (
        "Recipient address rejected: ",
        "unverified address",
        "unknown_user",
    ),
    ("Recipient address rejected: ", "", "recipient"),
    (
        "Sender address rejected: ",
        "undeliverable address",
        "unknown_sender",
    ),
    (
        "Sender address rejected: ",
        "unverified address",
        "unknown_sender",
    ),
    ("Sender address rejected: ", "Domain ", "unknown_sender"),
    ("Sender address rejected: ", "", "sender"),
    (
        "Client host rejected: ",
        "cannot find your ",
        "unknown_client",
    ),
    ("Client host rejected: ", "", "client"),
    ("Helo command rejected: ", "", "helo"),
];

/// Returns the class of a refusal, for counting and filtering.
#[must_use]
pub(super) fn rule_class(policy: &Policy<'_>) -> &'static str {
    let text = own_text(policy.reason);
    if policy.dnsbl.is_some() {
        return "dnsbl";
    }
    let by_text = by_words(text);
    if policy.action.starts_with("milter-") {
        return match by_text {
            Some(class @ ("greylist" | "spf")) => class,
            _ if is_put_off(policy, text) => "greylist",
            _ => "milter",
        };
    }
    if policy.action.starts_with("proxy-") {
        return "proxy";
    }
    if policy.is_postscreen && text.contains("Service currently unavailable") {
        // postscreen puts off whom it has not seen yet, and turns away whom its own list denies.
        return match policy.reply_code {
            Some(400..=499) => "greylist",
            _ => "client",
        };
    }
    by_text.or_else(|| by_restriction(text)).unwrap_or("policy")
}

/// Classes that come of the kind of refusal and not of its text.
const OF_KIND: [&str; 9] = [
    "dnsbl", "milter", "proxy", "client", "policy", "header", "body", "mime", "content",
];

/// Returns all classes, each once, in the order of the alphabet.
#[must_use]
pub fn rule_classes() -> Vec<&'static str> {
    let by_text = ANYWHERE.iter().map(|(_, class)| *class);
    let behind = BEHIND.iter().map(|(_, _, class)| *class);
    let mut all: Vec<&str> = by_text.chain(behind).chain(OF_KIND).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns whether a milter puts the client off and gives no reason but that: so rspamd's greylisting is worded, with text or without.
/// A milter that fails has a text of Postfix (`Service unavailable - try again later`).
fn is_put_off(policy: &Policy<'_>, text: &str) -> bool {
    let text = text.trim().trim_end_matches('.');
    policy.dsn.is_some_and(|dsn| dsn.starts_with('4'))
        && (text.is_empty() || text.eq_ignore_ascii_case("try again later"))
}

/// Returns the class of a header or body check by the part that it looked at.
#[must_use]
pub fn content_class(part: &str) -> &'static str {
    match part {
        "header" => "header",
        "body" => "body",
        "mime-error" => "mime",
        _ => "content",
    }
}

/// Returns Postfix's own words: what follows codes and the quoted `<{what}>: ` of the client.
fn own_text(reason: &str) -> &str {
    let text = attrs::reply_code(reason).map_or(reason, |(_, rest)| rest);
    let text = attrs::dsn(text).map_or(text, |(_, rest)| rest).trim_start();
    text.strip_prefix('<')
        .and_then(|what| address::ends(what).find_map(|(_, rest)| rest.strip_prefix(": ")))
        .unwrap_or(text)
}

/// Returns the class of the first of the texts that stand anywhere; all are looked for at once.
fn by_words(text: &str) -> Option<&'static str> {
    static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = ANYWHERE.iter().map(|(words, _)| words);
        let dfa = Some(AhoCorasickKind::DFA);
        AhoCorasick::builder().kind(dfa).build(words).ok()
    });
    let first = match &*FINDER {
        Some(finder) => {
            let found = finder.find_overlapping_iter(text);
            found.map(|found| found.pattern().as_usize()).min()?
        }
        None => ANYWHERE
            .iter()
            .position(|(words, _)| text.contains(words))?,
    };
    ANYWHERE.get(first).map(|(_, class)| *class)
}

fn by_restriction(text: &str) -> Option<&'static str> {
    // What all of them say.
    memmem::find(text.as_bytes(), b" rejected: ")?;
    let mut last = ("", None);
    BEHIND.iter().find_map(|(restriction, words, class)| {
        if last.0 != *restriction {
            last = (*restriction, text.split_once(restriction));
        }
        let (_, detail) = last.1?;
        detail.starts_with(words).then_some(*class)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::event;
    use super::*;
    use crate::model::event::Event;

    const CASES: &[(&str, &str)] = &[
        ("554 5.7.1 <b@example.org>: Relay access denied", "relay"),
        (
            "550 5.1.1 <b@example.org>: Recipient address rejected: User unknown in local recipient table",
            "unknown_user",
        ),
        (
            "550 5.1.1 <b@example.org>: Recipient address rejected: undeliverable address: host x said: 550",
            "unknown_user",
        ),
        (
            "554 5.7.1 <b@example.org>: Recipient address rejected: Access denied",
            "recipient",
        ),
        (
            "450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted, see https://example.org",
            "greylist",
        ),
        (
            "450 4.1.8 <a@example.net>: Sender address rejected: Domain not found",
            "unknown_sender",
        ),
        (
            "554 5.7.1 <a@example.net>: Sender address rejected: Access denied",
            "sender",
        ),
        (
            "553 5.7.1 <a@example.net>: Sender address rejected: not owned by user joe",
            "auth",
        ),
        (
            "450 4.7.25 Client host rejected: cannot find your hostname, [198.51.100.7]",
            "unknown_client",
        ),
        (
            "554 5.7.1 <mx.example.com[198.51.100.7]>: Client host rejected: Access denied",
            "client",
        ),
        (
            "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname",
            "helo",
        ),
        (
            "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using list.example; https://example/q",
            "dnsbl",
        ),
        (
            "550 5.7.23 <b@example.org>: Recipient address rejected: Message rejected due to: SPF fail",
            "spf",
        ),
        ("552 5.3.4 Message size exceeds fixed limit", "size"),
        ("452 4.3.1 Insufficient system storage", "storage"),
        ("451 4.3.5 Server configuration error", "config"),
        (
            "451 4.3.0 <b@example.org>: Temporary lookup failure",
            "lookup",
        ),
        (
            "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
            "protocol",
        ),
        ("530 5.7.0 Session encryption is required", "tls"),
        ("bare <LF> received", "bare_lf"),
        ("450 4.7.1 come back later", "policy"),
    ];

    fn class(reason: &str) -> &'static str {
        let text = format!(
            "NOQUEUE: reject: RCPT from mx.example.com[198.51.100.7]: {reason}; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>"
        );
        match event("postfix/smtpd", &text) {
            Event::Policy(policy) => policy.rule,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn standard_texts_have_their_class() {
        for (reason, expected) in CASES {
            assert_eq!(class(reason), *expected, "{reason}");
        }
    }

    #[test]
    fn a_milter_that_puts_off_without_a_reason_greylists() {
        let class = |reply: &str| {
            let text = format!(
                "4258667796: milter-reject: END-OF-MESSAGE from mx.example.com[198.51.100.7]: {reply}; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<x>"
            );
            match event("postfix/cleanup", &text) {
                Event::Policy(policy) => policy.rule,
                other => panic!("{other:?}"),
            }
        };
        for reply in [
            "4.7.1 Try again later",
            "4.7.1  ",
            "4.7.1",
            "4.7.1 Greylisted, come back",
        ] {
            assert_eq!(class(reply), "greylist", "{reply}");
        }
        for reply in [
            "5.7.1  ",
            "5.7.1 Try again later",
            "4.7.1 Service unavailable - try again later",
        ] {
            assert_eq!(class(reply), "milter", "{reply}");
        }
    }

    #[test]
    fn each_restriction_is_told_by_the_words_that_all_have() {
        for (restriction, ..) in BEHIND {
            assert!(restriction.contains(" rejected: "), "{restriction}");
        }
    }

    #[test]
    fn of_several_texts_the_first_in_order_counts() {
        for (words, _) in ANYWHERE {
            for (other, _) in ANYWHERE {
                for text in [format!("{words}{other}"), format!("{other} {words}")] {
                    let expected = ANYWHERE.iter().position(|(words, _)| text.contains(words));
                    let expected = expected.map(|at| ANYWHERE[at].1);
                    assert_eq!(by_words(&text), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn words_of_the_client_do_not_choose_the_class() {
        let reason = "550 5.1.1 <\"x>: Relay access denied\"@example.org>: Recipient address rejected: User unknown in virtual mailbox table";
        assert_eq!(class(reason), "unknown_user");
    }
}
