//! Before-queue filter: smtpd in front of it speaks with the client, a second smtpd behind it takes the mail or refuses it.
//!
//! Promises: what the second one refuses and the first one passes on to the client is one refusal, with the second one's
//! reason and the client of the first one's session; which of the two lines is read first makes no difference.
//!
//! Limits: of several refusals in one transaction, the ones that the filter's reply does not quote stay apart, with the
//! filter as their client.

use super::{Correlator, text};
use crate::model::row::{Noqueue, Text};
use crate::model::time::SECOND;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// How long the filter may take from one refusal to the other, in microseconds: it only passes a reply on.
const WINDOW: i64 = 10 * SECOND;
/// Refusals remembered at once.
const LIMIT: usize = 32;
/// A shorter text of a reply may stand in another by chance.
const LEAST_TEXT: usize = 12;

/// Refusals of the last seconds that may be one half of two.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Halves(Vec<Noqueue>);

impl Halves {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the place of the other half of a refusal: the newest that agrees.
    fn other(&self, row: &Noqueue) -> Option<usize> {
        self.0.iter().rposition(|half| {
            half.host == row.host
                && (half.time.0 - row.time.0).abs() <= WINDOW
                && is_outer(half) != is_outer(row)
                && if is_outer(row) {
                    is_passed_on(half, row)
                } else {
                    is_passed_on(row, half)
                }
        })
    }

    fn remember(&mut self, row: &Noqueue) {
        let earliest = row.time.plus(-WINDOW);
        self.0
            .retain(|half| half.host != row.host || half.time >= earliest);
        if self.0.len() == LIMIT {
            self.0.remove(0);
        }
        self.0.push(row.clone());
    }
}

/// The first smtpd's line.
fn is_outer(row: &Noqueue) -> bool {
    row.action == "proxy-reject"
}

/// A refusal that a filter may have heard: its client is on this machine or in a private network.
fn is_inner(row: &Noqueue) -> bool {
    let address = row.client_address.as_deref();
    let address = address.and_then(|address| address.parse::<IpAddr>().ok());
    address.is_some_and(|address| match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    })
}

/// Tells whether the first smtpd's reply quotes that of the second, to the same sender.
fn is_passed_on(inner: &Noqueue, outer: &Noqueue) -> bool {
    let said = without_code(inner);
    let is_same = |a: &Option<Text>, b: &Option<Text>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    inner.count == outer.count
        && said.len() >= LEAST_TEXT
        && outer.reason.contains(said)
        && is_same(&inner.sender, &outer.sender)
}

/// Returns the words of a reply: filters give other codes to them.
fn without_code(row: &Noqueue) -> &str {
    let code = row.reply_code.map(|code| code.to_string());
    let mut said = row.reason.as_str();
    for word in [code.as_deref(), row.dsn.as_deref()].into_iter().flatten() {
        said = said.strip_prefix(word).unwrap_or(said).trim_start();
    }
    said.trim()
}

/// Returns the one refusal of two halves.
fn joined(inner: Noqueue, outer: &Noqueue) -> Noqueue {
    Noqueue {
        client_name: outer.client_name.clone(),
        client_address: outer.client_address.clone(),
        client_port: outer.client_port,
        helo_name: outer.helo_name.clone().or(inner.helo_name),
        protocol_name: outer.protocol_name.clone().or(inner.protocol_name),
        sasl_method: outer.sasl_method.clone().or(inner.sasl_method),
        sasl_username: outer.sasl_username.clone().or(inner.sasl_username),
        ..inner
    }
}

impl Correlator {
    /// Keeps a refusal that has its cause: as a row of its own, or as the other half of one that is kept.
    ///
    /// Returns the id of the row.
    pub(super) fn keep_refusal(&mut self, row: Noqueue) -> i64 {
        let id = row.id;
        if !is_outer(&row) && !is_inner(&row) {
            self.out.noqueues.push(row);
            return id;
        }
        let Some(place) = self.halves.other(&row) else {
            self.halves.remember(&row);
            self.out.noqueues.push(row);
            return id;
        };
        let half = self.halves.0.remove(place);
        let id = half.id;
        let (inner, outer) = if is_outer(&row) {
            (half, row)
        } else {
            (row, half)
        };
        let row = Noqueue {
            id,
            ..joined(inner, &outer)
        };
        self.give_client(&row);
        let out = &mut self.out;
        let kept = [&mut out.noqueues, &mut out.noqueue_updates];
        let kept = kept.into_iter().flatten().find(|kept| kept.id == id);
        match kept {
            Some(kept) => *kept = row,
            None => out.noqueue_updates.push(row),
        }
        id
    }

    /// Gives the message that the second smtpd refused the client of the first.
    fn give_client(&mut self, row: &Noqueue) {
        let Some(m) = row.from_id.and_then(|id| self.mail.edit(id)) else {
            return;
        };
        let message = &mut m.row;
        if let (Some(name), Some(address)) = (&row.client_name, &row.client_address) {
            message.orig_client = Some(text(&format!("{name}[{address}]")));
        }
        // What the row does not tell, the message may know from another line.
        let known = |new: &Option<Text>, old: &mut Option<Text>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        known(&row.sasl_method, &mut message.sasl_method);
        known(&row.sasl_username, &mut message.sasl_username);
        known(&row.helo_name, &mut message.helo_name);
        known(&row.protocol_name, &mut message.protocol_name);
    }
}
