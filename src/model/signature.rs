//! Rows of the signature server: digests with their counts, who asked what, and how many packets came.

use super::row::Text;
use super::time::Time;

/// A row of the table `signature`. One without any report takes the digest out of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureRow {
    /// The digest.
    pub digest: Text,
    /// Reports as spam.
    pub count: i64,
    /// Reports as ham.
    pub wl_count: i64,
    /// First report as spam.
    pub entered: Option<Time>,
    /// Last report as spam.
    pub updated: Option<Time>,
    /// First report as ham.
    pub wl_entered: Option<Time>,
    /// Last report as ham.
    pub wl_updated: Option<Time>,
}

/// A row of the table `signature_use`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureUse {
    /// When, to the second.
    pub time: Time,
    /// Who asked; none in a flood.
    pub client_address: Option<Text>,
    /// The user; none if nobody knows the user.
    pub username: Option<Text>,
    /// The operation; none if it is not known.
    pub operation: Option<Text>,
    /// The digest; none for a request without one, and in a flood.
    pub digest: Option<Text>,
    /// Code of the reply.
    pub reply_code: u16,
    /// How often.
    pub count: i64,
}

/// Packets that came since the last rows: for the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignaturePackets {
    /// The operation; `other` if it is not known.
    pub operation: &'static str,
    /// Code of the reply; 0 without one.
    pub code: u16,
    /// How many.
    pub count: u64,
}
