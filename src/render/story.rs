//! Story: what became of one mail: a sentence for each recipient, then the timeline of all its messages.
//!
//! A mail may be several messages: a filter, an alias or a requeue made a new one of it, and a notice may be about it. Who handed it on
//! is told in the timeline; the sentence comes from the message that carries the fate.
//! Limits: nothing is guessed: what the log does not say is said to be missing.

use super::Style;
use super::asked::Told;
use super::row::{Row, rows};
use super::timeline;
use super::verdict::{self, is_notice};
use super::words::{prefixed, when};
use super::wrap::wrapped;
use crate::model::table::Table;
use std::collections::BTreeMap;
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
    /// Earlier refusals of the same client, sender and recipient.
    pub refusals: Table,
    /// Its recipients that the search found: `id`, `recipient`, and `orig_to` as asked for.
    pub asked: Table,
    /// The search named recipients.
    pub asked_by_name: bool,
    /// Tell each recipient, not only those asked for.
    pub tells_all: bool,
    /// What mail stores and filters did with its messages.
    pub neighbours: Table,
    /// What came through after this mail was not taken; none where it was taken, or nothing can be said.
    pub later: Option<Table>,
}

/// The rows of a chain.
pub(super) struct Chain<'a> {
    pub(super) messages: Vec<Row<'a>>,
    pub(super) recipients: Vec<Row<'a>>,
    pub(super) attempts: Vec<Row<'a>>,
    pub(super) refusals: Vec<Row<'a>>,
    pub(super) asked: Vec<Row<'a>>,
    pub(super) asked_by_name: bool,
    pub(super) tells_all: bool,
    pub(super) neighbours: Vec<Row<'a>>,
    pub(super) later: Option<Vec<Row<'a>>>,
    /// Places of the recipients by their ids: a mail may have thousands.
    places: BTreeMap<i64, usize>,
    /// What recipients were asked for as, where that is another address.
    asked_as: BTreeMap<i64, &'a str>,
}

impl<'a> Chain<'a> {
    pub(super) fn of(story: &'a StoryInput) -> Self {
        let recipients: Vec<Row<'a>> = rows(&story.recipients).collect();
        let places = recipients.iter().enumerate();
        let asked_as = rows(&story.asked);
        Self {
            places: places
                .filter_map(|(at, row)| Some((row.int("id")?, at)))
                .collect(),
            asked_as: asked_as
                .filter_map(|row| Some((row.int("id")?, row.raw("orig_to")?)))
                .collect(),
            messages: rows(&story.messages).collect(),
            recipients,
            attempts: rows(&story.attempts).collect(),
            refusals: rows(&story.refusals).collect(),
            asked: rows(&story.asked).collect(),
            asked_by_name: story.asked_by_name,
            tells_all: story.tells_all,
            neighbours: rows(&story.neighbours).collect(),
            later: story.later.as_ref().map(|table| rows(table).collect()),
        }
    }

    /// Returns the recipient's row of that id.
    pub(super) fn recipient(&self, id: Option<i64>) -> Option<&Row<'a>> {
        self.recipients.get(*self.places.get(&id?)?)
    }

    /// Returns the address that the recipient was asked for as, where that is another.
    pub(super) fn asked_as(&self, recipient: &Row<'_>) -> Option<&'a str> {
        self.asked_as.get(&recipient.int("id")?).copied()
    }

    /// Returns the message that the mail began with.
    pub(super) fn first(&self) -> Option<&Row<'a>> {
        let mail = self.messages.iter().find(|m| !is_notice(m));
        mail.or(self.messages.first())
    }
}

/// Writes the story of a mail.
///
/// # Errors
/// When `out` does not take it.
pub fn write(story: &StoryInput, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let chain = Chain::of(story);
    let Some(first) = chain.first() else {
        return Ok(());
    };
    let told = Told::of(&chain);
    for (tone, sentence) in &verdict::all(&chain, &told, style) {
        wrapped("", sentence, 2, *tone, style, out)?;
    }
    match told.rest() {
        Some((n, counts)) if told.asked.is_empty() => {
            writeln!(out, "and {n} more recipients, see below: {counts}")?;
        }
        Some((n, counts)) => {
            writeln!(
                out,
                "{n} other recipients: {counts} (--all-recipients names them)"
            )?;
        }
        None => {}
    }
    if chain.messages.iter().any(|m| m.is_true("log_incomplete")) {
        writeln!(out, "Part of the log of this mail is missing.")?;
    }
    writeln!(out)?;
    for (name, value) in facts(first) {
        let name = format!("  {name:<10}");
        wrapped(&name, &value, 12, super::color::Tone::Plain, style, out)?;
    }
    writeln!(out)?;
    timeline::write(&chain, &told, style, out)
}

/// Writes the refusals among the hits of a search, but those that the stories told already; `later` holds for each the id and what
/// came through later.
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
    let is_new = |hit: &Row<'_>| hit.int("id").is_none_or(|id| !told.contains(&id));
    let refused = rows(hits).filter(|hit| hit.raw("kind") == Some("refused"));
    for hit in refused.filter(is_new) {
        let later = later.iter().find(|(id, _)| hit.int("id") == Some(*id));
        let later = later.and_then(|(_, table)| rows(table).next());
        let sentence = verdict::refused(&hit, later.as_ref(), style);
        wrapped("", &sentence, 2, super::color::Tone::Bad, style, out)?;
        let times = hit.int("count").filter(|n| *n > 1);
        let facts = [
            ("from", hit.address("sender")),
            ("stage", hit.text("protocol_state")),
            ("rule", hit.text("rule")),
            ("cause", hit.text("cause")),
            ("helo", hit.text("helo_name")),
            ("user", hit.text("sasl_username")),
            ("host", hit.text("host")),
            ("times", times.map(|n| n.to_string()).unwrap_or_default()),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            let name = format!("  {name:<8}");
            wrapped(&name, value, 10, super::color::Tone::Plain, style, out)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The facts of a message.
pub(super) fn facts(m: &Row<'_>) -> Vec<(&'static str, String)> {
    let size = m.int("size").map(|n| format!("{n} bytes"));
    let recipients = m.int("nrcpt").filter(|n| *n > 1).map(|n| n.to_string());
    let uid = m
        .int("uid")
        .map(|uid| format!("user id {uid}, on this host"));
    let helo = prefixed(", helo ", &m.text("helo_name"));
    let client = match m.client() {
        client if client.is_empty() => client,
        client => format!("{client}{helo}{}", prefixed(", ", &m.text("protocol_name"))),
    };
    let instance = Some(m.text("instance")).filter(|name| name != "postfix");
    let from = match m.raw("orig_sender") {
        Some(_) => format!(
            "{} (within: {})",
            m.address("sender"),
            m.text("orig_sender")
        ),
        None => m.address("sender"),
    };
    let mut facts = vec![
        ("message", m.text("message_id")),
        ("from", from),
        ("subject", m.text("subject")),
        ("size", size.unwrap_or_default()),
        (
            "to",
            recipients
                .map(|n| format!("{n} recipients"))
                .unwrap_or_default(),
        ),
        ("client", client),
        ("user", m.user()),
        ("submitted", uid.unwrap_or_default()),
        ("tls", m.text("tls")),
        ("host", m.text("host")),
        ("instance", instance.unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Returns the time for a sentence.
pub(super) fn at(row: &Row<'_>, column: &str, style: &Style) -> String {
    when(row.time(column), style)
}
