//! Fields: what can be asked of a mail in the queue, in the language of `maillog find`.

use crate::query::error::{Error, Span};
use crate::query::field::{Columns, Field, FieldKind};
use crate::query::fields;
use crate::query::term;

const NO: Columns = Columns {
    plain: &[],
    address: &[],
};

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: FieldKind,
    help: &'static str,
) -> Field {
    Field {
        name,
        aliases,
        kind,
        recipient: NO,
        message: NO,
        refusal: NO,
        help,
    }
}

/// All fields but those of headers, in the order of help.
pub static FIELDS: [Field; 17] = [
    field(
        "to",
        &["rcpt", "recipient"],
        FieldKind::Address,
        "recipient that still waits",
    ),
    field(
        "from",
        &["sender"],
        FieldKind::Address,
        "envelope sender; <> is the null sender",
    ),
    field(
        "addr",
        &["address"],
        FieldKind::Address,
        "sender or recipient",
    ),
    field(
        "status",
        &["is"],
        FieldKind::Status,
        "queue: active deferred hold incoming maildrop corrupt; queued is any",
    ),
    field(
        "reason",
        &["text", "error"],
        FieldKind::Text,
        "part of the last error of a recipient",
    ),
    field(
        "cause",
        &["why"],
        FieldKind::Cause,
        "why it was put off: full, greylisted, timeout ...",
    ),
    field("size", &[], FieldKind::Bytes, "bytes: >10M, 20K..1M"),
    field(
        "nrcpt",
        &[],
        FieldKind::Count,
        "number of recipients that still wait",
    ),
    field(
        "age",
        &[],
        FieldKind::Seconds,
        "time since the arrival: >2h",
    ),
    field(
        "attempts",
        &[],
        FieldKind::Count,
        "number of delivery attempts, from the log",
    ),
    field("qid", &["queue_id", "id"], FieldKind::QueueId, "queue id"),
    field(
        "client",
        &[],
        FieldKind::Host,
        "who handed it in: name, address, network",
    ),
    field(
        "user",
        &["sasl_username"],
        FieldKind::User,
        "log-in name of the client",
    ),
    field("subject", &[], FieldKind::Text, "part of the subject"),
    field(
        "since",
        &["after", "newer", "newer_than"],
        FieldKind::Since,
        "arrived not before",
    ),
    field(
        "until",
        &["before", "older", "older_than"],
        FieldKind::Until,
        "arrived before",
    ),
    field(
        "date",
        &[],
        FieldKind::Date,
        "arrived in whole days, months, hours: yesterday, 2026-11",
    ),
];

/// The field of all headers.
pub static HEADER: Field = field(
    "header",
    &[],
    FieldKind::Text,
    "part of the header NAME, as header.NAME:",
);

/// Words of a status beside the names of the queues.
pub const WORDS: [&str; 3] = ["held", "queued", "forced_expire"];

/// Returns the field of that name or alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Field> {
    if fields::header(name).is_some() {
        return Some(&HEADER);
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    FIELDS
        .iter()
        .find(|field| field.name == name || field.aliases.contains(&name.as_str()))
}

/// Returns the field, or the error that says which one may be meant.
///
/// # Errors
/// When the queue has no such field.
pub fn lookup(name: &str, span: &Span) -> Result<&'static Field, Error> {
    let names = FIELDS.iter().map(|field| field.name);
    find(name).ok_or_else(|| term::unknown(name, span, names.chain(["header.NAME"])))
}
