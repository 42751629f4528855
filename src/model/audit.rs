//! Audit: who asked what, and who acted upon the queue.

use super::time::Time;
use serde::{Deserialize, Serialize};

/// Most characters of a query that the audit keeps.
const LONGEST: usize = 2000;

/// A row of the table `audit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub time: Time,
    /// User of this machine, or user of TCP.
    pub who: String,
    /// From where: `unix`, the address of a TCP client, `command` for a command without the service.
    pub origin: String,
    /// What was asked or done.
    pub what: String,
    /// Whose mail was seen.
    pub scope: String,
    /// Rows of the answer, mails acted upon.
    pub hits: Option<i64>,
}

impl AuditRow {
    /// Returns as much of a text as is kept.
    #[must_use]
    pub fn cut(text: &str) -> String {
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        }
    }
}
