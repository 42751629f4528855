//! The tables as a store would keep them, and a readable form of them.

use crate::correlate::{Correlator, Settings, message_ids};
use crate::model::row::{
    Auth, Changes, Connection, DeliveryAttempt, DeliveryFrom, DeliveryTo, EventRow, LogLine,
    NeighbourRow, Noqueue, OpenState, State, Text,
};
use crate::model::time::Time;
use std::collections::BTreeMap;
use std::fmt::Write;

type EventKey = (Time, Text, Text, Text, Text, Text);

#[derive(Debug, Default, PartialEq)]
pub(super) struct Tables {
    pub(super) from: BTreeMap<i64, DeliveryFrom>,
    pub(super) to: BTreeMap<i64, DeliveryTo>,
    pub(super) attempts: BTreeMap<i64, DeliveryAttempt>,
    pub(super) noqueues: BTreeMap<i64, Noqueue>,
    pub(super) connections: BTreeMap<i64, Connection>,
    pub(super) auths: BTreeMap<i64, Auth>,
    pub(super) events: BTreeMap<EventKey, EventRow>,
    pub(super) log_lines: Vec<LogLine>,
    pub(super) neighbours: BTreeMap<i64, NeighbourRow>,
    pub(super) state: State,
}

impl Tables {
    /// Applies one commit; panics when it breaks the contract of `Changes`.
    pub(super) fn apply(&mut self, c: Changes) {
        insert(&mut self.from, c.from_inserts, |r| r.id);
        update(&mut self.from, c.from_updates, |r| r.id);
        insert(&mut self.to, c.to_inserts, |r| r.id);
        update(&mut self.to, c.to_updates, |r| r.id);
        for id in c.to_deletes {
            assert!(
                self.to.remove(&id).is_some(),
                "recipient {id} deleted twice"
            );
        }
        insert(&mut self.attempts, c.attempts, |r| r.id);
        self.log_lines.extend(c.log_lines);
        for id in c.from_deletes {
            assert!(
                self.from.remove(&id).is_some(),
                "message {id} deleted twice"
            );
            self.to.retain(|_, r| r.from_id != id);
            self.attempts.retain(|_, r| r.from_id != id);
            self.log_lines.retain(|r| r.from_id != Some(id));
        }
        insert(&mut self.noqueues, c.noqueues, |r| r.id);
        update(&mut self.noqueues, c.noqueue_updates, |r| r.id);
        insert(&mut self.neighbours, c.neighbours, |r| r.id);
        insert(&mut self.connections, c.connections, |r| r.id);
        insert(&mut self.auths, c.auths, |r| r.id);
        for row in c.events {
            let r = row.clone();
            let key = (r.day, r.host, r.instance, r.service, r.level, r.template);
            match self.events.get_mut(&key) {
                Some(old) => {
                    old.count += row.count;
                    old.first_time = old.first_time.min(row.first_time);
                    old.last_time = old.last_time.max(row.last_time);
                }
                None => {
                    self.events.insert(key, row);
                }
            }
        }
        self.state = c.state;
    }

    /// Starts a correlator from what was committed, as after a restart.
    pub(super) fn restart(&self, settings: Settings) -> Correlator {
        let closed = message_ids(&self.state).unwrap();
        let messages: Vec<DeliveryFrom> = self
            .from
            .values()
            .filter(|m| m.removed.is_none() || closed.contains(&m.id))
            .cloned()
            .collect();
        let recipients = self
            .to
            .values()
            .filter(|r| messages.iter().any(|m| m.id == r.from_id))
            .cloned()
            .collect();
        let open = OpenState {
            state: self.state.clone(),
            messages,
            recipients,
        };
        Correlator::restore(settings, open).unwrap()
    }

    pub(super) fn recipients(&self, from_id: i64) -> impl Iterator<Item = &DeliveryTo> {
        self.to.values().filter(move |r| r.from_id == from_id)
    }

