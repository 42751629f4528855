//! Scope: whose mail somebody may see.
//!
//! A row is seen by who is allowed one of its sides: sender, login, recipient, recipient before rewriting. Other addresses in what is
//! seen are hidden: see [`Scope::hide`].
//!
//! Limits: addresses are known by their form. A login without a domain, or `bob=example.org` within another address, is none of
//! its own: such an address is hidden as a whole.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// What stands in place of an address that is hidden.
pub const HIDDEN: &str = "[hidden]";

/// Whose mail somebody may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everything that is stored, also what is about no mail.
    All,
    /// Mail of these.
    Only(Allowed),
    /// Nothing.
    #[default]
    Nothing,
}

/// Whose mail is allowed: small letters throughout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Whole addresses.
    addresses: BTreeSet<String>,
    /// Domains, without their subdomains.
    domains: BTreeSet<String>,
    /// Domains with their subdomains, a dot in front.
    parents: BTreeSet<String>,
}

impl Allowed {
    /// Adds an address (`bob@example.org`), a domain (`example.org`, `@example.org`), or a domain with its subdomains
    /// (`.example.org`).
    ///
    /// # Errors
    /// When the word is none of them.
    pub fn add(&mut self, word: &str) -> Result<(), String> {
        let word = word.to_lowercase();
        let is_domain = |domain: &str| {
            let is_part = |c: char| c.is_alphanumeric() || "-_[]:.".contains(c);
            !domain.is_empty()
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && domain.chars().all(is_part)
        };
        let is_plain = |c: char| !c.is_control() && c != '<' && c != '>';
        match word.rsplit_once('@') {
            Some(("", domain)) if is_domain(domain) => {
                self.domains.insert(domain.to_owned());
            }
            Some((local, domain)) if is_domain(domain) && local.chars().all(is_plain) => {
                self.addresses.insert(word);
            }
            None if word.strip_prefix('.').is_some_and(is_domain) => {
                self.parents.insert(word);
            }
            None if is_domain(&word) && word.contains('.') => {
                self.domains.insert(word);
            }
            _ => {
                return Err(format!(
                    "{word:?} is neither an address (bob@example.org) nor a domain (example.org, or .example.org with its subdomains)"
                ));
            }
        }
        Ok(())
    }

    /// Returns the whole addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }

    /// Returns the ends that an address may have, as texts: `@example.org`, and `.example.org` for subdomains.
    pub fn ends(&self) -> impl Iterator<Item = String> {
        let domains = self.domains.iter().map(|domain| format!("@{domain}"));
        let parents = self.parents.iter();
        let parents = parents.flat_map(|parent| [parent.replacen('.', "@", 1), parent.clone()]);
        domains.chain(parents)
    }

    fn holds(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let Some((_, domain)) = address.rsplit_once('@') else {
            return false;
        };
        let is_below = |parent: &String| {
            domain.ends_with(parent.as_str()) || parent.strip_prefix('.') == Some(domain)
        };
        self.addresses.contains(&address)
            || self.domains.contains(domain)
            || self.parents.iter().any(is_below)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Nothing => f.write_str("nothing"),
            Self::Only(_) => f.write_str(&self.words().join(" ")),
        }
    }
}

impl Scope {
    /// Makes one of words: `all`, or what [`Allowed::add`] takes.
    ///
    /// # Errors
    /// When a word is nothing of it.
    pub fn of<S: AsRef<str>>(words: &[S]) -> Result<Self, String> {
        let mut scope = Self::Nothing;
        for word in words {
            let word = word.as_ref().trim();
            let mut allowed = Allowed::default();
            let one = if word == "all" {
                Self::All
            } else {
                allowed.add(word)?;
                Self::Only(allowed)
            };
            scope = scope.or(one);
        }
        Ok(scope)
    }

    /// Returns the words that [`Scope::of`] makes it of again.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::All => vec!["all".to_owned()],
            Self::Nothing => Vec::new(),
            Self::Only(allowed) => {
                let domains = allowed.domains.iter().map(|domain| format!("@{domain}"));
                let words = allowed.addresses.iter().cloned().chain(domains);
                words.chain(allowed.parents.iter().cloned()).collect()
            }
        }
    }

    /// Returns what either of them lets see.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Only(mut one), Self::Only(other)) => {
                one.addresses.extend(other.addresses);
                one.domains.extend(other.domains);
                one.parents.extend(other.parents);
                Self::Only(one)
            }
        }
    }

    /// Returns whether mail of the address may be seen.
    #[must_use]
    pub fn allows(&self, address: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(allowed) => allowed.holds(address),
            Self::Nothing => false,
        }
    }

    /// Returns the text with [`HIDDEN`] for each address in it that is neither allowed nor one of `own`: the sides of its row, and its
    /// Message-ID.
    #[must_use]
    pub fn hide<'t>(&self, text: &'t str, own: &[&str]) -> Cow<'t, str> {
        if matches!(self, Self::All) || !text.contains('@') {
            return Cow::Borrowed(text);
        }
        let own: Vec<String> = own.iter().map(|own| bare(own).to_lowercase()).collect();
        let is_seen =
            |address: &str| self.allows(address) || own.contains(&bare(address).to_lowercase());
        let mut shown = String::with_capacity(text.len());
        let mut left = text;
        while let Some((before, word, after)) = next_address(left) {
            shown.push_str(before);
            let (key, address) = match word.split_once('=') {
                // `to=bob@example.org`, as logs write it.
                Some((key, rest)) if is_key(key) && rest.contains('@') => {
                    (word.get(..=key.len()).unwrap_or_default(), rest)
                }
                _ => ("", word),
            };
            let trimmed = address.trim_matches(['\'', '`', '*']);
            if is_seen(bare(address)) || is_seen(bare(trimmed)) {
                shown.push_str(word);
            } else {
                shown.push_str(key);
                shown.push_str(HIDDEN);
            }
            left = after;
        }
        if shown.is_empty() && left.len() == text.len() {
            return Cow::Borrowed(text);
        }
        shown.push_str(left);
        Cow::Owned(shown)
    }
}

