//! Correlate: Events -> Rows. What became of each mail, put together from single lines (grammar 6 to 8).
//!
//! `Correlator::feed` takes one entry and its event, `drain` hands out everything that changed since the last
//! drain, merged in memory: a message that opened and closed in between is one insert and no update.
//!
//! Promises: no clock, no file, no database; the same log gives the same rows however it is cut into batches,
//! and also when the correlator is restored from what was committed. Memory holds open messages, those closed
//! within the late-line span, and sessions; all else is bounded by a constant.
//!
//! Limits: a message is linked to its continuation only while both are in memory.
//!
//! | file | duty |
//! |---|---|
//! | `open` | open messages: generations, timers, leaving memory |
//! | `life` | the life cycle of a message, one function a kind of line |
//! | `early` | lines that come before the one that begins their message |
//! | `late` | lines that come after the one that ended a message |
//! | `moved` | hosts whose name changed |
//! | `scanner` | MailScanner on the hold queue |
//! | `postsuper` | deleted, requeued, held by an administrator |
//! | `recipient` | the state machine of one recipient |
//! | `content` | header, body and milter checks of cleanup |
//! | `ended` | sessions that ended within the second |
//! | `encoded` | subjects as people read them |
//! | `session` | sessions of smtpd, qmqpd and postscreen |
//! | `login` | logins |
//! | `process` | the process that wrote a line |
//! | `agent` | connections of smtp and lmtp with TLS |
//! | `refusal` | rows of refusals; actions that precede a queue id |
//! | `proxy` | the two smtpd of a before-queue filter |
//! | `turned` | whole messages that were not taken |
//! | `chain` | links between messages |
//! | `kin` | links that no line names |
//! | `notice` | warnings and notices by template and day |
//! | `neighbour` | what other mail daemons say of messages |
//! | `clock` | hosts, their clocks and timers |
//! | `state` | what no row holds, as JSON in parts |

mod agent;
mod chain;
mod clock;
mod content;
mod early;
mod encoded;
mod ended;
mod kin;
mod late;
mod life;
mod login;
mod moved;
mod neighbour;
mod notice;
mod open;
mod postsuper;
mod process;
mod proxy;
mod recipient;
mod refusal;
mod scanner;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod turned;

pub(crate) use encoded::decoded;
pub use state::BadState;
#[cfg(test)]
use state::message_ids;

use crate::cause::Causes;
use crate::model::entry::{Entry, Trust};
use crate::model::event::Event;
use crate::model::row::{Changes, LogLine, Text};
use crate::model::time::{DAY, HOUR, MINUTE, Time};
use serde::{Deserialize, Serialize};

/// Longest text that a column takes; Postfix cuts its own lines at 2000 bytes.
const TEXT_LIMIT: usize = 2048;

/// What the rules of grammar 7 and 8 leave to the site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `maximal_queue_lifetime`, in microseconds: an older generation does not take a record that does not fit.
    pub queue_lifetime: i64,
    /// Microseconds without a line after which an open message counts as lost; held ones never do.
    pub lost_after: i64,
    /// Microseconds after closing in which lines still belong to a message.
    pub late_span: i64,
    /// Microseconds after the end of the session when a message without a queue manager line is given up.
    pub not_received_after: i64,
    /// Closed messages kept at most.
    pub closed_limit: usize,
    /// Raw lines from this time on are kept; none: no raw lines.
    pub log_line_from: Option<Time>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue_lifetime: 5 * DAY,
            lost_after: 30 * DAY,
            late_span: 10 * MINUTE,
            not_received_after: HOUR,
            closed_limit: 50_000,
            log_line_from: None,
        }
    }
}

/// The last number given out.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Counter(i64);

impl Counter {
    fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0
    }
}

/// Ids of the rows, by table.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Ids {
    from: Counter,
    to: Counter,
    attempt: Counter,
    noqueue: Counter,
    connection: Counter,
    auth: Counter,
    #[serde(default)]
    neighbour: Counter,
}

/// What the handlers need to know of the current entry.
#[derive(Clone, Copy)]
struct Line<'a> {
    entry: &'a Entry<'a>,
    host: u32,
    time: Time,
    instance: &'a str,
    /// The first component of the identifier: the instance, or a label in place of it.
    tag: &'a str,
    /// Program with label.
    service: &'a str,
}

/// The row that a raw line belongs to.
#[derive(Debug, Clone, Copy, Default)]
struct Owner {
    from: Option<i64>,
    noqueue: Option<i64>,
    neighbour: Option<i64>,
}

impl From<Option<i64>> for Owner {
    fn from(from: Option<i64>) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }
}

/// Puts events together; see the module.
#[derive(Debug, Default)]
pub struct Correlator {
    settings: Settings,
    ids: Ids,
    hosts: clock::Hosts,
    mail: open::Mail,
    sessions: session::Sessions,
    agents: agent::Agents,
    links: chain::Awaited,
    early: early::Early,
    halves: proxy::Halves,
    supers: postsuper::SuperRuns,
    notices: notice::Notices,
    causes: Causes,
    out: Changes,
    /// Address probes of which lines may be in `out`.
    forgotten: Vec<i64>,
}

