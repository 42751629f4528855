//! Mail: a mail of the queue as Postfix lists it, with what else is known of it; types only.

use crate::correlate;
use crate::model::time::Time;
use compact_str::CompactString;
use std::fmt;
use std::sync::Arc;

/// How Postfix's listings write the null sender.
pub const NULL_SENDER: &str = "MAILER-DAEMON";

/// The queue that a mail is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Being delivered.
    Active,
    /// Waiting for the next attempt.
    Deferred,
    /// Put aside until somebody releases it.
    Hold,
    /// Taken in, not yet seen by the queue manager.
    Incoming,
    /// Handed in by a local user, not yet picked up.
    Maildrop,
    /// Its file cannot be read by Postfix.
    Corrupt,
    /// A queue that this version does not know.
    Other(CompactString),
}

impl Status {
    /// The queues that there are, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Deferred,
        Self::Hold,
        Self::Incoming,
        Self::Maildrop,
        Self::Corrupt,
    ];

    /// Returns the queue of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|status| status.name() == name);
        known.unwrap_or_else(|| Self::Other(name.into()))
    }

    /// Returns its name, which is that of its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Deferred => "deferred",
            Self::Hold => "hold",
            Self::Incoming => "incoming",
            Self::Maildrop => "maildrop",
            Self::Corrupt => "corrupt",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A recipient that still waits for the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Its address as listed: a local part that needs quotes has them.
    pub address: CompactString,
    /// Why the last attempt failed; none before the first one.
    pub reason: Option<Arc<str>>,
}

/// Who handed the mail in, as its queue file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Host name, `unknown` without one.
    pub name: Option<CompactString>,
    /// IP address.
    pub address: Option<CompactString>,
    /// Log-in name.
    pub user: Option<CompactString>,
}

/// A header of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, as written.
    pub name: String,
    /// Its value, unfolded, not decoded.
    pub value: String,
}

impl Header {
    /// Returns its value with encoded words (RFC 2047) decoded; what cannot be decoded stays as it is.
    #[must_use]
    pub fn decoded(&self) -> String {
        correlate::decoded(&self.value).into_owned()
    }
}

/// A mail in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id; unique only beside the time of arrival.
    pub queue_id: CompactString,
    /// The queue that it is in.
    pub status: Status,
    /// It is returned at the next attempt (`postsuper -e` and `-f`).
    pub forced_expire: bool,
    /// When it arrived; none when the listing does not tell it readably.
    pub arrival: Option<Time>,
    /// Bytes; none when the listing does not tell them readably.
    pub size: Option<u64>,
    /// Envelope sender, empty for the null sender; none when it is not told.
    pub sender: Option<CompactString>,
    /// Who still waits for it.
    pub recipients: Vec<Recipient>,
    /// Who handed it in; known from its queue file or the log.
    pub client: Option<Box<Client>>,
    /// Its headers, where its queue file was read.
    pub headers: Option<Box<[Header]>>,
    /// What the log knows of it.
    pub history: Option<Box<History>>,
    /// What is odd about its entry in the listing.
    pub odd: Option<&'static str>,
}

impl Mail {
    /// Returns a mail of which nothing is known but the id.
    #[must_use]
    pub fn new(queue_id: &str) -> Self {
        Self {
            queue_id: queue_id.into(),
            status: Status::Deferred,
            forced_expire: false,
            arrival: None,
            size: None,
            sender: None,
            recipients: Vec::new(),
            client: None,
            headers: None,
            history: None,
            odd: None,
        }
    }

    /// Returns the errors of its recipients, each once, in their order.
    #[must_use]
    pub fn reasons(&self) -> Vec<&Arc<str>> {
        let mut found: Vec<&Arc<str>> = Vec::new();
        let mut last: Option<&Arc<str>> = None;
        for reason in self.recipients.iter().filter_map(|r| r.reason.as_ref()) {
            // A thousand recipients mostly have one error.
            if last != Some(reason) && !found.contains(&reason) {
                found.push(reason);
            }
            last = Some(reason);
        }
        found
    }

    /// Returns its subject, decoded; from its headers, else from the log.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let header = || {
            let mut headers = self.headers.as_deref()?.iter();
            let header = headers.find(|header| header.name.eq_ignore_ascii_case("subject"))?;
            Some(header.decoded())
        };
        let logged = || self.history.as_ref()?.subject.clone();
        header().or_else(logged)
    }

    /// Returns microseconds since its arrival; none of a mail without a time, 0 where it lies in the future.
    #[must_use]
    pub fn age(&self, now: Time) -> Option<i64> {
        self.arrival.map(|arrival| now.since(arrival).max(0))
    }

    /// Returns whether it is the same mail: ids are used again.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.queue_id == other.queue_id
            && self.arrival == other.arrival
            && self.sender == other.sender
    }
}

/// What the log knows of a mail in the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Id of its message in `delivery_from`.
    pub from_id: i64,
    /// Host that logged it.
    pub host: String,
    /// Instance of Postfix that logged it.
    pub instance: String,
    /// First message of its chain.
    pub root_id: i64,
    /// When it left the queue, as the log says.
    pub removed: Option<Time>,
    /// Attempts so far, of the recipient with the most.
    pub attempts: i64,
    /// First attempt that was put off.
    pub first_deferral: Option<Time>,
    /// Last attempt.
    pub last_attempt: Option<Time>,
    /// When the next attempt is due, as far as the settings tell.
    pub next_attempt: Option<Time>,
    /// Word for why, of the last attempt.
    pub cause: Option<String>,
    /// Log-in name.
    pub user: Option<String>,
    /// Client's name and address.
    pub client_name: Option<String>,
    /// Client's address.
    pub client_address: Option<String>,
    /// Subject, where Postfix logs it.
    pub subject: Option<String>,
    /// Message-ID.
    pub message_id: Option<String>,
    /// Status of the message in the log.
    pub status: String,
}

/// Returns the domain of an address, in small letters; none where it has none.
#[must_use]
pub fn domain(address: &str) -> Option<String> {
    // A quoted local part may hold an @.
    let (_, domain) = address.rsplit_once('@')?;
    let is_quote_open = address.starts_with('"') && domain.ends_with('"');
    (!domain.is_empty() && !is_quote_open).then(|| domain.to_lowercase())
}

/// Returns the address with its domain in small letters: capitals make no other domain.
#[must_use]
pub fn folded(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_stands_behind_the_last_at_outside_quotes() {
        for (address, expected) in [
            ("a@Example.ORG", Some("example.org")),
            ("\"a@b\"@example.org", Some("example.org")),
            ("\"a@b\"", None),
            ("a@b@example.org", Some("example.org")),
            ("user", None),
            ("", None),
            ("a@", None),
            ("müller@Bücher.example", Some("bücher.example")),
        ] {
            assert_eq!(domain(address).as_deref(), expected, "{address}");
        }
    }
}
