//! The value of a Content-Type field: type, subtype and parameters, with their quotes and RFC 2231.
//!
//! It reads as Python reads, faults included: digests are made of what follows from it.

use super::charset::{self, Invalid, Undecoded};
use std::collections::BTreeMap;

/// A piece of a value: its number, text, and whether it is encoded.
type Segment = (Option<u64>, String, bool);

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Plain(String),
    /// With a charset of its own.
    Extended {
        charset: Option<String>,
        text: String,
    },
}

fn unquote(text: &str) -> String {
    if text.len() > 1 {
        if let Some(inner) = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            return inner.replace("\\\\", "\\").replace("\\\"", "\"");
        }
        if let Some(inner) = text
            .strip_prefix('<')
            .and_then(|text| text.strip_suffix('>'))
        {
            return inner.to_owned();
        }
    }
    text.to_owned()
}

fn quote(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Splits a value at its semicolons, but not at those within quotes.
fn pieces(value: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), value);
    loop {
        let (mut is_quoted, mut before) = (false, ' ');
        let end = rest.char_indices().find_map(|(at, character)| {
            let is_end = character == ';' && !is_quoted;
            is_quoted ^= character == '"' && before != '\\';
            before = character;
            is_end.then_some(at)
        });
        let Some((piece, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
            pieces.push(rest);
            return pieces;
        };
        pieces.push(piece);
        rest = after.strip_prefix(';').unwrap_or(after);
    }
}

/// Returns name and number of a part of a parameter: `name*`, `name*0`, `name*0*`.
fn continuation(name: &str) -> Option<(&str, Option<u64>)> {
    let (stem, number) = name.split_once('*')?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if stem.is_empty() || !stem.bytes().all(is_word) {
        return None;
    }
    if number.is_empty() {
        return Some((stem, None));
    }
    let digits = number.strip_suffix('*').unwrap_or(number);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (stem, Some(digits.parse().unwrap_or(u64::MAX))))
}

/// Returns text with `%XX` as the characters of these numbers.
fn percent(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let digits = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(char::from(byte));
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push('%');
            rest = after;
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Returns the parameters in order: the first is the type itself.
fn parameters(value: &str) -> Vec<(String, Value)> {
    let mut list = Vec::new();
    let mut parts: BTreeMap<usize, (String, Vec<Segment>)> = BTreeMap::new();
    for (place, piece) in pieces(value).into_iter().enumerate() {
        let (name, text) = match piece.split_once('=') {
            Some((name, text)) => (name.trim().to_lowercase(), text.trim()),
            None => (piece.trim().to_owned(), ""),
        };
        if place == 0 {
            list.push((name, Value::Plain(unquote(text))));
            continue;
        }
        let text = unquote(text);
        match continuation(&name) {
            None => list.push((
                name,
                Value::Plain(unquote(&format!("\"{}\"", quote(&text)))),
            )),
            Some((stem, number)) => {
                let known = parts.iter().find(|(_, (other, _))| other == stem);
                let place = known.map_or(place, |(place, _)| *place);
                let entry = parts
                    .entry(place)
                    .or_insert_with(|| (stem.to_owned(), Vec::new()));
                entry.1.push((number, text, name.ends_with('*')));
            }
        }
    }
    list.extend(
        parts
            .into_values()
            .map(|(name, parts)| (name, joined(parts))),
    );
    list
}

fn joined(mut parts: Vec<Segment>) -> Value {
    parts.sort();
    let is_extended = parts.iter().any(|(_, _, is_encoded)| *is_encoded);
    let text = parts.iter().map(|(_, text, is_encoded)| match is_encoded {
        true => percent(text),
        false => text.clone(),
    });
    let text = quote(&text.collect::<String>());
    if !is_extended {
        return Value::Plain(unquote(&format!("\"{text}\"")));
    }
    let mut pieces = text.splitn(3, '\'');
    let (charset, text) = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => (Some(charset.to_owned()), text),
        _ => (None, &*text),
    };
    Value::Extended {
        charset,
        text: unquote(&format!("\"{text}\"")),
    }
}

/// Returns the bytes that text stands for: a character of one byte is this byte, another is written as its number.
fn raw(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for character in text.chars() {
        match u32::from(character) {
            number @ 0..=0xff => bytes.push(u8::try_from(number).unwrap_or(0)),
            number @ 0x100..=0xffff => bytes.extend(format!("\\u{number:04x}").bytes()),
            number => bytes.extend(format!("\\U{number:08x}").bytes()),
        }
    }
    bytes
}

fn find(value: &str, name: &str) -> Option<Value> {
    let mut all = parameters(value).into_iter();
    all.find(|(other, _)| other.to_lowercase() == name)
        .map(|(_, value)| value)
}

/// Returns the type in lower case; none if it has no form of one.
pub(super) fn media_type(value: &str) -> Option<(String, String)> {
    let first = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let (main, sub) = first.split_once('/')?;
    (!sub.contains('/')).then(|| (main.to_owned(), sub.to_owned()))
}

/// Returns the charset in lower case.
pub(super) fn charset(value: &str) -> Option<String> {
    let name = match find(value, "charset")? {
        Value::Plain(name) => name,
        Value::Extended { charset, text } => {
            let own = charset.filter(|own| !own.is_empty());
            let own = own.as_deref().unwrap_or("us-ascii");
            charset::decode(&raw(&text), own, Invalid::Refuse).unwrap_or(text)
        }
    };
    name.is_ascii().then(|| name.to_lowercase())
}

/// Returns the charset that undecoded parts are shown in: that of a plain parameter, as it is written.
pub(super) fn plain_charset(value: &str) -> Option<String> {
    match find(value, "charset")? {
        Value::Plain(name) => Some(name),
        Value::Extended { .. } => None,
    }
}

/// Returns the boundary between the parts.
pub(super) fn boundary(value: &str) -> Option<String> {
    let boundary = match find(value, "boundary")? {
        Value::Plain(text) => unquote(&text),
        Value::Extended { charset, text } => {
            let own = charset.as_deref().unwrap_or("us-ascii");
            match charset::decode(&raw(&text), own, Invalid::Replace) {
                Ok(text) => text,
                Err(Undecoded::Unknown | Undecoded::Invalid) => unquote(&text),
            }
        }
    };
    Some(
        boundary
            .trim_end_matches(crate::signature::blank::is_blank)
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_continuations_and_charsets_of_parameters_are_read() {
        let charset_of = |value: &str| charset(value).unwrap_or_default();
        assert_eq!(charset_of("text/plain; charset=UTF-8"), "utf-8");
        assert_eq!(
            charset_of("text/plain; x=\"a;charset=b\"; Charset = \"KOI8-R\" "),
            "koi8-r"
        );
        assert_eq!(
            charset_of("text/plain; charset*=us-ascii'en'utf%2D8"),
            "utf-8"
        );
        assert_eq!(
            charset_of("text/plain; charset*1=8; charset*0=utf-"),
            "utf-8"
        );
        assert_eq!(
            boundary("multipart/mixed; boundary=\"a b \\\"c\\\" \""),
            Some("a b \"c\"".to_owned())
        );
        assert_eq!(boundary("multipart/mixed"), None);
        assert_eq!(
            media_type("Text/HTML ; x"),
            Some(("text".to_owned(), "html".to_owned()))
        );
        assert_eq!(media_type("text"), None);
    }
}
