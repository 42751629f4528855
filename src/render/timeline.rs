//! Timeline: what happened to a mail, a line each.

use super::Style;
use super::color::{Tone, tone};
use super::neighbour;
use super::part::{address, addressed, client, said, text, user};
use super::row;
use super::words::{duration, prefixed, turned, whole_seconds};
use super::wrap::wrapped;
use crate::model::row::{link, message_status};
use crate::model::time::SECOND;
use crate::story::{Arrival, Happening, Message, Refusal, Reply, Try, What};
use std::io::{self, Write};

/// Writes the timeline.
pub(super) fn write(
    timeline: &[Happening<'_>],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let ids: Vec<String> = timeline.iter().map(|event| text(event.queue_id)).collect();
    let width = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    for (event, queue_id) in timeline.iter().zip(&ids) {
        let time = event.time.map_or_else(
            || " ".repeat(19),
            |t| row::time(whole_seconds(t), style.zone),
        );
        // Two blanks, the time, two blanks, the id, two blanks.
        let start = format!("  {time}  {queue_id:<width$}  ");
        let hang = if style.width.is_some_and(|w| usize::from(w) < 100) {
            6
        } else {
            25 + width
        };
        let (tone, text) = line(&event.what);
        let text = format!("{text}{}", prefixed(", by ", &self::text(event.by)));
        wrapped(&start, &text, hang, tone, style, out)?;
    }
    Ok(())
}

fn line(what: &What<'_>) -> (Tone, String) {
    match what {
        What::Refused(refusal) => (Tone::Waiting, refused(refusal)),
        What::Arrived(message, how) => (Tone::Plain, arrival(message, how)),
        What::Deed(to, deed) => (Tone::Plain, neighbour::line(to.as_ref(), deed)),
        What::Attempt(to, attempt) => {
            let name = to.as_ref().map_or_else(|| "-".into(), addressed);
            (
                tone(attempt.status.unwrap_or_default()),
                tried(&name, attempt),
            )
        }
        What::Ended(message) => (tone(message.status.unwrap_or_default()), ending(message)),
    }
}

/// An attempt that our smtpd refused before it accepted the mail.
fn refused(refusal: &Refusal<'_>) -> String {
    format!(
        "{} {} on arrival{}{}",
        address(refusal.recipient),
        turned(&refusal.reply),
        prefixed(", client ", &client(&refusal.client)),
        prefixed(": ", &said(&refusal.reply))
    )
}

fn arrival(m: &Message<'_>, how: &Arrival<'_>) -> String {
    match how {
        Arrival::Continues {
            link,
            parent,
            alias,
        } => {
            let of = parent.as_ref().map_or_else(String::new, |parent| {
                format!(" {}{}", text(parent.queue_id), inferred(m, parent))
            });
            let status = parent.as_ref().and_then(|parent| parent.status);
            let alias = alias.as_ref().map(addressed);
            let alias = alias.map_or_else(String::new, |alias| format!(" for {alias}"));
            let from = prefixed(" from ", &client(&m.client));
            match *link {
                link::FILTER if status == Some(message_status::DISCARDED) => {
                    format!("submitted again, continues{of}")
                }
                link::FILTER => format!("back from the content filter, continues{of}"),
                link::RELAY => format!("received{from}, continues{of}"),
                link::FORWARD => format!("forwarded{alias}, continues{of}"),
                link::REQUEUE => format!("requeued, continues{of}"),
                link::BOUNCE => format!("notice of failure about{of}"),
                link::DELAY => format!("notice of delay about{of}"),
                _ => format!("notice of delivery about{of}"),
            }
        }
        Arrival::Received => format!(
            "received from {}{}{}",
            client(&m.client),
            prefixed(" by ", &text(m.service)),
            prefixed(", user ", &user(&m.login))
        ),
        Arrival::Submitted(uid) => format!("submitted on this host by user id {uid}"),
        Arrival::FirstSeen => "first seen; its arrival is not in the log".to_owned(),
        Arrival::Entered => format!(
            "entered the queue{}",
            prefixed(" through ", &text(m.service))
        ),
    }
}

/// Says so where no line names the message that this one continues.
fn inferred(m: &Message<'_>, parent: &Message<'_>) -> String {
    if !m.parent_inferred {
        return String::new();
    }
    let apart = m.time.zip(parent.time);
    let later = apart.map_or_else(String::new, |(time, before)| {
        format!(", {} s later", time.since(before).max(0) / SECOND)
    });
    format!(" (the log does not name it: same message id, sender and recipient{later})")
}

/// Returns the status; what was refused for now is not refused.
fn said_status(status: Option<&str>, reply: &Reply<'_>) -> String {
    if status == Some(message_status::REJECTED) && reply.is_temporary() {
        "not accepted".to_owned()
    } else {
        text(status)
    }
}

fn ending(m: &Message<'_>) -> String {
    match m.status.unwrap_or_default() {
        message_status::DONE => "left the queue".to_owned(),
        // Why it was held before is told where that happened.
        message_status::DELETED if m.reply.reason == Some("placed on hold") => text(m.status),
        _ => format!(
            "{}{}",
            said_status(m.status, &m.reply),
            prefixed(": ", &text(m.reply.reason))
        ),
    }
}

fn tried(name: &str, attempt: &Try<'_>) -> String {
    let mut line = format!("{name} {}", said_status(attempt.status, &attempt.reply));
    if let Some(relay) = attempt.place() {
        line.push_str(" via ");
        line.push_str(&text(Some(relay)));
    }
    line.push_str(&prefixed(": ", &said(&attempt.reply)));
    if let (Some(delay), [Some(a), Some(b), Some(c), Some(d)]) = (attempt.delay, attempt.delays) {
        let delay = duration(delay);
        line = format!("{line} [{delay}: received {a}, queued {b}, connected {c}, sent {d} s]");
    }
    let tls = text(attempt.tls);
    if !tls.is_empty() {
        line = format!("{line} [tls {tls}]");
    }
    line
}
