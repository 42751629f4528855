//! Timeline: everything that happened to a mail, over all of its messages, in the order of time.

use super::Style;
use super::asked::Told;
use super::color::{Tone, tone};
use super::neighbour;
use super::row::{self, Row};
use super::story::Chain;
use super::verdict::{addressed, is_notice, relay_of, same_id, turned};
use super::words::{duration, is_temporary, prefixed, whole_seconds};
use super::wrap::wrapped;
use crate::model::row::{link, message_status};
use crate::model::time::{SECOND, Time};
use std::io::{self, Write};

/// Writes the timeline of those who are told.
pub(super) fn write(
    chain: &Chain<'_>,
    told: &Told<'_, '_>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut events = Vec::new();
    for refused in &chain.refusals {
        refusal(refused, &mut events);
    }
    let messages = &chain.messages;
    for message in messages {
        arrival(message, chain, &mut events);
        ending(message, &mut events);
    }
    let is_told = |n: &&Row<'_>| {
        let to = chain.recipient(n.int("to_id"));
        to.is_none() || told.is_in_timeline(to)
    };
    for n in chain.neighbours.iter().filter(is_told) {
        let message = message_of(messages, n);
        events.push(Happening {
            time: n.time("time"),
            rank: Rank::Attempt.of(message),
            queue_id: message.map(|m| m.text("queue_id")).unwrap_or_default(),
            text: neighbour::line(chain, n),
            tone: Tone::Plain,
        });
    }
    for attempt in &chain.attempts {
        let to = chain.recipient(attempt.int("to_id"));
        if !told.is_in_timeline(to) {
            continue;
        }
        let name = to.map_or_else(|| "-".into(), |r| addressed(chain, r));
        attempts(attempt, &name, message_of(messages, attempt), &mut events);
    }
    let recipients = chain.recipients.iter();
    for recipient in recipients.filter(|r| told.is_in_timeline(Some(r))) {
        attempts(
            recipient,
            &addressed(chain, recipient),
            message_of(messages, recipient),
            &mut events,
        );
    }
    draw(events, style, out)
}

/// Something that happened: when, in which message, what.
struct Happening {
    time: Option<Time>,
    /// Order of things at the same time, as Postfix logs them: stamps may be whole seconds.
    rank: Rank,
    queue_id: String,
    text: String,
    tone: Tone,
}

/// A notice follows the attempt that it is about, and is written before the message leaves the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Arrival,
    Attempt,
    NoticeArrival,
    End,
    NoticeAttempt,
    NoticeEnd,
}

impl Rank {
    fn of(self, message: Option<&Row<'_>>) -> Self {
        match self {
            _ if !message.is_some_and(is_notice) => self,
            Self::Arrival => Self::NoticeArrival,
            Self::Attempt => Self::NoticeAttempt,
            _ => Self::NoticeEnd,
        }
    }
}

fn message_of<'m, 'a>(messages: &'m [Row<'a>], row: &Row<'_>) -> Option<&'m Row<'a>> {
    let id = row.int("from_id");
    messages.iter().find(|m| same_id(m.int("id"), id))
}

/// An attempt that our smtpd refused before it accepted the mail.
fn refusal(n: &Row<'_>, events: &mut Vec<Happening>) {
    let what = turned(n);
    events.push(Happening {
        time: n.time("time"),
        rank: Rank::Arrival,
        queue_id: n.text("queue_id"),
        text: format!(
            "{} {what} on arrival{}{}",
            n.address("recipient"),
            prefixed(", client ", &n.client()),
            prefixed(": ", &n.said())
        ),
        tone: Tone::Waiting,
    });
}

fn arrival(m: &Row<'_>, chain: &Chain<'_>, events: &mut Vec<Happening>) {
    let parent = chain
        .messages
        .iter()
        .find(|p| same_id(p.int("id"), m.int("parent_id")));
    let of = parent
        .map(|p| format!(" {}{}", p.text("queue_id"), inferred(m, p)))
        .unwrap_or_default();
    let service = m.text("service");
    let user = prefixed(", user ", &m.user());
    let client = prefixed(" from ", &m.client());
    let text = match m.raw("parent_link") {
        Some(link::FILTER) if parent.is_some_and(|p| p.raw("status") == Some("discarded")) => {
            format!("submitted again, continues{of}")
        }
        Some(link::FILTER) => format!("back from the content filter, continues{of}"),
        Some(link::RELAY) => format!("received{client}, continues{of}"),
        Some(link::FORWARD) => format!("forwarded{}, continues{of}", alias(m, chain)),
        Some(link::REQUEUE) => format!("requeued, continues{of}"),
        Some(link::BOUNCE) => format!("notice of failure about{of}"),
        Some(link::DELAY) => format!("notice of delay about{of}"),
        Some(link::STATUS) => format!("notice of delivery about{of}"),
        _ if !client.is_empty() => format!("received{client}{}{user}", prefixed(" by ", &service)),
        _ if m.int("uid").is_some() => format!(
            "submitted on this host by user id {}",
            m.int("uid").unwrap_or_default()
        ),
        _ if m.raw("origin") == Some("unknown") => {
            "first seen; its arrival is not in the log".to_owned()
        }
        _ => format!("entered the queue{}", prefixed(" through ", &service)),
    };
    events.push(Happening {
        time: m.time("time"),
        rank: Rank::Arrival.of(Some(m)),
        queue_id: m.text("queue_id"),
        text,
        tone: Tone::Plain,
    });
}