/// Returns the address without the brackets of a Message-ID and the dots behind a sentence.
fn bare(address: &str) -> &str {
    let address = address.trim_start_matches('<').trim_end_matches('>');
    address.trim_end_matches('.')
}

/// Returns what stands before the first address of the text, the address, and what stands behind.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find('@') {
        let at = from + found;
        let (before, after) = text.split_at_checked(at)?;
        let start = start_of_local(before);
        let domain = after.get(1..)?;
        let length = match domain.strip_prefix('[') {
            Some(literal) => literal.find(']').map_or(domain.len(), |end| end + 2),
            None => domain.find(|c| !is_of_domain(c)).unwrap_or(domain.len()),
        };
        let end = at + 1 + length;
        let has_name = domain
            .get(..length)?
            .contains(|c: char| c.is_alphanumeric());
        if start < at && has_name {
            return Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?));
        }
        from = at + 1;
    }
    None
}

/// Returns where the local part begins that ends with this text: in quotes it may have anything.
fn start_of_local(before: &str) -> usize {
    if let Some(inside) = before.strip_suffix('"') {
        let is_open = |(place, _): &(usize, &str)| {
            let before = inside.get(..*place).unwrap_or_default();
            before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 0
        };
        let open = inside.rmatch_indices('"').find(is_open);
        return open.map_or(0, |(place, _)| place);
    }
    let part = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_of_local(*c));
    part.last().map_or(before.len(), |(place, _)| place)
}

/// Keys of Postfix's log, and of others, before an address.
fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn is_of_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c)
}

fn is_of_domain(c: char) -> bool {
    c.is_alphanumeric() || "-_.@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(words: &[&str]) -> Scope {
        Scope::of(words).unwrap()
    }

    #[test]
    fn words_are_addresses_domains_and_parents() {
        let scope = only(&[
            "Bob@Example.org",
            "example.com",
            "@example.net",
            ".example.edu",
        ]);
        for allowed in [
            "bob@example.org",
            "BOB@example.ORG",
            "x@example.com",
            "\"a@b\"@example.net",
            "x@example.edu",
            "x@sub.example.edu",
        ] {
            assert!(scope.allows(allowed), "{allowed}");
        }
        for other in [
            "",
            "example.com",
            "alice@example.org",
            "x@sub.example.com",
            "x@badexample.edu",
            "x@example.com.example.de",
            "bob@example.org@example.de",
        ] {
            assert!(!scope.allows(other), "{other}");
        }
        assert_eq!(
            scope.to_string(),
            "bob@example.org @example.com @example.net .example.edu"
        );
        assert!(Scope::of(&["all", "example.org"]).unwrap().allows("x@y"));
        assert_eq!(Scope::of::<&str>(&[]).unwrap(), Scope::Nothing);
        assert_eq!(Scope::of(&scope.words()).unwrap(), scope);
        for wrong in ["", "bob", "@", "a b", ".", "x@", "<bob@example.org>", "*"] {
            assert!(Scope::of(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn either_of_two_lets_see() {
        let both = only(&["example.org"]).or(only(&["a@example.com"]));
        assert!(both.allows("x@example.org") && both.allows("a@example.com"));
        assert!(!both.allows("b@example.com"));
        assert_eq!(Scope::Nothing.or(Scope::All), Scope::All);
        assert_eq!(Scope::Nothing.or(both.clone()), both);
    }

    #[test]
    fn other_addresses_in_a_text_are_hidden() {
        let scope = only(&["example.org"]);
        let hide = |text| {
            scope
                .hide(text, &["eve@example.com", "<id@mx.example.com>"])
                .into_owned()
        };
        for (text, shown) in [
            ("no address here", "no address here"),
            (
                "550 <carol@example.net>: unknown; ask bob@example.org.",
                "550 <[hidden]>: unknown; ask bob@example.org.",
            ),
            (
                "from=<EVE@example.com>, message-id=<id@mx.example.com>",
                "from=<EVE@example.com>, message-id=<id@mx.example.com>",
            ),
            ("to=carol@example.net x", "to=[hidden] x"),
            ("to=bob@example.org x", "to=bob@example.org x"),
            ("srs0=x=y=example.org=carol@example.net", "[hidden]"),
            (
                "<\"car ol\\\"s\"@example.net> and 'carol@example.net'",
                "<[hidden]> and [hidden]'",
            ),
            (
                "a@b@example.net,bob@example.org",
                "[hidden],bob@example.org",
            ),
            ("@example.net @ x", "@example.net @ x"),
            ("carol@[192.0.2.1]: no", "[hidden]: no"),
            ("käthe@beispiel.example", "[hidden]"),
        ] {
            assert_eq!(hide(text), shown, "{text}");
        }
        assert_eq!(Scope::All.hide("a@b.example", &[]), "a@b.example");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_hidden_address_is_left(
            before in "[ -~é]{0,8}", local in "[a-z0-9.+]{1,6}", after in "[ ,;:>)\"]?[ -~]{0,6}", key in "(to=|from=|<|'|)?"
        ) {
            let secret = format!("{local}zq@other.example.net");
            let text = format!("{before}{key}{secret}{after}");
            let shown = only(&["example.org"]).hide(&text, &["eve@example.com"]).into_owned();
            prop_assert!(!shown.contains("zq@"), "{text}: {shown}");
        }
    }
}
