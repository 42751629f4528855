//! Session: what one smtpd, qmqpd or postscreen client does between connect and disconnect (grammar 7.4).
//!
//! Promises: TLS, actions before a queue id, logins and aborts are attached to the message of that process.
//! A session without a `connect` line is opened implicitly. A new `connect` under the same pid supersedes the
//! old session, which still takes its own late `disconnect` (containers that share a pid name space log so).
//!
//! Limits: idle sessions end as `unknown` after a day, or when there are too many.

use super::ended::Ended;
use super::process::{Key, KeyRef, key};
use super::refusal::is_act;
use super::{Correlator, Line, some, text};
use crate::model::event::{Abend, Client, Direction, Event, Tail};
use crate::model::row::{
    Connection, Noqueue, Text, message_status as status, recipient_status as recipient,
};
use crate::model::time::{DAY, SECOND, Time};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// More sessions than any host runs; beyond it the longest idle ones are given up.
const SESSION_LIMIT: usize = 20_000;
/// Sessions under one pid at a time.
const STACK_LIMIT: usize = 16;
/// Actions waiting for a queue id, users seen: a session has few of either.
const LIST_LIMIT: usize = 32;

/// An action that came before the queue id it belongs to (golden rule 8).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) action: Text,
    pub(super) reason: Text,
    pub(super) sender: Option<Text>,
    pub(super) recipient: Option<Text>,
}

/// What smtpd told about a client whose mail went through a before-queue filter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Proxied {
    sasl_method: Option<Text>,
    sasl_username: Option<Text>,
}

/// A session in progress.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Session {
    time: Time,
    last: Time,
    has_start: bool,
    count: i32,
    pid: Option<u32>,
    instance: Text,
    service: Text,
    name: Option<Text>,
    address: Option<Text>,
    port: Option<u16>,
    tls: Option<Text>,
    outcome: Option<Text>,
    /// The message that this process is taking or took last.
    current: Option<i64>,
    pending: Vec<Pending>,
    users: Vec<Text>,
    proxied: Option<Proxied>,
    /// When and how the client was gone, for the message that it was sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aborted: Option<(Time, Text)>,
}

/// Sessions by process.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    map: HashMap<Key, Vec<Session>>,
    pub(super) ended: Ended<Session>,
}

/// What a session hands to the message it created.
pub(super) struct Taken {
    pub(super) tls: Option<Text>,
    pub(super) pending: Vec<Pending>,
    pub(super) previous: Option<i64>,
    /// The end of the session came before.
    pub(super) is_ended: bool,
    /// So did the line that says that the client was gone within this message.
    pub(super) aborted: Option<Text>,
}

impl Sessions {
    pub(super) fn restore(list: Vec<(Key, Vec<Session>)>, ended: Ended<Session>) -> Self {
        Self {
            map: list.into_iter().collect(),
            ended,
        }
    }

    pub(super) fn list(&self) -> impl Iterator<Item = (&Key, &Vec<Session>)> {
        self.map.iter()
    }

    /// The tag of a process turned out to be an instance.
    pub(super) fn relabel(&mut self, host: u32, tag: &str) {
        for (key, stack) in &mut self.map {
            let Some((instance, service)) = key.ident.split_once('/') else {
                continue;
            };
            if key.host == host && instance == tag {
                for session in stack {
                    session.instance = text(instance);
                    session.service = text(service);
                }
            }
        }
    }

    /// Returns the session of this process with that client, else its newest.
    fn get(&mut self, line: &Line<'_>, client: &Client<'_>) -> Option<&mut Session> {
        let key = key(line, client);
        if self.is_over(&key, line, client) {
            return self.ended.get(&key, line.time, |s| s.may_be_of(client));
        }
        let stack = self.map.get_mut(&key)?;
        let at = position(stack, client);
        let session = stack.get_mut(at)?;
        session.last = line.time;
        Some(session)
    }

