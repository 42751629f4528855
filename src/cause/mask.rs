//! Mask: a reply in small letters without what is variable in it, so that like replies are one template.
//!
//! Addresses, hosts, IP addresses, numbers, ids and all that is quoted become words such as `<addr>`. The codes at the
//! beginning stay, their repetitions in a reply of several lines go. Of a URL the host stays, for it may name a
//! block list. Codes such as `S3150`, `TSS04`, `OFR204_418` are the words of the other side and stay.
//!
//! Limits: at most 700 bytes of template; host names are told by their shape.

use std::net::IpAddr;

/// Bytes of a template, about.
const MAX: usize = 700;
/// An address is not longer; a `<` without `>` within it is only a sign.
const MAX_ENCLOSED: usize = 330;
/// What stands before an address in brackets and is no host's name.
const BEFORE_ADDRESS: [&str; 6] = ["sender", "client", "host", "address", "server", "ip"];
/// Parts of Exchange that name their errors like hosts: `RESOLVER.ADR.RecipientNotFound`.
const EXCHANGE: [&str; 5] = ["RESOLVER.", "STOREDRV.", "ROUTING.", "SMTPSEND.", "CAT."];

/// Writes the masked text to `out`.
pub(super) fn mask(text: &str, out: &mut String) {
    let mut writer = Writer {
        out,
        code: "",
        dsn: "",
    };
    let mut rest = writer.head(text);
    while writer.out.len() < MAX {
        rest = rest.trim_start();
        let Some(first) = rest.bytes().next() else {
            break;
        };
        rest = match first {
            b'<' => writer.enclosed(rest),
            b'"' => writer.quoted(rest, "\""),
            b'\'' => writer.quoted(rest, "'"),
            _ => writer.word(rest),
        };
    }
    while writer.out.ends_with(' ') {
        writer.out.pop();
    }
}

struct Writer<'t, 'o> {
    out: &'o mut String,
    /// Reply code, to be dropped where it is repeated.
    code: &'t str,
    /// Enhanced status code, likewise.
    dsn: &'t str,
}

