//! Chain: links between the messages that one mail becomes (grammar 6).
//!
//! Promises: a claim of a remote server (`queued as C`) links only when the relay is ours, the times fit and the
//! message ids agree (6.2); a message has one parent and is never its own ancestor; both orders of the lines work.
//!
//! Limits: when C never shows up the recipient stays `sent`: the log set holds no C, so another mail system took
//! it. A relay is ours when it is loopback or private, when the other message came from its very address, or when both
//! ends name each other within one domain.

use super::open::Message;
use super::{Correlator, Line, text};
use crate::model::event::{Delivery, Notice};
use crate::model::row::{Text, link, message_status, origin, recipient_status as recipient};
use crate::model::time::{DAY, MINUTE, SECOND, Time};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Expectations held at most; each is a hand-over of the last ten minutes whose other end is not seen yet.
const AWAITED_LIMIT: usize = 10_000;
/// Clocks and resolutions of stamps on one host.
pub(super) const SLACK: i64 = 5 * SECOND;
/// Clocks of two hosts.
pub(super) const SKEW: i64 = MINUTE;

/// A message that another one was said to become.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) parent: i64,
    /// The recipient whose record claims it; 0 for a notice.
    pub(super) to: i64,
    pub(super) host: u32,
    pub(super) instance: Text,
    /// `forward`, `requeue`, a notice's word, or empty for a hand-over.
    pub(super) kind: Text,
    pub(super) relay_name: Option<Text>,
    #[serde(default)]
    pub(super) relay_address: Option<Text>,
    pub(super) is_near: bool,
    pub(super) earliest: Time,
    pub(super) time: Time,
}

impl Claim {
    /// The message that hands over.
    pub(super) fn parent(&self) -> i64 {
        self.parent
    }

    /// In this order claims of one id are kept: however they come back from the state, it is the same.
    pub(super) fn order(&self) -> (Time, i64, i64) {
        (self.time, self.parent, self.to)
    }
}

/// Claims whose message is not known yet, by its id.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    by_queue_id: HashMap<Text, Vec<Claim>>,
    count: usize,
}

impl Awaited {
    pub(super) fn restore(list: Vec<(Text, Vec<Claim>)>) -> Self {
        let mut this = Self::default();
        for (queue_id, claims) in list {
            for claim in claims {
                this.add(&queue_id, claim);
            }
        }
        this
    }

    pub(super) fn list(&self) -> impl Iterator<Item = (&Text, &Claim)> {
        let all = self.by_queue_id.iter();
        all.flat_map(|(queue_id, claims)| claims.iter().map(move |claim| (queue_id, claim)))
    }

    fn add(&mut self, queue_id: &str, claim: Claim) {
        if self.count < AWAITED_LIMIT {
            self.count += 1;
            let claims = self.by_queue_id.entry(text(queue_id)).or_default();
            let at = claims.partition_point(|other| other.order() <= claim.order());
            claims.insert(at, claim);
        }
    }

    /// Drops the claims of a host that are older.
    pub(super) fn sweep(&mut self, host: u32, before: Time) {
        let count = &mut self.count;
        self.by_queue_id.retain(|_, claims| {
            claims.retain(|claim| {
                let keep = claim.host != host || claim.time >= before;
                *count -= usize::from(!keep);
                keep
            });
            !claims.is_empty()
        });
    }
}

impl Correlator {
    /// A record was `sent`: does it name the message that carries on?
    pub(super) fn hand_over(
        &mut self,
        line: &Line<'_>,
        id: i64,
        at: usize,
        d: &Delivery<'_>,
        delay: i64,
    ) {
        if d.status != "sent" || d.ambiguous || d.is_discard {
            return;
        }
        let Some(m) = self.mail.get(id) else {
            return;
        };
        let is_near = d.relay.address.is_some_and(is_private);
        let Some(queue_id) = d.remote_queue_id else {
            return;
        };
        let Some(to) = m.to.get(at).map(|to| to.id) else {
            return;
        };
        let claim = Claim {
            parent: id,
            to,
            host: line.host,
            instance: m.row.instance.clone(),
            kind: Text::const_new(if d.is_forward { link::FORWARD } else { "" }),
            relay_name: d.relay.name.map(text),
            relay_address: d.relay.address.map(text),
            is_near,
            earliest: line.time.plus(-delay).plus(-SLACK),
            time: line.time,
        };
        if d.is_forward
            && let Some(m) = self.mail.edit(id)
        {
            m.to.set(at, recipient::FORWARDED);
        }
        let is_expected = d.is_forward || is_near || self.names_our_host(&claim);
        self.claim(queue_id, claim, is_expected);
    }

