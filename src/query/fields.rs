//! Fields: the one table of what can be asked for, and the field that a name means.
//!
//! Check, help, completion and manual follow from it. A hit is one of three things (see `sql.rs`), and a field
//! names its columns in each; where it names none, the field is never true there and its negation always.

use super::error::{Error, Kind, Span};
use super::field::{Columns, Field, FieldKind, NO, plain};
use super::foreign_words;
use super::nearest::nearest;

/// The field of the time window.
pub const DATE: Field = Field {
    name: "date",
    aliases: &[],
    kind: FieldKind::Date,
    recipient: NO,
    message: NO,
    refusal: NO,
    help: "whole days, months, hours: yesterday, 2026-11, 2026-11-18..2026-11-20",
};

/// All fields, in the order of help.
pub static FIELDS: [Field; 39] = [
    Field {
        name: "to",
        aliases: &["rcpt", "recipient"],
        kind: FieldKind::Address,
        recipient: plain(&["t.recipient", "t.orig_to", "t.recipient_within"]),
        message: NO,
        refusal: plain(&["n.recipient", "n.recipient_within"]),
        help: "recipient, after or before rewriting",
    },
    Field {
        name: "orig_to",
        aliases: &[],
        kind: FieldKind::Address,
        recipient: plain(&["t.orig_to"]),
        message: NO,
        refusal: NO,
        help: "recipient before rewriting",
    },
    Field {
        name: "from",
        aliases: &["sender"],
        kind: FieldKind::Address,
        recipient: plain(&["f.sender", "f.orig_sender"]),
        message: plain(&["f.sender", "f.orig_sender"]),
        refusal: plain(&["n.sender", "n.orig_sender"]),
        help: "envelope sender, also within SRS, BATV, VERP; <> is the null sender",
    },
    Field {
        name: "addr",
        aliases: &["address"],
        kind: FieldKind::Address,
        recipient: plain(&[
            "t.recipient",
            "t.orig_to",
            "f.sender",
            "t.recipient_within",
            "f.orig_sender",
        ]),
        message: plain(&["f.sender", "f.orig_sender"]),
        refusal: plain(&[
            "n.recipient",
            "n.sender",
            "n.recipient_within",
            "n.orig_sender",
        ]),
        help: "sender or recipient",
    },
    Field {
        name: "user",
        aliases: &["sasl_username"],
        kind: FieldKind::User,
        recipient: plain(&["f.sasl_username", "r.sasl_username"]),
        message: plain(&["f.sasl_username", "r.sasl_username"]),
        refusal: plain(&["n.sasl_username"]),
        help: "login name of the client",
    },
    Field {
        name: "qid",
        aliases: &["queue_id", "id"],
        kind: FieldKind::QueueId,
        recipient: plain(&["t.queue_id"]),
        message: plain(&["f.queue_id"]),
        refusal: plain(&["n.queue_id"]),
        help: "queue id",
    },
    Field {
        name: "chain",
        aliases: &[],
        kind: FieldKind::Chain,
        recipient: plain(&["f.root_id"]),
        message: plain(&["f.root_id"]),
        refusal: NO,
        help: "queue id of any message of the same chain",
    },
    Field {
        name: "msgid",
        aliases: &["message_id", "messageid", "rfc822msgid"],
        kind: FieldKind::MessageId,
        recipient: plain(&["f.message_id", "f.resent_message_id"]),
        message: plain(&["f.message_id", "f.resent_message_id"]),
        refusal: NO,
        help: "Message-ID, with or without <>",
    },
    Field {
        name: "status",
        aliases: &["is"],
        kind: FieldKind::Status,
        recipient: plain(&["t.status"]),
        message: plain(&["f.status"]),
        refusal: plain(&["n.action"]),
        help: "outcome: sent bounced deferred expired refused held ...",
    },
    Field {
        name: "ever",
        aliases: &[],
        kind: FieldKind::Ever,
        recipient: plain(&["t.status"]),
        message: NO,
        refusal: NO,
        help: "outcome of any delivery attempt",
    },
    Field {
        name: "cause",
        aliases: &["why"],
        kind: FieldKind::Cause,
        recipient: plain(&["t.cause"]),
        message: NO,
        refusal: plain(&["n.cause"]),
        help: "why it failed: unknown_user, full, blocklisted, spf, timeout ...",
    },
    Field {
        name: "client",
        aliases: &[],
        kind: FieldKind::Host,
        recipient: Columns {
            plain: &["f.client_name", "r.client_name"],
            address: &["f.client_address", "r.client_address"],
        },
        message: Columns {
            plain: &["f.client_name", "r.client_name"],
            address: &["f.client_address", "r.client_address"],
        },
        refusal: Columns {
            plain: &["n.client_name"],
            address: &["n.client_address"],
        },
        help: "host that sent the mail to us: name, address, network",
    },
    Field {
        name: "helo",
        aliases: &["helo_name"],
        kind: FieldKind::Host,
        recipient: Columns {
            plain: &["f.helo_name", "r.helo_name"],
            address: &[
                "replace(trim(f.helo_name, '[]'), 'IPv6:', '')",
                "replace(trim(r.helo_name, '[]'), 'IPv6:', '')",
            ],
        },
        message: Columns {
            plain: &["f.helo_name", "r.helo_name"],
            address: &[
                "replace(trim(f.helo_name, '[]'), 'IPv6:', '')",
                "replace(trim(r.helo_name, '[]'), 'IPv6:', '')",
            ],
        },
        refusal: Columns {
            plain: &["n.helo_name"],
            address: &["replace(trim(n.helo_name, '[]'), 'IPv6:', '')"],
        },
        help: "name that the client gave in HELO",
    },
    Field {
        name: "relay",
        aliases: &[],
        kind: FieldKind::Host,
        recipient: Columns {
            plain: &["t.relay_name", "t.relay"],
            address: &["t.relay_address"],
        },
        message: NO,
        refusal: NO,
        help: "host that the mail was sent to: name, address, network",
    },
    Field {
        name: "dsn",
        aliases: &[],
        kind: FieldKind::Dsn,
        recipient: plain(&["t.dsn"]),
        message: NO,
        refusal: plain(&["n.dsn"]),
        help: "enhanced status code: 5.7.1, 5.7, 5",
    },
    Field {
        name: "code",
        aliases: &["reply_code"],
        kind: FieldKind::Code,
        recipient: plain(&["t.reply_code"]),
        message: NO,
        refusal: plain(&["n.reply_code"]),
        help: "reply code: 550, 55, 5",
    },
    Field {
        name: "text",
        aliases: &["reason"],
        kind: FieldKind::Text,
        recipient: plain(&["t.reason", "f.reason"]),
        message: plain(&["f.reason"]),
        refusal: plain(&["n.reason"]),
        help: "part of the reply or reason",
    },
    Field {
        name: "subject",
        aliases: &[],
        kind: FieldKind::Text,
        recipient: plain(&["f.subject"]),
        message: plain(&["f.subject"]),
        refusal: NO,
        help: "part of the subject, if Postfix logs it",
    },
    Field {
        name: "size",
        aliases: &[],
        kind: FieldKind::Bytes,
        recipient: plain(&["f.size"]),
        message: plain(&["f.size"]),
        refusal: NO,
        help: "bytes: >10M, 20K..1M",
    },
    Field {
        name: "nrcpt",
        aliases: &[],
        kind: FieldKind::Count,
        recipient: plain(&["f.nrcpt"]),
        message: plain(&["f.nrcpt"]),
        refusal: NO,
        help: "number of recipients of the message",
    },
    Field {
        name: "attempts",
        aliases: &[],
        kind: FieldKind::Count,
        recipient: plain(&["t.attempts"]),
        message: NO,
        refusal: NO,
        help: "number of delivery attempts",
    },
    Field {
        name: "delay",
        aliases: &[],
        kind: FieldKind::Seconds,
        recipient: plain(&["t.delay"]),
        message: NO,
        refusal: NO,
        help: "time from arrival to the last attempt: >5min",
    },
    Field {
        name: "d1",
        aliases: &["delay_before_qmgr"],
        kind: FieldKind::Seconds,
        recipient: plain(&["t.delay_before_qmgr"]),
        message: NO,
        refusal: NO,
        help: "delay before the queue manager",
    },
    Field {
        name: "d2",
        aliases: &["delay_in_qmgr"],
        kind: FieldKind::Seconds,
        recipient: plain(&["t.delay_in_qmgr"]),
        message: NO,
        refusal: NO,
        help: "delay in the queue manager",
    },
    Field {
        name: "d3",
        aliases: &["delay_conn_setup"],
        kind: FieldKind::Seconds,
        recipient: plain(&["t.delay_conn_setup"]),
        message: NO,
        refusal: NO,
        help: "delay in connecting",
    },
    Field {
        name: "d4",
        aliases: &["delay_transmission"],
        kind: FieldKind::Seconds,
        recipient: plain(&["t.delay_transmission"]),
        message: NO,
        refusal: NO,
        help: "delay in transmission",
    },
    Field {
        name: "tls",
        aliases: &[],
        kind: FieldKind::Text,
        recipient: plain(&["t.tls", "f.tls"]),
        message: plain(&["f.tls"]),
        refusal: NO,
        help: "part of the TLS of a connection, in or out: TLSv1.2, may, none",
    },
    Field {
        name: "proto",
        aliases: &["protocol_name"],
        kind: FieldKind::Word,
        recipient: plain(&["f.protocol_name"]),
        message: plain(&["f.protocol_name"]),
        refusal: plain(&["n.protocol_name"]),
        help: "protocol of the client: SMTP, ESMTP",
    },
    Field {
        name: "rule",
        aliases: &[],
        kind: FieldKind::Word,
        recipient: NO,
        message: NO,
        refusal: plain(&["n.rule"]),
        help: "class of the rule that refused it",
    },
    Field {
        name: "dnsbl",
        aliases: &[],
        kind: FieldKind::Host,
        recipient: plain(&["t.dnsbl"]),
        message: NO,
        refusal: plain(&["n.dnsbl"]),
        help: "block list that caused the refusal",
    },
    Field {
        name: "action",
        aliases: &[],
        kind: FieldKind::Word,
        recipient: NO,
        message: NO,
        refusal: plain(&["n.action"]),
        help: "what smtpd did: reject, milter-reject",
    },
    Field {
        name: "host",
        aliases: &[],
        kind: FieldKind::Word,
        recipient: plain(&["f.host"]),
        message: plain(&["f.host"]),
        refusal: plain(&["n.host"]),
        help: "host that logged it",
    },
    Field {
        name: "instance",
        aliases: &[],
        kind: FieldKind::Word,
        recipient: plain(&["f.instance"]),
        message: plain(&["f.instance"]),
        refusal: plain(&["n.instance"]),
        help: "Postfix instance (syslog_name)",
    },
    Field {
        name: "service",
        aliases: &["agent"],
        kind: FieldKind::Service,
        recipient: plain(&["f.service", "t.agent"]),
        message: plain(&["f.service"]),
        refusal: plain(&["n.service"]),
        help: "Postfix service that took, delivered or refused it",
    },
    Field {
        name: "origin",
        aliases: &[],
        kind: FieldKind::Word,
        recipient: plain(&["f.origin"]),
        message: plain(&["f.origin"]),
        refusal: NO,
        help: "how it arrived: smtpd, pickup, bounce, forward, filter",
    },
    Field {
        name: "remote_qid",
        aliases: &["remote_queue_id"],
        kind: FieldKind::QueueId,
        recipient: plain(&["t.remote_queue_id"]),
        message: NO,
        refusal: NO,
        help: "queue id that the next host gave it",
    },
    Field {
        name: "since",
        aliases: &["after", "newer", "newer_than"],
        kind: FieldKind::Since,
        recipient: NO,
        message: NO,
        refusal: NO,
        help: "at or after this time: 2026-11-20, yesterday, -2h, \"2 hours ago\"",
    },
    Field {
        name: "until",
        aliases: &["before", "older", "older_than"],
        kind: FieldKind::Until,
        recipient: NO,
        message: NO,
        refusal: NO,
        help: "before this time",
    },
    DATE,
];