    pub(super) fn get_or_open(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
    ) -> Option<&mut Session> {
        let key = key(line, client);
        if self.is_over(&key, line, client) {
            return self.ended.get(&key, line.time, |s| s.may_be_of(client));
        }
        if !self.map.contains_key(&key) {
            let session = Session::new(line, client, false);
            self.map.insert(Key::from(&key), vec![session]);
        }
        let stack = self.map.get_mut(&key)?;
        let at = position(stack, client);
        let session = stack.get_mut(at)?;
        session.last = line.time;
        Some(session)
    }

    /// Tells whether the session of a line ended within this second and no other fits.
    fn is_over(&mut self, key: &KeyRef<'_>, line: &Line<'_>, client: &Client<'_>) -> bool {
        let is_open = self.map.get(key).is_some_and(|stack| {
            client.address.is_empty() || stack.iter().any(|s| s.is_of(client))
        });
        !is_open
            && self
                .ended
                .get(key, line.time, |s| s.may_be_of(client))
                .is_some()
    }

    /// Tells whether other lines of the session that begins came first.
    ///
    /// Where the log begins the session may be another, of which it has the end only.
    fn is_begun(&mut self, key: &KeyRef<'_>, line: &Line<'_>, client: &Client<'_>) -> bool {
        let is_it = |s: &Session| !s.has_start && s.time == line.time && s.is_of(client);
        let open = self.map.get_mut(key).into_iter().flatten();
        let session = open.rev().find(|s| is_it(s)).or_else(|| {
            self.ended
                .get(key, line.time, |s| s.may_be_of(client))
                .filter(|s| is_it(s))
        });
        session.is_some_and(|s| !std::mem::replace(&mut s.has_start, true))
    }
}

impl Session {
    fn new(line: &Line<'_>, client: &Client<'_>, has_start: bool) -> Self {
        Self {
            time: line.time,
            last: line.time,
            has_start,
            count: i32::try_from(line.entry.copies()).unwrap_or(i32::MAX),
            pid: line.entry.pid,
            instance: text(line.instance),
            service: text(line.service),
            name: some(client.name),
            address: some(client.address),
            port: client.port,
            ..Self::default()
        }
    }

    pub(super) fn is_of(&self, client: &Client<'_>) -> bool {
        self.address.as_deref() == Some(client.address)
    }

    /// The same of a line that may not name its client.
    fn may_be_of(&self, client: &Client<'_>) -> bool {
        client.address.is_empty() || self.is_of(client)
    }

    /// Remembers a user; tells whether it was known.
    pub(super) fn has_user(&mut self, user: &str) -> bool {
        if self.users.iter().any(|u| u == user) {
            return true;
        }
        if self.users.len() < LIST_LIMIT {
            self.users.push(text(user));
        }
        false
    }

    /// Returns what lines of it may still ask for, now that it ends.
    fn rest(&mut self) -> Self {
        Self {
            time: self.time,
            last: self.last,
            has_start: self.has_start,
            address: self.address.clone(),
            tls: self.tls.clone(),
            pending: std::mem::take(&mut self.pending),
            users: std::mem::take(&mut self.users),
            proxied: self.proxied.take(),
            aborted: self.aborted.take(),
            ..Self::default()
        }
    }
}

fn position(stack: &[Session], client: &Client<'_>) -> usize {
    // XCLIENT changes the client within a session, so no match means the newest.
    stack
        .iter()
        .rposition(|s| s.address.as_deref() == Some(client.address))
        .unwrap_or(stack.len().saturating_sub(1))
}

impl Correlator {
    pub(super) fn connect(&mut self, line: &Line<'_>, client: &Client<'_>) {
        let key = key(line, client);
        let first = self.hosts.get(line.host).and_then(|host| host.first);
        if first < Some(line.time) && self.sessions.is_begun(&key, line, client) {
            return;
        }
        let mut session = Session::new(line, client, true);
        session.current = self.taken_before(line, &key, client);
        if let Some(stack) = self.sessions.map.get_mut(&key) {
            let oldest = (stack.len() >= STACK_LIMIT).then(|| stack.remove(0));
            stack.push(session);
            if let Some(oldest) = oldest {
                self.end_session(line.host, oldest, None, None, "unknown");
            }
            return;
        }
        if self.sessions.map.len() >= SESSION_LIMIT {
            self.shed_sessions();
        }
        self.sessions.map.insert(Key::from(&key), vec![session]);
    }

