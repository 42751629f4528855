//! Row: what the tables hold, one struct a table, and `Changes`: what one commit does to them.
//!
//! Columns are the fields, named alike; meaning and units stand in `schema/0001_init.sql`. All times are UTC.

#![expect(
    missing_docs,
    reason = "the columns are documented in schema/0001_init.sql"
)]

use super::cursor::SourceKey;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Short text that mostly fits without an allocation.
pub type Text = compact_str::CompactString;

/// A message: one queue file in one generation of its queue id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryFrom {
    /// Grows with the order of first sight; never reused.
    pub id: i64,
    pub host: Text,
    pub instance: Text,
    pub queue_id: Text,
    /// Arrival: of the creating line, else the long id's own time, else attempt minus delay.
    pub time: Time,
    /// Last line about it.
    pub updated: Time,
    /// When it left the queue (or was given up); none while open.
    pub removed: Option<Time>,
    /// Service with label that took it: `submission/smtpd`, `pickup`.
    pub service: Option<Text>,
    pub client_name: Option<Text>,
    pub client_address: Option<Text>,
    pub client_port: Option<u16>,
    pub helo_name: Option<Text>,
    pub protocol_name: Option<Text>,
    pub sasl_method: Option<Text>,
    pub sasl_username: Option<Text>,
    pub sasl_sender: Option<Text>,
    pub orig_queue_id: Option<Text>,
    pub orig_client: Option<Text>,
    /// Envelope sender; empty is the null sender; none: not seen.
    pub sender: Option<Text>,
    pub message_id: Option<Text>,
    pub resent_message_id: Option<Text>,
    pub subject: Option<Text>,
    /// The From header, where header checks log it.
    pub header_from: Option<Text>,
    /// Bytes.
    pub size: Option<i64>,
    pub nrcpt: Option<i32>,
    pub uid: Option<i64>,
    /// TLS of the inbound session: `TLSv1.3 TLS_AES_256_GCM_SHA384`.
    pub tls: Option<Text>,
    /// One of [`origin`].
    pub origin: Text,
    /// The message that this one continues or is about.
    pub parent_id: Option<i64>,
    /// One of [`link`].
    pub parent_link: Option<Text>,
    /// First message of the chain of continuations (its own id when it has none).
    pub root_id: i64,
    /// One of [`message_status`].
    pub status: Text,
    /// Why it is held, rejected, discarded, ...
    pub reason: Option<Text>,
    /// Lines of it are missing: start or end outside the log, lost lines, recipients not accounted for.
    pub log_incomplete: bool,
    /// No line names the parent: message id, sender, recipient and time tell it.
    pub parent_inferred: bool,
}

impl DeliveryFrom {
    /// Tells whether the log has the line by which it was taken from a client or a user.
    #[must_use]
    pub const fn has_creation(&self) -> bool {
        self.client_address.is_some() || self.uid.is_some()
    }
}

/// The state of one recipient of one message: of its last attempt, or as a later event decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryTo {
    /// Grows; an earlier attempt has an id of its own in `delivery_attempt`.
    pub id: i64,
    pub from_id: i64,
    pub host: Text,
    pub instance: Text,
    pub queue_id: Text,
    pub recipient: Text,
    pub orig_to: Option<Text>,
    /// Last attempt (or event).
    pub time: Time,
    /// First attempt.
    pub first_time: Time,
    /// Delivery records seen; 0 when only another line named the recipient.
    pub attempts: i32,
    #[serde(flatten)]
    pub state: Attempt,
}

/// What one delivery record says; shared by `delivery_to` and `delivery_attempt`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Attempt {
    /// Program with label: `smtp`, `relay/smtp`, `lmtp`, `local`, `error`.
    pub agent: Option<Text>,
    pub relay: Option<Text>,
    pub relay_name: Option<Text>,
    pub relay_address: Option<Text>,
    pub relay_port: Option<u16>,
    pub conn_use: Option<i32>,
    /// Seconds.
    pub delay: Option<f64>,
    pub delay_before_qmgr: Option<f64>,
    pub delay_in_qmgr: Option<f64>,
    pub delay_conn_setup: Option<f64>,
    pub delay_transmission: Option<f64>,
    pub tls: Option<Text>,
    pub dsn: Option<Text>,
    /// One of [`recipient_status`].
    pub status: Text,
    pub reply_code: Option<u16>,
    pub reason: Option<Text>,
    pub remote_queue_id: Option<Text>,
    /// Why it was not delivered: a name of `cause::all`; none where it was.
    pub cause: Option<Text>,
    /// The block list that the reply names.
    pub dnsbl: Option<Text>,
}

