//! Parts: messages, recipients, attempts, refusals and deeds of a mail as types. Texts are those of the log, not made harmless.

#![expect(
    missing_docs,
    reason = "fields are named as the columns, which are documented in schema/0001_init.sql"
)]

use crate::model::row::{link, recipient_status as status};
use crate::model::table::Row;
use crate::model::time::Time;

/// The host that brought a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Client<'a> {
    pub name: Option<&'a str>,
    pub address: Option<&'a str>,
}

impl<'a> Client<'a> {
    /// Reads the columns of a row.
    #[must_use]
    pub fn of(row: &Row<'a>) -> Self {
        Self {
            name: row.raw("client_name"),
            address: row.raw("client_address"),
        }
    }
}

/// The login of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Login<'a> {
    pub username: Option<&'a str>,
    pub method: Option<&'a str>,
}

impl<'a> Login<'a> {
    /// Reads the columns of a row.
    #[must_use]
    pub fn of(row: &Row<'a>) -> Self {
        Self {
            username: row.raw("sasl_username"),
            method: row.raw("sasl_method"),
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply<'a> {
    pub dsn: Option<&'a str>,
    pub code: Option<i64>,
    pub reason: Option<&'a str>,
    pub cause: Option<&'a str>,
}

impl<'a> Reply<'a> {
    /// Reads the columns of a row.
    #[must_use]
    pub fn of(row: &Row<'a>) -> Self {
        Self {
            dsn: row.raw("dsn"),
            code: row.int("reply_code"),
            reason: row.raw("reason"),
            cause: row.raw("cause"),
        }
    }

    /// Returns whether it puts off an unknown client for a while, as far as its words say.
    #[must_use]
    pub fn is_greylisting(&self) -> bool {
        let said = self.reason.unwrap_or_default().to_lowercase();
        self.cause == Some("greylisted")
            || [
                "greylist",
                "graylist",
                "grey-list",
                "gray-list",
                "grey list",
                "postgrey",
            ]
            .iter()
            .any(|word| said.contains(word))
    }

    /// Returns whether the client was asked to come again: by the code, or by what the text begins or ends with.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match (self.dsn, self.code) {
            (Some(dsn), _) => dsn.starts_with("4."),
            (None, Some(code)) => (400..500).contains(&code),
            (None, None) => {
                let said = self.reason.unwrap_or_default();
                let (code, rest) = said.split_at_checked(3).unwrap_or_default();
                let is_reply = code.starts_with('4')
                    && code.bytes().all(|byte| byte.is_ascii_digit())
                    && rest.starts_with([' ', '-']);
                is_reply
                    || code.starts_with("4.")
                    || said.ends_with("message not accepted, try again later")
            }
        }
    }
}

/// A message of the mail, or a notice about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Message<'a> {
    pub id: Option<i64>,
    pub host: Option<&'a str>,
    pub instance: Option<&'a str>,
    pub queue_id: Option<&'a str>,
    pub time: Option<Time>,
    pub updated: Option<Time>,
    pub removed: Option<Time>,
    pub service: Option<&'a str>,
    pub client: Client<'a>,
    pub helo_name: Option<&'a str>,
    pub protocol_name: Option<&'a str>,
    pub login: Login<'a>,
    pub sender: Option<&'a str>,
    pub orig_sender: Option<&'a str>,
    pub message_id: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub size: Option<i64>,
    pub nrcpt: Option<i64>,
    pub uid: Option<i64>,
    pub tls: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub parent_id: Option<i64>,
    pub parent_link: Option<&'a str>,
    pub parent_inferred: bool,
    pub status: Option<&'a str>,
    /// Its reason.
    pub reply: Reply<'a>,
    pub log_incomplete: bool,
}

impl<'a> Message<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            id: row.int("id"),
            host: row.raw("host"),
            instance: row.raw("instance"),
            queue_id: row.raw("queue_id"),
            time: row.time("time"),
            updated: row.time("updated"),
            removed: row.time("removed"),
            service: row.raw("service"),
            client: Client::of(row),
            helo_name: row.raw("helo_name"),
            protocol_name: row.raw("protocol_name"),
            login: Login::of(row),
            sender: row.raw("sender"),
            orig_sender: row.raw("orig_sender"),
            message_id: row.raw("message_id"),
            subject: row.raw("subject"),
            size: row.int("size"),
            nrcpt: row.int("nrcpt"),
            uid: row.int("uid"),
            tls: row.raw("tls"),
            origin: row.raw("origin"),
            parent_id: row.int("parent_id"),
            parent_link: row.raw("parent_link"),
            parent_inferred: row.is_true("parent_inferred"),
            status: row.raw("status"),
            reply: Reply::of(row),
            log_incomplete: row.is_true("log_incomplete"),
        }
    }

    /// Returns whether it is a notice about another message.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        matches!(
            self.parent_link,
            Some(link::BOUNCE | link::DELAY | link::STATUS)
        )
    }
}

/// One attempt to deliver, or what a later event made of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Try<'a> {
    pub time: Option<Time>,
    pub status: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub relay: Option<&'a str>,
    pub reply: Reply<'a>,
    pub delay: Option<f64>,
    /// Its parts: before the queue manager, in it, connecting, transmission.
    pub delays: [Option<f64>; 4],
    pub tls: Option<&'a str>,
    pub remote_queue_id: Option<&'a str>,
}

