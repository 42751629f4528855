//! Writes stories, tickets and log lines of what was found.

use crate::ask::story::Stories;
use crate::ask::{Ask, lines};
use crate::model::table::Table;
use crate::render::escape;
use crate::render::mask::Mask;
use crate::render::{Format, Style, story as prose, ticket};
use crate::story::{Story, refusals};
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;

/// Hides addresses that were not asked for.
pub fn mask(stories: &mut Stories, mask: &mut Mask) {
    for mail in &mut stories.mails {
        let tables = [
            &mut mail.messages,
            &mut mail.recipients,
            &mut mail.attempts,
            &mut mail.refusals,
            &mut mail.asked,
            &mut mail.neighbours,
        ];
        let mut tables = tables.map(|table| {
            mask.learn(table);
            table
        });
        for table in &mut tables {
            mask.apply(table);
        }
    }
}

/// Writes a story or ticket for each mail, and the refusals among the hits.
///
/// # Errors
/// When `out` cannot take it.
pub fn write(
    stories: &Stories,
    hits: &Table,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> Result<()> {
    let is_ticket = format == Format::Ticket;
    for (i, mail) in stories.mails.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        let Some(mail) = Story::of(mail) else {
            continue;
        };
        if is_ticket {
            ticket::write(&mail, style, out)?;
        } else {
            prose::write(&mail, style, out)?;
        }
    }
    if stories.more > 0 {
        writeln!(
            out,
            "\nand {} more mails: narrow the query, or use -o table",
            stories.more
        )?;
    }
    if !stories.mails.is_empty() && stories.refusals > 0 {
        writeln!(out)?;
    }
    let refused = refusals(hits, &stories.told, &stories.later);
    if is_ticket {
        ticket::write_refusals(&refused, style, out)?;
    } else {
        prose::write_refusals(&refused, style, out)?;
    }
    Ok(())
}

/// What was written of log lines.
#[derive(Debug, Default, Clone, Copy)]
pub struct Written {
    /// Lines.
    pub lines: usize,
    /// Mails of which no line is kept.
    pub missing: usize,
}

/// Writes the log lines of the hits' chains and refusals, but those of chains that were `told` before.
///
/// # Errors
/// When the database fails or `out` cannot take it.
pub fn write_lines(
    asked: &dyn Ask,
    hits: &Table,
    told: &mut BTreeSet<i64>,
    mut mask: Option<&mut Mask>,
    out: &mut dyn Write,
) -> Result<Written> {
    let mut written = Written::default();
    lines::lines(asked, hits, told, |lines| -> Result<()> {
        written.missing += usize::from(lines.is_empty());
        written.lines += lines.len();
        for line in lines {
            match mask.as_mut() {
                Some(mask) => writeln!(out, "{}", escape::terminal(&mask.text(line)))?,
                None => writeln!(out, "{}", escape::terminal(line))?,
            }
        }
        Ok(())
    })?;
    Ok(written)
}
