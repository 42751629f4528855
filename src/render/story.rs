//! Verdict and timeline of a mail over its whole chain of queue ids.

use super::hit::{Hit, hits};
use super::{Style, escape};
use crate::model::table::Table;
use crate::model::time::Time;
use std::io::{Result, Write};

/// All rows of one chain; columns are named as in the tables.
#[derive(Debug, Clone, Default)]
pub struct StoryInput {
    /// `delivery_from` of the chain, in order of arrival.
    pub messages: Table,
    /// `delivery_to` of these, in order of time.
    pub recipients: Table,
    /// The view `attempt` with the recipient, in order of time.
    pub attempts: Table,
    /// `noqueue` rows that belong to these messages.
    pub refusals: Table,
}

/// Writes verdict, origin and timeline.
///
/// # Errors
/// When `out` cannot take it.
pub fn write(story: &StoryInput, style: &Style, out: &mut dyn Write) -> Result<()> {
    let messages: Vec<Hit<'_>> = hits(&story.messages).collect();
    let Some(root) = messages.first() else {
        return Ok(());
    };
    verdicts(story, root, style, out)?;
    writeln!(
        out,
        "  message-id {}",
        root.text("message_id").unwrap_or("not in the log".into())
    )?;
    if let Some(subject) = root.text("subject") {
        writeln!(out, "  subject    {subject}")?;
    }
    writeln!(out, "  sender     {}{}", root.address("sender"), size(root))?;
    let mut events = Vec::new();
    for message in &messages {
        events.extend(of_message(message));
    }
    events.extend(hits(&story.attempts).filter_map(|hit| of_attempt(&hit)));
    events.extend(hits(&story.refusals).filter_map(|hit| of_refusal(&hit)));
    events.sort_by_key(|(time, _)| *time);
    for (time, text) in events {
        writeln!(out, "  {}  {text}", style.zone.show(time))?;
    }
    if messages
        .iter()
        .any(|m| *m.cell("log_incomplete") == crate::model::table::Cell::Bool(true))
    {
        writeln!(out, "  lines of this mail are missing from the log")?;
    }
    Ok(())
}

/// Writes the refusal as a story of one sentence.
///
/// # Errors
/// When `out` cannot take it.
pub fn refusal(hit: &Hit<'_>, style: &Style, out: &mut dyn Write) -> Result<()> {
    let time = hit
        .time("time")
        .map(|t| style.zone.show(t))
        .unwrap_or_default();
    writeln!(
        out,
        "{}: refused at {time} by {} ({}), mail from {} through {}: {}",
        hit.address("recipient"),
        hit.text("host").unwrap_or_default(),
        hit.status(),
        hit.address("sender"),
        hit.client()
            .unwrap_or_else(|| "an unknown client".to_owned()),
        hit.text("reason").unwrap_or_default()
    )
}

/// One sentence a recipient of the chain whose fate is not told by a later hop.
fn verdicts(story: &StoryInput, root: &Hit<'_>, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut any = false;
    for hit in hits(&story.recipients).filter(|hit| is_last_hop(hit)) {
        any = true;
        writeln!(
            out,
            "{}: {}",
            hit.address("recipient"),
            verdict(&hit, root, style)
        )?;
    }
    if !any {
        let reason = root
            .text("reason")
            .map_or(String::new(), |r| format!(": {r}"));
        writeln!(
            out,
            "{} without a recipient in the log{reason}",
            root.text("status").unwrap_or_default()
        )?;
    }
    Ok(())
}

/// Handed over inside our own systems: another row of the chain tells the outcome.
fn is_last_hop(hit: &Hit<'_>) -> bool {
    let status = hit.status();
    let is_handed_on = matches!(&*status, "filtered" | "relayed" | "forwarded" | "requeued");
    !is_handed_on || *hit.cell("has_child") == crate::model::table::Cell::Bool(false)
}