impl<'a> Try<'a> {
    fn of(row: &Row<'a>) -> Self {
        Self {
            time: row.time("time"),
            status: row.raw("status"),
            agent: row.raw("agent"),
            relay: row.raw("relay"),
            reply: Reply::of(row),
            delay: row.float("delay"),
            delays: [
                "delay_before_qmgr",
                "delay_in_qmgr",
                "delay_conn_setup",
                "delay_transmission",
            ]
            .map(|part| row.float(part)),
            tls: row.raw("tls"),
            remote_queue_id: row.raw("remote_queue_id"),
        }
    }

    /// Returns where it was handed to or tried; none where there was no such place.
    #[must_use]
    pub fn place(&self) -> Option<&'a str> {
        self.relay
            .filter(|relay| !relay.is_empty() && *relay != "none")
    }
}

/// A recipient of a message in the state of its last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Recipient<'a> {
    pub id: Option<i64>,
    pub from_id: Option<i64>,
    pub recipient: Option<&'a str>,
    pub orig_to: Option<&'a str>,
    pub first_time: Option<Time>,
    pub attempts: Option<i64>,
    pub last: Try<'a>,
}

impl<'a> Recipient<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            id: row.int("id"),
            from_id: row.int("from_id"),
            recipient: row.raw("recipient"),
            orig_to: row.raw("orig_to"),
            first_time: row.time("first_time"),
            attempts: row.int("attempts"),
            last: Try::of(row),
        }
    }

    /// Returns its names: after and before rewriting.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        [self.recipient, self.orig_to].into_iter().flatten()
    }

    /// Returns whether the row handed the mail on inside our own systems.
    pub(super) fn is_handed_on(&self) -> bool {
        matches!(
            self.last.status,
            Some(status::FILTERED | status::RELAYED | status::FORWARDED | status::REQUEUED)
        )
    }

    /// Returns whether the message was refused after the recipient was accepted.
    pub(super) fn is_turned(&self) -> bool {
        self.last.status == Some(status::REJECTED)
    }
}

/// A recipient's address, with the one that the sender used or that was asked for, where it is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addressed<'a> {
    pub recipient: Option<&'a str>,
    pub other: Option<&'a str>,
}

/// An attempt that was not the last one of its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Attempt<'a> {
    pub(super) to_id: Option<i64>,
    pub(super) from_id: Option<i64>,
    pub(super) tried: Try<'a>,
}

impl<'a> Attempt<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            to_id: row.int("to_id"),
            from_id: row.int("from_id"),
            tried: Try::of(row),
        }
    }
}

/// A refusal: of a recipient, or of a whole message at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusal<'a> {
    pub id: Option<i64>,
    pub time: Option<Time>,
    pub host: Option<&'a str>,
    pub queue_id: Option<&'a str>,
    pub sender: Option<&'a str>,
    pub recipient: Option<&'a str>,
    pub client: Client<'a>,
    pub helo_name: Option<&'a str>,
    pub sasl_username: Option<&'a str>,
    pub protocol_state: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub reply: Reply<'a>,
    pub count: Option<i64>,
}

impl<'a> Refusal<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            id: row.int("id"),
            time: row.time("time"),
            host: row.raw("host"),
            queue_id: row.raw("queue_id"),
            sender: row.raw("sender"),
            recipient: row.raw("recipient"),
            client: Client::of(row),
            helo_name: row.raw("helo_name"),
            sasl_username: row.raw("sasl_username"),
            protocol_state: row.raw("protocol_state"),
            rule: row.raw("rule"),
            reply: Reply::of(row),
            count: row.int("count"),
        }
    }
}

/// A mail that came through later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Later<'a> {
    pub queue_id: Option<&'a str>,
    pub time: Option<Time>,
}

impl<'a> Later<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            queue_id: row.raw("queue_id"),
            time: row.time("time"),
        }
    }
}

/// What somebody did to queued messages with `maillog queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Action<'a> {
    /// When it was done.
    pub(super) time: Option<Time>,
    pub(super) who: Option<&'a str>,
    /// `hold`, `release`, `requeue`, `delete`, `expire`.
    pub(super) verb: Option<&'a str>,
    pub(super) queue_id: Option<&'a str>,
}

impl<'a> Action<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            time: row.time("time"),
            who: row.raw("who"),
            verb: row.raw("action"),
            queue_id: row.raw("queue_id"),
        }
    }
}

/// What a mail store or a filter did, or postsuper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deed<'a> {
    pub to_id: Option<i64>,
    pub from_id: Option<i64>,
    pub time: Option<Time>,
    pub program: Option<&'a str>,
    /// A word of `StoreAction`, the filter's verdict, or the words of postsuper.
    pub action: Option<&'a str>,
    pub detail: Option<&'a str>,
}

impl<'a> Deed<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            to_id: row.int("to_id"),
            from_id: row.int("from_id"),
            time: row.time("time"),
            program: row.raw("program"),
            action: row.raw("action"),
            detail: row.raw("detail"),
        }
    }

    /// Returns whether postsuper did it.
    pub(super) fn is_of_postsuper(&self) -> bool {
        self.program == Some("postsuper")
    }
}
