//! Kin: one mail that goes on under another queue id although no line says so (a pipe that hands the mail in again, a
//! milter that discards it and hands in its own copy, a filter whose answer names no id of ours).
//!
//! Evidence is the message id with sender and recipient, nearness in time, and the direction: the first was handed to
//! something inside our systems, the second came from inside and goes elsewhere. Such a link is marked as inferred.
//! A list's copies have another sender, a copy by `always_bcc` has no id of its own, and what a client sends twice
//! takes the same way twice, or comes from the same client twice: these stay apart.
//!
//! Limits: both messages must be in memory, and the second must have a recipient; of messages that share one message
//! id the newest few are looked at.

use super::Correlator;
use super::chain::{SKEW, SLACK, is_private, is_same_host, real_id};
use super::open::{Mail, Message};
use crate::model::row::{
    DeliveryFrom, DeliveryTo, Text, link, message_status as status, origin,
    recipient_status as recipient,
};
use crate::model::time::MINUTE;
use std::hash::BuildHasher;

/// A filter that hands a mail in again does so while it has it, or as soon as pickup looks.
const NEAR: i64 = MINUTE;
/// Recipients that are looked at when something else than their record became known.
const SCANNED: usize = 64;

/// Messages with one message id that are looked at: copies of one newsletter may be many.
const NAMESAKES: usize = 16;

/// What shows that one message became the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The record of the first has the queue id of the second.
    Named,
    /// Nothing but their likeness.
    Inferred,
}

impl Mail {
    /// Makes the message known by its message id.
    pub(super) fn name(&mut self, id: i64) {
        let Some(m) = self.messages.get_mut(&id) else {
            return;
        };
        let Some(name) = real_id(m.row.message_id.as_deref()).filter(|_| m.name == 0) else {
            return;
        };
        m.name = self.by_name.hasher().hash_one(name).max(1);
        let ids = self.by_name.entry(m.name).or_default();
        let at = ids.partition_point(|other| *other < id);
        ids.insert(at, id);
    }

    /// Returns the newest other messages with the message id of this one, newest first.
    pub(super) fn namesakes(&self, id: i64) -> Vec<i64> {
        let found = self.get(id).and_then(|m| {
            let ids = self.by_name.get(&m.name).filter(|ids| ids.len() > 1)?;
            let newest = ids.iter().rev().copied().filter(|other| *other != id);
            Some(newest.take(NAMESAKES).collect())
        });
        found.unwrap_or_default()
    }
}

impl Correlator {
    /// Looks for the message that this one continues, or that continues it: something new is known of the recipient at
    /// `at`, or of the message itself.
    pub(super) fn kin(&mut self, id: i64, at: Option<usize>) {
        let rows = self.mail.get(id).map_or(0, |m| m.to.len());
        if rows == 0 {
            return;
        }
        let others = self.mail.namesakes(id);
        if others.is_empty() {
            return;
        }
        let rows = at.map_or(0..rows.min(SCANNED), |at| at..at + 1);
        for at in rows {
            let _found = others.iter().any(|other| self.is_child(*other, id, at))
                || others.iter().any(|other| self.is_parent(id, at, *other));
        }
    }

    /// The line that began the message came after those by which it was taken for a continuation: what that line tells counts, too.
    pub(super) fn kin_again(&mut self, id: i64) {
        let inferred = self.mail.get(id).filter(|c| c.row.parent_inferred);
        let inferred = inferred.filter(|c| c.row.parent_link.as_deref() != Some(link::REQUEUE));
        let Some((parent, rows)) = inferred.and_then(|c| Some((c.row.parent_id?, c.to.len())))
        else {
            return;
        };
        let names: Vec<_> = (0..rows.min(SCANNED))
            .filter_map(|at| self.names(id, at))
            .collect();
        let Some(p) = self.mail.edit(parent) else {
            return;
        };
        p.children.retain(|other| *other != id);
        let word = if is_dropped(p) {
            recipient::DISCARDED
        } else {
            recipient::SENT
        };
        for (name, orig_to) in names {
            let at = p.to.same(&name, orig_to.as_deref());
            let row = at.and_then(|at| p.to.get(at));
            if let Some(at) = at.filter(|_| row.is_some_and(is_continued)) {
                p.to.set(at, word);
            }
        }
        if let Some(c) = self.mail.edit(id) {
            c.row.parent_id = None;
            c.row.parent_link = None;
            c.row.parent_inferred = false;
            let is_local = c.row.uid.is_some();
            c.row.origin = Text::const_new(if is_local {
                origin::PICKUP
            } else {
                origin::SMTPD
            });
        }
        self.set_root(id, id);
        self.kin(id, None);
    }

