//! Story: what became of one mail: a sentence for each recipient, then the timeline of all its messages.

use super::Style;
use super::color::Tone;
use super::part::{address, client, text, user};
use super::timeline;
use super::verdict;
use super::words::prefixed;
use super::wrap::wrapped;
use crate::story::{Message, Refused, Rest, Story};
use std::io::{self, Write};

/// Writes the story of a mail.
///
/// # Errors
/// When `out` does not take it.
pub fn write(story: &Story<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for of in &story.verdicts {
        let (tone, sentence) = verdict::sentence(of, style);
        wrapped("", &sentence, 2, tone, style, out)?;
    }
    if let Some(rest) = &story.rest {
        let (n, counts) = (rest.count, counted(rest));
        if rest.is_beside_asked {
            writeln!(
                out,
                "{n} other recipients: {counts} (--all-recipients names them)"
            )?;
        } else {
            writeln!(out, "and {n} more recipients, see below: {counts}")?;
        }
    }
    if story.is_incomplete {
        writeln!(out, "Part of the log of this mail is missing.")?;
    }
    writeln!(out)?;
    for (name, value) in facts(&story.first) {
        let name = format!("  {name:<10}");
        wrapped(&name, &value, 12, Tone::Plain, style, out)?;
    }
    writeln!(out)?;
    timeline::write(&story.timeline, style, out)
}

/// Writes refusals.
///
/// # Errors
/// When `out` does not take it.
pub fn write_refusals(
    refusals: &[Refused<'_>],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for refused in refusals {
        let sentence = verdict::refused(refused, style);
        wrapped("", &sentence, 2, Tone::Bad, style, out)?;
        let of = &refused.refusal;
        let times = of.count.filter(|n| *n > 1);
        let facts = [
            ("from", address(of.sender)),
            ("stage", text(of.protocol_state)),
            ("rule", text(of.rule)),
            ("cause", text(of.reply.cause)),
            ("helo", text(of.helo_name)),
            ("user", text(of.sasl_username)),
            ("host", text(of.host)),
            ("times", times.map(|n| n.to_string()).unwrap_or_default()),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            let name = format!("  {name:<8}");
            wrapped(&name, value, 10, Tone::Plain, style, out)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Returns `57 sent, 2 bounced`.
pub(super) fn counted(rest: &Rest<'_>) -> String {
    let counts = rest.by_status.iter();
    let counts: Vec<String> = counts
        .map(|(status, count)| format!("{count} {}", text(*status)))
        .collect();
    counts.join(", ")
}

/// The facts of a message.
pub(super) fn facts(m: &Message<'_>) -> Vec<(&'static str, String)> {
    let size = m.size.map(|n| format!("{n} bytes"));
    let recipients = m.nrcpt.filter(|n| *n > 1);
    let recipients = recipients.map(|n| format!("{n} recipients"));
    let uid = m.uid.map(|uid| format!("user id {uid}, on this host"));
    let helo = prefixed(", helo ", &text(m.helo_name));
    let client = match client(&m.client) {
        client if client.is_empty() => client,
        client => format!("{client}{helo}{}", prefixed(", ", &text(m.protocol_name))),
    };
    let instance = Some(text(m.instance)).filter(|name| name != "postfix");
    let from = match m.orig_sender {
        Some(within) => format!("{} (within: {})", address(m.sender), text(Some(within))),
        None => address(m.sender),
    };
    let mut facts = vec![
        ("message", text(m.message_id)),
        ("from", from),
        ("subject", text(m.subject)),
        ("size", size.unwrap_or_default()),
        ("to", recipients.unwrap_or_default()),
        ("client", client),
        ("user", user(&m.login)),
        ("submitted", uid.unwrap_or_default()),
        ("tls", text(m.tls)),
        ("host", text(m.host)),
        ("instance", instance.unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
