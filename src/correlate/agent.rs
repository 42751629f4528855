//! Agent: the TLS of the connections that smtp and lmtp make, given to the deliveries made over them (grammar 5.7).
//!
//! Before 3.11 a delivery record does not tell. With `smtp_tls_loglevel` at 1 or more the process says `TLS connection
//! established|reused to` before it; a connection in the clear says nothing, and with 0 nothing ever does.
//!
//! Promises: TLS is told of a record only when the same process announced it to the very same server, and within the request
//! that the record is of: same queue id, handed over at the same time (`delays=a/b`), announced since the hand-over,
//! `reused` with `conn_use=` and else `established`, and no failure of the session between. `none` is told only of mail that
//! was sent over a connection of its own, where processes of that name had announced TLS before the request began, and
//! neither a start, a reload nor a loss of lines came since. All else is not known.
//!
//! Limits: `none` is wrong where two services log by one name and have different log levels, or where a line was lost
//! that nothing tells of.

use super::process::{Key, key};
use super::{Correlator, Line, text};
use crate::model::event::{Client, Delivery};
use crate::model::row::Text;
use crate::model::time::{DAY, HOUR, SECOND, Time};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Connections remembered: more than the agents of some hosts have at a time.
const CONNECTION_LIMIT: usize = 1000;
/// Names under which agents of all hosts log.
const NAME_LIMIT: usize = 256;
/// Stamps of whole seconds, rounded delays, and a logger that stamps late.
const TOLERANCE: i64 = 10 * SECOND;

/// The last TLS connection that a process announced.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Connection {
    time: Time,
    last: Time,
    is_reused: bool,
    name: Text,
    address: Text,
    port: Option<u16>,
    tls: Text,
    /// The message of the request, once a line named it.
    queue_id: Option<Text>,
    /// When the agent got it, as the last record had it: microseconds since its arrival.
    handed: Option<i64>,
    /// A record of another request came with this stamp: records of this one may still bear the same stamp, no later one.
    ended: Option<Time>,
}

/// An identifier under which processes announce TLS.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Announcing {
    host: u32,
    ident: Text,
    since: Time,
    last: Time,
    /// tlsproxy is at work, which announces what the log level does not ask for.
    is_proxied: bool,
}

/// The word for a connection without TLS.
pub(super) const CLEAR: Text = Text::const_new("none");

/// What is known of the connection of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wire {
    /// This TLS.
    Tls(Text),
    /// None, if the log has all of the request.
    Clear,
    /// Nothing.
    Unknown,
}

/// Connections by process, and who announces them.
#[derive(Debug, Default)]
pub(super) struct Agents {
    connections: HashMap<Key, Connection>,
    announcing: Vec<Announcing>,
}

/// Times of a request in microseconds.
struct Request {
    begin: Time,
    handed: i64,
}

