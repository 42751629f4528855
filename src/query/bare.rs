//! Bare: how a word without a field is read.
//!
//! Only the form of the word decides, never the database, so the same word always means the same.

use super::ast::Literal;
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

/// Returns the domain of `.example.org` or `.org`: what lies below it is meant.
pub(super) fn parent_domain(word: &str) -> Option<&str> {
    let parent = word.strip_prefix('.')?;
    is_domain(&format!("x.{parent}")).then_some(parent)
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

/// Returns whether the word has the form of a domain: labels with dots, the last of letters.
pub(super) fn is_domain(word: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let top = |l: &str| {
        l.chars().count() >= 2 && (l.chars().all(char::is_alphabetic) || l.starts_with("xn--"))
    };
    word.len() <= 255
        && word.rsplit_once('.').is_some_and(|(_, last)| top(last))
        && word.split('.').all(label)
        && parse_address(word).is_none()
}
