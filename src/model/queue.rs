//! Queue: Postfix's queue as it was listed last, and the counts of each listing: rows of the tables `queued_mail`, `queued_recipient`,
//! `queue_listing` and `queue_snapshot`.

use super::row::Text;
use super::time::Time;

/// A mail of the last listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueuedMail {
    /// When the row was written: it stays while the mail is listed unchanged.
    pub time: Time,
    /// Its id.
    pub queue_id: Text,
    /// Changes when anything of the mail or its recipients does.
    pub digest: i64,
    /// The queue that it is in.
    pub status: Text,
    /// It is returned at the next attempt.
    pub forced_expire: bool,
    /// When it arrived.
    pub arrival_time: Option<Time>,
    /// Bytes.
    pub size: Option<i64>,
    /// Envelope sender, empty for the null sender.
    pub sender: Option<Text>,
    /// Number of recipients that wait.
    pub nrcpt: i64,
    /// The commonest error.
    pub reason: Option<Text>,
    /// Its cause.
    pub cause: Option<Text>,
    /// What of its entry cannot be read.
    pub odd: Option<Text>,
}

/// A recipient that waits for a mail of the last listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueuedRecipient {
    /// When the row was written.
    pub time: Time,
    /// The mail.
    pub queue_id: Text,
    /// Its address.
    pub recipient: Text,
    /// Its last error.
    pub reason: Option<Text>,
    /// The cause of it.
    pub cause: Option<Text>,
}

/// The last listing as a whole; the table has one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueListing {
    /// When the queue was listed.
    pub time: Time,
    /// The machine.
    pub host: String,
    /// The machine's name in the settings of Postfix, which its own log file has.
    pub myhostname: String,
    /// The instance of Postfix, as its log names it.
    pub instance: String,
    /// Mails that were listed.
    pub mails: i64,
    /// Mails that are stored as rows: the first ones of a very long queue.
    pub stored: i64,
    /// Recipients that wait.
    pub recipients: i64,
    /// Arrival of the oldest mail.
    pub oldest: Option<Time>,
    /// Parts of the listing that could not be read.
    pub odd: i64,
    /// Seconds, `minimal_backoff_time` of Postfix.
    pub minimal_backoff: i64,
    /// Seconds, `maximal_backoff_time`.
    pub maximal_backoff: i64,
}

/// Counts of one queue at one time: all of it, or what waits for one domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueCount {
    /// When.
    pub time: Time,
    /// The machine.
    pub host: String,
    /// The queue.
    pub status: Text,
    /// Domain of the recipients; none for the whole queue.
    pub domain: Option<Text>,
    /// Mails; one with recipients in several domains counts in each.
    pub mails: i64,
    /// Recipients that wait.
    pub recipients: i64,
    /// Bytes of the mails.
    pub size: i64,
    /// Arrival of the oldest of them.
    pub oldest: Option<Time>,
}

/// All that one listing brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The listing.
    pub listing: QueueListing,
    /// Its mails.
    pub mails: Vec<QueuedMail>,
    /// Their recipients.
    pub recipients: Vec<QueuedRecipient>,
    /// Its counts.
    pub counts: Vec<QueueCount>,
}
