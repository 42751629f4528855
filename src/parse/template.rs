//! Templates: a text with its variable parts masked, so that like lines count as one.
//!
//! Limits: cut at 200 characters; host names are told by their shape, so a file name may pass for one.

use super::queue_id::is_queue_id;
use std::net::IpAddr;

/// Characters of a template at most.
const MAX: usize = 200;
/// Endings of names with a dot that are files of the mail system.
const FILE_ENDINGS: [&str; 8] = ["cf", "db", "pem", "so", "sock", "pid", "conf", "lmdb"];

/// Returns the text with addresses, hosts, numbers, ids and quoted parts masked.
///
/// ```
/// let template = maillog::parse::template("connect to mx.example.net[192.0.2.25]:25: Connection refused");
/// assert_eq!(template, "connect to <host>[<ip>]:<n>: Connection refused");
/// ```
#[must_use]
pub fn template(text: &str) -> String {
    let mut template = String::with_capacity(text.len().min(MAX));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if template.len() >= MAX {
            break;
        }
        rest = match first {
            '<' => enclosed(&mut template, rest, '>'),
            '"' => enclosed(&mut template, rest, '"'),
            '[' => enclosed(&mut template, rest, ']'),
            _ => plain(&mut template, rest),
        };
    }
    if template.len() > MAX {
        let end = (0..=MAX).rev().find(|end| template.is_char_boundary(*end));
        template.truncate(end.unwrap_or(0));
    }
    template
}

/// Masks a part in brackets or quotes; one that is not closed goes to the end.
fn enclosed<'a>(template: &mut String, text: &'a str, close: char) -> &'a str {
    let inside = text.get(1..).unwrap_or_default();
    let (inside, rest) = inside.split_once(close).unwrap_or((inside, ""));
    let mask = match close {
        '>' if inside.is_empty() => "<>",
        '>' if inside.contains('@') => "<addr>",
        '>' => "<text>",
        '"' => "\"<text>\"",
        _ if inside.parse::<IpAddr>().is_ok() => "[<ip>]",
        _ if is_number(inside) => "[<n>]",
        _ => "[<text>]",
    };
    template.push_str(mask);
    rest
}

/// Masks words up to the next bracket or quote.
fn plain<'a>(template: &mut String, text: &'a str) -> &'a str {
    let end = text.find(['<', '"', '[']).unwrap_or(text.len());
    let (words, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let has_address = rest
        .strip_prefix('[')
        .and_then(|inside| inside.split_once(']'))
        .is_some_and(|(inside, _)| inside.parse::<IpAddr>().is_ok());
    let mut pieces = words.split(' ').peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        if is_last && has_address && !piece.is_empty() {
            let name = piece.rfind('=').and_then(|at| piece.get(..=at));
            template.push_str(name.unwrap_or_default());
            template.push_str("<host>");
        } else {
            word(template, piece);
        }
        if !is_last {
            template.push(' ');
        }
    }
    rest
}

/// Masks one word, keeping the punctuation around it and a `name=` in front.
fn word(template: &mut String, word: &str) {
    let is_outer = |char: char| matches!(char, '(' | ')' | ',' | ';' | ':' | '.' | '\'' | '`');
    let core = word.trim_matches(is_outer);
    let (before, after) = match word.split_once(core) {
        Some(parts) if !core.is_empty() => parts,
        _ => {
            template.push_str(word);
            return;
        }
    };
    template.push_str(before);
    let value = match core.split_once('=') {
        Some((name, value)) => {
            template.push_str(name);
            template.push('=');
            value
        }
        None => core,
    };
    match mask(value) {
        Some(mask) => template.push_str(mask),
        None => digits_masked(template, value),
    }
    template.push_str(after);
}

fn mask(word: &str) -> Option<&'static str> {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if is_number(word) {
        Some("<n>")
    } else if word.contains('@') {
        Some("<addr>")
    } else if has_digit && is_queue_id(word) {
        Some("<id>")
    } else if word.parse::<IpAddr>().is_ok() {
        Some("<ip>")
    } else if has_digit && word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Some("<hex>")
    } else if is_host(word) {
        Some("<host>")
    } else {
        None
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && word.bytes().filter(|byte| *byte == b'.').count() <= 1
}

fn is_host(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(left, last)| {
        last.len() >= 2
            && last.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !FILE_ENDINGS.contains(&last)
            && left
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    })
}

/// Copies the word with each run of digits as `<n>`.
fn digits_masked(template: &mut String, word: &str) {
    let mut in_number = false;
    for char in word.chars() {
        if !char.is_ascii_digit() {
            template.push(char);
        } else if !in_number {
            template.push_str("<n>");
        }
        in_number = char.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_lines_have_one_template() {
        let cases = [
            (
                "hostname mx.example.com does not resolve to address 192.0.2.9: Name or service not known",
                "hostname <host> does not resolve to address <ip>: Name or service not known",
            ),
            (
                "process /usr/libexec/postfix/smtpd pid 46234 killed by signal 11",
                "process /usr/libexec/postfix/smtpd pid <n> killed by signal <n>",
            ),
            (
                "unknown[2001:db8::5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
                "<host>[<ip>]: SASL LOGIN authentication failed: UGFzc<n>dvcmQ<n>",
            ),
            (
                "saving corrupt file \"64AB9120A53\" from queue \"active\"",
                "saving corrupt file \"<text>\" from queue \"<text>\"",
            ),
            (
                "64AB9120A53: unknown thing for <joe@example.com>, size=12",
                "<id>: unknown thing for <addr>, size=<n>",
            ),
            (
                "/etc/postfix/main.cf, line 12: overriding earlier entry: x=y",
                "/etc/postfix/main.cf, line <n>: overriding earlier entry: x=y",
            ),
            (
                "dict_ldap_lookup: Search error -1: Can't contact LDAP server",
                "dict_ldap_lookup: Search error -<n>: Can't contact LDAP server",
            ),
            ("open \"never closed 123", "open \"<text>\""),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(template(text), expected);
        }
    }

    #[test]
    fn a_template_is_bounded() {
        assert!(template(&"ä b ".repeat(500)).len() <= MAX);
        assert!(template(&"<a@example.com> ".repeat(500)).len() <= MAX);
    }
}
