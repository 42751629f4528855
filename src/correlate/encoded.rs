//! Encoded: words of a header as they are sent (`=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=`) to the text that people read and search.
//!
//! Promises: what cannot be decoded stays as it is. A log shows at most 200 characters of a header, so the last word may be
//! cut: what is there of it is decoded. Control characters become blanks.
//!
//! Limits: UTF-8, US-ASCII, ISO-8859-1, -15 and Windows-1252; words of other character sets stay as they are.

use std::borrow::Cow;

/// Returns the header's value with its encoded words decoded (RFC 2047).
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut held = Held::default();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("=?") {
        let Some((word, after)) = word(behind) else {
            held.end(&mut plain);
            plain.push_str(before);
            plain.push_str("=?");
            rest = behind;
            continue;
        };
        // Blanks between two words are no text; the log shows a folded line's end as a question mark.
        let is_gap = !held.bytes.is_empty() && before.trim_matches([' ', '\t', '?']).is_empty();
        if !is_gap {
            held.end(&mut plain);
            plain.push_str(before);
        }
        held.add(&word, &mut plain);
        rest = after;
    }
    held.end(&mut plain);
    plain.push_str(rest);
    Cow::Owned(plain.replace(char::is_control, " "))
}

/// A word that was decoded.
struct Word {
    charset: Charset,
    bytes: Vec<u8>,
}

/// What the bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Charset {
    #[default]
    Utf8,
    Latin1,
    Latin9,
    Windows1252,
}

/// Bytes of words that follow each other: a character may begin in one and end in the next.
#[derive(Default)]
struct Held {
    charset: Charset,
    bytes: Vec<u8>,
}

impl Held {
    fn add(&mut self, word: &Word, plain: &mut String) {
        if self.charset != word.charset {
            self.end(plain);
            self.charset = word.charset;
        }
        self.bytes.extend_from_slice(&word.bytes);
    }

    fn end(&mut self, plain: &mut String) {
        let bytes = std::mem::take(&mut self.bytes);
        match self.charset {
            Charset::Utf8 => {
                let text = String::from_utf8_lossy(&bytes);
                plain.push_str(text.trim_end_matches('\u{fffd}'));
            }
            charset => plain.extend(bytes.iter().map(|byte| character(charset, *byte))),
        }
    }
}

fn character(charset: Charset, byte: u8) -> char {
    match (charset, byte) {
        (Charset::Latin9, 0xa4) | (Charset::Windows1252, 0x80) => '\u{20ac}',
        (Charset::Latin9, 0xa6) | (Charset::Windows1252, 0x8a) => '\u{160}',
        (Charset::Latin9, 0xa8) | (Charset::Windows1252, 0x9a) => '\u{161}',
        (Charset::Latin9, 0xb4) | (Charset::Windows1252, 0x8e) => '\u{17d}',
        (Charset::Latin9, 0xb8) | (Charset::Windows1252, 0x9e) => '\u{17e}',
        (Charset::Latin9, 0xbc) | (Charset::Windows1252, 0x8c) => '\u{152}',
        (Charset::Latin9, 0xbd) | (Charset::Windows1252, 0x9c) => '\u{153}',
        (Charset::Latin9, 0xbe) | (Charset::Windows1252, 0x9f) => '\u{178}',
        (Charset::Windows1252, 0x82) => '\u{201a}',
        (Charset::Windows1252, 0x84) => '\u{201e}',
        (Charset::Windows1252, 0x85) => '\u{2026}',
        (Charset::Windows1252, 0x91) => '\u{2018}',
        (Charset::Windows1252, 0x92) => '\u{2019}',
        (Charset::Windows1252, 0x93) => '\u{201c}',
        (Charset::Windows1252, 0x94) => '\u{201d}',
        (Charset::Windows1252, 0x96) => '\u{2013}',
        (Charset::Windows1252, 0x97) => '\u{2014}',
        _ => char::from(byte),
    }
}

/// Reads `charset?B?...?=` or `charset?Q?...?=` behind its mark.
fn word(text: &str) -> Option<(Word, &str)> {
    let (charset, rest) = text.split_once('?')?;
    // Behind an asterisk stands a language.
    let charset = match charset.split('*').next()?.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Charset::Utf8,
        "iso-8859-1" | "latin1" => Charset::Latin1,
        "iso-8859-15" => Charset::Latin9,
        "windows-1252" | "cp1252" => Charset::Windows1252,
        _ => return None,
    };
    let (encoding, rest) = rest.split_once('?')?;
    let (data, after) = rest
        .split_once("?=")
        .unwrap_or((rest.trim_end_matches('?'), ""));
    let bytes = match encoding {
        "B" | "b" => base64(data)?,
        "Q" | "q" => quoted(data)?,
        _ => return None,
    };
    Some((Word { charset, bytes }, after))
}

fn base64(data: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in data.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b' ' => continue,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0x3fff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn quoted(data: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'_' => bytes.push(b' '),
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                // The log may end here.
                let (Some(high), Some(low)) = (rest.next(), rest.next()) else {
                    break;
                };
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn encoded_words_become_text() {
        let cases = [
            ("annual report", "annual report"),
            (
                "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=",
                "Grüße aus Köln",
            ),
            (
                "=?utf-8?B?UmVjaG51bmcgZsO8ciBNw6Ryeg==?=",
                "Rechnung für März",
            ),
            ("Re: =?iso-8859-1?Q?caf=E9?= today", "Re: café today"),
            ("=?ISO-8859-15?Q?100_=A4?=", "100 €"),
            ("=?windows-1252?Q?=93x=94_=80?=", "“x” €"),
            ("=?UTF-8*de?Q?=C3=84?=", "Ä"),
            // Two words, one character; folded, as cleanup shows it.
            ("=?UTF-8?Q?K=C3?= =?UTF-8?Q?=B6ln?=", "Köln"),
            ("=?UTF-8?Q?eins_?=? =?UTF-8?Q?zwei?=", "eins zwei"),
            ("=?UTF-8?Q?a?= b =?UTF-8?Q?c?=", "a b c"),
            // Cut at the end of what a log shows.
            ("=?UTF-8?Q?K=C3=B6l", "Köl"),
            ("=?UTF-8?Q?K=C3", "K"),
            ("=?UTF-8?B?UmVjaG51bmcgZsO8ciBNw6", "Rechnung für M"),
            // What is none stays.
            ("=?x-unknown?Q?abc?=", "=?x-unknown?Q?abc?="),
            ("=?UTF-8?X?abc?=", "=?UTF-8?X?abc?="),
            ("=?UTF-8?B?a*b?=", "=?UTF-8?B?a*b?="),
            ("=?", "=?"),
            ("a =? b", "a =? b"),
            ("=?UTF-8?Q?a=0Ab=1B[31m=00?=", "a b [31m "),
        ];
        for (text, expected) in cases {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
