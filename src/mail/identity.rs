//! Identity: who maillog is in mail: its name, its From address, and its envelope sender.

use super::mailbox::Mailbox;

/// Who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Full name of the machine: the right side of message ids and of our own addresses.
    pub fqdn: String,
    /// The From field.
    pub from: Mailbox,
    /// Envelope sender, empty for the null sender.
    pub envelope: String,
}

impl Identity {
    /// Returns one of our own addresses: `owner@FQDN`.
    #[must_use]
    pub fn address(&self, local: &str) -> String {
        format!("{local}@{}", self.fqdn)
    }
}
