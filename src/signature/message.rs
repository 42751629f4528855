//! Message: a packet of the protocol, a header without a body, and its signature.
//!
//! Packets are read as Python's mail parser reads them, so that what a client signed is what is verified: LF or CR LF,
//! names in any case, folded lines. Old clients end a packet with an empty line too much: doubled LFs count once.

use super::hex;
use super::mime::{self, Field};
use sha1::{Digest as _, Sha1};

/// Version of the protocol.
pub const VERSION: &str = "2.1";

/// The user of requests without a user.
pub const ANONYMOUS: &str = "anonymous";

/// Longest packet.
pub const PACKET_SIZE: usize = 8192;

/// A packet that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    fields: Vec<Field>,
    body: Vec<u8>,
}

impl Packet {
    /// Reads a packet; everything is one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut text = Vec::with_capacity(bytes.len() + 1);
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            text.push(*first);
            rest = match after.strip_prefix(b"\n") {
                Some(after) if *first == b'\n' => after,
                _ => after,
            };
        }
        text.push(b'\n');
        let (fields, body) = mime::header(&text);
        Self { fields, body }
    }

    /// Returns a packet of these fields.
    pub(super) const fn from_parts(fields: Vec<Field>, body: Vec<u8>) -> Self {
        Self { fields, body }
    }

    /// Returns the values of all fields of this name.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = String> + 'p {
        let named = self
            .fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| String::from_utf8_lossy(&field.value).into_owned())
    }

    /// Returns the value of the first field of this name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).next()
    }

    /// Returns what the signature is made of: all but the signature, in order.
    #[must_use]
    pub fn signed(&self) -> String {
        let mut text = String::new();
        for field in &self.fields {
            if !field.name.eq_ignore_ascii_case("sig") {
                push(
                    &mut text,
                    &field.name,
                    &String::from_utf8_lossy(&field.value),
                );
            }
        }
        text.push('\n');
        text.push_str(
            &String::from_utf8_lossy(&self.body)
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
        );
        super::blank::trim(&text).to_owned()
    }
}

/// Adds a field.
pub(super) fn push(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    let lines = value.replace("\r\n", "\n").replace('\r', "\n");
    text.push_str(&lines);
    text.push('\n');
}

/// Returns the key that a user signs with, from the key in the list of accounts.
#[must_use]
pub fn hashed_key(user: &str, key: &str) -> String {
    hex(&Sha1::digest(
        format!("{user}:{}", key.to_lowercase()).as_bytes(),
    ))
}

/// Signs a text.
#[must_use]
pub fn sign(text: &str, hashed_key: &str, time: i64) -> String {
    let mut hash = Sha1::new();
    hash.update(Sha1::digest(text.as_bytes()));
    hash.update(format!(":{time}:{hashed_key}").as_bytes());
    hex(&hash.finalize())
}

/// Returns the number that text is to Python's `int`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = super::blank::trim(text);
    let is_apart = |pair: &[u8]| {
        matches!(pair, [a, b'_'] if !a.is_ascii_digit())
            || matches!(pair, [b'_', b] if !b.is_ascii_digit())
    };
    if text.as_bytes().windows(2).any(is_apart) || text.starts_with('_') || text.ends_with('_') {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Returns the major part of a version.
pub(super) fn major(version: &str) -> Option<i64> {
    let number: f64 = super::blank::trim(version).replace('_', "").parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a version beyond all numbers is not 2"
    )]
    number.is_finite().then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signatures_are_those_of_the_clients() {
        let text = "Op: ping\nThread: 4242\nPV: 2.1\nUser: bob\nTime: 1700000000\nSig: x\n\n";
        let packet = Packet::parse(text.as_bytes());
        let key = hashed_key("bob", "CF88277c5d4abdc0a3f56f416011966d04a3f462");
        assert_eq!(key, "6919bdf67c7e0fe558e00bd71c2a9659522a6e8f");
        let signature = sign(&packet.signed(), &key, 1_700_000_000);
        assert_eq!(signature, "2d9db0f37447ed32f3a1ae78d67c7063b3ce41c9");

        let text =
            "Op: ping\r\nThread:14941\r\nPV: 2.1\r\nUser: anonymous\r\nTime: 1381219396\r\n\r\n";
        let key = hex(&Sha1::digest(b"test_key"));
        let signature = sign(
            &Packet::parse(text.as_bytes()).signed(),
            &key,
            1_381_219_396,
        );
        assert_eq!(signature, "2ab1bad2aae6fd80c656a896c82eef0ec1ec38a0");
    }

    #[test]
    fn names_in_any_case_and_doubled_line_ends_are_read() {
        let packet = Packet::parse(b"op:ping\n\nTHREAD:\t7\nOp-Digest: a\nop-digest: b\nx");
        assert_eq!(packet.first("Op").as_deref(), Some("ping"));
        assert_eq!(packet.first("Thread").as_deref(), Some("7"));
        assert_eq!(packet.all("Op-Digest").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(packet.first("User"), None);
    }

    #[test]
    fn numbers_are_those_of_python() {
        assert_eq!(integer(" 1_000 "), Some(1000));
        assert_eq!(integer("1__0"), None);
        assert_eq!(integer("_1"), None);
        assert_eq!(major(" 2.9e0 "), Some(2));
        assert_eq!(major("-2.9"), Some(-2));
        assert_eq!(major("inf"), None);
        assert_eq!(major("0x2"), None);
    }

    proptest! {
        #[test]
        fn every_packet_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let packet = Packet::parse(&bytes);
            prop_assert!(packet.signed().len() <= 4 * bytes.len() + 16);
        }

        #[test]
        fn fields_are_read_as_they_are_written(
            fields in proptest::collection::vec(("[A-Za-z-]{1,9}", "([!-~]([ -~]{0,30}[!-~])?)?"), 1..12)
        ) {
            let mut text = String::new();
            for (name, value) in &fields {
                push(&mut text, name, value);
            }
            let packet = Packet::parse(text.as_bytes());
            let (name, _) = fields.last().unwrap();
            let written: Vec<_> = fields.iter().filter(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.clone()).collect();
            prop_assert_eq!(packet.all(name).collect::<Vec<_>>(), written);
        }
    }
}
