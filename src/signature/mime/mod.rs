//! MIME, as far as a digest needs it: the texts of a message, in order.

mod charset;
mod parameter;
mod transfer;
mod tree;

use charset::Invalid;
use tree::{Body, Part};

pub(crate) use tree::{Field, header};

/// Calls `see` with each text that a message has: text parts decoded, those in html with `true`, other parts as sent.
pub(super) fn texts(message: &[u8], mut see: impl FnMut(String, bool)) {
    tree::parse(message).walk(&mut |part| {
        let Body::Bytes(body) = &part.body else {
            return;
        };
        let (main, sub) = part.media_type();
        if main == "text" {
            see(decoded(part, body), sub == "html");
        } else {
            see(undecoded(part, body), false);
        }
    });
}

fn decoded(part: &Part, body: &[u8]) -> String {
    let encoding = part
        .field("content-transfer-encoding")
        .unwrap_or_default()
        .to_lowercase();
    let decoded = match &*encoding {
        "quoted-printable" => transfer::quoted_printable(body),
        "base64" => transfer::base64(body),
        "x-uuencode" | "uuencode" | "uue" | "x-uue" => {
            transfer::uuencode(body).unwrap_or_else(|| body.to_vec())
        }
        _ => body.to_vec(),
    };
    let charset = part
        .field("content-type")
        .and_then(|value| parameter::charset(&value));
    let charset = charset.unwrap_or_default().replace('\0', "");
    let charset = if charset.is_empty() {
        "ascii"
    } else {
        &charset
    };
    charset::decode(&decoded, charset, Invalid::Ignore).unwrap_or_else(|_| ascii(&decoded))
}

fn undecoded(part: &Part, body: &[u8]) -> String {
    if body.is_ascii() {
        return ascii(body);
    }
    let charset = part
        .field("content-type")
        .and_then(|value| parameter::plain_charset(&value));
    let charset = charset.unwrap_or_else(|| "ascii".to_owned());
    let known = charset::decode(body, &charset, Invalid::Replace);
    known
        .or_else(|_| charset::decode(body, "ascii", Invalid::Replace))
        .unwrap_or_default()
}

/// Returns the bytes that are ASCII.
fn ascii(bytes: &[u8]) -> String {
    bytes
        .iter()
        .filter(|byte| byte.is_ascii())
        .map(|byte| char::from(*byte))
        .collect()
}