impl<'t> Writer<'t, '_> {
    /// Takes the codes at the beginning.
    fn head(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        if let Some((code, after)) = text.split_at_checked(3)
            && is_digits(code)
            && (after.is_empty() || after.starts_with([' ', '-']))
        {
            self.code = code;
            self.push(code);
            rest = after.get(1..).unwrap_or_default();
        }
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        if let Some((dsn, after)) = rest.split_at_checked(end)
            && is_dsn(dsn.trim_end_matches(':'))
        {
            self.dsn = dsn.trim_end_matches(':');
            self.push(self.dsn);
            rest = after;
        }
        // A reply that is quoted as a whole quotes nobody.
        let all = rest.trim();
        let inside = all
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        match inside {
            Some(inside) if !self.code.is_empty() && !inside.contains(['"', '@']) => inside,
            _ => rest,
        }
    }

    fn push(&mut self, word: &str) {
        self.out.push_str(word);
        self.out.push(' ');
    }

    /// Masks `<...>`, whose local part may hold a quoted `>`.
    fn enclosed(&mut self, text: &'t str) -> &'t str {
        let inside = text.get(1..).unwrap_or_default();
        let local = if inside.starts_with('"') {
            end_of_quoted(inside, '"').unwrap_or(0)
        } else {
            0
        };
        let end = inside
            .bytes()
            .skip(local)
            .take(MAX_ENCLOSED)
            .position(|byte| byte == b'>');
        let Some((inside, rest)) = end.and_then(|end| inside.split_at_checked(local + end)) else {
            return inside;
        };
        let mask = if inside.contains('@') {
            "<addr>"
        } else {
            "<text>"
        };
        self.out.push_str(mask);
        self.after(rest.get(1..).unwrap_or_default())
    }

    /// Masks what is quoted; a quote that is not closed is only a sign.
    fn quoted(&mut self, text: &'t str, quote: &'static str) -> &'t str {
        let sign = quote.chars().next().unwrap_or('"');
        let Some(end) = end_of_quoted(text, sign) else {
            return text.get(1..).unwrap_or_default();
        };
        let rest = text.get(end..).unwrap_or_default();
        self.out.push_str("<text>");
        // "local part"@example.org
        if let Some(domain) = rest.strip_prefix('@') {
            let end = domain.find([' ', ',', ';', ':']).unwrap_or(domain.len());
            return self.after(domain.get(end..).unwrap_or_default());
        }
        self.after(rest)
    }

    /// Writes the blank or the signs behind a masked part.
    fn after(&mut self, rest: &'t str) -> &'t str {
        let signs = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'.' | b',' | b':' | b';' | b')' | b']' | b'!'))
            .count();
        let (signs, rest) = rest.split_at_checked(signs).unwrap_or(("", rest));
        self.out.push_str(signs);
        if rest.starts_with([' ', '\t']) || rest.is_empty() {
            self.out.push(' ');
        }
        rest
    }

    /// Writes one word, in pieces between brackets and parentheses, up to a blank or an opening sign.
    fn word(&mut self, text: &'t str) -> &'t str {
        let end = text
            .bytes()
            .position(|byte| matches!(byte, b' ' | b'\t' | b'<' | b'"'))
            .unwrap_or(text.len());
        let (mut word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        if let Some(line) = self.continued(word) {
            word = line;
            if word.is_empty() {
                return rest;
            }
        }
        let mut from = 0;
        let opens = |byte: &u8| matches!(byte, b'[' | b']' | b'(' | b')');
        while let Some(found) = word.bytes().skip(from).position(|byte| opens(&byte)) {
            let at = from + found;
            let next_is_address = word.get(at + 1..).is_some_and(is_address_ahead);
            self.piece(word.get(from..at).unwrap_or_default(), next_is_address);
            self.out.push_str(word.get(at..=at).unwrap_or_default());
            from = at + 1;
        }
        self.piece(word.get(from..).unwrap_or_default(), false);
        if rest.is_empty() || rest.starts_with([' ', '\t']) {
            self.out.push(' ');
        }
        rest
    }

    /// Returns what is left of a word that repeats the codes of the reply: `550-5.7.1`, `550-Please`, `550`.
    fn continued(&self, word: &'t str) -> Option<&'t str> {
        if self.code.is_empty() || self.out.len() < self.code.len() + 2 {
            return None;
        }
        let is_same = |word: &str| !self.dsn.is_empty() && word == self.dsn;
        if is_same(word) {
            return Some("");
        }
        let rest = word.strip_prefix(self.code)?;
        match rest.strip_prefix('-') {
            Some(rest) if is_same(rest) => Some(""),
            Some(rest) => Some(rest),
            None => rest.is_empty().then_some(""),
        }
    }

    /// Writes a piece of a word with the signs around it.
    fn piece(&mut self, piece: &str, is_host: bool) {
        let bytes = piece.as_bytes();
        let is_plain = bytes
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | b'_'));
        if is_plain && !is_host {
            self.lower(piece);
            return;
        }
        let tail = piece.trim_start_matches(is_outer);
        let core = tail.trim_end_matches(is_outer);
        let before = piece.get(..piece.len() - tail.len()).unwrap_or_default();
        let after = tail.get(core.len()..).unwrap_or_default();
        if core.is_empty() {
            self.out.push_str(piece);
            return;
        }
        self.out.push_str(before);
        if let Some((name, value)) = core.split_once('=')
            && !core.contains("://")
        {
            self.lower(name);
            self.out.push('=');
            if !value.is_empty() {
                self.core(value, is_host);
            }
        } else {
            self.core(core, is_host);
        }
        self.out.push_str(after);
    }

    fn core(&mut self, word: &str, is_host: bool) {
        if is_host
            && !BEFORE_ADDRESS
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name))
        {
            self.out.push_str("<host>");
            return;
        }
        if let Some(host) = host_of_url(word) {
            self.out.push_str("url:");
            self.lower(host);
            return;
        }
        let mask = if word.contains('@') {
            "<addr>"
        } else if is_dsn(word) {
            word
        } else if word
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'%' | b'-'))
            && !is_ip(word)
        {
            "<n>"
        } else if is_ip(word) {
            "<ip>"
        } else if is_host_name(word) && !EXCHANGE.iter().any(|part| word.starts_with(part)) {
            "<host>"
        } else if word.bytes().any(|byte| byte.is_ascii_digit()) && !is_code(word) {
            "<id>"
        } else {
            self.lower(word);
            return;
        };
        self.out.push_str(mask);
    }

    fn lower(&mut self, word: &str) {
        let from = self.out.len();
        self.out.push_str(word);
        if let Some(written) = self.out.get_mut(from..) {
            written.make_ascii_lowercase();
        }
    }
}

fn is_outer(sign: char) -> bool {
    matches!(
        sign,
        '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '#' | '-' | '`'
    )
}