/// How a name becomes a field, or an error that says which one may be meant.
pub type Lookup = fn(&str, &Span) -> Result<&'static Field, Error>;

/// Returns the header that `header.NAME` names.
#[must_use]
pub fn header(name: &str) -> Option<&str> {
    const BEFORE: &str = "header.";
    let (before, header) = name.split_at_checked(BEFORE.len())?;
    (before.eq_ignore_ascii_case(BEFORE) && !header.is_empty()).then_some(header)
}

/// Returns the field of that name or alias; case and `-` for `_` do not matter.
#[must_use]
pub fn find(name: &str) -> Option<&'static Field> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    FIELDS
        .iter()
        .find(|field| field.name == name || field.aliases.contains(&name.as_str()))
}

/// Returns the field, or the error that says which one may be meant.
pub(super) fn lookup(name: &str, span: &Span) -> Result<&'static Field, Error> {
    if let Some(field) = find(name) {
        return Ok(field);
    }
    let names = FIELDS
        .iter()
        .flat_map(|field| std::iter::once(field.name).chain(field.aliases.iter().copied()));
    let quotes = "put the text in quotes to search replies for it";
    let hint = match (foreign_words::hint(name), nearest(name, names)) {
        (Some(hint), _) => hint.to_owned(),
        (None, Some(near)) => format!("write {near}: if you mean this field, or {quotes}"),
        (None, None) => quotes.to_owned(),
    };
    Err(Error::new(Kind::UnknownField(name.to_owned()), span.clone()).hint(hint))
}