impl Request {
    fn of(line: &Line<'_>, d: &Delivery<'_>) -> Self {
        let spent = micros(d.delay_conn_setup) + micros(d.delay_transmission);
        Self {
            begin: line.time.plus(-spent),
            handed: micros(d.delay_before_qmgr) + micros(d.delay_in_qmgr),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to ten years")]
fn micros(seconds: f64) -> i64 {
    (seconds.clamp(0.0, 315_360_000.0) * 1e6).round() as i64
}

impl Connection {
    fn is_to(&self, d: &Delivery<'_>) -> bool {
        d.relay.name == Some(&self.name)
            && d.relay.address == Some(&self.address)
            && d.relay.port == self.port
    }

    /// Tells whether a note is about this server (`name[address]`).
    fn is_named_by(&self, note: &str) -> bool {
        note.contains(&format!("{}[{}]", self.name, self.address))
    }

    /// Tells whether a line proved that it belongs to another request.
    fn is_of_another(&self, d: &Delivery<'_>, request: &Request) -> bool {
        let is_other_mail = self.queue_id.as_deref().is_some_and(|q| q != d.queue_id);
        is_other_mail || (!self.is_of(request) && self.time < request.begin)
    }

    /// The next request for the same mail is handed over when this one is done.
    fn is_of(&self, request: &Request) -> bool {
        self.handed
            .is_none_or(|handed| (handed - request.handed).abs() <= SECOND)
    }

    fn carries(&self, d: &Delivery<'_>, request: &Request, time: Time) -> bool {
        self.is_to(d)
            && self.ended.is_none_or(|ended| ended >= time)
            && self.is_reused == d.conn_use.is_some_and(|n| n > 1)
            && self.queue_id.as_deref().is_none_or(|q| q == d.queue_id)
            && self.is_of(request)
            && self.time >= request.begin.plus(-TOLERANCE)
    }
}

impl Agents {
    pub(super) fn restore(
        connections: Vec<(Key, Connection)>,
        announcing: Vec<Announcing>,
    ) -> Self {
        Self {
            connections: connections.into_iter().collect(),
            announcing,
        }
    }

    pub(super) fn list(&self) -> impl Iterator<Item = (&Key, &Connection)> {
        self.connections.iter()
    }

    pub(super) fn announcing(&self) -> &[Announcing] {
        &self.announcing
    }

    /// `TLS connection established|reused to`.
    pub(super) fn announced(
        &mut self,
        line: &Line<'_>,
        peer: &Client<'_>,
        is_reused: bool,
        tls: &str,
    ) {
        if line.entry.pid.is_none() || !is_agent(line) {
            return;
        }
        self.announces(line, is_reused);
        let connection = Connection {
            time: line.time,
            last: line.time,
            is_reused,
            name: text(peer.name),
            address: text(peer.address),
            port: peer.port,
            tls: text(tls),
            ..Connection::default()
        };
        let key = key(line, &Client::default());
        if let Some(known) = self.connections.get_mut(&key) {
            *known = connection;
            return;
        }
        if self.connections.len() >= CONNECTION_LIMIT {
            self.shed();
        }
        self.connections.insert(Key::from(&key), connection);
    }

    fn announces(&mut self, line: &Line<'_>, is_reused: bool) {
        let ident = line.entry.ident;
        let known = self
            .announcing
            .iter_mut()
            .find(|a| a.host == line.host && a.ident == ident);
        if let Some(known) = known {
            // A clock that went back, or a day without: what was proved is too long ago.
            if line.time < known.since || line.time.since(known.last) > DAY {
                known.since = line.time;
            }
            known.last = line.time;
            known.is_proxied |= is_reused;
            return;
        }
        if self.announcing.len() >= NAME_LIMIT {
            self.announcing.remove(0);
        }
        self.announcing.push(Announcing {
            host: line.host,
            ident: text(ident),
            since: line.time,
            last: line.time,
            is_proxied: is_reused,
        });
    }

    /// A line about one server, without verdict on the mail.
    pub(super) fn noted(&mut self, line: &Line<'_>, queue_id: Option<&str>, note: &str) {
        if self.connections.is_empty() || !is_agent(line) {
            return;
        }
        let key = key(line, &Client::default());
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        // A refusal of one recipient or mail leaves the session as it is. All else ends it, and the next one to the same
        // server may be in the clear on purpose (a fallback after a failure).
        match queue_id.filter(|_| is_reply(note)) {
            Some(q)
                if connection
                    .queue_id
                    .as_deref()
                    .is_none_or(|known| known == q) =>
            {
                connection.queue_id = Some(text(q));
                connection.last = line.time;
            }
            _ if connection.is_named_by(note) => {
                self.connections.remove(&key);
            }
            // The process is at another server now; its records of this second may stand behind.
            _ => {
                connection.ended.get_or_insert(line.time);
            }
        }
    }

    /// Returns what is known of the connection that a record tells of.
    pub(super) fn wire(&mut self, line: &Line<'_>, d: &Delivery<'_>) -> Wire {
        if self.announcing.is_empty() || !is_agent(line) || line.entry.pid.is_none() {
            return Wire::Unknown;
        }
        let request = Request::of(line, d);
        let key = key(line, &Client::default());
        if let Some(connection) = self.connections.get_mut(&key) {
            if connection.carries(d, &request, line.time) {
                connection.last = line.time;
                connection.queue_id.get_or_insert_with(|| text(d.queue_id));
                connection.handed = Some(request.handed);
                return Wire::Tls(connection.tls.clone());
            }
            let is_past = connection.ended.is_some_and(|ended| ended < line.time);
            if is_past {
                self.connections.remove(&key);
            } else if connection.is_of_another(d, &request) {
                connection.ended.get_or_insert(line.time);
            } else if connection.is_to(d) || connection.time < request.begin.plus(-TOLERANCE) {
                return Wire::Unknown;
            }
        }
        if self.is_clear(line, d, &request) {
            Wire::Clear
        } else {
            Wire::Unknown
        }
    }

    fn is_clear(&self, line: &Line<'_>, d: &Delivery<'_>, request: &Request) -> bool {
        let is_proof = |a: &Announcing| {
            a.host == line.host
                && a.ident == line.entry.ident
                && !a.is_proxied
                && a.since.plus(SECOND) <= request.begin
                && line.time.since(a.last) <= DAY
        };
        d.status == "sent"
            && d.relay.port.is_some()
            && d.conn_use.is_none_or(|n| n < 2)
            && self.announcing.iter().any(is_proof)
    }

    /// The mail system started, stopped or read its settings anew, or lines were lost.
    pub(super) fn doubt(&mut self, host: u32) {
        self.announcing.retain(|a| a.host != host);
    }

    /// Forgets what is past use: no session lasts an hour without a line.
    pub(super) fn sweep(&mut self, host: u32, clock: Time) {
        let before = clock.plus(-HOUR);
        self.connections
            .retain(|key, c| key.host != host || c.last >= before);
        let before = clock.plus(-DAY);
        self.announcing
            .retain(|a| a.host != host || a.last >= before);
    }

    /// Forgets the quarter that was silent for longest.
    fn shed(&mut self) {
        let mut all: Vec<(Time, Key)> = self
            .connections
            .iter()
            .map(|(key, c)| (c.last, key.clone()))
            .collect();
        all.sort_unstable();
        for (_, key) in all.into_iter().take(CONNECTION_LIMIT / 4) {
            self.connections.remove(&key);
        }
    }
}

impl Correlator {
    /// Returns the `tls` of a record that has none of its own.
    pub(super) fn wire_of(&self, line: &Line<'_>, wire: Wire, id: i64) -> Option<Text> {
        match wire {
            Wire::Tls(tls) => Some(tls),
            // Where the beginning is missing, the line of the connection may be missing, too.
            Wire::Clear => self
                .mail
                .get(id)
                .filter(|m| m.row.size.is_some() && !m.lacks_lines(line.time))
                .map(|_| CLEAR),
            Wire::Unknown => None,
        }
    }
}

fn is_agent(line: &Line<'_>) -> bool {
    matches!(line.entry.program(), "smtp" | "lmtp")
}

/// `host name[address] said: ...`.
fn is_reply(note: &str) -> bool {
    note.strip_prefix("host ")
        .and_then(|rest| rest.split_once(' '))
        .is_some_and(|(_, rest)| rest.starts_with("said: "))
}
