//! Bare: how a word without a field is read.
//!
//! Only the form of the word decides, never the database, so the same word always means the same. Where nothing is found, the word may be
//! read in another way ([`others`]): that is said, and asked anew.

use super::ast::{Expr, Form, Literal, Node};
use super::domain::{is_domain, parent_domain};
use super::{day, local};
use crate::model::ip::{Network, parse_address};

/// How a bare word is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The fields, any of which may have it as value.
    pub(super) fields: &'static [&'static str],
    /// What it was taken for, for people.
    pub(super) what: &'static str,
}

/// Another way to read a bare word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Other {
    /// The field that has it as value.
    pub(super) field: &'static str,
    /// What it is taken for, for people.
    pub(super) what: &'static str,
    /// Worth asking at once where the first reading found nothing; else it is a near miss.
    pub(super) is_tried: bool,
}

const fn tried(field: &'static str, what: &'static str) -> Other {
    Other {
        field,
        what,
        is_tried: true,
    }
}

const fn offered(field: &'static str, what: &'static str) -> Other {
    Other {
        field,
        what,
        is_tried: false,
    }
}

/// Mail programs show a Message-ID without its brackets.
const OF_RECIPIENT: [Other; 1] = [offered("msgid", "message id")];
const OF_ID: [Other; 2] = [
    tried("remote_qid", "queue id that the next host gave"),
    offered("text", "text of the reply"),
];
const OF_DOMAIN: [Other; 3] = [
    tried("relay", "host that the mail was sent to"),
    // Who asks what went to a domain is not answered with what came from it.
    offered("from", "sender's domain"),
    offered("client", "client"),
];
const OF_CLIENT: [Other; 1] = [tried("relay", "host that the mail was sent to")];
const OF_RELAY: [Other; 1] = [tried("client", "client")];
const OF_BRACKETED: [Other; 1] = [tried("from", "sender")];
const OF_WORD: [Other; 4] = [
    offered("addr", "part of an address"),
    offered("user", "login name"),
    offered("subject", "part of the subject"),
    offered("relay", "part of a relay's name"),
];
const OF_STATUS: [Other; 1] = [offered("text", "text of the reply")];
const OF_ADDRESS: [Other; 2] = [tried("to", "recipient"), tried("from", "sender")];
/// Who puts an address in quotes wants it in a reply.
const OF_QUOTED: [Other; 2] = [offered("to", "recipient"), offered("from", "sender")];
const OF_PHRASE: [Other; 1] = [offered("subject", "part of the subject")];

/// Returns the other ways to read the literal, the likeliest first.
pub(super) fn others(literal: &Literal) -> &'static [Other] {
    let word = match literal {
        Literal::Word(word) => word,
        Literal::Quoted(text) if is_address(text) => return &OF_QUOTED,
        // `john smith@example.org`: the shell took its quotes away.
        Literal::Quoted(text) if is_spaced_address(text) => return &OF_ADDRESS,
        Literal::Quoted(_) => return &OF_PHRASE,
        Literal::Regex { .. } => return &[],
    };
    // Behind a field's colon they would be operators.
    if word.starts_with(['=', '~', '!']) {
        return &[];
    }
    if is_status(literal) {
        return &OF_STATUS;
    }
    match read_word(word) {
        (["qid"], _) => &OF_ID,
        (["to"], _) if word.contains('@') => &OF_RECIPIENT,
        (["to"], _) => &OF_DOMAIN,
        (["client"], _) => &OF_CLIENT,
        (["relay"], _) => &OF_RELAY,
        (["msgid", "to"], _) => &OF_BRACKETED,
        (["text"], _) if word.chars().any(char::is_alphanumeric) => &OF_WORD,
        _ => &[],
    }
}

/// An address with blanks or commas in its local part, without the quotes that it needs.
fn is_spaced_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !local.contains('@') && is_domain(domain)
    })
}

/// Returns whether the word is a relay or client as the log writes it: `mx.example.org[192.0.2.25]:25`, `private/dovecot-lmtp`.
fn is_relay(word: &str) -> Option<bool> {
    if ["private/", "public/"]
        .iter()
        .any(|dir| word.len() > dir.len() && word.starts_with(dir))
    {
        return Some(true);
    }
    let (name, rest) = word.split_once('[')?;
    let (inside, port) = rest.split_once(']')?;
    let is_name = is_domain(name)
        || matches!(name, "unknown" | "localhost")
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let is_socket = inside.contains('/');
    let is_port = |port: &str| {
        port.strip_prefix(':')
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
    };
    let fits = is_name
        && (is_socket || parse_address(inside).is_some())
        && (port.is_empty() || is_port(port));
    fits.then_some(is_socket || !port.is_empty())
}

/// What a word may be that is a status: what becomes of mail, in one word that people say. Others (`lost`, `unknown`,
/// `done`) are words of replies first.
const STATUS: [&str; 9] = [
    "sent",
    "bounced",
    "deferred",
    "expired",
    "rejected",
    "refused",
    "held",
    "queued",
    "discarded",
];

