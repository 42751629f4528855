//! Values: what a field's value may be, for completion; the words stand where they are defined.

use super::field::{Field, FieldKind};
use super::status_words::{MESSAGE_STATUS, RECIPIENT_STATUS, REFUSAL_STATUS};
use crate::cause;
use crate::model::row::origin;
use crate::parse;

/// What may be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// These words, each with its meaning where it has one.
    Words(Vec<(&'static str, &'static str)>),
    /// What the logs brought, by the column of `delivery_from`.
    Logged(&'static str),
    /// Anything.
    Any,
}

/// Times that are typed often.
pub const TIMES: [(&str, &str); 8] = [
    ("now", ""),
    ("today", ""),
    ("yesterday", ""),
    ("-1h", "an hour ago"),
    ("-1d", "a day ago"),
    ("-7d", ""),
    ("-30d", ""),
    ("-1y", "a year ago"),
];

/// Returns what a value of the field may be.
#[must_use]
pub fn values(field: &Field) -> Values {
    let plain = |words: &[&'static str]| words.iter().map(|word| (*word, "")).collect();
    let words = match (field.kind, field.name) {
        (FieldKind::Status, _) => {
            let lists: [&[&'static str]; 3] = [&RECIPIENT_STATUS, &MESSAGE_STATUS, &REFUSAL_STATUS];
            plain(&lists.concat())
        }
        (FieldKind::Ever, _) => plain(&RECIPIENT_STATUS),
        (FieldKind::Cause, _) => {
            let causes = cause::all().iter();
            causes
                .map(|c| (c.name.as_str(), c.means.as_str()))
                .collect()
        }
        (FieldKind::Date, _) => plain(&["today", "yesterday"]),
        (FieldKind::Since | FieldKind::Until, _) => TIMES.to_vec(),
        (_, "rule") => plain(&parse::rule_classes()),
        (_, "proto") => plain(&["ESMTP", "SMTP", "QMQP"]),
        (_, "action") => plain(&["reject", "milter-reject", "proxy-reject", "discard"]),
        (_, "origin") => plain(&[
            origin::SMTPD,
            origin::PICKUP,
            origin::FORWARD,
            origin::FILTER,
            origin::RELAY,
            origin::BOUNCE,
            origin::REQUEUE,
            origin::INTERNAL,
            origin::UNKNOWN,
        ]),
        (_, "host") => return Values::Logged("host"),
        (_, "instance") => return Values::Logged("instance"),
        (_, "service") => return Values::Logged("service"),
        _ => return Values::Any,
    };
    Values::Words(words)
}