    /// Does the message `child` with the recipient at `at` continue `parent`?
    fn is_child(&mut self, parent: i64, child: i64, at: usize) -> bool {
        let Some((name, orig_to)) = self.names(child, at) else {
            return false;
        };
        let p = self.mail.messages.get_mut(&parent);
        let p_at = p.and_then(|p| p.to.same(&name, orig_to.as_deref()));
        self.join((parent, p_at), (child, at))
    }

    /// Was the recipient at `at` of `parent` handed on to the message `child`?
    fn is_parent(&mut self, parent: i64, at: usize, child: i64) -> bool {
        let Some((name, orig_to)) = self.names(parent, at) else {
            return false;
        };
        let c = self.mail.messages.get_mut(&child);
        let c_at = c.and_then(|c| c.to.same(&name, orig_to.as_deref()));
        c_at.is_some_and(|c_at| self.join((parent, Some(at)), (child, c_at)))
    }

    fn names(&self, id: i64, at: usize) -> Option<(Text, Option<Text>)> {
        let row = self.mail.get(id)?.to.get(at)?;
        Some((row.recipient.clone(), row.orig_to.clone()))
    }

    /// Links the two when the evidence is there.
    fn join(&mut self, (parent, p_at): (i64, Option<usize>), (child, c_at): (i64, usize)) -> bool {
        let (Some(p), Some(c)) = (self.mail.get(parent), self.mail.get(child)) else {
            return false;
        };
        let Some(proof) = self.proof(p, p_at, c, c_at) else {
            return false;
        };
        let is_local = p.host == c.host && p.row.instance == c.row.instance;
        let (kind, word) = if is_local {
            (link::FILTER, recipient::FILTERED)
        } else {
            (link::RELAY, recipient::RELAYED)
        };
        if c.row.parent_id.is_none() {
            self.link(child, parent, kind);
            if let Some(c) = self.mail.edit(child) {
                c.row.parent_inferred = c.row.parent_id.is_some() && proof == Proof::Inferred;
            }
        }
        let name = self.names(child, c_at).map(|(name, _)| name);
        let Self { mail, ids, .. } = self;
        if let Some(p) = mail.edit(parent) {
            match (p_at, name) {
                (Some(at), _) => p.to.set(at, word),
                // A discarded mail names one of its recipients, if any.
                (None, Some(name)) => {
                    let time = p.row.removed.unwrap_or(p.row.updated);
                    p.to.hint(&p.row, ids, &name, word, time);
                }
                _ => {}
            }
        }
        true
    }

    fn proof(&self, p: &Message, p_at: Option<usize>, c: &Message, c_at: usize) -> Option<Proof> {
        if !may_follow(p, c) {
            return None;
        }
        let to = c.to.get(c_at)?;
        let row = p_at.and_then(|at| p.to.get(at));
        let skew = if p.host == c.host { 0 } else { SKEW };
        if let Some(row) = row.filter(|row| row.state.status == recipient::SENT) {
            if c.row.time.since(row.time) > NEAR + skew {
                return None;
            }
            if row.state.remote_queue_id.as_ref() == Some(&c.row.queue_id) {
                return Some(Proof::Named);
            }
            let is_other_way = row.state.relay != to.state.relay;
            let is_back = is_other_way && !is_sent_again(row, &p.row, &c.row);
            return (is_handed(row) && is_back && self.is_inside(&c.row))
                .then_some(Proof::Inferred);
        }
        let removed = p.row.removed.filter(|_| is_dropped(p) && !is_dropped(c))?;
        let is_named = row.is_some_and(|row| row.state.status == recipient::DISCARDED);
        let is_again = p.row.client_address == c.row.client_address && is_of_network(&c.row);
        let is_from_outside = p
            .row
            .client_address
            .as_deref()
            .is_some_and(|a| !is_private(a));
        // Of several recipients that were discarded together the line names the last.
        let is_same = is_named && !is_again || row.is_none() && is_from_outside;
        (is_same && c.row.time.since(removed) <= NEAR + skew && self.is_inside(&c.row))
            .then_some(Proof::Inferred)
    }

