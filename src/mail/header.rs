//! Header: text of people as header fields, encoded (RFC 2047) and folded (RFC 5322 2.2.3).
//!
//! Promises: whatever the text, the field is printable ASCII, one field, of lines below 78 characters (an address may be
//! longer), and reads back as the text, white space made single blanks and control characters made U+FFFD.

use super::mailbox::Mailbox;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};

/// A word that is longer does not fit a line beside the name of its field.
const LONGEST_WORD: usize = 60;
/// Bytes that an encoded word of 75 characters holds, RFC 2047 2.
const ENCODED: usize = 45;
/// Bytes of a text that are kept: more is of no use in a header, and stays below any limit of servers.
const LONGEST_TEXT: usize = 2000;

/// Returns a field with any text (Subject).
pub(super) fn text(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    let value = clean(value);
    if is_plain(&value) {
        // It is ASCII: lettre only folds it.
        return HeaderValue::new(name, value);
    }
    let encoded = encoded(&value);
    HeaderValue::dangerous_new_pre_encoded(name, value, encoded)
}

/// Returns a field of addresses (From, To, Cc).
pub(super) fn mailboxes(name: &'static str, list: &[Mailbox]) -> HeaderValue {
    let each: Vec<String> = list.iter().map(mailbox).collect();
    let raw: Vec<String> = list.iter().map(Mailbox::to_string).collect();
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        clean(&raw.join(", ")),
        each.join(",\r\n "),
    )
}

fn mailbox(mailbox: &Mailbox) -> String {
    let name = mailbox.name.as_deref().map(clean).unwrap_or_default();
    let address = mailbox.address();
    if name.is_empty() {
        return address.to_owned();
    }
    let shown = if is_plain(&name) && name.len() <= LONGEST_WORD {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{quoted}\"")
    } else {
        encoded(&name)
    };
    // The first line has the name of the field, too.
    let fits = !shown.contains('\n') && shown.len() + address.len() <= LONGEST_WORD;
    let between = if fits { " " } else { "\r\n " };
    format!("{shown}{between}<{address}>")
}

/// Makes white space single blanks, and control characters visible.
fn clean(value: &str) -> String {
    let mut clean = String::with_capacity(value.len().min(LONGEST_TEXT));
    for word in value.split_whitespace() {
        if !clean.is_empty() {
            clean.push(' ');
        }
        for char in word.chars() {
            if clean.len() >= LONGEST_TEXT {
                clean.push('…');
                return clean;
            }
            clean.push(if char.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                char
            });
        }
    }
    clean
}

/// Whether a clean text may stand as it is: nothing in it reads as an encoded word, and it can be folded.
fn is_plain(value: &str) -> bool {
    let is_plain = |word: &str| {
        word.len() <= LONGEST_WORD
            && word.bytes().all(|b| b.is_ascii_graphic())
            && !word.contains("=?")
    };
    value.split(' ').all(is_plain)
}

/// Returns the text as encoded words, one a line; the first line has room for the name of the field.
fn encoded(value: &str) -> String {
    let mut words = Vec::new();
    let mut piece = String::new();
    for char in value.chars() {
        let room = if words.is_empty() {
            ENCODED - 9
        } else {
            ENCODED
        };
        if piece.len() + char.len_utf8() > room {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(char);
    }
    words.push(piece);
    let words = words
        .iter()
        .map(|word| format!("=?utf-8?b?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}
