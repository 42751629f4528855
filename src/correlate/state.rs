//! State: what the correlator must remember over a restart and no row can hold, as JSON.
//!
//! Promises: restored from the state and the rows of one commit, it goes on as if it had never stopped.

use super::agent::{Agents, Announcing, Connection};
use super::chain::{Awaited, Claim};
use super::clock::{Host, Hosts};
use super::notice::Known;
use super::open::{Extra, Message};
use super::recipient::Recipients;
use super::session::{Key, Session, Sessions};
use super::{Correlator, Ids, Settings, postsuper};
use crate::model::row::{DeliveryFrom, DeliveryTo, OpenState, Text, link};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// The stored state cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("state of open messages: {0}")]
pub struct BadState(#[from] serde_json::Error);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Saved {
    ids: Ids,
    hosts: Vec<Host>,
    closed: Vec<i64>,
    extras: Vec<(i64, Extra)>,
    probes: Vec<(DeliveryFrom, Extra)>,
    sessions: Vec<(Key, Vec<Session>)>,
    connections: Vec<(Key, Connection)>,
    announcing: Vec<Announcing>,
    links: Vec<(Text, Vec<Claim>)>,
    supers: postsuper::SuperRuns,
    known: Known,
}

/// The same, borrowed.
#[derive(Serialize)]
struct Saving<'a> {
    ids: Ids,
    hosts: &'a [Host],
    closed: Vec<i64>,
    extras: Vec<(i64, &'a Extra)>,
    /// Address probes in memory: they have no row.
    probes: Vec<(&'a DeliveryFrom, &'a Extra)>,
    sessions: Vec<(&'a Key, &'a Vec<Session>)>,
    connections: Vec<(&'a Key, &'a Connection)>,
    announcing: &'a [Announcing],
    links: Vec<(&'a Text, &'a Vec<Claim>)>,
    supers: &'a postsuper::SuperRuns,
    known: &'a Known,
}

/// Returns the ids of the closed messages that [`Correlator::restore`] needs besides the open ones.
pub fn message_ids(state: &str) -> Result<Vec<i64>, BadState> {
    Ok(read(state)?.closed)
}

fn read(state: &str) -> Result<Saved, BadState> {
    if state.is_empty() {
        return Ok(Saved::default());
    }
    Ok(serde_json::from_str(state)?)
}

impl Correlator {
    /// Goes on where the last commit left off.
    ///
    /// Fails when the state is not one that this program or an older one wrote.
    pub fn restore(settings: Settings, open: OpenState) -> Result<Self, BadState> {
        let saved = read(&open.state)?;
        let mut this = Self {
            settings,
            ids: saved.ids,
            hosts: Hosts::restore(saved.hosts),
            sessions: Sessions::restore(saved.sessions),
            agents: Agents::restore(saved.connections, saved.announcing),
            links: Awaited::restore(saved.links),
            supers: saved.supers,
            ..Self::default()
        };
        this.notices.known = saved.known;
        this.restore_messages(open.messages, open.recipients, saved.extras, &saved.closed);
        this.restore_probes(saved.probes);
        let mut ids: Vec<i64> = this.mail.messages.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            this.adopt(id);
            this.arm(id);
        }
        Ok(this)
    }

    fn restore_messages(
        &mut self,
        messages: Vec<DeliveryFrom>,
        recipients: Vec<DeliveryTo>,
        extras: Vec<(i64, Extra)>,
        closed: &[i64],
    ) {
        let closed: hashbrown::HashSet<i64> = closed.iter().copied().collect();
        let mut extras: HashMap<i64, Extra> = extras.into_iter().collect();
        let mut by_message: HashMap<i64, Vec<DeliveryTo>> = HashMap::new();
        for row in recipients {
            by_message.entry(row.from_id).or_default().push(row);
        }
        for row in messages {
            if row.removed.is_some() && !closed.contains(&row.id) {
                continue;
            }
            let id = row.id;
            let host = self.hosts.number(&row.host);
            let mut message = Message::new(host, row);
            let mut to = by_message.remove(&id).unwrap_or_default();
            to.sort_unstable_by_key(|row| row.id);
            message.to = Recipients::restore(to);
            message.extra = extras.remove(&id).unwrap_or_default();
            self.mail.restore(message);
        }
    }

    fn restore_probes(&mut self, probes: Vec<(DeliveryFrom, Extra)>) {
        for (row, extra) in probes {
            let host = self.hosts.number(&row.host);
            let mut message = Message::new(host, row);
            message.is_probe = true;
            message.extra = extra;
            self.mail.restore(message);
        }
    }

    /// Tells the parent of its continuation.
    fn adopt(&mut self, id: i64) {
        let Some(m) = self.mail.get(id) else {
            return;
        };
        let is_notice = matches!(
            m.row.parent_link.as_deref(),
            Some(link::BOUNCE | link::DELAY | link::STATUS)
        );
        if let Some(parent) = m.row.parent_id.filter(|_| !is_notice)
            && let Some(p) = self.mail.messages.get_mut(&parent)
        {
            p.children.push(id);
        }
    }

    /// Writes the state down; order is fixed, so equal states are equal texts.
    pub(super) fn save(&self) -> String {
        let plain = Extra::default();
        let messages = self.mail.messages.values();
        let mut extras: Vec<(i64, &Extra)> = messages
            .filter(|m| m.extra != plain && !m.is_probe)
            .map(|m| (m.row.id, &m.extra))
            .collect();
        extras.sort_unstable_by_key(|(id, _)| *id);
        let mut sessions: Vec<_> = self.sessions.list().collect();
        sessions.sort_unstable_by_key(|(key, _)| *key);
        let mut connections: Vec<_> = self.agents.list().collect();
        connections.sort_unstable_by_key(|(key, _)| *key);
        let mut links: Vec<_> = self.links.list().collect();
        links.sort_unstable_by_key(|(queue_id, _)| *queue_id);
        let saving = Saving {
            ids: self.ids,
            hosts: self.hosts.list(),
            closed: self.mail.closed().collect(),
            extras,
            probes: self.probes(),
            sessions,
            connections,
            announcing: self.agents.announcing(),
            links,
            supers: &self.supers,
            known: &self.notices.known,
        };
        serde_json::to_string(&saving).unwrap_or_default()
    }

    fn probes(&self) -> Vec<(&DeliveryFrom, &Extra)> {
        let messages = self.mail.messages.values();
        let mut probes: Vec<_> = messages
            .filter(|m| m.is_probe)
            .map(|m| (&m.row, &m.extra))
            .collect();
        probes.sort_unstable_by_key(|(row, _)| row.id);
        probes
    }
}
