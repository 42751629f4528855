//! Outbox: mail that maillog sends, rows of the table `outbox`, and what becomes of them.

use super::row::Text;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// How a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboxState {
    /// It waits for its time.
    Waiting,
    /// It is being handed over at this moment.
    Sending,
    /// Whether it was handed over is not known: maillog or the mail server ended in between. The log decides.
    Unknown,
    /// It was handed over.
    Sent,
    /// It was refused or given up.
    Failed,
}

impl OutboxState {
    /// Returns the word for it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// Whether the mail may still be sent.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Sent | Self::Failed)
    }
}

/// A mail to one recipient: a row of the table `outbox`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Its Message-ID, with angle brackets: no other row has it.
    pub message_id: String,
    /// When it was made.
    pub made: Time,
    /// When the row was changed last: retention goes by it.
    pub time: Time,
    /// What it is: `summary`, `reply`.
    pub kind: String,
    /// The event that the mail is about: each recipient gets one mail for an event. None: no such limit.
    pub occasion: Option<Text>,
    /// Envelope sender, empty for the null sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// The whole message; empty when it is not needed any more.
    pub message: String,
    /// How it is, see [`OutboxState`].
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next.
    pub next_try: Option<Time>,
    /// What sendmail or the server said last, or why it is not sent.
    pub result: Option<Text>,
}

/// A change of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMark {
    /// The row.
    pub message_id: String,
    /// When.
    pub time: Time,
    /// How it is now.
    pub state: OutboxState,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next.
    pub next_try: Option<Time>,
    /// What sendmail or the server said, or why it is not sent.
    pub result: Option<String>,
}

/// What happens to the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboxChange {
    /// A mail that is to be sent. One for the same occasion and recipient as another is left out.
    Add(Box<OutboxRow>),
    /// A mail is otherwise now.
    Mark(OutboxMark),
    /// Somebody wants a mail to be tried now that waits, has failed, or of which nothing is known; none: all that wait.
    Retry {
        /// The mail.
        message_id: Option<String>,
        /// When.
        time: Time,
    },
}
