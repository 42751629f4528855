//! State: what the correlator must remember over a restart and no row can hold, as JSON.
//!
//! What hangs on messages is kept in slots by message id, for of all that is remembered a commit changes only what
//! belongs to the newest messages and to the oldest.
//!
//! Promises: restored from the state and the rows of one commit, it goes on as if it had never stopped.

use super::agent::{Agents, Announcing, Connection};
use super::chain::{Awaited, Claim};
use super::clock::{Host, Hosts};
use super::early::{Early, WaitingLine};
use super::ended::{self, Ended};
use super::notice::Known;
use super::open::{Extra, Message};
use super::process::Key;
use super::proxy::Halves;
use super::recipient::Recipients;
use super::session::{Session, Sessions};
use super::{Correlator, Ids, Settings, postsuper, text};
use crate::model::row::{DeliveryFrom, DeliveryTo, OpenState, State, Text, link};
use crate::model::time::Time;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the part that is not in slots. Programs before schema 5 kept everything in it.
const MAIN: &str = "correlator";
/// Slots of messages.
const SLOTS: u64 = 128;
/// Messages in a row that share a slot, as a power of two.
const SHARED: u32 = 9;

/// The stored state cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("state of open messages: {0}")]
pub struct BadState(#[from] serde_json::Error);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Saved {
    ids: Ids,
    hosts: Vec<Host>,
    probes: Vec<(DeliveryFrom, Extra)>,
    sessions: Vec<(Key, Vec<Session>)>,
    connections: Vec<(Key, Connection)>,
    announcing: Vec<Announcing>,
    supers: postsuper::SuperRuns,
    known: Known,
    early: Vec<WaitingLine>,
    ended: Vec<ended::EndedSession<Session>>,
    halves: Halves,
}

/// What is kept by message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SavedMail {
    closed: Vec<i64>,
    extras: Vec<(i64, Extra)>,
    links: Vec<(Text, Vec<Claim>)>,
}

/// The same, borrowed.
#[derive(Serialize)]
struct Saving<'a> {
    ids: Ids,
    hosts: &'a [Host],
    /// Address probes in memory: they have no row.
    probes: Vec<(&'a DeliveryFrom, &'a Extra)>,
    sessions: Vec<(&'a Key, &'a Vec<Session>)>,
    connections: Vec<(&'a Key, &'a Connection)>,
    announcing: &'a [Announcing],
    supers: &'a postsuper::SuperRuns,
    known: &'a Known,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    early: Vec<&'a WaitingLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended: Vec<(Time, &'a Key, &'a Session)>,
    #[serde(skip_serializing_if = "Halves::is_empty")]
    halves: &'a Halves,
}

/// One slot, borrowed.
#[derive(Default, Serialize)]
struct Slot<'a> {
    closed: Vec<i64>,
    extras: Vec<(i64, &'a Extra)>,
    links: Vec<(&'a Text, [&'a Claim; 1])>,
}

/// The slots that hold something, by number.
#[derive(Default)]
struct Slots<'a>(BTreeMap<u64, Slot<'a>>);

impl<'a> Slots<'a> {
    /// Returns the slot of a message.
    fn of(&mut self, id: i64) -> &mut Slot<'a> {
        let number = (id.unsigned_abs() >> SHARED) % SLOTS;
        self.0.entry(number).or_default()
    }
}

/// Returns the ids of the closed messages that [`Correlator::restore`] needs besides the open ones; the store finds them with
/// SQL (`closed` in each part).
#[cfg(test)]
pub(super) fn message_ids(state: &State) -> Result<Vec<i64>, BadState> {
    Ok(read_mail(state)?.closed)
}

fn read_main(state: &State) -> Result<Saved, BadState> {
    let main = state.get(MAIN).map(|json| serde_json::from_str(json));
    Ok(main.transpose()?.unwrap_or_default())
}

fn read_mail(state: &State) -> Result<SavedMail, BadState> {
    let mut all = SavedMail::default();
    for json in state.values() {
        let part: SavedMail = serde_json::from_str(json)?;
        all.closed.extend(part.closed);
        all.extras.extend(part.extras);
        all.links.extend(part.links);
    }
    Ok(all)
}

impl Correlator {
    /// Goes on where the last commit left off.
    ///
    /// Fails when the state is not one that this program or an older one wrote.
    pub fn restore(settings: Settings, open: OpenState) -> Result<Self, BadState> {
        let saved = read_main(&open.state)?;
        let mail = read_mail(&open.state)?;
        let mut this = Self {
            settings,
            ids: saved.ids,
            hosts: Hosts::restore(saved.hosts),
            sessions: Sessions::restore(saved.sessions, Ended::restore(saved.ended)),
            agents: Agents::restore(saved.connections, saved.announcing),
            links: Awaited::restore(mail.links),
            early: Early::restore(saved.early),
            halves: saved.halves,
            supers: saved.supers,
            ..Self::default()
        };
        this.notices.known = saved.known;
        this.restore_messages(open.messages, open.recipients, mail.extras, &mail.closed);
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
            // Older programs did not say why lines are missing.
            let e = &mut message.extra;
            let is_told = e.is_headless || e.is_short || !e.settled.is_empty();
            let is_lost = e
                .doubt
                .as_ref()
                .map_or(message.row.log_incomplete, |d| d.log_incomplete);
            e.is_lost |= is_lost && !is_told;
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
    pub(super) fn save(&self) -> State {
        let slots = self.slots().0.into_iter();
        let slots = slots.map(|(number, slot)| (text(&format!("{MAIN}/{number}")), json(&slot)));
        let main = (Text::const_new(MAIN), self.save_main());
        slots.chain([main]).collect()
    }

    fn slots(&self) -> Slots<'_> {
        let mut slots = Slots::default();
        let mut closed: Vec<i64> = self.mail.closed().collect();
        closed.sort_unstable();
        for id in closed {
            slots.of(id).closed.push(id);
        }
        let plain = Extra::default();
        let messages = self.mail.messages.values();
        let mut extras: Vec<(i64, &Extra)> = messages
            .filter(|m| m.extra != plain && !m.is_probe)
            .map(|m| (m.row.id, &m.extra))
            .collect();
        extras.sort_unstable_by_key(|(id, _)| *id);
        for extra in extras {
            slots.of(extra.0).extras.push(extra);
        }
        let mut links: Vec<(&Text, &Claim)> = self.links.list().collect();
        links.sort_unstable_by_key(|(queue_id, claim)| (claim.order(), *queue_id));
        for (queue_id, claim) in links {
            slots.of(claim.parent()).links.push((queue_id, [claim]));
        }
        slots
    }

    fn save_main(&self) -> String {
        let mut sessions: Vec<_> = self.sessions.list().collect();
        sessions.sort_unstable_by_key(|(key, _)| *key);
        let mut connections: Vec<_> = self.agents.list().collect();
        connections.sort_unstable_by_key(|(key, _)| *key);
        let saving = Saving {
            ids: self.ids,
            hosts: self.hosts.list(),
            probes: self.probes(),
            sessions,
            connections,
            announcing: self.agents.announcing(),
            supers: &self.supers,
            known: &self.notices.known,
            early: self.early.list(),
            ended: self.sessions.ended.list(),
            halves: &self.halves,
        };
        json(&saving)
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

fn json(part: &impl Serialize) -> String {
    serde_json::to_string(part).unwrap_or_default()
}