/// An attempt that was not the last one of its recipient.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    pub id: i64,
    pub to_id: i64,
    pub from_id: i64,
    pub time: Time,
    #[serde(flatten)]
    pub state: Attempt,
}

/// A refusal: smtpd, postscreen, cleanup, before-queue filter. Inserted once, never changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Noqueue {
    pub id: i64,
    pub time: Time,
    pub host: Text,
    pub instance: Text,
    pub service: Text,
    pub pid: Option<u32>,
    /// `reject`, `milter-reject`, `proxy-reject`, or the words of a refusal without a reject line.
    pub action: Text,
    pub protocol_state: Text,
    pub client_name: Option<Text>,
    pub client_address: Option<Text>,
    pub client_port: Option<u16>,
    pub helo_name: Option<Text>,
    pub protocol_name: Option<Text>,
    pub sender: Option<Text>,
    pub recipient: Option<Text>,
    pub sasl_method: Option<Text>,
    pub sasl_username: Option<Text>,
    pub reply_code: Option<u16>,
    pub dsn: Option<Text>,
    /// Class of the rule: `relay`, `unknown_user`, `dnsbl`, `helo`, ...
    pub rule: Option<Text>,
    pub dnsbl: Option<Text>,
    pub reason: Text,
    /// Set when an earlier recipient of the transaction was accepted.
    pub queue_id: Option<Text>,
    pub from_id: Option<i64>,
    /// Refusals that the row stands for: more than one where the log says that a line was repeated.
    pub count: i32,
    /// A name of `cause::all`.
    pub cause: Option<Text>,
}

/// A session of smtpd (or postscreen).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Connection {
    pub id: i64,
    /// Start.
    pub time: Time,
    /// Seconds; none when start or end is not in the log.
    pub duration: Option<f64>,
    pub host: Text,
    pub instance: Text,
    pub service: Text,
    pub pid: Option<u32>,
    pub client_name: Option<Text>,
    pub client_address: Option<Text>,
    pub client_port: Option<u16>,
    /// `ehlo=1 mail=1 ...`, as logged.
    pub commands: Option<Text>,
    pub tls: Option<Text>,
    /// `closed`, `lost connection after RCPT`, `timeout after DATA`, ..., `unknown`.
    pub outcome: Text,
    /// Connections that the row stands for.
    pub count: i32,
}

/// A SASL login, failed or (from `client=` lines) successful.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Auth {
    pub id: i64,
    pub time: Time,
    pub host: Text,
    pub instance: Text,
    pub service: Text,
    pub client_name: Option<Text>,
    pub client_address: Option<Text>,
    pub sasl_method: Option<Text>,
    pub sasl_username: Option<Text>,
    pub ok: bool,
    pub reason: Option<Text>,
    pub count: i32,
}

/// Warnings and notices by template and UTC day; `count` adds to what is stored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EventRow {
    /// Start of the UTC day.
    pub day: Time,
    pub host: Text,
    pub instance: Text,
    pub service: Text,
    /// `info warning error fatal panic master loss policy`.
    pub level: Text,
    /// The text with its variable parts masked.
    pub template: Text,
    pub sample: Text,
    pub first_time: Time,
    pub last_time: Time,
    pub count: i64,
}

/// A raw line of a message or refusal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LogLine {
    pub time: Time,
    pub host: Text,
    pub from_id: Option<i64>,
    pub noqueue_id: Option<i64>,
    pub line: String,
    /// The statement of another daemon that the line is.
    pub neighbour_id: Option<i64>,
}

