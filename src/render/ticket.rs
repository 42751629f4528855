//! Ticket: one mail as text to paste: times with their zone, the reply word for word, all ids, and what to tell the other postmaster.

use super::Style;
use super::asked::Told;
use super::neighbour::Stored;
use super::row::{Row, rows};
use super::story::{Chain, StoryInput};
use super::verdict::{self, relay_of, same_id};
use super::words::{count, prefixed, when};
use crate::model::row::recipient_status as status;
use crate::model::table::Table;
use std::io::{self, Write};

/// Writes the ticket of a mail.
///
/// # Errors
/// When `out` does not take it.
pub fn write(story: &StoryInput, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let chain = Chain::of(story);
    let Some(first) = chain.first() else {
        return Ok(());
    };
    // Pasted text has no colour and no width.
    let style = &Style {
        color: false,
        width: None,
        ..*style
    };
    let told = Told::of(&chain);
    for (_, sentence) in &verdict::all(&chain, &told, style) {
        writeln!(out, "{sentence}.")?;
    }
    if let Some((n, counts)) = told.rest() {
        writeln!(out, "And {n} more recipients: {counts}.")?;
    }
    if chain.messages.iter().any(|m| m.is_true("log_incomplete")) {
        writeln!(out, "Part of the log of this mail is missing.")?;
    }
    writeln!(out, "\nMail")?;
    writeln!(
        out,
        "  {:<14}{}",
        "arrived",
        when(first.time("time"), style)
    )?;
    for (name, value) in super::story::facts(first) {
        writeln!(out, "  {name:<14}{value}")?;
    }
    for m in &chain.messages {
        let what = m.raw("parent_link").map_or("", |link| match link {
            "bounce" => " (notice of failure)",
            "delay" => " (notice of delay)",
            "status" => " (notice of delivery)",
            "filter" => " (after the filter)",
            "forward" => " (forwarded)",
            "relay" => " (next host)",
            _ => " (requeued)",
        });
        let host = prefixed(" on ", &m.text("host"));
        let inferred = if m.is_true("parent_inferred") {
            ", matched by message id, sender and recipient"
        } else {
            ""
        };
        writeln!(
            out,
            "  {:<14}{}{host}{what}{inferred}",
            "queue id",
            m.text("queue_id")
        )?;
    }
    for r in told.each() {
        recipient(&chain, r, style, out)?;
    }
    Ok(())
}

fn recipient(chain: &Chain<'_>, r: &Row<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nRecipient {}", r.address("recipient"))?;
    let message = chain
        .messages
        .iter()
        .find(|m| same_id(m.int("id"), r.int("from_id")));
    let tried = r.int("attempts").unwrap_or(0);
    let facts = [
        ("status", r.text("status")),
        ("cause", r.text("cause")),
        (
            "attempts",
            if tried > 0 {
                tried.to_string()
            } else {
                String::new()
            },
        ),
        ("first attempt", when(r.time("first_time"), style)),
        ("last attempt", when(r.time("time"), style)),
        ("handed to", relay_of(r).unwrap_or_default()),
        ("status code", r.text("dsn")),
        ("queue id there", r.text("remote_queue_id")),
        (
            "mail store",
            Stored::of(chain, r)
                .map(|stored| stored.fact())
                .unwrap_or_default(),
        ),
        ("tls", r.text("tls")),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {name:<16}{value}")?;
    }
    let reason = r.text("reason");
    if !reason.is_empty() {
        writeln!(out, "  reply, word for word:\n    {reason}")?;
    }
    if let (Some(text), Some(m)) = (to_tell(r, message, style), message) {
        writeln!(out, "  for the postmaster of {}:", domain(r))?;
        writeln!(out, "    {text}")?;
        writeln!(out, "    Message-ID: {}", or_none(m.text("message_id")))?;
    }
    Ok(())
}

/// What the other side needs to find the mail in its own log; none where no other side was spoken to.
fn to_tell(r: &Row<'_>, message: Option<&Row<'_>>, style: &Style) -> Option<String> {
    let m = message?;
    let relay = relay_of(r).filter(|relay| relay.contains('['))?;
    let (at, tries) = (when(r.time("time"), style), r.int("attempts").unwrap_or(1));
    let envelope = format!(
        "from {} to {} (our queue id {} on {})",
        m.address("sender"),
        r.address("recipient"),
        m.text("queue_id"),
        m.text("host")
    );
    Some(match r.raw("status")? {
        status::SENT => format!(
            "On {at} your server {relay} accepted our mail {envelope}{}. Please check what happened to it there.",
            prefixed(" and gave it the queue id ", &r.text("remote_queue_id"))
        ),
        status::DEFERRED | status::SOFTBOUNCE | status::EXPIRED => format!(
            "We tried {} to deliver a mail {envelope} to your server {relay}, the last time on {at}; the server did not accept it, for the reason above.",
            count(tries, "time")
        ),
        status::BOUNCED => {
            format!("On {at} your server {relay} refused a mail {envelope} with the reply above.")
        }
        _ => return None,
    })
}

/// Writes the tickets of refusals.
///
/// # Errors
/// When `out` does not take it.
pub fn write_refusals(
    hits: &Table,
    told: &[i64],
    later: &[(i64, Table)],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let style = &Style {
        color: false,
        width: None,
        ..*style
    };
    let is_new = |hit: &Row<'_>| hit.int("id").is_none_or(|id| !told.contains(&id));
    for hit in rows(hits)
        .filter(|hit| hit.raw("kind") == Some("refused"))
        .filter(is_new)
    {
        let later = later.iter().find(|(id, _)| hit.int("id") == Some(*id));
        let later = later.and_then(|(_, table)| rows(table).next());
        writeln!(
            out,
            "{}.\n\nRefusal",
            verdict::refused(&hit, later.as_ref(), style)
        )?;
        let code = hit
            .int("reply_code")
            .map(|n| n.to_string())
            .unwrap_or_default();
        let facts = [
            ("time", when(hit.time("time"), style)),
            ("from", hit.address("sender")),
            ("to", hit.address("recipient")),
            ("client", hit.client()),
            ("helo", hit.text("helo_name")),
            ("user", hit.text("sasl_username")),
            ("stage", hit.text("protocol_state")),
            ("rule", hit.text("rule")),
            ("cause", hit.text("cause")),
            ("reply code", code),
            ("status code", hit.text("dsn")),
            ("host", hit.text("host")),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "  {name:<14}{value}")?;
        }
        writeln!(out, "  reply, word for word:\n    {}\n", hit.text("reason"))?;
    }
    Ok(())
}

fn domain(r: &Row<'_>) -> String {
    let address = r.address("recipient");
    address
        .rsplit_once('@')
        .map_or(address.clone(), |(_, domain)| domain.to_owned())
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".into() } else { text }
}
