//! Digest: what stays the same in a spam that is sent a million times, in 40 hexadecimal digits, equal to pyzor's.
//!
//! Text parts are decoded, HTML is reduced to its text. Each line loses what differs from copy to copy (long words,
//! addresses, URLs, blanks); short lines are left out. A text of up to four lines is taken whole, a longer one by three
//! lines after a fifth of it and three after three fifths. SHA-1 over them is the digest.

use super::blank::is_blank;
use super::{hex, html, mime};
use sha1::{Digest as _, Sha1};
use std::fmt;

/// Shorter lines say too little.
const LINE_LENGTH: usize = 8;

/// Texts with so many lines are taken whole.
const WHOLE: usize = 4;

/// Where lines are taken from a longer text, in percent, and how many.
const PIECES: [(usize, usize); 2] = [(20, 3), (60, 3)];

/// Words of this length are no words, but numbers of a copy.
const LONG_WORD: usize = 10;

/// Digest of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The digest in hexadecimal.
    pub value: String,
    /// The lines that it is made of, as `pyzor predigest` prints them.
    pub lines: Vec<String>,
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.value)
    }
}

fn is_line_end(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0x0a..=0x0d | 0x1c..=0x1e | 0x85 | 0x2028 | 0x2029)
}

/// Calculates the digest of a message.
#[must_use]
pub fn digest(message: &[u8]) -> Digest {
    let mut lines = Vec::new();
    mime::texts(message, |text, is_html| {
        let text = if is_html { html::text(&text) } else { text };
        lines.extend(text.split(is_line_end).filter_map(normal));
    });
    let lines = chosen(lines);
    let mut hash = Sha1::new();
    for line in &lines {
        hash.update(line.as_bytes());
    }
    Digest {
        value: hex(&hash.finalize()),
        lines,
    }
}

fn chosen(lines: Vec<String>) -> Vec<String> {
    if lines.len() <= WHOLE {
        return lines;
    }
    let places = PIECES.iter().flat_map(|(percent, count)| {
        let first = percent * lines.len() / 100;
        first..first + count
    });
    places
        .filter_map(|place| lines.get(place).cloned())
        .collect()
}

/// Returns what is left of a line; none if it is too short.
fn normal(line: &str) -> Option<String> {
    let line = line.replace('\0', "");
    let words = line.split(is_blank).map(without_unique);
    let normal: String = words.collect();
    (normal.chars().take(LINE_LENGTH).count() == LINE_LENGTH).then_some(normal)
}

/// Returns a word without what makes a copy unique.
fn without_unique(word: &str) -> &str {
    if word.chars().take(LONG_WORD).count() == LONG_WORD || is_address(word) {
        return "";
    }
    without_url(word)
}

/// Returns whether something stands before and after an `@`.
fn is_address(word: &str) -> bool {
    let mut rest = word.chars();
    rest.next();
    let rest = rest.as_str();
    rest.find('@').is_some_and(|at| at + 1 < rest.len())
}

/// Returns a word without `scheme:...`.
fn without_url(word: &str) -> &str {
    // Python's matching without case takes these for letters, too.
    let is_letter = |c: char| {
        c.is_ascii_alphabetic() || matches!(c, '\u{130}' | '\u{131}' | '\u{17f}' | '\u{212a}')
    };
    for (colon, _) in word.match_indices(':') {
        let (before, after) = word.split_at_checked(colon).unwrap_or((word, ""));
        let kept = before.trim_end_matches(is_letter);
        if kept.len() < before.len() && after.len() > 1 {
            return kept;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_message_has_its_digest() {
        let digest = digest(b"Subject: x\n\nTest1 report1 Test2\n");
        assert_eq!(digest.value, "b14b27d295fea0cc080917a9b6cf2f07ab4a1ad4");
        assert_eq!(digest.lines, ["Test1report1Test2"]);
    }

    #[test]
    fn what_differs_from_copy_to_copy_is_left_out() {
        let of = |line| normal(line).unwrap_or_default();
        assert_eq!(
            of("buy now at http://x.test/ or mail a@b.test today"),
            "buynowatormailtoday"
        );
        assert_eq!(of("abcdefghij 123456789"), "123456789");
        assert_eq!(of("x @ y @z z@ more words"), "x@y@zz@morewords");
        assert_eq!(of("1ab:cd 12:30 a: :b longer"), "112:30a::blonger");
        assert_eq!(of("short"), "");
    }

    #[test]
    fn a_long_text_is_taken_in_two_pieces() {
        let lines: Vec<String> = (0..10).map(|line| line.to_string()).collect();
        assert_eq!(chosen(lines), ["2", "3", "4", "6", "7", "8"]);
    }

    /// Whole and broken mail with the digests that pyzor 1.1.2 made of it under Python 3.11.
    #[test]
    fn digests_of_whole_and_broken_mail_are_pyzors() {
        use base64::Engine as _;
        #[derive(serde::Deserialize)]
        struct Known {
            mail: String,
            digest: String,
            lines: Vec<String>,
        }
        let text = include_str!("../../testlogs/digests.jsonl");
        let mut count = 0;
        for line in text.lines() {
            let known: Known = serde_json::from_str(line).unwrap();
            let mail = base64::engine::general_purpose::STANDARD
                .decode(&known.mail)
                .unwrap();
            let digest = digest(&mail);
            let shown = String::from_utf8_lossy(&mail);
            assert_eq!(
                (digest.lines, digest.value),
                (known.lines, known.digest),
                "{shown}"
            );
            count += 1;
        }
        assert!(count >= 100, "{count}");
    }

    proptest::proptest! {
        #[test]
        fn every_mail_has_a_digest(
            kind in "(text/(plain|html)|multipart/mixed; boundary=b|message/rfc822)[ -~]{0,20}",
            encoding in "(base64|quoted-printable|x-uuencode|8bit)",
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)
        ) {
            let mut mail = format!("Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n--b\n").into_bytes();
            mail.extend(body);
            proptest::prop_assert_eq!(digest(&mail).value.len(), 40);
        }

        #[test]
        fn every_page_has_a_text(page in "([ -~]|<(/?[a-z]{1,6}|!--|!\\[if|script>|\\?)|[\"'=/>&;#-]|&#?x?[0-9a-z]{1,9};?|\\PC){0,80}") {
            let text = super::super::html::text(&page);
            proptest::prop_assert!(text.chars().count() <= 2 * page.chars().count() + 2);
        }
    }
}