    fn names_our_host(&self, claim: &Claim) -> bool {
        claim.relay_name.as_deref().is_some_and(|name| {
            self.hosts
                .list()
                .iter()
                .any(|h| is_same_host(name, &h.name))
        })
    }

    /// `non-delivery notification: C`.
    pub(super) fn notification(
        &mut self,
        line: &Line<'_>,
        queue_id: &str,
        notice: Notice,
        notice_queue_id: &str,
    ) -> i64 {
        let id = self.find_or_create(line, queue_id, super::open::Says::Trailing);
        let kind = match notice {
            Notice::NonDelivery => link::BOUNCE,
            Notice::Delay => link::DELAY,
            Notice::DeliveryStatus => link::STATUS,
        };
        let Some(m) = self.touch(line, id) else {
            return id;
        };
        let claim = Claim {
            parent: id,
            to: 0,
            host: line.host,
            instance: m.row.instance.clone(),
            kind: Text::const_new(kind),
            relay_name: None,
            relay_address: None,
            is_near: true,
            earliest: line.time.plus(-self.settings.late_span),
            time: line.time,
        };
        self.claim(notice_queue_id, claim, true);
        self.expect_notice(line, notice_queue_id);
        id
    }

    /// The line proves that there is a notice, also where the log has no other line of it.
    fn expect_notice(&mut self, line: &Line<'_>, queue_id: &str) {
        if queue_id.is_empty() || self.mail.generations(queue_id).next().is_some() {
            return;
        }
        let id = self.create(line, queue_id, origin::INTERNAL, line.time);
        if let Some(m) = self.mail.edit(id) {
            m.set_status(message_status::UNKNOWN);
            m.extra.is_time_guessed = true;
        }
        self.resolve(id);
    }

    /// Fulfils a claim, or keeps it until its message appears.
    pub(super) fn claim(&mut self, queue_id: &str, claim: Claim, is_expected: bool) {
        let known = self.mail.generations(queue_id);
        let child = known
            .filter(|c| self.proves(c, &claim))
            .map(|c| c.row.id)
            .max();
        match child {
            Some(child) => self.fulfil(child, &claim),
            None if is_expected => self.links.add(queue_id, claim),
            None => {}
        }
    }

    /// A message appeared, or became known better: is it one that is awaited?
    pub(super) fn resolve(&mut self, id: i64) {
        if self.links.count == 0 {
            return;
        }
        let Some(child) = self.mail.get(id) else {
            return;
        };
        let Some(claims) = self.links.by_queue_id.get(&child.row.queue_id) else {
            return;
        };
        let proven: Vec<Claim> = claims
            .iter()
            .filter(|c| self.proves(child, c))
            .cloned()
            .collect();
        if proven.is_empty() {
            return;
        }
        let queue_id = child.row.queue_id.clone();
        for claim in &proven {
            self.fulfil(id, claim);
        }
        if let Some(claims) = self.links.by_queue_id.get_mut(&queue_id) {
            let before = claims.len();
            claims.retain(|c| !proven.contains(c));
            self.links.count -= before - claims.len();
            if claims.is_empty() {
                self.links.by_queue_id.remove(&queue_id);
            }
        }
    }

    /// Tells whether `child` is the message that the claim speaks of (grammar 6.2).
    fn proves(&self, child: &Message, claim: &Claim) -> bool {
        let Some(parent) = self.mail.get(claim.parent) else {
            return false;
        };
        let c = &child.row;
        let p = &parent.row;
        if child.is_probe
            || c.id == p.id
            || p.root_id == c.id
            || c.parent_id
                .is_some_and(|other| other != p.id && !c.parent_inferred)
        {
            return false;
        }
        let is_here = child.host == claim.host;
        let skew = if is_here { 0 } else { SKEW };
        // Later than the claim a message appears only where lines are out of order, or for a notice since 3.11.
        let late = if claim.kind == link::REQUEUE {
            self.settings.late_span
        } else {
            SLACK + skew
        };
        let latest = claim.time.plus(late);
        // What MailScanner wrote may bear the arrival of the old file.
        let born = if claim.kind == link::REQUEUE {
            c.updated
        } else {
            c.time
        };
        if born < claim.earliest.plus(-skew) || born > latest {
            return false;
        }
        let is_local = is_here && c.instance == p.instance;
        match claim.kind.as_str() {
            "" => {}
            link::FORWARD => return is_local && !is_submitted(c.origin.as_str()),
            // MailScanner writes the queue file itself: nobody logs that it was created.
            link::REQUEUE => return is_here && !c.has_creation(),
            _ => {
                return is_local
                    && matches!(
                        c.origin.as_str(),
                        origin::INTERNAL | origin::UNKNOWN | origin::BOUNCE
                    );
            }
        }
        is_handed_over(child, parent, claim)
    }

