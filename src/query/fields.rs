//! Fields: the one table of what can be asked for.
//!
//! Check, help, completion and manual follow from it. A hit is one of three things (see `sql.rs`), and a field
//! names its columns in each; where it names none, the field is never true there and its negation always.

use super::error::{Error, Kind, Span};
use super::foreign_words;
use super::nearest::nearest;
use crate::model::row::{message_status, recipient_status};

/// What a field's values are, and so how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Mail address, domain, part of an address.
    Address,
    /// Login name: whole, or the part before the @.
    User,
    /// Host name, address or network.
    Host,
    /// Queue id.
    QueueId,
    /// Queue id of any message of the same chain.
    Chain,
    /// Message-ID with or without its brackets.
    MessageId,
    /// A status word of the last attempt, of the message or of a refusal.
    Status,
    /// A status word of any attempt.
    Ever,
    /// A cause by its name, a word of it or another name.
    Cause,
    /// Free text: a part of it.
    Text,
    /// A whole word.
    Word,
    /// Postfix service: with or without its label.
    Service,
    /// Whole number.
    Count,
    /// Number of bytes: `10M`.
    Bytes,
    /// Length of time: `5min`.
    Seconds,
    /// Enhanced status code, or its beginning.
    Dsn,
    /// Reply code, or its first digits.
    Code,
    /// Nothing before.
    Since,
    /// Nothing from then on.
    Until,
    /// Whole units of time.
    Date,
}

impl FieldKind {
    /// Returns whether values have an order, so that `<`, `>` and `..` mean something.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::Count | Self::Bytes | Self::Seconds | Self::Code | Self::Date
        )
    }

    /// Returns whether a value may hold blanks, so that one shell argument with blanks is one value.
    #[must_use]
    pub const fn takes_blanks(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Since | Self::Until | Self::Date | Self::Seconds
        )
    }

    /// Returns what a value looks like, for messages.
    #[must_use]
    pub const fn wants(self) -> &'static str {
        match self {
            Self::Address => "an address, a domain or a part of an address",
            Self::User => "a login name",
            Self::Host => "a host name, an address or a network such as 192.0.2.0/24",
            Self::QueueId | Self::Chain => "a queue id",
            Self::MessageId => "a message id",
            Self::Status | Self::Ever => "a status word",
            Self::Cause => "a cause such as mailbox_full, or a word of it",
            Self::Text => "text",
            Self::Word => "a word",
            Self::Service => "a service such as smtpd or submission/smtpd",
            Self::Count => "a whole number",
            Self::Bytes => "a size such as 500, 20K or 10M",
            Self::Seconds => "a length of time such as 30s, 5min or 2h",
            Self::Dsn => "a code such as 5.7.1, 5.7 or 5",
            Self::Code => "a code such as 550, 55 or 5",
            Self::Since | Self::Until | Self::Date => "a time",
        }
    }
}

/// The columns of a field in one kind of hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Compared as the field's kind says; any of them may match.
    pub plain: &'static [&'static str],
    /// IP addresses (of kind Host).
    pub address: &'static [&'static str],
}

/// A field of the query language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names: the column's, the label in the log.
    pub aliases: &'static [&'static str],
    /// What its values are.
    pub kind: FieldKind,
    /// Columns of a recipient `t`, its message `f` and the first message `r` of the chain.
    pub recipient: Columns,
    /// Columns of a message `f` without any recipient, and the first message `r` of the chain.
    pub message: Columns,
    /// Columns of a refusal `n`.
    pub refusal: Columns,
    /// One line for people.
    pub help: &'static str,
}

const fn plain(plain: &'static [&'static str]) -> Columns {
    Columns {
        plain,
        address: &[],
    }
}

const NO: Columns = plain(&[]);

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

/// Words of a recipient's status.
pub const RECIPIENT_STATUS: [&str; 15] = recipient_status::ALL;

/// Words of a message's status that no recipient has.
pub const MESSAGE_STATUS: [&str; 5] = [
    message_status::RECEIVING,
    message_status::QUEUED,
    message_status::DONE,
    message_status::CORRUPT,
    message_status::LOST,
];

/// Words of a refusal's status; `refused` stands for all of them, `not_accepted` for those that ask the client to come again.
pub const REFUSAL_STATUS: [&str; 5] = [
    "refused",
    "not_accepted",
    "reject",
    "milter-reject",
    "proxy-reject",
];

/// States of a recipient that another message carries on.
pub const HOPS: [&str; 4] = recipient_status::HOPS;

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