/// What another mail daemon did with a message or said of it: a mail store, a filter. Inserted once, never changed; to which mail it
/// belongs is found when that is asked for (`schema/0008_neighbour.sql`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NeighbourRow {
    pub id: i64,
    pub time: Time,
    pub host: Text,
    /// `dovecot`, `cyrus`, `rspamd`, `amavis`, `spamd`; `postsuper` of what an administrator did to a queued message.
    pub program: Text,
    /// Our queue id, where it names one.
    pub queue_id: Option<Text>,
    /// With its brackets.
    pub message_id: Option<Text>,
    /// The store's name of the delivery.
    pub session: Option<Text>,
    /// User or address as the store has it.
    pub recipient: Option<Text>,
    /// A word of `StoreAction`, the filter's verdict, or the words of postsuper.
    pub action: Text,
    /// Mailbox, address, score or why.
    pub detail: Option<Text>,
}

/// What one commit does to the tables of mail. Nothing in it names a row twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    pub from_inserts: Vec<DeliveryFrom>,
    pub from_updates: Vec<DeliveryFrom>,
    /// Messages that turned out to be none (address probes), with their recipients and attempts.
    pub from_deletes: Vec<i64>,
    pub to_inserts: Vec<DeliveryTo>,
    pub to_updates: Vec<DeliveryTo>,
    /// Rows of recipients that were merged into another (a hint that became a record).
    pub to_deletes: Vec<i64>,
    pub attempts: Vec<DeliveryAttempt>,
    pub noqueues: Vec<Noqueue>,
    /// Refusals of which a second line was read.
    pub noqueue_updates: Vec<Noqueue>,
    pub connections: Vec<Connection>,
    pub auths: Vec<Auth>,
    pub events: Vec<EventRow>,
    pub log_lines: Vec<LogLine>,
    pub neighbours: Vec<NeighbourRow>,
    /// Replaces the stored state; empty: it stays.
    pub state: State,
}

impl Changes {
    /// Returns an empty one with room for as many rows as this one has of what is made line by line: the next part of a log is
    /// like the one before, and rows are large enough that growing shows.
    #[must_use]
    pub fn like(&self) -> Self {
        Self {
            attempts: Vec::with_capacity(self.attempts.len()),
            noqueues: Vec::with_capacity(self.noqueues.len()),
            connections: Vec::with_capacity(self.connections.len()),
            auths: Vec::with_capacity(self.auths.len()),
            log_lines: Vec::with_capacity(self.log_lines.len()),
            neighbours: Vec::with_capacity(self.neighbours.len()),
            ..Self::default()
        }
    }
}

/// What was read of one source, host and UTC hour; counts add to what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// Key of a cursor of the same batch, or of one stored before.
    pub source: SourceKey,
    pub host: Text,
    pub hour: Time,
    pub first_time: Time,
    pub last_time: Time,
    pub lines: i64,
    pub understood: i64,
    pub ignored: i64,
    pub foreign: i64,
    pub not_understood: i64,
    /// Lines that a loss notice says are missing.
    pub lost: i64,
    /// Lines that another source had told: they are not among `lines`.
    pub known: i64,
}

/// Postfix lines that no rule knows, by service and template; `count` adds to what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnparsedRow {
    pub service: Text,
    pub template: Text,
    pub sample: Text,
    pub first_time: Option<Time>,
    pub last_time: Option<Time>,
    pub count: i64,
}

/// Lines of a source that tell no time; `lines` adds to what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndatedRow {
    pub source: SourceKey,
    pub lines: i64,
    /// Template of the first of them.
    pub sample: Text,
}

/// The correlator's memory that no row holds (sessions, clocks, next id), in parts by name: JSON objects.
///
/// Parts change apart, so that a commit stores little of it.
pub type State = BTreeMap<Text, String>;

/// What the correlator needs to go on after a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenState {
    /// [`Changes::state`] of the last commit; empty for a new database.
    pub state: State,
    /// Messages with `removed` unset, and the closed ones that the state names.
    pub messages: Vec<DeliveryFrom>,
    /// All recipients of these messages.
    pub recipients: Vec<DeliveryTo>,
}

