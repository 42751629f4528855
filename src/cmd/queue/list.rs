//! `maillog queue list`: the mails that a query asks for, in every form.

use super::super::{Context as Run, Exit};
use super::history;
use super::load::{self, Loaded};
use super::options::{Form, Shared};
use crate::model::table::Table;
use crate::notice;
use crate::queue::filter::Present;
use crate::queue::{Mail, sheet};
use crate::render::{self, Format, Style, queue};
use anyhow::{Result, bail};
use std::io::{IsTerminal, Write};

/// Mails that become rows at once.
const BATCH: usize = 1000;

/// Runs the subcommand.
pub(super) fn run(terms: &[String], shared: &Shared, run: &Run) -> Result<Exit> {
    let filter = shared.filter(terms, run)?;
    let mut present = Present::new(run.now, run.zone);
    let form = form(shared);
    if shared.count_by.is_some() && form == Form::Story {
        bail!("--count-by has no story: use -o table, json, csv, tsv or count");
    }
    let joins = !matches!(form, Form::Qid | Form::Count | Form::Short);
    let Loaded {
        listing,
        mut mails,
        has_history,
    } = load::load(&filter, joins, shared, run, &mut present)?;
    if has_history && filter.is_all() {
        history::tell_disagreement(&mails, listing.time, shared, run)?;
    }
    order(&mut mails, shared, &mut present)?;
    if let Some(field) = &shared.count_by {
        return ranked(&mails, field, form, shared, run, &mut present);
    }
    let is_empty = mails.is_empty();
    let mut output = run.output(matches!(form, Form::Table | Form::Story));
    let style = output.style;
    write(&mails, form, &style, &mut present, output.writer())?;
    output.finish()?;
    if is_empty {
        notice::say("no mail found");
        return Ok(Exit::Nothing);
    }
    Ok(Exit::Found)
}

/// Returns the form that is asked for, or that suits where the answer goes.
pub(super) fn form(shared: &Shared) -> Form {
    let is_terminal = std::io::stdout().is_terminal();
    let default = match (is_terminal, shared.count_by.is_some()) {
        (true, _) => Form::Table,
        (false, true) => Form::Tsv,
        (false, false) => Form::Short,
    };
    shared.output.unwrap_or(default)
}

/// Sorts the mails, and takes the newest of them where a limit is set.
pub(super) fn order(mails: &mut Vec<Mail>, shared: &Shared, present: &mut Present) -> Result<()> {
    let wanted = shared.sort.as_deref().unwrap_or("date");
    let (field, is_turned) = match wanted.strip_prefix('-') {
        Some(field) => (field, true),
        None => (wanted, false),
    };
    if !sheet::sort(mails, field, present) {
        bail!("--sort {wanted}: sorts by {}", sheet::ORDERS.join(", "));
    }
    if let Some(limit) = shared.limit.filter(|_| shared.count_by.is_none()) {
        // As in find: the last ones, which stand next to the prompt.
        mails.drain(..mails.len().saturating_sub(limit));
    }
    if is_turned {
        mails.reverse();
    }
    Ok(())
}

fn ranked(
    mails: &[Mail],
    field: &str,
    form: Form,
    shared: &Shared,
    run: &Run,
    present: &mut Present,
) -> Result<Exit> {
    let ranked = sheet::RANKS
        .contains(&field)
        .then(|| sheet::rank(mails, field, present));
    let Some(mut table) = ranked.flatten() else {
        bail!("--count-by {field}: counts by {}", sheet::RANKS.join(", "));
    };
    if let Some(limit) = shared.limit {
        table.rows.truncate(limit);
    }
    let mut output = run.output(form == Form::Table);
    let style = output.style;
    render::table(&table, format(form), &style, output.writer())?;
    output.finish()?;
    Ok(if table.rows.is_empty() {
        Exit::Nothing
    } else {
        Exit::Found
    })
}

fn format(form: Form) -> Format {
    match form {
        Form::Table | Form::Short | Form::Story => Format::Table,
        Form::Json => Format::Json,
        Form::Csv => Format::Csv,
        Form::Tsv => Format::Tsv,
        Form::Qid => Format::Qid,
        Form::Count => Format::Count,
    }
}

/// Writes mails in a form.
pub(super) fn write(
    mails: &[Mail],
    form: Form,
    style: &Style,
    present: &mut Present,
    out: &mut dyn Write,
) -> Result<()> {
    match form {
        Form::Table => queue::list(mails, present, style, out)?,
        Form::Short => queue::short(mails, style, out)?,
        Form::Count => writeln!(out, "{}", mails.len())?,
        Form::Qid => {
            for mail in mails {
                writeln!(out, "{}", render::escape::terminal(&mail.queue_id))?;
            }
        }
        Form::Story => {
            for (place, mail) in mails.iter().enumerate() {
                if place > 0 {
                    writeln!(out)?;
                }
                queue::state(mail, present, style, out)?;
            }
        }
        Form::Json | Form::Csv | Form::Tsv => rows(mails, format(form), style, present, out)?,
    }
    Ok(())
}

/// Writes rows a part at a time: a whole queue as cells would take much memory.
fn rows(
    mails: &[Mail],
    format: Format,
    style: &Style,
    present: &mut Present,
    out: &mut dyn Write,
) -> Result<()> {
    let mut has_head = false;
    let parts = mails.chunks(BATCH).chain(mails.is_empty().then_some(mails));
    for part in parts {
        let table = sheet::table(part, present);
        if has_head && format != Format::Json {
            body(&table, format, style, out)?;
        } else {
            render::table(&table, format, style, out)?;
        }
        has_head = true;
    }
    Ok(())
}

/// Writes the rows without the names of the columns.
fn body(table: &Table, format: Format, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut text = Vec::new();
    render::table(table, format, style, &mut text)?;
    // The names hold no line break.
    let end = memchr::memchr(b'\n', &text).map_or(0, |end| end + 1);
    out.write_all(text.get(end..).unwrap_or_default())?;
    Ok(())
}
