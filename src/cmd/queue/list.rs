//! `maillog queue list`: the mails that a query asks for, in every form.

use super::super::{Context as Run, Exit};
use super::history::{BATCH, Disagreement, Log};
use super::load::{self, Loaded, Needs};
use super::options::{Form, Shared};
use crate::model::table::Table;
use crate::notice;
use crate::queue::filter::{Filter, Present};
use crate::queue::{Mail, sheet};
use crate::render::{self, Format, Style, queue};
use anyhow::{Result, bail};
use std::io::{IsTerminal, Write};

/// Mails that become rows at once.
const ROWS: usize = 1000;

/// Runs the subcommand.
pub(super) fn run(terms: &[String], shared: &Shared, run: &Run) -> Result<Exit> {
    let filter = shared.filter(terms, run)?;
    let mut present = Present::new(run.now, run.zone);
    let form = form(shared);
    if shared.count_by.is_some() && form == Form::Story {
        bail!("--count-by has no story: use -o table, json, csv, tsv or count");
    }
    if form == Form::Count && shared.count_by.is_none() && !Needs::of(&filter).any() {
        return count(&filter, shared, run, &mut present);
    }
    let joins = !matches!(form, Form::Qid | Form::Count | Form::Short);
    let is_first = joins && asks_log(shared);
    let Loaded {
        listing,
        mut mails,
        has_history,
    } = load::load(&filter, is_first, shared, run, &mut present)?;
    let is_whole = filter.is_all() && shared.limit.is_none();
    order(&mut mails, shared, &mut present)?;
    if let Some(field) = &shared.count_by {
        let needs = Needs::of_rank(field);
        if needs.any() {
            load::complete(&mut mails, needs, false, shared, run)?;
        }
        return ranked(&mails, field, form, shared, run, &mut present);
    }
    let is_late = joins && !has_history && shared.is_live();
    let log = is_late.then(|| Log::open(shared, run)).flatten();
    let mut output = run.output(matches!(form, Form::Table | Form::Story));
    let style = output.style;
    // A table for eyes is laid out as a whole.
    let size = if form == Form::Table {
        mails.len()
    } else {
        BATCH
    };
    let mut disagreement = Disagreement::default();
    let mut is_begun = false;
    for part in parts(&mut mails, size) {
        if let Some(log) = &log {
            for batch in part.chunks_mut(BATCH) {
                log.join(batch)?;
            }
            disagreement.add(part, listing.time);
        }
        write(part, form, is_begun, &style, &mut present, output.writer())?;
        is_begun = true;
        // What the log knows of a whole queue takes much memory.
        for mail in part {
            mail.history = None;
        }
    }
    output.finish()?;
    if let Some(log) = log.filter(|_| is_whole) {
        disagreement.tell(&mails, listing.time, &log, shared, run)?;
    }
    if mails.is_empty() {
        notice::say("no mail found");
        return Ok(Exit::Nothing);
    }
    Ok(Exit::Found)
}

/// Returns the mails in parts; one that is empty where there is none.
fn parts(mails: &mut [Mail], size: usize) -> impl Iterator<Item = &mut [Mail]> {
    let empty: Option<&mut [Mail]> = mails.is_empty().then_some(Default::default());
    mails.chunks_mut(size.max(1)).chain(empty)
}

/// Returns whether the order or the count asks for what the log knows.
fn asks_log(shared: &Shared) -> bool {
    const LISTED: [&str; 10] = [
        "date",
        "age",
        "size",
        "sender",
        "recipient",
        "recipients",
        "nrcpt",
        "qid",
        "status",
        "reason",
    ];
    let order = shared.sort.as_deref().unwrap_or("date");
    let is_counted = |field: &str| !Needs::of_rank(field).any();
    shared.count_by.as_deref().is_some_and(is_counted)
        || !LISTED.contains(&order.trim_start_matches('-'))
}

/// Writes the number of mails, of which none is kept.
fn count(filter: &Filter, shared: &Shared, run: &Run, present: &mut Present) -> Result<Exit> {
    let mut count = 0_usize;
    let listing = load::each(shared, run, &mut |mail| {
        count += usize::from(filter.fits(&mail, present));
    })?;
    listing.tell();
    let shown = shared.limit.map_or(count, |limit| count.min(limit));
    let mut output = run.output(false);
    writeln!(output.writer(), "{shown}")?;
    output.finish()?;
    if count == 0 {
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
        bail!("--sort {wanted}: use one of {}", sheet::ORDERS.join(", "));
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
        bail!("--count-by {field}: use one of {}", sheet::RANKS.join(", "));
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

pub(super) fn format(form: Form) -> Format {
    match form {
        Form::Table | Form::Short | Form::Story => Format::Table,
        Form::Json => Format::Json,
        Form::Csv => Format::Csv,
        Form::Tsv => Format::Tsv,
        Form::Qid => Format::Qid,
        Form::Count => Format::Count,
    }
}

/// Writes mails in a form; `is_begun` when others were written before them.
pub(super) fn write(
    mails: &[Mail],
    form: Form,
    is_begun: bool,
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
                if is_begun || place > 0 {
                    writeln!(out)?;
                }
                queue::state(mail, present, style, out)?;
            }
        }
        Form::Json | Form::Csv | Form::Tsv => {
            rows(mails, format(form), is_begun, style, present, out)?;
        }
    }
    Ok(())
}

/// Writes rows a part at a time: a whole queue as cells would take much memory.
fn rows(
    mails: &[Mail],
    format: Format,
    is_begun: bool,
    style: &Style,
    present: &mut Present,
    out: &mut dyn Write,
) -> Result<()> {
    let mut has_head = is_begun;
    let parts = mails.chunks(ROWS).chain(mails.is_empty().then_some(mails));
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