    /// Takes a message from an older session of the process that never ended in the log: its `client=` came before the `connect`
    /// of the same second.
    fn taken_before(
        &mut self,
        line: &Line<'_>,
        key: &KeyRef<'_>,
        client: &Client<'_>,
    ) -> Option<i64> {
        let Self { sessions, mail, .. } = self;
        let session = sessions.map.get_mut(key)?.last_mut()?;
        let id = session.current.filter(|_| !session.is_of(client))?;
        let m = mail.get(id)?;
        let is_its = m.row.client_address.as_deref() == Some(client.address);
        if !is_its || m.row.time != line.time {
            return None;
        }
        session.current = None;
        if let Some(m) = mail.edit(id) {
            m.row.tls = None;
        }
        Some(id)
    }

    pub(super) fn disconnect(&mut self, line: &Line<'_>, client: &Client<'_>, commands: &str) {
        self.close_session(line, client, commands, "closed");
    }

    fn close_session(&mut self, line: &Line<'_>, client: &Client<'_>, commands: &str, word: &str) {
        let key = key(line, client);
        let mut session = match self.sessions.map.get_mut(&key) {
            None => Session::new(line, client, false),
            Some(stack) => {
                let session = stack.remove(position(stack, client));
                if stack.is_empty() {
                    self.sessions.map.remove(&key);
                }
                session
            }
        };
        let rest = session.rest();
        self.sessions.ended.add(Key::from(&key), rest, line.time);
        self.end_session(line.host, session, Some(line.time), some(commands), word);
    }

    /// postscreen's own words: a client that passed is smtpd's from then on.
    pub(super) fn postscreen(&mut self, line: &Line<'_>, client: &Client<'_>, action: &str) {
        if action.starts_with("PASS") {
            self.close_session(line, client, "", action);
        } else if let Some(session) = self.sessions.get(line, client)
            && matches!(action, "HANGUP" | "PREGREET")
        {
            session.outcome.get_or_insert_with(|| text(action));
        }
    }

    fn end_session(
        &mut self,
        host: u32,
        session: Session,
        end: Option<Time>,
        commands: Option<Text>,
        word: &str,
    ) {
        if let (Some(current), Some(end)) = (session.current, end) {
            self.session_ended(current, end);
        }
        let micros = end
            .filter(|_| session.has_start)
            .map(|end| end.since(session.time).max(0));
        #[expect(clippy::cast_precision_loss, reason = "a session lasts no centuries")]
        let duration = micros.map(|micros| micros as f64 / 1e6);
        self.out.connections.push(Connection {
            id: self.ids.connection.next(),
            time: session.time,
            duration,
            host: self
                .hosts
                .get(host)
                .map(|h| h.name.clone())
                .unwrap_or_default(),
            instance: session.instance,
            service: session.service,
            pid: session.pid,
            client_name: session.name,
            client_address: session.address,
            client_port: session.port,
            commands,
            tls: session.tls,
            outcome: session.outcome.unwrap_or_else(|| text(word)),
            count: session.count,
        });
    }

