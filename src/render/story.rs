//! Story: what became of one mail: a sentence for each recipient, then the timeline of all its messages.
//!
//! A mail may be several messages: a filter, an alias or a requeue made a new one of it, and a notice may be about it. Who handed it on
//! is told in the timeline; the sentence comes from the message that carries the fate.
//! Limits: nothing is guessed: what the log does not say is said to be missing.

use super::Style;
use super::color::{Tone, tone};
use super::escape::terminal;
use super::row::{self, Row, rows};
use crate::model::row::{link, message_status, recipient_status as status};
use crate::model::table::Table;
use crate::model::time::Time;
use std::io::{self, Write};

/// All of a chain, as `query::story` fetches it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoryInput {
    /// Its messages.
    pub messages: Table,
    /// Their recipients.
    pub recipients: Table,
    /// Attempts that were not the last of their recipient.
    pub attempts: Table,
}

/// Recipients told one by one; the timeline has all.
const MOST_VERDICTS: usize = 20;

/// Writes the story of a mail.
///
/// # Errors
/// When `out` does not take it.
pub fn write(story: &StoryInput, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let messages: Vec<Row<'_>> = rows(&story.messages).collect();
    let recipients: Vec<Row<'_>> = rows(&story.recipients).collect();
    let Some(first) = messages.iter().find(|m| !is_notice(m)).or(messages.first()) else {
        return Ok(());
    };
    let verdicts = verdicts(&messages, &recipients, style);
    for (tone, sentence) in verdicts.iter().take(MOST_VERDICTS) {
        writeln!(out, "{}", tone.paint(sentence, style.color))?;
    }
    if verdicts.len() > MOST_VERDICTS {
        writeln!(
            out,
            "and {} more recipients, see below",
            verdicts.len() - MOST_VERDICTS
        )?;
    }
    if messages.iter().any(|m| m.is_true("log_incomplete")) {
        writeln!(out, "Part of its log is missing.")?;
    }
    writeln!(out)?;
    for line in head(first) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    let mut events = Vec::new();
    for message in &messages {
        arrival(message, &messages, &mut events);
        ending(message, &mut events);
    }
    for attempt in rows(&story.attempts) {
        let to = recipients
            .iter()
            .find(|r| r.int("id").is_some() && r.int("id") == attempt.int("to_id"));
        let name = to.map_or_else(|| "-".into(), |r| r.address("recipient"));
        attempts(&attempt, &name, &queue_id(&messages, &attempt), &mut events);
    }
    for recipient in &recipients {
        attempts(
            recipient,
            &recipient.address("recipient"),
            &queue_id(&messages, recipient),
            &mut events,
        );
    }
    timeline(events, style, out)
}

/// Writes the refusals among the hits of a search.
///
/// # Errors
/// When `out` does not take it.
pub fn write_refusals(hits: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for hit in rows(hits).filter(|hit| hit.raw("kind") == Some("refused")) {
        let mut sentence = format!(
            "{}: refused at the door{} on {}",
            hit.address("recipient"),
            prefixed(" to ", &hit.client()),
            when(hit.time("time"), style),
        );
        sentence.push_str(&prefixed(": ", &hit.said()));
        writeln!(out, "{}", Tone::Bad.paint(&sentence, style.color))?;
        let facts = [
            ("from", hit.address("sender")),
            ("stage", hit.text("protocol_state")),
            ("rule", hit.text("rule")),
            ("helo", hit.text("helo_name")),
            ("user", hit.text("sasl_username")),
            ("host", hit.text("host")),
            (
                "times",
                hit.int("count")
                    .filter(|n| *n > 1)
                    .map(|n| n.to_string())
                    .unwrap_or_default(),
            ),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "  {name:<8}{value}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn is_notice(message: &Row<'_>) -> bool {
    matches!(
        message.raw("parent_link"),
        Some(link::BOUNCE | link::DELAY | link::STATUS)
    )
}

fn is_handed_on(recipient: &Row<'_>) -> bool {
    matches!(
        recipient.raw("status"),
        Some(status::FILTERED | status::RELAYED | status::FORWARDED | status::REQUEUED)
    )
}

fn same_id(a: Option<i64>, b: Option<i64>) -> bool {
    a.is_some() && a == b
}

/// One sentence a recipient; one of the message when it has no recipients.
fn verdicts(messages: &[Row<'_>], recipients: &[Row<'_>], style: &Style) -> Vec<(Tone, String)> {
    let of_mail = |r: &&Row<'_>| {
        messages
            .iter()
            .find(|m| same_id(m.int("id"), r.int("from_id")))
            .is_none_or(|m| !is_notice(m) || messages.iter().all(is_notice))
    };
    let mail: Vec<&Row<'_>> = recipients.iter().filter(of_mail).collect();
    // A row that handed the mail on is a verdict only where the row with the fate is missing.
    let is_told = |hop: &Row<'_>| {
        mail.iter().filter(|r| !is_handed_on(r)).any(|r| {
            let same = |a: Option<&str>, b: Option<&str>| {
                a.zip(b).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
            };
            same(r.raw("recipient"), hop.raw("recipient"))
                || same(r.raw("orig_to"), hop.raw("recipient"))
        })
    };
    let told = mail.iter().filter(|r| !is_handed_on(r) || !is_told(r));
    let sentences: Vec<(Tone, String)> = told
        .map(|r| {
            (
                tone(r.raw("status").unwrap_or_default()),
                verdict(r, notice_about(messages, r), style),
            )
        })
        .collect();
    if sentences.is_empty() {
        return messages
            .iter()
            .rfind(|m| !is_notice(m))
            .or(messages.last())
            .map(|m| message_verdict(m, style))
            .into_iter()
            .collect();
    }
    sentences
}