/// How a word of [`STATUS`] is read where no word beside it is text of a reply (`connection refused`).
pub(super) const AS_STATUS: Reading = Reading {
    fields: &["status"],
    what: "status",
};

/// Returns whether the literal is a word for a status.
pub(super) fn is_status(literal: &Literal) -> bool {
    matches!(literal, Literal::Word(word) if STATUS.iter().any(|s| s.eq_ignore_ascii_case(word)))
}

/// Returns whether a word without quotes, anywhere in the tree, is text of a reply and no status.
pub(super) fn has_text(expr: &Expr) -> bool {
    match &expr.node {
        Node::And(list) | Node::Or(list) => list.iter().any(has_text),
        Node::Not(inner) => has_text(inner),
        Node::Term(term) if term.field.is_some() => false,
        Node::Term(term) => term.values.iter().any(|value| match &value.form {
            Form::Is(literal @ Literal::Word(_)) => {
                read(literal).fields == ["text"] && !is_status(literal)
            }
            _ => false,
        }),
    }
}

/// Returns how the literal is read: in quotes or slashes as text, else by its form.
pub(super) fn read(literal: &Literal) -> Reading {
    let (fields, what): (&'static [&'static str], _) = match literal {
        Literal::Word(word) => read_word(word),
        _ => (&["text"], "text of the reply"),
    };
    Reading { fields, what }
}

fn read_word(word: &str) -> (&'static [&'static str], &'static str) {
    if word == "<>" {
        return (&["from"], "null sender");
    }
    if Network::parse(word).is_some() {
        let is_network = word.contains('/');
        return (
            &["client"],
            if is_network {
                "client network"
            } else {
                "client address"
            },
        );
    }
    match is_relay(word) {
        Some(true) => return (&["relay"], "host that the mail was sent to"),
        Some(false) => return (&["client"], "client"),
        None => {}
    }
    // The log has both in brackets, and both are copied from there.
    if word.starts_with('<') && word.ends_with('>') && word.contains('@') {
        return (&["msgid", "to"], "message id or recipient");
    }
    if word.contains('@') {
        return (
            &["to"],
            if word.starts_with('@') {
                "recipient domain"
            } else {
                "recipient"
            },
        );
    }
    if is_queue_id(word) {
        return (&["qid"], "queue id");
    }
    if is_domain(word) || parent_domain(word).is_some() {
        return (&["to"], "recipient domain");
    }
    if is_day(word) {
        return (&["date"], "time");
    }
    (&["text"], "text of the reply")
}

/// Returns whether the word is a day: `yesterday`, `monday`, `24.11.`, `2026-11-20`, also with slashes.
fn is_day(word: &str) -> bool {
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    matches!(
        word.to_ascii_lowercase().as_str(),
        "yesterday" | "today" | "tomorrow"
    ) || day::is_named(word)
        || matches!(shape.as_str(), "0000-00-00" | "0000/00/00")
}

/// Returns whether the word looks like a queue id: short (hex) or long (base 52 with a z).
///
/// Short words and years stay text; plain numbers are ids from nine digits on.
pub(super) fn is_queue_id(word: &str) -> bool {
    is_short_id(word, word.bytes().any(|b| b.is_ascii_digit())) || is_long_id(word)
}

fn is_short_id(word: &str, has_digit: bool) -> bool {
    // Ids are logged in capitals; words and numbers need more to be taken for one.
    let least = match (
        word.bytes().any(|b| b.is_ascii_uppercase()),
        word.bytes().any(|b| b.is_ascii_lowercase()),
    ) {
        (true, _) => 6,
        (false, true) => 8,
        (false, false) => 9,
    };
    has_digit
        && (least..=21).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && !is_mixed(word)
}

/// Hex is written in one case.
fn is_mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// Long ids: at least ten symbols of time in base 52, the last z of the word, the inode in base 51; no vowels.
pub(super) fn is_long_id(word: &str) -> bool {
    let symbol = |b: u8| b.is_ascii_alphanumeric() && !b"AEIOUaeiou".contains(&b);
    let Some((time, inode)) = word.rsplit_once('z') else {
        return false;
    };
    // The first symbol is 3 from 2006, 4 from 2018 and 5 from 2030 on.
    (10..=12).contains(&time.len())
        && time.starts_with(['3', '4', '5'])
        && (1..=12).contains(&inode.len())
        && time.bytes().chain(inode.bytes()).all(symbol)
}

/// Returns whether the word is read as something else than text.
pub(super) fn is_name(word: &str) -> bool {
    read_word(word).0 != ["text"]
}

/// Returns whether the text is an address as mail has it.
pub(super) fn is_address(text: &str) -> bool {
    local::quoted(text).is_some() && local::is_quoted_address(text)
        || text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && is_domain(domain)
                && !local.contains(|c: char| c.is_whitespace() || "<>,;:()\"*?".contains(c))
        })
}
