//! Mailbox: an address with the name that stands before it, as settings and people write it.
//!
//! Promises: an address is printable ASCII without blanks, commas or angle brackets, so that it is safe in a header, in
//! an SMTP command and as an argument of sendmail(1).
//!
//! Limits: a local part that is not ASCII (SMTPUTF8) or is quoted is refused; a domain with other letters becomes its
//! ASCII form.

use lettre::Address;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Characters of an address, RFC 5321 4.5.3.1.3 without the angle brackets.
const LONGEST: usize = 254;
/// Octets of a local part: more than the 64 of RFC 5321 4.5.3.1.1, for VERP puts a whole address into one.
const LONGEST_LOCAL: usize = 192;

/// Why a text is no mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text}: not a mail address; write it as alice@example.org")]
pub struct NotAMailbox {
    text: String,
}

/// An address with the name that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name, may be any text.
    pub name: Option<String>,
    address: String,
}

impl Mailbox {
    /// Reads `alice@example.org`, `Alice <alice@example.org>` or `"Alice" <alice@example.org>`.
    ///
    /// # Errors
    /// When the address is not one that can be written to.
    pub fn parse(text: &str) -> Result<Self, NotAMailbox> {
        let fault = || NotAMailbox {
            text: text.escape_debug().to_string(),
        };
        let trimmed = text.trim();
        let (name, address) = match trimmed.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address.trim()),
            None => ("", trimmed),
        };
        let name = unquoted(name);
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address: address_of(address).ok_or_else(fault)?,
        })
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl FromStr for Mailbox {
    type Err = NotAMailbox;

    fn from_str(text: &str) -> Result<Self, NotAMailbox> {
        Self::parse(text)
    }
}

fn unquoted(name: &str) -> String {
    let inside = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    let Some(inside) = inside else {
        return name.to_owned();
    };
    let mut plain = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(next) = chars.next() {
        plain.extend(if next == '\\' {
            chars.next()
        } else {
            Some(next)
        });
    }
    plain
}

/// Returns the address as it is sent to; none when it is not one.
#[must_use]
pub fn address_of(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).ok()?
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_literal = || {
        let inside = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
        inside.is_some() && format!("x@{domain}").parse::<Address>().is_ok()
    };
    let is_domain = domain.split('.').all(is_label) || is_literal();
    let is_local = !local.is_empty()
        && local.len() <= LONGEST_LOCAL
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    let whole = format!("{local}@{domain}");
    (is_domain && is_local && whole.len() <= LONGEST).then_some(whole)
}

/// The characters of an atom, RFC 5322 3.2.3.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stand_before_an_address() {
        let read = |text: &str| Mailbox::parse(text).map(|m| (m.name, m.address)).unwrap();
        let alice = || "alice@example.org".to_owned();
        assert_eq!(read(" alice@example.org "), (None, alice()));
        assert_eq!(read("<alice@example.org>"), (None, alice()));
        let named = |name: &str| (Some(name.to_owned()), alice());
        assert_eq!(read("Alice A. <alice@example.org>"), named("Alice A."));
        assert_eq!(
            read(r#""A, \"B\" <x>" <alice@example.org>"#),
            named("A, \"B\" <x>")
        );
        assert_eq!(read("Zoë 株式 <alice@example.org>"), named("Zoë 株式"));
        let idn = Mailbox::parse("a@bücher.example").unwrap();
        assert_eq!(idn.address(), "a@xn--bcher-kva.example");
        assert_eq!(
            Mailbox::parse("x@[192.0.2.1]").unwrap().domain(),
            "[192.0.2.1]"
        );
    }

    #[test]
    fn what_could_be_more_than_one_address_is_none() {
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "a,b@example.org",
            "a@b,c@example.org",
            "a@example.org\nBcc: x@example.org",
            "a(x)@example.org",
            "a@exa mple.org",
            "\"a b\"@example.org",
            "a..b@example.org",
            ".a@example.org",
            "a@-x.example",
            "a@example.org>",
            "é@example.org",
            "a@example..org",
            "a:b@example.org",
            "a;@example.org",
            "a@[x y]",
            "a@example.org\0",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        assert!(Mailbox::parse(&long).is_err());
        let error = Mailbox::parse("a\nb").unwrap_err().to_string();
        assert_eq!(
            error,
            "a\\nb: not a mail address; write it as alice@example.org"
        );
    }

    proptest! {
        #[test]
        fn an_address_is_safe_wherever_it_is_written(text in "\\PC*|[ -~\\n\\r]{0,20}@[a-z.\\[\\]\\n:0-9]{1,20}") {
            if let Some(address) = address_of(&text) {
                prop_assert!(address.bytes().all(|b| b.is_ascii_graphic() && !b"<>,;\"\\()".contains(&b)), "{address}");
            }
        }
    }
}
