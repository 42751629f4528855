//! Encoded: words of a header as they are sent (`=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=`) to the text that people read and search.
//!
//! Promises: what cannot be decoded stays as it is. A log shows at most 200 characters of a header, so the last word may be
//! cut: what is there of it is decoded. Control characters become blanks.
//!
//! Limits: the character sets of the WHATWG's Encoding Standard, which are those of browsers; words of others stay as they are.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8};
use std::borrow::Cow;

/// Base64 whose end may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the header's value with its encoded words decoded (RFC 2047).
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut held = Held {
        charset: UTF_8,
        bytes: Vec::new(),
    };
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
    charset: &'static Encoding,
    bytes: Vec<u8>,
}

/// Bytes of words that follow each other: a character may begin in one and end in the next.
struct Held {
    charset: &'static Encoding,
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
        let (text, _) = self.charset.decode_without_bom_handling(&self.bytes);
        plain.push_str(text.trim_end_matches('\u{fffd}'));
        self.bytes.clear();
    }
}

/// Reads `charset?B?...?=` or `charset?Q?...?=` behind its mark.
fn word(text: &str) -> Option<(Word, &str)> {
    let (charset, rest) = text.split_once('?')?;
    // Behind an asterisk stands a language.
    let charset = Encoding::for_label(charset.split('*').next()?.as_bytes())?;
    if charset == REPLACEMENT {
        return None;
    }
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
    let mut data = data.replace([' ', '='], "");
    // A single digit at the end makes no byte.
    if data.len() % 4 == 1 {
        data.pop();
    }
    BASE64.decode(data).ok()
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
            ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
            ("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?gb2312?B?xOO6ww==?=", "你好"),
            ("=?iso-8859-2?Q?=A3=F3d=BC?=", "Łódź"),
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