    /// `timeout|lost connection|too many errors after`.
    pub(super) fn abort(
        &mut self,
        line: &Line<'_>,
        queue_id: Option<&str>,
        abend: Abend,
        state: &str,
        client: &Client<'_>,
    ) -> Option<i64> {
        let what = match abend {
            Abend::Timeout => "timeout",
            Abend::LostConnection => "lost connection",
            Abend::TooManyErrors => "too many errors",
            Abend::BareLf => "bare <LF> received",
        };
        let outcome = text(&format!("{what} after {state}"));
        let mut current = None;
        if let Some(session) = self.sessions.get_or_open(line, client) {
            session.outcome = Some(outcome.clone());
            session.pending.clear();
            current = session.current.take();
            // The line that names the message may come behind.
            if queue_id.is_none() && state != "END-OF-MESSAGE" {
                session.aborted = Some((line.time, outcome.clone()));
            }
        }
        let named = queue_id.and_then(|q| self.find(line, q, super::open::Says::Reception));
        let id = named.or(current)?;
        let is_taking = self.mail.get(id).is_some_and(|m| {
            let is_canceled = named.is_some() && m.is_canceled_only(line.time);
            m.row.status == status::RECEIVING || is_canceled
        });
        if named.is_some() {
            self.touch(line, id);
        }
        // After END-OF-MESSAGE the client had its answer; before it, nothing was received.
        if !is_taking || state == "END-OF-MESSAGE" {
            return named;
        }
        self.cancel(line, id, &outcome);
        if let Some(m) = self.mail.edit(id) {
            // Before 3.10 the line names no id: the queue manager may still prove otherwise.
            m.extra.is_guess = named.is_none();
        }
        Some(id)
    }

    /// The client was gone before the end of the message.
    pub(super) fn cancel(&mut self, line: &Line<'_>, id: i64, outcome: &str) {
        let words = (status::CANCELED, recipient::CANCELED);
        self.end_reception(line, id, words.0, words.1, outcome, None);
    }

    /// `... TLS connection established from|to`.
    pub(super) fn tls(&mut self, line: &Line<'_>, event: &Event<'_>) {
        let Event::Tls {
            direction,
            trust,
            is_reused,
            client,
            protocol,
            cipher,
        } = event
        else {
            return;
        };
        match direction {
            Direction::Inbound => {
                if line.entry.program() == "smtpd"
                    && let Some(session) = self.sessions.get_or_open(line, client)
                {
                    let tls = text(&format!("{protocol} {cipher}"));
                    session.tls = Some(tls.clone());
                    let current = session.current;
                    self.late_tls(line, current, tls);
                }
            }
            Direction::Outbound => {
                let tls = format!("{protocol} {cipher} {trust}");
                self.agents.announced(line, client, *is_reused, &tls);
            }
        }
    }

    /// Takes over what the session knows into a message that it created.
    pub(super) fn taken(&mut self, line: &Line<'_>, client: &Client<'_>, id: i64) -> Taken {
        let mut taken = Taken {
            tls: None,
            pending: Vec::new(),
            previous: None,
            is_ended: false,
            aborted: None,
        };
        let key = key(line, client);
        taken.is_ended = self.sessions.is_over(&key, line, client);
        if let Some(session) = self.sessions.get_or_open(line, client) {
            taken.tls.clone_from(&session.tls);
            let aborted = session.aborted.as_ref().filter(|(at, _)| *at == line.time);
            taken.aborted = aborted.map(|(_, outcome)| outcome.clone());
            taken.pending = std::mem::take(&mut session.pending);
            taken.previous = session
                .current
                .replace(id)
                .filter(|previous| *previous != id);
        }
        taken
    }

    /// Keeps an action until the queue id is known; another sender means that the earlier ones came to nothing.
    pub(super) fn pend(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
        action: Option<&str>,
        reason: &str,
        tail: &Tail<'_>,
    ) {
        let Some(session) = self.sessions.get_or_open(line, client) else {
            return;
        };
        // Refused: what a line before said of that recipient came to nothing.
        let is_off = |p: &Pending| action.is_none() && p.recipient.as_deref() == tail.recipient;
        session
            .pending
            .retain(|p| p.sender.as_deref() == tail.sender && (is_act(&p.action) || !is_off(p)));
        // What decides the fate of the mail must find room.
        let limit = LIST_LIMIT / if action.is_some_and(is_act) { 1 } else { 2 };
        if let Some(action) = action
            && session.pending.len() < limit
        {
            session.pending.push(Pending {
                action: text(action),
                reason: text(reason),
                sender: tail.sender.map(text),
                recipient: tail.recipient.map(text),
            });
        }
    }