impl Correlator {
    /// Starts on an empty database.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Sets from which time on raw lines are kept.
    pub fn keep_lines_from(&mut self, time: Option<Time>) {
        self.settings.log_line_from = time;
    }

    /// Returns the number of messages in memory that have not left the queue.
    pub fn open_count(&self) -> usize {
        self.mail.messages.len() - self.mail.closed().count()
    }

    /// Takes one entry and what it means.
    pub fn feed(&mut self, entry: &Entry<'_>, event: &Event<'_>) {
        let host = self.hosts.number(entry.host);
        if entry.trust == Trust::Forged {
            let time = entry.time.unwrap_or_else(|| self.hosts.clock(host));
            self.forged(&line(entry, host, time));
            return;
        }
        let time = self.hosts.advance(host, entry.time);
        self.tick(host);
        self.settle_before(host, time);
        if self.hosts.get_mut(host).is_some_and(clock::Host::sweep_due) {
            self.sweep(host);
        }
        if matches!(event, Event::Ignored | Event::Foreign) {
            return;
        }
        if self.hosts.proves(host, entry.instance(), entry.program()) {
            self.relabel(host, entry.instance());
        }
        self.take(entry, event, host, time);
    }

    fn take(&mut self, entry: &Entry<'_>, event: &Event<'_>, host: u32, time: Time) {
        let sole = self.hosts.sole_instance(host, entry.instance());
        let mut line = line(entry, host, time);
        if let Some(sole) = &sole {
            line.instance = sole;
            line.service = entry.ident;
        }
        if self.waits(&line, event) {
            return;
        }
        let owner = self.dispatch(&line, event);
        // A change of status may bring the next timer nearer.
        if let Some(id) = owner.from {
            self.arm(id);
        }
        self.keep_line(&line, owner);
        self.begun(&line, event);
    }

    /// Returns everything that changed since the last drain.
    pub fn drain(&mut self) -> Changes {
        self.drop_forgotten();
        let next = self.out.like();
        let mut out = std::mem::replace(&mut self.out, next);
        self.mail.drain(&mut out);
        self.notices.drain(&mut out);
        out.state = self.save();
        out
    }

    fn dispatch(&mut self, line: &Line<'_>, event: &Event<'_>) -> Owner {
        match event {
            Event::Connect { client } => self.connect(line, client),
            Event::Disconnect { client, commands } => self.disconnect(line, client, commands),
            Event::Postscreen { client, action } => self.postscreen(line, client, action),
            Event::Abort {
                queue_id,
                abend,
                protocol_state,
                client,
                ..
            } => {
                return self
                    .abort(line, *queue_id, *abend, protocol_state, client)
                    .into();
            }
            Event::Tls { .. } => self.tls(line, event),
            Event::AuthFailure {
                client,
                sasl_method,
                sasl_username,
                reason,
            } => self.auth_failure(line, client, sasl_method, *sasl_username, reason),
            Event::Accept { .. } => return self.accept(line, event).into(),
            Event::ProxyAccept {
                queued_as, tail, ..
            } => {
                return self.proxy_accept(line, *queued_as, tail).into();
            }
            Event::Policy(policy) => return self.policy(line, policy),
            Event::Content(content) => return self.content(line, content),
            Event::Refusal {
                action,
                client,
                reason,
            } => return self.refusal(line, action, client, reason),
            Event::Problem { level, text } => self.problem(line, level.name(), text),
            Event::Master { text, .. } => self.master(line, text),
            Event::Loss { text, .. } => self.loss(line, text),
            Event::SuperSummary { action, count } => self.super_summary(line, action, *count),
            Event::Neighbour(neighbour) if neighbour.daemon == "MailScanner" => {
                return self.scanner(line, neighbour).into();
            }
            Event::Neighbour(neighbour) => return self.neighbour(line, neighbour),
            Event::Pickup { .. }
            | Event::MessageId { .. }
            | Event::Active { .. }
            | Event::Delivery(_)
            | Event::Expired { .. }
            | Event::Removed { .. }
            | Event::Notification { .. }
            | Event::Super { .. }
            | Event::Corrupt { .. }
            | Event::Note { .. }
            | Event::Passing { .. }
            | Event::AttemptNote { .. }
            | Event::Other { .. } => return self.about_message(line, event).into(),
            // They were left out before.
            Event::Ignored | Event::Foreign => {}
        }
        Owner::default()
    }