/// Says so where no line names the message that this one continues.
fn inferred(m: &Row<'_>, parent: &Row<'_>) -> String {
    if !m.is_true("parent_inferred") {
        return String::new();
    }
    let apart = m.time("time").zip(parent.time("time"));
    let later = apart.map_or_else(String::new, |(time, before)| {
        format!(", {} s later", time.since(before).max(0) / SECOND)
    });
    format!(" (the log does not name it: same message id, sender and recipient{later})")
}

/// Returns the address whose mail the message is the forwarding of.
fn alias(m: &Row<'_>, chain: &Chain<'_>) -> String {
    let hop = chain.recipients.iter().find(|r| {
        same_id(r.int("from_id"), m.int("parent_id"))
            && r.raw("remote_queue_id").is_some()
            && r.raw("remote_queue_id") == m.raw("queue_id")
    });
    hop.map_or_else(String::new, |hop| format!(" for {}", addressed(chain, hop)))
}

/// Returns the status; what was refused for now is not refused.
fn said_status(row: &Row<'_>) -> String {
    if row.raw("status") == Some(message_status::REJECTED) && is_temporary(row) {
        "not accepted".to_owned()
    } else {
        row.text("status")
    }
}

fn ending(m: &Row<'_>, events: &mut Vec<Happening>) {
    let word = m.raw("status").unwrap_or_default();
    let time = match word {
        message_status::HELD => m.time("updated"),
        _ => m.time("removed"),
    };
    if time.is_none() {
        return;
    }
    let text = match word {
        message_status::DONE => "left the queue".to_owned(),
        _ => format!("{}{}", said_status(m), prefixed(": ", &m.text("reason"))),
    };
    events.push(Happening {
        time,
        rank: Rank::End.of(Some(m)),
        queue_id: m.text("queue_id"),
        text,
        tone: tone(word),
    });
}

fn attempts(attempt: &Row<'_>, name: &str, message: Option<&Row<'_>>, events: &mut Vec<Happening>) {
    let mut text = format!("{name} {}", said_status(attempt));
    if let Some(relay) = relay_of(attempt) {
        text.push_str(" via ");
        text.push_str(&relay);
    }
    text.push_str(&prefixed(": ", &attempt.said()));
    let parts = [
        "delay_before_qmgr",
        "delay_in_qmgr",
        "delay_conn_setup",
        "delay_transmission",
    ]
    .map(|part| attempt.float(part));
    if let (Some(delay), [Some(a), Some(b), Some(c), Some(d)]) = (attempt.float("delay"), parts) {
        let delay = duration(delay);
        text = format!("{text} [{delay}: received {a}, queued {b}, connected {c}, sent {d} s]");
    }
    let tls = attempt.text("tls");
    if !tls.is_empty() {
        text = format!("{text} [tls {tls}]");
    }
    let tone = tone(attempt.raw("status").unwrap_or_default());
    events.push(Happening {
        time: attempt.time("time"),
        rank: Rank::Attempt.of(message),
        queue_id: message.map(|m| m.text("queue_id")).unwrap_or_default(),
        text,
        tone,
    });
}

fn draw(mut events: Vec<Happening>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    events.sort_by_key(|event| (event.time, event.rank));
    let width = events
        .iter()
        .map(|event| event.queue_id.chars().count())
        .max()
        .unwrap_or(0);
    for event in events {
        let time = event.time.map_or_else(
            || " ".repeat(19),
            |t| row::time(whole_seconds(t), style.zone),
        );
        // Two blanks, the time, two blanks, the id, two blanks.
        let start = format!("  {time}  {:<width$}  ", event.queue_id);
        let hang = if style.width.is_some_and(|w| usize::from(w) < 100) {
            6
        } else {
            25 + width
        };
        wrapped(&start, &event.text, hang, event.tone, style, out)?;
    }
    Ok(())
}
