//! Ticket: one mail as text to paste: times with their zone, the reply word for word, all ids, and what to tell the other postmaster.

use super::Style;
use super::neighbour;
use super::part::{address, client, text};
use super::story::{counted, facts};
use super::verdict::{self, relay};
use super::words::{count, prefixed, when};
use crate::model::row::{link, recipient_status as status};
use crate::story::{Fate, Message, Refused, Story, Verdict};
use std::io::{self, Write};

/// Writes the ticket of a mail.
///
/// # Errors
/// When `out` does not take it.
pub fn write(story: &Story<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let style = &pasted(style);
    for of in &story.verdicts {
        let (_, sentence) = verdict::sentence(of, style);
        writeln!(out, "{sentence}.")?;
    }
    if let Some(rest) = &story.rest {
        writeln!(
            out,
            "And {} more recipients: {}.",
            rest.count,
            counted(rest)
        )?;
    }
    if story.is_incomplete {
        writeln!(out, "Part of the log of this mail is missing.")?;
    }
    writeln!(out, "\nMail")?;
    writeln!(out, "  {:<14}{}", "arrived", when(story.first.time, style))?;
    for (name, value) in facts(&story.first) {
        writeln!(out, "  {name:<14}{value}")?;
    }
    for m in &story.messages {
        let what = m.parent_link.map_or("", |link| match link {
            link::BOUNCE => " (notice of failure)",
            link::DELAY => " (notice of delay)",
            link::STATUS => " (notice of delivery)",
            link::FILTER => " (after the filter)",
            link::FORWARD => " (forwarded)",
            link::RELAY => " (next host)",
            _ => " (requeued)",
        });
        let host = prefixed(" on ", &text(m.host));
        let inferred = if m.parent_inferred {
            ", matched by message id, sender and recipient"
        } else {
            ""
        };
        writeln!(
            out,
            "  {:<14}{}{host}{what}{inferred}",
            "queue id",
            text(m.queue_id)
        )?;
    }
    for of in &story.verdicts {
        if let Verdict::Recipient(fate) = of {
            recipient(fate, style, out)?;
        }
    }
    Ok(())
}

/// Pasted text has no colour and no width.
const fn pasted(style: &Style) -> Style {
    Style {
        color: false,
        width: None,
        ..*style
    }
}

fn recipient(fate: &Fate<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let r = &fate.recipient;
    writeln!(out, "\nRecipient {}", address(r.recipient))?;
    let tried = r.attempts.filter(|tried| *tried > 0);
    let facts = [
        ("status", text(r.last.status)),
        ("cause", text(r.last.reply.cause)),
        ("attempts", tried.map(|n| n.to_string()).unwrap_or_default()),
        ("first attempt", when(r.first_time, style)),
        ("last attempt", when(r.last.time, style)),
        ("handed to", relay(&r.last).unwrap_or_default()),
        ("status code", text(r.last.reply.dsn)),
        ("queue id there", text(r.last.remote_queue_id)),
        (
            "mail store",
            fate.stored
                .as_ref()
                .map(neighbour::fact)
                .unwrap_or_default(),
        ),
        ("tls", text(r.last.tls)),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {name:<16}{value}")?;
    }
    let reason = text(r.last.reply.reason);
    if !reason.is_empty() {
        writeln!(out, "  reply, word for word:\n    {reason}")?;
    }
    if let Some(m) = &fate.message
        && let Some(words) = to_tell(fate, m, style)
    {
        writeln!(out, "  for the postmaster of {}:", domain(fate))?;
        writeln!(out, "    {words}")?;
        writeln!(out, "    Message-ID: {}", or_none(text(m.message_id)))?;
    }
    Ok(())
}

/// What the other side needs to find the mail in its own log; none where no other side was spoken to.
fn to_tell(fate: &Fate<'_>, m: &Message<'_>, style: &Style) -> Option<String> {
    let r = &fate.recipient;
    let relay = relay(&r.last).filter(|relay| relay.contains('['))?;
    let (at, tries) = (when(r.last.time, style), r.attempts.unwrap_or(1));
    let envelope = format!(
        "from {} to {} (our queue id {} on {})",
        address(m.sender),
        address(r.recipient),
        text(m.queue_id),
        text(m.host)
    );
    Some(match r.last.status? {
        status::SENT => format!(
            "On {at} your server {relay} accepted our mail {envelope}{}. Please check what happened to it there.",
            prefixed(" and gave it the queue id ", &text(r.last.remote_queue_id))
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
    refusals: &[Refused<'_>],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let style = &pasted(style);
    for refused in refusals {
        writeln!(out, "{}.\n\nRefusal", verdict::refused(refused, style))?;
        let of = &refused.refusal;
        let code = of.reply.code.map(|n| n.to_string());
        let facts = [
            ("time", when(of.time, style)),
            ("from", address(of.sender)),
            ("to", address(of.recipient)),
            ("client", client(&of.client)),
            ("helo", text(of.helo_name)),
            ("user", text(of.sasl_username)),
            ("stage", text(of.protocol_state)),
            ("rule", text(of.rule)),
            ("cause", text(of.reply.cause)),
            ("reply code", code.unwrap_or_default()),
            ("status code", text(of.reply.dsn)),
            ("host", text(of.host)),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "  {name:<14}{value}")?;
        }
        writeln!(
            out,
            "  reply, word for word:\n    {}\n",
            text(of.reply.reason)
        )?;
    }
    Ok(())
}

fn domain(fate: &Fate<'_>) -> String {
    let address = address(fate.recipient.recipient);
    address
        .rsplit_once('@')
        .map_or(address.clone(), |(_, domain)| domain.to_owned())
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".into() } else { text }
}
