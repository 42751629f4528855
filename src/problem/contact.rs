//! Contact: who is told of problems with which mail: `contacts.toml`.
//!
//! ```toml
//! fallback = ["postmaster@example.org"]
//!
//! [[contact]]
//! name = "sales"
//! owns = ["example.com", ".shop.example.com", "boss@example.org"]   # "*" is everything that nobody else owns
//! high = ["admin@example.com"]
//! low = ["helpdesk@example.com"]
//! ```
//!
//! The most specific pattern decides who owns an address: the mailbox, then the domain, then the nearest domain with its
//! subdomains, then `*`. Contacts that own it equally are told together, in the order of their priority.

use super::severity::{Periods, Severity};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is mailed to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One report about everything.
    #[default]
    Summary,
    /// One report about each source.
    Extra,
    /// Both.
    Both,
    /// Nothing: reports are made and stored.
    None,
}

impl Mode {
    /// Tells whether the report about everything is mailed.
    #[must_use]
    pub const fn has_summary(self) -> bool {
        matches!(self, Self::Summary | Self::Both)
    }

    /// Tells whether there is a report about each source.
    #[must_use]
    pub const fn has_extra(self) -> bool {
        matches!(self, Self::Extra | Self::Both)
    }
}

/// A condition under which an event is reported to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What it matches, in the language of `maillog find`.
    pub query: String,
    /// It counts.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The first day that it holds (`2026-11-28`).
    #[serde(default)]
    pub from: Option<String>,
    /// The last day that it holds.
    #[serde(default)]
    pub to: Option<String>,
}

/// Who is told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its name, unique in any case of letters.
    pub name: String,
    /// What it owns.
    pub(super) owns: Vec<Pattern>,
    /// Contacts of a smaller number come first.
    pub priority: i32,
    /// It is told at all.
    pub enabled: bool,
    /// What is mailed.
    pub mode: Mode,
    /// Name of the template.
    pub template: String,
    /// Language of the report (`en`, `de`, `cs`).
    pub locale: String,
    /// Zone of the times in it; none is the system's.
    pub timezone: Option<String>,
    /// Mail goes to the administrator in its place.
    pub redirect: bool,
    /// Contacts that are told when this one has no address for a severity.
    pub fallback: Vec<String>,
    /// What is reported to nobody.
    pub filters: Vec<Filter>,
    pub(super) addresses: BTreeMap<Severity, Vec<String>>,
    pub(super) periods: BTreeMap<Severity, Periods>,
}

impl Contact {
    /// Returns how often it is told of a severity.
    #[must_use]
    pub fn periods(&self, severity: Severity) -> Periods {
        let own = self.periods.get(&severity).copied();
        own.unwrap_or_else(|| severity.periods())
    }

    /// Returns the addresses of exactly this severity.
    #[must_use]
    pub fn addresses(&self, severity: Severity) -> &[String] {
        self.addresses.get(&severity).map_or(&[], Vec::as_slice)
    }
}

/// All contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    contacts: Vec<Contact>,
    /// Who is told when nobody else is.
    pub fallback: Vec<String>,
}

/// To whom a report goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// The first list that was found.
    pub to: Vec<String>,
    /// All others.
    pub cc: Vec<String>,
}

impl Recipients {
    fn add(&mut self, list: &[String]) {
        let is_first = self.to.is_empty();
        for address in list {
            let known = self.to.iter().chain(&self.cc);
            let is_known = known.into_iter().any(|a| a.eq_ignore_ascii_case(address));
            if !is_known {
                let place = if is_first { &mut self.to } else { &mut self.cc };
                place.push(address.clone());
            }
        }
    }

    fn add_all(&mut self, contact: &Contact, severity: Severity) {
        for severity in severity.downwards() {
            self.add(contact.addresses(severity));
        }
    }
}

/// What a contact owns: small letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    /// Everything.
    All,
    /// A domain with its subdomains.
    Under(String),
    /// A domain alone.
    Domain(String),
    /// One address.
    Mailbox(String),
}

/// How specific a match is: kind, then length.
type Rank = (u8, usize);

impl Pattern {
    pub(super) fn read(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let is_domain = |domain: &str| {
            let is_part = |c: char| c.is_alphanumeric() || "-_".contains(c);
            let is_label = |label: &str| !label.is_empty() && label.chars().all(is_part);
            domain.split('.').all(is_label)
        };
        if word == "*" {
            return Some(Self::All);
        }
        if let Some(domain) = word.strip_prefix('.') {
            return is_domain(domain).then(|| Self::Under(domain.to_owned()));
        }
        let domain = word.strip_prefix('@').unwrap_or(&word);
        if is_domain(domain) && (domain.contains('.') || domain.len() < word.len()) {
            return Some(Self::Domain(domain.to_owned()));
        }
        is_address(&word).then_some(Self::Mailbox(word))
    }

    fn rank(&self, address: &str) -> Option<Rank> {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_under = |parent: &str| {
            let before = domain.strip_suffix(parent);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        match self {
            Self::All => Some((0, 0)),
            Self::Under(parent) => is_under(parent).then_some((1, parent.len())),
            Self::Domain(own) => (own == domain).then_some((2, own.len())),
            Self::Mailbox(own) => (own == address).then_some((3, own.len())),
        }
    }
}

/// Tells whether a word can be written into a header as an address: something at a domain, and nothing that ends a header.
#[must_use]
pub fn is_address(word: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>,;:\\\"()[]".contains(c);
    let is_domain =
        |domain: &str| !domain.is_empty() && domain.split('.').all(|label| !label.is_empty());
    word.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !local.contains('@') && is_domain(domain) && word.chars().all(is_plain)
    })
}

pub(super) const fn yes() -> bool {
    true
}

impl Book {
    pub(super) fn new(contacts: Vec<Contact>, fallback: Vec<String>) -> Self {
        Self { contacts, fallback }
    }

    /// Returns all contacts in the order of the file.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// Returns the contact of that name, in any case of letters.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Contact> {
        let name = name.to_lowercase();
        self.contacts.iter().find(|c| c.name.to_lowercase() == name)
    }

    /// Returns who owns an address: the enabled contacts with the most specific pattern, by priority.
    #[must_use]
    pub fn owners(&self, address: &str) -> Vec<&Contact> {
        let address = address.to_lowercase();
        let ranked = self.contacts.iter().filter(|contact| contact.enabled);
        let ranked: Vec<(Rank, &Contact)> = ranked
            .filter_map(|contact| {
                let ranks = contact.owns.iter().filter_map(|own| own.rank(&address));
                Some((ranks.max()?, contact))
            })
            .collect();
        let best = ranked.iter().map(|(rank, _)| *rank).max();
        let of_best = ranked.into_iter().filter(|(rank, _)| Some(*rank) == best);
        let mut owners: Vec<&Contact> = of_best.map(|(_, contact)| contact).collect();
        owners.sort_by_key(|contact| contact.priority);
        owners
    }

    /// Returns to whom a report of these contacts goes.
    #[must_use]
    pub fn recipients(&self, owners: &[&Contact], severity: Severity) -> Recipients {
        let mut recipients = Recipients::default();
        for owner in owners {
            recipients.add_all(owner, severity);
        }
        if recipients.to.is_empty() {
            let others = owners.iter().flat_map(|owner| &owner.fallback);
            for other in others.filter_map(|name| self.named(name)) {
                recipients.add_all(other, severity);
            }
        }
        if recipients.to.is_empty() {
            recipients.add(&self.fallback);
        }
        recipients
    }
}
