//! Sql: the parts of a hit, their tables and columns.
//!
//! A hit is one of three things: a recipient `t` with its message `f`, a message `f` without any recipient, a refusal `n`.
//! `condition.rs` makes conditions on their columns, `writer.rs` text of these, `found.rs` statements; parts that cannot hold are left out.
//!
//! One mail may stand in several messages: it went through a content filter, another instance of ours, an alias, a requeue. It is one
//! hit, told by the row with its fate (see `hops.rs`). Who the client was is asked of the chain's first message too, for behind a
//! filter the client is the filter.

use super::field::{Columns, Field};
use super::hops;
use super::turned::{self, FOR_NOW};
use crate::model::hits;

/// The three things that a hit can be, and the two sides of a mail that was handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Recipient,
    Message,
    Refusal,
    /// A recipient whose row handed the mail on, as far as it alone decides.
    Hop,
    /// A recipient `t` that carries on what the recipient `h` handed on.
    Carried,
}

impl Part {
    pub(super) const HITS: [Self; 3] = [Self::Recipient, Self::Message, Self::Refusal];

    pub(super) fn columns(self, field: &Field) -> Columns {
        match self {
            Self::Recipient | Self::Hop | Self::Carried => field.recipient,
            Self::Message => field.message,
            Self::Refusal => field.refusal,
        }
    }

    /// Columns of the last and of the first moment that something happened.
    pub(super) const fn times(self) -> (&'static str, &'static str) {
        match self {
            Self::Recipient | Self::Hop => ("t.time", "t.first_time"),
            Self::Carried => ("h.time", "h.first_time"),
            Self::Message => ("f.updated", "f.time"),
            Self::Refusal => ("n.time", "n.time"),
        }
    }

    /// What is known of a row that matches until the row itself is fetched: see `found.rs`.
    pub(super) fn found(self) -> String {
        match self {
            Self::Recipient => format!(
                "t.time AS time, {} AS part, t.id AS id, t.from_id AS from_id, t.status IN ({}) AS is_hop",
                self.number(),
                hops::words()
            ),
            Self::Message => format!(
                "f.updated AS time, {} AS part, f.id AS id, f.id AS from_id, false AS is_hop",
                self.number()
            ),
            Self::Refusal => format!(
                "n.time AS time, {} AS part, n.id AS id, {} AS from_id, false AS is_hop",
                self.number(),
                turned::MESSAGE
            ),
            Self::Hop => "t.id AS id".to_owned(),
            Self::Carried => format!(
                "t.time AS time, {} AS part, t.id AS id, t.from_id AS from_id, min(h.id) AS hop_id",
                self.number()
            ),
        }
    }

    /// The time of the hit, by which hits are in order.
    pub(super) const fn time(self) -> Option<&'static str> {
        match self {
            Self::Recipient | Self::Carried => Some("t.time"),
            Self::Message => Some("f.updated"),
            Self::Refusal => Some("n.time"),
            Self::Hop => None,
        }
    }

    /// What `part` says of a row that matches.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Recipient | Self::Hop => 0,
            Self::Message => 1,
            Self::Refusal => 2,
            Self::Carried => 3,
        }
    }

    /// The table in which the row is looked for, joined with its message where that is asked about.
    pub(super) const fn table(self, joins_message: bool) -> &'static str {
        match self {
            Self::Recipient | Self::Hop if joins_message => {
                "delivery_to t JOIN delivery_from f ON f.id = t.from_id"
            }
            Self::Recipient | Self::Hop => "delivery_to t",
            Self::Carried if joins_message => {
                "last l JOIN delivery_to h ON h.id = l.start JOIN delivery_to t ON t.id = l.id JOIN delivery_from f ON f.id = t.from_id"
            }
            Self::Carried => {
                "last l JOIN delivery_to h ON h.id = l.start JOIN delivery_to t ON t.id = l.id"
            }
            Self::Message => "delivery_from f",
            Self::Refusal => "noqueue n",
        }
    }

    /// The tables that have the whole row of what was found, `u`.
    pub(super) const fn fetched(self) -> &'static str {
        match self {
            Self::Recipient | Self::Hop => {
                "JOIN delivery_to t ON t.id = u.id JOIN delivery_from f ON f.id = u.from_id"
            }
            Self::Carried => {
                "JOIN delivery_to t ON t.id = u.id JOIN delivery_from f ON f.id = u.from_id JOIN delivery_to h ON h.id = u.hop_id"
            }
            Self::Message => "JOIN delivery_from f ON f.id = u.id",
            Self::Refusal => "JOIN noqueue n ON n.id = u.id",
        }
    }

    /// All columns of the result.
    pub(super) fn select(self) -> String {
        let index = match self {
            Self::Recipient | Self::Hop | Self::Carried => 0,
            Self::Message => 1,
            Self::Refusal => 2,
        };
        let column = |column: &hits::Column| {
            let name = column.name;
            let Some(shown) = column.of.get(index).copied().flatten() else {
                return format!("NULL::{} AS {name}", column.sql_type);
            };
            // Who was asked for is not who got it; what was refused for now is not refused.
            match (self, name, FOR_NOW.get(index)) {
                (Self::Recipient | Self::Carried | Self::Message, "status", Some(for_now)) => {
                    format!(
                        "CASE WHEN {shown} = 'rejected' AND {for_now} THEN 'not_accepted' ELSE {shown} END AS status"
                    )
                }
                (Self::Carried, "orig_to", _) => format!("{} AS orig_to", hops::ASKED_TO),
                _ => format!("{shown} AS {name}"),
            }
        };
        let columns: Vec<String> = hits::COLUMNS.iter().map(column).collect();
        columns.join(", ")
    }
}