    fn fulfil(&mut self, child: i64, claim: &Claim) {
        let (Some(c), Some(p)) = (self.mail.get(child), self.mail.get(claim.parent)) else {
            return;
        };
        let is_local = c.host == p.host && c.row.instance == p.row.instance;
        let (kind, word) = match claim.kind.as_str() {
            "" if is_local => (link::FILTER, recipient::FILTERED),
            "" => (link::RELAY, recipient::RELAYED),
            link::FORWARD => (link::FORWARD, recipient::FORWARDED),
            link::REQUEUE => (link::REQUEUE, ""),
            link::DELAY => (link::DELAY, ""),
            link::STATUS => (link::STATUS, ""),
            _ => (link::BOUNCE, ""),
        };
        self.link(child, claim.parent, kind);
        if kind == link::REQUEUE {
            self.inherit(child, claim.parent);
        }
        if word.is_empty() {
            return;
        }
        let at = self
            .mail
            .get(claim.parent)
            .and_then(|p| p.to.position(claim.to));
        if let Some(at) = at
            && let Some(p) = self.mail.edit(claim.parent)
            && p.to
                .get(at)
                .is_some_and(|to| to.state.status == recipient::SENT)
        {
            p.to.set(at, word);
        }
    }

    /// `orig_queue_id=` of XFORWARD names the parent (strongest proof for filters).
    pub(super) fn link_to_origin(&mut self, line: &Line<'_>, id: i64) {
        let Some(c) = self.mail.get(id).map(|m| &m.row) else {
            return;
        };
        let Some(queue_id) = c.orig_queue_id.clone() else {
            return;
        };
        let parent = self
            .mail
            .generations(&queue_id)
            .filter(|p| p.row.id != id && !p.is_probe && p.row.root_id != id)
            .filter(|p| p.row.time <= c.time.plus(SKEW) && c.time.since(p.row.time) < 5 * DAY)
            .max_by_key(|p| {
                (
                    p.host == line.host,
                    p.row.instance == c.instance,
                    p.row.time,
                    p.row.id,
                )
            });
        let Some(parent) = parent else {
            return;
        };
        let is_local = parent.host == line.host && parent.row.instance == c.instance;
        let kind = if is_local { link::FILTER } else { link::RELAY };
        let parent = parent.row.id;
        self.link(id, parent, kind);
    }

    /// Makes `child` the continuation of `parent`, or a notice about it.
    pub(super) fn link(&mut self, child: i64, parent: i64, kind: &'static str) {
        let Some(parent_row) = self.mail.get(parent).filter(|p| !p.is_probe) else {
            return;
        };
        let root = parent_row.row.root_id;
        let Some(c) = self.mail.edit(child) else {
            return;
        };
        // What a line names goes before what was inferred.
        let was_inferred = std::mem::take(&mut c.row.parent_inferred);
        let is_linked = c.row.parent_id.is_some() && !was_inferred;
        if is_linked || root == child || c.row.parent_id == Some(parent) {
            return;
        }
        let inferred = c.row.parent_id.replace(parent);
        c.row.parent_link = Some(Text::const_new(kind));
        let is_notice = matches!(kind, link::BOUNCE | link::DELAY | link::STATUS);
        c.row.origin = Text::const_new(match kind {
            link::FILTER => origin::FILTER,
            link::RELAY => origin::RELAY,
            link::FORWARD => origin::FORWARD,
            link::REQUEUE => origin::REQUEUE,
            _ => origin::BOUNCE,
        });
        if let Some(p) = inferred.and_then(|p| self.mail.messages.get_mut(&p)) {
            p.children.retain(|other| *other != child);
        }
        if is_notice {
            return;
        }
        if let Some(p) = self.mail.messages.get_mut(&parent) {
            p.children.push(child);
        }
        self.set_root(child, root);
    }