/// Returns the queue id of the bounce notice about the recipient's message.
fn notice_about(messages: &[Row<'_>], recipient: &Row<'_>) -> Option<String> {
    let is_about = |m: &&Row<'_>| {
        m.raw("parent_link") == Some(link::BOUNCE)
            && same_id(m.int("parent_id"), recipient.int("from_id"))
    };
    messages.iter().find(is_about).map(|m| m.text("queue_id"))
}

fn verdict(r: &Row<'_>, notice: Option<String>, style: &Style) -> String {
    let at = when(r.time("time"), style);
    let tries = r.int("attempts").unwrap_or(0);
    let reason = prefixed(": ", &r.said());
    let noticed = notice.map_or_else(
        || "; no notice to the sender in the log".to_owned(),
        |id| format!("; notice to the sender: {id}"),
    );
    let by = relay_of(r).map_or_else(
        || prefixed(" by ", &r.text("agent")),
        |relay| format!(" to {relay}"),
    );
    let tried = relay_of(r).map_or_else(String::new, |relay| format!(" ({relay})"));
    let what = match r.raw("status").unwrap_or_default() {
        status::SENT => {
            let delay = r
                .float("delay")
                .map(|d| format!(", {} after it arrived", duration(d)))
                .unwrap_or_default();
            let tries = if tries > 1 {
                format!(", at attempt {tries}")
            } else {
                String::new()
            };
            format!("delivered{by} on {at}{delay}{tries}")
        }
        status::DEFERRED | status::SOFTBOUNCE => format!(
            "not delivered yet; {} since {}, the last on {at}{tried}{reason}",
            count(tries, "attempt"),
            when(r.time("first_time"), style)
        ),
        status::BOUNCED => format!("undeliverable since {at}{tried}{reason}{noticed}"),
        status::EXPIRED => format!(
            "given up on {at} after {}{reason}{noticed}",
            count(tries, "attempt")
        ),
        status::DELETED => format!("deleted from the queue by an administrator on {at}{reason}"),
        status::DISCARDED => format!("dropped on purpose on {at}{reason}"),
        status::HELD => format!("held in the queue since {at}{reason}"),
        status::REJECTED => format!("refused on {at}{reason}"),
        status::CANCELED => {
            format!("never received completely: the client went away on {at}{reason}")
        }
        status::FILTERED => {
            format!("handed to a content filter on {at}{by}; what came back is not in the log")
        }
        status::RELAYED => {
            format!("handed to our next host on {at}{by}; what it did is not in the log")
        }
        status::FORWARDED => {
            format!("forwarded on {at}; the new message is not in the log{reason}")
        }
        status::REQUEUED => format!("queued anew on {at}; the new message is not in the log"),
        status::UNKNOWN => format!("outcome not in the log; last seen on {at}{reason}"),
        _ => format!("{} on {at}{by}{reason}", r.text("status")),
    };
    format!("{}: {what}", addressed(r))
}

/// Returns where it was handed to or tried; none where there was no such place.
fn relay_of(row: &Row<'_>) -> Option<String> {
    Some(row.text("relay")).filter(|relay| !relay.is_empty() && relay != "none")
}

/// Returns the recipient, with the address that the sender used where it is another.
fn addressed(r: &Row<'_>) -> String {
    let name = r.address("recipient");
    match r.raw("orig_to") {
        Some(orig_to) if Some(orig_to) != r.raw("recipient") => {
            format!("{name} (addressed as {})", terminal(orig_to))
        }
        _ => name,
    }
}