    /// `NOQUEUE: client=`: the mail goes through a before-queue filter.
    pub(super) fn proxied(
        &mut self,
        line: &Line<'_>,
        client: &Client<'_>,
        sasl_method: Option<&str>,
        sasl_username: Option<&str>,
    ) {
        if let Some(session) = self.sessions.get_or_open(line, client) {
            session.proxied = Some(Proxied {
                sasl_method: sasl_method.map(text),
                sasl_username: sasl_username.map(text),
            });
        }
    }

    /// Returns the row of a refusal whose line names no client, with the client of the session.
    pub(super) fn with_session_client(&mut self, line: &Line<'_>, row: Noqueue) -> Noqueue {
        let Some(session) = self.sessions.get(line, &Client::default()) else {
            return row;
        };
        let (sasl_method, sasl_username) = session
            .proxied
            .clone()
            .map(|p| (p.sasl_method, p.sasl_username))
            .unwrap_or_default();
        Noqueue {
            client_name: session.name.clone(),
            client_address: session.address.clone(),
            client_port: session.port,
            sasl_method: row.sasl_method.or(sasl_method),
            sasl_username: row.sasl_username.or(sasl_username),
            ..row
        }
    }

    /// `proxy-accept:`: the filter's reply names the id after it; the client of this session sent that mail.
    pub(super) fn proxy_accept(
        &mut self,
        line: &Line<'_>,
        queued_as: Option<&str>,
        tail: &Tail<'_>,
    ) -> Option<i64> {
        // The line names no client: the pid has one session.
        let session = self.sessions.get(line, &Client::default())?.clone();
        let queue_id = queued_as?;
        let earliest = session.time.plus(-5 * SECOND);
        let found = self.mail.generations(queue_id).filter(|m| {
            m.host == line.host
                && m.row.time >= earliest
                && m.row.time <= line.time.plus(5 * SECOND)
        });
        let id = found.map(|m| m.row.id).max()?;
        let m = self.mail.edit(id)?;
        if let (Some(name), Some(address)) = (&session.name, &session.address) {
            let client = || text(&format!("{name}[{address}]"));
            m.row.orig_client.get_or_insert_with(client);
        }
        let proxied = session.proxied.unwrap_or_default();
        m.row.sasl_method = m.row.sasl_method.take().or(proxied.sasl_method);
        m.row.sasl_username = m.row.sasl_username.take().or(proxied.sasl_username);
        m.row.helo_name = m.row.helo_name.take().or_else(|| tail.helo_name.map(text));
        m.row.protocol_name = m
            .row
            .protocol_name
            .take()
            .or_else(|| tail.protocol_name.map(text));
        m.row.tls = m.row.tls.take().or(session.tls);
        Some(id)
    }

    /// Ends the sessions of a host that were idle for a day.
    pub(super) fn sweep_sessions(&mut self, host: u32) {
        let before = self.hosts.clock(host).plus(-DAY);
        self.give_up_sessions(|key, s| key.host == host && s.last < before);
    }

    /// Gives up the longest idle quarter of all sessions.
    fn shed_sessions(&mut self) {
        let mut last: Vec<Time> = self
            .sessions
            .map
            .values()
            .flatten()
            .map(|s| s.last)
            .collect();
        let (_, before, _) = last.select_nth_unstable(SESSION_LIMIT / 4);
        let before = *before;
        self.give_up_sessions(|_, s| s.last <= before);
    }

    fn give_up_sessions(&mut self, is_idle: impl Fn(&Key, &Session) -> bool) {
        let mut gone = Vec::new();
        self.sessions.map.retain(|key, stack| {
            stack.retain(|session| {
                let is_idle = is_idle(key, session);
                if is_idle {
                    gone.push((session.time, key.clone(), session.clone()));
                }
                !is_idle
            });
            !stack.is_empty()
        });
        // The map has no order, ids of rows must have one.
        gone.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (_, key, session) in gone {
            let end = session.last;
            if let Some(current) = session.current {
                self.session_ended(current, end);
            }
            self.end_session(key.host, session, None, None, "unknown");
        }
    }
}