    /// A link within one instance is a filter's, another one a relay's: the instance of this message has become known.
    pub(super) fn relink(&mut self, id: i64) {
        let Some(m) = self.mail.get(id) else {
            return;
        };
        let mut pairs: Vec<(i64, i64)> = m.children.iter().map(|child| (id, *child)).collect();
        pairs.extend(m.row.parent_id.map(|parent| (parent, id)));
        for (parent, child) in pairs {
            let (Some(p), Some(c)) = (self.mail.get(parent), self.mail.get(child)) else {
                continue;
            };
            let is_local = p.host == c.host && p.row.instance == c.row.instance;
            let before = c.row.parent_link.as_deref();
            let (kind, word, old, new) = match (before, is_local) {
                (Some(link::FILTER), false) => (
                    link::RELAY,
                    origin::RELAY,
                    recipient::FILTERED,
                    recipient::RELAYED,
                ),
                (Some(link::RELAY), true) => (
                    link::FILTER,
                    origin::FILTER,
                    recipient::RELAYED,
                    recipient::FILTERED,
                ),
                _ => continue,
            };
            let queue_id = c.row.queue_id.clone();
            if let Some(c) = self.mail.edit(child) {
                c.row.parent_link = Some(Text::const_new(kind));
                c.row.origin = Text::const_new(word);
            }
            if let Some(p) = self.mail.edit(parent) {
                p.to.reword(&queue_id, old, new);
            }
        }
    }

    /// The whole branch below follows when its root is found late.
    pub(super) fn set_root(&mut self, id: i64, root: i64) {
        let mut branch = vec![id];
        while let Some(id) = branch.pop() {
            if let Some(m) = self.mail.edit(id) {
                m.row.root_id = root;
                branch.extend_from_slice(&m.children);
            }
        }
    }
}

/// Tells whether the message came from the relay that the claim names, and not only bears the id.
fn is_handed_over(child: &Message, parent: &Message, claim: &Claim) -> bool {
    let (c, p) = (&child.row, &parent.row);
    let is_here = child.host == claim.host;
    if !matches!(
        c.origin.as_str(),
        origin::SMTPD | origin::FILTER | origin::RELAY | origin::UNKNOWN
    ) {
        return false;
    }
    if c.orig_queue_id.as_deref() == Some(p.queue_id.as_str()) {
        return true;
    }
    let ids = (
        real_id(p.message_id.as_deref()),
        real_id(c.message_id.as_deref()),
    );
    let agree = match ids {
        (Some(a), Some(b)) => a == b,
        _ => is_here,
    };
    let names_fit = || {
        let relay = claim.relay_name.as_deref().unwrap_or_default();
        let client = c.client_name.as_deref().unwrap_or_default();
        is_same_host(relay, &c.host)
            && is_same_host(client, &p.host)
            && is_same_domain(relay, client)
    };
    // One machine of ours may know itself by a public address only.
    let is_itself = || {
        matches!(ids, (Some(_), Some(_)))
            && claim.relay_address.is_some()
            && claim.relay_address == c.client_address
    };
    agree && (claim.is_near || is_itself() || names_fit())
}

fn is_submitted(word: &str) -> bool {
    matches!(word, origin::SMTPD | origin::PICKUP | origin::REQUEUE)
}

/// A message id that tells messages apart.
pub(super) fn real_id(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !matches!(*id, "" | "<>"))
}

/// Loopback and private networks: what answers there is ours.
pub(super) fn is_private(address: &str) -> bool {
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private(),
        Ok(std::net::IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local(),
        Err(_) => false,
    }
}

/// Logs often carry the first label of a host's name only.
pub(super) fn is_same_host(name: &str, logged: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case(logged)
        || (!logged.contains('.')
            && name
                .split('.')
                .next()
                .is_some_and(|label| label.eq_ignore_ascii_case(logged)))
}

fn is_same_domain(a: &str, b: &str) -> bool {
    let domain = |name: &str| {
        name.split_once('.')
            .map(|(_, domain)| domain.to_ascii_lowercase())
    };
    domain(a) == domain(b)
}