fn verdict(hit: &Hit<'_>, root: &Hit<'_>, style: &Style) -> String {
    let at = hit
        .time("time")
        .map(|t| style.zone.show(t))
        .unwrap_or_default();
    let relay = hit.text("relay").filter(|r| *r != "none");
    let by = relay.map_or(String::new(), |r| format!(" by {r}"));
    let why = hit
        .text("reason")
        .map_or(String::new(), |r| format!(": {r}"));
    let attempts = hit.int("attempts").unwrap_or(0);
    match &*hit.status() {
        "sent" => format!("delivered at {at}{by}{why}"),
        "bounced" => format!("bounced at {at}{by}{why}"),
        "deferred" | "SOFTBOUNCE" if root.time("removed").is_none() => {
            format!("still in the queue after {attempts} attempts, last at {at}{by}{why}")
        }
        "deferred" | "SOFTBOUNCE" => format!("deferred, last at {at}{by}{why}"),
        "expired" => format!(
            "returned to the sender as undeliverable after {attempts} attempts, last at {at}{by}{why}"
        ),
        "held" => format!("held in the queue since {at}{why}"),
        "deleted" => {
            format!("deleted from the queue by an administrator at {at}; last answer{by}{why}")
        }
        "discarded" => format!("discarded at {at}{why}"),
        "rejected" => format!("refused with the whole message at {at}{why}"),
        "canceled" => {
            format!("not received: the client left before the message was complete, at {at}{why}")
        }
        "filtered" => format!("handed to a content filter at {at}{by}{why}"),
        "relayed" => format!("handed to another of our systems at {at}{by}{why}"),
        "forwarded" => format!("forwarded at {at}{why}"),
        "unknown" => format!("unknown: lines are missing from the log, last seen at {at}{by}{why}"),
        other => format!("{other} at {at}{by}{why}"),
    }
}

fn size(root: &Hit<'_>) -> String {
    root.int("size")
        .map_or(String::new(), |n| format!(", {n} bytes"))
}

fn of_message(hit: &Hit<'_>) -> Vec<(Time, String)> {
    let id = hit.text("queue_id").unwrap_or_default();
    let host = hit.text("host").unwrap_or_default();
    let from = match hit.client() {
        Some(client) => format!(" from {client}"),
        None => hit
            .int("uid")
            .map_or(String::new(), |uid| format!(" from local user {uid}")),
    };
    let user = hit
        .text("sasl_username")
        .map_or(String::new(), |u| format!(", logged in as {u}"));
    let tls = hit.text("tls").map_or(String::new(), |t| format!(", {t}"));
    let origin = hit.text("origin").unwrap_or_default();
    let link = hit
        .text("parent_link")
        .map_or(String::new(), |l| format!(", {l} of an earlier message"));
    let mut events = Vec::new();
    if let Some(time) = hit.time("time") {
        let text = match &*origin {
            "unknown" => format!("{id} first seen on {host}: its beginning is not in the log"),
            _ => format!(
                "{id} received on {host} by {}{from}{user}{tls}{link}",
                service(hit, &origin)
            ),
        };
        events.push((time, text));
    }
    if let Some(time) = hit.time("removed") {
        let reason = hit
            .text("reason")
            .map_or(String::new(), |r| format!(": {r}"));
        events.push((
            time,
            format!(
                "{id} left the queue: {}{reason}",
                hit.text("status").unwrap_or_default()
            ),
        ));
    }
    events
}

fn service(hit: &Hit<'_>, origin: &str) -> String {
    hit.text("service")
        .map_or_else(|| origin.to_owned(), String::from)
}

fn of_attempt(hit: &Hit<'_>) -> Option<(Time, String)> {
    let mut text = format!(
        "{} {} {}",
        hit.text("queue_id").unwrap_or_default(),
        hit.status(),
        hit.address("recipient")
    );
    for column in ["relay", "dsn"] {
        if let Some(value) = hit.text(column).filter(|v| *v != "none") {
            text.push(' ');
            text.push_str(&value);
        }
    }
    if let crate::model::table::Cell::Float(delay) = hit.cell("delay") {
        text.push_str(&format!(" after {delay} s"));
    }
    if let Some(reason) = hit.raw("reason") {
        text.push_str(&format!(": {}", escape::terminal(reason)));
    }
    Some((hit.time("time")?, text))
}

fn of_refusal(hit: &Hit<'_>) -> Option<(Time, String)> {
    let text = format!(
        "{} {} at {}: {}",
        hit.address("recipient"),
        hit.text("action").unwrap_or_default(),
        hit.text("protocol_state").unwrap_or_default(),
        hit.text("reason").unwrap_or_default()
    );
    Some((hit.time("time")?, text))
}