fn message_verdict(m: &Row<'_>, style: &Style) -> (Tone, String) {
    let word = m.raw("status").unwrap_or_default();
    let at = when(m.time("updated").or(m.time("time")), style);
    let reason = prefixed(": ", &m.text("reason"));
    let what = match word {
        message_status::RECEIVING => format!("still being received; last seen on {at}"),
        message_status::QUEUED => format!(
            "in the queue since {}; no attempt to deliver it in the log",
            when(m.time("time"), style)
        ),
        message_status::HELD => format!("held in the queue since {at}{reason}"),
        message_status::DONE => {
            format!("left the queue on {at}; its deliveries are not in the log")
        }
        message_status::EXPIRED => format!("given up on {at}{reason}"),
        message_status::DELETED => format!("deleted from the queue by an administrator on {at}"),
        message_status::CANCELED => {
            format!("never received completely: the client went away on {at}{reason}")
        }
        message_status::REJECTED => format!("refused on {at}{reason}"),
        message_status::DISCARDED => format!("dropped on purpose on {at}{reason}"),
        message_status::CORRUPT => format!("moved to the corrupt queue on {at}{reason}"),
        message_status::REQUEUED => {
            format!("queued anew on {at}; the new message is not in the log")
        }
        message_status::LOST => format!("no trace since {at}"),
        _ => format!("outcome not in the log; last seen on {at}{reason}"),
    };
    (tone(word), format!("{}: {what}", m.text("queue_id")))
}

/// The facts of a message, one a line.
fn head(m: &Row<'_>) -> Vec<String> {
    let size = m
        .int("size")
        .map(|n| format!("{n} bytes"))
        .unwrap_or_default();
    [
        ("message", m.text("message_id")),
        ("from", m.address("sender")),
        ("subject", m.text("subject")),
        ("size", size),
        ("client", m.client()),
        ("user", m.text("sasl_username")),
        ("tls", m.text("tls")),
        ("host", m.text("host")),
        ("instance", m.text("instance")),
    ]
    .iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("{name:<10}{value}"))
    .collect()
}

/// Something that happened: when, in which message, what.
struct Happening {
    time: Option<Time>,
    /// Order of things at the same time: arrival, attempts, end.
    rank: u8,
    queue_id: String,
    text: String,
    tone: Tone,
}

fn queue_id(messages: &[Row<'_>], row: &Row<'_>) -> String {
    messages
        .iter()
        .find(|m| same_id(m.int("id"), row.int("from_id")))
        .map(|m| m.text("queue_id"))
        .unwrap_or_default()
}

fn arrival(m: &Row<'_>, messages: &[Row<'_>], events: &mut Vec<Happening>) {
    let parent = messages
        .iter()
        .find(|p| same_id(p.int("id"), m.int("parent_id")))
        .map(|p| p.text("queue_id"));
    let of = parent.map(|id| format!(" {id}")).unwrap_or_default();
    let service = m.text("service");
    let user = prefixed(", user ", &m.text("sasl_username"));
    let client = prefixed(" from ", &m.client());
    let text = match m.raw("parent_link") {
        Some(link::FILTER) => format!("back from the content filter, continues{of}"),
        Some(link::RELAY) => format!("taken over{client}, continues{of}"),
        Some(link::FORWARD) => format!("forwarded, continues{of}"),
        Some(link::REQUEUE) => format!("queued anew, continues{of}"),
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
        rank: 0,
        queue_id: m.text("queue_id"),
        text,
        tone: Tone::Plain,
    });
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
        _ => format!("{}{}", m.text("status"), prefixed(": ", &m.text("reason"))),
    };
    events.push(Happening {
        time,
        rank: 2,
        queue_id: m.text("queue_id"),
        text,
        tone: tone(word),
    });
}

fn attempts(attempt: &Row<'_>, name: &str, queue_id: &str, events: &mut Vec<Happening>) {
    let mut text = format!("{name} {}", attempt.text("status"));
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
    let tone = tone(attempt.raw("status").unwrap_or_default());
    events.push(Happening {
        time: attempt.time("time"),
        rank: 1,
        queue_id: queue_id.to_owned(),
        text,
        tone,
    });
}

fn timeline(mut events: Vec<Happening>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    events.sort_by_key(|event| (event.time, event.rank));
    let width = events
        .iter()
        .map(|event| event.queue_id.chars().count())
        .max()
        .unwrap_or(0);
    for event in events {
        let time = event
            .time
            .map_or_else(|| " ".repeat(19), |t| row::time(t, style.zone));
        writeln!(
            out,
            "  {time}  {:<width$}  {}",
            event.queue_id,
            event.tone.paint(&event.text, style.color)
        )?;
    }
    Ok(())
}

fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{prefix}{text}")
    }
}

fn when(time: Option<Time>, style: &Style) -> String {
    time.map_or_else(|| "an unknown day".into(), |t| style.zone.show(t))
}

fn count(n: i64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Returns a length of time as people say it.
fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "held at the ends of the range; no delay is that long"
    )]
    let whole = seconds.round() as i64;
    match whole {
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        86_400.. => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
        _ => format!("{seconds} s"),
    }
}