    /// Handles the lines that name a message and nothing else.
    fn about_message(&mut self, line: &Line<'_>, event: &Event<'_>) -> Option<i64> {
        if let Some(host) = self.hosts.get_mut(line.host) {
            host.learn(line.instance, line.entry.program());
        }
        Some(match event {
            Event::Pickup {
                queue_id,
                uid,
                sender,
                orig_id,
            } => self.pickup(line, queue_id, *uid, sender, *orig_id),
            Event::MessageId {
                queue_id,
                message_id,
                resent,
            } => self.message_id(line, queue_id, message_id, *resent),
            Event::Active {
                queue_id,
                sender,
                size,
                nrcpt,
            } => self.active(line, queue_id, sender, *size, *nrcpt),
            Event::Delivery(delivery) => self.delivery(line, delivery),
            Event::Expired {
                queue_id,
                sender,
                status,
            } => self.expired(line, queue_id, sender, status),
            Event::Removed { queue_id, removal } => return self.removed(line, queue_id, *removal),
            Event::Notification {
                queue_id,
                notice,
                notice_queue_id,
                ..
            } => self.notification(line, queue_id, *notice, notice_queue_id),
            Event::Super { queue_id, action } => self.super_action(line, queue_id, *action),
            Event::Corrupt { queue_id } => self.corrupt(line, queue_id),
            _ => return self.mentions(line, event),
        })
    }

    /// Handles the lines that name a message, and may tell of it in words only.
    fn mentions(&mut self, line: &Line<'_>, event: &Event<'_>) -> Option<i64> {
        match event {
            Event::Note {
                queue_id,
                level,
                text,
            } => self.note(line, *queue_id, *level, text),
            Event::Passing { queue_id, .. } => self.mention(line, queue_id),
            Event::AttemptNote { queue_id, reason } => {
                self.agents.noted(line, *queue_id, reason);
                self.mention(line, (*queue_id)?)
            }
            Event::Other { queue_id, .. } => self.mention(line, (*queue_id)?),
            // `dispatch` and `about_message` give none of these.
            Event::Pickup { .. }
            | Event::MessageId { .. }
            | Event::Active { .. }
            | Event::Delivery(_)
            | Event::Expired { .. }
            | Event::Removed { .. }
            | Event::Notification { .. }
            | Event::Super { .. }
            | Event::Corrupt { .. }
            | Event::Connect { .. }
            | Event::Disconnect { .. }
            | Event::Postscreen { .. }
            | Event::Abort { .. }
            | Event::Tls { .. }
            | Event::AuthFailure { .. }
            | Event::Accept { .. }
            | Event::ProxyAccept { .. }
            | Event::Policy(_)
            | Event::Content(_)
            | Event::Refusal { .. }
            | Event::Problem { .. }
            | Event::Master { .. }
            | Event::Loss { .. }
            | Event::SuperSummary { .. }
            | Event::Neighbour(_)
            | Event::Ignored
            | Event::Foreign => None,
        }
    }

    fn keep_line(&mut self, line: &Line<'_>, owner: Owner) {
        let is_young = self
            .settings
            .log_line_from
            .is_some_and(|from| line.time >= from);
        let from_id = owner
            .from
            .filter(|id| self.mail.get(*id).is_none_or(|m| !m.is_probe));
        let is_owned = from_id.is_some() || owner.noqueue.is_some() || owner.neighbour.is_some();
        if is_young && is_owned {
            self.out.log_lines.push(LogLine {
                time: line.time,
                host: self.host_name(line.host),
                from_id,
                noqueue_id: owner.noqueue,
                line: limited(line.entry.raw).to_owned(),
                neighbour_id: owner.neighbour.filter(|_| from_id.is_none()),
            });
        }
    }

    /// Looks for what silently came to nothing: idle sessions, links whose other end never appeared.
    fn sweep(&mut self, host: u32) {
        self.sweep_sessions(host);
        let clock = self.hosts.clock(host);
        self.links.sweep(host, clock.plus(-self.settings.late_span));
        self.agents.sweep(host, clock);
    }

    /// What looked like a label is an instance with a queue manager of its own.
    fn relabel(&mut self, host: u32, tag: &str) {
        let ids: Vec<i64> = self
            .mail
            .messages
            .values()
            .filter(|m| m.host == host && m.extra.label.as_deref() == Some(tag))
            .map(|m| m.row.id)
            .collect();
        for id in ids {
            if let Some(m) = self.mail.edit(id) {
                m.relabel(tag);
            }
            self.relink(id);
        }
        self.sessions.relabel(host, tag);
    }

    fn host_name(&self, host: u32) -> Text {
        self.hosts
            .get(host)
            .map(|h| h.name.clone())
            .unwrap_or_default()
    }
}

fn line<'a>(entry: &'a Entry<'a>, host: u32, time: Time) -> Line<'a> {
    let tag = entry.instance();
    Line {
        entry,
        host,
        time,
        instance: tag,
        tag,
        service: entry.service(),
    }
}

/// Cuts at the limit of a column, never inside a character.
fn limited(s: &str) -> &str {
    if s.len() <= TEXT_LIMIT {
        return s;
    }
    let end = (0..=TEXT_LIMIT).rev().find(|n| s.is_char_boundary(*n));
    s.split_at(end.unwrap_or(0)).0
}

fn text(s: &str) -> Text {
    Text::from(limited(s))
}

/// Text that counts as absent when empty.
fn some(s: &str) -> Option<Text> {
    (!s.is_empty()).then(|| text(s))
}
