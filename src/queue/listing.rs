//! Listing: what reading one depends on, and what it gives; types only.

use super::mail::{Mail, Recipient};
use crate::model::time::Time;
use crate::model::zone::Zone;
use compact_str::CompactString;
use hashbrown::HashSet;
use std::sync::Arc;

/// Longest line that is read as a whole: a mail to a million recipients.
pub const MAX_LINE: u64 = 256 * 1024 * 1024;

/// Texts that are remembered; then all are forgotten, for no queue has so many different errors.
const MOST_TEXTS: usize = 65_536;

/// What reading depends on beside the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The time of the listing, at the latest.
    pub now: Time,
    /// Zone of the times in a text listing.
    pub zone: Zone,
}

/// A line that is no part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Its number, from 1.
    pub line: u64,
    /// The line, or its beginning.
    pub text: String,
    /// What is odd.
    pub why: &'static str,
}

/// A piece of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A mail.
    Mail(Mail),
    /// A line that was not understood.
    Odd(Odd),
}

/// Texts that many mails have in common.
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        if self.0.len() >= MOST_TEXTS {
            self.0.clear();
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }

    pub(super) fn recipient(&mut self, address: &str, reason: Option<&str>) -> Recipient {
        Recipient {
            address: CompactString::from(address),
            reason: reason
                .filter(|reason| !reason.is_empty())
                .map(|reason| self.shared(reason)),
        }
    }
}