    /// Tells whether a message came from inside our systems, as far as the log knows where it came from.
    fn is_inside(&self, c: &DeliveryFrom) -> bool {
        let Some(address) = c.client_address.as_deref() else {
            return true;
        };
        let is_ours = |name: &str| {
            self.hosts
                .list()
                .iter()
                .any(|h| is_same_host(name, &h.name))
        };
        is_private(address)
            || c.service.as_deref().is_some_and(|s| s.ends_with("qmqpd"))
            || c.client_name.as_deref().is_some_and(is_ours)
    }
}

/// Tells whether the two may be one mail by all that does not depend on how it was handed on.
fn may_follow(p: &Message, c: &Message) -> bool {
    let is_free = match c.row.parent_id {
        None => true,
        Some(parent) => {
            parent == p.row.id
                && matches!(
                    c.row.parent_link.as_deref(),
                    Some(link::FILTER | link::RELAY)
                )
        }
    };
    let is_same_sender = p
        .row
        .sender
        .as_deref()
        .zip(c.row.sender.as_deref())
        .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    let is_guessed = p.extra.is_time_guessed || c.extra.is_time_guessed;
    let slack = if is_guessed { SLACK } else { 0 };
    let skew = if p.host == c.host { 0 } else { SKEW };
    is_free
        && is_same_sender
        && !p.is_probe
        && !c.is_probe
        && p.row.id != c.row.id
        && p.row.root_id != c.row.id
        && p.row.message_id == c.row.message_id
        && c.row.time.since(p.row.time) >= -(slack + skew)
}

/// Tells whether a record says that the mail was handed to something inside our systems that may hand it in again.
fn is_handed(row: &DeliveryTo) -> bool {
    let agent = row.state.agent.as_deref().unwrap_or_default();
    let program = agent.rsplit('/').next().unwrap_or_default();
    let reason = row.state.reason.as_deref().unwrap_or_default();
    program == "pipe"
        || reason.starts_with("delivered to command")
        || row
            .state
            .relay_address
            .as_deref()
            .is_some_and(|address| is_private(address) || address.contains('/'))
}

/// Tells whether both came from one client that is not where the first was handed to: it sent the mail twice.
fn is_sent_again(row: &DeliveryTo, p: &DeliveryFrom, c: &DeliveryFrom) -> bool {
    let is_from_there = row.state.relay_address == c.client_address;
    let is_same_client = p.client_address == c.client_address && is_of_network(c) && !is_from_there;
    let is_same_user = p.uid.is_some() && p.uid == c.uid && row.state.relay_address.is_some();
    is_same_client || is_same_user
}

/// Tells whether the whole message was discarded before it reached the queue manager.
fn is_dropped(m: &Message) -> bool {
    m.row.status == status::DISCARDED && m.to.recorded() == 0
}

/// Tells whether the row says that the mail went on under another id.
fn is_continued(row: &DeliveryTo) -> bool {
    matches!(
        row.state.status.as_str(),
        recipient::FILTERED | recipient::RELAYED
    )
}

/// Tells whether it came over the network from another machine.
fn is_of_network(c: &DeliveryFrom) -> bool {
    let address = c.client_address.as_deref().unwrap_or_default();
    address
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| !address.is_loopback())
}