/// Returns where the quoted text that begins here ends; apostrophes inside words end nothing.
fn end_of_quoted(text: &str, sign: char) -> Option<usize> {
    let bytes = text.as_bytes();
    let sign = u8::try_from(sign).ok()?;
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            byte if *byte == sign => {
                let is_inside =
                    sign == b'\'' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
                if !is_inside {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether the word is an enhanced status code of a failure or success.
fn is_dsn(word: &str) -> bool {
    if !word.starts_with(['2', '4', '5']) || word.as_bytes().get(1) != Some(&b'.') {
        return false;
    }
    let mut parts = word.split('.');
    parts.next();
    let (subject, detail) = (parts.next(), parts.next());
    let is_part = |part: Option<&str>| part.is_some_and(|part| is_digits(part) && part.len() <= 3);
    is_part(subject) && is_part(detail) && parts.next().is_none()
}

fn is_ip(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
        && word.parse::<IpAddr>().is_ok()
        || word
            .strip_prefix("IPv6:")
            .is_some_and(|word| word.parse::<IpAddr>().is_ok())
}

/// Returns whether what follows a bracket is an IP address: the word before it is then a host's name.
fn is_address_ahead(text: &str) -> bool {
    text.split_once(']')
        .is_some_and(|(inside, _)| is_ip(inside))
}

fn host_of_url(word: &str) -> Option<&str> {
    let rest = match word.split_once("://") {
        Some((_, rest)) => rest,
        None if word.starts_with("www.") => word,
        None => return None,
    };
    rest.split(['/', ':', '?', '#', '%', '&']).next()
}

fn is_host_name(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(left, last)| {
        last.len() >= 2
            && (last.bytes().all(|byte| byte.is_ascii_alphabetic()) || last.starts_with("xn--"))
            && !left.is_empty()
            && left
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    })
}

/// Returns whether the word is a code of the other side's own: letters, then digits: `S3150`, `OFR204_418`, `CON:B1`.
fn is_code(word: &str) -> bool {
    let letters = |word: &str| word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let first = letters(word);
    let rest = word.get(first..).unwrap_or_default();
    let rest = match rest.strip_prefix(['-', '_', ':']) {
        Some(rest) => rest.get(letters(rest).min(3)..).unwrap_or_default(),
        None => rest,
    };
    (1..=9).contains(&first)
        && rest.len() <= 8
        && rest
            .split('_')
            .all(|part| is_digits(part) && part.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = String::new();
        mask(text, &mut out);
        out
    }

    #[test]
    fn variable_parts_are_masked_and_codes_stay() {
        let cases = [
            (
                "550 5.1.1 <bob@example.org>: User Unknown",
                "550 5.1.1 <addr>: user unknown",
            ),
            (
                "550 bob@example.org: User unknown",
                "550 <addr>: user unknown",
            ),
            (
                "connect to mx.example.net[192.0.2.25]:25: Connection refused",
                "connect to <host>[<ip>]:<n>: connection refused",
            ),
            (
                "connect to localhost[private/lmtp]: No such file",
                "connect to localhost[private/lmtp]: no such file",
            ),
            (
                "550-5.7.26 This mail has been 550-5.7.26 blocked. 550 5.7.26 si12345678.12 - gsmtp",
                "550 5.7.26 this mail has been blocked. <id> - gsmtp",
            ),
            (
                "550-Please try 550-later 550 bye",
                "550 please try later bye",
            ),
            (
                "550 5.7.1 (S3150) [TSS04] AS(1430) OFR204_418 [418] 12345678abcd",
                "550 5.7.1 (s3150) [tss04] as(<n>) ofr204_418 [<n>] <id>",
            ),
            (
                "554 blocked, see https://www.Spamhaus.org/query/ip/192.0.2.1",
                "554 blocked, see url:www.spamhaus.org",
            ),
            (
                "450 4.7.1 client=[2001:db8::1] ip=192.0.2.1",
                "450 4.7.1 client=[<ip>] ip=<ip>",
            ),
            ("unknown user: \"mailbox full\"", "unknown user: <text>"),
            ("mailbox 'full, really' can't do", "mailbox <text> can't do"),
            ("a < b and \"c", "a b and c"),
            ("ratio 3.50% of 1,000", "ratio <n> of <n>"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn what_strangers_choose_is_hidden() {
        for text in [
            "550 <mailbox full@example.org> x",
            "550 <\"mailbox> full\"@example.org> x",
            "550 <\"a\\\"> mailbox full <\"@example.org> x",
            "550 \"mailbox full\"@example.org x",
            "550 <mailbox full>: x",
            "550 mailbox.full.example.org x",
            "550 mailbox-full@example.org x",
            "550 mailbox-full[192.0.2.1] x",
        ] {
            let masked = masked(text);
            assert!(!masked.contains("full"), "{text}: {masked}");
            assert!(masked.ends_with(" x"), "{text}: {masked}");
        }
    }

    #[test]
    fn a_template_is_bounded() {
        assert!(masked(&"ä b ".repeat(5000)).len() <= MAX + 8);
        assert!(masked(&"<a@example.com> ".repeat(500)).len() <= MAX + 8);
        assert!(masked(&"x".repeat(5000)).len() <= 5001);
    }
}