/// Words of `delivery_from.origin`.
pub mod origin {
    /// smtpd `client=` (qmqpd too).
    pub const SMTPD: &str = "smtpd";
    /// pickup `uid=`.
    pub const PICKUP: &str = "pickup";
    /// Resubmission by local (`forwarded as`).
    pub const FORWARD: &str = "forward";
    /// Back from a content filter.
    pub const FILTER: &str = "filter";
    /// From another instance or host of ours.
    pub const RELAY: &str = "relay";
    /// A notice of the bounce service.
    pub const BOUNCE: &str = "bounce";
    /// `postsuper -r`.
    pub const REQUEUE: &str = "requeue";
    /// Made inside Postfix, no link seen.
    pub const INTERNAL: &str = "internal";
    /// Its beginning is not in the log.
    pub const UNKNOWN: &str = "unknown";
}

/// Words of `delivery_from.parent_link`.
pub mod link {
    /// Through a content filter.
    pub const FILTER: &str = "filter";
    /// To another instance or host whose log we have.
    pub const RELAY: &str = "relay";
    /// `forwarded as`.
    pub const FORWARD: &str = "forward";
    /// `postsuper -r`.
    pub const REQUEUE: &str = "requeue";
    /// Non-delivery notice about the parent.
    pub const BOUNCE: &str = "bounce";
    /// Delay notice about the parent.
    pub const DELAY: &str = "delay";
    /// Delivery status notice about the parent.
    pub const STATUS: &str = "status";
}

/// Words of `delivery_from.status`.
pub mod message_status {
    /// A queue file exists; content not complete.
    pub const RECEIVING: &str = "receiving";
    /// In the queue.
    pub const QUEUED: &str = "queued";
    /// In the hold queue.
    pub const HELD: &str = "held";
    /// All recipients done.
    pub const DONE: &str = "done";
    /// Returned after its lifetime.
    pub const EXPIRED: &str = "expired";
    /// By postsuper.
    pub const DELETED: &str = "deleted";
    /// Never received (client gone, error).
    pub const CANCELED: &str = "canceled";
    /// Whole message refused.
    pub const REJECTED: &str = "rejected";
    /// DISCARD action.
    pub const DISCARDED: &str = "discarded";
    /// Moved to the corrupt queue.
    pub const CORRUPT: &str = "corrupt";
    /// Goes on under another id.
    pub const REQUEUED: &str = "requeued";
    /// No line for longer than a message may stay.
    pub const LOST: &str = "lost";
    /// Only fragments seen.
    pub const UNKNOWN: &str = "unknown";
}

/// Words of `delivery_to.status` beyond Postfix's own `sent bounced deferred SOFTBOUNCE`.
pub mod recipient_status {
    /// As logged.
    pub const SENT: &str = "sent";
    /// As logged.
    pub const BOUNCED: &str = "bounced";
    /// As logged.
    pub const DEFERRED: &str = "deferred";
    /// As logged (`soft_bounce = yes`).
    pub const SOFTBOUNCE: &str = "SOFTBOUNCE";
    /// The message expired while it was deferred.
    pub const EXPIRED: &str = "expired";
    /// An administrator deleted the message before.
    pub const DELETED: &str = "deleted";
    /// Dropped on purpose.
    pub const DISCARDED: &str = "discarded";
    /// Handed to a content filter (its child carries the fate).
    pub const FILTERED: &str = "filtered";
    /// Handed to another instance or host of ours (its child carries the fate).
    pub const RELAYED: &str = "relayed";
    /// Resubmitted by local (its child carries the fate).
    pub const FORWARDED: &str = "forwarded";
    /// Goes on under another id.
    pub const REQUEUED: &str = "requeued";
    /// Named by a hold line, not tried yet.
    pub const HELD: &str = "held";
    /// Whole message refused after the recipient was accepted.
    pub const REJECTED: &str = "rejected";
    /// Client gone before the message was complete.
    pub const CANCELED: &str = "canceled";
    /// The log says no more: lines are missing.
    pub const UNKNOWN: &str = "unknown";

    /// All of them, the frequent ones first.
    pub const ALL: [&str; 15] = [
        SENT, BOUNCED, DEFERRED, SOFTBOUNCE, EXPIRED, DELETED, DISCARDED, FILTERED, RELAYED,
        FORWARDED, REQUEUED, HELD, REJECTED, CANCELED, UNKNOWN,
    ];

    /// Those of a recipient that another message carries on.
    pub const HOPS: [&str; 4] = [FILTERED, RELAYED, FORWARDED, REQUEUED];
}