    /// Writes all rows, one a line, absent columns left out.
    pub(super) fn show(&self) -> String {
        let mut out = String::new();
        for m in self.from.values() {
            let mut m = m.clone();
            let (id, queue_id) = (m.id, std::mem::take(&mut m.queue_id));
            let times = format!(
                "{}..{}",
                clock(m.time),
                m.removed.map(clock).unwrap_or_default()
            );
            let (host, instance) = (std::mem::take(&mut m.host), std::mem::take(&mut m.instance));
            let updated = clock(m.updated);
            writeln!(
                out,
                "message {id} {host}/{instance} {queue_id} {times} updated={updated}{}",
                fields(&m)
            )
            .unwrap();
            for r in self.recipients(id) {
                writeln!(out, "  to {} <{}>{}", r.id, r.recipient, recipient(r)).unwrap();
                for a in self.attempts.values().filter(|a| a.to_id == r.id) {
                    writeln!(out, "    earlier {}{}", clock(a.time), fields(&a.state)).unwrap();
                }
            }
        }
        for r in self.noqueues.values() {
            writeln!(out, "noqueue {} {}{}", r.id, clock(r.time), fields(r)).unwrap();
        }
        for r in self.connections.values() {
            writeln!(out, "connection {} {}{}", r.id, clock(r.time), fields(r)).unwrap();
        }
        for r in self.auths.values() {
            writeln!(out, "auth {} {}{}", r.id, clock(r.time), fields(r)).unwrap();
        }
        for r in self.neighbours.values() {
            let queue_id = r.queue_id.as_deref().unwrap_or_default();
            writeln!(
                out,
                "neighbour {} {} {queue_id}{}",
                r.id,
                clock(r.time),
                fields(r)
            )
            .unwrap();
        }
        for r in self.events.values() {
            writeln!(out, "event {}{}", clock(r.first_time), fields(r)).unwrap();
        }
        out
    }
}

fn insert<T>(table: &mut BTreeMap<i64, T>, rows: Vec<T>, id: impl Fn(&T) -> i64) {
    for row in rows {
        let id = id(&row);
        assert!(table.insert(id, row).is_none(), "row {id} inserted twice");
    }
}

fn update<T>(table: &mut BTreeMap<i64, T>, rows: Vec<T>, id: impl Fn(&T) -> i64) {
    for row in rows {
        let id = id(&row);
        assert!(
            table.insert(id, row).is_some(),
            "row {id} updated before it was inserted"
        );
    }
}

fn recipient(r: &DeliveryTo) -> String {
    let orig_to = r
        .orig_to
        .as_ref()
        .map(|o| format!(" orig_to=<{o}>"))
        .unwrap_or_default();
    let times = if r.first_time == r.time {
        clock(r.time)
    } else {
        format!("{}..{}", clock(r.first_time), clock(r.time))
    };
    format!(
        "{orig_to} attempts={} {times}{}",
        r.attempts,
        fields(&r.state)
    )
}

/// Shows the columns that are not shown elsewhere and hold something.
pub(super) fn fields(row: &impl serde::Serialize) -> String {
    const ELSEWHERE: [&str; 19] = [
        "id",
        "time",
        "updated",
        "removed",
        "queue_id",
        "host",
        "instance",
        "day",
        "first_time",
        "last_time",
        "delay_before_qmgr",
        "delay_in_qmgr",
        "delay_conn_setup",
        "delay_transmission",
        "relay_name",
        "relay_address",
        "relay_port",
        "sample",
        "pid",
    ];
    let serde_json::Value::Object(map) = serde_json::to_value(row).unwrap() else {
        panic!("a row is an object");
    };
    let mut out = String::new();
    for (name, value) in map {
        let is_empty = value.is_null() || value == false || value == "" && name != "sender";
        if is_empty || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let text = match value {
            serde_json::Value::String(s) if s.contains(' ') || s.is_empty() => format!("\"{s}\""),
            serde_json::Value::String(s) => s,
            other => other.to_string(),
        };
        write!(out, " {name}={text}").unwrap();
    }
    out
}

fn clock(t: Time) -> String {
    t.to_utc().unwrap().format("%m-%dT%H:%M:%S").to_string()
}
